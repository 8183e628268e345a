//! The chain over everything an engine answers. A link takes in one batch: its number and time,
//! outcomes, entries, events and closed standings, as postcard writes them.
//!
//! What comes by the thousand (entries, ordinary outcomes, rows of standings) is written here by
//! hand, byte for byte what postcard writes and several times faster; a property holds the two
//! together. The bytes go to the hash in pieces, so a batch's size decides about no memory.

use blake3::Hasher;
use dengmi_core::course::{CourseReceipt, ItemMark};
use dengmi_core::id::Id;
use dengmi_core::ledger::RuleRef;
use dengmi_core::mock::MockReceipt;
use dengmi_core::view::board::Ranked;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{Account, Cause, Day, Digest, EntryKind, LedgerEntry, Outcome, Receipt, mutant};
use serde::Serialize;

use crate::kernel::{Now, encode_into};
use crate::short::Short;

/// Bytes given to the hash at once: enough for it to work on several blocks side by side.
const PIECE: usize = 32 * 1_024;

/// Room for any one entry, outcome or row: the longest entry takes 87 bytes.
const ITEM_MAX: usize = 96;

/// Room for an award by a cause that is written here: 72 bytes at most.
const AWARD_MAX: usize = 80;

/// Room for a check-in's outcome, which takes 23 bytes at most, or a row of a standing.
const SMALL_MAX: usize = 32;

/// Room for the mark of a reviewed item, which takes nine bytes at most. Numbers of up to three
/// bytes are written as four.
const ITEM_MARK_MAX: usize = 12;

/// Links batches into the chain; keeps its room.
pub(crate) struct Linker {
    piece: Vec<u8>,
}

impl Default for Linker {
    fn default() -> Self {
        Self { piece: Vec::with_capacity(PIECE + 2 * ITEM_MAX) }
    }
}

/// What one batch answered.
pub(crate) struct Said<'a> {
    pub(crate) now: Now,
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) entries: &'a [LedgerEntry],
    pub(crate) events: &'a [Event],
    pub(crate) closed: &'a [ClosedBoard],
}

impl Linker {
    /// The digest after `last`.
    pub(crate) fn link(&mut self, last: Digest, said: &Said) -> Digest {
        let mut hasher = Hasher::new();
        hasher.update(&last.0);
        let piece = &mut self.piece;
        piece.clear();
        plain(piece, &(said.now.seq, said.now.at));
        let kept = said.outcomes.len().saturating_sub(1);
        let skips = mutant::planted("chain/skips-outcome");
        let outcomes = if skips { &said.outcomes[..kept] } else { said.outcomes };
        each(piece, &mut hasher, outcomes, outcome);
        let mut entries = Entries::default();
        each(piece, &mut hasher, said.entries, |piece, entry| entries.write(piece, entry));
        each(piece, &mut hasher, said.events, plain);
        count(piece, said.closed.len());
        for board in said.closed {
            plain(piece, &board.key);
            each(piece, &mut hasher, &board.rows, row);
            plain(piece, &board.at);
            piece.extend_from_slice(&board.digest.0);
        }
        hasher.update(piece);
        Digest(*hasher.finalize().as_bytes())
    }
}

/// A list: how many, then each.
fn each<T>(
    piece: &mut Vec<u8>,
    hasher: &mut Hasher,
    items: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T),
) {
    count(piece, items.len());
    for item in items {
        if piece.len() >= PIECE {
            hasher.update(piece);
            piece.clear();
        }
        write(piece, item);
    }
}

/// Whatever is rare.
fn plain<T: Serialize>(bytes: &mut Vec<u8>, value: &T) {
    *bytes = encode_into(value, std::mem::take(bytes));
}

impl<const N: usize> Short<N> {
    #[inline(always)]
    fn varint(&mut self, value: u64) {
        // Seven bits a byte, lowest first; all but the last have the highest bit set.
        match value {
            0..0x80 => self.push(value as u8),
            0x80..0x4000 => {
                let two = (value & 0x7f | (value & 0x3f80) << 1) as u16 | 0x80;
                self.fixed(two.to_le_bytes(), 2);
            }
            0x4000..0x20_0000 => {
                let low = value & 0x7f | (value & 0x3f80) << 1;
                let three = (low | (value & 0x1f_c000) << 2) as u32 | 0x8080;
                self.fixed(three.to_le_bytes(), 3);
            }
            _ => self.long_varint(value),
        }
    }

