//! A store in memory, for simulations and tests. It keeps the same promises except durability.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{Account, BranchId, Digest, LedgerEntry, MemberId, Points, Timestamp};

use crate::chain;
use crate::commit::{Grant, seal};
use crate::directory::{AccountRow, Directory, NewAccount, Profile, SessionRow, Words};
use crate::error::StoreError;
use crate::journal::{
    BranchMeta, Commit, Cut, Head, Journal, LedgerRow, PackFiles, Page, Recovered, Sums,
};
use crate::record::Record;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    branches: BTreeMap<BranchId, Branch>,
    packs: BTreeMap<Digest, PackFiles>,
    profiles: BTreeMap<MemberId, Profile>,
    words: BTreeMap<(MemberId, FoldedHash), Words>,
    sessions: BTreeMap<[u8; 32], SessionRow>,
    accounts: Vec<AccountRow>,
}

#[derive(Debug)]
struct Branch {
    meta: BranchMeta,
    /// As of the last append or recovery.
    head: Head,
    batches: Vec<Stored>,
    ledger: Vec<LedgerRow>,
    grants: BTreeMap<Grant, u64>,
    events: Vec<Event>,
    boards: Vec<ClosedBoard>,
}

/// A record, and where what was booked with it ends.
#[derive(Debug)]
struct Stored {
    record: Record,
    entries: usize,
    events: usize,
    boards: usize,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code below panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        branch: BranchId,
        f: impl FnOnce(&mut Branch) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        f(self.state().branches.get_mut(&branch).ok_or(StoreError::UnknownBranch(branch))?)
    }

    /// Changes a stored record behind the store's back.
    #[cfg(test)]
    pub(crate) fn tamper(&self, branch: BranchId, seq: u64, f: impl FnOnce(&mut Record)) {
        self.with(branch, |b| {
            f(&mut b.batches[seq as usize - 1].record);
            Ok(())
        })
        .unwrap();
    }

    /// Changes a stored ledger entry behind the store's back.
    #[cfg(test)]
    pub(crate) fn tamper_entry(&self, branch: BranchId, id: u64, points: i64) {
        self.with(branch, |b| {
            b.ledger[id as usize - 1].entry.points = Points(points);
            Ok(())
        })
        .unwrap();
    }
}

impl Branch {
    /// The head, or the torn last record.
    fn checked_head(&self) -> Result<Result<Head, Cut>, StoreError> {
        let tail = self.batches.len().saturating_sub(3);
        let rows = self.batches[tail..].iter().map(|stored| stored.record.clone()).collect();
        let last = chain::tail(self.meta.branch, self.meta.genesis(), rows)?;
        Ok(last.map(|last| {
            last.map_or(self.meta.empty_head(), |last| Head {
                seq: last.seq,
                at: last.at,
                hash: last.hash,
                entry: self.ledger.len() as u64,
                event: self.events.len() as u64,
            })
        }))
    }

    fn sound_head(&self) -> Result<Head, StoreError> {
        self.checked_head()?.map_err(|cut| cut.damaged(self.meta.branch))
    }

    fn cut_last(&mut self) {
        self.batches.pop();
        let (entries, events, boards) =
            self.batches.last().map_or((0, 0, 0), |s| (s.entries, s.events, s.boards));
        for row in self.ledger.drain(entries..) {
            if let Some(grant) = Grant::of(&row) {
                self.grants.remove(&grant);
            }
        }
        self.events.truncate(events);
        self.boards.truncate(boards);
    }

    /// Refuses awards that were paid before, or twice in this group.
    fn check_grants(&self, commits: &[Commit]) -> Result<Vec<(Grant, u64)>, StoreError> {
        let mut new: BTreeMap<Grant, u64> = BTreeMap::new();
        for row in commits.iter().flat_map(|commit| &commit.ledger) {
            let Some(grant) = Grant::of(row) else { continue };
            if let Some(&first) = self.grants.get(&grant).or_else(|| new.get(&grant)) {
                return Err(StoreError::DoubleGrant {
                    branch: self.meta.branch,
                    entry: row.entry.id,
                    first,
                    rule: grant.rule,
                    member: grant.member,
                });
            }
            new.insert(grant, row.entry.id);
        }
        Ok(new.into_iter().collect())
    }

