//! `GET /v1/cohorts/{id}`: one cohort.

use axum::extract::State;
use dengmi_core::CohortId;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Cohort;
use crate::extract::{Admitted, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};

#[utoipa::path(
    get, path = "/v1/cohorts/{id}", operation_id = "getCohort", tag = "courses",
    summary = "Read a cohort",
    params(("id" = String, Path, example = "k1-2")),
    responses((status = 200, description = "The cohort.", body = Cohort)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Cohort> {
    let backend = &*app.backend;
    let principal = call.principal()?;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    Ok(Reply::ok(Cohort::new(backend, principal, &catalog, view, call.language)))
}
