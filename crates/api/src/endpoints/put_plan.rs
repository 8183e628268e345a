//! `PUT /v1/cohorts/{id}/me/plan`: a member writes their plan, or writes it anew.

use axum::extract::State;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{Goal, MockAction, MockReceipt, Plan, PlanPart};
use dengmi_core::{CohortId, Ppm, Receipt, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::mock::act_with_words;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// A plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanInput)]
pub(crate) struct Body {
    /// What the money is for: `emergency`, `education`, `home`, `retirement`, `purchase` or
    /// `learning`.
    #[schema(value_type = String, example = "education")]
    goal: Goal,
    /// Months until it is needed, 1 to 600.
    months: u16,
    /// The loss that can be borne, in parts per million of the whole.
    loss_ppm: u32,
    /// Largest share of each asset; what is left stays cash.
    parts: Vec<Part>,
    /// The sentence beside it, 1 to 500 characters. Only the member reads it again.
    text: String,
}

/// One asset of a plan.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MockPlanPart)]
pub(super) struct Part {
    /// The asset.
    #[schema(value_type = String, example = "bond-short")]
    asset: Slug,
    /// Largest share of the account, in parts per million.
    share_ppm: u32,
}

impl From<PlanPart> for Part {
    fn from(part: PlanPart) -> Self {
        Self { asset: part.asset, share_ppm: part.share.0 }
    }
}

impl From<Part> for PlanPart {
    fn from(part: Part) -> Self {
        Self { asset: part.asset, share: Ppm(part.share_ppm) }
    }
}

/// A plan that was written.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanWritten)]
pub(crate) struct Written {
    /// 1 for the first.
    version: u16,
}

#[utoipa::path(
    put, path = "/v1/cohorts/{id}/me/plan", operation_id = "putPlan", tag = "mock investing",
    summary = "Write my plan",
    description = "A plan comes before the first order. Orders are held against it.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 200, description = "The plan was written.", body = Written),
        (status = 403, description = "An asset is above the level.", body = Problem),
        (status = 422, description = "The plan cannot be right.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(body): Input<Body>,
) -> Answer<Written> {
    let Body { goal, months, loss_ppm, parts, text: words } = body;
    let parts = parts.into_iter().map(PlanPart::from).collect();
    let plan =
        |text| MockAction::WritePlan(Plan { goal, months, loss: Ppm(loss_ppm), parts, text });
    let done = act_with_words(&app, &call, cohort, &words, plan).await?;
    match done.receipt {
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Planned { version })) => {
            Ok(Reply::ok(Written { version }).replayed(done.replayed))
        }
        _ => Err(done.unexpected()),
    }
}
