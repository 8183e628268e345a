//! Power cuts: a worker runs on a disk that remembers what was synced; the power fails after any of
//! the things it did, and the disk holds what was synced and any part of the rest.
//!
//! One worker's log serves several cuts. One of the disks they leave is where the next worker
//! begins, so folders grow older through many cuts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::books::{Books, Faults, audit};
use super::child::{End, Worker, preload};
use super::disk::{Disk, Loss, Op, files, lay, read_log};
use super::kill::{Life, lines};
use super::worker::{Plan, Units, work};
use super::{Outcome, Setup, block_on, remove};

/// Cuts in one worker's log.
const CUTS: u64 = 5;

/// Cuts between audits from the very first record on.
const WHOLE: u64 = 4;

/// Where a worker's own log of acknowledgements lies: on the disk watched, so that its lines have
/// their place among everything else.
fn acks(folder: &Path) -> PathBuf {
    folder.join("acks.lock")
}

fn start(setup: &Setup, plan: &Plan, log: &Path, more: &[&str]) -> Worker {
    remove(log);
    remove(&plan.acks);
    let variables = [
        ("LD_PRELOAD", preload().as_os_str()),
        ("POWERLOSS_FOLDER", plan.folder.as_os_str()),
        ("POWERLOSS_LOG", log.as_os_str()),
    ];
    Worker::start(setup, plan, more, &variables)
}

#[derive(Default)]
struct Figures {
    workers: u64,
    cuts: u64,
    dirty: u64,
    mid_commit: u64,
    unacknowledged: u64,
    acks: u64,
    recovered: u64,
    ops: u64,
    by_loss: [u64; 3],
}

/// Runs `cycles` power cuts. With `sync_seldom` SQLite runs as it must not, which must be noticed.
///
/// # Panics
/// Where the log of a worker cannot be read.
#[must_use]
pub fn run(setup: &Setup, cycles: u64, sync_seldom: bool) -> Outcome {
    let mut rng = ChaCha8Rng::seed_from_u64(setup.seed);
    let mut outcome = Outcome::default();
    let mut figures = Figures::default();
    let mut life: Option<Life> = None;
    let mut told = Instant::now();
    outcome.faults.add(everything_is_seen(setup));
    while figures.cuts < cycles && outcome.faults.is_empty() {
        let fresh = || Life::new(setup.fresh("power"));
        let now = life.take().filter(Life::goes_on).unwrap_or_else(fresh);
        let disk = Disk::of(&now.folder);
        let plan = now.plan(acks(&now.folder));
        let log = setup.path("power-log");
        let more: &[&str] = if sync_seldom { &["--sync-seldom"] } else { &[] };
        let mut worker = start(setup, &plan, &log, more);
        if rng.random_range(0..5_u32) == 0 {
            std::thread::sleep(Duration::from_micros(rng.random_range(0..150_000)));
        } else if worker.ready() {
            std::thread::sleep(Duration::from_micros(rng.random_range(5_000..120_000)));
        }
        worker.kill();
        if let End::Failed(why) = worker.wait() {
            outcome.faults.add(Faults::one(why));
            break;
        }
        figures.workers += 1;
        let bytes = std::fs::read(&log).unwrap_or_default();
        let ops = read_log(&bytes).expect("the log is whole");
        let cuts = (cycles - figures.cuts).min(CUTS);
        let (next, faults) = cut(setup, &now, disk, &ops, cuts, &mut rng, &mut figures);
        if !faults.is_empty() {
            let at = format!("seed {} cut {}: {}", setup.seed, figures.cuts, faults.words());
            (setup.progress)(&at);
        }
        outcome.faults.add(faults);
        life = next;
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            (setup.progress)(&format!("{} of {cycles} power cuts", figures.cuts));
        }
    }
    outcome.figure("power cuts", figures.cuts);
    outcome.figure("of these while something was not synced", figures.dirty);
    outcome.figure("disks that kept only what was synced", figures.by_loss[0]);
    outcome.figure("disks that kept some sectors of the rest", figures.by_loss[1]);
    outcome.figure("disks that kept all", figures.by_loss[2]);
    outcome.figure("workers", figures.workers);
    outcome.figure("writes, syncs and names logged", figures.ops);
    outcome.figure("cuts between commit and acknowledgement", figures.mid_commit);
    outcome.figure("commands committed and not acknowledged", figures.unacknowledged);
    outcome.figure("acknowledgements before cuts", figures.acks);
    outcome.figure("commands sent again and answered from the record", figures.recovered);
    outcome
}

