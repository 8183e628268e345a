//! What would have become of an account: on the path without the script, by the first plan alone,
//! and in the demand deposit.

use dengmi_content::model::market::AssetClass;
use dengmi_core::mock::{Exit, Side, Units};
use dengmi_core::{Fen, Ppm, Timestamp};

use super::account::Account;
use super::market::{Market, Row};
use super::trade::Placing;

const UNJUDGED: Placing = Placing { at: Timestamp(0), sent: 0, read: true, slack: Ppm(0) };

/// Orders placed while a market day was the last one with a price.
type Orders<'o> = &'o dyn Fn(&mut Account, &Market, i32);

/// An account with some orders, to the last day that has a price.
fn played(market: &Market, scripted: bool, orders: Orders<'_>) -> i64 {
    let mut account = Account::new(market.mock.cash_fen);
    let mut desk = market.before_the_first_close(scripted);
    let mut before: Row = desk.row(desk.day);
    while desk.day < market.day {
        orders(&mut account, &desk, desk.day);
        desk.day += 1;
        let row = desk.row(desk.day);
        account.close(&desk, (&before, &row), desk.day, Timestamp(0));
        before = row;
    }
    orders(&mut account, &desk, desk.day);
    account.worth_now(&desk)
}

impl Account {
    /// All of the cash at the demand rate of the first order's day since then, in whole millionths.
    pub(in crate::audit) fn in_cash(&self, market: &Market) -> i64 {
        let demand = market.assets.iter().position(|asset| asset.class == AssetClass::Demand);
        let since = self.orders.iter().find(|order| order.counts());
        let since = since.map_or(market.day, |order| order.placed);
        let days = i64::from(market.date(market.day) - market.date(since));
        let rate = demand.map_or(0, |asset| market.row(since)[asset].yearly);
        self.start + self.start * (rate * days / 365 / 100) / 1_000_000
    }

    /// Units that an order placed now could redeem.
    fn free(&self, market: &Market, asset: usize) -> i64 {
        let at_once = market.assets[asset].class.is_deposit();
        let day = if at_once { market.day } else { market.next().unwrap_or(market.day) };
        (self.redeemable(market, asset, day) - self.held_back(asset)).max(0)
    }

    /// The same orders on the path without the script.
    fn without_script(&self, market: &Market) -> i64 {
        played(market, false, &|account, desk, day| {
            for order in &self.orders {
                if order.placed != day || !order.counts() {
                    continue;
                }
                let asset = usize::from(order.view.asset);
                let _ = match order.view.side {
                    Side::Buy(Fen(amount)) => {
                        let amount = amount.min(account.cash);
                        account.buy(desk, asset, amount, UNJUDGED)
                    }
                    Side::Redeem(Units(units)) => {
                        let units = units.min(account.free(desk, asset));
                        account.redeem(desk, asset, units, false, UNJUDGED)
                    }
                    Side::Fast(Units(units)) => {
                        let units = units.min(account.free(desk, asset));
                        account.redeem(desk, asset, units, true, UNJUDGED)
                    }
                    Side::Matured(_) => continue,
                };
            }
        })
    }

    /// The first plan bought on the day of the first order and kept.
    fn plan_kept(&self, market: &Market) -> i64 {
        let first = self.orders.iter().find(|order| order.counts()).map(|order| order.placed);
        played(market, true, &|account, desk, day| {
            if Some(day) != first {
                return;
            }
            for part in self.first_plan.as_ref().map_or(&[][..], |plan| &plan.parts) {
                if let Some((asset, _)) = desk.asset(&part.asset) {
                    let amount = part.share.of(self.start).min(account.cash);
                    let _ = account.buy(desk, asset, amount, UNJUDGED);
                }
            }
        })
    }

    /// All of it, at the end.
    pub(in crate::audit) fn exit_figures(&self, market: &Market) -> Exit {
        Exit {
            value: Fen(self.worth_now(market)),
            without_script: Fen(self.without_script(market)),
            plan_kept: Fen(self.plan_kept(market)),
            in_cash: Fen(self.in_cash(market)),
            drawdown: self.fall,
        }
    }
}
