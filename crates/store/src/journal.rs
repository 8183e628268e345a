//! What the host asks of a store: append whole batches, read them back checked, and look things up
//! in the ledger, the outbox and the closed standings.

use std::future::Future;

use dengmi_core::random::Seed;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{BranchId, Digest, LedgerEntry, MemberId, Points, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::record::{JournalBatch, Record};

/// What a branch is created with. Never changes: the first record is tied to it by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchMeta {
    /// The branch.
    pub branch: BranchId,
    /// Seed of its engine.
    pub seed: Seed,
    /// Among how many branches bank-wide caps are divided.
    pub branches: u16,
    /// The pack that was current before the first batch.
    pub content: Digest,
    /// When it was created.
    pub created: Timestamp,
}

impl BranchMeta {
    /// What the first record's `prev` must be.
    #[must_use]
    pub fn genesis(&self) -> Digest {
        let mut hasher = blake3::Hasher::new_derive_key("dengmi journal genesis v1");
        hasher.update(&self.branch.0.to_le_bytes());
        hasher.update(&self.seed.0);
        hasher.update(&self.branches.to_le_bytes());
        hasher.update(&self.content.0);
        hasher.update(&self.created.0.to_le_bytes());
        Digest(*hasher.finalize().as_bytes())
    }

    /// The head before the first batch.
    #[must_use]
    pub fn empty_head(&self) -> Head {
        Head { seq: 0, at: Timestamp(0), hash: self.genesis(), entry: 0, event: 0 }
    }
}

/// The last of everything a branch has stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last batch; 0 before the first.
    pub seq: u64,
    /// Time of the last batch; the epoch before the first.
    pub at: Timestamp,
    /// Hash of the last record; [`BranchMeta::genesis`] before the first.
    pub hash: Digest,
    /// Number of the last ledger entry; 0 before the first.
    pub entry: u64,
    /// Number of the last event; 0 before the first.
    pub event: u64,
}

/// One batch and all its effects: stored as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// What goes into the journal.
    pub batch: JournalBatch,
    /// Ledger entries, ids following the last one stored.
    pub ledger: Vec<LedgerRow>,
    /// Events, numbers following the last one stored.
    pub events: Vec<Event>,
    /// Standings that were closed for good; each is stored once.
    pub closed_boards: Vec<ClosedBoard>,
}

/// A ledger entry with the id of its rule, which names it for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The entry.
    pub entry: LedgerEntry,
    /// Id of the rule that paid; never `None` for an award.
    pub rule: Option<String>,
}

/// Records read in order, each checked against the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Hash of the record before the first one read: compare it with a snapshot's.
    pub after: Digest,
    /// The records.
    pub records: Vec<Record>,
    /// The branch's last record, where it was reached and is torn; it is not among `records`.
    pub cut: Option<Cut>,
}

/// A last record that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its number.
    pub seq: u64,
    /// What does not fit.
    pub why: String,
}

impl Cut {
    /// The torn record as an error, for callers that need it whole.
    #[must_use]
    pub fn damaged(self, branch: BranchId) -> StoreError {
        StoreError::Damaged { branch, seq: self.seq, why: self.why }
    }
}

/// What [`Journal::recover`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The head after it.
    pub head: Head,
    /// The torn last record, if there was one; it and all that was booked with it is gone from
    /// the branch.
    pub cut: Option<Cut>,
}

/// What every kind of account holds in a branch. Sums to zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Minus everything ever issued.
    pub issue: i128,
    /// All members together.
    pub members: i128,
    /// Spent.
    pub redemption: i128,
    /// Expired.
    pub expiry: i128,
    /// Not recovered by reversals.
    pub house: i128,
}

impl Sums {
    /// The sum over all accounts: zero in a sound ledger.
    #[must_use]
    pub fn total(&self) -> i128 {
        self.issue + self.members + self.redemption + self.expiry + self.house
    }
}

/// The files of a pack: path and text.
pub type PackFiles = Vec<(String, String)>;

