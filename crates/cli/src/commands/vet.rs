//! `dengmi vet`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use dengmi_core::Batch;
use dengmi_sim::vet::{Coverage, Failure, Fault, Library, UNREACHABLE, shrink, trial};

use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// Seeds that failed once, and the batches it took.
const PAST: &str = include_str!("../../../../tests/seeds.txt");

/// Every so many seeds one is replayed as well.
const DEEP_EVERY: u64 = 10;

/// From so many batches on everything that can be reached has to be.
const COVERED_FROM: u64 = 2_000 * 500;

/// Failures after which there is nothing to learn from more.
const FAILURES_MAX: usize = 8;

/// Tries to make a failing campaign smaller.
const SHRINK_ATTEMPTS: u32 = 2_000;

/// Commands of a small campaign that are shown.
const SHOWN_MAX: usize = 60;

/// Draw campaigns with faults from seeds and audit every batch of them.
#[derive(Args, Debug)]
#[command(after_help = "\
每个种子决定一整场活动：内容、成员、命令、时钟和故障；独立的审计逐批核对每一笔结果，故障停止后一切必须收尾。
每十个种子中有一个再被重放：从头、从快照、与另一分行并行。从前失败过的种子总是先跑。
A seed decides a whole campaign: content, members, commands, clock and faults. An auditor that shares
no rule with the engine checks every batch; once faults stop, everything has to settle. Every tenth
seed is replayed as well. Seeds that failed once always run first.

示例 Examples:
  dengmi vet                                   # a quick look
  dengmi vet --seeds 2000 --ticks 500 --from 4fd2ac01
  dengmi vet --seed 1234 --ticks 500           # one again, replayed too")]
pub(crate) struct Vet {
    /// 种子个数 How many seeds
    #[arg(long, default_value_t = 200, value_name = "N")]
    seeds: u64,
    /// 每个种子的批数 Batches with faults of each
    #[arg(long, default_value_t = 300, value_name = "T", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    ticks: u32,
    /// 第一个种子：数字，或十六进制（如提交号） The first one: a number, or hexadecimal like a commit
    #[arg(long, default_value = "0", value_name = "SEED", value_parser = seed_arg)]
    from: u64,
    /// 只跑这一个 Only this one
    #[arg(long, value_name = "SEED", value_parser = seed_arg, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// 线程数，缺省为全部 Threads [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
}

/// A number, or the first 16 digits of a hexadecimal text.
fn seed_arg(text: &str) -> Result<u64, String> {
    let hex = text.strip_prefix("0x").unwrap_or(text);
    let fault = || format!("`{text}` is neither a number nor hexadecimal, such as 17 or 4fd2ac01");
    if let (Ok(number), false) = (text.parse(), text.starts_with('+')) {
        return Ok(number);
    }
    if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(fault());
    }
    u64::from_str_radix(&hex[..hex.len().min(16)], 16).map_err(|_| fault())
}

/// A campaign to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    seed: u64,
    ticks: u32,
    deep: bool,
}

/// The seeds of a file of lines `seed ticks # what it found`; `None` where a line is something
/// else.
fn past(text: &str) -> Option<Vec<Wanted>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let wanted = lines.filter(|line| !line.is_empty()).map(|line| {
        let (seed, ticks) = line.split_once(char::is_whitespace)?;
        let (seed, ticks) = (seed.parse().ok()?, ticks.trim().parse().ok()?);
        Some(Wanted { seed, ticks, deep: true })
    });
    wanted.collect()
}

impl Vet {
    /// Runs it.
    ///
    /// # Errors
    /// An invariant does not hold, or in a long run something was never reached.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let library = Library::new().map_err(|faults| {
            let first = faults.first().map_or("", |fault| fault.code);
            CliError::internal(anyhow::anyhow!("the campaigns' content is refused: {first}"))
        })?;
        let wanted = self.wanted()?;
        let threads = match self.threads {
            Some(threads) => threads as usize,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let bar = terminal::progress(global, "种子 seeds", wanted.len() as u64);
        let began = Instant::now();
        let (coverage, mut failures) = play(&library, &wanted, threads, || bar.inc(1));
        bar.finish_and_clear();
        let seconds = began.elapsed().as_secs_f64();
        for line in summary(&coverage, wanted.len(), seconds) {
            terminal::print(&line)?;
        }
        let never = coverage.never(&library);
        if coverage.ticks >= COVERED_FROM || self.seeds > 1 && self.seed.is_none() {
            for what in &never {
                terminal::print(&format!("从未到达 never reached: {what}"))?;
            }
        }
        for reject in coverage.impossible() {
            terminal::print(&format!("不应出现 reached against the table: {}", reject.code()))?;
        }
        failures.sort_by_key(|failure| (failure.ticks, failure.seed));
        for (index, failure) in failures.iter().enumerate() {
            for line in describe(failure, index == 0) {
                terminal::print(&line)?;
            }
        }
        if !failures.is_empty() {
            let message = format!("{} seeds break an invariant", failures.len());
            return Err(CliError::internal(anyhow::anyhow!(message)));
        }
        let surprises = !coverage.impossible().is_empty();
        if surprises || coverage.ticks >= COVERED_FROM && !never.is_empty() {
            let message = format!("{} things were never reached in a long run", never.len());
            return Err(CliError::internal(anyhow::anyhow!(message)));
        }
        Ok(())
    }

    fn wanted(&self) -> Result<Vec<Wanted>> {
        if let Some(seed) = self.seed {
            return Ok(vec![Wanted { seed, ticks: self.ticks, deep: true }]);
        }
        let mut wanted = past(PAST).ok_or_else(|| {
            CliError::internal(anyhow::anyhow!("tests/seeds.txt has a line that cannot be read"))
        })?;
        wanted.extend((0..self.seeds).map(|index| Wanted {
            seed: self.from.wrapping_add(index),
            ticks: self.ticks,
            deep: index % DEEP_EVERY == 0,
        }));
        Ok(wanted)
    }
}

