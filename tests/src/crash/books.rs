//! What senders know, and what is found in the journal: the two must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dengmi_core::{Account, EntryKind, MemberId};
use dengmi_host::Packs;
use dengmi_host::replay::{self, Replayed};
use dengmi_store::{Journal as _, LedgerRow, SqliteStore, snapshot, verify};

use super::ground::{self, BRANCH};
use super::worker::STEPS;

/// What the senders of one folder know, over all its crashes.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// Commands that were sent, by number.
    pub sent: BTreeSet<u64>,
    /// Commands that were acknowledged, with their outcome.
    pub acked: BTreeMap<u64, String>,
    /// Whether the clock jumped.
    pub jumped: bool,
    /// Acknowledgements read.
    pub acks: u64,
    /// Of these, of commands that had been committed and not acknowledged before a crash.
    pub recovered: u64,
    /// Refusals read, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// What is not as it was promised.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Acknowledged commands that are gone.
    pub lost: Vec<String>,
    /// Commands or awards that counted twice.
    pub twice: Vec<String>,
    /// Anything else.
    pub other: Vec<String>,
}

impl Faults {
    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.twice.is_empty() && self.other.is_empty()
    }

    /// A fault of the third kind alone.
    #[must_use]
    pub fn one(what: impl Into<String>) -> Self {
        Self { other: vec![what.into()], ..Self::default() }
    }

    /// Adds those of another check.
    pub fn add(&mut self, more: Self) {
        self.lost.extend(more.lost);
        self.twice.extend(more.twice);
        self.other.extend(more.other);
    }

    /// The first ones of each kind, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let part = |name: &str, of: &[String]| match of {
            [] => String::new(),
            some => format!("{name} {}: {}; ", some.len(), some[..some.len().min(3)].join(" | ")),
        };
        part("lost", &self.lost) + &part("twice", &self.twice) + &part("other", &self.other)
    }
}

impl Books {
    /// Enters what a worker wrote down. A torn last line was never read by anybody.
    pub fn enter(&mut self, text: &str) -> Faults {
        let mut faults = Faults::default();
        let before = self.acked.clone();
        let sent = self.sent.clone();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let mut parts = line.splitn(4, ' ');
            let kind = parts.next();
            let number = parts.next().and_then(|number| number.parse::<u64>().ok());
            match (kind, number) {
                (Some("S"), Some(number)) => {
                    self.sent.insert(number);
                }
                (Some("A"), Some(number)) => {
                    self.acks += 1;
                    let replayed = parts.next() == Some("1");
                    let outcome = parts.next().unwrap_or_default().to_owned();
                    match before.get(&number) {
                        Some(first) if !replayed => {
                            faults.lost.push(format!("{number} was {first}, then new: {outcome}"));
                        }
                        Some(first) if *first != outcome && first != "?" => {
                            faults.lost.push(format!("{number} was {first}, then {outcome}"));
                        }
                        _ => {}
                    }
                    if replayed && !before.contains_key(&number) {
                        self.recovered += u64::from(sent.contains(&number));
                    }
                    self.acked.insert(number, outcome);
                }
                (Some("R"), Some(_)) => {
                    let why = parts.next().unwrap_or_default().to_owned();
                    *self.refused.entry(why).or_default() += 1;
                }
                (Some("J"), None) => self.jumped = true,
                _ => faults.other.push(format!("cannot be read: {line}")),
            }
        }
        faults
    }

    /// The units a crash interrupted, and all begun after them: the first, and how many.
    #[must_use]
    pub fn interrupted(&self) -> (u64, u64) {
        let unit = |number: &u64| number / STEPS;
        let end = self.sent.last().map_or(0, |last| unit(last) + 1);
        let open = |n: &u64| (n * STEPS..(n + 1) * STEPS).any(|n| !self.acked.contains_key(&n));
        let first = (0..end).find(open).unwrap_or(end);
        (first, end - first)
    }
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What is wrong.
    pub faults: Faults,
    /// Commands of the books that are committed and were not acknowledged, by number.
    pub unacknowledged: BTreeSet<u64>,
    /// Records in the journal.
    pub records: u64,
}

/// Opens what a crash left, as a start would, and holds it against the books: every acknowledged
/// command is there once with its outcome; the chain is whole; ledger, snapshots and state are
/// what applying the journal again gives. `whole`: from the first record on, with the digests of
/// all that was booked with each.
///
/// Changes the folder as every start does: give it a copy.
pub async fn audit(folder: &Path, packs: &Packs, books: &Books, whole: bool) -> Found {
    let mut found = Found::default();
    if let Err(why) = examine(folder, packs, books, whole, &mut found).await {
        found.faults.other.push(why);
    }
    found
}

