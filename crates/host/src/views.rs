//! What readers see. Plain copies of committed state behind an atomic pointer: a reader never
//! takes a lock that the writer holds, and never sees what is not durable.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use dengmi_core::command::Key;
use dengmi_core::view::board::{self, BoardKey, BoardPolicy, Ranked};
use dengmi_core::view::{Catalog, MemberCard, MemberStatus, Score};
use dengmi_core::{BranchId, CommunityId, MemberId, Period, RoundId, Timestamp};

use crate::order::{Group, Order, Recent};

/// Members in one chunk: a publication with new members copies the last one, and no other.
const CHUNK: usize = 128;

/// Standings up to this many members are ranked again whenever they changed.
pub(crate) const SMALL_BOARD: usize = 1_000;

/// A larger standing is ranked again no sooner than this many times its ranking took, so ranking
/// takes at most this share of one core, ...
const RANKING_SHARE: u32 = 64;

/// ... but never later than this.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Most live standings kept ranked. There is one of each kind of period for every group.
const RANKED_MAX: usize = 16_384;

/// State as of one committed batch; the members are as of that batch or a later one.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// Number of the batch.
    pub seq: u64,
    /// Its time.
    pub at: Timestamp,
    /// Slowly changing things.
    pub catalog: Arc<Catalog>,
    /// Rises whenever somebody begins or ceases to be shown.
    pub people: u64,
    chunks: Arc<Vec<Arc<[Place]>>>,
    /// Whose cards changed lately.
    pub(crate) recent: Recent,
    /// For each group, by number, the last batch that changed a card of one of its members.
    changed: Vec<u64>,
    scores: BTreeMap<BoardKey, Arc<Scores>>,
    keys: Arc<RoundKeys>,
}

/// Where the card of one member is.
#[derive(Debug)]
struct Place {
    card: ArcSwap<MemberCard>,
    /// Whether the card says that its member may be shown; asked for every row of a standing.
    shown: AtomicBool,
}

impl Place {
    fn new(card: Arc<MemberCard>) -> Self {
        Self { shown: AtomicBool::new(is_shown(&card)), card: ArcSwap::new(card) }
    }

    fn swap(&self, card: Arc<MemberCard>) -> Arc<MemberCard> {
        self.shown.store(is_shown(&card), Ordering::Release);
        self.card.swap(card)
    }
}

fn is_shown(card: &MemberCard) -> bool {
    card.shown && card.status == MemberStatus::Active
}

/// Keys in force, by round.
pub(crate) type RoundKeys = BTreeMap<RoundId, Vec<Key>>;

/// Scores of a run or a round.
#[derive(Debug)]
pub(crate) struct Scores {
    pub(crate) seq: u64,
    pub(crate) policy: BoardPolicy,
    pub(crate) scores: Vec<(MemberId, Score)>,
    /// Tells the writer that somebody looks.
    pub(crate) asked: Arc<AtomicBool>,
}

impl Published {
    /// One member.
    #[must_use]
    pub fn member(&self, branch: BranchId, member: MemberId) -> Option<Arc<MemberCard>> {
        Some(self.place_of(branch, member)?.card.load_full())
    }

    fn place_of(&self, branch: BranchId, member: MemberId) -> Option<&Place> {
        let index = member.seq.checked_sub(1).filter(|_| member.branch == branch)?;
        self.slot(index as usize)
    }

    fn slot(&self, index: usize) -> Option<&Place> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// Whether a member may be shown by name.
    #[must_use]
    pub fn shown(&self, branch: BranchId, member: MemberId) -> bool {
        self.place_of(branch, member).is_some_and(|place| place.shown.load(Ordering::Acquire))
    }

    /// A member's score in a period.
    pub(crate) fn score(&self, branch: BranchId, id: MemberId, period: Period) -> Option<Score> {
        Some(self.place_of(branch, id)?.card.load().score_in(period))
    }

    /// How many members there are.
    #[must_use]
    pub fn members(&self) -> u32 {
        let before_last = self.chunks.len().saturating_sub(1) * CHUNK;
        let count = before_last + self.chunks.last().map_or(0, |chunk| chunk.len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Every member, in id order.
    pub fn cards(&self) -> impl Iterator<Item = Arc<MemberCard>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|place| place.card.load_full())
    }

    /// The keys in force of a revealed round.
    #[must_use]
    pub fn keys(&self, round: RoundId) -> Option<&[Key]> {
        self.keys.get(&round).map(Vec::as_slice)
    }

