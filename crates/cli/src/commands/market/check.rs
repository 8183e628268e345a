//! `dengmi market check`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use dengmi_content::model::Market;
use dengmi_core::Slug;
use dengmi_engine::market::Model;
use dengmi_sim::market::Measure;

use super::{named, pack};
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// Hold a market's prices against its targets.
#[derive(Args, Debug)]
#[command(after_help = "\
目标写在市场文件的 targets 里：波动率在一成之内，十日涨跌的分位数相差不超过 1 个百分点，相关系数在区间内。
The targets stand in the market's file: volatility within a tenth, percentiles of ten-day returns
within one point, correlations within their range. Prices come without any script.")]
pub(crate) struct Check {
    /// 市场 The market
    #[arg(default_value = "standard", value_name = "MARKET")]
    market: Slug,
    /// 种子个数 How many seeds
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// 每个种子的交易日数 Market days of each
    #[arg(long, default_value_t = 2_500, value_name = "D", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    days: u32,
    /// 线程数，缺省为全部 Threads [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
}

impl Check {
    /// Runs it.
    ///
    /// # Errors
    /// A target is missed, or the market is not there.
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let pack = pack(global)?;
        let market = named(&pack.markets, &self.market, "market")?;
        let bar = terminal::progress(global, "种子 seeds", self.seeds);
        let (measure, spent) = self.measure(market, || bar.inc(1));
        bar.finish_and_clear();
        terminal::print(&format!(
            "{} 个种子 seeds, {} 个交易日 market days; 每个资产日 per asset-day {:.0} ns",
            self.seeds,
            self.days,
            spent.as_nanos() as f64 / measure.asset_days.max(1) as f64
        ))?;
        terminal::print(&format!(
            "{:14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "asset", "drift%/y", "vol%/y", "kurtosis", "10d p5%", "10d p95%", "10d<0 %"
        ))?;
        for row in measure.rows(market) {
            terminal::print(&format!(
                "{:14} {:>9.2} {:>9.2} {:>9.1} {:>9.2} {:>9.2} {:>9.1}",
                row.asset.as_str(),
                row.drift,
                row.volatility,
                row.kurtosis,
                row.p5,
                row.p95,
                row.falls
            ))?;
        }
        let verdicts = measure.verdicts(market);
        for verdict in &verdicts {
            terminal::print(&format!(
                "{} {}: {:.3}，应在 wanted {:.3} .. {:.3}",
                if verdict.is_met() { "达标 met   " } else { "未达 MISSED" },
                verdict.what,
                verdict.measured,
                verdict.low,
                verdict.high
            ))?;
        }
        let missed = verdicts.iter().filter(|verdict| !verdict.is_met()).count();
        if missed > 0 {
            let hint = "correct the numbers of the market's model, or measure more seeds";
            return Err(CliError::content(format!("{missed} targets are missed"), hint));
        }
        Ok(())
    }

    /// Measures all seeds; gives the time all threads together spent on it.
    fn measure(&self, market: &Market, done: impl Fn() + Sync) -> (Measure, Duration) {
        let threads = match self.threads {
            Some(threads) => threads as usize,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let model = Model::new(market);
        let next = AtomicU64::new(0);
        let result = Mutex::new((Measure::new(market), Duration::ZERO));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let began = Instant::now();
                    let mut own = Measure::new(market);
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.seeds {
                            break;
                        }
                        own.run(&model, seed, self.days);
                        done();
                    }
                    let spent = began.elapsed();
                    if let Ok(mut result) = result.lock() {
                        result.0.add(&own);
                        result.1 += spent;
                    }
                });
            }
        });
        // A thread that panicked has poisoned nothing: what it left is whole.
        result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
