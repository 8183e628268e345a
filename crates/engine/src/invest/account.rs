//! A mock account: cash, lots and orders, and what a market day does to them. Nothing here knows of
//! members or courses; the same orders on another path of prices give another account.
//!
//! An order placed between two closes gets the price of the next one (forward pricing). Deposits
//! and fast redemptions are done at once, at the last close.

use dengmi_content::model::market::{Asset, AssetClass, Holding};
use dengmi_core::mock::{OrderState, Quote, Side};
use dengmi_core::{Fen, Ppm, Reject, Timestamp, mutant};
use serde::{Deserialize, Serialize};

use super::trade::{self, Deal, TINY_A_FEN};

/// Most orders of an account.
pub(crate) const ORDERS_MAX: usize = 100;

/// Most that one order may be about, in fen or hundredths of a unit: a billion yuan.
const ORDER_MAX: i64 = 100_000_000_000;

/// A market between two closes.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) assets: &'a [Asset],
    /// The market day of the last close, and its calendar day from the first day of the course.
    pub(crate) day: i32,
    pub(crate) date: i32,
    /// Quotes of that close.
    pub(crate) quotes: &'a [Quote],
    /// The next close; none when the market is over.
    pub(crate) next: Option<(i32, i32)>,
}

/// One close.
#[derive(Clone, Copy)]
pub(crate) struct Close<'a> {
    pub(crate) assets: &'a [Asset],
    pub(crate) day: i32,
    pub(crate) date: i32,
    /// Calendar days since the close before.
    pub(crate) gap: i32,
    /// When it is.
    pub(crate) at: Timestamp,
    /// Quotes of the close before, and of this one.
    pub(crate) before: &'a [Quote],
    pub(crate) quotes: &'a [Quote],
}

/// Units bought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lot {
    pub(crate) asset: u8,
    pub(crate) units: i64,
    /// Market day of its price.
    pub(crate) day: i32,
    /// Calendar day of its confirmation, from which holding days count.
    pub(crate) confirmed: Option<i32>,
    /// What a term deposit pays at maturity, in 1e-8 a year.
    rate: i64,
    /// Interest that is no whole fen yet, in 1e-10 yuan.
    carry: i64,
    /// What it cost, fee included, in fen.
    pub(crate) cost: i64,
}

/// An order and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) asset: u8,
    pub(crate) side: Side,
    pub(crate) at: Timestamp,
    /// Market day of the close before it.
    pub(crate) placed: i32,
    /// Day of the course.
    pub(crate) course_day: u8,
    /// Market day of its price.
    pub(crate) market_day: i32,
    pub(crate) state: OrderState,
    pub(crate) units: i64,
    /// Paid, fee included, or brought after the fee.
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    /// Whether it kept to the plan, and whether the sheet had been read.
    pub(crate) in_plan: bool,
    pub(crate) sheet_read: bool,
}

impl Order {
    /// Whether a member placed it and it was not taken back.
    pub(crate) fn counts(&self) -> bool {
        let own = !matches!(self.side, Side::Matured(_));
        own && !matches!(self.state, OrderState::Cancelled | OrderState::Void)
    }
}

/// Who asks, and what is known of the order beside its size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placing {
    pub(crate) at: Timestamp,
    pub(crate) course_day: u8,
    pub(crate) in_plan: bool,
    pub(crate) sheet_read: bool,
}

/// Everything a mock account holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Cash that can be spent, in fen.
    pub(crate) cash: i64,
    pub(crate) lots: Vec<Lot>,
    pub(crate) orders: Vec<Order>,
    /// Fees paid, in fen.
    pub(crate) fees: i64,
    /// Left to the house by rounding, in 1e-10 yuan.
    pub(crate) house: i64,
}

impl Account {
    pub(crate) fn new(cash: Fen) -> Self {
        Self { cash: cash.0, lots: Vec::new(), orders: Vec::new(), fees: 0, house: 0 }
    }

    /// Whether a saved account can be one of a market with so many assets.
    pub(crate) fn fits(&self, assets: usize) -> bool {
        let known = |asset: u8| usize::from(asset) < assets;
        self.cash >= 0
            && self.orders.len() <= 2 * ORDERS_MAX
            && self.lots.iter().all(|lot| {
                known(lot.asset) && lot.units > 0 && (0..TINY_A_FEN).contains(&lot.carry)
            })
            && self.orders.iter().all(|order| known(order.asset))
    }

