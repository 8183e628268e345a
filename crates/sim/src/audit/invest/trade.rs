//! Orders: what is taken and what is refused, and what is done at once.

use dengmi_content::model::market::{Asset, AssetClass, Holding};
use dengmi_core::mock::{OrderState, OrderView, Quote, Side, Units};
use dengmi_core::{Fen, Ppm, Reject, Timestamp};

use super::account::{Account, FEN, FEN_MICROS, Lot, MILLION, Order, WORTH, worth};
use super::market::Market;

/// Most orders of one account.
const ORDERS_MAX: usize = 100;
/// Largest amount or number of units.
const MOST: i64 = 100_000_000_000;

/// Who orders, and when.
#[derive(Clone, Copy)]
pub(in crate::audit) struct Placing {
    pub(in crate::audit) at: Timestamp,
    pub(in crate::audit) sent: u8,
    /// Whether the asset's sheet was read.
    pub(in crate::audit) read: bool,
    /// How far an order may go beyond the plan.
    pub(in crate::audit) slack: Ppm,
}

/// What selling so many units brought.
struct Sold {
    /// Before the fee.
    gross: i64,
    fee: i64,
}

/// A share of an amount, rounded up.
fn part_up(amount: i64, ppm: Ppm) -> i64 {
    let exact = i128::from(amount) * i128::from(ppm.0);
    ((exact + MILLION - 1) / MILLION) as i64
}

/// Whether a window is open on a date.
fn in_window(asset: &Asset, date: i32) -> bool {
    match asset.trade.holding {
        Holding::Periodic { every_days, open_days } => {
            date.rem_euclid(i32::from(every_days).max(1)) < i32::from(open_days)
        }
        _ => true,
    }
}

/// What a redemption of a lot costs, in 1/1,000,000.
fn exit_fee(asset: &Asset, held: i32) -> i128 {
    let tiers = asset.trade.fees.redemption.iter();
    let mut tiers = tiers.filter(|tier| tier.below_days.is_none_or(|below| held < below.into()));
    tiers.next().map_or(0, |tier| i128::from(tier.ppm.0))
}

impl Account {
    fn own_orders(&self) -> usize {
        self.orders.iter().filter(|order| order.is_own()).count()
    }

    /// An order that was taken.
    fn take(&mut self, placing: Placing, market: &Market, view: OrderView) -> OrderView {
        let Placing { sent, read, .. } = placing;
        if self.first_plan.is_none() {
            self.first_plan = self.plan().cloned();
        }
        self.orders.push(Order { view, placed: market.day, sent, read });
        view
    }

    pub(in crate::audit) fn next_number(&self) -> u16 {
        self.orders.len() as u16 + 1
    }

    pub(in crate::audit) fn buy(
        &mut self,
        market: &Market,
        asset: usize,
        amount: i64,
        placing: Placing,
    ) -> Result<OrderView, Reject> {
        let rules = &market.assets[asset];
        let next = market.next().ok_or(Reject::NoMorePrices)?;
        if amount < rules.trade.min_fen.0.max(1) || amount > MOST {
            return Err(Reject::BadAmount);
        }
        if !in_window(rules, market.date(next)) {
            return Err(Reject::WindowClosed);
        }
        let deposit = rules.class.is_deposit();
        let market_day = if deposit { market.day } else { next };
        if let Some(limit) = rules.trade.daily_limit_fen {
            let bought = self.orders.iter().filter(|order| {
                order.counts()
                    && usize::from(order.view.asset) == asset
                    && order.view.market_day == market_day
            });
            let bought = bought.map(|order| match order.view.side {
                Side::Buy(amount) => amount.0,
                _ => 0,
            });
            if bought.sum::<i64>() + amount > limit.0 {
                return Err(Reject::DailyLimit);
            }
        }
        if amount > self.cash {
            return Err(Reject::NotEnoughCash);
        }
        if self.own_orders() >= ORDERS_MAX {
            return Err(Reject::TooManyOrders);
        }
        let in_plan = self.keeps_plan(market, placing.slack, asset, Side::Buy(Fen(amount)));
        self.cash -= amount;
        if deposit {
            self.lots.push(Lot {
                asset,
                day: market_day,
                confirmed: Some(market.date(market_day)),
                units: amount,
                rate: market.row(market_day)[asset].yearly,
                cost: amount,
                carry: 0,
            });
        }
        let view = OrderView {
            number: self.next_number(),
            asset: asset as u8,
            side: Side::Buy(Fen(amount)),
            at: placing.at,
            market_day,
            state: if deposit { OrderState::Settled } else { OrderState::Accepted },
            units: Units(if deposit { amount } else { 0 }),
            amount: Fen(if deposit { amount } else { 0 }),
            fee: Fen(0),
            in_plan,
        };
        Ok(self.take(placing, market, view))
    }

