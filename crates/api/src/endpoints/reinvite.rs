//! `POST /v1/cohorts/{id}/members/{member}/reinvite`: repeats an invitation that ran out.

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
    post, path = "/v1/cohorts/{id}/members/{member}/reinvite", operation_id = "reinvite",
    tag = "courses",
    summary = "Repeat an invitation",
    description = "Also gives a graduate the first one where no group had room before.",
    params(
        ("id" = String, Path, example = "k1-2"),
        ("member" = String, Path, example = "m1-42"),
    ),
    responses(
        (status = 200, description = "The new invitation.", body = Invitation),
        (status = 409, description = "Nothing to repeat, or no group has room.", body = Problem),
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
    let action = Action::Course(CourseAction::Reinvite { member, cohort });
    Invitation::of(&submit(&app, &call, cohort.branch, action).await?)
}
