//! Every step at which the process can be made to end, at every time it is passed: nothing left to
//! chance.

use std::path::{Path, PathBuf};

use dengmi_store::failpoint;

use super::books::{Books, Faults, audit};
use super::child::{End, Worker};
use super::ground::{self, BRANCH, GROUND_COMMANDS};
use super::kill::lines;
use super::worker::{JUMP_MS, Plan, STEPS, Units};
use super::{Outcome, Setup, block_on, remove};

/// Times a step is passed that are tried.
pub const OCCURRENCES: u32 = 20;

/// Units of the worker that is to end, and of the one after it.
const UNITS: u64 = 10;
const UNITS_AFTER: u64 = 2;

/// What a worker finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    /// An empty folder, which it fills.
    Empty,
    /// A branch that is ready.
    Ready,
    /// A branch whose last record is torn.
    Torn,
}

impl Ground {
    fn of(point: &str) -> Self {
        match point {
            "open/created" | "open/migrated" | "branch/created" | "pack/put" => Self::Empty,
            "recover/kept-aside" | "recover/cut" => Self::Torn,
            _ => Self::Ready,
        }
    }

    fn lay(self, setup: &Setup) -> PathBuf {
        let folder = match self {
            Self::Empty => {
                let folder = setup.path("points");
                remove(&folder);
                folder
            }
            Self::Ready | Self::Torn => setup.fresh("points"),
        };
        if self == Self::Torn {
            block_on(tear(&folder));
        }
        folder
    }

    fn arguments(self) -> &'static [&'static str] {
        if self == Self::Empty { &["--prepare"] } else { &[] }
    }
}

/// Tears the last record, as no crash does that SQLite can mend, and every start must.
async fn tear(folder: &Path) {
    let store = ground::open(folder).await;
    let store = store.expect("the ground is sound");
    store.tear_last_record(BRANCH, 9).await.expect("it can be torn");
    store.close().await.expect("it closes");
}

/// Runs every point at its first `occurrences`.
#[must_use]
pub fn run(setup: &Setup, occurrences: u32, points: &[&str]) -> Outcome {
    let mut outcome = Outcome::default();
    let [mut ended, mut between, mut recovered] = [0; 3];
    for point in points {
        let mut reached = 0_u64;
        for occurrence in 1..=occurrences {
            let case = one(setup, point, occurrence);
            if !case.faults.is_empty() {
                let at = format!("{point} time {occurrence}: {}", case.faults.words());
                (setup.progress)(&at);
                outcome.faults.add(case.faults);
            }
            if !case.ended {
                break;
            }
            reached += 1;
            between += u64::from(case.unacknowledged > 0);
            recovered += case.recovered;
        }
        if reached == 0 {
            outcome.faults.add(Faults::one(format!("{point} is never passed")));
        }
        ended += reached;
        (setup.progress)(&format!("{point}: {reached}"));
    }
    outcome.figure("steps", points.len() as u64);
    outcome.figure("processes ended", ended);
    outcome.figure("of these between commit and acknowledgement", between);
    outcome.figure("commands sent again and answered from the record", recovered);
    outcome
}

/// Every point there is.
#[must_use]
pub fn all() -> &'static [&'static str] {
    failpoint::POINTS
}

#[derive(Default)]
struct Case {
    ended: bool,
    unacknowledged: u64,
    recovered: u64,
    faults: Faults,
}

fn one(setup: &Setup, point: &str, occurrence: u32) -> Case {
    let ground = Ground::of(point);
    let folder = ground.lay(setup);
    let shift_ms = ground::shift_to(ground::evening());
    let acks = setup.path("points-acks");
    let units = Units { first: 0, count: UNITS, made: ground::evening().0 };
    // The last snapshot is written only where no other has just been.
    let snapshot_commands = if point.starts_with("stop/") { u64::MAX } else { 7 };
    let mut books = Books::default();
    let mut case = Case::default();
    // The second time, what was begun is sent again; nobody ends it.
    for (again, point) in [(false, Some(point)), (true, None)] {
        remove(&acks);
        let after = Units { first: UNITS, count: UNITS_AFTER, ..units };
        let begun = books.sent.last().map_or(0, |last| last / STEPS + 1);
        // All of them, also what was acknowledged: it must be answered as it was.
        let units_again = Units { count: begun, ..units };
        let plan = Plan {
            folder: folder.clone(),
            acks: acks.clone(),
            shift_ms: shift_ms + if books.jumped { JUMP_MS } else { 0 },
            again: if again { units_again } else { Units::default() },
            units: if again { after } else { units },
            tasks: 2,
            snapshot_commands,
            jump: !again,
            ack_early: false,
        };
        let armed = point.map(|point| format!("{point}:{occurrence}"));
        let mut more = ground.arguments().to_vec();
        more.extend(armed.iter().flat_map(|armed| ["--end-at", armed]));
        let worker = Worker::start(setup, &plan, &more, &[]);
        let end = worker.wait();
        case.faults.add(books.enter(&lines(&acks)));
        match end {
            End::Killed if point.is_some() => case.ended = true,
            End::Finished if point.is_some() => return case,
            End::Finished => {}
            other => case.faults.add(Faults::one(format!("again {again}: {other:?}"))),
        }
        if !again && ground::database(&folder).exists() && !unfinished(point, ground) {
            let copy = setup.path("points-audit");
            remove(&copy);
            ground::copy(&folder, &copy);
            let found = block_on(audit(&copy, &setup.packs, &books, true));
            case.unacknowledged = found.unacknowledged.len() as u64;
            let torn = ground == Ground::Torn;
            if torn && found.records == 0 && !found.faults.lost.is_empty() {
                case.faults.add(Faults::one("cutting the torn record cut more"));
            }
            if !torn {
                case.faults.add(found.faults);
            }
        }
    }
    let found = block_on(audit(&folder, &setup.packs, &books, true));
    if ground == Ground::Torn && found.records < GROUND_COMMANDS - 1 {
        case.faults.add(Faults::one(format!("only {} records are left", found.records)));
    }
    case.faults.add(found.faults);
    case.recovered = books.recovered;
    case
}

/// Whether an audit would find no branch yet, and rightly so.
fn unfinished(point: Option<&str>, ground: Ground) -> bool {
    ground == Ground::Empty && point.is_some()
}
