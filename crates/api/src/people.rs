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
    let readable: Vec<MemberId> = members
        .into_iter()
        .filter(|&member| viewer == Some(member) || backend.shown(member))
        .collect();
    if readable.is_empty() { HashMap::new() } else { backend.names(&readable) }
}
