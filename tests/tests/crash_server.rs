//! The real server, through HTTP: its power fails, its disk runs full.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dengmi_tests::crash::child::preload;
use dengmi_tests::crash::disk::{Disk, Loss, Op, lay, read_log};
use dengmi_tests::crash::full::{PLENTY, set};
use dengmi_tests::{Answer, Server, add_user, dengmi, request};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const PASSWORD: &str = "six lanterns in a row";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn done(server: &Server, path: &str, token: Option<&str>, body: &Value) -> Value {
    let answer = server.send("POST", path, token, body).unwrap();
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.json);
    answer.json
}

/// A branch with a group and a streak that runs: the run, and an invite to the group.
fn open_branch(server: &Server) -> (String, String) {
    let login = json!({"login": "boss", "password": PASSWORD});
    let token = text(&done(server, "/v1/operator-sessions", None, &login)["token"]);
    let token = Some(token.as_str());
    let manager = done(server, "/v1/managers", token, &json!({"branch": "b1"}));
    let group = json!({"template": "long-term", "manager": manager["id"]});
    let group = done(server, "/v1/communities", token, &group);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = dengmi_core::Timestamp(i64::try_from(now.as_millis()).unwrap());
    let today = dengmi_core::Calendar::default().day_of(now).to_string();
    let run = json!({"branch": "b1", "quest": "habit-7", "start": today});
    let run = done(server, "/v1/runs", token, &run);
    let invite = done(server, "/v1/invites", token, &json!({"community": group["id"]}));
    (text(&run["id"]), text(&invite["invite"]))
}

fn join(server: &Server, invite: &str) -> std::io::Result<Answer> {
    let body = json!({"invite": invite, "nickname": "灯友", "consent": true});
    server.send("POST", "/v1/sessions", None, &body)
}

/// Joins and checks in until told to stop: token by member, and whether the check-in was
/// acknowledged.
fn hammer(
    server: &Server,
    invite: &str,
    run: &str,
    stop: &AtomicBool,
    acked: &Mutex<BTreeMap<String, (String, bool)>>,
) {
    while !stop.load(Ordering::Relaxed) {
        let Ok(joined) = join(server, invite) else { continue };
        if joined.status != 201 {
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

/// Everything acknowledged is there, and a check-in sent again is refused as a repeat.
#[track_caller]
fn check(server: &Server, run: &str, acked: &BTreeMap<String, (String, bool)>) {
    for (member, (token, checked)) in acked {
        let points = server.get(&format!("/v1/members/{member}/points"), Some(token)).unwrap();
        assert_eq!(points.status, 200, "{member} was acknowledged and is gone");
        if *checked {
            assert!(!points.json["entries"].as_array().unwrap().is_empty(), "{member}'s check-in");
            let path = format!("/v1/runs/{run}/check-ins");
            let again = server.send("POST", &path, Some(token), &json!({})).unwrap();
            assert_eq!(again.json["code"], "duplicate-check-in", "{member}: {}", again.json);
        }
    }
}

#[track_caller]
fn succeeds(data: &Path, args: &[&str]) {
    let output = dengmi(data, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let log = folder.path().join("log");
    add_user(&data, "boss", PASSWORD, &["--role", "head-office"]);
    let mut disk = Disk::of(&data);
    let variables = [
        ("LD_PRELOAD", preload().as_os_str()),
        ("POWERLOSS_FOLDER", data.as_os_str()),
        ("POWERLOSS_LOG", log.as_os_str()),
    ];
    let server = Server::start_in(&data, &["serve"], &variables);
    let (run, invite) = open_branch(&server);
    let acked = Mutex::default();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| hammer(&server, &invite, &run, &stop, &acked));
        }
        std::thread::sleep(Duration::from_millis(1_500));
        let id = server.id().to_string();
        let killed = std::process::Command::new("kill").args(["-9", &id]).status();
        assert!(killed.unwrap().success());
        stop.store(true, Ordering::Relaxed);
    });
    server.kill();
    let acked = acked.into_inner().unwrap();
    assert!(acked.len() > 20, "only {} joins were acknowledged", acked.len());

    // Whoever was answered was answered before the kill, so all of it was on the disk by then.
    let ops = read_log(&std::fs::read(&log).unwrap()).unwrap();
    ops.iter().for_each(|op| disk.apply(op));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (n, loss) in [Loss::All, Loss::Some, Loss::Some].into_iter().enumerate() {
        let after = folder.path().join(format!("after-{n}"));
        lay(&disk.cut(loss, &mut rng), &data, &after);
        let server = Server::start(&after, &["serve"]);
        check(&server, &run, &acked);
        server.kill();
        succeeds(&after, &["replay"]);
        succeeds(&after, &["verify", "journal"]);
    }
}

