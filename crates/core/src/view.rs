//! What readers see: plain copies of state, made by the engine and published after the commit.
//! They hold everything a page needs and nothing it must not show; what a viewer may see of them
//! is decided in one place, [`crate::view::board`].

use serde::{Deserialize, Serialize};

use crate::course::{CohortView, CourseEvent, PupilView};
use crate::id::{CommunityId, Digest, ManagerId, MemberId, PostId, RoundId, RunId, Slug};
use crate::outcome::StreakState;
use crate::time::{Calendar, Day, Period, Timestamp};
use crate::unit::Points;

pub mod board;

/// Slowly changing things of a branch. Rebuilt when one of them changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Digest of the current content.
    pub content: Digest,
    /// Managers in id order.
    pub managers: Vec<ManagerId>,
    /// Groups in id order.
    pub communities: Vec<CommunityView>,
    /// Runs in id order; ended ones stay for a while.
    pub runs: Vec<RunView>,
    /// Rounds in id order, planned ones left out.
    pub rounds: Vec<RoundView>,
    /// Posts in id order.
    pub posts: Vec<PostView>,
    /// Cohorts in id order; archived ones stay for a while.
    pub cohorts: Vec<CohortView>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityView {
    /// Its id.
    pub id: CommunityId,
    /// Its community file.
    pub template: Slug,
    /// Its relationship manager.
    pub manager: ManagerId,
    /// Its calendar.
    pub calendar: Calendar,
    /// Members now, in id order.
    pub members: Vec<MemberId>,
    /// Most members it takes.
    pub capacity: u32,
    /// How its standings are shown.
    pub policy: board::BoardPolicy,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// Its quest.
    pub quest: Slug,
    /// The content it keeps.
    pub content: Digest,
    /// Groups that take part, in id order.
    pub communities: Vec<CommunityId>,
    /// First day.
    pub first: Day,
    /// Last day.
    pub last: Day,
    /// When it ended, if it did.
    pub ended: Option<Timestamp>,
    /// Points its budget has left.
    pub budget_left: Points,
}

/// A round that has opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundView {
    /// Its id.
    pub id: RoundId,
    /// Its run.
    pub run: RunId,
    /// Position in the run, from 0.
    pub index: u16,
    /// When it opened.
    pub opens: Timestamp,
    /// When it closes; grace comes after.
    pub closes: Timestamp,
    /// Questions in the content file's order.
    pub questions: Vec<QuestionView>,
    /// Whether right and wrong are public: at once, or since the close.
    pub revealed: bool,
    /// Closed, and no answer is taken any more.
    pub closed: bool,
}

/// A question of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionView {
    /// The question's id in the content of the run.
    pub question: Slug,
    /// Options it has; 0 for typed answers.
    pub options: u8,
    /// Answers that counted.
    pub answers: u32,
    /// Of these, fully right. Zero until revealed.
    pub right: u32,
    /// Item discrimination: how much better those with more right elsewhere in the round did,
    /// from -1,000 to 1,000 thousandths. `None` until revealed or below 10 answers.
    pub discrimination: Option<i16>,
}

/// A Moments post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostView {
    /// Its id.
    pub id: PostId,
    /// Its run.
    pub run: RunId,
    /// Whose it is.
    pub manager: ManagerId,
    /// When it went up.
    pub at: Timestamp,
    /// When the challenge under it ends.
    pub closes: Timestamp,
    /// Members who like it now.
    pub likes: u32,
    /// Members whose comment stands now.
    pub comments: u32,
}

/// Whether a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MemberStatus {
    /// In a group.
    Active,
    /// Left, and may come back.
    Left,
    /// Personal data erased.
    Erased,
}

/// A score within one period: points, and the ledger entry that reached them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Score {
    /// Points earned in the period, less what was taken back.
    pub points: i32,
    /// The entry after which the score stood as it stands: smaller is earlier.
    pub reached: u64,
}

/// One member, as of the last publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCard {
    /// Who.
    pub id: MemberId,
    /// Whether they take part.
    pub status: MemberStatus,
    /// Their group; the last one after they left.
    pub community: CommunityId,
    /// The day they joined.
    pub joined: Day,
    /// Whether they agreed to take part.
    pub consented: bool,
    /// Whether they agreed to be told about products.
    pub marketing: bool,
    /// Whether they show on standings.
    pub shown: bool,
    /// Points they can spend. May include points that expire at the next booking.
    pub balance: Points,
    /// Business day up to which the scores are current; older ones count as zero in a new period.
    pub scored: Day,
    /// Scores of the current day, week, month and season.
    pub scores: [Score; 4],
    /// Streaks in runs that have not ended, by run.
    pub streaks: Vec<(RunId, StreakState)>,
    /// Open rounds the member has answered in, with bit n for content question n.
    pub answered: Vec<(RoundId, u64)>,
    /// Courses the member takes or took part in, by cohort.
    pub courses: Vec<PupilView>,
}

/// A standing that was closed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedBoard {
    /// Which one.
    pub key: board::BoardKey,
    /// Who was where, best first, all who had a score.
    pub rows: Vec<board::Ranked>,
    /// When it was closed.
    pub at: Timestamp,
    /// Digest of key, policy and rows.
    pub digest: Digest,
}

/// Something worth telling subscribers, kept in the outbox under a rising sequence number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// 1, 2, 3 ... within the branch.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The group it concerns; `None` for the whole branch.
    pub community: Option<CommunityId>,
    /// What happened.
    pub kind: EventKind,
}

/// What an [`Event`] tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// New content is current.
    ContentAdopted(Digest),
    /// A group was opened.
    CommunityOpened(CommunityId),
    /// A run was launched.
    RunLaunched(RunId),
    /// A run is over.
    RunEnded(RunId),
    /// A round opened.
    RoundOpened(RoundId),
    /// A round closed and is graded.
    RoundClosed(RoundId),
    /// A key was corrected and a round graded again.
    RoundRegraded(RoundId),
    /// A post went up.
    PostPublished(PostId),
    /// The challenge under a post is over.
    PostClosed(PostId),
    /// A standing was closed for good.
    BoardClosed(board::BoardKey, Digest),
    /// A rule met its budget or a cap of the whole group or branch for the first time.
    LimitReached {
        /// The run.
        run: RunId,
        /// The rule's id.
        rule: Slug,
    },
    /// Something about a course.
    Course(CourseEvent),
}

impl MemberCard {
    /// The score in `period`: zero unless the card's scores belong to it.
    #[must_use]
    pub fn score_in(&self, period: Period) -> Score {
        let current = Period::containing(period.kind, self.scored);
        if current == period { self.scores[period.kind as usize] } else { Score::default() }
    }
}
