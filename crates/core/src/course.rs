//! Courses: what can be asked of a cohort, and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::Choice;
use crate::id::{CohortId, CommunityId, Digest, MemberId, Slug};
use crate::mock::{Assessed, BandStanding, MarketView, MockAction, MockReceipt, MockView};
use crate::time::{Day, Timestamp};
use crate::unit::{Decimal, Ppm};

/// What can be asked of cohorts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CourseAction {
    /// Starts a course of the current content; the cohort keeps that content.
    Start {
        /// The course.
        course: Slug,
        /// The groups it lives in.
        communities: Vec<CommunityId>,
        /// Day 1.
        start: Day,
    },
    /// Goes on with other content from a day of the course on. What was sent stays as it was.
    Amend {
        /// The cohort.
        cohort: CohortId,
        /// A checked pack that has the course.
        digest: Digest,
        /// First day of the course that changes, not sent yet.
        from_day: u8,
    },
    /// Ends a cohort early: no more lessons, nobody graduates, the archive stays.
    Dissolve {
        /// The cohort.
        cohort: CohortId,
    },
    /// A member of one of its groups takes part.
    Enrol {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
    },
    /// A member drops out. Points, streak and level stay theirs.
    Withdraw {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
    },
    /// A lesson was read and its number computed.
    FinishLesson {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
        /// Day of the course.
        day: u8,
        /// The number the member came to.
        computed: Decimal,
    },
    /// Items answered outside the quiz of the day.
    AnswerItems {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
        /// What for.
        occasion: Occasion,
        /// The answers.
        answers: Vec<ItemAnswer>,
    },
    /// What a member wishes for the time after the course.
    Wish {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
        /// The wish.
        wish: StayWish,
    },
    /// A member accepts or declines the invitation to a long-term group.
    AnswerInvitation {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
        /// Accepted, or declined.
        accept: bool,
    },
    /// An operator repeats an invitation that ran out.
    Reinvite {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
    },
    /// A channel reports that somebody who accepted has come into the group. Nobody is moved by
    /// anything else.
    Arrive {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
    },
    /// Something on a member's mock account.
    Mock {
        /// The member.
        member: MemberId,
        /// The cohort.
        cohort: CohortId,
        /// What.
        what: MockAction,
    },
}

impl CourseAction {
    /// The cohort it is about; `None` where a new one starts.
    #[must_use]
    pub fn cohort(&self) -> Option<CohortId> {
        match self {
            Self::Start { .. } => None,
            Self::Amend { cohort, .. }
            | Self::Dissolve { cohort }
            | Self::Enrol { cohort, .. }
            | Self::Withdraw { cohort, .. }
            | Self::FinishLesson { cohort, .. }
            | Self::AnswerItems { cohort, .. }
            | Self::Wish { cohort, .. }
            | Self::AnswerInvitation { cohort, .. }
            | Self::Reinvite { cohort, .. }
            | Self::Arrive { cohort, .. }
            | Self::Mock { cohort, .. } => Some(*cohort),
        }
    }

    /// The member it is about, if any.
    #[must_use]
    pub fn member(&self) -> Option<MemberId> {
        match self {
            Self::Start { .. } | Self::Amend { .. } | Self::Dissolve { .. } => None,
            Self::Enrol { member, .. }
            | Self::Withdraw { member, .. }
            | Self::FinishLesson { member, .. }
            | Self::AnswerItems { member, .. }
            | Self::Wish { member, .. }
            | Self::AnswerInvitation { member, .. }
            | Self::Reinvite { member, .. }
            | Self::Arrive { member, .. }
            | Self::Mock { member, .. } => Some(*member),
        }
    }

    /// [`Self::cohort`], to be changed.
    pub fn cohort_mut(&mut self) -> Option<&mut CohortId> {
        match self {
            Self::Start { .. } => None,
            Self::Amend { cohort, .. }
            | Self::Dissolve { cohort }
            | Self::Enrol { cohort, .. }
            | Self::Withdraw { cohort, .. }
            | Self::FinishLesson { cohort, .. }
            | Self::AnswerItems { cohort, .. }
            | Self::Wish { cohort, .. }
            | Self::AnswerInvitation { cohort, .. }
            | Self::Reinvite { cohort, .. }
            | Self::Arrive { cohort, .. }
            | Self::Mock { cohort, .. } => Some(cohort),
        }
    }

    /// [`Self::member`], to be changed.
    pub fn member_mut(&mut self) -> Option<&mut MemberId> {
        match self {
            Self::Start { .. } | Self::Amend { .. } | Self::Dissolve { .. } => None,
            Self::Enrol { member, .. }
            | Self::Withdraw { member, .. }
            | Self::FinishLesson { member, .. }
            | Self::AnswerItems { member, .. }
            | Self::Wish { member, .. }
            | Self::AnswerInvitation { member, .. }
            | Self::Reinvite { member, .. }
            | Self::Arrive { member, .. }
            | Self::Mock { member, .. } => Some(member),
        }
    }

