//! Mock investing, as members read and do it.

mod common;

use std::sync::Arc;

use common::mock::{AFTERWARDS, FUTURE, N4, REAL};
use common::{Api, member, token};
use dengmi_core::course::{CohortStage, CohortView, CourseAction, PupilView};
use dengmi_core::mock::{
    Assessed, ClientLevel, DebriefAbout, Goal, MockAction, Plan, PlanPart, Units, Writing,
    WritingKind,
};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, BranchId, Day, Digest, Fen, Ppm, Reject};
use serde_json::{Value, json};

const COHORT: &str = "/v1/cohorts/k1-1";

fn me(path: &str) -> String {
    format!("{COHORT}/me/{path}")
}

/// A host whose first cohort was changed.
fn with_cohort(change: impl FnOnce(&mut CohortView)) -> Api {
    let mut fake = common::Fake::default();
    let catalog = Arc::make_mut(fake.catalogs.get_mut(&BranchId(1)).unwrap());
    change(&mut catalog.cohorts[0]);
    Api::over(fake)
}

/// Changes what member m1-1 has of the course.
fn with_pupil(api: &Api, change: impl FnOnce(&mut PupilView)) {
    let mut members = api.fake.members.lock().unwrap();
    change(&mut members.get_mut(&member("m1-1")).unwrap().courses[0]);
}

fn level(level: ClientLevel, until: i32, confirmed: bool) -> Option<Assessed> {
    Some(Assessed { level, until: Day(until), confirmed })
}

