//! `POST /v1/cohorts/{id}/me/assessment/confirmation`: a changed risk level is confirmed.

use axum::extract::State;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{MockAction, MockReceipt};
use dengmi_core::{CohortId, Receipt};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Param};
use crate::mock::{Level, act, today};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/assessment/confirmation", operation_id = "confirmLevel",
    tag = "mock investing",
    summary = "Confirm a changed risk level",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The level, which counts from now on.", body = Level),
        (status = 409, description = "None waits to be confirmed.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
) -> Answer<Level> {
    let done = act(&app, &call, cohort, MockAction::ConfirmLevel).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Assessed(found))) => {
            let catalog = app.backend.catalog(cohort.branch).ok_or_else(Problem::unavailable)?;
            let view = reach::find_cohort(&catalog, cohort).ok_or_else(Problem::not_found)?;
            let today = today(&*app.backend, &catalog, view);
            Ok(Reply::ok(Level::of(found, today)).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
