//! What is watched, and how much may still be written.

use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use libc::{c_int, off_t};

use crate::kernel;
use crate::log::{self, Op};

/// Descriptors that can be followed. A test opens a handful.
const DESCRIPTORS: usize = 4_096;

/// The folder watched, and what to do about it.
pub(crate) struct Watch {
    folder: Vec<u8>,
    log: Option<c_int>,
    budget: Option<&'static AtomicI64>,
    followed: [AtomicBool; DESCRIPTORS],
    /// Held while a call takes effect and is logged, so that the log has the true order.
    turn: Mutex<()>,
}

/// What the environment asks for; `None` where nothing is watched.
pub(crate) fn watch() -> Option<&'static Watch> {
    static WATCH: OnceLock<Option<Watch>> = OnceLock::new();
    WATCH.get_or_init(Watch::from_environment).as_ref()
}

fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

fn opened(path: Vec<u8>, flags: c_int) -> Option<c_int> {
    let path = CString::new(path).ok()?;
    // SAFETY: it is a C string.
    let fd = unsafe { kernel::open(libc::AT_FDCWD, path.as_ptr(), flags | libc::O_CLOEXEC, 0o600) };
    // A test that watches without its log or budget would pass for nothing.
    if fd < 0 { std::process::abort() } else { Some(fd) }
}

impl Watch {
    fn from_environment() -> Option<Self> {
        let folder = variable("POWERLOSS_FOLDER")?;
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT;
        let log = variable("POWERLOSS_LOG").and_then(|path| opened(path, flags));
        let budget = variable("POWERLOSS_BUDGET").and_then(|path| opened(path, libc::O_RDWR));
        Some(Self {
            folder,
            log,
            budget: budget.map(shared_number),
            followed: [const { AtomicBool::new(false) }; DESCRIPTORS],
            turn: Mutex::new(()),
        })
    }

    /// Whether a path is the folder or lies below it.
    pub(crate) fn contains(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.folder.as_slice())
            .is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
    }

    /// Waits for the turn to change something.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flag(&self, fd: c_int) -> Option<&AtomicBool> {
        self.followed.get(usize::try_from(fd).ok()?)
    }

    pub(crate) fn follow(&self, fd: c_int) {
        match self.flag(fd) {
            Some(flag) => flag.store(true, Ordering::SeqCst),
            None => std::process::abort(),
        }
    }

    pub(crate) fn forget(&self, fd: c_int) {
        self.flag(fd).inspect(|flag| flag.store(false, Ordering::SeqCst));
    }

    pub(crate) fn follows(&self, fd: c_int) -> bool {
        self.flag(fd).is_some_and(|flag| flag.load(Ordering::SeqCst))
    }

    pub(crate) fn has_log(&self) -> bool {
        self.log.is_some()
    }

    /// Logs something. Call it in one's turn.
    pub(crate) fn log(&self, op: Op, fd: c_int, a: u64, b: u64, parts: &[&[u8]]) {
        if let Some(log) = self.log {
            log::append(log, op, fd, a, b, parts);
        }
    }

    pub(crate) fn budget_is_spent(&self) -> bool {
        self.budget.is_some_and(|budget| budget.load(Ordering::SeqCst) <= 0)
    }

    /// How many of `len` bytes may be written at `at` into a file of `size` bytes; what makes the
    /// file grow is taken off the budget.
    pub(crate) fn spend(&self, at: off_t, len: usize, size: off_t) -> usize {
        let Some(budget) = self.budget else { return len };
        let end = i64::try_from(len).map_or(i64::MAX, |len| at.saturating_add(len));
        let growth = end.saturating_sub(size).max(0);
        let left = budget.load(Ordering::SeqCst).max(0);
        let taken = growth.min(left);
        // Not a plain store: the test may raise it at this moment.
        budget.fetch_sub(taken, Ordering::SeqCst);
        let refused = usize::try_from(growth - taken).unwrap_or(usize::MAX);
        len.saturating_sub(refused)
    }
}

/// The number in a file of eight bytes, as whoever writes the file changes it.
fn shared_number(fd: c_int) -> &'static AtomicI64 {
    let (read, write) = (libc::PROT_READ, libc::PROT_WRITE);
    // SAFETY: a new mapping of a file that has eight bytes, never unmapped, and aligned to a page.
    unsafe {
        let at = libc::mmap(std::ptr::null_mut(), 8, read | write, libc::MAP_SHARED, fd, 0);
        if at == libc::MAP_FAILED {
            std::process::abort();
        }
        AtomicI64::from_ptr(at.cast())
    }
}
