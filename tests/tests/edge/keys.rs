//! No answer key before the close, from the real binary: no answer of any route, to members and to
//! operators, has a field about right and wrong or a sentence of the feedback; who answered rightly
//! and who answered wrongly are told the same bytes and see the same things.

#![expect(clippy::print_stderr, reason = "the count is told")]

use std::path::Path;
use std::time::Duration;

use dengmi_api::routes;
use dengmi_tests::{Server, root};
use serde_json::{Value, json};

use crate::world::{
    Raw, accounts, ask, bearer, done, fill, group, invite, join, login, text, today,
};

/// Words that a field about right and wrong would be called by.
const TELLING: [&str; 11] = [
    "key",
    "right",
    "wrong",
    "feedback",
    "correct",
    "solution",
    "statistics",
    "discrimination",
    "score_ppm",
    "mark",
    "credit",
];

/// Sentences of the feedback to the questions that are asked.
const FEEDBACK: [&str; 4] = ["按支出算，不按收入算", "只够一个月", "6,500 × 4", "这是按收入算的"];

/// Copies a folder and what is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).map(drop).unwrap();
        }
    }
}

/// Shipped content whose weekend quiz is open all day, with a question of each kind; told at the
/// close, or at once.
fn content(folder: &Path, at_once: bool) {
    for part in ["content", "quests"] {
        copy(&root().join(part), &folder.join(part));
    }
    let path = folder.join("quests/weekend-quiz.ron");
    let quest = std::fs::read_to_string(&path).unwrap();
    let quest = quest.replace("\"09:00\"", "\"00:00\"").replace("\"20:00\"", "\"23:59\"");
    let quest = quest
        .replacen("inflation/rule-72", "basics/emergency-fund", 1)
        .replacen("basics/duration", "basics/emergency-fund-range", 1)
        .replacen("behaviour/regular-purpose", "behaviour/herding", 1)
        .replacen("fraud/monthly-twelve", "behaviour/before-ordering", 1);
    let quest = match at_once {
        true => quest
            .replace("reveal: AtClose", "reveal: AtOnce")
            .replace("attempts: (max: 2, counts: Highest),", ""),
        false => quest,
    };
    std::fs::write(&path, quest).unwrap();
}

fn scan(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if TELLING.iter().any(|word| name.contains(word)) {
                    found.push(format!("{path}.{name}"));
                }
                scan(value, &format!("{path}.{name}"), found);
            }
        }
        Value::Array(items) => {
            for item in items {
                scan(item, path, found);
            }
        }
        Value::String(text) if FEEDBACK.iter().any(|said| text.contains(said)) => {
            found.push(format!("{path}: {text}"));
        }
        _ => {}
    }
}

/// Scans an answer, whether it is JSON or not.
fn check(got: &Raw, asked: &str, found: &mut Vec<String>) {
    scan(&got.json(), asked, found);
    if FEEDBACK.iter().any(|said| got.body.contains(said) || got.head.contains(said)) {
        found.push(format!("{asked}: {}", got.body));
    }
}

/// A right or a wrong choice for a question, as the member sees it.
fn choice(item: &Value, right: bool) -> Value {
    let options: Vec<String> = item["options"].as_array().unwrap().iter().map(text).collect();
    match item["kind"].as_str().unwrap() {
        "single" => {
            let is = |option: &&String| (*option == "15,000 至 30,000 元") == right;
            let at = options.iter().position(|option| is(&option));
            let at = at.unwrap_or_else(|| panic!("another question is asked: {item}"));
            json!({"one": at})
        }
        "multi" if right => json!({"many": [0, 1]}),
        "multi" => json!({"many": [options.len() - 1]}),
        "true_false" => json!({"bool": !right}),
        "number" => json!({"number": if right { "26000" } else { "26001" }}),
        kind => panic!("a question of kind {kind} is not asked here"),
    }
}

