//! `dengmi bench live`: the whole server under load, beside a bare HTTP server and the disk, all
//! in one run on one machine.

mod child;
mod content;
mod disk;
mod load;
pub(super) mod server;
mod table;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use dengmi_core::Calendar;
use dengmi_core::view::board::BoardKey;
use dengmi_core::{Period, PeriodKind, Timestamp};
use uuid::Uuid;

use self::child::Server;
use self::load::{Measured, Phase, Work};
use self::table::{Results, Sample};
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// More check-ins a second than are expected of any machine: so many runs are launched ahead.
const CHECK_INS_PER_SECOND: f64 = 60_000.0;

/// Measure the live server.
#[derive(Args, Debug)]
#[command(after_help = "\
测量本机上的完整服务：会话、幂等、规则、账本、日志全部打开。
Measures the whole server on this machine, with sessions, idempotency, rules, ledger and journal.
服务与负载共用处理器，只有比值有意义：每段的前后各测一次对照，取各轮的中位数。
Server and load share the processors: only ratios mean anything. Each part is held against what was
measured right before and after it; the table shows medians of all rounds.")]
pub(crate) struct Live {
    /// 临时数据目录，须在真实磁盘上 Folder for the data while it runs; on a disk, not in memory
    #[arg(long, default_value = "target/bench", value_name = "DIR")]
    dir: PathBuf,
    /// 成员数 Members of the branch, all on one standing
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    members: u32,
    /// 每段秒数 Seconds of each measurement
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// 轮数 Rounds, in each of which everything is measured; the table shows medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// 只测这些 Only these parts, such as `A,B`; all of A, A256, A4, B, C, D when not given
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<String>,
}

/// The parts: name, work, connections.
const PARTS: [(&str, Work, usize); 6] = [
    ("A", Work::CheckIn, 64),
    ("A256", Work::CheckIn, 256),
    ("A4", Work::CheckIn, 4),
    ("B", Work::Top, 64),
    ("C", Work::Around, 64),
    ("D", Work::Mix, 64),
];

