//! Through the real binary: what a bank would do, and what nobody would.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dengmi_tests::{Server, add_user, dengmi};
use serde_json::{Value, json};

const PASSWORD: &str = "six lanterns in a row";

fn login(server: &Server) -> String {
    let body = json!({"login": "boss", "password": PASSWORD});
    let answer = server.send("POST", "/v1/operator-sessions", None, &body).unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.json);
    answer.json["token"].as_str().unwrap().to_owned()
}

/// A write that has to succeed.
#[track_caller]
fn done(server: &Server, path: &str, token: &str, body: &Value) -> Value {
    let answer = server.send("POST", path, Some(token), body).unwrap();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.json);
    answer.json
}

fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = dengmi_core::Timestamp(i64::try_from(now.as_millis()).unwrap());
    dengmi_core::Calendar::default().day_of(at).to_string()
}

/// A branch with a group, a streak that runs, and an invite to the group.
fn open_branch(server: &Server, token: &str) -> (String, String) {
    let manager = done(server, "/v1/managers", token, &json!({"branch": "b1"}));
    let group = json!({"template": "long-term", "manager": manager["id"]});
    let group = done(server, "/v1/communities", token, &group);
    let run = json!({"branch": "b1", "quest": "habit-7", "start": today()});
    let run = done(server, "/v1/runs", token, &run);
    let invite = done(server, "/v1/invites", token, &json!({"community": group["id"]}));
    (run["id"].as_str().unwrap().to_owned(), invite["invite"].as_str().unwrap().to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Joins and checks in as fast as it can, until told to stop; what was acknowledged goes into
/// `acked`: member, and whether the check-in was acknowledged too.
fn hammer(
    server: &Server,
    invite: &str,
    run: &str,
    stop: &AtomicBool,
    acked: &Mutex<BTreeMap<String, (String, bool)>>,
) {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        let body = json!({"invite": invite, "nickname": format!("灯友{n}"), "consent": true});
        let Ok(joined) = server.send("POST", "/v1/sessions", None, &body) else { continue };
        if joined.status != 201 {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        let (member, token) = (text(&joined.json["member"]), text(&joined.json["token"]));
        acked.lock().unwrap().insert(member.clone(), (token.clone(), false));
        let path = format!("/v1/runs/{run}/check-ins");
        let checked = server.send("POST", &path, Some(&token), &json!({}));
        if checked.is_ok_and(|answer| answer.status == 200) {
            acked.lock().unwrap().insert(member, (token, true));
        }
    }
}

#[track_caller]
fn succeeds(data: &Path, args: &[&str]) -> String {
    let output = dengmi(data, args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[expect(clippy::print_stderr, reason = "a skipped part of a test says so")]
#[test]
fn a_kill_in_the_middle_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "boss", PASSWORD, &["--role", "head-office"]);
    let mut server = Server::start(&data, &["serve"]);
    let (run, invite) = open_branch(&server, &login(&server));
    let acked = Arc::new(Mutex::new(BTreeMap::new()));
    for _ in 0..3 {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| hammer(&server, &invite, &run, &stop, &acked));
            }
            std::thread::sleep(Duration::from_millis(700));
            // The hammer is still at work when the process dies.
            let killed = Command::new("kill").args(["-9", &server.id().to_string()]).status();
            assert!(killed.unwrap().success());
            std::thread::sleep(Duration::from_millis(50));
            stop.store(true, Ordering::Relaxed);
        });
        server.kill();
        server = Server::start(&data, &["serve"]);
    }
    let acked = acked.lock().unwrap().clone();
    assert!(acked.len() > 20, "only {} joins were acknowledged", acked.len());
    let checked = acked.values().filter(|(_, checked)| *checked).count();
    assert!(checked > 10, "only {checked} check-ins were acknowledged");
    for (member, (token, checked)) in &acked {
        let points = server.get(&format!("/v1/members/{member}/points"), Some(token)).unwrap();
        assert_eq!(points.status, 200, "{member} was acknowledged and is gone");
        // One point for the check-in, five for newcomers where the rule applies.
        let awards = points.json["entries"].as_array().unwrap().len();
        assert!(!checked || awards > 0, "{member}'s check-in was acknowledged and is gone");
        // Asked again, it is refused, or done now: never twice.
        let path = format!("/v1/runs/{run}/check-ins");
        let again = server.send("POST", &path, Some(token), &json!({})).unwrap();
        if *checked {
            assert_eq!(again.status, 409, "{member} checked in twice: {}", again.json);
            assert_eq!(again.json["code"], "duplicate-check-in");
        }
    }
    server.kill();

    let replayed = succeeds(&data, &["replay"]);
    assert!(!replayed.is_empty());
    succeeds(&data, &["verify", "journal"]);
    let journal = succeeds(&data, &["ledger", "export", "--format", "hledger"]);
    let file = folder.path().join("points.journal");
    std::fs::write(&file, &journal).unwrap();
    match Command::new("hledger").arg("-f").arg(&file).arg("check").output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let total = ["bal", "-N", "--depth", "0"];
            let balance = Command::new("hledger").arg("-f").arg(&file).args(total).output();
            let sheet = String::from_utf8(balance.unwrap().stdout).unwrap();
            assert!(sheet.trim().is_empty() || sheet.trim().starts_with('0'), "{sheet}");
        }
        Err(_) => eprintln!("skipped: hledger is not installed, the export is not checked by it"),
    }
}

