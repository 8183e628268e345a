//! A mock account: cash, lots, orders, and what rounding left to the house.

use std::collections::BTreeSet;

use dengmi_content::model::market::{Asset, Holding};
use dengmi_core::mock::{Exit, OrderState, OrderView, Plan, Quote, Side, Units, Writing};
use dengmi_core::{Fen, Ppm, Slug};

use super::market::Market;
use super::standing::Outcome;

/// 1 fen in 1e-10 yuan.
pub(in crate::audit) const FEN: i128 = 100_000_000;
/// 100 % in 1e-8.
pub(in crate::audit) const ONE: i128 = 100_000_000;
/// What units times price, in millionths of a yuan, are in 1e-10 yuan.
pub(in crate::audit) const WORTH: i128 = 10_000;
/// A fen in millionths of a yuan.
pub(in crate::audit) const FEN_MICROS: i128 = 10_000;
pub(in crate::audit) const MILLION: i128 = 1_000_000;
const YEAR: i128 = 365;

/// What was bought at once.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Lot {
    pub(in crate::audit) asset: usize,
    /// The market day whose price it got.
    pub(in crate::audit) day: i32,
    /// The date on which it was confirmed.
    pub(in crate::audit) confirmed: Option<i32>,
    pub(in crate::audit) units: i64,
    /// Of a deposit, in 1e-8 a year.
    pub(in crate::audit) rate: i64,
    /// What it cost, fees included.
    pub(in crate::audit) cost: i64,
    /// Interest that is not a whole fen yet, in 1e-10 yuan.
    pub(in crate::audit) carry: i128,
}

/// An order, and what is known of it beside what readers see.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Order {
    pub(in crate::audit) view: OrderView,
    /// The last market day with a price when it was placed.
    pub(in crate::audit) placed: i32,
    /// Lessons sent by then.
    pub(in crate::audit) sent: u8,
    /// Whether the sheet of its asset was read before.
    pub(in crate::audit) read: bool,
}

impl Order {
    /// Somebody's own, neither taken back nor void.
    pub(in crate::audit) fn counts(&self) -> bool {
        self.is_own() && !matches!(self.view.state, OrderState::Cancelled | OrderState::Void)
    }

    pub(in crate::audit) fn is_own(&self) -> bool {
        !matches!(self.view.side, Side::Matured(_))
    }

    /// Units that it keeps from other redemptions.
    fn holds_back(&self, asset: usize) -> i64 {
        match self.view.side {
            Side::Redeem(Units(units))
                if self.view.state == OrderState::Accepted
                    && usize::from(self.view.asset) == asset =>
            {
                units
            }
            _ => 0,
        }
    }
}

/// The account of one member in one cohort.
#[derive(Clone, Debug)]
pub(in crate::audit) struct Account {
    pub(in crate::audit) start: i64,
    pub(in crate::audit) cash: i64,
    pub(in crate::audit) lots: Vec<Lot>,
    pub(in crate::audit) orders: Vec<Order>,
    pub(in crate::audit) fees: i64,
    /// In 1e-10 yuan.
    pub(in crate::audit) house: i128,
    /// What prices and interest brought, in 1e-10 yuan.
    pub(in crate::audit) gains: i128,
    pub(in crate::audit) peak: i64,
    /// Largest fall from a peak.
    pub(in crate::audit) fall: Ppm,
    /// Highest since the last debrief.
    pub(in crate::audit) high: i64,
    pub(in crate::audit) owes: bool,
    pub(in crate::audit) plans: Vec<Plan>,
    pub(in crate::audit) texts: Vec<Writing>,
    /// Course days on which a note was written.
    pub(in crate::audit) note_days: BTreeSet<u8>,
    pub(in crate::audit) tasks: BTreeSet<u8>,
    pub(in crate::audit) sheets: BTreeSet<Slug>,
    pub(in crate::audit) frauds: BTreeSet<Slug>,
    pub(in crate::audit) looked_back: bool,
    /// Nothing was held above the level.
    pub(in crate::audit) fits: bool,
    /// Spread over the closed course days since the first order, in 1/1,000,000 each.
    pub(in crate::audit) spread: u64,
    /// How many those are.
    pub(in crate::audit) surveys: u64,
    /// The plan at the time of the first order.
    pub(in crate::audit) first_plan: Option<Plan>,
    pub(in crate::audit) score: Option<Outcome>,
    pub(in crate::audit) exit: Option<Exit>,
}

/// Interest at a yearly rate of 1e-8 on so many fen over so many days, in fen, rounded down.
pub(in crate::audit) fn interest(fen: i64, rate: i64, days: i64) -> i64 {
    (i128::from(fen) * i128::from(rate) * i128::from(days) / (YEAR * ONE)) as i64
}

/// The same in 1e-10 yuan.
pub(in crate::audit) fn accrued(fen: i64, rate: i64, days: i64) -> i128 {
    i128::from(fen) * i128::from(rate) * i128::from(days) / YEAR
}

/// Units at the price of a quote, in millionths of a yuan.
pub(in crate::audit) fn worth(units: i64, quote: &Quote) -> i128 {
    i128::from(units) * i128::from(quote.published())
}