    fn long_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    #[inline(always)]
    fn signed(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)) as u64);
    }

    #[inline(always)]
    fn day(&mut self, day: Day) {
        self.signed(i64::from(day.0));
    }

    #[inline(always)]
    fn id<K>(&mut self, id: Id<K>) {
        self.varint(u64::from(id.branch.0));
        self.varint(u64::from(id.seq));
    }

    #[inline(always)]
    fn account(&mut self, account: Account) {
        self.push(match account {
            Account::Issue => 0,
            Account::Member(_) => 1,
            Account::Redemption => 2,
            Account::Expiry => 3,
            Account::House => 4,
        });
        if let Account::Member(member) = account {
            self.id(member);
        }
    }

    fn rule(&mut self, rule: Option<RuleRef>) {
        self.push(u8::from(rule.is_some()));
        if let Some(rule) = rule {
            self.varint(u64::from(rule.code));
            self.varint(u64::from(rule.version));
        }
    }

    /// Whether the cause was of a kind that is written here.
    fn cause(&mut self, cause: Cause) -> bool {
        let (kind, run) = match cause {
            Cause::CheckIn(run, _) => (0, run),
            Cause::Answer { run, .. } => (1, run),
            Cause::Round { run, .. } => (2, run),
            Cause::Like(run, _) => (3, run),
            Cause::Comment(run, _) => (4, run),
            Cause::Order(_) | Cause::Entry(_) | Cause::Expired(_) => return false,
        };
        self.push(kind);
        self.id(run);
        match cause {
            Cause::CheckIn(_, day) => self.day(day),
            Cause::Answer { round, question, revision, .. } => {
                self.id(round);
                self.push(question);
                self.push(revision);
            }
            Cause::Round { round, revision, .. } => {
                self.id(round);
                self.push(revision);
            }
            Cause::Like(_, post) | Cause::Comment(_, post) => self.id(post),
            Cause::Order(_) | Cause::Entry(_) | Cause::Expired(_) => {}
        }
        true
    }

    fn row(&mut self, row: &Ranked) {
        self.varint(u64::from(row.rank));
        self.id(row.member);
        self.signed(i64::from(row.points));
    }
}

fn count(bytes: &mut Vec<u8>, items: usize) {
    let mut short = Short::<SMALL_MAX>::default();
    short.varint(items as u64);
    short.put(bytes);
}

/// What awards to different members have in common, written once: entries of a batch are mostly
/// of few kinds.
struct Alike {
    at: i64,
    day: Day,
    rule: Option<RuleRef>,
    cause: Cause,
    /// Time, day, kind and giver.
    head: [u8; HEAD_MAX],
    head_len: usize,
    /// Rule and cause.
    tail: [u8; TAIL_MAX],
    tail_len: usize,
}

/// Ten bytes of time, five of day, kind and giver.
const HEAD_MAX: usize = 17;

/// A rule takes seven bytes, the longest cause nineteen.
const TAIL_MAX: usize = 26;

impl Alike {
    fn of(entry: &LedgerEntry) -> Option<Self> {
        let (mut head, mut tail) = (Short::<ITEM_MAX>::default(), Short::<ITEM_MAX>::default());
        head.signed(entry.at.0);
        head.day(entry.day);
        head.push(entry.kind as u8);
        head.account(entry.from);
        tail.rule(entry.rule);
        tail.cause(entry.cause).then(|| Self {
            at: entry.at.0,
            day: entry.day,
            rule: entry.rule,
            cause: entry.cause,
            head: std::array::from_fn(|n| head.bytes[n]),
            head_len: head.len,
            tail: std::array::from_fn(|n| tail.bytes[n]),
            tail_len: tail.len,
        })
    }

    fn is_of(&self, entry: &LedgerEntry) -> bool {
        (self.at, self.day) == (entry.at.0, entry.day)
            && self.cause == entry.cause
            && self.rule == entry.rule
    }
}

/// Writes entries; knows the last kinds of awards by what they are for.
#[derive(Default)]
struct Entries([Option<Alike>; 8]);

impl Entries {
    #[inline]
    fn write(&mut self, piece: &mut Vec<u8>, entry: &LedgerEntry) {
        let award = (entry.kind, entry.from) == (EntryKind::Award, Account::Issue);
        let place = match entry.cause {
            Cause::Answer { question, .. } => usize::from(question) % self.0.len(),
            Cause::Comment(..) => 1,
            _ => 0,
        };
        let known = &mut self.0[place];
        if award && !known.as_ref().is_some_and(|known| known.is_of(entry)) {
            *known = Alike::of(entry);
        }
        match known {
            Some(known) if award => {
                let mut short = Short::<AWARD_MAX>::default();
                short.varint(entry.id);
                short.fixed(known.head, known.head_len);
                short.account(entry.to);
                short.signed(entry.points.0);
                short.fixed(known.tail, known.tail_len);
                short.put(piece);
            }
            _ => whole(piece, entry),
        }
    }
}

