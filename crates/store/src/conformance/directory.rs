//! Profiles, sessions and accounts.

use dengmi_core::text::FoldedHash;
use dengmi_core::{BranchId, MemberId, Timestamp};

use super::fixture::{B, member, meta};
use super::{Subject, for_every_store};
use crate::{Directory, Journal, NewAccount, Profile, SessionRow, StoreError, Words};

for_every_store! {
    a_profile_is_kept_replaced_and_erased;
    many_profiles_are_read_at_once;
    a_channel_id_belongs_to_one_member;
    words_are_kept_by_hash_and_erased_together;
    sessions_end;
    accounts_are_numbered_and_never_lost;
}

fn profile(of: MemberId, channel: Option<&str>) -> Profile {
    Profile {
        member: of,
        nickname: Some(format!("灯谜 {of}")),
        avatar: None,
        channel_id: channel.map(str::to_owned),
        updated: Timestamp(5),
    }
}

async fn a_profile_is_kept_replaced_and_erased(subject: impl Subject) {
    let store = subject.store();
    let first = profile(member(1), Some("wx-1"));
    assert_eq!(store.put_profile(first.clone()).await, Err(StoreError::UnknownBranch(B)));
    store.create_branch(meta()).await.unwrap();
    assert_eq!(store.profile(member(1)).await.unwrap(), None);
    store.put_profile(first.clone()).await.unwrap();
    assert_eq!(store.profile(member(1)).await.unwrap(), Some(first));
    let hostile = "'; DROP TABLE person; --\0\u{202E}";
    let second = Profile { nickname: Some(hostile.to_owned()), ..profile(member(1), Some("wx-2")) };
    store.put_profile(second.clone()).await.unwrap();
    assert_eq!(store.profile_by_channel(B, "wx-1").await.unwrap(), None);
    assert_eq!(store.profile_by_channel(B, "wx-2").await.unwrap(), Some(second));
    assert!(store.erase_profile(member(1)).await.unwrap());
    assert!(!store.erase_profile(member(1)).await.unwrap());
    assert_eq!(store.profile(member(1)).await.unwrap(), None);
    assert_eq!(store.profile_by_channel(B, "wx-2").await.unwrap(), None);
}

async fn many_profiles_are_read_at_once(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    let other = BranchId(1);
    store.create_branch(crate::BranchMeta { branch: other, ..meta() }).await.unwrap();
    for seq in 1..=80 {
        store.put_profile(profile(member(seq), None)).await.unwrap();
    }
    let elsewhere = profile(MemberId::new(other, 7), None);
    store.put_profile(elsewhere.clone()).await.unwrap();
    let mut asked: Vec<MemberId> = (2..=90).rev().map(member).collect();
    asked.extend([member(5), elsewhere.member, MemberId::new(BranchId(9), 1)]);
    let got = store.profiles(&asked).await.unwrap();
    let expected = std::iter::once(elsewhere).chain((2..=80).map(|seq| profile(member(seq), None)));
    assert!(got.into_iter().eq(expected));
    assert!(store.profiles(&[]).await.unwrap().is_empty());
}

async fn a_channel_id_belongs_to_one_member(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    let other = BranchId(1);
    store.create_branch(crate::BranchMeta { branch: other, ..meta() }).await.unwrap();
    store.put_profile(profile(member(1), Some("wx"))).await.unwrap();
    let refused = store.put_profile(profile(member(2), Some("wx"))).await;
    assert_eq!(refused, Err(StoreError::Taken { what: "channel id" }));
    assert_eq!(store.profile(member(2)).await.unwrap(), None);
    // The same person in another branch, and any number of people without one.
    store.put_profile(profile(MemberId::new(other, 1), Some("wx"))).await.unwrap();
    store.put_profile(profile(member(2), None)).await.unwrap();
    store.put_profile(profile(member(3), None)).await.unwrap();
    assert_eq!(store.profile_by_channel(B, "wx").await.unwrap().unwrap().member, member(1));
}

