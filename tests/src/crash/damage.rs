//! Damaged files: a log that ends in the middle of a commit, and bits that flip while nobody looks.

use std::path::Path;
use std::time::{Duration, Instant};

use dengmi_core::view::{ClosedBoard, Event};
use dengmi_store::{Journal as _, LedgerRow, Record, verify};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::books::Faults;
use super::child::{End, Worker};
use super::ground::{self, BRANCH};
use super::kill::Life;
use super::worker::{Plan, Units};
use super::{Outcome, Setup, block_on, remove};

/// Everything of a branch that the journal answers for.
#[derive(Debug, PartialEq)]
struct Dump {
    records: Vec<Record>,
    ledger: Vec<LedgerRow>,
    events: Vec<Event>,
    boards: Vec<ClosedBoard>,
}

/// What a start makes of a folder, and what [`verify`] and SQLite's own check find: what is there,
/// or why it is refused. `torn`: the last record is, which is damage here.
async fn read(folder: &Path) -> Result<Dump, String> {
    let words = |error: dengmi_store::StoreError| error.to_string();
    let store = ground::open(folder).await.map_err(words)?;
    let head = store.head(BRANCH).await.map_err(words)?;
    let report = verify(&store, BRANCH).await.map_err(words)?;
    if !report.is_sound() || report.records != head.seq {
        return Err(format!("{report:?}"));
    }
    store.check_file().await.map_err(words)?;
    let meta = store.branches().await.map_err(words)?;
    let content = meta.first().ok_or("the branch is gone")?.content;
    store.pack(content).await.map_err(words)?.ok_or("the content is gone")?;
    if store.sums(BRANCH).await.map_err(words)? != report.sums {
        return Err("sums differ".to_owned());
    }
    let dump = Dump {
        records: store.read(BRANCH, 0, u32::MAX).await.map_err(words)?.records,
        ledger: store.entries_after(BRANCH, 0, u32::MAX).await.map_err(words)?,
        events: store.events_after(BRANCH, 0, u32::MAX).await.map_err(words)?,
        boards: store.closed_boards(BRANCH, u32::MAX).await.map_err(words)?,
    };
    store.close().await.map_err(words)?;
    Ok(dump)
}

/// Length of the header of a write-ahead log, and of each frame's.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Bytes of a page of the database.
const PAGE: usize = 4_096;

