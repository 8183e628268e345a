//! `POST /v1/cohorts/{id}/me/debriefs`: a member looks back in writing.

use axum::extract::State;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{DebriefAbout, MockAction, MockReceipt};
use dengmi_core::{CohortId, Receipt};
use serde::Deserialize;
use utoipa::ToSchema;

use super::write_note::Written;
use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::mock::act_with_words;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// A debrief.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DebriefInput)]
pub(crate) struct Body {
    /// `loss`: a loss after which no order is taken before it; `course`: the whole course, once its
    /// last lesson is sent.
    #[schema(value_type = String, example = "loss")]
    about: DebriefAbout,
    /// 1 to 500 characters. Only the member reads it again.
    text: String,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/debriefs", operation_id = "writeDebrief",
    tag = "mock investing",
    summary = "Look back in writing",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 201, description = "The debrief was written.", body = Written),
        (status = 409, description = "There is nothing to look back at now.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { about, text: words }): Input<Body>,
) -> Answer<Written> {
    let debrief = |text| MockAction::WriteDebrief { about, text };
    let done = act_with_words(&app, &call, cohort, &words, debrief).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Written { texts })) => {
            Ok(Reply::created(Written { texts }).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
