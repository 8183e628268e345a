//! `quests/*.ron`: one activity each.

use dengmi_core::time::TimeOfDay;
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::{Fen, Ppm, Slug};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::community::CommunityKind;
use super::{Approval, Purpose, Text};

/// An activity that an operator can launch again and again, each launch a run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quest {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Its name.
    pub title: Text,
    /// Rules in a sentence or two, as members read them.
    pub summary: Text,
    /// Education or marketing.
    pub purpose: Purpose,
    /// Kinds of groups it is for.
    pub audience: Vec<CommunityKind>,
    /// Days from first to last.
    pub days: u16,
    /// What members do.
    pub kind: QuestKind,
    /// Reward rules that apply, by id.
    pub rewards: Vec<Slug>,
    /// Most members it is planned for; together with the rules' limits this bounds the cost.
    pub members_max: u32,
    /// Most it may cost. The worst case by rules and limits must be within it.
    pub budget_fen: Fen,
    /// How the standing of a run is shown.
    #[serde(default)]
    pub board: BoardPolicy,
    /// Notices shown with it, by id.
    pub notices: Vec<Slug>,
    /// Compliance approval.
    pub approval: Approval,
    /// Referral levels, where friends are invited; more than 1 is a chain (C18).
    #[serde(default)]
    pub referral_depth: Option<u8>,
}

/// What members do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum QuestKind {
    /// A series of quiz rounds.
    QuizSeries(QuizSeries),
    /// Moments posts to react to.
    MomentsChallenge(MomentsChallenge),
    /// Daily check-ins.
    CheckInStreak(CheckInStreak),
}

/// A series of quiz rounds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuizSeries {
    /// The rounds, in order of opening.
    pub rounds: Vec<Round>,
    /// How often a question may be answered, and which attempt counts.
    #[serde(default)]
    pub attempts: Attempts,
    /// How credit falls with time since the opening.
    #[serde(default)]
    pub curve: Curve,
    /// Who joined after the opening.
    #[serde(default)]
    pub late_joiners: LateJoiners,
    /// When right and wrong are told.
    #[serde(default)]
    pub reveal: Reveal,
    /// Whether each member gets the questions in an order of their own.
    #[serde(default = "yes")]
    pub shuffle_questions: bool,
    /// Whether each member gets the options in an order of their own.
    #[serde(default = "yes")]
    pub shuffle_options: bool,
    /// Days after the close in which a key can be corrected; answers are kept that long.
    #[serde(default = "three")]
    pub correction_days: u8,
}

fn yes() -> bool {
    true
}

fn three() -> u8 {
    3
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Day of the run, from 1.
    pub day: u16,
    /// Opening time.
    pub opens: TimeOfDay,
    /// Closing time on the same business day.
    pub closes: TimeOfDay,
    /// Seconds after the close in which an answer sent in time is still taken.
    #[serde(default)]
    pub grace_seconds: u16,
    /// The questions, by id.
    pub questions: Vec<Slug>,
}

/// How often a question may be answered, and which attempt counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempts {
    /// Attempts at each question, 1 to 10.
    pub max: u8,
    /// Which attempt counts.
    pub counts: Counts,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { max: 1, counts: Counts::First }
    }
}

/// Which attempt counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Counts {
    /// The first.
    First,
    /// The last.
    Last,
    /// The best.
    Highest,
    /// The mean of all.
    Average,
}

/// How credit falls with the time since a round opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Curve {
    /// Full credit until the close.
    #[default]
    Flat,
    /// Falls evenly from full credit at the opening to `floor` at the close.
    Linear {
        /// Credit at the close.
        floor: Ppm,
    },
    /// Halves every `seconds`, evenly in between, never below `floor`.
    HalfLife {
        /// Time in which credit halves.
        seconds: u32,
        /// Least credit.
        floor: Ppm,
    },
    /// No credit at all: the round is for practice.
    None,
}

/// Who joined after a round opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum LateJoiners {
    /// Takes part like everyone.
    #[default]
    Open,
    /// Waits for the next round.
    NextRound,
    /// Takes part; credit is cut by the share of the round that had passed when they joined, so
    /// that nobody gains by joining late.
    Prorated,
}