/// What a member is told for answers to every question, twice over and once too often.
fn answer(server: &Server, token: &str, right: bool) -> Vec<Raw> {
    let round = ask(&server.address, "GET", "/v1/rounds/q1-1", &[bearer(token)], "").json();
    let items = round["items"].as_array().unwrap_or_else(|| panic!("no items: {round}")).clone();
    assert_eq!(items.len(), 4);
    // By kind, because everybody has an order of their own.
    let mut items: Vec<(String, &Value)> =
        items.iter().map(|item| (text(&item["kind"]), item)).collect();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let mut told = Vec::new();
    for _attempt in 0..3 {
        for (_, item) in &items {
            let given = json!({"question": item["position"], "choice": choice(item, right)});
            let body = json!({"answers": [given]}).to_string();
            let lines = [bearer(token)];
            told.push(ask(&server.address, "POST", "/v1/rounds/q1-1/answers", &lines, &body));
        }
    }
    told
}

/// Everything a caller can read, and what they are told where they may not.
fn read_all(server: &Server, token: &str, member: &str, group: &str) -> Vec<(String, Raw)> {
    let mut read = Vec::new();
    for row in routes().iter().filter(|row| !row.public() && row.path != "/v1/events") {
        // Nothing is changed: writes get a body that no endpoint takes, sessions stay open.
        if row.method == "DELETE" || row.path.ends_with("/stop") || row.path.ends_with("/leave") {
            continue;
        }
        let mut paths = vec![fill(row.path, member, group)];
        if row.path == "/v1/boards/{key}" {
            paths.push("/v1/boards/round-q1-1".to_owned());
            paths.push(format!("/v1/boards/community-{group}-day-{}", today().0));
        }
        if ["/v1/rounds", "/v1/quests", "/v1/posts", "/v1/content", "/v1/communities"]
            .contains(&row.path)
        {
            paths = vec![format!("{}?branch=b1", row.path)];
        }
        for path in paths {
            let body = "{\"nothing\": true}";
            let got = ask(&server.address, row.method, &path, &[bearer(token)], body);
            read.push((format!("{} {path}", row.method), got));
            // Twenty requests a second are allowed.
            std::thread::sleep(Duration::from_millis(30));
        }
    }
    read
}

/// A branch whose round is open, two of its members or more, and the door to its group.
fn open_round(server: &Server, boss: &str, members: usize) -> (String, Vec<(String, String)>) {
    let group = group(server, boss);
    let door = invite(server, boss, &group);
    let members: Vec<_> = (0..members).map(|_| join(server, &door, "灯友")).collect();
    let run = json!({"branch": "b1", "quest": "weekend-quiz", "start": today().0.to_string()});
    done(server, "/v1/runs", boss, &run);
    let opened = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let asked = [bearer(&members[0].1)];
        ask(&server.address, "GET", "/v1/rounds/q1-1", &asked, "").json()["items"].is_array()
    });
    assert!(opened, "the round opens");
    (group, members)
}

