//! The event stream: what was missed, what happens, who may see it, how it ends.

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use common::{Api, NOW, request, token};
use dengmi_core::view::{Event, EventKind};
use dengmi_core::{BranchId, CommunityId, RoundId, RunId};
use tokio_stream::StreamExt as _;

fn event(seq: u64, community: Option<u32>) -> Event {
    let branch = BranchId(1);
    Event {
        seq,
        at: NOW,
        community: community.map(|number| CommunityId::new(branch, number)),
        kind: EventKind::RoundOpened(RoundId::new(branch, 1)),
    }
}

struct Stream(BodyDataStream);

impl Stream {
    async fn open(api: &Api, token: &str, last: Option<&str>) -> Self {
        let mut request = request("GET", "/v1/events?branch=b1", token, None, "");
        if let Some(last) = last {
            request.headers_mut().insert("last-event-id", last.parse().unwrap());
        }
        let response = api.raw(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body: Body = response.into_body();
        let mut stream = Self(body.into_data_stream());
        assert_eq!(stream.frame().await.unwrap(), "retry: 3000");
        stream
    }

    /// The next frame; `None` when the stream ends.
    async fn frame(&mut self) -> Option<String> {
        let next = tokio::time::timeout(Duration::from_secs(60), self.0.next());
        let bytes = next.await.expect("a frame within a minute")?.unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned())
    }

    /// The id of the next event, heartbeats left out; `resync` has none.
    async fn id(&mut self) -> String {
        loop {
            let frame = self.frame().await.expect("the stream goes on");
            if frame.starts_with(':') {
                continue;
            }
            let id = frame.lines().find_map(|line| line.strip_prefix("id: "));
            return id.map_or_else(|| frame.clone(), str::to_owned);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_gets_what_it_missed_then_what_happens() {
    let api = Api::default();
    api.fake.events.lock().unwrap().extend((1..=600).map(|seq| event(seq, None)));
    let mut stream = Stream::open(&api, token::M1, Some("3")).await;
    // Published while the store is being read: it comes once, and in its place.
    api.fake.live.send(Arc::new(event(600, None))).unwrap();
    api.fake.live.send(Arc::new(event(601, None))).unwrap();
    for seq in 4..=601 {
        assert_eq!(stream.id().await, seq.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_says_what_happened() {
    let api = Api::default();
    let mut stream = Stream::open(&api, token::M1, None).await;
    api.fake.live.send(Arc::new(event(9, Some(1)))).unwrap();
    let mut frame = stream.frame().await.unwrap();
    if frame.starts_with(':') {
        frame = stream.frame().await.unwrap();
    }
    let data = r#"{"at":"2026-11-21T04:30:00.000Z","community":"c1-1","type":"round-opened","round":"q1-1"}"#;
    assert_eq!(frame, format!("id: 9\nevent: round-opened\ndata: {data}"));
}

#[tokio::test(start_paused = true)]
async fn members_see_their_group_and_the_branch_only() {
    let api = Api::default();
    let mut member = Stream::open(&api, token::M1, None).await;
    let mut manager = Stream::open(&api, token::MANAGER2, None).await;
    let mut branch = Stream::open(&api, token::BRANCH, None).await;
    let limit = Event {
        kind: EventKind::LimitReached { run: RunId::new(BranchId(1), 1), rule: common::slug("r") },
        ..event(4, None)
    };
    for event in [event(1, Some(1)), event(2, Some(2)), event(3, None), limit, event(5, None)] {
        api.fake.live.send(Arc::new(event)).unwrap();
    }
    for (stream, seen) in [
        (&mut member, &["1", "3", "5"][..]),
        (&mut manager, &["2", "3", "4", "5"]),
        (&mut branch, &["1", "2", "3", "4", "5"]),
    ] {
        for id in seen {
            assert_eq!(stream.id().await, *id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_filled_from_the_store() {
    let api = Api::default();
    let mut stream = Stream::open(&api, token::M1, None).await;
    api.fake.live.send(Arc::new(event(1, None))).unwrap();
    assert_eq!(stream.id().await, "1");
    api.fake.events.lock().unwrap().extend((1..=4).map(|seq| event(seq, None)));
    api.fake.live.send(Arc::new(event(4, None))).unwrap();
    for id in ["2", "3", "4"] {
        assert_eq!(stream.id().await, id);
    }
}

#[tokio::test(start_paused = true)]
async fn who_falls_behind_is_told_to_read_again() {
    let resync = "event: resync\ndata: {\"type\":\"resync\"}";
    let api = Api::default();
    let mut stream = Stream::open(&api, token::M1, None).await;
    for seq in 1..=40 {
        api.fake.live.send(Arc::new(event(seq, None))).unwrap();
    }
    assert_eq!(stream.id().await, resync);
    assert_eq!(stream.id().await, "25", "the channel keeps 16");
    *api.fake.events_lost.lock().unwrap() = true;
    let mut late = Stream::open(&api, token::M1, Some("2")).await;
    assert_eq!(late.id().await, resync);
}

#[tokio::test(start_paused = true)]
async fn a_stream_beats_and_ends_with_its_session() {
    let api = Api::default();
    let mut stream = Stream::open(&api, token::M1, None).await;
    assert_eq!(stream.frame().await.unwrap(), ": heartbeat");
    let began = tokio::time::Instant::now();
    assert_eq!(stream.frame().await.unwrap(), ": heartbeat");
    assert_eq!(began.elapsed().as_secs(), 15);
    api.fake.sessions.lock().unwrap().remove(token::M1);
    assert_eq!(stream.frame().await, None);
}

#[tokio::test]
async fn open_streams_are_limited_and_counted() {
    let api = Api::default();
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(Stream::open(&api, token::M1, None).await);
    }
    assert_eq!(api.get(token::M1, "/v1/events").await.status, 429);
    drop(Stream::open(&api, token::M2, None).await);
    open.pop();
    open.push(Stream::open(&api, token::M1, None).await);
    let mut bad = request("GET", "/v1/events", token::M2, None, "");
    bad.headers_mut().insert("last-event-id", "x".parse().unwrap());
    assert_eq!(api.send(bad).await.status, 400);
}
