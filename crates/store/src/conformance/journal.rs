//! Appending, reading back, damage and recovery.

use dengmi_core::{BranchId, Digest, Timestamp};

use super::fixture::{B, at, award, batch, board, commit, event, history, meta};
use super::{Subject, for_every_store};
use crate::{BranchMeta, Commit, Journal, Record, StoreError, verify};

for_every_store! {
    a_branch_is_created_once;
    what_is_appended_is_read;
    a_group_is_stored_whole_or_not_at_all;
    a_batch_must_follow_the_last;
    a_commit_must_agree_with_itself;
    pages_follow_each_other;
    records_are_found_by_time;
    a_torn_last_record_is_cut;
    damage_in_the_middle_names_the_record;
    no_flipped_bit_goes_unnoticed;
    packs_are_kept;
    branches_do_not_see_each_other;
    a_changed_ledger_entry_is_noticed;
}

async fn with_history<S: Subject>(subject: &S, len: u64) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(len)).await.unwrap();
}

async fn a_branch_is_created_once(subject: impl Subject) {
    let store = subject.store();
    let unknown = Err(StoreError::UnknownBranch(B));
    assert_eq!(store.head(B).await, unknown);
    assert_eq!(store.append(B, vec![commit(1)]).await, unknown);
    assert!(store.read(B, 0, 1).await.is_err() && store.recover(B).await.is_err());
    assert!(store.entries_after(B, 0, 1).await.is_err() && store.sums(B).await.is_err());
    assert!(store.branches().await.unwrap().is_empty());

    store.create_branch(meta()).await.unwrap();
    store.create_branch(meta()).await.unwrap();
    let other = BranchMeta { branches: 5, ..meta() };
    assert_eq!(store.create_branch(other).await, Err(StoreError::BranchExists(B)));
    let low = BranchMeta { branch: BranchId(0), ..meta() };
    store.create_branch(low).await.unwrap();
    assert_eq!(store.branches().await.unwrap(), [low, meta()]);

    let head = store.head(B).await.unwrap();
    assert_eq!((head.seq, head.entry, head.event, head.hash), (0, 0, 0, meta().genesis()));
    assert_eq!(store.append(B, vec![]).await.unwrap(), head);
    assert_eq!(store.recover(B).await.unwrap().head, head);
}

async fn what_is_appended_is_read(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    // Enough for statements of every size.
    let commits = history(600);
    let head = store.append(B, commits.clone()).await.unwrap();
    assert_eq!((head.seq, head.at, head.entry, head.event), (600, at(600), 1_200, 600));
    assert_eq!(store.head(B).await.unwrap(), head);
    let page = store.read(B, 0, 1_000).await.unwrap();
    assert_eq!((page.after, page.cut), (meta().genesis(), None));
    assert_eq!(page.records.last().unwrap().hash, head.hash);
    let batches: Vec<_> = page.records.iter().map(|r| r.decode().unwrap().0).collect();
    assert!(batches.iter().eq(commits.iter().map(|commit| &commit.batch)));
    let ledger = store.entries_after(B, 0, 5_000).await.unwrap();
    assert!(ledger.iter().eq(commits.iter().flat_map(|commit| &commit.ledger)));
    let events = store.events_after(B, 0, 5_000).await.unwrap();
    assert!(events.iter().eq(commits.iter().flat_map(|commit| &commit.events)));
    let boards = store.closed_boards(B, 5_000).await.unwrap();
    assert!(boards.iter().rev().eq(commits.iter().flat_map(|commit| &commit.closed_boards)));
    assert_eq!(store.closed_board(B, board(3).key).await.unwrap(), Some(board(3)));
    assert_eq!(store.closed_board(B, board(4).key).await.unwrap(), None);
    let report = verify(store, B).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.records, report.entries, report.events), (600, 1_200, 600));
    assert_eq!(report.sums, store.sums(B).await.unwrap());
}