    fn check_boards(&self, commits: &[Commit]) -> Result<(), StoreError> {
        if commits.iter().all(|commit| commit.closed_boards.is_empty()) {
            return Ok(());
        }
        let mut known: Vec<BoardKey> = self.boards.iter().map(|board| board.key).collect();
        for commit in commits {
            for board in &commit.closed_boards {
                if known.contains(&board.key) {
                    return Err(StoreError::Invalid {
                        branch: self.meta.branch,
                        seq: commit.batch.batch.seq,
                        why: "it closes a standing that is closed already".to_owned(),
                    });
                }
                known.push(board.key);
            }
        }
        Ok(())
    }
}

/// Rows after position `after`, at most `limit`.
fn slice<T: Clone>(rows: &[T], after: u64, limit: u32) -> Vec<T> {
    let after = usize::try_from(after).unwrap_or(usize::MAX);
    rows.iter().skip(after).take(limit as usize).cloned().collect()
}

/// Adds one entry to the sums.
pub(crate) fn add_to_sums(sums: &mut Sums, entry: &LedgerEntry) {
    let points = i128::from(entry.points.0);
    for (account, change) in [(entry.from, -points), (entry.to, points)] {
        *match account {
            Account::Issue => &mut sums.issue,
            Account::Member(_) => &mut sums.members,
            Account::Redemption => &mut sums.redemption,
            Account::Expiry => &mut sums.expiry,
            Account::House => &mut sums.house,
        } += change;
    }
}

impl Journal for MemoryStore {
    async fn create_branch(&self, meta: BranchMeta) -> Result<(), StoreError> {
        let mut state = self.state();
        let branch = state.branches.entry(meta.branch).or_insert_with(|| Branch {
            meta,
            head: meta.empty_head(),
            batches: Vec::new(),
            ledger: Vec::new(),
            grants: BTreeMap::new(),
            events: Vec::new(),
            boards: Vec::new(),
        });
        if branch.meta == meta { Ok(()) } else { Err(StoreError::BranchExists(meta.branch)) }
    }

    async fn branches(&self) -> Result<Vec<BranchMeta>, StoreError> {
        Ok(self.state().branches.values().map(|branch| branch.meta).collect())
    }

    async fn append(&self, branch: BranchId, commits: Vec<Commit>) -> Result<Head, StoreError> {
        self.with(branch, |b| {
            let (records, head) = seal(branch, b.head, &commits)?;
            let grants = b.check_grants(&commits)?;
            b.check_boards(&commits)?;
            b.grants.extend(grants);
            for (record, commit) in records.into_iter().zip(commits) {
                b.ledger.extend(commit.ledger);
                b.events.extend(commit.events);
                b.boards.extend(commit.closed_boards);
                b.batches.push(Stored {
                    record,
                    entries: b.ledger.len(),
                    events: b.events.len(),
                    boards: b.boards.len(),
                });
            }
            b.head = head;
            Ok(head)
        })
    }

    async fn head(&self, branch: BranchId) -> Result<Head, StoreError> {
        self.with(branch, |b| b.sound_head())
    }

    async fn recover(&self, branch: BranchId) -> Result<Recovered, StoreError> {
        self.with(branch, |b| {
            let cut = b.checked_head()?.err();
            if cut.is_some() {
                b.cut_last();
            }
            b.head = b.sound_head()?;
            Ok(Recovered { head: b.head, cut })
        })
    }

    async fn read(&self, branch: BranchId, after: u64, limit: u32) -> Result<Page, StoreError> {
        self.with(branch, |b| {
            let skip = usize::try_from(after.saturating_sub(1)).unwrap_or(usize::MAX);
            let take = (limit as usize).saturating_add(usize::from(after > 0));
            let stored = b.batches.iter().skip(skip).take(take);
            let rows: Vec<Record> = stored.map(|stored| stored.record.clone()).collect();
            let at_end = skip.saturating_add(rows.len()) >= b.batches.len();
            chain::page(branch, b.meta.genesis(), after, rows, at_end)
        })
    }

