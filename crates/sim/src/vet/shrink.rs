//! From a journal that fails to a small one that fails in the same way.

mod gone;

use std::sync::Arc;

use dengmi_core::{Batch, Outcome};

use self::gone::Gone;
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

/// A journal that fails: its batches, what they were answered, and how it fails.
#[derive(Clone)]
struct Failing {
    journal: Vec<Batch>,
    outcomes: Vec<Vec<Outcome>>,
    finding: Finding,
}

/// The journal up to where it breaks something, if it does.
fn judge(setting: &Setting, mut journal: Vec<Batch>, restarts: bool) -> Option<Failing> {
    let (mut engine, mut auditor) = (setting.engine(), setting.auditor());
    let mut outcomes = Vec::new();
    let found: Result<(), Finding> = journal.iter().try_for_each(|batch| {
        let applied = apply(&mut engine, batch)?;
        outcomes.push(applied.outcomes.clone());
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
    let finding = found.err()?;
    journal.truncate(finding.tick as usize);
    outcomes.resize(journal.len(), Vec::new());
    Some(Failing { journal, outcomes, finding })
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
    fn fails(&mut self, mut journal: Vec<Batch>) -> Option<Failing> {
        self.left = self.left.checked_sub(1)?;
        for (batch, seq) in journal.iter_mut().zip(1..) {
            batch.seq = seq;
        }
        let failing = judge(self.setting, journal, self.restarts)?;
        (failing.finding.invariant == self.invariant).then_some(failing)
    }

    /// Leaves out runs of things, shorter and shorter ones, while it still fails.
    fn leave_out(
        &mut self,
        mut best: Failing,
        count: fn(&[Batch]) -> usize,
        without: fn(&Failing, usize, usize) -> Vec<Batch>,
    ) -> Failing {
        let mut size = count(&best.journal).div_ceil(2).max(1);
        loop {
            let mut from = 0;
            while from < count(&best.journal) && self.left > 0 {
                match self.fails(without(&best, from, size)) {
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

/// Without some batches; what they made is missing from the numbers of what came later.
fn without_batches(of: &Failing, from: usize, size: usize) -> Vec<Batch> {
    let left_out = from..from.saturating_add(size).min(of.journal.len());
    let gone = Gone::of(of.outcomes[left_out.clone()].iter().flatten());
    let mut kept: Vec<Batch> = Vec::with_capacity(of.journal.len());
    for (place, batch) in of.journal.iter().enumerate().filter(|(at, _)| !left_out.contains(at)) {
        let mut batch = batch.clone();
        if place >= from {
            let commands = Arc::make_mut(&mut batch.commands);
            commands.iter_mut().for_each(|command| gone.renumber(command));
        }
        kept.push(batch);
    }
    kept
}

/// Without some commands, counted through all batches.
fn without_commands(of: &Failing, from: usize, size: usize) -> Vec<Batch> {
    let left_out = from..from.saturating_add(size);
    let all = of.journal.iter().zip(&of.outcomes).flat_map(|(batch, outcomes)| {
        let answered = outcomes.iter().map(Some).chain(std::iter::repeat(None));
        batch.commands.iter().zip(answered).map(|(_, outcome)| outcome)
    });
    let answers = all.enumerate().filter(|(at, _)| left_out.contains(at));
    let gone = Gone::of(answers.filter_map(|(_, outcome)| outcome));
    let mut at = 0;
    let batches = of.journal.iter().cloned().map(|mut batch| {
        Arc::make_mut(&mut batch.commands).retain_mut(|command| {
            let keep = !left_out.contains(&at);
            if at >= from {
                gone.renumber(command);
            }
            at += 1;
            keep
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
            let before = (best.journal.len(), commands(&best.journal));
            best = shrinker.leave_out(best, <[Batch]>::len, without_batches);
            best = shrinker.leave_out(best, commands, without_commands);
            if shrinker.left == 0 || (best.journal.len(), commands(&best.journal)) == before {
                let Failing { journal, finding, .. } = best;
                return Some(Small { journal, finding, restarts });
            }
        }
    })
}

fn commands(journal: &[Batch]) -> usize {
    journal.iter().map(|batch| batch.commands.len()).sum()
}
