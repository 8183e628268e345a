//! What every store does with a commit before storing it: check it against the head, and seal it
//! into records.

use dengmi_core::view::Event;
use dengmi_core::{Account, BranchId, Cause, EntryKind, MemberId};

use crate::error::StoreError;
use crate::journal::{Commit, Head, LedgerRow};
use crate::record::{Effects, Record};

/// What is paid at most once, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    /// The rule that paid.
    pub(crate) rule: String,
    /// Whom.
    pub(crate) member: MemberId,
    /// What for.
    pub(crate) cause: Cause,
}

impl Grant {
    /// The natural key of an award; `None` for every other entry.
    pub(crate) fn of(row: &LedgerRow) -> Option<Self> {
        match (row.entry.kind, row.entry.to, &row.rule) {
            (EntryKind::Award, Account::Member(member), Some(rule)) => {
                Some(Self { rule: rule.clone(), member, cause: row.entry.cause })
            }
            _ => None,
        }
    }
}

/// Checks a group of commits and makes their records: the records, and the head after them.
pub(crate) fn seal(
    branch: BranchId,
    head: Head,
    commits: &[Commit],
) -> Result<(Vec<Record>, Head), StoreError> {
    let mut head = head;
    let mut records = Vec::with_capacity(commits.len());
    for commit in commits {
        check(branch, &head, commit)?;
        let effects = effects(&commit.ledger, &commit.events, commit.closed_boards.len())
            .map_err(|why| invalid(branch, commit, why))?;
        let record = Record::new(branch, head.hash, &commit.batch, &effects)?;
        head = Head {
            seq: record.seq,
            at: record.at,
            hash: record.hash,
            entry: head.entry + commit.ledger.len() as u64,
            event: head.event + commit.events.len() as u64,
        };
        records.push(record);
    }
    Ok((records, head))
}

/// Counts and digest of what is booked with a batch.
pub(crate) fn effects(
    ledger: &[LedgerRow],
    events: &[Event],
    closed_boards: usize,
) -> Result<Effects, String> {
    let count = |n: usize| u32::try_from(n).map_err(|_| "more than 2^32 effects".to_owned());
    let mut bytes = Vec::with_capacity(64 * (ledger.len() + events.len()));
    for row in ledger {
        bytes = postcard::to_extend(row, bytes).map_err(|error| error.to_string())?;
    }
    for event in events {
        bytes = postcard::to_extend(event, bytes).map_err(|error| error.to_string())?;
    }
    let digest = blake3::derive_key("dengmi journal effects v1", &bytes);
    Ok(Effects {
        entries: count(ledger.len())?,
        events: count(events.len())?,
        closed_boards: count(closed_boards)?,
        digest: dengmi_core::Digest(digest),
    })
}

fn invalid(branch: BranchId, commit: &Commit, why: impl Into<String>) -> StoreError {
    StoreError::Invalid { branch, seq: commit.batch.batch.seq, why: why.into() }
}

fn check(branch: BranchId, head: &Head, commit: &Commit) -> Result<(), StoreError> {
    let batch = &commit.batch;
    let expected = head.seq + 1;
    if batch.batch.seq != expected {
        return Err(StoreError::Conflict { branch, expected, found: batch.batch.seq });
    }
    if head.seq > 0 && batch.batch.at <= head.at {
        return Err(invalid(branch, commit, "its time does not rise"));
    }
    let commands = batch.batch.commands.len();
    if batch.keys.len() != commands || batch.outcomes.len() != commands {
        return Err(invalid(branch, commit, "commands, keys and outcomes differ in number"));
    }
    for (row, id) in commit.ledger.iter().zip(head.entry + 1..) {
        if row.entry.id != id {
            let why = format!("entry {} stands where {id} is next", row.entry.id);
            return Err(invalid(branch, commit, why));
        }
        if let Some(why) = entry_fault(branch, row) {
            return Err(invalid(branch, commit, format!("entry {id} {why}")));
        }
    }
    for (event, seq) in commit.events.iter().zip(head.event + 1..) {
        if event.seq != seq {
            let why = format!("event {} stands where {seq} is next", event.seq);
            return Err(invalid(branch, commit, why));
        }
    }
    Ok(())
}

fn entry_fault(branch: BranchId, row: &LedgerRow) -> Option<&'static str> {
    let entry = &row.entry;
    let member_of = |account| match account {
        Account::Member(member) => Some(member),
        _ => None,
    };
    let (from, to) = (member_of(entry.from), member_of(entry.to));
    let fault = if entry.points.0 <= 0 {
        "moves no points"
    } else if entry.from == entry.to || from.is_some() && to.is_some() {
        "moves points within one kind of account"
    } else if from.or(to).is_some_and(|member: MemberId| member.branch != branch) {
        "is of a member of another branch"
    } else if entry.kind == EntryKind::Award && Grant::of(row).is_none() {
        "is an award without a rule or a member"
    } else {
        return None;
    };
    Some(fault)
}
