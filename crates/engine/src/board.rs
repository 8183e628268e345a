//! Standings. Reads [`Books`] and [`Moved`]; owns [`Scores`], [`Standings`], [`RunScores`] and
//! [`RoundScores`]; closes standings for good when their period is over.
//!
//! A standing of a day, week, month or season counts what was booked for the member while it was
//! open; an award for a day that is already closed counts in the one open now. Nothing is done for
//! members who did nothing.

use std::borrow::Cow;

use bevy_ecs::prelude::*;
use dengmi_core::view::board::{BoardKey, BoardPolicy, Ranked, rank};
use dengmi_core::view::{ClosedBoard, EventKind, MemberStatus, Score};
use dengmi_core::{
    CommunityId, Day, Digest, EntryKind, LedgerEntry, MemberId, Period, PeriodKind, RoundId, RunId,
    Timestamp, mutant,
};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::column::Column;
use crate::kernel::{Builder, Now, Phase, Section, Setup, decode, encode};
use crate::ledger::Books;
use crate::outreach::Announced;
use crate::paged::{Paged, Row};
use crate::people::{Community, Member, Moved, People, column};
use crate::quiz::{Round, RoundIndex};
use crate::runs::{RunIndex, RunPlan};
use crate::stream::{Reader, Stream};

/// A member's scores in the day, week, month and season that contain `day`. What scores in one
/// scores in all four, so one entry reached them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scores {
    pub(crate) day: Day,
    points: [i32; 4],
    reached: u64,
}

/// Who has a score in the open standings of a group, and which day is open.
#[derive(Component, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standings {
    today: Day,
    /// By kind of period: members with a score, in order of their first; may name members who
    /// have left the group since.
    active: [Vec<u32>; 4],
}

/// Scores of a run.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RunScores(pub(crate) Paged<Held>);

/// Scores of a round.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RoundScores(pub(crate) Paged<Held>);

/// A [`Score`] in twelve bytes instead of sixteen: every member has one in every run and round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    points: i32,
    /// The entry that reached it, lower half first.
    reached: [u32; 2],
}

impl Held {
    fn score(self) -> Score {
        let [low, high] = self.reached;
        Score { points: self.points, reached: u64::from(high) << 32 | u64::from(low) }
    }

    #[inline]
    fn add(&mut self, points: i64, entry: u64) {
        let reached = [entry as u32, (entry >> 32) as u32];
        *self = Self { points: plus(self.points, points), reached };
    }
}

impl Row for Held {
    fn is_vacant(&self) -> bool {
        *self == Self::default()
    }
}

/// Standings closed in this batch, and the instant at which the next one has to close.
#[derive(Resource, Default)]
pub(crate) struct Closing {
    pub(crate) closed: Vec<ClosedBoard>,
    pub(crate) next: Option<Timestamp>,
    /// Groups that `next` takes in.
    groups: usize,
    /// Runs that ended in this batch.
    ended: Vec<u32>,
    /// Entries of this batch that went into a standing which then closed, rising.
    scored: Vec<u64>,
}

/// The periods that contain a day, by their first days, worked out once.
#[derive(Clone, Copy)]
struct OpenDays {
    day: Day,
    firsts: [Day; 4],
}

impl OpenDays {
    fn of(day: Day) -> Self {
        Self { day, firsts: PeriodKind::ALL.map(|kind| Period::containing(kind, day).first) }
    }
}

impl Standings {
    pub(crate) fn starting(today: Day) -> Self {
        Self { today, ..Self::default() }
    }
}

impl Scores {
    /// By kind of period.
    pub(crate) fn slot(&self, kind: usize) -> Score {
        Score { points: self.points[kind], reached: self.reached }
    }

    /// Forgets the scores of periods that ended before the calendar's day; which begin anew.
    fn roll(&mut self, to: &OpenDays) -> [bool; 4] {
        let mut anew = [self.reached == 0; 4];
        if self.day < to.day {
            for (slot, first) in to.firsts.into_iter().enumerate() {
                if self.day < first {
                    self.points[slot] = 0;
                    anew[slot] = true;
                }
            }
            self.day = to.day;
        }
        anew
    }

    /// Scores an entry in all four periods of `days`, the days open in the group.
    #[inline]
    fn score(&mut self, days: &OpenDays, points: i64, entry: u64, seq: u32, group: &mut Standings) {
        if self.reached == 0 || self.day < days.day {
            self.begin(days, points, entry, seq, group);
            return;
        }
        for slot in &mut self.points {
            *slot = plus(*slot, points);
        }
        if !mutant::planted("board/first-come") {
            self.reached = entry;
        }
    }

