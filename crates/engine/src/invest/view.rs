//! Markets and accounts as readers see them.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_core::Fen;
use dengmi_core::mock::{HoldingView, MarketView, MockView, OrderView, Units};

use super::account::Moment;
use super::{Accounts, Row, Tape, score_of, trade};
use crate::cohort::CohortPlan;

/// The market so far; the path without the script once the course is `over`.
pub(crate) fn market_view(world: &World, entity: Entity, over: bool) -> Arc<MarketView> {
    world.get::<Tape>(entity).expect("cohorts have a market").view(over)
}

/// A member's account.
pub(crate) fn mock_view(world: &World, entity: Entity, member: u32) -> MockView {
    let tape = world.get::<Tape>(entity).expect("cohorts have a market");
    let accounts = world.get::<Accounts>(entity).expect("cohorts have a market");
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let fresh = Row::new(plan.course().mock.cash_fen);
    let row = accounts.0.get(member).unwrap_or(&fresh);
    let now = tape.now();
    let Row { account, conduct, graded } = row;
    let orders = (1..).zip(&account.orders).map(|(number, order)| OrderView {
        number,
        asset: order.asset,
        side: order.side,
        at: order.at,
        market_day: order.market_day,
        state: order.state,
        units: Units(order.units),
        amount: Fen(order.amount),
        fee: Fen(order.fee),
        in_plan: order.in_plan,
    });
    MockView {
        cash: Fen(account.cash),
        value: Fen(account.value(now.assets, now.quotes, now.date)),
        fees: Fen(account.fees),
        rounding: account.house,
        holdings: holdings(row, &now),
        orders: orders.collect(),
        plan: conduct.plan.clone(),
        texts: conduct.texts.clone(),
        tasks: conduct.tasks,
        sheets: conduct.sheets.clone(),
        reported: conduct.reported.clone(),
        owes_debrief: conduct.owes,
        score: score_of(world, entity, member),
        exit: graded.map(|(_, exit)| exit),
    }
}

fn holdings(row: &Row, now: &Moment<'_>) -> Vec<HoldingView> {
    let assets = (0..).zip(now.assets);
    let held = assets.filter_map(|(place, _)| {
        let lots = row.account.lots.iter().filter(|lot| lot.asset == place);
        let units: i64 = lots.clone().map(|lot| lot.units).sum();
        let worth = row.account.worth_of(place, now.assets, now.quotes, now.date);
        (units > 0).then(|| HoldingView {
            asset: place,
            units: Units(units),
            redeemable: Units(row.account.free(now, place)),
            value: Fen(trade::fen(worth)),
            cost: Fen(lots.map(|lot| lot.cost).sum()),
        })
    });
    held.collect()
}
