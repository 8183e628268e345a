//! What goes into the engine: batches of commands, already stamped and ordered.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::course::CourseAction;
use crate::id::{CommunityId, Digest, ManagerId, MemberId, PostId, RoundId, RunId, Slug};
use crate::ledger::Cause;
use crate::text::FoldedHash;
use crate::time::{Day, Timestamp};
use crate::unit::{Decimal, Points};

/// Commands applied together at one logical instant. `at` rises strictly from batch to batch and
/// `seq` counts them without a gap from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Position in the branch's journal.
    pub seq: u64,
    /// The one time the engine knows while it applies this batch.
    pub at: Timestamp,
    /// In the order of acceptance; shared, so that whoever works on them need not copy them.
    pub commands: Arc<Vec<Command>>,
}

/// Who wants what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Who acts.
    pub actor: Actor,
    /// What is to happen.
    pub action: Action,
}

/// Who acts. Rights are decided before a command is accepted; the engine still refuses a member
/// who acts for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Actor {
    /// A member, for themselves only.
    Member(MemberId),
    /// An operator account, by its number.
    Operator(u32),
    /// A connected channel (WeCom) that reports what people did there.
    Channel,
    /// The host itself: adopting content, closing what is due.
    System,
}

/// Everything that can be asked of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    // people
    /// Adds a relationship manager to the branch.
    AddManager,
    /// Opens a group after a community file of the current content.
    OpenCommunity {
        /// The community file.
        template: Slug,
        /// Its relationship manager.
        manager: ManagerId,
    },
    /// Enters a new customer into a group.
    Join {
        /// The group.
        community: CommunityId,
    },
    /// Brings a member who left back, or moves one to another group.
    Move {
        /// The member.
        member: MemberId,
        /// Their group from now on.
        to: CommunityId,
    },
    /// The member leaves the programme; what they hold stays theirs.
    Leave {
        /// The member.
        member: MemberId,
    },
    /// Sets or removes a tag.
    Tag {
        /// The member.
        member: MemberId,
        /// The tag's name.
        tag: Slug,
        /// Set, or removed.
        on: bool,
    },
    /// Records consent for one purpose, or its withdrawal.
    Consent {
        /// The member.
        member: MemberId,
        /// What for.
        purpose: ConsentPurpose,
        /// Version of the text that was agreed to.
        version: u16,
        /// Given, or withdrawn.
        given: bool,
    },
    /// Shows or hides the member on every standing.
    ShowOnBoards {
        /// The member.
        member: MemberId,
        /// Shown, or hidden.
        shown: bool,
    },
    /// Marks the member's personal data as erased and takes them off all lists.
    Erase {
        /// The member.
        member: MemberId,
    },

    // runs
    /// Starts a quest of the current content; it keeps that content until it ends.
    Launch {
        /// The quest file.
        quest: Slug,
        /// Groups that take part; empty means every group of a kind the quest is for, also
        /// groups opened later.
        communities: Vec<CommunityId>,
        /// Day 1 of the run.
        start: Day,
    },
    /// Ends a run at once. Open rounds close and are graded.
    Stop {
        /// The run.
        run: RunId,
    },
    /// Makes a checked pack the current content for what is launched from now on.
    AdoptContent {
        /// The pack.
        digest: Digest,
    },

    // streak
    /// A check-in, by button or by typing the phrase of the day.
    CheckIn {
        /// The member.
        member: MemberId,
        /// The streak run.
        run: RunId,
        /// What was typed, folded and hashed; `None` for the button.
        phrase: Option<FoldedHash>,
        /// When it happened, if it was reported late; `None` is now.
        occurred: Option<Timestamp>,
    },
    /// Fills a missed day with a make-up card.
    MakeUp {
        /// The member.
        member: MemberId,
        /// The streak run.
        run: RunId,
        /// The missed day.
        day: Day,
    },
    /// An operator restores a streak that broke through no fault of the member.
    RepairStreak {
        /// The member.
        member: MemberId,
        /// The streak run.
        run: RunId,
        /// The length it should have.
        days: u16,
        /// Why.
        reason: RepairReason,
    },

    // quiz
    /// Answers to questions of one round, each by its position as the member sees it.
    Answer {
        /// The member.
        member: MemberId,
        /// The round.
        round: RoundId,
        /// The answers.
        answers: Vec<Answer>,
    },
    /// More time for one member in one round.
    GrantTime {
        /// The member.
        member: MemberId,
        /// The round.
        round: RoundId,
        /// Seconds after the round's close.
        seconds: u32,
    },
    /// Corrects the key of one question and grades the round again.
    CorrectKey {
        /// The round.
        round: RoundId,
        /// Position of the question in the content file's order.
        question: u8,
        /// The right key.
        key: Key,
        /// Only report what would change.
        dry_run: bool,
    },

    // moments
    /// A manager's post goes up.
    Publish {
        /// The Moments run.
        run: RunId,
        /// Whose post it is.
        manager: ManagerId,
    },
    /// A reaction, as a channel reports it or a member enters it on their own page.
    React {
        /// The post.
        post: PostId,
        /// Who reacted.
        person: Person,
        /// What was done.
        reaction: Reaction,
        /// When it happened, if reported late; `None` is now.
        occurred: Option<Timestamp>,
    },

    // ledger
    /// The member spends points in the points mall.
    Redeem {
        /// The member.
        member: MemberId,
        /// How many.
        points: Points,
        /// The mall's order number; one order is booked once.
        order: u64,
    },
    /// Takes back an entry by a compensating one. The host fills in the entry from the ledger.
    Reverse {
        /// The entry.
        entry: u64,
        /// Whose it was.
        member: MemberId,
        /// How much it gave.
        points: Points,
        /// What it went back to.
        cause: Cause,
    },

    /// Something about a course.
    Course(CourseAction),
}

/// What data may be used for, one consent each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConsentPurpose {
    /// Taking part in community activities.
    Activities,
    /// Being shown by name on standings.
    PublicName,
    /// Messages chosen by behaviour.
    Personalisation,
    /// Being told about products.
    Marketing,
}

/// Why an operator repaired a streak. A list, not free text: nothing personal enters the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RepairReason {
    /// The service was not reachable.
    ServiceFault,
    /// The event was reported after the late window.
    LateReport,
    /// Illness or another hardship of the member.
    Hardship,
    /// An operator's own mistake.
    OperatorError,
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Position of the question as this member sees it, from 0.
    pub question: u8,
    /// What was chosen or typed.
    pub choice: Choice,
}

/// What was chosen, by positions as the member sees them, or what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Choice {
    /// One option.
    One(u8),
    /// Several options, bit n for the option at position n.
    Many(u32),
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// Typed text.
    Text(FoldedHash),
}

/// A key in the content file's order of options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// The right option.
    One(u8),
    /// The right options, bit n for option n.
    Many(u32),
    /// The right truth value.
    Bool(bool),
    /// The right number and how far off still counts.
    Number {
        /// The right number.
        value: Decimal,
        /// Largest difference that is still right.
        tolerance: Decimal,
    },
    /// The accepted texts.
    Text(Vec<FoldedHash>),
    /// Everybody who answered is right: the question was void.
    Everyone,
}

/// Who reacted to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Person {
    /// A member.
    Member(MemberId),
    /// A colleague: counted by nobody, rewarded by nobody.
    Staff(ManagerId),
}

/// What was done under a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reaction {
    /// A like.
    Like,
    /// A like taken back.
    Unlike,
    /// A comment; its text, folded and hashed, where the channel or the member's page gave it.
    Comment(Option<FoldedHash>),
    /// The comment was deleted.
    Uncomment,
}
