//! `GET /v1/communities`: groups within reach.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::Backend;
use crate::community::Community;
use crate::extract::{Admitted, Asked};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::BranchName;

/// Which ones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The branch; needed where an operator reaches several.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
}

/// Groups.
#[derive(Serialize, ToSchema)]
#[schema(as = Communities)]
pub(crate) struct List {
    /// In id order.
    communities: Vec<Community>,
}

#[utoipa::path(
    get, path = "/v1/communities", operation_id = "listCommunities", tag = "communities",
    summary = "List groups",
    params(Query),
    responses((status = 200, description = "Groups within reach.", body = List)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Asked(query): Asked<Query>,
) -> Answer<List> {
    let backend = &*app.backend;
    let principal = call.principal()?;
    let branch = reach::asked_branch(backend, principal, query.branch.map(|name| name.0))?;
    let catalog = backend.catalog(branch).ok_or_else(Problem::unavailable)?;
    let own = reach::own_community(backend, principal);
    let communities = catalog
        .communities
        .iter()
        .filter(|view| principal.reaches_community(&catalog, view.id, own))
        .map(|view| Community::new(backend, &catalog, view, call.language))
        .collect();
    Ok(Reply::ok(List { communities }))
}