/// The journal of every branch, with the tables that follow from it. Reads of one branch never
/// show half of a commit.
///
/// Call [`Journal::recover`] once per branch before the first append.
pub trait Journal: Send + Sync + 'static {
    /// Creates a branch. Creating it again with the same settings changes nothing.
    ///
    /// # Errors
    /// [`StoreError::BranchExists`] where its settings differ.
    fn create_branch(
        &self,
        meta: BranchMeta,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// All branches, by number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn branches(&self) -> impl Future<Output = Result<Vec<BranchMeta>, StoreError>> + Send;

    /// Stores a group of batches in one transaction: all, or none. They are durable when this
    /// returns.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Invalid`], [`StoreError::DoubleGrant`]: nothing was
    /// stored. [`StoreError::Full`]: nothing was stored. [`StoreError::Unavailable`]: recover to
    /// learn whether the group was stored; it was as a whole or not at all.
    fn append(
        &self,
        branch: BranchId,
        commits: Vec<Commit>,
    ) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// The head of a branch.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the last record is torn: recover first.
    fn head(&self, branch: BranchId) -> impl Future<Output = Result<Head, StoreError>> + Send;

    /// Makes a branch ready for appending: checks the last record, and where it is torn takes it
    /// and everything booked with it out of the branch.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where more than the last record is wrong.
    fn recover(
        &self,
        branch: BranchId,
    ) -> impl Future<Output = Result<Recovered, StoreError>> + Send;

    /// Up to `limit` records after number `after`, in order, with the hash chain checked from
    /// record `after` on.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where any but the last record of the branch is wrong, or `after` is
    /// beyond the end.
    fn read(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// Number of the last record with a time before `at`; 0 where there is none. Reading after it
    /// gives everything since `at`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a record is missing.
    fn seq_before(
        &self,
        branch: BranchId,
        at: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// All records with time `at` or later, in order, checked as by [`Journal::read`]; a torn last
    /// record is left out.
    ///
    /// # Errors
    /// As [`Journal::read`].
    fn read_since(
        &self,
        branch: BranchId,
        at: Timestamp,
    ) -> impl Future<Output = Result<Vec<Record>, StoreError>> + Send {
        async move {
            let mut after = self.seq_before(branch, at).await?;
            let mut all = Vec::new();
            loop {
                let page = self.read(branch, after, 1_024).await?;
                let Some(last) = page.records.last() else { return Ok(all) };
                after = last.seq;
                all.extend(page.records);
                if page.cut.is_some() {
                    return Ok(all);
                }
            }
        }
    }

    /// A member's entries, newest first, from below entry `before` on.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<LedgerRow>, StoreError>> + Send;

    /// One entry.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn entry(
        &self,
        branch: BranchId,
        id: u64,
    ) -> impl Future<Output = Result<Option<LedgerRow>, StoreError>> + Send;

    /// Up to `limit` entries after entry `after`, in order.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn entries_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<LedgerRow>, StoreError>> + Send;

    /// What a member's entries sum to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn balance(&self, member: MemberId) -> impl Future<Output = Result<Points, StoreError>> + Send;

    /// What every kind of account holds. Passes over the whole ledger of the branch.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sums(&self, branch: BranchId) -> impl Future<Output = Result<Sums, StoreError>> + Send;

    /// Up to `limit` events after number `after`, in order.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn events_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Event>, StoreError>> + Send;

    /// A standing that was closed for good.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn closed_board(
        &self,
        branch: BranchId,
        key: BoardKey,
    ) -> impl Future<Output = Result<Option<ClosedBoard>, StoreError>> + Send;

    /// Closed standings, the last closed first.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn closed_boards(
        &self,
        branch: BranchId,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<ClosedBoard>, StoreError>> + Send;

    /// Keeps the files of a pack under its digest. Keeping it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    fn put_pack(
        &self,
        digest: Digest,
        files: &[(String, String)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The files of a pack, as they were kept.
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`].
    fn pack(
        &self,
        digest: Digest,
    ) -> impl Future<Output = Result<Option<PackFiles>, StoreError>> + Send;

    /// Does what is better done while nobody waits. Call it when no command is queued. Says
    /// whether it is done; `false` where somebody was writing or reading, and a later call may
    /// finish it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing is lost and the next call tries again.
    fn checkpoint_when_idle(&self) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
