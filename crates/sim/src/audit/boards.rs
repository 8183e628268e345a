//! Standings, added up from ledger entries: who stands where when a day, week, month, season, run
//! or round is closed.

use std::collections::BTreeMap;

use dengmi_core::view::board::{BoardKey, BoardPolicy, Ranked, TiePolicy};
use dengmi_core::view::{ClosedBoard, EventKind};
use dengmi_core::{
    CommunityId, Day, Digest, EntryKind, MemberId, Period, PeriodKind, RoundId, RunId,
};

use super::books::Booked;
use super::days::{day_of, first_of};
use super::{Auditor, Edge, Tick};

/// Points, and the entry that reached them.
type Sum = (i64, u64);

/// What members scored.
#[derive(Default)]
pub(super) struct Scores {
    /// The latest day that a member scored in, and what they scored in the day, week, month and
    /// season that contain it.
    members: BTreeMap<u32, (Day, [Sum; 4])>,
}

impl Scores {
    fn score(&mut self, member: u32, open: Day, points: i64, entry: u64) {
        let (day, sums) = self.members.entry(member).or_insert((open, Default::default()));
        // Whose new group still has an earlier day keeps the later one.
        let open = open.max(*day);
        for (kind, sum) in PeriodKind::ALL.into_iter().zip(sums) {
            let before = if first_of(kind, *day) == first_of(kind, open) { sum.0 } else { 0 };
            *sum = (before + points, entry);
        }
        *day = open;
    }

    /// The member's score in a period, if it is the one that they scored in last.
    fn of(&self, member: u32, period: Period) -> Option<Sum> {
        let (day, sums) = self.members.get(&member)?;
        let current = first_of(period.kind, *day) == period.first;
        current.then(|| sums[period.kind as usize])
    }

    /// The latest day that a member scored in.
    pub(super) fn day(&self, member: u32) -> Option<Day> {
        self.members.get(&member).map(|(day, _)| *day)
    }

    pub(super) fn latest(&self, member: u32) -> [Sum; 4] {
        self.members.get(&member).map(|(_, sums)| *sums).unwrap_or_default()
    }
}

/// Ranks scores above zero, best first.
fn ranked(
    branch: dengmi_core::BranchId,
    ties: TiePolicy,
    scores: impl Iterator<Item = (u32, Sum)>,
) -> Vec<Ranked> {
    let mut order: Vec<(u32, Sum)> = scores.filter(|(_, (points, _))| *points > 0).collect();
    order.sort_by(|(a, (a_points, a_entry)), (b, (b_points, b_entry))| {
        let first = match ties {
            TiePolicy::Id => std::cmp::Ordering::Equal,
            _ => a_entry.cmp(b_entry),
        };
        b_points.cmp(a_points).then(first).then(a.cmp(b))
    });
    let better = |points: i64| order.iter().take_while(move |(_, (p, _))| *p > points);
    let rows = order.iter().enumerate().map(|(place, (member, (points, _)))| {
        let rank = match ties {
            TiePolicy::FirstToReach | TiePolicy::Id => place,
            TiePolicy::SharedRank => better(*points).count(),
            TiePolicy::Dense => {
                let mut steps: Vec<i64> = better(*points).map(|(_, (p, _))| *p).collect();
                steps.dedup();
                steps.len()
            }
        };
        Ranked {
            rank: rank as u32 + 1,
            member: MemberId::new(branch, *member),
            points: *points as i32,
        }
    });
    rows.collect()
}

/// Whose score an entry changes, and by how much.
fn scored(booked: &Booked) -> Option<(u32, i64)> {
    let (member, points) = booked.entry.member_change()?;
    let counts = matches!(booked.entry.kind, EntryKind::Award | EntryKind::Reversal);
    counts.then_some((member.seq, points.0))
}

