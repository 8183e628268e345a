//! `POST /v1/cohorts`: starts a course.

use axum::extract::State;
use dengmi_core::course::{CourseAction, CourseReceipt};
use dengmi_core::{Action, CohortId, CommunityId, Day, Digest, Receipt, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;
use crate::wire::BranchName;

/// Most groups one cohort may live in.
const GROUPS_MAX: usize = 100;

/// The course to start.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CohortInput)]
pub(crate) struct Body {
    /// The branch.
    branch: BranchName,
    /// The course of the current content.
    #[schema(value_type = String, example = "basics-7")]
    course: Slug,
    /// The groups it lives in, 1 to 100. None of them is in another cohort that is not over.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 100, example = json!(["c1-3"]))]
    communities: Vec<CommunityId>,
    /// Day 1.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    start: Day,
}

/// The new cohort.
#[derive(Serialize, ToSchema)]
#[schema(as = CohortCreated)]
pub(crate) struct Created {
    /// Its id.
    #[schema(value_type = String, example = "k1-2")]
    id: CohortId,
    /// Binds the mock market's secret.
    #[schema(value_type = String)]
    commitment: Digest,
}

#[utoipa::path(
    post, path = "/v1/cohorts", operation_id = "startCohort", tag = "courses",
    summary = "Start a course",
    description = "The cohort keeps the content of today. Enrolment opens and lessons are sent by \
                   themselves.",
    request_body = Body,
    responses((status = 201, description = "The new cohort.", body = Created)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Created> {
    let Body { branch: BranchName(branch), course, communities, start } = body;
    let principal = call.principal()?;
    if !reach::branch(&*app.backend, principal, branch) {
        return Err(Problem::not_found());
    }
    if !(1..=GROUPS_MAX).contains(&communities.len()) {
        return Err(Problem::unprocessable(format!("name 1 to {GROUPS_MAX} groups")));
    }
    for &group in &communities {
        if group.branch != branch || !reach::community(&*app.backend, principal, group) {
            return Err(Problem::not_found());
        }
    }
    let action = Action::Course(CourseAction::Start { course, communities, start });
    let done = submit(&app, &call, branch, action).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Started { cohort: id, commitment }) => {
            Ok(Reply::created(Created { id, commitment }).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
