//! `content/products/**.ron`: one product page each, real or a teaching sheet.

use dengmi_core::time::TimeOfDay;
use dengmi_core::{Day, Decimal, Fen, Ppm, Slug};
use serde::{Deserialize, Serialize};

use super::{Approval, Text};

/// A product page, as the mobile bank shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// The product's name.
    pub title: Text,
    /// What kind of product it is.
    pub class: ProductClass,
    /// A real product, or a fictional sheet for teaching.
    pub sheet: Sheet,
    /// Where the page is found in the mobile bank, menu by menu.
    pub place: Text,
    /// Version of the page; goes up whenever a fact on it changes.
    pub page_version: u16,
    /// Risk level given by the issuer.
    pub issuer_risk: RiskLevel,
    /// Risk level given by the distributor; the higher of both counts (C03).
    pub distributor_risk: RiskLevel,
    /// Public or private; only public offerings may appear in groups (C05).
    pub offering: Offering,
    /// ISO 4217 code.
    pub currency: String,
    /// Smallest purchase, in fen.
    pub min_fen: Fen,
    /// Orders before this time get this day's price.
    pub cutoff: TimeOfDay,
    /// Trading days until an order is confirmed.
    pub confirm_days: u8,
    /// Trading days until cash arrives after a redemption.
    pub cash_days: u8,
    /// Calendar days before a holding may be redeemed; 0 for none.
    pub lock_up_days: u16,
    /// When it can be bought and redeemed.
    pub open: OpenWindow,
    /// Fees.
    pub fees: Fees,
    /// Yield per 10,000 yuan and day, for money funds and the like.
    #[serde(default)]
    pub wan_fen_yield: Option<Decimal>,
    /// Seven-day annualised yield in percent.
    #[serde(default)]
    pub seven_day_yield: Option<Decimal>,
    /// Interest rate a year in percent, for deposits.
    #[serde(default)]
    pub deposit_rate: Option<Decimal>,
    /// The last daily changes of net asset value in percent, newest first.
    #[serde(default)]
    pub nav_changes: Vec<Decimal>,
    /// Performance benchmark (C10).
    #[serde(default)]
    pub benchmark: Option<Benchmark>,
    /// Past performance (C11).
    #[serde(default)]
    pub performance: Option<Performance>,
    /// First day of the product.
    pub inception: Day,
    /// Where the figures come from.
    pub source: String,
    /// The day they were read.
    pub as_of: Day,
    /// Compliance approval of the page.
    pub approval: Approval,
    /// Notices shown with it, by id.
    pub notices: Vec<Slug>,
}

/// Kinds of product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum ProductClass {
    /// Demand deposit.
    Demand,
    /// Term deposit.
    Term,
    /// Large certificate of deposit.
    LargeCd,
    /// Money fund.
    MoneyFund,
    /// Cash-management product.
    CashManagement,
    /// Bank wealth-management product.
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
    /// Personal-pension product.
    Pension,
}

impl ProductClass {
    /// Deposits carry no investment risk notice.
    #[must_use]
    pub fn is_deposit(self) -> bool {
        matches!(self, Self::Demand | Self::Term | Self::LargeCd)
    }

    /// Funds sold under the fund rules (notice N5).
    #[must_use]
    pub fn is_fund(self) -> bool {
        matches!(
            self,
            Self::MoneyFund
                | Self::BondFund
                | Self::MixedFund
                | Self::IndexFund
                | Self::Gold
                | Self::Overseas
        )
    }
}

/// Whether a page is a real product's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Sheet {
    /// A fictional product for teaching.
    Sample,
    /// A product on sale.
    Real,
}

/// Who may buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Offering {
    /// Anyone whom it suits.
    Public,
    /// Qualified investors only.
    Private,
}

/// Product risk levels R1 (lowest) to R5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RiskLevel {
    /// Lowest.
    R1,
    /// Low to medium.
    R2,
    /// Medium.
    R3,
    /// Medium to high.
    R4,
    /// High.
    R5,
}

/// When a product can be bought and redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum OpenWindow {
    /// Every trading day.
    Daily,
    /// Bought daily, redeemed after the lock-up.
    MinimumHolding,
    /// Only in windows, every so many days.
    Periodic {
        /// Days from window to window.
        every_days: u16,
    },
    /// Held to maturity.
    Closed,
}

/// Fees in parts per million.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// On purchase.
    #[serde(default)]
    pub subscription_ppm: Ppm,
    /// A year, inside the net asset value.
    #[serde(default)]
    pub management_ppm: Ppm,
    /// On redemption, by holding days, shortest first.
    #[serde(default)]
    pub redemption: Vec<FeeTier>,
}

/// A redemption fee for holdings shorter than a number of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeTier {
    /// Applies to holdings of fewer days than this; `None` in the last tier.
    #[serde(default)]
    pub below_days: Option<u16>,
    /// The fee.
    pub ppm: Ppm,
}

/// A performance benchmark: a yardstick, never an expected yield.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Lower end in percent a year.
    pub low: Decimal,
    /// Upper end in percent a year.
    pub high: Decimal,
    /// What it is calculated from (C10).
    #[serde(default)]
    pub basis: Option<Text>,
    /// In force since.
    pub from: Day,
}

/// Past performance over a stated interval.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// Annualised, in percent.
    pub annualised: Decimal,
}

