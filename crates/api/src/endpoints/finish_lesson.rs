//! `POST /v1/cohorts/{id}/lessons/{day}/finish`: a lesson was read, and its number computed.

use axum::extract::State;
use dengmi_core::course::{CourseAction, CourseReceipt};
use dengmi_core::{Action, CohortId, Decimal, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::get_lesson::{Solution, sent_lesson};
use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Params};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// What a member computed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LessonFinish)]
pub(crate) struct Body {
    /// The number, such as "8203".
    #[schema(value_type = String, example = "8203")]
    computed: Decimal,
}

/// A lesson that is finished. Each can be finished once, so the number is told.
#[derive(Serialize, ToSchema)]
#[schema(as = LessonFinished)]
pub(crate) struct Finished {
    /// Whether the number was right.
    right: bool,
    /// Lessons finished so far.
    lessons: u8,
    /// The number and the way to it.
    solution: Solution,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/lessons/{day}/finish", operation_id = "finishLesson",
    tag = "courses",
    summary = "Finish a lesson",
    description = "Once for each lesson: afterwards the right number is told.",
    params(
        ("id" = String, Path, example = "k1-2"),
        ("day" = u8, Path, description = "Day of the course, from 1", example = 1),
    ),
    request_body = Body,
    responses(
        (status = 200, description = "The lesson is finished.", body = Finished),
        (status = 409, description = "Not sent yet, finished before, or too late.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(cohort, day): Params<CohortId, u8>,
    Input(Body { computed }): Input<Body>,
) -> Answer<Finished> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let backend = &*app.backend;
    let catalog = backend.catalog(cohort.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, cohort).ok_or_else(Problem::not_found)?;
    let text = sent_lesson(backend, view, day, call.language)?;
    let action = Action::Course(CourseAction::FinishLesson { member, cohort, day, computed });
    let done = submit(&app, &call, cohort.branch, action).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Finished { right, lessons }) => {
            let solution = Solution::of(&text);
            Ok(Reply::ok(Finished { right, lessons, solution }).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
