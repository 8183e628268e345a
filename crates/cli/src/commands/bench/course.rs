//! `dengmi bench course`: whole courses through the engine, beside the community month.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use dengmi_content::model::Market;
use dengmi_core::{MemberId, Slug};
use dengmi_engine::Engine;
use dengmi_engine::market::{MarketSeed, Path};
use dengmi_sim::classroom::{BRANCH, Classroom, Part};
use dengmi_sim::month::{MonthConfig, QUESTIONS};

use super::shards;
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::{content, terminal};

/// Measure courses.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
每名学员每天：学完一课、算对一个数、答完当天的题和到期的复习，在模拟账户写一条笔记、读一份说明书、下一单。
旁边是同样人数、同样天数、同样批量的社群月。
Every member finishes each day's lesson, answers the whole quiz and all reviews that are due, and on
the mock account writes a note, reads a sheet and places an order. Beside it the community month with
as many members and days, in batches as large.

示例 Examples:
  dengmi bench course
  dengmi bench course --course journey-14 --cohorts 200")]
pub(crate) struct Course {
    /// 课程 The course
    #[arg(long, default_value = "journey-14")]
    course: Slug,
    /// 期数 Cohorts on one branch, each with a group of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    cohorts: u32,
    /// 每期人数 Members of a cohort
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=500))]
    members: u32,
}

impl Course {
    /// Measures and prints.
    ///
    /// # Errors
    /// There is no such course, or a command is refused.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let pack = content::load_checked(&content::root(global)?)?.pack;
        let room = Classroom::new(pack, self.course.clone(), self.cohorts, self.members);
        let mut room = room.ok_or_else(|| {
            let what = format!("no course `{}` for groups of {}", self.course, self.members);
            CliError::user(what, "see `dengmi course list`; a group of its kind must hold them")
        })?;
        let bar = terminal::progress(global, "课程 courses", 0);
        // The month of one cohort is over in milliseconds: the median of several, before the course
        // and after it, so that both are measured in the same minutes.
        let days = room.course_days();
        let month = MonthConfig::new(1, room.enrolled(), u16::from(days.min(30)));
        let mut months = Vec::new();
        for _ in 0..MONTHS / 2 {
            months.push(shards::live(&month, &shards::pack()?, 1, |_| {})?);
        }
        let base = shards::memory("VmRSS:");
        let mut engine = room.engine();
        room.set_up(&mut engine).map_err(CliError::internal)?;
        let before = engine.save().len();
        let mut apply = Duration::ZERO;
        let mut parts: BTreeMap<Part, (Duration, u64)> = BTreeMap::new();
        room.play(&mut engine, |engine, batch, part| {
            let began = Instant::now();
            let applied = engine.apply(batch);
            let took = began.elapsed();
            apply += took;
            let (time, commands) = parts.entry(part).or_default();
            *time += took;
            *commands += batch.commands.len() as u64;
            applied
        })
        .map_err(CliError::internal)?;
        let peak = shards::memory("VmHWM:");
        let card = card(&engine, room.enrolled());
        let after = engine.save().len();
        bar.set_message("社群月 community month");
        while months.len() < MONTHS {
            months.push(shards::live(&month, &shards::pack()?, 1, |_| {})?);
        }
        months.sort_by_key(|(_, times)| times.apply);
        let (lived, times) = months.swap_remove(MONTHS / 2);
        bar.finish_and_clear();
        let month_commands: u64 = lived.iter().map(|lived| lived.shard.tally().commands).sum();
        let active: u64 = lived.iter().map(|lived| lived.shard.tally().active).sum();
        // Whoever is active answers one round, in one command.
        let month_acts = month_commands + active * (u64::from(QUESTIONS) - 1);
        let member_days = f64::from(room.enrolled()) * f64::from(days);
        terminal::print(&format!(
            "课程 course {}: {} 期 cohorts × {} 人 members × {days} 天 days, {} 条命令 commands, {} 条被拒 refused",
            self.course, self.cohorts, self.members, room.commands, room.refused
        ))?;
        terminal::print(&format!(
            "{:<36} {:>9} {:>14} {:>12} {:>10}",
            "", "s", "ns/member-day", "ns/command", "commands"
        ))?;
        let row = |what: &str, seconds: f64, commands: u64| {
            let each = seconds * 1e9 / (commands.max(1) as f64);
            let day = seconds * 1e9 / member_days;
            format!("{what:<36} {seconds:>9.3} {day:>14.0} {each:>12.0} {commands:>10}")
        };
        let (course, month) = (apply.as_secs_f64(), times.apply.as_secs_f64());
        terminal::print(&row("course, Engine::apply", course, room.commands))?;
        terminal::print(&row("community month, Engine::apply", month, month_commands))?;
        let each = |of: u64, month_of: u64| {
            (course / of.max(1) as f64) / (month / month_of.max(1) as f64).max(1e-12)
        };
        terminal::print(&format!(
            "比值 ratios: {:.2} a member-day, {:.2} a command, {:.2} an act (an answer to one \
             question, or any other command: {} beside {month_acts})",
            course / month.max(1e-9),
            each(room.commands, month_commands),
            each(room.acts, month_acts),
            room.acts,
        ))?;
        for (part, (time, commands)) in parts {
            terminal::print(&row(name(part), time.as_secs_f64(), commands))?;
        }
        let (market, assets) = (room.market(), room.market().assets.len());
        terminal::print(&format!(
            "行情 market: {:.0} ns 每个资产每天 an asset-day, {assets} 个资产 assets, 每期只算一次 once a cohort; 下单 {} 笔 orders",
            asset_day(market),
            room.orders
        ))?;
        terminal::print(&format!(
            "读一个成员 reading a member: {card:.0} ns，全部结课后 with every cohort over and kept"
        ))?;
        let each = |bytes: usize| bytes as f64 / f64::from(room.enrolled().max(1));
        let memory = base.zip(peak).map_or(0, |(base, peak)| peak.saturating_sub(base));
        terminal::print(&format!(
            "内存 memory: {:.0} bytes a member saved ({:.0} at enrolment), {:.0} at the peak of the process",
            each(after),
            each(before),
            memory as f64 / f64::from(room.enrolled().max(1))
        ))?;
        if room.refused > 0 {
            let what = format!("{} honest commands were refused", room.refused);
            return Err(CliError::damaged(what, "this is a fault; please report it"));
        }
        Ok(())
    }
}

