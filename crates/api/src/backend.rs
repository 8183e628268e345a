//! What the interface asks of the host: one trait, plain structs.
//!
//! Reads are published copies and answer at once; they never wait for a writer. Whatever may wait
//! (a commit, a database) is async.

mod mock;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use dengmi_core::command::Key;
use dengmi_core::text::FoldedHash;
use dengmi_core::time::TimeOfDay;
use dengmi_core::view::board::{BoardKey, BoardPolicy, Ranked};
use dengmi_core::view::{Catalog, Event, MemberCard};
use dengmi_core::{
    BranchId, CohortId, Command, CommunityId, Day, Decimal, Digest, LedgerEntry, MemberId, Outcome,
    RoundId, Slug, Timestamp,
};
use tokio::sync::broadcast;
use uuid::Uuid;

pub use self::mock::{
    AssessmentText, AssetKind, AssetText, GraduationTerms, InvestingText, MarketText, NewsText,
    ProductText, Risk,
};
use crate::principal::Principal;

/// The host, as the interface sees it.
pub trait Backend: Send + Sync + 'static {
    // --- commands

    /// Has a command applied and committed, and returns its outcome. A repeat under the same key
    /// by the same principal returns the first outcome and changes nothing.
    fn submit(
        &self,
        submission: Submission,
    ) -> impl Future<Output = Result<Submitted, SubmitError>> + Send;

    // --- published views

    /// The branches served here, in order.
    fn branches(&self) -> Vec<BranchId>;

    /// The wall clock. The engine is stamped elsewhere; this one serves pages and expiries.
    fn now(&self) -> Timestamp;

    /// Slowly changing things of a branch.
    fn catalog(&self, branch: BranchId) -> Option<Arc<Catalog>>;

    /// One member.
    fn member(&self, member: MemberId) -> Option<Arc<MemberCard>>;

    /// A standing, current or closed. `None` where there is no such standing.
    fn board(&self, key: BoardKey) -> Option<Arc<Standing>>;

    /// Whether a member may be shown by name: taking part, and not opted out. Called for every
    /// row, so it must be cheap.
    fn shown(&self, member: MemberId) -> bool;

    /// [`Self::shown`] for many members of one branch, as of one moment.
    fn shown_in(&self, _branch: BranchId) -> impl Fn(MemberId) -> bool {
        |member| self.shown(member)
    }

    /// A number that rises whenever a nickname, [`Self::shown`] or an erasure changes in the
    /// branch: rendered rows are kept until then. It must rise after the change is visible here.
    fn people_version(&self, branch: BranchId) -> u64;

    /// Nicknames of members of one branch, in their order. Members without one, and erased ones,
    /// have none.
    fn names(&self, members: &[Option<MemberId>]) -> Vec<Option<Arc<str>>>;

    /// How a member sees a round: which content position lies at each shown position. `None`
    /// where member or round is unknown.
    fn sheet(&self, member: MemberId, round: RoundId) -> Option<Sheet>;

    /// The keys in force (corrections included), in the content file's order. `None` until the
    /// round is revealed, and again when they are no longer kept.
    fn keys(&self, round: RoundId) -> Option<Vec<Key>>;

    // --- texts

    /// The current content of a branch.
    fn content(&self, branch: BranchId) -> Option<ContentInfo>;

    /// A question of some content.
    fn question(&self, content: Digest, id: &Slug, language: Language) -> Option<QuestionText>;

    /// A quest of some content.
    fn quest(&self, content: Digest, id: &Slug, language: Language) -> Option<QuestText>;

    /// A community file of some content.
    fn community(&self, content: Digest, id: &Slug, language: Language) -> Option<CommunityText>;

    /// The courses of some content, in id order.
    fn courses(&self, content: Digest, language: Language) -> Vec<CourseText>;

    /// A course of some content.
    fn course(&self, content: Digest, id: &Slug, language: Language) -> Option<CourseText>;

    /// The lesson of a day, from 1, of a course of some content.
    fn lesson(
        &self,
        content: Digest,
        course: &Slug,
        day: u8,
        language: Language,
    ) -> Option<LessonText>;

    /// The mock market of a course whose first day is `first`, from the content it is bound to.
    fn market(
        &self,
        terms: Digest,
        course: &Slug,
        first: Day,
        language: Language,
    ) -> Option<MarketText>;

    /// How a course of some content has its members invest.
    fn investing(
        &self,
        content: Digest,
        course: &Slug,
        language: Language,
    ) -> Option<InvestingText>;

    /// A risk questionnaire of some content.
    fn assessment(&self, content: Digest, id: &Slug, language: Language) -> Option<AssessmentText>;

    /// A product page of some content.
    fn product(&self, content: Digest, id: &Slug, language: Language) -> Option<ProductText>;

    /// How a member sees the options of an item that is asked outside the quiz of the day: for each
    /// option shown, its position in key order. `None` where the branch is unknown.
    fn item_order(
        &self,
        member: MemberId,
        cohort: CohortId,
        item: u16,
        options: u8,
    ) -> Option<Vec<u8>>;

    // --- ledger and events

    /// Entries that moved a member's points, newest first, with ids below `before`.
    fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: usize,
        language: Language,
    ) -> impl Future<Output = Result<Vec<EntryView>, Unavailable>> + Send;

    /// One entry of a branch.
    fn entry(
        &self,
        branch: BranchId,
        id: u64,
    ) -> impl Future<Output = Result<Option<LedgerEntry>, Unavailable>> + Send;

    /// Events after `seq`, oldest first. Fewer than `limit` means these are all there are now.
    /// `None` where events that old are no longer kept: the reader has to start afresh.
    fn events_after(
        &self,
        branch: BranchId,
        seq: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Option<Vec<Event>>, Unavailable>> + Send;

    /// Live events of a branch, in order of their numbers, from now on.
    fn subscribe(&self, branch: BranchId) -> Option<broadcast::Receiver<Arc<Event>>>;

    // --- sessions and sign-in

    /// Opens a session and returns its bearer token: at least 128 random bits in URL-safe
    /// characters. Only a hash of it is kept.
    fn create_session(
        &self,
        subject: SessionSubject,
    ) -> impl Future<Output = Result<NewSession, Unavailable>> + Send;

    /// Who a token belongs to, as of now: expired sessions are gone, and a changed or disabled
    /// account shows at once. Called for every request, so it should answer from memory.
    fn find_session(
        &self,
        token: &str,
    ) -> impl Future<Output = Result<Option<Principal>, Unavailable>> + Send;

    /// Ends a session. One that does not exist is no error.
    fn delete_session(&self, token: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Verifies an operator's password; the account's number if it is right. Takes as long for an
    /// unknown login as for a wrong password.
    fn login(
        &self,
        login: &str,
        password: &str,
    ) -> impl Future<Output = Result<Option<u32>, Unavailable>> + Send;

    /// Signs an invite.
    fn issue_invite(
        &self,
        target: InviteTarget,
        expires: Timestamp,
    ) -> impl Future<Output = Result<String, Unavailable>> + Send;

    /// Checks an invite and, for a member's, uses it up: it works once, and again only under the
    /// same idempotency key. A group's invite works for many until it expires.
    fn redeem_invite(
        &self,
        token: &str,
        key: Uuid,
    ) -> impl Future<Output = Result<Result<Invite, InviteError>, Unavailable>> + Send;

    // --- personal data

    /// Sets a member's nickname, already cleaned.
    fn set_nickname(
        &self,
        member: MemberId,
        nickname: &str,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Keeps what a member wrote under the hash that the journal will have of it; says whether
    /// there was nothing under it.
    fn keep_words(
        &self,
        member: MemberId,
        hash: FoldedHash,
        words: &str,
    ) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Drops what was kept under a hash.
    fn drop_words(
        &self,
        member: MemberId,
        hash: FoldedHash,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Everything a member wrote.
    fn words_of(
        &self,
        member: MemberId,
    ) -> impl Future<Output = Result<Vec<(FoldedHash, String)>, Unavailable>> + Send;

    /// Deletes a member's personal data and sessions. Called after an erasure is committed; doing
    /// it twice is no error.
    fn forget(&self, member: MemberId) -> impl Future<Output = Result<(), Unavailable>> + Send;

    // --- operation

    /// Whether every branch is recovered and takes writes.
    fn readiness(&self) -> Readiness;

    /// Metrics in the Prometheus text format.
    fn metrics(&self) -> String;
}

/// One command with what makes its repeat recognisable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Where it goes.
    pub branch: BranchId,
    /// [`Principal::number`] of who sends it, or a number bound to the invite for a newcomer.
    pub principal: u64,
    /// The idempotency key, a UUID v7.
    pub key: Uuid,
    /// Hash of method, route, principal and body.
    pub fingerprint: [u8; 16],
    /// What is to happen.
    pub command: Command,
}

/// A committed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// What the engine answered.
    pub outcome: Outcome,
    /// Whether this is the stored outcome of an earlier submission.
    pub replayed: bool,
}

/// A command that was not applied, as far as its sender can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The key's time is before the window in which repeats are recognised.
    #[error("the idempotency key is older than the window")]
    KeyTooOld,
    /// The key's time is further in the future than clocks may differ.
    #[error("the idempotency key is from the future")]
    KeyInFuture,
    /// The key was used with another body.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A request with this key is being worked on.
    #[error("a request with this idempotency key is in flight")]
    InFlight,
    /// The queue is full.
    #[error("the branch is busy")]
    Busy,
    /// The storage takes no writes at present, such as on a full disk.
    #[error("the branch is read-only")]
    ReadOnly,
    /// The branch is stopped or recovering. The command may or may not have been committed: ask
    /// again with the same key.
    #[error("the branch is unavailable")]
    Unavailable,
    /// No such branch here.
    #[error("no such branch")]
    UnknownBranch,
}

