//! The process that is killed: the real host on the real store, working through units.
//!
//! A unit is a person: joins, agrees, checks in, hides from standings; four commands whose keys
//! follow from the unit's number, so that whoever comes after the crash can send them again. What
//! it is told goes into a file, one line written at once for each:
//!
//! ```text
//! S 17            command 17 is about to be sent
//! A 17 0 Done(..) it is acknowledged: whether as a repeat, and with what outcome
//! R 17 ReadOnly   it was refused for now, and will be sent again
//! J               the clock jumped
//! ```

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dengmi_core::command::ConsentPurpose;
use dengmi_core::{Action, Actor, Command, MemberId, Outcome, Receipt, Timestamp, mutant};
use dengmi_host::{Content, Host, SubmitError};
use dengmi_store::{Journal as _, SqliteStore, failpoint};

use super::ground::{self, BRANCH, RUN, Shifted};

/// Commands of a unit.
pub const STEPS: u64 = 4;

/// How far the clock jumps, into the next business day.
pub const JUMP_MS: i64 = 200_000;

/// How long a refused command is sent again before the worker gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Units with consecutive numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Units {
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// The time in their keys, milliseconds since 1970.
    pub made: i64,
}

impl Units {
    /// As one argument of a command line.
    #[must_use]
    pub fn argument(&self) -> String {
        format!("{}:{}:{}", self.first, self.count, self.made)
    }
}

impl std::str::FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [first, count, made] = parts[..] else {
            return Err("three numbers, with colons between".to_owned());
        };
        let fault = |error: std::num::ParseIntError| error.to_string();
        Ok(Self {
            first: first.parse().map_err(fault)?,
            count: count.parse().map_err(fault)?,
            made: made.parse().map_err(fault)?,
        })
    }
}

/// What a worker does.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// The folder worked in.
    #[arg(long)]
    pub folder: PathBuf,
    /// The file that says what was acknowledged.
    #[arg(long)]
    pub acks: PathBuf,
    /// By how many milliseconds the machine's clock is moved.
    #[arg(long, allow_hyphen_values = true)]
    pub shift_ms: i64,
    /// Units to be sent again first.
    #[arg(long, default_value = "0:0:0")]
    pub again: Units,
    /// Units to be sent then.
    #[arg(long, default_value = "0:0:0")]
    pub units: Units,
    /// Units at work at the same time.
    #[arg(long, default_value_t = 4)]
    pub tasks: u64,
    /// Commands after which a snapshot is due.
    #[arg(long, default_value_t = 25)]
    pub snapshot_commands: u64,
    /// Whether the clock jumps into the next day half way, and the store does its housekeeping.
    #[arg(long)]
    pub jump: bool,
    /// Acknowledges before it asks: a fault that has to be found.
    #[arg(long)]
    pub ack_early: bool,
}

/// The command line of the process that is killed.
#[derive(Clone, Debug, clap::Args)]
pub struct Worker {
    #[command(flatten)]
    plan: Plan,
    /// Fill the folder first.
    #[arg(long)]
    prepare: bool,
    /// Step and time at which to end.
    #[arg(long)]
    end_at: Option<String>,
    /// Open the store with `synchronous = NORMAL`.
    #[arg(long)]
    sync_seldom: bool,
    /// Plant a mutant.
    #[arg(long)]
    plant: Option<String>,
}

impl Worker {
    /// Does what was asked for, and says a letter when the branch takes commands.
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the parent listens")]
    #[must_use]
    pub fn run(self) -> ExitCode {
        let Self { plan, prepare, end_at, sync_seldom, plant } = self;
        if !mutant::plant(plant.as_deref()) {
            eprintln!("there is no such mutant");
            return ExitCode::FAILURE;
        }
        if sync_seldom {
            failpoint::sync_seldom();
        }
        if let Some((point, time)) = end_at.as_deref().and_then(|at| at.rsplit_once(':')) {
            failpoint::arm(point, time.parse().unwrap_or(1));
        }
        let done = super::block_on(async {
            if prepare {
                ground::prepare(&plan.folder, ground::content()).await;
            }
            let ready = || {
                print!("r");
                // A parent that has gone does not listen any more.
                let _ = std::io::stdout().flush();
            };
            work(plan, None, ready).await
        });
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        }
    }
}

struct Work {
    host: Host<SqliteStore>,
    acks: File,
    clock: Arc<Shifted>,
    next: AtomicU64,
    plan: Plan,
}

