//! An auditor of a branch's journal: plain maps and loops over commands and what the engine
//! answered, written without the engine. It reads the rule files as the checked pack has them and
//! the vocabulary of the core; it shares no rule with the engine, so the two can only agree by
//! both being right, or by the same misunderstanding.
//!
//! From every batch it works out what must come of it, outcome by outcome and entry by entry, and
//! names the invariant that a difference breaks. The numbers are those of the list the project
//! holds itself to:
//!
//! | | invariant | how it is checked |
//! |---|---|---|
//! | 1 | double entry | shape of every entry, running balances, sum zero, no member below zero, what expires and when; every entry worked out again |
//! | 2 | budgets and caps | run budgets, rule budgets and caps of member, group and branch counted here, from the rule files |
//! | 3 | once | (rule, version, cause, member) is paid once, an order is booked once, an entry is taken back once and never for more than it gave |
//! | 4 | streaks | days kept in sets and walked backwards; every field of every receipt |
//! | 5 | quiz | attempts counted, none taken after the close, credit worked out from the answers with the pinned content and corrected keys |
//! | 6 | standings | rows of every closed standing added up from entries and ranked by the tie policy; closed once |
//! | 7 | portfolio | every account at every close worked out again: cash, lots, orders, fees, rounding, score; conserved to the last 1e-10 yuan; no order without a plan or while a debrief is owed; quotes as the secret makes them, none before its day |
//! | 8 | runs and content | launches, stops and adopted content, refused where they must be |
//! | 8 | cohorts | every stage of a cohort and of a member by a listed edge only, a cohort's once, in its batch; enrolment, lessons, items, reviews, gain and retention worked out |
//! | 9 | groups | one group a member, never above its capacity; joining, moving and leaving |
//! | 9 | graduates | each has one invitation that stands, declined it, let it run out, or arrived in its group; seats of standing invitations counted, places chosen again |
//! | 10 | posts | posts counted by sender, day and week against the quest's limits and three a day |
//! | 11 | suitability | levels and their counters kept here; nothing is bought, planned or shown above the level that holds at that instant |
//! | 12 | reactions | a like or comment counts once, undone ones are taken back, doing it again earns nothing |
//! | 14 | time and journal | time rises, everything is numbered without a gap, the chain of digests is computed again |
//! | 15 | erased members | no award to them and no row of theirs after the erasure |
//! | 16 | on time | rounds, posts and runs open and close in the batch in which they are due |
//!
//! Held elsewhere: 13 (isolation), the rest of 14 (replay, restore, the next twenty batches) and
//! of 16 (everything settles once faults stop) need engines to run and are in [`crate::vet`].
//! Not held, because the feature is not built: messages other than posts and lessons in 10. That no personal data is left after an
//! erasure (15) is a matter of the host's tables, not of the journal, and is tested there.

mod boards;
mod books;
mod cohorts;
mod days;
mod edges;
mod invest;
mod moments;
mod people;
mod quiz;
mod rules;
mod runs;
mod streak;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_core::course::{CohortStage, CourseEvent, CourseReceipt, PupilStage};
use dengmi_core::ledger::RuleRef;
use dengmi_core::random::Seed;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{ClosedBoard, Event, EventKind, MemberStatus};
use dengmi_core::{
    Account, Action, Batch, BranchId, Cause, CommunityId, Day, Digest, Fact, LedgerEntry, MemberId,
    Outcome, Receipt, Reject, Slug, Timestamp,
};

pub use edges::{Edge, RECEIPTS, Seen};

use boards::Scores;
use books::{Back, Booked, Books};
use cohorts::Cohort;
use invest::Levels;
use moments::Post;
use people::People;
use quiz::Round;
use rules::{Cut, Limits};
use runs::{Due, Run};