/// Storage did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the storage is unavailable")]
pub struct Unavailable;

/// A standing, ready to be cut into pages.
#[derive(Debug, Default)]
pub struct Standing {
    /// Rises with every change of `ranked`.
    pub version: u64,
    /// How it is shown, and what happens to equal scores.
    pub policy: BoardPolicy,
    /// Everyone with a score, best first; shared, because large ones are kept more than once.
    pub ranked: Arc<[Ranked]>,
    /// When the period ends, for standings with a period.
    pub next_reset: Option<Timestamp>,
    /// Closed for good.
    pub closed: bool,
    /// Filled by the first look-up.
    pub places: Places,
}

/// Where each member stands: built once per version, on the first look-up.
#[derive(Debug, Default)]
pub struct Places(OnceLock<(u32, Vec<u32>)>);

impl Standing {
    /// Index of a member in `ranked`, in constant time after the first call.
    #[must_use]
    pub fn place_of(&self, member: MemberId) -> Option<usize> {
        const NOBODY: u32 = u32::MAX;
        if self.ranked.first()?.member.branch != member.branch {
            return None;
        }
        let (first, places) = self.places.0.get_or_init(|| {
            let seqs = || self.ranked.iter().map(|row| row.member.seq);
            let (first, last) = (seqs().min().unwrap_or(0), seqs().max().unwrap_or(0));
            let mut places = vec![NOBODY; (last - first) as usize + 1];
            for (index, seq) in seqs().enumerate() {
                places[(seq - first) as usize] = u32::try_from(index).unwrap_or(NOBODY);
            }
            (first, places)
        });
        let offset = member.seq.checked_sub(*first)?;
        let place = *places.get(offset as usize)?;
        (place != NOBODY).then_some(place as usize)
    }
}

