//! `POST /v1/cohorts/{id}/me/fraud-reports`: a fraud in the feed is reported.

use axum::extract::State;
use dengmi_core::mock::MockAction;
use dengmi_core::{CohortId, Slug};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::mock::act;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// What is reported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FraudReportInput)]
pub(crate) struct Body {
    /// The news, by its id.
    #[schema(value_type = String, example = "fraud-pitch")]
    news: Slug,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/fraud-reports", operation_id = "reportFraud",
    tag = "mock investing",
    summary = "Report a fraud",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 204, description = "It is one, and was reported."),
        (status = 409, description = "It is none, or was reported before.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { news }): Input<Body>,
) -> Answer<()> {
    let done = act(&app, &call, cohort, MockAction::ReportFraud { news }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
