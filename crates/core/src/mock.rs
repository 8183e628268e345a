//! Mock investing: what members do on their mock account, and what they are told. Money and prices
//! are made up; the rules of products are real ones.
//!
//! Units: money in fen, units of an asset in 1/100, published prices in 1/10,000 yuan, so that
//! units times price are whole millionths of a yuan. Market days count from 0, the first one of a
//! course; days below zero are the market's history.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{CommunityId, Slug};
use crate::text::FoldedHash;
use crate::time::{Day, Timestamp};
use crate::unit::{Fen, Ppm};

/// What a member can bear, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ClientLevel {
    /// Bears hardly any loss.
    C1,
    /// Bears small losses.
    C2,
    /// Bears losses in between.
    C3,
    /// Bears large losses.
    C4,
    /// Bears very large losses.
    C5,
}

impl ClientLevel {
    /// From least to most.
    pub const ALL: [Self; 5] = [Self::C1, Self::C2, Self::C3, Self::C4, Self::C5];
}

/// Units of an asset, in 1/100. For deposits and money funds, whose unit is 1 yuan, these are fen.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Units(pub i64);

/// What a member does on the mock account of a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MockAction {
    /// Answers the risk questionnaire of the course.
    Assess {
        /// The member says to be of age; nobody else has a level (C04).
        adult: bool,
        /// The option chosen for each question, in order, from 0.
        choices: Vec<u8>,
    },
    /// Confirms a result that is another than the last one (C02).
    ConfirmLevel,
    /// Opens the sheet of a product.
    ReadSheet {
        /// The product.
        product: Slug,
    },
    /// Writes the plan, or writes it anew.
    WritePlan(Plan),
    /// Buys for an amount, at a price nobody knows yet.
    Buy {
        /// The asset, by its id in the market.
        asset: Slug,
        /// What it may cost, fees included.
        amount: Fen,
    },
    /// Redeems units, those held longest first.
    Redeem {
        /// The asset.
        asset: Slug,
        /// How many.
        units: Units,
        /// At once, within the daily limit of money funds.
        fast: bool,
    },
    /// Takes an order back before its price is made.
    Cancel {
        /// Its number.
        order: u16,
    },
    /// Writes a line into the journal.
    WriteNote {
        /// What was typed, folded and hashed; the words themselves are personal data.
        text: FoldedHash,
    },
    /// Looks back in writing.
    WriteDebrief {
        /// At what.
        about: DebriefAbout,
        /// What was typed.
        text: FoldedHash,
    },
    /// Reports a fraud in the feed.
    ReportFraud {
        /// The news, by the id of its shock in the scenario.
        news: Slug,
    },
}

/// What a debrief looks back at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DebriefAbout {
    /// A loss after which no order is taken before it.
    Loss,
    /// The course, once its last lesson is sent.
    Course,
}

/// A written plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What the money is for.
    pub goal: Goal,
    /// Months until it is needed, 1 to 600.
    pub months: u16,
    /// The loss that can be borne, of the whole.
    pub loss: Ppm,
    /// Largest share of each asset. What is left stays cash.
    pub parts: Vec<PlanPart>,
    /// The sentence beside it, folded and hashed.
    pub text: FoldedHash,
}

/// What money is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// For what nobody expects.
    Emergency,
    /// Children's education.
    Education,
    /// A home.
    Home,
    /// Old age.
    Retirement,
    /// Something larger within a few years.
    Purchase,
    /// Learning how it works.
    Learning,
}

/// One asset of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanPart {
    /// The asset.
    pub asset: Slug,
    /// Largest share of the account.
    pub share: Ppm,
}

/// What the mock account answers, where more than "done" is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MockReceipt {
    /// A questionnaire was evaluated.
    Assessed(Assessed),
    /// A plan was written.
    Planned {
        /// 1 for the first.
        version: u16,
    },
    /// An order was taken.
    Ordered {
        /// Its number in the account, from 1.
        order: u16,
        /// The market day whose price it gets, or got.
        market_day: i32,
        /// Where it stands: deposits and fast redemptions are done at once.
        state: OrderState,
    },
    /// A line was written.
    Written {
        /// Lines, plans and debriefs so far.
        texts: u16,
    },
}

/// The result of a questionnaire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessed {
    /// The level.
    pub level: ClientLevel,
    /// The last day on which it holds.
    pub until: Day,
    /// Whether it holds: a level that is another than the last has to be confirmed first.
    pub confirmed: bool,
}

/// Days within which answers to questionnaires are counted, today among them (C02).
pub const ASSESSMENT_YEAR: i32 = 365;