fn asked(api: &Api) -> MockAction {
    match api.last_action() {
        Action::Course(CourseAction::Mock { member: of, what, .. }) => {
            assert_eq!(of, member("m1-1"));
            what
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_market_tells_rules_last_quotes_and_the_next_close() {
    let api = Api::default();
    let market = api.get(token::M1, &format!("{COHORT}/market")).await.json();
    assert_eq!((&market["market_day"], &market["date"]), (&json!(1), &json!("2026-11-21")));
    // Day 3 of the course has no market day: the next close is on day 4, at 15:00 in China.
    assert_eq!(market["next_close"], "2026-11-23T07:00:00.000Z");
    assert_eq!(market["commitment"], Digest::of(b"commitment").to_string());
    assert_eq!((&market["secret"], &market["orders_from_day"]), (&Value::Null, &json!(2)));
    let [fund, money, demand] = &market["assets"].as_array().unwrap()[..] else { panic!() };
    assert_eq!(fund["quote"], json!({"nav": "0.9394", "gated": false}));
    let fund_rules = json!(["每次至少买 10 元。"]);
    assert_eq!((&fund["risk"], &fund["rules"]), (&json!("R4"), &fund_rules));
    assert_eq!((&fund["charged_ppm"], &fund["kind"]), (&json!(300), &json!("index_fund")));
    assert_eq!(
        money["quote"],
        json!({"nav": "1.0000", "wan_fen_yield": "0.3315", "yearly_percent": "1.2100", "gated": false})
    );
    assert_eq!(
        demand["quote"],
        json!({"nav": "1.0000", "yearly_percent": "0.0500", "gated": false})
    );
    assert_eq!(demand["fast_limit_fen"], Value::Null);
    let over = with_cohort(|cohort| {
        cohort.stage = CohortStage::Placing;
        cohort.secret = Some(Digest::of(b"secret"));
    });
    let market = over.get(token::M1, &format!("{COHORT}/market")).await.json();
    assert_eq!(market["next_close"], Value::Null);
    assert_eq!(market["secret"], Digest::of(b"secret").to_string());
    let done = with_cohort(|cohort| Arc::make_mut(&mut cohort.market).closed = 7);
    let market = done.get(token::M1, &format!("{COHORT}/market")).await.json();
    assert_eq!(market["next_close"], Value::Null, "no more prices");
}

#[tokio::test]
async fn the_prices_of_an_asset_begin_with_the_history() {
    let api = Api::default();
    let prices = api.get(token::M1, &format!("{COHORT}/market/fund")).await.json();
    let days = prices["days"].as_array().unwrap();
    assert_eq!(days.len(), 4);
    assert_eq!(days[0], json!({"day": -2, "date": "2026-11-18", "nav": "1.0000", "gated": false}));
    assert_eq!((&days[2]["nav"], &days[3]["nav"]), (&json!("1.0100"), &json!("0.9394")));
    assert_eq!(prices["without_script"], Value::Null);
    let over = with_cohort(|cohort| {
        let market = Arc::make_mut(&mut cohort.market);
        market.without_script = market.quotes.iter().map(|_| market.quotes[1].clone()).collect();
    });
    let prices = over.get(token::M1, &format!("{COHORT}/market/fund")).await.json();
    assert_eq!(prices["without_script"][3]["nav"], "1.0050");
    let got = api.get(token::M1, &format!("{COHORT}/market/gold")).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (404, "unknown-asset"));
    assert_eq!(api.get(token::M1, &format!("{COHORT}/market/%20")).await.status, 404);
}

/// By stage, lessons sent and what was reported: ids, whether each is told to be a fraud, and
/// whether its debrief is told.
#[tokio::test]
async fn news_tell_neither_the_future_nor_the_fraud() {
    let read = async |api: &Api| -> Value {
        let list = api.get(token::M1, &format!("{COHORT}/news")).await.json();
        let news = list["news"].as_array().unwrap().iter();
        news.map(|one| json!([one["id"], one["fraud"], one["debrief"].is_string()])).collect()
    };
    let (hidden, no) = (Value::Null, json!(false));
    let api = Api::default();
    let crash = json!(["crash", no, false]);
    assert_eq!(read(&api).await, json!([crash, ["fraud-pitch", hidden, false]]));
    with_pupil(&api, |pupil| pupil.mock.reported = vec!["fraud-pitch".parse().unwrap()]);
    assert_eq!(read(&api).await, json!([crash, ["fraud-pitch", true, true]]));
    // The day after: it is told to everybody; what comes after the course is not.
    let api = with_cohort(|cohort| cohort.sent = 3);
    let later = json!(["later", hidden, false]);
    assert_eq!(read(&api).await, json!([crash, ["fraud-pitch", true, false], later]));
    // With the last lesson sent, all but what is of that very day.
    let api = with_cohort(|cohort| {
        cohort.sent = 3;
        cohort.last = cohort.first.plus(2);
    });
    let crash = json!(["crash", no, true]);
    assert_eq!(read(&api).await, json!([crash, ["fraud-pitch", true, true], later]));
    let api = with_cohort(|cohort| {
        cohort.sent = 3;
        cohort.stage = CohortStage::Placing;
    });
    let later = json!(["later", no, true]);
    assert_eq!(read(&api).await, json!([crash, ["fraud-pitch", true, true], later]));
}

#[tokio::test]
async fn a_changed_level_is_confirmed_before_it_counts() {
    let api = Api::default();
    let asked_for = api.get(token::M1, &me("assessment")).await.json();
    let question = json!({"text": "多大年纪？", "options": ["18", "65"]});
    assert_eq!(asked_for["questions"], json!([question]));
    assert_eq!((&asked_for["per_day"], &asked_for["level"]), (&json!(2), &Value::Null));
    assert!(!asked_for.to_string().contains("points"));
    for (answered, left) in [(&[][..], 2), (&[20_777], 2), (&[20_777, 20_778], 1)] {
        let answered = answered.iter().copied().map(Day);
        with_pupil(&api, |pupil| pupil.assessed = answered.collect());
        let asked_for = api.get(token::M1, &me("assessment")).await.json();
        assert_eq!(asked_for["left_today"], json!(left));
    }
    let body = r#"{"adult":true,"choices":[1]}"#;
    let got = api.post(token::M1, &me("assessment"), body).await;
    let found = |confirmed| json!({"level": "C3", "until": "2027-11-21", "confirmed": confirmed, "holds": confirmed});
    assert_eq!((got.status.as_u16(), got.json()), (200, found(false)));
    assert_eq!(asked(&api), MockAction::Assess { adult: true, choices: vec![1] });
    let got = api.post(token::M1, &me("assessment/confirmation"), "").await;
    assert_eq!((got.status.as_u16(), got.json()), (200, found(true)));
    for (reject, status) in
        [(Reject::UnderAge, 403), (Reject::AssessmentLimit, 409), (Reject::BadAssessment, 422)]
    {
        api.refuse_next(reject);
        let got = api.post(token::M1, &me("assessment"), body).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, reject.code()));
    }
    let many = format!(r#"{{"adult":true,"choices":{:?}}}"#, [0; 101]);
    for bad in [many.as_str(), r#"{"adult":true,"choices":[256]}"#, r#"{"choices":[0]}"#] {
        assert_eq!(api.post(token::M1, &me("assessment"), bad).await.status, 422, "{bad}");
    }
    // Whether it holds is for the day of the cohort.
    for (until, holds) in [(20_778, true), (20_777, false)] {
        with_pupil(&api, |pupil| pupil.level = level(ClientLevel::C2, until, true));
        let mine = api.get(token::M1, COHORT_ME).await.json();
        assert_eq!((&mine["level"]["holds"], &mine["tasks"]), (&json!(holds), &json!([2])));
    }
}

const COHORT_ME: &str = "/v1/cohorts/k1-1/me";

#[tokio::test]
async fn products_on_sale_are_shown_to_whom_they_suit_and_who_asked() {
    let api = Api::default();
    let lesson = format!("{COHORT}/lessons/1");
    let set = |found: Option<Assessed>, marketing: bool| {
        with_pupil(&api, |pupil| pupil.level = found);
        let mut members = api.fake.members.lock().unwrap();
        members.get_mut(&member("m1-1")).unwrap().marketing = marketing;
    };
    let c2 = level(ClientLevel::C2, 20_778, true);
    for (found, marketing, reason) in [
        (None, true, Some("above-level")),
        (level(ClientLevel::C1, 20_778, true), true, Some("above-level")),
        (level(ClientLevel::C2, 20_777, true), true, Some("above-level")),
        (level(ClientLevel::C2, 20_778, false), true, Some("above-level")),
        (c2, false, Some("no-marketing-consent")),
        (c2, true, None),
    ] {
        set(found, marketing);
        let seen = api.get(token::M1, &lesson).await.json();
        let ids: Vec<&str> =
            seen["sheets"].as_array().unwrap().iter().filter_map(|s| s["id"].as_str()).collect();
        assert_eq!(ids.contains(&REAL), reason.is_none(), "{found:?}");
        assert!(ids.contains(&"cash/money-fund"), "teaching sheets are for everybody");
        let why = reason.map(|reason| json!([reason])).unwrap_or_default();
        assert_eq!(seen["withheld"], why, "{found:?}");
        // A page that was read once is not shown again to whom it may not be shown any more.
        let got = api.post(token::M1, &me("readings"), &format!(r#"{{"product":"{REAL}"}}"#)).await;
        match reason {
            Some(reason) => assert_eq!((got.status.as_u16(), got.code().as_str()), (403, reason)),
            None => assert_eq!(got.json()["title"], format!("zh-CN {REAL}")),
        }
    }
    let staff = api.get(token::MANAGER, &lesson).await.json();
    assert_eq!(staff["sheets"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_sheet_is_read_with_its_page() {
    let api = Api::default();
    let body = r#"{"product":"cash/money-fund"}"#;
    let page = api.post(token::M1, &me("readings"), body).await.json();
    assert_eq!((&page["real"], &page["risk"]), (&json!(false), &json!("R1")));
    assert_eq!(page["facts"], json!([{"label": "七日年化", "value": "1.21%"}]));
    let product = "cash/money-fund".parse().unwrap();
    assert_eq!(asked(&api), MockAction::ReadSheet { product });
    for (reject, status) in
        [(Reject::UnknownSheet, 404), (Reject::AboveLevel, 403), (Reject::NoMarketingConsent, 403)]
    {
        api.refuse_next(reject);
        let got = api.post(token::M1, &me("readings"), body).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, reject.code()));
        assert!(!String::from_utf8_lossy(&got.body).contains("1.21%"));
    }
}

#[tokio::test]
async fn orders_are_taken_listed_and_taken_back() {
    let api = Api::default();
    let fund = || "fund".parse().unwrap();
    for (side, action, state) in [
        (
            r#"{"buy":{"amount_fen":100000}}"#,
            MockAction::Buy { asset: fund(), amount: Fen(100_000) },
            "accepted",
        ),
        (
            r#"{"redeem":{"units":5}}"#,
            MockAction::Redeem { asset: fund(), units: Units(5), fast: false },
            "accepted",
        ),
        (
            r#"{"redeem_fast":{"units":-5}}"#,
            MockAction::Redeem { asset: fund(), units: Units(-5), fast: true },
            "settled",
        ),
    ] {
        let body = format!(r#"{{"asset":"fund","side":{side}}}"#);
        let got = api.post(token::M1, &me("orders"), &body).await;
        assert_eq!(got.status, 201, "{side}");
        assert_eq!(got.json(), json!({"order": 4, "market_day": 2, "state": state}));
        assert_eq!(asked(&api), action, "{side}");
    }
    let listed = api.get(token::M1, &me("orders")).await.json();
    let orders = listed["orders"].as_array().unwrap();
    assert_eq!(orders[1]["side"], json!({"buy": {"amount_fen": 500_000}}));
    assert_eq!((&orders[1]["state"], &orders[1]["asset"]), (&json!("accepted"), &json!("fund")));
    assert_eq!(orders[2]["side"], json!({"redeem": {"units": 100_000}}));
    assert_eq!((&orders[2]["in_plan"], &orders[2]["fee_fen"]), (&json!(false), &json!(3)));
    let got = api.write("DELETE", token::M1, &me("orders/2"), "").await;
    assert_eq!(got.status, 204);
    assert_eq!(asked(&api), MockAction::Cancel { order: 2 });
    for missing in ["orders/x", "orders/-1", "orders/70000"] {
        assert_eq!(api.write("DELETE", token::M1, &me(missing), "").await.status, 404, "{missing}");
    }
}

/// Every reason for which an order is refused reaches its sender with code, title and a way out;
/// numbers that are none reach nobody.
#[tokio::test]
async fn refused_orders_say_why() {
    let api = Api::default();
    let body = r#"{"asset":"fund","side":{"buy":{"amount_fen":9223372036854775807}}}"#;
    for (reject, status) in [
        (Reject::OrdersNotYet, 409),
        (Reject::UnknownAsset, 404),
        (Reject::AssetOff, 409),
        (Reject::AboveLevel, 403),
        (Reject::PlanFirst, 409),
        (Reject::DebriefFirst, 409),
        (Reject::NoMorePrices, 409),
        (Reject::BadAmount, 422),
        (Reject::WindowClosed, 409),
        (Reject::DailyLimit, 409),
        (Reject::NotEnoughCash, 409),
        (Reject::TooManyOrders, 409),
        (Reject::Suspended, 409),
        (Reject::NoFastRedemption, 409),
        (Reject::FastLimit, 409),
        (Reject::NotEnoughUnits, 409),
        (Reject::LockedUp, 409),
        (Reject::UnknownOrder, 404),
        (Reject::OrderDone, 409),
    ] {
        api.refuse_next(reject);
        let got = api.post(token::M1, &me("orders"), body).await;
        let problem = got.json();
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, reject.code()));
        assert_eq!(problem["detail"], reject.help());
        assert_eq!(got.header("content-type"), "application/problem+json");
    }
    let before = api.fake.submitted.lock().unwrap().len();
    for bad in [
        r#"{"asset":"fund","side":{"buy":{"amount_fen":9223372036854775808}}}"#,
        r#"{"asset":"fund","side":{"buy":{"amount_fen":1e3}}}"#,
        r#"{"asset":"fund","side":{"buy":{"amount_fen":"1000"}}}"#,
        r#"{"asset":"fund","side":{"buy":{"units":1000}}}"#,
        r#"{"asset":"fund","side":{"buy":{"amount_fen":1,"x":1}}}"#,
        r#"{"asset":"fund","side":"buy"}"#,
        r#"{"asset":"fund","side":{"matured":{"units":1}}}"#,
        r#"{"asset":"'; DROP","side":{"redeem":{"units":1}}}"#,
        r#"{"side":{"redeem":{"units":1}}}"#,
    ] {
        assert_eq!(api.post(token::M1, &me("orders"), bad).await.status, 422, "{bad}");
    }
    assert_eq!(api.fake.submitted.lock().unwrap().len(), before);
}

#[tokio::test]
async fn the_account_is_told_in_fen_and_units() {
    let api = Api::default();
    let seen = api.get(token::M1, &me("portfolio")).await.json();
    assert_eq!((&seen["cash_fen"], &seen["value_fen"]), (&json!(8_000_000), &json!(9_900_000)));
    assert_eq!(
        seen["on_the_way_fen"], 593_932,
        "a purchase that waits and a redemption on its way"
    );
    assert_eq!(seen["started_with_fen"], 10_000_000);
    assert_eq!(
        seen["holdings"],
        json!([{"asset": "fund", "title": "zh-CN fund", "units": 1_000_000,
            "redeemable": 900_000, "value_fen": 939_350, "cost_fen": 1_000_000}])
    );
}

#[tokio::test]
async fn the_score_has_parts_and_the_standing_bands() {
    let api = Api::default();
    let score = api.get(token::M1, &me("score")).await.json();
    assert_eq!(
        (&score["total"], &score["band"], &score["is_final"]),
        (&json!(160), &json!("播种"), &json!(false))
    );
    assert_eq!(score["parts"][0], json!({"part": "plan_first", "points": 80, "of": 80}));
    assert_eq!(score["parts"].as_array().unwrap().len(), 10);
    assert_eq!(score["penalties"][1], json!({"part": "turnover", "points": 20}));
    let over = with_cohort(|cohort| cohort.stage = CohortStage::Placing);
    assert_eq!(over.get(token::M1, &me("score")).await.json()["is_final"], true);

    let path = format!("{COHORT}/standing");
    let seen = api.get(token::M1, &path).await.json();
    assert_eq!(seen["bands"][1], json!({"title": "发芽", "from": 400, "members": 1}));
    assert_eq!(seen["teams"], json!([{"community": "c1-1", "members": 2, "score": 412}]));
    assert_eq!(seen["own_band"], "播种");
    assert!(!seen.to_string().contains("fen"), "never money");
    assert_eq!(api.get(token::MANAGER, &path).await.json()["own_band"], Value::Null);
    // A team out of reach has no name.
    let both = with_cohort(|cohort| {
        let mut other = cohort.standing.teams[0];
        other.community = "c1-2".parse().unwrap();
        cohort.standing.teams.push(other);
        cohort.communities.push(other.community);
    });
    let seen = both.get(token::M1, &path).await.json();
    assert_eq!(seen["teams"][1], json!({"members": 2, "score": 412}));
    let seen = both.get(token::BRANCH, &path).await.json();
    assert_eq!(seen["teams"][1]["community"], "c1-2");
}

#[tokio::test]
async fn graduation_tells_what_is_missing() {
    let api = Api::default();
    let read = async |api: &Api| api.get(token::M1, &me("graduation")).await.json();
    let seen = read(&api).await;
    let part = |part, have, need, missing| json!({"part": part, "have": have, "need": need, "missing": missing});
    let expected = [
        part("lessons", 1, 5, 4),
        part("quizzes", 1, 1, 0),
        part("concepts", 1, 2, 1),
        part("score", 160, 100, 0),
        part("plan", 0, 1, 1),
        part("debrief", 0, 1, 1),
    ];
    assert_eq!((&seen["met"], &seen["parts"]), (&json!(false), &json!(expected)));
    with_pupil(&api, |pupil| {
        pupil.lessons = 0b11111;
        pupil.mastered = (2, 3);
        pupil.mock.plan = Some((1, plan()));
        let at = common::NOW;
        let text = FoldedHash::of("回头看");
        pupil.mock.texts = vec![Writing { at, kind: WritingKind::Course, text }];
    });
    assert_eq!(read(&api).await["met"], true);
}

fn plan() -> Plan {
    Plan {
        goal: Goal::Home,
        months: 36,
        loss: Ppm(50_000),
        parts: vec![PlanPart { asset: "fund".parse().unwrap(), share: Ppm(300_000) }],
        text: FoldedHash::of("三年后买房，跌 5% 也不动"),
    }
}

const PLAN: &str = r#"{"goal":"home","months":36,"loss_ppm":50000,
    "parts":[{"asset":"fund","share_ppm":300000}],"text":" 三年后买房，跌 5% 也不动 "}"#;

#[tokio::test]
async fn a_plan_is_written_and_read_again_in_own_words() {
    let api = Api::default();
    assert_eq!(api.get(token::M1, &me("plan")).await.json()["plan"], Value::Null);
    let got = api.write("PUT", token::M1, &me("plan"), PLAN).await;
    assert_eq!((got.status.as_u16(), got.json()), (200, json!({"version": 1})));
    assert_eq!(asked(&api), MockAction::WritePlan(plan()));
    with_pupil(&api, |pupil| pupil.mock.plan = Some((2, plan())));
    let seen = api.get(token::M1, &me("plan")).await.json();
    assert_eq!(
        seen["plan"],
        json!({"version": 2, "goal": "home", "months": 36, "loss_ppm": 50_000,
            "parts": [{"asset": "fund", "share_ppm": 300_000}], "text": "三年后买房，跌 5% 也不动"})
    );
    for (reject, status) in [(Reject::BadPlan, 422), (Reject::AboveLevel, 403)] {
        api.refuse_next(reject);
        let got = api.write("PUT", token::M1, &me("plan"), PLAN).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, reject.code()));
    }
    for bad in [
        PLAN.replace("home", "yacht"),
        PLAN.replace("36", "70000"),
        PLAN.replace("50000", "-1"),
        PLAN.replace(" 三年后买房，跌 5% 也不动 ", "……"),
    ] {
        let got = api.write("PUT", token::M1, &me("plan"), &bad).await;
        assert_eq!(got.status, 422, "{bad}");
    }
}

