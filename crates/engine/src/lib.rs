//! The deterministic engine of one branch: commands in, outcomes and ledger entries out.

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_core::random::Seed;
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::view::{Catalog, ClosedBoard, Event, MemberCard, Score};
use dengmi_core::{
    Batch, BranchId, Digest, LedgerEntry, MemberId, Outcome, RoundId, RunId, Slug, Timestamp,
};

/// What a branch's engine is told once and for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// The branch.
    pub branch: BranchId,
    /// Decides every shuffle and draw.
    pub seed: Seed,
    /// Among how many branches the bank-wide caps are divided; each keeps within its share.
    pub branches: u16,
}

/// What one batch did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Applied {
    /// One for every command, in order.
    pub outcomes: Vec<Outcome>,
    /// Ledger entries, ids rising without a gap.
    pub entries: Vec<LedgerEntry>,
    /// Events for the outbox, numbers rising without a gap.
    pub events: Vec<Event>,
    /// Standings that were closed for good.
    pub closed_boards: Vec<ClosedBoard>,
    /// Members whose card changed, in id order, each once.
    pub touched: Vec<MemberId>,
    /// Whether [`Engine::catalog`] may give something new.
    pub catalog_changed: bool,
    /// Digest of everything this engine ever answered: a chain over outcomes, entries, events
    /// and closed standings. Equal inputs give equal digests.
    pub digest: Digest,
}

/// The batch does not continue the journal; nothing was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A batch is missing or repeated.
    #[error("batch {got} does not follow batch {last}")]
    Sequence {
        /// The last applied.
        last: u64,
        /// The one offered.
        got: u64,
    },
    /// Time did not rise, or is out of range.
    #[error("batch time {got} does not rise above {last}, or is out of range")]
    Time {
        /// Time of the last batch.
        last: Timestamp,
        /// Time of the one offered.
        got: Timestamp,
    },
}

/// A saved state cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are damaged or from a newer release.
    #[error("the saved state cannot be read: {0}")]
    Unreadable(String),
    /// A running activity's content is missing.
    #[error("the saved state needs content {0}, which is not loaded")]
    MissingContent(Digest),
    /// It belongs to another branch or seed.
    #[error("the saved state belongs to another branch")]
    OtherBranch,
}

/// The engine of one branch.
pub struct Engine {}

impl Engine {
    /// An empty branch whose current content is `pack`.
    #[must_use]
    pub fn new(config: EngineConfig, pack: Arc<Pack>) -> Engine {
        unimplemented!("{config:?} {}", pack.digest)
    }

    /// Makes a pack known, so that `AdoptContent` can name it.
    pub fn offer(&mut self, pack: Arc<Pack>) {
        unimplemented!("{}", pack.digest)
    }

    /// Applies a batch.
    ///
    /// # Errors
    /// The batch does not continue the journal. Whatever is wrong with a command is its outcome.
    pub fn apply(&mut self, batch: &Batch) -> Result<Applied, ApplyError> {
        unimplemented!("{batch:?}")
    }

    /// Digest of the whole state. Costs a pass over it; see [`Applied::digest`] for the cheap one.
    pub fn digest(&mut self) -> Digest {
        unimplemented!()
    }

    /// The whole state as bytes.
    pub fn save(&mut self) -> Vec<u8> {
        unimplemented!()
    }

    /// The engine that was saved. `packs` holds the content of everything that still runs.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(
        config: EngineConfig,
        packs: &BTreeMap<Digest, Arc<Pack>>,
        bytes: &[u8],
    ) -> Result<Engine, RestoreError> {
        unimplemented!("{config:?} {} {}", packs.len(), bytes.len())
    }

    /// Sequence number of the last batch; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        unimplemented!()
    }

    /// Time of the last batch.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        unimplemented!()
    }

    /// The chained digest after the last batch.
    #[must_use]
    pub fn chain(&self) -> Digest {
        unimplemented!()
    }

    /// When something falls due (a round opens or closes, a day ends): an empty batch is owed then.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        unimplemented!()
    }

    /// How many members there are; their ids are 1 to this.
    #[must_use]
    pub fn members(&self) -> u32 {
        unimplemented!()
    }

    /// The slowly changing things of the branch.
    pub fn catalog(&mut self) -> Catalog {
        unimplemented!()
    }

    /// One member as readers see them.
    #[must_use]
    pub fn member_card(&self, member: MemberId) -> Option<MemberCard> {
        unimplemented!("{member}")
    }

    /// Scores of a run with the policy of its standing, in member order.
    #[must_use]
    pub fn run_scores(&self, run: RunId) -> Option<(BoardPolicy, Vec<(MemberId, Score)>)> {
        unimplemented!("{run}")
    }

    /// Scores of a round with the policy of its run, in member order.
    #[must_use]
    pub fn round_scores(&self, round: RoundId) -> Option<(BoardPolicy, Vec<(MemberId, Score)>)> {
        unimplemented!("{round}")
    }

    /// The id of a rule that entries name by its number.
    #[must_use]
    pub fn rule_id(&self, code: u16) -> Option<&Slug> {
        unimplemented!("{code}")
    }

    /// Digests of the packs that something still running keeps, and of the current one.
    #[must_use]
    pub fn packs_in_use(&self) -> Vec<Digest> {
        unimplemented!()
    }
}

/// In which order a member sees the questions of a round and the options of each: position shown
/// gives position in the content file. A pure function, so that readers need not ask the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each position shown, the question's position in the round.
    pub questions: Vec<u8>,
    /// For each question in the round's order: for each option shown, its position in key order.
    pub options: Vec<Vec<u8>>,
}

/// The layout of `round` for `member`. `options` holds the number of options of each question.
#[must_use]
pub fn layout(
    seed: &Seed,
    round: RoundId,
    member: MemberId,
    shuffle_questions: bool,
    shuffle_options: bool,
    options: &[u8],
) -> Layout {
    unimplemented!("{seed:?} {round} {member} {shuffle_questions} {shuffle_options} {options:?}")
}
