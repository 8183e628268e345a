//! The binary as operators use it: what it prints, what it exits with, and a server that is killed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The repository's root, where the content is.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn dengmi(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dengmi"));
    command.current_dir(root()).env_remove("DENGMI_DATA").env_remove("DENGMI_CONTENT");
    command.arg("--data").arg(data).args(arguments);
    command
}

/// Runs a command to its end with `input`; checks its exit code, and gives what it printed.
#[track_caller]
fn check(data: &Path, arguments: &[&str], input: &str, code: i32) -> (String, String) {
    let mut child = dengmi(data, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(code), "{arguments:?}\n{stdout}\n{stderr}");
    if code != 0 && code != 2 {
        assert!(stderr.contains("hint:"), "an error without a hint: {stderr}");
    }
    (stdout, stderr)
}

/// A server on a port of its own; killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = dengmi(data, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        let server = Self { child, address };
        assert_eq!(server.call("GET", "/readyz", "", None).0, 200);
        server
    }

    /// One request on a connection of its own; status and body.
    fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        self.call_as(method, path, token, body, uuid::Uuid::now_v7())
    }

    fn call_as(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
        key: uuid::Uuid,
    ) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let body = body.map_or_else(String::new, |body| body.to_string());
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: dengmi\r\nconnection: close\r\n\
             authorization: Bearer {token}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    #[track_caller]
    fn done(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, token, Some(body));
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    fn sign_in(&self) -> String {
        let body = json!({"login": "wang", "password": "correct horse battery"});
        let session = self.done("POST", "/v1/operator-sessions", "", body);
        session["token"].as_str().unwrap().to_owned()
    }

    /// Asks it to stop, as an operating system does, and waits until it has.
    #[cfg(unix)]
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it without any warning.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_repositorys_content_passes_and_faults_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (text, _) = check(folder.path(), &["check"], "", 0);
    assert!(text.contains(" 0 errors"), "{text}");
    let (json, _) = check(folder.path(), &["check", "--format", "json"], "", 0);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["errors"], 0);
    assert_eq!(report["pack"].as_str().unwrap().len(), 64);

    let broken = folder.path().join("broken");
    for part in ["content", "quests"] {
        std::fs::create_dir_all(broken.join(part)).unwrap();
    }
    std::fs::write(broken.join("quests/x.ron"), "(schema: 1, titel: 3").unwrap();
    let path = broken.to_str().unwrap();
    let (text, error) = check(folder.path(), &["check", path], "", 1);
    assert!(text.contains("quests/x.ron:1:"), "{text}");
    let code = error.split('`').nth(1).unwrap().rsplit(' ').next().unwrap();
    let (page, _) = check(folder.path(), &["explain", code], "", 0);
    assert!(!page.is_empty());
    check(folder.path(), &["explain", "C9999"], "", 1);
    check(folder.path(), &["--content", "/", "check"], "", 1);
    let (json, _) = check(folder.path(), &["check", path, "--format", "json"], "", 1);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["pack"], Value::Null);
}

#[test]
fn faults_of_the_command_line_have_their_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    check(&nothing, &["no-such-command"], "", 2);
    check(&nothing, &["member", "erase", "c1-1"], "", 2);
    check(&nothing, &["replay"], "", 1);
    check(&nothing, &["verify", "journal"], "", 1);
    check(&nothing, &["ledger", "export"], "", 1);
    assert!(!nothing.exists(), "looking at data creates none");
    let add = |login: &str, more: &[&str], password: &str, code| {
        let arguments = [["user", "add", login].as_slice(), more].concat();
        check(&nothing, &arguments, password, code)
    };
    let good = "correct horse battery\n";
    add("li", &["--role", "branch"], good, 2);
    add("li", &["--role", "manager"], good, 2);
    add("li", &["--role", "analyst", "--manager", "g1-1"], good, 2);
    add("li", &["--role", "manager", "--manager", "g1-1", "--branch", "b2"], good, 2);
    add("李", &["--role", "analyst"], good, 1);
    add("li", &["--role", "analyst"], "short\n", 1);
    assert!(!nothing.join("dengmi.db").exists());
    add("li", &["--role", "manager", "--manager", "g1-1"], good, 0);
    add("li", &["--role", "analyst"], good, 1);
    let (list, _) = check(&nothing, &["user", "list"], "", 0);
    assert_eq!(list.lines().count(), 1);
    assert!(list.contains("manager g1-1\tb1"), "{list}");
    let database = std::fs::read(nothing.join("dengmi.db")).unwrap();
    let password = good.trim().as_bytes();
    assert!(!database.windows(password.len()).any(|bytes| bytes == password));
}

