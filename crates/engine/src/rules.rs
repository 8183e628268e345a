//! Reward rules: facts in, rewards out. The only place where a fact becomes worth something.
//! Reads [`Happened`]; writes [`Reward`].

use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_content::Pack;
use dengmi_content::model::Quest;
use dengmi_content::model::reward::{Cap, Condition, Pay, RuleVersion, Trigger};
use dengmi_core::ledger::RuleRef;
use dengmi_core::{Cause, Day, Fact, FactKind, Period, PeriodKind, Points, Ppm, mutant};

use crate::column::Column;
use crate::content::RuleNumbers;
use crate::kernel::{Builder, Happened, Phase};
use crate::people::{Member, People};
use crate::runs::{Run, Runs};
use crate::stream::{Reader, Writer};

/// Points that a rule pays for a fact, before caps and budgets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reward {
    /// Position of the fact among the batch's facts.
    pub(crate) fact: u32,
    pub(crate) rule: RuleRef,
    pub(crate) points: i64,
    /// Where the rule stands in its run's rulebook: trigger and position.
    pub(crate) place: (u8, u32),
}

/// The rules of a run, by what they reward.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rulebook([Arc<[Rule]>; TRIGGERS]);

const TRIGGERS: usize = 5;

/// One version of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) rule: RuleRef,
    from: Day,
    to: Day,
    when: Condition,
    /// The condition needs an answered comment, so it is looked at again when the text comes late.
    needs_answer: bool,
    pay: Pay,
    pub(crate) caps: Vec<Cap>,
    pub(crate) budget: Option<i64>,
}

/// The trigger that facts of a kind pull.
#[inline]
fn trigger(fact: &Fact) -> Trigger {
    match fact.kind {
        FactKind::CheckedIn { .. } => Trigger::CheckedIn,
        FactKind::Answered { .. } => Trigger::Answered,
        FactKind::RoundCompleted { .. } => Trigger::RoundCompleted,
        FactKind::Commented { .. } => Trigger::Commented,
        FactKind::Liked { .. } => Trigger::Liked,
    }
}

#[inline]
fn slot(trigger: Trigger) -> Option<usize> {
    Some(match trigger {
        Trigger::CheckedIn => 0,
        Trigger::Answered => 1,
        Trigger::RoundCompleted => 2,
        Trigger::Commented => 3,
        Trigger::Liked => 4,
        // Forbidden triggers do not pass the content check and are never compiled.
        _ => return None,
    })
}

/// What awards for a fact go back to.
#[inline]
pub(crate) fn cause(fact: &Fact) -> Cause {
    let run = fact.run;
    match fact.kind {
        FactKind::CheckedIn { .. } => Cause::CheckIn(run, fact.day),
        FactKind::Answered { round, question, revision, .. } => {
            let forgets = mutant::planted("rules/forgets-revision");
            let revision = if forgets { 0 } else { revision };
            Cause::Answer { run, round, question, revision }
        }
        FactKind::RoundCompleted { round, revision, .. } => Cause::Round { run, round, revision },
        FactKind::Commented { post, .. } => Cause::Comment(run, post),
        FactKind::Liked { post } => Cause::Like(run, post),
    }
}

impl Rulebook {
    /// The rules of `quest`, numbered.
    pub(crate) fn compile(pack: &Pack, quest: &Quest, numbers: &mut RuleNumbers) -> Self {
        let mut rules: [Vec<Rule>; TRIGGERS] = Default::default();
        let mut known: Vec<u16> = Vec::new();
        for id in &quest.rewards {
            let Some(rule) = pack.rules.get(pack.current(id)) else { continue };
            let code = numbers.code(pack.current(id));
            // Under an earlier id and today's a rule is still one rule, and pays once.
            if known.contains(&code) {
                continue;
            }
            known.push(code);
            for version in &rule.versions {
                if let Some(slot) = slot(version.on) {
                    rules[slot].push(Rule::compile(code, version));
                }
            }
        }
        Self(rules.map(Arc::from))
    }

    /// The version of a rule that an entry names.
    pub(crate) fn find(&self, rule: RuleRef) -> Option<&Rule> {
        self.0.iter().flat_map(|rules| rules.iter()).find(|known| known.rule == rule)
    }

    /// Whether any rule rewards what `trigger` names.
    pub(crate) fn rewards(&self, trigger: Trigger) -> bool {
        slot(trigger).is_some_and(|slot| !self.0[slot].is_empty())
    }

    pub(crate) fn at(&self, (trigger, place): (u8, u32)) -> Option<&Rule> {
        self.0.get(usize::from(trigger))?.get(place as usize)
    }
}

impl Rule {
    fn compile(code: u16, version: &RuleVersion) -> Self {
        Self {
            rule: RuleRef { code, version: version.version },
            from: version.from,
            to: version.to.unwrap_or(Day(i32::MAX)),
            needs_answer: needs_answer(&version.when),
            when: version.when.clone(),
            pay: version.pay,
            caps: version.caps.clone(),
            budget: version.budget.map(|points| points.0),
        }
    }

    /// A rule with nothing but limits.
    #[cfg(test)]
    pub(crate) fn limited(rule: RuleRef, caps: Vec<Cap>, budget: Option<i64>) -> Self {
        Self {
            rule,
            from: Day(i32::MIN),
            to: Day(i32::MAX),
            when: Condition::Always,
            needs_answer: false,
            pay: Pay::Fixed(Points(1)),
            caps,
            budget,
        }
    }