    /// This state with a delta on top.
    fn with(&self, delta: Delta) -> Published {
        let mut next = if delta.whole { Published::default() } else { self.clone() };
        next.people = self.people + u64::from(delta.whole);
        (next.seq, next.at) = (delta.seq, delta.at);
        if let Some(catalog) = delta.catalog {
            next.catalog = catalog;
        }
        if let Some(keys) = delta.keys {
            next.keys = keys;
        }
        next.recent.note(delta.seq, &delta.cards);
        next.place(delta.cards);
        if delta.whole {
            next.recent = Recent::starting(delta.seq);
            // What changed while nobody looked is unknown: everything may have.
            next.changed.iter_mut().for_each(|changed| *changed = delta.seq);
        }
        for (key, scores) in delta.scores {
            match scores {
                Some(scores) => next.scores.insert(key, scores),
                None => next.scores.remove(&key),
            };
        }
        next
    }

    /// Puts cards, in id order, into their places. Known members change where they are: copying
    /// a chunk would touch the reference counts of everyone in it, for every command anew.
    fn place(&mut self, cards: Vec<Arc<MemberCard>>) {
        let mut new = Vec::new();
        for card in cards {
            match self.slot((card.id.seq as usize).saturating_sub(1)) {
                Some(slot) => {
                    let before = slot.swap(card.clone());
                    self.note_change(Some(&before), &card);
                }
                None => new.push(card),
            }
        }
        if new.is_empty() {
            return;
        }
        new.iter().for_each(|card| self.note_change(None, card));
        let chunks = Arc::make_mut(&mut self.chunks);
        let last = chunks.pop_if(|chunk| chunk.len() < CHUNK);
        let known = last.iter().flat_map(|chunk| chunk.iter()).map(|slot| slot.card.load_full());
        let all: Vec<_> = known.chain(new).collect();
        let chunk = |cards: &[Arc<MemberCard>]| cards.iter().cloned().map(Place::new).collect();
        chunks.extend(all.chunks(CHUNK).map(chunk));
    }

    fn note_change(&mut self, before: Option<&MemberCard>, now: &MemberCard) {
        for group in before.map(|card| card.community).into_iter().chain([now.community]) {
            let index = group.seq as usize;
            if index >= self.changed.len() {
                self.changed.resize(index + 1, 0);
            }
            self.changed[index] = self.seq;
        }
        let visible = |card: &MemberCard| (card.status, card.shown);
        if before.is_none_or(|before| visible(before) != visible(now)) {
            self.people += 1;
        }
    }

    fn changed(&self, community: CommunityId) -> u64 {
        self.changed.get(community.seq as usize).copied().unwrap_or(0)
    }
}

/// What a group of batches changed, taken from the engine before the next batch is applied.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// Replaces everything published before.
    pub(crate) whole: bool,
    pub(crate) catalog: Option<Arc<Catalog>>,
    /// In id order, each member once.
    pub(crate) cards: Vec<Arc<MemberCard>>,
    /// Scores of runs and rounds; `None` where there are none any more.
    pub(crate) scores: Vec<(BoardKey, Option<Arc<Scores>>)>,
    pub(crate) keys: Option<Arc<RoundKeys>>,
}

/// A ranked standing.
#[derive(Debug)]
pub struct Standing {
    /// Number of the last batch that changed it.
    pub version: u64,
    /// How it is shown.
    pub policy: BoardPolicy,
    /// Everyone with a score, best first.
    pub ranked: Arc<[Ranked]>,
    /// When the period ends, for standings with a period.
    pub next_reset: Option<Timestamp>,
}

/// The published views of one branch.
pub struct Views {
    branch: BranchId,
    published: ArcSwap<Published>,
    slots: Mutex<HashMap<BoardKey, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    ranked: ArcSwapOption<Cached>,
    /// Held while ranking, with what the next ranking can begin with.
    ranking: Mutex<Option<Order>>,
}

struct Cached {
    standing: Arc<Standing>,
    at: Instant,
    took: Duration,
}

impl Cached {
    fn good_for(&self, version: u64) -> bool {
        self.standing.version == version || self.younger((self.took * RANKING_SHARE).min(WAIT_MAX))
    }

    /// Whether it is a large standing that was ranked less than `wait` ago.
    fn younger(&self, wait: Duration) -> bool {
        self.standing.ranked.len() > SMALL_BOARD && self.at.elapsed() < wait
    }
}

impl Views {
    pub(crate) fn new(branch: BranchId) -> Self {
        Self { branch, published: ArcSwap::default(), slots: Mutex::default() }
    }

    /// The state last published.
    #[must_use]
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// One member.
    #[must_use]
    pub fn member(&self, member: MemberId) -> Option<Arc<MemberCard>> {
        self.published.load().member(self.branch, member)
    }

    /// Whether a member may be shown by name.
    #[must_use]
    pub fn shown(&self, member: MemberId) -> bool {
        self.published.load().shown(self.branch, member)
    }

