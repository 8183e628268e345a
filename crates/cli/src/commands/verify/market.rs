//! `dengmi verify market`.

mod published;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use dengmi_content::Pack;
use dengmi_core::{Digest, Slug};
use dengmi_engine::market::{MarketSeed, Path, Terms, commitment, market_days};

use self::published::{History, Market as Published};
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
内容须与当时相同：承诺里有内容包的摘要。
课程结束后，保存 GET /v1/cohorts/{id}/market 和 GET /v1/cohorts/{id}/market/{asset} 的回答即可核对：
  dengmi verify market --published market.json --history bond-short.json --history gold.json
或者逐项给出；价格文件是 CSV，首行 day,asset,nav,wan_fen_yield,yearly，
dengmi market show <剧本> --csv 打印这样的文件。
The content must be what it was: the commitment holds the digest of the pack. Once a course is over,
what GET /v1/cohorts/{id}/market and GET /v1/cohorts/{id}/market/{asset} answer can be saved and
verified as above. Or give each part; prices are then CSV with the first line
day,asset,nav,wan_fen_yield,yearly; `dengmi market show <scenario> --csv` prints such a file.")]
pub(crate) struct Market {
    /// 保存的行情页 The saved answer of GET /v1/cohorts/{id}/market, instead of its parts
    #[arg(long, value_name = "FILE", conflicts_with_all = ["secret", "commitment", "market", "scenario", "market_days"])]
    published: Option<PathBuf>,
    /// 保存的历史价格，可多个 Saved answers of GET /v1/cohorts/{id}/market/{asset}
    #[arg(long, value_name = "FILE")]
    history: Vec<PathBuf>,
    /// 公布的密钥 The revealed secret
    #[arg(long, value_name = "HEX", required_unless_present = "published")]
    secret: Option<Digest>,
    /// 开课前公布的承诺 The commitment that was published before
    #[arg(long, value_name = "HEX", required_unless_present = "published")]
    commitment: Option<Digest>,
    /// 市场 The market
    #[arg(long, value_name = "ID", required_unless_present = "published")]
    market: Option<Slug>,
    /// 剧本 The scenario
    #[arg(long, value_name = "ID", required_unless_present = "published")]
    scenario: Option<Slug>,
    /// 公布的价格 Published prices to compare, as CSV
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// 课程每天的交易日数，缺省每天 1 个 Market days of each day of the course, such as 1,1,20 [default: 1 each]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(0..=250))]
    market_days: Vec<u16>,
}

/// What is to be verified, whichever way it was given.
struct Claim {
    market: Slug,
    scenario: Slug,
    secret: Digest,
    commitment: Digest,
    /// Market days of each day of the course.
    days: Vec<u16>,
}

