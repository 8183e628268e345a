//! A few of each crash drill; `cargo run -p dengmi-tests --bin crash -- help` runs many. And the
//! drills' own proof: faults that are planted must be found.

use std::path::PathBuf;

use dengmi_tests::crash::{Outcome, Setup, damage, full, kill, points, power};

fn setup(seed: u64) -> Setup {
    Setup::new(PathBuf::from(env!("CARGO_BIN_EXE_crash")), seed, |_| {})
}

/// Nothing is wrong, and every figure named was reached.
#[track_caller]
fn check(outcome: &Outcome, reached: &[&str]) {
    assert!(outcome.faults.is_empty(), "{}\n{}", outcome.faults.words(), outcome.table());
    for name in reached {
        assert!(outcome.get(name) > 0, "{name} is 0\n{}", outcome.table());
    }
}

#[test]
fn every_step_is_passed_and_survived() {
    let outcome = points::run(&setup(1), 1, points::all());
    check(&outcome, &["of these between commit and acknowledgement"]);
    assert_eq!(outcome.get("processes ended"), points::all().len() as u64);
}

#[test]
fn kills_lose_nothing() {
    let outcome = kill::run(&setup(2), 25, false);
    check(&outcome, &["kills", "acknowledgements", "kills between commit and acknowledgement"]);
}

#[test]
fn power_cuts_lose_nothing() {
    let outcome = power::run(&setup(3), 25, false);
    check(
        &outcome,
        &["of these while something was not synced", "disks that kept some sectors of the rest"],
    );
}

#[test]
fn full_disks_refuse_and_recover() {
    let outcome = full::run(&setup(4), 12);
    check(&outcome, &["disks that ran full", "refusals: ReadOnly", "acknowledgements"]);
}

#[test]
fn a_torn_log_is_cut_at_a_whole_commit() {
    let outcome = damage::torn(&setup(7), 1_009);
    check(&outcome, &["places at which the log was cut"]);
}

#[test]
fn flipped_bits_are_noticed_or_change_nothing() {
    check(&damage::flips(&setup(8), 150), &["noticed"]);
}

/// Canary: SQLite syncing at checkpoints only loses nothing to a kill, and much to a power cut.
#[test]
fn syncing_seldom_is_found() {
    let outcome = power::run(&setup(5), 60, true);
    assert!(!outcome.faults.lost.is_empty(), "not found\n{}", outcome.table());
}

/// Canary: an acknowledgement before the commit.
#[test]
fn acknowledging_early_is_found() {
    let outcome = kill::run(&setup(6), 60, true);
    assert!(!outcome.faults.lost.is_empty(), "not found\n{}", outcome.table());
}
