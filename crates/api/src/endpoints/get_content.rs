//! `GET /v1/content`: which content is current.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Asked};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::BranchName;

/// Whose.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The branch; needed where an operator reaches several.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
}

/// The current content.
#[derive(Serialize, ToSchema)]
pub(crate) struct Content {
    /// BLAKE3 digest of the pack, 64 hexadecimal digits.
    digest: String,
    /// Version of the programme that checked it.
    version: String,
}

#[utoipa::path(
    get, path = "/v1/content", operation_id = "getContent", tag = "quests",
    summary = "Which content is current",
    params(Query),
    responses((status = 200, description = "The current content.", body = Content)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Asked(query): Asked<Query>,
) -> Answer<Content> {
    let backend = &*app.backend;
    let named = query.branch.map(|name| name.0);
    let branch = reach::asked_branch(backend, call.principal()?, named)?;
    let content = backend.content(branch).ok_or_else(Problem::unavailable)?;
    Ok(Reply::ok(Content { digest: content.digest.to_string(), version: content.version }))
}
