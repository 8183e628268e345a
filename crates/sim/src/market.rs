//! Statistics of a mock market over many seeds, to be held against its targets. This looks at
//! prices from outside, with floating-point numbers; the engine makes them with integers only.

use dengmi_content::model::Market;
use dengmi_content::model::market::MARKET_DAYS_A_YEAR;
use dengmi_content::{CheckOptions, Diagnostic, Pack, SourceFile, load};
use dengmi_core::{Day, Decimal, Slug};
use dengmi_engine::market::{MarketSeed, Model, ONE, Script, Walk};

macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../../content/", $path)))),*]
    };
}

/// The shipped market with its scripts and everything they name.
const FILES: &[(&str, &str)] = files! {
    "markets/standard.ron",
    "scenarios/journey-14.ron",
    "scenarios/quiet.ron",
    "scenarios/seesaw-14.ron",
    "scenarios/steady-7.ron",
    "notices/standard.ron",
    "rewards/points.ron",
    "products/bond/credit-demo.ron",
    "products/bond/long-demo.ron",
    "products/cash/daily-plus.ron",
    "products/cash/money-fund.ron",
    "products/deposit/demand.ron",
    "products/deposit/term-1y.ron",
    "products/deposit/term-3m.ron",
    "products/gold/gold-feeder.ron",
    "products/index/broad-demo.ron",
    "products/mixed/balanced-demo.ron",
    "products/overseas/qdii-demo.ron",
    "products/wealth/closed-1y.ron",
    "products/wealth/steady-90d.ron",
};

/// The day as of which they are checked: 2026-11-21.
const TODAY: Day = Day(20_778);

/// The shipped market with its scripts, through the ordinary loader and its checks.
///
/// # Errors
/// What the checks say.
pub fn shipped() -> Result<Pack, Vec<Diagnostic>> {
    let file = |&(path, text): &(&str, &str)| SourceFile {
        path: format!("content/{path}"),
        text: text.to_owned(),
    };
    let files: Vec<SourceFile> = FILES.iter().map(file).collect();
    let (pack, found) = load(&files, &CheckOptions { today: TODAY });
    pack.ok_or(found)
}

/// Days of the windows whose returns are measured.
const WINDOW: usize = 10;

/// How far a volatility may be from its target, as a part of it.
const VOLATILITY_TOLERANCE: f64 = 0.1;

/// How far a percentile may be from its target, in points.
const PERCENTILE_TOLERANCE: f64 = 1.0;

/// Shares of windows fall into bins of a hundredth of a point between these, in percent.
const BINS_FROM: f64 = -60.0;
const BINS: usize = 12_000;

/// Sums over days, of one asset.
#[derive(Clone, Debug)]
struct Sums {
    days: f64,
    powers: [f64; 4],
    /// Returns over ten days, by hundredths of a point.
    windows: Vec<u32>,
    /// How many of them are below zero.
    falls: u64,
    /// Yearly rates published, of what has no net asset value.
    rates: f64,
}

impl Sums {
    fn new() -> Self {
        Self { days: 0.0, powers: [0.0; 4], windows: vec![0; BINS], falls: 0, rates: 0.0 }
    }

    fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.rates += other.rates;
        self.falls += other.falls;
        self.powers.iter_mut().zip(other.powers).for_each(|(sum, part)| *sum += part);
        self.windows.iter_mut().zip(&other.windows).for_each(|(sum, part)| *sum += part);
    }

    fn mean(&self) -> f64 {
        self.powers[0] / self.days
    }

    fn variance(&self) -> f64 {
        self.powers[1] / self.days - self.mean().powi(2)
    }

    fn kurtosis(&self) -> f64 {
        let (mean, [_, two, three, four]) = (self.mean(), self.powers.map(|sum| sum / self.days));
        let fourth = four - 4.0 * mean * three + 6.0 * mean.powi(2) * two - 3.0 * mean.powi(4);
        fourth / self.variance().powi(2)
    }

    fn percentile(&self, share: f64) -> f64 {
        let all: u64 = self.windows.iter().map(|&count| u64::from(count)).sum();
        let mut below = 0;
        let reached = self.windows.iter().position(|&count| {
            below += u64::from(count);
            below as f64 >= all as f64 * share
        });
        BINS_FROM + reached.unwrap_or(0) as f64 / 100.0
    }
}

