//! `DELETE /v1/members/{id}`: erases a member's personal data.

use axum::extract::State;
use dengmi_core::{Action, MemberId};

use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Param};
use crate::reply::{Answer, Reply};
use crate::submit::submit;

#[utoipa::path(
    delete, path = "/v1/members/{id}", operation_id = "eraseMember", tag = "members",
    summary = "Erase a member's personal data",
    description = "Nickname, words and sessions are deleted; the ledger keeps its numbers. A repeat \
                   under the same idempotency key finishes what a crash interrupted.",
    params(("id" = String, Path, example = "m1-42")),
    responses((status = 204, description = "Erased.")),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(member): Param<MemberId>,
) -> Answer<()> {
    let done = submit(&app, &call, member.branch, Action::Erase { member }).await?;
    app.backend.forget(member).await?;
    Ok(Reply::empty().replayed(done.replayed))
}
