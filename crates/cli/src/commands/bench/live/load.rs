//! The load: connections that each send a request, wait for its answer and send the next, without
//! think time. As little code as HTTP/1.1 needs, because it shares the processors with what is
//! measured.

use std::io::{Error, ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpStream;

use crate::error::{CliError, Result};

/// Threads that generate load: as many as the reference machine has processors.
const THREADS: usize = 2;

/// What the connections ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// The bare server's only route.
    Hello,
    /// A check-in: a command that is durable when it is answered.
    CheckIn,
    /// The best 50.
    Top,
    /// The caller and 10 on either side.
    Around,
    /// 30 % check-ins, 35 % top, 35 % around.
    Mix,
}

/// Everything a phase needs to know.
#[derive(Clone)]
pub(super) struct Phase {
    pub(super) address: SocketAddr,
    pub(super) work: Work,
    pub(super) connections: usize,
    /// Time before the measurement begins, ...
    pub(super) warm_up: Duration,
    /// ... and time it lasts, unless there are no check-ins left to send.
    pub(super) duration: Duration,
    /// Tokens of members.
    pub(super) tokens: Arc<Vec<String>>,
    /// Runs to check in to, each once by every member.
    pub(super) runs: Vec<String>,
    /// The standing to read.
    pub(super) board: String,
}

/// What a phase measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Requests answered well within the measured time.
    pub(super) requests: u64,
    /// Answers other than 200, at any time.
    pub(super) failures: u64,
    /// The first of them.
    pub(super) failure: Option<String>,
    /// Seconds measured.
    pub(super) seconds: f64,
    /// Nanoseconds from request to answer of commands and of reads, rising.
    pub(super) writes: Vec<u32>,
    pub(super) reads: Vec<u32>,
}

impl Measured {
    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1e-9)
    }
}

/// Milliseconds below which `share` of the values lie, which are rising; 0 where there is none.
pub(super) fn percentile_ms(values: &[u32], share: f64) -> f64 {
    let at = (values.len() as f64 * share) as usize;
    values.get(at.min(values.len().saturating_sub(1))).map_or(0.0, |ns| f64::from(*ns) / 1e6)
}

/// Runs a phase; `begun` is called when the measurement begins.
///
/// # Errors
/// The server does not answer.
pub(super) fn drive(phase: &Phase, begun: impl FnOnce()) -> Result<Measured> {
    let began = Instant::now() + phase.warm_up;
    let shared = Arc::new(Shared {
        phase: phase.clone(),
        began,
        until: began + phase.duration,
        tickets: AtomicU64::new(0),
        measured: Mutex::default(),
    });
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let shared = shared.clone();
            thread::spawn(move || shared.drive_part(thread))
        })
        .collect();
    thread::sleep(began.saturating_duration_since(Instant::now()));
    begun();
    let mut ended = Vec::new();
    for thread in threads {
        let joined = thread
            .join()
            .map_err(|_| CliError::internal(anyhow::anyhow!("a thread of the load ended early")))?;
        ended.push(
            joined.map_err(|error| {
                CliError::unavailable(format!("the measured server: {error}"), "")
            })?,
        );
    }
    let last = ended.into_iter().flatten().max().unwrap_or(began);
    let mut measured =
        std::mem::take(&mut *shared.measured.lock().unwrap_or_else(PoisonError::into_inner));
    measured.seconds = last.saturating_duration_since(began).as_secs_f64();
    measured.writes.sort_unstable();
    measured.reads.sort_unstable();
    measured.requests = (measured.writes.len() + measured.reads.len()) as u64;
    Ok(measured)
}

struct Shared {
    phase: Phase,
    began: Instant,
    until: Instant,
    tickets: AtomicU64,
    measured: Mutex<Measured>,
}

impl Shared {
    /// The connections of one thread; returns when the last of them had its last answer.
    fn drive_part(self: &Arc<Self>, thread: usize) -> Result<Option<Instant>, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for number in (thread..self.phase.connections).step_by(THREADS) {
                let stream = TcpStream::connect(self.phase.address).await?;
                stream.set_nodelay(true)?;
                let connection = Connection::new(self.clone(), stream, number as u64);
                tasks.spawn(connection.converse());
            }
            let mut last = None;
            for ended in tasks.join_all().await {
                last = last.max(Some(ended?));
            }
            Ok(last)
        })
    }
}

struct Connection {
    shared: Arc<Shared>,
    stream: TcpStream,
    number: u64,
    sent: u64,
    request: Vec<u8>,
    answer: Vec<u8>,
    measured: Measured,
}

impl Connection {
    fn new(shared: Arc<Shared>, stream: TcpStream, number: u64) -> Self {
        let (request, answer) = (Vec::with_capacity(512), Vec::with_capacity(16 * 1024));
        Self { shared, stream, number, sent: 0, request, answer, measured: Measured::default() }
    }

