//! The matrix of rights: every route, for every kind of caller, on what is theirs, another's,
//! another branch's, and with no session at all.

mod common;

use std::collections::BTreeSet;

use common::{Api, token};
use dengmi_api::routes;

/// How a path is filled in, for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// What belongs to member m1-1, group c1-1, manager g1-1.
    Own,
    /// Of the same branch: member m1-3, group c1-2, manager g1-2.
    Neighbour,
    /// Of branch 2.
    OtherBranch,
    /// There is no such thing.
    Missing,
}

/// One route as it is asked: path and body for each [`Whose`]. The body names things of the same
/// owner, so that a handler that forgets to check them is found out too.
struct Asked {
    route: (&'static str, &'static str),
    path: fn(Whose) -> String,
    body: fn(Whose) -> String,
}

fn ids(whose: Whose) -> (u16, u32, u32, u32, u32) {
    // branch, member, community and manager, quiz run, round
    match whose {
        Whose::Own => (1, 1, 1, 1, 1),
        Whose::Neighbour => (1, 3, 2, 4, 3),
        Whose::OtherBranch => (2, 1, 1, 1, 1),
        Whose::Missing => (1, 99, 99, 99, 99),
    }
}

fn fill(template: &str, whose: Whose) -> String {
    let (branch, member, group, run, round) = ids(whose);
    template
        .replace("{m}", &format!("m{branch}-{member}"))
        .replace("{c}", &format!("c{branch}-{group}"))
        .replace("{g}", &format!("g{branch}-{group}"))
        .replace("{r}", &format!("r{branch}-{run}"))
        .replace("{q}", &format!("q{branch}-{round}"))
        .replace("{k}", &format!("k{branch}-{group}"))
        .replace("{b}", &format!("b{branch}"))
        // Only group 1 has a post: for its neighbours it is not theirs.
        .replace("{p}", &format!("p{branch}-{}", if member == 99 { 99 } else { 1 }))
}

macro_rules! asked {
    ($($method:literal $route:literal, $path:literal, $body:literal;)*) => {
        &[$(Asked {
            route: ($method, $route),
            path: |whose| fill($path, whose),
            body: |whose| fill($body, whose),
        },)*]
    };
}