/// Community months that are measured.
const MONTHS: usize = 5;

/// What a part of a course is called, in its row.
fn name(part: Part) -> &'static str {
    match part {
        Part::Lessons => "  lessons",
        Part::Reviews => "  reviews",
        Part::Quiz => "  quiz of the day",
        Part::Writing => "  mock: levels, plans, sheets, notes",
        Part::Orders => "  mock: orders",
        Part::Close => "  mock: closes",
        Part::Due => "  everything else that falls due",
    }
}

/// Nanoseconds it takes to tell readers of one member all there is, their courses included.
fn card(engine: &Engine, members: u32) -> f64 {
    let began = Instant::now();
    for member in 1..=members {
        std::hint::black_box(engine.member_card(MemberId::new(BRANCH, member)));
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(members.max(1))
}

/// Nanoseconds it takes to make the price of one asset on one day, both paths of it.
fn asset_day(market: &Market) -> f64 {
    const DAYS: u16 = 250;
    const PATHS: u64 = 20;
    let began = Instant::now();
    for seed in 0..PATHS {
        let path = Path::generate(market, &[], &MarketSeed::from_number(seed), DAYS);
        std::hint::black_box(&path);
    }
    let days = f64::from(DAYS) + f64::from(market.history_days);
    began.elapsed().as_secs_f64() * 1e9 / (days * PATHS as f64 * market.assets.len() as f64)
}
