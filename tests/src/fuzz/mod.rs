//! Fuzz targets as plain functions, and what drives them on a stable compiler: inputs mutated from
//! a small corpus by a seed, so that every input can be made again.
//!
//! A target takes any bytes, holds what it finds to its invariants and says what it reached. It
//! panics where an invariant is broken; the driver then gives back the input.

mod door;
mod grammar;
mod kept;
pub mod mutate;
mod texts;

// Sources of two other crates, taken as they are: the host in memory that the interface is tested
// with, and invites, which belong to the binary and have no library.
#[path = "../../../crates/api/tests/common/mod.rs"]
mod fake;
#[path = "../../../crates/cli/src/backend/invites.rs"]
mod invites;

/// What a store that does not answer is to callers of the interface; invites call it.
fn unavailable(_: dengmi_store::StoreError) -> dengmi_api::backend::Unavailable {
    dengmi_api::backend::Unavailable
}

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::fuzz::mutate::{Dice, mutate};

/// What an input reached: codes of diagnostics, of problems, kinds of errors.
pub type Reached = Vec<String>;

/// A target.
pub struct Target {
    /// What it is called on the command line, and the folder of its corpus.
    pub name: &'static str,
    /// What it does with an input; panics where an invariant is broken.
    pub run: fn(&[u8]) -> Reached,
    /// Inputs to begin with, beside those in its folder.
    seeds: fn() -> Vec<Vec<u8>>,
    /// Longest input, in bytes.
    longest: usize,
    /// Executions in an ordinary test, unoptimised.
    pub ordinary: u64,
}

/// Every target.
pub static TARGETS: &[Target] = &[
    Target { name: "pack", run: texts::pack, seeds: texts::packs, longest: 8_192, ordinary: 2_000 },
    Target { name: "body", run: door::body, seeds: Vec::new, longest: 4_096, ordinary: 4_000 },
    Target { name: "token", run: door::token, seeds: door::tokens, longest: 512, ordinary: 4_000 },
    Target {
        name: "invite",
        run: door::invite,
        seeds: door::invites,
        longest: 512,
        ordinary: 4_000,
    },
    Target {
        name: "record",
        run: kept::record,
        seeds: kept::records,
        longest: 16_384,
        ordinary: 4_000,
    },
    Target {
        name: "snapshot",
        run: kept::snapshot,
        seeds: kept::snapshots,
        longest: 1 << 20,
        ordinary: 2_000,
    },
    Target {
        name: "nickname",
        run: texts::nickname,
        seeds: texts::nicknames,
        longest: 512,
        ordinary: 20_000,
    },
    Target {
        name: "rule",
        run: grammar::rule,
        seeds: grammar::rules,
        longest: 96,
        ordinary: 1_000,
    },
];

impl Target {
    /// The target of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Where its committed inputs are: seeds, and every input that once broke it.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        crate::root().join("tests/corpora").join(self.name)
    }

    /// Committed inputs by file name.
    ///
    /// # Panics
    /// Where a file cannot be read.
    #[must_use]
    pub fn committed(&self) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = std::fs::read_dir(self.folder()) else { return BTreeMap::new() };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.expect("the corpus is readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("the corpus is readable"))
        };
        entries.map(read).collect()
    }

    /// Every input to begin with, in an order that does not change.
    #[must_use]
    pub fn corpus(&self) -> Vec<Vec<u8>> {
        self.committed().into_values().chain((self.seeds)()).collect()
    }
}

/// What many executions found.
#[derive(Debug, Default)]
pub struct Found {
    /// Executions done.
    pub runs: u64,
    /// What was reached, and how often.
    pub reached: BTreeMap<String, u64>,
    /// The first input that broke the target, and what it said.
    pub broken: Option<(Vec<u8>, String)>,
}

/// Runs a target on its corpus, then on `runs` inputs mutated from it; stops at the first that
/// breaks it. `tick` is told after every execution.
pub fn drive(target: &Target, runs: u64, seed: u64, mut tick: impl FnMut(&Found)) -> Found {
    let corpus = target.corpus();
    let mut dice = Dice::new(seed);
    let mut found = Found::default();
    let mutated = (0..runs).map(|_| mutate(&mut dice, &corpus, target.longest));
    for input in corpus.iter().cloned().chain(mutated) {
        match catch_unwind(AssertUnwindSafe(|| (target.run)(&input))) {
            Ok(reached) => {
                for what in reached {
                    *found.reached.entry(what).or_default() += 1;
                }
            }
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                found.broken = Some((input, text.unwrap_or("a panic without words").to_owned()));
            }
        }
        found.runs += 1;
        tick(&found);
        if found.broken.is_some() {
            break;
        }
    }
    found
}

/// The first word of an error: its kind, without what it is about.
fn kind(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