fn whole(piece: &mut Vec<u8>, entry: &LedgerEntry) {
    let mut short = Short::<ITEM_MAX>::default();
    short.varint(entry.id);
    short.signed(entry.at.0);
    short.day(entry.day);
    short.push(entry.kind as u8);
    short.account(entry.from);
    short.account(entry.to);
    short.signed(entry.points.0);
    short.rule(entry.rule);
    let whole = short.cause(entry.cause);
    short.put(piece);
    if !whole {
        plain(piece, &entry.cause);
    }
}

fn outcome(piece: &mut Vec<u8>, outcome: &Outcome) {
    let mut short = Short::<SMALL_MAX>::default();
    match outcome {
        Outcome::Done(Receipt::CheckedIn(state)) => {
            short.fixed([0, 6], 2);
            short.day(state.day);
            short.day(state.alive_until);
            for count in [state.length, state.longest, state.total] {
                short.varint(u64::from(count));
            }
            short.fixed([state.freezes, state.make_ups], 2);
        }
        Outcome::Done(Receipt::Taken { round, answered }) => {
            short.fixed([0, 7], 2);
            short.id(*round);
            short.push(*answered);
        }
        Outcome::Done(Receipt::Reacted { counted }) => {
            short.fixed([0, 9, u8::from(*counted)], 3);
        }
        Outcome::Done(Receipt::Ok) => short.fixed([0, 0], 2),
        Outcome::Done(Receipt::Course(CourseReceipt::Finished { right, lessons })) => {
            short.fixed([0, 12, 1, u8::from(*right), *lessons], 5);
        }
        Outcome::Done(Receipt::Course(CourseReceipt::Reviewed { marks })) => {
            short.fixed([0, 12, 3], 3);
            short.varint(marks.len() as u64);
            short.put(piece);
            return marks.iter().for_each(|ItemMark { item, right, due }| {
                let mut mark = Short::<ITEM_MARK_MAX>::default();
                mark.varint(u64::from(*item));
                mark.push(u8::from(*right));
                mark.day(*due);
                mark.put(piece);
            });
        }
        Outcome::Done(Receipt::Course(CourseReceipt::Mock(MockReceipt::Ordered {
            order,
            market_day,
            state,
        }))) => {
            short.fixed([0, 12, 5, 2], 4);
            short.varint(u64::from(*order));
            short.signed(i64::from(*market_day));
            short.push(*state as u8);
        }
        Outcome::Done(Receipt::Course(CourseReceipt::Mock(MockReceipt::Written { texts }))) => {
            short.fixed([0, 12, 5, 3], 4);
            short.varint(u64::from(*texts));
        }
        other => return plain(piece, other),
    }
    short.put(piece);
}

#[inline]
fn row(piece: &mut Vec<u8>, row: &Ranked) {
    let mut short = Short::<SMALL_MAX>::default();
    short.row(row);
    short.put(piece);
}

/// The rows of a standing, how many first.
pub(crate) fn rows(bytes: &mut Vec<u8>, ranked: &[Ranked]) {
    bytes.reserve(ranked.len() * SMALL_MAX / 2);
    count(bytes, ranked.len());
    ranked.iter().for_each(|one| row(bytes, one));
}

#[cfg(test)]
mod tests {
    use dengmi_core::ledger::RuleRef;
    use dengmi_core::mock::OrderState;
    use dengmi_core::outcome::StreakState;
    use dengmi_core::{
        BranchId, EntryKind, MemberId, Points, PostId, Reject, RoundId, RunId, Timestamp,
    };
    use proptest::prelude::*;

    use super::*;

    fn cause() -> impl Strategy<Value = Cause> {
        let ids = (any::<u16>(), any::<u32>(), any::<u32>(), any::<u8>(), any::<u8>(), 0..8);
        ids.prop_map(|(branch, a, b, question, revision, kind)| {
            let branch = BranchId(branch);
            let (run, round) = (RunId::new(branch, a), RoundId::new(branch, b));
            match kind {
                0 => Cause::CheckIn(run, Day(b as i32)),
                1 => Cause::Answer { run, round, question, revision },
                2 => Cause::Round { run, round, revision },
                3 => Cause::Like(run, PostId::new(branch, b)),
                4 => Cause::Comment(run, PostId::new(branch, b)),
                5 => Cause::Order(u64::from(a) << 20),
                6 => Cause::Entry(u64::from(b)),
                _ => Cause::Expired(Day(a as i32)),
            }
        })
    }

    fn account(seq: u32, kind: u8) -> Account {
        match kind % 5 {
            0 => Account::Issue,
            1 => Account::Member(MemberId::new(BranchId(7), seq)),
            2 => Account::Redemption,
            3 => Account::Expiry,
            _ => Account::House,
        }
    }

