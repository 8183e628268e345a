//! Wherever it runs: time zone, language and number of threads change nothing of what the real
//! binary computes. What it says of a moment may read differently; what it came to may not.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Zones west and east of the bank's own, one with a shift of half an hour, languages with other
/// letters and number formats, and fewer and more threads than there are processors.
const PLACES: &[&[(&str, &str)]] = &[
    &[("TZ", "UTC"), ("LC_ALL", "C")],
    &[("TZ", "America/New_York"), ("LC_ALL", "C.UTF-8")],
    &[("TZ", "Asia/Shanghai"), ("LC_ALL", "zh_CN.UTF-8"), ("LANG", "zh_CN.UTF-8")],
    &[("TZ", "Pacific/Kiritimati"), ("LC_ALL", "de_DE.UTF-8"), ("TOKIO_WORKER_THREADS", "1")],
    &[("TZ", "Asia/Kolkata"), ("LC_ALL", "tr_TR.UTF-8"), ("TOKIO_WORKER_THREADS", "7")],
];

fn at(place: &[(&str, &str)], data: &Path) -> Command {
    let mut command = Command::new(dengmi_tests::binary());
    for name in ["TZ", "LANG", "LANGUAGE", "LC_ALL", "TOKIO_WORKER_THREADS"] {
        command.env_remove(name);
    }
    command.envs(place.iter().copied());
    command.arg("--data").arg(data).arg("--content").arg(dengmi_tests::root());
    command
}

/// What a command printed; it must end well.
#[track_caller]
fn says(place: &[(&str, &str)], data: &Path, args: &[&str]) -> String {
    let output = at(place, data).args(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place:?} {args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The parts of lines about replays that say what came of it: all but time and speed.
fn came_to(replay: &str) -> Vec<&str> {
    let parts = replay.lines().flat_map(|line| line.split(", "));
    parts.filter(|part| !part.ends_with(" s") && !part.ends_with("/s")).collect()
}

/// A demonstration, whose host and members run in one place, is applied again in every other.
#[test]
fn a_journal_of_one_place_replays_in_every_other() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut demo = at(PLACES[2], &data)
        .args(["demo", "--members", "100", "--days", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut counts = lines.filter(|line| line.contains("commands "));
    let shown = counts.nth(12);
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(shown.is_some(), "the demonstration shows what it does");
    let first = says(PLACES[0], &data, &["replay"]);
    let first = came_to(&first);
    assert!(first.iter().any(|part| part.starts_with("chain ")), "{first:?}");
    for place in &PLACES[1..] {
        assert_eq!(came_to(&says(place, &data, &["replay"])), first, "{place:?}");
        says(place, &data, &["verify", "journal"]);
    }
}

/// Content, markets and campaigns come to the same.
#[test]
fn what_is_computed_is_the_same_in_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let commands: &[&[&str]] = &[
        &["check", "--format", "json"],
        &["course", "coverage", "basics-7"],
        &["market", "show", "journey-14", "--csv"],
    ];
    for args in commands {
        let said = says(PLACES[0], folder.path(), args);
        assert!(!said.is_empty(), "{args:?}");
        for place in &PLACES[1..] {
            assert_eq!(says(place, folder.path(), args), said, "{place:?} {args:?}");
        }
    }
}
