//! Sessions that are none, or not for this, on every route of the table of rights, against the real
//! binary: refused with a problem, and nothing in it tells a token that once was from one that
//! never was.

#![expect(clippy::print_stderr, reason = "the count is told")]

use std::path::Path;

use dengmi_api::routes;
use dengmi_core::Timestamp;
use dengmi_store::{Directory as _, OpenOptions, SessionRow, SqliteStore};
use dengmi_tests::{Server, dengmi};
use serde_json::json;

use crate::world::{Raw, accounts, ask, bearer, done, fill, group, invite, join, login};

/// What a session must be told where the route needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Nobody knows it: 401, everywhere the same bytes.
    Nobody,
    /// It is somebody, but not for this route or not of this branch: 403 or 404.
    NotThis,
}

struct Bad {
    name: &'static str,
    lines: Vec<Vec<u8>>,
    told: Told,
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// A session that ends soon, in the store of a server that is not running: one that has ended
/// already would be swept away at the start, and nobody would look at its time.
fn insert_expired(data: &Path, token: &str, expires: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store =
            SqliteStore::open(data.join("dengmi.db"), OpenOptions::default()).await.unwrap();
        let row = SessionRow {
            token_hash: blake3::derive_key("dengmi session token v1", token.as_bytes()),
            principal: b"o\0\0\0\x01".to_vec(),
            created: Timestamp(1_700_000_000_000),
            expires: Timestamp(expires),
            last_seen: Timestamp(1_700_000_000_000),
        };
        store.insert_session(row).await.unwrap();
        // The same row with time left is the head office's: it is the time that makes it bad.
        let good = SessionRow {
            token_hash: blake3::derive_key("dengmi session token v1", b"lasting-lasting-lasting"),
            principal: b"o\0\0\0\x01".to_vec(),
            created: Timestamp(1_700_000_000_000),
            expires: Timestamp(4_000_000_000_000),
            last_seen: Timestamp(1_700_000_000_000),
        };
        store.insert_session(good).await.unwrap();
    });
}

fn line(text: &str) -> Vec<Vec<u8>> {
    vec![format!("authorization: {text}").into_bytes()]
}

/// 25 bad sessions and more; `good` is the head office's, which opens everything.
fn table(good: &str, ended: [&str; 4], other: &str) -> Vec<Bad> {
    let [expired, revoked, erased, disabled] = ended;
    let last = if good.ends_with('0') { "1" } else { "0" };
    let changed = format!("{}{last}", &good[..good.len() - 1]);
    let none =
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJtMS0xIiwicm9sZSI6ImhlYWRfb2ZmaWNlIn0.";
    let hs256 = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvMSJ9.c2lnbmVkLXdpdGgtbm90aGluZw";
    let nobody = |name, lines| Bad { name, lines, told: Told::Nobody };
    let mut ascii = b"authorization: Bearer ".to_vec();
    ascii.extend("令牌令牌令牌令牌令牌令牌".bytes());
    let mut latin = b"authorization: Bearer ".to_vec();
    latin.extend([0xE9; 32]);
    vec![
        nobody("no header", vec![]),
        nobody("empty header", line("")),
        nobody("scheme only", line("Bearer")),
        nobody("scheme and a space", line("Bearer ")),
        nobody("no scheme", line(good)),
        nobody("basic", line(&format!("Basic {good}"))),
        nobody("digest", line("Digest username=\"boss\"")),
        nobody("truncated", line(&format!("Bearer {}", &good[..good.len() - 1]))),
        nobody("half of it", line(&format!("Bearer {}", &good[..good.len() / 2]))),
        nobody("one digit changed", line(&format!("Bearer {changed}"))),
        nobody("capitals", line(&format!("Bearer {}", good.to_uppercase() + "A"))),
        nobody("one too long", line(&format!("Bearer {good}0"))),
        nobody("twice in one", line(&format!("Bearer {good} {good}"))),
        nobody("quoted", line(&format!("Bearer \"{good}\""))),
        nobody("two headers", vec![bearer(good), bearer(good)]),
        nobody("two headers, one wrong", vec![bearer(good), bearer(&changed)]),
        nobody("overlong", line(&format!("Bearer {}", "a".repeat(4_000)))),
        nobody("other characters", vec![ascii]),
        nobody("bytes that are no text", vec![latin]),
        nobody("SQL", line("Bearer ' OR '1'='1' --aaaaaaaaaaaaaaaa")),
        nobody("path", line("Bearer ../../../../etc/passwd")),
        nobody("escaped NUL", line("Bearer %00%00%00%00%00%00%00%00")),
        nobody("JWT without algorithm", line(&format!("Bearer {none}"))),
        nobody("JWT signed by nobody", line(&format!("Bearer {hs256}"))),
        nobody("in a cookie", vec![format!("cookie: session={good}").into_bytes()]),
        nobody("in another header", vec![format!("x-authorization: Bearer {good}").into_bytes()]),
        nobody("expired", vec![bearer(expired)]),
        nobody("revoked", vec![bearer(revoked)]),
        nobody("of an erased member", vec![bearer(erased)]),
        nobody("of a disabled operator", vec![bearer(disabled)]),
        nobody("never was", vec![bearer(&"5e".repeat(32))]),
        Bad { name: "of another branch", lines: vec![bearer(other)], told: Told::NotThis },
    ]
}

