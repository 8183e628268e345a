//! `POST /v1/rounds/{id}/corrections`: an operator corrects the key of a question, or tries it.

use axum::extract::State;
use dengmi_core::command::Key;
use dengmi_core::outcome::RegradeReport;
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, Decimal, Receipt, Reject, RoundId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::submit::submit;
use crate::wire::mask;

/// The right key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CorrectionInput)]
pub(crate) struct Body {
    /// Position of the question in the content file's order, from 0.
    question: u8,
    /// The right key.
    key: Right,
    /// Only report what would change.
    #[serde(default)]
    dry_run: bool,
}

/// A key, by positions of the options as operators see them after the close.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = KeyInput)]
enum Right {
    /// One option.
    One(u8),
    /// Several options.
    Many(Vec<u8>),
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(RightNumber),
    /// Accepted texts, 1 to 50.
    Text(Vec<String>),
    /// Everybody who answered is right: the question was void.
    Everyone,
}

/// A number and how far off still counts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NumberKeyInput)]
struct RightNumber {
    /// The right number.
    #[schema(value_type = String, example = "0.34")]
    value: Decimal,
    /// Largest difference that is still right; 0 when missing.
    #[serde(default)]
    #[schema(value_type = String, example = "0.01")]
    tolerance: Decimal,
}

impl TryFrom<Right> for Key {
    type Error = Reject;

    fn try_from(right: Right) -> Result<Self, Reject> {
        Ok(match right {
            Right::One(option) => Self::One(option),
            Right::Many(options) => Self::Many(mask(&options).ok_or(Reject::WrongKey)?),
            Right::Bool(value) => Self::Bool(value),
            Right::Number(RightNumber { value, tolerance }) => Self::Number { value, tolerance },
            Right::Text(texts) if (1..=50).contains(&texts.len()) => {
                Self::Text(texts.iter().map(|text| FoldedHash::of(text)).collect())
            }
            Right::Text(_) => return Err(Reject::WrongKey),
            Right::Everyone => Self::Everyone,
        })
    }
}

/// What the corrected key changes, or would change.
#[derive(Serialize, ToSchema)]
#[schema(as = CorrectionReport)]
pub(crate) struct Report {
    /// Whether it was only tried.
    dry_run: bool,
    /// Answers that were looked at.
    answers: u32,
    /// Wrong before, right now.
    now_right: u32,
    /// Right before, wrong now.
    now_wrong: u32,
    /// Score changed while right or wrong did not.
    score_changed: u32,
}

impl From<RegradeReport> for Report {
    fn from(report: RegradeReport) -> Self {
        let RegradeReport { dry_run, answers, now_right, now_wrong, score_changed } = report;
        Self { dry_run, answers, now_right, now_wrong, score_changed }
    }
}

#[utoipa::path(
    post, path = "/v1/rounds/{id}/corrections", operation_id = "createCorrection", tag = "rounds",
    summary = "Correct a key",
    description = "Grades the round again. With `dry_run` it only says what would change.",
    params(("id" = String, Path, example = "q1-31")),
    request_body = Body,
    responses((status = 200, description = "What changed, or would.", body = Report)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(round): Param<RoundId>,
    Input(body): Input<Body>,
) -> Answer<Report> {
    let key = Key::try_from(body.key).map_err(Problem::from)?;
    let Body { question, dry_run, .. } = body;
    let action = Action::CorrectKey { round, question, key, dry_run };
    let done = submit(&app, &call, round.branch, action).await?;
    match done.receipt {
        Receipt::Regraded(report) => Ok(Reply::ok(report.into()).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
