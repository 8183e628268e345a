//! The one writer of a branch: a thread that owns the engine. It takes whatever waits, applies it
//! as one batch, and goes on while the last group is being committed.
//!
//! Nothing it does can be seen before its group has landed: is durable. When a commit fails the
//! writer drops its memory and works the state out again from snapshot and journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dengmi_content::Pack;
use dengmi_core::{Action, Actor, Batch, BranchId, Command, Digest, Outcome, Timestamp};
use dengmi_engine::{Applied, Engine};
use dengmi_store::snapshot::SnapshotMeta;
use dengmi_store::{
    BranchMeta, CommandKey, Commit, Journal, JournalBatch, LedgerRow, StoreError, failpoint,
};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::branch::{BranchState, Shared};
use crate::capture::Capture;
use crate::clock::Stamper;
use crate::config::HostConfig;
use crate::error::HostError;
use crate::flight::{self, Flight, Group, Landed, Save};
use crate::inbox::{Answer, Submission, SubmitError, Submitted, Wait};
use crate::keys::KeyWindow;
use crate::pace::{Pace, Until};
use crate::packs::Packs;
use crate::recover::{Recovery, recover};
use crate::repeat::{Known, Repeat};
use crate::views::Delta;

/// How long nothing must have been committed before the store does its housekeeping.
const IDLE: Duration = Duration::from_millis(500);

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
    /// The group that is being committed.
    flight: Option<Box<Flight>>,
    pace: Pace,
    /// When the last group was committed, if the store did not do its housekeeping since.
    worked: Option<Instant>,
    /// Batches applied and not handed over yet.
    commits: Vec<Commit>,
    answers: Vec<(Answer, Submitted)>,
    /// Repeats of commands that are applied and not committed yet.
    repeats: Vec<Repeat>,
    /// Commands applied since the last snapshot, and when that was.
    unsaved: u64,
    saved: Instant,
    /// A due time that an empty batch did not settle: a defect, which must not flood the journal.
    stuck: Option<Timestamp>,
    /// The stop was seen; what is left is finished.
    stopping: bool,
}

pub(crate) struct Writer<J> {
    setting: Setting<J>,
    /// The snapshot that is being written.
    saving: Option<JoinHandle<()>>,
    retry: Duration,
    /// The last event that subscribers were told of for certain.
    announced: u64,
}

/// Why a branch's memory is dropped.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A commit failed.
    #[error("{0}")]
    Commit(StoreError),
    /// The engine panicked or refused a batch: a defect. What it was given is not in the journal.
    #[error("{0}")]
    Engine(String),
}

impl Failure {
    /// What senders are told.
    fn refusal(&self) -> SubmitError {
        match self {
            Self::Commit(error) => flight::refusal(error),
            Self::Engine(_) => SubmitError::Unavailable,
        }
    }
}

impl<J: Journal> Writer<J> {
    /// Starts with a state that has just been recovered.
    pub(crate) fn start(
        setting: Setting<J>,
        recovery: Recovery,
    ) -> Result<std::thread::JoinHandle<()>, HostError> {
        let name = format!("dengmi-{}", setting.meta.branch);
        let retry = setting.config.retry_first;
        let announced = recovery.head.event;
        let mut writer = Self { setting, saving: None, retry, announced };
        let (memory, whole) = writer.ready(recovery);
        // Nothing is under way yet, so this cannot overtake anything.
        writer.setting.shared.views.publish(whole);
        writer.setting.shared.set_state(BranchState::Ready, None);
        let run = move || {
            let _closed = CloseAtEnd(writer.setting.shared.clone());
            writer.run(memory);
        };
        std::thread::Builder::new()
            .name(name)
            .spawn(run)
            .map_err(|error| HostError::Thread(error.to_string()))
    }

    /// Memory from a recovery, with all of it to be published.
    fn ready(&mut self, recovery: Recovery) -> (Memory, Delta) {
        let Recovery { mut engine, content, head, keys, commands } = recovery;
        let mut capture = Capture::new(self.setting.meta.branch);
        let whole = capture.whole(&mut engine);
        let memory = Memory {
            stamper: Stamper::new(self.setting.config.clock.clone(), engine.at()),
            committed: head.seq,
            engine,
            content,
            keys,
            capture,
            flight: None,
            pace: Pace::default(),
            worked: None,
            commits: Vec::new(),
            answers: Vec::new(),
            repeats: Vec::new(),
            unsaved: commands,
            saved: Instant::now(),
            stuck: None,
            stopping: false,
        };
        (memory, whole)
    }

