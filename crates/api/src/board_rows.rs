//! The rows of a standing that a caller may see, written down.
//!
//! What a viewer may see is decided by [`board::visible`] alone. Tops are the same for nearly
//! everyone: they are written down once per version of the standing and of the people on it. Only
//! a member who hides their name and stands in the slice gets rows of their own, because they
//! alone may read it. Neighbourhoods differ for everyone and move with every change: writing a few
//! rows straight into the answer costs less than keeping them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use dengmi_core::view::board::{self, BoardKey, Ranked, Slice, Viewer};
use dengmi_core::{BranchId, MemberId};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, Standing};
use crate::problem::Problem;

/// One row.
#[derive(Serialize, ToSchema)]
#[schema(as = BoardRow)]
pub(crate) struct Row {
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
    #[schema(value_type = Option<String>)]
    name: Option<Arc<str>>,
}

/// Rows that were written down, with the versions they were written from.
#[derive(Default)]
pub(crate) struct BoardCache {
    /// Tops, by standing, size and whether an operator looks.
    tops: RwLock<HashMap<(BoardKey, u32, bool), Rendered>>,
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
}

/// The rows of an answer.
pub(crate) enum Rows {
    /// Written down already.
    Written(Arc<RawValue>),
    /// To be written into the answer.
    Fresh(Vec<Row>),
}

impl Rows {
    /// Bytes they take, with usual names.
    pub(crate) fn room(&self) -> usize {
        match self {
            Self::Written(rows) => rows.get().len(),
            Self::Fresh(rows) => 96 * rows.len(),
        }
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Written(rows) => rows.serialize(serializer),
            Self::Fresh(rows) => rows.serialize(serializer),
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
    let fresh = |viewer| visible_rows(&*app.backend, standing, slice, viewer);
    let hidden = |me| standing.policy.hide_names || !app.backend.shown(me);
    match (slice, member) {
        (Slice::Around(..), _) => Ok(Rows::Fresh(fresh(viewer))),
        (Slice::Top(n), Some(me))
            if standing.place_of(me).is_some_and(|place| place < n as usize) && hidden(me) =>
        {
            Ok(Rows::Fresh(fresh(viewer)))
        }
        (Slice::Top(n), _) => {
            let cached = (key, n, member.is_none());
            if let Some(rows) = app.boards.top(cached, standing.version, people) {
                return Ok(Rows::Written(rows));
            }
            let anybody = member.map_or(Viewer::Operator, |_| nobody(&standing.ranked));
            let rows = serde_json::value::to_raw_value(&fresh(anybody));
            let rows: Arc<RawValue> = rows.map_err(|_| Problem::internal())?.into();
            let rendered = Rendered { version: standing.version, people, rows: Arc::clone(&rows) };
            app.boards.put_top(cached, rendered);
            Ok(Rows::Written(rows))
        }
    }
}

/// The rows of a slice that `viewer` may see, with names.
fn visible_rows<B: Backend>(
    backend: &B,
    standing: &Standing,
    slice: Slice,
    viewer: Viewer,
) -> Vec<Row> {
    let window = &standing.ranked[range(standing, slice)];
    let Some(first) = window.first() else { return Vec::new() };
    let shown = backend.shown_in(first.member.branch);
    let visible = board::visible(window, standing.policy, slice, viewer, shown);
    // Who may not be shown has no id here any more, so there is nobody left to ask for.
    let members: Vec<Option<MemberId>> = visible.iter().map(|row| row.member).collect();
    let names = backend.names(&members);
    let row = |(row, name): (board::Row, _)| Row {
        rank: row.rank,
        points: row.points,
        member: row.member,
        name,
    };
    visible.into_iter().zip(names).map(row).collect()
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
        let standing = Standing { ranked: ranked.into(), ..Standing::default() };
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
