//! `courses/<id>/day-NN.ron`: the lesson of one day.

use dengmi_core::{Decimal, Slug};
use serde::Deserialize;

use super::{Approval, Purpose, Text, Unit};

/// A lesson: read in 5 to 8 minutes, one number computed, one quiz, one mock task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Always 1.
    pub schema: u16,
    /// Day of the course, from 1; the file is `day-` and two digits.
    pub day: u8,
    /// Its name.
    pub title: Text,
    /// What a member can do after it.
    pub goal: Text,
    /// Education, or marketing where it shows a real product.
    pub purpose: Purpose,
    /// Concepts taught, such as `fees/redemption`; a question asks only what was taught.
    pub concepts: Vec<Slug>,
    /// Reading time.
    pub minutes: u8,
    /// The messages, sent in this order, each of at most 200 characters.
    pub blocks: Vec<Text>,
    /// Numbers the messages state, with how they come about: the check computes each again and
    /// looks for it in the messages.
    #[serde(default)]
    pub worked: Vec<Worked>,
    /// The number a member computes.
    pub compute: Compute,
    /// Questions of the day, by full id: at least 5.
    pub questions: Vec<Slug>,
    /// Questions asked again, from the lessons one, three and seven days before.
    #[serde(default)]
    pub review: Vec<Slug>,
    /// What to do on the mock account.
    pub mock: MockTask,
    /// Market days that pass with this day of the course; 1 unless the lesson speeds time up.
    #[serde(default = "one")]
    pub timelapse: u16,
    /// Shocks of the scenario that fall on this day, by id.
    #[serde(default)]
    pub shocks: Vec<Slug>,
    /// Product sheets to read, by product; teaching sheets only before the last third (C22).
    #[serde(default)]
    pub sheets: Vec<Slug>,
    /// Notices shown with it, by id.
    pub notices: Vec<Slug>,
    /// Source tags of the numbers, such as `domain 1.1 (L)`.
    #[serde(default)]
    pub cites: Vec<String>,
    /// Compliance approval.
    pub approval: Approval,
}

fn one() -> u16 {
    1
}

/// A number the messages state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worked {
    /// Sums with `+ - * / ^` and parentheses, such as `10000 * 0.024 * 90 / 365`.
    pub formula: String,
    /// The result as it stands in a message, such as `59.18`; commas between thousands may stand.
    pub shown: String,
}

/// The number a member computes, with their own pencil.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// What to compute.
    pub prompt: Text,
    /// How it is computed, as in [`Worked::formula`]. The right number is its value rounded to the
    /// places of `answer`.
    pub formula: String,
    /// The right number.
    pub answer: Decimal,
    /// Its unit, shown beside the field.
    pub unit: Unit,
    /// Largest difference that is still right.
    #[serde(default)]
    pub tolerance: Decimal,
    /// The way to it, shown afterwards.
    pub explain: Text,
}

/// What to do on the mock account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MockTask {
    /// What to do, and why.
    pub text: Text,
    /// What shows that it was done.
    pub done_by: TaskEvidence,
}

/// What shows that a mock task was done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum TaskEvidence {
    /// The risk questionnaire was answered.
    Assessment,
    /// A plan was written or changed.
    Plan,
    /// A journal note was written on this day.
    Note,
    /// A sheet of this lesson was read.
    Sheet,
    /// An order for one of these assets of the market was placed on this day.
    Order(Vec<Slug>),
    /// The fraud in the feed was reported.
    FraudReport,
    /// The closing debrief was written.
    Debrief,
}