    /// Buys for `amount` (see [`Self::check_buy`]); gives the order's place.
    pub(crate) fn buy(
        &mut self,
        moment: &Moment<'_>,
        asset: u8,
        amount: i64,
        of: Placing,
    ) -> usize {
        if !mutant::planted("mock/cash-spent-twice") {
            self.cash -= amount;
        }
        let mut order = order(moment, asset, Side::Buy(Fen(amount)), of);
        let rules = &moment.assets[usize::from(asset)];
        if rules.class.is_deposit() {
            let rate = moment.quotes.get(usize::from(asset)).map_or(0, |quote| quote.yearly);
            self.lots.push(Lot {
                asset,
                units: amount,
                day: moment.day,
                confirmed: Some(moment.date),
                rate,
                carry: 0,
                cost: amount,
            });
            order.market_day = moment.day;
            order.state = OrderState::Settled;
            (order.units, order.amount) = (amount, amount);
        }
        self.orders.push(order);
        self.orders.len() - 1
    }

    /// Whether a purchase can be taken.
    pub(crate) fn check_buy(
        &self,
        moment: &Moment<'_>,
        asset: u8,
        amount: i64,
    ) -> Result<(), Reject> {
        let (day, date) = moment.next.ok_or(Reject::NoMorePrices)?;
        let trade = &moment.assets[usize::from(asset)].trade;
        if amount < trade.min_fen.0.max(1) || amount > ORDER_MAX {
            return Err(Reject::BadAmount);
        }
        window(trade.holding, date)?;
        if let Some(limit) = trade.daily_limit_fen {
            let bought = |order: &&Order| order.asset == asset && order.market_day == day;
            let of_day = self.orders.iter().filter(bought).filter(|order| order.counts());
            let sum: i64 = of_day
                .map(|order| if let Side::Buy(amount) = order.side { amount.0 } else { 0 })
                .sum();
            if sum.saturating_add(amount) > limit.0 {
                return Err(Reject::DailyLimit);
            }
        }
        if amount > self.cash {
            return Err(Reject::NotEnoughCash);
        }
        self.has_room()
    }

    /// Redeems units (see [`Self::check_redeem`]); gives the order's place.
    pub(crate) fn redeem(
        &mut self,
        moment: &Moment<'_>,
        asset: u8,
        units: i64,
        fast: bool,
        of: Placing,
    ) -> usize {
        let units_of = dengmi_core::mock::Units(units);
        let side = if fast { Side::Fast(units_of) } else { Side::Redeem(units_of) };
        let mut order = order(moment, asset, side, of);
        let rules = &moment.assets[usize::from(asset)];
        if fast || rules.class.is_deposit() {
            let deal = self.take_out(rules, asset, units, moment.day, moment.date, moment.quotes);
            order.market_day = moment.day;
            self.cash += deal.amount;
            settle(&mut order, deal, OrderState::Settled);
        }
        self.orders.push(order);
        self.orders.len() - 1
    }

    /// Whether a redemption can be taken.
    pub(crate) fn check_redeem(
        &self,
        moment: &Moment<'_>,
        asset: u8,
        units: i64,
        fast: bool,
    ) -> Result<(), Reject> {
        let (day, date) = moment.next.ok_or(Reject::NoMorePrices)?;
        let rules = &moment.assets[usize::from(asset)];
        if units <= 0 || units > ORDER_MAX {
            return Err(Reject::BadAmount);
        }
        if moment.quotes.get(usize::from(asset)).is_some_and(|quote| quote.gated) {
            return Err(Reject::Suspended);
        }
        window(rules.trade.holding, date)?;
        if fast {
            let limit = rules.trade.fast_limit_fen.ok_or(Reject::NoFastRedemption)?;
            // The next close opens a new day of limits.
            let of_day = self.orders.iter().filter(|order| order.asset == asset);
            let of_day = of_day.filter(|order| order.placed == moment.day);
            let paid = |order: &Order| if let Side::Fast(units) = order.side { units.0 } else { 0 };
            if of_day.map(paid).sum::<i64>().saturating_add(units) > limit.0 {
                return Err(Reject::FastLimit);
            }
        }
        let (day, date) = match fast || rules.class.is_deposit() {
            true => (moment.day, moment.date),
            false => (day, date),
        };
        let free = |all: i64| all - self.ordered_out(asset);
        if units > free(self.redeemable(rules, asset, day, date)) {
            let held = self.lots.iter().filter(|lot| lot.asset == asset);
            let held = held.filter(|lot| lot.confirmed.is_some()).map(|lot| lot.units).sum();
            return Err(match units > free(held) {
                true => Reject::NotEnoughUnits,
                false => Reject::LockedUp,
            });
        }
        self.has_room()
    }

