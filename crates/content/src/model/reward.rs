//! `content/rewards/**.ron`: reward rules, and `content/rewards/points.ron`: the points programme.

use dengmi_core::{Day, Fen, Points, Slug};
use serde::Deserialize;

use super::{Approval, Text};

/// The points programme: what a point costs and how long it lives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsFile {
    /// Always 1.
    pub schema: u16,
    /// What one point costs the bank.
    pub fen_per_point: Fen,
    /// Whole calendar months that points live after the month in which they were earned; 0 for
    /// ever.
    pub expire_after_months: u8,
}

/// A reward rule: which facts are rewarded, when, how much, within which limits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardRule {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// What the member reads beside the points.
    pub title: Text,
    /// Compliance approval.
    pub approval: Approval,
    /// The versions, oldest first, without overlap.
    pub versions: Vec<RuleVersion>,
}

/// A rule as it is in force over some days.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVersion {
    /// 1, 2, 3 ...
    pub version: u16,
    /// First day in force.
    pub from: Day,
    /// Last day in force; open when missing.
    #[serde(default)]
    pub to: Option<Day>,
    /// What is rewarded.
    pub on: Trigger,
    /// Under which condition.
    #[serde(default)]
    pub when: Condition,
    /// How much.
    pub pay: Pay,
    /// Limits. A reward that would pass one is cut to what is left.
    #[serde(default)]
    pub caps: Vec<Cap>,
    /// Points this version may pay in all, in one branch; open when missing.
    #[serde(default)]
    pub budget: Option<Points>,
}

/// What a rule may reward, and what no rule may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Trigger {
    /// A check-in counted.
    CheckedIn,
    /// An answer counted.
    Answered,
    /// A round was answered to its end.
    RoundCompleted,
    /// A comment under a Moments post.
    Commented,
    /// A like under a Moments post; needs a compliance override in the quest.
    Liked,
    /// Forbidden (C16): buying a product.
    Purchase,
    /// Forbidden (C16): subscribing to a fund.
    Subscribe,
    /// Forbidden (C17): a deposit balance.
    DepositBalance,
    /// Forbidden (C17): opening a deposit.
    DepositOpened,
    /// Forbidden (C17): salary kept in the account.
    SalaryRetained,
    /// Forbidden (WeChat 2.1.2): sharing or forwarding.
    Share,
    /// Forbidden (WeChat 2.1.2): likes collected from friends.
    FriendLikes,
    /// Forbidden (domain 2.4): the return of the mock account.
    MockReturn,
    /// Forbidden (C19): a stake.
    Wager,
    /// Forbidden (C18): what a recruit's recruits do.
    RecruitsOfRecruits,
}

impl Trigger {
    /// The rule that forbids it, if one does.
    #[must_use]
    pub fn forbidden_by(self) -> Option<&'static str> {
        match self {
            Self::CheckedIn
            | Self::Answered
            | Self::RoundCompleted
            | Self::Commented
            | Self::Liked => None,
            Self::Purchase | Self::Subscribe => Some("C16"),
            Self::DepositBalance | Self::DepositOpened | Self::SalaryRetained => Some("C17"),
            Self::Share | Self::FriendLikes => Some("WeChat 2.1.2"),
            Self::MockReturn => Some("domain 2.4"),
            Self::Wager => Some("C19"),
            Self::RecruitsOfRecruits => Some("C18"),
        }
    }
}

/// A condition over fact, member, group and time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Condition {
    /// Always.
    #[default]
    Always,
    /// Every one of these.
    All(Vec<Condition>),
    /// At least one of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The streak is exactly this long (check-ins).
    StreakIs(u16),
    /// The streak is at least this long (check-ins).
    StreakAtLeast(u16),
    /// The streak is a multiple of this (check-ins).
    StreakEvery(u16),
    /// This many check-ins in all (check-ins).
    TotalIs(u16),
    /// First check-in after a missed day.
    Comeback,
    /// By a make-up card.
    MadeUp,
    /// The answer is fully right.
    Right,
    /// At least this many answers of the round were right (completed rounds).
    RightAtLeast(u8),
    /// Every answer of the round was right (completed rounds).
    AllRight,
    /// The comment answered the question of the post.
    AnsweredInComment,
    /// The member has this tag.
    HasTag(Slug),
    /// The member's group is of this kind.
    InGroup(super::community::CommunityKind),
    /// The member joined at most this many days ago.
    NewMember {
        /// Days since joining.
        days: u16,
    },
    /// The day is a Saturday or Sunday.
    Weekend,
    /// The day is within these days.
    Between(Day, Day),
    /// Day n of the run, from 1.
    RunDay(u16),
}

/// How much a rule pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Pay {
    /// Always this much.
    Fixed(Points),
    /// This much times the credit of the answer, rounded down (answers).
    Scored(Points),
    /// This much for every right answer (completed rounds).
    PerRight(Points),
}

impl Pay {
    /// The points it is based on.
    #[must_use]
    pub fn base(self) -> Points {
        match self {
            Self::Fixed(points) | Self::Scored(points) | Self::PerRight(points) => points,
        }
    }
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// For whom it is counted.
    pub scope: CapScope,
    /// Over which time.
    pub per: CapPeriod,
    /// Points at most.
    pub points: Points,
}

/// For whom a limit is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum CapScope {
    /// Each member.
    Member,
    /// Each group.
    Community,
    /// The whole bank; each branch keeps within its share.
    Bank,
}

/// Over which time a limit is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum CapPeriod {
    /// A business day.
    Day,
    /// Monday to Sunday.
    Week,
    /// One run of a quest.
    Run,
}
