//! Sessions: opaque random tokens, of which only a hash is kept.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use dengmi_api::Principal;
use dengmi_api::backend::{NewSession, SessionSubject, Unavailable};
use dengmi_core::{BranchId, MemberId, Timestamp};
use dengmi_store::{Directory, SessionRow};

use super::accounts::Account;
use super::unavailable;

/// A member stays signed in for 30 days, ...
const MEMBER_MS: i64 = 30 * 24 * 3_600_000;
/// ... an operator for a working day.
const OPERATOR_MS: i64 = 12 * 3_600_000;

/// Sessions kept in memory; beyond it they are read from the store again.
const KEPT_MAX: usize = 200_000;

/// Sessions in use, by the hash of their token.
#[derive(Default)]
pub(super) struct Sessions(RwLock<HashMap<[u8; 32], Known>>);

#[derive(Clone)]
struct Known {
    subject: SessionSubject,
    /// Accounts change only while no server runs: the store has one owner.
    principal: Principal,
    expires: Timestamp,
}

fn hash(token: &str) -> [u8; 32] {
    blake3::derive_key("dengmi session token v1", token.as_bytes())
}

/// Whose session, for the store.
fn subject_bytes(subject: SessionSubject) -> Vec<u8> {
    match subject {
        SessionSubject::Member(member) => {
            [b"m".as_slice(), &member.branch.0.to_be_bytes(), &member.seq.to_be_bytes()].concat()
        }
        SessionSubject::Operator(account) => [b"o".as_slice(), &account.to_be_bytes()].concat(),
    }
}

fn subject_of(bytes: &[u8]) -> Option<SessionSubject> {
    match bytes {
        [b'm', b0, b1, s0, s1, s2, s3] => {
            let branch = BranchId(u16::from_be_bytes([*b0, *b1]));
            let seq = u32::from_be_bytes([*s0, *s1, *s2, *s3]);
            Some(SessionSubject::Member(MemberId::new(branch, seq)))
        }
        [b'o', a0, a1, a2, a3] => {
            Some(SessionSubject::Operator(u32::from_be_bytes([*a0, *a1, *a2, *a3])))
        }
        _ => None,
    }
}

/// 256 random bits in hexadecimal digits.
fn new_token() -> Result<String, Unavailable> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| Unavailable)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Sessions {
    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<[u8; 32], Known>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn create(
        &self,
        directory: &impl Directory,
        subject: SessionSubject,
        now: Timestamp,
    ) -> Result<NewSession, Unavailable> {
        let token = new_token()?;
        let expires = now.plus_ms(match subject {
            SessionSubject::Member(_) => MEMBER_MS,
            SessionSubject::Operator(_) => OPERATOR_MS,
        });
        let row = SessionRow {
            token_hash: hash(&token),
            principal: subject_bytes(subject),
            created: now,
            expires,
            last_seen: now,
        };
        directory.insert_session(row).await.map_err(unavailable)?;
        Ok(NewSession { token, expires })
    }

    pub(super) async fn find(
        &self,
        directory: &impl Directory,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Principal>, Unavailable> {
        let hash = hash(token);
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(known) = known {
            return Ok((now < known.expires).then_some(known.principal));
        }
        let row = directory.session(hash).await.map_err(unavailable)?;
        let Some(row) = row.filter(|row| now < row.expires) else { return Ok(None) };
        let Some(subject) = subject_of(&row.principal) else { return Ok(None) };
        let principal = match subject {
            SessionSubject::Member(member) => Some(Principal::Member { member }),
            SessionSubject::Operator(account) => {
                let row = directory.account(account).await.map_err(unavailable)?;
                row.as_ref().and_then(Account::principal)
            }
        };
        let Some(principal) = principal else { return Ok(None) };
        let mut sessions = self.write();
        if sessions.len() >= KEPT_MAX {
            sessions.clear();
        }
        let known = Known { subject, principal: principal.clone(), expires: row.expires };
        sessions.insert(hash, known);
        Ok(Some(principal))
    }

    pub(super) async fn delete(
        &self,
        directory: &impl Directory,
        token: &str,
    ) -> Result<(), Unavailable> {
        let hash = hash(token);
        directory.delete_session(hash).await.map_err(unavailable)?;
        self.write().remove(&hash);
        Ok(())
    }

    pub(super) async fn delete_all(
        &self,
        directory: &impl Directory,
        subject: SessionSubject,
    ) -> Result<(), Unavailable> {
        directory.delete_sessions_of(&subject_bytes(subject)).await.map_err(unavailable)?;
        self.write().retain(|_, known| known.subject != subject);
        Ok(())
    }

    /// Forgets sessions whose time is over.
    pub(super) fn sweep(&self, now: Timestamp) {
        self.write().retain(|_, known| now < known.expires);
    }
}

#[cfg(test)]
mod tests {
    use dengmi_store::MemoryStore;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[tokio::test]
    async fn a_session_lives_until_it_is_ended_or_its_time_is_over() {
        let (store, sessions) = (MemoryStore::new(), Sessions::default());
        let member = MemberId::new(BranchId(1), 42);
        let subject = SessionSubject::Member(member);
        let first = sessions.create(&store, subject, NOW).await.unwrap();
        let second = sessions.create(&store, subject, NOW).await.unwrap();
        assert_eq!(first.token.len(), 64);
        let found = |token: String, at: Timestamp| {
            let (sessions, store) = (&sessions, &store);
            async move { sessions.find(store, &token, at).await.unwrap().is_some() }
        };
        assert!(found(first.token.clone(), NOW).await);
        assert!(!found(first.token.replace(&first.token[..1], "g"), NOW).await);
        assert!(!found(first.token.clone(), first.expires).await);
        // The row is there, but the kept copy is gone: the store is asked.
        sessions.write().clear();
        assert!(found(first.token.clone(), NOW).await);
        sessions.delete(&store, &first.token).await.unwrap();
        assert!(!found(first.token, NOW).await);
        assert!(found(second.token.clone(), NOW).await);
        sessions.delete_all(&store, subject).await.unwrap();
        assert!(!found(second.token, NOW).await);
    }

    #[test]
    fn subjects_survive_the_store() {
        for subject in [
            SessionSubject::Member(MemberId::new(BranchId(513), 0x0102_0304)),
            SessionSubject::Operator(7),
        ] {
            assert_eq!(subject_of(&subject_bytes(subject)), Some(subject));
        }
        assert_eq!(subject_of(b"m123"), None);
    }
}
