//! What the tests of the host share: the repository's content, a journal that fails on demand, and
//! a branch with a few people in it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dengmi_content::{CheckOptions, SourceFile, load};
use dengmi_core::command::ConsentPurpose;
use dengmi_core::random::Seed;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{
    Action, Actor, BranchId, Calendar, Command, CommunityId, Day, Digest, ManagerId, MemberId,
    Outcome, Points, Receipt, RunId, Timestamp,
};
use dengmi_host::{Content, Host, HostConfig, ManualClock, SubmitError, Submitted};
use dengmi_store::{
    BranchMeta, CommandKey, Commit, Head, Journal, LedgerRow, MemoryStore, PackFiles, Page, Record,
    Recovered, StoreError, Sums,
};
use tokio::sync::Semaphore;

pub(crate) const B1: BranchId = BranchId(1);
pub(crate) const GROUP: CommunityId = CommunityId::new(B1, 1);

/// The business day on which the tests begin, a Sunday.
pub(crate) fn today() -> Day {
    "2026-11-22".parse().unwrap()
}

/// Nine in the morning of that day.
pub(crate) fn morning() -> Timestamp {
    Calendar::default().start_of(today()).plus_ms(9 * 3_600_000)
}

/// The repository's own content, with `edit` made to each file.
pub(crate) fn content(edit: impl Fn(&str, String) -> String) -> Content {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    let mut folders: VecDeque<PathBuf> = [root.join("content"), root.join("quests")].into();
    while let Some(folder) = folders.pop_front() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push_back(path);
            } else if path.extension().is_some_and(|extension| extension == "ron") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                let text = edit(&name, std::fs::read_to_string(&path).unwrap());
                files.push(SourceFile { path: name, text });
            }
        }
    }
    let (pack, diagnostics) = load(&files, &CheckOptions { today: today() });
    let pack = pack.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    Content { pack: Arc::new(pack), files, checked: today() }
}

pub(crate) fn as_is(_: &str, text: String) -> String {
    text
}

/// How the next appends go.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing is stored.
    Before(StoreError),
    /// Everything is stored, and the answer is lost.
    After(StoreError),
}

/// A journal that fails, waits and lies on demand.
pub(crate) struct Faulty<J> {
    pub(crate) inner: J,
    /// Number of the append, from 1, and how it fails.
    pub(crate) faults: Mutex<Vec<(u32, Fault)>>,
    /// How many were begun.
    pub(crate) appends: AtomicU32,
    /// Appends take a permit before they begin.
    pub(crate) gate: Semaphore,
    /// A record whose chained digest is read wrong; 0 for none.
    pub(crate) forged: AtomicU64,
}

impl<J> Faulty<J> {
    pub(crate) fn new(inner: J) -> Self {
        Self {
            inner,
            faults: Mutex::default(),
            appends: AtomicU32::new(0),
            gate: Semaphore::new(1 << 20),
            forged: AtomicU64::new(0),
        }
    }
}

pub(crate) fn memory() -> Arc<Faulty<MemoryStore>> {
    Arc::new(Faulty::new(MemoryStore::new()))
}

impl<J: Journal> Journal for Faulty<J> {
    async fn append(&self, branch: BranchId, commits: Vec<Commit>) -> Result<Head, StoreError> {
        self.gate.acquire().await.unwrap().forget();
        let number = self.appends.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = {
            let faults = self.faults.lock().unwrap();
            faults.iter().find(|(at, _)| *at == number).map(|(_, fault)| fault.clone())
        };
        match fault {
            None => self.inner.append(branch, commits).await,
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => {
                self.inner.append(branch, commits).await?;
                Err(error)
            }
        }
    }

    async fn read(&self, branch: BranchId, after: u64, limit: u32) -> Result<Page, StoreError> {
        let mut page = self.inner.read(branch, after, limit).await?;
        let forged = self.forged.load(Ordering::SeqCst);
        for record in page.records.iter_mut().filter(|record| record.seq == forged) {
            let (mut batch, effects) = record.decode()?;
            batch.chain = Digest::of(b"forged");
            *record = Record::new(branch, record.prev, &batch, &effects)?;
        }
        Ok(page)
    }