impl Live {
    /// Measures everything and prints a table.
    ///
    /// # Errors
    /// The server does not start, or the folder cannot be written to.
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let folder = self.dir.join(format!("live-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| CliError::file(&folder, &error))?;
        let results = self.measure(global, &folder);
        let removed = fs::remove_dir_all(&folder);
        let results = results?;
        removed.map_err(|error| CliError::file(&folder, &error))?;
        results.lines().iter().try_for_each(|line| terminal::print(line))
    }

    fn measure(&self, global: &Global, folder: &Path) -> Result<Results> {
        let hello = Server::start(folder, &["--hello"])?;
        if !global.quiet {
            terminal::say("建立分行 setting up the branch ...");
        }
        let members = self.members.to_string();
        let server = Server::start(folder, &["--members", &members])?;
        let tokens = folder.join(server::TOKENS);
        let tokens =
            fs::read_to_string(&tokens).map_err(|error| CliError::file(&tokens, &error))?;
        let mut tokens: Vec<String> = tokens.lines().map(str::to_owned).collect();
        if tokens.is_empty() {
            return Err(CliError::internal(anyhow::anyhow!("there are no sessions")));
        }
        let operator = Operator { address: server.address, token: tokens.remove(0) };
        let tokens = Arc::new(tokens);
        // Everyone checks in once: the standing is full, every session has been used.
        let mut phase = Phase { tokens, board: board(), ..self.phase(&server, Work::CheckIn, 64) };
        phase.runs = operator.launch(1)?;
        (phase.warm_up, phase.duration) = (Duration::ZERO, Duration::from_secs(120));
        let filled = load::drive(&phase, || {})?;
        if filled.failures > 0 || filled.requests != u64::from(self.members) {
            let why = filled.failure.unwrap_or_default();
            return Err(CliError::unavailable(format!("the standing was not filled: {why}"), ""));
        }
        settle();
        let mut results = Results::new(self.members);
        results.memory.push(("20,000 成员 members", server.resident_mb()));
        let parts: Vec<_> = PARTS
            .into_iter()
            .filter(|(name, ..)| self.only.is_empty() || self.only.iter().any(|o| o == name))
            .collect();
        let bar = terminal::progress(
            global,
            "测量 measuring",
            u64::from(self.rounds) * parts.len() as u64,
        );
        let references =
            || References::measure(folder, &hello, &self.phase(&hello, Work::Hello, 64));
        for _ in 0..self.rounds {
            let mut before = references()?;
            for &(name, work, connections) in &parts {
                let base = self.phase(&server, work, connections);
                let mut phase =
                    Phase { tokens: phase.tokens.clone(), board: phase.board.clone(), ..base };
                if matches!(work, Work::CheckIn | Work::Mix) {
                    let seconds = (phase.warm_up + phase.duration).as_secs_f64();
                    let wanted = seconds * CHECK_INS_PER_SECOND / f64::from(self.members);
                    phase.runs = operator.launch(wanted.ceil() as usize)?;
                }
                let measured = run(&server, &phase)?;
                operator.stop(&phase.runs)?;
                settle();
                let after = references()?;
                results.part(name, work, connections, measured, [&before, &after]);
                before = after;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        results.memory.push(("最后 at the end", server.resident_mb()));
        Ok(results)
    }

    fn phase(&self, server: &Server, work: Work, connections: usize) -> Phase {
        Phase {
            address: server.address,
            work,
            connections,
            warm_up: Duration::from_millis(300),
            duration: Duration::from_secs(self.seconds),
            tokens: Arc::new(Vec::new()),
            runs: Vec::new(),
            board: String::new(),
        }
    }
}

/// Lets what is left to do in the background be done.
fn settle() {
    thread::sleep(Duration::from_millis(700));
}

/// The standing of the season: everyone who ever checked in is on it.
fn board() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = Timestamp(i64::try_from(now.map_or(0, |since| since.as_millis())).unwrap_or(0));
    let season = Period::containing(PeriodKind::Season, Calendar::default().day_of(now));
    dengmi_api::board_key::BoardName(BoardKey::Community(server::GROUP, season)).to_string()
}

/// What everything is held against, measured together.
struct References {
    hello: Sample,
    one: Sample,
    many: Sample,
}

impl References {
    fn measure(folder: &Path, hello: &Server, phase: &Phase) -> Result<Self> {
        let disk = Duration::from_millis(250);
        let one = disk::append(folder, 1, disk)?;
        let many = disk::append(folder, 64, disk)?;
        let (answers, cpu) = run(hello, phase)?;
        Ok(Self {
            hello: Sample::of(&answers, &answers.reads, cpu),
            one: Sample::of(&one, &one.writes, None),
            many: Sample::of(&many, &many.writes, None),
        })
    }
}

/// A phase with the processor seconds that the server used in the measured time.
fn run(server: &Server, phase: &Phase) -> Result<(Measured, Option<f64>)> {
    let mut before = None;
    let measured = load::drive(phase, || before = server.cpu_seconds())?;
    let cpu = before.zip(server.cpu_seconds()).map(|(before, after)| after - before);
    Ok((measured, cpu))
}

/// The operator, who launches and stops runs over the same interface.
struct Operator {
    address: SocketAddr,
    token: String,
}

impl Operator {
    /// Launches runs and returns their names.
    fn launch(&self, count: usize) -> Result<Vec<String>> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = Timestamp(i64::try_from(now.map_or(0, |since| since.as_millis())).unwrap_or(0));
        let today = Calendar::default().day_of(now);
        let body = format!(r#"{{"branch": "b1", "quest": "streak", "start": "{today}"}}"#);
        (0..count)
            .map(|_| {
                let answer = self.post("/v1/runs", &body)?;
                let id = answer.rsplit_once(r#""id":""#).and_then(|(_, rest)| rest.split_once('"'));
                id.map(|(id, _)| id.to_owned()).ok_or_else(|| {
                    CliError::unavailable(format!("a run was not launched: {answer}"), "")
                })
            })
            .collect()
    }

    fn stop(&self, runs: &[String]) -> Result<()> {
        runs.iter().try_for_each(|run| self.post(&format!("/v1/runs/{run}/stop"), "").map(|_| ()))
    }

    fn post(&self, path: &str, body: &str) -> Result<String> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            Uuid::now_v7(),
            body.len(),
        );
        let mut answer = String::new();
        TcpStream::connect(self.address)
            .and_then(|mut stream| {
                stream.write_all(request.as_bytes())?;
                stream.read_to_string(&mut answer)
            })
            .map_err(|error| CliError::unavailable(format!("the measured server: {error}"), ""))?;
        if answer.starts_with("HTTP/1.1 20") {
            Ok(answer)
        } else {
            Err(CliError::unavailable(format!("{path}: {answer}"), ""))
        }
    }
}
