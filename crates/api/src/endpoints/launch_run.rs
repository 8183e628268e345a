//! `POST /v1/runs`: starts a quest.

use axum::extract::State;
use dengmi_core::{Action, CommunityId, Day, Receipt, RunId, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input};
use crate::principal::Role;
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;
use crate::wire::BranchName;

/// Most groups one launch may name.
const GROUPS_MAX: usize = 1_000;

/// The quest to start.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RunInput)]
pub(crate) struct Body {
    /// The branch.
    branch: BranchName,
    /// The quest file of the current content.
    #[schema(value_type = String, example = "lantern-week")]
    quest: Slug,
    /// Groups that take part. Empty: every group of a kind the quest is for, also groups opened
    /// later; a manager must name their own.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["c1-3"]))]
    communities: Vec<CommunityId>,
    /// First day.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    start: Day,
}

/// The new run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunCreated)]
pub(crate) struct Created {
    /// Its id.
    #[schema(value_type = String, example = "r1-9")]
    id: RunId,
}

#[utoipa::path(
    post, path = "/v1/runs", operation_id = "launchRun", tag = "quests",
    summary = "Launch a quest",
    request_body = Body,
    responses((status = 201, description = "The new run.", body = Created)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Created> {
    let Body { branch: BranchName(branch), quest, communities, start } = body;
    let principal = call.principal()?;
    if !reach::branch(&*app.backend, principal, branch) {
        return Err(Problem::not_found());
    }
    if communities.is_empty() && principal.role() == Some(Role::Manager) {
        return Err(Problem::forbidden());
    }
    if communities.len() > GROUPS_MAX {
        return Err(Problem::unprocessable(format!(
            "name at most {GROUPS_MAX} groups, or none for all the quest is for"
        )));
    }
    for &group in &communities {
        if group.branch != branch || !reach::community(&*app.backend, principal, group) {
            return Err(Problem::not_found());
        }
    }
    let done = submit(&app, &call, branch, Action::Launch { quest, communities, start }).await?;
    match done.receipt {
        Receipt::Run(id) => Ok(Reply::created(Created { id }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