    /// Scores where nothing was scored yet today.
    fn begin(&mut self, days: &OpenDays, points: i64, entry: u64, seq: u32, group: &mut Standings) {
        let anew = self.roll(days);
        for (slot, active) in group.active.iter_mut().enumerate() {
            if anew[slot] {
                active.push(seq);
            }
            self.points[slot] = plus(self.points[slot], points);
        }
        if self.reached == 0 || !mutant::planted("board/first-come") {
            self.reached = entry;
        }
    }
}

/// A sum of points. They are capped far below where `i32` ends.
#[inline]
fn plus(score: i32, points: i64) -> i32 {
    (i64::from(score) + points).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<Closing>()
        .resource::<Column<Scores>>()
        .systems(Phase::Board, (carry_scores, close_periods, score, close_runs).chain())
        .section(Section { name: "board", version: 2, save, restore });
}

/// Takes a member's scores along into a new group.
fn carry_scores(
    people: Res<People>,
    scores: Res<Column<Scores>>,
    mut groups: Query<&mut Standings>,
    moved: Reader<Moved>,
) {
    for Moved { member, to } in moved.read() {
        let scores = scores.get(*member);
        let group = people.community(*to).and_then(|entity| groups.get_mut(entity).ok());
        if let Some((scores, mut standings)) = scores.zip(group) {
            for (slot, active) in standings.active.iter_mut().enumerate() {
                if scores.slot(slot) != Score::default() {
                    active.push(*member);
                }
            }
        }
    }
}

/// Closes the standings of days that ended before this batch. Awards of this batch that count
/// for such a day (a round that closed while the host was down) still go into it.
fn close_periods(world: &mut World) {
    let now = *world.resource::<Now>();
    let groups = world.resource::<People>().communities.len();
    let mut closing = world.resource_mut::<Closing>();
    closing.scored.clear();
    let known = std::mem::replace(&mut closing.groups, groups);
    if known == groups && closing.next.is_none_or(|next| now.at < next) {
        return;
    }
    let late: Vec<LedgerEntry> = world.resource::<Books>().entries.clone();
    for group in world.resource::<People>().communities.clone() {
        let community = world.get::<Community>(group).expect("groups are whole");
        let (seq, calendar) = (community.seq, community.calendar);
        let today = calendar.day_of(now.at);
        let was = world.get::<Standings>(group).expect("groups are whole").today;
        if today > was {
            score_late(world, group, seq, was, &late);
            close_group(world, group, was, today);
        }
    }
    let next = next_turn(world);
    let mut closing = world.resource_mut::<Closing>();
    closing.scored.sort_unstable();
    closing.next = next;
}

/// When the next day of any group begins.
fn next_turn(world: &World) -> Option<Timestamp> {
    let groups = world.resource::<People>().communities.iter();
    let turns = groups.filter_map(|group| {
        let community = world.get::<Community>(*group)?;
        Some(community.calendar.start_of(world.get::<Standings>(*group)?.today.plus(1)))
    });
    turns.min()
}

/// Scores entries that count for the day about to close, for members of the group.
fn score_late(world: &mut World, group: Entity, seq: u32, day: Day, late: &[LedgerEntry]) {
    let days = OpenDays::of(day);
    for entry in late.iter().filter(|entry| entry.day <= day) {
        let Some((member, points)) = scored(entry) else { continue };
        let row = world.resource::<Column<Member>>().get(member.seq);
        if row.is_none_or(|row| row.community != seq) {
            continue;
        }
        world.resource_scope(|world, mut scores: Mut<Column<Scores>>| {
            let mut standings = world.get_mut::<Standings>(group).expect("groups are whole");
            let own = scores.get_mut(member.seq).expect("members are whole");
            own.score(&days, points, entry.id, member.seq, &mut standings);
        });
        world.resource_mut::<Closing>().scored.push(entry.id);
    }
}

fn close_group(world: &mut World, group: Entity, was: Day, today: Day) {
    let (old, new) = (OpenDays::of(was), OpenDays::of(today));
    for (index, kind) in PeriodKind::ALL.into_iter().enumerate() {
        if old.firsts[index] != new.firsts[index] {
            let period = Period { kind, first: old.firsts[index] };
            close_period(world, group, index, period);
        }
    }
    world.get_mut::<Standings>(group).expect("groups are whole").today = today;
}

