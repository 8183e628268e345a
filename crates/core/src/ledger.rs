//! The points ledger's vocabulary. An entry moves points from one account to another, so the sum
//! over all accounts is always zero.

use serde::{Deserialize, Serialize};

use crate::id::{MemberId, PostId, RoundId, RunId};
use crate::time::{Day, Timestamp};
use crate::unit::Points;

/// Who holds points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// Where points come from. Its balance is minus what was ever issued.
    Issue,
    /// A member's points.
    Member(MemberId),
    /// Points spent.
    Redemption,
    /// Points that expired.
    Expiry,
    /// What reversals could not take back from a member who had already spent it.
    House,
}

/// Why points moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntryKind {
    /// A rule rewarded a fact.
    Award,
    /// A member spent points.
    Redemption,
    /// Points reached the end of their life.
    Expiry,
    /// A compensating entry.
    Reversal,
}

/// What an entry goes back to. With the rule and the member it is the natural key of an award:
/// the same cause is never rewarded twice by the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// A check-in of a run on a day.
    CheckIn(RunId, Day),
    /// A question of a round, by position in the content file. `revision` counts key corrections.
    Answer {
        /// The run.
        run: RunId,
        /// The round.
        round: RoundId,
        /// The question.
        question: u8,
        /// 0, then 1 after the first correction, and so on.
        revision: u8,
    },
    /// Completing a round.
    Round {
        /// The run.
        run: RunId,
        /// The round.
        round: RoundId,
        /// 0, then 1 after the first correction, and so on.
        revision: u8,
    },
    /// Liking a post.
    Like(RunId, PostId),
    /// Commenting on a post.
    Comment(RunId, PostId),
    /// An order of the points mall.
    Order(u64),
    /// Another entry, which this one reverses.
    Entry(u64),
    /// The points that expired with the month beginning on this day.
    Expired(Day),
}

impl Cause {
    /// The run it belongs to, if any.
    #[inline]
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        match *self {
            Self::CheckIn(run, _)
            | Self::Answer { run, .. }
            | Self::Round { run, .. }
            | Self::Like(run, _)
            | Self::Comment(run, _) => Some(run),
            Self::Order(_) | Self::Entry(_) | Self::Expired(_) => None,
        }
    }

    /// The round it belongs to, if any.
    #[inline]
    #[must_use]
    pub fn round(&self) -> Option<RoundId> {
        match *self {
            Self::Answer { round, .. } | Self::Round { round, .. } => Some(round),
            _ => None,
        }
    }
}

/// A rule as entries name it: a number the engine gave its id when the rule was first adopted,
/// and the version that was in force. `Engine::rule_id` gives the id back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleRef {
    /// Number of the rule in this engine.
    pub code: u16,
    /// Version of the rule.
    pub version: u16,
}

/// One movement of points. Never changed, never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// 1, 2, 3 ... within the branch.
    pub id: u64,
    /// When it was booked.
    pub at: Timestamp,
    /// The business day it counts for.
    pub day: Day,
    /// Why points moved.
    pub kind: EntryKind,
    /// From whom.
    pub from: Account,
    /// To whom.
    pub to: Account,
    /// How many; always above zero.
    pub points: Points,
    /// The rule that paid, for awards.
    pub rule: Option<RuleRef>,
    /// What it goes back to.
    pub cause: Cause,
}

impl LedgerEntry {
    /// The member whose points moved, and by how much.
    #[inline]
    #[must_use]
    pub fn member_change(&self) -> Option<(MemberId, Points)> {
        match (self.from, self.to) {
            (_, Account::Member(member)) => Some((member, self.points)),
            (Account::Member(member), _) => Some((member, Points(-self.points.0))),
            _ => None,
        }
    }
}