    /// Whether members may do it for themselves.
    #[must_use]
    pub fn is_for_members(&self) -> bool {
        matches!(
            self,
            Self::Enrol { .. }
                | Self::Withdraw { .. }
                | Self::FinishLesson { .. }
                | Self::AnswerItems { .. }
                | Self::Wish { .. }
                | Self::AnswerInvitation { .. }
                | Self::Mock { .. }
        )
    }
}

/// What items are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// Review of what is nearly forgotten; graded at once.
    Review,
    /// What is known before the course.
    Before,
    /// What is known after it.
    After,
}

/// One answer to an item of a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAnswer {
    /// Position of the item in the course's list of items.
    pub item: u16,
    /// What was chosen or typed, by positions as the member sees them.
    pub choice: Choice,
}

/// What a member wishes for the time after the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StayWish {
    /// No more messages after the course.
    Leave,
    /// Any fitting group.
    Anywhere,
    /// This group, if it has room.
    Group(CommunityId),
}

/// What a cohort answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CourseReceipt {
    /// A cohort was started.
    Started {
        /// Its id.
        cohort: CohortId,
        /// Binds the mock market's secret before anybody enrols.
        commitment: Digest,
    },
    /// A lesson was finished.
    Finished {
        /// Whether the number was right.
        right: bool,
        /// Lessons finished so far.
        lessons: u8,
    },
    /// Items were taken; right and wrong is not told.
    Taken {
        /// How many were answered for this occasion so far.
        answered: u16,
    },
    /// Items were graded.
    Reviewed {
        /// For each answer: the item, whether it was right, and when it comes back.
        marks: Vec<ItemMark>,
    },
    /// The invitation that stands, or stood.
    Invitation {
        /// Where to.
        to: CommunityId,
        /// Until when.
        until: Timestamp,
    },
    /// Something about a mock account.
    Mock(MockReceipt),
}

/// How a reviewed item was graded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemMark {
    /// The item.
    pub item: u16,
    /// Whether it was right.
    pub right: bool,
    /// Business day on which its concept is due again.
    pub due: Day,
}

/// Where a cohort is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CohortStage {
    /// Announced; nobody can come in yet.
    Planned,
    /// Members come in.
    Enrolling,
    /// A lesson a day.
    Running,
    /// The last day is over; what is due is graded.
    Grading,
    /// Graduates have invitations.
    Placing,
    /// Over; its groups are dissolved, its record stays.
    Archived,
}

impl CohortStage {
    /// Every stage, in order.
    pub const ALL: [Self; 6] = [
        Self::Planned,
        Self::Enrolling,
        Self::Running,
        Self::Grading,
        Self::Placing,
        Self::Archived,
    ];

    /// Whether a cohort may go from here to `next`. There are no other ways.
    #[must_use]
    pub fn leads_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Planned, Self::Enrolling)
                | (Self::Enrolling, Self::Running)
                | (Self::Running, Self::Grading)
                | (Self::Grading, Self::Placing)
                | (Self::Placing, Self::Archived)
                // Dissolved early.
                | (Self::Planned | Self::Enrolling | Self::Running, Self::Archived)
        )
    }
}

/// Where a member is in a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PupilStage {
    /// Takes part.
    Enrolled,
    /// Dropped out, or the cohort was dissolved.
    Left,
    /// Did not meet the graduation rule.
    Unfinished,
    /// Met it.
    Graduated,
    /// Has one invitation that stands.
    Invited,
    /// Accepted it, and is awaited.
    Accepted,
    /// Declined it.
    Declined,
    /// Let it run out.
    Lapsed,
    /// Is in the long-term group.
    Arrived,
}

impl PupilStage {
    /// Every stage.
    pub const ALL: [Self; 9] = [
        Self::Enrolled,
        Self::Left,
        Self::Unfinished,
        Self::Graduated,
        Self::Invited,
        Self::Accepted,
        Self::Declined,
        Self::Lapsed,
        Self::Arrived,
    ];

    /// Whether a member may go from here to `next`. There are no other ways.
    #[must_use]
    pub fn leads_to(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Enrolled, Self::Left | Self::Unfinished | Self::Graduated)
                // Comes back while there is still time to.
                | (Self::Left, Self::Enrolled)
                | (Self::Graduated, Self::Invited | Self::Left)
                | (Self::Invited, Self::Accepted | Self::Declined | Self::Lapsed | Self::Left)
                | (Self::Accepted, Self::Arrived | Self::Declined | Self::Lapsed | Self::Left)
                | (Self::Lapsed, Self::Invited)
        )
    }
}

/// Why a graduate was placed where they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlacedBy {
    /// The group they wished for.
    Wish,
    /// A group whose community file is the name of a tag they have.
    Interest,
    /// A group of the manager they know.
    Manager,
    /// A group of a preferred kind with most room.
    Room,
}

