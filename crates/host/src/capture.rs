//! What readers shall see of batches, taken from the engine right after they were applied: by the
//! time they are committed the engine is ahead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{Catalog, EventKind};
use dengmi_core::{BranchId, EntryKind, MemberId};
use dengmi_engine::{Applied, Engine};

use crate::views::{Delta, SMALL_BOARD, Scores};

/// Scores of a large run, and a large catalogue, are copied no sooner than this many times the
/// copying took, ...
const COPY_SHARE: u32 = 50;

/// ... and no more often than this while nobody asks.
const UNASKED: Duration = Duration::from_secs(1);

/// What changed since it was last taken.
pub(crate) struct Capture {
    branch: BranchId,
    touched: Vec<MemberId>,
    /// Something new is in the catalogue.
    catalog: bool,
    /// Numbers in it may have moved: answers, likes, budgets.
    counts: Pace,
    keys: bool,
    /// Standings of runs and rounds.
    boards: BTreeMap<BoardKey, Board>,
}

/// When something that changes all the time is copied again.
struct Pace {
    changed: bool,
    copied: Instant,
    /// How long to wait after the last copy.
    pause: Duration,
}

impl Pace {
    fn new(changed: bool) -> Self {
        Self { changed, copied: Instant::now(), pause: Duration::ZERO }
    }

    /// How long until the next copy; `None` where nothing changed.
    fn wait(&self, pause: Duration) -> Option<Duration> {
        self.changed.then(|| pause.saturating_sub(self.copied.elapsed()))
    }

    /// A copy was made; `small` ones need no pause.
    fn copied(&mut self, started: Instant, small: bool) {
        let pause = if small { Duration::ZERO } else { started.elapsed() * COPY_SHARE };
        *self = Self { changed: false, copied: Instant::now(), pause: pause.min(UNASKED) };
    }
}

struct Board {
    pace: Pace,
    /// Set by readers, taken back at every copy.
    asked: Arc<AtomicBool>,
}

impl Board {
    fn new() -> Self {
        Self { pace: Pace::new(true), asked: Arc::new(AtomicBool::new(true)) }
    }

    fn wait(&self) -> Option<Duration> {
        let pause = self.pace.pause;
        let asked = self.asked.load(Ordering::Relaxed) || pause.is_zero();
        self.pace.wait(if asked { pause } else { UNASKED })
    }
}

impl Capture {
    pub(crate) fn new(branch: BranchId) -> Self {
        let (touched, boards) = Default::default();
        Self { branch, touched, catalog: false, counts: Pace::new(false), keys: false, boards }
    }

    /// Notes what a batch changed.
    pub(crate) fn note(&mut self, applied: &Applied) {
        self.touched.extend(&applied.touched);
        self.catalog |= applied.catalog_changed;
        self.counts.changed |= !applied.outcomes.is_empty();
        self.keys |= applied.events.iter().any(|event| {
            matches!(
                event.kind,
                EventKind::RoundOpened(_)
                    | EventKind::RoundClosed(_)
                    | EventKind::RoundRegraded(_)
                    | EventKind::RunEnded(_)
            )
        });
        for entry in &applied.entries {
            if entry.kind == EntryKind::Reversal {
                // It names the entry, not the run.
                self.boards.values_mut().for_each(|board| board.pace.changed = true);
            }
            let run = entry.cause.run().map(BoardKey::Run);
            let round = entry.cause.round().map(BoardKey::Round);
            for key in run.into_iter().chain(round) {
                self.boards.entry(key).or_insert_with(Board::new).pace.changed = true;
            }
        }
    }

    /// Everything, to replace what was published before.
    pub(crate) fn whole(&mut self, engine: &mut Engine) -> Delta {
        let catalog = self.catalog(engine);
        let mut delta = Delta { whole: true, ..self.delta(engine) };
        let members = (1..=engine.members()).map(|seq| MemberId::new(self.branch, seq));
        delta.cards = members.filter_map(|id| engine.member_card(id)).map(Arc::new).collect();
        delta.keys = Some(keys(engine, &catalog));
        delta.catalog = Some(catalog);
        delta
    }

