//! Streaks by days in sets: which days were checked in, which were bridged, which an operator
//! counts. Lengths are walked backwards day by day.

use std::collections::BTreeSet;

use dengmi_content::model::quest::{CheckInStreak, StreakMode};
use dengmi_core::outcome::StreakState;
use dengmi_core::text::FoldedHash;
use dengmi_core::{
    Action, CommunityId, Day, Fact, FactKind, MemberId, Receipt, Reject, RunId, Timestamp,
};

use super::days::{day_of, placed};
use super::{Answered, Auditor, Edge, Tick};

/// Longest streak an operator can set.
const REPAIR_DAYS_MAX: u16 = 3_650;

/// Days back from the latest one in which a gap can still be filled.
const FILL_DAYS: i32 = 64;

#[derive(Default)]
pub(super) struct Streak {
    checked: BTreeSet<Day>,
    /// Missed, and bridged by a freeze or leniency.
    bridged: BTreeSet<Day>,
    /// First and last day that an operator counts.
    granted: Option<(Day, Day)>,
    last: Day,
    length: u16,
    longest: u16,
    total: u16,
    freezes: u8,
    cards_used: u8,
}

struct Counted {
    comeback: bool,
    made_up: bool,
    streak: u16,
}

impl Streak {
    fn grants(&self, day: Day) -> bool {
        self.granted.is_some_and(|(from, to)| (from..=to).contains(&day))
    }

    fn first(&self) -> Day {
        self.checked.first().copied().unwrap_or(Day(i32::MAX))
    }

    /// Days that count, from `day` backwards to the first that was missed, and that missed day.
    fn walk(&self, mut day: Day) -> (u16, Day) {
        let mut days = 0u32;
        loop {
            if let Some((from, _)) = self.granted.filter(|_| self.grants(day)) {
                days += (day.0 - from.0 + 1).unsigned_abs();
                day = from.plus(-1);
            } else if self.checked.contains(&day) {
                days += 1;
                day = day.plus(-1);
            } else if self.bridged.contains(&day) {
                day = day.plus(-1);
            } else {
                return (u16::try_from(days).unwrap_or(u16::MAX), day);
            }
        }
    }
}

fn forgiven(rules: &CheckInStreak, length: u16) -> i32 {
    let mut steps = rules.leniency.iter().filter(|step| step.from_length <= length);
    steps.next_back().map_or(0, |step| i32::from(step.forgiven_days))
}

fn state(rules: &CheckInStreak, streak: &Streak) -> StreakState {
    let slack = match rules.mode {
        StreakMode::Consecutive => forgiven(rules, streak.length) + i32::from(streak.freezes),
        StreakMode::Cumulative => i32::from(u16::MAX),
    };
    StreakState {
        day: streak.last,
        alive_until: streak.last.plus(slack + 1),
        length: streak.length,
        longest: streak.longest,
        total: streak.total,
        freezes: streak.freezes,
        make_ups: rules.make_ups.per_run.saturating_sub(streak.cards_used),
    }
}

fn phrase_fits(
    rules: &CheckInStreak,
    typed: Option<FoldedHash>,
    run_day: usize,
) -> Result<(), Reject> {
    let Some(typed) = typed else {
        return if rules.phrase_required { Err(Reject::PhraseNeeded) } else { Ok(()) };
    };
    let todays = rules.phrases.get(run_day % rules.phrases.len().max(1));
    let fits = todays.is_some_and(|phrase| FoldedHash::of(phrase) == typed);
    if fits { Ok(()) } else { Err(Reject::WrongPhrase) }
}

/// Counts one more day.
fn count(
    rules: &CheckInStreak,
    streak: &mut Streak,
    day: Day,
    made_up: bool,
    mut mark: impl FnMut(Edge),
) -> Result<Counted, Reject> {
    let before = streak.length;
    let (mut comeback, mut grew, mut of_gap) = (false, true, None);
    if streak.total == 0 {
        mark(Edge::StreakBegun);
        (streak.last, streak.length) = (day, 1);
        streak.checked.insert(day);
    } else if day <= streak.last {
        if streak.checked.contains(&day) {
            return Err(Reject::DuplicateCheckIn);
        }
        if streak.last.0 - day.0 >= FILL_DAYS || day < streak.first() {
            return Err(Reject::TooLate);
        }
        mark(Edge::StreakGapFilled);
        let (joined, _) = streak.walk(streak.last);
        streak.checked.insert(day);
        streak.bridged.remove(&day);
        let (now, missed) = streak.walk(streak.last);
        streak.length = before.saturating_add(now - joined);
        grew = now > joined;
        if missed >= day {
            of_gap = Some(streak.walk(day).0);
        }
    } else {
        let missed = day.0 - streak.last.0 - 1;
        comeback = rules.comeback_after > 0 && missed >= i32::from(rules.comeback_after);
        let forgiven = forgiven(rules, streak.length).min(missed);
        let frozen = missed - forgiven;
        if frozen <= i32::from(streak.freezes) {
            streak.freezes -= frozen as u8;
            streak.length = before.saturating_add(1);
            for bridged in 1..=missed {
                streak.bridged.insert(streak.last.plus(bridged));
            }
            mark(Edge::StreakContinued);
            if frozen > 0 {
                mark(Edge::StreakFrozen);
            }
            if forgiven > 0 {
                mark(Edge::StreakForgiven);
            }
        } else {
            streak.length = 1;
            mark(Edge::StreakBroken);
        }
        streak.last = day;
        streak.checked.insert(day);
    }
    streak.total = streak.total.saturating_add(1);
    if rules.mode == StreakMode::Cumulative {
        streak.length = before.saturating_add(1);
        (grew, of_gap) = (true, None);
    }
    streak.longest = streak.longest.max(streak.length);
    let every = rules.freezes.every_days;
    if grew
        && every > 0
        && streak.length.is_multiple_of(every)
        && streak.freezes < rules.freezes.max
    {
        streak.freezes += 1;
        mark(Edge::FreezeEarned);
    }
    Ok(Counted { comeback, made_up, streak: of_gap.unwrap_or(streak.length) })
}

