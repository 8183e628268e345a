//! `POST /v1/members/{id}/leave`: the member leaves the programme.

use axum::extract::State;
use dengmi_core::{Action, MemberId};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Param};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

#[utoipa::path(
    post, path = "/v1/members/{id}/leave", operation_id = "leave", tag = "members",
    summary = "Leave the programme",
    description = "What the member holds stays theirs; they may come back.",
    params(("id" = String, Path, example = "m1-42")),
    responses((status = 204, description = "Left.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(member): Param<MemberId>,
) -> Answer<()> {
    let done = submit(&app, &call, member.branch, Action::Leave { member }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
