//! `GET /v1/quests`: runs within reach, with their texts.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Asked};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::run::Run;
use crate::wire::BranchName;

/// Which ones.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The branch; needed where an operator reaches several.
    #[param(value_type = Option<String>, example = "b1")]
    branch: Option<BranchName>,
    /// Whether runs that have ended are listed too.
    #[serde(default)]
    ended: bool,
}

/// Runs.
#[derive(Serialize, ToSchema)]
#[schema(as = Runs)]
pub(crate) struct List {
    /// In id order.
    runs: Vec<Run>,
}

#[utoipa::path(
    get, path = "/v1/quests", operation_id = "listQuests", tag = "quests",
    summary = "List runs of quests",
    params(Query),
    responses((status = 200, description = "Runs within reach.", body = List)),
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
    let runs = catalog
        .runs
        .iter()
        .filter(|run| query.ended || run.ended.is_none())
        .filter(|run| reach::takes_part(principal, &catalog, run, own))
        .map(|run| Run::new(backend, run, principal, own, call.language))
        .collect();
    Ok(Reply::ok(List { runs }))
}
