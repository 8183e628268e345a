//! The host as the interface sees it: the bridge between `dengmi-api` and everything below it.

mod accounts;
mod boards;
mod courses;
mod invites;
mod markets;
mod people;
mod products;
mod sessions;
mod texts;
mod upkeep;

use std::sync::Arc;

use dengmi_api::backend::{
    AssessmentText, CommunityText, ContentInfo, CourseText, EntryView, InvestingText, Invite,
    InviteError, InviteTarget, Language, LessonText, MarketText, NewSession, ProductText,
    QuestText, QuestionText, Readiness, RuleText, SessionSubject, Sheet, Standing, Submission,
    SubmitError, Submitted, Unavailable,
};
use dengmi_api::{Backend, Principal};
use dengmi_content::Pack;
use dengmi_content::model::QuestKind;
use dengmi_core::command::Key;
use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{Catalog, Event, MemberCard};
use dengmi_core::{
    BranchId, CohortId, Day, Digest, LedgerEntry, MemberId, RoundId, Slug, Timestamp,
};
use dengmi_host::{Host, KeyFault};
use dengmi_store::{CommandKey, Store, StoreError, Words};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::broadcast;
use uuid::Uuid;

pub(crate) use accounts::{Account, hash_password};
pub(crate) use upkeep::upkeep;

/// The host, its store, and what is kept in memory about people and sessions.
pub(crate) struct HostBackend<S> {
    host: Host<S>,
    store: Arc<S>,
    sessions: sessions::Sessions,
    names: people::Names,
    boards: boards::Boards,
    logins: accounts::Logins,
    metrics: Option<PrometheusHandle>,
}

impl<S: Store> HostBackend<S> {
    /// Bridges a host that is open. Loads nicknames, so it takes a moment in a large store.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn new(
        host: Host<S>,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Self, StoreError> {
        let store = host.journal().clone();
        let names = people::Names::load(&host, &*store).await?;
        let sessions = sessions::Sessions::default();
        let (boards, logins) = (boards::Boards::default(), accounts::Logins::default());
        Ok(Self { host, store, sessions, names, boards, logins, metrics })
    }

    /// The host.
    pub(crate) fn host(&self) -> &Host<S> {
        &self.host
    }

    /// Ends sessions whose time is over, in the store and in memory.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn sweep(&self) -> Result<u64, StoreError> {
        let now = self.host.now();
        self.sessions.sweep(now);
        self.store.delete_expired_sessions(now).await
    }

    /// A session that outlasts a clock that runs a thousand times too fast.
    ///
    /// # Errors
    /// The store does not answer.
    pub(crate) async fn lasting_session(
        &self,
        subject: SessionSubject,
    ) -> Result<String, Unavailable> {
        const YEARS_MS: i64 = 10 * 365 * 86_400_000;
        let later = self.host.now().plus_ms(YEARS_MS);
        Ok(self.sessions.create(&*self.store, subject, later).await?.token)
    }

    fn pack(&self, content: Digest) -> Option<Arc<Pack>> {
        self.host.packs().get(content)
    }
}

/// What a reader is told of a store that fails; the log says more.
fn unavailable(error: StoreError) -> Unavailable {
    tracing::warn!(%error, "store");
    Unavailable
}

impl<S: Store> Backend for HostBackend<S> {
    async fn submit(&self, submission: Submission) -> Result<Submitted, SubmitError> {
        use dengmi_host::SubmitError as Host;
        let Submission { branch, principal, key, fingerprint, command } = submission;
        let key = CommandKey { key: key.as_u128(), principal, fingerprint };
        match self.host.submit(branch, key, command).await {
            Ok(done) => Ok(Submitted { outcome: done.outcome, replayed: done.replayed }),
            Err(Host::Key(KeyFault::TooOld)) => Err(SubmitError::KeyTooOld),
            Err(Host::Key(KeyFault::InFuture)) => Err(SubmitError::KeyInFuture),
            Err(Host::Key(KeyFault::Reused)) => Err(SubmitError::KeyReused),
            Err(Host::Busy) => Err(SubmitError::Busy),
            Err(Host::ReadOnly) => Err(SubmitError::ReadOnly),
            Err(Host::Unavailable) => Err(SubmitError::Unavailable),
            Err(Host::UnknownBranch) => Err(SubmitError::UnknownBranch),
        }
    }

    fn branches(&self) -> Vec<BranchId> {
        self.host.branches()
    }

    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn catalog(&self, branch: BranchId) -> Option<Arc<Catalog>> {
        Some(self.host.views(branch)?.published().catalog.clone())
    }

