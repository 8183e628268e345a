//! Limits: caps per member, group and bank, budgets of rules and runs. Reads [`Reward`]; writes
//! [`Award`]; owns [`CapUse`], [`GroupCaps`], [`BankCaps`] and what a run's budget has left.
//!
//! A reward that would pass a limit is cut to what is left. What a member undoes frees nothing:
//! undoing must not be a way to earn again. What a corrected key takes back is given back to the
//! limits first, because the award is decided anew.

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
use crate::people::{People, RowsMut, column};
use crate::rules::{Reward, Rule};
use crate::runs::{Run, RunIndex, RunPlan};
use crate::stream::{Reader, Writer};

/// A reward within its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Award {
    pub(crate) reward: Reward,
    pub(crate) points: i64,
}

/// What is counted against a cap: the rule, the kind of period, and which one. One entry a rule
/// and kind is enough for days and weeks, because only the current one counts; runs can overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Used {
    rule: u16,
    per: u8,
    period: i32,
    points: i64,
}

/// What a member has earned against member caps.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CapUse(SmallVec<[Used; 1]>);

/// What a group has earned against group caps.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct GroupCaps(CapUse);

/// What the branch has earned against its share of bank caps, and what rule versions have paid.
#[derive(Resource, Clone, Default, Serialize, Deserialize)]
pub(crate) struct BankCaps {
    caps: CapUse,
    paid: BTreeMap<(u16, u16), i64>,
}

impl CapUse {
    /// Place of the counter of a rule in a period. A new period starts at zero.
    fn place(&mut self, rule: u16, per: CapPeriod, period: i32) -> usize {
        let per = per as u8;
        let same = |used: &Used| {
            (used.rule, used.per) == (rule, per)
                && (per != CapPeriod::Run as u8 || used.period == period)
        };
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(Used { rule, per, period, points: 0 });
            self.0.len() - 1
        });
        let used = &mut self.0[at];
        // A late event of a day that is over counts against today's limit.
        if used.period < period && per != CapPeriod::Run as u8 {
            *used = Used { rule, per, period, points: 0 };
        }
        at
    }

    fn counter(&mut self, rule: u16, per: CapPeriod, period: i32) -> &mut Used {
        let place = self.place(rule, per, period);
        &mut self.0[place]
    }

    /// Sorted, so that the order in which rules first applied leaves no trace.
    fn canonical(&self) -> Self {
        let mut used = self.0.clone();
        used.sort_unstable();
        Self(used)
    }

    /// Drops counters of runs that are over, and of periods that ended long ago.
    fn forget_run(&mut self, run: i32) {
        self.0.retain(|used| used.per != CapPeriod::Run as u8 || used.period != run);
    }
}

/// The number of the period that a cap counts in.
fn period(per: CapPeriod, day: Day, run: u32, weeks: &mut WeekCache) -> i32 {
    match per {
        CapPeriod::Day => day.0,
        CapPeriod::Week => weeks.first(day).0,
        CapPeriod::Run => run as i32,
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
    builder.resource::<BankCaps>().message::<Award>().systems(Phase::Caps, cut).section(Section {
        name: "caps",
        version: 1,
        save,
        restore,
    });
}

/// The counters that one reward has to pass.
struct Limits<'a> {
    member: &'a mut CapUse,
    group: Option<&'a mut CapUse>,
    bank: &'a mut BankCaps,
    run: &'a mut Run,
    /// The bank's caps are divided among this many branches.
    branches: i64,
}

/// What came of a reward.
struct Cut {
    points: i64,
    /// A limit that concerns more than one member was met for the first time.
    exhausted: bool,
}

