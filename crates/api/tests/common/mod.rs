//! A host in memory with two branches, and a way to ask the interface over it.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod mock;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use self::mock::{account, market_view};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use dengmi_api::backend::{
    AssessmentText, CommunityText, ContentInfo, CourseText, EntryView, InvestingText, Invite,
    InviteError, InviteTarget, Language, LessonText, MarketText, NewSession, NoticeText,
    ProductText, QuestKind, QuestText, QuestionKind, QuestionText, Readiness, Risk, RuleText,
    SessionSubject, Sheet, SheetText, Standing, Submission, SubmitError, Submitted, Unavailable,
};
use dengmi_api::{Backend, Limits, Principal, Role, Scope, router};
use dengmi_core::command::Key;
use dengmi_core::course::{
    CohortStage, CohortView, CourseAction, CourseReceipt, Gain, ItemMark, Occasion, PlacedBy,
    PupilStage, PupilView, StayWish,
};
use dengmi_core::ledger::RuleRef;
use dengmi_core::mock::{BandStanding, TeamScore};
use dengmi_core::outcome::{RegradeReport, StreakState};
use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::{BoardKey, BoardPolicy, TiePolicy, rank};
use dengmi_core::view::{
    Catalog, CommunityView, Event, MemberCard, MemberStatus, PostView, QuestionView, RoundView,
    RunView, Score,
};
use dengmi_core::{
    Account, Action, BranchId, Calendar, Cause, CohortId, CommunityId, Day, Digest, EntryKind,
    LedgerEntry, ManagerId, MemberId, Outcome, Points, PostId, Ppm, Receipt, Reject, RoundId,
    RunId, Slug, Timestamp,
};
use tokio::sync::broadcast;
use tower::ServiceExt as _;
use uuid::Uuid;

/// 2026-11-21T04:30:00Z, a Saturday noon in China.
pub const NOW: Timestamp = Timestamp(1_795_235_400_000);

pub const RIGHT_OPTION: &str = "right-option-marker";
pub const FEEDBACK: &str = "feedback-marker";
/// The right number of every lesson, and a word of the way to it.
pub const NUMBER: &str = "8203.77";
pub const EXPLAIN: &str = "explain-marker";

pub fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub fn member(text: &str) -> MemberId {
    text.parse().unwrap()
}

/// Fingerprint and outcome of a command that was done.
type Stored = ([u8; 16], Outcome);

/// The fake host.
pub struct Fake {
    pub catalogs: HashMap<BranchId, Arc<Catalog>>,
    pub members: Mutex<HashMap<MemberId, MemberCard>>,
    pub names: Mutex<HashMap<MemberId, Arc<str>>>,
    pub sessions: Mutex<HashMap<String, Principal>>,
    pub accounts: HashMap<u32, Principal>,
    pub policy: Mutex<BoardPolicy>,
    pub people: AtomicU64,
    pub board_version: AtomicU64,
    /// What the engine answers next, instead of the usual.
    pub next: Mutex<Option<Result<Outcome, SubmitError>>>,
    pub submitted: Mutex<Vec<Submission>>,
    stored: Mutex<HashMap<(u64, Uuid), Stored>>,
    pub used: Mutex<HashMap<String, Uuid>>,
    pub entries: Vec<EntryView>,
    pub events: Mutex<Vec<Event>>,
    pub events_lost: Mutex<bool>,
    pub live: broadcast::Sender<Arc<Event>>,
    pub ready: Mutex<bool>,
    pub forgotten: Mutex<Vec<MemberId>>,
    pub words: Mutex<HashMap<(MemberId, FoldedHash), String>>,
    pub names_read: AtomicU32,
    counter: AtomicU64,
}

fn community(id: CommunityId, manager: u32, members: &[u32]) -> CommunityView {
    CommunityView {
        id,
        template: slug("payroll"),
        manager: ManagerId::new(id.branch, manager),
        calendar: Calendar::default(),
        members: members.iter().map(|&seq| MemberId::new(id.branch, seq)).collect(),
        capacity: 500,
        policy: BoardPolicy::default(),
    }
}

fn run(id: RunId, quest: &str, communities: &[u32]) -> RunView {
    RunView {
        id,
        quest: slug(quest),
        content: Digest::of(b"pack"),
        communities: communities.iter().map(|&seq| CommunityId::new(id.branch, seq)).collect(),
        first: Day(20_778),
        last: Day(20_784),
        ended: None,
        budget_left: Points(5_000),
    }
}

