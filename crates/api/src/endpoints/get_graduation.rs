//! `GET /v1/cohorts/{id}/me/graduation`: what a member has of what graduation asks for.

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::course::{PupilStage, PupilView};
use dengmi_core::mock::WritingKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, GraduationTerms};
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::investing;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// What graduation asks for. It is decided when the course is graded; `stage` tells how.
#[derive(Serialize, ToSchema)]
pub(crate) struct Graduation {
    /// Where the member is.
    #[schema(value_type = String, example = "enrolled")]
    stage: PupilStage,
    /// Whether all of it is there as of now.
    met: bool,
    /// Each part.
    parts: Vec<Part>,
}

/// A part of the rule.
#[derive(Serialize, ToSchema)]
#[schema(as = GraduationPart)]
struct Part {
    /// `lessons`, `quizzes`, `concepts` (mastered, of those taught so far), `score`, `plan` or
    /// `debrief`.
    part: &'static str,
    /// What the member has.
    have: u32,
    /// What is asked for.
    need: u32,
    /// What is still missing.
    missing: u32,
}

impl Part {
    fn of(part: &'static str, have: u32, need: u32) -> Self {
        Self { part, have, need, missing: need.saturating_sub(have) }
    }
}

/// Every part of the rule, as a member stands to it.
fn parts(rule: &GraduationTerms, mine: &PupilView) -> Vec<Part> {
    let (mastered, taught) = mine.mastered;
    let concepts = (u64::from(rule.mastery.0) * u64::from(taught)).div_ceil(1_000_000);
    let wrote = mine.mock.texts.iter().any(|text| text.kind == WritingKind::Course);
    vec![
        Part::of("lessons", mine.lessons.count_ones(), rule.lessons.into()),
        Part::of("quizzes", mine.quizzes.count_ones(), rule.quizzes.into()),
        Part::of("concepts", mastered.into(), u32::try_from(concepts).unwrap_or(u32::MAX)),
        Part::of("score", mine.mock.score.total().into(), rule.score.into()),
        Part::of("plan", mine.mock.plan.is_some().into(), rule.plan.into()),
        Part::of("debrief", wrote.into(), rule.debrief.into()),
    ]
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/graduation", operation_id = "getGraduation",
    tag = "courses",
    summary = "Read what I still need to graduate",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "Each part of the rule.", body = Graduation),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Graduation> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let rule = investing(backend, view, call.language)?.graduation;
    let parts = parts(&rule, &mine);
    let met = parts.iter().all(|part| part.missing == 0);
    Ok(Reply::ok(Graduation { stage: mine.stage, met, parts }))
}