async fn a_group_is_stored_whole_or_not_at_all(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    let before = store.append(B, history(3)).await.unwrap();
    let fourth = Commit { ledger: vec![award(7, 1, 4, 1)], events: vec![event(4)], ..commit(4) };
    for second in [
        commit(6),
        Commit { ledger: vec![award(9, 1, 5, 1)], ..commit(5) },
        Commit { ledger: vec![award(8, 1, 3, 1)], ..commit(5) },
        Commit { ledger: vec![award(8, 1, 4, 1)], ..commit(5) },
        Commit { closed_boards: vec![board(3)], ..commit(5) },
    ] {
        let refused = store.append(B, vec![fourth.clone(), second]).await;
        assert!(
            matches!(
                refused,
                Err(StoreError::Conflict { .. }
                    | StoreError::Invalid { .. }
                    | StoreError::DoubleGrant { .. })
            ),
            "{refused:?}"
        );
        assert_eq!(store.head(B).await.unwrap(), before);
        assert!(store.entries_after(B, 6, 9).await.unwrap().is_empty());
        assert!(store.events_after(B, 3, 9).await.unwrap().is_empty());
        assert_eq!(store.closed_boards(B, 9).await.unwrap().len(), 1);
    }
    assert_eq!(store.append(B, vec![fourth, commit(5)]).await.unwrap().seq, 5);
    assert!(verify(store, B).await.unwrap().is_sound());
}

async fn a_batch_must_follow_the_last(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    for (offered, expected) in [(0, 1), (2, 1), (u64::MAX, 1)] {
        let refused = store.append(B, vec![commit(offered)]).await;
        assert_eq!(refused, Err(StoreError::Conflict { branch: B, expected, found: offered }));
    }
    store.append(B, vec![commit(1), commit(2)]).await.unwrap();
    for offered in [1, 2, 4] {
        let refused = store.append(B, vec![commit(offered)]).await;
        assert_eq!(refused, Err(StoreError::Conflict { branch: B, expected: 3, found: offered }));
    }
    let mut late = commit(3);
    late.batch.batch.at = at(2);
    assert!(matches!(store.append(B, vec![late]).await, Err(StoreError::Invalid { seq: 3, .. })));
    store.append(B, vec![commit(3)]).await.unwrap();
}

async fn a_commit_must_agree_with_itself(subject: impl Subject) {
    use dengmi_core::{Account, Cause, EntryKind, MemberId};
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    let one = |row| Commit { ledger: vec![row], ..commit(1) };
    let member = Account::Member(super::fixture::member(1));
    let moved =
        |from, to| super::fixture::movement(1, EntryKind::Reversal, from, to, 1, Cause::Entry(1));
    let mut nameless = award(1, 1, 1, 1);
    nameless.rule = None;
    let mut foreign = award(1, 1, 1, 1);
    foreign.entry.to = Account::Member(MemberId::new(BranchId(4), 1));
    let mut short = commit(1);
    short.batch.keys.pop();
    let mut mute = commit(1);
    mute.batch.outcomes.pop();
    for bad in [
        short,
        mute,
        one(award(2, 1, 1, 1)),
        one(award(0, 1, 1, 1)),
        one(award(1, 1, 1, 0)),
        one(award(1, 1, 1, -5)),
        one(nameless),
        one(foreign),
        one(moved(member, Account::Member(super::fixture::member(2)))),
        one(moved(Account::House, Account::House)),
        Commit { events: vec![event(2)], ..commit(1) },
    ] {
        let refused = store.append(B, vec![bad]).await;
        assert!(matches!(refused, Err(StoreError::Invalid { seq: 1, .. })), "{refused:?}");
    }
    assert_eq!(store.head(B).await.unwrap().seq, 0);
}

