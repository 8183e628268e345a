//! What can go wrong while a host opens or recovers a branch.

use dengmi_core::{BranchId, Digest, Timestamp};
use dengmi_store::StoreError;

/// An error of the host. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Applying a record again gives something else than it gave the first time.
    #[error(
        "branch {branch}: record {seq} of {at} gives {what} when it is applied again; run the release that wrote it, or restore the database from a backup"
    )]
    Diverged {
        /// The branch.
        branch: BranchId,
        /// The record.
        seq: u64,
        /// Its time.
        at: Timestamp,
        /// What is different.
        what: &'static str,
    },
    /// A record does not continue the one before it.
    #[error("branch {branch}: record {seq} cannot be applied: {why}; restore from a backup")]
    Inapplicable {
        /// The branch.
        branch: BranchId,
        /// The record.
        seq: u64,
        /// What the engine said.
        why: String,
    },
    /// Content that the journal names is not kept, or can no longer be read.
    #[error("content {digest} is needed and {why}; restore the database from a backup", digest = .digest.short())]
    Content {
        /// The pack.
        digest: Digest,
        /// What is wrong with it.
        why: String,
    },
    /// A thread could not be started.
    #[error("the operating system starts no more threads ({0}); raise its limits")]
    Thread(String),
}