/// The round ends with the day.
fn wait_out_midnight() {
    while today().1 > Duration::from_secs(23 * 3_600 + 56 * 60) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Everybody has an order of their own, of questions and of options: what a member sees as the
/// right option is what the engine grades as right.
#[test]
fn what_is_shown_is_what_is_graded() {
    wait_out_midnight();
    let folder = tempfile::tempdir().unwrap();
    let (data, own) = (folder.path().join("data"), folder.path().join("own"));
    content(&own, true);
    accounts(&data);
    let server = Server::start_on(&own, &data, &["serve"]);
    let (_, members) = open_round(&server, &login(&server, "boss"), 12);
    let mut orders = std::collections::BTreeSet::new();
    for (n, (member, token)) in members.iter().enumerate() {
        let asked = ask(&server.address, "GET", "/v1/rounds/q1-1", &[bearer(token)], "").json();
        for item in asked["items"].as_array().unwrap() {
            let kind = item["kind"].as_str().unwrap();
            let count = item["options"].as_array().unwrap().len();
            let choosing = ["single", "multi"].contains(&kind);
            assert_eq!(choosing, count >= 2, "{member}: {item}");
            if kind == "multi" {
                continue;
            }
            orders.insert(item["options"].to_string());
            let right = n.is_multiple_of(2);
            let given = json!({"question": item["position"], "choice": choice(item, right)});
            let body = json!({"answers": [given]}).to_string();
            let lines = [bearer(token)];
            let told = ask(&server.address, "POST", "/v1/rounds/q1-1/answers", &lines, &body);
            assert_eq!(told.json()["marks"][0]["right"], right, "{member}: {item} {}", told.body);
        }
    }
    assert!(orders.len() > 3, "options were shuffled: {orders:?}");
}

#[test]
fn nothing_tells_right_from_wrong_before_the_close() {
    let mut planted = Vec::new();
    scan(&json!({"items": [{"feedback_right": "对。6,500 × 4 = 26,000 元"}]}), "", &mut planted);
    assert_eq!(planted.len(), 2, "the scan finds what is planted");

    wait_out_midnight();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    content(&folder.path().join("own"), false);
    accounts(&data);
    let server = Server::start_on(&folder.path().join("own"), &data, &["serve"]);
    let boss = login(&server, "boss");
    let (group, mut members) = open_round(&server, &boss, 2);
    let (guesses, guesses_token) = members.pop().unwrap();
    let (knows, knows_token) = members.pop().unwrap();

    let (right, wrong) =
        (answer(&server, &knows_token, true), answer(&server, &guesses_token, false));
    assert_eq!(right.len(), wrong.len());
    for (right, wrong) in right.iter().zip(&wrong) {
        assert_eq!(right, wrong, "right and wrong are told apart");
    }
    let taken = right.iter().filter(|told| told.status == 200).count();
    let refused = right.iter().filter(|told| told.status == 409).count();
    assert_eq!((taken, refused), (8, 4), "two attempts at each of four questions: {right:?}");

    let mut found = Vec::new();
    let mut count = right.len() * 2;
    for told in right.iter().chain(&wrong) {
        check(told, "answers", &mut found);
    }
    let mine = read_all(&server, &knows_token, &knows, &group);
    let theirs = read_all(&server, &guesses_token, &guesses, &group);
    // Apart from who they are and in which order they are asked, both see the same.
    for ((asked, mine), (_, theirs)) in mine.iter().zip(&theirs) {
        let neutral = |raw: &Raw, me: &str, other: &str| {
            let text = raw.body.replace(me, "ME").replace(other, "THEM");
            (raw.status, text.len())
        };
        if !asked.contains("/v1/rounds/q1-1") {
            let (a, b) = (neutral(mine, &knows, &guesses), neutral(theirs, &guesses, &knows));
            assert_eq!(a, b, "{asked}: {} {}", mine.body, theirs.body);
        }
    }
    let mut all: Vec<(String, Raw)> = mine.into_iter().chain(theirs).collect();
    for operator in ["branch", "analyst", "boss"] {
        all.extend(read_all(&server, &login(&server, operator), &knows, &group));
    }
    count += all.len();
    for (asked, got) in &all {
        assert!(got.status < 500 && got.status != 429, "{asked}: {}", got.status);
        check(got, asked, &mut found);
    }
    // A correction tried out would count right answers: not before the close.
    let keys = [json!({"number": {"value": "26000", "tolerance": "0"}}), json!({"bool": false})];
    for (question, key) in (0..4).flat_map(|question| keys.iter().map(move |key| (question, key))) {
        let body = json!({"question": question, "key": key, "dry_run": true}).to_string();
        let got =
            ask(&server.address, "POST", "/v1/rounds/q1-1/corrections", &[bearer(&boss)], &body);
        assert!((400..500).contains(&got.status), "{body}: {} {}", got.status, got.body);
        check(&got, "corrections", &mut found);
        count += 1;
    }
    let readable = all.iter().filter(|(_, got)| got.status == 200).count();
    eprintln!("{count} answers scanned, {readable} of them full; {} told", found.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(readable >= 50, "only {readable} answers were readable");
}