fn round(id: RoundId, run: u32, closed: bool) -> RoundView {
    let question = |name: &str, options| QuestionView {
        question: slug(name),
        options,
        answers: 12,
        right: if closed { 7 } else { 0 },
        discrimination: closed.then_some(310),
    };
    RoundView {
        id,
        run: RunId::new(id.branch, run),
        index: 0,
        opens: Timestamp(NOW.0 - 3_600_000),
        closes: Timestamp(NOW.0 + 3_600_000),
        questions: vec![
            question("bank/single", 3),
            question("bank/number", 0),
            question("bank/text", 0),
        ],
        revealed: closed,
        closed,
    }
}

fn post(id: PostId, run: u32) -> PostView {
    PostView {
        id,
        run: RunId::new(id.branch, run),
        manager: ManagerId::new(id.branch, 1),
        at: Timestamp(NOW.0 - 1_000),
        closes: Timestamp(NOW.0 + 1_000),
        likes: 2,
        comments: 1,
    }
}

pub fn card(id: MemberId, community: u32) -> MemberCard {
    MemberCard {
        id,
        status: MemberStatus::Active,
        community: CommunityId::new(id.branch, community),
        joined: Day(20_700),
        consented: true,
        marketing: false,
        shown: true,
        balance: Points(120),
        scored: Day(20_778),
        scores: [Score { points: 10, reached: 1 }; 4],
        streaks: Vec::new(),
        answered: Vec::new(),
        courses: vec![pupil(id, community)],
    }
}

/// One branch: two groups under two managers; group 1 has members 1 and 2, group 2 member 3.
/// Runs 1 to 3 (quiz, streak, Moments) are for group 1, run 4 (quiz) is for group 2.
fn branch(number: u16) -> Catalog {
    let b = BranchId(number);
    Catalog {
        content: Digest::of(b"pack"),
        managers: vec![ManagerId::new(b, 1), ManagerId::new(b, 2)],
        communities: vec![
            community(CommunityId::new(b, 1), 1, &[1, 2]),
            community(CommunityId::new(b, 2), 2, &[3]),
        ],
        runs: vec![
            run(RunId::new(b, 1), "quiz", &[1]),
            run(RunId::new(b, 2), "streak", &[1]),
            run(RunId::new(b, 3), "moments", &[1]),
            run(RunId::new(b, 4), "quiz", &[2]),
        ],
        rounds: vec![
            round(RoundId::new(b, 1), 1, false),
            round(RoundId::new(b, 2), 1, true),
            round(RoundId::new(b, 3), 4, false),
        ],
        posts: vec![post(PostId::new(b, 1), 3)],
        cohorts: vec![cohort(CohortId::new(b, 1), 1), cohort(CohortId::new(b, 2), 2)],
    }
}

/// The cohort of one group, after its second lesson.
fn cohort(id: CohortId, group: u32) -> CohortView {
    let mut pupils = [0; 9];
    pupils[PupilStage::Enrolled as usize] = 2;
    CohortView {
        id,
        course: slug("basics"),
        stage: CohortStage::Running,
        since: [Some(NOW), Some(NOW), Some(NOW), None, None, None],
        content: vec![(1, Digest::of(b"pack"))],
        communities: vec![CommunityId::new(id.branch, group)],
        run: RunId::new(id.branch, group),
        first: Day(20_777),
        last: Day(20_783),
        sent: 2,
        pupils,
        commitment: Digest::of(b"commitment"),
        secret: None,
        gain: Some(Gain { members: 2, before: Ppm(500_000), after: Ppm(0), normalised: None }),
        retained: [None; 2],
        items: ["bank/single", "bank/number", "bank/text"].map(slug).into(),
        terms: Digest::of(b"pack"),
        market: Arc::new(market_view()),
        standing: BandStanding {
            bands: vec![1, 1],
            teams: vec![TeamScore {
                community: CommunityId::new(id.branch, group),
                members: 2,
                score: 412,
            }],
        },
    }
}

