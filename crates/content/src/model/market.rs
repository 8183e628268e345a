//! `content/markets/*.ron`: a mock market. What can be traded and by which rules, and the numbers
//! of the model that makes the prices. Percentages are decimals in quotes; `"1.5"` is 1.5 %.
//! Probabilities and weights are whole numbers of 65,536.

use std::collections::BTreeSet;

use dengmi_core::time::TimeOfDay;
use dengmi_core::{Day, Decimal, Fen, Ppm, Slug};
use serde::Deserialize;

use super::product::FeeTier;
use super::{Approval, RiskLevel, Text};

/// The whole of a probability or a weight: 65,536 is 1.
pub const ONE_Q16: u32 = 65_536;

/// Market days in a year, for volatility and drift; interest is paid by calendar days (365).
pub const MARKET_DAYS_A_YEAR: u16 = 250;

/// Most market days before the first day of a course.
pub const HISTORY_DAYS_MAX: u16 = 250;

/// A mock market. All prices are synthetic; no asset carries a real name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Its name.
    pub title: Text,
    /// Orders before this time get this day's price, others the next market day's.
    pub cutoff: TimeOfDay,
    /// Which days are market days.
    #[serde(default)]
    pub calendar: TradingCalendar,
    /// Market days before the first one of the course, so that there are charts on day 1; up to
    /// 250.
    pub history_days: u16,
    /// The numbers of the factor model; those of the standard market where it is left out.
    #[serde(default)]
    pub model: FactorModel,
    /// What can be traded, in the order it is shown.
    pub assets: Vec<Asset>,
    /// What `dengmi market check` holds the model against.
    #[serde(default)]
    pub targets: Targets,
    /// Compliance approval of names and texts.
    pub approval: Approval,
}

impl Market {
    /// An asset by its id.
    #[must_use]
    pub fn asset(&self, id: &Slug) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.id == *id)
    }
}

/// Which days are market days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum TradingCalendar {
    /// Every day of a course is one.
    #[default]
    EveryDay,
    /// Monday to Friday, but for these days.
    Real {
        /// Holidays, in order.
        #[serde(default)]
        closed: BTreeSet<Day>,
    },
}

impl TradingCalendar {
    /// Whether orders are priced on this day.
    #[must_use]
    pub fn is_open(&self, day: Day) -> bool {
        match self {
            Self::EveryDay => true,
            // 1970-01-01 was a Thursday, three days after a Monday.
            Self::Real { closed } => (day.0 + 3).rem_euclid(7) < 5 && !closed.contains(&day),
        }
    }
}

/// The numbers of the factor model. The default is the standard market: two regimes and jumps,
/// fitted to daily returns of a broad index from 2015 to 2026.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FactorModel {
    /// Chance a day to leave the calm regime, of 65,536.
    pub to_turbulent: u32,
    /// Chance a day to come back to it, of 65,536.
    pub to_calm: u32,
    /// What interest-rate and credit terms are multiplied by in the turbulent regime, in 1/65,536.
    pub bonds_when_turbulent: u32,
    /// Shares.
    pub equity: EquityFactor,
    /// Interest rates; up is good for holders of bonds. In daily standard deviations.
    pub rates: RatesFactor,
    /// Jumps of credit, in daily standard deviations.
    pub credit: Jump,
    /// Jumps of gold, in daily standard deviations.
    pub gold: Jump,
    /// Jumps of shares overseas, in daily standard deviations.
    pub overseas: Jump,
}

/// Shares: normal days whose size depends on the regime, and jumps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EquityFactor {
    /// Volatility in the calm regime, percent a year.
    pub calm: Decimal,
    /// Volatility in the turbulent regime, percent a year.
    pub turbulent: Decimal,
    /// Chance of a jump on a calm day, of 65,536.
    pub jump_calm: u32,
    /// Chance of a jump on a turbulent day, of 65,536.
    pub jump_turbulent: u32,
    /// Smallest jump, in percent.
    pub jump_from: Decimal,
    /// Largest jump, in percent. Half of the jumps go up.
    pub jump_to: Decimal,
    /// What jumps down have in addition, in percent.
    pub down_extra: Decimal,
}

/// Interest rates: today's value remembers a part of yesterday's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatesFactor {
    /// Part of yesterday's value, in 1/65,536.
    pub memory: i32,
    /// Weight of the shares' normal draw, in 1/65,536; below zero, bonds soften falls of shares.
    pub equity: i32,
    /// Weight of its own normal draw, in 1/65,536.
    pub own: i32,
    /// Jumps.
    pub jump: Jump,
}

/// Jumps of a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jump {
    /// Chance a day, of 65,536.
    pub chance: u32,
    /// Smallest, in daily standard deviations.
    pub from: Decimal,
    /// Largest, in daily standard deviations.
    pub to: Decimal,
    /// Which way.
    pub side: Side,
}

/// Which way a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Side {
    /// Up or down, equally likely.
    Either,
    /// Always down.
    Down,
}

/// A decimal of a default: `micros` are millionths.
fn decimal(micros: i64) -> Decimal {
    Decimal::from_micros(micros).unwrap_or_default()
}