#[rustfmt::skip]
static ASKED: &[Asked] = asked! {
    "POST" "/v1/invites", "/v1/invites", r#"{"community":"{c}"}"#;
    "POST" "/v1/sessions", "/v1/sessions", r#"{"invite":"invite c1-1","nickname":"甲","consent":true}"#;
    "DELETE" "/v1/sessions/current", "/v1/sessions/current", "";
    "POST" "/v1/operator-sessions", "/v1/operator-sessions", r#"{"login":"head","password":"correct horse"}"#;
    "GET" "/v1/me", "/v1/me", "";
    "PUT" "/v1/me/nickname", "/v1/me/nickname", r#"{"nickname":"甲"}"#;
    "PUT" "/v1/me/consents/{purpose}", "/v1/me/consents/marketing", r#"{"given":false,"version":1}"#;
    "GET" "/v1/communities", "/v1/communities?branch={b}", "";
    "GET" "/v1/communities/{id}", "/v1/communities/{c}", "";
    "POST" "/v1/communities", "/v1/communities", r#"{"template":"payroll","manager":"{g}"}"#;
    "POST" "/v1/managers", "/v1/managers", r#"{"branch":"{b}"}"#;
    "GET" "/v1/quests", "/v1/quests?branch={b}", "";
    "GET" "/v1/runs/{id}", "/v1/runs/{r}", "";
    "POST" "/v1/runs", "/v1/runs", r#"{"branch":"{b}","quest":"quiz","communities":["{c}"],"start":"2026-11-23"}"#;
    "POST" "/v1/runs/{id}/stop", "/v1/runs/{r}/stop", "";
    "GET" "/v1/rounds", "/v1/rounds?branch={b}&community={c}", "";
    "GET" "/v1/rounds/{id}", "/v1/rounds/{q}", "";
    "POST" "/v1/rounds/{id}/answers", "/v1/rounds/{q}/answers", r#"{"answers":[{"question":0,"choice":{"one":1}}]}"#;
    "POST" "/v1/rounds/{id}/corrections", "/v1/rounds/{q}/corrections", r#"{"question":0,"key":{"one":1}}"#;
    "POST" "/v1/rounds/{id}/extra-time", "/v1/rounds/{q}/extra-time", r#"{"member":"{m}","seconds":60}"#;
    "POST" "/v1/runs/{id}/check-ins", "/v1/runs/{r}/check-ins", r#"{"member":"{m}"}"#;
    "POST" "/v1/runs/{id}/make-ups", "/v1/runs/{r}/make-ups", r#"{"member":"{m}","day":"2026-11-20"}"#;
    "POST" "/v1/runs/{id}/repairs", "/v1/runs/{r}/repairs", r#"{"member":"{m}","days":3,"reason":"service_fault"}"#;
    "POST" "/v1/runs/{id}/posts", "/v1/runs/{r}/posts", r#"{"manager":"{g}"}"#;
    "GET" "/v1/posts", "/v1/posts?branch={b}", "";
    "POST" "/v1/posts/{id}/reactions", "/v1/posts/{p}/reactions", r#"{"reaction":"like","member":"{m}"}"#;
    "GET" "/v1/courses", "/v1/courses?branch={b}", "";
    "GET" "/v1/cohorts", "/v1/cohorts?branch={b}", "";
    "POST" "/v1/cohorts", "/v1/cohorts", r#"{"branch":"{b}","course":"basics","communities":["{c}"],"start":"2026-11-23"}"#;
    "GET" "/v1/cohorts/{id}", "/v1/cohorts/{k}", "";
    "POST" "/v1/cohorts/{id}/amend", "/v1/cohorts/{k}/amend", r#"{"from_day":4}"#;
    "POST" "/v1/cohorts/{id}/dissolve", "/v1/cohorts/{k}/dissolve", "";
    "POST" "/v1/cohorts/{id}/enrolments", "/v1/cohorts/{k}/enrolments", r#"{"member":"{m}"}"#;
    "POST" "/v1/cohorts/{id}/withdrawals", "/v1/cohorts/{k}/withdrawals", r#"{"member":"{m}"}"#;
    "GET" "/v1/cohorts/{id}/lessons/{day}", "/v1/cohorts/{k}/lessons/1", "";
    "POST" "/v1/cohorts/{id}/lessons/{day}/finish", "/v1/cohorts/{k}/lessons/2/finish", r#"{"computed":"8203"}"#;
    "GET" "/v1/cohorts/{id}/me", "/v1/cohorts/{k}/me", "";
    "POST" "/v1/cohorts/{id}/items", "/v1/cohorts/{k}/items", r#"{"occasion":"before","answers":[{"item":2,"choice":{"text":"x"}}]}"#;
    "PUT" "/v1/cohorts/{id}/wish", "/v1/cohorts/{k}/wish", r#"{"wish":{"group":"{c}"}}"#;
    "POST" "/v1/cohorts/{id}/invitation", "/v1/cohorts/{k}/invitation", r#"{"accept":true}"#;
    "POST" "/v1/cohorts/{id}/members/{member}/reinvite", "/v1/cohorts/{k}/members/{m}/reinvite", "";
    "POST" "/v1/cohorts/{id}/members/{member}/arrival", "/v1/cohorts/{k}/members/{m}/arrival", "";
    "GET" "/v1/cohorts/{id}/me/graduation", "/v1/cohorts/{k}/me/graduation", "";
    "GET" "/v1/cohorts/{id}/me/assessment", "/v1/cohorts/{k}/me/assessment", "";
    "POST" "/v1/cohorts/{id}/me/assessment", "/v1/cohorts/{k}/me/assessment", r#"{"adult":true,"choices":[0]}"#;
    "POST" "/v1/cohorts/{id}/me/assessment/confirmation", "/v1/cohorts/{k}/me/assessment/confirmation", "";
    "GET" "/v1/cohorts/{id}/market", "/v1/cohorts/{k}/market", "";
    "GET" "/v1/cohorts/{id}/market/{asset}", "/v1/cohorts/{k}/market/fund", "";
    "GET" "/v1/cohorts/{id}/news", "/v1/cohorts/{k}/news", "";
    "POST" "/v1/cohorts/{id}/me/fraud-reports", "/v1/cohorts/{k}/me/fraud-reports", r#"{"news":"fraud-pitch"}"#;
    "POST" "/v1/cohorts/{id}/me/readings", "/v1/cohorts/{k}/me/readings", r#"{"product":"cash/money-fund"}"#;
    "GET" "/v1/cohorts/{id}/me/plan", "/v1/cohorts/{k}/me/plan", "";
    "PUT" "/v1/cohorts/{id}/me/plan", "/v1/cohorts/{k}/me/plan", r#"{"goal":"home","months":12,"loss_ppm":1,"parts":[],"text":"x"}"#;
    "GET" "/v1/cohorts/{id}/me/journal", "/v1/cohorts/{k}/me/journal", "";
    "POST" "/v1/cohorts/{id}/me/notes", "/v1/cohorts/{k}/me/notes", r#"{"text":"x"}"#;
    "POST" "/v1/cohorts/{id}/me/debriefs", "/v1/cohorts/{k}/me/debriefs", r#"{"about":"loss","text":"x"}"#;
    "GET" "/v1/cohorts/{id}/me/orders", "/v1/cohorts/{k}/me/orders", "";
    "POST" "/v1/cohorts/{id}/me/orders", "/v1/cohorts/{k}/me/orders", r#"{"asset":"fund","side":{"buy":{"amount_fen":1000}}}"#;
    "DELETE" "/v1/cohorts/{id}/me/orders/{order}", "/v1/cohorts/{k}/me/orders/1", "";
    "GET" "/v1/cohorts/{id}/me/portfolio", "/v1/cohorts/{k}/me/portfolio", "";
    "GET" "/v1/cohorts/{id}/me/score", "/v1/cohorts/{k}/me/score", "";
    "GET" "/v1/cohorts/{id}/me/exit", "/v1/cohorts/{k}/me/exit", "";
    "GET" "/v1/cohorts/{id}/standing", "/v1/cohorts/{k}/standing", "";
    "GET" "/v1/boards/{key}", "/v1/boards/community-{c}-day-2026-11-21", "";
    "GET" "/v1/members/{id}/points", "/v1/members/{m}/points", "";
    "POST" "/v1/members/{id}/redemptions", "/v1/members/{m}/redemptions", r#"{"order":1,"points":10}"#;
    "POST" "/v1/entries/{branch}/{id}/reversal", "/v1/entries/{b}/1/reversal", "";
    "POST" "/v1/members/{id}/move", "/v1/members/{m}/move", r#"{"to":"{c}"}"#;
    "POST" "/v1/members/{id}/leave", "/v1/members/{m}/leave", "";
    "PUT" "/v1/members/{id}/tags/{tag}", "/v1/members/{m}/tags/new", r#"{"on":true}"#;
    "PUT" "/v1/members/{id}/board-visibility", "/v1/members/{m}/board-visibility", r#"{"shown":false}"#;
    "DELETE" "/v1/members/{id}", "/v1/members/{m}", "";
    "GET" "/v1/content", "/v1/content?branch={b}", "";
    "GET" "/v1/events", "/v1/events?branch={b}", "";
    "GET" "/livez", "/livez", "";
    "GET" "/readyz", "/readyz", "";
    "GET" "/metrics", "/metrics", "";
    "GET" "/openapi.json", "/openapi.json", "";
    "GET" "/docs", "/docs", "";
    "GET" "/docs/{*file}", "/docs/index.html", "";
};

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Yes,
    NoSession,
    NotYourRole,
    NoSuchThing,
}

