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
use dengmi_core::{CommunityId, Day, Period, PeriodKind};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::RestoreError;
use crate::content::RuleNumbers;
use crate::kernel::{Builder, Happened, Phase, Section, Setup, decode, encode};
use crate::ledger::TakeBack;
use crate::outreach::Announced;
use crate::people::People;
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

/// The number of the period that a cap counts in.
fn period(per: CapPeriod, day: Day, weeks: &mut WeekCache) -> i32 {
    match per {
        CapPeriod::Day => day.0,
        CapPeriod::Week => weeks.first(day).0,
        // Each run has a meter of its own.
        CapPeriod::Run => 0,
    }
}

/// The week of the last day that was asked for: facts of a batch are mostly of one day.
#[derive(Default)]
struct WeekCache(Option<(Day, Day)>);

impl WeekCache {
    fn first(&mut self, day: Day) -> Day {
        match self.0 {
            Some((known, first)) if known == day => first,
            _ => {
                let first = Period::containing(PeriodKind::Week, day).first;
                self.0 = Some((day, first));
                first
            }
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

/// Who and what a reward is counted for.
#[derive(Clone, Copy)]
struct Subject {
    member: u32,
    /// None where the group is not known.
    group: Option<u32>,
    day: Day,
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

/// The meters of a rule's caps, in their order.
type Tables = SmallVec<[Table; 4]>;

/// What came of a reward.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    points: i64,
    /// A limit that concerns more than one member was met for the first time.
    exhausted: bool,
}

/// Counts what one run pays.
struct Teller<'a> {
    used: &'a mut CapUse,
    run: &'a mut Run,
    /// The bank's caps are divided among this many branches.
    branches: i64,
    weeks: &'a mut WeekCache,
}

impl Teller<'_> {
    fn tables(&mut self, rule: &Rule) -> Tables {
        let meter = |cap: &Cap| Meter::of(cap, rule.rule.code, self.run.seq);
        rule.caps.iter().map(|cap| self.used.meters.table(meter(cap))).collect()
    }

    fn limit(&self, cap: &Cap) -> i64 {
        match cap.scope {
            CapScope::Member => cap.points.0.min(i64::from(u32::MAX)),
            CapScope::Community => cap.points.0,
            CapScope::Bank => cap.points.0 / self.branches,
        }
    }

    /// Cuts a reward to what is left everywhere, and counts what remains everywhere. Where nothing
    /// remains, nothing changes.
    fn cut(&mut self, rule: &Rule, tables: &[Table], wanted: i64, who: Subject) -> Cut {
        let paid_key = (rule.rule.code, rule.rule.version);
        let mut points = wanted.min(self.run.budget_left);
        if let Some(budget) = rule.budget {
            points = points.min(budget - self.used.paid.get(&paid_key).copied().unwrap_or(0));
        }
        for (cap, table) in rule.caps.iter().zip(tables) {
            let Some(number) = who.number(cap.scope) else { continue };
            let period = period(cap.per, who.day, self.weeks);
            points = points.min(self.limit(cap) - self.used.meters.used(*table, number, period));
        }
        if points <= 0 {
            return Cut { points: 0, exhausted: false };
        }
        self.run.budget_left -= points;
        let mut exhausted = self.run.budget_left == 0;
        if let Some(budget) = rule.budget {
            let paid = self.used.paid.entry(paid_key).or_default();
            *paid += points;
            exhausted |= *paid == budget;
        }
        for (cap, table) in rule.caps.iter().zip(tables) {
            let Some(number) = who.number(cap.scope) else { continue };
            let period = period(cap.per, who.day, self.weeks);
            let used = self.used.meters.add(*table, number, period, points);
            exhausted |= cap.scope != CapScope::Member && used == self.limit(cap);
        }
        Cut { points, exhausted }
    }

    /// Gives points back to every limit that still counts the period they were paid in.
    fn refund(&mut self, rule: &Rule, points: i64, who: Subject) {
        self.run.budget_left += points;
        if rule.budget.is_some() {
            let paid = self.used.paid.entry((rule.rule.code, rule.rule.version)).or_default();
            *paid = (*paid - points).max(0);
        }
        for (cap, table) in rule.caps.iter().zip(self.tables(rule)) {
            let Some(number) = who.number(cap.scope) else { continue };
            let period = period(cap.per, who.day, self.weeks);
            self.used.meters.give_back(table, number, period, points);
        }
    }
}

/// Gives back to the limits what corrected keys take back.
fn give_back(
    setup: Res<Setup>,
    runs: Res<RunIndex>,
    mut plans: Query<(&mut Run, &RunPlan)>,
    mut used: ResMut<CapUse>,
    back: Reader<TakeBack>,
) {
    let mut weeks = WeekCache::default();
    let branches = i64::from(setup.branches.max(1));
    for taken in back.read() {
        let Some(refund) = taken.refund else { continue };
        let run = taken.origin.run().and_then(|run| runs.entity(run.seq));
        let Some((mut run, plan)) = run.and_then(|entity| plans.get_mut(entity).ok()) else {
            continue;
        };
        let group = refund.group.map(|group| group.seq);
        let who = Subject { member: taken.member, group, day: refund.day };
        let mut teller = Teller { used: &mut used, run: &mut run, branches, weeks: &mut weeks };
        if let Some(rule) = plan.rules.find(refund.rule) {
            teller.refund(rule, taken.points, who);
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
    let mut weeks = WeekCache::default();
    let branches = i64::from(setup.branches.max(1));
    let groups = people.communities.len() as u32;
    let facts = facts.all();
    let fact_of = |reward: &Reward| &facts[reward.fact as usize].0;
    for rewards in rewards.all().chunk_by(|a, b| fact_of(a).run == fact_of(b).run) {
        let run = runs.entity(fact_of(&rewards[0]).run.seq);
        let Some((mut run, plan)) = run.and_then(|entity| plans.get_mut(entity).ok()) else {
            continue;
        };
        let mut teller = Teller { used: &mut used, run: &mut run, branches, weeks: &mut weeks };
        // The rules that pay in this run, with their meters: looked for once.
        let mut known: SmallVec<[((u8, u32), Tables); 4]> = SmallVec::new();
        for reward in rewards {
            let fact = fact_of(reward);
            let Some(rule) = plan.rules.at(reward.place) else { continue };
            let at = known.iter().position(|(place, _)| *place == reward.place);
            let at = at.unwrap_or_else(|| {
                known.push((reward.place, teller.tables(rule)));
                known.len() - 1
            });
            let group = Some(fact.community.seq).filter(|seq| (1..=groups).contains(seq));
            let who = Subject { member: fact.member.seq, group, day: fact.day };
            let cut = teller.cut(rule, &known[at].1, reward.points, who);
            if cut.points > 0 {
                awards.write(Award { reward: *reward, points: cut.points });
            }
            if let Some(rule) = numbers.id(reward.rule.code).filter(|_| cut.exhausted) {
                let kind = EventKind::LimitReached { run: fact.run, rule: rule.clone() };
                let community: Option<CommunityId> = None;
                announced.write(Announced { community, kind });
            }
        }
    }
}

/// Drops what was counted against the caps of a run that is forgotten.
pub(crate) fn forget_run(world: &mut World, run: u32) {
    world.resource_mut::<CapUse>().meters.forget_run(run);
}

fn save(world: &mut World) -> Vec<u8> {
    encode(world.resource::<CapUse>())
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: CapUse = decode("caps", bytes)?;
    let people = world.resource::<People>();
    let (members, groups) = (people.members.len() as u32, people.communities.len() as u32);
    if !saved.meters.count_within(members, groups) {
        let text = "section `caps`: a limit counts somebody who is not there";
        return Err(RestoreError::Unreadable(text.to_owned()));
    }
    world.insert_resource(saved);
    Ok(())
}

#[cfg(test)]
mod tests;
