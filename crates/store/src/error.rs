//! What can go wrong, sorted by what the caller has to do about it.

use std::path::PathBuf;

use dengmi_core::{BranchId, MemberId};

/// An error of the store. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The branch was never created.
    #[error("branch {0} does not exist in this store; create it first")]
    UnknownBranch(BranchId),
    /// The branch exists already.
    #[error("branch {0} exists already with other settings; open it instead of creating it again")]
    BranchExists(BranchId),
    /// The first batch offered does not follow the last one stored. Nothing was stored.
    #[error(
        "branch {branch}: batch {found} was offered where {expected} is next; another writer was here or a batch was lost: drop the state in memory and recover from the journal"
    )]
    Conflict {
        /// The branch.
        branch: BranchId,
        /// The sequence number that is next.
        expected: u64,
        /// The one offered.
        found: u64,
    },
    /// A commit contradicts itself or what is stored. Nothing of its group was stored.
    #[error(
        "branch {branch}: batch {seq} cannot be stored: {why}; stop the branch, keep the journal and report this as a defect"
    )]
    Invalid {
        /// The branch.
        branch: BranchId,
        /// The batch.
        seq: u64,
        /// What is wrong.
        why: String,
    },
    /// An award whose rule, cause and member were already paid. Nothing of its group was stored.
    #[error(
        "branch {branch}: entry {entry} would pay {member} a second time by rule `{rule}` for the same cause (first paid by entry {first}); nothing was stored: drop the state in memory, recover from the journal and report this as a defect"
    )]
    DoubleGrant {
        /// The branch.
        branch: BranchId,
        /// The entry that was refused.
        entry: u64,
        /// The entry that paid first.
        first: u64,
        /// The rule.
        rule: String,
        /// Who would have been paid twice.
        member: MemberId,
    },
    /// A journal record, or what was booked with it, is not what was written.
    #[error(
        "branch {branch}: record {seq} is damaged: {why}; restore the database from a backup, or from a copy of this record"
    )]
    Damaged {
        /// The branch.
        branch: BranchId,
        /// The record.
        seq: u64,
        /// What does not fit.
        why: String,
    },
    /// A stored row outside the journal is not what was written.
    #[error("{what} is damaged: {why}; restore the database from a backup")]
    DamagedRow {
        /// Which row.
        what: String,
        /// What does not fit.
        why: String,
    },
    /// Written by a newer release.
    #[error(
        "{what} has format {found}, this release reads up to {known}; start the newer release that wrote it"
    )]
    NewerFormat {
        /// What was read.
        what: String,
        /// Its format.
        found: u32,
        /// The newest format this release knows.
        known: u32,
    },
    /// A name that must be unique is in use.
    #[error("this {what} is in use already; choose another")]
    Taken {
        /// What must be unique. Never its value: that may be personal data.
        what: &'static str,
    },
    /// No such row to change.
    #[error("there is no such {what}; list them and use one that exists")]
    Missing {
        /// What was looked for.
        what: &'static str,
    },
    /// The disk is full. Nothing of the group was stored.
    #[error(
        "the disk that holds the database is full ({why}); free space or move the database, then recover the branch: nothing acknowledged is lost"
    )]
    Full {
        /// What the database said.
        why: String,
    },
    /// The database did not answer as it should. Whether the last commit was stored is unknown
    /// until the branch is recovered.
    #[error(
        "the database is not available ({why}); stop the branch, check disk and permissions, then recover from the journal"
    )]
    Unavailable {
        /// What the database said.
        why: String,
    },
    /// Another process has the database open for writing.
    #[error(
        "{} is in use by another process; stop that one first, or open another database",
        path.display()
    )]
    Owned {
        /// The database.
        path: PathBuf,
    },
    /// The database refuses a setting without which acknowledged work could be lost.
    #[error(
        "the database runs with {name} = {found} where {wanted} is needed; use a local disk that supports it"
    )]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it must be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// A file could not be read or written.
    #[error("{}: {why}; check that the folder exists, is writable and has space", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        why: String,
    },
    /// A snapshot file is damaged or none.
    #[error("snapshot {}: {why}; an older snapshot or the journal alone will do", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
}