/// The specification, written apart from the table in the crate and from its code: which of the
/// callers may do what. Letters: m member, h head office, b branch, g manager, a analyst. The
/// second string names the kinds of owner that each allowed caller of branch 1 reaches.
fn specified(method: &str, route: &str) -> (&'static str, Reach) {
    match (method, route) {
        ("POST", "/v1/sessions" | "/v1/operator-sessions")
        | (
            "GET",
            "/livez" | "/readyz" | "/metrics" | "/openapi.json" | "/docs" | "/docs/{*file}",
        ) => ("", Reach::Public),
        ("GET", "/v1/me") | ("DELETE", "/v1/sessions/current") => ("mhbga", Reach::Self_),
        ("PUT", "/v1/me/nickname" | "/v1/me/consents/{purpose}") => ("m", Reach::Self_),
        ("GET", "/v1/communities" | "/v1/quests" | "/v1/posts" | "/v1/content" | "/v1/events")
        | ("GET", "/v1/courses" | "/v1/cohorts") => ("mhbga", Reach::Branch),
        ("GET", "/v1/cohorts/{id}" | "/v1/cohorts/{id}/lessons/{day}") => ("mhbga", Reach::Owner),
        (
            "GET",
            "/v1/cohorts/{id}/market"
            | "/v1/cohorts/{id}/market/{asset}"
            | "/v1/cohorts/{id}/news"
            | "/v1/cohorts/{id}/standing",
        ) => ("mhbga", Reach::Owner),
        // A mock account is its member's, and nobody else's.
        (_, route) if route.starts_with("/v1/cohorts/{id}/me/") => ("m", Reach::Owner),
        ("GET", "/v1/cohorts/{id}/me")
        | ("PUT", "/v1/cohorts/{id}/wish")
        | (
            "POST",
            "/v1/cohorts/{id}/lessons/{day}/finish"
            | "/v1/cohorts/{id}/items"
            | "/v1/cohorts/{id}/invitation",
        ) => ("m", Reach::Owner),
        ("POST", "/v1/cohorts/{id}/enrolments" | "/v1/cohorts/{id}/withdrawals") => {
            ("mhbg", Reach::Owner)
        }
        ("POST", "/v1/cohorts/{id}/amend") => ("hb", Reach::Owner),
        ("GET", "/v1/rounds" | "/v1/communities/{id}" | "/v1/runs/{id}" | "/v1/rounds/{id}")
        | ("GET", "/v1/boards/{key}" | "/v1/members/{id}/points") => ("mhbga", Reach::Owner),
        ("POST", "/v1/rounds/{id}/answers") => ("m", Reach::Owner),
        ("PUT", "/v1/members/{id}/board-visibility") => ("m", Reach::Owner),
        (
            "POST",
            "/v1/runs/{id}/check-ins" | "/v1/runs/{id}/make-ups" | "/v1/members/{id}/leave",
        ) => ("mhbg", Reach::Owner),
        ("POST", "/v1/posts/{id}/reactions") => ("mhbg", Reach::Owner),
        ("POST", "/v1/managers" | "/v1/communities") => ("hb", Reach::Branch),
        ("POST", "/v1/rounds/{id}/corrections" | "/v1/members/{id}/redemptions")
        | ("DELETE", "/v1/members/{id}") => ("hb", Reach::Owner),
        ("POST", "/v1/entries/{branch}/{id}/reversal") => ("hb", Reach::Branch),
        _ => ("hbg", Reach::Owner),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    /// Nothing is named.
    Self_,
    /// A branch is named.
    Branch,
    /// Something with an owner is named.
    Owner,
}

const CALLERS: [(char, &str); 6] = [
    ('m', token::M1),
    ('h', token::HEAD),
    ('b', token::BRANCH),
    ('g', token::MANAGER),
    ('a', token::ANALYST),
    ('-', ""),
];

fn expected(method: &str, route: &str, caller: char, whose: Whose) -> Told {
    let (allowed, reach) = specified(method, route);
    if reach == Reach::Public {
        return Told::Yes;
    }
    if caller == '-' {
        return Told::NoSession;
    }
    if !allowed.contains(caller) {
        return Told::NotYourRole;
    }
    let reached = match (reach, whose) {
        (Reach::Public | Reach::Self_, _) | (_, Whose::Own) => true,
        (_, Whose::OtherBranch) => caller == 'h' && route != "/v1/entries/{branch}/{id}/reversal",
        (Reach::Branch, _) => true,
        (Reach::Owner, Whose::Neighbour) => "hba".contains(caller),
        (Reach::Owner, Whose::Missing) => false,
    };
    if reached { Told::Yes } else { Told::NoSuchThing }
}

#[tokio::test]
async fn every_route_tells_every_caller_what_is_specified() {
    let mut wrong = Vec::new();
    for asked in ASKED {
        for (caller, token) in CALLERS {
            for whose in [Whose::Own, Whose::Neighbour, Whose::OtherBranch, Whose::Missing] {
                let (method, route) = asked.route;
                let path = (asked.path)(whose);
                let api = Api::default();
                let key = (method != "GET").then(common::key);
                let mut body = (asked.body)(whose);
                if caller == 'm' && whose == Whose::Own {
                    // A member may leave themselves out, and names nobody else.
                    body =
                        body.replace(r#""member":"m1-1","#, "").replace(r#""member":"m1-1""#, "");
                    body = body.replace(",}", "}");
                }
                let response = api.raw(common::request(method, &path, token, key, &body)).await;
                let told = match response.status().as_u16() {
                    401 => Told::NoSession,
                    403 => Told::NotYourRole,
                    404 => Told::NoSuchThing,
                    200..=399 => Told::Yes,
                    status => panic!("{status} for {method} {path} by {caller}"),
                };
                let should = expected(method, route, caller, whose);
                // A refusal leaves no trace in the journal.
                let silent = told == Told::Yes || api.fake.submitted.lock().unwrap().is_empty();
                if told != should || !silent {
                    wrong.push(format!("{method} {path} by {caller}: {told:?}, not {should:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_is_in_the_matrix() {
    let table: BTreeSet<_> = routes().iter().map(|row| (row.method, row.path)).collect();
    let asked: BTreeSet<_> = ASKED.iter().map(|asked| asked.route).collect();
    assert_eq!(table, asked);
}

#[test]
fn every_described_operation_has_a_row() {
    let text = dengmi_api::openapi().to_json().unwrap();
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| key.len() <= 6) {
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let undescribed = ["/openapi.json", "/docs", "/docs/{*file}"];
    let table: BTreeSet<_> = routes()
        .iter()
        .filter(|row| !undescribed.contains(&row.path))
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    assert_eq!(described, table);
}

/// Tokens that are none: each is told 401 on each route that needs one.
#[tokio::test]
async fn bad_tokens_open_nothing() {
    let long = "a".repeat(4_000);
    let bad = [
        "x",
        "member-m1-1-toke",
        "member-m1-1-token ",
        "member-m1-1-tokenn",
        "MEMBER-M1-1-TOKEN",
        "member-m1-1-token,member-m1-1-token",
        "' OR 1=1 --aaaaaaaaaa",
        "eyJhbGciOiJub25lIn0.e30.",
        "....................",
        "00000000000000000000",
        "null",
        "undefined",
        "%00%00%00%00%00%00%00%00%00%00",
        long.as_str(),
    ];
    let api = Api::default();
    for asked in ASKED {
        let (method, route) = asked.route;
        if specified(method, route).1 == Reach::Public {
            continue;
        }
        for token in bad {
            let path = (asked.path)(Whose::Own);
            let body = (asked.body)(Whose::Own);
            let request = common::request(method, &path, token, Some(common::key()), &body);
            assert_eq!(api.send(request).await.status, 401, "{method} {path} with {token:.40}");
        }
    }
}

/// A manager reaches nothing of a colleague's, and a branch operator nothing of another branch.
#[tokio::test]
async fn the_other_manager_and_the_other_branch_reach_nothing() {
    let api = Api::default();
    for (token, path, status) in [
        (token::MANAGER2, "/v1/communities/c1-1", 404),
        (token::MANAGER2, "/v1/communities/c1-2", 200),
        (token::MANAGER2, "/v1/members/m1-1/points", 404),
        (token::MANAGER2, "/v1/rounds/q1-1", 404),
        (token::BRANCH2, "/v1/communities/c1-1", 404),
        (token::BRANCH2, "/v1/communities/c2-1", 200),
        (token::M3, "/v1/boards/community-c1-1-day-2026-11-21", 404),
        (token::M3, "/v1/boards/run-r1-1", 404),
        (token::M3, "/v1/boards/round-q1-1", 404),
        (token::M3, "/v1/boards/round-q1-3", 200),
        (token::FOREIGN, "/v1/boards/run-r1-1", 404),
        (token::M2, "/v1/boards/run-r1-1", 200),
        (token::MANAGER2, "/v1/cohorts/k1-1", 404),
        (token::MANAGER2, "/v1/cohorts/k1-1/lessons/1", 404),
        (token::MANAGER2, "/v1/cohorts/k1-2", 200),
        (token::BRANCH2, "/v1/cohorts/k1-1", 404),
        (token::M3, "/v1/cohorts/k1-1/me", 404),
        (token::M3, "/v1/cohorts/k1-2/me", 200),
        (token::FOREIGN, "/v1/cohorts/k1-1/lessons/1", 404),
        (token::M3, "/v1/cohorts/k1-1/me/portfolio", 404),
        (token::HEAD, "/v1/cohorts/k1-1/me/portfolio", 403),
        (token::MANAGER, "/v1/cohorts/k1-1/me/journal", 403),
        (token::MANAGER2, "/v1/cohorts/k1-1/market", 404),
    ] {
        assert_eq!(api.get(token, path).await.status, status, "{path} with {token}");
    }
}

/// What a body names is checked like what the path names: a manager's own path opens nothing of a
/// colleague's.
#[tokio::test]
async fn a_body_reaches_no_further_than_a_path() {
    for (path, body) in [
        ("/v1/rounds/q1-1/extra-time", r#"{"member":"m1-3","seconds":60}"#),
        ("/v1/runs/r1-2/check-ins", r#"{"member":"m1-3"}"#),
        ("/v1/runs/r1-2/make-ups", r#"{"member":"m1-3","day":"2026-11-20"}"#),
        ("/v1/runs/r1-2/repairs", r#"{"member":"m1-3","days":3,"reason":"hardship"}"#),
        ("/v1/runs/r1-3/posts", r#"{"manager":"g1-2"}"#),
        ("/v1/posts/p1-1/reactions", r#"{"reaction":"like","member":"m1-3"}"#),
        ("/v1/posts/p1-1/reactions", r#"{"reaction":"like","staff":"g2-1"}"#),
        ("/v1/members/m1-1/move", r#"{"to":"c1-2"}"#),
        ("/v1/invites", r#"{"member":"m1-3"}"#),
        ("/v1/cohorts/k1-1/enrolments", r#"{"member":"m1-3"}"#),
        ("/v1/cohorts/k1-1/withdrawals", r#"{"member":"m1-3"}"#),
        ("/v1/cohorts/k1-1/members/m1-3/reinvite", ""),
        ("/v1/cohorts/k1-1/members/m1-3/arrival", ""),
        (
            "/v1/cohorts",
            r#"{"branch":"b1","course":"basics","communities":["c1-1","c1-2"],"start":"2026-11-23"}"#,
        ),
        (
            "/v1/runs",
            r#"{"branch":"b1","quest":"quiz","communities":["c1-1","c1-2"],"start":"2026-11-23"}"#,
        ),
    ] {
        let api = Api::default();
        let got = api.post(token::MANAGER, path, body).await;
        assert_eq!(got.status, 404, "{path} {body}");
        assert!(api.fake.submitted.lock().unwrap().is_empty(), "{path} {body}");
    }
    let api = Api::default();
    let like = r#"{"reaction":"like","member":"m1-3"}"#;
    let got = api.post(token::MANAGER2, "/v1/posts/p1-1/reactions", like).await;
    assert_eq!(got.status, 404, "a colleague's post");
}
