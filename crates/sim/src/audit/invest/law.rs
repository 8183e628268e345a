//! Laws of suitability and order that hold for any journal, whatever led to what is told: they
//! hear the answers alone, with the content and what is owed, and no prediction of this auditor.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_content::model::product::Sheet;
use dengmi_core::course::{CourseAction, CourseReceipt};
use dengmi_core::mock::{Assessed, ClientLevel, DebriefAbout, MockAction, MockReceipt};
use dengmi_core::{Action, Batch, CohortId, Day, MemberId, Outcome, Receipt, Timestamp};

use super::super::days::day_of;
use super::super::{Auditor, Invariant};
use super::suits::suits;

/// Most times on one day, and within 365 days, that anybody may be assessed: the regulator's
/// numbers, whatever the content says.
const ASSESSED_MAX: (usize, usize) = (2, 8);

/// What was told of mock accounts so far.
#[derive(Default)]
pub(in crate::audit) struct Heard {
    results: BTreeMap<MemberId, Assessed>,
    assessed: BTreeMap<MemberId, Vec<Day>>,
    planned: BTreeSet<(CohortId, MemberId)>,
}

impl Heard {
    /// The level that was told to hold on a day.
    fn level(&self, member: MemberId, day: Day) -> Option<ClientLevel> {
        let result = self.results.get(&member)?;
        (result.confirmed && day <= result.until).then_some(result.level)
    }

    fn assess(&mut self, member: MemberId, result: Assessed, today: Day) -> Option<String> {
        self.results.insert(member, result);
        let days = self.assessed.entry(member).or_default();
        days.push(today);
        let on_day = days.iter().filter(|day| **day == today).count();
        let in_year = days.iter().filter(|day| day.0 > today.0 - 365).count();
        (on_day > ASSESSED_MAX.0 || in_year > ASSESSED_MAX.1)
            .then(|| format!("{member} was assessed {on_day} times on a day, {in_year} in a year"))
    }
}

impl Auditor {
    /// Hears every answer about a mock account; the law that one of them breaks.
    pub(in crate::audit) fn mock_laws(
        &mut self,
        batch: &Batch,
        outcomes: &[Outcome],
    ) -> Result<(), (Invariant, String)> {
        // Whoever looked back in this batch owes no longer.
        let mut looked_back = BTreeSet::new();
        for (command, outcome) in batch.commands.iter().zip(outcomes) {
            let (Action::Course(CourseAction::Mock { member, cohort, what }), Outcome::Done(done)) =
                (&command.action, outcome)
            else {
                continue;
            };
            let receipt = match done {
                Receipt::Course(CourseReceipt::Mock(receipt)) => Some(*receipt),
                _ => None,
            };
            if let MockAction::WriteDebrief { about: DebriefAbout::Loss, .. } = what {
                looked_back.insert((*cohort, *member));
            }
            let owes = !looked_back.contains(&(*cohort, *member));
            self.hear_mock(batch.at, *cohort, *member, what, receipt, owes)?;
        }
        Ok(())
    }

    fn hear_mock(
        &mut self,
        at: Timestamp,
        id: CohortId,
        member: MemberId,
        what: &MockAction,
        receipt: Option<MockReceipt>,
        may_owe: bool,
    ) -> Result<(), (Invariant, String)> {
        let Some(cohort) = self.cohorts.get(&id.seq) else { return Ok(()) };
        let today = day_of(cohort.calendar, at);
        let heard = &mut self.said.mock;
        let unsuited = |what: String| Err((Invariant::Suitability, what));
        match (what, receipt) {
            (MockAction::Assess { .. }, Some(MockReceipt::Assessed(result))) => {
                if let Some(what) = heard.assess(member, result, today) {
                    return unsuited(what);
                }
            }
            (MockAction::ConfirmLevel, _) => {
                if let Some(result) = heard.results.get_mut(&member) {
                    result.confirmed = true;
                }
            }
            (MockAction::WritePlan(_), Some(MockReceipt::Planned { .. })) => {
                heard.planned.insert((id, member));
            }
            (MockAction::ReadSheet { product }, _) => {
                let pack = cohort.newest(&self.packs);
                let page = pack.products.get(pack.current(product));
                let Some(page) = page.filter(|page| page.sheet == Sheet::Real) else {
                    return Ok(());
                };
                let level = heard.level(member, today);
                let risk = page.issuer_risk.max(page.distributor_risk);
                if level.is_none() || !suits(risk, level) {
                    return unsuited(format!("{member} was shown {product}, {risk:?}: {level:?}"));
                }
            }
            (MockAction::Buy { .. } | MockAction::Redeem { .. }, _) => {
                let level = heard.level(member, today);
                if let MockAction::Buy { asset, .. } = what
                    && let Some((_, rules)) = cohort.market.asset(asset)
                    && !suits(rules.risk, level)
                {
                    return unsuited(format!(
                        "{member} bought {asset}, {:?}: {level:?}",
                        rules.risk
                    ));
                }
                let owes = cohort.pupils.get(&member.seq).is_some_and(|pupil| pupil.mock.owes);
                if !heard.planned.contains(&(id, member)) || owes && may_owe {
                    let what = format!("{member} ordered without a plan, or owing a debrief");
                    return Err((Invariant::Portfolio, what));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