/// Times a questionnaire may still be answered on a day, by the days it was answered on before: so
/// many times on one day, and so many within [`ASSESSMENT_YEAR`] (C02).
#[must_use]
pub fn attempts_left(answered: &[Day], per_day: u8, per_year: u8, today: Day) -> u8 {
    let left = |limit: u8, from: Day| {
        let times = answered.iter().filter(|day| **day >= from).count();
        limit.saturating_sub(u8::try_from(times).unwrap_or(u8::MAX))
    };
    left(per_day, today).min(left(per_year, today.plus(1 - ASSESSMENT_YEAR)))
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// Waits for its price; can be taken back.
    Accepted,
    /// Has its price; units or cash are on the way.
    Priced,
    /// Units are confirmed, or the cash has come.
    Settled,
    /// Taken back.
    Cancelled,
    /// Too small for one unit at its price; the money went back.
    Void,
}

/// What is published of an asset on a market day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Net asset value of a unit in 1e-8 yuan; 1 yuan for deposits and money funds.
    pub nav: i64,
    /// What 10,000 yuan in a money fund earn on each calendar day until the next quote, in 1/10,000
    /// yuan; else 0. What rounding cuts off one day is added the next.
    pub wan_fen_yield: i64,
    /// In 1e-8 a year: the rate of deposits made on this day, or a money fund's yield of the last
    /// seven market days (simple, by 365 days); else 0.
    pub yearly: i64,
    /// Whether redemptions are suspended.
    pub gated: bool,
}

impl Quote {
    /// The value as it is published and traded at: in 1/10,000 yuan, half up, at least one of them.
    #[must_use]
    #[inline]
    pub fn published(&self) -> i64 {
        (self.nav + 5_000).div_euclid(10_000).max(1)
    }
}

/// A cohort's market, for readers: what has been published so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketView {
    /// The assets, in the market's order: what numbers of assets point at.
    pub assets: Arc<[Slug]>,
    /// The first day of the history.
    pub first_day: i32,
    /// Quotes of each day so far, in order of the assets.
    pub quotes: Vec<Arc<[Quote]>>,
    /// Calendar days from the first day of the course to each of these days.
    pub dates: Vec<i32>,
    /// Days of the course that are priced.
    pub closed: u8,
    /// The quotes without the script, from the first day on, once the course is over.
    pub without_script: Vec<Arc<[Quote]>>,
}

impl MarketView {
    /// The last market day with a price.
    #[must_use]
    pub fn day(&self) -> i32 {
        self.first_day + i32::try_from(self.quotes.len()).unwrap_or(i32::MAX) - 1
    }
}

/// What a cohort's standing shows: bands and teams, never money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandStanding {
    /// Members in each band, lowest first.
    pub bands: Vec<u32>,
    /// The groups of the cohort.
    pub teams: Vec<TeamScore>,
}

/// A group of a cohort as a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamScore {
    /// The group.
    pub community: CommunityId,
    /// Members with a score.
    pub members: u32,
    /// Their mean score, rounded down.
    pub score: u16,
}

/// A member's mock account, for that member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MockView {
    /// Cash that can be spent.
    pub cash: Fen,
    /// Everything at the last prices: cash, what is on the way, and holdings.
    pub value: Fen,
    /// Fees paid so far.
    pub fees: Fen,
    /// What rounding left to the house, in 1e-10 yuan.
    pub rounding: i64,
    /// What is held, in order of assets.
    pub holdings: Vec<HoldingView>,
    /// Orders, by number.
    pub orders: Vec<OrderView>,
    /// The plan and its version.
    pub plan: Option<(u16, Plan)>,
    /// What was written, oldest first.
    pub texts: Vec<Writing>,
    /// Bit n: the mock task of day n + 1 was done.
    pub tasks: u16,
    /// Sheets that were read, in order of their ids.
    pub sheets: Vec<Slug>,
    /// News that were reported as a fraud, and are one.
    pub reported: Vec<Slug>,
    /// Whether a debrief is owed before the next order.
    pub owes_debrief: bool,
    /// The score as of now.
    pub score: Score,
    /// What separates luck from process, once the course is over.
    pub exit: Option<Exit>,
}

/// Something held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingView {
    /// Position of the asset in [`MarketView::assets`].
    pub asset: u8,
    /// Units held, those that are not confirmed or ordered to be redeemed among them.
    pub units: Units,
    /// Units that an order placed now could redeem.
    pub redeemable: Units,
    /// What they are worth, rounded down.
    pub value: Fen,
    /// What they cost, fees included.
    pub cost: Fen,
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// Its number, from 1.
    pub number: u16,
    /// Position of the asset.
    pub asset: u8,
    /// What was asked for.
    pub side: Side,
    /// When it was placed.
    pub at: Timestamp,
    /// The market day whose price it gets.
    pub market_day: i32,
    /// Where it stands.
    pub state: OrderState,
    /// Units bought or redeemed.
    pub units: Units,
    /// What was paid, fee included, or what came or will come of it.
    pub amount: Fen,
    /// The fee within it.
    pub fee: Fen,
    /// Whether it kept to the plan.
    pub in_plan: bool,
}

