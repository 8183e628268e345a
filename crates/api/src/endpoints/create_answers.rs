//! `POST /v1/rounds/{id}/answers`: a member answers.

use axum::extract::State;
use dengmi_core::command::{Answer as Given, Choice};
use dengmi_core::outcome::Mark;
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

/// Answers to questions of one round.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnswersInput)]
pub(crate) struct Body {
    /// 1 to 50 answers, each question once.
    #[schema(min_items = 1, max_items = 50)]
    answers: Vec<One>,
}

/// An answer to one question.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnswerInput)]
struct One {
    /// Position of the question as the member sees it, from 0.
    question: u8,
    /// What was chosen or typed.
    choice: Chosen,
}

/// What was chosen, by positions as the member sees them, or typed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Choice)]
pub(super) enum Chosen {
    /// One option.
    One(u8),
    /// Several options.
    Many(Vec<u8>),
    /// True or false.
    Bool(bool),
    /// A number, such as "0.34".
    #[schema(value_type = String)]
    Number(Decimal),
    /// Typed text. It is compared and forgotten, never stored.
    Text(String),
}

impl TryFrom<Chosen> for Choice {
    type Error = Problem;

    fn try_from(chosen: Chosen) -> Result<Self, Problem> {
        Ok(match chosen {
            Chosen::One(option) => Self::One(option),
            Chosen::Many(options) => Self::Many(mask(&options).ok_or(Reject::WrongChoice)?),
            Chosen::Bool(value) => Self::Bool(value),
            Chosen::Number(value) => Self::Number(value),
            Chosen::Text(text) => Self::Text(FoldedHash::of(&text)),
        })
    }
}

impl TryFrom<One> for Given {
    type Error = Problem;

    fn try_from(answer: One) -> Result<Self, Problem> {
        Ok(Self { question: answer.question, choice: answer.choice.try_into()? })
    }
}

/// What was taken. Before the close it says the same for right and wrong answers, unless the
/// quest tells right and wrong at once.
#[derive(Serialize, ToSchema)]
#[schema(as = AnswersReceipt)]
pub(crate) struct Taken {
    /// The round.
    #[schema(value_type = String, example = "q1-31")]
    round: RoundId,
    /// Questions of the round answered so far.
    answered: u8,
    /// How each answer was graded, where the quest says so at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    marks: Option<Vec<Marked>>,
}

/// How an answer was graded.
#[derive(Serialize, ToSchema)]
#[schema(as = Mark)]
pub(crate) struct Marked {
    /// Position of the question as the member sees it.
    question: u8,
    /// Fully right.
    right: bool,
    /// Credit in parts per million.
    score_ppm: u32,
}

impl From<Mark> for Marked {
    fn from(mark: Mark) -> Self {
        Self { question: mark.question, right: mark.right, score_ppm: mark.score.0 }
    }
}

#[utoipa::path(
    post, path = "/v1/rounds/{id}/answers", operation_id = "createAnswers", tag = "rounds",
    summary = "Answer questions",
    params(("id" = String, Path, example = "q1-31")),
    request_body = Body,
    responses(
        (status = 200, description = "The answers were taken.", body = Taken),
        (status = 409, description = "The round is closed, or every attempt is used.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(round): Param<RoundId>,
    Input(body): Input<Body>,
) -> Answer<Taken> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    if !(1..=50).contains(&body.answers.len()) {
        return Err(Reject::BadAnswers.into());
    }
    let answers = body.answers.into_iter().map(Given::try_from).collect::<Result<_, _>>()?;
    let action = Action::Answer { member, round, answers };
    let done = submit(&app, &call, round.branch, action).await?;
    let taken = match done.receipt {
        Receipt::Taken { round, answered } => Taken { round, answered, marks: None },
        Receipt::Graded { round, answered, marks } => {
            let marks = Some(marks.into_iter().map(Marked::from).collect());
            Taken { round, answered, marks }
        }
        _ => return Err(done.unexpected()),
    };
    Ok(Reply::ok(taken).replayed(done.replayed))
}