/// What an invariant is about; the numbers are explained above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// 1: points are moved, never made.
    DoubleEntry,
    /// 2: no budget and no cap is passed, and none cuts too early.
    Limits,
    /// 3: nothing is granted or booked twice.
    Once,
    /// 4: streaks follow from the days.
    Streaks,
    /// 5: answers count once, in time, for what they are worth.
    Quiz,
    /// 6: standings follow from the ledger.
    Standings,
    /// 7: mock accounts follow from orders and prices; nothing is made or lost in them.
    Portfolio,
    /// 8: runs and content.
    Runs,
    /// 8: cohorts go their listed ways, each once.
    Cohorts,
    /// 9: members and groups.
    Groups,
    /// 9: graduates are placed once, where there is room.
    Graduates,
    /// 10: posts within the sender's limits.
    Posts,
    /// 11: nothing is bought or shown above the own level.
    Suitability,
    /// 12: reactions.
    Reactions,
    /// 13: branches know nothing of each other.
    Isolation,
    /// 14: time, numbers, digests; replay and restore.
    Journal,
    /// 15: nothing for erased members.
    Erasure,
    /// 16: everything happens in time and settles.
    Liveness,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DoubleEntry => "1 double entry",
            Self::Limits => "2 budgets and caps",
            Self::Once => "3 once",
            Self::Streaks => "4 streaks",
            Self::Quiz => "5 quiz",
            Self::Standings => "6 standings",
            Self::Portfolio => "7 portfolio",
            Self::Runs => "8 runs and content",
            Self::Cohorts => "8 cohorts",
            Self::Groups => "9 groups",
            Self::Graduates => "9 graduates",
            Self::Posts => "10 posts",
            Self::Suitability => "11 suitability",
            Self::Reactions => "12 reactions",
            Self::Isolation => "13 isolation",
            Self::Journal => "14 time and journal",
            Self::Erasure => "15 erased members",
            Self::Liveness => "16 on time",
        })
    }
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("batch {tick}, invariant {invariant}: {what}")]
pub struct Finding {
    /// The batch.
    pub tick: u64,
    /// Which one.
    pub invariant: Invariant,
    /// What differs.
    pub what: String,
}

/// What the engine said of one batch.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// One for every command.
    pub outcomes: &'a [Outcome],
    /// Ledger entries.
    pub entries: &'a [LedgerEntry],
    /// Events.
    pub events: &'a [Event],
    /// Standings closed for good.
    pub closed: &'a [ClosedBoard],
    /// The chained digest.
    pub digest: Digest,
}

/// What a command is answered with.
type Answered = Result<Receipt, Reject>;

/// What is known of one batch while it is worked out.
struct Tick<'t> {
    at: Timestamp,
    /// What the engine said, for where more than one answer is right.
    told: Told<'t>,
    /// The command that is being answered.
    index: usize,
    /// Members who are no longer in a group, and the group.
    departed: Vec<(u32, u32)>,
    answers: Vec<Option<Answered>>,
    events: Vec<(Option<CommunityId>, EventKind)>,
    limit_events: Vec<(Option<CommunityId>, EventKind)>,
    facts: Vec<Fact>,
    /// Facts of reactions, told after all others.
    reactions: Vec<Fact>,
    backs: Vec<Back>,
    cuts: Vec<Cut>,
    booked: Vec<Booked>,
    closed: Vec<ClosedBoard>,
    /// Runs that ended.
    ended: Vec<u32>,
    /// A law that a mock account breaks, by this auditor's own books.
    unlawful: Option<(Invariant, String)>,
}

impl Tick<'_> {
    /// What was said of the command at hand.
    fn said_now(&self) -> Option<&Outcome> {
        self.told.outcomes.get(self.index)
    }

    /// When an answer of the command at hand was said to be due again.
    fn said_due(&self, place: usize) -> Option<Day> {
        match self.said_now()? {
            Outcome::Done(Receipt::Course(CourseReceipt::Reviewed { marks })) => {
                marks.get(place).map(|mark| mark.due)
            }
            _ => None,
        }
    }

    /// Whether a member was said to have come into a stage.
    fn heard_stage(&self, who: MemberId, wanted: PupilStage) -> bool {
        self.told.events.iter().any(|event| {
            matches!(event.kind, EventKind::Course(CourseEvent::Pupil { member, stage, .. })
                if member == who && stage == wanted)
        })
    }
}

