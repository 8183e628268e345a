//! Settings of a host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::keys::KeyLimits;

/// Settings of a host. The defaults suit one machine with an SSD.
#[derive(Clone)]
pub struct HostConfig {
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Most commands applied as one batch.
    pub batch: usize,
    /// While a commit is under way, this many waiting commands are enough to apply them already;
    /// fewer wait for its end and make one batch.
    pub overlap: usize,
    /// Longest wait for more commands before a commit begins: for those just answered where they
    /// are few, never more than the last commit took; or after the first one where many came
    /// together before, never more than an eighth of it.
    pub linger: Duration,
    /// Most commands of one branch that are not answered yet; beyond it the branch is busy.
    pub queue: usize,
    /// How long commands can be repeated.
    pub keys: KeyLimits,
    /// Most events a slow subscriber may fall behind.
    pub events: usize,
    /// Where snapshots go; without it a start applies the whole journal.
    pub snapshots: Option<PathBuf>,
    /// A snapshot is due after so many commands ...
    pub snapshot_commands: u64,
    /// ... or after so much time with any command at all.
    pub snapshot_interval: Duration,
    /// Longest sleep of a writer: due times are checked at least this often.
    pub tick: Duration,
    /// Wait before the first recovery after a failed commit; doubles with every further failure.
    pub retry_first: Duration,
    /// Longest wait before a recovery.
    pub retry_most: Duration,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            batch: 512,
            overlap: 32,
            linger: Duration::from_micros(200),
            queue: 8_192,
            keys: KeyLimits::default(),
            events: 4_096,
            snapshots: None,
            snapshot_commands: 200_000,
            snapshot_interval: Duration::from_secs(15 * 60),
            tick: Duration::from_millis(250),
            retry_first: Duration::from_millis(50),
            retry_most: Duration::from_secs(5),
        }
    }
}