    fn has_room(&self) -> Result<(), Reject> {
        let own = self.orders.iter().filter(|order| !matches!(order.side, Side::Matured(_)));
        if own.count() < ORDERS_MAX { Ok(()) } else { Err(Reject::TooManyOrders) }
    }

    /// Takes an order back.
    pub(crate) fn cancel(&mut self, number: u16) -> Result<(), Reject> {
        let place = usize::from(number).checked_sub(1).ok_or(Reject::UnknownOrder)?;
        let order = self.orders.get_mut(place).ok_or(Reject::UnknownOrder)?;
        if order.state != OrderState::Accepted && !mutant::planted("mock/cancelled-after-all") {
            return Err(Reject::OrderDone);
        }
        order.state = OrderState::Cancelled;
        if let Side::Buy(amount) = order.side {
            self.cash += amount.0;
        }
        Ok(())
    }

    /// Units that orders which wait for their price will take.
    fn ordered_out(&self, asset: u8) -> i64 {
        let waiting = self
            .orders
            .iter()
            .filter(|order| order.asset == asset && order.state == OrderState::Accepted);
        waiting.map(|order| if let Side::Redeem(units) = order.side { units.0 } else { 0 }).sum()
    }

    /// Cash that purchases of an asset wait with, and units that its redemptions wait for.
    pub(crate) fn waiting(&self, asset: u8) -> (i64, i64) {
        let waits = |order: &&Order| order.asset == asset && order.state == OrderState::Accepted;
        let bought = self.orders.iter().filter(waits);
        let bought = bought.map(|o| if let Side::Buy(amount) = o.side { amount.0 } else { 0 });
        (bought.sum(), self.ordered_out(asset))
    }

    /// Units that can be redeemed at a close.
    fn redeemable(&self, rules: &Asset, asset: u8, day: i32, date: i32) -> i64 {
        let lots = self.lots.iter().filter(|lot| lot.asset == asset);
        lots.filter(|lot| lot.is_redeemable(rules, day, date)).map(|lot| lot.units).sum()
    }

    /// Units that an order placed now could redeem.
    pub(crate) fn free(&self, moment: &Moment<'_>, asset: u8) -> i64 {
        let rules = &moment.assets[usize::from(asset)];
        let now = (moment.day, moment.date);
        let (day, date) = if rules.class.is_deposit() { now } else { moment.next.unwrap_or(now) };
        (self.redeemable(rules, asset, day, date) - self.ordered_out(asset)).max(0)
    }

    /// Takes units out of the oldest lots that can be redeemed, and books fees and leftovers.
    fn take_out(
        &mut self,
        rules: &Asset,
        asset: u8,
        units: i64,
        day: i32,
        date: i32,
        quotes: &[Quote],
    ) -> Deal {
        let price = quotes.get(usize::from(asset)).map_or(1, Quote::published);
        let mut left = units;
        let mut parts = Vec::new();
        let mut interest = 0;
        if mutant::planted("mock/last-in-first-out") {
            self.lots.reverse();
        }
        for lot in self.lots.iter_mut().filter(|lot| lot.asset == asset) {
            let take = left.min(lot.units);
            if take <= 0 || !lot.is_redeemable(rules, day, date) {
                continue;
            }
            let held = lot.held(date);
            if let Holding::Term { early, .. } = rules.trade.holding {
                // A percentage in millionths is a rate in 1e-8.
                interest += trade::interest(take, early.micros(), held);
            }
            let more = u16::from(mutant::planted("mock/tier-a-day-off"));
            let days = u16::try_from(held).unwrap_or(u16::MAX).saturating_add(more);
            parts.push((take, rules.trade.fees.redemption_ppm(days)));
            // What it cost goes with the units.
            let cost = i128::from(lot.cost) * i128::from(take) / i128::from(lot.units.max(1));
            lot.cost -= i64::try_from(cost).unwrap_or(0);
            lot.units -= take;
            left -= take;
            if lot.units == 0 {
                self.house += lot.carry;
            }
        }
        self.lots.retain(|lot| lot.units > 0);
        let mut deal = trade::redeem(&parts, price, rules.trade.share.as_ref());
        self.fees += deal.fee;
        self.house += deal.left_over;
        deal.amount += interest;
        deal
    }

