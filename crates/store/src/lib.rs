//! Where a branch's work is kept: the journal with its hash chain, the points ledger, the outbox
//! and closed standings that are committed with it, and, apart from it, personal data, sessions
//! and operator accounts.
//!
//! [`Journal`] and [`Directory`] say what a store does; [`MemoryStore`] and [`SqliteStore`] do it,
//! held to the same suite of tests. No type of a database appears in the traits.

mod chain;
mod commit;
pub mod directory;
pub mod error;
pub mod failpoint;
pub mod journal;
mod memory;
pub mod record;
pub mod snapshot;
mod sqlite;
mod verify;

pub use directory::{AccountRow, Directory, NewAccount, Profile, SessionRow, Words};
pub use error::StoreError;
pub use journal::{
    BranchMeta, Commit, Cut, Head, Journal, LedgerRow, PackFiles, Page, Recovered, Sums,
};
pub use memory::MemoryStore;
pub use record::{CommandKey, Effects, JournalBatch, RECORD_FORMAT, Record};
pub use sqlite::{OpenOptions, SqliteStore};
pub use verify::{VerifyReport, verify};

/// Everything a host needs of a store.
pub trait Store: Journal + Directory {}

impl<S: Journal + Directory> Store for S {}

#[cfg(test)]
mod conformance;
