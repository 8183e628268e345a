//! `POST /v1/cohorts/{id}/withdrawals`: a member drops out.

use axum::extract::State;
use dengmi_core::course::CourseAction;
use dengmi_core::{Action, CohortId};

use super::enrol::Body;
use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::reply::{Answer, Reply};
use crate::subject;
use crate::submit::submit;

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/withdrawals", operation_id = "withdraw", tag = "courses",
    summary = "Drop out of a course",
    description = "Points, streak and level stay the member's. While enrolment is open they may \
                   come back.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses((status = 204, description = "Dropped out.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(body): Input<Body>,
) -> Answer<()> {
    let member = subject::member(&app, &call, body.member)?;
    let action = Action::Course(CourseAction::Withdraw { member, cohort });
    let done = submit(&app, &call, cohort.branch, action).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
