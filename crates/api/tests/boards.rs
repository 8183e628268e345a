//! Standings: pages, privacy, tags, and the cache of rendered rows.

mod common;

use std::sync::atomic::Ordering;

use common::{Api, card, member, request, token};
use dengmi_core::view::board::BoardPolicy;

const BOARD: &str = "/v1/boards/community-c1-1-day-2026-11-21";

/// A world whose group 1 has `n` members, all with a score: member 1 first.
fn crowded(n: u32) -> Api {
    let api = Api::default();
    {
        let mut members = api.fake.members.lock().unwrap();
        for seq in 1..=n {
            let id = member(&format!("m1-{seq}"));
            members.insert(id, card(id, 1));
            api.fake.names.lock().unwrap().insert(id, format!("昵称{id}").into());
        }
    }
    api
}

async fn rows(api: &Api, token: &str, query: &str) -> Vec<(u64, String)> {
    let got = api.get(token, &format!("{BOARD}{query}")).await;
    assert_eq!(got.status, 200, "{query}");
    let text = |row: &serde_json::Value| row["name"].as_str().unwrap_or("-").to_owned();
    let json = got.json();
    let rows = json["rows"].as_array().unwrap();
    rows.iter().map(|row| (row["rank"].as_u64().unwrap(), text(row))).collect()
}

#[tokio::test]
async fn a_standing_says_its_policy_and_its_end() {
    let api = Api::default();
    let board = api.get(token::M1, BOARD).await.json();
    assert_eq!(board["board"], "community-c1-1-day-2026-11-21");
    assert_eq!(board["ties"], "shared_rank");
    assert_eq!(board["next_reset"], "2026-11-21T04:30:00.001Z");
    assert_eq!((&board["version"], &board["entrants"]), (&1.into(), &2.into()));
    assert_eq!(board["me"], serde_json::json!({"rank": 1, "points": 99}));
    assert_eq!(board["rows"][0]["member"], "m1-1");
}

#[tokio::test]
async fn pages_are_cut_where_asked() {
    let api = crowded(40);
    assert_eq!(rows(&api, token::M1, "").await.len(), 40);
    assert_eq!(rows(&api, token::M1, "?top=3").await.last().unwrap().0, 3);
    let around = rows(&api, token::M3, "?around=me&n=1").await;
    assert_eq!(around.iter().map(|row| row.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(rows(&api, token::M1, "?around=me").await.len(), 6);
    for bad in ["?top=0", "?top=101", "?n=3", "?top=3&around=me", "?around=you", "?around=me&n=51"]
    {
        assert_eq!(api.get(token::M1, &format!("{BOARD}{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(api.get(token::HEAD, &format!("{BOARD}?around=me")).await.status, 400);
}

#[tokio::test]
async fn a_hidden_member_is_named_to_nobody_but_themselves() {
    let api = crowded(5);
    // Rendered and cached before the change.
    assert_eq!(rows(&api, token::M2, "").await[0].1, "昵称m1-1");
    api.fake.members.lock().unwrap().get_mut(&member("m1-1")).unwrap().shown = false;
    api.fake.people.fetch_add(1, Ordering::SeqCst);
    for token in [token::M2, token::HEAD, token::MANAGER, token::ANALYST] {
        for query in ["", "?top=1"] {
            let seen = rows(&api, token, query).await;
            assert_eq!(seen[0], (1, "-".to_owned()), "{token}");
            let body = api.get(token, &format!("{BOARD}{query}")).await.body;
            let body = String::from_utf8(body).unwrap();
            assert!(!body.contains("m1-1\"") && !body.contains("昵称m1-1"), "{body}");
        }
    }
    assert_eq!(rows(&api, token::M1, "").await[0].1, "昵称m1-1");
    // What the member was shown is not kept for the others.
    assert_eq!(rows(&api, token::M2, "").await[0].1, "-");
}

#[tokio::test]
async fn policies_hold_for_members() {
    let api = crowded(20);
    *api.fake.policy.lock().unwrap() = BoardPolicy { hide_names: true, ..BoardPolicy::default() };
    api.fake.board_version.fetch_add(1, Ordering::SeqCst);
    let named = |rows: Vec<(u64, String)>| rows.iter().filter(|row| row.1 != "-").count();
    assert_eq!(named(rows(&api, token::M2, "").await), 1);
    assert_eq!(named(rows(&api, token::HEAD, "").await), 20);
    *api.fake.policy.lock().unwrap() =
        BoardPolicy { neighbours_only: true, ..BoardPolicy::default() };
    api.fake.board_version.fetch_add(1, Ordering::SeqCst);
    let ranks: Vec<u64> = rows(&api, token::M3, "?top=2").await.iter().map(|row| row.0).collect();
    assert_eq!(ranks, [2, 3, 4]);
    assert_eq!(rows(&api, token::HEAD, "?top=2").await.len(), 2);
}

#[tokio::test]
async fn rows_are_rendered_once_per_version() {
    let api = crowded(10);
    let reads = || api.fake.names_read.load(Ordering::SeqCst);
    for token in [token::M1, token::M2, token::M3, token::M1] {
        rows(&api, token, "?top=5").await;
    }
    assert_eq!(reads(), 1);
    api.fake.board_version.fetch_add(1, Ordering::SeqCst);
    rows(&api, token::M1, "?top=5").await;
    assert_eq!(reads(), 2);
    api.fake.people.fetch_add(1, Ordering::SeqCst);
    rows(&api, token::M2, "?top=5").await;
    assert_eq!(reads(), 3);
    rows(&api, token::HEAD, "?top=5").await;
    assert_eq!(reads(), 4, "operators have rows of their own");
}

#[tokio::test]
async fn unchanged_standings_cost_no_body() {
    let api = crowded(10);
    let got = api.get(token::M1, BOARD).await;
    let tag = got.header("etag").to_owned();
    assert_eq!(got.header("cache-control"), "private, no-cache");
    let again = async |token: &str, tag: &str| {
        let mut request = request("GET", BOARD, token, None, "");
        request.headers_mut().insert("if-none-match", tag.parse().unwrap());
        api.send(request).await
    };
    let same = again(token::M1, &tag).await;
    assert_eq!(
        (same.status.as_u16(), same.body.len(), same.header("etag")),
        (304, 0, tag.as_str())
    );
    assert_eq!(again(token::M2, &tag).await.status, 200, "a tag is one reader's");
    api.fake.people.fetch_add(1, Ordering::SeqCst);
    assert_eq!(again(token::M1, &tag).await.status, 200);
    let tag = again(token::M1, &tag).await.header("etag").to_owned();
    api.fake.board_version.fetch_add(1, Ordering::SeqCst);
    assert_eq!(again(token::M1, &tag).await.status, 200);
}
