//! Names of people. Every name that leaves goes through here.

use std::collections::HashMap;
use std::sync::Arc;

use dengmi_core::MemberId;

use crate::backend::Backend;

/// Nicknames that `viewer` (a member, or an operator when `None`) may read: their own, and those
/// of members who agreed to be shown.
pub(crate) fn names<B: Backend>(
    backend: &B,
    viewer: Option<MemberId>,
    members: impl IntoIterator<Item = MemberId>,
) -> HashMap<MemberId, Arc<str>> {
    let mut members = members.into_iter().peekable();
    let Some(first) = members.peek() else { return HashMap::new() };
    let shown = backend.shown_in(first.branch);
    let readable: Vec<MemberId> =
        members.filter(|&member| viewer == Some(member) || shown(member)).collect();
    if readable.is_empty() { HashMap::new() } else { backend.names(&readable) }
}
