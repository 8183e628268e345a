//! `POST /v1/runs/{id}/repairs`: an operator restores a streak that broke through no fault of the
//! member.

use axum::extract::State;
use dengmi_core::command::RepairReason;
use dengmi_core::{Action, MemberId, Receipt, RunId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::streak::Streak;
use crate::submit::submit;

/// What to restore, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RepairInput)]
pub(crate) struct Body {
    /// The member.
    #[schema(value_type = String, example = "m1-42")]
    member: MemberId,
    /// The length the streak should have.
    #[schema(minimum = 1, maximum = 3650)]
    days: u16,
    /// Why. A list, not free text: nothing personal is recorded.
    reason: Reason,
}

/// Why a streak is repaired.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RepairReason)]
enum Reason {
    /// The service was not reachable.
    ServiceFault,
    /// The event was reported after the late window.
    LateReport,
    /// Illness or another hardship of the member.
    Hardship,
    /// An operator's own mistake.
    OperatorError,
}

impl From<Reason> for RepairReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::ServiceFault => Self::ServiceFault,
            Reason::LateReport => Self::LateReport,
            Reason::Hardship => Self::Hardship,
            Reason::OperatorError => Self::OperatorError,
        }
    }
}

#[utoipa::path(
    post, path = "/v1/runs/{id}/repairs", operation_id = "repairStreak", tag = "check-ins",
    summary = "Repair a streak",
    params(("id" = String, Path, example = "r1-9")),
    request_body = Body,
    responses((status = 200, description = "Repaired.", body = Streak)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(run): Param<RunId>,
    Input(body): Input<Body>,
) -> Answer<Streak> {
    let Body { member, days, reason } = body;
    if !reach::member(&*app.backend, call.principal()?, member) {
        return Err(Problem::not_found());
    }
    let action = Action::RepairStreak { member, run, days, reason: reason.into() };
    let done = submit(&app, &call, run.branch, action).await?;
    match done.receipt {
        Receipt::CheckedIn(streak) => Ok(Reply::ok(streak.into()).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