/// What was measured, over some seeds; parts can be added up.
#[derive(Clone, Debug)]
pub struct Measure {
    assets: Vec<Sums>,
    /// Sums of products of daily returns, for each correlation that has a target.
    products: Vec<f64>,
    pairs: Vec<(usize, usize)>,
    /// Asset-days that were generated.
    pub asset_days: u64,
}

/// One asset's row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The asset.
    pub asset: Slug,
    /// Mean return, percent a year; of deposits and money funds the mean of their rates.
    pub drift: f64,
    /// Percent a year.
    pub volatility: f64,
    /// 3 for a normal distribution.
    pub kurtosis: f64,
    /// 5th percentile of returns over ten days, in percent.
    pub p5: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Part of the ten-day windows with a loss, in percent.
    pub falls: f64,
}

/// One target, and what was measured.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What is compared, such as `bond-long volatility`.
    pub what: String,
    /// As measured.
    pub measured: f64,
    /// Lowest allowed.
    pub low: f64,
    /// Highest allowed.
    pub high: f64,
}

impl Verdict {
    /// Whether it lies within bounds.
    #[must_use]
    pub fn is_met(&self) -> bool {
        (self.low..=self.high).contains(&self.measured)
    }
}

fn float(decimal: Decimal) -> f64 {
    decimal.micros() as f64 / 1e6
}

impl Measure {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(market: &Market) -> Self {
        let place = |id: &Slug| market.assets.iter().position(|asset| asset.id == *id);
        let pairs = market.targets.correlation.iter();
        let pairs: Vec<_> = pairs.filter_map(|t| Some((place(&t.a)?, place(&t.b)?))).collect();
        Self {
            assets: vec![Sums::new(); market.assets.len()],
            products: vec![0.0; pairs.len()],
            pairs,
            asset_days: 0,
        }
    }

    /// Generates `days` market days from a seed and adds them.
    pub fn run(&mut self, model: &Model, seed: u64, days: u32) {
        let (script, seed) = (Script::default(), MarketSeed::from_number(seed));
        let mut walk = Walk::start(model);
        let count = self.assets.len();
        let mut navs: Vec<Vec<i64>> = vec![Vec::with_capacity(days as usize + 1); count];
        for _ in 0..=days {
            walk.advance(model, &script, &seed);
            for (asset, navs) in navs.iter_mut().enumerate() {
                let Some(quote) = walk.quote(&script, asset) else { continue };
                navs.push(quote.nav);
                self.assets[asset].rates += quote.yearly as f64 / 1e6;
            }
        }
        self.asset_days += u64::from(days + 1) * count as u64;
        let change = |from: i64, to: i64| (to - from) as f64 / from as f64 * 100.0;
        let daily: Vec<Vec<f64>> = navs
            .iter()
            .map(|n| n.windows(2).map(|pair| change(pair[0], pair[1])).collect())
            .collect();
        for (asset, sums) in self.assets.iter_mut().enumerate() {
            for &day in &daily[asset] {
                sums.days += 1.0;
                let mut power = 1.0;
                for sum in &mut sums.powers {
                    power *= day;
                    *sum += power;
                }
            }
            for window in navs[asset].windows(WINDOW + 1) {
                let change = change(window[0], window[WINDOW]);
                let bin = ((change - BINS_FROM) * 100.0).clamp(0.0, (BINS - 1) as f64);
                sums.windows[bin as usize] += 1;
                sums.falls += u64::from(change < 0.0);
            }
        }
        for (sum, &(a, b)) in self.products.iter_mut().zip(&self.pairs) {
            *sum += daily[a].iter().zip(&daily[b]).map(|(a, b)| a * b).sum::<f64>();
        }
    }

    /// Adds what was measured over other seeds.
    pub fn add(&mut self, other: &Self) {
        self.assets.iter_mut().zip(&other.assets).for_each(|(sum, part)| sum.add(part));
        self.products.iter_mut().zip(&other.products).for_each(|(sum, part)| *sum += part);
        self.asset_days += other.asset_days;
    }

