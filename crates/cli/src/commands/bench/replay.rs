//! `dengmi bench replay`: how fast recorded commands are applied again.

use std::time::{Duration, Instant};

use clap::Args;
use dengmi_core::{Batch, Timestamp};
use dengmi_engine::Engine;
use dengmi_sim::month::{MonthConfig, SHARD, Shard};

use super::shards;
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// Measure replay.
#[derive(Args, Clone, Copy, Debug)]
#[command(after_help = "\
把一个分行的社群月记录下来，再按不同批次大小重新计算。
Records the month of one branch and applies it again in batches of several sizes. `dengmi replay`
does the same to a real journal, with reading, decoding and comparing.")]
pub(crate) struct Replay {
    /// 成员数 Members, all of one branch (a usual one has 20,000)
    #[arg(long, default_value_t = SHARD, value_parser = clap::value_parser!(u32).range(1..=400_000))]
    members: u32,
    /// 天数 Days
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=30))]
    days: u16,
}

/// Most commands of a batch: a quiet server, a busy one, and the batches of the workload.
const SIZES: [usize; 4] = [8, 64, 512, 2_000];

impl Replay {
    /// Measures and prints.
    ///
    /// # Errors
    /// The engine refuses a batch.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let mut config = MonthConfig::new(1, self.members, self.days);
        config.shard = config.shard.max(self.members);
        let bar = terminal::progress(global, "记录 recording", 0);
        let mut journal: Vec<Batch> = Vec::new();
        let (_, recorded) =
            shards::live(&config, &shards::pack()?, 1, |batch| journal.push(batch.clone()))?;
        bar.finish_and_clear();
        let commands: usize = journal.iter().map(|batch| batch.commands.len()).sum();
        terminal::print(&format!(
            "{} 成员 members, {} 天 days, {commands} 条命令 commands",
            self.members, self.days
        ))?;
        terminal::print(&format!("{:>12} {:>12} {:>14}", "batch <=", "s", "commands/s"))?;
        for size in SIZES {
            let batches = cut(&journal, size);
            let took = apply(&config, &batches)?;
            let rate = commands as f64 / took.as_secs_f64().max(1e-9);
            terminal::print(&format!("{size:>12} {:>12.3} {rate:>14.0}", took.as_secs_f64()))?;
        }
        let first = (recorded.setup + recorded.apply).as_secs_f64();
        terminal::print(&format!(
            "第一次 the first time: {first:.3} s (floor 300,000 commands/s, goal 1,000,000)"
        ))
    }
}

/// The same commands in batches of at most `size`, each a fraction of a second after the other.
fn cut(journal: &[Batch], size: usize) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for batch in journal {
        let parts = batch.commands.chunks(size).map(<[_]>::to_vec);
        let empty = batch.commands.is_empty().then(Vec::new);
        for commands in parts.chain(empty) {
            let last = batches.last().map_or(Timestamp(0), |last| last.at);
            let at = batch.at.max(last.plus_ms(1));
            batches.push(Batch { seq: batches.len() as u64 + 1, at, commands: commands.into() });
        }
    }
    batches
}

fn apply(config: &MonthConfig, batches: &[Batch]) -> Result<Duration> {
    let mut engine = Engine::new(Shard::new(config, 0).engine_config(), shards::pack()?);
    let began = Instant::now();
    for batch in batches {
        engine.apply(batch).map_err(CliError::internal)?;
    }
    Ok(began.elapsed())
}
