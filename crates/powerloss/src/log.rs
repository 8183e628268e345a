//! The log: entries one after the other, each a header of 40 bytes and what it speaks of. Numbers
//! are little-endian.
//!
//! ```text
//! op u32 | fd i32 | a u64 | b u64 | length of what follows u64 | length again, inverted u64
//! ```

use libc::{c_int, iovec};

/// What was done.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum Op {
    /// `fd` was opened; followed by the path. `a`: 1 where it existed; `b`: 1 where it was emptied.
    Open = 1,
    /// `fd` was closed.
    Close = 2,
    /// The bytes that follow were written at offset `a`.
    Write = 3,
    /// The file was cut, or extended with zeroes, to `a` bytes.
    Truncate = 4,
    /// The file or folder was synced.
    Sync = 5,
    /// Followed by both paths, with a zero between.
    Rename = 6,
    /// Followed by the path.
    Unlink = 7,
}

/// Appends an entry with one call, so that a process that ends leaves at most one torn entry.
pub(crate) fn append(log: c_int, op: Op, fd: c_int, a: u64, b: u64, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut header = [0_u8; 40];
    header[..4].copy_from_slice(&(op as u32).to_le_bytes());
    header[4..8].copy_from_slice(&fd.to_le_bytes());
    header[8..16].copy_from_slice(&a.to_le_bytes());
    header[16..24].copy_from_slice(&b.to_le_bytes());
    header[24..32].copy_from_slice(&(len as u64).to_le_bytes());
    header[32..].copy_from_slice(&(!(len as u64)).to_le_bytes());
    let all = std::iter::once(&header[..]).chain(parts.iter().copied());
    let vectors: Vec<iovec> = all
        .map(|part| iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() })
        .collect();
    // SAFETY: the vectors point to memory that lives until the call ends.
    let written =
        unsafe { libc::syscall(libc::SYS_writev, log, vectors.as_ptr(), vectors.len() as c_int) };
    if written != (40 + len) as i64 {
        // A log with a gap would prove nothing.
        std::process::abort();
    }
}
