//! The server against peers that are slow, silent or many, over real sockets.

mod common;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Fake, token};
use dengmi_api::{Limits, serve};
use dengmi_core::view::{Event, EventKind};
use dengmi_core::{BranchId, RunId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// A server with patience in milliseconds where the real one has seconds.
async fn start(change: impl FnOnce(&mut Limits)) -> Running {
    start_with(Arc::new(Fake::default()), change).await
}

async fn start_with(fake: Arc<Fake>, change: impl FnOnce(&mut Limits)) -> Running {
    let mut limits = Limits {
        header_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        write_timeout: Duration::from_millis(300),
        drain_timeout: Duration::from_millis(1_000),
        requests_per_second: NonZeroU32::new(10_000),
        ..Limits::default()
    };
    change(&mut limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(listener, fake, shutdown, limits));
    Running { address, stop, server }
}

/// Sends some bytes and reads until the server closes.
async fn converse(address: SocketAddr, bytes: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let began = Instant::now();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    // A reset after the answer is as good as a close.
    let _ = read.await.expect("the server closes within 10 s");
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

#[tokio::test]
async fn half_a_header_is_not_waited_for() {
    let running = start(|_| {}).await;
    let (answer, took) = converse(running.address, b"GET /livez HTTP/1.1\r\nhost: x\r\n").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn half_a_body_is_not_waited_for() {
    let running = start(|_| {}).await;
    let head = format!(
        "POST /v1/runs/r1-2/check-ins HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         idempotency-key: {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{",
        token::M1,
        common::key(),
    );
    let (answer, took) = converse(running.address, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body-timeout"), "{answer}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

/// A reader of events that reads nothing: what was missed is more than all buffers on the way hold,
/// so the server has to wait for it, and gives up.
#[tokio::test]
async fn a_reader_of_events_that_never_reads_is_cut() {
    let fake = Arc::new(Fake::default());
    *fake.events.lock().unwrap() = (1..=120_000)
        .map(|seq| Event {
            seq,
            at: common::NOW,
            community: None,
            kind: EventKind::RunLaunched(RunId::new(BranchId(1), 1)),
        })
        .collect();
    let running = start_with(fake, |_| {}).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = format!(
        "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nlast-event-id: 1\r\n\r\n",
        token::M1
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(8)).await;
    // One that is still waited for would get the rest now, and then heartbeats for ever.
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    let ended = read.expect("the stream is over");
    assert!(!answer.ends_with(b"0\r\n\r\n") || ended.is_err(), "it was cut, not ended");
    let last = format!("id: {}", 120_000);
    assert!(!String::from_utf8_lossy(&answer).contains(&last), "not everything was sent");
}

#[tokio::test]
async fn huge_headers_are_refused() {
    let running = start(|_| {}).await;
    let head = format!("GET /livez HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(600_000));
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // The server may close before all of it is sent.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    if stream.read_exact(&mut answer).await.is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
}

#[tokio::test]
async fn connections_are_reused_and_limited() {
    let running = start(|limits| limits.connections = 1).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    for _ in 0..3 {
        first.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        first.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        // The rest of the answer.
        let mut rest = [0; 4_096];
        let _ = first.read(&mut rest).await.unwrap();
    }
    // One connection is all there is room for: the second waits until the first is gone.
    let address = running.address;
    let request = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let second = tokio::spawn(async move { converse(address, request).await });
    let (answer, took) = second.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(took >= Duration::from_millis(200), "{took:?}");
}

#[tokio::test]
async fn shutting_down_ends_streams_and_lets_requests_finish() {
    let running = start(|limits| limits.header_timeout = Duration::from_secs(30)).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = format!(
        "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        token::M1
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    let began = Instant::now();
    running.stop.send(()).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ends in order");
    assert_eq!(idle.read_to_end(&mut rest).await.unwrap_or(0), 0);
    running.server.await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(900), "nothing had to be cut");
    assert!(TcpStream::connect(running.address).await.is_err());
}
