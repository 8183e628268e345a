//! Full disks: files may grow by so many bytes and no more. The branch must refuse, say why, lose
//! nothing, and go on by itself once there is space again.

use std::path::Path;
use std::time::{Duration, Instant};

use super::books::{Books, Faults, audit};
use super::child::{End, Worker, preload};
use super::ground;
use super::kill::lines;
use super::worker::{Plan, STEPS, Units};
use super::{Outcome, Setup, block_on, remove};

/// More than any test writes.
pub const PLENTY: i64 = 1 << 40;

/// Units of a worker.
const UNITS: u64 = 12;

/// How long a worker may take, full disk and all.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sets the bytes that files may still grow, as the preloaded library reads them.
///
/// # Panics
/// Where they cannot be written.
pub fn set(budget: &Path, bytes: i64) {
    use std::io::Write as _;
    // Written in place: the library has the file mapped.
    let file = std::fs::File::options().create(true).truncate(false).write(true).open(budget);
    let mut file = file.expect("the budget can be opened");
    file.write_all(&bytes.to_le_bytes()).expect("it can be written");
}

fn left(budget: &Path) -> i64 {
    let bytes = std::fs::read(budget).expect("the budget can be read");
    i64::from_le_bytes(bytes.try_into().expect("it is a number"))
}

struct Case {
    books: Books,
    faults: Faults,
    /// It could not even start before there was space.
    unstarted: bool,
    /// From space to the end of all work.
    settled: Duration,
    killed: bool,
}

fn one(setup: &Setup, bytes: i64, kill: bool) -> Case {
    let folder = setup.fresh("full");
    let acks = setup.path("full-acks");
    let budget = setup.path("full-budget");
    remove(&acks);
    set(&budget, bytes);
    let variables = [
        ("LD_PRELOAD", preload().as_os_str()),
        ("POWERLOSS_FOLDER", folder.as_os_str()),
        ("POWERLOSS_BUDGET", budget.as_os_str()),
    ];
    let units = Units { first: 0, count: UNITS, made: ground::evening().0 };
    let shift_ms = ground::shift_to(ground::evening());
    let plan = Plan {
        folder: folder.clone(),
        acks: acks.clone(),
        shift_ms,
        again: Units::default(),
        units,
        tasks: 4,
        snapshot_commands: 15,
        jump: false,
        ack_early: false,
    };
    let mut case = Case {
        books: Books::default(),
        faults: Faults::default(),
        unstarted: false,
        settled: Duration::ZERO,
        killed: false,
    };
    let mut worker = Worker::start(setup, &plan, &[], &variables);
    let mut started = Instant::now();
    let mut refused = false;
    while worker.works() && started.elapsed() < PATIENCE {
        if !refused && lines(&acks).contains("\nR ") {
            refused = true;
            // Some refusals more, so that it does not recover before it is full again.
            std::thread::sleep(Duration::from_millis(25));
            if kill {
                worker.kill();
                case.killed = true;
            }
            set(&budget, PLENTY);
            started = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if started.elapsed() >= PATIENCE {
        case.faults.add(Faults::one("it did not go on when there was space"));
        worker.kill();
    }
    if refused {
        case.settled = started.elapsed();
    }
    let end = worker.wait();
    let finished = end == End::Finished;
    match end {
        End::Finished => {}
        End::Killed if case.killed => {}
        // Without space it may be unable to open its database; nothing was taken on then.
        End::Failed(_) if !refused && lines(&acks).is_empty() => case.unstarted = true,
        other => case.faults.add(Faults::one(format!("{other:?}"))),
    }
    case.faults.add(case.books.enter(&lines(&acks)));
    if !finished {
        set(&budget, PLENTY);
        remove(&acks);
        let begun = case.books.sent.last().map_or(0, |last| last / STEPS + 1);
        let again = Units { count: begun, ..units };
        let rest = Units { first: again.count, count: UNITS - again.count, ..units };
        let plan = Plan { again, units: rest, ..plan };
        match Worker::start(setup, &plan, &[], &variables).wait() {
            End::Finished => {}
            other => case.faults.add(Faults::one(format!("with space again: {other:?}"))),
        }
        case.faults.add(case.books.enter(&lines(&acks)));
    }
    if case.books.acked.len() as u64 != UNITS * STEPS {
        let acked = case.books.acked.len();
        case.faults.add(Faults::one(format!("only {acked} commands were settled")));
    }
    let found = block_on(audit(&folder, &setup.packs, &case.books, true));
    case.faults.add(found.faults);
    case
}

/// Tries disks of so many sizes, evenly from no space at all to three quarters of what is written. Every fourth is
/// killed while it is full.
#[must_use]
pub fn run(setup: &Setup, budgets: u64) -> Outcome {
    let mut outcome = Outcome::default();
    let whole = one(setup, PLENTY, false);
    outcome.faults.add(whole.faults);
    let needed = PLENTY - left(&setup.path("full-budget"));
    let [mut full, mut killed, mut unstarted, mut longest, mut acks] = [0; 5];
    let mut refused: std::collections::BTreeMap<String, u64> = Default::default();
    for n in 0..budgets {
        // Room is used again: somewhat less than is needed in all is enough.
        let bytes = needed * 3 / 4 * n as i64 / budgets.max(1) as i64;
        let case = one(setup, bytes, n % 4 == 3);
        full += u64::from(!case.books.refused.is_empty() || case.unstarted);
        killed += u64::from(case.killed);
        unstarted += u64::from(case.unstarted);
        longest = longest.max(case.settled.as_millis() as u64);
        acks += case.books.acks;
        for (why, count) in &case.books.refused {
            *refused.entry(why.clone()).or_default() += count;
        }
        if !case.faults.is_empty() {
            (setup.progress)(&format!("{bytes} bytes: {}", case.faults.words()));
            outcome.faults.add(case.faults);
        }
        if n % 25 == 24 {
            (setup.progress)(&format!("{} of {budgets} disks", n + 1));
        }
    }
    outcome.figure("disks", budgets);
    outcome.figure("bytes the work needs", needed.unsigned_abs());
    outcome.figure("disks that ran full", full);
    outcome.figure("of these before the first command", unstarted);
    outcome.figure("of these killed while full", killed);
    for (why, count) in refused {
        outcome.figure(format!("refusals: {why}"), count);
    }
    outcome.figure("acknowledgements", acks);
    outcome.figure("longest from space to all done, ms", longest);
    outcome
}