    fn member(&self, member: MemberId) -> Option<Arc<MemberCard>> {
        self.host.views(member.branch)?.member(member)
    }

    fn board(&self, key: BoardKey) -> Option<Arc<Standing>> {
        self.boards.get(&self.host, key)
    }

    fn shown(&self, member: MemberId) -> bool {
        self.host.views(member.branch).is_some_and(|views| views.shown(member))
    }

    fn shown_in(&self, branch: BranchId) -> impl Fn(MemberId) -> bool {
        let published = self.host.views(branch).map(|views| views.published());
        move |member| published.as_ref().is_some_and(|published| published.shown(branch, member))
    }

    fn people_version(&self, branch: BranchId) -> u64 {
        let cards = self.host.views(branch).map_or(0, |views| views.published().people);
        cards + self.names.version()
    }

    fn names(&self, members: &[Option<MemberId>]) -> Vec<Option<Arc<str>>> {
        self.names.of(members)
    }

    fn sheet(&self, member: MemberId, round: RoundId) -> Option<Sheet> {
        let published = self.host.views(round.branch)?.published();
        published.member(round.branch, member)?;
        let rounds = &published.catalog.rounds;
        let view = &rounds[rounds.binary_search_by_key(&round, |view| view.id).ok()?];
        let runs = &published.catalog.runs;
        let run = &runs[runs.binary_search_by_key(&view.run, |run| run.id).ok()?];
        let pack = self.pack(run.content)?;
        let QuestKind::QuizSeries(series) = &pack.quest(&run.quest)?.kind else {
            return None;
        };
        let options: Vec<u8> = view.questions.iter().map(|question| question.options).collect();
        let layout = dengmi_engine::layout(
            &self.host.meta(round.branch)?.seed,
            round,
            member,
            series.shuffle_questions,
            series.shuffle_options,
            options.iter().copied(),
        );
        // Both in the same order: of questions as the content has them.
        let options = layout.options.iter().map(|order| order.to_vec()).collect();
        Some(Sheet { questions: layout.questions.to_vec(), options })
    }

    fn keys(&self, round: RoundId) -> Option<Vec<Key>> {
        Some(self.host.views(round.branch)?.published().keys(round)?.to_vec())
    }

    fn content(&self, branch: BranchId) -> Option<ContentInfo> {
        let digest = self.host.views(branch)?.published().catalog.content;
        Some(ContentInfo { digest, version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    fn question(&self, content: Digest, id: &Slug, language: Language) -> Option<QuestionText> {
        texts::question(&*self.pack(content)?, id, language)
    }

    fn quest(&self, content: Digest, id: &Slug, language: Language) -> Option<QuestText> {
        texts::quest(&*self.pack(content)?, id, language)
    }

    fn community(&self, content: Digest, id: &Slug, language: Language) -> Option<CommunityText> {
        texts::community(&*self.pack(content)?, id, language)
    }

    fn courses(&self, content: Digest, language: Language) -> Vec<CourseText> {
        self.pack(content).map(|pack| courses::all(&pack, language)).unwrap_or_default()
    }

    fn course(&self, content: Digest, id: &Slug, language: Language) -> Option<CourseText> {
        courses::course(&*self.pack(content)?, id, language)
    }

    fn lesson(
        &self,
        content: Digest,
        course: &Slug,
        day: u8,
        language: Language,
    ) -> Option<LessonText> {
        courses::lesson(&*self.pack(content)?, course, day, language)
    }

    fn market(
        &self,
        terms: Digest,
        course: &Slug,
        first: Day,
        language: Language,
    ) -> Option<MarketText> {
        markets::market(&*self.pack(terms)?, course, first, language)
    }

    fn investing(
        &self,
        content: Digest,
        course: &Slug,
        language: Language,
    ) -> Option<InvestingText> {
        markets::investing(&*self.pack(content)?, course, language)
    }

    fn assessment(&self, content: Digest, id: &Slug, language: Language) -> Option<AssessmentText> {
        markets::assessment(&*self.pack(content)?, id, language)
    }

    fn product(&self, content: Digest, id: &Slug, language: Language) -> Option<ProductText> {
        products::product(&*self.pack(content)?, id, language)
    }

    fn item_order(
        &self,
        member: MemberId,
        cohort: CohortId,
        item: u16,
        options: u8,
    ) -> Option<Vec<u8>> {
        let seed = self.host.meta(cohort.branch)?.seed;
        Some(dengmi_engine::item_order(&seed, cohort, member, item, options).to_vec())
    }

    async fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: usize,
        language: Language,
    ) -> Result<Vec<EntryView>, Unavailable> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let rows = self.store.entries_of(member, before, limit).await.map_err(unavailable)?;
        let views = self.host.views(member.branch).ok_or(Unavailable)?;
        let pack = self.pack(views.published().catalog.content);
        let rule = |id: Option<String>| -> Option<RuleText> {
            let id: Slug = id?.parse().ok()?;
            let title = texts::rule_title(&self.host.packs().all(), pack.as_deref(), &id, language);
            Some(RuleText { title: title.unwrap_or_else(|| id.to_string()), id })
        };
        let view =
            |row: dengmi_store::LedgerRow| EntryView { entry: row.entry, rule: rule(row.rule) };
        Ok(rows.into_iter().map(view).collect())
    }

    async fn entry(&self, branch: BranchId, id: u64) -> Result<Option<LedgerEntry>, Unavailable> {
        let row = self.store.entry(branch, id).await.map_err(unavailable)?;
        Ok(row.map(|row| row.entry))
    }

    async fn events_after(
        &self,
        branch: BranchId,
        seq: u64,
        limit: usize,
    ) -> Result<Option<Vec<Event>>, Unavailable> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        self.store.events_after(branch, seq, limit).await.map(Some).map_err(unavailable)
    }

