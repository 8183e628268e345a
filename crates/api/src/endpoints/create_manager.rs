//! `POST /v1/managers`: adds a relationship manager to a branch.

use axum::extract::State;
use dengmi_core::{Action, ManagerId, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;
use crate::wire::BranchName;

/// Where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ManagerInput)]
pub(crate) struct Body {
    /// The branch.
    branch: BranchName,
}

/// The new manager.
#[derive(Serialize, ToSchema)]
#[schema(as = ManagerCreated)]
pub(crate) struct Created {
    /// Their id.
    #[schema(value_type = String, example = "g1-5")]
    id: ManagerId,
}

#[utoipa::path(
    post, path = "/v1/managers", operation_id = "createManager", tag = "communities",
    summary = "Add a relationship manager",
    request_body = Body,
    responses((status = 201, description = "The new manager.", body = Created)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Created> {
    if !reach::branch(&*app.backend, call.principal()?, body.branch.0) {
        return Err(Problem::not_found());
    }
    let done = submit(&app, &call, body.branch.0, Action::AddManager).await?;
    match done.receipt {
        Receipt::Manager(id) => Ok(Reply::created(Created { id }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
