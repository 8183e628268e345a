//! `GET /v1/cohorts/{id}/me/assessment`: the risk questionnaire, and the level that was found.

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::mock::attempts_left;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::{Own, content_on};
use crate::extract::{Admitted, Param};
use crate::mock::{Level, investing, today};
use crate::problem::Problem;
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
    /// Times the member may still answer it today.
    left_today: u8,
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
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let named = investing(backend, view, call.language)?.assessment;
    let content = content_on(view, view.sent.max(1));
    let text = content.and_then(|content| backend.assessment(content, &named, call.language));
    let text = text.ok_or_else(|| {
        tracing::error!(cohort = %id, "the questionnaire is missing");
        Problem::internal()
    })?;
    let today = today(backend, &own.catalog, view);
    let questions = text.questions.into_iter();
    Ok(Reply::ok(Assessment {
        title: text.title,
        summary: text.summary,
        questions: questions.map(|(text, options)| Question { text, options }).collect(),
        validity_days: text.validity_days,
        per_day: text.per_day,
        per_year: text.per_year,
        left_today: attempts_left(&mine.assessed, text.per_day, text.per_year, today),
        min_age: text.min_age,
        age_note: text.age_note,
        notices: notices(text.notices),
        level: mine.level.map(|found| Level::of(found, today)),
    }))
}