/// A member who has finished the first lesson, has two items to review and an invitation.
fn pupil(id: MemberId, community: u32) -> PupilView {
    PupilView {
        cohort: CohortId::new(id.branch, community),
        stage: PupilStage::Enrolled,
        since: NOW,
        lessons: 1,
        computed: 1,
        quizzes: 1,
        mastered: (1, 3),
        review: vec![0, 1],
        paired: (1, 0, 2),
        asked: Some((Occasion::Before, vec![2])),
        wish: Some(StayWish::Anywhere),
        invitation: Some((CommunityId::new(id.branch, 2), NOW, PlacedBy::Wish)),
        level: None,
        assessed: Vec::new(),
        mock: Box::new(account()),
    }
}

pub fn operator(account: u32, role: Role, branches: Scope, manager: Option<&str>) -> Principal {
    let manager = manager.map(|id| id.parse().unwrap());
    Principal::Operator { account, role, branches, manager }
}

/// Tokens of the world's principals.
pub mod token {
    pub const M1: &str = "member-m1-1-token";
    pub const M2: &str = "member-m1-2-token";
    pub const M3: &str = "member-m1-3-token";
    pub const FOREIGN: &str = "member-m2-1-token";
    pub const HEAD: &str = "head-office-token";
    pub const BRANCH: &str = "branch-one-token";
    pub const BRANCH2: &str = "branch-two-token";
    pub const MANAGER: &str = "manager-one-token";
    pub const MANAGER2: &str = "manager-two-token";
    pub const ANALYST: &str = "analyst-one-token";
}

impl Default for Fake {
    fn default() -> Self {
        let one = || Scope::Only(vec![BranchId(1)]);
        let accounts: HashMap<u32, Principal> = [
            operator(1, Role::HeadOffice, Scope::All, None),
            operator(2, Role::Branch, one(), None),
            operator(3, Role::Branch, Scope::Only(vec![BranchId(2)]), None),
            operator(4, Role::Manager, one(), Some("g1-1")),
            operator(5, Role::Manager, one(), Some("g1-2")),
            operator(6, Role::Analyst, one(), None),
        ]
        .into_iter()
        .zip(1..)
        .map(|(principal, account)| (account, principal))
        .collect();
        let of = |id: &str| Principal::Member { member: member(id) };
        let sessions = [
            (token::M1, of("m1-1")),
            (token::M2, of("m1-2")),
            (token::M3, of("m1-3")),
            (token::FOREIGN, of("m2-1")),
            (token::HEAD, accounts[&1].clone()),
            (token::BRANCH, accounts[&2].clone()),
            (token::BRANCH2, accounts[&3].clone()),
            (token::MANAGER, accounts[&4].clone()),
            (token::MANAGER2, accounts[&5].clone()),
            (token::ANALYST, accounts[&6].clone()),
        ];
        let members = ["m1-1", "m1-2", "m1-3", "m2-1", "m2-2", "m2-3"]
            .map(member)
            .map(|id| (id, card(id, if id.seq == 3 { 2 } else { 1 })));
        Self {
            catalogs: [1, 2].map(|n| (BranchId(n), Arc::new(branch(n)))).into(),
            names: Mutex::new(
                members.iter().map(|(id, _)| (*id, format!("昵称{id}").into())).collect(),
            ),
            members: Mutex::new(members.into()),
            sessions: Mutex::new(sessions.map(|(token, who)| (token.to_owned(), who)).into()),
            accounts,
            policy: Mutex::default(),
            people: AtomicU64::new(1),
            board_version: AtomicU64::new(1),
            next: Mutex::default(),
            submitted: Mutex::default(),
            stored: Mutex::default(),
            used: Mutex::default(),
            entries: (1..=45).map(entry).collect(),
            events: Mutex::default(),
            events_lost: Mutex::default(),
            live: broadcast::channel(16).0,
            ready: Mutex::new(true),
            forgotten: Mutex::default(),
            words: Mutex::default(),
            names_read: AtomicU32::new(0),
            counter: AtomicU64::new(0),
        }
    }
}

fn entry(id: u64) -> EntryView {
    let award = id != 45;
    let account = Account::Member(member("m1-1"));
    EntryView {
        entry: LedgerEntry {
            id,
            at: NOW,
            day: Day(20_778),
            kind: if award { EntryKind::Award } else { EntryKind::Redemption },
            from: if award { Account::Issue } else { account },
            to: if award { account } else { Account::Redemption },
            points: Points(10),
            rule: award.then_some(RuleRef { code: 1, version: 3 }),
            cause: if award {
                Cause::CheckIn(RunId::new(BranchId(1), 2), Day(20_778))
            } else {
                Cause::Order(9)
            },
        },
        rule: award.then(|| RuleText { id: slug("daily"), title: "每日打卡".to_owned() }),
    }
}