fn close_period(world: &mut World, group: Entity, index: usize, period: Period) {
    let mut standings = world.get_mut::<Standings>(group).expect("groups are whole");
    let mut active = std::mem::take(&mut standings.active[index]);
    active.sort_unstable();
    active.dedup();
    let community = world.get::<Community>(group).expect("groups are whole");
    let (seq, policy) = (community.seq, community.policy);
    let branch = world.resource::<Setup>().branch;
    let days = period.first..period.next().first;
    let members = world.resource::<Column<Member>>();
    let own = world.resource::<Column<Scores>>();
    // Who came from a group whose day was ahead has scored in a later period: that standing is
    // still open.
    let mut ahead = Vec::new();
    let scores = active.into_iter().filter_map(|seq_of| {
        let (member, scores) = members.get(seq_of).zip(own.get(seq_of))?;
        let erased = member.status == MemberStatus::Erased;
        if member.community != seq || erased && !mutant::planted("board/erased-listed") {
            return None;
        }
        if scores.day >= days.end {
            ahead.push(seq_of);
        }
        // A member's scores move on when they score; these are of the period that closes.
        let listed = days.contains(&scores.day);
        listed.then(|| (MemberId::new(branch, seq_of), scores.slot(index)))
    });
    let rows = rank(policy.ties, scores);
    world.get_mut::<Standings>(group).expect("groups are whole").active[index] = ahead;
    let key = BoardKey::Community(CommunityId::new(branch, seq), period);
    close(world, key, policy, Some(CommunityId::new(branch, seq)), rows);
}

/// Keeps a standing for good; an empty one leaves nothing.
fn close(
    world: &mut World,
    key: BoardKey,
    policy: BoardPolicy,
    community: Option<CommunityId>,
    rows: Vec<Ranked>,
) {
    if rows.is_empty() {
        return;
    }
    let at = world.resource::<Now>().at;
    let mut bytes = encode(&(key, policy));
    crate::chain::rows(&mut bytes, &rows);
    let digest = Digest::of(&bytes);
    world.resource_mut::<Closing>().closed.push(ClosedBoard { key, rows, at, digest });
    let kind = EventKind::BoardClosed(key, digest);
    world.resource_mut::<Stream<Announced>>().write(Announced { community, kind });
}

/// Scores what this batch booked.
#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn score(
    members: Res<Column<Member>>,
    people: Res<People>,
    runs: Res<RunIndex>,
    rounds: Res<RoundIndex>,
    closing: Res<Closing>,
    scores: ResMut<Column<Scores>>,
    mut groups: Query<&mut Standings>,
    mut run_scores: Query<&mut RunScores>,
    mut round_scores: Query<&mut RoundScores>,
    books: Res<Books>,
) {
    let scores = scores.into_inner();
    let mut days: Option<OpenDays> = None;
    // Entries of one run and round come together, and so do members of one group.
    let place = |entry: &LedgerEntry| {
        let origin = books.origin(entry);
        (origin.run(), origin.round())
    };
    let mut group: Option<(u32, &mut Standings)> = None;
    let mut rest = books.entries.as_slice();
    while let Some(first) = rest.first() {
        let here = place(first);
        let len = rest.iter().position(|entry| place(entry) != here).unwrap_or(rest.len());
        let (mut entries, after) = rest.split_at(len);
        rest = after;
        let run = here.0.and_then(|run| runs.entity(run.seq));
        let mut run = run.and_then(|entity| run_scores.get_mut(entity).ok());
        let round = here.1.and_then(|round| rounds.entity(round.seq));
        let mut round = round.and_then(|entity| round_scores.get_mut(entity).ok());
        while let Some(entry) = entries.first() {
            let (member, points, entry) = next_score(&mut entries, entry, &closing);
            let Some(MemberId { seq, .. }) = member else { continue };
            if let Some(table) = &mut run {
                table.0.at(seq).add(points, entry);
            }
            if let Some(table) = &mut round {
                table.0.at(seq).add(points, entry);
            }
            if closing.scored.binary_search(&entry).is_ok() {
                continue;
            }
            let Some(info) = members.get(seq) else { continue };
            if group.as_ref().is_none_or(|(known, _)| *known != info.community) {
                let entity = people.community(info.community);
                let standings = entity.and_then(|entity| groups.get_mut(entity).ok());
                group = standings.map(|standings| (info.community, standings.into_inner()));
            }
            if let Some(((_, standings), own)) = group.as_mut().zip(scores.get_mut(seq)) {
                let days = match &days {
                    Some(days) if days.day == standings.today => days,
                    _ => &*days.insert(OpenDays::of(standings.today)),
                };
                own.score(days, points, entry, seq, standings);
            }
        }
    }
}

