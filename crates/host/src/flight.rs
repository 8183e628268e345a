//! The one place where work becomes durable, and the only one that lets it be seen: a group of
//! batches is appended, then published and told to subscribers, then answered.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use dengmi_core::view::Event;
use dengmi_core::{Digest, mutant};
use dengmi_store::snapshot::{self, SnapshotMeta};
use dengmi_store::{Commit, Head, Journal, StoreError, failpoint};
use tokio::runtime::Handle;

use crate::branch::Shared;
use crate::inbox::{Answer, SubmitError, Submitted};
use crate::views::Delta;

/// Longest time in which nobody looks at a commit that has begun.
const QUIET_MAX: Duration = Duration::from_micros(100);

/// Batches that are committed together.
pub(crate) struct Group {
    pub(crate) commits: Vec<Commit>,
    pub(crate) answers: Vec<(Answer, Submitted)>,
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

/// Wakes the writer where it waits for commands.
struct Bell(Arc<Shared>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.inbox.ring();
    }
}

/// A group on its way to the disk. The store works on it on a thread of its own; the writer goes on
/// meanwhile, and looks at it when the bell has rung.
pub(crate) struct Flight {
    append: Pin<Box<dyn Future<Output = Result<Head, StoreError>> + Send>>,
    /// How the append ended.
    ended: Option<Result<Head, StoreError>>,
    waker: Waker,
    started: Instant,
    /// How many commands are in it.
    commands: usize,
    /// Until when it is left alone. A store rings at the end of each of its statements, and to be
    /// woken for those before the last one costs a busy processor more than they do.
    pub(crate) quiet_until: Instant,
    answers: Vec<(Answer, Submitted)>,
    events: Vec<Event>,
    delta: Delta,
    save: Option<Save>,
}

/// How a group ended.
pub(crate) struct Landed {
    /// The new head, or why nothing is known to be stored.
    pub(crate) result: Result<Head, StoreError>,
    /// How many commands were in it.
    pub(crate) commands: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// The snapshot that is now due, with its record's hash.
    pub(crate) save: Option<(Save, Digest)>,
}

impl Flight {
    /// Sends a group on its way; `last` is how long the last one took. `delta` gives what readers
    /// shall see of it, and is asked once the store is at work: at times to copy that takes half as
    /// long as a small commit.
    pub(crate) fn begin<J: Journal>(
        journal: &Arc<J>,
        runtime: &Handle,
        shared: &Arc<Shared>,
        group: Group,
        last: Duration,
        delta: impl FnOnce() -> Delta,
    ) -> Self {
        let Group { commits, mut answers, save } = group;
        if mutant::planted("commit/acknowledged-first") {
            answers.drain(..).for_each(|(answer, submitted)| answer.give(Ok(submitted)));
        }
        let commands = commits.iter().map(|commit| commit.batch.batch.commands.len()).sum();
        let events = commits.iter().flat_map(|commit| commit.events.clone()).collect();
        metrics::histogram!("dengmi_group_batches").record(commits.len() as f64);
        failpoint::hit("group/received");
        let (journal, branch) = (journal.clone(), shared.branch);
        let started = Instant::now();
        let mut flight = Self {
            append: Box::pin(async move { journal.append(branch, commits).await }),
            ended: None,
            waker: Waker::from(Arc::new(Bell(shared.clone()))),
            started,
            commands,
            // Well before a commit like the last one can be done.
            quiet_until: started + (last / 4).min(QUIET_MAX),
            answers,
            events,
            delta: Delta::default(),
            save,
        };
        flight.advance(runtime);
        flight.delta = delta();
        flight
    }

    /// Lets the store get ahead.
    fn advance(&mut self, runtime: &Handle) {
        let _context = runtime.enter();
        if self.ended.is_none()
            && let Poll::Ready(result) =
                self.append.as_mut().poll(&mut Context::from_waker(&self.waker))
        {
            self.ended = Some(result);
        }
    }

    /// Looks whether it is durable; then it is published, told and answered. It must be looked at
    /// once it has begun, and again whenever the bell has rung.
    pub(crate) fn poll(
        mut self: Box<Self>,
        runtime: &Handle,
        shared: &Shared,
    ) -> Result<Landed, Box<Self>> {
        self.advance(runtime);
        match self.ended.take() {
            None => Err(self),
            Some(result) => Ok(self.land(runtime, shared, result)),
        }
    }

    fn land(self, runtime: &Handle, shared: &Shared, result: Result<Head, StoreError>) -> Landed {
        let Self { commands, answers, events, delta, save, .. } = self;
        let took = self.started.elapsed();
        metrics::histogram!("dengmi_commit_seconds").record(took.as_secs_f64());
        let counter = |result: &'static str| {
            metrics::counter!("dengmi_commands_total", "result" => result)
                .increment(commands as u64);
        };
        let save = match &result {
            Ok(head) => {
                failpoint::hit("group/committed");
                counter("committed");
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
                counter("failed");
                let refusal = refusal(error);
                answers.into_iter().for_each(|(answer, _)| answer.give(Err(refusal)));
                None
            }
        };
        Landed { result, commands, took, save }
    }
}

/// What a sender is told when a commit failed.
pub(crate) fn refusal(error: &StoreError) -> SubmitError {
    match error {
        StoreError::Full { .. } => SubmitError::ReadOnly,
        _ => SubmitError::Unavailable,
    }
}

/// Tells subscribers of committed events.
pub(crate) fn tell(shared: &Shared, events: Vec<Event>) {
    for event in events {
        if mutant::planted("commit/told-twice") {
            let _ = shared.events.send(Arc::new(event.clone()));
        }
        // Nobody listening is fine: whoever comes later reads the outbox.
        let _ = shared.events.send(Arc::new(event));
    }
}
