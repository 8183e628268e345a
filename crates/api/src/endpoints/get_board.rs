//! `GET /v1/boards/{key}`: a standing, its top or one's own neighbourhood.
//!
//! What a viewer may see is decided by [`board::visible`] alone. The rows of a top are the same
//! for nearly everyone: they are rendered once per version of the standing and of the people on
//! it. Only a member who hides their name and stands in the slice gets rows of their own, because
//! they alone may read it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dengmi_core::MemberId;
use dengmi_core::view::board::{self, BoardKey, Ranked, Slice, TiePolicy, Viewer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::{Backend, Standing};
use crate::board_key::BoardName;
use crate::extract::{Admitted, Asked, Param};
use crate::people;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::wire::{At, hex};

/// Rows of a top when the query names none.
const TOP: u32 = 50;
/// Neighbours on either side when the query names none.
const NEIGHBOURS: u32 = 5;

/// Which part.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// The best so many, 1 to 100; 50 when neither `top` nor `around` is given.
    #[param(minimum = 1, maximum = 100)]
    top: Option<u32>,
    /// Instead of the top: oneself and neighbours. Members only.
    #[param(inline)]
    around: Option<Around>,
    /// Neighbours on either side, 1 to 50; 5 when missing.
    #[param(minimum = 1, maximum = 50)]
    n: Option<u32>,
}

/// Around whom.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Around {
    /// The caller.
    Me,
}

/// A standing.
#[derive(Serialize, ToSchema)]
#[schema(as = Board)]
pub(crate) struct Body<'a> {
    /// Its name, by the first day of its period.
    #[schema(value_type = String, example = "community-c1-3-day-2026-11-21")]
    board: String,
    /// Rises with every change.
    version: u64,
    /// What happens to equal scores.
    ties: Ties,
    /// When the period ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_reset: Option<At>,
    /// Closed for good.
    closed: bool,
    /// Everyone with a score.
    entrants: usize,
    /// The rows, best first.
    #[schema(value_type = Vec<Row>)]
    rows: &'a RawValue,
    /// Where the calling member stands, if they have a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<Place>,
}

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

/// Where a member stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Place {
    /// The rank, from 1.
    rank: u32,
    /// Points.
    points: i32,
}

/// What happens to equal scores.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TiePolicy)]
enum Ties {
    /// Equal scores share a rank and the next is skipped: 1, 2, 2, 4.
    SharedRank,
    /// Who reached the score first ranks higher: 1, 2, 3, 4.
    FirstToReach,
    /// Equal scores share a rank and none is skipped: 1, 2, 2, 3.
    Dense,
    /// The lower member id ranks higher: 1, 2, 3, 4.
    Id,
}

impl From<TiePolicy> for Ties {
    fn from(ties: TiePolicy) -> Self {
        match ties {
            TiePolicy::SharedRank => Self::SharedRank,
            TiePolicy::FirstToReach => Self::FirstToReach,
            TiePolicy::Dense => Self::Dense,
            TiePolicy::Id => Self::Id,
        }
    }
}

/// Rendered tops: by standing, size and whether an operator looks, with the versions they were
/// rendered from.
#[derive(Default)]
pub(crate) struct BoardCache(RwLock<HashMap<(BoardKey, u32, bool), Rendered>>);

/// Tops kept at most; beyond, the cache starts afresh. Far more standings than are read at once.
const CACHED_MAX: usize = 4_096;

#[derive(Clone)]
struct Rendered {
    version: u64,
    people: u64,
    rows: Arc<RawValue>,
}

impl BoardCache {
    fn get(&self, key: (BoardKey, u32, bool), version: u64, people: u64) -> Option<Arc<RawValue>> {
        let cache = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = cache.get(&key)?;
        (found.version == version && found.people == people).then(|| Arc::clone(&found.rows))
    }

    fn put(&self, key: (BoardKey, u32, bool), rendered: Rendered) {
        let mut cache = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(key, rendered);
    }
}

