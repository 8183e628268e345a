//! What waits for the writer of a branch: one short lock, and no wake-up that nobody needs.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dengmi_core::{Command, Outcome};
use dengmi_store::CommandKey;
use tokio::sync::oneshot;

/// Why a command was not applied, as far as its sender can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The key is no good.
    #[error(transparent)]
    Key(#[from] crate::keys::KeyFault),
    /// Too many commands wait.
    #[error("the branch is busy; send the command again in a moment, with the same key")]
    Busy,
    /// The disk is full.
    #[error("the branch takes no commands because its disk is full; send it again later")]
    ReadOnly,
    /// The branch is recovering or stopped. The command may or may not have been committed.
    #[error("the branch is unavailable; send the command again with the same key")]
    Unavailable,
    /// No such branch here.
    #[error("no such branch is served here")]
    UnknownBranch,
}

/// A committed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// What the engine answered.
    pub outcome: Outcome,
    /// Whether this is the outcome of an earlier submission under the same key.
    pub replayed: bool,
}

/// Where an answer goes. The sender may have gone away meanwhile; that is nobody's fault.
pub(crate) struct Answer {
    pub(crate) to: oneshot::Sender<Result<Submitted, SubmitError>>,
    /// Gives the place in the queue back when the command is answered.
    pub(crate) _place: Option<tokio::sync::OwnedSemaphorePermit>,
}

impl Answer {
    pub(crate) fn give(self, result: Result<Submitted, SubmitError>) {
        let _ = self.to.send(result);
    }
}

/// A command on its way to the writer.
pub(crate) struct Submission {
    /// `None` for the host's own commands.
    pub(crate) key: Option<CommandKey>,
    pub(crate) command: Command,
    pub(crate) answer: Answer,
}

#[derive(Default)]
struct Queue {
    submissions: Vec<Submission>,
    /// The commit under way got ahead.
    rung: bool,
    stop: bool,
    closed: bool,
    /// The writer sleeps, and wants to be woken at so many submissions.
    wake_at: Option<usize>,
    /// The writer sleeps, and wants to be woken by the bell.
    listens: bool,
}

/// What the writer found when it looked.
pub(crate) struct Taken {
    pub(crate) submissions: Vec<Submission>,
    /// The bell has rung, and was not to be ignored any more.
    pub(crate) rung: bool,
    pub(crate) stop: bool,
}

/// How long the writer waits.
pub(crate) struct Wait {
    /// Until so many submissions are there, ...
    pub(crate) enough: usize,
    /// ... or so long after the first of them, ...
    pub(crate) linger: Option<Duration>,
    /// ... and at most this long in all.
    pub(crate) longest: Duration,
    /// From when on the bell ends it.
    pub(crate) quiet_until: Option<Instant>,
    /// A stop does not end it: it was reported before.
    pub(crate) stop_known: bool,
}

/// The queue of one writer.
#[derive(Default)]
pub(crate) struct Inbox {
    queue: Mutex<Queue>,
    writer: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a command.
    pub(crate) fn submit(&self, submission: Submission) {
        let mut queue = self.lock();
        if queue.closed {
            drop(queue);
            submission.answer.give(Err(SubmitError::Unavailable));
            return;
        }
        queue.submissions.push(submission);
        self.wake(&queue);
    }

    fn wake(&self, queue: &Queue) {
        let enough = |count| queue.submissions.len() == count;
        if queue.wake_at.is_some_and(enough) {
            self.writer.notify_one();
        }
    }

    /// Says that the commit under way got ahead.
    pub(crate) fn ring(&self) {
        let mut queue = self.lock();
        queue.rung = true;
        if queue.listens {
            drop(queue);
            self.writer.notify_one();
        }
    }