    /// What the rule pays for a fact; nothing where it does not apply.
    #[inline]
    fn pays(&self, case: &Case) -> Option<i64> {
        let fact = case.fact;
        if fact.day < self.from || fact.day > self.to {
            return None;
        }
        if matches!(fact.kind, FactKind::Commented { again: true, .. }) && !self.needs_answer {
            return None;
        }
        if !case.holds(&self.when) {
            return None;
        }
        let points = match (self.pay, fact.kind) {
            (Pay::Fixed(Points(points)), _) => points,
            (Pay::Scored(Points(points)), FactKind::Answered { score, .. }) => {
                let parts = |points: i64| points * i64::from(score.0) % i64::from(Ppm::ONE.0);
                let up = mutant::planted("rules/rounds-up") && parts(points) > 0;
                score.of(points) + i64::from(up)
            }
            (Pay::PerRight(Points(points)), FactKind::RoundCompleted { right, .. }) => {
                points * i64::from(right)
            }
            _ => 0,
        };
        (points > 0).then_some(points)
    }
}

/// Whether a condition can only hold for an answered comment.
fn needs_answer(when: &Condition) -> bool {
    match when {
        Condition::AnsweredInComment => true,
        Condition::All(parts) => parts.iter().any(needs_answer),
        Condition::Any(parts) => !parts.is_empty() && parts.iter().all(needs_answer),
        _ => false,
    }
}

/// A fact and whom and what it concerns.
struct Case<'a> {
    fact: &'a Fact,
    member: &'a Member,
    run: &'a Run,
    people: &'a People,
}

impl Case<'_> {
    /// Whether a condition holds. The usual ones are looked at where the rule is.
    #[inline(always)]
    fn holds(&self, when: &Condition) -> bool {
        match (when, self.fact.kind) {
            (Condition::Always, _) => true,
            (Condition::Right, FactKind::Answered { right, .. }) => right,
            (Condition::StreakIs(days), FactKind::CheckedIn { streak, .. }) => streak == *days,
            _ => self.holds_at_length(when),
        }
    }

    fn holds_at_length(&self, when: &Condition) -> bool {
        let kind = self.fact.kind;
        match when {
            Condition::Always => true,
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Condition::Not(part) => !self.holds(part),
            Condition::StreakIs(days) => {
                matches!(kind, FactKind::CheckedIn { streak, .. } if streak == *days)
            }
            Condition::StreakAtLeast(days) => {
                matches!(kind, FactKind::CheckedIn { streak, .. } if streak >= *days)
            }
            Condition::StreakEvery(days) => matches!(
                kind, FactKind::CheckedIn { streak, .. } if *days > 0 && streak % days == 0
            ),
            Condition::TotalIs(days) => {
                matches!(kind, FactKind::CheckedIn { total, .. } if total == *days)
            }
            Condition::Comeback => matches!(kind, FactKind::CheckedIn { comeback: true, .. }),
            Condition::MadeUp => matches!(kind, FactKind::CheckedIn { made_up: true, .. }),
            Condition::Right => matches!(kind, FactKind::Answered { right: true, .. }),
            Condition::RightAtLeast(count) => {
                matches!(kind, FactKind::RoundCompleted { right, .. } if right >= *count)
            }
            Condition::AllRight => matches!(
                kind, FactKind::RoundCompleted { right, questions, .. } if right == questions
            ),
            Condition::AnsweredInComment => {
                matches!(kind, FactKind::Commented { answered: true, .. })
            }
            Condition::HasTag(tag) => {
                self.people.tag_bit(tag).is_some_and(|bit| self.member.tags & bit != 0)
            }
            Condition::InGroup(group) => self.member.kind == *group,
            Condition::NewMember { days } => {
                self.fact.day.0 - self.member.joined.0 <= i32::from(*days)
            }
            Condition::Weekend => {
                let monday = Period::containing(PeriodKind::Week, self.fact.day).first;
                self.fact.day.0 - monday.0 >= 5
            }
            Condition::Between(from, to) => (*from..=*to).contains(&self.fact.day),
            Condition::RunDay(day) => self.fact.day.0 - self.run.first.0 + 1 == i32::from(*day),
        }
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder.paid_message::<Reward>().paying(Phase::Reward, reward, reward);
}

fn reward(
    people: Res<People>,
    members: Res<Column<Member>>,
    runs: Runs,
    facts: Reader<Happened>,
    mut rewards: Writer<Reward>,
) {
    let mut next = 0;
    for facts in facts.all().chunk_by(|a, b| a.0.run == b.0.run) {
        let first = next;
        next += facts.len() as u32;
        let Some((_, run, plan)) = runs.get(facts[0].0.run.seq) else { continue };
        for (position, Happened(fact)) in (first..).zip(facts) {
            let Some(member) = members.get(fact.member.seq) else { continue };
            let Some(slot) = slot(trigger(fact)) else { continue };
            let case = Case { fact, member, run, people: &people };
            for (place, rule) in plan.rules.0[slot].iter().enumerate() {
                if let Some(points) = rule.pays(&case) {
                    let place = (slot as u8, place as u32);
                    rewards.write(Reward { fact: position, rule: rule.rule, points, place });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
