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

/// Scores of a large run are copied no sooner than this many times the copying took, ...
const COPY_SHARE: u32 = 20;

/// ... and no more often than this while nobody asks.
const UNASKED: Duration = Duration::from_secs(1);

/// What changed since it was last taken.
pub(crate) struct Capture {
    branch: BranchId,
    touched: Vec<MemberId>,
    catalog: bool,
    keys: bool,
    /// Standings of runs and rounds.
    boards: BTreeMap<BoardKey, Board>,
}

struct Board {
    changed: bool,
    /// Set by readers, taken back at every copy.
    asked: Arc<AtomicBool>,
    copied: Instant,
    /// How long to wait after the last copy.
    pause: Duration,
}

impl Board {
    fn new() -> Self {
        let asked = Arc::new(AtomicBool::new(true));
        Self { changed: true, asked, copied: Instant::now(), pause: Duration::ZERO }
    }

    /// How long until it is to be copied; `None` where nothing changed.
    fn wait(&self) -> Option<Duration> {
        let pause = if self.asked.load(Ordering::Relaxed) || self.pause.is_zero() {
            self.pause
        } else {
            UNASKED
        };
        self.changed.then(|| pause.saturating_sub(self.copied.elapsed()))
    }
}

impl Capture {
    pub(crate) fn new(branch: BranchId) -> Self {
        let (touched, boards) = Default::default();
        Self { branch, touched, catalog: false, keys: false, boards }
    }

    /// Notes what a batch changed.
    pub(crate) fn note(&mut self, applied: &Applied) {
        self.touched.extend(&applied.touched);
        self.catalog |= applied.catalog_changed;
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
                self.boards.values_mut().for_each(|board| board.changed = true);
            }
            let run = entry.cause.run().map(BoardKey::Run);
            let round = entry.cause.round().map(BoardKey::Round);
            for key in run.into_iter().chain(round) {
                self.boards.entry(key).or_insert_with(Board::new).changed = true;
            }
        }
    }

    /// Everything, to replace what was published before.
    pub(crate) fn whole(&mut self, engine: &mut Engine) -> Delta {
        let catalog = Arc::new(engine.catalog());
        self.follow(&catalog);
        let mut delta = Delta { whole: true, ..self.delta(engine) };
        let members = (1..=engine.members()).map(|seq| MemberId::new(self.branch, seq));
        delta.cards = members.filter_map(|id| engine.member_card(id)).map(Arc::new).collect();
        delta.keys = Some(keys(engine, &catalog));
        delta.catalog = Some(catalog);
        delta
    }

    /// What changed since the last call.
    pub(crate) fn take(&mut self, engine: &mut Engine) -> Delta {
        let catalog = std::mem::take(&mut self.catalog).then(|| Arc::new(engine.catalog()));
        if let Some(catalog) = &catalog {
            self.follow(catalog);
        }
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

    /// Scores that were left for later, where their time has come.
    pub(crate) fn rest(&mut self, engine: &mut Engine) -> Option<Delta> {
        let ready = |board: &Board| board.wait().is_some_and(|wait| wait.is_zero());
        self.boards.values().any(ready).then(|| self.delta(engine))
    }

    /// How long until [`Self::rest`] has something.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.boards.values().filter_map(Board::wait).min()
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
            board.changed |= !known;
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
            board.pause = if rows.len() <= SMALL_BOARD {
                Duration::ZERO
            } else {
                (started.elapsed() * COPY_SHARE).min(UNASKED)
            };
            board.changed = false;
            board.copied = Instant::now();
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