/// What happened to a cohort, for subscribers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CourseEvent {
    /// It went into a stage.
    Stage(CohortId, CohortStage),
    /// One message of a lesson is to be sent to the group the event names. Messages come in order:
    /// who was interrupted goes on after the last event seen.
    Message {
        /// The cohort.
        cohort: CohortId,
        /// Day of the course.
        day: u8,
        /// Position of the message in the lesson.
        block: u8,
    },
    /// Content was changed from a day on.
    Amended {
        /// The cohort.
        cohort: CohortId,
        /// First day that changed.
        from_day: u8,
        /// The content from then on.
        digest: Digest,
    },
    /// Somebody came into a stage.
    Pupil {
        /// The cohort.
        cohort: CohortId,
        /// Who.
        member: MemberId,
        /// Where to.
        stage: PupilStage,
    },
    /// A graduate was invited.
    Invited {
        /// The cohort.
        cohort: CohortId,
        /// Who.
        member: MemberId,
        /// Where to.
        to: CommunityId,
        /// Until when.
        until: Timestamp,
        /// Why there.
        by: PlacedBy,
    },
    /// How many of those who arrived were active so many days afterwards.
    Retained {
        /// The cohort.
        cohort: CohortId,
        /// Days after the placing.
        days: u8,
        /// Who arrived.
        arrived: u32,
        /// Who of them earned a point within the seven days before the count.
        active: u32,
    },
    /// Prices of a day of the course were made.
    Priced {
        /// The cohort.
        cohort: CohortId,
        /// Day of the course.
        day: u8,
        /// The last market day of it.
        market_day: i32,
    },
}

/// A cohort, for readers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CohortView {
    /// Its id.
    pub id: CohortId,
    /// Its course.
    pub course: Slug,
    /// Where it is in its life.
    pub stage: CohortStage,
    /// When it came into each stage, in order of [`CohortStage::ALL`].
    pub since: [Option<Timestamp>; 6],
    /// Content from each day on, first day first.
    pub content: Vec<(u8, Digest)>,
    /// The groups it lives in.
    pub communities: Vec<CommunityId>,
    /// The run of its quiz of the day.
    pub run: crate::id::RunId,
    /// Day 1.
    pub first: Day,
    /// Last day.
    pub last: Day,
    /// Lessons sent so far.
    pub sent: u8,
    /// How many members are in each stage, in order of [`PupilStage::ALL`].
    pub pupils: [u32; 9],
    /// Binds the market's secret.
    pub commitment: Digest,
    /// The market's secret, once nothing depends on it any more.
    pub secret: Option<Digest>,
    /// What those who answered both halves of the paired items knew before and after.
    pub gain: Option<Gain>,
    /// Share of those who arrived and were active 7 and 30 days after, once known.
    pub retained: [Option<Ppm>; 2],
    /// Questions by item number: what [`ItemAnswer::item`] and [`PupilView::review`] point at.
    pub items: Arc<[Slug]>,
    /// The content the market's terms are taken from.
    pub terms: Digest,
    /// The mock market so far.
    pub market: Arc<MarketView>,
    /// Bands and teams as of the last close.
    pub standing: BandStanding,
}

/// What a cohort knew before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gain {
    /// Members who answered both halves.
    pub members: u32,
    /// Share right before.
    pub before: Ppm,
    /// Share right after.
    pub after: Ppm,
    /// Share of what could be gained that was: `(after - before) / (1 - before)`; nothing where
    /// there was nothing to gain or knowledge fell.
    pub normalised: Option<Ppm>,
}

/// What a member sees of their own course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PupilView {
    /// The cohort.
    pub cohort: CohortId,
    /// Where they are.
    pub stage: PupilStage,
    /// Since when.
    pub since: Timestamp,
    /// Bit n: the lesson of day n + 1 was finished.
    pub lessons: u16,
    /// Bit n: its number was right.
    pub computed: u16,
    /// Bit n: the quiz of day n + 1 was answered in full.
    pub quizzes: u16,
    /// Concepts of the course that are mastered, of how many.
    pub mastered: (u16, u16),
    /// Items to review today, most nearly forgotten first.
    pub review: Vec<u16>,
    /// Items answered before and after, of how many each.
    pub paired: (u16, u16, u16),
    /// Paired items that can be answered now, and whether they are those before or after.
    pub asked: Option<(Occasion, Vec<u16>)>,
    /// The wish for the time after.
    pub wish: Option<StayWish>,
    /// The invitation that stands, or stood last.
    pub invitation: Option<(CommunityId, Timestamp, PlacedBy)>,
    /// The risk level, once it was found.
    pub level: Option<Assessed>,
    /// Days on which the questionnaire was answered, each time, in the year up to the last of them.
    pub assessed: Vec<Day>,
    /// The mock account.
    pub mock: Box<MockView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_back_into_a_stage_that_is_over() {
        for (n, from) in CohortStage::ALL.into_iter().enumerate() {
            for to in CohortStage::ALL.into_iter().take(n + 1) {
                assert!(!from.leads_to(to), "{from:?} {to:?}");
            }
        }
        let ends = [PupilStage::Arrived, PupilStage::Declined, PupilStage::Unfinished];
        for (from, to) in ends.into_iter().flat_map(|end| PupilStage::ALL.map(|to| (end, to))) {
            assert!(!from.leads_to(to), "{from:?} {to:?}");
        }
    }
}