fn repair(streak: &mut Streak, today: Day, days: u16) -> Result<(), Reject> {
    if streak.total == 0 || days == 0 || days > REPAIR_DAYS_MAX {
        return Err(Reject::BadRepair);
    }
    // As of yesterday, so that a check-in today goes on from it; as of today after one.
    streak.last = if streak.last == today { today } else { today.plus(-1).max(streak.last) };
    let from = streak.last.plus(1 - i32::from(days));
    streak.granted = Some((from, streak.last));
    streak.bridged.retain(|day| *day < from);
    streak.length = days;
    streak.longest = streak.longest.max(days);
    Ok(())
}

impl Auditor {
    pub(super) fn streak_action(
        &mut self,
        tick: &mut Tick<'_>,
        action: &Action,
    ) -> Option<Answered> {
        let (member, run) = match action {
            Action::CheckIn { member, run, .. }
            | Action::MakeUp { member, run, .. }
            | Action::RepairStreak { member, run, .. } => (*member, *run),
            _ => return None,
        };
        Some(self.serve_streak(tick, action, member, run))
    }

    fn serve_streak(
        &mut self,
        tick: &mut Tick<'_>,
        action: &Action,
        id: MemberId,
        run_id: RunId,
    ) -> Answered {
        let run = self.runs.get_mut(&run_id.seq).ok_or(Reject::UnknownRun)?;
        let quest = run.quest.clone();
        let dengmi_content::model::QuestKind::CheckInStreak(rules) = &quest.kind else {
            return Err(Reject::WrongKind);
        };
        let member = self.people.acting(id)?;
        let today = day_of(run.calendar, tick.at);
        let seen = &mut self.seen;
        let (day, at, counted): (Day, Timestamp, Counted) = match action {
            Action::CheckIn { phrase, occurred, .. } => {
                let at = placed(run.calendar, tick.at, *occurred).ok_or(Reject::TooLate)?;
                let day = day_of(run.calendar, at);
                run.admits(member, day)?;
                phrase_fits(rules, *phrase, (day.0 - run.first.0).unsigned_abs() as usize)?;
                let start = rules.freezes.start.min(rules.freezes.max);
                let streak = run
                    .streaks
                    .entry(id.seq)
                    .or_insert_with(|| Streak { freezes: start, ..Streak::default() });
                (day, at, count(rules, streak, day, false, |edge| seen.mark(edge))?)
            }
            Action::MakeUp { day, .. } => {
                run.admits(member, *day)?;
                let streak = run.streaks.get_mut(&id.seq).ok_or(Reject::NothingToMakeUp)?;
                let reach = i64::from(today.0) - i64::from(day.0);
                let near = (1..=i64::from(rules.make_ups.within_days)).contains(&reach);
                if !near || *day < streak.first() || streak.checked.contains(day) {
                    return Err(Reject::NothingToMakeUp);
                }
                if streak.cards_used >= rules.make_ups.per_run {
                    return Err(Reject::NoMakeUps);
                }
                let counted = count(rules, streak, *day, true, |edge| seen.mark(edge))?;
                streak.cards_used += 1;
                seen.mark(Edge::StreakMadeUp);
                (*day, tick.at, Counted { comeback: false, ..counted })
            }
            Action::RepairStreak { days, .. } => {
                run.admits(member, today)?;
                let streak = run.streaks.get_mut(&id.seq).ok_or(Reject::BadRepair)?;
                repair(streak, today, *days)?;
                seen.mark(Edge::StreakRepaired);
                return Ok(Receipt::CheckedIn(state(rules, streak)));
            }
            _ => return Err(Reject::WrongKind),
        };
        if counted.comeback {
            seen.mark(Edge::StreakComeback);
        }
        let state = state(rules, &run.streaks[&id.seq]);
        tick.facts.push(Fact {
            member: id,
            community: CommunityId::new(self.branch, member.community),
            run: run_id,
            day,
            at,
            kind: FactKind::CheckedIn {
                streak: counted.streak,
                total: state.total,
                comeback: counted.comeback,
                made_up: counted.made_up,
            },
        });
        Ok(Receipt::CheckedIn(state))
    }
}