    fn run(mut self, mut memory: Memory) {
        let last = loop {
            match self.work(&mut memory) {
                Ok(()) => break Some(memory),
                Err(failure) => match self.recover_from(failure, memory) {
                    Some(recovered) => memory = recovered,
                    None => break None,
                },
            }
        };
        self.saved();
        if let Some(memory) = last {
            self.save_at_end(memory);
        }
    }

    /// Works until the branch is to stop and everything is committed.
    fn work(&mut self, memory: &mut Memory) -> Result<(), Failure> {
        self.adopt(memory)?;
        loop {
            let wait = self.wait(memory);
            let taken = self.setting.shared.inbox.take(wait);
            memory.stopping = taken.stop;
            memory.pace.came(taken.submissions.len());
            if taken.rung
                && let Err(failure) = self.look(memory)
            {
                let refusal = failure.refusal();
                taken.submissions.into_iter().for_each(|one| one.answer.give(Err(refusal)));
                return Err(failure);
            }
            let mut waiting = taken.submissions.into_iter().peekable();
            if waiting.peek().is_none() {
                self.settle(memory)?;
            }
            while waiting.peek().is_some() {
                let batch = self.setting.config.batch.max(1);
                self.apply(memory, waiting.by_ref().take(batch), false)?;
            }
            self.setting.shared.set_clock_fault(memory.stamper.fault());
            let (waiting, linger) = (memory.answers.len(), self.setting.config.linger);
            if memory.flight.is_some() || memory.pace.awaits(waiting, linger, Instant::now()) {
                continue;
            }
            if !memory.commits.is_empty() {
                self.hand_over(memory)?;
            } else if memory.stopping {
                return Ok(());
            } else if let Some(delta) = memory.capture.rest(&mut memory.engine) {
                // Everything applied is committed, so what the engine says may be seen.
                self.setting.shared.views.publish(delta);
            } else if memory.worked.is_some_and(|worked| worked.elapsed() >= IDLE) {
                memory.worked = None;
                self.tidy();
            }
        }
    }

    /// The store's housekeeping, while nobody waits.
    fn tidy(&self) {
        let work = self.setting.journal.checkpoint_when_idle();
        if let Err(error) = self.setting.runtime.block_on(work) {
            let branch = self.setting.meta.branch;
            tracing::warn!(%branch, %error, "housekeeping of the store");
        }
    }

    /// Applies an empty batch where one is owed.
    fn settle(&mut self, memory: &mut Memory) -> Result<(), Failure> {
        let due = memory.engine.next_due();
        if due.is_none_or(|due| due > memory.stamper.now()) || due == memory.stuck {
            return Ok(());
        }
        self.apply(memory, std::iter::empty(), true)?;
        if memory.engine.next_due() == due {
            tracing::error!(branch = %self.setting.meta.branch, ?due, "not settled when it was due");
            memory.stuck = due;
        }
        Ok(())
    }

    /// What to wait for. While a commit is under way its end is worth waiting for.
    fn wait(&self, memory: &mut Memory) -> Wait {
        let config = &self.setting.config;
        let (longest, stop_known) = (self.sleep(memory), memory.stopping);
        match &memory.flight {
            Some(flight) => {
                let quiet_until = Some(flight.quiet_until);
                let enough = config.overlap.max(1);
                Wait { enough, linger: None, longest, quiet_until, stop_known }
            }
            None => {
                let Until { enough, linger, latest } = memory.pace.until(config.linger);
                // So soon that nothing else need end it.
                let left = latest.map(|at| at.saturating_duration_since(Instant::now()));
                let longest = left.unwrap_or(longest);
                Wait { enough, linger, longest, quiet_until: None, stop_known }
            }
        }
    }

