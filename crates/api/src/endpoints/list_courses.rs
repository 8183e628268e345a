//! `GET /v1/courses`: the courses of the current content.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::{Backend, CourseText};
use crate::extract::{Admitted, Asked};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{BranchName, Notice, notices};

/// Which ones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The branch; needed where an operator reaches several.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
}

/// Courses.
#[derive(Serialize, ToSchema)]
#[schema(as = Courses)]
pub(crate) struct List {
    /// In id order.
    courses: Vec<Course>,
}

/// A course that can be started.
#[derive(Serialize, ToSchema)]
struct Course {
    /// Its id.
    #[schema(example = "basics-7")]
    id: String,
    /// Its name.
    title: String,
    /// What it is and what it asks for.
    summary: String,
    /// Days from the first lesson to graduation.
    days: usize,
    /// Names of the lessons, one a day.
    lessons: Vec<String>,
    /// Time of day at which they are sent.
    #[schema(example = "08:30")]
    lesson_at: String,
    /// Days before the first lesson on which enrolment opens.
    opens_days_before: u8,
    /// Last day of the course on which somebody may still come in; 0: only before it starts.
    late_until_day: u8,
    /// Community files of the groups it may live in.
    #[schema(example = json!(["investor-education"]))]
    lives_in: Vec<String>,
    /// Notices that go with it.
    notices: Vec<Notice>,
}

impl From<CourseText> for Course {
    fn from(text: CourseText) -> Self {
        Self {
            id: text.id.to_string(),
            title: text.title,
            summary: text.summary,
            days: text.lessons.len(),
            lessons: text.lessons,
            lesson_at: text.lesson_at.to_string(),
            opens_days_before: text.opens_days_before,
            late_until_day: text.late_until_day,
            lives_in: text.lives_in.iter().map(ToString::to_string).collect(),
            notices: notices(text.notices),
        }
    }
}

#[utoipa::path(
    get, path = "/v1/courses", operation_id = "listCourses", tag = "courses",
    summary = "List courses",
    params(Query),
    responses((status = 200, description = "Courses of the current content.", body = List)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Asked(query): Asked<Query>,
) -> Answer<List> {
    let backend = &*app.backend;
    let branch = reach::asked_branch(backend, call.principal()?, query.branch.map(|name| name.0))?;
    let catalog = backend.catalog(branch).ok_or_else(Problem::unavailable)?;
    let courses = backend.courses(catalog.content, call.language);
    Ok(Reply::ok(List { courses: courses.into_iter().map(Course::from).collect() }))
}