fn sheet(id: &str, title: &str, real: bool, risk: Risk) -> SheetText {
    SheetText { id: slug(id), title: title.to_owned(), real, risk }
}

/// What a well-behaved engine says to each action.
fn receipt(action: &Action) -> Receipt {
    let b = BranchId(1);
    let streak = StreakState {
        day: Day(20_778),
        alive_until: Day(20_779),
        length: 3,
        longest: 5,
        total: 9,
        freezes: 1,
        make_ups: 2,
    };
    match action {
        Action::AddManager => Receipt::Manager(ManagerId::new(b, 9)),
        Action::OpenCommunity { .. } => Receipt::Community(CommunityId::new(b, 9)),
        Action::Join { .. } => Receipt::Member(member("m1-2")),
        Action::Launch { .. } => Receipt::Run(RunId::new(b, 9)),
        Action::Publish { .. } => Receipt::Post(PostId::new(b, 9)),
        Action::CheckIn { .. } | Action::MakeUp { .. } | Action::RepairStreak { .. } => {
            Receipt::CheckedIn(streak)
        }
        Action::Answer { round, answers, .. } => {
            Receipt::Taken { round: *round, answered: u8::try_from(answers.len()).unwrap() }
        }
        Action::React { .. } => Receipt::Reacted { counted: true },
        Action::CorrectKey { dry_run, .. } => Receipt::Regraded(RegradeReport {
            dry_run: *dry_run,
            answers: 12,
            now_right: 5,
            now_wrong: 7,
            score_changed: 0,
        }),
        Action::Course(action) => course_receipt(action),
        Action::Redeem { .. } | Action::Reverse { .. } => Receipt::Booked { balance: Points(20) },
        _ => Receipt::Ok,
    }
}

fn course_receipt(action: &CourseAction) -> Receipt {
    let told = match action {
        CourseAction::Start { .. } => CourseReceipt::Started {
            cohort: CohortId::new(BranchId(1), 9),
            commitment: Digest::of(b"commitment"),
        },
        CourseAction::FinishLesson { .. } => CourseReceipt::Finished { right: false, lessons: 2 },
        CourseAction::AnswerItems { occasion: Occasion::Review, answers, .. } => {
            let mark = |right, item| ItemMark { item, right, due: Day(20_781) };
            let marks = answers.iter().map(|one| mark(one.item == 0, one.item)).collect();
            CourseReceipt::Reviewed { marks }
        }
        CourseAction::AnswerItems { answers, .. } => {
            CourseReceipt::Taken { answered: u16::try_from(answers.len()).unwrap() }
        }
        CourseAction::AnswerInvitation { .. }
        | CourseAction::Reinvite { .. }
        | CourseAction::Arrive { .. } => {
            CourseReceipt::Invitation { to: CommunityId::new(BranchId(1), 2), until: NOW }
        }
        CourseAction::Mock { what, .. } => return mock::receipt(what),
        _ => return Receipt::Ok,
    };
    Receipt::Course(told)
}

impl Backend for Fake {
    async fn submit(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        let key = (submission.principal, submission.key);
        let mut stored = self.stored.lock().unwrap();
        if let Some((fingerprint, outcome)) = stored.get(&key) {
            return if *fingerprint == submission.fingerprint {
                Ok(Submitted { outcome: outcome.clone(), replayed: true })
            } else {
                Err(SubmitError::KeyReused)
            };
        }
        let outcome = match self.next.lock().unwrap().take() {
            Some(outcome) => outcome?,
            None => Outcome::Done(receipt(&submission.command.action)),
        };
        stored.insert(key, (submission.fingerprint, outcome.clone()));
        self.submitted.lock().unwrap().push(submission);
        Ok(Submitted { outcome, replayed: false })
    }

    fn branches(&self) -> Vec<BranchId> {
        vec![BranchId(1), BranchId(2)]
    }

    fn now(&self) -> Timestamp {
        NOW
    }

    fn catalog(&self, branch: BranchId) -> Option<Arc<Catalog>> {
        self.catalogs.get(&branch).cloned()
    }

