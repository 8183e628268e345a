//! `POST /v1/operator-sessions`: an operator signs in with a password.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, SessionSubject};
use crate::extract::Input;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};
use crate::wire::At;

/// Login and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OperatorSessionInput)]
pub(crate) struct Body {
    /// The login, at most 64 bytes.
    login: String,
    /// The password, at most 256 bytes.
    #[schema(format = Password)]
    password: String,
}

/// An open session.
#[derive(Serialize, ToSchema)]
#[schema(as = OperatorSession)]
pub(crate) struct Opened {
    /// Send it as `Authorization: Bearer <token>`. Said once.
    token: String,
    /// When the session ends at the latest.
    expires: At,
    /// Number of the account.
    account: u32,
}

#[utoipa::path(
    post, path = "/v1/operator-sessions", operation_id = "createOperatorSession", tag = "sign-in",
    summary = "Sign in as an operator",
    request_body = Body,
    responses(
        (status = 201, description = "An open session.", body = Opened),
        (status = 401, description = "Login or password is wrong.", body = Problem),
        (status = 429, description = "Too many attempts at this login.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    Input(body): Input<Body>,
) -> Answer<Opened> {
    let wrong = || {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "wrong-login",
            "账号或密码不对",
            "login or password is wrong; check both, or ask the head office for a new password",
        )
    };
    // Hashing a password takes time in its length; nobody's is that long.
    if body.login.len() > 64 || body.password.len() > 256 {
        return Err(wrong());
    }
    // The limiter keeps a hash: what people mistype into a login field is often a password.
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(body.login.as_bytes()).as_bytes()[..16]);
    app.logins.take(&key)?;
    let slot = app.login_slots.acquire().await.map_err(|_| Problem::unavailable())?;
    let account = app.backend.login(&body.login, &body.password).await?.ok_or_else(wrong)?;
    drop(slot);
    let session = app.backend.create_session(SessionSubject::Operator(account)).await?;
    Ok(Reply::created(Opened { token: session.token, expires: At(session.expires), account }))
}