    /// One row for every asset.
    #[must_use]
    pub fn rows(&self, market: &Market) -> Vec<Row> {
        let year = f64::from(MARKET_DAYS_A_YEAR);
        let rows = market.assets.iter().zip(&self.assets).map(|(asset, sums)| {
            let windows: u64 = sums.windows.iter().map(|&count| u64::from(count)).sum();
            Row {
                asset: asset.id.clone(),
                drift: sums.mean() * year + sums.rates / sums.days,
                volatility: (sums.variance().max(0.0) * year).sqrt(),
                kurtosis: if sums.variance() > 0.0 { sums.kurtosis() } else { 0.0 },
                p5: sums.percentile(0.05),
                p95: sums.percentile(0.95),
                falls: sums.falls as f64 / windows.max(1) as f64 * 100.0,
            }
        });
        rows.collect()
    }

    /// Every target of the market with what was measured.
    #[must_use]
    pub fn verdicts(&self, market: &Market) -> Vec<Verdict> {
        let rows = self.rows(market);
        let row = |id: &Slug| rows.iter().find(|row| row.asset == *id);
        let mut verdicts = Vec::new();
        for target in &market.targets.volatility {
            let Some(row) = row(&target.asset) else { continue };
            let percent = float(target.percent);
            verdicts.push(Verdict {
                what: format!("{} 波动率 volatility %/y", target.asset),
                measured: row.volatility,
                low: percent * (1.0 - VOLATILITY_TOLERANCE),
                high: percent * (1.0 + VOLATILITY_TOLERANCE),
            });
        }
        for target in &market.targets.ten_days {
            let Some(row) = row(&target.asset) else { continue };
            for (name, measured, wanted) in
                [("p5", row.p5, float(target.p5)), ("p95", row.p95, float(target.p95))]
            {
                verdicts.push(Verdict {
                    what: format!("{} 十日 ten days {name} %", target.asset),
                    measured,
                    low: wanted - PERCENTILE_TOLERANCE,
                    high: wanted + PERCENTILE_TOLERANCE,
                });
            }
        }
        for ((target, &(a, b)), product) in
            market.targets.correlation.iter().zip(&self.pairs).zip(&self.products)
        {
            let (x, y) = (&self.assets[a], &self.assets[b]);
            let covariance = product / x.days - x.mean() * y.mean();
            verdicts.push(Verdict {
                what: format!("{}, {} 相关系数 correlation", target.a, target.b),
                measured: covariance / (x.variance() * y.variance()).sqrt(),
                low: float(target.low),
                high: float(target.high),
            });
        }
        verdicts
    }
}

/// A net asset value in yuan, for charts.
#[must_use]
pub fn yuan(nav: i64) -> f64 {
    nav as f64 / ONE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped_market() -> Market {
        let mut pack = shipped().expect("shipped content has no fault");
        assert_eq!(TODAY.to_string(), "2026-11-21");
        let id = "standard".parse().expect("an id");
        pack.markets.remove(&id).expect("it is shipped")
    }

    fn measured(market: &Market, seeds: std::ops::Range<u64>) -> Measure {
        let model = Model::new(market);
        let mut measure = Measure::new(market);
        for seed in seeds {
            measure.run(&model, seed, 2_500);
        }
        measure
    }

    #[test]
    fn the_shipped_market_meets_its_targets() {
        let market = shipped_market();
        let verdicts = measured(&market, 0..6).verdicts(&market);
        assert_eq!(verdicts.len(), 12);
        for verdict in verdicts {
            assert!(verdict.is_met(), "{verdict:?}");
        }
    }

    #[test]
    fn a_market_that_moves_otherwise_misses_them() {
        let mut market = shipped_market();
        // Twice as turbulent, and bonds that move with shares.
        market.model.to_calm /= 4;
        market.model.rates.equity = 30_000;
        let measure = measured(&market, 0..2);
        let missed: Vec<String> = measure
            .verdicts(&market)
            .into_iter()
            .filter(|verdict| !verdict.is_met())
            .map(|verdict| verdict.what)
            .collect();
        for part in ["index-broad 波动率", "p5", "correlation"] {
            assert!(missed.iter().any(|what| what.contains(part)), "{part}: {missed:?}");
        }
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let market = shipped_market();
        let whole = measured(&market, 0..2);
        let mut parts = measured(&market, 0..1);
        parts.add(&measured(&market, 1..2));
        assert_eq!(whole.asset_days, parts.asset_days);
        for (a, b) in whole.verdicts(&market).iter().zip(parts.verdicts(&market)) {
            assert!((a.measured - b.measured).abs() < 1e-9, "{a:?} {b:?}");
        }
    }
}
