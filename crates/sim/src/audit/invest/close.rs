//! What a close does to an account, step by step.

use dengmi_content::model::market::{AssetClass, Holding};
use dengmi_core::mock::{ClientLevel, OrderState, OrderView, Quote, Side, Units};
use dengmi_core::{Fen, Ppm, Timestamp};

use super::super::Edge;
use super::account::{
    Account, FEN, FEN_MICROS, MILLION, ONE, Order, WORTH, accrued, interest, worth,
};
use super::market::Market;
use super::suits::suits;

impl Account {
    /// The prices of a market day are made; those of the day before were `before`.
    pub(in crate::audit) fn close(
        &mut self,
        market: &Market,
        (before, row): (&[Quote], &[Quote]),
        day: i32,
        at: Timestamp,
    ) {
        for lot in &self.lots {
            let moved = worth(lot.units, &row[lot.asset]) - worth(lot.units, &before[lot.asset]);
            self.gains += moved * WORTH;
        }
        self.earn(market, before, i64::from(market.date(day) - market.date(day - 1)));
        self.mature(market, row, day, at);
        for lot in self.lots.iter_mut().filter(|lot| lot.confirmed.is_none()) {
            let rules = &market.assets[lot.asset].trade;
            if lot.day + i32::from(rules.confirm_days) <= day {
                lot.confirmed = Some(market.date(day));
            }
        }
        for order in 0..self.orders.len() {
            let view = &self.orders[order].view;
            if view.state == OrderState::Accepted && view.market_day == day {
                self.price(market, row, order, day);
            }
        }
        for order in &mut self.orders {
            let view = &mut order.view;
            if view.state != OrderState::Priced {
                continue;
            }
            let rules = &market.assets[usize::from(view.asset)].trade;
            let bought = matches!(view.side, Side::Buy(_));
            let days = if bought { rules.confirm_days } else { rules.cash_days };
            if view.market_day + i32::from(days) <= day {
                view.state = OrderState::Settled;
                self.cash += if bought { 0 } else { view.amount.0 };
            }
        }
    }

    /// What became of orders at the close of a day.
    pub(in crate::audit) fn reached(&self, day: i32) -> impl Iterator<Item = Edge> {
        self.orders.iter().filter_map(move |order| {
            let OrderView { side, state, market_day, .. } = order.view;
            let redeems = matches!(side, Side::Redeem(_));
            match (side, state) {
                (Side::Matured(_), _) if market_day == day => Some(Edge::OrderMatured),
                (Side::Buy(_), OrderState::Void) if market_day == day => Some(Edge::OrderVoid),
                (_, OrderState::Priced) if market_day == day => Some(Edge::OrderPriced),
                // Placed for an earlier day.
                (_, OrderState::Accepted) if redeems && order.placed + 1 < market_day => {
                    Some(Edge::OrderGated)
                }
                _ => None,
            }
        })
    }

    /// Interest of so many calendar days at the quotes they began with.
    fn earn(&mut self, market: &Market, before: &[Quote], days: i64) {
        for lot in self.lots.iter_mut().filter(|lot| lot.confirmed.is_some()) {
            let quote = &before[lot.asset];
            let earned = match market.assets[lot.asset].class {
                AssetClass::Demand => accrued(lot.units, quote.yearly, days),
                AssetClass::MoneyFund | AssetClass::CashManagement => {
                    i128::from(lot.units) * i128::from(quote.wan_fen_yield) * i128::from(days)
                }
                _ => 0,
            };
            self.gains += earned;
            lot.carry += earned;
            lot.units += (lot.carry / ONE) as i64;
            lot.carry %= ONE;
        }
    }

    /// What has come to its term is paid.
    fn mature(&mut self, market: &Market, row: &[Quote], day: i32, at: Timestamp) {
        let date = market.date(day);
        for place in 0..self.lots.len() {
            let lot = self.lots[place].clone();
            let rules = &market.assets[lot.asset];
            let Some(since) = lot.confirmed else { continue };
            let amount = match rules.trade.holding {
                Holding::Term { days, .. } if since + i32::from(days) <= date => {
                    let earned = interest(lot.units, lot.rate, i64::from(days));
                    self.gains += i128::from(earned) * FEN;
                    lot.units + earned
                }
                Holding::Closed { days } if since + i32::from(days) <= date => {
                    let exact = worth(lot.units, &row[lot.asset]);
                    let paid = exact / FEN_MICROS;
                    self.house += exact * WORTH - paid * FEN;
                    paid as i64
                }
                _ => continue,
            };
            self.cash += amount;
            self.lots[place].units = 0;
            let view = OrderView {
                number: self.next_number(),
                asset: lot.asset as u8,
                side: Side::Matured(Units(lot.units)),
                at,
                market_day: day,
                state: OrderState::Settled,
                units: Units(lot.units),
                amount: Fen(amount),
                fee: Fen(0),
                in_plan: true,
            };
            self.orders.push(Order { view, placed: day, sent: 0, read: true });
        }
        self.drop_empty();
    }

    /// Peaks and falls, after a close.
    pub(in crate::audit) fn measure(&mut self, value: i64, debrief_loss: Ppm) {
        self.peak = self.peak.max(value);
        let fall = i128::from(self.peak - value) * MILLION / i128::from(self.peak.max(1));
        self.fall = self.fall.max(Ppm(fall as u32));
        self.high = self.high.max(value);
        let lost = i128::from(self.high - value);
        if lost > 0 && lost * MILLION >= i128::from(debrief_loss.0) * i128::from(self.high) {
            self.owes = true;
        }
    }

    /// What was held, after the closes of a day of the course.
    pub(in crate::audit) fn survey(
        &mut self,
        market: &Market,
        level: Option<ClientLevel>,
        parts: u8,
    ) {
        let above = self.lots.iter().any(|lot| !suits(market.assets[lot.asset].risk, level));
        self.fits &= !above;
        self.spread += self.spread_now(market, parts);
        self.surveys += 1;
    }

    /// 1 less the sum of squared shares, over what so many equal parts would reach, in
    /// 1/1,000,000. Cash and demand deposits are one part.
    fn spread_now(&self, market: &Market, parts: u8) -> u64 {
        let row = market.row(market.day);
        // In fen, each part rounded down.
        let mut shares = vec![i128::from(self.cash + self.on_the_way()) * FEN_MICROS];
        for (asset, rules) in market.assets.iter().enumerate() {
            let held = self.held(market, &row, market.day, asset);
            match rules.class {
                AssetClass::Demand => shares[0] += held,
                _ => shares.push(held),
            }
        }
        let shares: Vec<i128> = shares.into_iter().map(|share| share / FEN_MICROS).collect();
        let whole: i128 = shares.iter().sum();
        let parts = i128::from(parts);
        if whole <= 0 || parts < 2 {
            return 0;
        }
        let squares: i128 = shares.iter().map(|share| share * share).sum();
        let spread = (whole * whole - squares) * MILLION * parts / (whole * whole * (parts - 1));
        spread.min(MILLION) as u64
    }
}
