//! The deterministic engine of one branch: commands in, outcomes and ledger entries out.
//!
//! [`Engine::apply`] is a pure function of content, seed, state and batch. It has no clock, opens no
//! file, starts no thread, asks the operating system for nothing and computes with integers only.
//! Inside, one feature is one module (see [`Engine::new`] for the list) and features talk by
//! messages only.

#![deny(clippy::float_arithmetic)]

mod board;
mod caps;
mod chain;
mod clock;
mod cohort;
mod column;
mod content;
mod intake;
mod invest;
mod kernel;
mod ledger;
pub mod market;
pub mod memory;
mod moments;
mod numbered;
mod outreach;
mod paged;
mod people;
mod quiz;
mod roster;
mod rules;
mod runs;
mod short;
mod streak;
mod stream;
mod suitability;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_content::Pack;
use dengmi_core::command::Key;
use dengmi_core::random::Seed;
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::view::{Catalog, ClosedBoard, Event, MemberCard, Score};
use dengmi_core::{
    Batch, BranchId, Digest, LedgerEntry, MemberId, Outcome, RoundId, RunId, Slug, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::board::Closing;
use crate::chain::{Linker, Said};
use crate::clock::DueQueue;
use crate::cohort::{Cohort, CohortIndex};
use crate::column::Column;
use crate::content::{Packs, RuleNumbers};
use crate::intake::{Desk, intake};
use crate::kernel::{Builder, Now, Outcomes, Section, Setup, Touched};
use crate::ledger::Books;
use crate::outreach::Outbox;
use crate::people::Member;
use crate::runs::{Run, RunIndex};

pub use crate::cohort::item_order;
pub use crate::quiz::{Layout, layout};

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
pub struct Engine {
    world: World,
    schedule: Schedule,
    sections: Vec<Section>,
    sweeps: Vec<fn(&mut World)>,
    desk: Desk,
    setup: Setup,
    chain: Digest,
    linker: Linker,
}

/// What precedes the sections of a saved state.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u16,
    branch: BranchId,
    /// Tells seeds apart without giving one away.
    seed: Digest,
    seq: u64,
    at: Timestamp,
    chain: Digest,
}

/// Format of a saved state as a whole; its sections have versions of their own.
const FORMAT: u16 = 4;

impl Engine {
    /// An empty branch whose current content is `pack`.
    #[must_use]
    pub fn new(config: EngineConfig, pack: Arc<Pack>) -> Engine {
        Self::assemble(config, pack, None)
    }

    /// An engine whose systems run in another order, as far as they may: for tests that no order
    /// matters but the declared one.
    #[cfg(feature = "shuffle")]
    #[must_use]
    pub fn shuffled(config: EngineConfig, pack: Arc<Pack>, order: u64) -> Engine {
        Self::assemble(config, pack, Some(order))
    }

    fn assemble(config: EngineConfig, pack: Arc<Pack>, order: Option<u64>) -> Engine {
        let EngineConfig { branch, seed, branches } = config;
        let setup = Setup { branch, seed, branches };
        let mut builder = Builder::new(setup, order);
        builder.world.insert_resource(Packs::new(pack));
        // In this order sections are saved and restored: people first, what refers to them after.
        builder
            .feature(content::plugin)
            .feature(people::plugin)
            .feature(clock::plugin)
            .feature(runs::plugin)
            .feature(streak::plugin)
            .feature(quiz::plugin)
            .feature(moments::plugin)
            .feature(rules::plugin)
            .feature(caps::plugin)
            .feature(ledger::plugin)
            .feature(board::plugin)
            .feature(suitability::plugin)
            .feature(cohort::plugin)
            .feature(invest::plugin)
            .feature(outreach::plugin);
        let Builder { mut world, mut schedule, mut payday, sections, sweeps } = builder;
        for schedule in [&mut schedule, &mut payday.schedule] {
            schedule.initialize(&mut world).expect("no two systems may run in either order");
        }
        world.insert_resource(payday);
        let desk = Desk::new(&mut world);
        Self {
            world,
            schedule,
            sections,
            sweeps,
            desk,
            setup,
            chain: Digest::default(),
            linker: Linker::default(),
        }
    }