    /// Asks the writer to finish what waits and stop.
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.writer.notify_one();
    }

    /// Whether the writer was asked to stop.
    pub(crate) fn stopping(&self) -> bool {
        self.lock().stop
    }

    /// Refuses everything from now on.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        let left = std::mem::take(&mut queue.submissions);
        drop(queue);
        left.into_iter().for_each(|one| one.answer.give(Err(SubmitError::Unavailable)));
    }

    /// Takes everything once there is a reason to.
    pub(crate) fn take(&self, wait: Wait) -> Taken {
        let mut until = Instant::now() + wait.longest;
        let mut linger = wait.linger;
        let mut queue = self.lock();
        loop {
            let now = Instant::now();
            let waiting = queue.submissions.len();
            if waiting > 0
                && let Some(linger) = linger.take()
            {
                until = until.min(now + linger);
            }
            let quiet = wait.quiet_until.filter(|end| *end > now);
            let rung = queue.rung && quiet.is_none();
            if rung || waiting >= wait.enough || (queue.stop && !wait.stop_known) || until <= now {
                (queue.wake_at, queue.listens) = (None, false);
                queue.rung &= !rung;
                return Taken {
                    submissions: std::mem::take(&mut queue.submissions),
                    rung,
                    stop: queue.stop,
                };
            }
            queue.wake_at = Some(if linger.is_some() { 1 } else { wait.enough });
            queue.listens = quiet.is_none();
            let left = quiet.map_or(until, |end| until.min(end)).saturating_duration_since(now);
            queue = self.writer.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sleeps while answering everything with `error`, until `longest` has passed or the branch is
    /// to stop.
    pub(crate) fn refuse(&self, longest: Duration, error: SubmitError) {
        let until = Instant::now() + longest;
        let mut queue = self.lock();
        loop {
            let refused = std::mem::take(&mut queue.submissions);
            refused.into_iter().for_each(|one| one.answer.give(Err(error)));
            let left = until.saturating_duration_since(Instant::now());
            if queue.stop || left.is_zero() {
                queue.wake_at = None;
                return;
            }
            queue.wake_at = Some(1);
            queue = self.writer.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dengmi_core::{Action, Actor};

    use super::*;

    fn submission() -> Submission {
        let command = Command { actor: Actor::System, action: Action::AddManager };
        let answer = Answer { to: oneshot::channel().0, _place: None };
        Submission { key: None, command, answer }
    }

    fn wait(longest_ms: u64) -> Wait {
        let longest = Duration::from_millis(longest_ms);
        Wait { enough: 9, linger: None, longest, quiet_until: None, stop_known: false }
    }

    /// `sent` submissions come one after the other while the writer waits for `enough`.
    #[track_caller]
    fn check(sent: usize, enough: usize, linger_ms: Option<u64>, expected: usize) {
        let inbox = Arc::new(Inbox::default());
        let sender = {
            let inbox = inbox.clone();
            std::thread::spawn(move || {
                for _ in 0..sent {
                    std::thread::sleep(Duration::from_millis(2));
                    inbox.submit(submission());
                }
            })
        };
        let linger = linger_ms.map(Duration::from_millis);
        let taken = inbox.take(Wait { enough, linger, ..wait(300) });
        assert_eq!(taken.submissions.len(), expected, "{sent} {enough} {linger_ms:?}");
        sender.join().unwrap();
    }

    #[test]
    fn the_writer_is_woken_when_there_is_enough() {
        check(3, 1, None, 1);
        check(3, 3, None, 3);
        check(3, 3, Some(200), 3);
        check(3, 1, Some(200), 1);
        // Fewer than enough: after the linger, or else after the longest wait.
        check(1, 2, Some(0), 1);
        check(2, 5, Some(100), 2);
        check(2, 5, None, 2);
        check(0, 1, None, 0);
    }

    #[test]
    fn the_bell_and_a_stop_wake_the_writer() {
        let inbox = Inbox::default();
        inbox.submit(submission());
        inbox.ring();
        let taken = inbox.take(wait(60_000));
        assert!(taken.rung && taken.submissions.len() == 1 && !taken.stop);
        assert!(!inbox.take(wait(0)).rung, "it is heard once");
        inbox.stop();
        assert!(inbox.take(wait(60_000)).stop);
        assert!(inbox.take(Wait { stop_known: true, ..wait(0) }).stop);
        inbox.close();
        let (to, mut answer) = oneshot::channel();
        let submission = Submission { answer: Answer { to, _place: None }, ..submission() };
        inbox.submit(submission);
        assert_eq!(answer.try_recv(), Ok(Err(SubmitError::Unavailable)));
    }

    #[test]
    fn a_bell_that_rings_too_early_is_heard_later() {
        for (rings_after_ms, quiet_ms) in [(0, 40), (10, 40), (40, 10)] {
            let inbox = Arc::new(Inbox::default());
            let (ringer, begun) = (inbox.clone(), Instant::now());
            let ringer = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(rings_after_ms));
                ringer.ring();
            });
            let quiet_until = Some(begun + Duration::from_millis(quiet_ms));
            assert!(inbox.take(Wait { quiet_until, ..wait(60_000) }).rung);
            let least = Duration::from_millis(quiet_ms.max(rings_after_ms));
            assert!((least..least + Duration::from_secs(30)).contains(&begun.elapsed()));
            ringer.join().unwrap();
        }
        // Commands are taken meanwhile, and the ring is kept.
        let inbox = Inbox::default();
        inbox.ring();
        inbox.submit(submission());
        let quiet_until = Some(Instant::now() + Duration::from_secs(60));
        let taken = inbox.take(Wait { enough: 1, quiet_until, ..wait(60_000) });
        assert!(!taken.rung && taken.submissions.len() == 1);
        assert!(inbox.take(wait(60_000)).rung);
    }
}
