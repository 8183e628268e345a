//! What suits whom: results of the questionnaire, over all courses of the branch.

use std::collections::BTreeMap;

use dengmi_content::model::{Assessment, RiskLevel};
use dengmi_core::mock::{Assessed, ClientLevel};
use dengmi_core::{Day, Reject};

/// Days over which times are counted, today among them.
const YEAR: i32 = 365;

/// Whether a risk is within a level. Without a level only the lowest is.
pub(in crate::audit) fn suits(risk: RiskLevel, level: Option<ClientLevel>) -> bool {
    let least = match risk {
        RiskLevel::R1 => return true,
        RiskLevel::R2 => ClientLevel::C2,
        RiskLevel::R3 => ClientLevel::C3,
        RiskLevel::R4 => ClientLevel::C4,
        RiskLevel::R5 => ClientLevel::C5,
    };
    level.is_some_and(|level| level >= least)
}

/// What one member answered.
#[derive(Default)]
struct Answers {
    /// Each time, by day.
    days: Vec<Day>,
    last: Option<Assessed>,
    /// The level that was confirmed last, whether or not it still holds.
    held: Option<ClientLevel>,
}

/// What all members answered.
#[derive(Default)]
pub(in crate::audit) struct Levels(BTreeMap<u32, Answers>);

impl Levels {
    /// The last result of a member.
    pub(in crate::audit) fn last(&self, member: u32) -> Option<Assessed> {
        self.0.get(&member)?.last
    }

    /// Every time a member answered in the year that ends with the last of them.
    pub(in crate::audit) fn of_last_year(&self, member: u32) -> Vec<Day> {
        let Some(days) = self.0.get(&member).map(|answers| &answers.days) else {
            return Vec::new();
        };
        let from = days.last().map(|last| last.plus(1 - YEAR));
        days.iter().copied().filter(|day| Some(*day) >= from).collect()
    }

    /// The level that holds on a day.
    pub(in crate::audit) fn on(&self, member: u32, day: Day) -> Option<ClientLevel> {
        let last = self.last(member)?;
        (last.confirmed && day <= last.until).then_some(last.level)
    }

    /// Somebody answers the questionnaire.
    pub(in crate::audit) fn assess(
        &mut self,
        member: u32,
        rules: &Assessment,
        adult: bool,
        choices: &[u8],
        today: Day,
    ) -> Result<Assessed, Reject> {
        if !adult {
            return Err(Reject::UnderAge);
        }
        let level = level(rules, choices).ok_or(Reject::BadAssessment)?;
        let answers = self.0.entry(member).or_default();
        let since = |from: Day| answers.days.iter().filter(|day| **day >= from).count();
        let (day, year) = (since(today), since(today.plus(1 - YEAR)));
        if day >= usize::from(rules.per_day) || year >= usize::from(rules.per_year) {
            return Err(Reject::AssessmentLimit);
        }
        answers.days.push(today);
        let confirmed = answers.held.is_none_or(|held| held == level);
        if confirmed {
            answers.held = Some(level);
        }
        let until = today.plus(i32::from(rules.validity_days));
        let result = Assessed { level, until, confirmed };
        answers.last = Some(result);
        Ok(result)
    }

    /// A result that is another than the last one is accepted.
    pub(in crate::audit) fn confirm(
        &mut self,
        member: u32,
        today: Day,
    ) -> Result<Assessed, Reject> {
        let answers = self.0.get_mut(&member).ok_or(Reject::NothingToConfirm)?;
        match &mut answers.last {
            Some(last) if !last.confirmed && today <= last.until => {
                last.confirmed = true;
                answers.held = Some(last.level);
                Ok(*last)
            }
            _ => Err(Reject::NothingToConfirm),
        }
    }
}

/// The level that answers lead to: the highest whose points are reached, unless an option holds it
/// down.
fn level(rules: &Assessment, choices: &[u8]) -> Option<ClientLevel> {
    if choices.len() != rules.questions.len() {
        return None;
    }
    let (mut points, mut most) = (0u32, ClientLevel::C5);
    for (question, choice) in rules.questions.iter().zip(choices) {
        let option = question.options.get(usize::from(*choice))?;
        points += u32::from(option.points);
        most = option.at_most.map_or(most, |at_most| at_most.min(most));
    }
    let mut reached = ClientLevel::C1;
    for (level, from) in ClientLevel::ALL.into_iter().zip(rules.levels) {
        if points >= u32::from(from) {
            reached = level;
        }
    }
    Some(reached.min(most))
}
