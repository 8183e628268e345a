//! Reward rules and their limits, evaluated from the rule files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::Quest;
use dengmi_content::model::reward::{
    Cap, CapPeriod, CapScope, Condition, Pay, RuleVersion, Trigger,
};
use dengmi_core::ledger::RuleRef;
use dengmi_core::view::EventKind;
use dengmi_core::{Cause, CommunityId, Day, Fact, FactKind, MemberId, PeriodKind, RunId, Slug};

use super::days::{first_of, weekday};
use super::people::Member;
use super::{Auditor, Edge, Tick};

/// One version of a rule, as a run plays by it.
pub(super) struct Line {
    pub(super) slug: Slug,
    pub(super) rule: RuleRef,
    version: RuleVersion,
}

/// Whose limits counted an award.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) rule: RuleRef,
    pub(super) day: Day,
    pub(super) group: u32,
}

/// An award within its limits.
pub(super) struct Award {
    pub(super) fact: Fact,
    pub(super) rule: RuleRef,
    pub(super) points: i64,
}

/// A reward that a limit made smaller.
pub(super) struct Cut {
    pub(super) rule: RuleRef,
    pub(super) cause: Cause,
    pub(super) member: MemberId,
}

/// Whose counter: of a member, a group, or the branch's share of the bank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Member(u32),
    Group(u32),
    Branch,
}

/// What was counted against limits.
#[derive(Default)]
pub(super) struct Limits {
    /// Of days and weeks the latest one, and what it counted.
    latest: BTreeMap<(Whose, u16, bool), (Day, i64)>,
    runs: BTreeMap<(u32, Whose, u16), i64>,
    /// What versions of rules have paid.
    paid: BTreeMap<RuleRef, i64>,
}

impl Limits {
    /// The counter of a cap and, of days and weeks, which one it counts. What comes late for one
    /// that is over is counted in the latest.
    fn counter(
        &mut self,
        whose: Whose,
        code: u16,
        per: CapPeriod,
        day: Day,
        run: u32,
    ) -> (Day, &mut i64) {
        let week = match per {
            CapPeriod::Run => return (day, self.runs.entry((run, whose, code)).or_default()),
            CapPeriod::Day => false,
            CapPeriod::Week => true,
        };
        let first = if week { first_of(PeriodKind::Week, day) } else { day };
        let (latest, points) = self.latest.entry((whose, code, week)).or_insert((first, 0));
        if *latest < first {
            (*latest, *points) = (first, 0);
        }
        (*latest, points)
    }

    /// Points counted so far where a reward of `day` would be counted.
    fn used(&self, whose: Whose, code: u16, per: CapPeriod, day: Day, run: u32) -> i64 {
        let (week, first) = match per {
            CapPeriod::Run => return self.runs.get(&(run, whose, code)).copied().unwrap_or(0),
            CapPeriod::Day => (false, day),
            CapPeriod::Week => (true, first_of(PeriodKind::Week, day)),
        };
        let counted = self.latest.get(&(whose, code, week));
        counted.filter(|(latest, _)| *latest >= first).map_or(0, |(_, points)| *points)
    }

    pub(super) fn forget(&mut self, run: u32) {
        self.runs.retain(|(of, _, _), _| *of != run);
    }
}

/// What an award for a fact goes back to.
pub(super) fn cause(fact: &Fact) -> Cause {
    let run = fact.run;
    match fact.kind {
        FactKind::CheckedIn { .. } => Cause::CheckIn(run, fact.day),
        FactKind::Answered { round, question, revision, .. } => {
            Cause::Answer { run, round, question, revision }
        }
        FactKind::RoundCompleted { round, revision, .. } => Cause::Round { run, round, revision },
        FactKind::Commented { post, .. } => Cause::Comment(run, post),
        FactKind::Liked { post } => Cause::Like(run, post),
    }
}

fn is_about(trigger: Trigger, kind: FactKind) -> bool {
    matches!(
        (trigger, kind),
        (Trigger::CheckedIn, FactKind::CheckedIn { .. })
            | (Trigger::Answered, FactKind::Answered { .. })
            | (Trigger::RoundCompleted, FactKind::RoundCompleted { .. })
            | (Trigger::Commented, FactKind::Commented { .. })
            | (Trigger::Liked, FactKind::Liked { .. })
    )
}

/// Whether a condition holds for nothing but an answered comment.
fn only_answered(when: &Condition) -> bool {
    match when {
        Condition::AnsweredInComment => true,
        Condition::All(parts) => parts.iter().any(only_answered),
        Condition::Any(parts) => !parts.is_empty() && parts.iter().all(only_answered),
        _ => false,
    }
}