    pub(in crate::audit) fn redeem(
        &mut self,
        market: &Market,
        asset: usize,
        units: i64,
        fast: bool,
        placing: Placing,
    ) -> Result<OrderView, Reject> {
        let rules = &market.assets[asset];
        let next = market.next().ok_or(Reject::NoMorePrices)?;
        if units <= 0 || units > MOST {
            return Err(Reject::BadAmount);
        }
        if market.row(market.day)[asset].gated {
            return Err(Reject::Suspended);
        }
        if !in_window(rules, market.date(next)) {
            return Err(Reject::WindowClosed);
        }
        if fast {
            let limit = rules.trade.fast_limit_fen.ok_or(Reject::NoFastRedemption)?.0;
            let today = self.orders.iter().filter(|order| order.placed == market.day);
            let sold = today.map(|order| match order.view.side {
                Side::Fast(units) if usize::from(order.view.asset) == asset => units.0,
                _ => 0,
            });
            if sold.sum::<i64>() + units > limit {
                return Err(Reject::FastLimit);
            }
        }
        let at_once = fast || rules.class.is_deposit();
        let market_day = if at_once { market.day } else { next };
        let waiting = self.held_back(asset);
        if units > self.redeemable(market, asset, market_day) - waiting {
            return Err(match units > self.confirmed(asset) - waiting {
                true => Reject::NotEnoughUnits,
                false => Reject::LockedUp,
            });
        }
        if self.own_orders() >= ORDERS_MAX {
            return Err(Reject::TooManyOrders);
        }
        let side = if fast { Side::Fast(Units(units)) } else { Side::Redeem(Units(units)) };
        let in_plan = self.keeps_plan(market, placing.slack, asset, side);
        let mut view = OrderView {
            number: self.next_number(),
            asset: asset as u8,
            side,
            at: placing.at,
            market_day,
            state: OrderState::Accepted,
            units: Units(0),
            amount: Fen(0),
            fee: Fen(0),
            in_plan,
        };
        if at_once {
            let row = market.row(market_day);
            let Sold { gross, fee } = self.sell(market, &row, asset, units, market_day);
            self.cash += gross - fee;
            view.state = OrderState::Settled;
            (view.units, view.amount, view.fee) = (Units(units), Fen(gross - fee), Fen(fee));
        }
        Ok(self.take(placing, market, view))
    }

    pub(in crate::audit) fn cancel(&mut self, number: u16) -> Result<(), Reject> {
        let order = self.orders.iter_mut().find(|order| order.view.number == number);
        let order = order.ok_or(Reject::UnknownOrder)?;
        if order.view.state != OrderState::Accepted {
            return Err(Reject::OrderDone);
        }
        order.view.state = OrderState::Cancelled;
        if let Side::Buy(amount) = order.view.side {
            self.cash += amount.0;
        }
        Ok(())
    }

    /// Takes units out of the lots that came first; what they bring at the price of a day.
    fn sell(&mut self, market: &Market, row: &[Quote], asset: usize, units: i64, day: i32) -> Sold {
        let (rules, date) = (&market.assets[asset], market.date(day));
        let (mut left, mut worth_all, mut fee_exact, mut extra) = (units, 0i128, 0i128, 0);
        for lot in self.lots.iter_mut().filter(|lot| lot.asset == asset) {
            if left == 0 || !Self::is_redeemable(rules, lot, day, date) {
                continue;
            }
            let part = left.min(lot.units);
            let held = date - lot.confirmed.unwrap_or(date);
            let worth = worth(part, &row[asset]);
            worth_all += worth;
            fee_exact += worth * exit_fee(rules, held);
            extra += Self::broken_early(rules, lot, part, date);
            // What is left keeps its part of the cost, rounded up.
            lot.cost -= (i128::from(lot.cost) * i128::from(part) / i128::from(lot.units)) as i64;
            lot.units -= part;
            left -= part;
        }
        self.drop_empty();
        let whole = (worth_all / FEN_MICROS) as i64;
        self.house += worth_all * WORTH - i128::from(whole) * FEN;
        self.gains += i128::from(extra) * FEN;
        let gross = whole + extra;
        let fee = match rules.trade.share {
            Some(share) => {
                let commission =
                    part_up(gross, share.commission_ppm).max(share.commission_min_fen.0);
                commission + part_up(gross, share.transfer_ppm) + part_up(gross, share.stamp_ppm)
            }
            None => ((fee_exact + FEN_FEES - 1) / FEN_FEES) as i64,
        };
        let fee = fee.min(gross);
        self.fees += fee;
        Sold { gross, fee }
    }

