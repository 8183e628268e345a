//! Limits: caps per member, group and bank, budgets of rules and runs. Reads [`Reward`]; writes
//! [`Award`]; owns [`CapUse`] and what a run's budget has left.
//!
//! A reward that would pass a limit is cut to what is left. What a member undoes frees nothing:
//! undoing must not be a way to earn again. What a corrected key takes back is given back to the
//! limits first, because the award is decided anew.

mod meters;

use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use dengmi_content::model::reward::{Cap, CapPeriod, CapScope};
use dengmi_core::view::EventKind;
use dengmi_core::{Day, Period, PeriodKind, mutant};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::column::Column;
use crate::content::RuleNumbers;
use crate::kernel::{Builder, Happened, Phase, Section, Setup, decode, encode};
use crate::ledger::TakeBack;
use crate::outreach::Announced;
use crate::people::{Member, People};
use crate::rules::{Reward, Rule};
use crate::runs::{Run, RunIndex, RunPlan};
use crate::stream::{Reader, Writer};

use meters::{Meter, Meters, Table};

/// A reward within its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Award {
    pub(crate) reward: Reward,
    pub(crate) points: i64,
}

/// What has been earned against caps, and what rule versions have paid.
#[derive(Resource, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CapUse {
    meters: Meters,
    paid: BTreeMap<(u16, u16), i64>,
}

/// The periods that contain a day. Facts of a batch are mostly of one day.
#[derive(Clone, Copy)]
struct Periods {
    day: Day,
    week: Day,
}

impl Periods {
    fn of(day: Day) -> Self {
        Self { day, week: Period::containing(PeriodKind::Week, day).first }
    }

    /// The number of the period that a cap counts in.
    fn number(self, per: CapPeriod) -> i32 {
        match per {
            CapPeriod::Day => self.day.0,
            CapPeriod::Week => self.week.0,
            // Each run has a meter of its own.
            CapPeriod::Run => 0,
        }
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<CapUse>()
        .paid_message::<Award>()
        .systems(Phase::Caps, give_back)
        .paying(Phase::Caps, cut.after(give_back), cut)
        .section(Section { name: "caps", version: 1, save, restore });
}

/// Who a reward is counted for, and when.
#[derive(Clone, Copy)]
struct Subject {
    member: u32,
    /// None where the group is not known.
    group: Option<u32>,
    periods: Periods,
}

impl Subject {
    /// The number under which a cap of this scope counts it.
    fn number(self, scope: CapScope) -> Option<u32> {
        match scope {
            CapScope::Member => Some(self.member),
            CapScope::Community => self.group,
            CapScope::Bank => Some(0),
        }
    }
}

/// A cap, with its meter.
#[derive(Clone, Copy)]
struct Limit {
    scope: CapScope,
    per: CapPeriod,
    points: i64,
    table: Table,
}

/// The limits of one rule in one run.
struct Limits {
    caps: Vec<Limit>,
    /// What the version has paid, and what it may.
    paid: i64,
    budget: i64,
}

/// What came of a reward.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    points: i64,
    /// A limit that concerns more than one member was met for the first time.
    exhausted: bool,
}

impl Limits {
    /// The bank's caps are divided among `branches`.
    fn of(rule: &Rule, run: u32, branches: i64, used: &mut CapUse) -> Self {
        let limit = |cap: &Cap| Limit {
            scope: cap.scope,
            per: cap.per,
            points: match cap.scope {
                CapScope::Member => cap.points.0.min(i64::from(u32::MAX)),
                CapScope::Community => cap.points.0,
                CapScope::Bank => {
                    let whole = mutant::planted("caps/bank-undivided");
                    if whole { cap.points.0 } else { cap.points.0 / branches }
                }
            },
            table: used.meters.table(Meter::of(cap, rule.rule.code, run)),
        };
        let caps = rule.caps.iter().map(limit).collect();
        let paid = used.paid.get(&paid_key(rule)).copied().unwrap_or(0);
        Self { caps, paid, budget: rule.budget.unwrap_or(i64::MAX) }
    }

    /// Cuts a reward to what is left everywhere, and counts what remains everywhere. Where nothing
    /// remains, nothing changes.
    #[inline]
    fn cut(&mut self, wanted: i64, who: Subject, meters: &mut Meters, run: &mut Run) -> Cut {
        let mut points = wanted.min(run.budget_left).min(self.budget - self.paid);
        for cap in &self.caps {
            let Some(number) = who.number(cap.scope) else { continue };
            let period = who.periods.number(cap.per);
            let more = mutant::planted("caps/one-more");
            let most = if more { cap.points.saturating_add(1) } else { cap.points };
            points = points.min(most - meters.used(cap.table, number, period));
        }
        if points <= 0 {
            return Cut { points: 0, exhausted: false };
        }
        if !mutant::planted("caps/budget-stays") {
            run.budget_left -= points;
        }
        self.paid += points;
        let mut exhausted = run.budget_left == 0 || self.paid == self.budget;
        for cap in &self.caps {
            let Some(number) = who.number(cap.scope) else { continue };
            let used = meters.add(cap.table, number, who.periods.number(cap.per), points);
            exhausted |= cap.scope != CapScope::Member && used == cap.points;
        }
        Cut { points, exhausted }
    }

