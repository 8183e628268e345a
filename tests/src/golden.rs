//! Journals of earlier days, with the content they were played with and the digests they had then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dengmi_content::{Pack, SourceFile};
use dengmi_core::course::{CohortStage, CourseEvent, CourseReceipt};
use dengmi_core::mock::MockReceipt;
use dengmi_core::random::Seed;
use dengmi_core::view::EventKind;
use dengmi_core::{Batch, BranchId, Digest, Outcome, Receipt};
use dengmi_engine::{Engine, EngineConfig};
use dengmi_sim::workload::{self, Workload};
use serde::{Deserialize, Serialize};

/// A recorded campaign.
#[derive(Serialize, Deserialize)]
pub struct Golden {
    branch: BranchId,
    seed: Seed,
    branches: u16,
    /// Path and text of every file of every pack.
    packs: Vec<Vec<(String, String)>>,
    batches: Vec<Batch>,
    /// Chained digest after every batch.
    chain: Vec<Digest>,
}

/// Batches of a campaign, at the least.
const BATCHES: usize = 260;

/// What a replay came across.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Mock orders that were taken.
    pub orders: u32,
    /// Days of courses whose prices were made.
    pub closes: u32,
    /// Cohorts that were graded.
    pub graded: u32,
}

/// Where they lie.
#[must_use]
pub fn folder() -> PathBuf {
    crate::root().join("tests/golden")
}

/// All of them, oldest first.
///
/// # Panics
/// Where the folder cannot be read.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("the repository has golden journals");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.sort();
    files
}

impl Golden {
    /// Records the campaign of `seed` as this release plays it.
    ///
    /// # Panics
    /// Where the workload does not pass.
    #[must_use]
    pub fn record(seed: u64) -> Self {
        let branch = BranchId(1);
        let packs = workload::packs().expect("the workload's content passes its checks");
        let mut workload = Workload::new(seed, branch, &packs);
        let mut engine = workload.engine();
        let (mut batches, mut chain) = (Vec::new(), Vec::new());
        for _ in 0..BATCHES {
            let batch = workload.next_batch(&engine);
            let applied = engine.apply(&batch).expect("batches follow each other");
            workload.observe(&applied);
            batches.push(batch);
            chain.push(applied.digest);
        }
        let text = |file: SourceFile| (file.path, file.text);
        let packs = workload::files().map(|files| files.into_iter().map(text).collect()).into();
        let EngineConfig { branch, seed, branches } = workload.engine_config();
        Self { branch, seed, branches, packs, batches, chain }
    }

    /// Reads one.
    ///
    /// # Panics
    /// Where it cannot be read, or is too short to say much.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let packed = std::fs::read(path).expect("the journal can be read");
        let bytes = zstd::decode_all(&packed[..]).expect("it was packed");
        let (golden, rest) = postcard::take_from_bytes::<Self>(&bytes).expect("it is a journal");
        assert!(rest.is_empty() && golden.batches.len() >= BATCHES);
        golden
    }

    /// Its bytes.
    ///
    /// # Panics
    /// Never: it is plain data.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let bytes = postcard::to_stdvec(self).expect("plain data always encodes");
        zstd::encode_all(&bytes[..], 19).expect("memory takes it")
    }

    /// Its content.
    ///
    /// # Panics
    /// Where this release refuses it.
    #[must_use]
    pub fn packs(&self) -> Vec<Arc<Pack>> {
        let packs = self.packs.iter().map(|files| {
            let files = files.iter().cloned().map(|(path, text)| SourceFile { path, text });
            workload::pack(&files.collect::<Vec<_>>()).expect("content that was sound stays sound")
        });
        packs.collect()
    }

    /// Plays it again with its `packs`; gives what it came across.
    ///
    /// # Errors
    /// The first batch that gives another digest.
    ///
    /// # Panics
    /// Where a batch is refused.
    pub fn replay(&self, packs: &[Arc<Pack>]) -> Result<Played, u64> {
        let Self { branch, seed, branches, .. } = *self;
        let config = EngineConfig { branch, seed, branches };
        let mut engine = Engine::new(config, packs[0].clone());
        for pack in &packs[1..] {
            engine.offer(pack.clone());
        }
        let mut played = Played::default();
        for (batch, expected) in self.batches.iter().zip(&self.chain) {
            let applied = engine.apply(batch).expect("batches follow each other");
            if applied.digest != *expected {
                return Err(batch.seq);
            }
            for outcome in &applied.outcomes {
                if let Outcome::Done(Receipt::Course(CourseReceipt::Mock(
                    MockReceipt::Ordered { .. },
                ))) = outcome
                {
                    played.orders += 1;
                }
            }
            for event in &applied.events {
                match event.kind {
                    EventKind::Course(CourseEvent::Priced { .. }) => played.closes += 1,
                    EventKind::Course(CourseEvent::Stage(_, CohortStage::Grading)) => {
                        played.graded += 1;
                    }
                    _ => {}
                }
            }
        }
        Ok(played)
    }
}
