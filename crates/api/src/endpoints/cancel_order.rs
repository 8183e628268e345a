//! `DELETE /v1/cohorts/{id}/me/orders/{order}`: an order is taken back before its price is made.

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::mock::MockAction;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Params};
use crate::mock::act;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

#[utoipa::path(
    delete, path = "/v1/cohorts/{id}/me/orders/{order}", operation_id = "cancelOrder",
    tag = "mock investing",
    summary = "Take an order back",
    params(
        ("id" = String, Path, example = "k1-2"),
        ("order" = u16, Path, description = "Its number in the account", example = 1),
    ),
    responses(
        (status = 204, description = "Taken back; the cash of a purchase is there again."),
        (status = 409, description = "It has its price, or was taken back.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(cohort, order): Params<CohortId, u16>,
) -> Answer<()> {
    let done = act(&app, &call, cohort, MockAction::Cancel { order }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
