//! `POST /v1/cohorts/{id}/amend`: goes on with other content.

use axum::extract::State;
use dengmi_core::course::CourseAction;
use dengmi_core::{Action, CohortId, Digest};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// What changes, and from when on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CohortAmendment)]
pub(crate) struct Body {
    /// First day of the course that changes, not sent yet.
    #[schema(example = 4)]
    from_day: u8,
    /// Checked content that has the course; the current one where none is named.
    #[schema(value_type = Option<String>)]
    content: Option<Digest>,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/amend", operation_id = "amendCohort", tag = "courses",
    summary = "Change a running course",
    description = "What was sent stays as it was. The market and the paired items cannot change.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses((status = 204, description = "It goes on with that content.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(body): Input<Body>,
) -> Answer<()> {
    let current = || app.backend.content(cohort.branch).map(|content| content.digest);
    let digest = body.content.or_else(current).ok_or_else(Problem::unavailable)?;
    let action = CourseAction::Amend { cohort, digest, from_day: body.from_day };
    let done = submit(&app, &call, cohort.branch, Action::Course(action)).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