    async fn seq_before(&self, branch: BranchId, at: Timestamp) -> Result<u64, StoreError> {
        self.with(branch, |b| Ok(b.batches.partition_point(|stored| stored.record.at < at) as u64))
    }

    async fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        self.with(member.branch, |b| {
            let theirs = |row: &&LedgerRow| {
                row.entry.member_change().is_some_and(|(whose, _)| whose == member)
                    && before.is_none_or(|before| row.entry.id < before)
            };
            Ok(b.ledger.iter().rev().filter(theirs).take(limit as usize).cloned().collect())
        })
    }

    async fn entry(&self, branch: BranchId, id: u64) -> Result<Option<LedgerRow>, StoreError> {
        self.with(branch, |b| {
            Ok(id.checked_sub(1).and_then(|after| slice(&b.ledger, after, 1).pop()))
        })
    }

    async fn entries_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        self.with(branch, |b| Ok(slice(&b.ledger, after, limit)))
    }

    async fn balance(&self, member: MemberId) -> Result<Points, StoreError> {
        self.with(member.branch, |b| {
            let changes = b.ledger.iter().filter_map(|row| row.entry.member_change());
            Ok(Points(changes.filter(|c| c.0 == member).map(|c| c.1.0).sum()))
        })
    }

    async fn sums(&self, branch: BranchId) -> Result<Sums, StoreError> {
        self.with(branch, |b| {
            let mut sums = Sums::default();
            b.ledger.iter().for_each(|row| add_to_sums(&mut sums, &row.entry));
            Ok(sums)
        })
    }

    async fn events_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.with(branch, |b| Ok(slice(&b.events, after, limit)))
    }

    async fn closed_board(
        &self,
        branch: BranchId,
        key: BoardKey,
    ) -> Result<Option<ClosedBoard>, StoreError> {
        self.with(branch, |b| Ok(b.boards.iter().find(|board| board.key == key).cloned()))
    }

    async fn closed_boards(
        &self,
        branch: BranchId,
        limit: u32,
    ) -> Result<Vec<ClosedBoard>, StoreError> {
        self.with(branch, |b| Ok(b.boards.iter().rev().take(limit as usize).cloned().collect()))
    }

    async fn put_pack(&self, digest: Digest, files: &[(String, String)]) -> Result<(), StoreError> {
        self.state().packs.entry(digest).or_insert_with(|| files.to_vec());
        Ok(())
    }

    async fn pack(&self, digest: Digest) -> Result<Option<PackFiles>, StoreError> {
        Ok(self.state().packs.get(&digest).cloned())
    }

    async fn checkpoint_when_idle(&self) -> Result<bool, StoreError> {
        Ok(true)
    }
}

impl Directory for MemoryStore {
    async fn put_profile(&self, profile: Profile) -> Result<(), StoreError> {
        let mut state = self.state();
        let branch = profile.member.branch;
        if !state.branches.contains_key(&branch) {
            return Err(StoreError::UnknownBranch(branch));
        }
        let taken = profile.channel_id.is_some()
            && state.profiles.values().any(|other| {
                other.member.branch == branch
                    && other.member != profile.member
                    && other.channel_id == profile.channel_id
            });
        if taken {
            return Err(StoreError::Taken { what: "channel id" });
        }
        state.profiles.insert(profile.member, profile);
        Ok(())
    }

    async fn profile(&self, member: MemberId) -> Result<Option<Profile>, StoreError> {
        Ok(self.state().profiles.get(&member).cloned())
    }

    async fn profiles(&self, members: &[MemberId]) -> Result<Vec<Profile>, StoreError> {
        let state = self.state();
        let mut members = members.to_vec();
        members.sort_unstable();
        members.dedup();
        Ok(members.iter().filter_map(|member| state.profiles.get(member).cloned()).collect())
    }

