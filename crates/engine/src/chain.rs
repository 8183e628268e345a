//! The chain over everything an engine answers. A link takes in one batch: its number and time,
//! outcomes, entries, events and closed standings, as postcard writes them.
//!
//! What comes by the thousand (entries, ordinary outcomes, rows of standings) is written here by
//! hand, byte for byte what postcard writes and several times faster; a property holds the two
//! together. The bytes go to the hash in pieces, so a batch's size decides about no memory.

use blake3::Hasher;
use dengmi_core::id::Id;
use dengmi_core::view::board::Ranked;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{Account, Cause, Day, Digest, LedgerEntry, Outcome, Receipt, mutant};
use serde::Serialize;

use crate::kernel::{Now, encode_into};

/// Bytes given to the hash at once: enough for it to work on several blocks side by side.
const PIECE: usize = 32 * 1_024;

/// Room for any one entry, outcome or row.
const ITEM_MAX: usize = 128;

/// Links batches into the chain; keeps its room.
pub(crate) struct Linker {
    piece: Vec<u8>,
}

impl Default for Linker {
    fn default() -> Self {
        Self { piece: Vec::with_capacity(PIECE + ITEM_MAX) }
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
        each(piece, &mut hasher, said.entries, entry);
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
    write: impl Fn(&mut Vec<u8>, &T),
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

/// Bytes of one item, on the stack. Nothing that is written here takes more than
/// [`ITEM_MAX`]: the longest entry has 87.
struct Short {
    bytes: [u8; ITEM_MAX],
    len: usize,
}

impl Default for Short {
    fn default() -> Self {
        Self { bytes: [0; ITEM_MAX], len: 0 }
    }
}

impl Short {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline(always)]
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    #[inline(always)]
    fn varint(&mut self, mut value: u64) {
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
    let mut short = Short::default();
    short.varint(items as u64);
    bytes.extend_from_slice(short.bytes());
}

fn entry(bytes: &mut Vec<u8>, entry: &LedgerEntry) {
    let mut short = Short::default();
    short.varint(entry.id);
    short.signed(entry.at.0);
    short.day(entry.day);
    short.push(entry.kind as u8);
    short.account(entry.from);
    short.account(entry.to);
    short.signed(entry.points.0);
    short.push(u8::from(entry.rule.is_some()));
    if let Some(rule) = entry.rule {
        short.varint(u64::from(rule.code));
        short.varint(u64::from(rule.version));
    }
    let whole = short.cause(entry.cause);
    bytes.extend_from_slice(short.bytes());
    if !whole {
        plain(bytes, &entry.cause);
    }
}

fn outcome(bytes: &mut Vec<u8>, outcome: &Outcome) {
    let mut short = Short::default();
    match outcome {
        Outcome::Done(Receipt::CheckedIn(state)) => {
            short.push(0);
            short.push(6);
            short.day(state.day);
            short.day(state.alive_until);
            for count in [state.length, state.longest, state.total] {
                short.varint(u64::from(count));
            }
            short.push(state.freezes);
            short.push(state.make_ups);
        }
        Outcome::Done(Receipt::Taken { round, answered }) => {
            short.push(0);
            short.push(7);
            short.id(*round);
            short.push(*answered);
        }
        Outcome::Done(Receipt::Reacted { counted }) => {
            short.push(0);
            short.push(9);
            short.push(u8::from(*counted));
        }
        other => plain(bytes, other),
    }
    bytes.extend_from_slice(short.bytes());
}

fn row(bytes: &mut Vec<u8>, row: &Ranked) {
    let mut short = Short::default();
    short.row(row);
    bytes.extend_from_slice(short.bytes());
}

/// The rows of a standing, how many first.
pub(crate) fn rows(bytes: &mut Vec<u8>, ranked: &[Ranked]) {
    count(bytes, ranked.len());
    ranked.iter().for_each(|one| row(bytes, one));
}

#[cfg(test)]
mod tests {
    use dengmi_core::ledger::RuleRef;
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
        (numbers, any::<u32>(), 0..6).prop_map(|((a, b, [c, d, e], [f, g]), seq, kind)| {
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