#[cfg(unix)]
#[test]
fn a_server_that_is_killed_loses_nothing_and_its_books_balance() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    check(data, &["user", "add", "wang", "--role", "head-office"], "correct horse battery\n", 0);
    let server = Server::start(data);
    let wrong = json!({"login": "wang", "password": "wrong horse battery"});
    assert_eq!(server.call("POST", "/v1/operator-sessions", "", Some(wrong)).0, 401);
    let operator = server.sign_in();
    server.done("POST", "/v1/managers", &operator, json!({"branch": "b1"}));
    let group = json!({"template": "investor-education", "manager": "g1-1"});
    server.done("POST", "/v1/communities", &operator, group);
    let today = server.done("GET", "/v1/communities", &operator, Value::Null);
    assert_eq!(today["communities"].as_array().unwrap().len(), 1);

    let invite = server.done("POST", "/v1/invites", &operator, json!({"community": "c1-1"}));
    let members: Vec<Value> = (0..4)
        .map(|n| {
            let nickname = format!("灯谜迷{n}");
            let body = json!({"invite": invite["invite"], "nickname": nickname, "consent": true});
            server.done("POST", "/v1/sessions", "", body)
        })
        .collect();
    let token = |n: usize| members[n]["token"].as_str().unwrap();
    let joined = server.done("GET", "/v1/me", token(0), Value::Null);
    let launch = json!({"branch": "b1", "quest": "habit-7", "start": joined["joined"]});
    let run = server.done("POST", "/v1/runs", &operator, launch);
    let check_ins = format!("/v1/runs/{}/check-ins", run["id"].as_str().unwrap());
    let key = uuid::Uuid::now_v7();
    let first = server.call_as("POST", &check_ins, token(0), Some(json!({})), key);
    assert_eq!(first.0, 200, "{}", first.1);
    for n in 1..4 {
        server.done("POST", &check_ins, token(n), json!({}));
    }
    let balance = server.done("GET", "/v1/me", token(0), Value::Null)["balance"].clone();
    assert!(balance.as_i64().unwrap() > 0);

    // The folder has one owner.
    for arguments in [["verify", "journal"], ["member", "erase"]] {
        let mut arguments = arguments.to_vec();
        arguments.extend((arguments[0] == "member").then_some("m1-2"));
        check(data, &arguments, "", 4);
    }
    server.kill();

    let server = Server::start(data);
    assert_eq!(server.done("GET", "/v1/me", token(0), Value::Null)["balance"], balance);
    assert_eq!(server.call_as("POST", &check_ins, token(0), Some(json!({})), key), first);
    let again = server.call("POST", &check_ins, token(0), Some(json!({})));
    assert_eq!(again.0, 409, "{}", again.1);
    server.stop();

    let (report, _) = check(data, &["verify", "journal"], "", 0);
    assert!(report.contains("whole"), "{report}");
    let (report, _) = check(data, &["replay"], "", 0);
    assert_eq!(report.matches("same").count(), 2, "from the beginning and the snapshot: {report}");
    books_balance(data);

    let before = files_containing(data, "灯谜迷1");
    assert!(!before.is_empty());
    check(data, &["member", "erase", "m1-2"], "", 0);
    assert_eq!(files_containing(data, "灯谜迷1"), Vec::<PathBuf>::new());
    assert!(!files_containing(data, "灯谜迷2").is_empty());
    check(data, &["member", "erase", "m1-2"], "", 0);
    check(data, &["member", "erase", "m1-9"], "", 1);
    check(data, &["replay"], "", 0);
    let server = Server::start(data);
    assert_eq!(server.call("GET", "/v1/me", token(1), None).0, 401);
    assert_eq!(server.call("GET", "/v1/me", token(2), None).0, 200);
    server.stop();

    // One flipped bit in the largest record is noticed and named.
    let database = data.join("dengmi.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let needle = b"habit-7";
    let hits: Vec<usize> = bytes
        .windows(needle.len())
        .enumerate()
        .filter(|(_, window)| window == needle)
        .map(|(at, _)| at)
        .collect();
    assert!(!hits.is_empty());
    for at in hits {
        bytes[at] ^= 1;
    }
    std::fs::write(&database, bytes).unwrap();
    check(data, &["verify", "journal"], "", 3);
    check(data, &["replay", "--from", "beginning"], "", 3);
}