    async fn create_branch(&self, meta: BranchMeta) -> Result<(), StoreError> {
        self.inner.create_branch(meta).await
    }
    async fn branches(&self) -> Result<Vec<BranchMeta>, StoreError> {
        self.inner.branches().await
    }
    async fn head(&self, branch: BranchId) -> Result<Head, StoreError> {
        self.inner.head(branch).await
    }
    async fn recover(&self, branch: BranchId) -> Result<Recovered, StoreError> {
        self.inner.recover(branch).await
    }
    async fn seq_before(&self, branch: BranchId, at: Timestamp) -> Result<u64, StoreError> {
        self.inner.seq_before(branch, at).await
    }
    async fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        self.inner.entries_of(member, before, limit).await
    }
    async fn entry(&self, branch: BranchId, id: u64) -> Result<Option<LedgerRow>, StoreError> {
        self.inner.entry(branch, id).await
    }
    async fn entries_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        self.inner.entries_after(branch, after, limit).await
    }
    async fn balance(&self, member: MemberId) -> Result<Points, StoreError> {
        self.inner.balance(member).await
    }
    async fn sums(&self, branch: BranchId) -> Result<Sums, StoreError> {
        self.inner.sums(branch).await
    }
    async fn events_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.inner.events_after(branch, after, limit).await
    }
    async fn closed_board(
        &self,
        branch: BranchId,
        key: BoardKey,
    ) -> Result<Option<ClosedBoard>, StoreError> {
        self.inner.closed_board(branch, key).await
    }
    async fn closed_boards(
        &self,
        branch: BranchId,
        limit: u32,
    ) -> Result<Vec<ClosedBoard>, StoreError> {
        self.inner.closed_boards(branch, limit).await
    }
    async fn put_pack(&self, digest: Digest, files: &[(String, String)]) -> Result<(), StoreError> {
        self.inner.put_pack(digest, files).await
    }
    async fn pack(&self, digest: Digest) -> Result<Option<PackFiles>, StoreError> {
        self.inner.pack(digest).await
    }
    async fn checkpoint_when_idle(&self) -> Result<bool, StoreError> {
        self.inner.checkpoint_when_idle().await
    }
}

/// A host on a clock of its own.
pub(crate) struct Bench<J> {
    pub(crate) host: Arc<Host<J>>,
    pub(crate) clock: Arc<ManualClock>,
    random: AtomicU64,
}

pub(crate) fn config(clock: &Arc<ManualClock>) -> HostConfig {
    HostConfig {
        clock: clock.clone(),
        tick: Duration::from_millis(5),
        retry_first: Duration::from_millis(1),
        retry_most: Duration::from_millis(20),
        ..HostConfig::default()
    }
}

impl<J: Journal> Bench<J> {
    /// Opens a host with branch 1 in it.
    pub(crate) async fn open(
        journal: Arc<J>,
        clock: Arc<ManualClock>,
        config: HostConfig,
        content: Content,
    ) -> Self {
        let host = Host::open(journal, config, Some(content), &mut |_, _, _| {}).await.unwrap();
        host.create_branch(B1, Seed::from_number(7), 1).await.unwrap();
        Self { host: Arc::new(host), clock, random: AtomicU64::new(0) }
    }

    /// A branch with one group of `members`, taking part in a streak (run 1).
    pub(crate) async fn with_members(journal: Arc<J>, members: u32) -> Self {
        let clock = Arc::new(ManualClock::new(morning()));
        let config = config(&clock);
        let bench = Self::open(journal, clock, config, content(as_is)).await;
        bench.people(members).await;
        bench
    }

    pub(crate) async fn people(&self, members: u32) {
        let manager = ManagerId::new(B1, 1);
        self.done(Action::AddManager).await;
        let template = "investor-education".parse().unwrap();
        self.done(Action::OpenCommunity { template, manager }).await;
        for seq in 1..=members {
            let receipt = self.done(Action::Join { community: GROUP }).await;
            let member = MemberId::new(B1, seq);
            assert_eq!(receipt, Receipt::Member(member));
            let purpose = ConsentPurpose::Activities;
            self.done(Action::Consent { member, purpose, version: 1, given: true }).await;
        }
        let quest = "habit-7".parse().unwrap();
        let launch = Action::Launch { quest, communities: Vec::new(), start: today() };
        assert_eq!(self.done(launch).await, Receipt::Run(RunId::new(B1, 1)));
    }

    /// A key of its own, made now.
    pub(crate) fn key(&self) -> CommandKey {
        let random = self.random.fetch_add(1, Ordering::SeqCst);
        let ms = self.host.now().0 as u128;
        CommandKey { key: (ms << 80) | u128::from(random), principal: 1, fingerprint: [0; 16] }
    }

    pub(crate) async fn submit(
        &self,
        key: CommandKey,
        action: Action,
    ) -> Result<Submitted, SubmitError> {
        self.host.submit(B1, key, Command { actor: Actor::Operator(1), action }).await
    }

    /// Does something that must succeed at once.
    pub(crate) async fn done(&self, action: Action) -> Receipt {
        match self.submit(self.key(), action.clone()).await {
            Ok(Submitted { outcome: Outcome::Done(receipt), replayed: false }) => receipt,
            other => panic!("{action:?}: {other:?}"),
        }
    }

    pub(crate) fn check_in(seq: u32) -> Action {
        let (member, run) = (MemberId::new(B1, seq), RunId::new(B1, 1));
        Action::CheckIn { member, run, phrase: None, occurred: None }
    }

    /// Waits, with a limit, until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Host<J>) -> bool) {
        for _ in 0..2_000 {
            if is_so(&self.host) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("waited in vain until {what}");
    }
}