const MICROS: i64 = 1_000_000;

impl Default for FactorModel {
    fn default() -> Self {
        let either = |chance, from, to| Jump {
            chance,
            from: decimal(from * MICROS),
            to: decimal(to * MICROS),
            side: Side::Either,
        };
        Self {
            to_turbulent: 983,
            to_calm: 3_670,
            bonds_when_turbulent: 81_920,
            equity: EquityFactor::default(),
            rates: RatesFactor::default(),
            credit: Jump { side: Side::Down, ..either(262, 3, 7) },
            gold: either(524, 3, 6),
            overseas: either(524, 3, 6),
        }
    }
}

impl Default for EquityFactor {
    fn default() -> Self {
        Self {
            calm: decimal(12_800_000),
            turbulent: decimal(27_500_000),
            jump_calm: 98,
            jump_turbulent: 655,
            jump_from: decimal(2 * MICROS),
            jump_to: decimal(6 * MICROS),
            down_extra: decimal(MICROS),
        }
    }
}

impl Default for RatesFactor {
    fn default() -> Self {
        let jump = Jump {
            chance: 524,
            from: decimal(3 * MICROS),
            to: decimal(6 * MICROS),
            side: Side::Either,
        };
        Self { memory: 13_107, equity: -7_864, own: 65_077, jump }
    }
}

/// Something that can be traded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its id within the market.
    pub id: Slug,
    /// Its name, which is no real product's or index's.
    pub title: Text,
    /// What kind of product it is.
    pub class: AssetClass,
    /// Risk level; a member needs the same or a higher level to buy (C01).
    pub risk: RiskLevel,
    /// Whether it can be bought. The price moves either way, so that switching one on moves no
    /// other.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The teaching sheet to be read before the first order, by product id.
    #[serde(default)]
    pub sheet: Option<Slug>,
    /// How it is traded.
    pub trade: TradeRules,
    /// How its price comes about.
    pub price: Price,
}

fn yes() -> bool {
    true
}

/// Kinds of assets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum AssetClass {
    /// Demand deposit.
    Demand,
    /// Term deposit.
    Term,
    /// Money fund.
    MoneyFund,
    /// Cash-management product: a wealth product open every day that works like a money fund.
    CashManagement,
    /// Bank wealth product.
    Wealth,
    /// Bond fund.
    BondFund,
    /// Fixed income plus and balanced funds.
    MixedFund,
    /// Index fund.
    IndexFund,
    /// Gold feeder fund.
    Gold,
    /// Overseas (QDII) fund.
    Overseas,
    /// A share.
    Share,
}

impl AssetClass {
    /// Whether it is a deposit.
    #[must_use]
    #[inline]
    pub fn is_deposit(self) -> bool {
        matches!(self, Self::Demand | Self::Term)
    }

    /// Whether holders get a published yield while the unit stays at 1 yuan.
    #[must_use]
    #[inline]
    pub fn is_cash(self) -> bool {
        matches!(self, Self::MoneyFund | Self::CashManagement)
    }

    /// Whether funds' rules on redemption fees apply.
    #[must_use]
    pub fn is_priced_fund(self) -> bool {
        matches!(
            self,
            Self::BondFund | Self::MixedFund | Self::IndexFund | Self::Gold | Self::Overseas
        )
    }
}

/// How an asset is traded. Days are market days counted from T, the day whose price an order gets;
/// holding periods are calendar days counted from confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeRules {
    /// Smallest purchase, in fen.
    pub min_fen: Fen,
    /// A purchase is confirmed on T plus so many days; interest or yield runs from there.
    pub confirm_days: u8,
    /// What was bought can be redeemed from T plus so many days on.
    pub redeemable_days: u8,
    /// The cash of a redemption arrives on T plus so many days.
    pub cash_days: u8,
    /// When a holding can be redeemed.
    #[serde(default)]
    pub holding: Holding,
    /// Most that one member can buy on one day, in fen.
    #[serde(default)]
    pub daily_limit_fen: Option<Fen>,
    /// Most that arrives on the same day, for each member and day, in fen; there is no fast
    /// redemption where it is left out.
    #[serde(default)]
    pub fast_limit_fen: Option<Fen>,
    /// Fees of funds and wealth products.
    #[serde(default)]
    pub fees: AssetFees,
    /// Rules and costs of a share.
    #[serde(default)]
    pub share: Option<ShareRules>,
}

/// When a holding can be redeemed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Holding {
    /// On every market day.
    #[default]
    Free,
    /// After so many calendar days.
    Minimum {
        /// The days.
        days: u16,
    },
    /// Bought and redeemed only in windows, counted in calendar days from the market's first day.
    Periodic {
        /// Days from the beginning of one window to the next.
        every_days: u16,
        /// Days a window is open.
        open_days: u16,
    },
    /// Not before maturity, so many calendar days after confirmation.
    Closed {
        /// The days.
        days: u16,
    },
    /// A term deposit: at maturity with its rate, before at another.
    Term {
        /// Calendar days to maturity.
        days: u16,
        /// Rate when it is broken, percent a year: the demand rate.
        early: Decimal,
    },
}