/// What was said so far, as far as laws about single entries ask for it.
#[derive(Default)]
struct Said {
    last_entry: u64,
    last_event: u64,
    balances: BTreeMap<Account, i64>,
    granted: BTreeSet<(RuleRef, Cause, MemberId)>,
    orders: BTreeSet<u64>,
    /// Points that awards gave and reversals have not taken back.
    awards: BTreeMap<u64, i64>,
    reversed: BTreeMap<u64, u64>,
    closed: BTreeSet<BoardKey>,
    cohorts: cohorts::Told,
    mock: invest::Heard,
}

/// The auditor of one branch.
pub struct Auditor {
    branch: BranchId,
    seed: Seed,
    branches: i64,
    packs: BTreeMap<Digest, Arc<Pack>>,
    current: Digest,
    seq: u64,
    at: Timestamp,
    chain: Digest,
    said: Said,
    people: People,
    runs: BTreeMap<u32, Run>,
    rounds: BTreeMap<u32, Round>,
    posts: BTreeMap<u32, Post>,
    cohorts: BTreeMap<u32, Cohort>,
    levels: Levels,
    /// Days on which a manager posted lately.
    sent: BTreeMap<u32, Vec<Day>>,
    last_run: u32,
    last_round: u32,
    last_post: u32,
    last_cohort: u32,
    diary: BTreeSet<(Timestamp, Due)>,
    rule_numbers: Vec<Slug>,
    limits: Limits,
    books: Books,
    scores: Scores,
    seen: Seen,
}

impl Auditor {
    /// The auditor of `branch`, whose engine has `seed`, shares bank-wide caps with `branches`
    /// branches in all, knows `packs` and begins with the content `first`.
    #[must_use]
    pub fn new(
        branch: BranchId,
        seed: Seed,
        branches: u16,
        packs: BTreeMap<Digest, Arc<Pack>>,
        first: Digest,
    ) -> Self {
        Self {
            branch,
            seed,
            branches: i64::from(branches.max(1)),
            packs,
            current: first,
            seq: 0,
            at: Timestamp(0),
            chain: Digest::default(),
            said: Said::default(),
            people: People::default(),
            runs: BTreeMap::new(),
            rounds: BTreeMap::new(),
            posts: BTreeMap::new(),
            cohorts: BTreeMap::new(),
            levels: Levels::default(),
            sent: BTreeMap::new(),
            last_run: 0,
            last_round: 0,
            last_post: 0,
            last_cohort: 0,
            diary: BTreeSet::new(),
            rule_numbers: Vec::new(),
            limits: Limits::default(),
            books: Books::default(),
            scores: Scores::default(),
            seen: Seen::default(),
        }
    }

    /// Looks at the next batch and what came of it.
    ///
    /// # Errors
    /// The first invariant that does not hold. The auditor is of no use after it.
    pub fn see(&mut self, batch: &Batch, told: &Told<'_>) -> Result<(), Finding> {
        let found = self.judge(batch, told);
        (self.seq, self.at) = (batch.seq, batch.at);
        found.map_err(|(invariant, what)| Finding { tick: batch.seq, invariant, what })
    }

    /// What was reached so far.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// What the member must hold.
    #[must_use]
    pub fn balance(&self, member: MemberId) -> i64 {
        self.books.balance(member.seq)
    }

    /// Points of the member in the day, week, month and season they last scored in.
    #[must_use]
    pub fn scores(&self, member: MemberId) -> [i64; 4] {
        self.scores.latest(member.seq).map(|(points, _)| points)
    }

