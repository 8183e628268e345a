//! `POST /v1/members/{id}/move`: moves a member to another group, or brings one back.

use axum::extract::State;
use dengmi_core::{Action, CommunityId, MemberId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Where to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoveInput)]
pub(crate) struct Body {
    /// The member's group from now on.
    #[schema(value_type = String, example = "c1-3")]
    to: CommunityId,
}

#[utoipa::path(
    post, path = "/v1/members/{id}/move", operation_id = "moveMember", tag = "members",
    summary = "Move a member",
    params(("id" = String, Path, example = "m1-42")),
    request_body = Body,
    responses((status = 204, description = "Moved.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(member): Param<MemberId>,
    Input(Body { to }): Input<Body>,
) -> Answer<()> {
    if !reach::community(&*app.backend, call.principal()?, to) {
        return Err(Problem::not_found());
    }
    let done = submit(&app, &call, member.branch, Action::Move { member, to }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
