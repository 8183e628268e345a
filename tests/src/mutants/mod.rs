//! Wrong turns that are planted, one after the other, to see that our proofs catch them. A proof
//! that finds nothing wrong in a build with a mutant is worth as little without one.
//!
//! The binary `mutants` plants each of [`ALL`] and has the cheapest proof that should catch it look
//! for it; one that survives is a failure, and so is a proof that finds fault with the build when
//! nothing is planted.

mod proofs;

use std::time::{Duration, Instant};

use dengmi_core::mutant::{self, ALL, Mutant};

pub use proofs::{Ground, Proof};

/// What should catch each mutant of [`ALL`], cheapest first; others of the same part may as well.
///
/// The auditor shares the vocabulary of the core with the engine, so what is wrong there is for
/// the golden journals to notice.
#[must_use]
pub fn proof_of(mutant: &Mutant) -> Proof {
    match mutant.name.split('/').next() {
        Some("random" | "time") => Proof::Golden,
        Some("commit") if mutant.name == "commit/told-twice" => Proof::Subscriber,
        Some("commit" | "keys") => Proof::Kills,
        Some("record") => Proof::Flips,
        Some("snapshot" | "store") => Proof::PowerCuts,
        Some("cohort" | "mock") => Proof::CourseAudit,
        _ => Proof::Audit,
    }
}

/// How much work a proof may do.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Campaigns of the auditor.
    pub seeds: u64,
    /// Batches with faults of each.
    pub ticks: u32,
    /// Kills.
    pub kills: u64,
    /// Power cuts.
    pub cuts: u64,
    /// Flipped bits.
    pub bits: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { seeds: 60, ticks: 300, kills: 40, cuts: 60, bits: 300 }
    }
}

/// What a proof found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What does not hold.
    pub by: String,
    /// Where.
    pub at: String,
    /// In words.
    pub what: String,
}

/// What came of looking for a mutant.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The mutant; `None` for the build as it is.
    pub mutant: Option<&'static Mutant>,
    /// What looked for it.
    pub proof: Proof,
    /// What it found.
    pub found: Option<Found>,
    /// How long it took.
    pub took: Duration,
}

impl Verdict {
    /// Whether it is as it should be: a mutant is caught, and nothing is wrong without one.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.mutant.is_some() == self.found.is_some()
    }

    /// One line of a table.
    #[must_use]
    pub fn line(&self) -> String {
        let name = self.mutant.map_or("-", |mutant| mutant.name);
        let (by, at, what) = match &self.found {
            Some(Found { by, at, what }) => (by.as_str(), at.as_str(), what.as_str()),
            None if self.mutant.is_some() => ("SURVIVES", "", ""),
            None => ("nothing, rightly", "", ""),
        };
        let (proof, seconds) = (self.proof.text(), self.took.as_secs_f64());
        let what: String = what.chars().take(90).collect();
        format!("{name:26} {proof:11} {by:30} {at:22} {seconds:6.2} s  {what}")
    }
}

/// Looks for `mutant`, or for anything wrong without one.
pub fn judge(
    ground: &Ground,
    mutant: Option<&'static Mutant>,
    proof: Proof,
    budget: Budget,
) -> Verdict {
    let began = Instant::now();
    mutant::plant(mutant.map(|mutant| mutant.name));
    let found = proof.look(ground, budget);
    mutant::plant(None);
    Verdict { mutant, proof, found, took: began.elapsed() }
}

/// Looks for every mutant whose name begins with `only`, after every proof that takes part has
/// found nothing wrong without one. Tells each verdict as it comes.
pub fn run(
    ground: &Ground,
    only: &str,
    budget: Budget,
    mut told: impl FnMut(&Verdict),
) -> Vec<Verdict> {
    let chosen: Vec<_> = ALL.iter().filter(|mutant| mutant.name.starts_with(only)).collect();
    let mut proofs: Vec<Proof> = chosen.iter().map(|mutant| proof_of(mutant)).collect();
    proofs.sort_unstable();
    proofs.dedup();
    let clean = proofs.into_iter().map(|proof| (None, proof));
    let planted = chosen.into_iter().map(|mutant| (Some(mutant), proof_of(mutant)));
    let all = clean.chain(planted).map(|(mutant, proof)| {
        let verdict = judge(ground, mutant, proof, budget);
        told(&verdict);
        verdict
    });
    all.collect()
}
