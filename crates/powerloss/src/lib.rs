//! Preloaded (`LD_PRELOAD`) into a process under test, this library stands in for the functions
//! of the C library that change files, and does two things with those below one folder:
//!
//! - It logs every change and every sync, in the order in which they took effect. From the log the
//!   test works out what a disk may hold when the power fails at any moment.
//! - It lets files grow by no more than a budget, and then answers as a full disk does.
//!
//! | variable | meaning |
//! |---|---|
//! | `POWERLOSS_FOLDER` | absolute path of the folder watched; without it nothing is done |
//! | `POWERLOSS_LOG` | file the log is appended to; outside the folder |
//! | `POWERLOSS_BUDGET` | file of 8 bytes: how many bytes files may still grow, changed at any time |
//!
//! Writes to memory-mapped files are not seen. SQLite maps only its `-shm` file, which it throws
//! away after a crash. Where there is a log, syncs are logged and not passed on: durability is
//! judged by the log, not by the disk of the machine that runs the test.
//!
//! This crate is the one place where `unsafe` is allowed, and is part of no shipped program. It
//! calls the kernel by `syscall`, so it never runs into itself.

mod kernel;
mod log;
mod state;

use std::ffi::CStr;

use libc::{AT_FDCWD, c_char, c_int, c_void, iovec, mode_t, off_t, size_t, ssize_t};

use log::Op;
use state::{Watch, watch};

/// What a path names, where it lies in the folder watched.
///
/// # Safety
/// `path` is a C string.
unsafe fn watched<'p>(folder: c_int, path: *const c_char) -> Option<(&'static Watch, &'p [u8])> {
    let watch = watch()?;
    // SAFETY: the caller of the C function promised a C string.
    let path = unsafe { CStr::from_ptr(path) }.to_bytes();
    let inside = folder == AT_FDCWD || path.first() == Some(&b'/');
    (inside && watch.contains(path)).then_some((watch, path))
}

/// # Safety
/// As `openat(2)`. `mode` is garbage where the caller gave none; it counts only with `O_CREAT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) -> c_int {
    // SAFETY: as the caller promised.
    let Some((watch, name)) = (unsafe { watched(folder, path) }) else {
        // SAFETY: as the caller promised.
        return unsafe { kernel::open(folder, path, flags, mode) };
    };
    let _turn = watch.turn();
    // SAFETY: as the caller promised.
    let existed = unsafe { kernel::exists(folder, path) };
    if flags & libc::O_CREAT != 0 && !existed && watch.budget_is_spent() {
        return kernel::fail(libc::ENOSPC);
    }
    // SAFETY: as the caller promised.
    let fd = unsafe { kernel::open(folder, path, flags, mode) };
    if fd >= 0 {
        watch.follow(fd);
        let truncated = existed && flags & libc::O_TRUNC != 0;
        watch.log(Op::Open, fd, u64::from(existed), u64::from(truncated), &[name]);
    }
    fd
}

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { openat(AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { openat(AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As `openat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat64(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { openat(folder, path, flags, mode) }
}

/// # Safety
/// As `creat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat(path: *const c_char, mode: mode_t) -> c_int {
    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
    // SAFETY: as the caller promised.
    unsafe { openat(AT_FDCWD, path, flags, mode) }
}

/// # Safety
/// As `close(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    let Some(watch) = watch().filter(|watch| watch.follows(fd)) else {
        return kernel::close(fd);
    };
    let _turn = watch.turn();
    watch.log(Op::Close, fd, 0, 0, &[]);
    watch.forget(fd);
    kernel::close(fd)
}

/// Writes at `offset`, or where the file stands; as much of it as the budget allows.
///
/// # Safety
/// `bytes` points to `len` bytes.
unsafe fn write_at(fd: c_int, bytes: *const c_void, len: size_t, offset: Option<off_t>) -> ssize_t {
    let Some(watch) = watch().filter(|watch| watch.follows(fd)) else {
        // SAFETY: as the caller promised.
        return unsafe { kernel::write(fd, bytes, len, offset) };
    };
    let _turn = watch.turn();
    let at = offset.unwrap_or_else(|| kernel::position(fd));
    let allowed = watch.spend(at, len, kernel::size(fd));
    if allowed == 0 && len > 0 {
        return kernel::fail(libc::ENOSPC) as ssize_t;
    }
    // SAFETY: as the caller promised, and `allowed` is at most `len`.
    let written = unsafe { kernel::write(fd, bytes, allowed, offset) };
    if let Ok(count) = usize::try_from(written) {
        // SAFETY: the kernel has just read these bytes.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
        watch.log(Op::Write, fd, at.cast_unsigned(), 0, &[bytes]);
    }
    written
}

/// # Safety
/// As `write(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, len: size_t) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { write_at(fd, bytes, len, None) }
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(
    fd: c_int,
    bytes: *const c_void,
    len: size_t,
    offset: off_t,
) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { write_at(fd, bytes, len, Some(offset)) }
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(
    fd: c_int,
    bytes: *const c_void,
    len: size_t,
    offset: off_t,
) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { write_at(fd, bytes, len, Some(offset)) }
}

/// Writes the first part that is not empty; callers go on with the rest, as after any short write.
///
/// # Safety
/// `parts` points to `count` descriptions of memory.
unsafe fn write_parts(
    fd: c_int,
    parts: *const iovec,
    count: c_int,
    offset: Option<off_t>,
) -> ssize_t {
    let count = usize::try_from(count).unwrap_or(0);
    for n in 0..count {
        // SAFETY: `n` is below the number of parts.
        let part = unsafe { &*parts.add(n) };
        if part.iov_len > 0 {
            // SAFETY: each part describes memory of the caller.
            return unsafe { write_at(fd, part.iov_base, part.iov_len, offset) };
        }
    }
    0
}

/// # Safety
/// As `writev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { write_parts(fd, parts, count, None) }
}

