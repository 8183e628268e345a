//! `dengmi verify market`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use dengmi_core::{Digest, Slug};
use dengmi_engine::market::{MarketSeed, Path, Terms, commitment};

use crate::args::Global;
use crate::commands::market::{named, pack, prices};
use crate::error::{CliError, Result};
use crate::terminal;

/// Largest file of prices, in bytes.
const FILE_MAX: u64 = 50_000_000;

/// Differences that are shown.
const SHOWN_MAX: usize = 10;

/// Check a revealed secret against its commitment, and compute every price again.
#[derive(Args, Debug)]
#[command(after_help = "\
内容须与当时相同：承诺里有内容包的摘要。价格文件是 CSV，首行 day,asset,nav,wan_fen_yield,yearly；
dengmi market show <剧本> --csv 打印这样的文件。
The content must be what it was: the commitment holds the digest of the pack. Prices are CSV with the
first line day,asset,nav,wan_fen_yield,yearly; `dengmi market show <scenario> --csv` prints such a file.")]
pub(crate) struct Market {
    /// 公布的密钥 The revealed secret
    #[arg(long, value_name = "HEX")]
    secret: Digest,
    /// 开课前公布的承诺 The commitment that was published before
    #[arg(long, value_name = "HEX")]
    commitment: Digest,
    /// 市场 The market
    #[arg(long, value_name = "ID")]
    market: Slug,
    /// 剧本 The scenario
    #[arg(long, value_name = "ID")]
    scenario: Slug,
    /// 公布的价格 Published prices to compare
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// 课程每天的交易日数，缺省每天 1 个 Market days of each day of the course, such as 1,1,20 [default: 1 each]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=250))]
    market_days: Vec<u16>,
}

impl Market {
    /// Runs it.
    ///
    /// # Errors
    /// The secret is not the one committed to, or prices are not what it gives.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let pack = pack(global)?;
        let market = named(&pack.markets, &self.market, "market")?;
        let scenario = named(&pack.scenarios, &self.scenario, "scenario")?;
        if scenario.market != self.market {
            let message = format!("`{}` is a script for `{}`", self.scenario, scenario.market);
            return Err(CliError::user(message, "give the market of the scenario"));
        }
        let seed = MarketSeed::from_secret(self.secret.0);
        let terms = Terms { market: &self.market, scenario: &self.scenario, pack: pack.digest };
        let computed = commitment(&seed, &terms);
        if computed != self.commitment {
            let message = format!(
                "the commitment is {}; this secret with content {} gives {computed}",
                self.commitment, pack.digest
            );
            let hint =
                "use the content of that time; if it is, the secret is not the one committed to";
            return Err(CliError::damaged(message, hint));
        }
        terminal::print(&format!("承诺相符 the secret is the one committed to: {computed}"))?;
        let mut days = self.market_days.clone();
        if days.len() > usize::from(scenario.days) {
            let message = format!("{} days for a course of {}", days.len(), scenario.days);
            return Err(CliError::user(message, "give --market-days one number for each day"));
        }
        days.resize(usize::from(scenario.days), 1);
        let path = Path::over(market, &scenario.shocks, &seed, &days);
        terminal::print(&format!("行情摘要 digest of the path: {}", path.digest()))?;
        match &self.prices {
            Some(file) => self.compare(file, &path),
            None => Ok(()),
        }
    }

    /// Every line that was published is a line of the path; how many of them there are is said.
    fn compare(&self, file: &std::path::Path, path: &Path) -> Result<()> {
        let failed = |error: std::io::Error| CliError::file(file, &error);
        let mut text = String::new();
        File::open(file)
            .map_err(failed)?
            .take(FILE_MAX)
            .read_to_string(&mut text)
            .map_err(failed)?;
        let mut lines = text.lines();
        if lines.next().map(str::trim_end) != Some(prices::HEADER) {
            let message = format!("{} does not begin with `{}`", file.display(), prices::HEADER);
            return Err(CliError::user(message, "give prices as CSV"));
        }
        let known: BTreeSet<String> = prices::lines(path).collect();
        let published = lines.map(str::trim_end).filter(|line| !line.is_empty());
        let published: Vec<&str> = published.collect();
        let wrong: Vec<&&str> = published.iter().filter(|line| !known.contains(**line)).collect();
        for line in wrong.iter().take(SHOWN_MAX) {
            terminal::print(&format!("不符 differs: {line}"))?;
        }
        let (all, good) = (known.len(), published.len() - wrong.len());
        terminal::print(&format!(
            "{good} / {} 条价格相符 prices agree, of {all} in all",
            published.len()
        ))?;
        if wrong.is_empty() && !published.is_empty() {
            return Ok(());
        }
        let message = format!("{} published prices are not of this path", wrong.len());
        Err(CliError::damaged(
            message,
            "check --market-days; if they are right, so is the complaint",
        ))
    }
}