/// Fees of funds and wealth products. Management and the like are in the price already.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssetFees {
    /// On purchase, charged outside: `net = amount * 1,000,000 / (1,000,000 + fee)`.
    pub subscription_ppm: Ppm,
    /// The part of it that the bank really charges; `100000` is a tenth.
    pub discount_ppm: Ppm,
    /// On redemption by calendar days held, shortest first, the last tier without `below_days`.
    /// Lots leave in the order they came.
    pub redemption: Vec<FeeTier>,
}

impl Default for AssetFees {
    fn default() -> Self {
        Self { subscription_ppm: Ppm(0), discount_ppm: Ppm::ONE, redemption: Vec::new() }
    }
}

impl AssetFees {
    /// What is charged on purchase, rounded down.
    #[must_use]
    #[inline]
    pub fn charged_ppm(&self) -> Ppm {
        let charged = self.discount_ppm.of(i64::from(self.subscription_ppm.0));
        Ppm(u32::try_from(charged).unwrap_or(u32::MAX))
    }

    /// The redemption fee of a lot held for `days` calendar days.
    #[must_use]
    #[inline]
    pub fn redemption_ppm(&self, days: u16) -> Ppm {
        let tier = self.redemption.iter().find(|t| t.below_days.is_none_or(|below| days < below));
        tier.map_or(Ppm(0), |tier| tier.ppm)
    }
}

/// Rules and costs of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareRules {
    /// Shares in a lot; only whole lots are bought.
    pub lot: u32,
    /// The broker's commission, both ways.
    pub commission_ppm: Ppm,
    /// Its least amount, in fen.
    pub commission_min_fen: Fen,
    /// Transfer fee, both ways.
    pub transfer_ppm: Ppm,
    /// Stamp duty, on sale only.
    pub stamp_ppm: Ppm,
}

/// How a price comes about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum Price {
    /// A deposit: the unit stays at 1 yuan and earns interest.
    Deposit {
        /// Rate for deposits made today, percent a year.
        rate: Decimal,
    },
    /// A money fund: the unit stays at 1 yuan and a yield is published every day.
    Accrual(Accrual),
    /// A net asset value that moves with the factors.
    Nav(NavModel),
}

/// The yield of a money fund: it moves slowly and never leaves its range.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accrual {
    /// At the beginning of the history, percent a year.
    pub start: Decimal,
    /// Standard deviation of its change in a day, in percentage points.
    pub step: Decimal,
    /// Lowest, percent a year.
    pub low: Decimal,
    /// Highest, percent a year.
    pub high: Decimal,
    /// The part of a change of interest rates that comes through.
    #[serde(default)]
    pub pass_through_ppm: Ppm,
    /// Market days it takes to come through.
    #[serde(default = "one_day")]
    pub pass_through_days: u16,
}

fn one_day() -> u16 {
    1
}

/// A net asset value: drift, loadings on the factors, and a part of its own. Every field is a
/// decimal; what is left out is zero.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NavModel {
    /// At the beginning of the history, in yuan.
    #[serde(default = "one_yuan")]
    pub start: Decimal,
    /// Percent a year.
    pub drift: Decimal,
    /// Part of the shares' return; 1 moves as they do.
    #[serde(default)]
    pub equity: Decimal,
    /// Volatility that comes from interest rates, percent a year.
    #[serde(default)]
    pub rates: Decimal,
    /// From credit, percent a year.
    #[serde(default)]
    pub credit: Decimal,
    /// From gold, percent a year.
    #[serde(default)]
    pub gold: Decimal,
    /// From shares overseas, percent a year.
    #[serde(default)]
    pub overseas: Decimal,
    /// Of its own, percent a year.
    #[serde(default)]
    pub own: Decimal,
    /// Years; when interest rates fall by 0.1 points the value rises by a thousandth of it.
    #[serde(default)]
    pub duration: Decimal,
    /// Largest move in a day, in percent, up or down, for shares.
    #[serde(default)]
    pub limit: Option<Decimal>,
}

fn one_yuan() -> Decimal {
    decimal(MICROS)
}

/// What `dengmi market check` holds the model against, over many seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Targets {
    /// Volatilities.
    pub volatility: Vec<VolatilityTarget>,
    /// Returns over ten market days.
    pub ten_days: Vec<TenDayTarget>,
    /// Correlations of daily returns.
    pub correlation: Vec<CorrelationTarget>,
}

/// A volatility; the model comes within a tenth of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolatilityTarget {
    /// The asset.
    pub asset: Slug,
    /// Percent a year.
    pub percent: Decimal,
}

/// Returns over ten market days; the model comes within one point.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenDayTarget {
    /// The asset.
    pub asset: Slug,
    /// 5th percentile, in percent.
    pub p5: Decimal,
    /// 95th percentile, in percent.
    pub p95: Decimal,
}

/// A correlation of daily returns; the model lies in between.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrelationTarget {
    /// One asset.
    pub a: Slug,
    /// Another.
    pub b: Slug,
    /// Lowest, from -1.
    pub low: Decimal,
    /// Highest, to 1.
    pub high: Decimal,
}
