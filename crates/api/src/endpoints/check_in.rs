//! `POST /v1/runs/{id}/check-ins`: a member checks in, or an operator reports it.

use axum::extract::State;
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, MemberId, Receipt, RunId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::streak::Streak;
use crate::subject;
use crate::submit::submit;
use crate::wire::At;

/// A check-in; `{}` for the button.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckInInput)]
pub(crate) struct Body {
    /// The phrase of the day, as it was typed. It is compared and forgotten, never stored.
    phrase: Option<String>,
    /// The member; operators only.
    #[schema(value_type = Option<String>, example = "m1-42")]
    member: Option<MemberId>,
    /// When it happened, if reported late; operators only.
    occurred: Option<At>,
}

#[utoipa::path(
    post, path = "/v1/runs/{id}/check-ins", operation_id = "checkIn", tag = "check-ins",
    summary = "Check in",
    params(("id" = String, Path, example = "r1-9")),
    request_body = Body,
    responses(
        (status = 200, description = "The check-in counted.", body = Streak),
        (status = 409, description = "The day is already checked in, or the run is over.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(run): Param<RunId>,
    Input(body): Input<Body>,
) -> Answer<Streak> {
    subject::operators_only(&call, body.occurred.is_some(), "occurred")?;
    let member = subject::member(&app, &call, body.member)?;
    let phrase = body.phrase.map(|text| FoldedHash::of(&text));
    let occurred = body.occurred.map(|at| at.0);
    let action = Action::CheckIn { member, run, phrase, occurred };
    let done = submit(&app, &call, run.branch, action).await?;
    match done.receipt {
        Receipt::CheckedIn(streak) => Ok(Reply::ok(streak.into()).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
