//! What the engine answers: one outcome for every command.

use serde::{Deserialize, Serialize};

use crate::course::CourseReceipt;
use crate::id::{CommunityId, ManagerId, MemberId, PostId, RoundId, RunId};
use crate::time::Day;
use crate::unit::{Points, Ppm};

/// Done, or refused with a reason and without any change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was done.
    Done(Receipt),
    /// It was refused; nothing changed.
    Rejected(Reject),
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receipt {
    /// Nothing more to say.
    Ok,
    /// A manager was added.
    Manager(ManagerId),
    /// A group was opened.
    Community(CommunityId),
    /// A member joined.
    Member(MemberId),
    /// A run was launched.
    Run(RunId),
    /// A post went up.
    Post(PostId),
    /// A check-in counted.
    CheckedIn(StreakState),
    /// Answers were taken; right or wrong is said after the close.
    Taken {
        /// The round.
        round: RoundId,
        /// Questions of the round answered so far.
        answered: u8,
    },
    /// Answers were taken and graded, where the quest says so.
    Graded {
        /// The round.
        round: RoundId,
        /// Questions of the round answered so far.
        answered: u8,
        /// For each answer of the command.
        marks: Vec<Mark>,
    },
    /// A reaction was counted.
    Reacted {
        /// False where the same reaction was already known: nothing changed.
        counted: bool,
    },
    /// What a corrected key changes, or would change in a dry run.
    Regraded(RegradeReport),
    /// Points were spent or taken back.
    Booked {
        /// The member's balance after it.
        balance: Points,
    },
    /// Something about a course.
    Course(CourseReceipt),
}

/// How one answer was graded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Position of the question as this member sees it.
    pub question: u8,
    /// Fully right.
    pub right: bool,
    /// Credit after partial credit and the scoring curve.
    pub score: Ppm,
}

/// A member's streak in one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreakState {
    /// The last day that counted.
    pub day: Day,
    /// The last day on which a check-in continues the streak, with freezes and leniency. After
    /// it the streak counts as broken, though nothing is written until the next check-in.
    pub alive_until: Day,
    /// Length in days as of `day`.
    pub length: u16,
    /// Longest length ever.
    pub longest: u16,
    /// Check-ins in all.
    pub total: u16,
    /// Freezes left.
    pub freezes: u8,
    /// Make-up cards left.
    pub make_ups: u8,
}

/// What a corrected key changes. Old and new grades are both kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegradeReport {
    /// Whether it was only tried.
    pub dry_run: bool,
    /// Answers that were looked at.
    pub answers: u32,
    /// Wrong before, right now.
    pub now_right: u32,
    /// Right before, wrong now.
    pub now_wrong: u32,
    /// Score changed while right or wrong did not.
    pub score_changed: u32,
}

