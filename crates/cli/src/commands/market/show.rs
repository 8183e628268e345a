//! `dengmi market show`.

use clap::Args;
use dengmi_content::model::market::Price;
use dengmi_core::Digest;
use dengmi_core::Slug;
use dengmi_engine::market::{MarketSeed, Path, Terms, commitment};
use dengmi_sim::market::yuan;

use super::chart::chart;
use super::{named, pack, prices};
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// Rows of a chart.
const ROWS: usize = 12;

/// Draw a path and its counterfactual.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi market show journey-14
  dengmi market show steady-7 --asset wmp-90d --history 30 --seed 7")]
pub(crate) struct Show {
    /// 剧本 The scenario
    #[arg(value_name = "SCENARIO")]
    scenario: Slug,
    /// 资产 The asset
    #[arg(long, default_value = "index-broad", value_name = "ASSET")]
    asset: Slug,
    /// 种子 The seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// 课程开始前画几天 Days before the course to draw
    #[arg(long, default_value_t = 30, value_name = "D")]
    history: u16,
    /// 只打印每日价格（CSV），供核对 Print only every price of the course as CSV, to be verified
    #[arg(long)]
    csv: bool,
}

impl Show {
    /// Runs it.
    ///
    /// # Errors
    /// The scenario or the asset is not there, or the asset has no net asset value.
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let pack = pack(global)?;
        let scenario = named(&pack.scenarios, &self.scenario, "scenario")?;
        let market = named(&pack.markets, &scenario.market, "market")?;
        let assets = market.assets.iter().filter(|asset| matches!(asset.price, Price::Nav(_)));
        let assets: Vec<&str> = assets.map(|asset| asset.id.as_str()).collect();
        if !self.csv && !assets.contains(&self.asset.as_str()) {
            let message = format!("there is no asset `{}` with a net asset value", self.asset);
            return Err(CliError::user(message, format!("there are: {}", assets.join(", "))));
        }
        let seed = MarketSeed::from_number(self.seed);
        let path = Path::generate(market, &scenario.shocks, &seed, scenario.days.into());
        if self.csv {
            return print_csv(&path);
        }
        let from = path.first_day().max(-i32::from(self.history));
        let days = from..path.end();
        let with: Vec<f64> =
            days.clone().filter_map(|day| path.nav(&self.asset, day)).map(yuan).collect();
        let without = days.filter_map(|day| path.counterfactual(&self.asset, day));
        let without: Vec<f64> = without.map(|quote| yuan(quote.nav)).collect();
        terminal::print(&format!(
            "{} · {}, 种子 seed {}: * 有剧本 with the script, o 没有 without it, @ 相同 both",
            self.scenario, self.asset, self.seed
        ))?;
        for line in chart(&with, &without, ROWS) {
            terminal::print(&line)?;
        }
        let terms = Terms { market: &scenario.market, scenario: &self.scenario, pack: pack.digest };
        let secret = Digest(seed.secret());
        let ruler = (from..path.end()).map(|day| match day + 1 {
            1.. => char::from_digit((day as u32 + 1) % 10, 10).unwrap_or(' '),
            _ => ' ',
        });
        terminal::print(&format!("{:>9} {}", "day", ruler.collect::<String>()))?;
        for shock in &scenario.shocks {
            terminal::print(&format!("{:>9} {}: {}", shock.day, shock.id, shock.news.zh()))?;
        }
        let end = path.end() - 1;
        for asset in &market.assets {
            let Some(quote) = path.quote(&asset.id, end) else { continue };
            let before = path.nav(&asset.id, -1).unwrap_or(quote.nav);
            let without = path.counterfactual(&asset.id, end).map_or(quote.nav, |quote| quote.nav);
            terminal::print(&format!(
                "{:14} {:>10.4}  {:>+8.2} %  没有剧本 without {:>+8.2} %  年化 yearly {:>6.3} %",
                asset.id.as_str(),
                yuan(quote.nav),
                (yuan(quote.nav) / yuan(before) - 1.0) * 100.0,
                (yuan(without) / yuan(before) - 1.0) * 100.0,
                yuan(quote.yearly) * 100.0
            ))?;
        }
        terminal::print(&format!("密钥 secret     {secret}"))?;
        terminal::print(&format!("承诺 commitment {}", commitment(&seed, &terms)))
    }
}

/// A line for every market day of the course and every asset.
fn print_csv(path: &Path) -> Result<()> {
    terminal::print(prices::HEADER)?;
    for line in prices::lines(path) {
        terminal::print(&line)?;
    }
    Ok(())
}