    fn member(&self, member: MemberId) -> Option<Arc<MemberCard>> {
        self.members.lock().unwrap().get(&member).cloned().map(Arc::new)
    }

    fn board(&self, key: BoardKey) -> Option<Arc<Standing>> {
        let community = match key {
            BoardKey::Community(community, _) => community,
            BoardKey::Run(run) => CommunityId::new(run.branch, 1),
            BoardKey::Round(round) => CommunityId::new(round.branch, 1),
        };
        let members = self.members.lock().unwrap();
        let scores = members
            .values()
            .filter(|card| card.community == community)
            .map(|card| (card.id, Score { points: 100 - card.id.seq as i32, reached: 1 }));
        Some(Arc::new(Standing {
            version: self.board_version.load(Ordering::SeqCst),
            policy: *self.policy.lock().unwrap(),
            ranked: rank(TiePolicy::SharedRank, scores).into(),
            next_reset: Some(Timestamp(NOW.0 + 1)),
            ..Standing::default()
        }))
    }

    fn shown(&self, member: MemberId) -> bool {
        let members = self.members.lock().unwrap();
        members.get(&member).is_some_and(|card| card.shown && card.status == MemberStatus::Active)
    }

    fn people_version(&self, _: BranchId) -> u64 {
        self.people.load(Ordering::SeqCst)
    }

    fn names(&self, members: &[Option<MemberId>]) -> Vec<Option<Arc<str>>> {
        self.names_read.fetch_add(1, Ordering::SeqCst);
        let names = self.names.lock().unwrap();
        members.iter().map(|id| names.get(&(*id)?).cloned()).collect()
    }

    fn sheet(&self, _: MemberId, _: RoundId) -> Option<Sheet> {
        Some(Sheet {
            questions: vec![2, 0, 1],
            options: vec![vec![2, 0, 1], Vec::new(), Vec::new()],
        })
    }

    fn keys(&self, _: RoundId) -> Option<Vec<Key>> {
        let number = |text: &str| text.parse().unwrap();
        Some(vec![
            Key::One(0),
            Key::Number { value: number("0.34"), tolerance: number("0.01") },
            Key::Text(Vec::new()),
        ])
    }

    fn content(&self, _: BranchId) -> Option<ContentInfo> {
        Some(ContentInfo { digest: Digest::of(b"pack"), version: "0.1.0".to_owned() })
    }

    fn question(&self, _: Digest, id: &Slug, language: Language) -> Option<QuestionText> {
        let (kind, options) = match id.as_str() {
            "bank/single" => {
                let wrong = ["b-wrong", "c-wrong"];
                let right = std::iter::once(RIGHT_OPTION).chain(wrong);
                (QuestionKind::Single, right.map(str::to_owned).collect())
            }
            "bank/number" => (QuestionKind::Number, Vec::new()),
            "bank/text" => (QuestionKind::Text, Vec::new()),
            _ => return None,
        };
        Some(QuestionText {
            stem: format!("{} {id}", language.tag()),
            kind,
            options,
            unit: None,
            source: "产品页".to_owned(),
            right: format!("{FEEDBACK} right"),
            wrong: format!("{FEEDBACK} wrong"),
            notices: vec![NoticeText { id: slug("n1"), text: "投资有风险".to_owned() }],
        })
    }

    fn quest(&self, _: Digest, id: &Slug, _: Language) -> Option<QuestText> {
        let kind = match id.as_str() {
            "streak" => QuestKind::CheckInStreak,
            "moments" => QuestKind::MomentsChallenge,
            _ => QuestKind::QuizSeries,
        };
        Some(QuestText {
            title: format!("活动 {id}"),
            summary: "规则".to_owned(),
            kind,
            prompt: None,
            question: None,
            phrase_required: false,
            notices: Vec::new(),
        })
    }

    fn community(&self, _: Digest, _: &Slug, _: Language) -> Option<CommunityText> {
        Some(CommunityText {
            title: "代发群".to_owned(),
            purpose: "工资".to_owned(),
            notices: Vec::new(),
        })
    }

    fn courses(&self, content: Digest, language: Language) -> Vec<CourseText> {
        self.course(content, &slug("basics"), language).into_iter().collect()
    }

