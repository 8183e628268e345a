//! The kernel's own functions, which nobody stands in for.

use libc::{c_char, c_int, c_long, c_void, mode_t, off_t, size_t, ssize_t};

/// What system calls that give a small number gave.
fn int(result: c_long) -> c_int {
    // File descriptors, 0 and -1: all fit.
    result as c_int
}

/// Sets `errno` and gives what failed functions give.
pub(crate) fn fail(errno: c_int) -> c_int {
    // SAFETY: the C library gives every thread a valid place.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// # Safety
/// As `openat(2)`.
pub(crate) unsafe fn open(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let flags = flags | libc::O_LARGEFILE;
    // SAFETY: as the caller promised.
    int(unsafe { libc::syscall(libc::SYS_openat, folder, path, flags, mode) })
}

/// # Safety
/// `path` is a C string.
pub(crate) unsafe fn exists(folder: c_int, path: *const c_char) -> bool {
    // SAFETY: as the caller promised; `errno` is that of a call that follows.
    unsafe { libc::syscall(libc::SYS_faccessat, folder, path, libc::F_OK) == 0 }
}

pub(crate) fn close(fd: c_int) -> c_int {
    // SAFETY: nothing is pointed to.
    int(unsafe { libc::syscall(libc::SYS_close, fd) })
}

/// # Safety
/// `bytes` points to `len` bytes.
pub(crate) unsafe fn write(
    fd: c_int,
    bytes: *const c_void,
    len: size_t,
    offset: Option<off_t>,
) -> ssize_t {
    let written = match offset {
        // SAFETY: as the caller promised.
        None => unsafe { libc::syscall(libc::SYS_write, fd, bytes, len) },
        // SAFETY: as the caller promised.
        Some(at) => unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, len, at) },
    };
    written as ssize_t
}

pub(crate) fn truncate(fd: c_int, len: off_t) -> c_int {
    // SAFETY: nothing is pointed to.
    int(unsafe { libc::syscall(libc::SYS_ftruncate, fd, len) })
}

pub(crate) fn sync(fd: c_int, data_only: bool) -> c_int {
    let call = if data_only { libc::SYS_fdatasync } else { libc::SYS_fsync };
    // SAFETY: nothing is pointed to.
    int(unsafe { libc::syscall(call, fd) })
}

/// # Safety
/// Both paths are C strings.
pub(crate) unsafe fn rename(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
) -> c_int {
    // SAFETY: as the caller promised.
    int(unsafe { libc::syscall(libc::SYS_renameat2, from_folder, from, to_folder, to, 0) })
}

/// # Safety
/// `path` is a C string.
pub(crate) unsafe fn unlink(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as the caller promised.
    int(unsafe { libc::syscall(libc::SYS_unlinkat, folder, path, flags) })
}

/// Bytes in a file; 0 where that cannot be told.
pub(crate) fn size(fd: c_int) -> off_t {
    // SAFETY: all zeroes are a valid `stat`, which the function only fills.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        if libc::fstat(fd, &raw mut stat) == 0 { stat.st_size } else { 0 }
    }
}

/// Where the next `write` goes.
pub(crate) fn position(fd: c_int) -> off_t {
    // SAFETY: nothing is pointed to.
    let appends = unsafe { libc::fcntl(fd, libc::F_GETFL) } & libc::O_APPEND != 0;
    if appends {
        return size(fd);
    }
    // SAFETY: nothing is pointed to.
    unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) }.max(0)
}
