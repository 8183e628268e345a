//! `GET /v1/cohorts/{id}/me/orders`: the orders of a mock account.

use axum::extract::State;
use dengmi_core::course::CohortView;
use dengmi_core::mock::{OrderState, OrderView, Units};
use dengmi_core::{CohortId, Fen, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use super::create_order::Asked;
use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::{asset_id, market};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{At, Notice, notices};

/// The orders of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderList)]
pub(crate) struct Body {
    /// By number.
    orders: Vec<Order>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// An order.
#[derive(Serialize, ToSchema)]
#[schema(as = MockOrder)]
struct Order {
    /// Its number, from 1.
    order: u16,
    /// The asset.
    #[schema(value_type = String, example = "bond-short")]
    asset: Slug,
    /// What was asked for.
    side: Asked,
    /// When it was placed.
    at: At,
    /// The market day whose price it gets.
    market_day: i32,
    /// `accepted`, `priced`, `settled`, `cancelled` or `void`.
    #[schema(value_type = String, example = "priced")]
    state: OrderState,
    /// Units bought or redeemed, in 1/100.
    #[schema(value_type = i64)]
    units: Units,
    /// What was paid, fee included, or what came or will come of it, in fen.
    #[schema(value_type = i64)]
    amount_fen: Fen,
    /// The fee within it, in fen.
    #[schema(value_type = i64)]
    fee_fen: Fen,
    /// Whether it kept to the plan.
    in_plan: bool,
}

impl Order {
    fn of(view: &CohortView, order: OrderView) -> Result<Self, Problem> {
        Ok(Self {
            order: order.number,
            asset: asset_id(view, order.asset)?,
            side: order.side.into(),
            at: At(order.at),
            market_day: order.market_day,
            state: order.state,
            units: order.units,
            amount_fen: order.amount,
            fee_fen: order.fee,
            in_plan: order.in_plan,
        })
    }
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/orders", operation_id = "listOrders",
    tag = "mock investing",
    summary = "List my orders",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The orders.", body = Body),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Body> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let orders = mine.mock.orders.into_iter();
    let orders = orders.map(|order| Order::of(view, order)).collect::<Result<_, _>>()?;
    let notices = notices(market(backend, view, call.language)?.notices);
    Ok(Reply::ok(Body { orders, notices }))
}
