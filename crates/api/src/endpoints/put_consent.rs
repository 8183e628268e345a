//! `PUT /v1/me/consents/{purpose}`: a member gives or withdraws a consent.

use std::str::FromStr;

use axum::extract::State;
use dengmi_core::Action;
use dengmi_core::command::ConsentPurpose;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input, Param};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

/// Given, or withdrawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsentInput)]
pub(crate) struct Body {
    /// Given, or withdrawn.
    given: bool,
    /// Version of the text that was read.
    version: u16,
}

/// A purpose as addresses name it.
pub(crate) struct Purpose(ConsentPurpose);

impl FromStr for Purpose {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "activities" => Ok(Self(ConsentPurpose::Activities)),
            "public-name" => Ok(Self(ConsentPurpose::PublicName)),
            "personalisation" => Ok(Self(ConsentPurpose::Personalisation)),
            "marketing" => Ok(Self(ConsentPurpose::Marketing)),
            _ => Err(()),
        }
    }
}

#[utoipa::path(
    put, path = "/v1/me/consents/{purpose}", operation_id = "putConsent", tag = "members",
    summary = "Give or withdraw consent",
    params(("purpose" = String, Path,
        description = "`activities`, `public-name`, `personalisation` or `marketing`",
        example = "public-name")),
    request_body = Body,
    responses((status = 204, description = "Recorded.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(Purpose(purpose)): Param<Purpose>,
    Input(body): Input<Body>,
) -> Answer<()> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let Body { given, version } = body;
    let action = Action::Consent { member, purpose, version, given };
    let done = submit(&app, &call, member.branch, action).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