    /// Lots that are used up go, and what they carried goes to the house.
    pub(in crate::audit) fn drop_empty(&mut self) {
        let used_up = self.lots.iter().filter(|lot| lot.units == 0);
        self.house += used_up.map(|lot| lot.carry).sum::<i128>();
        self.lots.retain(|lot| lot.units > 0);
    }

    /// A waiting order gets its price.
    pub(in crate::audit) fn price(&mut self, market: &Market, row: &[Quote], at: usize, day: i32) {
        let view = self.orders[at].view;
        let asset = usize::from(view.asset);
        match view.side {
            Side::Buy(amount) => self.price_purchase(market, row, at, asset, amount.0, day),
            Side::Redeem(_) if row[asset].gated => self.orders[at].view.market_day = day + 1,
            Side::Redeem(Units(units)) => {
                let Sold { gross, fee } = self.sell(market, row, asset, units, day);
                let view = &mut self.orders[at].view;
                view.state = OrderState::Priced;
                (view.units, view.amount, view.fee) = (Units(units), Fen(gross - fee), Fen(fee));
            }
            Side::Fast(_) | Side::Matured(_) => {}
        }
    }

    fn price_purchase(
        &mut self,
        market: &Market,
        row: &[Quote],
        at: usize,
        asset: usize,
        amount: i64,
        day: i32,
    ) {
        let rules = &market.assets[asset];
        let price = i128::from(row[asset].published());
        let (units, net, fee) = match rules.trade.share.filter(|_| rules.class == AssetClass::Share)
        {
            Some(share) => {
                let costs = |units: i64| {
                    let net = ((i128::from(units) * price + FEN_MICROS - 1) / FEN_MICROS) as i64;
                    let commission =
                        part_up(net, share.commission_ppm).max(share.commission_min_fen.0);
                    (net, commission + part_up(net, share.transfer_ppm))
                };
                let lot = i64::from(share.lot) * 100;
                let most = i128::from(amount) * FEN_MICROS / (price * i128::from(lot)).max(1);
                let mut lots = most as i64;
                while lots > 0 && costs(lots * lot).0 + costs(lots * lot).1 > amount {
                    lots -= 1;
                }
                let (net, fee) = if lots > 0 { costs(lots * lot) } else { (0, 0) };
                (lots * lot, net, fee)
            }
            None => {
                let fees = &rules.trade.fees;
                let charged =
                    i128::from(fees.subscription_ppm.0) * i128::from(fees.discount_ppm.0) / MILLION;
                let net = (i128::from(amount) * MILLION / (MILLION + charged)) as i64;
                ((i128::from(net) * FEN_MICROS / price) as i64, net, amount - net)
            }
        };
        let view = &mut self.orders[at].view;
        if units == 0 {
            view.state = OrderState::Void;
            self.cash += amount;
            return;
        }
        view.state = OrderState::Priced;
        (view.units, view.amount, view.fee) = (Units(units), Fen(net + fee), Fen(fee));
        self.cash += amount - net - fee;
        self.fees += fee;
        self.house += i128::from(net) * FEN - i128::from(units) * price * WORTH;
        self.lots.push(Lot {
            asset,
            day,
            confirmed: (rules.trade.confirm_days == 0).then_some(market.date(day)),
            units,
            rate: 0,
            cost: net + fee,
            carry: 0,
        });
    }
}

/// A fen in 1e-12 yuan: millionths of a yuan times 1/1,000,000.
const FEN_FEES: i128 = 10_000_000_000;
