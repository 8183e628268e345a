//! The host: the branches of one process, each with its writer.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwap;
use dengmi_content::Pack;
use dengmi_core::random::Seed;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{BranchId, Command, Timestamp};
use dengmi_store::{BranchMeta, CommandKey, Journal, StoreError};
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use crate::branch::{Branch, BranchState, Shared};
use crate::clock::ClockFault;
use crate::config::HostConfig;
use crate::error::HostError;
use crate::inbox::{SubmitError, Submitted};
use crate::packs::{Content, Packs};
use crate::recover::recover;
use crate::views::{Standing, Views};
use crate::writer::{Setting, Writer};

/// Told while a branch is opened: the branch, number of the last record applied, and commands
/// applied so far.
pub type OpenProgress<'a> = &'a mut (dyn FnMut(BranchId, u64, u64) + Send);

/// The branches of one process.
pub struct Host<J> {
    journal: Arc<J>,
    config: HostConfig,
    packs: Arc<Packs>,
    /// Content that every branch is to run on.
    wanted: Option<Arc<Pack>>,
    /// Looked at by every request, so reading takes no lock.
    branches: ArcSwap<BTreeMap<BranchId, Arc<Branch>>>,
}

impl<J: Journal> Host<J> {
    /// Opens every branch of the journal. With `content`, it is kept and every branch adopts it;
    /// without, branches go on with what they have.
    ///
    /// Call it on a tokio runtime that lives longer than the host.
    ///
    /// # Errors
    /// A branch cannot be recovered; none is served then.
    pub async fn open(
        journal: Arc<J>,
        config: HostConfig,
        content: Option<Content>,
        progress: OpenProgress<'_>,
    ) -> Result<Self, HostError> {
        let packs = Arc::new(Packs::default());
        let mut wanted = None;
        if let Some(content) = content {
            content.keep(&*journal).await?;
            packs.insert(content.pack.clone());
            wanted = Some(content.pack);
        }
        let metas = journal.branches().await?;
        let host = Self { journal, config, packs, wanted, branches: ArcSwap::default() };
        for meta in metas {
            if let Err(error) = host.start(meta, progress).await {
                host.shutdown().await;
                return Err(error);
            }
        }
        Ok(host)
    }

    /// Creates a branch on the host's content and starts it. A branch that is served already stays
    /// as it is.
    ///
    /// # Errors
    /// The host has no content, or the store refuses.
    pub async fn create_branch(
        &self,
        branch: BranchId,
        seed: Seed,
        branches: u16,
    ) -> Result<(), HostError> {
        if self.branch(branch).is_some() {
            return Ok(());
        }
        let content = self.wanted.as_ref().ok_or_else(|| HostError::Content {
            digest: dengmi_core::Digest::default(),
            why: "none was given to open the branch with".to_owned(),
        })?;
        let meta =
            BranchMeta { branch, seed, branches, content: content.digest, created: self.now() };
        self.journal.create_branch(meta).await?;
        self.start(meta, &mut |_, _, _| {}).await
    }

    async fn start(&self, meta: BranchMeta, progress: OpenProgress<'_>) -> Result<(), HostError> {
        let shared = Arc::new(Shared::new(meta.branch, &self.config));
        let mut told = |seq, commands| progress(meta.branch, seq, commands);
        let recovery = recover(&*self.journal, &meta, &self.packs, &self.config, &mut told).await?;
        let setting = Setting {
            meta,
            journal: self.journal.clone(),
            shared: shared.clone(),
            packs: self.packs.clone(),
            config: self.config.clone(),
            runtime: Handle::current(),
            wanted: self.wanted.clone(),
        };
        let writer = Writer::start(setting, recovery)?;
        let branch = Branch { meta, shared, writer: Some(writer).into() };
        let branch = Arc::new(branch);
        self.branches.rcu(|branches| {
            let mut branches = BTreeMap::clone(branches);
            branches.insert(meta.branch, branch.clone());
            branches
        });
        Ok(())
    }

    fn branch(&self, branch: BranchId) -> Option<Arc<Branch>> {
        self.branches.load().get(&branch).cloned()
    }

