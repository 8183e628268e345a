//! `GET /v1/boards/{key}`: a standing, its top or one's own neighbourhood.
//!
//! Which rows a caller may see, and how they are written down, is in [`board_rows`].

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dengmi_core::MemberId;
use dengmi_core::view::board::{BoardKey, Slice, TiePolicy};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::{Backend, Standing};
use crate::board_key::BoardName;
use crate::board_rows::{self, Row, Rows};
use crate::extract::{Admitted, Asked, Param};
use crate::principal::Principal;
use crate::problem::Problem;
use crate::reply;
use crate::wire::At;

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
pub(crate) struct Body {
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
    rows: Rows,
    /// Where the calling member stands, if they have a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<Place>,
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
    let tag = tag(app.started, &standing, people, member);
    let mut response = if matches(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let rows = board_rows::rows(&app, key, &standing, people, slice, member)?;
        let own = member.and_then(|member| standing.ranked.get(standing.place_of(member)?));
        let body = Body {
            board,
            version: standing.version,
            ties: standing.policy.ties.into(),
            next_reset: standing.next_reset.map(At),
            closed: standing.closed,
            entrants: standing.ranked.len(),
            rows,
            me: own.map(|row| Place { rank: row.rank, points: row.points }),
        };
        // Room for rows of usual names and what is around them; growing would copy it all again.
        let mut text = Vec::with_capacity(400 + body.rows.room());
        serde_json::to_writer(&mut text, &body).map_err(|_| Problem::internal())?;
        reply::json(StatusCode::OK, text)
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

/// Tells the states of one address apart, for one caller.
fn tag(started: i64, standing: &Standing, people: u64, member: Option<MemberId>) -> String {
    let member = member.map_or(0, |member| Principal::Member { member }.number());
    let Standing { version, closed, .. } = standing;
    format!("\"{started:x}-{version:x}-{people:x}-{}-{member:x}\"", u8::from(*closed))
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

#[cfg(test)]
mod tests {
    use super::*;

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
