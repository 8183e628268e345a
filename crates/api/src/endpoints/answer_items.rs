//! `POST /v1/cohorts/{id}/items`: answers to items outside the quiz of the day.

use axum::extract::State;
use dengmi_core::course::{CourseAction, CourseReceipt, ItemAnswer, ItemMark, Occasion};
use dengmi_core::{Action, CohortId, Day, Receipt, Reject};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::create_answers::Chosen;
use crate::app::App;
use crate::backend::Backend;
use crate::cohort::item_text;
use crate::extract::{Admitted, Call, Input, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Answers to items.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ItemAnswersInput)]
pub(crate) struct Body {
    /// `review`, `before` or `after`, as `/me` asks for them.
    #[schema(value_type = String, example = "review")]
    occasion: Occasion,
    /// 1 to 50 answers, each item once.
    #[schema(min_items = 1, max_items = 50)]
    answers: Vec<One>,
}

/// An answer to one item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ItemAnswerInput)]
struct One {
    /// The item's number.
    item: u16,
    /// What was chosen or typed, by positions as the member sees them.
    choice: Chosen,
}

impl TryFrom<One> for ItemAnswer {
    type Error = Problem;

    fn try_from(answer: One) -> Result<Self, Problem> {
        Ok(Self { item: answer.item, choice: answer.choice.try_into()? })
    }
}

/// What was taken. Only reviews are graded at once; before and after say the same for right and
/// wrong answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ItemAnswersReceipt)]
pub(crate) enum Taken {
    /// Reviews.
    Reviewed {
        /// How each was graded.
        marks: Vec<Marked>,
    },
    /// Before or after.
    Noted {
        /// Items of this occasion answered so far.
        answered: u16,
    },
}

/// How a review was graded.
#[derive(Serialize, ToSchema)]
#[schema(as = ItemMark)]
pub(crate) struct Marked {
    /// The item.
    item: u16,
    /// Fully right.
    right: bool,
    /// Why, for the answer that was given.
    feedback: String,
    /// Day on which its concept is due again.
    #[schema(value_type = String, format = Date)]
    due: Day,
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/items", operation_id = "answerItems", tag = "courses",
    summary = "Answer items of a course",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 200, description = "The answers were taken.", body = Taken),
        (status = 409, description = "An item is not asked now.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(body): Input<Body>,
) -> Answer<Taken> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    if !(1..=50).contains(&body.answers.len()) {
        return Err(Reject::BadAnswers.into());
    }
    let answers = body.answers.into_iter().map(ItemAnswer::try_from).collect::<Result<_, _>>()?;
    let occasion = body.occasion;
    let action = CourseAction::AnswerItems { member, cohort, occasion, answers };
    let done = submit(&app, &call, cohort.branch, Action::Course(action)).await?;
    let taken = match &done.receipt {
        Receipt::Course(CourseReceipt::Taken { answered }) => Taken::Noted { answered: *answered },
        Receipt::Course(CourseReceipt::Reviewed { marks }) => {
            Taken::Reviewed { marks: told(&app, &call, cohort, marks)? }
        }
        _ => return Err(done.unexpected()),
    };
    Ok(Reply::ok(taken).replayed(done.replayed))
}

fn told<B: Backend>(
    app: &App<B>,
    call: &Call,
    cohort: CohortId,
    marks: &[ItemMark],
) -> Result<Vec<Marked>, Problem> {
    let catalog = app.backend.catalog(cohort.branch).ok_or_else(Problem::unavailable)?;
    let view = reach::find_cohort(&catalog, cohort).ok_or_else(Problem::not_found)?;
    let mark = |mark: &ItemMark| {
        let text = item_text(&*app.backend, view, mark.item, call.language);
        let feedback = text.map(|text| if mark.right { text.right } else { text.wrong });
        let feedback = feedback.unwrap_or_default();
        Marked { item: mark.item, right: mark.right, feedback, due: mark.due }
    };
    Ok(marks.iter().map(mark).collect())
}
