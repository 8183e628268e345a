//! What many campaigns reached together, and what none of them did.

use dengmi_core::Reject;

use super::Report;
use super::faults::{Fault, Struck};
use super::library::Library;
use crate::audit::{Edge, RECEIPTS, Seen};

/// Refusals that no campaign can bring about, and why.
pub const UNREACHABLE: &[(Reject, &str)] = &[
    (Reject::BranchFull, "four million members or a hundred thousand managers would have to come"),
    (Reject::RoundNotOpen, "a round gets its number when it opens, so none before is known"),
];

/// What campaigns reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// States, rules, outcomes.
    pub seen: Seen,
    /// Faults.
    pub struck: Struck,
    /// Batches.
    pub ticks: u64,
    /// Commands.
    pub commands: u64,
}

impl Coverage {
    /// Adds a campaign.
    pub fn add(&mut self, report: &Report) {
        self.seen.add(&report.seen);
        self.struck.add(&report.struck);
        self.ticks += report.ticks;
        self.commands += report.commands;
    }

    /// Adds what other campaigns reached.
    pub fn merge(&mut self, other: &Self) {
        self.seen.add(&other.seen);
        self.struck.add(&other.struck);
        self.ticks += other.ticks;
        self.commands += other.commands;
    }

    /// What should happen now and then and never did.
    #[must_use]
    pub fn never(&self, library: &Library) -> Vec<String> {
        let mut never = Vec::new();
        for fault in Fault::ALL.iter().filter(|fault| self.struck.count(**fault) == 0) {
            never.push(format!("fault {}", fault.text()));
        }
        for edge in Edge::ALL.iter().filter(|edge| self.seen.count(**edge) == 0) {
            never.push(format!("state {}", edge.text()));
        }
        for reject in Reject::ALL {
            let impossible = UNREACHABLE.iter().any(|(known, _)| known == reject);
            if !impossible && !self.seen.rejects.contains_key(reject) {
                never.push(format!("refusal {}", reject.code()));
            }
        }
        for receipt in RECEIPTS.iter().filter(|kind| !self.seen.receipts.contains_key(*kind)) {
            never.push(format!("receipt {receipt}"));
        }
        let mut rules: Vec<_> = library.rules().collect();
        rules.sort_unstable();
        rules.dedup();
        for (slug, version) in rules {
            if !self.seen.rules.contains_key(&(slug.clone(), version)) {
                never.push(format!("rule {slug} version {version}"));
            }
        }
        never
    }

    /// Refusals that happened although none can bring them about.
    #[must_use]
    pub fn impossible(&self) -> Vec<Reject> {
        let known = UNREACHABLE.iter().map(|(reject, _)| *reject);
        known.filter(|reject| self.seen.rejects.contains_key(reject)).collect()
    }
}
