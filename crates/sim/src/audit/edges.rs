//! What a journal can reach: state edges, refusals, receipts, rules. A run that never reaches one
//! of them proves nothing about it.

use std::collections::BTreeMap;

use dengmi_core::{Outcome, Receipt, Reject, Slug};

macro_rules! edges {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// An edge of the state machines, or another thing that must happen now and then.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the text of each says what it is")]
        pub enum Edge {
            $($name,)*
        }

        impl Edge {
            /// Every edge there is.
            pub const ALL: &'static [Edge] = &[$(Edge::$name,)*];

            /// What it is.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

edges! {
    MemberJoined = "member: joined",
    MemberMoved = "member: moved to another group",
    MemberLeft = "member: left",
    MemberBack = "member: came back",
    MemberErased = "member: erased",
    ContentChanged = "content: changed",
    RunLaunched = "run: launched",
    RunEnded = "run: ended in time",
    RunWaited = "run: waited for its last round or post",
    RunStopped = "run: stopped",
    RunForgotten = "run: forgotten",
    RoundOpened = "round: opened",
    RoundMissed = "round: opened and closed in one batch, after a long stop",
    RoundSettled = "round: settled",
    RoundStopped = "round: closed with its run",
    RoundArchived = "round: archived",
    RoundExtended = "round: more time for a member",
    AnswerAgain = "answer: another attempt",
    AnswerProrated = "answer: by somebody who joined late",
    AnswerInGrace = "answer: after the close, in time",
    KeyTried = "key: tried without effect",
    KeyCorrectedBefore = "key: corrected before the close",
    KeyCorrectedAfter = "key: corrected after the close",
    AwardRegraded = "key: award taken back",
    PostPublished = "post: went up",
    PostClosed = "post: closed",
    LikeTold = "reaction: liked",
    CommentTold = "reaction: commented",
    CommentAnswered = "reaction: comment that answers",
    CommentAnsweredLater = "reaction: the answer came after the comment",
    Undone = "reaction: undone, nothing to take back",
    UndonePaid = "reaction: undone, award taken back",
    UndoneUntold = "reaction: done and undone in one batch",
    StreakBegun = "streak: begun",
    StreakContinued = "streak: went on",
    StreakFrozen = "streak: a freeze was used",
    StreakForgiven = "streak: a missed day was forgiven",
    StreakBroken = "streak: broken",
    StreakComeback = "streak: comeback",
    StreakGapFilled = "streak: an earlier day was filled",
    StreakMadeUp = "streak: made up by a card",
    StreakRepaired = "streak: repaired",
    FreezeEarned = "streak: a freeze was earned",
    CohortStarted = "cohort: started",
    CohortEnrolling = "cohort: enrolment opened",
    CohortRunning = "cohort: began",
    CohortWaited = "cohort: waited for its last quiz",
    CohortGraded = "cohort: graded",
    CohortPlacing = "cohort: graduates are placed",
    CohortArchived = "cohort: archived",
    CohortForgotten = "cohort: forgotten",
    CohortAmended = "cohort: content changed",
    PlannedDissolved = "cohort: dissolved before enrolment",
    EnrollingDissolved = "cohort: dissolved before it began",
    RunningDissolved = "cohort: dissolved while it ran",
    GroupDissolved = "cohort: a group dissolved with it",
    LessonSent = "lesson: sent",
    LessonRight = "lesson: finished, the number right",
    LessonWrong = "lesson: finished, the number wrong",
    ItemsBefore = "items: answered before the course",
    ItemsAfter = "items: answered after it",
    ItemsReviewed = "items: reviewed",
    PupilEnrolled = "pupil: enrolled",
    PupilLate = "pupil: enrolled late",
    PupilLeft = "pupil: took part no longer",
    PupilWithdrew = "pupil: withdrew",
    PupilBack = "pupil: came back",
    PupilUnfinished = "pupil: did not graduate",
    MasteryMissed = "pupil: did not graduate for want of mastery",
    PupilGraduated = "pupil: graduated",
    GraduateLeaves = "pupil: graduated and wished no group",
    GraduateUnplaced = "pupil: graduated and no group had room",
    GraduateLeft = "pupil: a graduate withdrew",
    PupilInvited = "pupil: invited",
    Invited = "pupil: invited for the first time",
    InvitedAgain = "pupil: invited again",
    InvitedLeft = "pupil: left while an invitation stood",
    PupilAccepted = "pupil: accepted",
    PupilDeclined = "pupil: declined",
    AcceptedDeclined = "pupil: declined after accepting",
    PupilLapsed = "pupil: let an invitation run out",
    AcceptedLapsed = "pupil: accepted and never came",
    PupilArrived = "pupil: arrived",
    ArrivedBefore = "pupil: was in the group before",
    PlacedByWish = "placed: by wish",
    PlacedByInterest = "placed: by interest",
    PlacedByManager = "placed: by manager",
    PlacedByRoom = "placed: where there was room",
    RetentionCounted = "cohort: retention counted",
    MarketClosed = "market: prices of a day were made",
    LevelFound = "level: found, and holds",
    LevelWaits = "level: another than the last, to be confirmed",
    LevelConfirmed = "level: confirmed",
    SheetRead = "sheet: read",
    RealSheetRead = "sheet: read, of a product on sale",
    PlanWritten = "plan: written",
    PlanChanged = "plan: changed",
    OrderedToBuy = "order: to buy",
    OrderedToRedeem = "order: to redeem",
    OrderedFast = "order: to redeem at once",
    OrderCancelled = "order: taken back",
    OrderVoid = "order: too small for one unit",
    OrderPriced = "order: got its price",
    OrderGated = "order: waits for redemptions to be taken up again",
    OrderMatured = "order: came to its term",
    DebriefOwed = "debrief: owed after a loss",
    LossDebriefed = "debrief: of a loss",
    CourseDebriefed = "debrief: of the course",
    FraudReported = "fraud: reported",
    TaskDone = "task: done",
    WritingMissed = "pupil: did not graduate for want of a plan or a debrief",
    ScoreMissed = "pupil: did not graduate for want of score",
    CutByMember = "limit: cut by a member's cap",
    CutByGroup = "limit: cut by a group's cap",
    CutByBank = "limit: cut by the branch's share",
    CutByRuleBudget = "limit: cut by a rule's budget",
    LimitReached = "limit: announced",
    Expired = "ledger: points expired",
    Redeemed = "ledger: points spent",
    Reversed = "ledger: taken back from a member",
    ReversedAtHouse = "ledger: taken back at the house's cost",
    BoardOfDay = "standing: of a day",
    BoardOfWeek = "standing: of a week",
    BoardOfMonth = "standing: of a month",
    BoardOfSeason = "standing: of a season",
    BoardOfRun = "standing: of a run",
    BoardOfRound = "standing: of a round",
    BoardTied = "standing: equal scores",
    BoardLate = "standing: an award for the day that closes",
}

/// Counts of what was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    edges: BTreeMap<Edge, u64>,
    /// Rules that paid, by id and version.
    pub rules: BTreeMap<(Slug, u16), u64>,
    /// Refusals.
    pub rejects: BTreeMap<Reject, u64>,
    /// Receipts, by kind.
    pub receipts: BTreeMap<&'static str, u64>,
}

/// Kinds of receipts.
pub const RECEIPTS: [&str; 13] = [
    "ok",
    "manager",
    "community",
    "member",
    "run",
    "post",
    "checked in",
    "taken",
    "graded",
    "reacted",
    "regraded",
    "booked",
    "course",
];

fn kind(receipt: &Receipt) -> &'static str {
    RECEIPTS[match receipt {
        Receipt::Ok => 0,
        Receipt::Manager(_) => 1,
        Receipt::Community(_) => 2,
        Receipt::Member(_) => 3,
        Receipt::Run(_) => 4,
        Receipt::Post(_) => 5,
        Receipt::CheckedIn(_) => 6,
        Receipt::Taken { .. } => 7,
        Receipt::Graded { .. } => 8,
        Receipt::Reacted { .. } => 9,
        Receipt::Regraded(_) => 10,
        Receipt::Booked { .. } => 11,
        Receipt::Course(_) => 12,
    }]
}

impl Seen {
    pub(super) fn mark(&mut self, edge: Edge) {
        *self.edges.entry(edge).or_default() += 1;
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done(receipt) => *self.receipts.entry(kind(receipt)).or_default() += 1,
            Outcome::Rejected(reject) => *self.rejects.entry(*reject).or_default() += 1,
        }
    }

    /// How often an edge was reached.
    #[must_use]
    pub fn count(&self, edge: Edge) -> u64 {
        self.edges.get(&edge).copied().unwrap_or(0)
    }

    /// Adds what another journal reached.
    pub fn add(&mut self, other: &Self) {
        fn sum<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
            for (key, count) in from {
                *into.entry(key.clone()).or_default() += count;
            }
        }
        sum(&mut self.edges, &other.edges);
        sum(&mut self.rules, &other.rules);
        sum(&mut self.rejects, &other.rejects);
        sum(&mut self.receipts, &other.receipts);
    }
}
