//! The rows of a standing that a caller may see, written down.
//!
//! What a viewer may see is decided by [`board::visible`] alone. Rows are the same for nearly
//! everyone: they are written down once per version of the standing and of the people on it. Only
//! a member who hides their name and stands in the slice gets rows of their own, because they
//! alone may read it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use dengmi_core::view::board::{self, BoardKey, BoardPolicy, Ranked, Slice, Viewer};
use dengmi_core::{BranchId, MemberId};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, Standing};
use crate::people;
use crate::problem::Problem;

/// One row.
#[derive(Serialize, ToSchema)]
#[schema(as = BoardRow)]
pub(crate) struct Row<'a> {
    /// The rank, from 1. Everyone counts, shown or not.
    rank: u32,
    /// Points.
    points: i32,
    /// Who, if the caller may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "m1-42")]
    member: Option<MemberId>,
    /// Their nickname, if the caller may know and there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

/// Rows that were written down, with the versions they were written from.
#[derive(Default)]
pub(crate) struct BoardCache {
    /// Tops, by standing, size and whether an operator looks.
    tops: RwLock<HashMap<(BoardKey, u32, bool), Rendered>>,
    sheets: RwLock<HashMap<BoardKey, Arc<Sheet>>>,
}

/// Tops kept at most; beyond, the cache starts afresh. Far more standings than are read at once.
const CACHED_MAX: usize = 4_096;

#[derive(Clone)]
struct Rendered {
    version: u64,
    people: u64,
    rows: Arc<RawValue>,
}

impl BoardCache {
    fn top(&self, key: (BoardKey, u32, bool), version: u64, people: u64) -> Option<Arc<RawValue>> {
        let cache = self.tops.read().unwrap_or_else(PoisonError::into_inner);
        let found = cache.get(&key)?;
        (found.version == version && found.people == people).then(|| Arc::clone(&found.rows))
    }

    fn put_top(&self, key: (BoardKey, u32, bool), rendered: Rendered) {
        let mut cache = self.tops.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(key, rendered);
    }

    /// The sheet of a standing, a new one where there is none of these versions.
    fn sheet(&self, key: BoardKey, standing: &Standing, people: u64) -> Arc<Sheet> {
        let fits = |sheet: &&Arc<Sheet>| {
            (sheet.version, sheet.people) == (standing.version, people)
                && sheet.rows == standing.ranked.len()
        };
        let sheets = self.sheets.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(sheet) = sheets.get(&key).filter(fits) {
            return Arc::clone(sheet);
        }
        drop(sheets);
        let mut sheets = self.sheets.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(sheet) = sheets.get(&key).filter(fits) {
            return Arc::clone(sheet);
        }
        sheets.remove(&key);
        let sheet = Arc::new(Sheet::new(standing, people));
        if sheets.values().map(|sheet| sheet.rows).sum::<usize>() + sheet.rows > SHEET_ROWS_MAX {
            sheets.clear();
        }
        sheets.insert(key, Arc::clone(&sheet));
        sheet
    }
}

/// Rows of all sheets kept, at about 110 bytes each; beyond, they start afresh.
const SHEET_ROWS_MAX: usize = 400_000;

/// Rows of a block. Small: where the standing changes all the time, most blocks are read once.
const BLOCK: usize = 4;

/// The rows of one block, each as text.
type Block = Box<[Box<RawValue>]>;

/// The rows of a standing as every member may read them, written down a block at a time when one
/// of them is first read: neighbourhoods overlap, so most rows are read many times.
pub(crate) struct Sheet {
    version: u64,
    people: u64,
    rows: usize,
    blocks: Box<[OnceLock<Block>]>,
}

impl Sheet {
    fn new(standing: &Standing, people: u64) -> Self {
        let rows = standing.ranked.len();
        let blocks = (0..rows.div_ceil(BLOCK)).map(|_| OnceLock::new()).collect();
        Self { version: standing.version, people, rows, blocks }
    }

    /// Writes down what is not yet, of the blocks that hold `range`.
    fn fill<B: Backend>(
        &self,
        backend: &B,
        standing: &Standing,
        range: &Range<usize>,
    ) -> Result<(), Problem> {
        let blocks = range.start / BLOCK..range.end.div_ceil(BLOCK);
        let empty = |at: &usize| self.blocks.get(*at).is_some_and(|block| block.get().is_none());
        let Some(first) = blocks.clone().find(empty) else { return Ok(()) };
        let last = blocks.rev().find(empty).unwrap_or(first);
        let end = standing.ranked.len().min((last + 1) * BLOCK);
        let window = &standing.ranked[first * BLOCK..end];
        let policy = BoardPolicy { neighbours_only: false, ..standing.policy };
        let slice = Slice::Top(u32::try_from(window.len()).unwrap_or(u32::MAX));
        let written = with_rows(backend, window, policy, slice, nobody(window), |rows| {
            rows.iter().map(serde_json::value::to_raw_value).collect::<Result<Vec<_>, _>>()
        });
        let mut written = written.map_err(|_| Problem::internal())?.into_iter();
        for block in &self.blocks[first..=last] {
            // Another reader may have been faster, with the same text.
            let _ = block.set(written.by_ref().take(BLOCK).collect());
        }
        Ok(())
    }

    fn row(&self, at: usize) -> Option<&RawValue> {
        Some(self.blocks.get(at / BLOCK)?.get()?.get(at % BLOCK)?)
    }
}