    /// Gives points back to every limit that still counts the period they were paid in.
    fn refund(&mut self, points: i64, who: Subject, meters: &mut Meters, run: &mut Run) {
        run.budget_left += points;
        self.paid = (self.paid - points).max(0);
        for cap in &self.caps {
            let Some(number) = who.number(cap.scope) else { continue };
            meters.give_back(cap.table, number, who.periods.number(cap.per), points);
        }
    }

    /// Writes down what the version has paid.
    fn settle(&self, rule: &Rule, used: &mut CapUse) {
        // Without a budget the version may still have one in content that another run keeps.
        if rule.budget.is_some() {
            used.paid.insert(paid_key(rule), self.paid);
        }
    }
}

/// A rule's place in its rulebook, the rule, and its limits.
type Known<'a> = ((u8, u32), &'a Rule, Limits);

fn paid_key(rule: &Rule) -> (u16, u16) {
    (rule.rule.code, rule.rule.version)
}

/// Gives back to the limits what corrected keys take back.
fn give_back(
    setup: Res<Setup>,
    runs: Res<RunIndex>,
    mut plans: Query<(&mut Run, &RunPlan)>,
    mut used: ResMut<CapUse>,
    back: Reader<TakeBack>,
) {
    let branches = i64::from(setup.branches.max(1));
    for taken in back.read() {
        let Some(refund) = taken.refund else { continue };
        let run = taken.origin.run().and_then(|run| runs.entity(run.seq));
        let Some((mut run, plan)) = run.and_then(|entity| plans.get_mut(entity).ok()) else {
            continue;
        };
        let group = refund.group.map(|group| group.seq);
        let who = Subject { member: taken.member, group, periods: Periods::of(refund.day) };
        if let Some(rule) = plan.rules.find(refund.rule) {
            let mut limits = Limits::of(rule, run.seq, branches, &mut used);
            limits.refund(taken.points, who, &mut used.meters, &mut run);
            limits.settle(rule, &mut used);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn cut(
    setup: Res<Setup>,
    people: Res<People>,
    runs: Res<RunIndex>,
    numbers: Res<RuleNumbers>,
    mut plans: Query<(&mut Run, &RunPlan)>,
    mut used: ResMut<CapUse>,
    facts: Reader<Happened>,
    rewards: Reader<Reward>,
    mut awards: Writer<Award>,
    mut announced: Writer<Announced>,
) {
    let branches = i64::from(setup.branches.max(1));
    let groups = people.communities.len() as u32;
    let used = &mut *used;
    let facts = facts.all();
    let fact_of = |reward: &Reward| &facts[reward.fact as usize].0;
    let mut rest = rewards.all();
    while let Some(first) = rest.first().map(fact_of) {
        let len = rest.iter().position(|reward| fact_of(reward).run != first.run);
        let (rewards, after) = rest.split_at(len.unwrap_or(rest.len()));
        rest = after;
        let run = runs.entity(first.run.seq);
        let Some((mut run, plan)) = run.and_then(|entity| plans.get_mut(entity).ok()) else {
            continue;
        };
        let run = &mut *run;
        // The rules that pay in this run, with their limits: looked for once.
        let mut known: Vec<Known> = Vec::new();
        let mut at = 0;
        let mut periods = Periods::of(first.day);
        for reward in rewards {
            let fact = fact_of(reward);
            if known.get(at).is_none_or(|(place, ..)| *place != reward.place) {
                let Some(rule) = plan.rules.at(reward.place) else { continue };
                at = known.iter().position(|(place, ..)| *place == reward.place).unwrap_or_else(
                    || {
                        known.push((reward.place, rule, Limits::of(rule, run.seq, branches, used)));
                        known.len() - 1
                    },
                );
            }
            if fact.day != periods.day {
                periods = Periods::of(fact.day);
            }
            let group = Some(fact.community.seq).filter(|seq| (1..=groups).contains(seq));
            let who = Subject { member: fact.member.seq, group, periods };
            let cut = known[at].2.cut(reward.points, who, &mut used.meters, run);
            if cut.points > 0 {
                awards.write(Award { reward: *reward, points: cut.points });
            }
            if cut.exhausted
                && let Some(rule) = numbers.id(reward.rule.code)
            {
                let kind = EventKind::LimitReached { run: fact.run, rule: rule.clone() };
                announced.write(Announced { community: None, kind });
            }
        }
        for (_, rule, limits) in &known {
            limits.settle(rule, used);
        }
    }
}

/// Drops what was counted against the caps of a run that is forgotten.
pub(crate) fn forget_run(world: &mut World, run: u32) {
    world.resource_mut::<CapUse>().meters.forget_run(run);
}

fn save(world: &mut World) -> Vec<u8> {
    if mutant::planted("caps/unsaved") {
        return encode(&CapUse::default());
    }
    encode(world.resource::<CapUse>())
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: CapUse = decode("caps", bytes)?;
    let people = world.resource::<People>();
    let (members, groups) =
        (world.resource::<Column<Member>>().len() as u32, people.communities.len() as u32);
    if !saved.meters.count_within(members, groups) {
        let text = "section `caps`: a limit counts somebody who is not there";
        return Err(RestoreError::Unreadable(text.to_owned()));
    }
    world.insert_resource(saved);
    Ok(())
}

#[cfg(test)]
mod tests;
