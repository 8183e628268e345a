//! `GET /v1/communities/{id}`: one group; for operators with its members.

use axum::extract::State;
use dengmi_core::{CommunityId, Day, MemberId, Points};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::community::Community;
use crate::extract::{Admitted, Param};
use crate::people;
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};

/// A group and, for operators, who is in it.
#[derive(Serialize, ToSchema)]
#[schema(as = CommunityDetail)]
pub(crate) struct Detail {
    /// The group.
    #[serde(flatten)]
    community: Community,
    /// Its members, in id order; operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<Person>>,
}

/// A member of the group, as operators see them.
#[derive(Serialize, ToSchema)]
#[schema(as = CommunityMember)]
pub(crate) struct Person {
    /// The member.
    #[schema(value_type = String, example = "m1-42")]
    id: MemberId,
    /// Their nickname, where they agreed to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    /// The day they joined.
    #[schema(value_type = String, format = Date)]
    joined: Day,
    /// Whether they agreed to take part.
    consented: bool,
    /// Points they can spend.
    #[schema(value_type = i64)]
    balance: Points,
}

#[utoipa::path(
    get, path = "/v1/communities/{id}", operation_id = "getCommunity", tag = "communities",
    summary = "Read a group",
    params(("id" = String, Path, example = "c1-3")),
    responses((status = 200, description = "The group.", body = Detail)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CommunityId>,
) -> Answer<Detail> {
    let backend = &*app.backend;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_community(&catalog, id).ok_or_else(Problem::not_found)?;
    let people = call.principal()?.role().map(|_| {
        let names = people::names(backend, None, view.members.iter().copied());
        view.members
            .iter()
            .filter_map(|&member| backend.member(member))
            .map(|card| Person {
                id: card.id,
                nickname: names.get(&card.id).map(|name| name.as_ref().to_owned()),
                joined: card.joined,
                consented: card.consented,
                balance: card.balance,
            })
            .collect()
    });
    let community = Community::new(backend, &catalog, view, call.language);
    Ok(Reply::ok(Detail { community, people }))
}
