//! What each endpoint answers, asked over the whole interface: good requests, and the main ways
//! to be refused.

mod common;

use common::{Api, key, member, request, token};
use dengmi_api::backend::SubmitError;
use dengmi_core::command::{Answer, Choice, ConsentPurpose, Key, Person, Reaction};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, Actor, Cause, Day, Points, Reject, RoundId, RunId, Timestamp};

const BRANCH: dengmi_core::BranchId = dengmi_core::BranchId(1);

/// One write: by whom, where, with what, and which action must come out of it.
async fn check(token: &str, path: &str, body: &str, status: u16, action: Action) {
    let (method, path) = path.split_once(' ').unwrap();
    let api = Api::default();
    let got = api.write(method, token, path, body).await;
    assert_eq!(got.status, status, "{path}: {}", String::from_utf8_lossy(&got.body));
    assert_eq!(api.last_action(), action, "{path}");
}

/// One write that is refused before any command is sent.
async fn check_refused(token: &str, path: &str, body: &str, status: u16, code: &str) {
    let (method, path) = path.split_once(' ').unwrap();
    let api = Api::default();
    let got = api.write(method, token, path, body).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (status, code), "{path} {body}");
    assert_eq!(got.header("content-type"), "application/problem+json");
    assert!(api.fake.submitted.lock().unwrap().is_empty(), "{path} {body}");
}