/// Cuts the power several times in one worker's log. Gives the life that goes on.
fn cut(
    setup: &Setup,
    life: &Life,
    mut disk: Disk,
    ops: &[Op],
    cuts: u64,
    rng: &mut ChaCha8Rng,
    figures: &mut Figures,
) -> (Option<Life>, Faults) {
    let mut faults = Faults::default();
    let spoken = spoken(ops, &acks(&life.folder));
    let mut places: Vec<usize> = (0..cuts)
        .map(|_| {
            let any = rng.random_range(0..=ops.len() as u64) as usize;
            // Half of them right after somebody was told something.
            let after = spoken.range(any..).next().map(|(at, _)| at + 1);
            if rng.random_range(0..2_u32) == 0 { after.unwrap_or(any) } else { any }
        })
        .collect();
    places.sort_unstable();
    let chosen = rng.random_range(0..cuts) as usize;
    let mut next = None;
    let mut done = 0;
    for (n, place) in places.into_iter().enumerate() {
        ops[done..place].iter().for_each(|op| disk.apply(op));
        figures.ops += (place - done) as u64;
        done = place;
        let text: String = spoken.range(..place).map(|(_, text)| text.as_str()).collect();
        let (which, loss) =
            [(0, Loss::All), (0, Loss::All), (1, Loss::Some), (1, Loss::Some), (2, Loss::None)]
                [rng.random_range(0..5_u64) as usize];
        figures.cuts += 1;
        figures.by_loss[which] += 1;
        figures.dirty += u64::from(disk.is_dirty());
        let image = disk.cut(loss, rng);
        let mut after = life.clone();
        faults.add(after.enter(&text));
        let folder = setup.path("power-image");
        lay(&image, &life.folder, &folder);
        faults.add(start_again(setup, &mut after, &folder, figures));
        if !faults.is_empty() {
            faults.other.push(format!("{loss:?} after {place} of {} ops", ops.len()));
            return (None, faults);
        }
        if n == chosen {
            next = Some((image, after));
        }
    }
    let next = next.map(|(image, mut after): (BTreeMap<PathBuf, Vec<u8>>, Life)| {
        lay(&image, &life.folder, &setup.path("power-next"));
        remove(&life.folder);
        std::fs::rename(setup.path("power-next"), &life.folder).expect("it can be moved");
        after.folder = life.folder.clone();
        after
    });
    (next, faults)
}

/// What was told to senders, by its place in the log.
fn spoken(ops: &[Op], acks: &Path) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    let mut fd_of_acks = None;
    for (place, op) in ops.iter().enumerate() {
        match op {
            Op::Open { fd, path, .. } if path == acks => fd_of_acks = Some(*fd),
            Op::Close(fd) if fd_of_acks == Some(*fd) => fd_of_acks = None,
            Op::Write { fd, bytes, .. } if fd_of_acks == Some(*fd) => {
                found.insert(place, String::from_utf8_lossy(bytes).into_owned());
            }
            _ => {}
        }
    }
    found
}

/// Audits what a cut left, then starts on it, sends everything again, and audits again.
fn start_again(setup: &Setup, life: &mut Life, folder: &Path, figures: &mut Figures) -> Faults {
    let copy = setup.path("power-audit");
    remove(&copy);
    super::ground::copy(folder, &copy);
    let found = block_on(audit(&copy, &setup.packs, &life.books, false));
    let orphaned = life.orphaned(&found.unacknowledged);
    figures.mid_commit += u64::from(orphaned > 0);
    figures.unacknowledged += orphaned;
    let mut faults = found.faults;
    let mut life = life.clone();
    let recovered = life.books.recovered;
    figures.acks += life.books.acked.len() as u64;
    let log = setup.path("power-acks");
    remove(&log);
    let plan = life.plan(log.clone());
    let plan = Plan {
        folder: folder.to_owned(),
        jump: false,
        units: Units { count: 1, ..plan.units },
        ..plan
    };
    let worked = block_on(work(plan, Some(setup.content.clone()), || {}));
    if let Err(why) = worked {
        faults.add(Faults::one(why));
    }
    faults.add(life.enter(&lines(&log)));
    figures.recovered += life.books.recovered - recovered;
    let whole = figures.cuts.is_multiple_of(WHOLE);
    let found = block_on(audit(folder, &setup.packs, &life.books, whole));
    faults.add(found.faults);
    faults
}

/// A worker that ends in order leaves exactly the files that its log gives: nothing writes past
/// the library that is preloaded.
fn everything_is_seen(setup: &Setup) -> Faults {
    let folder = setup.fresh("power-seen");
    let life = Life::new(folder.clone());
    let plan = life.plan(acks(&folder));
    let plan = Plan { units: Units { count: 8, ..plan.units }, jump: true, ..plan };
    let mut disk = Disk::of(&folder);
    let log = setup.path("power-log");
    match start(setup, &plan, &log, &[]).wait() {
        End::Finished => {}
        other => return Faults::one(format!("{other:?}")),
    }
    let ops = match read_log(&std::fs::read(&log).unwrap_or_default()) {
        Ok(ops) => ops,
        Err(why) => return Faults::one(why),
    };
    let syncs = ops.iter().filter(|op| matches!(op, Op::Sync(_))).count();
    ops.iter().for_each(|op| disk.apply(op));
    let worked_out = disk.cut(Loss::None, &mut ChaCha8Rng::seed_from_u64(0));
    if syncs < 8 {
        return Faults::one(format!("only {syncs} syncs were seen"));
    }
    if worked_out != files(&folder) {
        return Faults::one("the log does not give the files the worker left");
    }
    let mut books = Books::default();
    let mut faults = books.enter(&lines(&plan.acks));
    if books.acked.len() < 32 {
        faults.add(Faults::one("the worker was not acknowledged"));
    }
    faults
}
