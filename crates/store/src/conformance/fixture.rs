//! Commits for the tests, written short.

use dengmi_core::command::{Action, Actor, Choice};
use dengmi_core::ledger::RuleRef;
use dengmi_core::outcome::Receipt;
use dengmi_core::random::Seed;
use dengmi_core::view::board::{BoardKey, Ranked};
use dengmi_core::view::{ClosedBoard, Event, EventKind};
use dengmi_core::{
    Account, Batch, BranchId, Cause, Command, CommunityId, Day, Digest, EntryKind, LedgerEntry,
    MemberId, Outcome, Points, Reject, RoundId, RunId, Timestamp, command::Answer,
};

use crate::{BranchMeta, CommandKey, Commit, JournalBatch, LedgerRow};

pub(crate) const B: BranchId = BranchId(3);
/// Time of batch `n` is this plus `n` seconds.
pub(crate) const START: i64 = 1_800_000_000_000;

pub(crate) fn at(seq: u64) -> Timestamp {
    Timestamp(START + 1_000 * seq as i64)
}

pub(crate) fn meta() -> BranchMeta {
    BranchMeta {
        branch: B,
        seed: Seed::from_number(11),
        branches: 4,
        content: Digest::of(b"pack"),
        created: Timestamp(START),
    }
}

pub(crate) fn member(seq: u32) -> MemberId {
    MemberId::new(B, seq)
}

pub(crate) fn run(seq: u32) -> RunId {
    RunId::new(B, seq)
}

/// A batch with `commands` commands of several shapes.
pub(crate) fn batch(seq: u64, commands: usize) -> JournalBatch {
    let command = |i: usize| {
        let member = member(i as u32 + 1);
        let action = match i % 3 {
            0 => Action::CheckIn { member, run: run(1), phrase: None, occurred: Some(at(seq)) },
            1 => Action::Answer {
                member,
                round: RoundId::new(B, 2),
                answers: vec![Answer { question: 3, choice: Choice::Many(u32::MAX) }],
            },
            _ => Action::AddManager,
        };
        Command { actor: Actor::Member(member), action }
    };
    let key = |i: usize| {
        (i % 4 != 3).then_some(CommandKey {
            key: u128::MAX - i as u128,
            principal: u64::MAX,
            fingerprint: [seq as u8; 16],
        })
    };
    let outcome = |i: usize| match i % 2 {
        0 => Outcome::Done(Receipt::Ok),
        _ => Outcome::Rejected(Reject::ALL[i % Reject::ALL.len()]),
    };
    JournalBatch {
        batch: Batch {
            seq,
            at: at(seq),
            commands: (0..commands).map(command).collect::<Vec<_>>().into(),
        },
        keys: (0..commands).map(key).collect(),
        outcomes: (0..commands).map(outcome).collect(),
        content: Digest::of(b"pack"),
        chain: Digest::of(&seq.to_le_bytes()),
        state: seq.is_multiple_of(3).then(|| Digest::of(b"state")),
    }
}

pub(crate) fn commit(seq: u64) -> Commit {
    Commit { batch: batch(seq, 4), ledger: vec![], events: vec![], closed_boards: vec![] }
}

/// An award of `points` to a member for checking in on `day`.
pub(crate) fn award(id: u64, who: u32, day: i32, points: i64) -> LedgerRow {
    LedgerRow {
        entry: LedgerEntry {
            id,
            at: at(id),
            day: Day(day),
            kind: EntryKind::Award,
            from: Account::Issue,
            to: Account::Member(member(who)),
            points: Points(points),
            rule: Some(RuleRef { code: 7, version: 2 }),
            cause: Cause::CheckIn(run(1), Day(day)),
        },
        rule: Some("streak/daily".to_owned()),
    }
}

pub(crate) fn movement(
    id: u64,
    kind: EntryKind,
    from: Account,
    to: Account,
    points: i64,
    cause: Cause,
) -> LedgerRow {
    let entry = LedgerEntry { kind, from, to, cause, rule: None, ..award(id, 1, 1, points).entry };
    LedgerRow { entry, rule: None }
}

pub(crate) fn event(seq: u64) -> Event {
    Event {
        seq,
        at: at(seq),
        community: seq.is_multiple_of(2).then(|| CommunityId::new(B, 5)),
        kind: EventKind::RunLaunched(run(seq as u32)),
    }
}

pub(crate) fn board(round: u32) -> ClosedBoard {
    ClosedBoard {
        key: BoardKey::Round(RoundId::new(B, round)),
        rows: vec![Ranked { rank: 1, member: member(round), points: 30 }],
        at: at(1),
        digest: Digest::of(&round.to_le_bytes()),
    }
}

/// Ten commits, each with two entries, an event, and every third with a closed standing.
pub(crate) fn history(len: u64) -> Vec<Commit> {
    (1..=len)
        .map(|seq| Commit {
            ledger: vec![
                award(2 * seq - 1, 1, seq as i32, 10),
                award(2 * seq, 2, seq as i32, seq as i64),
            ],
            events: vec![event(seq)],
            closed_boards: if seq.is_multiple_of(3) { vec![board(seq as u32)] } else { vec![] },
            ..commit(seq)
        })
        .collect()
}