    /// Members, and of each its group and status.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, CommunityId, MemberStatus)> {
        self.people.members.iter().zip(1..).map(|(member, seq)| {
            let community = CommunityId::new(self.branch, member.community);
            (MemberId::new(self.branch, seq), community, member.status)
        })
    }

    /// Points that a run may still pay, while it is remembered.
    #[must_use]
    pub fn budget_left(&self, run: dengmi_core::RunId) -> Option<i64> {
        self.runs.get(&run.seq).map(|run| run.budget_left)
    }

    /// Likes and comments that stand under a post, while it is remembered.
    #[must_use]
    pub fn reactions(&self, post: dengmi_core::PostId) -> Option<(u32, u32)> {
        self.posts.get(&post.seq).map(Post::counts)
    }

    /// Rounds that take answers, posts under which the challenge runs, and runs and cohorts that
    /// have not ended and were to begin by `horizon`.
    #[must_use]
    pub fn unsettled(&self, horizon: Day) -> [usize; 4] {
        let live =
            |cohort: &&Cohort| cohort.stage != CohortStage::Archived && cohort.first <= horizon;
        [
            self.rounds.values().filter(|round| round.is_open()).count(),
            self.posts.values().filter(|post| !post.closed).count(),
            self.runs.values().filter(|run| run.ended.is_none() && run.first <= horizon).count(),
            self.cohorts.values().filter(live).count(),
        ]
    }

    /// Works out what must come of a batch, in the order in which a batch is applied.
    fn expect<'t>(&mut self, batch: &Batch, told: &Told<'t>) -> Tick<'t> {
        let mut tick = Tick {
            at: batch.at,
            told: *told,
            index: 0,
            departed: Vec::new(),
            answers: batch.commands.iter().map(|_| None).collect(),
            events: Vec::new(),
            limit_events: Vec::new(),
            facts: Vec::new(),
            reactions: Vec::new(),
            backs: Vec::new(),
            cuts: Vec::new(),
            booked: Vec::new(),
            closed: Vec::new(),
            ended: Vec::new(),
            unlawful: None,
        };
        let mut admitted: Vec<(usize, &Action)> = Vec::with_capacity(batch.commands.len());
        for (index, command) in batch.commands.iter().enumerate() {
            match people::admit(self.branch, command) {
                Ok(()) => admitted.push((index, &command.action)),
                Err(reject) => tick.answers[index] = Some(Err(reject)),
            }
        }
        self.pass(&mut tick, &admitted, Self::people_action);
        self.pass(&mut tick, &admitted, Self::runs_action);
        self.pass(&mut tick, &admitted, Self::course_action);
        self.notice_departures(&mut tick);
        self.clock(&mut tick);
        // Groups may have been dissolved meanwhile.
        self.notice_departures(&mut tick);
        self.pass(&mut tick, &admitted, Self::streak_action);
        self.pass(&mut tick, &admitted, Self::quiz_action);
        self.pass(&mut tick, &admitted, |auditor, tick, action| match action {
            Action::Answer { member, round, answers } => {
                Some(auditor.take_answers(tick, *member, *round, answers))
            }
            _ => None,
        });
        self.pass(&mut tick, &admitted, |auditor, tick, action| match action {
            Action::Publish { run, manager } => Some(auditor.publish(tick, *run, *manager)),
            _ => None,
        });
        self.pass(&mut tick, &admitted, Self::react);
        let told = std::mem::take(&mut tick.reactions);
        tick.facts.extend(told);
        let awards = self.reward(&mut tick);
        let limits = std::mem::take(&mut tick.limit_events);
        tick.events.extend(limits);
        self.book(&mut tick, awards);
        self.pass(&mut tick, &admitted, Self::ledger_action);
        self.boards(&mut tick);
        tick
    }

    /// Shows every action to one feature, which answers those that are its own.
    fn pass(
        &mut self,
        tick: &mut Tick<'_>,
        actions: &[(usize, &Action)],
        feature: impl Fn(&mut Self, &mut Tick<'_>, &Action) -> Option<Answered>,
    ) {
        for (index, action) in actions {
            tick.index = *index;
            if let Some(answer) = feature(self, tick, action) {
                tick.answers[*index] = Some(answer);
            }
        }
    }
}