/// When right and wrong are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Reveal {
    /// After the close; until then an answer gets a receipt and standings do not move.
    #[default]
    AtClose,
    /// At once.
    AtOnce,
}

/// Daily check-ins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckInStreak {
    /// What a streak counts.
    #[serde(default)]
    pub mode: StreakMode,
    /// Freezes that fill a missed day by themselves.
    #[serde(default)]
    pub freezes: Freezes,
    /// Make-up cards, used by the member.
    #[serde(default)]
    pub make_ups: MakeUps,
    /// Missed days after which a check-in is a comeback; 0 switches comebacks off.
    #[serde(default)]
    pub comeback_after: u8,
    /// Leniency by length, shortest length first: who has come so far is forgiven so many missed
    /// days in a row without a freeze.
    #[serde(default)]
    pub leniency: Vec<Leniency>,
    /// Phrases of the day, used in turn. Empty: check in by button only.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// Whether the phrase is the only way to check in.
    #[serde(default)]
    pub phrase_required: bool,
    /// What the member is asked to write along, if anything.
    #[serde(default)]
    pub prompt: Option<Text>,
}

/// What a streak counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum StreakMode {
    /// Days in a row.
    #[default]
    Consecutive,
    /// Days in all: misses never reset it.
    Cumulative,
}

/// Freezes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freezes {
    /// At the start.
    #[serde(default)]
    pub start: u8,
    /// One more every so many days of streak; 0 for none.
    #[serde(default)]
    pub every_days: u16,
    /// Most a member holds.
    #[serde(default)]
    pub max: u8,
}

/// Make-up cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeUps {
    /// Cards a run.
    #[serde(default)]
    pub per_run: u8,
    /// How many days back a card reaches.
    #[serde(default)]
    pub within_days: u8,
}

/// Leniency from a streak length on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leniency {
    /// From this length on ...
    pub from_length: u16,
    /// ... this many missed days in a row are forgiven.
    pub forgiven_days: u8,
}

/// Moments posts to react to. What WeChat forbids has fields here so that the check can say why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MomentsChallenge {
    /// Who posts.
    pub sender_role: SenderRole,
    /// The approved text of the post.
    pub card: Text,
    /// The question to answer in a comment or on the member's own page, by id.
    #[serde(default)]
    pub question: Option<Slug>,
    /// Hours after the post in which reactions count.
    pub window_hours: u16,
    /// Posts a day and sender, at most 3 (s004).
    pub posts_per_day: u8,
    /// Posts in a week and sender; 0 for no limit of its own.
    #[serde(default)]
    pub posts_per_week: u8,
    /// Whether a like alone may be rewarded; off unless compliance overrides.
    #[serde(default)]
    pub reward_for_like: bool,
    /// The override's number.
    #[serde(default)]
    pub compliance_override: Option<String>,
    /// Tags of the members who see it; empty for all.
    #[serde(default)]
    pub visible_to: Vec<Slug>,
    /// Forbidden: reposting as a condition.
    #[serde(default)]
    pub require_share: Option<Forbidden>,
    /// Forbidden: collecting likes.
    #[serde(default)]
    pub min_likes_from_friends: Option<Forbidden>,
    /// Forbidden: inviting as a condition.
    #[serde(default)]
    pub invite_to_unlock: Option<Forbidden>,
    /// Forbidden: better odds for sharing.
    #[serde(default)]
    pub extra_odds_for_share: Option<Forbidden>,
    /// Forbidden: a link out of WeChat in a rewarded post.
    #[serde(default)]
    pub external_link: Option<Forbidden>,
}

/// Who posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum SenderRole {
    /// Licensed staff (C09).
    LicensedStaff,
    /// Forbidden: hired posters.
    HiredPoster,
    /// Forbidden: automation of a personal account.
    PersonalAccountBot,
}

/// The value of a field that no quest may have, whatever it is.
#[derive(Clone, Copy, Debug)]
pub struct Forbidden;

impl PartialEq for Forbidden {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Forbidden {}

impl<'de> Deserialize<'de> for Forbidden {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}
