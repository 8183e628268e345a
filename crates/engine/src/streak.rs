//! Check-in streaks. Reads [`StreakRequest`]; writes [`Happened`]; owns [`Streaks`].
//!
//! A streak is settled when somebody checks in, never at midnight: what a missed day costs is
//! worked out from the days in between.

use bevy_ecs::prelude::*;
use dengmi_content::model::quest::{CheckInStreak, StreakMode};
use dengmi_core::outcome::StreakState;
use dengmi_core::text::FoldedHash;
use dengmi_core::{
    BranchId, CommunityId, Day, Fact, FactKind, MemberId, Receipt, Reject, RunId, Timestamp, mutant,
};
use serde::{Deserialize, Serialize};

use crate::column::Column;
use crate::kernel::{Builder, Happened, Now, Outcomes, Phase, Setup, Touched};
use crate::paged::{Paged, Row};
use crate::people::Member;
use crate::runs::{Run, RunPlan, Runs};
use crate::stream::{Reader, Writer};

/// One member's streak in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Streak {
    /// The latest day that counts.
    last: Day,
    /// The first day that ever counted.
    first: Day,
    /// Bit n: day `last` - n was checked in or made up.
    done: u64,
    /// Bit n: day `last` - n was missed and bridged by a freeze or leniency: it does not part the
    /// streak, and does not count.
    filled: u64,
    /// Bit n: an operator counts day `last` - n, checked in or not.
    granted: u64,
    /// Days that count of the streak that ends just behind those 64.
    older: u16,
    length: u16,
    longest: u16,
    total: u16,
    freezes: u8,
    make_ups_used: u8,
}

/// Streaks of a run.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Streaks(pub(crate) Paged<Streak>);

impl Row for Streak {
    fn is_vacant(&self) -> bool {
        self.total == 0
    }
}

/// What a streak run plays by.
#[derive(Clone, Debug)]
pub(crate) struct StreakPlan {
    rules: CheckInStreak,
    phrases: Vec<FoldedHash>,
}

/// What a member or operator wants of a streak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreakRequest {
    pub(crate) index: u32,
    pub(crate) member: MemberId,
    pub(crate) run: RunId,
    pub(crate) what: StreakAction,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum StreakAction {
    CheckIn { phrase: Option<FoldedHash>, occurred: Option<Timestamp> },
    MakeUp(Day),
    Repair(u16),
}

/// A check-in that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    comeback: bool,
    made_up: bool,
    /// Length of the streak that this day belongs to: up to `last`, or, where a gap parts them, up
    /// to this day.
    streak: u16,
}

/// The `count` lowest bits; all from 64 on.
fn low_bits(count: u32) -> u64 {
    1u64.checked_shl(count).map_or(u64::MAX, |bit| bit - 1)
}

/// Longest streak an operator can set.
const REPAIR_DAYS_MAX: u16 = 3_650;

impl StreakPlan {
    pub(crate) fn of(rules: &CheckInStreak) -> Self {
        let phrases = rules.phrases.iter().map(|phrase| FoldedHash::of(phrase)).collect();
        Self { rules: rules.clone(), phrases }
    }

    /// Whether what was typed opens `day`, the `run_day`th of the run, from 0.
    fn accepts(&self, phrase: Option<FoldedHash>, run_day: usize) -> Result<(), Reject> {
        match phrase {
            None if self.rules.phrase_required => Err(Reject::PhraseNeeded),
            None => Ok(()),
            Some(_) if self.phrases.is_empty() => Err(Reject::WrongPhrase),
            Some(typed) if self.phrases[run_day % self.phrases.len()] == typed => Ok(()),
            Some(_) => Err(Reject::WrongPhrase),
        }
    }

    /// Missed days in a row that a streak of this length is forgiven.
    fn forgiven(&self, length: u16) -> i32 {
        let reached = self.rules.leniency.iter().rev().find(|step| step.from_length <= length);
        reached.map_or(0, |step| i32::from(step.forgiven_days))
    }

    fn make_ups_left(&self, streak: &Streak) -> u8 {
        self.rules.make_ups.per_run.saturating_sub(streak.make_ups_used)
    }
}

impl Streak {
    fn begin(plan: &StreakPlan, day: Day) -> Self {
        let freezes = plan.rules.freezes;
        Self { last: day, first: day, freezes: freezes.start.min(freezes.max), ..Self::default() }
    }

    fn has(&self, day: Day) -> bool {
        let back = self.last.0 - day.0;
        (0..64).contains(&back) && self.done >> back & 1 == 1
    }

