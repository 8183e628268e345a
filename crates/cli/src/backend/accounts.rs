//! Operator accounts: what their stored words mean, and their passwords.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use dengmi_api::backend::Unavailable;
use dengmi_api::{Principal, Role, Scope};
use dengmi_core::{BranchId, ManagerId};
use dengmi_store::{AccountRow, Directory};
use tokio::sync::{OnceCell, Semaphore};

use super::unavailable;

/// Passwords checked at once. Each takes 19 MiB and tens of milliseconds of one core.
const AT_ONCE: usize = 2;

/// What an account may do, as the store keeps it in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// What it may do.
    pub(crate) role: Role,
    /// Where.
    pub(crate) branches: Scope,
    /// Whose account it is, for managers.
    pub(crate) manager: Option<ManagerId>,
}

impl Account {
    /// The words for the store: role and branches.
    pub(crate) fn words(&self) -> (String, String) {
        let role = match (self.role, self.manager) {
            (Role::HeadOffice, _) => "head-office".to_owned(),
            (Role::Branch, _) => "branch".to_owned(),
            (Role::Analyst, _) => "analyst".to_owned(),
            (Role::Manager, Some(manager)) => format!("manager {manager}"),
            (Role::Manager, None) => "manager".to_owned(),
        };
        let branches = match &self.branches {
            Scope::All => "all".to_owned(),
            Scope::Only(branches) => {
                branches.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
        };
        (role, branches)
    }

    /// What the words mean; `None` where they mean nothing, so nobody gets rights by a fault.
    pub(crate) fn from_words(role: &str, branches: &str) -> Option<Self> {
        let (role, manager) = match role.split_once(' ') {
            Some(("manager", manager)) => (Role::Manager, Some(manager.parse().ok()?)),
            Some(_) => return None,
            None => match role {
                "head-office" => (Role::HeadOffice, None),
                "branch" => (Role::Branch, None),
                "analyst" => (Role::Analyst, None),
                _ => return None,
            },
        };
        let branches = match branches {
            "all" => Scope::All,
            list => {
                let ids: Result<Vec<BranchId>, _> =
                    list.split_whitespace().map(str::parse).collect();
                Scope::Only(ids.ok()?)
            }
        };
        Some(Self { role, branches, manager })
    }

    /// The principal of a stored account; `None` where it is disabled or means nothing.
    pub(super) fn principal(row: &AccountRow) -> Option<Principal> {
        let account = Self::from_words(&row.account.role, &row.account.branches);
        if account.is_none() {
            tracing::error!(account = row.id, "role or branches of an account cannot be read");
        }
        let Self { role, branches, manager } = account.filter(|_| !row.disabled)?;
        Some(Principal::Operator { account: row.id, role, branches, manager })
    }
}

/// Hash of a password (Argon2id, 19 MiB, 2 passes), with a salt of its own.
pub(crate) fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Checks passwords, a few at a time.
pub(super) struct Logins {
    room: Arc<Semaphore>,
    /// Checked where there is no such login, so that it takes as long.
    nobody: OnceCell<String>,
}

impl Default for Logins {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), nobody: OnceCell::new() }
    }
}

impl Logins {
    pub(super) async fn verify(
        &self,
        directory: &impl Directory,
        login: &str,
        password: &str,
    ) -> Result<Option<u32>, Unavailable> {
        let nobody = || async { hash_password("").map_err(|_| Unavailable) };
        let nobody = self.nobody.get_or_try_init(nobody).await?;
        let row = directory.account_by_login(login).await.map_err(unavailable)?;
        let good = row.as_ref().is_some_and(|row| Account::principal(row).is_some());
        let hash =
            row.as_ref().map_or_else(|| nobody.clone(), |row| row.account.password_hash.clone());
        let password = password.to_owned();
        // A closed semaphore would mean the process ends.
        let _room = self.room.clone().acquire_owned().await.map_err(|_| Unavailable)?;
        let right = tokio::task::spawn_blocking(move || matches(&password, &hash)).await;
        Ok(row.filter(|_| good && right.unwrap_or(false)).map(|row| row.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(role: &str, branches: &str, good: bool) {
        let account = Account::from_words(role, branches);
        assert_eq!(account.is_some(), good, "{role} / {branches}");
        if let Some(account) = account {
            assert_eq!(account.words(), (role.to_owned(), branches.to_owned()));
        }
    }

    #[test]
    fn words_mean_one_thing_or_nothing() {
        check("head-office", "all", true);
        check("branch", "b1 b7", true);
        check("manager g1-5", "b1", true);
        check("analyst", "all", true);
        for bad in ["", "root", "manager", "manager m1-5", "branch g1-5", "Head-Office"] {
            check(bad, "all", false);
        }
        check("branch", "b1,b2", false);
        check("branch", "1", false);
    }

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let hash = hash_password("灯谜-lantern").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(matches("灯谜-lantern", &hash));
        assert!(!matches("灯谜-lanterN", &hash) && !matches("", &hash));
        assert!(!matches("x", "not a hash"));
    }
}
