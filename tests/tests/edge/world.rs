//! A branch behind the real binary, and requests as bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use dengmi_core::{Calendar, Day, Timestamp};
use dengmi_tests::{Server, add_user};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "six lanterns in a row";

/// The business day, and how far it has come.
pub(crate) fn today() -> (Day, Duration) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = Timestamp(i64::try_from(now.as_millis()).unwrap());
    let day = Calendar::default().day_of(at);
    let since = at.0 - Calendar::default().start_of(day).0;
    (day, Duration::from_millis(since.unsigned_abs()))
}

/// Adds the accounts of every role; `boss` is the head office.
pub(crate) fn accounts(data: &Path) {
    add_user(data, "boss", PASSWORD, &["--role", "head-office"]);
    add_user(data, "branch", PASSWORD, &["--role", "branch", "--branch", "b1"]);
    add_user(data, "other", PASSWORD, &["--role", "branch", "--branch", "b2"]);
    add_user(data, "gone", PASSWORD, &["--role", "head-office"]);
    add_user(data, "analyst", PASSWORD, &["--role", "analyst", "--branch", "b1"]);
}

pub(crate) fn login(server: &Server, login: &str) -> String {
    let body = json!({"login": login, "password": PASSWORD});
    let answer = server.send("POST", "/v1/operator-sessions", None, &body).unwrap();
    assert_eq!(answer.status, 201, "{:?}", answer.json);
    answer.json["token"].as_str().unwrap().to_owned()
}

/// A write that has to succeed.
#[track_caller]
pub(crate) fn done(server: &Server, path: &str, token: &str, body: &Value) -> Value {
    for _ in 0..100 {
        let answer = server.send("POST", path, Some(token), body).unwrap();
        if answer.status == 429 {
            std::thread::sleep(Duration::from_millis(100));
            continue;
        }
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.json);
        return answer.json;
    }
    panic!("{path} was told to slow down for ten seconds");
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A group of branch 1.
pub(crate) fn group(server: &Server, boss: &str) -> String {
    let manager = done(server, "/v1/managers", boss, &json!({"branch": "b1"}));
    let group = json!({"template": "long-term", "manager": manager["id"]});
    text(&done(server, "/v1/communities", boss, &group)["id"])
}

pub(crate) fn invite(server: &Server, boss: &str, group: &str) -> String {
    text(&done(server, "/v1/invites", boss, &json!({"community": group}))["invite"])
}

/// A new member: id and token.
pub(crate) fn join(server: &Server, invite: &str, name: &str) -> (String, String) {
    let body = json!({"invite": invite, "nickname": name, "consent": true});
    let joined = done(server, "/v1/sessions", "", &body);
    (text(&joined["member"]), text(&joined["token"]))
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// Without the date.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Raw {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// One request on a connection of its own, with these lines in its head.
pub(crate) fn ask(address: &str, method: &str, path: &str, lines: &[Vec<u8>], body: &str) -> Raw {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut bytes =
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n").into_bytes();
    if method != "GET" {
        let key = uuid::Uuid::now_v7();
        let length = body.len();
        bytes.extend(
            format!(
                "idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
            )
            .bytes(),
        );
    }
    for line in lines {
        bytes.extend(line);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"\r\n");
    bytes.extend(body.bytes());
    // A server that refuses a huge head may close before it has read it.
    let _ = stream.write_all(&bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let kept: Vec<&str> = head.lines().filter(|line| !line.starts_with("date:")).collect();
    Raw {
        status: status.unwrap_or_else(|| panic!("{method} {path}: no answer: {answer}")),
        head: kept.join("\n"),
        body: body.to_owned(),
    }
}

pub(crate) fn bearer(token: &str) -> Vec<u8> {
    format!("authorization: Bearer {token}").into_bytes()
}

/// The paths of a table row with what this world has in the place of parameters.
pub(crate) fn fill(path: &str, member: &str, group: &str) -> String {
    let id = match path.split('/').nth(2).unwrap_or_default() {
        "communities" => group,
        "members" => member,
        "rounds" => "q1-1",
        "posts" => "p1-1",
        "cohorts" => "k1-1",
        _ => "r1-1",
    };
    path.replace("{id}", id)
        .replace("{branch}/1", "b1/1")
        .replace("{branch}", "b1")
        .replace("{purpose}", "marketing")
        .replace("{tag}", "new")
        .replace("{key}", "run-r1-1")
        .replace("{*file}", "index.html")
        .replace("{day}", "1")
        .replace("{asset}", "gold")
        .replace("{order}", "1")
        .replace("{member}", member)
}