    /// Everything that a close brings: interest, maturities, confirmations, prices, cash.
    pub(crate) fn close(&mut self, close: &Close<'_>) {
        let (mut ends, mut waits) = (false, false);
        for lot in &mut self.lots {
            let asset = &close.assets[usize::from(lot.asset)];
            if lot.confirmed.is_some() {
                lot.accrue(asset.class, close);
                ends |= lot.ends(asset.trade.holding, close.date);
            } else {
                waits = true;
            }
        }
        if ends {
            self.mature(close);
        }
        if waits {
            for lot in self.lots.iter_mut().filter(|lot| lot.confirmed.is_none()) {
                let trade = &close.assets[usize::from(lot.asset)].trade;
                if lot.day + i32::from(trade.confirm_days) <= close.day {
                    lot.confirmed = Some(close.date);
                }
            }
        }
        self.price(close);
        for order in self.orders.iter_mut().filter(|order| order.state == OrderState::Priced) {
            let trade = &close.assets[usize::from(order.asset)].trade;
            let days = match order.side {
                Side::Buy(_) => trade.confirm_days,
                _ => trade.cash_days,
            };
            let early = i32::from(mutant::planted("mock/cash-a-day-early"));
            if order.market_day + i32::from(days) <= close.day + early {
                order.state = OrderState::Settled;
                if !matches!(order.side, Side::Buy(_)) {
                    self.cash += order.amount;
                }
            }
        }
    }

    /// Terms that end pay out: deposits with their interest, closed products at the day's price.
    fn mature(&mut self, close: &Close<'_>) {
        let ends =
            |lot: &Lot| lot.ends(close.assets[usize::from(lot.asset)].trade.holding, close.date);
        let over: Vec<Lot> = self.lots.extract_if(.., |lot| ends(lot)).collect();
        for lot in over {
            let asset = &close.assets[usize::from(lot.asset)];
            let amount = match asset.trade.holding {
                Holding::Term { days, .. } => {
                    lot.units + trade::interest(lot.units, lot.rate, i32::from(days))
                }
                _ => {
                    let price = close.quotes[usize::from(lot.asset)].published();
                    let deal = trade::redeem(&[(lot.units, Ppm(0))], price, None);
                    self.house += deal.left_over;
                    deal.amount
                }
            };
            self.cash += amount;
            self.orders.push(Order {
                asset: lot.asset,
                side: Side::Matured(dengmi_core::mock::Units(lot.units)),
                at: close.at,
                placed: close.day,
                course_day: 0,
                market_day: close.day,
                state: OrderState::Settled,
                units: lot.units,
                amount,
                fee: 0,
                in_plan: true,
                sheet_read: true,
            });
        }
    }

    /// Orders that wait get the price of this close, in the order of their numbers.
    fn price(&mut self, close: &Close<'_>) {
        for place in 0..self.orders.len() {
            let waits = &self.orders[place];
            if waits.state != OrderState::Accepted || waits.market_day > close.day {
                continue;
            }
            let mut order = *waits;
            let rules = &close.assets[usize::from(order.asset)];
            let known = mutant::planted("mock/known-price") && !close.before.is_empty();
            let quotes = if known { close.before } else { close.quotes };
            let quote = &quotes[usize::from(order.asset)];
            match order.side {
                Side::Buy(Fen(amount)) => {
                    let trade = &rules.trade;
                    let deal = match &trade.share {
                        Some(share) => trade::buy_shares(amount, quote.published(), share),
                        None => trade::buy(amount, quote.published(), &trade.fees),
                    };
                    self.cash += amount - deal.amount;
                    if deal.units == 0 {
                        order.state = OrderState::Void;
                    } else {
                        self.fees += deal.fee;
                        self.house += deal.left_over;
                        self.lots.push(Lot {
                            asset: order.asset,
                            units: deal.units,
                            day: close.day,
                            confirmed: (trade.confirm_days == 0).then_some(close.date),
                            rate: 0,
                            carry: 0,
                            cost: deal.amount,
                        });
                        settle(&mut order, deal, OrderState::Priced);
                    }
                }
                // Until redemptions are taken up again.
                Side::Redeem(_) if quote.gated && !mutant::planted("mock/gate-open") => {
                    order.market_day = close.day + 1
                }
                Side::Redeem(units) => {
                    let deal = self.take_out(
                        rules,
                        order.asset,
                        units.0,
                        close.day,
                        close.date,
                        close.quotes,
                    );
                    settle(&mut order, deal, OrderState::Priced);
                }
                Side::Fast(_) | Side::Matured(_) => {}
            }
            self.orders[place] = order;
        }
    }

