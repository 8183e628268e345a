//! `PUT /v1/members/{id}/board-visibility`: a member shows or hides themselves on standings.

use axum::extract::State;
use dengmi_core::{Action, MemberId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Shown, or hidden.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VisibilityInput)]
pub(crate) struct Body {
    /// Shown by name, or hidden. Ranks count everyone either way.
    shown: bool,
}

#[utoipa::path(
    put, path = "/v1/members/{id}/board-visibility", operation_id = "putBoardVisibility",
    tag = "members",
    summary = "Show or hide oneself on standings",
    params(("id" = String, Path, example = "m1-42")),
    request_body = Body,
    responses((status = 204, description = "Set.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(member): Param<MemberId>,
    Input(Body { shown }): Input<Body>,
) -> Answer<()> {
    let done = submit(&app, &call, member.branch, Action::ShowOnBoards { member, shown }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
