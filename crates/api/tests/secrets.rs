//! What must never be told: what is right before the close, and what people typed.

mod common;

use common::{Api, EXPLAIN, FEEDBACK, NUMBER, RIGHT_OPTION, key, request, token};
use dengmi_core::outcome::Mark;
use dengmi_core::{BranchId, Outcome, Ppm, Receipt, RoundId};
use serde_json::Value;

/// Words that a field about right and wrong would be called by.
const TELLING: [&str; 8] =
    ["key", "right", "feedback", "correct", "solution", "statistics", "discrimination", "explain"];

fn scan(value: &Value, path: &str) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let telling = TELLING.iter().any(|word| name.contains(word)) || name == "answer";
                assert!(!telling, "{path}.{name}");
                scan(value, &format!("{path}.{name}"));
            }
        }
        Value::Array(items) => {
            for item in items {
                scan(item, path);
            }
        }
        Value::String(text) => {
            for secret in [FEEDBACK, NUMBER, EXPLAIN] {
                assert!(!text.contains(secret), "{path}: {text}");
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn nothing_tells_the_key_before_the_close() {
    let api = Api::default();
    let everyone =
        [token::M1, token::M2, token::HEAD, token::BRANCH, token::MANAGER, token::ANALYST];
    for token in everyone {
        for path in [
            "/v1/me",
            "/v1/quests?branch=b1",
            "/v1/runs/r1-1",
            "/v1/rounds?branch=b1",
            "/v1/rounds/q1-1",
            "/v1/posts?branch=b1",
            "/v1/communities/c1-1",
            "/v1/boards/round-q1-1",
            "/v1/courses?branch=b1",
            "/v1/cohorts?branch=b1",
            "/v1/cohorts/k1-1",
            "/v1/cohorts/k1-1/lessons/2",
        ] {
            let got = api.get(token, path).await;
            assert_eq!(got.status, 200, "{path}");
            scan(&got.json(), path);
        }
    }
    for token in [token::M1, token::M2] {
        scan(&api.get(token, "/v1/cohorts/k1-1/me").await.json(), "/v1/cohorts/k1-1/me");
    }
    for occasion in ["before", "after"] {
        let body =
            format!(r#"{{"occasion":"{occasion}","answers":[{{"item":0,"choice":{{"one":1}}}}]}}"#);
        let told = api.post(token::M1, "/v1/cohorts/k1-1/items", &body).await.json();
        scan(&told, occasion);
    }
    let answers = r#"{"answers":[{"question":0,"choice":{"one":1}}]}"#;
    scan(&api.post(token::M1, "/v1/rounds/q1-1/answers", answers).await.json(), "answers");
}

#[tokio::test]
async fn open_options_are_never_in_key_order() {
    let api = Api::default();
    // The member's drawn order; the operator's by text. The right one is first in key order.
    for (token, question, options) in [
        (token::M1, 1, ["c-wrong", RIGHT_OPTION, "b-wrong"]),
        (token::HEAD, 0, ["b-wrong", "c-wrong", RIGHT_OPTION]),
    ] {
        let round = api.get(token, "/v1/rounds/q1-1").await.json();
        assert_eq!(round["items"][question]["options"], serde_json::json!(options), "{token}");
    }
    let round = api.get(token::M1, "/v1/rounds/q1-1").await.json();
    let stems: Vec<&str> =
        round["items"].as_array().unwrap().iter().map(|q| q["stem"].as_str().unwrap()).collect();
    assert_eq!(stems, ["zh-CN bank/text", "zh-CN bank/single", "zh-CN bank/number"]);
}

#[tokio::test]
async fn after_the_close_the_key_is_told_in_the_readers_order() {
    let api = Api::default();
    let round = api.get(token::M1, "/v1/rounds/q1-2").await.json();
    assert_eq!(round["items"][1]["key"], serde_json::json!({"kind": "one", "option": 1}));
    assert_eq!(round["items"][1]["options"][1], RIGHT_OPTION);
    assert_eq!(round["items"][1]["feedback_right"], format!("{FEEDBACK} right"));
    assert_eq!(round["items"][1]["statistics"], Value::Null, "for operators only");
    let round = api.get(token::ANALYST, "/v1/rounds/q1-2").await.json();
    assert_eq!(round["items"][0]["key"], serde_json::json!({"kind": "one", "option": 0}));
    let statistics = &round["items"][0]["statistics"];
    assert_eq!((&statistics["right"], &statistics["discrimination"]), (&7.into(), &310.into()));
}

#[tokio::test]
async fn the_language_is_the_readers() {
    let api = Api::default();
    let mut asked = request("GET", "/v1/rounds/q1-1", token::M1, None, "");
    asked.headers_mut().insert("accept-language", "en-GB,zh;q=0.5".parse().unwrap());
    let round = api.send(asked).await.json();
    assert_eq!(round["items"][0]["stem"], "en bank/text");
}

/// The engine gives the same receipt for right and wrong answers until the close; here, nothing
/// may be added to it: status, headers and body are the same bytes.
#[tokio::test]
async fn right_and_wrong_answers_get_the_same_bytes() {
    let api = Api::default();
    let mut answers = Vec::new();
    for option in 0..3 {
        let body = format!(r#"{{"answers":[{{"question":1,"choice":{{"one":{option}}}}}]}}"#);
        let got = api.post(token::M1, "/v1/rounds/q1-1/answers", &body).await;
        answers.push((got.status, got.headers, got.body));
    }
    assert_eq!(answers[0].0, 200);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(answers[0].2, br#"{"round":"q1-1","answered":1}"#);
}

/// Only where the quest tells at once does the receipt say how an answer did.
#[tokio::test]
async fn marks_are_told_where_the_engine_tells_them() {
    let api = Api::default();
    let marks = vec![Mark { question: 1, right: true, score: Ppm(500_000) }];
    let graded = Receipt::Graded { round: RoundId::new(BranchId(1), 1), answered: 1, marks };
    *api.fake.next.lock().unwrap() = Some(Ok(Outcome::Done(graded)));
    let body = r#"{"answers":[{"question":1,"choice":{"one":0}}]}"#;
    let got = api.post(token::M1, "/v1/rounds/q1-1/answers", body).await.json();
    assert_eq!(
        got["marks"],
        serde_json::json!([{"question": 1, "right": true, "score_ppm": 500_000}])
    );
}

/// What people type is hashed at the door: it is in no command and in no answer.
#[tokio::test]
async fn typed_text_goes_no_further() {
    const TYPED: &str = "typed-text-marker";
    let api = Api::default();
    for (path, body) in [
        (
            "/v1/rounds/q1-1/answers",
            format!(r#"{{"answers":[{{"question":0,"choice":{{"text":"{TYPED}"}}}}]}}"#),
        ),
        ("/v1/runs/r1-2/check-ins", format!(r#"{{"phrase":"{TYPED}"}}"#)),
        ("/v1/posts/p1-1/reactions", format!(r#"{{"reaction":"comment","text":"{TYPED}"}}"#)),
        ("/v1/runs/r1-2/check-ins", format!(r#"{{"phrase":7,"x":"{TYPED}"}}"#)),
        ("/v1/cohorts/k1-1/me/notes", format!(r#"{{"text":"{TYPED}"}}"#)),
        ("/v1/cohorts/k1-1/me/debriefs", format!(r#"{{"about":"loss","text":"{TYPED}"}}"#)),
    ] {
        let got = api.send(request("POST", path, token::M1, Some(key()), &body)).await;
        assert!(!String::from_utf8_lossy(&got.body).contains(TYPED), "{path}");
    }
    let submitted = api.fake.submitted.lock().unwrap();
    assert_eq!(submitted.len(), 5);
    assert!(!format!("{submitted:?}").contains(TYPED));
    // What members write for themselves is kept for them, apart from every command.
    assert!(api.fake.words.lock().unwrap().values().any(|words| words == TYPED));
}
