//! `GET /v1/cohorts/{id}/me/assessment`: the risk questionnaire, and the level that was found.

use axum::extract::State;
use dengmi_core::CohortId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::{content_on, pupil};
use crate::extract::{Admitted, Param};
use crate::mock::{Level, investing, today};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// A risk questionnaire.
#[derive(Serialize, ToSchema)]
pub(crate) struct Assessment {
    /// Its name.
    title: String,
    /// What it is for.
    summary: String,
    /// The questions, in order: the answer is one position for each.
    questions: Vec<Question>,
    /// Days a result holds.
    validity_days: u16,
    /// Most times it may be answered on one day, over all courses.
    per_day: u8,
    /// Most times within 365 days, over all courses.
    per_year: u8,
    /// Least age in years.
    min_age: u8,
    /// What younger members read instead.
    age_note: String,
    /// Notices shown with it.
    notices: Vec<Notice>,
    /// What was found last.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
}

/// A question of it.
#[derive(Serialize, ToSchema)]
#[schema(as = AssessmentQuestion)]
struct Question {
    /// The question.
    text: String,
    /// What is chosen among, position 0 first.
    options: Vec<String>,
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/assessment", operation_id = "getAssessment",
    tag = "mock investing",
    summary = "Read the risk questionnaire",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The questionnaire.", body = Assessment),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Assessment> {
    let backend = &*app.backend;
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    let mine = pupil(backend, member, id)?;
    let named = investing(backend, view, call.language)?.assessment;
    let content = content_on(view, view.sent.max(1));
    let text = content.and_then(|content| backend.assessment(content, &named, call.language));
    let text = text.ok_or_else(|| {
        tracing::error!(cohort = %id, "the questionnaire is missing");
        Problem::internal()
    })?;
    let today = today(backend, &catalog, view);
    let questions = text.questions.into_iter();
    Ok(Reply::ok(Assessment {
        title: text.title,
        summary: text.summary,
        questions: questions.map(|(text, options)| Question { text, options }).collect(),
        validity_days: text.validity_days,
        per_day: text.per_day,
        per_year: text.per_year,
        min_age: text.min_age,
        age_note: text.age_note,
        notices: notices(text.notices),
        level: mine.level.map(|found| Level::of(found, today)),
    }))
}
