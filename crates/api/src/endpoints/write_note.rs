//! `POST /v1/cohorts/{id}/me/notes`: a member writes a line into their journal.

use axum::extract::State;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{MockAction, MockReceipt};
use dengmi_core::{CohortId, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::mock::act_with_words;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// A line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoteInput)]
pub(crate) struct Body {
    /// 1 to 500 characters. Only the member reads it again.
    text: String,
}

/// A text that was written.
#[derive(Serialize, ToSchema)]
#[schema(as = TextWritten)]
pub(crate) struct Written {
    /// Plans, notes and debriefs so far; an account takes 100.
    pub(super) texts: u16,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/notes", operation_id = "writeNote", tag = "mock investing",
    summary = "Write into my journal",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 201, description = "The line was written.", body = Written),
        (status = 422, description = "The text says nothing, or is too long.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { text: words }): Input<Body>,
) -> Answer<Written> {
    let note = |text| MockAction::WriteNote { text };
    let done = act_with_words(&app, &call, cohort, &words, note).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Written { texts })) => {
            Ok(Reply::created(Written { texts }).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
