//! `POST /v1/cohorts/{id}/dissolve`: ends a cohort early.

use axum::extract::State;
use dengmi_core::course::CourseAction;
use dengmi_core::{Action, CohortId};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Param};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/dissolve", operation_id = "dissolveCohort", tag = "courses",
    summary = "Dissolve a cohort",
    description = "No more lessons, nobody graduates; what members earned stays theirs, and the \
                   record can still be read.",
    params(("id" = String, Path, example = "k1-2")),
    responses((status = 204, description = "Dissolved.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
) -> Answer<()> {
    let action = Action::Course(CourseAction::Dissolve { cohort });
    let done = submit(&app, &call, cohort.branch, action).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
