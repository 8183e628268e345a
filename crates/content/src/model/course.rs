//! `courses/<id>/course.ron`: a cohort course of one to two weeks.

use dengmi_core::time::TimeOfDay;
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::{Fen, Ppm, Slug};
use serde::Deserialize;

use super::community::CommunityKind;
use super::{Approval, Text};

/// A course that an operator can start again and again, each start a cohort. Its lessons lie
/// beside it, `day-01.ron` and so on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Its name.
    pub title: Text,
    /// What it is and what it asks for, as members read it.
    pub summary: Text,
    /// Days from the first lesson to graduation, 7 to 14 (s001: one to two weeks).
    pub days: u8,
    /// Kinds of groups a cohort lives in.
    pub audience: Vec<CommunityKind>,
    /// When a day's lesson is sent.
    pub lesson_at: TimeOfDay,
    /// The quiz of the day.
    pub quiz: CourseQuiz,
    /// Who may come in, and when.
    pub enrolment: Enrolment,
    /// Mock investing.
    pub mock: MockInvesting,
    /// The risk questionnaire members answer, by id (C02).
    pub assessment: Slug,
    /// Items asked on the first and, in another form, on the last day: what the course added.
    pub paired: Vec<PairedItem>,
    /// How the score is made.
    pub score: ScoreRules,
    /// Who graduates.
    pub graduation: GraduationRule,
    /// Where graduates go.
    pub migration: MigrationRule,
    /// Reward rules that apply to the quiz of the day, by id.
    pub rewards: Vec<Slug>,
    /// Most members it is planned for; together with the rules' limits this bounds the cost.
    pub members_max: u32,
    /// Most it may cost.
    pub budget_fen: Fen,
    /// How the standing is shown.
    #[serde(default)]
    pub board: BoardPolicy,
    /// Notices shown with it, by id; N7 (education) and N4 (mock investing) are among them.
    pub notices: Vec<Slug>,
    /// Compliance approval.
    pub approval: Approval,
}

/// The quiz of the day: one round a lesson, closed for good at its time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourseQuiz {
    /// When it opens, not before the lesson.
    pub opens: TimeOfDay,
    /// When it closes, on the same business day.
    pub closes: TimeOfDay,
    /// Items a member is asked again at most on one day, those most nearly forgotten first.
    pub reviews_per_day: u8,
    /// An item is due again when the chance to remember it has fallen to this; 0.9 is usual.
    pub retention: Ppm,
}

/// Who may come in, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Days before the first lesson on which enrolment opens.
    pub opens_days_before: u8,
    /// Last day of the course on which somebody may still come in; 0: only before it starts.
    pub late_until_day: u8,
    /// What a member may do about lessons of days gone by.
    pub catch_up: CatchUp,
}

/// What a member may do about lessons of days gone by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum CatchUp {
    /// Any lesson sent so far may be finished until graduation.
    UntilGraduation,
    /// A lesson may be finished up to so many days after it was sent.
    Within(u8),
}

/// Mock investing of a course.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MockInvesting {
    /// The script of `content/scenarios/` the market follows; it names the market.
    pub scenario: Slug,
    /// What every member starts with.
    pub cash_fen: Fen,
    /// First day of the course on which orders are taken; the plan comes before the first order.
    pub orders_from_day: u8,
    /// A loss from which a debrief comes before the next order.
    pub debrief_loss: Ppm,
}

/// Two items on one concept: one asked before, one after.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairedItem {
    /// Asked on the first day, before the lesson.
    pub before: Slug,
    /// Asked on the last day.
    pub after: Slug,
}

/// How the score of 1,000 is made (domain 2.4): what was done and understood counts, luck hardly.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRules {
    /// For what was done.
    pub process: ProcessPoints,
    /// For what is known at the end, not for tries.
    pub knowledge: u16,
    /// For what was held.
    pub portfolio: PortfolioPoints,
    /// For what it brought, against the member's own plan and never against others.
    pub outcome: OutcomePoints,
    /// Taken away for a fall beyond the own limit, and for turnover.
    pub penalties: Penalties,
    /// Bands that standings show instead of numbers, lowest first.
    pub bands: Vec<Band>,
}

/// Points for what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessPoints {
    /// A plan written before the first order.
    pub plan_first: u16,
    /// Orders inside the plan, by share of orders.
    pub orders_in_plan: u16,
    /// How far an order may take an asset's share beyond the plan's, of the account.
    #[serde(default = "plan_slack")]
    pub plan_slack: Ppm,
    /// Kept course through a shock, or changed the plan in writing first.
    pub kept_course: u16,
    /// Market days after a shock in which redeeming against the plan counts as leaving it.
    #[serde(default = "kept_days")]
    pub kept_days: u8,
    /// Read the sheet before the order, by share of orders.
    pub read_sheet: u16,
    /// Journal notes, by share of `notes_wanted`.
    pub notes: u16,
    /// How many notes are wanted.
    pub notes_wanted: u8,
}

/// Five points (ours): prices move between an order and its price.
fn plan_slack() -> Ppm {
    Ppm(50_000)
}

/// Three market days (ours).
fn kept_days() -> u8 {
    3
}

/// Points for what was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortfolioPoints {
    /// Spread: 1 less the Herfindahl index, over what `assets` equal parts would reach.
    pub diversification: u16,
    /// Equal parts from which spread counts in full.
    pub assets: u8,
    /// Nothing held above the own level; a gate, all or nothing.
    pub fit: u16,
    /// Costs within `cost_limit` of the starting cash.
    pub costs: u16,
    /// Costs up to which `costs` is given in full; none at twice of it.
    pub cost_limit: Ppm,
}

/// Points for what it brought: `middle + slope * (R - Rcash) / max(sd, floor)`, clamped to 0 and
/// twice the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomePoints {
    /// For the return of cash.
    pub middle: u16,
    /// For each standard deviation of the own plan above it.
    pub slope: u16,
    /// Least standard deviation.
    pub floor: Ppm,
}

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Penalties {
    /// Most for a fall from the peak beyond the limit of the own level; in full at twice the limit.
    pub drawdown: u16,
    /// The limits of C1 to C5.
    pub drawdown_limits: [Ppm; 5],
    /// For each order beyond the free ones.
    pub turnover: u16,
    /// Orders that are free ...
    pub free_orders: u8,
    /// ... in any so many days.
    pub within_days: u8,
}

/// A band of scores.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its least score.
    pub from: u16,
    /// Its name.
    pub title: Text,
}

/// Who graduates: all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraduationRule {
    /// Lessons finished.
    pub lessons: u8,
    /// Quizzes of the day answered in full.
    pub quizzes: u8,
    /// Share of concepts mastered.
    pub mastery: Ppm,
    /// Least score.
    pub score: u16,
    /// Whether a plan must have been written.
    pub plan: bool,
    /// Whether the closing debrief must have been written.
    pub debrief: bool,
}

/// Where graduates go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationRule {
    /// Kinds of groups they are invited to, best first.
    pub to: Vec<CommunityKind>,
    /// Days an invitation stands.
    pub invitation_days: u8,
    /// How often an invitation that ran out may be repeated.
    pub reinvitations: u8,
}
