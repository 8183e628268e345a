//! `POST /v1/runs/{id}/stop`: ends a run at once.

use axum::extract::State;
use dengmi_core::{Action, RunId};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Param};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

#[utoipa::path(
    post, path = "/v1/runs/{id}/stop", operation_id = "stopRun", tag = "quests",
    summary = "Stop a run",
    description = "Open rounds close and are graded. What was awarded stays.",
    params(("id" = String, Path, example = "r1-9")),
    responses((status = 204, description = "Stopped.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(run): Param<RunId>,
) -> Answer<()> {
    let done = submit(&app, &call, run.branch, Action::Stop { run }).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
