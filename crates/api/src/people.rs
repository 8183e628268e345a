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
    let members: Vec<Option<MemberId>> = members.into_iter().map(Some).collect();
    let names = names_in_order(backend, viewer, members.iter().copied());
    members.into_iter().zip(names).filter_map(|(member, name)| member.zip(name)).collect()
}

/// The same, one for each of `members`, in their order; all of one branch.
pub(crate) fn names_in_order<B: Backend>(
    backend: &B,
    viewer: Option<MemberId>,
    members: impl IntoIterator<Item = Option<MemberId>>,
) -> Vec<Option<Arc<str>>> {
    let mut members: Vec<Option<MemberId>> = members.into_iter().collect();
    let Some(branch) = members.iter().flatten().next().map(|member| member.branch) else {
        return vec![None; members.len()];
    };
    let shown = backend.shown_in(branch);
    for place in &mut members {
        *place = place.filter(|&member| viewer == Some(member) || shown(member));
    }
    if members.iter().all(Option::is_none) {
        return vec![None; members.len()];
    }
    backend.names(&members)
}