async fn pages_follow_each_other(subject: impl Subject) {
    let store = subject.store();
    with_history(&subject, 7).await;
    let mut seen = Vec::new();
    let mut last = meta().genesis();
    for (after, count) in [(0, 3), (3, 3), (6, 1), (7, 0)] {
        let page = store.read(B, after, 3).await.unwrap();
        assert_eq!((page.after, page.records.len()), (last, count));
        last = page.records.last().map_or(last, |record| record.hash);
        seen.extend(page.records.iter().map(|record| record.seq));
    }
    assert!(seen.iter().copied().eq(1..=7));
    assert!(store.read(B, 0, 0).await.unwrap().records.is_empty());
    for beyond in [8, 9, u64::MAX] {
        let error = store.read(B, beyond, 3).await;
        assert!(matches!(error, Err(StoreError::Damaged { .. })), "{error:?}");
    }
}

async fn records_are_found_by_time(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    assert_eq!(store.seq_before(B, Timestamp::MAX).await.unwrap(), 0);
    store.append(B, history(9)).await.unwrap();
    let later = |seq: u64, ms: i64| Timestamp(at(seq).0 + ms);
    for (time, before) in [
        (Timestamp(0), 0),
        (at(1), 0),
        (later(1, 1), 1),
        (at(5), 4),
        (later(5, -1), 4),
        (later(5, 1), 5),
        (at(9), 8),
        (later(9, 1), 9),
        (Timestamp::MAX, 9),
    ] {
        assert_eq!(store.seq_before(B, time).await.unwrap(), before, "{time}");
        let since: Vec<u64> =
            store.read_since(B, time).await.unwrap().iter().map(|record| record.seq).collect();
        assert!(since.iter().copied().eq(before + 1..=9), "{time} {since:?}");
    }
}

async fn a_torn_last_record_is_cut(subject: impl Subject) {
    let store = subject.store();
    with_history(&subject, 6).await;
    let sound = store.read(B, 0, 5).await.unwrap();
    subject.tamper(B, 6, |record| record.body.truncate(9)).await;

    let page = store.read(B, 0, 100).await.unwrap();
    assert_eq!(page.records, sound.records);
    assert_eq!(page.cut.unwrap().seq, 6);
    assert_eq!(store.read(B, 0, 5).await.unwrap().cut, None);
    assert_eq!(store.read(B, 5, 5).await.unwrap().cut.unwrap().seq, 6);
    assert!(matches!(store.head(B).await, Err(StoreError::Damaged { seq: 6, .. })));
    assert_eq!(store.read_since(B, at(4)).await.unwrap().len(), 2);
    assert_eq!(verify(store, B).await.unwrap().cut.unwrap().seq, 6);

    let recovered = store.recover(B).await.unwrap();
    assert_eq!(recovered.cut.unwrap().seq, 6);
    let head = recovered.head;
    assert_eq!((head.seq, head.entry, head.event), (5, 10, 5));
    assert_eq!(head.hash, sound.records[4].hash);
    assert_eq!(store.entries_after(B, 0, 99).await.unwrap().len(), 10);
    assert_eq!(store.events_after(B, 0, 99).await.unwrap().len(), 5);
    assert_eq!(store.closed_boards(B, 99).await.unwrap(), [board(3)]);
    assert_eq!(store.recover(B).await.unwrap().cut, None);
    // The same awards may be booked again, once.
    store.append(B, history(6).split_off(5)).await.unwrap();
    assert!(verify(store, B).await.unwrap().is_sound());
}

