//! Killing at random moments, again and again, in folders that grow older from crash to crash.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::books::{Books, Faults, audit};
use super::child::{End, Worker};
use super::ground::{self, UNITS};
use super::worker::{JUMP_MS, Plan, Units};
use super::{Outcome, Setup, block_on, remove};

/// Units a worker is given: more than it will ever get done.
pub(crate) const PLENTY: u64 = 150;

/// Crashes after which a folder is old enough.
const OLD: u64 = 20;

/// Cycles between audits from the very first record on.
const WHOLE: u64 = 10;

/// A folder that lives through crashes, with what its senders know.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) folder: PathBuf,
    pub(crate) books: Books,
    shift_ms: i64,
    crashes: u64,
    /// The time in all its keys: it ends before they are too old.
    made: i64,
    begun: Instant,
    /// Commands that were committed and not acknowledged at some crash.
    pub(crate) orphans: BTreeSet<u64>,
}

impl Life {
    pub(crate) fn new(folder: PathBuf) -> Self {
        let made = ground::evening().0;
        let shift_ms = ground::shift_to(ground::evening());
        let (books, begun) = (Books::default(), Instant::now());
        Self { folder, books, shift_ms, crashes: 0, made, begun, orphans: BTreeSet::new() }
    }

    /// Whether it has room, and time, for one more worker.
    pub(crate) fn goes_on(&self) -> bool {
        let (first, count) = self.books.interrupted();
        let young = self.begun.elapsed() < Duration::from_secs(180);
        self.crashes < OLD && first + count + PLENTY < UNITS && young
    }

    /// What the next worker does: what was interrupted again, then new units.
    pub(crate) fn plan(&self, acks: PathBuf) -> Plan {
        let (first, count) = self.books.interrupted();
        Plan {
            folder: self.folder.clone(),
            acks,
            shift_ms: self.shift_ms,
            again: Units { first, count, made: self.made },
            units: Units { first: first + count, count: PLENTY, made: self.made },
            tasks: 4,
            snapshot_commands: 25,
            // The day ends once in the life of a folder, early enough for keys to stay young.
            jump: self.crashes >= 3 && !self.books.jumped,
            ack_early: false,
        }
    }

    /// Enters what a worker wrote down before it died.
    pub(crate) fn enter(&mut self, text: &str) -> Faults {
        let before = self.books.jumped;
        let faults = self.books.enter(text);
        if self.books.jumped && !before {
            self.shift_ms += JUMP_MS;
        }
        self.crashes += 1;
        faults
    }

    /// How many commands this crash left committed and not acknowledged.
    pub(crate) fn orphaned(&mut self, found: &BTreeSet<u64>) -> u64 {
        let before = self.orphans.len();
        self.orphans.extend(found);
        (self.orphans.len() - before) as u64
    }
}

/// Reads a worker's lines; none where it died before the first.
pub(crate) fn lines(acks: &Path) -> String {
    std::fs::read(acks).map_or_else(|_| String::new(), |b| String::from_utf8_lossy(&b).into_owned())
}

/// Runs `cycles`. With `ack_early` the worker acknowledges before it asks, which must be noticed.
#[must_use]
pub fn run(setup: &Setup, cycles: u64, ack_early: bool) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(setup.seed);
    let mut outcome = Outcome::default();
    let mut total = Books::default();
    let [mut finished, mut early, mut between, mut unacknowledged, mut lives] = [0; 5];
    let mut life: Option<Life> = None;
    let mut told = Instant::now();
    for cycle in 1..=cycles {
        if life.as_ref().is_none_or(|life| !life.goes_on()) {
            collect(&mut total, life.take());
            lives += 1;
        }
        let life = life.get_or_insert_with(|| Life::new(setup.fresh("kill")));
        let acks = setup.path("kill-acks");
        remove(&acks);
        let plan = Plan { ack_early, ..life.plan(acks.clone()) };
        let mut worker = Worker::start(setup, &plan, &[], &[]);
        // One in four dies while it starts and recovers.
        if rng.random_range(0..4_u32) == 0 {
            std::thread::sleep(Duration::from_micros(rng.random_range(0..150_000)));
            early += 1;
        } else if worker.ready() {
            std::thread::sleep(Duration::from_micros(rng.random_range(0..80_000)));
        }
        worker.kill();
        let mut faults = Faults::default();
        match worker.wait() {
            End::Killed => {}
            End::Finished => finished += 1,
            End::Failed(why) => faults.add(Faults::one(why)),
        }
        faults.add(life.enter(&lines(&acks)));
        let whole = cycle.is_multiple_of(WHOLE) || !life.goes_on() || cycle == cycles;
        let copy = setup.path("kill-audit");
        remove(&copy);
        ground::copy(&life.folder, &copy);
        let found = block_on(audit(&copy, &setup.packs, &life.books, whole));
        faults.add(found.faults);
        let orphaned = life.orphaned(&found.unacknowledged);
        between += u64::from(orphaned > 0);
        unacknowledged += orphaned;
        if !faults.is_empty() {
            let at = format!("seed {} cycle {cycle}: {}", setup.seed, faults.words());
            (setup.progress)(&at);
            outcome.faults.add(faults);
            break;
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            (setup.progress)(&format!("{cycle} of {cycles} kills"));
        }
    }
    collect(&mut total, life);
    outcome.figure("kills", cycles - finished);
    outcome.figure("of these while starting", early);
    outcome.figure("workers that finished first", finished);
    outcome.figure("folders", lives);
    outcome.figure("kills between commit and acknowledgement", between);
    outcome.figure("commands committed and not acknowledged", unacknowledged);
    outcome.figure("of these sent again and answered from the record", total.recovered);
    outcome.figure("acknowledgements", total.acks);
    outcome
}

fn collect(total: &mut Books, life: Option<Life>) {
    if let Some(life) = life {
        total.acks += life.books.acks;
        total.recovered += life.books.recovered;
    }
}