/// The names of new folders outlast a power cut before anything in them is acknowledged.
#[test]
fn a_new_data_folder_is_synced_into_its_parents() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let top = folder.path().join("top");
    std::fs::create_dir(&top).unwrap();
    let data = top.join("new").join("data");
    let variables = [
        ("LD_PRELOAD", preload().as_os_str()),
        ("POWERLOSS_FOLDER", top.as_os_str()),
        ("POWERLOSS_LOG", log.as_os_str()),
    ];
    Server::start_in(&data, &["serve"], &variables).kill();
    let ops = read_log(&std::fs::read(&log).unwrap()).unwrap();
    let mut synced = std::collections::BTreeSet::new();
    let mut open = BTreeMap::new();
    for op in &ops {
        match op {
            Op::Open { fd, path, .. } => drop(open.insert(*fd, path.clone())),
            Op::Sync(fd) => drop(synced.insert(open[fd].clone())),
            _ => {}
        }
    }
    for parent in [top.clone(), top.join("new"), data] {
        assert!(synced.contains(&parent), "{} was never synced: {synced:?}", parent.display());
    }
}

#[test]
fn a_full_disk_is_answered_with_a_problem_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let budget = folder.path().join("budget");
    add_user(&data, "boss", PASSWORD, &["--role", "head-office"]);
    set(&budget, PLENTY);
    let variables = [
        ("LD_PRELOAD", preload().as_os_str()),
        ("POWERLOSS_FOLDER", data.as_os_str()),
        ("POWERLOSS_BUDGET", budget.as_os_str()),
    ];
    let server = Server::start_in(&data, &["serve"], &variables);
    let (run, invite) = open_branch(&server);
    let mut acked = BTreeMap::new();
    for _ in 0..5 {
        let joined = join(&server, &invite).unwrap().json;
        acked.insert(text(&joined["member"]), (text(&joined["token"]), false));
    }
    let path = format!("/v1/runs/{run}/check-ins");
    let keys: Vec<String> = acked.keys().map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let check_in = |key: &str, token: &str| {
        request(&server.address, "POST", &path, Some(token), Some((key, &json!({})))).unwrap()
    };

    // The log may hold free room that was written before: what is sent fills it first.
    set(&budget, 0);
    let mut refusals = 0;
    for n in 0..400 {
        let answer = join(&server, &invite).unwrap();
        if answer.status == 201 {
            let (member, token) = (text(&answer.json["member"]), text(&answer.json["token"]));
            acked.insert(member, (token, false));
            continue;
        }
        assert_eq!(answer.status, 503, "join {n}: {}", answer.json);
        let code = text(&answer.json["code"]);
        assert!(["read-only", "unavailable"].contains(&code.as_str()), "{}", answer.json);
        refusals += 1;
        if refusals == 5 {
            break;
        }
    }
    assert_eq!(refusals, 5, "the disk never ran full");
    let tokens: Vec<String> = acked.values().take(5).map(|(token, _)| token.clone()).collect();
    let members: Vec<String> = acked.keys().take(5).cloned().collect();
    for (key, token) in keys.iter().zip(&tokens) {
        let refused = check_in(key, token);
        assert_eq!(refused.status, 503, "{}", refused.json);
        let code = text(&refused.json["code"]);
        assert!(["read-only", "unavailable"].contains(&code.as_str()), "{}", refused.json);
    }
    // Reading goes on.
    for (member, (token, _)) in &acked {
        let points = server.get(&format!("/v1/members/{member}/points"), Some(token)).unwrap();
        assert_eq!(points.status, 200, "{member}");
    }

    set(&budget, PLENTY);
    let started = Instant::now();
    // The same keys, until they are taken: each counts once.
    for ((key, token), member) in keys.iter().zip(&tokens).zip(&members) {
        let mut answer = check_in(key, token);
        while answer.status == 503 && started.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
            answer = check_in(key, token);
        }
        assert_eq!(answer.status, 200, "{}", answer.json);
        acked.insert(member.clone(), (token.clone(), true));
    }
    assert_eq!(server.get("/readyz", None).unwrap().status, 200);
    check(&server, &run, &acked);
    server.kill();
    let server = Server::start(&data, &["serve"]);
    check(&server, &run, &acked);
    server.kill();
    succeeds(&data, &["replay"]);
    succeeds(&data, &["verify", "journal"]);
}
