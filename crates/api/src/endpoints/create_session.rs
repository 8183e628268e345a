//! `POST /v1/sessions`: a customer opens the link they were sent. A newcomer joins the group, a
//! member is signed in.

use axum::extract::State;
use dengmi_core::command::ConsentPurpose;
use dengmi_core::text::clean_name;
use dengmi_core::view::MemberStatus;
use dengmi_core::{Action, Actor, CommunityId, MemberId, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, Invite, InviteError, InviteTarget, SessionSubject};
use crate::extract::{Admitted, Call, Input};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::submit::{further_key, submit_as};
use crate::wire::At;

/// Version of the consent text that joining agrees to.
const CONSENT_VERSION: u16 = 1;

/// The invite, and what a newcomer says about themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SessionInput)]
pub(crate) struct Body {
    /// The invite.
    invite: String,
    /// The newcomer's nickname, 1 to 24 characters; optional for a member.
    nickname: Option<String>,
    /// Whether the newcomer agrees to take part; must be true to join.
    #[serde(default)]
    consent: bool,
}

/// An open session.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberSession)]
pub(crate) struct Opened {
    /// Send it as `Authorization: Bearer <token>`. Said once.
    token: String,
    /// When the session ends at the latest.
    expires: At,
    /// The member.
    #[schema(value_type = String, example = "m1-42")]
    member: MemberId,
    /// Whether they just joined.
    joined: bool,
}

#[utoipa::path(
    post, path = "/v1/sessions", operation_id = "createSession", tag = "sign-in",
    summary = "Join or sign in with an invite",
    description = "A repeat under the same idempotency key joins nobody twice, but opens a new \
                   session: tokens are not kept, so an earlier one cannot be said again.",
    request_body = Body,
    responses(
        (status = 201, description = "An open session.", body = Opened),
        (status = 410, description = "The invite has expired or was used.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Opened> {
    let name = match &body.nickname {
        Some(name) => {
            Some(clean_name(name).map_err(|error| Problem::unprocessable(error.to_string()))?)
        }
        None => None,
    };
    if let Some(requests) = &app.requests {
        requests.take(&invite_number(blake3::hash(body.invite.as_bytes()).as_bytes()))?;
    }
    let invite = app.backend.redeem_invite(&body.invite, call.key).await??;
    let (member, joined, replayed) = match invite.target {
        InviteTarget::Member(member) => {
            let card = app.backend.member(member);
            if card.is_none_or(|card| card.status == MemberStatus::Erased) {
                return Err(InviteError::Invalid.into());
            }
            (member, false, false)
        }
        InviteTarget::Community(group) => {
            if name.is_none() {
                return Err(Problem::unprocessable("a newcomer needs a `nickname`"));
            }
            if !body.consent {
                return Err(Problem::unprocessable(
                    "joining needs `consent: true`: the customer agrees to take part",
                ));
            }
            let (member, replayed) = join(&app, &call, invite, group).await?;
            (member, true, replayed)
        }
    };
    if let Some(name) = &name {
        app.backend.set_nickname(member, name).await?;
    }
    let session = app.backend.create_session(SessionSubject::Member(member)).await?;
    let opened = Opened { token: session.token, expires: At(session.expires), member, joined };
    Ok(Reply::created(opened).replayed(replayed))
}

/// A number for an invite. The top bits keep it apart from members and operators.
fn invite_number(bytes: &[u8]) -> u64 {
    let low = bytes.iter().take(7).fold(0, |number, &byte| number << 8 | u64::from(byte));
    (3 << 56) | low
}

/// Joins and records consent, each under a key of its own so that a repeat repeats both.
async fn join<B: Backend>(
    app: &App<B>,
    call: &Call,
    invite: Invite,
    community: CommunityId,
) -> Result<(MemberId, bool), Problem> {
    // The newcomer has no number yet: the invite stands for them.
    let principal = invite_number(&invite.number.to_le_bytes());
    let branch = community.branch;
    let action = Action::Join { community };
    let done = submit_as(app, call, branch, principal, call.key, Actor::System, action).await?;
    let Receipt::Member(member) = done.receipt else { return Err(done.unexpected()) };
    let consent = Action::Consent {
        member,
        purpose: ConsentPurpose::Activities,
        version: CONSENT_VERSION,
        given: true,
    };
    let key = further_key(call.key, 1);
    submit_as(app, call, branch, principal, key, Actor::Member(member), consent).await?;
    Ok((member, done.replayed))
}
