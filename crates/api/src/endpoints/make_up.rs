//! `POST /v1/runs/{id}/make-ups`: fills a missed day with a make-up card.

use axum::extract::State;
use dengmi_core::{Action, Day, MemberId, Receipt, RunId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::reply::{Answer, Reply};
use crate::streak::Streak;
use crate::subject;
use crate::submit::submit;

/// The missed day.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MakeUpInput)]
pub(crate) struct Body {
    /// The missed day.
    #[schema(value_type = String, format = Date, example = "2026-11-20")]
    day: Day,
    /// The member; operators only.
    #[schema(value_type = Option<String>, example = "m1-42")]
    member: Option<MemberId>,
}

#[utoipa::path(
    post, path = "/v1/runs/{id}/make-ups", operation_id = "makeUp", tag = "check-ins",
    summary = "Make up a missed day",
    params(("id" = String, Path, example = "r1-9")),
    request_body = Body,
    responses((status = 200, description = "The day was made up.", body = Streak)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(run): Param<RunId>,
    Input(body): Input<Body>,
) -> Answer<Streak> {
    let member = subject::member(&app, &call, body.member)?;
    let action = Action::MakeUp { member, run, day: body.day };
    let done = submit(&app, &call, run.branch, action).await?;
    match done.receipt {
        Receipt::CheckedIn(streak) => Ok(Reply::ok(streak.into()).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
