//! The numbers of a market, made ready for computing: annual percentages become daily integers.
//! Whatever a market says, the results stay within bounds in which nothing overflows; the content
//! check refuses such markets long before.

use dengmi_content::model::Market;
use dengmi_content::model::market::{
    Accrual, EquityFactor, Jump, MARKET_DAYS_A_YEAR, NavModel, ONE_Q16, Price, Side,
};
use dengmi_core::{Decimal, Slug};

use super::{ONE, div_even, draw};

/// No percentage is above this, in 1e-8.
const PERCENT_MAX: i64 = 10 * ONE;

/// No jump is longer, in 1/65,536 of a standard deviation.
const SD_MAX: i64 = 100 * ONE_Q16 as i64;

/// No part of another return is above this, in millionths.
const PART_MAX: i64 = 10_000_000;

/// Longest duration, in millionths of a year.
const DURATION_MAX: i64 = 100_000_000;

/// Highest value at the start, in 1e-8 yuan.
const START_MAX: i64 = 1_000_000 * ONE;

/// A market, ready to be walked.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) history_days: i32,
    pub(super) to_turbulent: u32,
    pub(super) to_calm: u32,
    pub(super) bonds_when_turbulent: i64,
    pub(super) equity: [EquityNumbers; 2],
    pub(super) rates: RatesNumbers,
    pub(super) credit: Leap,
    pub(super) gold: Leap,
    pub(super) overseas: Leap,
    pub(super) assets: Vec<AssetNumbers>,
}

/// Jumps of a factor: sizes in 1e-8 for shares, in 1/65,536 of a standard deviation for others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leap {
    pub(super) chance: u32,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) down_extra: i64,
    pub(super) always_down: bool,
}

/// Shares in one regime.
#[derive(Clone, Copy, Debug)]
pub(super) struct EquityNumbers {
    /// Daily standard deviation in 1e-8.
    pub(super) sd: i64,
    pub(super) jump: Leap,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RatesNumbers {
    pub(super) memory: i64,
    pub(super) equity: i64,
    pub(super) own: i64,
    pub(super) jump: Leap,
}

#[derive(Clone, Debug)]
pub(super) struct AssetNumbers {
    pub(super) id: Slug,
    /// Addresses the asset's own draws.
    pub(super) number: u64,
    pub(super) kind: AssetKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum AssetKind {
    /// A rate in 1e-8 a year.
    Deposit {
        rate: i64,
    },
    Accrual(AccrualNumbers),
    Nav(NavNumbers),
}

/// Rates in 1e-8 a year.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccrualNumbers {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) pass_through_ppm: i64,
    pub(super) pass_through_days: u16,
}

/// Daily numbers in 1e-8 unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct NavNumbers {
    pub(super) start: i64,
    pub(super) drift: i64,
    /// In millionths of the shares' return.
    pub(super) equity: i64,
    pub(super) rates: i64,
    pub(super) credit: i64,
    pub(super) gold: i64,
    pub(super) overseas: i64,
    pub(super) own: i64,
    /// In millionths of a year.
    pub(super) duration: i64,
    pub(super) limit: i64,
}

/// Largest move of a day without a limit of its own.
pub(super) const RETURN_MAX: i64 = ONE / 2;

/// A percentage in 1e-8: millionths of a percent are just that.
pub(super) fn percent(written: Decimal) -> i64 {
    written.micros().clamp(-PERCENT_MAX, PERCENT_MAX)
}

/// Standard deviations in 1/65,536.
pub(super) fn sds(written: Decimal) -> i64 {
    let scaled = i128::from(written.micros()) * i128::from(ONE_Q16);
    div_even(scaled, 1_000_000).clamp(-SD_MAX, SD_MAX)
}

/// A volatility a year as one of a day, rounded down.
fn daily(written: Decimal) -> i64 {
    let year = percent(written);
    let square = year.unsigned_abs().pow(2) / u64::from(MARKET_DAYS_A_YEAR);
    let day = i64::try_from(square.isqrt()).unwrap_or(0);
    if year < 0 { -day } else { day }
}

