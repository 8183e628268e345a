//! `POST /v1/rounds/{id}/extra-time`: more time for one member.

use axum::extract::State;
use dengmi_core::{Action, MemberId, RoundId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Who, and how much.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExtraTimeInput)]
pub(crate) struct Body {
    /// The member.
    #[schema(value_type = String, example = "m1-42")]
    member: MemberId,
    /// Seconds after the round's close, up to 7 days.
    #[schema(minimum = 1, maximum = 604800)]
    seconds: u32,
}

#[utoipa::path(
    post, path = "/v1/rounds/{id}/extra-time", operation_id = "grantTime", tag = "rounds",
    summary = "Grant extra time",
    params(("id" = String, Path, example = "q1-31")),
    request_body = Body,
    responses((status = 204, description = "Granted.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(round): Param<RoundId>,
    Input(body): Input<Body>,
) -> Answer<()> {
    let Body { member, seconds } = body;
    if !reach::member(&*app.backend, call.principal()?, member) {
        return Err(Problem::not_found());
    }
    let action = Action::GrantTime { member, round, seconds };
    let done = submit(&app, &call, round.branch, action).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
