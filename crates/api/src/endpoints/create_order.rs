//! `POST /v1/cohorts/{id}/me/orders`: an order on the mock account, at a price nobody knows yet.

use axum::extract::State;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{MockAction, MockReceipt, OrderState, Side, Units};
use dengmi_core::{CohortId, Fen, Receipt, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::mock::act;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// An order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderInput)]
pub(crate) struct Body {
    /// The asset, by its id in the market.
    #[schema(value_type = String, example = "bond-short")]
    asset: Slug,
    /// What is asked for.
    side: Wanted,
}

/// What an order asks for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = OrderSide)]
enum Wanted {
    /// To buy.
    Buy {
        /// What it may cost, fees included, in fen.
        #[schema(value_type = i64, example = 1_000_000)]
        amount_fen: Fen,
    },
    /// To redeem, those units first that were held longest.
    Redeem {
        /// How many, in 1/100.
        #[schema(value_type = i64)]
        units: Units,
    },
    /// To redeem at once, within the daily limit of the asset.
    RedeemFast {
        /// How many, in 1/100.
        #[schema(value_type = i64)]
        units: Units,
    },
}

/// What an order asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderSidePlaced)]
pub(super) enum Asked {
    /// To buy.
    Buy {
        /// What it may cost, in fen.
        #[schema(value_type = i64)]
        amount_fen: Fen,
    },
    /// To redeem.
    Redeem {
        /// How many units, in 1/100.
        #[schema(value_type = i64)]
        units: Units,
    },
    /// To redeem at once.
    RedeemFast {
        /// How many units, in 1/100.
        #[schema(value_type = i64)]
        units: Units,
    },
    /// Nobody's order: a term ended.
    Matured {
        /// How many units, in 1/100.
        #[schema(value_type = i64)]
        units: Units,
    },
}

impl From<Side> for Asked {
    fn from(side: Side) -> Self {
        match side {
            Side::Buy(amount_fen) => Self::Buy { amount_fen },
            Side::Redeem(units) => Self::Redeem { units },
            Side::Fast(units) => Self::RedeemFast { units },
            Side::Matured(units) => Self::Matured { units },
        }
    }
}

/// An order that was taken.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderTaken)]
pub(crate) struct Taken {
    /// Its number in the account.
    order: u16,
    /// The market day whose price it gets, or got.
    market_day: i32,
    /// `accepted` where it waits for its price, `settled` where it is done at once.
    #[schema(value_type = String, example = "accepted")]
    state: OrderState,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/orders", operation_id = "createOrder",
    tag = "mock investing",
    summary = "Place an order",
    description = "Orders get the price of the next close, which nobody knows yet; until then they \
                   can be taken back. Deposits and fast redemptions are done at once.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 201, description = "The order was taken.", body = Taken),
        (status = 403, description = "The asset is above the level.", body = Problem),
        (status = 404, description = "There is no such asset.", body = Problem),
        (status = 409, description = "It cannot be placed now; the code says why.", body = Problem),
        (status = 422, description = "The amount is out of range.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { asset, side }): Input<Body>,
) -> Answer<Taken> {
    let order = match side {
        Wanted::Buy { amount_fen: amount } => MockAction::Buy { asset, amount },
        Wanted::Redeem { units } => MockAction::Redeem { asset, units, fast: false },
        Wanted::RedeemFast { units } => MockAction::Redeem { asset, units, fast: true },
    };
    let done = act(&app, &call, cohort, order).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Ordered { order, market_day, state })) => {
            Ok(Reply::created(Taken { order, market_day, state }).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
