//! `GET /v1/members/{id}/points`: every movement of a member's points and why.

use axum::extract::State;
use dengmi_core::{Cause, Day, EntryKind, MemberId, Points, PostId, RoundId, RunId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::backend::{Backend, EntryView};
use crate::extract::{Admitted, Asked, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::{At, hex};

/// Entries of a page when the query names none.
const PAGE: usize = 20;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Query {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Entries of a page, 1 to 100; 20 when missing.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// A page of movements, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = PointsPage)]
pub(crate) struct Page {
    /// Points the member can spend.
    #[schema(value_type = i64)]
    balance: Points,
    /// The movements.
    entries: Vec<Entry>,
    /// Cursor of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One movement of points.
#[derive(Serialize, ToSchema)]
#[schema(as = PointsEntry)]
pub(crate) struct Entry {
    /// Its number within the branch.
    id: u64,
    /// When it was booked.
    at: At,
    /// The business day it counts for.
    #[schema(value_type = String, format = Date)]
    day: Day,
    /// What kind of movement.
    kind: Kind,
    /// Points gained, or lost when negative.
    #[schema(value_type = i64)]
    points: Points,
    /// The rule that paid, for awards.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Rule>,
    /// What it goes back to.
    cause: Because,
}

/// What kind of movement.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EntryKind)]
enum Kind {
    /// A rule rewarded something the member did.
    Award,
    /// The member spent points.
    Redemption,
    /// Points reached the end of their life.
    Expiry,
    /// An earlier entry was taken back.
    Reversal,
}

/// The rule that paid.
#[derive(Serialize, ToSchema)]
struct Rule {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The version that was in force.
    version: u16,
}

/// What a movement goes back to.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = Cause)]
enum Because {
    /// A check-in.
    CheckIn {
        /// The run.
        #[schema(value_type = String)]
        run: RunId,
        /// The day.
        #[schema(value_type = String, format = Date)]
        day: Day,
    },
    /// An answer.
    Answer {
        /// The round.
        #[schema(value_type = String)]
        round: RoundId,
        /// Position of the question in the content file's order.
        question: u8,
        /// How often the key had been corrected.
        revision: u8,
    },
    /// A round answered to its end.
    Round {
        /// The round.
        #[schema(value_type = String)]
        round: RoundId,
        /// How often the key had been corrected.
        revision: u8,
    },
    /// A like.
    Like {
        /// The post.
        #[schema(value_type = String)]
        post: PostId,
    },
    /// A comment.
    Comment {
        /// The post.
        #[schema(value_type = String)]
        post: PostId,
    },
    /// An order of the points mall.
    Order {
        /// Its number.
        order: u64,
    },
    /// Another entry, which this one takes back.
    Entry {
        /// Its number.
        entry: u64,
    },
    /// Points that reached the end of their life.
    Expired {
        /// First day of the month they expired with.
        #[schema(value_type = String, format = Date)]
        month: Day,
    },
}

impl From<Cause> for Because {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::CheckIn(run, day) => Self::CheckIn { run, day },
            Cause::Answer { round, question, revision, .. } => {
                Self::Answer { round, question, revision }
            }
            Cause::Round { round, revision, .. } => Self::Round { round, revision },
            Cause::Like(_, post) => Self::Like { post },
            Cause::Comment(_, post) => Self::Comment { post },
            Cause::Order(order) => Self::Order { order },
            Cause::Entry(entry) => Self::Entry { entry },
            Cause::Expired(month) => Self::Expired { month },
        }
    }
}

impl Entry {
    fn new(view: EntryView) -> Self {
        let entry = view.entry;
        let (id, title) = view.rule.map(|rule| (rule.id.into(), rule.title)).unzip();
        Self {
            id: entry.id,
            at: At(entry.at),
            day: entry.day,
            kind: match entry.kind {
                EntryKind::Award => Kind::Award,
                EntryKind::Redemption => Kind::Redemption,
                EntryKind::Expiry => Kind::Expiry,
                EntryKind::Reversal => Kind::Reversal,
            },
            points: entry.member_change().map_or(entry.points, |(_, change)| change),
            rule: entry.rule.map(|rule| Rule { id, title, version: rule.version }),
            cause: entry.cause.into(),
        }
    }
}

/// A cursor: the last entry of the page and a check over it and the member, so that one of
/// another list, or a made-up one, is refused rather than misread.
fn cursor(member: MemberId, entry: u64) -> String {
    let material = format!("{member} {entry}");
    let check = blake3::derive_key("dengmi points cursor v1", material.as_bytes());
    format!("{entry:016x}{}", hex(&check[..8]))
}

fn before(member: MemberId, text: &str) -> Option<u64> {
    let entry = u64::from_str_radix(text.get(..16)?, 16).ok()?;
    (cursor(member, entry) == text).then_some(entry)
}

#[utoipa::path(
    get, path = "/v1/members/{id}/points", operation_id = "listPoints", tag = "points",
    summary = "Explain a member's points",
    params(("id" = String, Path, example = "m1-42"), Query),
    responses((status = 200, description = "A page of movements.", body = Page)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(member): Param<MemberId>,
    Asked(query): Asked<Query>,
) -> Answer<Page> {
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=100).contains(&limit) {
        return Err(Problem::bad_request("`limit` is from 1 to 100"));
    }
    let before = match &query.cursor {
        None => None,
        Some(text) => Some(before(member, text).ok_or_else(|| {
            Problem::bad_request("this cursor is not of this list; start again without one")
        })?),
    };
    let card = app.backend.member(member).ok_or_else(Problem::not_found)?;
    // One more than asked for tells whether there is a next page.
    let mut found = app.backend.entries_of(member, before, limit + 1, call.language).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|view| view.entry.id).filter(|_| more);
    Ok(Reply::ok(Page {
        balance: card.balance,
        entries: found.into_iter().map(Entry::new).collect(),
        next_cursor: last.map(|entry| cursor(member, entry)),
    }))
}

#[cfg(test)]
mod tests {
    use dengmi_core::BranchId;

    use super::*;

    #[test]
    fn cursors_are_bound_to_their_list() {
        let (mine, other) = (MemberId::new(BranchId(1), 1), MemberId::new(BranchId(1), 2));
        let text = cursor(mine, 77);
        assert_eq!(before(mine, &text), Some(77));
        assert_eq!(before(other, &text), None);
        for bad in
            ["", "77", "zz", &text[1..], &text.to_uppercase(), "１２３４５６７８９０１２３４５６"]
        {
            if bad != text {
                assert_eq!(before(mine, bad), None, "{bad}");
            }
        }
    }
}