#[utoipa::path(
    get, path = "/v1/boards/{key}", operation_id = "getBoard", tag = "boards",
    summary = "Read a standing",
    description = "Sends an `ETag`; with `If-None-Match` the answer is 304 while nothing changed.",
    params(("key" = String, Path, example = "community-c1-3-day-2026-11-21"), Query),
    responses(
        (status = 200, description = "The standing.", body = Body),
        (status = 304, description = "Nothing changed."),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(BoardName(key)): Param<BoardName>,
    Asked(query): Asked<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let backend = &*app.backend;
    let member = call.principal()?.member();
    let slice = slice(&query, member)?;
    // The people's version first: names read later are at least as new.
    let people = backend.people_version(branch_of(key).ok_or_else(Problem::not_found)?);
    let standing = backend.board(key).ok_or_else(Problem::not_found)?;
    let board = BoardName(key).to_string();
    let tag = tag(app.started, &board, &standing, people, slice, member);
    let mut response = if matches(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let rows = rows(&app, key, &standing, people, slice, member)?;
        let own = member.and_then(|member| standing.ranked.get(standing.place_of(member)?));
        let body = Body {
            board,
            version: standing.version,
            ties: standing.policy.ties.into(),
            next_reset: standing.next_reset.map(At),
            closed: standing.closed,
            entrants: standing.ranked.len(),
            rows: &rows,
            me: own.map(|row| Place { rank: row.rank, points: row.points }),
        };
        let body = serde_json::to_vec(&body).map_err(|_| Problem::internal())?;
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    let headers = response.headers_mut();
    let tag = HeaderValue::from_str(&tag).map_err(|_| Problem::internal())?;
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    Ok(response)
}

fn slice(query: &Query, member: Option<MemberId>) -> Result<Slice, Problem> {
    match (query.top, query.around, query.n) {
        (Some(_), Some(_), _) => {
            Err(Problem::bad_request("ask for `top=` or `around=me`, not both"))
        }
        (_, None, Some(_)) => Err(Problem::bad_request("`n` goes with `around=me`")),
        (top, None, None) => match top.unwrap_or(TOP) {
            n @ 1..=100 => Ok(Slice::Top(n)),
            _ => Err(Problem::bad_request("`top` is from 1 to 100")),
        },
        (None, Some(Around::Me), n) => {
            let me = member.ok_or_else(|| {
                Problem::bad_request("operators stand on no board; ask for `top=`")
            })?;
            match n.unwrap_or(NEIGHBOURS) {
                n @ 1..=50 => Ok(Slice::Around(me, n)),
                _ => Err(Problem::bad_request("`n` is from 1 to 50")),
            }
        }
    }
}

fn branch_of(key: BoardKey) -> Option<dengmi_core::BranchId> {
    Some(match key {
        BoardKey::Community(community, _) => community.branch,
        BoardKey::Run(run) => run.branch,
        BoardKey::Round(round) => round.branch,
    })
}

fn tag(
    started: i64,
    board: &str,
    standing: &Standing,
    people: u64,
    slice: Slice,
    member: Option<MemberId>,
) -> String {
    let (kind, of, n) = match slice {
        Slice::Top(n) => ("top", 0, n),
        Slice::Around(of, n) => ("around", of.seq, n),
    };
    let member = member.map_or(0, |member| Principal::Member { member }.number());
    let Standing { version, closed, .. } = standing;
    let text = format!("{started} {board} {version} {people} {closed} {kind} {of} {n} {member}");
    format!("\"{}\"", hex(&blake3::hash(text.as_bytes()).as_bytes()[..12]))
}

fn matches(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(
        |value| {
            value
                .split(',')
                .map(str::trim)
                .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
        },
    )
}

fn rows<B: Backend>(
    app: &App<B>,
    key: BoardKey,
    standing: &Standing,
    people: u64,
    slice: Slice,
    member: Option<MemberId>,
) -> Result<Arc<RawValue>, Problem> {
    let viewer = member.map_or(Viewer::Operator, Viewer::Member);
    let Slice::Top(n) = slice else { return render(app, standing, slice, viewer) };
    if let Some(me) = member {
        if standing.policy.neighbours_only {
            return render(app, standing, Slice::Around(me, n / 2), viewer);
        }
        let in_slice = standing.place_of(me).is_some_and(|place| place < n as usize);
        let hidden = standing.policy.hide_names || !app.backend.shown(me);
        if in_slice && hidden {
            return render(app, standing, slice, viewer);
        }
    }
    let cached = (key, n, member.is_none());
    if let Some(rows) = app.boards.get(cached, standing.version, people) {
        return Ok(rows);
    }
    // A member who is nobody (numbers begin at 1) sees what every member sees.
    let anybody = match viewer {
        Viewer::Member(me) => Viewer::Member(MemberId::new(me.branch, 0)),
        Viewer::Operator => Viewer::Operator,
    };
    let rows = render(app, standing, slice, anybody)?;
    let rendered = Rendered { version: standing.version, people, rows: Arc::clone(&rows) };
    app.boards.put(cached, rendered);
    Ok(rows)
}

fn render<B: Backend>(
    app: &App<B>,
    standing: &Standing,
    slice: Slice,
    viewer: Viewer,
) -> Result<Arc<RawValue>, Problem> {
    let backend = &*app.backend;
    let window = window(standing, slice);
    let Some(first) = window.first() else { return raw(&[]) };
    let shown = backend.shown_in(first.member.branch);
    let visible = board::visible(window, standing.policy, slice, viewer, shown);
    let reader = match viewer {
        Viewer::Member(me) => Some(me),
        Viewer::Operator => None,
    };
    let names = people::names(backend, reader, visible.iter().filter_map(|row| row.member));
    let rows: Vec<Row<'_>> = visible
        .iter()
        .map(|row| Row {
            rank: row.rank,
            points: row.points,
            member: row.member,
            name: row.member.and_then(|id| names.get(&id)).map(AsRef::as_ref),
        })
        .collect();
    raw(&rows)
}

fn raw(rows: &[Row<'_>]) -> Result<Arc<RawValue>, Problem> {
    serde_json::value::to_raw_value(rows).map(Arc::from).map_err(|_| Problem::internal())
}

/// The part of a standing that a slice can show, found without a search: [`board::visible`] then
/// looks for the member among a few rows instead of all.
fn window(standing: &Standing, slice: Slice) -> &[Ranked] {
    match slice {
        Slice::Top(_) => &standing.ranked,
        Slice::Around(member, n) => match standing.place_of(member) {
            Some(place) => {
                let from = place.saturating_sub(n as usize);
                let to = standing.ranked.len().min(place + n as usize + 1);
                &standing.ranked[from..to]
            }
            None => &[],
        },
    }
}

#[cfg(test)]
mod tests {
    use dengmi_core::BranchId;
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
                assert_eq!(seen(window(&standing, slice)), seen(&standing.ranked), "{seq} {n}");
            }
        }
    }

    #[test]
    fn tags_match_as_http_says() {
        let check = |value: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(matches(&headers, "\"a\""), expected, "{value}");
        };
        check("\"a\"", true);
        check("W/\"a\"", true);
        check("\"b\", \"a\"", true);
        check("*", true);
        check("\"b\"", false);
        check("a", false);
    }
}
