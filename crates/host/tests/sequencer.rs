//! The sequencer's promises: nothing is seen before it is durable, nothing acknowledged is lost,
//! nothing is done twice.

#![allow(unreachable_pub, dead_code, reason = "each test file uses a part of what they share")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dengmi_content::model::QuestKind;
use dengmi_core::view::EventKind;
use dengmi_core::{Action, Calendar, MemberId, Outcome, Points, Receipt, Timestamp};
use dengmi_host::{BranchState, Host, HostConfig, KeyFault, ManualClock, SubmitError, Submitted};
use dengmi_store::{CommandKey, Journal, MemoryStore, StoreError};
use tokio::sync::Semaphore;

use common::{B1, Bench, Fault, Faulty, GROUP, as_is, config, content, memory, morning};

type MemoryBench = Bench<Faulty<MemoryStore>>;

fn unavailable() -> StoreError {
    StoreError::Unavailable { why: "injected".to_owned() }
}

fn full() -> StoreError {
    StoreError::Full { why: "injected".to_owned() }
}

/// How often each key stands in the journal.
async fn journalled<J: Journal>(host: &Host<J>) -> BTreeMap<u128, (usize, Outcome)> {
    let mut found: BTreeMap<u128, (usize, Outcome)> = BTreeMap::new();
    for record in host.journal().read(B1, 0, u32::MAX).await.unwrap().records {
        let (batch, _) = record.decode().unwrap();
        for (key, outcome) in batch.keys.into_iter().zip(batch.outcomes) {
            if let Some(key) = key {
                found.entry(key.key).or_insert((0, outcome)).0 += 1;
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_seen_before_it_is_durable() {
    let journal = memory();
    let bench = Arc::new(MemoryBench::with_members(journal.clone(), 2).await);
    let member = MemberId::new(B1, 2);
    let balance =
        |bench: &MemoryBench| bench.host.views(B1).unwrap().member(member).unwrap().balance;
    let mut events = bench.host.subscribe(B1).unwrap();
    journal.gate.forget_permits(usize::MAX);
    let task = tokio::spawn({
        let bench = bench.clone();
        async move { bench.submit(bench.key(), MemoryBench::check_in(2)).await }
    });
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!task.is_finished());
    assert_eq!(balance(&bench), Points(0));
    assert!(events.try_recv().is_err());
    journal.gate.add_permits(1 << 20);
    assert!(matches!(task.await.unwrap().unwrap().outcome, Outcome::Done(Receipt::CheckedIn(_))));
    // Seen by whoever was answered.
    assert!(balance(&bench) > Points(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_wait_for_the_first_and_get_its_outcome() {
    let journal = memory();
    let bench = Arc::new(MemoryBench::with_members(journal.clone(), 1).await);
    let key = bench.key();
    journal.gate.forget_permits(usize::MAX);
    let mut tasks = Vec::new();
    for n in 0..12 {
        let bench = bench.clone();
        let fingerprint = if n % 4 == 3 { [9; 16] } else { key.fingerprint };
        let task = tokio::spawn(async move {
            let key = CommandKey { fingerprint, ..key };
            bench.submit(key, MemoryBench::check_in(1)).await
        });
        tokio::time::sleep(Duration::from_millis(if n < 6 { 0 } else { 5 })).await;
        tasks.push((fingerprint == key.fingerprint, task));
    }
    journal.gate.add_permits(1 << 20);
    let mut answers = Vec::new();
    for (same_body, task) in tasks {
        match task.await.unwrap() {
            Ok(submitted) => {
                assert!(same_body);
                answers.push(submitted);
            }
            Err(error) => {
                assert!(!same_body);
                assert_eq!(error, SubmitError::Key(KeyFault::Reused));
            }
        }
    }
    // One body came first and is the one that counts, whichever it was.
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert_eq!(answers.len(), 9);
    assert!(answers.iter().all(|answer| answer.outcome == answers[0].outcome));
    assert_eq!(journalled(&bench.host).await[&key.key].0, 1);
    let later = bench.submit(key, MemoryBench::check_in(1)).await.unwrap();
    assert_eq!(later, Submitted { outcome: answers[0].outcome.clone(), replayed: true });
    // The window moves on: the same key is refused, never applied again.
    bench.clock.advance(Duration::from_secs(601));
    let late = bench.submit(key, MemoryBench::check_in(1)).await;
    assert_eq!(late, Err(SubmitError::Key(KeyFault::TooOld)));
}

/// Many clients, each sending its commands again until they are answered; appends fail as told.
async fn storm(faults: Vec<(u32, Fault)>, rounds: u32) {
    let journal = memory();
    let bench = Arc::new(MemoryBench::with_members(journal.clone(), 40).await);
    let before = journal.head(B1).await.unwrap();
    let appended = u32::try_from(before.seq).unwrap();
    *journal.faults.lock().unwrap() =
        faults.into_iter().map(|(at, fault)| (appended + at, fault)).collect();
    let mut tasks = Vec::new();
    for seq in 1..=40 {
        let bench = bench.clone();
        tasks.push(tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for round in 0..rounds {
                let member = MemberId::new(B1, seq);
                let action = match round {
                    0 => MemoryBench::check_in(seq),
                    n => Action::ShowOnBoards { member, shown: n % 2 == 0 },
                };
                let key = CommandKey { principal: u64::from(seq), ..bench.key() };
                let done = loop {
                    match bench.submit(key, action.clone()).await {
                        Ok(done) => break done,
                        Err(SubmitError::Key(fault)) => panic!("{fault}"),
                        Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                };
                acknowledged.push((key.key, done.outcome));
            }
            acknowledged
        }));
    }
    let mut acknowledged = Vec::new();
    for task in tasks {
        acknowledged.extend(task.await.unwrap());
    }
    let stored = journalled(&bench.host).await;
    assert!(stored.values().all(|(times, _)| *times == 1), "a command was applied twice");
    for (key, outcome) in &acknowledged {
        assert_eq!(Some(&(1, outcome.clone())), stored.get(key), "an acknowledged command is lost");
        assert!(matches!(outcome, Outcome::Done(_)), "a retry was refused: {outcome:?}");
    }
    bench.until("it takes commands", |host| host.state(B1) == Some(BranchState::Ready)).await;
    // What readers see is what is stored, and the same as after a restart.
    let seen = bench.host.views(B1).unwrap().published();
    for card in seen.cards() {
        assert_eq!(card.balance, journal.balance(card.id).await.unwrap());
    }
    assert_eq!(journal.sums(B1).await.unwrap().total(), 0);
    bench.host.shutdown().await;
    let again = Host::open(journal, config(&bench.clock), None, &mut |_, _, _| {}).await.unwrap();
    let restarted = again.views(B1).unwrap().published();
    assert_eq!(restarted.seq, seen.seq);
    assert!(restarted.cards().eq(seen.cards()));
    assert_eq!(restarted.catalog, seen.catalog);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_without_faults() {
    storm(Vec::new(), 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_loses_nothing_that_was_acknowledged() {
    let faults = [1, 2, 5, 9].map(|at| (at, Fault::Before(unavailable())));
    storm(faults.into(), 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_not_done_twice() {
    let faults = [1, 3, 4, 8].map(|at| (at, Fault::After(unavailable())));
    storm(faults.into(), 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_survived() {
    let faults = (1..12).map(|at| (at, Fault::Before(full())));
    storm(faults.collect(), 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_readers_go_on() {
    let journal = memory();
    let bench = MemoryBench::with_members(journal.clone(), 1).await;
    let next = u32::try_from(journal.head(B1).await.unwrap().seq).unwrap() + 1;
    *journal.faults.lock().unwrap() = vec![(next, Fault::Before(full()))];
    let key = bench.key();
    let refused = bench.submit(key, MemoryBench::check_in(1)).await;
    assert_eq!(refused, Err(SubmitError::ReadOnly));
    assert_eq!(bench.host.views(B1).unwrap().published().members(), 1);
    // By itself, as soon as there is space: the same key, never applied, is a new command.
    let done = loop {
        match bench.submit(key, MemoryBench::check_in(1)).await {
            Ok(done) => break done,
            Err(error) => assert_eq!(error, SubmitError::ReadOnly),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert!(!done.replayed);
    assert!(bench.host.troubles().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_busy() {
    let journal = memory();
    let clock = Arc::new(ManualClock::new(morning()));
    let config = HostConfig { queue: 3, ..config(&clock) };
    let bench = Arc::new(MemoryBench::open(journal.clone(), clock, config, content(as_is)).await);
    bench.done(Action::AddManager).await;
    journal.gate.forget_permits(usize::MAX);
    let mut tasks: Vec<_> = (0..5)
        .map(|_| {
            let bench = bench.clone();
            tokio::spawn(async move { bench.submit(bench.key(), Action::AddManager).await })
        })
        .collect();
    while tasks.iter().filter(|task| task.is_finished()).count() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    journal.gate.add_permits(1 << 20);
    let mut results = Vec::new();
    for task in tasks.drain(..) {
        results.push(task.await.unwrap().map(|_| ()));
    }
    let busy = results.iter().filter(|result| **result == Err(SubmitError::Busy)).count();
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!((busy, done), (2, 3));
    bench.done(Action::AddManager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_at_once_shares_a_group_with_who_waits() {
    let journal = memory();
    let clock = Arc::new(ManualClock::new(morning()));
    let config = HostConfig { linger: Duration::from_secs(60), ..config(&clock) };
    let bench = Arc::new(MemoryBench::open(journal.clone(), clock, config, content(as_is)).await);
    let sent = || {
        let bench = bench.clone();
        tokio::spawn(async move { bench.submit(bench.key(), Action::AddManager).await })
    };
    // Some of the first groups begin at once, as nobody came back while the branch was set up.
    for _ in 0..16 {
        let before = journal.appends.load(Ordering::SeqCst);
        journal.gate.forget_permits(usize::MAX);
        let first = sent();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let second = sent();
        tokio::time::sleep(Duration::from_millis(30)).await;
        journal.gate.add_permits(1 << 20);
        first.await.unwrap().unwrap();
        let third = sent();
        second.await.unwrap().unwrap();
        third.await.unwrap().unwrap();
        if journal.appends.load(Ordering::SeqCst) - before == 2 {
            return;
        }
    }
    panic!("each had a group of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_committed_before_a_stop() {
    let journal = memory();
    let bench = Arc::new(MemoryBench::with_members(journal.clone(), 1).await);
    journal.gate.forget_permits(usize::MAX);
    let task = tokio::spawn({
        let bench = bench.clone();
        async move { bench.submit(bench.key(), MemoryBench::check_in(1)).await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    let stop = tokio::spawn({
        let bench = bench.clone();
        async move { bench.host.shutdown().await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    let late = bench.submit(bench.key(), Action::AddManager).await;
    assert_eq!(late, Err(SubmitError::Unavailable));
    assert!(!stop.is_finished());
    journal.gate.add_permits(1 << 20);
    stop.await.unwrap();
    assert!(task.await.unwrap().is_ok());
    assert_eq!(bench.host.state(B1), Some(BranchState::Stopped));
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_open_and_close_on_time_without_any_command() {
    let bench = MemoryBench::with_members(memory(), 3).await;
    let content = content(as_is);
    let quest: dengmi_core::Slug = "daily-riddle".parse().unwrap();
    let QuestKind::QuizSeries(series) = &content.pack.quests[&quest].kind else {
        panic!("a quiz");
    };
    let (first, start) = (&series.rounds[0], common::today().plus(1));
    let on = start.plus(i32::from(first.day) - 1);
    let opens = Calendar::default().at(on, first.opens);
    let closes = Calendar::default().at(on, first.closes);
    bench.done(Action::Launch { quest, communities: vec![GROUP], start }).await;
    let mut events = bench.host.subscribe(B1).unwrap();
    let rounds = |host: &Host<_>| host.views(B1).unwrap().published().catalog.rounds.clone();

    let go_to = |at: Timestamp| {
        let ms = at.0 - bench.host.now().0;
        bench.clock.advance(Duration::from_millis(u64::try_from(ms).unwrap()));
    };
    go_to(Timestamp(opens.0 - 1));
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert!(rounds(&bench.host).is_empty(), "not a millisecond early");
    go_to(opens);
    bench.until("the round opens", |host| !rounds(host).is_empty()).await;
    let round = rounds(&bench.host)[0].clone();
    assert_eq!((round.opens, round.closes, round.closed), (opens, closes, false));
    assert_eq!(bench.host.views(B1).unwrap().published().keys(round.id), None);

    let settled = closes.plus_ms(i64::from(first.grace_seconds) * 1_000 + 1_000);
    go_to(settled);
    bench.until("the round closes", |host| rounds(host)[0].closed).await;
    let keys = bench.host.views(B1).unwrap().published().keys(round.id).map(<[_]>::len);
    assert_eq!(keys, Some(round.questions.len()));
    let opened = events.recv().await.unwrap();
    assert_eq!((&opened.kind, opened.at), (&EventKind::RoundOpened(round.id), opens));
    let closed = loop {
        let event = events.recv().await.unwrap();
        if event.kind == EventKind::RoundClosed(round.id) {
            break event;
        }
    };
    assert!(closed.at >= closes && closed.at <= settled);
}

#[tokio::test]
async fn a_gate_is_a_gate() {
    // The tests above rest on this: with no permit left, an append waits.
    let gate = Semaphore::new(3);
    assert_eq!(gate.forget_permits(usize::MAX), 3);
    assert!(gate.try_acquire().is_err());
}
