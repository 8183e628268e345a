//! The RON types operators write. Every file opens with `schema: 1`; a file's id is its path below
//! its folder without `.ron` (`content/products/wealth/steady-90d.ron` is `wealth/steady-90d`);
//! ids live for ever, renames are listed in `was`.

pub mod assessment;
pub mod community;
pub mod course;
pub mod lesson;
pub mod market;
pub mod notice;
pub mod product;
pub mod quest;
pub mod question;
pub mod reward;
pub mod scenario;
pub mod text;
pub mod words;

use dengmi_core::Day;
use serde::Deserialize;

pub use assessment::Assessment;
pub use community::CommunityFile;
pub use course::Course;
pub use lesson::Lesson;
pub use market::Market;
pub use notice::{Notice, NoticeFile};
pub use product::{FactField, FactValue, Product, RiskLevel, Unit};
pub use quest::{CheckInStreak, MomentsChallenge, Quest, QuestKind, QuizSeries};
pub use question::{Answer, Body, ProductFact, Question, QuestionFile};
pub use reward::{PointsFile, RewardRule, RuleVersion};
pub use scenario::Scenario;
pub use text::Text;
pub use words::WordsFile;

/// The one schema number of this release.
pub const SCHEMA: u16 = 1;

/// A compliance approval (C08: no unreviewed text reaches a customer).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Number of the approval in the bank's register.
    pub id: String,
    /// The role that approved; not a person's name.
    pub approver: String,
    /// Last day on which the text may be shown.
    pub valid_to: Day,
}

/// Education or marketing (C22): what a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Purpose {
    /// Teaches; shows no real product.
    Education,
    /// Shows a product.
    Marketing,
}