    /// Makes a pack known, so that `AdoptContent` can name it.
    pub fn offer(&mut self, pack: Arc<Pack>) {
        self.world.resource_mut::<Packs>().offer(pack);
    }

    /// Applies a batch.
    ///
    /// # Errors
    /// The batch does not continue the journal; nothing was applied. Whatever is wrong with a
    /// command is its outcome.
    pub fn apply(&mut self, batch: &Batch) -> Result<Applied, ApplyError> {
        let last = *self.world.resource::<Now>();
        if last.seq.checked_add(1) != Some(batch.seq) {
            return Err(ApplyError::Sequence { last: last.seq, got: batch.seq });
        }
        if batch.at <= last.at || batch.at > Timestamp::MAX {
            return Err(ApplyError::Time { last: last.at, got: batch.at });
        }
        self.world.insert_resource(Now { seq: batch.seq, at: batch.at });
        intake(&mut self.world, &mut self.desk, self.setup.branch, &batch.commands);
        self.schedule.run(&mut self.world);
        let applied = self.collect();
        for sweep in &self.sweeps {
            sweep(&mut self.world);
        }
        Ok(applied)
    }

    fn collect(&mut self) -> Applied {
        let world = &mut self.world;
        let outcomes = world.resource_mut::<Outcomes>().take();
        let entries = world.resource_mut::<Books>().take();
        let events = std::mem::take(&mut world.resource_mut::<Outbox>().events);
        let closed_boards = std::mem::take(&mut world.resource_mut::<Closing>().closed);
        let mut touched = world.resource_mut::<Touched>();
        let catalog_changed = std::mem::take(&mut touched.catalog);
        let touched = touched.take(self.setup.branch);
        let mut applied = Applied {
            outcomes,
            entries,
            events,
            closed_boards,
            touched,
            catalog_changed,
            digest: Digest::default(),
        };
        let now = *world.resource::<Now>();
        let said = Said {
            now,
            outcomes: &applied.outcomes,
            entries: &applied.entries,
            events: &applied.events,
            closed: &applied.closed_boards,
        };
        self.chain = self.linker.link(self.chain, &said);
        applied.digest = self.chain;
        applied
    }

    /// Digest of the whole state. Costs a pass over it; see [`Applied::digest`] for the cheap one.
    pub fn digest(&mut self) -> Digest {
        Digest::of(&self.save())
    }

    /// The whole state as bytes: the same bytes for the same state, however it came about.
    pub fn save(&mut self) -> Vec<u8> {
        let now = *self.world.resource::<Now>();
        let header = Header {
            format: FORMAT,
            branch: self.setup.branch,
            seed: Digest::of(&self.setup.seed.0),
            seq: now.seq,
            at: now.at,
            chain: self.chain,
        };
        let mut bytes = kernel::encode(&header);
        for section in &self.sections {
            let body = (section.save)(&mut self.world);
            let framed = (section.name, section.version, body.len() as u64);
            bytes.extend_from_slice(&kernel::encode(&framed));
            bytes.extend_from_slice(&body);
        }
        bytes
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
        let unreadable = |error| RestoreError::Unreadable(format!("{error}"));
        let (header, mut rest): (Header, _) =
            postcard::take_from_bytes(bytes).map_err(unreadable)?;
        if header.format != FORMAT {
            let text =
                format!("format {} is not {FORMAT}; use the release that wrote it", header.format);
            return Err(RestoreError::Unreadable(text));
        }
        if (header.branch, header.seed) != (config.branch, Digest::of(&config.seed.0)) {
            return Err(RestoreError::OtherBranch);
        }
        if header.seq > i64::MAX as u64 || !(Timestamp(0)..=Timestamp::MAX).contains(&header.at) {
            return Err(RestoreError::Unreadable("number or time of the last batch".to_owned()));
        }
        let any = packs.values().next().ok_or(RestoreError::MissingContent(Digest::default()))?;
        let mut engine = Self::new(config, any.clone());
        for pack in packs.values() {
            engine.offer(pack.clone());
        }
        engine.world.insert_resource(Now { seq: header.seq, at: header.at });
        engine.chain = header.chain;
        for section in engine.sections.clone() {
            let ((name, version, len), after): ((&str, u16, u64), _) =
                postcard::take_from_bytes(rest).map_err(unreadable)?;
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            if name != section.name || version > section.version || len > after.len() {
                let text =
                    format!("section `{name}` version {version} is not known to this release");
                return Err(RestoreError::Unreadable(text));
            }
            let (body, following) = after.split_at(len);
            (section.restore)(&mut engine.world, version, body)?;
            rest = following;
        }
        if !rest.is_empty() {
            return Err(RestoreError::Unreadable("bytes follow the last section".to_owned()));
        }
        Ok(engine)
    }