/// Where each commit of a write-ahead log ends, as SQLite's file format says: frames of the log's
/// present round carry its salt, and the last frame of a commit a size of the database.
fn commits(log: &[u8]) -> Vec<usize> {
    let word = |at: usize| {
        let bytes = log.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let Some(page) = word(8) else { return Vec::new() };
    let salt = (word(16), word(20));
    let frame = FRAME_HEADER + page as usize;
    let mut ends = Vec::new();
    let mut at = LOG_HEADER;
    while at + frame <= log.len() && (word(at + 8), word(at + 12)) == salt {
        at += frame;
        if word(at - frame + 4) > Some(0) {
            ends.push(at);
        }
    }
    ends
}

/// Cuts the write-ahead log of a killed process at every byte of its last three commits; of pages'
/// contents, at every `stride`th byte.
#[must_use]
pub fn torn(setup: &Setup, stride: u64) -> Outcome {
    let mut outcome = Outcome::default();
    let folder = setup.path("torn");
    let Some(log) = unsettled(setup, &folder) else {
        outcome.faults.add(Faults::one("no worker left three commits in its log"));
        return outcome;
    };
    let copy = setup.path("torn-copy");
    let again = |log: &[u8]| {
        remove(&copy);
        ground::copy(&folder, &copy);
        std::fs::write(copy.join("dengmi.db-wal"), log).expect("it can be written");
        block_on(read(&copy))
    };
    let whole = match again(&log) {
        Ok(whole) => whole,
        Err(why) => {
            outcome.faults.add(Faults::one(why));
            return outcome;
        }
    };
    let ends = commits(&log);
    let [.., before, first, second, last] = ends[..] else { return outcome };
    let mut cuts = 0;
    let mut lengths = std::collections::BTreeSet::new();
    for length in before..=last {
        let inside = (length - LOG_HEADER) % (PAGE + FRAME_HEADER);
        if inside > FRAME_HEADER && !(length as u64).is_multiple_of(stride.max(1)) {
            continue;
        }
        cuts += 1;
        // How many of the three commits are whole.
        let kept = [first, second, last].iter().filter(|end| **end <= length).count();
        match again(&log[..length]) {
            Ok(found) => {
                let records = found.records.len();
                lengths.insert((kept, records));
                let prefix = whole.records.starts_with(&found.records)
                    && whole.ledger.starts_with(&found.ledger)
                    && whole.events.starts_with(&found.events);
                if !prefix || (kept == 3) != (records == whole.records.len()) {
                    let why = format!("{length} bytes of log give {records} records");
                    outcome.faults.add(Faults::one(why));
                }
            }
            Err(why) => outcome.faults.add(Faults::one(format!("{length} bytes of log: {why}"))),
        }
    }
    if lengths.len() != 4 {
        outcome.faults.add(Faults::one(format!("commits are not cut as a whole: {lengths:?}")));
    }
    outcome.figure("bytes of the last three commits", (last - before) as u64);
    outcome.figure("places at which the log was cut", cuts);
    outcome
}

/// A folder whose log holds at least four commits, each with a record; gives the log.
fn unsettled(setup: &Setup, folder: &Path) -> Option<Vec<u8>> {
    for attempt in 0..40_u64 {
        remove(folder);
        ground::copy(&setup.ground(), folder);
        let acks = setup.path("torn-acks");
        remove(&acks);
        let plan = Plan { tasks: 1, ..Life::new(folder.to_owned()).plan(acks) };
        let mut worker = Worker::start(setup, &plan, &[], &[]);
        if worker.ready() {
            std::thread::sleep(Duration::from_millis(30 + 5 * attempt));
        }
        worker.kill();
        let killed = worker.wait() == End::Killed;
        let log = std::fs::read(folder.join("dengmi.db-wal")).unwrap_or_default();
        if killed && commits(&log).len() >= 6 {
            return Some(log);
        }
    }
    None
}

/// Flips so many single bits of the database, one at a time. Each must be noticed, or change
/// nothing that the journal answers for.
#[must_use]
pub fn flips(setup: &Setup, flips: u64) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(setup.seed);
    let mut outcome = Outcome::default();
    let folder = setup.fresh("flips");
    let acks = setup.path("flips-acks");
    remove(&acks);
    let plan = Life::new(folder.clone()).plan(acks);
    let plan = Plan { units: Units { count: 20, ..plan.units }, jump: true, ..plan };
    let end = Worker::start(setup, &plan, &[], &[]).wait();
    let good = std::fs::read(ground::database(&folder)).unwrap_or_default();
    let whole = block_on(read(&folder));
    let (End::Finished, Ok(whole)) = (end, whole) else {
        outcome.faults.add(Faults::one("the database to be damaged could not be made"));
        return outcome;
    };
    let [mut noticed, mut harmless] = [0; 2];
    let copy = setup.path("flips-copy");
    let mut told = Instant::now();
    for n in 0..flips {
        let bit = rng.random_range(0..good.len() as u64 * 8);
        let (byte, mask) = ((bit / 8) as usize, 1_u8 << (bit % 8));
        let mut bytes = good.clone();
        bytes[byte] ^= mask;
        remove(&copy);
        std::fs::create_dir_all(&copy).expect("the folder can be made");
        std::fs::write(ground::database(&copy), bytes).expect("it can be written");
        match block_on(read(&copy)) {
            Err(_) => noticed += 1,
            Ok(dump) if dump == whole => harmless += 1,
            Ok(_) => {
                let why = format!("bit {bit} of byte {byte} changed what is read, unnoticed");
                (setup.progress)(&why);
                outcome.faults.add(Faults::one(why));
            }
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            (setup.progress)(&format!("{n} of {flips} bits"));
        }
    }
    outcome.figure("bytes of the database", good.len() as u64);
    outcome.figure("records, entries and events in it", {
        (whole.records.len() + whole.ledger.len() + whole.events.len()) as u64
    });
    outcome.figure("bits flipped", flips);
    outcome.figure("noticed", noticed);
    outcome.figure("in free space, indexes or other tables: nothing of a branch changed", harmless);
    outcome
}
