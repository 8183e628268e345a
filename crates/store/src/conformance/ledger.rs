//! Looking things up in the ledger and the outbox, and the award that is never paid twice.

use dengmi_core::{Account, Cause, Day, EntryKind, Points, RoundId};

use super::fixture::{B, award, commit, history, member, meta, movement, run};
use super::{Subject, for_every_store};
use crate::{Commit, Journal, LedgerRow, StoreError};

for_every_store! {
    entries_come_back_as_booked;
    a_members_entries_are_paged_newest_first;
    an_award_is_never_paid_twice;
    events_are_read_from_anywhere;
}

async fn entries_come_back_as_booked(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    let holder = Account::Member(member(1));
    let round = RoundId::new(B, 4);
    let mut graded = award(2, 1, 1, 25);
    graded.entry.cause = Cause::Answer { run: run(1), round, question: 9, revision: 1 };
    graded.entry.day = Day(-1);
    let rows: Vec<LedgerRow> = vec![
        award(1, 1, 1, 100),
        graded,
        movement(3, EntryKind::Redemption, holder, Account::Redemption, 60, Cause::Order(u64::MAX)),
        movement(4, EntryKind::Expiry, holder, Account::Expiry, 5, Cause::Expired(Day(3))),
        movement(5, EntryKind::Reversal, holder, Account::Issue, 60, Cause::Entry(1)),
        movement(6, EntryKind::Reversal, Account::House, Account::Issue, 40, Cause::Entry(1)),
        award(7, 2, 1, 1_000_000_000),
    ];
    store.append(B, vec![Commit { ledger: rows.clone(), ..commit(1) }]).await.unwrap();
    assert_eq!(store.entries_after(B, 0, 99).await.unwrap(), rows);
    for row in &rows {
        assert_eq!(store.entry(B, row.entry.id).await.unwrap().as_ref(), Some(row));
    }
    for absent in [0, 8, u64::MAX] {
        assert_eq!(store.entry(B, absent).await.unwrap(), None);
    }
    // 125 earned, all of them spent, expired or taken back.
    assert_eq!(store.balance(member(1)).await.unwrap(), Points(0));
    assert_eq!(store.balance(member(2)).await.unwrap(), Points(1_000_000_000));
    assert_eq!(store.balance(member(3)).await.unwrap(), Points(0));
    let sums = store.sums(B).await.unwrap();
    assert_eq!(
        (sums.issue, sums.members, sums.redemption, sums.expiry, sums.house),
        (-1_000_000_025, 1_000_000_000, 60, 5, -40)
    );
    assert_eq!(sums.total(), 0);
}

async fn a_members_entries_are_paged_newest_first(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(20)).await.unwrap();
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = store.entries_of(member(2), before, 6).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.entry.id);
        seen.extend(page.iter().map(|row| row.entry.id));
    }
    assert!(seen.iter().copied().eq((1..=20).rev().map(|n| 2 * n)), "{seen:?}");
    assert!(store.entries_of(member(9), None, 6).await.unwrap().is_empty());
    assert!(store.entries_of(member(2), Some(0), 6).await.unwrap().is_empty());
    let after = store.entries_after(B, 38, 1).await.unwrap();
    assert_eq!(after.iter().map(|row| row.entry.id).collect::<Vec<_>>(), [39]);
}

async fn an_award_is_never_paid_twice(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(3)).await.unwrap();
    // Entry 3 paid member 1 for day 2. It stays paid under another version of the rule, by
    // another amount and in a batch of hundreds.
    let mut again = award(307, 1, 2, 99);
    again.entry.rule = Some(dengmi_core::ledger::RuleRef { code: 9, version: 3 });
    let mut many: Vec<LedgerRow> = (7..307).map(|id| award(id, 3, id as i32, 1)).collect();
    many.push(again);
    let refused = store.append(B, vec![Commit { ledger: many, ..commit(4) }]).await;
    let expected = StoreError::DoubleGrant {
        branch: B,
        entry: 307,
        first: 3,
        rule: "streak/daily".to_owned(),
        member: member(1),
    };
    assert_eq!(refused, Err(expected));
    // Nor twice in one group.
    let pair = vec![award(7, 5, 8, 1), award(8, 5, 8, 1)];
    let refused = store.append(B, vec![Commit { ledger: pair, ..commit(4) }]).await;
    assert!(
        matches!(refused, Err(StoreError::DoubleGrant { entry: 8, first: 7, .. })),
        "{refused:?}"
    );
    assert_eq!(store.head(B).await.unwrap().entry, 6);
    // Another rule, another member or another cause is another award.
    let mut other_rule = award(7, 1, 2, 1);
    other_rule.rule = Some("streak/bonus".to_owned());
    let fine = vec![other_rule, award(8, 4, 2, 1), award(9, 1, 77, 1)];
    store.append(B, vec![Commit { ledger: fine, ..commit(4) }]).await.unwrap();
}

async fn events_are_read_from_anywhere(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(9)).await.unwrap();
    for (after, limit, expected) in
        [(0, 3, vec![1, 2, 3]), (7, 99, vec![8, 9]), (9, 5, vec![]), (u64::MAX, 5, vec![])]
    {
        let events = store.events_after(B, after, limit).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), expected);
    }
}