    fn subscribe(&self, branch: BranchId) -> Option<broadcast::Receiver<Arc<Event>>> {
        self.host.subscribe(branch)
    }

    async fn create_session(&self, subject: SessionSubject) -> Result<NewSession, Unavailable> {
        self.sessions.create(&*self.store, subject, self.host.now()).await
    }

    async fn find_session(&self, token: &str) -> Result<Option<Principal>, Unavailable> {
        self.sessions.find(&*self.store, token, self.host.now()).await
    }

    async fn delete_session(&self, token: &str) -> Result<(), Unavailable> {
        self.sessions.delete(&*self.store, token).await
    }

    async fn login(&self, login: &str, password: &str) -> Result<Option<u32>, Unavailable> {
        self.logins.verify(&*self.store, login, password).await
    }

    async fn issue_invite(
        &self,
        target: InviteTarget,
        expires: Timestamp,
    ) -> Result<String, Unavailable> {
        invites::issue(&self.host, target, expires)
    }

    async fn redeem_invite(
        &self,
        token: &str,
        key: Uuid,
    ) -> Result<Result<Invite, InviteError>, Unavailable> {
        invites::redeem(&self.host, &*self.store, token, key).await
    }

    async fn set_nickname(&self, member: MemberId, nickname: &str) -> Result<(), Unavailable> {
        self.names.set(&*self.store, member, nickname, self.host.now()).await
    }

    async fn keep_words(
        &self,
        member: MemberId,
        hash: FoldedHash,
        words: &str,
    ) -> Result<bool, Unavailable> {
        let written = self.host.now();
        let words = Words { member, hash, words: words.to_owned(), written };
        self.store.put_words(words).await.map_err(unavailable)
    }

    async fn drop_words(&self, member: MemberId, hash: FoldedHash) -> Result<(), Unavailable> {
        self.store.drop_words(member, hash).await.map(|_| ()).map_err(unavailable)
    }

    async fn words_of(&self, member: MemberId) -> Result<Vec<(FoldedHash, String)>, Unavailable> {
        let words = self.store.words_of(member).await.map_err(unavailable)?;
        Ok(words.into_iter().map(|one| (one.hash, one.words)).collect())
    }

    async fn forget(&self, member: MemberId) -> Result<(), Unavailable> {
        self.store.erase_words(member).await.map_err(unavailable)?;
        self.names.forget(&*self.store, member).await?;
        self.sessions.delete_all(&*self.store, SessionSubject::Member(member)).await
    }

    fn readiness(&self) -> Readiness {
        let mut reasons = self.host.troubles();
        let ready = reasons.is_empty();
        if let Some(fault) = self.host.clock_fault() {
            // Not a reason to send traffic elsewhere: time runs on without the wall clock.
            reasons.push(format!("the wall clock is not believed: {fault:?}"));
        }
        Readiness { ready, reasons }
    }

    fn metrics(&self) -> String {
        self.metrics.as_ref().map_or_else(String::new, PrometheusHandle::render)
    }
}
