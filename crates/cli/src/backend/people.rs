//! Nicknames, in memory beside the one table that holds personal data.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use dengmi_api::backend::Unavailable;
use dengmi_core::{MemberId, Timestamp};
use dengmi_host::Host;
use dengmi_store::{Directory, Profile, Store, StoreError};

use super::unavailable;

/// Profiles read at once.
const PAGE: usize = 500;

/// Nicknames by member.
#[derive(Default)]
pub(super) struct Names {
    names: RwLock<HashMap<MemberId, Arc<str>>>,
    version: AtomicU64,
    /// One change at a time, so that memory and table change in the same order.
    changing: tokio::sync::Mutex<()>,
}

impl Names {
    /// Reads the nicknames of every member of every branch.
    pub(super) async fn load<S: Store>(host: &Host<S>, store: &S) -> Result<Self, StoreError> {
        let mut names = HashMap::new();
        for branch in host.branches() {
            let members = host.views(branch).map_or(0, |views| views.published().members());
            let ids: Vec<MemberId> = (1..=members).map(|seq| MemberId::new(branch, seq)).collect();
            for page in ids.chunks(PAGE) {
                let profiles = store.profiles(page).await?.into_iter();
                names.extend(profiles.filter_map(|one| Some((one.member, one.nickname?.into()))));
            }
        }
        Ok(Self { names: RwLock::new(names), ..Self::default() })
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    pub(super) fn of(&self, members: &[MemberId]) -> HashMap<MemberId, Arc<str>> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        members.iter().filter_map(|id| Some((*id, names.get(id)?.clone()))).collect()
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
        match name {
            Some(name) => names.insert(member, name.into()),
            None => names.remove(&member),
        };
        drop(names);
        self.version.fetch_add(1, Ordering::Release);
    }
}