    fn course(&self, _: Digest, id: &Slug, _: Language) -> Option<CourseText> {
        Some(CourseText {
            id: id.clone(),
            title: "入门".to_owned(),
            summary: "七天".to_owned(),
            lessons: (1..=7).map(|day| format!("第{day}课")).collect(),
            lesson_at: "08:30".to_owned().try_into().unwrap(),
            opens_days_before: 7,
            late_until_day: 2,
            lives_in: vec![slug("payroll")],
            leads_to: vec![slug("payroll")],
            notices: vec![NoticeText { id: slug("n7"), text: "投教".to_owned() }],
        })
    }

    fn lesson(&self, _: Digest, _: &Slug, day: u8, language: Language) -> Option<LessonText> {
        Some(LessonText {
            title: format!("{} {day}", language.tag()),
            goal: "算得出".to_owned(),
            minutes: 7,
            messages: vec!["早上好".to_owned(), "再见".to_owned()],
            prompt: "十年后值多少".to_owned(),
            unit: Some("元".to_owned()),
            answer: NUMBER.parse().unwrap(),
            explain: EXPLAIN.to_owned(),
            task: "写计划".to_owned(),
            sheets: vec![
                sheet("cash/money-fund", "货币", false, Risk::R1),
                sheet(mock::REAL, "在售产品", true, Risk::R2),
            ],
            notices: Vec::new(),
        })
    }

    fn market(&self, _: Digest, _: &Slug, _: Day, language: Language) -> Option<MarketText> {
        Some(mock::market_text(language))
    }

    fn investing(&self, _: Digest, _: &Slug, _: Language) -> Option<InvestingText> {
        Some(mock::investing())
    }

    fn assessment(&self, _: Digest, id: &Slug, language: Language) -> Option<AssessmentText> {
        (id.as_str() == "standard").then(|| mock::assessment(language))
    }

    fn product(&self, _: Digest, id: &Slug, language: Language) -> Option<ProductText> {
        mock::product(id, language)
    }

    fn item_order(&self, _: MemberId, _: CohortId, _: u16, options: u8) -> Option<Vec<u8>> {
        Some((0..options).rev().collect())
    }

