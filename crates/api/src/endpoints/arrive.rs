//! `POST /v1/cohorts/{id}/members/{member}/arrival`: somebody who accepted has come into the group.

use axum::extract::State;
use dengmi_core::course::CourseAction;
use dengmi_core::{Action, CohortId, MemberId};

use super::answer_invitation::Invitation;
use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Params};
use crate::problem::Problem;
use crate::reach;
use crate::reply::Answer;
use crate::submit::submit;

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/members/{member}/arrival", operation_id = "arrive",
    tag = "courses",
    summary = "Report an arrival",
    description = "Moves the member into the long-term group; nothing else does. What they earned stays theirs.",
    params(
        ("id" = String, Path, example = "k1-2"),
        ("member" = String, Path, example = "m1-42"),
    ),
    responses(
        (status = 200, description = "The invitation they came by.", body = Invitation),
        (status = 409, description = "They have not accepted an invitation.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(cohort, member): Params<CohortId, MemberId>,
) -> Answer<Invitation> {
    // The path's first name was checked at the door.
    if !reach::member(&*app.backend, call.principal()?, member) {
        return Err(Problem::not_found());
    }
    let action = Action::Course(CourseAction::Arrive { member, cohort });
    Invitation::of(&submit(&app, &call, cohort.branch, action).await?)
}
