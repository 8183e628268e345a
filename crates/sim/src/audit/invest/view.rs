//! A mock account as its member must see it.

use dengmi_core::Fen;
use dengmi_core::mock::{HoldingView, MockView, Score, Units};

use super::account::{Account, FEN_MICROS};
use super::market::Market;

impl Account {
    /// With the score as of now.
    pub(in crate::audit) fn view(&self, market: &Market, score: Score) -> MockView {
        let row = market.row(market.day);
        let holdings = market.assets.iter().enumerate().map(|(asset, rules)| {
            let at_once = rules.class.is_deposit();
            let day = if at_once { market.day } else { market.next().unwrap_or(market.day) };
            let own = self.lots.iter().filter(|lot| lot.asset == asset);
            let redeemable = self.redeemable(market, asset, day) - self.held_back(asset);
            HoldingView {
                asset: asset as u8,
                units: Units(self.units(asset)),
                redeemable: Units(redeemable.max(0)),
                value: Fen((self.held(market, &row, market.day, asset) / FEN_MICROS) as i64),
                cost: Fen(own.map(|lot| lot.cost).sum()),
            }
        });
        let plan = self.plan().map(|plan| (self.plans.len() as u16, plan.clone()));
        MockView {
            cash: Fen(self.cash),
            value: Fen(self.worth_now(market)),
            fees: Fen(self.fees),
            rounding: self.house as i64,
            holdings: holdings.filter(|holding| holding.units.0 > 0).collect(),
            orders: self.orders.iter().map(|order| order.view).collect(),
            plan,
            texts: self.texts.clone(),
            sheets: self.sheets.iter().cloned().collect(),
            reported: self.frauds.iter().cloned().collect(),
            tasks: self.tasks.iter().fold(0, |bits, day| bits | 1 << (day - 1)),
            owes_debrief: self.owes,
            score,
            exit: self.exit,
        }
    }
}