async fn examine(
    folder: &Path,
    packs: &Packs,
    books: &Books,
    whole: bool,
    found: &mut Found,
) -> Result<(), String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let store = ground::open(folder).await;
    let store = store.map_err(|error| words(&error))?;
    let recovered = store.recover(BRANCH).await.map_err(|error| words(&error))?;
    if let Some(cut) = recovered.cut {
        found.faults.other.push(format!("record {} is torn: {}", cut.seq, cut.why));
    }
    if whole {
        let report = verify(&store, BRANCH).await.map_err(|error| words(&error))?;
        if !report.is_sound() {
            found.faults.other.push(format!("not sound: {report:?}"));
        }
    }
    compare(&store, books, found).await?;

    let meta = store.branches().await.map_err(|error| words(&error))?;
    let meta = meta.first().ok_or("the branch is gone")?;
    let mut silent = |_, _| {};
    let mut states = BTreeSet::new();
    let mut last = None;
    let list = snapshot::list(&ground::snapshots(folder), BRANCH);
    for (seq, path) in list.map_err(|error| words(&error))? {
        // A visible snapshot was synced before it was named, and committed before it was written.
        if seq > recovered.head.seq {
            found.faults.other.push(format!("snapshot {seq} is ahead of the journal"));
            continue;
        }
        let replayed = replay::from_snapshot(&store, meta, packs, &path, &mut silent).await;
        let mut replayed = replayed.map_err(|error| format!("snapshot {seq}: {error}"))?;
        states.insert(replayed.engine.digest());
        last = Some(replayed);
    }
    if whole || last.is_none() {
        let again = replay::from_beginning(&store, meta, packs, &mut silent).await;
        let mut again = again.map_err(|error| words(&error))?;
        states.insert(again.engine.digest());
        last = Some(again);
    }
    let Some(last) = last else { return Err("there is no state".to_owned()) };
    if states.len() != 1 || last.engine.seq() != recovered.head.seq {
        found.faults.other.push("snapshots and journal give different states".to_owned());
    }
    ledger(&store, &last, &mut found.faults).await?;
    store.close().await.map_err(|error| words(&error))
}

/// The ledger's sums and balances are what the state says, and no award is paid twice.
async fn ledger(store: &SqliteStore, last: &Replayed, faults: &mut Faults) -> Result<(), String> {
    let words = |error: dengmi_store::StoreError| error.to_string();
    let mut held: BTreeMap<MemberId, i64> = BTreeMap::new();
    let mut grants = BTreeSet::new();
    for LedgerRow { entry, rule } in
        store.entries_after(BRANCH, 0, u32::MAX).await.map_err(words)?
    {
        for (account, points) in [(entry.from, -entry.points.0), (entry.to, entry.points.0)] {
            if let Account::Member(member) = account {
                *held.entry(member).or_default() += points;
            }
        }
        let grant = (rule, entry.to, entry.cause);
        if entry.kind == EntryKind::Award && !grants.insert(grant.clone()) {
            faults.twice.push(format!("paid again: {grant:?}"));
        }
    }
    for seq in 1..=last.engine.members() {
        let member = MemberId::new(BRANCH, seq);
        let balance = last.engine.member_card(member).map(|card| card.balance.0);
        let booked = held.get(&member).copied().unwrap_or(0);
        if balance != Some(booked) {
            faults.other.push(format!("{member} has {balance:?}, the ledger says {booked}"));
        }
    }
    let sums = store.sums(BRANCH).await.map_err(words)?;
    let members: i128 = held.values().copied().map(i128::from).sum();
    if sums.total() != 0 || sums.members != members {
        faults.other.push(format!("sums: {sums:?}, members {members}"));
    }
    Ok(())
}

/// Every acknowledged command is in the journal, once, with its outcome.
async fn compare(store: &SqliteStore, books: &Books, found: &mut Found) -> Result<(), String> {
    let words = |error: dengmi_store::StoreError| error.to_string();
    let mut stored: BTreeMap<u64, String> = BTreeMap::new();
    let records = store.read(BRANCH, 0, u32::MAX).await.map_err(words)?.records;
    found.records = records.len() as u64;
    for record in records {
        let (batch, _) = record.decode().map_err(words)?;
        for (key, outcome) in batch.keys.iter().zip(&batch.outcomes) {
            let Some(key) = key else { continue };
            let number = (key.key & u128::from(u64::MAX)) as u64;
            if let Some(first) = stored.insert(number, format!("{outcome:?}")) {
                found.faults.twice.push(format!("command {number}: {first}, then {outcome:?}"));
            }
        }
    }
    for (number, outcome) in &books.acked {
        match stored.get(number) {
            None => found.faults.lost.push(format!("command {number}: {outcome}")),
            Some(now) if now != outcome && outcome != "?" => {
                found.faults.lost.push(format!("command {number} was {outcome}, is {now}"));
            }
            Some(_) => {}
        }
    }
    found.unacknowledged = stored
        .into_keys()
        .filter(|number| books.sent.contains(number) && !books.acked.contains_key(number))
        .collect();
    Ok(())
}