impl Limits<'_> {
    /// The counters of a scope; none for a group that is not there any more.
    fn counters(&mut self, scope: CapScope) -> Option<&mut CapUse> {
        match scope {
            CapScope::Member => Some(&mut *self.member),
            CapScope::Community => self.group.as_deref_mut(),
            CapScope::Bank => Some(&mut self.bank.caps),
        }
    }

    fn limit(&self, cap: &Cap) -> i64 {
        if cap.scope == CapScope::Bank { cap.points.0 / self.branches } else { cap.points.0 }
    }

    /// Cuts a reward to what is left everywhere, and counts what remains everywhere.
    fn cut(&mut self, rule: &Rule, wanted: i64, day: Day, weeks: &mut WeekCache) -> Cut {
        let code = rule.rule.code;
        let paid_key = (code, rule.rule.version);
        let mut points = wanted.min(self.run.budget_left);
        if let Some(budget) = rule.budget {
            points = points.min(budget - self.bank.paid.get(&paid_key).copied().unwrap_or(0));
        }
        // Where each cap is counted, so that it is looked for once.
        let mut places: SmallVec<[usize; 4]> = SmallVec::new();
        for cap in &rule.caps {
            let (period, limit) = (period(cap.per, day, self.run.seq, weeks), self.limit(cap));
            places.push(match self.counters(cap.scope) {
                Some(counters) => {
                    let place = counters.place(code, cap.per, period);
                    points = points.min(limit - counters.0[place].points);
                    place
                }
                None => 0,
            });
        }
        if points <= 0 {
            return Cut { points: 0, exhausted: false };
        }
        self.run.budget_left -= points;
        let mut exhausted = self.run.budget_left == 0;
        if let Some(budget) = rule.budget {
            let paid = self.bank.paid.entry(paid_key).or_default();
            *paid += points;
            exhausted |= *paid == budget;
        }
        for (cap, place) in rule.caps.iter().zip(places) {
            let limit = self.limit(cap);
            if let Some(counters) = self.counters(cap.scope) {
                let used = &mut counters.0[place];
                used.points += points;
                exhausted |= cap.scope != CapScope::Member && used.points == limit;
            }
        }
        Cut { points, exhausted }
    }

    /// Gives points back to every limit that still counts the period they were paid in.
    fn refund(&mut self, rule: &Rule, points: i64, day: Day, weeks: &mut WeekCache) {
        self.run.budget_left += points;
        if rule.budget.is_some() {
            let paid = self.bank.paid.entry((rule.rule.code, rule.rule.version)).or_default();
            *paid = (*paid - points).max(0);
        }
        for cap in &rule.caps {
            let period = period(cap.per, day, self.run.seq, weeks);
            if let Some(counters) = self.counters(cap.scope) {
                let used = counters.counter(rule.rule.code, cap.per, period);
                if used.period == period {
                    used.points = (used.points - points).max(0);
                }
            }
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
    mut member_caps: Query<&mut CapUse>,
    mut group_caps: Query<&mut GroupCaps>,
    mut bank: ResMut<BankCaps>,
    back: Reader<TakeBack>,
    facts: Reader<Happened>,
    rewards: Reader<Reward>,
    mut awards: Writer<Award>,
    mut announced: Writer<Announced>,
) {
    let mut weeks = WeekCache::default();
    let branches = i64::from(setup.branches.max(1));
    let mut member_caps = RowsMut::of(&mut member_caps);
    for taken in back.read() {
        let Some(refund) = taken.refund else { continue };
        let run = taken.origin.run().and_then(|run| runs.entity(run.seq));
        let run = run.and_then(|entity| plans.get_mut(entity).ok());
        let Some(((mut run, plan), member)) = run.zip(member_caps.get(taken.member)) else {
            continue;
        };
        let group = refund.group.and_then(|group| people.community(group.seq));
        let mut group = group.and_then(|entity| group_caps.get_mut(entity).ok());
        let group = group.as_mut().map(|group| &mut group.0);
        let mut limits = Limits { member, group, bank: &mut bank, run: &mut run, branches };
        if let Some(rule) = plan.rules.find(refund.rule) {
            limits.refund(rule, taken.points, refund.day, &mut weeks);
        }
    }
    let facts = facts.all();
    let fact_of = |reward: &Reward| &facts[reward.fact as usize].0;
    for rewards in rewards.all().chunk_by(|a, b| fact_of(a).run == fact_of(b).run) {
        let run = runs.entity(fact_of(&rewards[0]).run.seq);
        let Some((mut run, plan)) = run.and_then(|entity| plans.get_mut(entity).ok()) else {
            continue;
        };
        for reward in rewards {
            let fact = fact_of(reward);
            let Some(rule) = plan.rules.at(reward.place) else { continue };
            let Some(member) = member_caps.get(fact.member.seq) else { continue };
            let group = people.community(fact.community.seq).filter(|_| rule.counts_groups());
            let mut group = group.and_then(|entity| group_caps.get_mut(entity).ok());
            let group = group.as_mut().map(|group| &mut group.0);
            let mut limits = Limits { member, group, bank: &mut bank, run: &mut run, branches };
            let cut = limits.cut(rule, reward.points, fact.day, &mut weeks);
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

/// Drops what members and groups counted against the caps of a run that is forgotten.
pub(crate) fn forget_run(world: &mut World, run: u32) {
    let run = run as i32;
    let (members, groups) = {
        let people = world.resource::<People>();
        (people.members.clone(), people.communities.clone())
    };
    for entity in members {
        if let Some(mut used) = world.get_mut::<CapUse>(entity) {
            used.forget_run(run);
        }
    }
    for entity in groups {
        if let Some(mut used) = world.get_mut::<GroupCaps>(entity) {
            used.0.forget_run(run);
        }
    }
    world.resource_mut::<BankCaps>().caps.forget_run(run);
}

#[derive(Serialize, Deserialize)]
struct Saved {
    members: Vec<CapUse>,
    groups: Vec<GroupCaps>,
    bank: BankCaps,
}

fn save(world: &mut World) -> Vec<u8> {
    let people = world.resource::<People>();
    let members: Vec<CapUse> = column(world, &people.members);
    let groups: Vec<GroupCaps> = column(world, &people.communities);
    let mut bank = world.resource::<BankCaps>().clone();
    bank.caps = bank.caps.canonical();
    encode(&Saved {
        members: members.iter().map(CapUse::canonical).collect(),
        groups: groups.iter().map(|group| GroupCaps(group.0.canonical())).collect(),
        bank,
    })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("caps", bytes)?;
    let people = world.resource::<People>();
    let (members, groups) = (people.members.clone(), people.communities.clone());
    if (saved.members.len(), saved.groups.len()) != (members.len(), groups.len()) {
        return Err(RestoreError::Unreadable("section `caps`: members are missing".to_owned()));
    }
    for (entity, used) in members.into_iter().zip(saved.members) {
        world.entity_mut(entity).insert(used);
    }
    for (entity, used) in groups.into_iter().zip(saved.groups) {
        world.entity_mut(entity).insert(used);
    }
    world.insert_resource(saved.bank);
    Ok(())
}

#[cfg(test)]
mod tests;