fn chance(written: u32) -> u32 {
    written.min(ONE_Q16)
}

fn weight(written: i32) -> i64 {
    i64::from(written).clamp(-i64::from(ONE_Q16), i64::from(ONE_Q16))
}

impl From<Jump> for Leap {
    fn from(jump: Jump) -> Self {
        let from = sds(jump.from).max(0);
        Self {
            chance: chance(jump.chance),
            from,
            to: sds(jump.to).max(from),
            down_extra: 0,
            always_down: jump.side == Side::Down,
        }
    }
}

fn equity(written: &EquityFactor) -> [EquityNumbers; 2] {
    let from = percent(written.jump_from).max(0);
    let regime = |sd, jump_chance| EquityNumbers {
        sd: daily(sd),
        jump: Leap {
            chance: chance(jump_chance),
            from,
            to: percent(written.jump_to).max(from),
            down_extra: percent(written.down_extra).max(0),
            always_down: false,
        },
    };
    [regime(written.calm, written.jump_calm), regime(written.turbulent, written.jump_turbulent)]
}

impl From<&Accrual> for AccrualNumbers {
    fn from(written: &Accrual) -> Self {
        let low = percent(written.low).max(0);
        let high = percent(written.high).max(low);
        Self {
            start: percent(written.start).clamp(low, high),
            step: percent(written.step),
            low,
            high,
            pass_through_ppm: i64::from(written.pass_through_ppm.0.min(1_000_000)),
            pass_through_days: written.pass_through_days.max(1),
        }
    }
}

impl From<&NavModel> for NavNumbers {
    fn from(written: &NavModel) -> Self {
        let limit = written.limit.map_or(RETURN_MAX, percent).clamp(0, RETURN_MAX);
        Self {
            start: written.start.micros().saturating_mul(100).clamp(1, START_MAX),
            drift: div_even(percent(written.drift).into(), MARKET_DAYS_A_YEAR.into()),
            equity: written.equity.micros().clamp(-PART_MAX, PART_MAX),
            rates: daily(written.rates),
            credit: daily(written.credit),
            gold: daily(written.gold),
            overseas: daily(written.overseas),
            own: daily(written.own),
            duration: written.duration.micros().clamp(-DURATION_MAX, DURATION_MAX),
            limit,
        }
    }
}

impl Model {
    /// Makes a market's numbers ready.
    #[must_use]
    pub fn new(market: &Market) -> Self {
        let model = &market.model;
        let assets = market.assets.iter().map(|asset| AssetNumbers {
            id: asset.id.clone(),
            number: draw::number(&asset.id),
            kind: match &asset.price {
                Price::Deposit { rate } => AssetKind::Deposit { rate: percent(*rate).max(0) },
                Price::Accrual(accrual) => AssetKind::Accrual(accrual.into()),
                Price::Nav(nav) => AssetKind::Nav(nav.into()),
            },
        });
        Self {
            history_days: market.history_days.into(),
            to_turbulent: chance(model.to_turbulent),
            to_calm: chance(model.to_calm),
            bonds_when_turbulent: i64::from(model.bonds_when_turbulent.min(10 * ONE_Q16)),
            equity: equity(&model.equity),
            rates: RatesNumbers {
                memory: weight(model.rates.memory),
                equity: weight(model.rates.equity),
                own: weight(model.rates.own),
                jump: model.rates.jump.into(),
            },
            credit: model.credit.into(),
            gold: model.gold.into(),
            overseas: model.overseas.into(),
            assets: assets.collect(),
        }
    }

    /// The first day of the history; 0 where there is none.
    #[must_use]
    pub fn first_day(&self) -> i32 {
        -self.history_days
    }

    /// How many assets there are.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.assets.len()
    }

    /// The place of an asset in the market's list.
    #[must_use]
    pub fn index(&self, id: &Slug) -> Option<usize> {
        self.assets.iter().position(|asset| asset.id == *id)
    }
}