impl Auditor {
    fn close_board(
        &mut self,
        tick: &mut Tick<'_>,
        key: BoardKey,
        policy: BoardPolicy,
        scores: Vec<(u32, Sum)>,
    ) {
        let rows = ranked(self.branch, policy.ties, scores.into_iter());
        if rows.is_empty() {
            return;
        }
        self.seen.mark(match key {
            BoardKey::Community(_, period) => match period.kind {
                PeriodKind::Day => Edge::BoardOfDay,
                PeriodKind::Week => Edge::BoardOfWeek,
                PeriodKind::Month => Edge::BoardOfMonth,
                PeriodKind::Season => Edge::BoardOfSeason,
            },
            BoardKey::Run(_) => Edge::BoardOfRun,
            BoardKey::Round(_) => Edge::BoardOfRound,
        });
        if rows.windows(2).any(|pair| pair[0].points == pair[1].points) {
            self.seen.mark(Edge::BoardTied);
        }
        let community = match key {
            BoardKey::Community(id, _) => Some(id),
            BoardKey::Run(_) | BoardKey::Round(_) => None,
        };
        let bytes = postcard::to_stdvec(&(key, policy, &rows)).unwrap_or_default();
        let digest = Digest::of(&bytes);
        tick.events.push((community, EventKind::BoardClosed(key, digest)));
        tick.closed.push(ClosedBoard { key, rows, at: tick.at, digest });
    }

    fn listed(&self, scores: &BTreeMap<u32, Sum>) -> Vec<(u32, Sum)> {
        let listed = scores.iter().filter(|(member, _)| self.people.listed(**member));
        listed.map(|(member, sum)| (*member, *sum)).collect()
    }

    pub(super) fn close_round_board(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let Some(round) = self.rounds.get(&seq) else { return };
        let (policy, scores) = (self.runs[&round.run].quest.board, self.listed(&round.scores));
        self.close_board(tick, BoardKey::Round(RoundId::new(self.branch, seq)), policy, scores);
    }

    /// Closes what is over, then scores what was booked, then closes the standings of ended runs.
    pub(super) fn boards(&mut self, tick: &mut Tick<'_>) {
        let booked = std::mem::take(&mut tick.booked);
        let mut late = vec![false; booked.len()];
        for seq in 1..=self.people.groups.len() as u32 {
            let group = &self.people.groups[seq as usize - 1];
            let (was, today, policy) = (group.today, day_of(group.calendar, tick.at), group.policy);
            if today <= was {
                continue;
            }
            for (late, booked) in late.iter_mut().zip(&booked) {
                let Some((member, points)) = scored(booked) else { continue };
                let here = self.people.member(member).is_some_and(|m| m.community == seq);
                if here && booked.entry.day <= was {
                    *late = true;
                    self.scores.score(member, was, points, booked.entry.id);
                    self.seen.mark(Edge::BoardLate);
                }
            }
            for kind in PeriodKind::ALL {
                let first = first_of(kind, was);
                if first_of(kind, today) == first {
                    continue;
                }
                let period = Period { kind, first };
                let members = self.people.members.iter().zip(1..);
                let here = members.filter(|(member, seq_of)| {
                    member.community == seq && self.people.listed(*seq_of)
                });
                let scores = here
                    .filter_map(|(_, member)| Some((member, self.scores.of(member, period)?)))
                    .collect();
                let key = BoardKey::Community(CommunityId::new(self.branch, seq), period);
                self.close_board(tick, key, policy, scores);
            }
            self.people.groups[seq as usize - 1].today = today;
        }
        for (booked, late) in booked.iter().zip(late) {
            let Some((member, points)) = scored(booked) else { continue };
            let add = |sum: &mut Sum| *sum = (sum.0 + points, booked.entry.id);
            if let Some(run) = booked.origin.run().and_then(|run| self.runs.get_mut(&run.seq)) {
                add(run.scores.entry(member).or_default());
            }
            let round = booked.origin.round();
            if let Some(round) = round.and_then(|round| self.rounds.get_mut(&round.seq)) {
                add(round.scores.entry(member).or_default());
            }
            let member_of = self.people.member(member).map(|member| member.community);
            let group = member_of.and_then(|group| self.people.group(group));
            if let Some(group) = group.filter(|_| !late) {
                self.scores.score(member, group.today, points, booked.entry.id);
            }
        }
        tick.booked = booked;
        for seq in std::mem::take(&mut tick.ended) {
            let Some(run) = self.runs.get(&seq) else { continue };
            let (policy, scores) = (run.quest.board, self.listed(&run.scores));
            self.close_board(tick, BoardKey::Run(RunId::new(self.branch, seq)), policy, scores);
        }
    }
}