macro_rules! rejects {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why a command was refused. Each has a stable code and says what to do instead.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reject {
            $($(#[$doc])* $name,)*
        }

        impl Reject {
            /// Every refusal there is.
            pub const ALL: &'static [Reject] = &[$(Reject::$name,)*];

            /// The stable code, for machines.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is wrong and what to do instead.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

rejects! {
    /// The id belongs to another branch.
    WrongBranch = "wrong-branch", "this id belongs to another branch; send the command to that branch";
    /// A member acts for another.
    NotYours = "not-yours", "members act for themselves only; sign in as the member concerned";
    /// No such manager.
    UnknownManager = "unknown-manager", "no such manager in this branch; list the managers and use one of their ids";
    /// No such community.
    UnknownCommunity = "unknown-community", "no such community in this branch; list the communities and use one of their ids";
    /// No such community file.
    UnknownTemplate = "unknown-template", "the current content has no community file of this name; check the name or load content that has it";
    /// The group is full.
    CommunityFull = "community-full", "this group is full; join another group or open a new one";
    /// No such member.
    UnknownMember = "unknown-member", "no such member in this branch";
    /// The member left.
    MemberLeft = "member-left", "this member has left; bring them back with a move first";
    /// The member's data was erased.
    MemberErased = "member-erased", "this member's data was erased; the person may join anew";
    /// Already in that group.
    AlreadyThere = "already-there", "the member is already in that group; nothing to do";
    /// The branch has no room for another tag name.
    TooManyTags = "too-many-tags", "a branch holds at most 64 different tags; reuse one of them";
    /// The branch is full.
    BranchFull = "branch-full", "this branch holds the most members it can; open another branch";
    /// No consent for taking part.
    NoConsent = "no-consent", "the member has not agreed to take part; ask for consent first";
    /// No such quest file.
    UnknownQuest = "unknown-quest", "the current content has no quest of this name; check the name or load content that has it";
    /// The content is not loaded.
    UnknownContent = "unknown-content", "this content is not loaded; load and check it first";
    /// The run cannot start then.
    BadStart = "bad-start", "a run starts today or within the next 366 days; choose such a day";
    /// The group's kind is not what the quest is for.
    WrongAudience = "wrong-audience", "the quest is not for groups of this kind; choose groups of a kind it names";
    /// No such run.
    UnknownRun = "unknown-run", "no such run in this branch; list the runs and use one of their ids";
    /// The run is of another kind.
    WrongKind = "wrong-kind", "this run is of another kind; use the command that fits its quest";
    /// The run has not begun.
    NotStarted = "not-started", "the run has not begun; wait for its first day";
    /// The run is over.
    RunEnded = "run-ended", "the run is over; look for the next one";
    /// The member's group does not take part.
    NotInvited = "not-invited", "the member's group does not take part in this run";
    /// Already checked in on that day.
    DuplicateCheckIn = "duplicate-check-in", "this day is already checked in; come back tomorrow";
    /// The phrase is not today's.
    WrongPhrase = "wrong-phrase", "that is not the phrase of the day; look it up in the group and type it again";
    /// The quest needs the phrase.
    PhraseNeeded = "phrase-needed", "this check-in needs the phrase of the day; look it up in the group and type it";
    /// Event time in the future or too old.
    TooLate = "too-late", "the event is in the future or older than the late window; ask an operator to repair it";
    /// Nothing to make up.
    NothingToMakeUp = "nothing-to-make-up", "that day cannot be made up: it is checked in, outside the window, or before the member's first check-in";
    /// No make-up cards left.
    NoMakeUps = "no-make-ups", "no make-up cards are left in this run";
    /// A repair outside what is possible.
    BadRepair = "bad-repair", "a repaired streak is 1 to 3650 days long and the member must have checked in before; correct the length";
    /// No such round.
    UnknownRound = "unknown-round", "no such round in this branch; list the open rounds";
    /// The round is not open.
    RoundNotOpen = "round-not-open", "the round is not open yet; come back at its opening time";
    /// The round is closed.
    RoundClosed = "round-closed", "the round is closed; look for the next one";
    /// The member joined after the opening of a round that takes no late joiners.
    JoinedTooLate = "joined-too-late", "this round was open before the member joined; the next one counts";
    /// No such question.
    UnknownQuestion = "unknown-question", "the round has no question at that position; positions start at 0";
    /// The choice does not fit the question.
    WrongChoice = "wrong-choice", "the answer does not fit the question; send the kind of answer the question asks for, within its options";
    /// No attempts left.
    NoAttempts = "no-attempts", "every attempt at this question is used";
    /// No answers, too many, or one question twice.
    BadAnswers = "bad-answers", "send 1 to 50 answers, each question once";
    /// Time limit out of range.
    BadSeconds = "bad-seconds", "extra time is 1 second to 7 days";
    /// The round's answers are no longer kept.
    CorrectionOver = "correction-over", "the correction window of this round is over; its grades are final";
    /// The key does not fit the question.
    WrongKey = "wrong-key", "the key does not fit the kind or the options of the question";
    /// Nothing would change.
    SameKey = "same-key", "this is already the key; nothing to correct";
    /// Too many posts today.
    TooManyPosts = "too-many-posts", "a sender may post at most as often a day as the quest allows (3 at most); post again tomorrow";
    /// No such post.
    UnknownPost = "unknown-post", "no such post in this branch; list the posts";
    /// The challenge is over.
    PostClosed = "post-closed", "the challenge under this post is over; look for the next one";
    /// Staff do not take part.
    StaffExcluded = "staff-excluded", "colleagues are welcome to comment, but are never counted or rewarded";
    /// Points out of range.
    BadPoints = "bad-points", "points must be from 1 to 1,000,000,000";
    /// Not enough points.
    NotEnoughPoints = "not-enough-points", "the balance is too small; lower the amount";
    /// The order is already booked.
    OrderBooked = "order-booked", "this order number is already booked; use a new one for a new order";
    /// The entry is already reversed.
    AlreadyReversed = "already-reversed", "this entry is already reversed; it is reversed once at most";
    /// The entry cannot be reversed.
    NotReversible = "not-reversible", "only an award of this branch can be reversed; check the entry's id";
    /// No such course.
    UnknownCourse = "unknown-course", "the current content has no course of this name; check the name or load content that has it";
    /// No such cohort.
    UnknownCohort = "unknown-cohort", "no such cohort in this branch; list the cohorts and use one of their ids";
    /// A group already has a cohort.
    GroupTaken = "group-taken", "one of these groups has a cohort that is not over; use another group or wait for its end";
    /// The stage does not allow it.
    WrongStage = "wrong-stage", "the cohort's stage does not allow this now; look up its stage and what it leads to";
    /// Enrolment is not open.
    EnrolmentClosed = "enrolment-closed", "enrolment is not open: it has not begun, or the last day to come in is over; look for the next cohort";
    /// Not in one of the cohort's groups.
    NotInCohortGroup = "not-in-cohort-group", "the cohort lives in other groups; join one of its groups first";
    /// Already enrolled.
    AlreadyEnrolled = "already-enrolled", "the member already takes part; nothing to do";
    /// Takes part in another course.
    OtherCohort = "other-cohort", "the member takes part in another course that is not over; finish or leave that one first";
    /// Not enrolled.
    NotEnrolled = "not-enrolled", "the member does not take part in this cohort; enrol first";
    /// The lesson is not sent yet.
    LessonNotSent = "lesson-not-sent", "this lesson has not been sent yet; finish today's lesson and come back on its day";
    /// The time for this lesson is over.
    LessonOver = "lesson-over", "the time to catch up on this lesson is over; go on with today's lesson";
    /// The lesson is finished.
    LessonFinished = "lesson-finished", "this lesson is already finished; nothing to do";
    /// Items that are not asked now.
    ItemsNotDue = "items-not-due", "these items are not asked now; look up which items are, and answer each once";
    /// No such wish can be fulfilled.
    BadWish = "bad-wish", "graduates of this course are not invited to that group; choose one of the kinds the course names";
    /// No invitation stands.
    NoInvitation = "no-invitation", "no invitation stands for this member; it ran out, was answered, or was never given";
    /// No more invitations.
    NoReinvitation = "no-reinvitation", "this invitation may not be repeated: it still stands, was answered, or was repeated as often as the course allows";
    /// No group has room.
    NoPlace = "no-place", "no fitting group has room; open a long-term group first";
    /// The change does not fit.
    BadAmendment = "bad-amendment", "a running course can change from a day that is not sent yet, to content that has the course with the same days, times, market and paired items";
    /// The group is dissolved.
    CommunityClosed = "community-closed", "this group was dissolved with its course; use another group";
    /// Not of age.
    UnderAge = "under-age", "the questionnaire is for people of age; lessons, quizzes and products of level R1 stay open to everybody";
    /// Took the questionnaire as often as it may be taken.
    AssessmentLimit = "assessment-limit", "the questionnaire may be answered twice a day and eight times a year; come back another day";
    /// The choices do not fit the questionnaire.
    BadAssessment = "bad-assessment", "send one option for each question, in order, by its position from 0";
    /// No result waits to be confirmed.
    NothingToConfirm = "nothing-to-confirm", "no result waits to be confirmed; answer the questionnaire first";
    /// No such sheet in this course so far.
    UnknownSheet = "unknown-sheet", "the course shows no such sheet so far; open one that a lesson or an asset of the market names";
    /// Above the member's level.
    AboveLevel = "above-level", "this is above the level that was found for you, or you have no level that holds; choose something within it, or answer the questionnaire first (without one, R1 only)";
    /// No consent to be told about products.
    NoMarketingConsent = "no-marketing-consent", "this is a product on sale, shown only to those who asked for it; agree to product information first, or go on without";
    /// No such asset.
    UnknownAsset = "unknown-asset", "the market has no such asset; list its assets and use one of their ids";
    /// The asset is switched off.
    AssetOff = "asset-off", "this asset cannot be traded in this course; choose another one";
    /// Orders are not taken yet.
    OrdersNotYet = "orders-not-yet", "orders are not taken yet; read the lessons, answer the questionnaire and write your plan until then";
    /// No price is made any more.
    NoMorePrices = "no-more-prices", "the last prices of the course are made; look at your account and write the debrief";
    /// No plan yet.
    PlanFirst = "plan-first", "write your plan before the first order: what for, how long, which loss, how much of what";
    /// The plan cannot be right.
    BadPlan = "bad-plan", "a plan has 1 to 600 months, each asset of the market once, and shares that are at most the whole; correct it";
    /// A debrief comes first.
    DebriefFirst = "debrief-first", "after such a loss look back in writing before the next order";
    /// Nothing to look back at.
    NothingToDebrief = "nothing-to-debrief", "there is nothing to look back at now: no loss waits for it, or the last lesson is not sent yet";
    /// The amount is out of range.
    BadAmount = "bad-amount", "the amount is below the smallest purchase of the asset or above a billion yuan, or the number of units is not above zero; look up the rules of the asset";
    /// Not enough cash.
    NotEnoughCash = "not-enough-cash", "the account has less cash than that; lower the amount, or wait for cash that is on the way";
    /// Beyond the daily limit of the asset.
    DailyLimit = "daily-limit", "the asset takes less than that on one day; lower the amount, or buy the rest tomorrow";
    /// Fewer units than that can be redeemed.
    NotEnoughUnits = "not-enough-units", "fewer units can be redeemed now: some are not held, not confirmed, or already ordered to be redeemed";
    /// Held too short.
    LockedUp = "locked-up", "these units cannot be redeemed before the end of their holding period; wait for it";
    /// No window is open.
    WindowClosed = "window-closed", "the asset is bought and redeemed in its windows only; wait for the next one";
    /// Redemptions are suspended.
    Suspended = "suspended", "redemptions of this asset are suspended; wait until they are taken up again";
    /// No fast redemption.
    NoFastRedemption = "no-fast-redemption", "this asset has no fast redemption; redeem it in the ordinary way";
    /// Beyond the limit of fast redemption.
    FastLimit = "fast-limit", "fast redemption pays less than that on one day; redeem the rest in the ordinary way";
    /// Too many orders.
    TooManyOrders = "too-many-orders", "an account takes at most 100 orders; keep to your plan";
    /// No such order.
    UnknownOrder = "unknown-order", "the account has no order of that number; list the orders";
    /// The order has its price.
    OrderDone = "order-done", "this order has its price, or was taken back; it can be taken back until the cut-off only";
    /// Too much was written.
    TooManyTexts = "too-many-texts", "an account keeps at most 100 texts; no more are taken";
    /// No such news so far.
    UnknownNews = "unknown-news", "there is no such news so far; report one that is in the feed";
    /// The news is no fraud.
    NotAFraud = "not-a-fraud", "this news is no fraud; look for promises, pressure and payments to private accounts";
    /// Already done.
    AlreadyDone = "already-done", "this was done before; nothing to do";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_say_what_to_do() {
        let codes: std::collections::BTreeSet<_> = Reject::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Reject::ALL.len());
        for reject in Reject::ALL {
            assert!(reject.help().len() > 20, "{reject:?}");
            assert!(reject.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        }
    }
}
