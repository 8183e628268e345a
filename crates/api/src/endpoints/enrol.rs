//! `POST /v1/cohorts/{id}/enrolments`: a member takes part, or an operator enters them.

use axum::extract::State;
use dengmi_core::course::CourseAction;
use dengmi_core::{Action, CohortId, MemberId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::reply::{Answer, Reply};
use crate::subject;
use crate::submit::submit;

/// Who; `{}` for members themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrolmentInput)]
pub(crate) struct Body {
    /// The member; operators only.
    #[schema(value_type = Option<String>, example = "m1-42")]
    pub(super) member: Option<MemberId>,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/enrolments", operation_id = "enrol", tag = "courses",
    summary = "Enrol in a course",
    description = "The member belongs to one of the cohort's groups and takes no other course.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses((status = 204, description = "Enrolled.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(body): Input<Body>,
) -> Answer<()> {
    let member = subject::member(&app, &call, body.member)?;
    let action = Action::Course(CourseAction::Enrol { member, cohort });
    let done = submit(&app, &call, cohort.branch, action).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
