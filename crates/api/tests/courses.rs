//! Courses and cohorts, as callers read and drive them.

mod common;

use std::sync::Arc;

use common::{Api, EXPLAIN, FEEDBACK, NOW, NUMBER, RIGHT_OPTION, member, token};
use dengmi_core::course::{CohortStage, CohortView, CourseAction, StayWish};
use dengmi_core::{Action, BranchId, CohortId, CommunityId, Digest, Reject};
use serde_json::{Value, json};

const FINISH: &str = r#"{"computed":"8203"}"#;

/// A host whose first cohort was changed.
fn with_cohort(change: impl FnOnce(&mut CohortView)) -> Api {
    let mut fake = common::Fake::default();
    let catalog = Arc::make_mut(fake.catalogs.get_mut(&BranchId(1)).unwrap());
    change(&mut catalog.cohorts[0]);
    Api::over(fake)
}

fn course(action: &Action) -> &CourseAction {
    match action {
        Action::Course(action) => action,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn courses_and_cohorts_are_listed_for_whom_they_are() {
    let api = Api::default();
    let courses = api.get(token::M1, "/v1/courses").await.json();
    assert_eq!(courses["courses"][0]["days"], 7);
    assert_eq!(courses["courses"][0]["lesson_at"], "08:30");
    assert_eq!(courses["courses"][0]["lessons"][6], "第7课");
    let ids = |list: Value| -> Vec<String> {
        let cohorts = list["cohorts"].as_array().unwrap().clone();
        cohorts.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    for (token, own) in [
        (token::M1, vec!["k1-1"]),
        (token::M3, vec!["k1-2"]),
        (token::MANAGER2, vec!["k1-2"]),
        (token::ANALYST, vec!["k1-1", "k1-2"]),
    ] {
        assert_eq!(ids(api.get(token, "/v1/cohorts").await.json()), own, "{token}");
    }
    let api = with_cohort(|cohort| cohort.stage = CohortStage::Archived);
    let none: Vec<String> = Vec::new();
    assert_eq!(ids(api.get(token::M1, "/v1/cohorts").await.json()), none);
    assert_eq!(ids(api.get(token::M1, "/v1/cohorts?archived=true").await.json()), ["k1-1"]);
}

#[tokio::test]
async fn a_cohort_tells_operators_how_it_goes_and_members_what_it_is() {
    let api = Api::default();
    let seen = api.get(token::MANAGER, "/v1/cohorts/k1-1").await.json();
    assert_eq!(seen["stage"], "running");
    assert_eq!(seen["stages"][1], json!({"stage": "enrolling", "at": NOW.to_string()}));
    assert_eq!(seen["lessons"], json!(["第1课", "第2课"]), "only what was sent");
    assert_eq!(seen["commitment"], Digest::of(b"commitment").to_string());
    assert_eq!(seen["secret"], Value::Null);
    assert_eq!(seen["progress"]["members"][0], json!({"stage": "enrolled", "count": 2}));
    assert_eq!(seen["progress"]["gain"]["before_ppm"], 500_000);
    let seen = api.get(token::M1, "/v1/cohorts/k1-1").await.json();
    assert_eq!(seen["progress"], Value::Null, "counts are for operators");
    assert_eq!(seen["communities"], json!(["c1-1"]));
    assert!(!seen.to_string().contains("enrolled"), "{seen}");

    // A cohort of two managers: each sees the own group, and no counts over the other's.
    let both = |cohort: &mut CohortView| {
        cohort.communities.push(CommunityId::new(BranchId(1), 2));
        cohort.secret = Some(Digest::of(b"secret"));
    };
    let seen = with_cohort(both).get(token::MANAGER, "/v1/cohorts/k1-1").await.json();
    assert_eq!(seen["communities"], json!(["c1-1"]));
    assert_eq!(seen["progress"], Value::Null);
    assert_eq!(seen["secret"], Digest::of(b"secret").to_string());
    let seen = with_cohort(both).get(token::BRANCH, "/v1/cohorts/k1-1").await.json();
    assert_eq!(seen["communities"], json!(["c1-1", "c1-2"]));
    assert_eq!(seen["progress"]["members"].as_array().unwrap().len(), 9);
    // Nor may one of them end it.
    for path in ["dissolve", "amend"] {
        let path = format!("/v1/cohorts/k1-1/{path}");
        let api = with_cohort(both);
        let got = api.post(token::MANAGER, &path, r#"{"from_day":4}"#).await;
        assert!([403, 404].contains(&got.status.as_u16()), "{path}: {}", got.status);
        assert!(api.fake.submitted.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_lesson_is_read_when_it_was_sent_and_solved_when_it_was_finished() {
    let api = Api::default();
    let lesson = api.get(token::M1, "/v1/cohorts/k1-1/lessons/1").await.json();
    assert_eq!(lesson["messages"], json!(["早上好", "再见"]));
    assert_eq!(lesson["compute"], json!({"prompt": "十年后值多少", "unit": "元"}));
    assert_eq!(lesson["finished"], true);
    assert_eq!(lesson["solution"], json!({"answer": NUMBER, "explain": EXPLAIN}));
    let lesson = api.get(token::M1, "/v1/cohorts/k1-1/lessons/2").await.json();
    assert_eq!((&lesson["finished"], &lesson["solution"]), (&json!(false), &Value::Null));

    // Operators may pass on what they read: they learn it when the course is over.
    let lesson = api.get(token::HEAD, "/v1/cohorts/k1-1/lessons/1").await.json();
    assert_eq!((&lesson["finished"], &lesson["solution"]), (&Value::Null, &Value::Null));
    let over = with_cohort(|cohort| cohort.stage = CohortStage::Placing);
    for token in [token::HEAD, token::M1] {
        let lesson = over.get(token, "/v1/cohorts/k1-1/lessons/2").await.json();
        assert_eq!(lesson["solution"]["answer"], NUMBER, "nobody can finish it any more");
    }

    let got = api.get(token::M1, "/v1/cohorts/k1-1/lessons/3").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (409, "lesson-not-sent"));
    assert_eq!(
        got.json()["detail"],
        "lesson 3 is sent on 2026-11-22 at 08:30; lessons 1 to 2 can be read now"
    );
    for (sent, told) in [(0, "no lesson can be read yet"), (1, "lesson 1 can be read now")] {
        let api = with_cohort(|cohort| cohort.sent = sent);
        let got = api.get(token::M1, "/v1/cohorts/k1-1/lessons/7").await;
        assert!(got.json()["detail"].as_str().unwrap().ends_with(told), "{}", got.json());
    }
    for day in ["0", "8", "255", "256", "x", "-1"] {
        let got = api.get(token::M1, &format!("/v1/cohorts/k1-1/lessons/{day}")).await;
        assert_eq!(got.status, 404, "{day}");
    }
}

#[tokio::test]
async fn a_finished_lesson_tells_its_number() {
    let api = Api::default();
    let got = api.post(token::M1, "/v1/cohorts/k1-1/lessons/2/finish", FINISH).await;
    let solution = json!({"answer": NUMBER, "explain": EXPLAIN});
    assert_eq!(got.json(), json!({"right": false, "lessons": 2, "solution": solution}));
    match course(&api.last_action()) {
        CourseAction::FinishLesson { member: who, day: 2, computed, .. } => {
            assert_eq!((*who, computed.to_string()), (member("m1-1"), "8203".to_owned()));
        }
        other => panic!("{other:?}"),
    }
    // What the engine refuses tells nothing.
    api.refuse_next(Reject::LessonFinished);
    let got = api.post(token::M1, "/v1/cohorts/k1-1/lessons/2/finish", FINISH).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (409, "lesson-finished"));
    assert!(!String::from_utf8_lossy(&got.body).contains(NUMBER));
    let got = api.post(token::M1, "/v1/cohorts/k1-1/lessons/3/finish", FINISH).await;
    assert_eq!(got.code(), "lesson-not-sent");
    for bad in [r#"{"computed":8203}"#, r#"{"computed":"much"}"#, r#"{"computed":"1","x":1}"#] {
        let got = api.post(token::M1, "/v1/cohorts/k1-1/lessons/2/finish", bad).await;
        assert_eq!(got.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn a_member_reads_their_own_course() {
    let api = Api::default();
    let me = api.get(token::M1, "/v1/cohorts/k1-1/me").await.json();
    assert_eq!((&me["lessons"], &me["quizzes"]), (&json!([1]), &json!([1])));
    assert_eq!(me["concepts"], json!({"mastered": 1, "taught": 3}));
    let review = me["review"].as_array().unwrap();
    assert_eq!((&review[0]["item"], &review[0]["stem"]), (&json!(0), &json!("zh-CN bank/single")));
    // In the member's own order, not in the key's.
    assert_eq!(review[0]["options"], json!(["c-wrong", "b-wrong", RIGHT_OPTION]));
    assert_eq!(review[1]["kind"], "number");
    assert_eq!(me["paired"]["occasion"], "before");
    assert_eq!(me["paired"]["items"][0]["item"], 2);
    assert_eq!(me["wish"], "anywhere");
    assert_eq!(me["destinations"][1], json!({"community": "c1-2", "title": "代发群"}));
    assert_eq!(me["invitation"]["to"], "c1-2");
    assert_eq!(me["invitation"]["by"], "wish");

    // Who only belongs to the group reads along, and has nothing of their own.
    api.fake.members.lock().unwrap().get_mut(&member("m1-2")).unwrap().courses.clear();
    let got = api.get(token::M2, "/v1/cohorts/k1-1/me").await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (409, "not-enrolled"));
    let lesson = api.get(token::M2, "/v1/cohorts/k1-1/lessons/1").await.json();
    assert_eq!((&lesson["finished"], &lesson["solution"]), (&Value::Null, &Value::Null));
    // Who has moved on keeps what they took part in.
    api.fake.members.lock().unwrap().get_mut(&member("m1-1")).unwrap().community =
        CommunityId::new(BranchId(1), 2);
    assert_eq!(api.get(token::M1, "/v1/cohorts/k1-1/me").await.status, 200);
    assert_eq!(api.get(token::M1, "/v1/cohorts/k1-1").await.json()["communities"], json!([]));
}

#[tokio::test]
async fn only_reviews_are_marked() {
    let api = Api::default();
    let review = r#"{"occasion":"review","answers":[{"item":0,"choice":{"one":2}},{"item":1,"choice":{"number":"3"}}]}"#;
    let got = api.post(token::M1, "/v1/cohorts/k1-1/items", review).await.json();
    let mark = |item, right, feedback: &str| json!({"item": item, "right": right, "feedback": format!("{FEEDBACK} {feedback}"), "due": "2026-11-24"});
    assert_eq!(got, json!({"marks": [mark(0, true, "right"), mark(1, false, "wrong")]}));
    let before = r#"{"occasion":"before","answers":[{"item":2,"choice":{"text":"x"}}]}"#;
    let got = api.post(token::M1, "/v1/cohorts/k1-1/items", before).await;
    assert_eq!(got.body, br#"{"answered":1}"#);
    for (bad, status) in [
        (r#"{"occasion":"later","answers":[{"item":2,"choice":{"one":1}}]}"#, 422),
        (r#"{"occasion":"review","answers":[]}"#, 422),
        (r#"{"occasion":"review","answers":[{"item":70000,"choice":{"one":1}}]}"#, 422),
        (r#"{"occasion":"review","answers":[{"item":0,"choice":{"many":[1,1]}}]}"#, 422),
    ] {
        let got = api.post(token::M1, "/v1/cohorts/k1-1/items", bad).await;
        assert_eq!(got.status, status, "{bad}");
    }
}

#[tokio::test]
async fn a_wish_names_a_group_that_is_offered() {
    let api = Api::default();
    let path = "/v1/cohorts/k1-1/wish";
    for (body, wish) in [
        (r#"{"wish":"leave"}"#, StayWish::Leave),
        (r#"{"wish":"anywhere"}"#, StayWish::Anywhere),
        (r#"{"wish":{"group":"c1-2"}}"#, StayWish::Group(CommunityId::new(BranchId(1), 2))),
    ] {
        assert_eq!(api.write("PUT", token::M1, path, body).await.status, 204, "{body}");
        let cohort = CohortId::new(BranchId(1), 1);
        let wished = CourseAction::Wish { member: member("m1-1"), cohort, wish };
        assert_eq!(course(&api.last_action()), &wished);
    }
    for (body, status) in [
        (r#"{"wish":{"group":"c1-9"}}"#, 404),
        (r#"{"wish":{"group":"c2-1"}}"#, 404),
        (r#"{"wish":"stay"}"#, 422),
    ] {
        assert_eq!(api.write("PUT", token::M1, path, body).await.status, status, "{body}");
    }
}

/// Every write, repeated under its key, is done once; and what the engine refuses becomes a problem
/// with the engine's own code.
#[tokio::test]
async fn writes_are_done_once_and_refusals_are_problems() {
    let start = r#"{"branch":"b1","course":"basics","communities":["c1-1"],"start":"2026-11-23"}"#;
    for (method, token, path, body, status) in [
        ("POST", token::MANAGER, "/v1/cohorts", start, 201),
        ("POST", token::BRANCH, "/v1/cohorts/k1-1/amend", r#"{"from_day":4}"#, 204),
        ("POST", token::MANAGER, "/v1/cohorts/k1-1/dissolve", "", 204),
        ("POST", token::M1, "/v1/cohorts/k1-1/enrolments", "{}", 204),
        ("POST", token::MANAGER, "/v1/cohorts/k1-1/enrolments", r#"{"member":"m1-2"}"#, 204),
        ("POST", token::M1, "/v1/cohorts/k1-1/withdrawals", "{}", 204),
        ("POST", token::M1, "/v1/cohorts/k1-1/lessons/2/finish", FINISH, 200),
        (
            "POST",
            token::M1,
            "/v1/cohorts/k1-1/items",
            r#"{"occasion":"review","answers":[{"item":0,"choice":{"one":1}}]}"#,
            200,
        ),
        ("PUT", token::M1, "/v1/cohorts/k1-1/wish", r#"{"wish":"leave"}"#, 204),
        ("POST", token::M1, "/v1/cohorts/k1-1/invitation", r#"{"accept":true}"#, 200),
        ("POST", token::MANAGER, "/v1/cohorts/k1-1/members/m1-1/reinvite", "", 200),
        ("POST", token::MANAGER, "/v1/cohorts/k1-1/members/m1-1/arrival", "", 200),
    ] {
        let api = Api::default();
        let key = common::key();
        let ask = || common::request(method, path, token, Some(key), body);
        let (first, second) = (api.send(ask()).await, api.send(ask()).await);
        assert_eq!(first.status, status, "{method} {path}");
        assert_eq!(second.header("idempotency-replayed"), "true", "{method} {path}");
        assert_eq!((first.status, first.body), (second.status, second.body), "{method} {path}");
        assert_eq!(api.fake.submitted.lock().unwrap().len(), 1, "{method} {path}");
        api.refuse_next(Reject::WrongStage);
        let refused = api.write(method, token, path, body).await;
        assert_eq!(refused.status, 409, "{method} {path}");
        assert_eq!(refused.json()["type"], "urn:dengmi:problem:wrong-stage", "{method} {path}");
    }
    let api = Api::default();
    let without = r#"{"branch":"b1","course":"basics","communities":[],"start":"2026-11-23"}"#;
    assert_eq!(api.post(token::HEAD, "/v1/cohorts", without).await.status, 422);
    let got = api.post(token::BRANCH, "/v1/cohorts/k1-1/amend", r#"{"from_day":4}"#).await;
    assert_eq!(got.status, 204);
    match course(&api.last_action()) {
        CourseAction::Amend { digest, from_day: 4, .. } => assert_eq!(*digest, Digest::of(b"pack")),
        other => panic!("{other:?}"),
    }
}
