//! `GET /v1/cohorts/{id}/me/portfolio`: what a mock account holds. Only its member's own.

use axum::extract::State;
use dengmi_core::mock::{MockView, OrderState, Side, Units};
use dengmi_core::{CohortId, Fen, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::{asset_id, investing, market};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// A mock account, at the prices of the last close.
#[derive(Serialize, ToSchema)]
pub(crate) struct Portfolio {
    /// What it started with, in fen.
    #[schema(value_type = i64)]
    started_with_fen: Fen,
    /// Cash that can be spent, in fen.
    #[schema(value_type = i64)]
    cash_fen: Fen,
    /// Purchases that wait for their price, and redemptions whose cash is on the way, in fen.
    #[schema(value_type = i64)]
    on_the_way_fen: Fen,
    /// Everything, in fen.
    #[schema(value_type = i64)]
    value_fen: Fen,
    /// Fees paid so far, in fen.
    #[schema(value_type = i64)]
    fees_fen: Fen,
    /// What is held.
    holdings: Vec<Holding>,
    /// Whether a debrief is owed before the next order.
    owes_debrief: bool,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// Something that is held.
#[derive(Serialize, ToSchema)]
struct Holding {
    /// The asset.
    #[schema(value_type = String, example = "bond-short")]
    asset: Slug,
    /// Its name.
    title: String,
    /// Units, in 1/100; those not confirmed yet are among them.
    #[schema(value_type = i64)]
    units: Units,
    /// Units that an order placed now could redeem, in 1/100.
    #[schema(value_type = i64)]
    redeemable: Units,
    /// What they are worth, in fen.
    #[schema(value_type = i64)]
    value_fen: Fen,
    /// What they cost, fees included, in fen.
    #[schema(value_type = i64)]
    cost_fen: Fen,
}

/// Purchases without a price and redemptions without their cash.
fn on_the_way(account: &MockView) -> Fen {
    let waits = account.orders.iter().filter(|order| match order.side {
        Side::Buy(_) => order.state == OrderState::Accepted,
        Side::Redeem(_) | Side::Fast(_) | Side::Matured(_) => order.state == OrderState::Priced,
    });
    Fen(waits.fold(0, |sum, order| sum.saturating_add(order.amount.0)))
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/portfolio", operation_id = "getPortfolio",
    tag = "mock investing",
    summary = "Read my mock account",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The account.", body = Portfolio),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Portfolio> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let account = mine.mock;
    let text = market(backend, view, call.language)?;
    let holdings = account.holdings.iter().map(|held| {
        let asset = asset_id(view, held.asset)?;
        let named = text.assets.get(usize::from(held.asset));
        Ok(Holding {
            title: named.map_or_else(|| asset.to_string(), |asset| asset.title.clone()),
            asset,
            units: held.units,
            redeemable: held.redeemable,
            value_fen: held.value,
            cost_fen: held.cost,
        })
    });
    Ok(Reply::ok(Portfolio {
        started_with_fen: investing(backend, view, call.language)?.cash,
        cash_fen: account.cash,
        on_the_way_fen: on_the_way(&account),
        value_fen: account.value,
        fees_fen: account.fees,
        holdings: holdings.collect::<Result<_, Problem>>()?,
        owes_debrief: account.owes_debrief,
        notices: notices(text.notices),
    }))
}