fn holds(when: &Condition, fact: &Fact, member: &Member, first: Day) -> bool {
    let (streak, total, back, made) = match fact.kind {
        FactKind::CheckedIn { streak, total, comeback, made_up } => {
            (Some(streak), Some(total), comeback, made_up)
        }
        _ => (None, None, false, false),
    };
    let round = match fact.kind {
        FactKind::RoundCompleted { right, questions, .. } => Some((right, questions)),
        _ => None,
    };
    match when {
        Condition::Always => true,
        Condition::All(parts) => parts.iter().all(|part| holds(part, fact, member, first)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, fact, member, first)),
        Condition::Not(part) => !holds(part, fact, member, first),
        Condition::StreakIs(days) => streak == Some(*days),
        Condition::StreakAtLeast(days) => streak.is_some_and(|streak| streak >= *days),
        Condition::StreakEvery(days) => {
            *days > 0 && streak.is_some_and(|streak| streak.is_multiple_of(*days))
        }
        Condition::TotalIs(days) => total == Some(*days),
        Condition::Comeback => back,
        Condition::MadeUp => made,
        Condition::Right => matches!(fact.kind, FactKind::Answered { right: true, .. }),
        Condition::RightAtLeast(count) => round.is_some_and(|(right, _)| right >= *count),
        Condition::AllRight => round.is_some_and(|(right, questions)| right == questions),
        Condition::AnsweredInComment => {
            matches!(fact.kind, FactKind::Commented { answered: true, .. })
        }
        Condition::HasTag(tag) => member.tags.contains(tag),
        Condition::InGroup(kind) => member.kind == *kind,
        Condition::NewMember { days } => fact.day.0 <= member.joined.0 + i32::from(*days),
        Condition::Weekend => weekday(fact.day) >= 5,
        Condition::Between(from, to) => *from <= fact.day && fact.day <= *to,
        Condition::RunDay(day) => fact.day.0 == first.0 + i32::from(*day) - 1,
    }
}

/// What a version of a rule pays for a fact before limits; 0 where it does not apply.
fn pays(version: &RuleVersion, fact: &Fact, member: &Member, first: Day) -> i64 {
    let in_force = version.from <= fact.day && version.to.is_none_or(|to| fact.day <= to);
    let again = matches!(fact.kind, FactKind::Commented { again: true, .. });
    if !is_about(version.on, fact.kind)
        || !in_force
        || (again && !only_answered(&version.when))
        || !holds(&version.when, fact, member, first)
    {
        return 0;
    }
    match (version.pay, fact.kind) {
        (Pay::Fixed(points), _) => points.0,
        (Pay::Scored(points), FactKind::Answered { score, .. }) => {
            points.0 * i64::from(score.0) / 1_000_000
        }
        (Pay::PerRight(points), FactKind::RoundCompleted { right, .. }) => {
            points.0 * i64::from(right)
        }
        _ => 0,
    }
}

fn edge_of(scope: CapScope) -> Edge {
    match scope {
        CapScope::Member => Edge::CutByMember,
        CapScope::Community => Edge::CutByGroup,
        CapScope::Bank => Edge::CutByBank,
    }
}

impl Auditor {
    /// The rules of a quest. Rules are numbered in the order in which runs first need them.
    pub(super) fn lines(&mut self, pack: &Pack, quest: &Quest) -> Arc<[Line]> {
        let (mut lines, mut known) = (Vec::new(), BTreeSet::new());
        for slug in &quest.rewards {
            let slug = pack.current(slug);
            let Some(rule) = pack.rules.get(slug) else { continue };
            let number = self.rule_numbers.iter().position(|known| known == slug);
            let code = number.unwrap_or_else(|| {
                self.rule_numbers.push(slug.clone());
                self.rule_numbers.len() - 1
            }) as u16;
            if !known.insert(code) {
                continue;
            }
            lines.extend(rule.versions.iter().map(|version| Line {
                slug: slug.clone(),
                rule: RuleRef { code, version: version.version },
                version: version.clone(),
            }));
        }
        lines.into()
    }