    /// A day counts. Days before `last` fill a gap behind it.
    fn advance(&mut self, plan: &StreakPlan, day: Day, made_up: bool) -> Result<Counted, Reject> {
        let rules = &plan.rules;
        let cumulative = rules.mode == StreakMode::Cumulative;
        let mut comeback = false;
        let before = self.length;
        // A day that fills a gap further back makes the streak no longer.
        let mut grew = true;
        let mut streak = None;
        if self.total == 0 {
            (self.first, self.last) = (day, day);
            self.done = 1;
            self.length = 1;
        } else if day <= self.last {
            let back = self.last.0 - day.0;
            if self.has(day) {
                return Err(Reject::DuplicateCheckIn);
            }
            if back >= 64 || day < self.first {
                return Err(Reject::TooLate);
            }
            let joined = self.length_behind(0);
            self.done |= 1 << back;
            self.filled &= !(1 << back);
            let gained = self.length_behind(0) - joined;
            self.length = before.saturating_add(gained);
            grew = gained > 0;
            let linked = self.done | self.granted | self.filled;
            if i64::from(linked.trailing_ones()) <= i64::from(back) {
                streak = Some(self.length_behind(back.unsigned_abs()));
            }
        } else {
            let missed = day.0 - self.last.0 - 1;
            comeback = rules.comeback_after > 0 && missed >= i32::from(rules.comeback_after);
            let frozen = missed - plan.forgiven(self.length).min(missed);
            let but_one = mutant::planted("streak/last-freeze");
            let freezes = if but_one { self.freezes.saturating_sub(1) } else { self.freezes };
            let continues = frozen <= i32::from(freezes);
            self.roll(day, continues);
            self.done |= 1;
            if continues {
                // Not more freezes than were needed; `frozen` fits, it is at most `freezes`.
                if !mutant::planted("streak/freeze-kept") {
                    self.freezes -= frozen as u8;
                }
                self.length = before.saturating_add(1);
            } else {
                self.length = 1;
            }
        }
        self.total = self.total.saturating_add(1);
        if cumulative {
            // Misses never reset it; an operator may have set it.
            self.length = before.saturating_add(1);
            grew = true;
        }
        self.longest = self.longest.max(self.length);
        let every = rules.freezes.every_days;
        let earned = grew && every > 0 && self.length.is_multiple_of(every);
        if earned && self.freezes < rules.freezes.max {
            self.freezes += 1;
        }
        let streak = streak.filter(|_| !cumulative).unwrap_or(self.length);
        Ok(Counted { comeback, made_up, streak })
    }

    /// Moves the 64 days on to a later `day`. What was missed in between is bridged, or parts the
    /// streak.
    fn roll(&mut self, day: Day, bridged: bool) {
        let by = (day.0 - self.last.0).unsigned_abs();
        let counted = self.done | self.granted;
        let leaving = !low_bits(64 - by.min(64));
        let open = leaving & !(counted | self.filled);
        // Those that leave and still hang together with the days that stay.
        let linked = leaving & low_bits(open.trailing_zeros());
        let days = (counted & linked).count_ones() as u16;
        self.older = if open == 0 { self.older.saturating_add(days) } else { days };
        if by > 64 && !bridged {
            self.older = 0;
        }
        for bits in [&mut self.done, &mut self.granted, &mut self.filled] {
            *bits = bits.checked_shl(by).unwrap_or(0);
        }
        if bridged {
            self.filled |= low_bits(by) & !1;
        }
        self.last = day;
    }

    /// Length of the streak that ends `back` days before `last`: days that count back to the first
    /// that was missed.
    fn length_behind(&self, back: u32) -> u16 {
        let counted = (self.done | self.granted) >> back;
        let unbroken = (counted | self.filled >> back).trailing_ones();
        let days = (counted & low_bits(unbroken)).count_ones() as u16;
        if unbroken + back == 64 { self.older.saturating_add(days) } else { days }
    }

    fn make_up(&mut self, plan: &StreakPlan, today: Day, day: Day) -> Result<Counted, Reject> {
        let oldest = today.plus(-i32::from(plan.rules.make_ups.within_days));
        if day >= today || day < oldest || day < self.first || self.has(day) {
            return Err(Reject::NothingToMakeUp);
        }
        if plan.make_ups_left(self) == 0 {
            return Err(Reject::NoMakeUps);
        }
        let counted = self.advance(plan, day, true)?;
        self.make_ups_used += 1;
        Ok(Counted { comeback: false, ..counted })
    }

    /// Sets the length as of yesterday, so that a check-in today or the one already made goes on
    /// from it.
    fn repair(&mut self, today: Day, days: u16) -> Result<(), Reject> {
        if self.total == 0 || !(1..=REPAIR_DAYS_MAX).contains(&days) {
            return Err(Reject::BadRepair);
        }
        let to = if self.last == today { today } else { today.plus(-1) };
        if to > self.last {
            self.roll(to, false);
        }
        let span = low_bits(u32::from(days));
        self.granted = span;
        self.filled &= !span;
        if days >= 64 {
            self.older = days - 64;
        }
        self.length = days;
        self.longest = self.longest.max(days);
        Ok(())
    }

