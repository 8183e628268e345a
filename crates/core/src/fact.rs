//! What happened, in the past tense: the only thing reward rules see.

use serde::{Deserialize, Serialize};

use crate::id::{CommunityId, MemberId, PostId, RoundId, RunId};
use crate::time::{Day, Timestamp};
use crate::unit::Ppm;

/// One thing a member did that rules may reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Who did it.
    pub member: MemberId,
    /// Their group at that time.
    pub community: CommunityId,
    /// In which run.
    pub run: RunId,
    /// Business day on which it counts.
    pub day: Day,
    /// Time at which it counts.
    pub at: Timestamp,
    /// What it was.
    pub kind: FactKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FactKind {
    /// A check-in counted.
    CheckedIn {
        /// Streak length including this day.
        streak: u16,
        /// Check-ins of the run in all.
        total: u16,
        /// First check-in after a missed day.
        comeback: bool,
        /// By a make-up card.
        made_up: bool,
    },
    /// An answer counted.
    Answered {
        /// The round.
        round: RoundId,
        /// Position of the question in the content file's order.
        question: u8,
        /// Fully right.
        right: bool,
        /// Credit after partial credit and the scoring curve.
        score: Ppm,
        /// How often the key had been corrected.
        revision: u8,
    },
    /// Every question of a round was answered by its close.
    RoundCompleted {
        /// The round.
        round: RoundId,
        /// How many were fully right.
        right: u8,
        /// How many there were.
        questions: u8,
        /// How often a key of the round had been corrected.
        revision: u8,
    },
    /// A like on a post.
    Liked {
        /// The post.
        post: PostId,
    },
    /// A comment on a post.
    Commented {
        /// The post.
        post: PostId,
        /// Its text answered the post's question; `false` also where no text is known.
        answered: bool,
        /// The comment was counted before, without its text, and only the answer is new.
        again: bool,
    },
}