#[tokio::test]
async fn writes_become_the_right_actions() {
    let round = RoundId::new(BRANCH, 1);
    let (streak, quiz) = (RunId::new(BRANCH, 2), RunId::new(BRANCH, 1));
    let m1 = member("m1-1");
    let hash = |text: &str| FoldedHash::of(text);
    let post = "p1-1".parse().unwrap();
    let slug = common::slug;
    check(
        token::M1,
        "POST /v1/rounds/q1-1/answers",
        r#"{"answers":[{"question":0,"choice":{"text":" ＡＢ "}},{"question":1,"choice":{"many":[0,2]}},
            {"question":2,"choice":{"number":"0.34"}},{"question":3,"choice":{"bool":true}},
            {"question":4,"choice":{"one":7}}]}"#,
        200,
        Action::Answer {
            member: m1,
            round,
            answers: vec![
                Answer { question: 0, choice: Choice::Text(hash("ab")) },
                Answer { question: 1, choice: Choice::Many(0b101) },
                Answer { question: 2, choice: Choice::Number("0.34".parse().unwrap()) },
                Answer { question: 3, choice: Choice::Bool(true) },
                Answer { question: 4, choice: Choice::One(7) },
            ],
        },
    )
    .await;
    let check_in = |phrase, occurred| Action::CheckIn { member: m1, run: streak, phrase, occurred };
    let at = "POST /v1/runs/r1-2/check-ins";
    check(token::M1, at, "{}", 200, check_in(None, None)).await;
    check(token::M1, at, r#"{"phrase":"早安"}"#, 200, check_in(Some(hash("早安")), None)).await;
    let late = r#"{"member":"m1-1","occurred":"2026-11-21T12:00:00+08:00"}"#;
    let occurred = Some(Timestamp(1_795_233_600_000));
    check(token::MANAGER, at, late, 200, check_in(None, occurred)).await;
    check(
        token::M1,
        "POST /v1/runs/r1-2/make-ups",
        r#"{"day":"2026-11-20"}"#,
        200,
        Action::MakeUp { member: m1, run: streak, day: "2026-11-20".parse().unwrap() },
    )
    .await;
    check(
        token::MANAGER,
        "POST /v1/runs/r1-2/repairs",
        r#"{"member":"m1-1","days":7,"reason":"hardship"}"#,
        200,
        Action::RepairStreak {
            member: m1,
            run: streak,
            days: 7,
            reason: dengmi_core::command::RepairReason::Hardship,
        },
    )
    .await;
    let correct = |key, dry_run| Action::CorrectKey { round, question: 1, key, dry_run };
    let at = "POST /v1/rounds/q1-1/corrections";
    for (body, key) in [
        (r#"{"one":2}"#, Key::One(2)),
        (r#"{"many":[1,2]}"#, Key::Many(6)),
        (r#"{"bool":false}"#, Key::Bool(false)),
        (r#"{"text":["甲","乙"]}"#, Key::Text(vec![hash("甲"), hash("乙")])),
        (
            r#"{"number":{"value":"1.5","tolerance":"0.1"}}"#,
            Key::Number { value: "1.5".parse().unwrap(), tolerance: "0.1".parse().unwrap() },
        ),
        (r#""everyone""#, Key::Everyone),
    ] {
        let body = format!(r#"{{"question":1,"key":{body},"dry_run":true}}"#);
        check(token::BRANCH, at, &body, 200, correct(key, true)).await;
    }
    check(
        token::MANAGER,
        "POST /v1/rounds/q1-1/extra-time",
        r#"{"member":"m1-1","seconds":600}"#,
        204,
        Action::GrantTime { member: m1, round, seconds: 600 },
    )
    .await;
    let react = |person, reaction, occurred| Action::React { post, person, reaction, occurred };
    let at = "POST /v1/posts/p1-1/reactions";
    let me = Person::Member(m1);
    for (body, reaction) in [
        (r#"{"reaction":"like"}"#, Reaction::Like),
        (r#"{"reaction":"unlike"}"#, Reaction::Unlike),
        (r#"{"reaction":"uncomment"}"#, Reaction::Uncomment),
        (r#"{"reaction":"comment","text":"灯谜"}"#, Reaction::Comment(Some(hash("灯谜")))),
        (r#"{"reaction":"comment"}"#, Reaction::Comment(None)),
    ] {
        check(token::M1, at, body, 200, react(me, reaction, None)).await;
    }
    let staff = Person::Staff("g1-2".parse().unwrap());
    let body = r#"{"reaction":"like","staff":"g1-2","occurred":"2026-11-21T12:00:00+08:00"}"#;
    check(token::MANAGER, at, body, 200, react(staff, Reaction::Like, occurred)).await;
    check(
        token::MANAGER,
        "POST /v1/runs/r1-3/posts",
        "{}",
        201,
        Action::Publish { run: RunId::new(BRANCH, 3), manager: "g1-1".parse().unwrap() },
    )
    .await;
    check(token::MANAGER, "POST /v1/runs/r1-1/stop", "", 204, Action::Stop { run: quiz }).await;
    check(
        token::MANAGER,
        "POST /v1/runs",
        r#"{"branch":"b1","quest":"quiz","communities":["c1-1"],"start":"2026-11-23"}"#,
        201,
        Action::Launch {
            quest: slug("quiz"),
            communities: vec!["c1-1".parse().unwrap()],
            start: "2026-11-23".parse().unwrap(),
        },
    )
    .await;
    check(token::HEAD, "POST /v1/managers", r#"{"branch":"b1"}"#, 201, Action::AddManager).await;
    check(
        token::BRANCH,
        "POST /v1/communities",
        r#"{"template":"payroll","manager":"g1-1"}"#,
        201,
        Action::OpenCommunity { template: slug("payroll"), manager: "g1-1".parse().unwrap() },
    )
    .await;
    check(
        token::BRANCH,
        "POST /v1/members/m1-1/redemptions",
        r#"{"order":77,"points":30}"#,
        200,
        Action::Redeem { member: m1, points: Points(30), order: 77 },
    )
    .await;
    check(
        token::BRANCH,
        "POST /v1/entries/b1/3/reversal",
        "",
        200,
        Action::Reverse {
            entry: 3,
            member: m1,
            points: Points(10),
            cause: Cause::CheckIn(streak, Day(20_778)),
        },
    )
    .await;
    let to = "c1-2".parse().unwrap();
    let body = r#"{"to":"c1-2"}"#;
    let at = "POST /v1/members/m1-1/move";
    check(token::BRANCH, at, body, 204, Action::Move { member: m1, to }).await;
    let leave = Action::Leave { member: m1 };
    check(token::M1, "POST /v1/members/m1-1/leave", "", 204, leave.clone()).await;
    check(token::MANAGER, "POST /v1/members/m1-1/leave", "", 204, leave).await;
    check(
        token::MANAGER,
        "PUT /v1/members/m1-1/tags/vip%2Fgold",
        r#"{"on":true}"#,
        204,
        Action::Tag { member: m1, tag: slug("vip/gold"), on: true },
    )
    .await;
    check(
        token::M1,
        "PUT /v1/members/m1-1/board-visibility",
        r#"{"shown":false}"#,
        204,
        Action::ShowOnBoards { member: m1, shown: false },
    )
    .await;
    let purpose = ConsentPurpose::PublicName;
    check(
        token::M1,
        "PUT /v1/me/consents/public-name",
        r#"{"given":true,"version":2}"#,
        204,
        Action::Consent { member: m1, purpose, version: 2, given: true },
    )
    .await;
}

#[tokio::test]
async fn bad_bodies_are_refused_with_a_reason() {
    let answers = "POST /v1/rounds/q1-1/answers";
    let m1 = token::M1;
    for (body, status, code) in [
        ("", 400, "bad-request"),
        ("{", 400, "bad-body"),
        ("[]", 422, "bad-body"),
        (r#"{"answers":[]}"#, 422, "bad-answers"),
        (r#"{"answers":[],"x":1}"#, 422, "bad-body"),
        (r#"{"answers":[{"question":0,"choice":{"one":300}}]}"#, 422, "bad-body"),
        (r#"{"answers":[{"question":0,"choice":{"many":[32]}}]}"#, 422, "wrong-choice"),
        (r#"{"answers":[{"question":0,"choice":{"number":"1e9"}}]}"#, 422, "bad-body"),
        (r#"{"answers":[{"question":0,"choice":{"one":1,"bool":true}}]}"#, 400, "bad-body"),
    ] {
        check_refused(m1, answers, body, status, code).await;
    }
    let check_in = "POST /v1/runs/r1-2/check-ins";
    let occurred = r#"{"occurred":"2026-11-21T12:00:00Z"}"#;
    check_refused(m1, check_in, occurred, 422, "unprocessable").await;
    check_refused(m1, check_in, r#"{"member":"m1-2"}"#, 404, "not-found").await;
    check_refused(token::MANAGER, check_in, "{}", 422, "unprocessable").await;
    check_refused(token::MANAGER, check_in, r#"{"member":"m1-3"}"#, 404, "not-found").await;
    check_refused(m1, "POST /v1/runs/r1-2/make-ups", r#"{"day":"2026-02-30"}"#, 422, "bad-body")
        .await;
    let react = "POST /v1/posts/p1-1/reactions";
    check_refused(m1, react, r#"{"reaction":"share"}"#, 422, "bad-body").await;
    check_refused(m1, react, r#"{"reaction":"like","text":"x"}"#, 422, "unprocessable").await;
    check_refused(m1, react, r#"{"reaction":"like","staff":"g1-1"}"#, 422, "unprocessable").await;
    let all = r#"{"branch":"b1","quest":"quiz","start":"2026-11-23"}"#;
    check_refused(token::MANAGER, "POST /v1/runs", all, 403, "forbidden").await;
    let mixed = r#"{"branch":"b1","quest":"quiz","communities":["c2-1"],"start":"2026-11-23"}"#;
    check_refused(token::HEAD, "POST /v1/runs", mixed, 404, "not-found").await;
    let both = r#"{"community":"c1-1","member":"m1-1"}"#;
    check_refused(token::HEAD, "POST /v1/invites", both, 422, "unprocessable").await;
    check_refused(
        token::HEAD,
        "POST /v1/invites",
        r#"{"community":"c1-1","hours":0}"#,
        422,
        "unprocessable",
    )
    .await;
    check_refused(m1, "PUT /v1/me/nickname", "{\"nickname\":\"a\u{202e}b\"}", 422, "unprocessable")
        .await;
    check_refused(
        m1,
        "PUT /v1/me/consents/everything",
        r#"{"given":true,"version":1}"#,
        404,
        "not-found",
    )
    .await;
    check_refused(token::BRANCH, "POST /v1/entries/b1/999/reversal", "", 404, "not-found").await;
    check_refused(token::BRANCH, "POST /v1/entries/b1/45/reversal", "", 422, "not-reversible")
        .await;
}

#[tokio::test]
async fn a_fault_in_the_body_is_located() {
    let api = Api::default();
    let got = api.post(token::M1, "/v1/rounds/q1-1/answers", "{\n  \"answer\": []}").await;
    let problem = got.json();
    assert_eq!((&problem["line"], &problem["column"]), (&2.into(), &10.into()), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("`answers`"), "{problem}");
}

#[tokio::test]
async fn refusals_of_the_engine_are_problems() {
    let api = Api::default();
    for &reject in Reject::ALL {
        api.refuse_next(reject);
        let got = api.post(token::M1, "/v1/runs/r1-2/check-ins", "{}").await;
        assert!(got.status.is_client_error(), "{reject:?}");
        let problem = got.json();
        assert_eq!(problem["type"], format!("urn:dengmi:problem:{}", reject.code()));
        assert_eq!(problem["code"], reject.code());
        assert_eq!(problem["detail"], reject.help());
        assert_eq!(problem["status"], got.status.as_u16());
    }
}

#[tokio::test]
async fn idempotency_keys_are_needed_and_bound() {
    let api = Api::default();
    let path = "/v1/runs/r1-2/check-ins";
    let send = async |key: Option<&str>, body: &str| {
        let mut request = request("POST", path, token::M1, None, body);
        if let Some(key) = key {
            request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        }
        api.send(request).await
    };
    for bad in [None, Some(""), Some("1"), Some("7c9e6679-7425-40de-944b-e07fc1f90ae7")] {
        let got = send(bad, "{}").await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (400, "idempotency-key"), "{bad:?}");
    }
    let key = key().to_string();
    let first = send(Some(&key), "{}").await;
    let again = send(Some(&format!("\"{key}\"")), "{}").await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        ("", "true")
    );
    let other = send(Some(&key), "{ }").await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "idempotency-key-reused"));
    // The same key by another member is another key.
    let foreign =
        api.send(request("POST", path, token::M2, Some(key.parse().unwrap()), "{}")).await;
    assert_eq!((foreign.status.as_u16(), foreign.header("idempotency-replayed")), (200, ""));
    for (error, status, retry) in [
        (SubmitError::KeyTooOld, 410, ""),
        (SubmitError::KeyInFuture, 400, ""),
        (SubmitError::InFlight, 409, "1"),
        (SubmitError::Busy, 503, "1"),
        (SubmitError::ReadOnly, 503, "10"),
        (SubmitError::Unavailable, 503, "2"),
        (SubmitError::UnknownBranch, 404, ""),
    ] {
        *api.fake.next.lock().unwrap() = Some(Err(error));
        let got = api.post(token::M1, path, "{}").await;
        assert_eq!((got.status.as_u16(), got.header("retry-after")), (status, retry), "{error:?}");
    }
}

#[tokio::test]
async fn bodies_are_json_and_small() {
    let api = Api::default();
    let mut plain = request("POST", "/v1/runs/r1-2/check-ins", token::M1, Some(key()), "{}");
    plain.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(api.send(plain).await.code(), "not-json");
    let mut json = request("POST", "/v1/runs/r1-2/check-ins", token::M1, Some(key()), "{}");
    json.headers_mut().insert("content-type", "Application/JSON; charset=utf-8".parse().unwrap());
    assert_eq!(api.send(json).await.status, 200);
    let phrase = "x".repeat(64 * 1024);
    let body = format!(r#"{{"phrase":"{phrase}"}}"#);
    let got = api.post(token::M1, "/v1/runs/r1-2/check-ins", &body).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (413, "too-large"));
}

#[tokio::test]
async fn newcomers_join_once_and_members_sign_in_once() {
    let api = Api::default();
    let body = r#"{"invite":"invite c1-1","nickname":" 小明 ","consent":true}"#;
    let key = key();
    let send = async |key, body: &str| {
        api.send(request("POST", "/v1/sessions", "", Some(key), body)).await
    };
    let got = send(key, body).await;
    let opened = got.json();
    assert_eq!(
        (got.status.as_u16(), &opened["member"], &opened["joined"]),
        (201, &"m1-2".into(), &true.into())
    );
    let again = send(key, body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    {
        let submitted = api.fake.submitted.lock().unwrap();
        assert_eq!(submitted.len(), 2, "one join, one consent, however often it is repeated");
        let community = "c1-1".parse().unwrap();
        assert_eq!(submitted[0].command.action, Action::Join { community });
        assert_eq!(submitted[1].command.actor, Actor::Member(member("m1-2")));
        assert!(matches!(
            submitted[1].command.action,
            Action::Consent { purpose: ConsentPurpose::Activities, given: true, .. }
        ));
        assert_ne!(submitted[0].key, submitted[1].key);
    }
    let me = api.get(opened["token"].as_str().unwrap(), "/v1/me").await.json();
    assert_eq!((&me["id"], &me["nickname"]), (&"m1-2".into(), &"小明".into()));

    for (body, status, code) in [
        (r#"{"invite":"forged","nickname":"甲","consent":true}"#, 401, "invite-invalid"),
        (r#"{"invite":"old","nickname":"甲","consent":true}"#, 410, "invite-expired"),
        (r#"{"invite":"invite c1-1","consent":true}"#, 422, "unprocessable"),
        (r#"{"invite":"invite c1-1","nickname":"甲"}"#, 422, "unprocessable"),
        (r#"{"invite":"invite c1-1","nickname":"","consent":true}"#, 422, "unprocessable"),
    ] {
        let got = send(common::key(), body).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, code), "{body}");
    }

    let key = common::key();
    let link = r#"{"invite":"invite m1-1"}"#;
    assert_eq!(send(key, link).await.json()["joined"], false);
    assert_eq!(send(key, link).await.status, 201, "a repeat is the same use");
    assert_eq!(send(common::key(), link).await.code(), "invite-used");
}

#[tokio::test]
async fn operators_sign_in_and_out() {
    let api = Api::default();
    let good = r#"{"login":"head","password":"correct horse"}"#;
    let got = api.post("", "/v1/operator-sessions", good).await;
    let token = got.json()["token"].as_str().unwrap().to_owned();
    let me = api.get(&token, "/v1/me").await.json();
    assert_eq!((&me["kind"], &me["role"]), (&"operator".into(), &"head_office".into()));
    assert_eq!(me["branches"], serde_json::json!(["b1", "b2"]));
    assert_eq!(api.write("DELETE", &token, "/v1/sessions/current", "").await.status, 204);
    assert_eq!(api.get(&token, "/v1/me").await.status, 401);
    let unknown = api.post("", "/v1/operator-sessions", r#"{"login":"x","password":"y"}"#).await;
    let wrong = api.post("", "/v1/operator-sessions", r#"{"login":"head","password":"y"}"#).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body), (401, &wrong.body));
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let api = Api::default();
    let attempt = r#"{"login":"head","password":"guess"}"#;
    let mut granted = 0;
    for _ in 0..100 {
        match api.post("", "/v1/operator-sessions", attempt).await.status.as_u16() {
            401 => granted += 1,
            429 => {}
            status => panic!("{status}"),
        }
    }
    assert_eq!(granted, 10);
    let right = r#"{"login":"head","password":"correct horse"}"#;
    let got = api.post("", "/v1/operator-sessions", right).await;
    assert_eq!(got.status, 429);
    assert!(got.header("retry-after").parse::<u32>().unwrap() > 0);
    let other = r#"{"login":"other","password":"guess"}"#;
    assert_eq!(api.post("", "/v1/operator-sessions", other).await.status, 401);
}

#[tokio::test]
async fn one_principal_cannot_crowd_out_another() {
    let limits = dengmi_api::Limits::default();
    let burst = limits.burst.get();
    let api = Api::with(limits);
    let mut refused = 0;
    for _ in 0..burst + 20 {
        refused += u32::from(api.get(token::M1, "/v1/me").await.status == 429);
    }
    assert!(refused > 0 && refused <= 20, "{refused}");
    assert_eq!(api.get(token::M2, "/v1/me").await.status, 200);
}

#[tokio::test]
async fn lists_hold_what_is_within_reach() {
    let api = Api::default();
    let ids = async |token: &str, path: &str, list: &str| -> String {
        let got = api.get(token, path).await;
        assert_eq!(got.status, 200, "{path}");
        let json = got.json();
        let ids: Vec<&str> =
            json[list].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        ids.join(" ")
    };
    assert_eq!(ids(token::M1, "/v1/communities", "communities").await, "c1-1");
    assert_eq!(ids(token::BRANCH, "/v1/communities", "communities").await, "c1-1 c1-2");
    assert_eq!(ids(token::MANAGER2, "/v1/communities", "communities").await, "c1-2");
    assert_eq!(ids(token::HEAD, "/v1/communities?branch=b2", "communities").await, "c2-1 c2-2");
    assert_eq!(ids(token::M1, "/v1/quests", "runs").await, "r1-1 r1-2 r1-3");
    assert_eq!(ids(token::M3, "/v1/quests", "runs").await, "r1-4");
    assert_eq!(ids(token::M1, "/v1/rounds", "rounds").await, "q1-1");
    assert_eq!(ids(token::M1, "/v1/rounds?closed=true", "rounds").await, "q1-1 q1-2");
    assert_eq!(ids(token::BRANCH, "/v1/rounds?community=c1-2", "rounds").await, "q1-3");
    assert_eq!(ids(token::M1, "/v1/posts", "posts").await, "p1-1");
    assert_eq!(ids(token::M3, "/v1/posts", "posts").await, "");
    assert_eq!(ids(token::M1, "/v1/posts?run=r1-1", "posts").await, "");
    assert_eq!(api.get(token::HEAD, "/v1/communities").await.code(), "bad-request");
    assert_eq!(api.get(token::M1, "/v1/rounds?x=1").await.code(), "bad-request");
    let content = api.get(token::M1, "/v1/content").await.json();
    assert_eq!(content["digest"].as_str().unwrap().len(), 64);
    let run = api.get(token::M1, "/v1/runs/r1-2").await.json();
    assert_eq!(
        (&run["kind"], &run["budget_left"]),
        (&"check_in_streak".into(), &serde_json::Value::Null)
    );
    let run = api.get(token::ANALYST, "/v1/runs/r1-2").await.json();
    assert_eq!(run["budget_left"], 5_000);
}

#[tokio::test]
async fn a_group_shows_its_people_to_operators_only() {
    let api = Api::default();
    let members = api.get(token::M1, "/v1/communities/c1-1").await.json();
    assert_eq!((&members["members"], &members["people"]), (&2.into(), &serde_json::Value::Null));
    api.fake.members.lock().unwrap().get_mut(&member("m1-2")).unwrap().shown = false;
    let people = api.get(token::MANAGER, "/v1/communities/c1-1").await.json()["people"].clone();
    assert_eq!(people[0]["nickname"], "昵称m1-1");
    assert_eq!(people[1]["nickname"], serde_json::Value::Null, "opted out: {people}");
}

#[tokio::test]
async fn points_are_explained_page_by_page() {
    let api = Api::default();
    let mut path = "/v1/members/m1-1/points".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = api.get(token::M1, &path).await.json();
        assert_eq!(page["balance"], 120);
        for entry in page["entries"].as_array().unwrap() {
            seen.push(entry["id"].as_u64().unwrap());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/members/m1-1/points?cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=45).rev().collect::<Vec<_>>());
    let page = api.get(token::M1, "/v1/members/m1-1/points?limit=2").await.json();
    let expected = serde_json::json!([
        {"id": 45, "at": "2026-11-21T04:30:00.000Z", "day": "2026-11-21", "kind": "redemption",
         "points": -10, "cause": {"kind": "order", "order": 9}},
        {"id": 44, "at": "2026-11-21T04:30:00.000Z", "day": "2026-11-21", "kind": "award",
         "points": 10, "rule": {"id": "daily", "title": "每日打卡", "version": 3},
         "cause": {"kind": "check_in", "run": "r1-2", "day": "2026-11-21"}},
    ]);
    assert_eq!(page["entries"], expected);
    // A cursor of one list opens no other.
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = format!("/v1/members/m1-2/points?cursor={cursor}");
    assert_eq!(api.get(token::MANAGER, &other).await.code(), "bad-request");
    assert_eq!(api.get(token::M1, "/v1/members/m1-1/points?limit=0").await.code(), "bad-request");
}

#[tokio::test]
async fn erasing_forgets_the_person() {
    let api = Api::default();
    assert_eq!(api.write("DELETE", token::BRANCH, "/v1/members/m1-1", "").await.status, 204);
    assert_eq!(api.last_action(), Action::Erase { member: member("m1-1") });
    assert_eq!(*api.fake.forgotten.lock().unwrap(), [member("m1-1")]);
    api.refuse_next(Reject::MemberErased);
    assert_eq!(api.write("DELETE", token::BRANCH, "/v1/members/m1-2", "").await.status, 410);
    assert_eq!(api.fake.forgotten.lock().unwrap().len(), 1, "refused: nothing is forgotten");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let api = Api::default();
    for (method, path, status, code) in [
        ("GET", "/", 404, "unknown-route"),
        ("GET", "/v1", 404, "unknown-route"),
        ("GET", "/v1/me/", 404, "unknown-route"),
        ("GET", "/v2/me", 404, "unknown-route"),
        ("POST", "/v1/me", 405, "wrong-method"),
        ("DELETE", "/v1/runs/r1-1", 405, "wrong-method"),
        ("GET", "/docs/../../etc/passwd", 404, "not-found"),
        ("GET", "/v1/runs/%FF", 404, "not-found"),
        ("GET", "/v1/runs/r1-01", 404, "not-found"),
        ("GET", "/v1/runs/q1-1", 404, "not-found"),
        ("GET", "/v1/boards/run", 404, "not-found"),
    ] {
        let got = api.send(request(method, path, token::M1, Some(key()), "")).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, code), "{path}");
    }
    let got = api.send(request("POST", "/v1/me", token::M1, None, "")).await;
    assert_eq!(got.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn operation_endpoints_tell_the_machine() {
    let api = Api::default();
    assert_eq!(api.get("", "/livez").await.status, 200);
    assert_eq!(api.get("", "/readyz").await.body, b"ready\n");
    *api.fake.ready.lock().unwrap() = false;
    let got = api.get("", "/readyz").await;
    assert_eq!((got.status.as_u16(), &got.body[..]), (503, &b"b1 is recovering\n"[..]));
    assert_eq!(api.get("", "/metrics").await.body, b"dengmi_up 1\n");
}

#[tokio::test]
async fn the_documentation_needs_no_internet() {
    let api = Api::default();
    let got = api.get("", "/docs").await;
    assert_eq!((got.status.as_u16(), got.header("location")), (303, "/docs/index.html"));
    let page = String::from_utf8(api.get("", "/docs/index.html").await.body).unwrap();
    assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
    // Nothing inline: the page's policy forbids it.
    for script in page.split("<script").skip(1) {
        assert!(script.contains("src="), "{script}");
    }
    let mut files: Vec<&str> =
        page.split(['"', '\'']).filter(|part| part.starts_with("./")).collect();
    files.push("./swagger-initializer.js");
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let got = api.get("", &format!("/docs/{}", &file[2..])).await;
        assert_eq!(got.status, 200, "{file}");
        assert!(got.header("content-security-policy").contains("script-src 'self';"), "{file}");
    }
    let start = String::from_utf8(api.get("", "/docs/swagger-initializer.js").await.body).unwrap();
    assert!(start.contains("/openapi.json"), "{start}");
}

/// Every route, good or refused, carries the headers that every answer must have.
#[tokio::test]
async fn every_answer_is_protected() {
    let api = Api::default();
    let mut paths: Vec<(&str, String)> = dengmi_api::routes()
        .iter()
        .map(|row| {
            let path = row.path.replace("{id}", "m1-1").replace("{key}", "run-r1-1");
            let path = path.replace("{branch}", "b1").replace("{tag}", "t");
            (row.method, path.replace("{purpose}", "marketing").replace("{*file}", "index.html"))
        })
        .collect();
    paths.push(("GET", "/nowhere".to_owned()));
    paths.push(("PUT", "/livez".to_owned()));
    for (method, path) in &paths {
        for token in ["", token::M1, token::HEAD] {
            let response = api.raw(request(method, path, token, Some(key()), "")).await;
            let header = |name: &str| {
                response.headers().get(name).map_or("", |value| value.to_str().unwrap())
            };
            assert!(header("content-security-policy").contains("default-src 'none'"), "{path}");
            assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
            assert!(header("strict-transport-security").contains("max-age=31536000"), "{path}");
            let cache = header("cache-control");
            let public = path.starts_with("/docs") || path == "/openapi.json";
            assert!(
                public || cache.contains("no-store") || cache.contains("private"),
                "{path} {cache}"
            );
            assert_eq!(header("set-cookie"), "", "{path}");
        }
    }
}