    fn entries() -> impl Strategy<Value = LedgerEntry> {
        let numbers = (any::<u64>(), any::<i64>(), any::<i32>(), any::<i64>(), any::<u32>());
        let kinds = (any::<u8>(), any::<u8>(), 0..4, proptest::option::of(any::<(u16, u16)>()));
        (numbers, kinds, cause()).prop_map(|((id, at, day, points, seq), kinds, cause)| {
            let (from, to, kind, rule) = kinds;
            LedgerEntry {
                id,
                at: Timestamp(at),
                day: Day(day),
                kind: [
                    EntryKind::Award,
                    EntryKind::Redemption,
                    EntryKind::Expiry,
                    EntryKind::Reversal,
                ][kind as usize],
                from: account(seq, from),
                to: account(!seq, to),
                points: Points(points),
                rule: rule.map(|(code, version)| RuleRef { code, version }),
                cause,
            }
        })
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        let numbers = (any::<i32>(), any::<i32>(), any::<[u16; 3]>(), any::<[u8; 2]>());
        (numbers, any::<u32>(), 0..12).prop_map(|((a, b, [c, d, e], [f, g]), seq, kind)| {
            let mark = |item| ItemMark { item, right: item > d, due: Day(a ^ i32::from(item)) };
            let states = [
                OrderState::Accepted,
                OrderState::Priced,
                OrderState::Settled,
                OrderState::Cancelled,
                OrderState::Void,
            ];
            let state = states[usize::from(f) % states.len()];
            let round = RoundId::new(BranchId(c), seq);
            Outcome::Done(match kind {
                0 => Receipt::CheckedIn(StreakState {
                    day: Day(a),
                    alive_until: Day(b),
                    length: c,
                    longest: d,
                    total: e,
                    freezes: f,
                    make_ups: g,
                }),
                1 => Receipt::Taken { round, answered: f },
                2 => Receipt::Reacted { counted: a > b },
                3 => Receipt::Booked { balance: Points(i64::from(a)) },
                4 => Receipt::Post(PostId::new(BranchId(c), seq)),
                5 => Receipt::Ok,
                6 => Receipt::Course(CourseReceipt::Finished { right: a > b, lessons: f }),
                7 => Receipt::Course(CourseReceipt::Reviewed {
                    marks: [c, d, e].repeat(usize::from(g)).into_iter().map(mark).collect(),
                }),
                8 => Receipt::Course(CourseReceipt::Mock(MockReceipt::Ordered {
                    order: c,
                    market_day: a,
                    state,
                })),
                9 => Receipt::Course(CourseReceipt::Mock(MockReceipt::Written { texts: d })),
                10 => Receipt::Course(CourseReceipt::Taken { answered: e }),
                _ => {
                    let reject = Reject::ALL[seq as usize % Reject::ALL.len()];
                    return Outcome::Rejected(reject);
                }
            })
        })
    }

    proptest! {
        /// A link is the hash of what postcard writes, whatever there is of it.
        #[test]
        fn a_link_takes_in_what_postcard_writes(
            outcomes in proptest::collection::vec(outcomes(), 0..40),
            entries in proptest::collection::vec(entries(), 0..40),
            ranked in proptest::collection::vec((any::<u32>(), any::<u32>(), any::<i32>()), 0..40),
            (seq, at) in any::<(u64, i64)>(),
            often in 1usize..120,
        ) {
            let rows: Vec<Ranked> = ranked
                .into_iter()
                .map(|(rank, seq, points)| {
                    Ranked { rank, member: MemberId::new(BranchId(3), seq), points }
                })
                .collect();
            let entries = entries.repeat(often);
            let closed = ClosedBoard {
                key: dengmi_core::view::board::BoardKey::Run(RunId::new(BranchId(1), 9)),
                rows,
                at: Timestamp(at),
                digest: Digest::of(b"rows"),
            };
            let event = Event {
                seq,
                at: Timestamp(at),
                community: None,
                kind: dengmi_core::view::EventKind::ContentAdopted(Digest::of(b"pack")),
            };
            let now = Now { seq, at: Timestamp(at) };
            let (events, closed) = (vec![event; 2], vec![closed; 3]);
            let written = (now.seq, now.at, &outcomes, &entries, &events, &closed);
            let written = postcard::to_stdvec(&written).unwrap();
            let last = Digest::of(b"last");
            let said = Said {
                now,
                outcomes: &outcomes,
                entries: &entries,
                events: &events,
                closed: &closed,
            };
            prop_assert_eq!(Linker::default().link(last, &said), last.chain(&written));
        }
    }
}