impl Account {
    pub(in crate::audit) fn new(cash: Fen) -> Self {
        Self {
            start: cash.0,
            cash: cash.0,
            lots: Vec::new(),
            orders: Vec::new(),
            fees: 0,
            house: 0,
            gains: 0,
            peak: cash.0,
            fall: Ppm(0),
            high: cash.0,
            owes: false,
            plans: Vec::new(),
            texts: Vec::new(),
            note_days: BTreeSet::new(),
            tasks: BTreeSet::new(),
            sheets: BTreeSet::new(),
            frauds: BTreeSet::new(),
            looked_back: false,
            fits: true,
            spread: 0,
            surveys: 0,
            first_plan: None,
            score: None,
            exit: None,
        }
    }

    /// What a lot would bring beyond its price if it were broken on a date, in fen.
    pub(in crate::audit) fn broken_early(asset: &Asset, lot: &Lot, units: i64, date: i32) -> i64 {
        match (asset.trade.holding, lot.confirmed) {
            (Holding::Term { early, .. }, Some(since)) => {
                interest(units, early.micros(), i64::from(date - since))
            }
            _ => 0,
        }
    }

    /// Units of an asset, those that are not confirmed among them.
    pub(in crate::audit) fn units(&self, asset: usize) -> i64 {
        self.lots.iter().filter(|lot| lot.asset == asset).map(|lot| lot.units).sum()
    }

    /// What is held of an asset at the prices of a day, in millionths of a yuan.
    pub(in crate::audit) fn held(
        &self,
        market: &Market,
        row: &[Quote],
        day: i32,
        asset: usize,
    ) -> i128 {
        let own = self.lots.iter().filter(|lot| lot.asset == asset);
        own.map(|lot| {
            let early = Self::broken_early(&market.assets[asset], lot, lot.units, market.date(day));
            worth(lot.units, &row[asset]) + i128::from(early) * FEN_MICROS
        })
        .sum()
    }

    /// Money on the way: purchases that wait for a price, redemptions that have one.
    pub(in crate::audit) fn on_the_way(&self) -> i64 {
        let way = |order: &Order| match (order.view.side, order.view.state) {
            (Side::Buy(amount), OrderState::Accepted) => amount.0,
            (Side::Redeem(_), OrderState::Priced) => order.view.amount.0,
            _ => 0,
        };
        self.orders.iter().map(way).sum()
    }

    /// Everything at the prices of a day, in fen.
    pub(in crate::audit) fn value(&self, market: &Market, row: &[Quote], day: i32) -> i64 {
        let held: i128 =
            (0..market.assets.len()).map(|asset| self.held(market, row, day, asset)).sum();
        self.cash + self.on_the_way() + (held / FEN_MICROS) as i64
    }

    /// The value at the last prices.
    pub(in crate::audit) fn worth_now(&self, market: &Market) -> i64 {
        self.value(market, &market.row(market.day), market.day)
    }

    /// Units of an asset that waiting redemptions will take.
    pub(in crate::audit) fn held_back(&self, asset: usize) -> i64 {
        self.orders.iter().map(|order| order.holds_back(asset)).sum()
    }

    pub(in crate::audit) fn confirmed(&self, asset: usize) -> i64 {
        let own = self.lots.iter().filter(|lot| lot.asset == asset && lot.confirmed.is_some());
        own.map(|lot| lot.units).sum()
    }

    /// Whether a lot can be redeemed at the price of a market day that falls on a date.
    pub(in crate::audit) fn is_redeemable(asset: &Asset, lot: &Lot, day: i32, date: i32) -> bool {
        let Some(since) = lot.confirmed else { return false };
        lot.day + i32::from(asset.trade.redeemable_days) <= day
            && match asset.trade.holding {
                Holding::Closed { .. } => false,
                Holding::Minimum { days } => date - since >= i32::from(days),
                Holding::Free | Holding::Periodic { .. } | Holding::Term { .. } => true,
            }
    }

    /// Units of an asset that can be redeemed then, before what waits.
    pub(in crate::audit) fn redeemable(&self, market: &Market, asset: usize, day: i32) -> i64 {
        let rules = &market.assets[asset];
        let own = self.lots.iter().filter(|lot| {
            lot.asset == asset && Self::is_redeemable(rules, lot, day, market.date(day))
        });
        own.map(|lot| lot.units).sum()
    }

    pub(in crate::audit) fn plan(&self) -> Option<&Plan> {
        self.plans.last()
    }

    /// All there is, in 1e-10 yuan, at the prices of a day.
    pub(in crate::audit) fn wealth(&self, row: &[Quote]) -> i128 {
        let lots: i128 =
            self.lots.iter().map(|lot| worth(lot.units, &row[lot.asset]) * WORTH + lot.carry).sum();
        i128::from(self.cash + self.on_the_way()) * FEN + lots
    }

    /// What does not hold of this account at the prices of a day, whatever led to it.
    pub(in crate::audit) fn broken(&self, row: &[Quote]) -> Option<String> {
        let paid = i128::from(self.fees) * FEN + self.house;
        let (has, had) = (self.wealth(row) + paid, i128::from(self.start) * FEN + self.gains);
        let whole = self.lots.iter().all(|lot| lot.units > 0 && (0..FEN).contains(&lot.carry));
        let prices = row.iter().all(|quote| quote.nav >= 1 && quote.published() >= 1);
        match () {
            () if self.cash < 0 => Some(format!("cash is {}", self.cash)),
            () if !whole => Some("a lot is empty, or owes".to_owned()),
            () if self.fees < 0 || self.house < 0 => Some("the house pays".to_owned()),
            () if !prices => Some("a price is below the least".to_owned()),
            () if has != had => Some(format!("{has} is there, {had} must be, in 1e-10 yuan")),
            () => None,
        }
    }
}
