//! A host in memory with two branches, and a way to ask the interface over it.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

mod asking;
pub mod mock;
mod world;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dengmi_api::backend::{
    AssessmentText, CommunityText, ContentInfo, CourseText, EntryView, InvestingText, Invite,
    InviteError, InviteTarget, Language, LessonText, MarketText, NewSession, NoticeText,
    ProductText, QuestKind, QuestText, QuestionKind, QuestionText, Readiness, Risk, RuleText,
    SessionSubject, Sheet, SheetText, Standing, Submission, SubmitError, Submitted, Unavailable,
};
use dengmi_api::{Backend, Principal, Role, Scope};
use dengmi_core::command::Key;
use dengmi_core::course::{CourseAction, CourseReceipt, ItemMark, Occasion};
use dengmi_core::ledger::RuleRef;
use dengmi_core::outcome::{RegradeReport, StreakState};
use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::{BoardKey, BoardPolicy, TiePolicy, rank};
use dengmi_core::view::{Catalog, Event, MemberCard, MemberStatus, Score};
use dengmi_core::{
    Account, Action, BranchId, Cause, CohortId, CommunityId, Day, Digest, EntryKind, LedgerEntry,
    ManagerId, MemberId, Outcome, Points, PostId, Receipt, RoundId, RunId, Slug, Timestamp,
};
use tokio::sync::broadcast;
use uuid::Uuid;

#[allow(unused_imports, reason = "each test file uses a part of it")]
pub use self::asking::{Api, Got, key, request};
use self::world::branch;
#[allow(unused_imports, reason = "each test file uses a part of it")]
pub use self::world::card;

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
