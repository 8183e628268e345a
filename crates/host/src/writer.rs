//! The one writer of a branch: a thread that owns the engine. It takes whatever waits, applies it
//! as one batch, and goes on while the last group is being committed.
//!
//! Nothing it does can be seen before the committer has made it durable. When a commit fails it
//! drops its memory and works the state out again from snapshot and journal.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dengmi_content::Pack;
use dengmi_core::{Action, Batch, Command, Digest, Outcome, Timestamp};
use dengmi_engine::{Applied, Engine};
use dengmi_store::snapshot::{self, Snapshot};
use dengmi_store::{BranchMeta, CommandKey, Commit, Head, Journal, JournalBatch, LedgerRow};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::branch::{BranchState, Shared};
use crate::capture::Capture;
use crate::clock::Stamper;
use crate::committer::{self, Group, Job, Save};
use crate::config::HostConfig;
use crate::error::HostError;
use crate::inbox::{Answer, Submission, SubmitError, Submitted};
use crate::keys::KeyWindow;
use crate::packs::Packs;
use crate::recover::{Recovery, recover};

/// What the key window keeps of a command.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// In the batch being put together, at this position.
    Collected(usize),
    /// Applied as part of this batch, with this outcome.
    Applied(u64, Outcome),
}

/// Everything a writer is started with.
pub(crate) struct Setting<J> {
    pub(crate) meta: BranchMeta,
    pub(crate) journal: Arc<J>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) packs: Arc<Packs>,
    pub(crate) config: HostConfig,
    pub(crate) runtime: Handle,
    /// The checked content that should be current; adopted when another one is.
    pub(crate) wanted: Option<Arc<Pack>>,
}

/// A branch's state in memory, all of it to be dropped when a commit fails.
struct Memory {
    engine: Engine,
    content: Digest,
    keys: KeyWindow<Known>,
    stamper: Stamper,
    capture: Capture,
    committed: u64,
    /// Whether a group is being committed.
    flight: bool,
    /// Batches applied and not handed over yet.
    commits: Vec<Commit>,
    answers: Vec<(Answer, Submitted)>,
    /// Repeats of commands that are applied and not committed yet.
    repeats: Vec<(u64, Answer, Outcome)>,
    unsaved: u64,
    saved: Instant,
}

pub(crate) struct Writer<J> {
    setting: Setting<J>,
    jobs: mpsc::UnboundedSender<Job>,
    retry: Duration,
    /// Last event that was told to subscribers or handed over to be told.
    told: u64,
}

/// Why a branch's memory is dropped.
enum Failure {
    /// A commit failed.
    Commit(dengmi_store::StoreError),
    /// The engine panicked or refused a batch: a defect. What it was given is not in the journal.
    Engine(String),
}

impl<J: Journal> Writer<J> {
    /// Starts with a state that has just been recovered.
    pub(crate) fn start(
        setting: Setting<J>,
        recovery: Recovery,
    ) -> Result<std::thread::JoinHandle<()>, HostError> {
        let (jobs, received) = mpsc::unbounded_channel();
        let name = format!("dengmi-{}", setting.meta.branch);
        setting.runtime.spawn(committer::run(
            setting.journal.clone(),
            setting.shared.clone(),
            received,
        ));
        let retry = setting.config.retry_first;
        let told = recovery.head.event;
        let mut writer = Self { setting, jobs, retry, told };
        let memory = writer.ready(recovery);
        let run = move || {
            let _closed = CloseAtEnd(writer.setting.shared.clone());
            writer.run(memory);
        };
        std::thread::Builder::new()
            .name(name)
            .spawn(run)
            .map_err(|error| HostError::Thread(error.to_string()))
    }

    /// Memory from a recovery, published.
    fn ready(&mut self, recovery: Recovery) -> Memory {
        let Recovery { mut engine, content, head, keys, events, .. } = recovery;
        let mut capture = Capture::default();
        let whole = capture.whole(&mut engine);
        let _ = self.jobs.send(Job::Publish(Box::new(whole)));
        let new: Vec<_> = events.into_iter().filter(|event| event.seq > self.told).collect();
        self.told = head.event;
        let _ = self.jobs.send(Job::Tell(new));
        let memory = Memory {
            stamper: Stamper::new(self.setting.config.clock.clone(), engine.at()),
            committed: engine.seq(),
            engine,
            content,
            keys,
            capture,
            flight: false,
            commits: Vec::new(),
            answers: Vec::new(),
            repeats: Vec::new(),
            unsaved: 0,
            saved: Instant::now(),
        };
        self.setting.shared.set_state(BranchState::Ready, None);
        memory
    }

    fn run(mut self, memory: Memory) {
        let mut memory = memory;
        loop {
            let failure = match self.work(&mut memory) {
                Ok(()) => {
                    self.save_at_end(&mut memory);
                    return;
                }
                Err(failure) => failure,
            };
            match self.recover_from(failure, memory) {
                Some(recovered) => memory = recovered,
                None => return,
            }
        }
    }

    /// Works until the branch is stopped.
    fn work(&mut self, memory: &mut Memory) -> Result<(), Failure> {
        self.adopt(memory)?;
        loop {
            let enough = if memory.flight { self.setting.config.overlap.max(1) } else { 1 };
            let taken =
                self.setting.shared.inbox.take(enough, self.sleep(memory), memory.stopping());
            if let Some(result) = taken.committed {
                memory.flight = false;
                self.committed(memory, result.map_err(Failure::Commit)?);
            }
            let mut waiting = taken.submissions.into_iter().peekable();
            let due = memory.engine.next_due().is_some_and(|due| due <= memory.stamper.now());
            if due && waiting.peek().is_none() {
                self.apply(memory, std::iter::empty())?;
            }
            while waiting.peek().is_some() {
                let batch = self.setting.config.batch.max(1);
                self.apply(memory, waiting.by_ref().take(batch))?;
            }
            self.setting.shared.set_clock_fault(memory.stamper.fault());
            if !memory.flight {
                if !memory.commits.is_empty() {
                    self.hand_over(memory);
                } else if taken.stop {
                    return Ok(());
                } else if let Some(delta) = memory.capture.rest(&mut memory.engine) {
                    let _ = self.jobs.send(Job::Publish(Box::new(delta)));
                }
            }
            memory.stop_known = taken.stop;
        }
    }

    /// How long to sleep at most.
    fn sleep(&self, memory: &mut Memory) -> Duration {
        let now = memory.stamper.now();
        let tick = self.setting.config.tick;
        let due = memory.engine.next_due().map(|due| {
            let ms = u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0);
            self.setting.config.clock.sleep_for(ms)
        });
        let capture = memory.capture.wait();
        [due, capture].into_iter().flatten().fold(tick, Duration::min)
    }
}

struct CloseAtEnd(Arc<Shared>);

impl Drop for CloseAtEnd {
    /// Also when the thread panics: nobody shall wait for an answer that never comes.
    fn drop(&mut self) {
        self.0.set_state(BranchState::Stopped, None);
        self.0.inbox.close();
    }
}
