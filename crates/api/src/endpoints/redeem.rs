//! `POST /v1/members/{id}/redemptions`: the points mall books an order.

use axum::extract::State;
use dengmi_core::{Action, MemberId, Points, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// The order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedemptionInput)]
pub(crate) struct Body {
    /// The mall's order number; one order is booked once.
    order: u64,
    /// Points it costs.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000)]
    points: Points,
}

/// What is left.
#[derive(Serialize, ToSchema)]
pub(crate) struct Booked {
    /// The member's balance after it.
    #[schema(value_type = i64)]
    pub(crate) balance: Points,
}

#[utoipa::path(
    post, path = "/v1/members/{id}/redemptions", operation_id = "redeem", tag = "points",
    summary = "Book an order of the points mall",
    params(("id" = String, Path, example = "m1-42")),
    request_body = Body,
    responses((status = 200, description = "Booked.", body = Booked)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(member): Param<MemberId>,
    Input(body): Input<Body>,
) -> Answer<Booked> {
    let Body { order, points } = body;
    let action = Action::Redeem { member, points, order };
    let done = submit(&app, &call, member.branch, action).await?;
    match done.receipt {
        Receipt::Booked { balance } => Ok(Reply::ok(Booked { balance }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