#[tokio::test]
async fn notes_and_debriefs_are_kept_for_their_writer_alone() {
    const NOTE: &str = "今天跌了，先看计划。";
    let api = Api::default();
    let note = format!(r#"{{"text":"{NOTE}"}}"#);
    let got = api.post(token::M1, &me("notes"), &note).await;
    assert_eq!((got.status.as_u16(), got.json()), (201, json!({"texts": 2})));
    assert_eq!(asked(&api), MockAction::WriteNote { text: FoldedHash::of(NOTE) });
    let body = r#"{"about":"loss","text":"跌到一半就卖，和计划不符"}"#;
    assert_eq!(api.post(token::M1, &me("debriefs"), body).await.status, 201);
    let text = FoldedHash::of("跌到一半就卖，和计划不符");
    assert_eq!(asked(&api), MockAction::WriteDebrief { about: DebriefAbout::Loss, text });
    let at = common::NOW;
    with_pupil(&api, |pupil| {
        let lost = FoldedHash::of("不再保存");
        pupil.mock.texts = vec![
            Writing { at, kind: WritingKind::Note, text: FoldedHash::of(NOTE) },
            Writing { at, kind: WritingKind::Loss, text },
            Writing { at, kind: WritingKind::Note, text: lost },
        ];
    });
    let seen = api.get(token::M1, &me("journal")).await.json();
    let at = at.to_string();
    assert_eq!(
        seen["texts"],
        json!([
            {"at": at, "kind": "note", "text": NOTE},
            {"at": at, "kind": "loss", "text": "跌到一半就卖，和计划不符"},
            {"at": at, "kind": "note"},
        ])
    );
    let others = api.get(token::M2, &me("journal")).await.json();
    assert_eq!(others["texts"], json!([]));

    // What is refused leaves no words behind, unless they are kept for a text of before.
    let kept = api.fake.words.lock().unwrap().len();
    for words in ["另一句", NOTE] {
        api.refuse_next(Reject::TooManyTexts);
        let got = api.post(token::M1, &me("notes"), &format!(r#"{{"text":"{words}"}}"#)).await;
        assert_eq!(got.code(), "too-many-texts");
        assert_eq!(api.fake.words.lock().unwrap().len(), kept, "{words}");
    }
    for (body, path) in [
        (format!(r#"{{"text":"{}"}}"#, "字".repeat(501)), "notes"),
        (r#"{"text":" "}"#.to_owned(), "notes"),
        (r#"{"about":"mood","text":"x"}"#.to_owned(), "debriefs"),
    ] {
        assert_eq!(api.post(token::M1, &me(path), &body).await.status, 422, "{body:.30}");
    }
    api.refuse_next(Reject::NothingToDebrief);
    assert_eq!(api.post(token::M1, &me("debriefs"), body).await.code(), "nothing-to-debrief");
}

#[tokio::test]
async fn a_fraud_is_reported_by_its_id() {
    let api = Api::default();
    let body = r#"{"news":"fraud-pitch"}"#;
    assert_eq!(api.post(token::M1, &me("fraud-reports"), body).await.status, 204);
    assert_eq!(asked(&api), MockAction::ReportFraud { news: "fraud-pitch".parse().unwrap() });
    for (reject, status) in
        [(Reject::UnknownNews, 404), (Reject::NotAFraud, 409), (Reject::AlreadyDone, 409)]
    {
        api.refuse_next(reject);
        let got = api.post(token::M1, &me("fraud-reports"), body).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, reject.code()));
    }
}

#[tokio::test]
async fn the_exit_screen_tells_luck_from_process() {
    let api = with_cohort(|cohort| {
        cohort.stage = CohortStage::Placing;
        cohort.sent = 7;
    });
    let seen = api.get(token::M1, &me("exit")).await.json();
    assert_eq!(seen["without_script_fen"], 9_960_000);
    assert_eq!((&seen["in_cash_fen"], &seen["drawdown_ppm"]), (&json!(10_000_190), &json!(12_345)));
    assert_eq!(seen["process"], json!({"points": 80, "of": 400}));
    assert!(seen["luck"].as_str().unwrap().contains("少了 600.00 元"), "{}", seen["luck"]);
    assert!(seen["own_way"].as_str().unwrap().contains("少 300.00 元"), "{}", seen["own_way"]);
    let scripted = seen["scripted"].as_array().unwrap();
    assert!(scripted.iter().all(|one| one["debrief"].as_str().unwrap().starts_with(AFTERWARDS)));
    assert_eq!(scripted.len(), 3);
    with_pupil(&api, |pupil| pupil.mock.exit = None);
    let got = api.get(token::M1, &me("exit")).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (409, "nothing-graded"));
}

/// Notice N4 is on every screen of mock investing.
#[tokio::test]
async fn every_screen_says_that_it_is_a_mock() {
    let api = Api::default();
    for path in [
        "market",
        "market/fund",
        "news",
        "standing",
        "me/plan",
        "me/journal",
        "me/orders",
        "me/portfolio",
        "me/score",
        "me/exit",
    ] {
        let seen = api.get(token::M1, &format!("{COHORT}/{path}")).await.json();
        assert_eq!(seen["notices"][0]["text"], N4, "{path}");
    }
}

#[tokio::test]
async fn who_takes_no_part_has_no_account() {
    let api = Api::default();
    api.fake.members.lock().unwrap().get_mut(&member("m1-1")).unwrap().courses.clear();
    for path in
        ["assessment", "plan", "journal", "orders", "portfolio", "score", "exit", "graduation"]
    {
        let got = api.get(token::M1, &me(path)).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (409, "not-enrolled"), "{path}");
    }
    // The market is there to read along.
    assert_eq!(api.get(token::M1, &format!("{COHORT}/market")).await.status, 200);
}

/// Every write, repeated under its key, is done once.
#[tokio::test]
async fn writes_are_done_once() {
    for (method, path, body, status) in [
        ("POST", "assessment", r#"{"adult":true,"choices":[0]}"#, 200),
        ("POST", "assessment/confirmation", "", 200),
        ("POST", "readings", r#"{"product":"cash/money-fund"}"#, 200),
        ("PUT", "plan", PLAN, 200),
        ("POST", "notes", r#"{"text":"记一笔"}"#, 201),
        ("POST", "debriefs", r#"{"about":"course","text":"回头看"}"#, 201),
        ("POST", "fraud-reports", r#"{"news":"fraud-pitch"}"#, 204),
        ("POST", "orders", r#"{"asset":"fund","side":{"buy":{"amount_fen":1000}}}"#, 201),
        ("DELETE", "orders/2", "", 204),
    ] {
        let api = Api::default();
        let key = common::key();
        let ask = || common::request(method, &me(path), token::M1, Some(key), body);
        let (first, second) = (api.send(ask()).await, api.send(ask()).await);
        assert_eq!(first.status, status, "{method} {path}");
        assert_eq!(second.header("idempotency-replayed"), "true", "{method} {path}");
        assert_eq!((first.status, first.body), (second.status, second.body), "{method} {path}");
        assert_eq!(api.fake.submitted.lock().unwrap().len(), 1, "{method} {path}");
        api.refuse_next(Reject::WrongStage);
        let refused = api.write(method, token::M1, &me(path), body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "wrong-stage"));
    }
}

/// Nothing that a member can read before the end tells what comes, or what is right.
#[tokio::test]
async fn nothing_to_come_is_told() {
    let api = Api::default();
    for token in [token::M1, token::M2, token::HEAD, token::BRANCH, token::MANAGER, token::ANALYST]
    {
        for path in ["market", "market/fund", "market/money", "news", "standing", "lessons/2"] {
            let got = api.get(token, &format!("{COHORT}/{path}")).await;
            assert_eq!(got.status, 200, "{path}");
            let text = String::from_utf8_lossy(&got.body);
            for secret in [FUTURE, AFTERWARDS, "without_script", "\"secret\"", "\"fraud\":true"] {
                assert!(!text.contains(secret), "{path} tells {secret} to {token}");
            }
        }
    }
    let days = api.get(token::M1, &format!("{COHORT}/market/fund")).await.json();
    assert_eq!(days["days"].as_array().unwrap().last().unwrap()["day"], 1, "the last close");
}