    /// A standing that is still open; `None` where there is no such standing, or it is closed.
    /// `now` decides which periods are current.
    ///
    /// Members of large groups may find it up to 100 ms behind their own card.
    #[must_use]
    pub fn standing(&self, key: BoardKey, now: Timestamp) -> Option<Arc<Standing>> {
        let published = self.published.load();
        let source = Source::find(&published, key, now)?;
        source.ask();
        let version = source.version(&published);
        let slot = self.slot(key, &published, now);
        if let Some(cached) = &*slot.ranked.load()
            && cached.good_for(version)
        {
            return Some(cached.standing.clone());
        }
        // Others who want the same standing do not rank it too: of a large one they get the last,
        // unless that is too old; else they wait.
        let mut ranking = match slot.ranking.try_lock() {
            Ok(ranking) => ranking,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => match &*slot.ranked.load() {
                Some(cached) if cached.younger(WAIT_MAX) => return Some(cached.standing.clone()),
                _ => slot.ranking.lock().unwrap_or_else(PoisonError::into_inner),
            },
        };
        if let Some(cached) = &*slot.ranked.load()
            && cached.good_for(version)
        {
            return Some(cached.standing.clone());
        }
        let started = Instant::now();
        let standing = Arc::new(source.rank(self.branch, &published, version, &mut ranking));
        let cached =
            Cached { standing: standing.clone(), at: Instant::now(), took: started.elapsed() };
        metrics::histogram!("dengmi_ranking_seconds").record(cached.took.as_secs_f64());
        slot.ranked.store(Some(Arc::new(cached)));
        Some(standing)
    }

    fn slot(&self, key: BoardKey, published: &Published, now: Timestamp) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= RANKED_MAX && !slots.contains_key(&key) {
            slots.retain(|key, _| Source::find(published, *key, now).is_some());
        }
        slots.entry(key).or_default().clone()
    }

    /// Publishes a delta. Called by one task only, in the order of commits.
    pub(crate) fn publish(&self, delta: Delta) {
        let next = self.published.load().with(delta);
        self.published.store(Arc::new(next));
    }
}

/// Where a standing's scores come from.
enum Source<'a> {
    Community {
        id: CommunityId,
        period: Period,
        policy: BoardPolicy,
        members: &'a [MemberId],
        next_reset: Timestamp,
    },
    Scores(&'a Scores),
}

impl<'a> Source<'a> {
    fn find(published: &'a Published, key: BoardKey, now: Timestamp) -> Option<Self> {
        let BoardKey::Community(id, period) = key else {
            return published.scores.get(&key).map(|scores| Self::Scores(scores));
        };
        let communities = &published.catalog.communities;
        let index = communities.binary_search_by_key(&id, |view| view.id).ok()?;
        let view = &communities[index];
        let today = view.calendar.day_of(now.max(published.at));
        (Period::containing(period.kind, today) == period).then(|| Self::Community {
            id,
            period,
            policy: view.policy,
            members: &view.members,
            next_reset: view.calendar.start_of(period.next().first),
        })
    }

    fn ask(&self) {
        // Looks first: a store would take the cache line away from every other reader.
        if let Self::Scores(scores) = self
            && !scores.asked.load(Ordering::Relaxed)
        {
            scores.asked.store(true, Ordering::Relaxed);
        }
    }

    fn version(&self, published: &Published) -> u64 {
        match self {
            Self::Community { id, .. } => published.changed(*id),
            Self::Scores(scores) => scores.seq,
        }
    }

    fn rank(
        &self,
        branch: BranchId,
        published: &Published,
        version: u64,
        order: &mut Option<Order>,
    ) -> Standing {
        let (policy, ranked, next_reset) = match self {
            Self::Community { period, policy, members, next_reset, .. } => {
                let group = Group { branch, published, members, period: *period };
                let last = order.take();
                let now = last.and_then(|last| last.renewed(policy.ties, &group));
                let now = now.unwrap_or_else(|| Order::new(policy.ties, &group));
                let ranked = board::rank(policy.ties, now.scores.iter().copied());
                *order = Some(now).filter(|order| order.scores.len() > SMALL_BOARD);
                (*policy, ranked, Some(*next_reset))
            }
            Self::Scores(Scores { policy, scores, .. }) => {
                (*policy, board::rank(policy.ties, scores.iter().copied()), None)
            }
        };
        Standing { version, policy, ranked: ranked.into(), next_reset }
    }
}

#[cfg(test)]
mod tests {
    use dengmi_core::view::CommunityView;
    use dengmi_core::{Calendar, Day, ManagerId, PeriodKind, Points};

    use super::*;

    const BRANCH: BranchId = BranchId(1);
    const GROUP: CommunityId = CommunityId::new(BRANCH, 1);
    const TODAY: Day = Day(20_000);

