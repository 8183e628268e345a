//! Lives through the community month: engines, times, memory.

use std::time::{Duration, Instant};

use dengmi_content::Pack;
use dengmi_core::Batch;
use dengmi_engine::Engine;
use dengmi_sim::month::reference::{Plain, plain};
use dengmi_sim::month::{self, MonthConfig, Shard};

use crate::error::{CliError, Result};

/// A branch after its month.
pub(super) struct Lived {
    /// Its workload.
    pub(super) shard: Shard,
    /// Its engine.
    pub(super) engine: Engine,
}

/// Where the time of the slowest thread went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    /// Before the month: groups, members, launches.
    pub(super) setup: Duration,
    /// In [`Engine::apply`], during the month.
    pub(super) apply: Duration,
    /// Members' behaviour, making commands and reading what came of them, during the month.
    pub(super) making: Duration,
}

impl Times {
    /// The whole month.
    pub(super) fn month(&self) -> Duration {
        self.apply + self.making
    }
}

/// The content of the workload.
pub(super) fn pack() -> Result<std::sync::Arc<Pack>> {
    month::pack().map_err(|faults| {
        let first = faults.first().map_or("", |fault| fault.code);
        CliError::internal(anyhow::anyhow!("the workload's content is refused: {first}"))
    })
}

/// Runs every branch of a month on `threads` threads, each branch whole on one of them, and gives
/// them by number. `see` is shown every batch of the first branch.
///
/// # Errors
/// The engine refuses a batch, which would be a fault of the workload.
pub(super) fn live(
    config: &MonthConfig,
    pack: &std::sync::Arc<Pack>,
    threads: u32,
    mut see: impl FnMut(&Batch) + Send,
) -> Result<(Vec<Lived>, Times)> {
    let run = |thread: u32, see: Option<&mut (dyn FnMut(&Batch) + Send)>| {
        let (mut all, mut times, mut see) = (Vec::new(), Times::default(), see);
        for index in (thread..config.shards()).step_by(threads as usize) {
            let shard = Shard::new(config, index);
            let engine = Engine::new(shard.engine_config(), pack.clone());
            let mut lived = Lived { shard, engine };
            lived.live(&mut times, see.as_deref_mut().filter(|_| index == 0))?;
            all.push(lived);
        }
        Ok::<_, CliError>((all, times))
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let run = &run;
        let others: Vec<_> =
            (1..threads).map(|thread| scope.spawn(move || run(thread, None))).collect();
        let first = run(0, Some(&mut see));
        let joined = others.into_iter().map(|other| {
            other.join().unwrap_or_else(|_| Err(CliError::internal(anyhow::anyhow!("a panic"))))
        });
        std::iter::once(first).chain(joined).collect()
    });
    let (mut all, mut slowest) = (Vec::new(), Times::default());
    for result in results {
        let (lived, times) = result?;
        all.extend(lived);
        if times.month() > slowest.month() {
            slowest = times;
        }
    }
    all.sort_by_key(|lived: &Lived| lived.shard.members().0);
    Ok((all, slowest))
}

impl Lived {
    fn live(
        &mut self,
        times: &mut Times,
        mut see: Option<&mut (dyn FnMut(&Batch) + Send + '_)>,
    ) -> Result<()> {
        loop {
            let (began, setup) = (Instant::now(), self.shard.setting_up());
            let Some(batch) = self.shard.next_batch() else { return Ok(()) };
            let made = Instant::now();
            let applied = self.engine.apply(&batch);
            let done = Instant::now();
            let applied = applied.map_err(CliError::internal)?;
            self.shard.observe(&applied);
            // Freeing the answers belongs to who asked.
            drop(applied);
            if let Some(see) = &mut see {
                see(&batch);
            }
            if setup {
                times.setup += began.elapsed();
            } else {
                times.apply += done - made;
                times.making += (made - began) + done.elapsed();
            }
        }
    }
}

/// The plain loop over the same members on as many threads: what came of it, by branch, and the
/// best time of three.
pub(super) fn yardstick(config: &MonthConfig, threads: u32) -> (Vec<Plain>, Duration) {
    let once = || {
        let began = Instant::now();
        let mut plains: Vec<(u32, Plain)> = std::thread::scope(|scope| {
            let run = move |thread: u32| {
                let indexes = (thread..config.shards()).step_by(threads as usize);
                let one = |index: u32| {
                    let (first, members) = Shard::new(config, index).members();
                    (index, plain(config.seed, first, members, config.days))
                };
                indexes.map(one).collect::<Vec<_>>()
            };
            let others: Vec<_> =
                (1..threads).map(|thread| scope.spawn(move || run(thread))).collect();
            let mut all = run(0);
            all.extend(others.into_iter().flat_map(|other| other.join().unwrap_or_default()));
            all
        });
        let took = began.elapsed();
        plains.sort_by_key(|(index, _)| *index);
        (plains.into_iter().map(|(_, plain)| plain).collect::<Vec<_>>(), took)
    };
    let (plains, first) = once();
    let best = (0..2).map(|_| once().1).fold(first, Duration::min);
    (plains, best)
}

/// A line of `/proc/self/status` in bytes: `VmRSS` is resident memory now, `VmHWM` the most there
/// ever was. `None` where the system has no such file.
pub(super) fn memory(line: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|text| text.starts_with(line))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use dengmi_sim::month::Agreement;

    use super::*;

    #[test]
    fn branches_come_by_number_from_any_number_of_threads() {
        let config = MonthConfig::new(5, 40_400, 1);
        let pack = pack().expect("the content is sound");
        let (lived, _) = live(&config, &pack, 2, |_| {}).expect("the workload is sound");
        let (plains, _) = yardstick(&config, 2);
        let mut agreement = Agreement::default();
        for (lived, plain) in lived.iter().zip(&plains) {
            agreement.add(lived.shard.compare(&lived.engine, plain));
        }
        assert_eq!((lived.len(), agreement.differing), (3, 0));
    }
}
