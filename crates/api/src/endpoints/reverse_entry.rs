//! `POST /v1/entries/{branch}/{id}/reversal`: takes back an award.

use axum::extract::State;
use dengmi_core::{Action, BranchId, EntryKind, Receipt, Reject};

use super::redeem::Booked;
use crate::app::App;
use crate::backend::Backend;
use crate::extract::{Admitted, Params};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::submit::submit;

#[utoipa::path(
    post, path = "/v1/entries/{branch}/{id}/reversal", operation_id = "reverseEntry", tag = "points",
    summary = "Take back an award",
    description = "Books a compensating entry; nothing is changed or deleted.",
    params(
        ("branch" = String, Path, example = "b1"),
        ("id" = u64, Path, description = "Number of the entry", example = 1204),
    ),
    responses((status = 200, description = "Taken back.", body = Booked)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(branch, id): Params<BranchId, u64>,
) -> Answer<Booked> {
    let entry = app.backend.entry(branch, id).await?.ok_or_else(Problem::not_found)?;
    let Some((member, points)) = entry.member_change().filter(|_| entry.kind == EntryKind::Award)
    else {
        return Err(Reject::NotReversible.into());
    };
    if !reach::member(&*app.backend, call.principal()?, member) {
        return Err(Problem::not_found());
    }
    let action = Action::Reverse { entry: id, member, points, cause: entry.cause };
    let done = submit(&app, &call, branch, action).await?;
    match done.receipt {
        Receipt::Booked { balance } => Ok(Reply::ok(Booked { balance }).replayed(done.replayed)),
        _ => Err(done.unexpected()),
    }
}