    /// What changed since the last call.
    pub(crate) fn take(&mut self, engine: &mut Engine) -> Delta {
        let catalog = self.catalog_due().then(|| self.catalog(engine));
        let mut delta = self.delta(engine);
        self.touched.sort_unstable();
        self.touched.dedup();
        let cards = self.touched.drain(..).filter_map(|id| engine.member_card(id));
        delta.cards = cards.map(Arc::new).collect();
        if std::mem::take(&mut self.keys) {
            let catalog = catalog.clone().unwrap_or_else(|| Arc::new(engine.catalog()));
            delta.keys = Some(keys(engine, &catalog));
        }
        delta.catalog = catalog;
        delta
    }

    /// What was left for later, where its time has come.
    pub(crate) fn rest(&mut self, engine: &mut Engine) -> Option<Delta> {
        let ready = |board: &Board| board.wait().is_some_and(|wait| wait.is_zero());
        let catalog = self.catalog_due().then(|| self.catalog(engine));
        if catalog.is_none() && !self.boards.values().any(ready) {
            return None;
        }
        Some(Delta { catalog, ..self.delta(engine) })
    }

    /// How long until [`Self::rest`] has something.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let counts = self.counts.wait(self.counts.pause);
        self.boards.values().filter_map(Board::wait).chain(counts).min()
    }

    fn catalog_due(&self) -> bool {
        let counts = self.counts.wait(self.counts.pause);
        self.catalog || counts.is_some_and(|wait| wait.is_zero())
    }

    fn catalog(&mut self, engine: &mut Engine) -> Arc<Catalog> {
        let started = Instant::now();
        let catalog = Arc::new(engine.catalog());
        self.catalog = false;
        self.counts.copied(started, engine.members() as usize <= SMALL_BOARD);
        self.follow(&catalog);
        catalog
    }

    /// Runs and rounds come and go with the catalogue.
    fn follow(&mut self, catalog: &Catalog) {
        let runs = catalog.runs.iter().map(|run| BoardKey::Run(run.id));
        let rounds = catalog.rounds.iter().map(|round| BoardKey::Round(round.id));
        for key in runs.chain(rounds) {
            self.boards.entry(key).or_insert_with(Board::new);
        }
        for (key, board) in &mut self.boards {
            let known = match key {
                BoardKey::Run(id) => catalog.runs.binary_search_by_key(id, |run| run.id).is_ok(),
                BoardKey::Round(id) => {
                    catalog.rounds.binary_search_by_key(id, |round| round.id).is_ok()
                }
                BoardKey::Community(..) => false,
            };
            // Copied once more: the engine has none, and so the published ones go too.
            board.pace.changed |= !known;
        }
    }

    /// A delta with the scores whose time has come.
    fn delta(&mut self, engine: &mut Engine) -> Delta {
        let seq = engine.seq();
        let mut scores = Vec::new();
        self.boards.retain(|&key, board| {
            if board.wait().is_none_or(|wait| !wait.is_zero()) {
                return true;
            }
            let started = Instant::now();
            let table = match key {
                BoardKey::Run(run) => engine.run_scores(run),
                BoardKey::Round(round) => engine.round_scores(round),
                BoardKey::Community(..) => None,
            };
            let Some((policy, rows)) = table else {
                scores.push((key, None));
                return false;
            };
            board.pace.copied(started, rows.len() <= SMALL_BOARD);
            board.asked.store(false, Ordering::Relaxed);
            let asked = board.asked.clone();
            scores.push((key, Some(Arc::new(Scores { seq, policy, scores: rows, asked }))));
            true
        });
        Delta { seq, at: engine.at(), scores, ..Delta::default() }
    }
}

fn keys(engine: &Engine, catalog: &Catalog) -> Arc<crate::views::RoundKeys> {
    let revealed = catalog.rounds.iter().filter(|round| round.revealed);
    Arc::new(revealed.filter_map(|round| Some((round.id, engine.round_keys(round.id)?))).collect())
}