/// # Safety
/// As `pwritev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev(
    fd: c_int,
    parts: *const iovec,
    count: c_int,
    offset: off_t,
) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { write_parts(fd, parts, count, Some(offset)) }
}

/// # Safety
/// As `pwritev(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwritev64(
    fd: c_int,
    parts: *const iovec,
    count: c_int,
    offset: off_t,
) -> ssize_t {
    // SAFETY: as the caller promised.
    unsafe { write_parts(fd, parts, count, Some(offset)) }
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, len: off_t) -> c_int {
    let Some(watch) = watch().filter(|watch| watch.follows(fd)) else {
        return kernel::truncate(fd, len);
    };
    let _turn = watch.turn();
    let done = kernel::truncate(fd, len);
    if done == 0 {
        watch.log(Op::Truncate, fd, len.cast_unsigned(), 0, &[]);
    }
    done
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, len: off_t) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { ftruncate(fd, len) }
}

fn sync(fd: c_int, data_only: bool) -> c_int {
    let Some(watch) = watch().filter(|watch| watch.follows(fd) && watch.has_log()) else {
        return kernel::sync(fd, data_only);
    };
    let _turn = watch.turn();
    watch.log(Op::Sync, fd, 0, 0, &[]);
    0
}

/// # Safety
/// As `fsync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, false)
}

/// # Safety
/// As `fdatasync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, true)
}

/// # Safety
/// As `renameat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn renameat(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
) -> c_int {
    // SAFETY: as the caller promised.
    let both = unsafe { watched(from_folder, from).zip(watched(to_folder, to)) };
    let _turn = both.map(|((watch, _), _)| watch.turn());
    // SAFETY: as the caller promised.
    let done = unsafe { kernel::rename(from_folder, from, to_folder, to) };
    if let (0, Some(((watch, from), (_, to)))) = (done, both) {
        watch.log(Op::Rename, -1, 0, 0, &[from, b"\0", to]);
    }
    done
}

/// # Safety
/// As `rename(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { renameat(AT_FDCWD, from, AT_FDCWD, to) }
}

/// # Safety
/// As `unlinkat(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as the caller promised.
    let found = unsafe { watched(folder, path) };
    let _turn = found.map(|(watch, _)| watch.turn());
    // SAFETY: as the caller promised.
    let done = unsafe { kernel::unlink(folder, path, flags) };
    if let (0, Some((watch, name))) = (done, found) {
        watch.log(Op::Unlink, -1, 0, 0, &[name]);
    }
    done
}

/// # Safety
/// As `unlink(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: as the caller promised.
    unsafe { unlinkat(AT_FDCWD, path, 0) }
}