/// What is wrong with an answer, if anything is.
fn fault(bad: &Bad, got: &Raw, first: &Raw) -> Option<String> {
    let code = got.json()["code"].as_str().unwrap_or_default().to_owned();
    let problem = got.head.contains("content-type: application/problem+json");
    let fits = match bad.told {
        Told::Nobody => got.status == 401 && code == "unauthenticated",
        // Where nothing is named, or the answer is a list, the other branch sees its own.
        Told::NotThis => [403, 404].contains(&got.status) && !code.is_empty(),
    };
    if !fits || !problem {
        return Some(format!("{} {code} {}", got.status, got.body));
    }
    (bad.told == Told::Nobody && got != first).then(|| format!("it tells more: {got:?}"))
}

#[test]
fn bad_sessions_open_no_route_and_tell_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    accounts(&data);
    let server = Server::start(&data, &["serve", "--branch", "b1", "--branch", "b2"]);
    let (boss, gone) = (login(&server, "boss"), login(&server, "gone"));
    let group = group(&server, &boss);
    let invite = invite(&server, &boss, &group);
    let (member, ended) = join(&server, &invite, "灯一");
    let (erased, erased_token) = join(&server, &invite, "灯二");
    let (_, member_token) = join(&server, &invite, "灯三");
    // Each opened something before it was ended.
    for token in [&ended, &erased_token, &gone] {
        assert_eq!(server.get("/v1/me", Some(token)).unwrap().status, 200);
    }
    let revoked = server.send("DELETE", "/v1/sessions/current", Some(&ended), &json!({})).unwrap();
    assert!((200..300).contains(&revoked.status), "{revoked:?}");
    let path = format!("/v1/members/{erased}");
    let deleted = server.send("DELETE", &path, Some(&boss), &json!({})).unwrap();
    assert!((200..300).contains(&deleted.status), "{deleted:?}");
    server.kill();
    assert!(dengmi(&data, &["user", "disable", "gone"]).status.success());
    let expired = "ab".repeat(32);
    let expires = now() + 8_000;
    insert_expired(&data, &expired, expires);
    let server = Server::start(&data, &["serve"]);
    let lasting = server.get("/v1/me", Some("lasting-lasting-lasting")).unwrap();
    assert_eq!(lasting.status, 200, "rows are written as the server reads them");
    let before = server.get("/v1/me", Some(&expired)).unwrap();
    assert!(before.status == 200 || now() >= expires, "it is good until its time is over");
    let other = login(&server, "other");
    while now() <= expires {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    let table = table(&boss, [&expired, &ended, &erased_token, &gone], &other);
    assert!(table.len() >= 25);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for row in routes().iter().filter(|row| !row.public()) {
        let path = fill(row.path, &member, &group);
        let never = vec![bearer(&"7f".repeat(32))];
        let first = ask(&server.address, row.method, &path, &never, "{}");
        for bad in &table {
            // Another branch's operator is somebody where nothing of ours is named.
            if bad.told == Told::NotThis && !row.path.contains("{id}") {
                continue;
            }
            let got = ask(&server.address, row.method, &path, &bad.lines, "{}");
            count += 1;
            if let Some(fault) = fault(bad, &got, &first) {
                wrong.push(format!("{} {path}, {}: {fault}", row.method, bad.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));

    // A member on routes for operators: 403, whatever is named.
    for row in routes().iter().filter(|row| !row.public()) {
        let dengmi_api::rights::Access::Signed { members: false, .. } = row.access else {
            continue;
        };
        for named in [member.as_str(), "m1-999", "m2-1"] {
            let path = fill(row.path, named, &group);
            let got = ask(&server.address, row.method, &path, &[bearer(&member_token)], "{}");
            count += 1;
            assert_eq!(
                (got.status, got.json()["code"].as_str()),
                (403, Some("forbidden")),
                "{path}"
            );
        }
    }
    // The table was held against a server that works: the good session opens.
    assert_eq!(server.get("/v1/me", Some(&boss)).unwrap().status, 200);
    done(&server, "/v1/managers", &boss, &json!({"branch": "b1"}));
    eprintln!("{count} requests with {} bad sessions and a member's", table.len());
    assert!(count > 900, "{count}");
}