/// How a member sees a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// `questions[shown]` is the question's position in the content file's order.
    pub questions: Vec<u8>,
    /// `options[content question][shown option]` is the option's position in key order; empty for
    /// questions without options.
    pub options: Vec<Vec<u8>>,
}

/// Languages of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Chinese, which every text has.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// The language tag of content and headers.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

/// Which content is current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentInfo {
    /// Digest of the pack.
    pub digest: Digest,
    /// Version of the programme that checked it.
    pub version: String,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// One option.
    Single,
    /// Several options.
    Multi,
    /// True or false.
    TrueFalse,
    /// A number.
    Number,
    /// Typed text.
    Text,
}

/// A question in one language. Options are in key order: never shown so before the reveal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionText {
    /// The question.
    pub stem: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// Options in key order.
    pub options: Vec<String>,
    /// Unit beside a typed number.
    pub unit: Option<String>,
    /// Where the answer is found, such as a product page or a lesson.
    pub source: String,
    /// Read after a right answer. Never sent before the reveal.
    pub right: String,
    /// Read after a wrong answer. Never sent before the reveal.
    pub wrong: String,
    /// Notices that go with it.
    pub notices: Vec<NoticeText>,
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeText {
    /// Its id.
    pub id: Slug,
    /// What it says.
    pub text: String,
}

