//! The one place where work becomes durable, and the only one that lets it be seen: a group of
//! batches is appended, then published and told to subscribers, then answered.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use dengmi_core::view::Event;
use dengmi_core::{Digest, mutant};
use dengmi_store::snapshot::{self, SnapshotMeta};
use dengmi_store::{Commit, Journal, StoreError, failpoint};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::branch::Shared;
use crate::inbox::{Answer, SubmitError, Submitted};
use crate::patient;
use crate::views::Delta;

/// How long nothing must have been committed before the store does its housekeeping.
const IDLE: Duration = Duration::from_millis(500);

/// Longest nap while a commit is under way.
const NAP_MAX: Duration = Duration::from_micros(100);

/// What the writer hands over.
pub(crate) enum Job {
    /// Batches to commit.
    Commit(Box<Group>),
    /// Something to publish that is committed already.
    Publish(Box<Delta>),
    /// Events to tell that are committed already.
    Tell(Vec<Event>),
}

/// Batches that are committed together.
pub(crate) struct Group {
    pub(crate) commits: Vec<Commit>,
    pub(crate) answers: Vec<(Answer, Submitted)>,
    pub(crate) delta: Delta,
    /// The state after the last batch, where a snapshot is due.
    pub(crate) save: Option<Save>,
}

/// A state to be written to a file once it is committed.
pub(crate) struct Save {
    pub(crate) folder: PathBuf,
    /// Complete but for the record's hash, which the commit gives.
    pub(crate) meta: SnapshotMeta,
    pub(crate) state: Vec<u8>,
}

impl Save {
    /// Compresses and writes it, and deletes all but the last two. Blocks.
    pub(crate) fn write(mut self, hash: Digest) {
        let started = Instant::now();
        self.meta.journal = hash;
        let SnapshotMeta { branch, seq, .. } = self.meta;
        let done = snapshot::write(&self.folder, &self.meta, &self.state)
            .and_then(|_| snapshot::prune(&self.folder, branch, 2));
        failpoint::hit("snapshot/pruned");
        metrics::histogram!("dengmi_snapshot_seconds").record(started.elapsed().as_secs_f64());
        match done {
            Ok(_) => tracing::info!(%branch, seq, bytes = self.state.len(), "snapshot"),
            // The journal alone is enough, and the next one may succeed.
            Err(error) => tracing::warn!(%branch, seq, %error, "snapshot"),
        }
    }
}

/// Commits groups in the order they come, until the writer is gone. Blocks: it has a thread of its
/// own, because everybody's answer waits for it. On a runtime it would queue up behind the requests
/// that come meanwhile.
pub(crate) fn run<J: Journal>(
    runtime: &Handle,
    journal: &J,
    shared: &Shared,
    jobs: &Receiver<Job>,
) {
    let mut worked = false;
    let mut nap = Duration::ZERO;
    let mut saving: Option<JoinHandle<()>> = None;
    loop {
        let job = if worked {
            match jobs.recv_timeout(IDLE) {
                Ok(job) => job,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    worked = false;
                    if let Err(error) = runtime.block_on(journal.checkpoint_when_idle()) {
                        tracing::warn!(branch = %shared.branch, %error, "housekeeping of the store");
                    }
                    continue;
                }
            }
        } else {
            let Ok(job) = jobs.recv() else { break };
            job
        };
        match job {
            Job::Publish(delta) => shared.views.publish(*delta),
            Job::Tell(events) => tell(shared, events),
            Job::Commit(group) => {
                if let Some((save, hash)) = commit(runtime, journal, shared, *group, &mut nap) {
                    finish(runtime, saving.take());
                    // The branch goes on meanwhile.
                    saving = Some(runtime.spawn_blocking(move || save.write(hash)));
                }
                worked = true;
            }
        }
    }
    finish(runtime, saving);
}

/// Waits for a snapshot that is being written: two never are at once, and a host that has stopped
/// writes nothing any more.
fn finish(runtime: &Handle, saving: Option<JoinHandle<()>>) {
    if let Some(saving) = saving {
        // A panic in it was printed; the journal alone is enough.
        let _ = runtime.block_on(saving);
    }
}

/// Appends a group and answers it. Gives the snapshot that is now due, with its record's hash.
fn commit<J: Journal>(
    runtime: &Handle,
    journal: &J,
    shared: &Shared,
    group: Group,
    nap: &mut Duration,
) -> Option<(Save, Digest)> {
    let Group { commits, mut answers, delta, save } = group;
    if mutant::planted("commit/acknowledged-first") {
        answers.drain(..).for_each(|(answer, submitted)| answer.give(Ok(submitted)));
    }
    let commands: usize = commits.iter().map(|commit| commit.batch.batch.commands.len()).sum();
    let events: Vec<Event> = commits.iter().flat_map(|commit| commit.events.clone()).collect();
    metrics::histogram!("dengmi_group_batches").record(commits.len() as f64);
    failpoint::hit("group/received");
    let started = Instant::now();
    let result = patient::block_on(runtime, *nap, journal.append(shared.branch, commits));
    // Well before a commit like the last one can be done.
    *nap = (started.elapsed() / 4).min(NAP_MAX);
    metrics::histogram!("dengmi_commit_seconds").record(started.elapsed().as_secs_f64());
    // The writer goes on with the next group while this one is published.
    shared.inbox.committed(result.clone());
    match result {
        Ok(head) => {
            failpoint::hit("group/committed");
            metrics::counter!("dengmi_commands_total", "result" => "committed")
                .increment(commands as u64);
            shared.views.publish(delta);
            failpoint::hit("group/published");
            // Before the answers: who is answered and subscribes then is not told of the past.
            tell(shared, events);
            failpoint::hit("group/told");
            // By a task: it wakes the others without a lock and a system call each.
            runtime.spawn(async move {
                for (answer, submitted) in answers {
                    answer.give(Ok(submitted));
                    failpoint::hit("group/one-answered");
                }
                failpoint::hit("group/answered");
            });
            save.map(|save| (save, head.hash))
        }
        Err(error) => {
            metrics::counter!("dengmi_commands_total", "result" => "failed")
                .increment(commands as u64);
            let refusal = refusal(&error);
            for (answer, _) in answers {
                answer.give(Err(refusal));
            }
            None
        }
    }
}

/// What a sender is told when a commit failed.
pub(crate) fn refusal(error: &StoreError) -> SubmitError {
    match error {
        StoreError::Full { .. } => SubmitError::ReadOnly,
        _ => SubmitError::Unavailable,
    }
}

fn tell(shared: &Shared, events: Vec<Event>) {
    for event in events {
        if mutant::planted("commit/told-twice") {
            let _ = shared.events.send(Arc::new(event.clone()));
        }
        // Nobody listening is fine: whoever comes later reads the outbox.
        let _ = shared.events.send(Arc::new(event));
    }
}