/// A fact on a product page that a question may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactField {
    /// The risk level that counts: `R1` to `R5`.
    RiskLevel,
    /// Smallest purchase, in yuan.
    MinAmount,
    /// Cut-off time.
    Cutoff,
    /// Trading days to confirmation.
    ConfirmDays,
    /// Trading days to cash.
    CashDays,
    /// Lock-up in days.
    LockUpDays,
    /// Yield per 10,000 yuan and day, in yuan.
    WanFenYield,
    /// Seven-day annualised yield, in percent.
    SevenDayYield,
    /// Deposit rate, in percent a year.
    DepositRate,
    /// Lower end of the benchmark, in percent.
    BenchmarkLow,
    /// Upper end of the benchmark, in percent.
    BenchmarkHigh,
    /// Subscription fee in percent, or in yuan of an amount.
    SubscriptionFee,
    /// Management fee in percent a year, or in yuan of an amount.
    ManagementFee,
    /// Redemption fee in percent, or in yuan of an amount.
    RedemptionFee {
        /// Days held.
        held_days: u16,
    },
    /// Change of net asset value n trading days ago in percent, or in yuan of an amount.
    NavChange {
        /// 0 is the last published day.
        days_ago: u8,
    },
}

/// What a [`FactField`] is on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactValue {
    /// A number with its unit.
    Number(Decimal, Unit),
    /// A risk level.
    Level(RiskLevel),
    /// A time of day.
    Time(TimeOfDay),
}

/// Units of numeric facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Unit {
    /// Yuan.
    Yuan,
    /// Percent.
    Percent,
    /// Days.
    Days,
    /// A plain number.
    Plain,
}

impl Unit {
    /// Written after a number: Chinese, English.
    #[must_use]
    pub fn suffix(self) -> (&'static str, &'static str) {
        match self {
            Self::Yuan => (" 元", " yuan"),
            Self::Percent => ("%", "%"),
            Self::Days => (" 天", " days"),
            Self::Plain => ("", ""),
        }
    }
}

impl std::fmt::Display for FactValue {
    /// The value without its unit, as `expect` has to give it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number, _) => number.fmt(f),
            Self::Level(level) => write!(f, "{level:?}"),
            Self::Time(time) => time.fmt(f),
        }
    }
}

impl FactValue {
    /// The value with its unit, as an option shows it.
    #[must_use]
    pub fn text(self) -> Text {
        let (zh, en) = match self {
            Self::Number(_, unit) => unit.suffix(),
            _ => ("", ""),
        };
        Text::new(&format!("{self}{zh}"), &format!("{self}{en}"))
    }
}

impl Product {
    /// The risk level that counts: the higher of issuer's and distributor's (C03).
    #[must_use]
    pub fn risk(&self) -> RiskLevel {
        self.issuer_risk.max(self.distributor_risk)
    }

    /// The redemption fee for a holding of `days` days.
    #[must_use]
    pub fn redemption_fee(&self, days: u16) -> Ppm {
        let tier =
            self.fees.redemption.iter().find(|t| t.below_days.is_none_or(|below| days < below));
        tier.map_or(Ppm(0), |tier| tier.ppm)
    }

    /// A fact of this page; rates turn into yuan where an amount is given. Amounts are rounded
    /// to the nearest fen, half away from zero. `None` where the page does not state it.
    #[must_use]
    pub fn fact(&self, field: FactField, of_yuan: Option<Decimal>) -> Option<FactValue> {
        let percent = |micros_of_percent: i64| match of_yuan {
            None => number(micros_of_percent, Unit::Percent),
            Some(yuan) => {
                let exact = i128::from(micros_of_percent) * i128::from(yuan.micros());
                // percent of yuan, both in millionths, down to whole fen (1e4 micros of a yuan)
                let fen_size = 100 * 1_000_000 * 10_000i128;
                let half = if exact < 0 { -fen_size / 2 } else { fen_size / 2 };
                let fen = i64::try_from((exact + half) / fen_size).ok()?;
                number(fen * 10_000, Unit::Yuan)
            }
        };
        let ppm_percent = |ppm: Ppm| percent(i64::from(ppm.0) * 100);
        let decimal = |value: Decimal, unit| Some(FactValue::Number(value, unit));
        let days = |n: u16| number(i64::from(n) * 1_000_000, Unit::Days);
        match field {
            FactField::RiskLevel => Some(FactValue::Level(self.risk())),
            FactField::MinAmount => number(self.min_fen.0.checked_mul(10_000)?, Unit::Yuan),
            FactField::Cutoff => Some(FactValue::Time(self.cutoff)),
            FactField::ConfirmDays => days(self.confirm_days.into()),
            FactField::CashDays => days(self.cash_days.into()),
            FactField::LockUpDays => days(self.lock_up_days),
            FactField::WanFenYield => decimal(self.wan_fen_yield?, Unit::Yuan),
            FactField::SevenDayYield => decimal(self.seven_day_yield?, Unit::Percent),
            FactField::DepositRate => percent(self.deposit_rate?.micros()),
            FactField::BenchmarkLow => decimal(self.benchmark.as_ref()?.low, Unit::Percent),
            FactField::BenchmarkHigh => decimal(self.benchmark.as_ref()?.high, Unit::Percent),
            FactField::SubscriptionFee => ppm_percent(self.fees.subscription_ppm),
            FactField::ManagementFee => ppm_percent(self.fees.management_ppm),
            FactField::RedemptionFee { held_days } => ppm_percent(self.redemption_fee(held_days)),
            FactField::NavChange { days_ago } => {
                percent(self.nav_changes.get(usize::from(days_ago))?.micros())
            }
        }
    }
}

fn number(micros: i64, unit: Unit) -> Option<FactValue> {
    Decimal::from_micros(micros).map(|value| FactValue::Number(value, unit))
}