    fn all(&self) -> Vec<Arc<Branch>> {
        self.branches.load().values().cloned().collect()
    }

    /// Has a command applied and committed. What it changed in members and lists is published
    /// when this returns; standings follow as [`Views::standing`] says. The same key of the same
    /// principal with the same fingerprint gives the first outcome again.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit(
        &self,
        branch: BranchId,
        key: CommandKey,
        command: Command,
    ) -> Result<Submitted, SubmitError> {
        let branch = self.branch(branch).ok_or(SubmitError::UnknownBranch)?;
        branch.shared.submit(Some(key), command).await
    }

    /// The branches served, in order.
    #[must_use]
    pub fn branches(&self) -> Vec<BranchId> {
        self.all().iter().map(|branch| branch.meta.branch).collect()
    }

    /// The settings of a branch.
    #[must_use]
    pub fn meta(&self, branch: BranchId) -> Option<BranchMeta> {
        self.branch(branch).map(|branch| branch.meta)
    }

    /// The published views of a branch.
    #[must_use]
    pub fn views(&self, branch: BranchId) -> Option<BranchViews> {
        self.branches.load().get(&branch).map(|branch| BranchViews(branch.shared.clone()))
    }

    /// A standing that is still open.
    #[must_use]
    pub fn standing(&self, key: BoardKey) -> Option<Arc<Standing>> {
        let branch = match key {
            BoardKey::Community(id, _) => id.branch,
            BoardKey::Run(id) => id.branch,
            BoardKey::Round(id) => id.branch,
        };
        self.branch(branch)?.shared.views.standing(key, self.now())
    }

    /// A standing that was closed for good.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn closed_board(&self, key: BoardKey) -> Result<Option<ClosedBoard>, StoreError> {
        let branch = match key {
            BoardKey::Community(id, _) => id.branch,
            BoardKey::Run(id) => id.branch,
            BoardKey::Round(id) => id.branch,
        };
        if self.branch(branch).is_none() {
            return Ok(None);
        }
        self.journal.closed_board(branch, key).await
    }

    /// Events of a branch from now on, each once, in order, after their commit.
    #[must_use]
    pub fn subscribe(&self, branch: BranchId) -> Option<broadcast::Receiver<Arc<Event>>> {
        self.branch(branch).map(|branch| branch.shared.events.subscribe())
    }

    /// Whether a branch takes commands.
    #[must_use]
    pub fn state(&self, branch: BranchId) -> Option<BranchState> {
        self.branch(branch).map(|branch| branch.shared.state())
    }

    /// What keeps branches from taking commands, in words; empty where all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        self.all().iter().flat_map(|branch| branch.shared.troubles()).collect()
    }

    /// What is wrong with the wall clock, if anything is. Branches work on with a time of their
    /// own.
    #[must_use]
    pub fn clock_fault(&self) -> Option<ClockFault> {
        self.all().iter().find_map(|branch| branch.shared.clock_fault())
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.config.clock.read().wall
    }

    /// The content branches run on or ran on.
    #[must_use]
    pub fn packs(&self) -> &Packs {
        &self.packs
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Arc<J> {
        &self.journal
    }

    /// Takes no more commands, commits what waits, writes snapshots and stops. Views stay.
    pub async fn shutdown(&self) {
        let branches = self.all();
        for branch in &branches {
            branch.shared.set_state(BranchState::Stopped, None);
            branch.shared.inbox.stop();
        }
        for branch in branches {
            let writer = branch.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(writer) = writer {
                let joined = tokio::task::spawn_blocking(move || writer.join()).await;
                if !matches!(joined, Ok(Ok(()))) {
                    tracing::error!(branch = %branch.meta.branch, "the writer ended in a panic");
                }
            }
        }
    }
}

/// The views of one branch; stay readable after the host has stopped.
#[derive(Clone)]
pub struct BranchViews(Arc<Shared>);

impl std::ops::Deref for BranchViews {
    type Target = Views;

    fn deref(&self) -> &Views {
        &self.0.views
    }
}
