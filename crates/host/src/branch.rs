//! One branch as it runs: what its writer and everybody else share.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dengmi_core::view::Event;
use dengmi_core::{BranchId, Command};
use dengmi_store::{BranchMeta, CommandKey};
use tokio::sync::{Semaphore, broadcast, oneshot};

use crate::clock::ClockFault;
use crate::config::HostConfig;
use crate::inbox::{Answer, Inbox, Submission, SubmitError, Submitted};
use crate::views::Views;

/// Whether a branch takes commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchState {
    /// Working its way through snapshot and journal; readers see what was published before.
    Recovering,
    /// Taking commands.
    Ready,
    /// Taking none: a commit failed and recovery waits to be tried.
    ReadOnly,
    /// Stopped for good.
    Stopped,
}

impl BranchState {
    const ALL: [Self; 4] = [Self::Recovering, Self::Ready, Self::ReadOnly, Self::Stopped];
}

/// What everybody shares about one branch.
pub(crate) struct Shared {
    pub(crate) branch: BranchId,
    pub(crate) inbox: Inbox,
    pub(crate) views: Views,
    pub(crate) events: broadcast::Sender<Arc<Event>>,
    places: Arc<Semaphore>,
    state: AtomicU8,
    trouble: Mutex<Option<String>>,
    clock_fault: Mutex<Option<ClockFault>>,
}

impl Shared {
    pub(crate) fn new(branch: BranchId, config: &HostConfig) -> Self {
        Self {
            branch,
            inbox: Inbox::default(),
            views: Views::new(branch),
            events: broadcast::channel(config.events.max(1)).0,
            places: Arc::new(Semaphore::new(config.queue.clamp(1, Semaphore::MAX_PERMITS))),
            state: AtomicU8::new(BranchState::Recovering as u8),
            trouble: Mutex::new(None),
            clock_fault: Mutex::new(None),
        }
    }

    pub(crate) fn state(&self) -> BranchState {
        BranchState::ALL[usize::from(self.state.load(Ordering::Acquire))]
    }

    /// Changes the state; `trouble` says what is wrong, if anything is.
    pub(crate) fn set_state(&self, state: BranchState, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        self.state.store(state as u8, Ordering::Release);
    }

    pub(crate) fn set_clock_fault(&self, fault: Option<ClockFault>) {
        *self.clock_fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// What is not well, in words; empty where all is.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let branch = self.branch;
        let mut troubles = Vec::new();
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (self.state(), trouble) {
            (BranchState::Ready, _) => {}
            (state, None) => troubles.push(format!("branch {branch} is {state:?}").to_lowercase()),
            (state, Some(why)) => {
                troubles.push(format!("branch {branch} is {state:?}: ").to_lowercase() + &why);
            }
        }
        troubles
    }

    /// What is wrong with the clock. The branch works on.
    pub(crate) fn clock_fault(&self) -> Option<ClockFault> {
        *self.clock_fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a command to the writer and waits until it is committed and published.
    pub(crate) async fn submit(
        &self,
        key: Option<CommandKey>,
        command: Command,
    ) -> Result<Submitted, SubmitError> {
        match self.state() {
            BranchState::Ready => {}
            BranchState::ReadOnly => return Err(SubmitError::ReadOnly),
            BranchState::Recovering | BranchState::Stopped => return Err(SubmitError::Unavailable),
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            metrics::counter!("dengmi_commands_total", "result" => "busy").increment(1);
            return Err(SubmitError::Busy);
        };
        let (to, answer) = oneshot::channel();
        let answer_to = Answer { to, _place: Some(place) };
        self.inbox.submit(Submission { key, command, answer: answer_to });
        // A sender that was dropped belongs to a writer that is gone.
        answer.await.unwrap_or(Err(SubmitError::Unavailable))
    }
}

/// A branch as the host knows it.
pub(crate) struct Branch {
    pub(crate) meta: BranchMeta,
    pub(crate) shared: Arc<Shared>,
    /// The writer; taken by who waits for its end.
    pub(crate) writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}