    async fn converse(mut self) -> Result<Instant, Error> {
        let mut ended = Instant::now();
        while ended < self.shared.until {
            let Some(work) = self.prepare() else { break };
            let sent = Instant::now();
            self.send().await?;
            let status = self.receive().await?;
            ended = Instant::now();
            if status != *b"200" {
                self.measured.failures += 1;
                let text = || String::from_utf8_lossy(&self.answer).into_owned();
                self.measured.failure.get_or_insert_with(text);
            } else if sent >= self.shared.began {
                let took = u32::try_from((ended - sent).as_nanos()).unwrap_or(u32::MAX);
                let list = match work {
                    Work::CheckIn => &mut self.measured.writes,
                    _ => &mut self.measured.reads,
                };
                list.push(took);
            }
        }
        let mut all = self.shared.measured.lock().unwrap_or_else(PoisonError::into_inner);
        all.writes.append(&mut self.measured.writes);
        all.reads.append(&mut self.measured.reads);
        all.failures += self.measured.failures;
        all.failure = all.failure.take().or(self.measured.failure);
        Ok(ended)
    }

    /// Writes the next request down and says what it is; `None` where no check-in is left.
    fn prepare(&mut self) -> Option<Work> {
        let shared = &self.shared;
        let phase = &shared.phase;
        self.sent += 1;
        let dice = mixed(self.number << 40 | self.sent);
        let work = match (phase.work, dice % 100) {
            (Work::Mix, 0..30) => Work::CheckIn,
            (Work::Mix, 30..65) => Work::Top,
            (Work::Mix, _) => Work::Around,
            (work, _) => work,
        };
        self.request.clear();
        let request = &mut self.request;
        let members = phase.tokens.len() as u64;
        let reader = || &phase.tokens[((dice >> 32) % members) as usize];
        // Writing to a Vec cannot fail.
        let _ = match work {
            Work::Hello => write!(request, "GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n"),
            Work::CheckIn => {
                let ticket = shared.tickets.fetch_add(1, Ordering::Relaxed);
                let run = phase.runs.get((ticket / members) as usize)?;
                // 7,919 is a prime: every member once, in no order that helps anyone.
                let token = &phase.tokens[(ticket % members * 7_919 % members) as usize];
                let key = idempotency_key(ticket, dice);
                write!(
                    request,
                    "POST /v1/runs/{run}/check-ins HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}",
                )
            }
            Work::Top => write!(
                request,
                "GET /v1/boards/{}?top=50 HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
                phase.board,
                reader(),
            ),
            Work::Around | Work::Mix => write!(
                request,
                "GET /v1/boards/{}?around=me&n=5 HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
                phase.board,
                reader(),
            ),
        };
        Some(work)
    }

    async fn send(&self) -> Result<(), Error> {
        let mut left = self.request.as_slice();
        while !left.is_empty() {
            match self.stream.try_write(left) {
                Ok(written) => left = &left[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stream.writable().await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads one answer and returns its status.
    async fn receive(&mut self) -> Result<[u8; 3], Error> {
        self.answer.clear();
        let mut whole = None;
        loop {
            if whole.is_none() {
                whole = length(&self.answer);
            }
            if whole.is_some_and(|length| self.answer.len() >= length) {
                return self
                    .answer
                    .get(9..12)
                    .and_then(|s| s.try_into().ok())
                    .ok_or_else(|| ErrorKind::InvalidData.into());
            }
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut self.answer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The length of an answer, head and body, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let mut body = 0;
    let mut at = 0;
    loop {
        let end = at + answer[at..].iter().position(|&byte| byte == b'\n')?;
        let line = &answer[at..end];
        at = end + 1;
        if line == b"\r" {
            return Some(at + body);
        }
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let digits = line[NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit());
            body = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
        }
    }
}

/// A key of version 7 for now; the ticket makes it unlike any other of this phase.
fn idempotency_key(ticket: u64, dice: u64) -> uuid::Uuid {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let mut random = [0; 10];
    random[2..].copy_from_slice(&(ticket << 24 | dice & 0xFF_FFFF).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now).unwrap_or(0), &random).into_uuid()
}

/// A number that looks random (SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello", Some(51 - 2)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", Some(51)),
            ("HTTP/1.1 204 No Content\r\n\r\n", Some(27)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", None),
            ("", None),
        ] {
            assert_eq!(length(answer.as_bytes()), expected, "{answer}");
        }
    }

    #[test]
    fn keys_differ_and_have_version_7() {
        let keys: std::collections::BTreeSet<_> =
            (0..1_000).map(|ticket| idempotency_key(ticket, mixed(7))).collect();
        assert_eq!(keys.len(), 1_000);
        assert!(keys.iter().all(|key| key.get_version_num() == 7));
    }

    #[test]
    fn percentiles_are_of_the_values() {
        let values: Vec<u32> = (1..=100).map(|n| n * 1_000_000).collect();
        assert_eq!(percentile_ms(&values, 0.5), 51.0);
        assert_eq!(percentile_ms(&values, 0.99), 100.0);
        assert_eq!(percentile_ms(&[], 0.5), 0.0);
    }
}