    fn card(seq: u32, points: i32) -> Arc<MemberCard> {
        Arc::new(MemberCard {
            id: MemberId::new(BRANCH, seq),
            status: MemberStatus::Active,
            community: GROUP,
            joined: TODAY,
            consented: true,
            marketing: false,
            shown: true,
            balance: Points(i64::from(points)),
            scored: TODAY,
            scores: [Score { points, reached: u64::from(seq) }; 4],
            streaks: Vec::new(),
            answered: Vec::new(),
            courses: Vec::new(),
        })
    }

    fn delta(seq: u64, cards: Vec<Arc<MemberCard>>) -> Delta {
        Delta { seq, at: Calendar::default().start_of(TODAY), cards, ..Delta::default() }
    }

    fn views(members: u32) -> Views {
        let views = Views::new(BRANCH);
        let catalog = Catalog {
            communities: vec![CommunityView {
                id: GROUP,
                template: "a".parse().unwrap(),
                manager: ManagerId::new(BRANCH, 1),
                calendar: Calendar::default(),
                members: (1..=members).map(|seq| MemberId::new(BRANCH, seq)).collect(),
                capacity: 500,
                policy: BoardPolicy::default(),
            }],
            ..Catalog::default()
        };
        let cards = (1..=members).map(|seq| card(seq, 0)).collect();
        views.publish(Delta { catalog: Some(Arc::new(catalog)), ..delta(1, cards) });
        views
    }

    fn day_board(day: Day) -> BoardKey {
        BoardKey::Community(GROUP, Period::containing(PeriodKind::Day, day))
    }

    #[test]
    fn members_change_where_they_are_and_new_ones_follow() {
        let views = views(300);
        let before = views.published();
        views.publish(delta(2, vec![card(130, 5), card(301, 6), card(302, 7)]));
        let after = views.published();
        let pairs = before.chunks.iter().zip(after.chunks.iter()).enumerate();
        let copied = pairs.filter(|(_, (a, b))| !Arc::ptr_eq(a, b)).map(|(at, _)| at);
        assert_eq!(copied.collect::<Vec<_>>(), [2], "only the last, which has new members");
        assert_eq!((before.members(), after.members()), (300, 302));
        assert!(after.cards().enumerate().all(|(i, card)| card.id.seq as usize == i + 1));
        for (seq, points) in [(130, 5), (131, 0), (301, 6), (302, 7)] {
            let card = views.member(MemberId::new(BRANCH, seq)).unwrap();
            assert_eq!(card.balance, Points(points), "{seq}");
        }
        assert!(views.member(MemberId::new(BRANCH, 303)).is_none());
        assert!(views.member(MemberId::new(BranchId(2), 1)).is_none());
        let joined = (303..=600).map(|seq| card(seq, 1)).collect();
        views.publish(delta(3, joined));
        assert_eq!(views.published().members(), 600);
        assert!(views.published().cards().zip(1..).all(|(card, seq)| card.id.seq == seq));
    }

    #[test]
    fn a_standing_follows_its_group_and_its_period() {
        let views = views(200);
        let at = |day| Calendar::default().start_of(day);
        let board = |key, now| views.standing(key, now);
        assert!(board(day_board(TODAY), at(TODAY)).unwrap().ranked.is_empty());
        views.publish(delta(2, vec![card(3, 5), card(9, 8)]));
        let standing = board(day_board(TODAY), at(TODAY)).unwrap();
        let order: Vec<_> = standing.ranked.iter().map(|row| (row.rank, row.member.seq)).collect();
        assert_eq!((standing.version, order), (2, vec![(1, 9), (2, 3)]));
        assert_eq!(standing.next_reset, Some(at(TODAY.plus(1))));
        let again = board(day_board(TODAY), at(TODAY)).unwrap();
        assert!(Arc::ptr_eq(&standing, &again), "nothing changed, nothing was ranked");
        assert!(board(day_board(TODAY), at(TODAY.plus(1))).is_none(), "yesterday is closed");
        assert!(board(day_board(TODAY.plus(1)), at(TODAY.plus(1))).unwrap().ranked.is_empty());
    }

    #[test]
    fn people_changes_are_counted() {
        let views = views(3);
        let before = views.published().people;
        views.publish(delta(2, vec![card(1, 9)]));
        assert_eq!(views.published().people, before);
        let hidden = MemberCard { shown: false, ..(*card(2, 0)).clone() };
        views.publish(delta(3, vec![Arc::new(hidden)]));
        assert_eq!(views.published().people, before + 1);
        assert!(!views.shown(MemberId::new(BRANCH, 2)) && views.shown(MemberId::new(BRANCH, 1)));
    }
}