/// The number after `commands ` in a line of the demonstration.
fn commands_in(line: &str) -> Option<u64> {
    let digits = line.split("commands ").nth(1)?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn a_killed_demo_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut demo = Command::new(dengmi_tests::binary())
        .arg("--data")
        .arg(&data)
        .arg("--content")
        .arg(dengmi_tests::root())
        .args(["demo", "--members", "200", "--days", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It has shown what it counted only after it was committed.
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let shown = lines.filter_map(|line| commands_in(&line)).find(|commands| *commands > 100);
    demo.kill().unwrap();
    demo.wait().unwrap();
    let shown = shown.expect("the demonstration shows what it does");

    let replayed = succeeds(&data, &["replay"]);
    let applied = replayed.lines().find_map(|line| {
        let before = line.split(" commands").next()?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    assert!(applied >= Some(shown), "{shown} were shown: {replayed}");
    succeeds(&data, &["verify", "journal"]);
    Server::start(&data, &["serve"]).kill();
}

#[test]
fn erasing_a_member_leaves_replay_and_ledger_intact() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let marker = "擦除我吧灯";
    add_user(&data, "boss", PASSWORD, &["--role", "head-office"]);
    let server = Server::start(&data, &["serve"]);
    let (run, invite) = open_branch(&server, &login(&server));
    let body = json!({"invite": invite, "nickname": marker, "consent": true});
    let joined = server.send("POST", "/v1/sessions", None, &body).unwrap();
    let (member, token) = (text(&joined.json["member"]), text(&joined.json["token"]));
    done(&server, &format!("/v1/runs/{run}/check-ins"), &token, &json!({}));
    let refused = dengmi(&data, &["member", "erase", &member]);
    assert_eq!(refused.status.code(), Some(4), "the running server owns the data");
    server.kill();
    succeeds(&data, &["member", "erase", &member]);
    succeeds(&data, &["replay"]);
    succeeds(&data, &["verify", "journal"]);
    for entry in walk(&data) {
        let bytes = std::fs::read(&entry).unwrap();
        let found = bytes.windows(marker.len()).any(|window| window == marker.as_bytes());
        assert!(!found, "the nickname is still in {}", entry.display());
    }
    let server = Server::start(&data, &["serve"]);
    let points =
        server.get(&format!("/v1/members/{member}/points"), Some(&login(&server))).unwrap();
    assert_eq!((points.status, points.json["balance"].as_i64() > Some(0)), (200, true));
    let again = server.send("POST", &format!("/v1/runs/{run}/check-ins"), Some(&token), &json!({}));
    assert_eq!(again.unwrap().status, 401, "the session ended with the erasure");
}

/// A cohort from its start to its end by an operator, over HTTP and over the command line.
#[test]
fn a_cohort_is_started_joined_and_dissolved() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    add_user(&data, "boss", PASSWORD, &["--role", "head-office"]);
    let server = Server::start(&data, &["serve"]);
    let boss = login(&server);
    let manager = done(&server, "/v1/managers", &boss, &json!({"branch": "b1"}))["id"].clone();
    let group = |template: &str| {
        let group = json!({"template": template, "manager": manager});
        text(&done(&server, "/v1/communities", &boss, &group)["id"])
    };
    let (class, goal, second) =
        (group("investor-education"), group("long-term"), group("investor-education"));
    let courses = server.get("/v1/courses", Some(&boss)).unwrap().json;
    let course = courses["courses"][0]["id"].clone();
    let days = courses["courses"][0]["lessons"].as_array().unwrap().len();

    let tomorrow = today().parse::<dengmi_core::Day>().unwrap().plus(1).to_string();
    let start =
        json!({"branch": "b1", "course": course, "communities": [class], "start": tomorrow});
    let cohort = done(&server, "/v1/cohorts", &boss, &start);
    let path = |rest: &str| format!("/v1/cohorts/{}{rest}", cohort["id"].as_str().unwrap());
    let again = server.send("POST", "/v1/cohorts", Some(&boss), &start).unwrap();
    assert_eq!((again.status, &again.json["code"]), (409, &json!("group-taken")));

    // Enrolment opens by itself, days before the first lesson.
    let stage = || server.get(&path(""), Some(&boss)).unwrap().json["stage"].clone();
    let opened = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        stage() == "enrolling"
    });
    assert!(opened, "enrolment opens: {}", stage());
    let invite = done(&server, "/v1/invites", &boss, &json!({"community": class}));
    let body = json!({"invite": invite["invite"], "nickname": "早课灯", "consent": true});
    let joined = server.send("POST", "/v1/sessions", None, &body).unwrap().json;
    let (member, token) = (text(&joined["member"]), text(&joined["token"]));
    done(&server, &path("/enrolments"), &token, &json!({}));

    // What is asked before the course is asked without telling, and each item once.
    let me = || server.get(&path("/me"), Some(&token)).unwrap().json;
    let asked = me()["paired"]["items"].as_array().unwrap().clone();
    assert!(!asked.is_empty());
    let choice = |item: &Value| match item["kind"].as_str().unwrap() {
        "number" => json!({"number": "1"}),
        "true_false" => json!({"bool": true}),
        "multi" => json!({"many": [0]}),
        "text" => json!({"text": "灯"}),
        _ => json!({"one": 0}),
    };
    let answers: Vec<Value> =
        asked.iter().map(|item| json!({"item": item["item"], "choice": choice(item)})).collect();
    let before = json!({"occasion": "before", "answers": answers});
    let told = done(&server, &path("/items"), &token, &before);
    assert_eq!(told, json!({"answered": asked.len()}));
    let again = server.send("POST", &path("/items"), Some(&token), &before).unwrap();
    assert_eq!((again.status, &again.json["code"]), (409, &json!("items-not-due")));
    assert_eq!(me()["paired"]["items"], json!([]));

    // A wish is one of the groups on offer; a lesson is read when it was sent.
    let wish = json!({"wish": {"group": goal}});
    assert_eq!(server.send("PUT", &path("/wish"), Some(&token), &wish).unwrap().status, 204);
    assert_eq!(me()["wish"], wish["wish"]);
    let other = json!({"wish": {"group": class}});
    assert_eq!(server.send("PUT", &path("/wish"), Some(&token), &other).unwrap().status, 404);
    let lesson = server.get(&path("/lessons/1"), Some(&token)).unwrap();
    assert_eq!((lesson.status, &lesson.json["code"]), (409, &json!("lesson-not-sent")));
    let arrival = path(&format!("/members/{member}/arrival"));
    let early = server.send("POST", &arrival, Some(&boss), &json!({})).unwrap();
    assert_eq!((early.status, &early.json["code"]), (409, &json!("no-invitation")));

    let held = dengmi(&data, &["cohort", "list"]);
    assert_eq!(held.status.code(), Some(4), "the running server owns the data");
    server.kill();
    let list = succeeds(&data, &["cohort", "list"]);
    assert!(list.contains("enrolling") && list.lines().count() == 1, "{list}");
    let start = ["cohort", "start", course.as_str().unwrap(), "--group", &second];
    let started = succeeds(&data, &[&start[..], &["--day", &tomorrow]].concat());
    assert!(started.contains("k1-2"), "{started}");
    let refused = dengmi(&data, &[&start[..], &["--day", &tomorrow]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("group-taken"));
    succeeds(&data, &["cohort", "dissolve", "k1-1"]);
    let shown = succeeds(&data, &["cohort", "show", "k1-1", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["stage"], &shown["members"]["left"]), (&json!("archived"), &json!(1)));
    assert_eq!((&shown["sent"], &shown["days"]), (&json!(0), &json!(days)));
    assert_eq!(dengmi(&data, &["cohort", "show", "k1-9"]).status.code(), Some(1));
    succeeds(&data, &["replay"]);
}

/// The demonstration takes a course through to the long-term group, on the real clock's hurried
/// stand-in; and all of it replays.
#[test]
fn the_demo_takes_a_course_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let play = ["demo", "--members", "200", "--days", "11", "--speed", "21600", "--quiet"];
    let told = succeeds(&data, &play);
    for stage in ["开课 running", "评定 grading", "结业邀请 placing graduates"] {
        assert!(told.contains(stage), "{stage}: {told}");
    }
    let shown = succeeds(&data, &["cohort", "show", "k1-1", "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(["placing", "archived"].contains(&shown["stage"].as_str().unwrap()), "{shown}");
    assert_eq!(shown["sent"], shown["days"]);
    let arrived = shown["members"]["arrived"].as_u64();
    assert!(arrived > Some(0), "somebody went all the way: {shown}");
    assert!(shown["secret"].is_string(), "nothing depends on it any more: {shown}");
    let picture = succeeds(&data, &["cohort", "show", "k1-1"]);
    assert!(picture.contains("已入群 arrived"), "{picture}");
    succeeds(&data, &["replay"]);
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn faults_are_told_with_a_hint_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["check"], 0, "0 errors"),
        (&["explain", "C0301"], 0, "C0301"),
        (&["explain", "C9999"], 1, "hint"),
        (&["no-such-command"], 2, "Usage"),
        (&["check", "no/such/folder"], 1, "hint"),
        (&["replay"], 1, "hint"),
        (&["member", "erase", "c1-1"], 2, "m1-42"),
        (&["cohort", "list"], 1, "hint"),
        (&["cohort", "show", "r1-1"], 2, "k1-2"),
        (&["cohort", "start", "basics-7", "--day", "2026-11-23"], 2, "--group"),
    ];
    for (args, code, needle) in cases {
        let output = dengmi(&data, args);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{args:?}: {said}");
        assert!(said.contains(needle), "{args:?}: {said}");
    }
}
