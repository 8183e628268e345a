//! `PUT /v1/members/{id}/tags/{tag}`: sets or removes a tag.

use axum::extract::State;
use dengmi_core::{Action, MemberId, Slug};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Params};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Set, or removed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TagInput)]
pub(crate) struct Body {
    /// Set, or removed.
    on: bool,
}

#[utoipa::path(
    put, path = "/v1/members/{id}/tags/{tag}", operation_id = "putTag", tag = "members",
    summary = "Tag a member",
    params(
        ("id" = String, Path, example = "m1-42"),
        ("tag" = String, Path, example = "new-customer"),
    ),
    request_body = Body,
    responses((status = 204, description = "Set or removed.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(member, tag): Params<MemberId, Slug>,
    Input(Body { on }): Input<Body>,
) -> Answer<()> {
    let done = submit(&app, &call, member.branch, Action::Tag { member, tag, on }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
