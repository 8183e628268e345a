//! A few of the mutants; `cargo run -p dengmi-tests --bin mutants` plants all of them. And that the
//! harness itself is worth something: what is not looked for survives, and that is a failure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use dengmi_core::mutant::ALL;

/// Runs the harness; whether it ended well, and what it said.
fn harness(args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mutants")).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said + &String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn is_caught(name: &str, by: &[&str]) {
    let (well, said) = harness(&["--only", name, "--seeds", "4", "--kills", "12"]);
    let line = said.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    assert!(well && by.iter().any(|by| line.contains(by)), "{said}");
    assert!(said.contains("1 mutants, 1 caught, 0 survive; 0 false alarms"), "{said}");
}

#[test]
fn mutants_of_every_layer_are_caught() {
    is_caught("ledger/order-again", &["3 once"]);
    is_caught("streak/last-freeze", &["4 streaks"]);
    is_caught("cohort/two-at-once", &["8 cohorts"]);
    is_caught("time/utc-day", &["14 time and journal"]);
    is_caught("commit/told-twice", &["14 time and journal"]);
    // By which of its invariants, the moment of the kill decides: a repeated command is done twice,
    // or its first answer is gone.
    is_caught("keys/forgotten", &["acknowledged and lost", "3 once"]);
}

#[test]
fn a_survivor_is_a_failure_and_so_is_nothing_to_look_for() {
    let (well, said) = harness(&["--only", "ledger/order-again", "--seeds", "0"]);
    assert!(!well && said.contains("SURVIVES") && said.contains("0 caught, 1 survive"), "{said}");
    let (well, said) = harness(&["--only", "no/such-part"]);
    assert!(!well && said.contains("0 mutants"), "{said}");
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn every_mutant_is_planted_somewhere_and_every_wrong_turn_is_listed() {
    let mut files = Vec::new();
    sources(&dengmi_tests::root().join("crates"), &mut files);
    let mut planted = BTreeSet::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("planted(\"").skip(1) {
            planted.insert(part.split('"').next().unwrap_or_default().to_owned());
        }
    }
    let listed: BTreeSet<String> = ALL.iter().map(|mutant| mutant.name.to_owned()).collect();
    assert_eq!(listed.len(), ALL.len(), "a name stands for one mutant");
    assert_eq!(planted, listed);
    assert!(listed.len() >= 30, "mutants are gone");
}
