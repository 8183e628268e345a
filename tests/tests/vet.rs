//! Some seeds of `dengmi vet`, and what the command line cannot do: other orders of systems.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use dengmi_core::Digest;
use dengmi_engine::Engine;
use dengmi_sim::vet::{Coverage, Library, Record, Report, trial};

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new().expect("every pack passes the checks"))
}

#[track_caller]
fn check(seed: u64, ticks: u32, deep: bool) -> (Report, Record) {
    trial(library(), seed, ticks, deep).unwrap_or_else(|failure| panic!("{failure}"))
}

/// `seed ticks # what it found`, one a line.
fn past() -> Vec<(u64, u32)> {
    let lines = include_str!("../seeds.txt").lines();
    let lines = lines.map(|line| line.split('#').next().unwrap_or_default().trim());
    let seeds = lines.filter(|line| !line.is_empty()).map(|line| {
        let (seed, ticks) = line.split_once(' ').expect("seed and ticks");
        (seed.parse().expect("a seed"), ticks.trim().parse().expect("ticks"))
    });
    seeds.collect()
}

#[test]
fn seeds_that_failed_once_pass() {
    for (seed, ticks) in past() {
        check(seed, ticks, false);
    }
}

#[test]
fn fresh_seeds_pass_and_reach_much() {
    let mut coverage = Coverage::default();
    for seed in 0..16 {
        coverage.add(&check(seed, 150, seed % 8 == 0).0);
    }
    assert!(coverage.impossible().is_empty());
    // Everything is asked of long runs only; most things happen soon.
    let never = coverage.never(library());
    assert!(never.len() < 30, "{never:#?}");
}

#[test]
fn every_order_of_systems_gives_the_same() {
    for seed in [20, 30] {
        let (_, record) = check(seed, 120, false);
        for order in 0..8 {
            let setting = &record.setting;
            let first = setting.packs[&setting.first].clone();
            let mut engine = setting.offer(Engine::shuffled(setting.config.clone(), first, order));
            for (batch, digest) in record.journal.iter().zip(&record.digests) {
                let applied = engine.apply(batch).expect("batches follow each other");
                assert_eq!(applied.digest, *digest, "seed {seed} order {order} {}", batch.seq);
            }
            assert_eq!(engine.digest(), record.state, "seed {seed} order {order}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let run = |threads: u64| -> Vec<(Digest, u64)> {
        let next = AtomicU64::new(40);
        let mut all: Vec<(u64, Digest, u64)> = std::thread::scope(|scope| {
            let run = || {
                let mut own = Vec::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= 46 {
                        return own;
                    }
                    let (report, _) = check(seed, 60, false);
                    own.push((seed, report.digest, report.commands));
                }
            };
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        all.sort_unstable_by_key(|(seed, _, _)| *seed);
        all.into_iter().map(|(_, digest, commands)| (digest, commands)).collect()
    };
    assert_eq!(run(1), run(3));
}
