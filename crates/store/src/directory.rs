//! What is not part of any journal: people's erasable data, sessions and operator accounts.

use std::fmt;
use std::future::Future;

use dengmi_core::text::FoldedHash;
use dengmi_core::{BranchId, MemberId, Timestamp};

use crate::error::StoreError;

/// The personal data of one member. It stands in one place, and nowhere else; what they wrote in
/// courses is in [`Words`].
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub member: MemberId,
    /// Name shown to others.
    pub nickname: Option<String>,
    /// Address or name of a picture.
    pub avatar: Option<String>,
    /// Who they are on the connected channel; unique within the branch.
    pub channel_id: Option<String>,
    /// When it was last changed.
    pub updated: Timestamp,
}

impl fmt::Debug for Profile {
    /// Personal data is not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("member", &self.member).finish_non_exhaustive()
    }
}

/// Something a member wrote, in their own words. The journal knows it by its hash only.
#[derive(Clone, PartialEq, Eq)]
pub struct Words {
    /// Who.
    pub member: MemberId,
    /// The words, folded and hashed: what the journal has of them.
    pub hash: FoldedHash,
    /// The words.
    pub words: String,
    /// When they were written last.
    pub written: Timestamp,
}

impl fmt::Debug for Words {
    /// Personal data is not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("member", &self.member).finish_non_exhaustive()
    }
}

/// A session. The token itself is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Hash of the token.
    pub token_hash: [u8; 32],
    /// Whose it is, in the caller's own encoding.
    pub principal: Vec<u8>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
}

/// An operator account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Number of the account, from 1, never given twice. Journal commands name it.
    pub id: u32,
    /// What the rest of the account is.
    pub account: NewAccount,
    /// May not sign in.
    pub disabled: bool,
}

impl fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRow")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("disabled", &self.disabled)
            .finish()
    }
}

/// An account to be entered.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Name to sign in with; unique.
    pub login: String,
    /// Hash of the password, with salt and parameters.
    pub password_hash: String,
    /// What it may do, in the caller's own words.
    pub role: String,
    /// Where it may do it, in the caller's own words.
    pub branches: String,
    /// When it was entered.
    pub created: Timestamp,
}

impl fmt::Debug for NewAccount {
    /// The password hash is not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount")
            .field("login", &self.login)
            .field("role", &self.role)
            .field("branches", &self.branches)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// People, sessions and accounts. Every method may fail with [`StoreError::Unavailable`] or
/// [`StoreError::Full`]; other errors are named where they occur.
pub trait Directory: Send + Sync + 'static {
    /// Enters or replaces a profile.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where another member of the branch has the channel id;
    /// [`StoreError::UnknownBranch`].
    fn put_profile(&self, profile: Profile) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A member's profile.
    ///
    /// # Errors
    /// None of its own.
    fn profile(
        &self,
        member: MemberId,
    ) -> impl Future<Output = Result<Option<Profile>, StoreError>> + Send;

    /// The profiles of some members, by member id; members without one are left out.
    ///
    /// # Errors
    /// None of its own.
    fn profiles(
        &self,
        members: &[MemberId],
    ) -> impl Future<Output = Result<Vec<Profile>, StoreError>> + Send;

    /// The profile of who has this id on the connected channel.
    ///
    /// # Errors
    /// None of its own.
    fn profile_by_channel(
        &self,
        branch: BranchId,
        channel_id: &str,
    ) -> impl Future<Output = Result<Option<Profile>, StoreError>> + Send;

    /// Erases a profile for good; says whether there was one. The bytes leave the files with the
    /// next [`crate::Journal::checkpoint_when_idle`] that answers `true`.
    ///
    /// # Errors
    /// None of its own.
    fn erase_profile(
        &self,
        member: MemberId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Keeps a member's words under their hash, in place of other spellings of them; says whether
    /// there were none under it.
    ///
    /// # Errors
    /// [`StoreError::UnknownBranch`].
    fn put_words(&self, words: Words) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Everything a member wrote, by hash.
    ///
    /// # Errors
    /// None of its own.
    fn words_of(
        &self,
        member: MemberId,
    ) -> impl Future<Output = Result<Vec<Words>, StoreError>> + Send;

    /// Drops a member's words under one hash; says whether there were any.
    ///
    /// # Errors
    /// None of its own.
    fn drop_words(
        &self,
        member: MemberId,
        hash: FoldedHash,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Erases everything a member wrote, for good; says how many texts it was. The bytes leave the
    /// files as those of a profile do.
    ///
    /// # Errors
    /// None of its own.
    fn erase_words(&self, member: MemberId)
    -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Enters a session.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where the token exists.
    fn insert_session(
        &self,
        session: SessionRow,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A session by the hash of its token, also one that has expired.
    ///
    /// # Errors
    /// None of its own.
    fn session(
        &self,
        token_hash: [u8; 32],
    ) -> impl Future<Output = Result<Option<SessionRow>, StoreError>> + Send;

    /// Notes that a session was used; says whether it exists. Each call is a durable write: note
    /// it once in a while, not at every request.
    ///
    /// # Errors
    /// None of its own.
    fn touch_session(
        &self,
        token_hash: [u8; 32],
        last_seen: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Ends a session; says whether it existed.
    ///
    /// # Errors
    /// None of its own.
    fn delete_session(
        &self,
        token_hash: [u8; 32],
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Ends all sessions that expire at or before `now`; says how many.
    ///
    /// # Errors
    /// None of its own.
    fn delete_expired_sessions(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Ends all sessions of one principal; says how many.
    ///
    /// # Errors
    /// None of its own.
    fn delete_sessions_of(
        &self,
        principal: &[u8],
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Enters an account; gives its number.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where the login is in use.
    fn insert_account(
        &self,
        account: NewAccount,
    ) -> impl Future<Output = Result<u32, StoreError>> + Send;

    /// An account by its login, also a disabled one.
    ///
    /// # Errors
    /// None of its own.
    fn account_by_login(
        &self,
        login: &str,
    ) -> impl Future<Output = Result<Option<AccountRow>, StoreError>> + Send;

    /// An account by its number, also a disabled one.
    ///
    /// # Errors
    /// None of its own.
    fn account(
        &self,
        id: u32,
    ) -> impl Future<Output = Result<Option<AccountRow>, StoreError>> + Send;

    /// All accounts, by number.
    ///
    /// # Errors
    /// None of its own.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountRow>, StoreError>> + Send;

    /// Disables an account, or enables it again. Its sessions are the caller's to end.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    fn set_account_disabled(
        &self,
        id: u32,
        disabled: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Replaces the hash of an account's password.
    ///
    /// # Errors
    /// [`StoreError::Missing`].
    fn set_password_hash(
        &self,
        id: u32,
        password_hash: String,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
