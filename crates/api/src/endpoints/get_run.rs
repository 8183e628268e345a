//! `GET /v1/runs/{id}`: one run.

use axum::extract::State;
use dengmi_core::RunId;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::run::Run;

#[utoipa::path(
    get, path = "/v1/runs/{id}", operation_id = "getRun", tag = "quests",
    summary = "Read a run",
    params(("id" = String, Path, example = "r1-9")),
    responses((status = 200, description = "The run.", body = Run)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<RunId>,
) -> Answer<Run> {
    let backend = &*app.backend;
    let principal = call.principal()?;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_run(&catalog, id).ok_or_else(Problem::not_found)?;
    let own = reach::own_community(backend, principal);
    Ok(Reply::ok(Run::new(backend, view, principal, own, call.language)))
}
