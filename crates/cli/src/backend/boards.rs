//! Standings in the interface's shape: open ones as the host ranks them, closed ones out of the
//! store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dengmi_api::backend::{Places, Standing};
use dengmi_core::view::ClosedBoard;
use dengmi_core::view::board::{BoardKey, BoardPolicy};
use dengmi_host::Host;
use dengmi_store::Journal;

/// Standings kept; beyond it all are made again.
const KEPT_MAX: usize = 20_000;

/// Standings that were asked for.
#[derive(Default)]
pub(super) struct Boards {
    open: Mutex<HashMap<BoardKey, Arc<Standing>>>,
    closed: Mutex<HashMap<BoardKey, Looked>>,
}

/// What a look into the store gave.
#[derive(Clone)]
enum Looked {
    /// A closed standing, which never changes.
    Found(Arc<Standing>),
    /// None, as of this batch.
    None(u64),
}

impl Boards {
    pub(super) fn get<J: Journal>(&self, host: &Host<J>, key: BoardKey) -> Option<Arc<Standing>> {
        let Some(standing) = host.standing(key) else { return self.closed(host, key) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = is_closed(host, key);
        if let Some(known) = open.get(&key)
            && known.version == standing.version
            && known.closed == closed
        {
            return Some(known.clone());
        }
        let made = Arc::new(Standing {
            version: standing.version,
            policy: standing.policy,
            ranked: standing.ranked.clone(),
            next_reset: standing.next_reset,
            closed,
            places: Places::default(),
        });
        if open.len() >= KEPT_MAX {
            open.clear();
        }
        open.insert(key, made.clone());
        Some(made)
    }

    fn closed<J: Journal>(&self, host: &Host<J>, key: BoardKey) -> Option<Arc<Standing>> {
        let views = host.views(branch_of(key))?;
        let seq = views.published().seq;
        let known = self.closed.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        match known {
            Some(Looked::Found(standing)) => return Some(standing),
            Some(Looked::None(then)) if then == seq => return None,
            _ => {}
        }
        // The one read that may wait: of a standing that is history, once.
        let handle = tokio::runtime::Handle::current();
        let stored = tokio::task::block_in_place(|| handle.block_on(host.closed_board(key)));
        let stored = match stored {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "closed standing");
                return None;
            }
        };
        let made = stored.map(|board| Arc::new(standing_of(board, policy(host, key))));
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.len() >= KEPT_MAX {
            closed.clear();
        }
        closed.insert(key, made.clone().map_or(Looked::None(seq), Looked::Found));
        made
    }
}

fn standing_of(board: ClosedBoard, policy: BoardPolicy) -> Standing {
    Standing {
        // It never changes again; larger than any number of batches.
        version: u64::MAX,
        policy,
        ranked: board.rows.into(),
        next_reset: None,
        closed: true,
        places: Places::default(),
    }
}

fn branch_of(key: BoardKey) -> dengmi_core::BranchId {
    match key {
        BoardKey::Community(id, _) => id.branch,
        BoardKey::Run(id) => id.branch,
        BoardKey::Round(id) => id.branch,
    }
}

/// Whether a run's or round's standing, still kept by the engine, is closed.
fn is_closed<J: Journal>(host: &Host<J>, key: BoardKey) -> bool {
    let Some(views) = host.views(branch_of(key)) else { return false };
    let catalog = &views.published().catalog;
    match key {
        BoardKey::Community(..) => false,
        BoardKey::Run(id) => catalog.runs.iter().any(|run| run.id == id && run.ended.is_some()),
        BoardKey::Round(id) => catalog.rounds.iter().any(|round| round.id == id && round.closed),
    }
}

/// How a closed standing is shown. Where that is no longer known, without names.
fn policy<J: Journal>(host: &Host<J>, key: BoardKey) -> BoardPolicy {
    let of = || {
        let catalog = host.views(branch_of(key))?.published().catalog.clone();
        let run = match key {
            BoardKey::Community(id, _) => {
                let view = catalog.communities.iter().find(|view| view.id == id)?;
                return Some(view.policy);
            }
            BoardKey::Run(id) => id,
            BoardKey::Round(id) => catalog.rounds.iter().find(|view| view.id == id)?.run,
        };
        let run = catalog.runs.iter().find(|view| view.id == run)?;
        let pack = host.packs().get(run.content)?;
        Some(pack.quest(pack.current(&run.quest))?.board)
    };
    of().unwrap_or(BoardPolicy {
        hide_names: true,
        neighbours_only: true,
        ..BoardPolicy::default()
    })
}