    async fn profile_by_channel(
        &self,
        branch: BranchId,
        channel_id: &str,
    ) -> Result<Option<Profile>, StoreError> {
        let state = self.state();
        let mut profiles = state.profiles.values();
        Ok(profiles
            .find(|p| p.member.branch == branch && p.channel_id.as_deref() == Some(channel_id))
            .cloned())
    }

    async fn erase_profile(&self, member: MemberId) -> Result<bool, StoreError> {
        Ok(self.state().profiles.remove(&member).is_some())
    }

    async fn put_words(&self, words: Words) -> Result<bool, StoreError> {
        let mut state = self.state();
        let branch = words.member.branch;
        if !state.branches.contains_key(&branch) {
            return Err(StoreError::UnknownBranch(branch));
        }
        Ok(state.words.insert((words.member, words.hash), words).is_none())
    }

    async fn words_of(&self, member: MemberId) -> Result<Vec<Words>, StoreError> {
        let state = self.state();
        let of = (member, FoldedHash([0; 16]))..=(member, FoldedHash([u8::MAX; 16]));
        Ok(state.words.range(of).map(|(_, words)| words.clone()).collect())
    }

    async fn drop_words(&self, member: MemberId, hash: FoldedHash) -> Result<bool, StoreError> {
        Ok(self.state().words.remove(&(member, hash)).is_some())
    }

    async fn erase_words(&self, member: MemberId) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.words.len();
        state.words.retain(|(of, _), _| *of != member);
        Ok((before - state.words.len()) as u64)
    }

    async fn insert_session(&self, session: SessionRow) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.sessions.contains_key(&session.token_hash) {
            return Err(StoreError::Taken { what: "session token" });
        }
        state.sessions.insert(session.token_hash, session);
        Ok(())
    }

    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        Ok(self.state().sessions.get(&token_hash).cloned())
    }

    async fn touch_session(
        &self,
        token_hash: [u8; 32],
        last_seen: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let session = state.sessions.get_mut(&token_hash);
        Ok(session.map(|session| session.last_seen = last_seen).is_some())
    }

    async fn delete_session(&self, token_hash: [u8; 32]) -> Result<bool, StoreError> {
        Ok(self.state().sessions.remove(&token_hash).is_some())
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.state().retain_sessions(|session| session.expires > now))
    }

    async fn delete_sessions_of(&self, principal: &[u8]) -> Result<u64, StoreError> {
        Ok(self.state().retain_sessions(|session| session.principal != principal))
    }

    async fn insert_account(&self, account: NewAccount) -> Result<u32, StoreError> {
        let accounts = &mut self.state().accounts;
        if accounts.iter().any(|other| other.account.login == account.login) {
            return Err(StoreError::Taken { what: "login" });
        }
        let id = u32::try_from(accounts.len() + 1)
            .map_err(|_| StoreError::Taken { what: "account number" })?;
        accounts.push(AccountRow { id, account, disabled: false });
        Ok(id)
    }

    async fn account_by_login(&self, login: &str) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.state().accounts.iter().find(|row| row.account.login == login).cloned())
    }

    async fn account(&self, id: u32) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.state().accounts.iter().find(|row| row.id == id).cloned())
    }

    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        Ok(self.state().accounts.clone())
    }

    async fn set_account_disabled(&self, id: u32, disabled: bool) -> Result<(), StoreError> {
        self.state().account_mut(id)?.disabled = disabled;
        Ok(())
    }

    async fn set_password_hash(&self, id: u32, password_hash: String) -> Result<(), StoreError> {
        self.state().account_mut(id)?.account.password_hash = password_hash;
        Ok(())
    }
}

impl State {
    fn retain_sessions(&mut self, keep: impl Fn(&SessionRow) -> bool) -> u64 {
        let before = self.sessions.len();
        self.sessions.retain(|_, session| keep(session));
        (before - self.sessions.len()) as u64
    }

    fn account_mut(&mut self, id: u32) -> Result<&mut AccountRow, StoreError> {
        self.accounts
            .iter_mut()
            .find(|row| row.id == id)
            .ok_or(StoreError::Missing { what: "account" })
    }
}
