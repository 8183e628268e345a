//! Seeds against the engine: a whole campaign is drawn from a number (content, people, commands,
//! clock, and which faults there are), played with every fault the plan has, and then without any
//! until everything has settled. An [`Auditor`](crate::audit::Auditor) looks at every batch; here
//! is what it cannot see from one journal:
//!
//! - 13, isolation: the journal is applied again beside another branch that is given other
//!   commands each time; the digests must be those of the first time.
//! - 14, journal: the replay gives the same digests and the same state; a state saved at a drawn
//!   batch and restored saves to the same bytes and goes on to the same end; whenever a restart is
//!   drawn, the old engine and the restored one go on together for twenty batches; batches that do
//!   not continue the journal and states that are cut off are refused and change nothing.
//! - 16, liveness: once faults stop, every round closes, every post and run ends within a hundred
//!   batches a day apart, and a new group can be opened, joined and played in.
//!
//! A failure is a function of (seed, ticks) and nothing else.

mod coverage;
mod faults;
mod library;
mod shrink;
mod world;

use std::fmt;

use dengmi_core::{Batch, Digest};

use crate::audit::{Finding, Seen};

pub use coverage::{Coverage, UNREACHABLE};
pub use faults::{Fault, Plan, Struck};
pub use library::Library;
pub use shrink::{Small, shrink};
pub use world::Setting;

pub use crate::workload::Subject;

/// Batches within which everything settles once faults stop.
pub const SETTLE_TICKS: u32 = 100;

/// What a campaign came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Batches, those of the quiet end included.
    pub ticks: u64,
    /// Commands.
    pub commands: u64,
    /// Chained digest after the last one.
    pub digest: Digest,
    /// What was reached.
    pub seen: Seen,
    /// Which faults struck.
    pub struck: Struck,
}

/// A campaign in which an invariant did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Batches with faults that were asked for.
    pub ticks: u32,
    /// Which faults there were.
    pub plan: Plan,
    /// What did not hold.
    pub finding: Finding,
    /// Every batch up to that.
    pub journal: Vec<Batch>,
    /// What an engine and an auditor of the campaign are made with.
    pub setting: Setting,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, {}; faults: {}", self.seed, self.finding, self.plan)
    }
}

/// Plays the campaign of `seed` with faults for `ticks` batches and then until it has settled.
/// With `deep`, it is replayed afterwards.
///
/// # Errors
/// The first invariant that does not hold.
pub fn trial(
    library: &Library,
    seed: u64,
    ticks: u32,
    deep: bool,
) -> Result<(Report, Record), Box<Failure>> {
    trial_about(Subject::All, library, seed, ticks, deep)
}

/// [`trial`] with a campaign about a part of what there is.
///
/// # Errors
/// The first invariant that does not hold.
pub fn trial_about(
    subject: Subject,
    library: &Library,
    seed: u64,
    ticks: u32,
    deep: bool,
) -> Result<(Report, Record), Box<Failure>> {
    world::World::new(library, subject, seed, ticks).play(deep)
}

/// What a campaign was, so that others can apply it again in their own way.
#[derive(Clone, Debug)]
pub struct Record {
    /// What an engine is made with.
    pub setting: Setting,
    /// Every batch.
    pub journal: Vec<Batch>,
    /// The digest after each.
    pub digests: Vec<Digest>,
    /// Digest of the whole state after the last.
    pub state: Digest,
}

#[cfg(test)]
mod tests;
