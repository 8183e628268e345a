//! `GET /v1/cohorts/{id}/me/journal`: everything a member wrote in a course, in their own words.
//! Nobody else reads them.

use std::collections::HashMap;

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::mock::WritingKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::market;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{At, Notice, notices};

/// What a member wrote.
#[derive(Serialize, ToSchema)]
#[schema(as = MockJournal)]
pub(crate) struct Body {
    /// Oldest first.
    texts: Vec<Text>,
    /// Whether a debrief is owed before the next order.
    owes_debrief: bool,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// One text.
#[derive(Serialize, ToSchema)]
#[schema(as = MockText)]
struct Text {
    /// When it was written.
    at: At,
    /// `plan`, `note`, `loss` (a debrief of a loss) or `course` (of the course).
    #[schema(value_type = String, example = "note")]
    kind: WritingKind,
    /// The words; missing where they are no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/journal", operation_id = "getJournal",
    tag = "mock investing",
    summary = "Read what I wrote",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "Plans, notes and debriefs.", body = Body),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Body> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let words: HashMap<_, _> = backend.words_of(own.member).await?.into_iter().collect();
    let texts = mine.mock.texts.iter().map(|text| Text {
        at: At(text.at),
        kind: text.kind,
        text: words.get(&text.text).cloned(),
    });
    Ok(Reply::ok(Body {
        texts: texts.collect(),
        owes_debrief: mine.mock.owes_debrief,
        notices: notices(market(backend, view, call.language)?.notices),
    }))
}