async fn words_are_kept_by_hash_and_erased_together(subject: impl Subject) {
    let store = subject.store();
    let text = |of: MemberId, hash: u8, words: &str| Words {
        member: of,
        hash: FoldedHash([hash; 16]),
        words: words.to_owned(),
        written: Timestamp(i64::from(hash)),
    };
    let first = text(member(1), 2, "先存应急金。'; DROP TABLE words; --\0");
    assert_eq!(store.put_words(first.clone()).await, Err(StoreError::UnknownBranch(B)));
    store.create_branch(meta()).await.unwrap();
    assert!(store.put_words(first.clone()).await.unwrap());
    // Another spelling of the same words takes their place.
    let again = Words { words: "先存应急金！".to_owned(), ..first.clone() };
    assert!(!store.put_words(again.clone()).await.unwrap());
    let other = text(member(1), 1, "不追涨");
    assert!(store.put_words(other.clone()).await.unwrap());
    let neighbour = text(member(2), 2, "别人的");
    assert!(store.put_words(neighbour.clone()).await.unwrap());
    assert_eq!(store.words_of(member(1)).await.unwrap(), [other.clone(), again]);
    assert!(store.drop_words(member(1), first.hash).await.unwrap());
    assert!(!store.drop_words(member(1), first.hash).await.unwrap());
    assert_eq!(store.words_of(member(1)).await.unwrap(), std::slice::from_ref(&other));
    assert!(!format!("{other:?}").contains(&other.words));
    assert!(store.put_words(first).await.unwrap());
    assert_eq!(store.erase_words(member(1)).await.unwrap(), 2);
    assert_eq!(store.erase_words(member(1)).await.unwrap(), 0);
    assert!(store.words_of(member(1)).await.unwrap().is_empty());
    assert_eq!(store.words_of(member(2)).await.unwrap(), [neighbour]);
}

async fn sessions_end(subject: impl Subject) {
    let store = subject.store();
    let session = |token: u8, principal: &[u8], expires: i64| SessionRow {
        token_hash: [token; 32],
        principal: principal.to_vec(),
        created: Timestamp(1),
        expires: Timestamp(expires),
        last_seen: Timestamp(1),
    };
    for row in [session(1, b"a", 10), session(2, b"a", 20), session(3, b"b", 30)] {
        store.insert_session(row).await.unwrap();
    }
    let taken = store.insert_session(session(1, b"c", 99)).await;
    assert_eq!(taken, Err(StoreError::Taken { what: "session token" }));
    assert_eq!(store.session([1; 32]).await.unwrap(), Some(session(1, b"a", 10)));
    assert!(store.touch_session([3; 32], Timestamp(7)).await.unwrap());
    assert!(!store.touch_session([9; 32], Timestamp(7)).await.unwrap());
    assert_eq!(store.session([3; 32]).await.unwrap().unwrap().last_seen, Timestamp(7));
    assert_eq!(store.delete_expired_sessions(Timestamp(9)).await.unwrap(), 0);
    assert_eq!(store.delete_expired_sessions(Timestamp(10)).await.unwrap(), 1);
    assert_eq!(store.session([1; 32]).await.unwrap(), None);
    assert_eq!(store.delete_sessions_of(b"a").await.unwrap(), 1);
    assert_eq!(store.session([2; 32]).await.unwrap(), None);
    assert!(store.delete_session([3; 32]).await.unwrap());
    assert!(!store.delete_session([3; 32]).await.unwrap());
}

async fn accounts_are_numbered_and_never_lost(subject: impl Subject) {
    let store = subject.store();
    let account = |login: &str| NewAccount {
        login: login.to_owned(),
        password_hash: "$argon2id$secret".to_owned(),
        role: "operator".to_owned(),
        branches: "b1 b2".to_owned(),
        created: Timestamp(3),
    };
    assert_eq!(store.insert_account(account("li")).await.unwrap(), 1);
    assert_eq!(store.insert_account(account("wang")).await.unwrap(), 2);
    let taken = store.insert_account(account("li")).await;
    assert_eq!(taken, Err(StoreError::Taken { what: "login" }));
    let row = store.account_by_login("wang").await.unwrap().unwrap();
    assert_eq!((row.id, row.disabled, &row.account), (2, false, &account("wang")));
    assert!(!format!("{row:?}").contains("secret"));
    assert_eq!(store.account(2).await.unwrap(), Some(row));
    assert_eq!(store.account_by_login("WANG").await.unwrap(), None);
    assert_eq!(store.account(3).await.unwrap(), None);
    store.set_account_disabled(1, true).await.unwrap();
    store.set_password_hash(1, "new".to_owned()).await.unwrap();
    let all = store.accounts().await.unwrap();
    assert_eq!(
        all.iter().map(|row| (row.id, row.disabled)).collect::<Vec<_>>(),
        [(1, true), (2, false)]
    );
    assert_eq!(all[0].account.password_hash, "new");
    let missing = StoreError::Missing { what: "account" };
    assert_eq!(store.set_account_disabled(9, true).await, Err(missing.clone()));
    assert_eq!(store.set_password_hash(9, String::new()).await, Err(missing));
    assert_eq!(store.insert_account(account("zhao")).await.unwrap(), 3);
}
