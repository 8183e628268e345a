//! What the interface asks about mock investing: texts and terms, in one language.

use dengmi_core::mock::{ClientLevel, Score};
use dengmi_core::time::TimeOfDay;
use dengmi_core::{Day, Fen, Ppm, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use super::NoticeText;

/// The mock market of a course, from the content it is bound to for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketText {
    /// The market, by id.
    pub market: Slug,
    /// The script, by id.
    pub scenario: Slug,
    /// The market's name.
    pub title: String,
    /// Orders before this time get this day's price.
    pub cutoff: TimeOfDay,
    /// Market days that pass with each day of the course; none where the market is closed.
    pub days: Vec<u16>,
    /// What is traded, in the market's order.
    pub assets: Vec<AssetText>,
    /// The script's news, in order of days. Future ones and what they are must not be told.
    pub news: Vec<NewsText>,
    /// Notices that go with everything about mock investing (N4).
    pub notices: Vec<NoticeText>,
}

/// Something that is traded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetText {
    /// Its id within the market.
    pub id: Slug,
    /// Its name.
    pub title: String,
    /// What kind of product it is.
    pub kind: AssetKind,
    /// Its risk level.
    pub risk: Risk,
    /// Whether it can be bought.
    pub enabled: bool,
    /// The sheet to be read before the first order.
    pub sheet: Option<Slug>,
    /// Smallest purchase.
    pub min: Fen,
    /// Most that one member can buy on one day.
    pub daily_limit: Option<Fen>,
    /// Most that is redeemed at once on one day; `None` where nothing is.
    pub fast_limit: Option<Fen>,
    /// Market days until a purchase is confirmed.
    pub confirm_days: u8,
    /// Market days until it can be redeemed.
    pub redeemable_days: u8,
    /// Market days until the cash of a redemption arrives.
    pub cash_days: u8,
    /// Fee on purchase as it is listed.
    pub subscription: Ppm,
    /// Fee on purchase as it is charged.
    pub charged: Ppm,
    /// All of it in sentences.
    pub rules: Vec<String>,
}

/// News of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewsText {
    /// Its id.
    pub id: Slug,
    /// Day of the course.
    pub day: u8,
    /// What members read on that day.
    pub news: String,
    /// What is said of it afterwards. Never sent before.
    pub debrief: String,
    /// Whether it is a fraud, to be reported. Never sent before it was, or the day is over.
    pub fraud: bool,
}

/// Kinds of assets and products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
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
    /// Overseas fund.
    Overseas,
    /// Personal-pension product.
    Pension,
    /// A share.
    Share,
}

impl AssetKind {
    /// Whether a yield is published while the unit stays at 1 yuan.
    #[must_use]
    pub fn is_cash(self) -> bool {
        matches!(self, Self::MoneyFund | Self::CashManagement)
    }

    /// Whether it is a deposit.
    #[must_use]
    pub fn is_deposit(self) -> bool {
        matches!(self, Self::Demand | Self::Term | Self::LargeCd)
    }
}

/// Risk levels of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub enum Risk {
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

impl Risk {
    /// Whether it suits who has this level, or none: C1 bears R1, and so on (C01).
    #[must_use]
    pub fn suits(self, level: Option<ClientLevel>) -> bool {
        self as usize <= level.unwrap_or(ClientLevel::C1) as usize
    }
}

/// How a course has its members invest, as of its last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvestingText {
    /// What members start with.
    pub cash: Fen,
    /// First day of the course on which orders are taken.
    pub orders_from_day: u8,
    /// A loss from which a debrief comes before the next order.
    pub debrief_loss: Ppm,
    /// The questionnaire, by id.
    pub assessment: Slug,
    /// The most of each part of the score; of the last two, the most that is taken away (turnover:
    /// for each order beyond the free ones).
    pub most: Score,
    /// Bands of the score, lowest first: least score and name.
    pub bands: Vec<(u16, String)>,
    /// Who graduates.
    pub graduation: GraduationTerms,
}

/// Who graduates: all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraduationTerms {
    /// Lessons finished.
    pub lessons: u8,
    /// Quizzes answered in full.
    pub quizzes: u8,
    /// Share of concepts mastered.
    pub mastery: Ppm,
    /// Least score.
    pub score: u16,
    /// Whether a plan must have been written.
    pub plan: bool,
    /// Whether the closing debrief must have been written.
    pub debrief: bool,
}

/// A risk questionnaire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssessmentText {
    /// Its name.
    pub title: String,
    /// What it is for.
    pub summary: String,
    /// The questions with their options, in order.
    pub questions: Vec<(String, Vec<String>)>,
    /// Days a result holds.
    pub validity_days: u16,
    /// Most times it may be answered on one day.
    pub per_day: u8,
    /// Most times in 365 days.
    pub per_year: u8,
    /// Least age in years.
    pub min_age: u8,
    /// What younger members read instead.
    pub age_note: String,
    /// Notices shown with it.
    pub notices: Vec<NoticeText>,
}

/// A product page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductText {
    /// Its id, the current one.
    pub id: Slug,
    /// Its name.
    pub title: String,
    /// What kind of product it is.
    pub kind: AssetKind,
    /// A product on sale, not a teaching sheet.
    pub real: bool,
    /// The risk level that counts.
    pub risk: Risk,
    /// Where the page is found.
    pub place: String,
    /// Version of the page.
    pub page_version: u16,
    /// What the page says: labels and values.
    pub facts: Vec<(String, String)>,
    /// Where the figures come from.
    pub source: String,
    /// The day they were read.
    pub as_of: Day,
    /// Notices shown with it.
    pub notices: Vec<NoticeText>,
}
