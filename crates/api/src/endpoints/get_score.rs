//! `GET /v1/cohorts/{id}/me/score`: a member's score and its parts. What was done and understood
//! counts, luck hardly.

use axum::extract::State;
use dengmi_core::CohortId;
use dengmi_core::course::CohortStage;
use dengmi_core::mock::Score;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::cohort::Own;
use crate::extract::{Admitted, Param};
use crate::mock::{band, investing, market};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// A score.
#[derive(Serialize, ToSchema)]
#[schema(as = MockScore)]
pub(crate) struct Scored {
    /// The sum, 0 to 1,000.
    total: u16,
    /// The band it falls into: what standings show of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<String>,
    /// Whether it is final.
    is_final: bool,
    /// What was given.
    parts: Vec<Part>,
    /// What was taken away.
    penalties: Vec<Penalty>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// A part of a score.
#[derive(Serialize, ToSchema)]
#[schema(as = ScorePart)]
struct Part {
    /// `plan_first`, `orders_in_plan`, `kept_course`, `read_sheet`, `notes`, `knowledge`,
    /// `diversification`, `fit`, `costs` or `outcome`.
    part: &'static str,
    /// Points.
    points: u16,
    /// The most it can bring.
    of: u16,
}

/// Points that were taken away.
#[derive(Serialize, ToSchema)]
#[schema(as = ScorePenalty)]
struct Penalty {
    /// `drawdown` (a fall beyond the own limit) or `turnover` (orders beyond the free ones).
    part: &'static str,
    /// Points.
    points: u16,
}

/// Every part with what was given for it, and the most of it.
fn parts(score: &Score, most: &Score) -> Vec<Part> {
    let part = |part, points, of| Part { part, points, of };
    vec![
        part("plan_first", score.plan_first, most.plan_first),
        part("orders_in_plan", score.orders_in_plan, most.orders_in_plan),
        part("kept_course", score.kept_course, most.kept_course),
        part("read_sheet", score.read_sheet, most.read_sheet),
        part("notes", score.notes, most.notes),
        part("knowledge", score.knowledge, most.knowledge),
        part("diversification", score.diversification, most.diversification),
        part("fit", score.fit, most.fit),
        part("costs", score.costs, most.costs),
        part("outcome", score.outcome, most.outcome),
    ]
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/me/score", operation_id = "getScore", tag = "mock investing",
    summary = "Read my score",
    params(("id" = String, Path, example = "k1-2")),
    responses(
        (status = 200, description = "The score as of now, or the final one.", body = Scored),
        (status = 409, description = "The member takes no part in it.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Scored> {
    let backend = &*app.backend;
    let (own, mine) = Own::find(backend, &call, id)?;
    let view = own.cohort();
    let score = mine.mock.score;
    let rules = investing(backend, view, call.language)?;
    let total = score.total();
    Ok(Reply::ok(Scored {
        total,
        band: band(&rules, total),
        is_final: view.stage > CohortStage::Grading,
        parts: parts(&score, &rules.most),
        penalties: vec![
            Penalty { part: "drawdown", points: score.drawdown },
            Penalty { part: "turnover", points: score.turnover },
        ],
        notices: notices(market(backend, view, call.language)?.notices),
    }))
}
