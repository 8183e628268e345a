//! From a journal that fails to a small one that fails in the same way.

use dengmi_core::Batch;

use super::Failure;
use super::world::{Setting, apply, told};
use crate::audit::{Finding, Invariant};

/// A small journal that breaks the same invariant.
#[derive(Clone, Debug)]
pub struct Small {
    /// The batches.
    pub journal: Vec<Batch>,
    /// What does not hold in the last one.
    pub finding: Finding,
    /// It takes a restart after every batch.
    pub restarts: bool,
}

/// What a journal breaks, if it does.
fn judge(setting: &Setting, journal: &[Batch], restarts: bool) -> Option<Finding> {
    let (mut engine, mut auditor) = (setting.engine(), setting.auditor());
    let found = journal.iter().try_for_each(|batch| {
        let applied = apply(&mut engine, batch)?;
        auditor.see(batch, &told(&applied))?;
        if restarts {
            let restored = setting.restore(&engine.save());
            engine = restored.map_err(|what| Finding {
                tick: batch.seq,
                invariant: Invariant::Journal,
                what,
            })?;
        }
        Ok(())
    });
    found.err()
}

struct Shrinker<'a> {
    setting: &'a Setting,
    invariant: Invariant,
    restarts: bool,
    /// Attempts that are left.
    left: u32,
}

impl Shrinker<'_> {
    /// The journal, numbered anew and cut off where it fails, if it still does.
    fn fails(&mut self, mut journal: Vec<Batch>) -> Option<(Vec<Batch>, Finding)> {
        self.left = self.left.checked_sub(1)?;
        for (batch, seq) in journal.iter_mut().zip(1..) {
            batch.seq = seq;
        }
        let finding = judge(self.setting, &journal, self.restarts)?;
        if finding.invariant != self.invariant {
            return None;
        }
        journal.truncate(finding.tick as usize);
        Some((journal, finding))
    }

    /// Leaves out runs of things, shorter and shorter ones, while it still fails.
    fn leave_out(
        &mut self,
        mut best: (Vec<Batch>, Finding),
        count: impl Fn(&[Batch]) -> usize,
        without: impl Fn(&[Batch], usize, usize) -> Vec<Batch>,
    ) -> (Vec<Batch>, Finding) {
        let mut size = count(&best.0).div_ceil(2).max(1);
        loop {
            let mut from = 0;
            while from < count(&best.0) && self.left > 0 {
                match self.fails(without(&best.0, from, size)) {
                    Some(smaller) => best = smaller,
                    None => from += size,
                }
            }
            if size == 1 || self.left == 0 {
                return best;
            }
            size = size.div_ceil(2);
        }
    }
}

fn without_batches(journal: &[Batch], from: usize, size: usize) -> Vec<Batch> {
    let (before, rest) = journal.split_at(from.min(journal.len()));
    before.iter().chain(rest.iter().skip(size)).cloned().collect()
}

fn without_commands(journal: &[Batch], from: usize, size: usize) -> Vec<Batch> {
    let mut at = 0;
    let batches = journal.iter().cloned().map(|mut batch| {
        batch.commands.retain(|_| {
            at += 1;
            !(from + 1..=from + size).contains(&at)
        });
        batch
    });
    batches.collect()
}

/// A smaller journal that fails like `failure`, after at most `attempts` tries; `None` where the
/// journal alone does not fail (a replay or the quiet end did).
#[must_use]
pub fn shrink(failure: &Failure, attempts: u32) -> Option<Small> {
    let invariant = failure.finding.invariant;
    [false, true].into_iter().find_map(|restarts| {
        let setting = &failure.setting;
        let mut shrinker = Shrinker { setting, invariant, restarts, left: attempts };
        let mut best = shrinker.fails(failure.journal.clone())?;
        loop {
            let before = (best.0.len(), commands(&best.0));
            best = shrinker.leave_out(best, <[Batch]>::len, without_batches);
            best = shrinker.leave_out(best, commands, without_commands);
            if shrinker.left == 0 || (best.0.len(), commands(&best.0)) == before {
                let (journal, finding) = best;
                return Some(Small { journal, finding, restarts });
            }
        }
    })
}

fn commands(journal: &[Batch]) -> usize {
    journal.iter().map(|batch| batch.commands.len()).sum()
}