    /// How long to sleep at most.
    fn sleep(&self, memory: &mut Memory) -> Duration {
        let now = memory.stamper.now();
        let due = memory.engine.next_due().filter(|due| Some(*due) != memory.stuck);
        let due = due.map(|due| {
            let ms = u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0);
            self.setting.config.clock.sleep_for(ms)
        });
        let (rest, idle) = match &memory.flight {
            Some(_) => (None, None),
            // Whoever still comes, comes too late.
            None if memory.stopping => return Duration::ZERO,
            None => {
                let idle = memory.worked.map(|worked| IDLE.saturating_sub(worked.elapsed()));
                (memory.capture.wait(), idle)
            }
        };
        [due, rest, idle].into_iter().flatten().fold(self.setting.config.tick, Duration::min)
    }

    /// Makes the wanted content current, unless it is.
    fn adopt(&mut self, memory: &mut Memory) -> Result<(), Failure> {
        let Some(pack) = &self.setting.wanted else { return Ok(()) };
        if pack.digest == memory.content {
            return Ok(());
        }
        tracing::info!(branch = %self.setting.meta.branch, pack = %pack.digest.short(), "new content");
        let action = Action::AdoptContent { digest: pack.digest };
        let command = Command { actor: Actor::System, action };
        let answer = Answer { to: oneshot::channel().0, _place: None };
        self.apply(memory, std::iter::once(Submission { key: None, command, answer }), false)?;
        self.hand_over(memory)
    }

    /// Applies submissions as one batch. Without any, an empty batch is applied where one is `due`.
    fn apply(
        &mut self,
        memory: &mut Memory,
        submissions: impl Iterator<Item = Submission>,
        due: bool,
    ) -> Result<(), Failure> {
        let Collected { commands, keys, answers } = self.collect(memory, submissions);
        if commands.is_empty() && !due {
            return Ok(());
        }
        let batch = Batch {
            seq: memory.engine.seq() + 1,
            at: memory.stamper.stamp(),
            commands: commands.into(),
        };
        let started = Instant::now();
        // A panic leaves the engine in an unknown state; it is dropped then, never used again.
        let applied = catch_unwind(AssertUnwindSafe(|| memory.engine.apply(&batch)));
        let applied = match applied {
            Ok(Ok(applied)) => applied,
            Ok(Err(error)) => return Err(Failure::Engine(error.to_string())),
            Err(_) => return Err(Failure::Engine("the engine panicked".to_owned())),
        };
        metrics::histogram!("dengmi_apply_seconds").record(started.elapsed().as_secs_f64());
        metrics::histogram!("dengmi_batch_commands").record(batch.commands.len() as f64);
        failpoint::hit("batch/applied");
        self.note(memory, batch, keys, answers, applied);
        Ok(())
    }

    /// Sorts out repeats and bad keys; what is left is to be applied.
    fn collect(
        &self,
        memory: &mut Memory,
        submissions: impl Iterator<Item = Submission>,
    ) -> Collected {
        let now = memory.stamper.now();
        let seq = memory.engine.seq() + 1;
        let mut collected = Collected::default();
        for Submission { key, command, answer } in submissions {
            if let Some(key) = &key {
                // A batch has a few hundred commands.
                let at = u32::try_from(collected.commands.len()).unwrap_or(u32::MAX);
                match memory.keys.enter(now, key, Known { seq, at }) {
                    Ok(None) => {}
                    Ok(Some(&first)) if first.seq <= memory.committed => {
                        self.repeat(Repeat { first, answer });
                        continue;
                    }
                    Ok(Some(&first)) => {
                        memory.repeats.push(Repeat { first, answer });
                        continue;
                    }
                    Err(fault) => {
                        answer.give(Err(fault.into()));
                        continue;
                    }
                }
            }
            if let (Actor::System, Action::AdoptContent { digest }) =
                (command.actor, &command.action)
                && let Some(pack) = self.setting.packs.get(*digest)
            {
                memory.engine.offer(pack);
            }
            collected.commands.push(command);
            collected.keys.push(key);
            collected.answers.push(answer);
        }
        collected
    }

    /// Remembers an applied batch until it is handed over.
    fn note(
        &self,
        memory: &mut Memory,
        batch: Batch,
        keys: Vec<Option<CommandKey>>,
        answers: Vec<Answer>,
        applied: Applied,
    ) {
        memory.capture.note(&applied);
        let Applied { outcomes, entries, events, closed_boards, digest, .. } = applied;
        for (command, outcome) in batch.commands.iter().zip(&outcomes) {
            if let (Action::AdoptContent { digest }, Outcome::Done(_)) = (&command.action, outcome)
            {
                memory.content = *digest;
            }
        }
        let submitted = |outcome: &Outcome| Submitted { outcome: outcome.clone(), replayed: false };
        memory.answers.extend(answers.into_iter().zip(outcomes.iter().map(submitted)));
        memory.unsaved += batch.commands.len() as u64;
        let ledger = entries.into_iter().map(|entry| {
            let rule = entry.rule.and_then(|rule| memory.engine.rule_id(rule.code));
            LedgerRow { entry, rule: rule.map(ToString::to_string) }
        });
        let ledger = ledger.collect();
        let content = memory.content;
        let batch = JournalBatch { batch, keys, outcomes, content, chain: digest, state: None };
        memory.commits.push(Commit { batch, ledger, events, closed_boards });
    }

    /// Sends everything applied so far on its way, with what readers shall see of it.
    fn hand_over(&mut self, memory: &mut Memory) -> Result<(), Failure> {
        let mut commits = std::mem::take(&mut memory.commits);
        let save = self.save(memory);
        if let (Some(save), Some(last)) = (&save, commits.last_mut()) {
            last.batch.state = Some(Digest::of(&save.state));
        }
        let answers = std::mem::take(&mut memory.answers);
        let group = Group { commits, answers, save };
        let Setting { journal, runtime, shared, .. } = &self.setting;
        let delta = || memory.capture.take(&mut memory.engine);
        let flight = Flight::begin(journal, runtime, shared, group, memory.pace.took, delta);
        memory.flight = Some(Box::new(flight));
        failpoint::hit("batch/handed-over");
        self.look(memory)
    }

    /// Looks how far the group in flight is.
    fn look(&mut self, memory: &mut Memory) -> Result<(), Failure> {
        let Some(flight) = memory.flight.take() else { return Ok(()) };
        match flight.poll(&self.setting.runtime, &self.setting.shared) {
            Err(flight) => {
                memory.flight = Some(flight);
                Ok(())
            }
            Ok(landed) => self.landed(memory, landed),
        }
    }

    /// The state, where a snapshot of it is due.
    fn save(&self, memory: &mut Memory) -> Option<Save> {
        let folder = self.setting.config.snapshots.clone()?;
        let config = &self.setting.config;
        let due = memory.unsaved >= config.snapshot_commands.max(1)
            || (memory.unsaved > 0 && memory.saved.elapsed() >= config.snapshot_interval);
        if !due {
            return None;
        }
        memory.unsaved = 0;
        memory.saved = Instant::now();
        let started = Instant::now();
        let save = Save {
            folder,
            meta: snapshot_meta(self.setting.meta.branch, &memory.engine),
            state: memory.engine.save(),
        };
        metrics::histogram!("dengmi_save_seconds").record(started.elapsed().as_secs_f64());
        Some(save)
    }

    /// A group is durable, or was refused.
    fn landed(&mut self, memory: &mut Memory, landed: Landed) -> Result<(), Failure> {
        let Landed { result, commands, took, save } = landed;
        memory.worked = Some(Instant::now());
        let head = result.map_err(Failure::Commit)?;
        memory.pace.landed(commands, took);
        memory.committed = head.seq;
        self.announced = head.event;
        self.retry = self.setting.config.retry_first;
        for repeat in memory.repeats.extract_if(.., |repeat| repeat.first.seq <= head.seq) {
            self.repeat(repeat);
        }
        if let Some((save, hash)) = save {
            self.saved();
            // The branch goes on meanwhile.
            self.saving = Some(self.setting.runtime.spawn_blocking(move || save.write(hash)));
        }
        Ok(())
    }

    /// Waits for the snapshot that is being written: two never are at once, and a host that has
    /// stopped writes nothing any more.
    fn saved(&mut self) {
        if let Some(saving) = self.saving.take() {
            // A panic in it was printed; the journal alone is enough.
            let _ = self.setting.runtime.block_on(saving);
        }
    }

    /// Answers a repeat of a committed command, while the writer goes on.
    fn repeat(&self, repeat: Repeat) {
        let (journal, branch) = (self.setting.journal.clone(), self.setting.meta.branch);
        self.setting.runtime.spawn(repeat.answer_from(journal, branch));
    }

    /// The last snapshot, so that the next start is quick.
    fn save_at_end(&self, mut memory: Memory) {
        failpoint::hit("stop/nothing-waits");
        let Some(folder) = self.setting.config.snapshots.clone() else { return };
        if memory.unsaved == 0 {
            return;
        }
        let head =
            self.setting.runtime.block_on(self.setting.journal.head(self.setting.meta.branch));
        match head {
            Ok(head) if head.seq == memory.engine.seq() => {
                let meta = snapshot_meta(self.setting.meta.branch, &memory.engine);
                Save { folder, meta, state: memory.engine.save() }.write(head.hash);
                failpoint::hit("stop/saved");
            }
            Ok(_) => tracing::warn!("no last snapshot: the journal went on without this writer"),
            Err(error) => tracing::warn!(%error, "no last snapshot"),
        }
    }

    /// Drops the memory, answers whoever waits that nobody knows, and works the state out again.
    /// `None` where the branch is to stop.
    fn recover_from(&mut self, failure: Failure, mut memory: Memory) -> Option<Memory> {
        let shared = self.setting.shared.clone();
        let (refusal, why) = (failure.refusal(), failure.to_string());
        let state = match refusal {
            SubmitError::ReadOnly => BranchState::ReadOnly,
            _ => BranchState::Recovering,
        };
        tracing::error!(branch = %shared.branch, why, "the branch recovers from its journal");
        metrics::counter!("dengmi_recoveries_total").increment(1);
        shared.set_state(state, Some(why));
        // What is being committed must have ended before the journal is read.
        while memory.flight.is_some() {
            let taken = shared.inbox.take(Wait {
                enough: usize::MAX,
                linger: None,
                longest: Duration::from_secs(1),
                quiet_until: None,
                stop_known: true,
            });
            // A second failure is as good as the first one.
            let _ = self.look(&mut memory);
            taken.submissions.into_iter().for_each(|one| one.answer.give(Err(refusal)));
        }
        memory.answers.drain(..).for_each(|(answer, _)| answer.give(Err(refusal)));
        memory.repeats.drain(..).for_each(|repeat| repeat.answer.give(Err(refusal)));
        drop(memory);
        loop {
            shared.inbox.refuse(self.retry, refusal);
            self.retry = (self.retry * 2).min(self.setting.config.retry_most);
            if shared.inbox.stopping() {
                return None;
            }
            let Setting { journal, meta, packs, config, .. } = &self.setting;
            let mut silent = |_, _| {};
            let work = recover(&**journal, meta, packs, config, &mut silent);
            match self.setting.runtime.block_on(work) {
                Ok(recovery) => return self.recovered(recovery),
                Err(error) => {
                    tracing::error!(branch = %shared.branch, %error, "recovery");
                    shared.set_state(state, Some(error.to_string()));
                }
            }
        }
    }

    /// Publishes a recovered state, and tells the events that were committed unseen.
    fn recovered(&mut self, recovery: Recovery) -> Option<Memory> {
        let branch = self.setting.meta.branch;
        let head = recovery.head;
        let unseen = self.setting.journal.events_after(branch, self.announced, u32::MAX);
        let unseen = self.setting.runtime.block_on(unseen).unwrap_or_default();
        let (memory, whole) = self.ready(recovery);
        self.setting.shared.views.publish(whole);
        flight::tell(&self.setting.shared, unseen);
        self.announced = head.event;
        if !self.setting.shared.inbox.stopping() {
            self.setting.shared.set_state(BranchState::Ready, None);
        }
        tracing::info!(%branch, seq = head.seq, "the branch takes commands again");
        Some(memory)
    }
}

/// Commands on their way into a batch.
#[derive(Default)]
struct Collected {
    commands: Vec<Command>,
    keys: Vec<Option<CommandKey>>,
    answers: Vec<Answer>,
}

/// What a snapshot says of itself, but for the record's hash, which the commit gives.
fn snapshot_meta(branch: BranchId, engine: &Engine) -> SnapshotMeta {
    SnapshotMeta {
        branch,
        seq: engine.seq(),
        at: engine.at(),
        packs: engine.packs_in_use(),
        journal: Digest::default(),
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