/// Adds up the exported transactions, and asks hledger where there is one.
fn books_balance(data: &Path) {
    let (journal, _) = check(data, &["ledger", "export", "--format", "hledger"], "", 0);
    let postings = journal.lines().filter(|line| line.starts_with("    "));
    let amounts: Vec<i64> = postings
        .map(|line| line.trim_end_matches(" pts").rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(amounts.len() >= 8 && amounts.len().is_multiple_of(2), "{journal}");
    assert!(amounts.chunks(2).all(|pair| pair[0] > 0 && pair[0] + pair[1] == 0));
    let path = data.join("points.journal");
    std::fs::write(&path, journal).unwrap();
    let hledger = |arguments: &[&str]| {
        Command::new("hledger").env("LANG", "C.UTF-8").arg("-f").arg(&path).args(arguments).output()
    };
    if let Ok(checked) = hledger(&["check"]) {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let balance = hledger(&["balance"]).unwrap();
        let balance = String::from_utf8(balance.stdout).unwrap();
        assert_eq!(balance.lines().last().map(str::trim), Some("0"), "{balance}");
        let sheet = hledger(&["balancesheetequity", "--depth", "1"]).unwrap();
        let sheet = String::from_utf8(sheet.stdout).unwrap();
        assert!(sheet.contains("会员"), "{sheet}");
        let net = sheet.lines().last().and_then(|line| line.strip_prefix(" Net:"));
        assert_eq!(net.map(|net| net.trim_matches([' ', '|'])), Some("0"), "{sheet}");
    }
}

/// Files of the folder in which a text stands.
fn files_containing(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_containing(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_market_is_shown_checked_and_verified() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let (shown, _) = check(data, &["market", "show", "steady-7", "--seed", "3"], "", 0);
    let after = |name: &str| {
        let line = shown.lines().find(|line| line.contains(name)).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    let (secret, commitment) = (after("secret "), after("commitment "));
    let (prices, _) = check(data, &["market", "show", "steady-7", "--seed", "3", "--csv"], "", 0);
    let file = data.join("prices.csv");
    std::fs::write(&file, &prices).unwrap();
    let file = file.to_str().unwrap();
    let verify = |secret: &str, commitment: &str, code| {
        let terms = ["--market", "standard", "--scenario", "steady-7", "--prices", file];
        let given = ["verify", "market", "--secret", secret, "--commitment", commitment];
        check(data, &[&given[..], &terms[..]].concat(), "", code)
    };
    assert!(verify(&secret, &commitment, 0).0.contains("126 / 126"));
    verify(&commitment, &commitment, 3);
    // One price that is not of the path.
    let line = prices.lines().find(|line| line.starts_with("6,index-broad,")).unwrap();
    std::fs::write(file, prices.replace(line, "6,index-broad,100000000,0,0")).unwrap();
    assert!(verify(&secret, &commitment, 3).0.contains("125 / 126"));

    // The same as the interface publishes it: the market's page and the history of an asset.
    let page = |content: &str| {
        let page = json!({
            "course": "basics-7", "first": "2026-11-23", "market": "standard",
            "scenario": "steady-7", "content": content, "commitment": commitment,
            "secret": secret, "title": "kept as it is",
        });
        std::fs::write(data.join("market.json"), page.to_string()).unwrap();
    };
    let history = |change: i64| {
        let days: Vec<Value> = prices
            .lines()
            .filter(|line| line.contains(",index-broad,"))
            // Day 6 of the course speeds time up; `show` gives each day one.
            .take(5)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                let nav = (cells[2].parse::<i64>().unwrap() + 5_000) / 10_000 + change;
                let nav = format!("{}.{:04}", nav / 10_000, nav % 10_000);
                let day: i32 = cells[0].parse().unwrap();
                json!({"day": day, "date": "2026-11-23", "nav": nav, "gated": false})
            })
            .collect();
        let history = json!({"asset": "index-broad", "days": days});
        std::fs::write(data.join("history.json"), history.to_string()).unwrap();
    };
    let paths = ["market.json", "history.json"].map(|name| data.join(name));
    let [published, saved] = paths.each_ref().map(|path| path.to_str().unwrap());
    let given = ["verify", "market", "--published", published, "--history", saved];
    page(&secret);
    history(0);
    let (_, other) = check(data, &given, "", 1);
    let digest = other.split("this is ").nth(1).unwrap();
    let digest: String = digest.chars().take_while(char::is_ascii_hexdigit).collect();
    page(&digest);
    assert!(check(data, &given, "", 0).0.contains("`index-broad`: 5 / 5"));
    history(1);
    assert!(check(data, &given, "", 3).0.contains("`index-broad`: 0 / 5"));
    check(data, &["verify", "market", "--secret", &secret], "", 2);

    check(data, &["market", "show", "steady"], "", 1);
    check(data, &["market", "show", "quiet", "--asset", "demand"], "", 1);
    let few = ["market", "check", "--seeds", "2", "--days", "2500", "--threads", "2"];
    let (table, _) = check(data, &few, "", 0);
    assert!(table.contains("index-broad") && table.contains("ns") && !table.contains("MISSED"));
    // Three weeks say nothing yet: targets are missed, and that is an error.
    let (table, _) = check(data, &["market", "check", "--seeds", "1", "--days", "20"], "", 1);
    assert!(table.contains("MISSED"));
}
