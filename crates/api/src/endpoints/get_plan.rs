//! `GET /v1/cohorts/{id}/me/plan`: the plan in force, with the member's own words.

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::mock::Goal;
use serde::Serialize;
use utoipa::ToSchema;

use super::put_plan::Part;
use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::market;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// The plan in force.
#[derive(Serialize, ToSchema)]
#[schema(as = MockPlan)]
pub(crate) struct Body {
    /// The plan; null before the first.
    plan: Option<Kept>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// A plan as it is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = MockPlanKept)]
struct Kept {
    /// 1 for the first.
    version: u16,
    /// What the money is for.
    #[schema(value_type = String, example = "education")]
    goal: Goal,
    /// Months until it is needed.
    months: u16,
    /// The loss that can be borne, in parts per million of the whole.
    loss_ppm: u32,
    /// Largest share of each asset.
    parts: Vec<Part>,
    /// The sentence beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/plan", operation_id = "getPlan", tag = "mock investing",
    summary = "Read my plan",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The plan.", body = Body),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Body> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let notices = notices(market(backend, view, call.language)?.notices);
    let Some((version, plan)) = mine.mock.plan else {
        return Ok(Reply::ok(Body { plan: None, notices }));
    };
    let words = backend.words_of(own.member).await?;
    let text = words.into_iter().find(|(hash, _)| *hash == plan.text).map(|(_, words)| words);
    let plan = Kept {
        version,
        goal: plan.goal,
        months: plan.months,
        loss_ppm: plan.loss.0,
        parts: plan.parts.into_iter().map(Part::from).collect(),
        text,
    };
    Ok(Reply::ok(Body { plan: Some(plan), notices }))
}
