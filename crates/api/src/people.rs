//! Names of people. Every name that leaves goes through here.

use std::collections::HashMap;
use std::sync::Arc;

use dengmi_core::MemberId;

use crate::backend::Backend;

/// Nicknames that `viewer` (a member, or an operator when `None`) may read: their own, and those
/// of members who agreed to be shown; all of one branch.
pub(crate) fn names<B: Backend>(
    backend: &B,
    viewer: Option<MemberId>,
    members: impl IntoIterator<Item = MemberId>,
) -> HashMap<MemberId, Arc<str>> {
    let mut members = members.into_iter().peekable();
    let Some(first) = members.peek() else { return HashMap::new() };
    let shown = backend.shown_in(first.branch);
    let readable = members.filter(|&member| viewer == Some(member) || shown(member));
    let readable: Vec<Option<MemberId>> = readable.map(Some).collect();
    let names = backend.names(&readable);
    readable.into_iter().zip(names).filter_map(|(member, name)| member.zip(name)).collect()
}
