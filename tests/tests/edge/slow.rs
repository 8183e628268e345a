//! Clients that are slow, silent or many, against the real binary with the limits it ships with.

#![expect(clippy::print_stderr, reason = "figures and skipped parts are told")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dengmi_tests::Server;
use serde_json::json;

use crate::world::{accounts, done, group, invite, join, login, today};

/// A slow client must be closed within this time.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends `first`, then `drop` every `pause` for as long as the server takes it; gives how long it
/// took the server to close, and how its answer began.
fn drip(address: &str, first: &[u8], drop: &[u8], pause: Duration) -> (Duration, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(pause)).unwrap();
    let began = Instant::now();
    stream.write_all(first).unwrap();
    let mut answer = Vec::new();
    while began.elapsed() < 2 * PATIENCE {
        let mut bytes = [0; 4_096];
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&bytes[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if stream.write_all(drop).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    (began.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

/// Asks for much and reads nothing; gives whether the server gave up within [`PATIENCE`].
fn never_reads(address: &str) -> bool {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..32 {
        stream.write_all(request).unwrap();
    }
    std::thread::sleep(PATIENCE - Duration::from_secs(1));
    // A server that still waits for us would go on now: 32 times that file are 40 MB and more.
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let cut = ended.is_ok()
        || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
    assert!(answer.len() > 100_000, "only {} bytes were asked for: no test", answer.len());
    cut && answer.len() < 20_000_000
}

#[test]
fn slow_clients_are_closed_and_disturb_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    accounts(&data);
    let server = Server::start(&data, &["serve"]);
    let boss = login(&server, "boss");
    let group = group(&server, &boss);
    let (_, member) = join(&server, &invite(&server, &boss, &group), "慢慢来");
    let head = |token: &str, more: &str| {
        format!(
            "PUT /v1/me/nickname HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             idempotency-key: {}\r\ncontent-type: application/json\r\n{more}\r\n\r\n",
            uuid::Uuid::now_v7()
        )
    };
    let second = Duration::from_secs(1);
    let (address, done) = (server.address.as_str(), AtomicBool::new(false));
    let half = "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned();
    let length = head(&member, "content-length: 60000") + "{";
    let chunked = head(&member, "transfer-encoding: chunked");
    let cases: [(&str, String, &[u8], Duration, &str); 6] = [
        ("connects and says nothing", String::new(), b"", second, ""),
        ("half a head", half.clone(), b"", second, ""),
        ("a head of one byte a second", half, b"a", second, ""),
        ("half a body", length.clone(), b"", second, "body-timeout"),
        ("a body of one byte a second", length, b" ", second, "body-timeout"),
        ("a body that never ends", chunked, b"1\r\n \r\n", second / 20, "body-timeout"),
    ];
    std::thread::scope(|scope| {
        let clients: Vec<_> = cases
            .iter()
            .map(|(name, first, drop, pause, said)| {
                let client = move || (*name, drip(address, first.as_bytes(), drop, *pause), *said);
                scope.spawn(client)
            })
            .collect();
        let silent = scope.spawn(move || never_reads(address));
        let pinging = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !done.load(Ordering::Relaxed) {
                let began = Instant::now();
                assert_eq!(server.get("/livez", None).unwrap().status, 200);
                slowest = slowest.max(began.elapsed());
                std::thread::sleep(Duration::from_millis(50));
            }
            slowest
        });
        for client in clients {
            let (name, (took, answer), said) = client.join().unwrap();
            eprintln!("{name}: closed after {:.1} s", took.as_secs_f64());
            assert!(took <= PATIENCE, "{name}: {took:?}");
            assert!(answer.contains(said), "{name}: {answer}");
        }
        assert!(silent.join().unwrap(), "a client that never reads is waited for");
        done.store(true, Ordering::Relaxed);
        let slowest = pinging.join().unwrap();
        eprintln!("the slowest answer to others meanwhile: {} ms", slowest.as_millis());
        assert!(slowest < Duration::from_secs(5), "others waited {slowest:?}");
    });
}

/// Resident memory of a process in KiB, where the system tells.
fn resident(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Processor time of a process so far, in hundredths of a second, where the system tells.
fn processor(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // User and system time are the 14th and 15th field; the second is a name in brackets.
    let mut times = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(times.next()?.parse::<u64>().ok()? + times.next()?.parse::<u64>().ok()?)
}

/// How many files this process may open, after asking for more.
fn open_files(wanted: u64) -> u64 {
    let id = std::process::id().to_string();
    // Only where the tool is there and the hard limit allows it.
    let asked = format!("--nofile={wanted}:");
    let _ = Command::new("prlimit").args(["--pid", &id, &asked]).output();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok()).unwrap_or(1_024)
}

