//! `POST /v1/runs/{id}/posts`: a manager's Moments post goes up.

use axum::extract::State;
use dengmi_core::{Action, ManagerId, PostId, Receipt, RunId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::principal::{Principal, Role};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Whose post.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostInput)]
pub(crate) struct Body {
    /// The manager; may be left out by managers themselves.
    #[schema(value_type = Option<String>, example = "g1-5")]
    manager: Option<ManagerId>,
}

/// The new post.
#[derive(Serialize, ToSchema)]
#[schema(as = PostCreated)]
pub(crate) struct Created {
    /// Its id.
    #[schema(value_type = String, example = "p1-8")]
    id: PostId,
}

#[utoipa::path(
    post, path = "/v1/runs/{id}/posts", operation_id = "publishPost", tag = "posts",
    summary = "Record a Moments post",
    params(("id" = String, Path, example = "r1-9")),
    request_body = Body,
    responses((status = 201, description = "The new post.", body = Created)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(run): Param<RunId>,
    Input(body): Input<Body>,
) -> Answer<Created> {
    let manager = match call.principal()? {
        Principal::Operator { role: Role::Manager, manager: Some(own), .. } => {
            if body.manager.is_some_and(|named| named != *own) {
                return Err(Problem::not_found());
            }
            *own
        }
        _ => body.manager.ok_or_else(|| Problem::unprocessable("name the `manager`"))?,
    };
    let done = submit(&app, &call, run.branch, Action::Publish { run, manager }).await?;
    match done.receipt {
        Receipt::Post(id) => Ok(Reply::created(Created { id }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
