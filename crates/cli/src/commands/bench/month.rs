//! `dengmi bench month`: the community month through the engine, beside a plain loop over arrays.

use clap::Args;
use dengmi_sim::month::{ACTIVE_RATE_PPM, Agreement, DAYS, MEAN_POINTS_MILLI, MonthConfig};

use super::shards::{self, Times};
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// Measure the community month.
#[derive(Args, Clone, Copy, Debug)]
#[command(after_help = "\
每名成员每天：打卡、三道题、点赞评论；规则、限额、复式记账、榜单全部开启。结果与普通数组循环逐人核对。
Every day members check in, answer three questions, react to a post, with rules from RON, limits,
double entry and standings on. Points are compared with a plain loop, member by member.

示例 Examples:
  dengmi bench month --members 20000
  dengmi bench month --members 1000000 --threads 2")]
pub(crate) struct Month {
    /// 成员数 Members, in branches of at most 20,000
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    pub(super) members: u32,
    /// 天数 Days
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u16).range(1..=30))]
    pub(super) days: u16,
    /// 种子 Seed of every draw
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// 线程数 Threads, each with branches of its own: small ones where members are few
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) threads: u32,
}

impl Month {
    pub(super) fn config(&self) -> MonthConfig {
        MonthConfig::new(self.seed, self.members, self.days).for_threads(self.threads)
    }

    /// Measures and prints.
    ///
    /// # Errors
    /// Engine and plain loop disagree.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let config = self.config();
        let threads = self.threads.min(config.shards());
        let bar = terminal::progress(global, "社群月 community month", 0);
        // Content is there once, however many members there are.
        let pack = shards::pack()?;
        let base = Memory::now();
        let (lived, times) = shards::live(&config, &pack, threads, |_| {})?;
        let used = base.zip(Memory::now()).map(|(base, after)| after.beyond(&base));
        bar.set_message("普通循环 plain loop");
        let (plains, plain) = shards::yardstick(&config, threads);
        bar.finish_and_clear();

        let mut agreement = Agreement::default();
        let (mut commands, mut entries, mut refused, mut boards) = (0, 0, 0, 0);
        for (lived, plain) in lived.iter().zip(&plains) {
            agreement.add(lived.shard.compare(&lived.engine, plain));
            let tally = lived.shard.tally();
            commands += tally.commands;
            entries += tally.entries;
            refused += tally.refused;
            boards += tally.day_boards;
        }
        terminal::print(&format!(
            "社群月 community month: {} 成员 members, {} 天 days, {} 分行 branches, {threads} 线程 threads",
            config.members,
            config.days,
            config.shards(),
        ))?;
        for line in lines(&config, &times, plain.as_secs_f64(), used) {
            terminal::print(&line)?;
        }
        terminal::print(&format!(
            "{commands} 条命令 commands，{entries} 笔分录 entries，{boards} 张日榜 daily standings，{refused} 条被拒 refused"
        ))?;
        let (active, points) = agreement.means(&config);
        terminal::print(&format!(
            "核对 agreement: {} 处不同 differing; 活跃率 active rate {:.4} ({:.3}), 人均积分 mean points {:.2} ({:.1} over {DAYS} days)",
            agreement.differing,
            active as f64 / 1e6,
            ACTIVE_RATE_PPM as f64 / 1e6,
            points as f64 / 1e3,
            MEAN_POINTS_MILLI as f64 / 1e3,
        ))?;
        if agreement.differing + refused > 0 {
            let message = "engine and plain loop disagree";
            return Err(CliError::damaged(
                message,
                "this is a fault; please report it with the seed",
            ));
        }
        Ok(())
    }
}

/// What the month took in memory, in bytes.
#[derive(Clone, Copy)]
struct Memory {
    /// Resident now.
    resident: u64,
    /// The most that was ever resident.
    peak: u64,
    /// Pages of the program itself, which are there once however many members there are.
    program: u64,
}

impl Memory {
    fn now() -> Option<Self> {
        let of = shards::memory;
        Some(Self { resident: of("VmRSS:")?, peak: of("VmHWM:")?, program: of("RssFile:")? })
    }

    /// The peak beyond what was resident in `base`, and how much of it is the program's.
    fn beyond(&self, base: &Self) -> (u64, u64) {
        let peak = self.peak.saturating_sub(base.resident);
        (peak, self.program.saturating_sub(base.program).min(peak))
    }
}

fn lines(config: &MonthConfig, times: &Times, plain: f64, used: Option<(u64, u64)>) -> Vec<String> {
    let member_days = f64::from(config.members) * f64::from(config.days);
    let rate = |seconds: f64| member_days / seconds.max(1e-9) / 1e6;
    let row = |what: &str, seconds: f64| {
        let share = plain / seconds.max(1e-9);
        format!("{what:<44} {:>9.3} {:>12.2} {share:>9.4}", seconds, rate(seconds))
    };
    let mut lines = vec![
        format!("{:<44} {:>9} {:>12} {:>9}", "", "s", "M m-days/s", "x plain"),
        row("plain loop over arrays, best of 3", plain),
        row("Engine::apply alone", times.apply.as_secs_f64()),
        row("with behaviour, commands and reading", times.month().as_secs_f64()),
        format!("{:<44} {:>9.3}", "groups, members, launches before", times.setup.as_secs_f64()),
    ];
    if let Some((peak, program)) = used {
        let each = |bytes: u64| bytes as f64 / f64::from(config.members.max(1));
        lines.push(format!(
            "peak memory (VmHWM after, less VmRSS before): {:.0} MB, {:.0} bytes a member; {:.0} without {:.1} MB of the program's own pages",
            peak as f64 / 1e6,
            each(peak),
            each(peak - program),
            program as f64 / 1e6,
        ));
    }
    lines
}