/// What an order asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// To buy for this amount.
    Buy(Fen),
    /// To redeem these units.
    Redeem(Units),
    /// To redeem these units at once.
    Fast(Units),
    /// Nobody's order: the end of a term.
    Matured(Units),
}

/// Something a member wrote. The words are kept elsewhere, as personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writing {
    /// When.
    pub at: Timestamp,
    /// What for.
    pub kind: WritingKind,
    /// The words, folded and hashed.
    pub text: FoldedHash,
}

/// What something was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WritingKind {
    /// A plan.
    Plan,
    /// A line in the journal.
    Note,
    /// A debrief of a loss.
    Loss,
    /// The debrief of the course.
    Course,
}

/// A score and its parts. What was done and understood counts, luck hardly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// A plan before the first order.
    pub plan_first: u16,
    /// Orders that kept to the plan.
    pub orders_in_plan: u16,
    /// Course kept through shocks.
    pub kept_course: u16,
    /// Sheets read before orders.
    pub read_sheet: u16,
    /// Notes in the journal.
    pub notes: u16,
    /// Concepts mastered.
    pub knowledge: u16,
    /// Spread over assets.
    pub diversification: u16,
    /// Nothing held above the own level.
    pub fit: u16,
    /// Low costs.
    pub costs: u16,
    /// What it brought, against the own plan.
    pub outcome: u16,
    /// Taken away for a fall beyond the own limit.
    pub drawdown: u16,
    /// Taken away for turnover.
    pub turnover: u16,
}

impl Score {
    /// The sum, from 0 to 1,000.
    #[must_use]
    pub fn total(&self) -> u16 {
        let given = [
            self.plan_first,
            self.orders_in_plan,
            self.kept_course,
            self.read_sheet,
            self.notes,
            self.knowledge,
            self.diversification,
            self.fit,
            self.costs,
            self.outcome,
        ];
        let given = given.into_iter().fold(0u16, u16::saturating_add);
        given.saturating_sub(self.drawdown.saturating_add(self.turnover)).min(1_000)
    }
}

/// What became of the account, and what would have become of it: all in fen, at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// What it was worth.
    pub value: Fen,
    /// The same orders on the path without the script: the difference is what was staged.
    pub without_script: Fen,
    /// The first plan bought on the day of the first order and kept: the difference is what the
    /// member's own orders brought.
    pub plan_kept: Fen,
    /// All of it in the demand deposit.
    pub in_cash: Fen,
    /// Largest fall from a peak.
    pub drawdown: Ppm,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_by_day_and_by_year() {
        for (answered, today, left) in [
            (&[][..], 400, 2),
            (&[400], 400, 1),
            (&[400, 400], 400, 0),
            (&[400, 400], 401, 2),
            // A year is 365 days with today.
            (&[36, 36, 36, 36, 36, 36, 36], 400, 1),
            (&[35, 36, 36, 36, 36, 36, 36], 400, 2),
            (&[36, 36, 36, 36, 36, 36, 36, 36], 400, 0),
        ] {
            let answered: Vec<Day> = answered.iter().copied().map(Day).collect();
            assert_eq!(attempts_left(&answered, 2, 8, Day(today)), left, "{answered:?} {today}");
        }
    }

    #[test]
    fn a_score_stays_within_its_thousand() {
        let all = Score {
            plan_first: 80,
            orders_in_plan: 120,
            kept_course: 80,
            read_sheet: 60,
            notes: 60,
            knowledge: 300,
            diversification: 100,
            fit: 80,
            costs: 70,
            outcome: 50,
            drawdown: 0,
            turnover: 0,
        };
        assert_eq!(all.total(), 1_000);
        assert_eq!(Score { drawdown: 100, turnover: 40, ..all }.total(), 860);
        assert_eq!(Score { drawdown: 100, turnover: u16::MAX, ..all }.total(), 0);
        assert_eq!(Score { knowledge: u16::MAX, ..all }.total(), 1_000);
    }

    #[test]
    fn a_price_is_published_with_four_places() {
        let published = |nav| Quote { nav, wan_fen_yield: 0, yearly: 0, gated: false }.published();
        assert_eq!(
            [100_000_000, 100_004_999, 100_005_000, 1].map(published),
            [10_000, 10_000, 10_001, 1]
        );
    }
}