    /// Cash that is on the way: put aside for orders, or coming from redemptions.
    pub(crate) fn on_the_way(&self) -> i64 {
        let of = |order: &Order| match (order.state, order.side) {
            (OrderState::Accepted, Side::Buy(amount)) => amount.0,
            (OrderState::Priced, Side::Redeem(_)) => order.amount,
            _ => 0,
        };
        self.orders.iter().map(of).sum()
    }

    /// What a lot would bring before fees, in millionths of a yuan.
    pub(crate) fn lot_worth(lot: &Lot, assets: &[Asset], quotes: &[Quote], date: i32) -> i128 {
        let price = quotes.get(usize::from(lot.asset)).map_or(1, Quote::published);
        let worth = trade::worth(lot.units, price);
        match assets[usize::from(lot.asset)].trade.holding {
            Holding::Term { early, .. } => {
                let interest = trade::interest(lot.units, early.micros(), lot.held(date));
                worth + trade::worth(interest, 10_000)
            }
            _ => worth,
        }
    }

    /// What the units of an asset are worth, in millionths of a yuan.
    pub(crate) fn worth_of(
        &self,
        asset: u8,
        assets: &[Asset],
        quotes: &[Quote],
        date: i32,
    ) -> i128 {
        let lots = self.lots.iter().filter(|lot| lot.asset == asset);
        lots.map(|lot| Self::lot_worth(lot, assets, quotes, date)).sum()
    }

    /// Everything at the prices of a close, in fen, rounded down.
    pub(crate) fn value(&self, assets: &[Asset], quotes: &[Quote], date: i32) -> i64 {
        let held = self.lots.iter().map(|lot| Self::lot_worth(lot, assets, quotes, date));
        self.cash + self.on_the_way() + trade::fen(held.sum())
    }
}

impl Lot {
    /// Interest or yield of the days since the close before, where it was confirmed by then.
    fn accrue(&mut self, class: AssetClass, close: &Close<'_>) {
        let quote = close.before.get(usize::from(self.asset));
        let earned = match (class, quote) {
            (AssetClass::Demand, Some(quote)) => {
                trade::demand_interest(self.units, quote.yearly, close.gap)
            }
            (class, Some(quote)) if class.is_cash() => {
                trade::fund_income(self.units, quote.wan_fen_yield, close.gap)
            }
            _ => return,
        };
        let due = self.carry.saturating_add(earned);
        self.units = self.units.saturating_add(due / TINY_A_FEN);
        self.carry = due % TINY_A_FEN;
    }

    /// Whether its term is over by a calendar day.
    fn ends(&self, holding: Holding, date: i32) -> bool {
        let days = match holding {
            Holding::Term { days, .. } | Holding::Closed { days } => i32::from(days),
            _ => return false,
        };
        self.confirmed.is_some_and(|from| from.saturating_add(days) <= date)
    }

    /// Calendar days held, from confirmation.
    fn held(&self, date: i32) -> i32 {
        self.confirmed.map_or(0, |from| date.saturating_sub(from)).max(0)
    }

    /// Whether it can be redeemed at the close of a day.
    fn is_redeemable(&self, rules: &Asset, day: i32, date: i32) -> bool {
        let free = match rules.trade.holding {
            Holding::Free | Holding::Periodic { .. } | Holding::Term { .. } => true,
            Holding::Minimum { days } => self.held(date) >= i32::from(days),
            Holding::Closed { .. } => false,
        };
        free && self.confirmed.is_some() && self.day + i32::from(rules.trade.redeemable_days) <= day
    }
}

fn order(moment: &Moment<'_>, asset: u8, side: Side, of: Placing) -> Order {
    Order {
        asset,
        side,
        at: of.at,
        placed: moment.day,
        course_day: of.course_day,
        market_day: moment.next.map_or(moment.day, |(day, _)| day),
        state: OrderState::Accepted,
        units: 0,
        amount: 0,
        fee: 0,
        in_plan: of.in_plan,
        sheet_read: of.sheet_read,
    }
}

fn settle(order: &mut Order, deal: Deal, state: OrderState) {
    order.state = state;
    (order.units, order.amount, order.fee) = (deal.units, deal.amount, deal.fee);
}

/// Whether a window is open on a calendar day, for assets that have windows.
fn window(holding: Holding, date: i32) -> Result<(), Reject> {
    match holding {
        Holding::Periodic { every_days, open_days }
            if date.rem_euclid(i32::from(every_days.max(1))) >= i32::from(open_days) =>
        {
            Err(Reject::WindowClosed)
        }
        _ => Ok(()),
    }
}