/// Reads what a stream has until it holds `what`.
fn until(stream: &mut TcpStream, what: &str) -> String {
    let (mut text, mut bytes) = (String::new(), [0; 4_096]);
    while !text.contains(what) {
        let read = stream.read(&mut bytes).unwrap_or_else(|error| panic!("{error} after {text}"));
        assert!(read > 0, "the stream ended after {text}");
        text += &String::from_utf8_lossy(&bytes[..read]);
    }
    text
}

/// Opens `count` event streams, and tells what they cost while they are idle and while something
/// happens once a second for `seconds`, and how the server answers.
fn streams(count: usize, seconds: u64) {
    let limit = open_files(count as u64 + 1_000);
    if limit < count as u64 + 200 {
        eprintln!("skipped: {count} streams need more open files than {limit}; raise `ulimit -n`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    accounts(&data);
    let server = Server::start(&data, &["serve"]);
    let boss = login(&server, "boss");
    let mut tokens = Vec::new();
    // Four streams a member; a group and its invite take fifty at once.
    let mut door = String::new();
    for n in 0..count.div_ceil(4) {
        if n.is_multiple_of(50) {
            door = invite(&server, &boss, &group(&server, &boss));
        }
        tokens.push(join(&server, &door, "静静听").1);
    }
    let (before, began) = (resident(server.id()), Instant::now());
    let mut streams = Vec::with_capacity(count);
    for n in 0..count {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let token = &tokens[n / 4];
        let request =
            format!("GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let head = until(&mut stream, "retry:");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        streams.push(stream);
    }
    let opened = began.elapsed();
    let after = resident(server.id());
    let mut pings: Vec<Duration> = (0..200)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(server.get("/livez", None).unwrap().status, 200);
            began.elapsed()
        })
        .collect();
    pings.sort();
    // Something happens that concerns everyone: each stream is told.
    let run = json!({"branch": "b1", "quest": "habit-7", "start": today().0.to_string()});
    let happens = |streams: &mut [TcpStream]| {
        let began = Instant::now();
        done(&server, "/v1/runs", &boss, &run);
        for stream in streams {
            until(stream, "run-launched");
        }
        began.elapsed()
    };
    let told = happens(&mut streams);
    // Once a second.
    let (busy, began) = (processor(server.id()), Instant::now());
    for second in 1..=seconds {
        happens(&mut streams);
        std::thread::sleep(Duration::from_secs(second).saturating_sub(began.elapsed()));
    }
    let (lasted, now) = (began.elapsed().as_secs_f64(), processor(server.id()));
    if let Some((busy, now)) = busy.zip(now) {
        let share = (now - busy) as f64 / 100.0 / lasted;
        eprintln!("{seconds} events, one a second, in {lasted:.1} s: {share:.3} of a processor");
    }
    if let Some((before, after)) = before.zip(after) {
        let each = after.saturating_sub(before) as f64 / count as f64;
        eprintln!("{count} streams: {before} KiB before, {after} KiB after, {each:.1} KiB each");
        assert!(each < 128.0, "{each:.1} KiB for a stream that is idle");
    }
    eprintln!(
        "opened in {:.1} s; ping p50 {:.2} ms, p99 {:.2} ms; all told of an event in {:.2} s",
        opened.as_secs_f64(),
        pings[100].as_secs_f64() * 1e3,
        pings[198].as_secs_f64() * 1e3,
        told.as_secs_f64()
    );
    assert!(pings[198] < Duration::from_secs(2), "others wait: {:?}", pings[198]);
    // Readers that go away are forgotten: their places are free again.
    drop(streams);
    std::thread::sleep(Duration::from_millis(500));
    let again = server.get("/v1/me", Some(&tokens[0])).unwrap();
    assert_eq!(again.status, 200);
}

#[test]
fn two_hundred_streams() {
    streams(200, 2);
}

/// `cargo test --release -p dengmi-tests --test edge -- --ignored ten_thousand --nocapture`
#[test]
#[ignore = "takes minutes and 10,000 open files on either side"]
fn ten_thousand_streams() {
    streams(10_000, 20);
}
