//! `PUT /v1/me/nickname`: a member chooses how they are called.

use axum::extract::State;
use dengmi_core::text::clean_name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Input};
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

/// A nickname.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NicknameInput)]
pub(crate) struct Body {
    /// 1 to 24 visible characters.
    nickname: String,
}

/// The nickname as it is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Nickname)]
pub(crate) struct Kept {
    /// Trimmed and in Unicode normal form.
    nickname: String,
}

#[utoipa::path(
    put, path = "/v1/me/nickname", operation_id = "putNickname", tag = "members",
    summary = "Choose a nickname",
    request_body = Body,
    responses((status = 200, description = "The nickname as it is kept.", body = Kept)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Input(body): Input<Body>,
) -> Answer<Kept> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let nickname =
        clean_name(&body.nickname).map_err(|error| Problem::unprocessable(error.to_string()))?;
    app.backend.set_nickname(member, &nickname).await?;
    Ok(Reply::ok(Kept { nickname }))
}