/// The rows of an answer.
pub(crate) enum Rows {
    /// Written down as a whole.
    Whole(Arc<RawValue>),
    /// Part of a sheet, whose blocks are filled.
    Part(Arc<Sheet>, Range<usize>),
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(rows) => rows.serialize(serializer),
            Self::Part(sheet, range) => {
                serializer.collect_seq(range.clone().filter_map(|at| sheet.row(at)))
            }
        }
    }
}

/// A member who is nobody (numbers begin at 1) sees what every member sees.
fn nobody(ranked: &[Ranked]) -> Viewer {
    let branch = ranked.first().map_or(BranchId(0), |row| row.member.branch);
    Viewer::Member(MemberId::new(branch, 0))
}

/// The rows that a caller may see of a slice; operators are no `member`.
pub(crate) fn rows<B: Backend>(
    app: &App<B>,
    key: BoardKey,
    standing: &Standing,
    people: u64,
    slice: Slice,
    member: Option<MemberId>,
) -> Result<Rows, Problem> {
    let viewer = member.map_or(Viewer::Operator, Viewer::Member);
    let slice = match (slice, member) {
        (Slice::Top(n), Some(me)) if standing.policy.neighbours_only => Slice::Around(me, n / 2),
        _ => slice,
    };
    let own = || render(&*app.backend, standing, slice, viewer).map(Rows::Whole);
    let hidden = |me| standing.policy.hide_names || !app.backend.shown(me);
    match (slice, member) {
        (Slice::Around(..), Some(me)) if hidden(me) => own(),
        (Slice::Around(..), _) => {
            let range = range(standing, slice);
            let sheet = app.boards.sheet(key, standing, people);
            sheet.fill(&*app.backend, standing, &range)?;
            Ok(Rows::Part(sheet, range))
        }
        (Slice::Top(n), Some(me))
            if standing.place_of(me).is_some_and(|place| place < n as usize) && hidden(me) =>
        {
            own()
        }
        (Slice::Top(n), _) => {
            let cached = (key, n, member.is_none());
            if let Some(rows) = app.boards.top(cached, standing.version, people) {
                return Ok(Rows::Whole(rows));
            }
            let anybody = member.map_or(Viewer::Operator, |_| nobody(&standing.ranked));
            let rows = render(&*app.backend, standing, slice, anybody)?;
            let rendered = Rendered { version: standing.version, people, rows: Arc::clone(&rows) };
            app.boards.put_top(cached, rendered);
            Ok(Rows::Whole(rows))
        }
    }
}

fn render<B: Backend>(
    backend: &B,
    standing: &Standing,
    slice: Slice,
    viewer: Viewer,
) -> Result<Arc<RawValue>, Problem> {
    let window = &standing.ranked[range(standing, slice)];
    let rows = with_rows(backend, window, standing.policy, slice, viewer, |rows| {
        serde_json::value::to_raw_value(rows)
    });
    rows.map(Arc::from).map_err(|_| Problem::internal())
}

/// Hands the rows that `viewer` may see, with names, to `write`.
fn with_rows<B: Backend, R>(
    backend: &B,
    window: &[Ranked],
    policy: BoardPolicy,
    slice: Slice,
    viewer: Viewer,
    write: impl FnOnce(&[Row<'_>]) -> R,
) -> R {
    let Some(first) = window.first() else { return write(&[]) };
    let shown = backend.shown_in(first.member.branch);
    let visible = board::visible(window, policy, slice, viewer, shown);
    let reader = match viewer {
        Viewer::Member(me) => Some(me),
        Viewer::Operator => None,
    };
    let names = people::names_in_order(backend, reader, visible.iter().map(|row| row.member));
    let rows: Vec<Row<'_>> = visible
        .iter()
        .zip(&names)
        .map(|(row, name)| Row {
            rank: row.rank,
            points: row.points,
            member: row.member,
            name: name.as_deref(),
        })
        .collect();
    write(&rows)
}

/// The part of a standing that a slice can show, found without a search: [`board::visible`] then
/// looks for the member among a few rows instead of all.
fn range(standing: &Standing, slice: Slice) -> Range<usize> {
    match slice {
        Slice::Top(n) => 0..standing.ranked.len().min(n as usize),
        Slice::Around(member, n) => match standing.place_of(member) {
            Some(place) => {
                let to = standing.ranked.len().min(place + n as usize + 1);
                place.saturating_sub(n as usize)..to
            }
            None => 0..0,
        },
    }
}

#[cfg(test)]
mod tests {
    use dengmi_core::view::board::BoardPolicy;

    use super::*;

    fn member(seq: u32) -> MemberId {
        MemberId::new(BranchId(1), seq)
    }

    /// Cutting first and asking then gives the same rows as asking over everyone.
    #[test]
    fn a_window_changes_nothing() {
        let ranked: Vec<Ranked> =
            (0..40).map(|n| Ranked { rank: n + 1, member: member(100 - n), points: 100 }).collect();
        let standing = Standing { ranked, ..Standing::default() };
        for seq in 55..=105 {
            for n in [1, 2, 7, 50] {
                let slice = Slice::Around(member(seq), n);
                let seen = |ranked: &[Ranked]| {
                    let viewer = Viewer::Member(member(seq));
                    board::visible(ranked, BoardPolicy::default(), slice, viewer, |_| true)
                };
                assert_eq!(
                    seen(&standing.ranked[range(&standing, slice)]),
                    seen(&standing.ranked),
                    "{seq} {n}"
                );
            }
        }
    }
}
