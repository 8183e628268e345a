//! `POST /v1/cohorts/{id}/me/assessment`: the risk questionnaire is answered.

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{MockAction, MockReceipt};
use dengmi_core::{Receipt, Reject};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::mock::{Level, act, today};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};

/// Most questions a questionnaire can have, far above any.
const QUESTIONS_MAX: usize = 100;

/// Answers to the questionnaire. They are used for the level and nothing else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssessmentInput)]
pub(crate) struct Body {
    /// The member says to be of age.
    adult: bool,
    /// The option chosen for each question, in order, from 0.
    choices: Vec<u8>,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/assessment", operation_id = "answerAssessment",
    tag = "mock investing",
    summary = "Answer the risk questionnaire",
    description = "A level that is another than the last has to be confirmed before it counts.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 200, description = "The level that was found.", body = Level),
        (status = 409, description = "Answered as often as allowed, or too late.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { adult, choices }): Input<Body>,
) -> Answer<Level> {
    if choices.len() > QUESTIONS_MAX {
        return Err(Reject::BadAssessment.into());
    }
    let done = act(&app, &call, cohort, MockAction::Assess { adult, choices }).await?;
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
