//! Whom a command is about, where members act for themselves and operators for others.

use dengmi_core::MemberId;

use crate::app::App;
use crate::backend::Backend;
use crate::extract::Call;
use crate::problem::Problem;
use crate::reach;

/// The member a request is about: the caller, or the one an operator names.
pub(crate) fn member<B: Backend>(
    app: &App<B>,
    call: &Call,
    named: Option<MemberId>,
) -> Result<MemberId, Problem> {
    let principal = call.principal()?;
    match (principal.member(), named) {
        (Some(own), None) => Ok(own),
        // Whether the other one exists is not said.
        (Some(own), Some(named)) if own == named => Ok(own),
        (None, Some(named)) if reach::member(&*app.backend, principal, named) => Ok(named),
        (None, None) => Err(Problem::unprocessable("name the `member` it is about")),
        _ => Err(Problem::not_found()),
    }
}

/// Refuses what only operators may say, such as when something happened.
pub(crate) fn operators_only(call: &Call, said: bool, field: &str) -> Result<(), Problem> {
    if said && call.principal()?.member().is_some() {
        return Err(Problem::unprocessable(format!(
            "leave out `{field}`: only operators report it"
        )));
    }
    Ok(())
}
