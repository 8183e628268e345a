//! `DELETE /v1/sessions/current`: signs out.

use axum::extract::State;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::Admitted;
use crate::problem::Problem;
use crate::reply::{Answer, Reply};

#[utoipa::path(
    delete, path = "/v1/sessions/current", operation_id = "deleteSession", tag = "sign-in",
    summary = "Sign out",
    responses((status = 204, description = "The session is over.")),
)]
pub(crate) async fn handler<B: Backend>(State(app): State<App<B>>, call: Admitted) -> Answer<()> {
    let token = call.token.as_ref().ok_or_else(Problem::unauthenticated)?;
    app.backend.delete_session(token).await?;
    Ok(Reply::empty())
}