impl Market {
    /// Runs it.
    ///
    /// # Errors
    /// The secret is not the one committed to, or prices are not what it gives.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let pack = pack(global)?;
        let claim = match &self.published {
            Some(file) => claimed(&pack, &published::read(&text(file)?, file)?)?,
            None => self.parts(&pack)?,
        };
        let market = named(&pack.markets, &claim.market, "market")?;
        let scenario = named(&pack.scenarios, &claim.scenario, "scenario")?;
        if scenario.market != claim.market {
            let message = format!("`{}` is a script for `{}`", claim.scenario, scenario.market);
            return Err(CliError::user(message, "give the market of the scenario"));
        }
        let seed = MarketSeed::from_secret(claim.secret.0);
        let terms = Terms { market: &claim.market, scenario: &claim.scenario, pack: pack.digest };
        let computed = commitment(&seed, &terms);
        if computed != claim.commitment {
            let message = format!(
                "the commitment is {}; this secret with content {} gives {computed}",
                claim.commitment, pack.digest
            );
            let hint =
                "use the content of that time; if it is, the secret is not the one committed to";
            return Err(CliError::damaged(message, hint));
        }
        terminal::print(&format!("承诺相符 the secret is the one committed to: {computed}"))?;
        let path = Path::over(market, &scenario.shocks, &seed, &claim.days);
        terminal::print(&format!("行情摘要 digest of the path: {}", path.digest()))?;
        for file in &self.history {
            let history: History = published::read(&text(file)?, file)?;
            let (all, wrong) = history.against(&path);
            let what = format!("`{}`", history.asset());
            report(&what, all, &wrong)?;
        }
        match &self.prices {
            Some(file) => compare(file, &path),
            None => Ok(()),
        }
    }

    /// What is claimed by the options.
    fn parts(&self, pack: &Pack) -> Result<Claim> {
        let missing = || CliError::usage("a part is missing", "give --published, or every part");
        let scenario = self.scenario.clone().ok_or_else(missing)?;
        let course_days = usize::from(named(&pack.scenarios, &scenario, "scenario")?.days);
        let mut days = self.market_days.clone();
        if days.len() > course_days {
            let message = format!("{} days for a course of {course_days}", days.len());
            return Err(CliError::user(message, "give --market-days one number for each day"));
        }
        days.resize(course_days, 1);
        Ok(Claim {
            market: self.market.clone().ok_or_else(missing)?,
            scenario,
            secret: self.secret.ok_or_else(missing)?,
            commitment: self.commitment.ok_or_else(missing)?,
            days,
        })
    }
}

/// What a cohort's page claims; its market days follow from the lessons and the first day.
fn claimed(pack: &Pack, page: &Published) -> Result<Claim> {
    if page.content != pack.digest {
        let message = format!("the market is of content {}, this is {}", page.content, pack.digest);
        return Err(CliError::user(message, "use the content of that time with --content"));
    }
    let secret = page.secret.ok_or_else(|| {
        CliError::user(
            "the secret is not revealed yet",
            "save the page again when the course is over",
        )
    })?;
    let market = named(&pack.markets, &page.market, "market")?;
    let course = named(&pack.courses, &page.course, "course")?;
    Ok(Claim {
        market: page.market.clone(),
        scenario: page.scenario.clone(),
        secret,
        commitment: page.commitment,
        days: market_days(market, &course.lessons, page.first),
    })
}

fn text(file: &std::path::Path) -> Result<String> {
    let failed = |error: std::io::Error| CliError::file(file, &error);
    let mut text = String::new();
    File::open(file).map_err(failed)?.take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Every line that was published is a line of the path; how many of them there are is said.
fn compare(file: &std::path::Path, path: &Path) -> Result<()> {
    let text = text(file)?;
    let mut lines = text.lines();
    if lines.next().map(str::trim_end) != Some(prices::HEADER) {
        let message = format!("{} does not begin with `{}`", file.display(), prices::HEADER);
        return Err(CliError::user(message, "give prices as CSV"));
    }
    let known: BTreeSet<String> = prices::lines(path).collect();
    let published = lines.map(str::trim_end).filter(|line| !line.is_empty());
    let published: Vec<&str> = published.collect();
    let wrong = published.iter().filter(|line| !known.contains(**line));
    let wrong: Vec<String> = wrong.map(|line| (*line).to_owned()).collect();
    report("CSV", published.len(), &wrong)
}

/// Says how many of the published prices agree, and which do not.
fn report(what: &str, all: usize, wrong: &[String]) -> Result<()> {
    for line in wrong.iter().take(SHOWN_MAX) {
        terminal::print(&format!("不符 differs: {line}"))?;
    }
    let good = all - wrong.len();
    terminal::print(&format!("{what}: {good} / {all} 条价格相符 prices agree"))?;
    if wrong.is_empty() && all > 0 {
        return Ok(());
    }
    let message = format!("{} published prices are not of this path", wrong.len());
    let hint = "check the content and the market days; if they are right, so is the complaint";
    Err(CliError::damaged(message, hint))
}
