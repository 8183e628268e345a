//! `POST /v1/invites`: an operator makes a link by which a customer joins a group or a member
//! signs in.

use axum::extract::State;
use dengmi_core::{CommunityId, MemberId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, InviteTarget};
use crate::extract::{Admitted, Input};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::At;

const HOUR_MS: i64 = 3_600_000;

/// What the invite is for: exactly one of `community` and `member`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InviteInput)]
pub(crate) struct Body {
    /// The group to join.
    #[schema(value_type = Option<String>, example = "c1-3")]
    community: Option<CommunityId>,
    /// The member to sign in.
    #[schema(value_type = Option<String>, example = "m1-42")]
    member: Option<MemberId>,
    /// How long it works, 1 to 720 hours; 168 when missing.
    #[serde(default = "week")]
    #[schema(minimum = 1, maximum = 720)]
    hours: u16,
}

const fn week() -> u16 {
    168
}

/// A signed invite.
#[derive(Serialize, ToSchema)]
#[schema(as = Invite)]
pub(crate) struct Made {
    /// The invite, to be put into a link. It is a secret of whoever it is sent to.
    invite: String,
    /// When it stops working.
    expires: At,
}

#[utoipa::path(
    post, path = "/v1/invites", operation_id = "createInvite", tag = "sign-in",
    summary = "Make an invite",
    request_body = Body,
    responses((status = 201, description = "A signed invite.", body = Made)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Made> {
    let backend = &*app.backend;
    let (target, reached) = match (body.community, body.member) {
        (Some(group), None) => {
            (InviteTarget::Community(group), reach::community(backend, call.principal()?, group))
        }
        (None, Some(member)) => {
            (InviteTarget::Member(member), reach::member(backend, call.principal()?, member))
        }
        _ => return Err(Problem::unprocessable("name exactly one of `community` and `member`")),
    };
    if !reached {
        return Err(Problem::not_found());
    }
    if !(1..=720).contains(&body.hours) {
        return Err(Problem::unprocessable("`hours` is from 1 to 720"));
    }
    let expires = backend.now().plus_ms(i64::from(body.hours) * HOUR_MS);
    let invite = backend.issue_invite(target, expires).await?;
    Ok(Reply::created(Made { invite, expires: At(expires) }))
}