/// Takes the first entry off, with the awards to the same member that follow it: whose standing
/// changes, by how much, and with which entry it does. Where standings closed in this batch, entries
/// are told apart.
#[inline]
fn next_score(
    entries: &mut &[LedgerEntry],
    first: &LedgerEntry,
    closing: &Closing,
) -> (Option<MemberId>, i64, u64) {
    let mut len = 1;
    let Some((member, mut points)) = scored(first) else {
        *entries = &entries[len..];
        return (None, 0, first.id);
    };
    if first.kind == EntryKind::Award && closing.scored.is_empty() {
        let alike = |entry: &&LedgerEntry| entry.kind == first.kind && entry.to == first.to;
        for entry in entries[1..].iter().take_while(alike) {
            points += entry.points.0;
            len += 1;
        }
    }
    let last = entries[len - 1].id;
    *entries = &entries[len..];
    (Some(member), points, last)
}

/// Whose standing an entry changes, and by how much: awards, and awards taken back.
fn scored(entry: &LedgerEntry) -> Option<(MemberId, i64)> {
    let counts = matches!(entry.kind, EntryKind::Award | EntryKind::Reversal);
    let (member, points) = entry.member_change().filter(|_| counts)?;
    Some((member, points.0))
}

/// Closes the standing of a run for good, once what the run earned in this batch is in it.
pub(crate) fn close_run(world: &mut World, run: u32) {
    world.resource_mut::<Closing>().ended.push(run);
}

fn close_runs(world: &mut World) {
    for seq in std::mem::take(&mut world.resource_mut::<Closing>().ended) {
        let Some(entity) = world.resource::<RunIndex>().entity(seq) else { continue };
        let key = BoardKey::Run(RunId::new(world.resource::<Setup>().branch, seq));
        let policy = world.get::<RunPlan>(entity).expect("indexed runs are whole").quest.board;
        let scores = &world.get::<RunScores>(entity).expect("runs have scores").0;
        let rows = rank(policy.ties, table(world, scores));
        close(world, key, policy, None, rows);
    }
}

/// Closes the standing of a round for good.
pub(crate) fn close_round(world: &mut World, entity: Entity) {
    let round = world.get::<Round>(entity).expect("indexed rounds are whole");
    let key = BoardKey::Round(RoundId::new(world.resource::<Setup>().branch, round.seq));
    let run = world.resource::<RunIndex>().entity(round.run);
    let policy = run.and_then(|run| world.get::<RunPlan>(run)).map(|plan| plan.quest.board);
    let policy = policy.unwrap_or_default();
    let scores = &world.get::<RoundScores>(entity).expect("rounds have scores").0;
    let rows = rank(policy.ties, table(world, scores));
    close(world, key, policy, None, rows);
}

/// The rows of a table of scores, in member order, without those whose data was erased.
pub(crate) fn table<'a>(
    world: &'a World,
    scores: &'a Paged<Held>,
) -> impl Iterator<Item = (MemberId, Score)> + 'a {
    let branch = world.resource::<Setup>().branch;
    let members = world.resource::<Column<Member>>();
    // Whose data was erased is on no list; others hold their place by number only.
    let listed = |seq| members.get(seq).is_some_and(|member| member.status != MemberStatus::Erased);
    let rows = scores.by_member().filter(move |(seq, _)| listed(*seq));
    rows.map(move |(seq, score)| (MemberId::new(branch, seq), score.score()))
}

#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    scores: Cow<'a, [Scores]>,
    standings: Vec<Standings>,
}

fn save(world: &mut World) -> Vec<u8> {
    let people = world.resource::<People>();
    let mut standings: Vec<Standings> = column(world, &people.communities);
    for active in standings.iter_mut().flat_map(|standings| &mut standings.active) {
        // Only who is in the list matters.
        active.sort_unstable();
        active.dedup();
    }
    let scores = Cow::Borrowed(world.resource::<Column<Scores>>().all());
    encode(&Saved { scores, standings })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("board", bytes)?;
    let groups = world.resource::<People>().communities.clone();
    let members = world.resource::<Column<Member>>().len();
    if (saved.scores.len(), saved.standings.len()) != (members, groups.len()) {
        return Err(RestoreError::Unreadable("section `board`: members are missing".to_owned()));
    }
    world.insert_resource(Column::restored(saved.scores.into_owned()));
    let known = groups.len();
    for (entity, standings) in groups.into_iter().zip(saved.standings) {
        world.entity_mut(entity).insert(standings);
    }
    let next = next_turn(world);
    world.insert_resource(Closing { next, groups: known, ..Closing::default() });
    Ok(())
}
