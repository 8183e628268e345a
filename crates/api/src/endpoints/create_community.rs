//! `POST /v1/communities`: opens a group.

use axum::extract::State;
use dengmi_core::{Action, CommunityId, ManagerId, Receipt, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// The group to open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CommunityInput)]
pub(crate) struct Body {
    /// The community file of the current content.
    #[schema(value_type = String, example = "payroll")]
    template: Slug,
    /// Its relationship manager; the group belongs to the manager's branch.
    #[schema(value_type = String, example = "g1-5")]
    manager: ManagerId,
}

/// The new group.
#[derive(Serialize, ToSchema)]
#[schema(as = CommunityCreated)]
pub(crate) struct Created {
    /// Its id.
    #[schema(value_type = String, example = "c1-3")]
    id: CommunityId,
}

#[utoipa::path(
    post, path = "/v1/communities", operation_id = "createCommunity", tag = "communities",
    summary = "Open a group",
    request_body = Body,
    responses((status = 201, description = "The new group.", body = Created)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Created> {
    let branch = body.manager.branch;
    if !reach::branch(&*app.backend, call.principal()?, branch) {
        return Err(Problem::not_found());
    }
    let action = Action::OpenCommunity { template: body.template, manager: body.manager };
    let done = submit(&app, &call, branch, action).await?;
    match done.receipt {
        Receipt::Community(id) => Ok(Reply::created(Created { id }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