async fn damage_in_the_middle_names_the_record(subject: impl Subject) {
    let store = subject.store();
    with_history(&subject, 6).await;
    let whole = store.read(B, 0, 6).await.unwrap().records;
    let put = |record: &mut Record, good: &Record| *record = good.clone();
    let changes: [fn(&mut Record); 5] = [
        |r| r.body[7] ^= 1,
        |r| r.body.clear(),
        |r| r.at.0 += 1,
        |r| r.prev.0[31] ^= 0x80,
        |r| r.hash = Digest::default(),
    ];
    for change in changes {
        subject.tamper(B, 3, change).await;
        let error = store.read(B, 0, 6).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { branch: B, seq: 3, .. }), "{error}");
        assert!(error.to_string().contains("record 3"), "{error}");
        assert!(store.read(B, 3, 6).await.is_err());
        assert_eq!(store.read(B, 0, 2).await.unwrap().records.len(), 2);
        assert_eq!(store.read(B, 4, 6).await.unwrap().records.len(), 2);
        let report = verify(store, B).await.unwrap();
        assert!(matches!(report.damage, Some(StoreError::Damaged { seq: 3, .. })));
        assert!(!report.is_sound());
        subject.tamper(B, 3, |record| put(record, &whole[2])).await;
    }
    assert!(verify(store, B).await.unwrap().is_sound());
    // Two bad records at the end are more than a torn tail.
    for seq in [5, 6] {
        subject.tamper(B, seq, |record| record.body[3] ^= 2).await;
    }
    assert!(matches!(store.recover(B).await, Err(StoreError::Damaged { seq: 5, .. })));
    assert!(matches!(store.read(B, 0, 9).await, Err(StoreError::Damaged { seq: 5, .. })));
}

async fn no_flipped_bit_goes_unnoticed(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    let small = |seq| Commit { batch: batch(seq, 1), ..commit(seq) };
    store.append(B, vec![small(1), small(2), small(3)]).await.unwrap();
    let body = store.read(B, 0, 3).await.unwrap().records[1].body.clone();
    for bit in 0..body.len() * 8 {
        let flip = |record: &mut Record| record.body[bit / 8] ^= 1 << (bit % 8);
        subject.tamper(B, 2, flip).await;
        let error = store.read(B, 0, 3).await;
        assert!(matches!(error, Err(StoreError::Damaged { seq: 2, .. })), "bit {bit}: {error:?}");
        subject.tamper(B, 2, flip).await;
    }
    assert_eq!(store.read(B, 0, 3).await.unwrap().records.len(), 3);
}

async fn packs_are_kept(subject: impl Subject) {
    let store = subject.store();
    let digest = Digest::of(b"pack");
    assert_eq!(store.pack(digest).await.unwrap(), None);
    let files = vec![
        ("content/points.ron".to_owned(), "(schema: 1)".repeat(1_000)),
        ("quests/灯.ron".to_owned(), String::new()),
    ];
    store.put_pack(digest, &files).await.unwrap();
    store.put_pack(digest, &[]).await.unwrap();
    assert_eq!(store.pack(digest).await.unwrap(), Some(files));
    assert_eq!(store.pack(Digest::of(b"other")).await.unwrap(), None);
}

async fn branches_do_not_see_each_other(subject: impl Subject) {
    let store = subject.store();
    with_history(&subject, 2).await;
    let other = BranchId(4);
    store.create_branch(BranchMeta { branch: other, ..meta() }).await.unwrap();
    store.append(other, vec![commit(1)]).await.unwrap();
    let read = store.read(other, 0, 9).await.unwrap();
    assert_eq!(read.records.len(), 1);
    assert_ne!(read.after, meta().genesis());
    assert!(store.entries_after(other, 0, 9).await.unwrap().is_empty());
    assert!(store.events_after(other, 0, 9).await.unwrap().is_empty());
    assert_eq!(store.head(B).await.unwrap().seq, 2);
    let theirs = dengmi_core::MemberId::new(other, 1);
    assert_eq!(store.balance(theirs).await.unwrap().0, 0);
}

async fn a_changed_ledger_entry_is_noticed(subject: impl Subject) {
    let store = subject.store();
    with_history(&subject, 4).await;
    subject.tamper_entry(B, 5, 1_000).await;
    let report = verify(store, B).await.unwrap();
    assert!(matches!(report.damage, Some(StoreError::Damaged { seq: 3, .. })), "{report:?}");
    assert_eq!((report.records, report.entries), (2, 4));
}