/// Plays campaigns, each whole on one of `threads` threads.
fn play(
    library: &Library,
    wanted: &[Wanted],
    threads: usize,
    done: impl Fn() + Sync,
) -> (Coverage, Vec<Failure>) {
    let next = AtomicU64::new(0);
    let result = Mutex::new((Coverage::default(), Vec::<Failure>::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(wanted.len().max(1)) {
            scope.spawn(|| {
                let mut own = Coverage::default();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed) as usize;
                    let Some(&Wanted { seed, ticks, deep }) = wanted.get(index) else { break };
                    match trial(library, seed, ticks, deep) {
                        Ok((report, _)) => own.add(&report),
                        Err(failure) => {
                            if let Ok(mut result) = result.lock() {
                                result.1.push(*failure);
                                if result.1.len() >= FAILURES_MAX {
                                    next.store(wanted.len() as u64, Ordering::Relaxed);
                                }
                            }
                        }
                    }
                    done();
                }
                if let Ok(mut result) = result.lock() {
                    result.0.merge(&own);
                }
            });
        }
    });
    // A thread that panicked has poisoned nothing: what it left is whole.
    result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn summary(coverage: &Coverage, seeds: usize, seconds: f64) -> Vec<String> {
    let Coverage { ticks, commands, .. } = coverage;
    let rate = *ticks as f64 / seconds.max(1e-9);
    let struck = Fault::ALL
        .iter()
        .map(|fault| format!("{} {}", fault.text(), coverage.struck.count(*fault)));
    let struck: Vec<String> = struck.collect();
    let unreachable: Vec<&str> = UNREACHABLE.iter().map(|(reject, _)| reject.code()).collect();
    vec![
        format!(
            "{seeds} 个种子 seeds, {ticks} 批 batches, {commands} 条命令 commands; {seconds:.1} s, {rate:.0} batches/s"
        ),
        format!("故障 faults: {}", struck.join(", ")),
        format!("无法到达的拒绝 refusals beyond reach: {}", unreachable.join(", ")),
    ]
}

fn describe(failure: &Failure, small: bool) -> Vec<String> {
    let finding = &failure.finding;
    let mut lines = vec![
        String::new(),
        format!(
            "种子 seed {}, 批 batch {}: 不变量 invariant {}",
            failure.seed, finding.tick, finding.invariant
        ),
        format!("  {}", finding.what),
        format!("  故障 faults: {}", failure.plan),
        format!("  重现 again: dengmi vet --seed {} --ticks {}", failure.seed, failure.ticks),
    ];
    if !small {
        return lines;
    }
    let Some(small) = shrink(failure, SHRINK_ATTEMPTS) else {
        lines.push(
            "  单凭日志不失败 the journal alone does not fail: a replay or the quiet end does"
                .to_owned(),
        );
        return lines;
    };
    let commands: usize = small.journal.iter().map(|batch| batch.commands.len()).sum();
    let restarts =
        if small.restarts { "，每批之后重启 with a restart after every batch" } else { "" };
    lines.push(format!(
        "  最小 smallest: {} 批 batches, {commands} 条命令 commands{restarts}: {}",
        small.journal.len(),
        small.finding.what
    ));
    lines.extend(small.journal.iter().flat_map(show).take(SHOWN_MAX));
    lines
}

fn show(batch: &Batch) -> Vec<String> {
    let head = format!("    {} {}", batch.seq, batch.at);
    let commands = batch.commands.iter();
    let commands =
        commands.map(|command| format!("      {:?} {:?}", command.actor, command.action));
    std::iter::once(head).chain(commands).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_or_hexadecimal() {
        for (text, seed) in [
            ("17", Some(17)),
            ("4fd2ac01", Some(0x4fd2_ac01)),
            ("0xff", Some(255)),
            ("4fd2ac0198b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3", Some(0x4fd2_ac01_98b7_c6d5)),
            ("12345678901234567890123", Some(0x1234_5678_9012_3456)),
            ("", None),
            ("0x", None),
            ("+3", None),
            ("-3", None),
            ("灯", None),
        ] {
            assert_eq!(seed_arg(text).ok(), seed, "{text}");
        }
    }

    #[test]
    fn past_seeds_are_lines() {
        let wanted = past("# nothing\n\n12 500 # what it found\n7\t80\n");
        let of = |seed, ticks| Wanted { seed, ticks, deep: true };
        assert_eq!(wanted, Some(vec![of(12, 500), of(7, 80)]));
        assert_eq!(past("12"), None);
        assert_eq!(past("a 5"), None);
        assert!(past(PAST).is_some());
    }
}