/// What members do in a quest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestKind {
    /// Quiz rounds.
    QuizSeries,
    /// Reactions to Moments posts.
    MomentsChallenge,
    /// Daily check-ins.
    CheckInStreak,
}

/// A quest in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestText {
    /// Its name.
    pub title: String,
    /// The rules in a sentence or two.
    pub summary: String,
    /// What members do.
    pub kind: QuestKind,
    /// The approved text of a Moments post, or what a check-in asks the member to write.
    pub prompt: Option<String>,
    /// The question under a Moments post.
    pub question: Option<Slug>,
    /// Whether a check-in needs the phrase of the day.
    pub phrase_required: bool,
    /// Notices that go with it.
    pub notices: Vec<NoticeText>,
}

/// A community file in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunityText {
    /// Its name.
    pub title: String,
    /// What it is for, for operators.
    pub purpose: String,
    /// Notices pinned in the group.
    pub notices: Vec<NoticeText>,
}

/// A course in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseText {
    /// Its id.
    pub id: Slug,
    /// Its name.
    pub title: String,
    /// What it is and what it asks for.
    pub summary: String,
    /// Names of the lessons, one a day.
    pub lessons: Vec<String>,
    /// When a day's lesson is sent.
    pub lesson_at: TimeOfDay,
    /// Days before the first lesson on which enrolment opens.
    pub opens_days_before: u8,
    /// Last day of the course on which somebody may still come in; 0: only before it starts.
    pub late_until_day: u8,
    /// Community files of the groups it may live in.
    pub lives_in: Vec<Slug>,
    /// Community files of the groups that graduates may go to.
    pub leads_to: Vec<Slug>,
    /// Notices that go with it.
    pub notices: Vec<NoticeText>,
}

/// A lesson in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonText {
    /// Its name.
    pub title: String,
    /// What a member can do after it.
    pub goal: String,
    /// Reading time.
    pub minutes: u8,
    /// The messages, in order.
    pub messages: Vec<String>,
    /// What to compute.
    pub prompt: String,
    /// Unit beside the number.
    pub unit: Option<String>,
    /// The right number. Never sent before the member has finished the lesson.
    pub answer: Decimal,
    /// The way to it. Never sent before the member has finished the lesson.
    pub explain: String,
    /// What to do on the mock account, and why.
    pub task: String,
    /// Product sheets to read.
    pub sheets: Vec<SheetText>,
    /// Notices that go with it.
    pub notices: Vec<NoticeText>,
}

/// A product sheet that a lesson has its members read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetText {
    /// The product page's id.
    pub id: Slug,
    /// Its name.
    pub title: String,
    /// A product on sale: shown only to whom it suits and who asked for it.
    pub real: bool,
    /// The risk level that counts.
    pub risk: Risk,
}

/// A ledger entry with what explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryView {
    /// The entry.
    pub entry: LedgerEntry,
    /// Id and title of the rule that paid, for awards.
    pub rule: Option<RuleText>,
}

/// A reward rule in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Its id.
    pub id: Slug,
    /// What the member reads beside the points.
    pub title: String,
}

/// Whose session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSubject {
    /// A member's.
    Member(MemberId),
    /// An operator account's.
    Operator(u32),
}

/// A session just opened.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The bearer token; said once.
    pub token: String,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

/// What an invite is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteTarget {
    /// Joining a group.
    Community(CommunityId),
    /// Signing a member in.
    Member(MemberId),
}

/// A good invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invite {
    /// What it is for.
    pub target: InviteTarget,
    /// A number of its own.
    pub number: u64,
}

/// An invite that is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Not signed here.
    #[error("the invite is not valid")]
    Invalid,
    /// Its time is over.
    #[error("the invite has expired")]
    Expired,
    /// A member's invite that was used already.
    #[error("the invite was used already")]
    Used,
}

/// Whether traffic should come here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// All is well.
    pub ready: bool,
    /// What is not, in words without any personal data.
    pub reasons: Vec<String>,
}
