//! Steps at which a test may end the process, as a power switch would. Without the feature
//! `failpoints`, which no shipped build has, [`hit`] is nothing.

/// Every step there is, in the order in which a branch meets them.
pub const POINTS: &[&str] = &[
    "open/locked",
    "open/created",
    "open/migrated",
    "branch/created",
    "pack/put",
    "recover/begun",
    "recover/kept-aside",
    "recover/cut",
    "recover/done",
    "recover/replayed",
    "recover/keys",
    "batch/applied",
    "batch/handed-over",
    "group/received",
    "commit/before-begin",
    "commit/rows",
    "commit/boards",
    "commit/done",
    "group/committed",
    "group/published",
    "group/told",
    "group/one-answered",
    "group/answered",
    "snapshot/opened",
    "snapshot/written",
    "snapshot/synced",
    "snapshot/renamed",
    "snapshot/folder-synced",
    "snapshot/old-one-gone",
    "snapshot/pruned",
    "checkpoint/begun",
    "checkpoint/done",
    "stop/nothing-waits",
    "stop/saved",
];

/// The process passes the step `point`.
#[inline]
pub fn hit(point: &'static str) {
    #[cfg(feature = "failpoints")]
    armed::hit(point);
    #[cfg(not(feature = "failpoints"))]
    let _ = point;
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, sync_seldom, syncs_seldom};

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, PoisonError};

    use super::POINTS;

    static ARMED: Mutex<Option<(String, u32)>> = Mutex::new(None);
    static SYNCS_SELDOM: AtomicBool = AtomicBool::new(false);

    /// Ends the process when it passes the step `point` for the `occurrence`th time from now on,
    /// counted from 1. Nothing is tidied up, no destructor runs.
    pub fn arm(point: &str, occurrence: u32) {
        *ARMED.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((point.to_owned(), occurrence));
    }

    /// Plants a fault into stores opened from now on: SQLite's `synchronous = NORMAL`, which loses
    /// acknowledged commits when the power fails. A harness that does not notice is worth nothing.
    pub fn sync_seldom() {
        SYNCS_SELDOM.store(true, Ordering::SeqCst);
    }

    /// Whether [`sync_seldom`] was called.
    #[must_use]
    pub fn syncs_seldom() -> bool {
        SYNCS_SELDOM.load(Ordering::SeqCst)
    }

    pub(super) fn hit(point: &'static str) {
        debug_assert!(POINTS.contains(&point), "{point} is not in the list");
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, left)) = armed.as_mut()
            && name == point
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::abort();
            }
        }
    }
}
