//! Starting again: from the journal, from snapshots, with other content, and not at all where the
//! journal does not give what it gave.

#![allow(unreachable_pub, dead_code, reason = "each test file uses a part of what they share")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dengmi_core::view::board::BoardKey;
use dengmi_core::{Action, MemberId, Outcome, Period, PeriodKind};
use dengmi_host::{Host, HostConfig, HostError, ManualClock, Packs, replay};
use dengmi_store::{Journal, MemoryStore, OpenOptions, SqliteStore, StoreError, snapshot};

use common::{B1, Bench, Faulty, GROUP, as_is, config, content, memory, morning, today};

/// Opens a branch, works, stops, and opens it again in every way there is.
async fn check<J: Journal>(journal: Arc<J>, snapshots: &Path) {
    let clock = Arc::new(ManualClock::new(morning()));
    let config = HostConfig {
        snapshots: Some(snapshots.to_owned()),
        snapshot_commands: 25,
        ..config(&clock)
    };
    let bench = Bench::open(journal.clone(), clock.clone(), config.clone(), content(as_is)).await;
    bench.people(12).await;
    for day in 0..3 {
        for seq in 1..=12 {
            if (seq + day) % 4 != 0 {
                bench.done(Bench::<J>::check_in(seq)).await;
            }
        }
        clock.advance(Duration::from_secs(24 * 3_600));
    }
    let key = bench.key();
    let member = MemberId::new(B1, 5);
    let hide = Action::ShowOnBoards { member, shown: true };
    let first = bench.submit(key, hide.clone()).await.unwrap();
    let seen = bench.host.views(B1).unwrap().published();
    let month = BoardKey::Community(GROUP, Period::containing(PeriodKind::Month, today()));
    let standing = bench.host.standing(month).unwrap();
    assert!(!standing.ranked.is_empty());
    bench.host.shutdown().await;

    let meta = bench.host.meta(B1).unwrap();
    let packs = Packs::default();
    let mut silent = |_, _| {};
    let mut whole = replay::from_beginning(&*journal, &meta, &packs, &mut silent).await.unwrap();
    assert!(whole.states >= 1, "snapshots leave the digest of the state in the journal");
    let end = (whole.engine.seq(), whole.engine.chain(), whole.engine.digest());
    let kept = snapshot::list(snapshots, B1).unwrap();
    assert_eq!(kept.len(), 2);
    for (_, path) in &kept {
        let again = replay::from_snapshot(&*journal, &meta, &packs, path, &mut silent).await;
        let mut again = again.unwrap();
        assert_eq!((again.engine.seq(), again.engine.chain(), again.engine.digest()), end);
    }

    // A host that starts again shows the same, and knows what it was sent.
    for ruined in [0, 1, 2] {
        for (_, path) in kept.iter().take(ruined) {
            std::fs::write(path, b"not a snapshot").unwrap();
        }
        let again = Host::open(journal.clone(), config.clone(), None, &mut |_, _, _| {}).await;
        let again = again.unwrap();
        let published = again.views(B1).unwrap().published();
        assert_eq!(published.seq, end.0);
        assert!(published.cards().eq(seen.cards()));
        assert_eq!(published.catalog, seen.catalog);
        assert_eq!(again.standing(month).unwrap().ranked, standing.ranked);
        let command =
            dengmi_core::Command { actor: dengmi_core::Actor::Operator(1), action: hide.clone() };
        let repeated = again.submit(B1, key, command).await.unwrap();
        assert!(repeated.replayed);
        assert_eq!(repeated.outcome, first.outcome);
        again.shutdown().await;
        assert_eq!(journal.head(B1).await.unwrap().seq, end.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_in_memory_starts_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    check(Arc::new(MemoryStore::new()), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_in_sqlite_starts_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let store = SqliteStore::open(&path, OpenOptions::default()).await.unwrap();
    check(Arc::new(store), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_gives_something_else_is_refused_by_name() {
    let journal = memory();
    let bench = Bench::<Faulty<MemoryStore>>::with_members(journal.clone(), 3).await;
    bench.host.shutdown().await;
    journal.forged.store(4, std::sync::atomic::Ordering::SeqCst);
    let opened = Host::open(journal, config(&bench.clock), None, &mut |_, _, _| {}).await;
    let error = opened.err().expect("a forged record is noticed");
    assert!(matches!(error, HostError::Diverged { branch: B1, seq: 4, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_another_journal_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(morning()));
    let config = HostConfig { snapshots: Some(folder.path().to_owned()), ..config(&clock) };
    let journals = [Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new())];
    for (members, journal) in [3, 5].into_iter().zip(&journals) {
        let bench =
            Bench::open(journal.clone(), clock.clone(), config.clone(), content(as_is)).await;
        bench.people(members).await;
        bench.host.shutdown().await;
        // The second host finds the snapshot of the first beside its own shorter journal.
        clock.advance(Duration::from_secs(1));
    }
    let found = snapshot::list(folder.path(), B1).unwrap();
    let meta = journals[1].branches().await.unwrap()[0];
    let packs = Packs::default();
    let first = &found.iter().find(|(seq, _)| *seq == 9).expect("the first host's snapshot").1;
    let used =
        replay::from_snapshot(&*journals[1], &meta, &packs, first, &mut |_, _| {}).await.err();
    assert!(matches!(used, Some(HostError::Store(StoreError::Snapshot { .. }))), "{used:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_content_is_adopted_once_and_replayed() {
    let journal = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::new(morning()));
    let first = content(as_is);
    let second =
        content(
            |path, text| {
                if path == "quests/habit-7.ron" { format!("{text}\n// Edited.\n") } else { text }
            },
        );
    let (old, new) = (first.pack.digest, second.pack.digest);
    assert_ne!(old, new);
    let bench = Bench::open(journal.clone(), clock.clone(), config(&clock), first).await;
    bench.people(2).await;
    bench.host.shutdown().await;
    for _ in 0..2 {
        let bench =
            Bench::open(journal.clone(), clock.clone(), config(&clock), second.clone()).await;
        bench
            .until("the content is adopted", |host| {
                host.views(B1).unwrap().published().catalog.content == new
            })
            .await;
        let run = &bench.host.views(B1).unwrap().published().catalog.runs[0];
        assert_eq!(run.content, old, "what runs keeps its content");
        bench.host.shutdown().await;
    }
    let mut adopted = 0;
    for record in journal.read(B1, 0, u32::MAX).await.unwrap().records {
        let (batch, _) = record.decode().unwrap();
        let commands = batch.batch.commands.iter().zip(&batch.outcomes);
        adopted += commands
            .filter(|(command, outcome)| {
                matches!(command.action, Action::AdoptContent { .. })
                    && matches!(outcome, Outcome::Done(_))
            })
            .count();
    }
    assert_eq!(adopted, 1);
    // Nothing but the journal is needed to apply it again.
    let meta = bench.host.meta(B1).unwrap();
    let replayed =
        replay::from_beginning(&*journal, &meta, &Packs::default(), &mut |_, _| {}).await.unwrap();
    assert_eq!(replayed.content, new);
}