/// Works through a plan. With `content`, the host adopts it; without, it goes on with what the
/// journal has. Calls `ready` when the branch takes commands.
///
/// # Errors
/// In words, where it cannot start or is refused for good.
pub async fn work(
    plan: Plan,
    content: Option<Content>,
    ready: impl FnOnce(),
) -> Result<(), String> {
    let acks = File::options().create(true).append(true).open(&plan.acks);
    let acks = acks.map_err(|error| error.to_string())?;
    let store = ground::open(&plan.folder).await;
    let store = Arc::new(store.map_err(|error| error.to_string())?);
    let clock = Arc::new(Shifted::new(plan.shift_ms));
    let config = ground::config(clock.clone(), &plan.folder, plan.snapshot_commands);
    let host = Host::open(store.clone(), config, content, &mut |_, _, _| {}).await;
    let host = host.map_err(|error| error.to_string())?;
    let work = Work { host, acks, clock, next: AtomicU64::new(0), plan };
    ready();
    work.units(work.plan.again, false).await?;
    work.units(work.plan.units, work.plan.jump).await?;
    work.host.shutdown().await;
    drop(work);
    close(store).await
}

/// Closes the store once the host's last task, such as writing a snapshot, has let go of it.
pub(crate) async fn close(mut store: Arc<SqliteStore>) -> Result<(), String> {
    for _ in 0..5_000 {
        store = match Arc::try_unwrap(store) {
            Ok(store) => return store.close().await.map_err(|error| error.to_string()),
            Err(shared) => shared,
        };
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Err("the host holds the store after its end".to_owned())
}

impl Work {
    async fn units(&self, units: Units, jump: bool) -> Result<(), String> {
        self.next.store(0, Ordering::SeqCst);
        let tasks = (0..self.plan.tasks).map(|_| self.task(units, jump));
        // One thread's tasks are enough: the writer and SQLite have their own.
        let mut all: Vec<_> = tasks.map(Box::pin).collect();
        for_all(&mut all).await
    }

    async fn task(&self, units: Units, jump: bool) -> Result<(), String> {
        loop {
            let n = self.next.fetch_add(1, Ordering::SeqCst);
            if n >= units.count {
                return Ok(());
            }
            if jump && n == units.count / 2 {
                self.say("J")?;
                self.clock.jump(JUMP_MS);
                self.tidy().await?;
            }
            self.unit(units.first + n, Timestamp(units.made)).await?;
        }
    }

    /// Has the store do its housekeeping, which it puts off while another unit's commit is under
    /// way.
    async fn tidy(&self) -> Result<(), String> {
        for _ in 0..500 {
            let tidied = self.host.journal().checkpoint_when_idle().await;
            if tidied.map_err(|error| error.to_string())? {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn unit(&self, unit: u64, made: Timestamp) -> Result<(), String> {
        let joined = self.send(unit * STEPS, made, Action::Join { community: ground::group(unit) });
        let Outcome::Done(Receipt::Member(member)) = joined.await? else {
            return Err(format!("unit {unit} could not join"));
        };
        for (step, action) in (1..).zip(actions(member)) {
            self.send(unit * STEPS + step, made, action).await?;
        }
        Ok(())
    }

    /// Sends a command until it is answered.
    async fn send(&self, number: u64, made: Timestamp, action: Action) -> Result<Outcome, String> {
        let started = Instant::now();
        self.say(&format!("S {number}"))?;
        if self.plan.ack_early {
            self.say(&format!("A {number} 0 ?"))?;
        }
        loop {
            let command = Command { actor: Actor::Operator(1), action: action.clone() };
            match self.host.submit(BRANCH, ground::key(made, number), command).await {
                Ok(answer) => {
                    let replayed = u8::from(answer.replayed);
                    self.say(&format!("A {number} {replayed} {:?}", answer.outcome))?;
                    return Ok(answer.outcome);
                }
                Err(error @ (SubmitError::Key(_) | SubmitError::UnknownBranch)) => {
                    return Err(format!("command {number}: {error}"));
                }
                Err(error) => {
                    self.say(&format!("R {number} {error:?}"))?;
                    if started.elapsed() > PATIENCE {
                        return Err(format!("command {number} is still refused: {error}"));
                    }
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
            }
        }
    }

    fn say(&self, line: &str) -> Result<(), String> {
        // One call, so that a line is there as a whole or is the torn last one.
        (&self.acks).write_all(format!("{line}\n").as_bytes()).map_err(|error| error.to_string())
    }
}

fn actions(member: MemberId) -> [Action; 3] {
    let purpose = ConsentPurpose::Activities;
    [
        Action::Consent { member, purpose, version: 1, given: true },
        Action::CheckIn { member, run: RUN, phrase: None, occurred: None },
        Action::ShowOnBoards { member, shown: false },
    ]
}

/// Runs all of them at the same time; ends with the first error.
async fn for_all(
    all: &mut [impl Future<Output = Result<(), String>> + Unpin],
) -> Result<(), String> {
    let mut done = vec![false; all.len()];
    std::future::poll_fn(move |context| {
        for (future, done) in all.iter_mut().zip(&mut done) {
            if !*done
                && let std::task::Poll::Ready(result) = std::pin::Pin::new(future).poll(context)
            {
                result?;
                *done = true;
            }
        }
        if done.iter().all(|done| *done) {
            std::task::Poll::Ready(Ok(()))
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}
