//! `POST /v1/cohorts/{id}/invitation`: a graduate accepts or declines.

use axum::extract::State;
use dengmi_core::course::{CourseAction, CourseReceipt};
use dengmi_core::{Action, CohortId, CommunityId, Receipt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::submit::{Done, submit};
use crate::wire::At;

/// The answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationAnswer)]
pub(crate) struct Body {
    /// Accepted, or declined.
    accept: bool,
}

/// An invitation to a long-term group.
#[derive(Serialize, ToSchema)]
#[schema(as = StandingInvitation)]
pub(crate) struct Invitation {
    /// Where to.
    #[schema(value_type = String, example = "c1-7")]
    to: CommunityId,
    /// Until when.
    until: At,
}

impl Invitation {
    /// The answer to a command about an invitation.
    pub(super) fn of(done: &Done) -> Answer<Self> {
        match done.receipt {
            Receipt::Course(CourseReceipt::Invitation { to, until }) => {
                Ok(Reply::ok(Self { to, until: At(until) }).replayed(done.replayed))
            }
            _ => Err(done.unexpected()),
        }
    }
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/invitation", operation_id = "answerInvitation", tag = "courses",
    summary = "Accept or decline an invitation",
    description = "Who accepted may still decline until they arrive. Nobody is moved by this: the \
                   channel reports the arrival.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 200, description = "The invitation.", body = Invitation),
        (status = 409, description = "No invitation stands.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { accept }): Input<Body>,
) -> Answer<Invitation> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let action = Action::Course(CourseAction::AnswerInvitation { member, cohort, accept });
    Invitation::of(&submit(&app, &call, cohort.branch, action).await?)
}
