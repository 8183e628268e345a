//! Nicknames, in memory beside the table of profiles.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use dengmi_api::backend::Unavailable;
use dengmi_core::{BranchId, MemberId, Timestamp};
use dengmi_host::Host;
use dengmi_store::{Directory, Profile, Store, StoreError};

use super::unavailable;

/// Profiles read at once.
const PAGE: usize = 500;

/// Nicknames by branch and number of the member.
type Table = BTreeMap<BranchId, Vec<Option<Arc<str>>>>;

fn set(names: &mut Table, member: MemberId, name: Option<String>) {
    let names = names.entry(member.branch).or_default();
    let at = member.seq as usize;
    if at >= names.len() {
        names.resize(at + 1, None);
    }
    names[at] = name.map(Into::into);
}

/// Nicknames by member.
#[derive(Default)]
pub(super) struct Names {
    names: RwLock<Table>,
    version: AtomicU64,
    /// One change at a time, so that memory and table change in the same order.
    changing: tokio::sync::Mutex<()>,
}

impl Names {
    /// Reads the nicknames of every member of every branch.
    pub(super) async fn load<S: Store>(host: &Host<S>, store: &S) -> Result<Self, StoreError> {
        let mut names = Table::new();
        for branch in host.branches() {
            let members = host.views(branch).map_or(0, |views| views.published().members());
            let ids: Vec<MemberId> = (1..=members).map(|seq| MemberId::new(branch, seq)).collect();
            for page in ids.chunks(PAGE) {
                for Profile { member, nickname, .. } in store.profiles(page).await? {
                    set(&mut names, member, nickname);
                }
            }
        }
        Ok(Self { names: RwLock::new(names), ..Self::default() })
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The nickname of each, in their order.
    pub(super) fn of(&self, members: &[Option<MemberId>]) -> Vec<Option<Arc<str>>> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let name = |id: MemberId| names.get(&id.branch)?.get(id.seq as usize)?.clone();
        members.iter().map(|id| id.and_then(name)).collect()
    }

    pub(super) async fn set(
        &self,
        directory: &impl Directory,
        member: MemberId,
        nickname: &str,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let _changing = self.changing.lock().await;
        let known = directory.profile(member).await.map_err(unavailable)?;
        let (avatar, channel_id) = known.map_or((None, None), |one| (one.avatar, one.channel_id));
        let nickname = Some(nickname.to_owned());
        let profile =
            Profile { member, nickname: nickname.clone(), avatar, channel_id, updated: now };
        directory.put_profile(profile).await.map_err(unavailable)?;
        self.change(member, nickname);
        Ok(())
    }

    pub(super) async fn forget(
        &self,
        directory: &impl Directory,
        member: MemberId,
    ) -> Result<(), Unavailable> {
        let _changing = self.changing.lock().await;
        directory.erase_profile(member).await.map_err(unavailable)?;
        self.change(member, None);
        Ok(())
    }

    fn change(&self, member: MemberId, name: Option<String>) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        set(&mut names, member, name);
        drop(names);
        self.version.fetch_add(1, Ordering::Release);
    }
}
