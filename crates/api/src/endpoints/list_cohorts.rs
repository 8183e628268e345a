//! `GET /v1/cohorts`: cohorts within reach.

use axum::extract::State;
use dengmi_core::course::CohortStage;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Cohort;
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
    /// Whether cohorts that are over are listed too.
    #[serde(default)]
    archived: bool,
}

/// Cohorts.
#[derive(Serialize, ToSchema)]
#[schema(as = Cohorts)]
pub(crate) struct List {
    /// In id order.
    cohorts: Vec<Cohort>,
}

#[utoipa::path(
    get, path = "/v1/cohorts", operation_id = "listCohorts", tag = "courses",
    summary = "List cohorts",
    params(Query),
    responses((status = 200, description = "Cohorts within reach.", body = List)),
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
    let cohorts = catalog
        .cohorts
        .iter()
        .filter(|view| query.archived || view.stage != CohortStage::Archived)
        .filter(|view| reach::reaches_cohort(backend, principal, &catalog, view))
        .map(|view| Cohort::new(backend, principal, &catalog, view, call.language))
        .collect();
    Ok(Reply::ok(List { cohorts }))
}