    async fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: usize,
        _: Language,
    ) -> Result<Vec<EntryView>, Unavailable> {
        let of = |view: &&EntryView| {
            view.entry.member_change().is_some_and(|(who, _)| who == member)
                && before.is_none_or(|before| view.entry.id < before)
        };
        Ok(self.entries.iter().rev().filter(of).take(limit).cloned().collect())
    }

    async fn entry(&self, branch: BranchId, id: u64) -> Result<Option<LedgerEntry>, Unavailable> {
        let found = self.entries.iter().map(|view| view.entry).find(|entry| entry.id == id);
        Ok(found.filter(|_| branch == BranchId(1)))
    }

    async fn events_after(
        &self,
        _: BranchId,
        seq: u64,
        limit: usize,
    ) -> Result<Option<Vec<Event>>, Unavailable> {
        if *self.events_lost.lock().unwrap() {
            return Ok(None);
        }
        let events = self.events.lock().unwrap();
        Ok(Some(events.iter().filter(|event| event.seq > seq).take(limit).cloned().collect()))
    }

    fn subscribe(&self, _: BranchId) -> Option<broadcast::Receiver<Arc<Event>>> {
        Some(self.live.subscribe())
    }

    async fn create_session(&self, subject: SessionSubject) -> Result<NewSession, Unavailable> {
        let principal = match subject {
            SessionSubject::Member(member) => Principal::Member { member },
            SessionSubject::Operator(account) => self.accounts[&account].clone(),
        };
        let token = format!("new-session-token-{}", self.counter.fetch_add(1, Ordering::SeqCst));
        self.sessions.lock().unwrap().insert(token.clone(), principal);
        Ok(NewSession { token, expires: Timestamp(NOW.0 + 86_400_000) })
    }

    async fn find_session(&self, token: &str) -> Result<Option<Principal>, Unavailable> {
        Ok(self.sessions.lock().unwrap().get(token).cloned())
    }

    async fn delete_session(&self, token: &str) -> Result<(), Unavailable> {
        self.sessions.lock().unwrap().remove(token);
        Ok(())
    }

    async fn login(&self, login: &str, password: &str) -> Result<Option<u32>, Unavailable> {
        Ok((login == "head" && password == "correct horse").then_some(1))
    }

    async fn issue_invite(
        &self,
        target: InviteTarget,
        _: Timestamp,
    ) -> Result<String, Unavailable> {
        Ok(match target {
            InviteTarget::Community(id) => format!("invite {id}"),
            InviteTarget::Member(id) => format!("invite {id}"),
        })
    }

    async fn redeem_invite(
        &self,
        token: &str,
        key: Uuid,
    ) -> Result<Result<Invite, InviteError>, Unavailable> {
        let Some(id) = token.strip_prefix("invite ") else {
            return Ok(Err(if token == "old" {
                InviteError::Expired
            } else {
                InviteError::Invalid
            }));
        };
        let target = match id.parse() {
            Ok(community) => InviteTarget::Community(community),
            Err(_) => {
                let Ok(member) = id.parse() else { return Ok(Err(InviteError::Invalid)) };
                let mut used = self.used.lock().unwrap();
                if *used.entry(token.to_owned()).or_insert(key) != key {
                    return Ok(Err(InviteError::Used));
                }
                InviteTarget::Member(member)
            }
        };
        Ok(Ok(Invite { target, number: 7 }))
    }

    async fn set_nickname(&self, member: MemberId, nickname: &str) -> Result<(), Unavailable> {
        self.names.lock().unwrap().insert(member, nickname.into());
        self.people.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn keep_words(
        &self,
        member: MemberId,
        hash: FoldedHash,
        words: &str,
    ) -> Result<bool, Unavailable> {
        let mut kept = self.words.lock().unwrap();
        Ok(kept.insert((member, hash), words.to_owned()).is_none())
    }

    async fn drop_words(&self, member: MemberId, hash: FoldedHash) -> Result<(), Unavailable> {
        self.words.lock().unwrap().remove(&(member, hash));
        Ok(())
    }

    async fn words_of(&self, member: MemberId) -> Result<Vec<(FoldedHash, String)>, Unavailable> {
        let kept = self.words.lock().unwrap();
        let of = kept.iter().filter(|((of, _), _)| *of == member);
        Ok(of.map(|((_, hash), words)| (*hash, words.clone())).collect())
    }

    async fn forget(&self, member: MemberId) -> Result<(), Unavailable> {
        self.names.lock().unwrap().remove(&member);
        self.forgotten.lock().unwrap().push(member);
        Ok(())
    }

    fn readiness(&self) -> Readiness {
        let ready = *self.ready.lock().unwrap();
        let reasons = if ready { Vec::new() } else { vec!["b1 is recovering".to_owned()] };
        Readiness { ready, reasons }
    }

    fn metrics(&self) -> String {
        "dengmi_up 1\n".to_owned()
    }
}

/// An answer, read whole.
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The interface over a fake host.
pub struct Api {
    pub fake: Arc<Fake>,
    router: Router,
}

/// A fresh idempotency key.
pub fn key() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&NOW.0.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    bytes[8] = 0x80;
    Uuid::from_bytes(bytes)
}

impl Default for Api {
    fn default() -> Self {
        Self::with(Limits { requests_per_second: None, ..Limits::default() })
    }
}

impl Api {
    pub fn with(limits: Limits) -> Self {
        Self::both(Fake::default(), limits)
    }

    /// The interface over this host.
    pub fn over(fake: Fake) -> Self {
        Self::both(fake, Limits { requests_per_second: None, ..Limits::default() })
    }

    fn both(fake: Fake, limits: Limits) -> Self {
        let fake = Arc::new(fake);
        let router = router(Arc::clone(&fake), limits);
        Self { fake, router }
    }

    pub async fn raw(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self.raw(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, token: &str, path: &str) -> Got {
        self.send(request("GET", path, token, None, "")).await
    }

    /// A write under a fresh key.
    pub async fn write(&self, method: &str, token: &str, path: &str, body: &str) -> Got {
        self.send(request(method, path, token, Some(key()), body)).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &str) -> Got {
        self.write("POST", token, path, body).await
    }

    pub fn refuse_next(&self, reject: Reject) {
        *self.fake.next.lock().unwrap() = Some(Ok(Outcome::Rejected(reject)));
    }

    pub fn last_action(&self) -> Action {
        let submitted = self.fake.submitted.lock().unwrap();
        submitted.last().expect("a command was submitted").command.action.clone()
    }
}

/// A request; no token when it is empty.
pub fn request(
    method: &str,
    path: &str,
    token: &str,
    key: Option<Uuid>,
    body: &str,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key.to_string());
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}