    /// Sequence number of the last batch; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.world.resource::<Now>().seq
    }

    /// Time of the last batch.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.world.resource::<Now>().at
    }

    /// The chained digest after the last batch.
    #[must_use]
    pub fn chain(&self) -> Digest {
        self.chain
    }

    /// When something falls due (a round opens or closes, a day ends): an empty batch is owed then.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let appointments = self.world.resource::<DueQueue>().next();
        let day_ends = self.world.resource::<Closing>().next;
        appointments.into_iter().chain(day_ends).min()
    }

    /// How many members there are; their numbers are 1 to this.
    #[must_use]
    pub fn members(&self) -> u32 {
        self.world.resource::<Column<Member>>().len() as u32
    }

    /// The slowly changing things of the branch.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        views::catalog(&self.world)
    }

    /// One member as readers see them.
    #[must_use]
    pub fn member_card(&self, member: MemberId) -> Option<MemberCard> {
        views::member_card(&self.world, member)
    }

    /// Scores of a run with the policy of its standing, in member order.
    #[must_use]
    pub fn run_scores(&self, run: RunId) -> Option<(BoardPolicy, Vec<(MemberId, Score)>)> {
        views::run_scores(&self.world, run)
    }

    /// Scores of a round with the policy of its run, in member order.
    #[must_use]
    pub fn round_scores(&self, round: RoundId) -> Option<(BoardPolicy, Vec<(MemberId, Score)>)> {
        views::round_scores(&self.world, round)
    }

    /// The keys in force of a round, corrections included, in the content file's order; while the
    /// round is kept. Only for readers who may see them.
    #[must_use]
    pub fn round_keys(&self, round: RoundId) -> Option<Vec<Key>> {
        views::round_keys(&self.world, round)
    }

    /// The id of a rule that entries name by its number.
    #[must_use]
    pub fn rule_id(&self, code: u16) -> Option<&Slug> {
        self.world.resource::<RuleNumbers>().id(code)
    }

    /// Digests of the packs that something still running keeps, and of the current one.
    #[must_use]
    pub fn packs_in_use(&self) -> Vec<Digest> {
        let runs = self.world.resource::<RunIndex>().live();
        let kept = runs.filter_map(|entity| Some(self.world.get::<Run>(entity)?.pack));
        let cohorts = self.world.resource::<CohortIndex>().live();
        let taught = cohorts.filter_map(|entity| self.world.get::<Cohort>(entity));
        let taught = taught.flat_map(|cohort| {
            cohort.packs.iter().map(|(_, digest)| *digest).chain([cohort.terms])
        });
        let current = self.world.resource::<Packs>().current().digest;
        let mut packs: Vec<Digest> = kept.chain(taught).chain([current]).collect();
        packs.sort_unstable();
        packs.dedup();
        packs
    }
}
