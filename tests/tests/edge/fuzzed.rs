//! Every fuzz target for a few thousand executions, and every input that once broke one.

#![expect(clippy::print_stderr, reason = "what was reached is told")]

use dengmi_tests::fuzz::{TARGETS, Target, drive};

/// Runs a target as often as an ordinary test can; it must reach at least `distinct` outcomes.
#[track_caller]
fn check(name: &str, distinct: usize) {
    let target = Target::find(name).expect("a target");
    let found = drive(target, target.ordinary, 7, |_| {});
    if let Some((input, said)) = found.broken {
        let text = String::from_utf8_lossy(&input).into_owned();
        panic!("{name}, execution {}: {said}\n{text}\n{input:?}", found.runs);
    }
    eprintln!("{name}: {} executions, {} distinct outcomes", found.runs, found.reached.len());
    for (what, count) in &found.reached {
        eprintln!("  {count:>7}  {what}");
    }
    assert!(found.runs >= 1_000, "{} executions", found.runs);
    assert!(found.reached.len() >= distinct, "{name} reached only {:?}", found.reached);
}

#[test]
fn packs() {
    check("pack", 80);
}

#[test]
fn bodies() {
    check("body", 10);
}

#[test]
fn session_tokens() {
    check("token", 3);
}

#[test]
fn invites() {
    check("invite", 3);
}

#[test]
fn journal_records() {
    check("record", 4);
}

#[test]
fn snapshots() {
    check("snapshot", 4);
}

#[test]
fn nicknames() {
    check("nickname", 5);
}

#[test]
fn rules() {
    check("rule", 6);
}

#[test]
fn every_committed_input_is_run() {
    let mut count = 0;
    for target in TARGETS {
        for (name, input) in target.committed() {
            // A panic is told with the name of the file.
            eprintln!("{}/{name}", target.name);
            (target.run)(&input);
            count += 1;
        }
    }
    assert!(count >= 20, "{count} committed inputs");
}