    pub(crate) fn state(&self, plan: &StreakPlan) -> StreakState {
        let slack = match plan.rules.mode {
            StreakMode::Consecutive => plan.forgiven(self.length) + i32::from(self.freezes),
            // A count of days in all never breaks.
            StreakMode::Cumulative => i32::from(u16::MAX),
        };
        StreakState {
            day: self.last,
            alive_until: self.last.plus(1 + slack),
            length: self.length,
            longest: self.longest,
            total: self.total,
            freezes: self.freezes,
            make_ups: plan.make_ups_left(self),
        }
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder.message::<StreakRequest>().systems(Phase::Streak, check_in);
}

/// The streak after a request, and what to tell the rules: nothing after a repair.
type Served = (StreakState, Option<(Day, Timestamp, Counted)>);

struct Place<'a> {
    run: &'a Run,
    plan: &'a RunPlan,
    streak: &'a StreakPlan,
    now: Timestamp,
}

impl Place<'_> {
    /// Carries out one request on the member's row.
    fn serve(
        &self,
        request: &StreakRequest,
        members: &Column<Member>,
        table: &mut Streaks,
    ) -> Result<Served, Reject> {
        let member = members.acting(request.member)?;
        let calendar = self.run.calendar;
        let today = calendar.day_of(self.now);
        let seq = request.member.seq;
        match request.what {
            StreakAction::CheckIn { phrase, occurred } => {
                let at = match occurred {
                    Some(occurred) => calendar.place(self.now, occurred).ok_or(Reject::TooLate)?,
                    None => self.now,
                };
                let late_is_today = mutant::planted("streak/late-is-today");
                let day = if late_is_today { today } else { calendar.day_of(at) };
                self.run.admits(self.plan, member, day)?;
                self.streak.accepts(phrase, (day.0 - self.run.first.0) as usize)?;
                // A refused check-in leaves no row behind: only an existing row can refuse here.
                let row = table.0.at(seq);
                if row.is_vacant() {
                    *row = Streak::begin(self.streak, day);
                }
                let counted = row.advance(self.streak, day, false)?;
                Ok((row.state(self.streak), Some((day, at, counted))))
            }
            StreakAction::MakeUp(day) => {
                self.run.admits(self.plan, member, day)?;
                let row = table.0.get_mut(seq).ok_or(Reject::NothingToMakeUp)?;
                let counted = row.make_up(self.streak, today, day)?;
                Ok((row.state(self.streak), Some((day, self.now, counted))))
            }
            StreakAction::Repair(days) => {
                self.run.admits(self.plan, member, today)?;
                let row = table.0.get_mut(seq).ok_or(Reject::BadRepair)?;
                row.repair(today, days)?;
                Ok((row.state(self.streak), None))
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn check_in(
    setup: Res<Setup>,
    now: Res<Now>,
    members: Res<Column<Member>>,
    runs: Runs,
    mut tables: Query<&mut Streaks>,
    requests: Reader<StreakRequest>,
    mut facts: Writer<Happened>,
    mut outcomes: ResMut<Outcomes>,
    mut touched: ResMut<Touched>,
) {
    for requests in requests.all().chunk_by(|a, b| a.run == b.run) {
        let found = runs.get(requests[0].run.seq).ok_or(Reject::UnknownRun);
        let mut place = found.and_then(|(entity, run, plan)| {
            let streak = plan.streak.as_ref().ok_or(Reject::WrongKind)?;
            let table = tables.get_mut(entity).map_err(|_| Reject::UnknownRun)?;
            Ok((Place { run, plan, streak, now: now.at }, table))
        });
        for request in requests {
            let served = match &mut place {
                Ok((place, table)) => place.serve(request, &members, table),
                Err(reject) => Err(*reject),
            };
            let result = served.map(|(state, counted)| {
                touched.member(request.member.seq);
                if let Some((day, at, counted)) = counted {
                    let community = members.get(request.member.seq).map_or(0, |m| m.community);
                    facts.write(fact(setup.branch, community, request, day, at, counted, state));
                }
                Receipt::CheckedIn(state)
            });
            outcomes.set(request.index, result);
        }
    }
}

fn fact(
    branch: BranchId,
    community: u32,
    request: &StreakRequest,
    day: Day,
    at: Timestamp,
    counted: Counted,
    state: StreakState,
) -> Happened {
    Happened(Fact {
        member: request.member,
        community: CommunityId::new(branch, community),
        run: request.run,
        day,
        at,
        kind: FactKind::CheckedIn {
            streak: counted.streak,
            total: state.total,
            comeback: counted.comeback,
            made_up: counted.made_up,
        },
    })
}

#[cfg(test)]
mod tests;