    /// Gives back to the limits what corrected keys take back, then turns the facts of the batch
    /// into awards.
    pub(super) fn reward(&mut self, tick: &mut Tick<'_>) -> Vec<Award> {
        for back in &tick.backs {
            if let (Some(counted), Some(run)) = (back.refund, back.origin.run()) {
                self.refund(run.seq, back.member, counted, back.points);
            }
        }
        let facts = std::mem::take(&mut tick.facts);
        let mut awards = Vec::new();
        for fact in facts {
            let Some(run) = self.runs.get(&fact.run.seq) else { continue };
            let (first, lines) = (run.first, run.lines.clone());
            for line in lines.iter() {
                let Some(member) = self.people.member(fact.member.seq) else { continue };
                let wanted = pays(&line.version, &fact, member, first);
                if wanted <= 0 {
                    continue;
                }
                let points = self.within_limits(tick, line, &fact, wanted);
                if points < wanted {
                    let (rule, member) = (line.rule, fact.member);
                    tick.cuts.push(Cut { rule, cause: cause(&fact), member });
                }
                if points > 0 {
                    *self.seen.rules.entry((line.slug.clone(), line.rule.version)).or_default() +=
                        1;
                    awards.push(Award { fact, rule: line.rule, points });
                }
            }
        }
        awards
    }

    fn limit(&self, cap: &Cap) -> i64 {
        match cap.scope {
            CapScope::Bank => cap.points.0 / self.branches,
            CapScope::Member | CapScope::Community => cap.points.0,
        }
    }

    fn within_limits(&mut self, tick: &mut Tick<'_>, line: &Line, fact: &Fact, wanted: i64) -> i64 {
        let (code, run_seq) = (line.rule.code, fact.run.seq);
        let whose = |scope| whose(scope, fact.member.seq, fact.community.seq);
        let Some(run) = self.runs.get_mut(&run_seq) else { return 0 };
        let mut points = wanted.min(run.budget_left);
        if let Some(budget) = line.version.budget {
            let left = budget.0 - self.limits.paid.get(&line.rule).copied().unwrap_or(0);
            if left < points {
                self.seen.mark(Edge::CutByRuleBudget);
                points = left;
            }
        }
        for cap in &line.version.caps {
            let limit = self.limit(cap);
            // Only what is paid is counted: what is refused leaves no trace, not even of its day.
            let used = self.limits.used(whose(cap.scope), code, cap.per, fact.day, run_seq);
            if limit - used < points {
                self.seen.mark(edge_of(cap.scope));
                points = limit - used;
            }
        }
        if points <= 0 {
            return 0;
        }
        let Some(run) = self.runs.get_mut(&run_seq) else { return 0 };
        run.budget_left -= points;
        let mut met = run.budget_left == 0;
        if let Some(budget) = line.version.budget {
            let paid = self.limits.paid.entry(line.rule).or_default();
            *paid += points;
            met |= *paid == budget.0;
        }
        for cap in &line.version.caps {
            let limit = self.limit(cap);
            let (_, used) = self.limits.counter(whose(cap.scope), code, cap.per, fact.day, run_seq);
            *used += points;
            met |= cap.scope != CapScope::Member && *used == limit;
        }
        if met {
            let run = RunId::new(self.branch, run_seq);
            let rule = line.slug.clone();
            tick.limit_events.push((None::<CommunityId>, EventKind::LimitReached { run, rule }));
            self.seen.mark(Edge::LimitReached);
        }
        points
    }

    fn refund(&mut self, run_seq: u32, member: u32, counted: Counted, points: i64) {
        let Some(run) = self.runs.get_mut(&run_seq) else { return };
        let Some(line) = run.lines.clone().iter().position(|line| line.rule == counted.rule) else {
            return;
        };
        run.budget_left += points;
        let lines = run.lines.clone();
        let version = &lines[line].version;
        if version.budget.is_some() {
            let paid = self.limits.paid.entry(counted.rule).or_default();
            *paid = (*paid - points).max(0);
        }
        for cap in &version.caps {
            let whose = whose(cap.scope, member, counted.group);
            let code = counted.rule.code;
            let (week, first) = match cap.per {
                CapPeriod::Run => {
                    if let Some(used) = self.limits.runs.get_mut(&(run_seq, whose, code)) {
                        *used = (*used - points).max(0);
                    }
                    continue;
                }
                CapPeriod::Day => (false, counted.day),
                CapPeriod::Week => (true, first_of(PeriodKind::Week, counted.day)),
            };
            let latest = self.limits.latest.get_mut(&(whose, code, week));
            if let Some((_, used)) = latest.filter(|(latest, _)| *latest == first) {
                *used = (*used - points).max(0);
            }
        }
    }
}

fn whose(scope: CapScope, member: u32, group: u32) -> Whose {
    match scope {
        CapScope::Member => Whose::Member(member),
        CapScope::Community => Whose::Group(group),
        CapScope::Bank => Whose::Branch,
    }
}
