//! `GET /v1/cohorts/{id}/lessons/{day}`: a lesson that was sent.
//!
//! The number and the way to it are in a type of its own ([`Solution`]), made for a member who has
//! finished the lesson and, once nobody can finish it any more, for everyone. A product on sale is
//! named only to whom it may be shown.

use axum::extract::State;
use dengmi_core::course::{CohortStage, CohortView};
use dengmi_core::mock::ClientLevel;
use dengmi_core::{CohortId, Day, Decimal, Reject};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, LessonText, SheetText};
use crate::cohort::{content_on, pupil, text};
use crate::extract::{Admitted, Params};
use crate::mock::{Withheld, level_today, today, withheld};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// A lesson.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lesson {
    /// Day of the course, from 1.
    day: u8,
    /// The day it was sent.
    #[schema(value_type = String, format = Date)]
    date: Day,
    /// Its name.
    title: String,
    /// What a member can do after it.
    goal: String,
    /// Reading time.
    minutes: u8,
    /// The messages, in order.
    messages: Vec<String>,
    /// The number to compute.
    compute: Compute,
    /// What to do on the mock account, and why.
    task: String,
    /// Product sheets to read.
    sheets: Vec<Sheet>,
    /// Why there are sheets of products on sale that are not named here, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<Withheld>,
    /// Notices shown with it.
    notices: Vec<Notice>,
    /// Whether the calling member has finished it; members who take part only.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished: Option<bool>,
    /// The number and the way to it, for who has finished the lesson; for everyone when the course
    /// is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<Solution>,
}

/// A number to compute.
#[derive(Serialize, ToSchema)]
struct Compute {
    /// What to compute.
    prompt: String,
    /// Unit beside the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

/// A product sheet to read.
#[derive(Serialize, ToSchema)]
#[schema(as = LessonSheet)]
struct Sheet {
    /// The product page.
    #[schema(example = "cash/money-fund")]
    id: String,
    /// Its name.
    title: String,
}

impl From<SheetText> for Sheet {
    fn from(text: SheetText) -> Self {
        Self { id: text.id.to_string(), title: text.title }
    }
}

/// The number of a lesson, and the way to it.
#[derive(Serialize, ToSchema)]
pub(super) struct Solution {
    /// The right number.
    #[schema(value_type = String, example = "8203")]
    answer: Decimal,
    /// The way to it.
    explain: String,
}

impl Solution {
    pub(super) fn of(text: &LessonText) -> Self {
        Self { answer: text.answer, explain: text.explain.clone() }
    }
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/lessons/{day}", operation_id = "getLesson", tag = "courses",
    summary = "Read a lesson",
    params(
        ("id" = String, Path, example = "k1-2"),
        ("day" = u8, Path, description = "Day of the course, from 1", example = 1),
    ),
    responses(
        (status = 200, description = "The lesson.", body = Lesson),
        (status = 409, description = "It was not sent yet.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(id, day): Params<CohortId, u8>,
) -> Answer<Lesson> {
    let backend = &*app.backend;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    let text = sent_lesson(backend, view, day, call.language)?;
    // Who reads along in the group without taking part has nothing finished.
    let mine = call.principal()?.member().and_then(|member| pupil(backend, member, id).ok());
    let finished = mine.as_ref().map(|pupil| pupil.lessons >> (day - 1) & 1 == 1);
    let told = finished == Some(true) || view.stage >= CohortStage::Grading;
    let solution = told.then(|| Solution::of(&text));
    let (sheets, withheld) = match call.principal()?.member() {
        None => (text.sheets, Vec::new()),
        Some(member) => {
            let today = today(backend, &catalog, view);
            let level = mine.as_ref().and_then(|mine| level_today(mine, today));
            let agreed = backend.member(member).is_some_and(|card| card.marketing);
            shown(text.sheets, level, agreed)
        }
    };
    Ok(Reply::ok(Lesson {
        day,
        date: view.first.plus(i32::from(day) - 1),
        title: text.title,
        goal: text.goal,
        minutes: text.minutes,
        messages: text.messages,
        compute: Compute { prompt: text.prompt, unit: text.unit },
        task: text.task,
        sheets: sheets.into_iter().map(Sheet::from).collect(),
        withheld,
        notices: notices(text.notices),
        finished,
        solution,
    }))
}

/// The sheets that a member may see, and why there are others.
fn shown(
    sheets: Vec<SheetText>,
    level: Option<ClientLevel>,
    marketing: bool,
) -> (Vec<SheetText>, Vec<Withheld>) {
    let mut reasons = Vec::new();
    let mut may_see = |sheet: &SheetText| {
        let reason = withheld(sheet.real, sheet.risk, level, marketing);
        if let Some(reason) = reason.filter(|reason| !reasons.contains(reason)) {
            reasons.push(reason);
        }
        reason.is_none()
    };
    let sheets = sheets.into_iter().filter(|sheet| may_see(sheet)).collect();
    (sheets, reasons)
}

/// The text of a lesson, if it was sent; otherwise what can be read now.
pub(super) fn sent_lesson<B: Backend>(
    backend: &B,
    view: &CohortView,
    day: u8,
    language: crate::backend::Language,
) -> Result<LessonText, Problem> {
    let days = view.last.0 - view.first.0 + 1;
    if day == 0 || i32::from(day) > days {
        return Err(Problem::not_found());
    }
    if day > view.sent {
        return Err(not_sent(backend, view, day, language));
    }
    let content = content_on(view, day).ok_or_else(Problem::internal)?;
    backend.lesson(content, &view.course, day, language).ok_or_else(|| {
        tracing::error!(cohort = %view.id, day, "the text of a lesson is missing");
        Problem::internal()
    })
}

fn not_sent<B: Backend>(
    backend: &B,
    view: &CohortView,
    day: u8,
    language: crate::backend::Language,
) -> Problem {
    let mut problem = Problem::from(Reject::LessonNotSent);
    let now = match view.sent {
        0 => "no lesson can be read yet".to_owned(),
        1 => "lesson 1 can be read now".to_owned(),
        sent => format!("lessons 1 to {sent} can be read now"),
    };
    problem.detail = if view.stage > CohortStage::Running {
        format!("the course ended before lesson {day} was sent; {now}")
    } else {
        let date = view.first.plus(i32::from(day) - 1);
        let at = text(backend, view, language).map(|text| format!(" at {}", text.lesson_at));
        format!("lesson {day} is sent on {date}{}; {now}", at.unwrap_or_default())
    };
    problem
}
