//! The proofs that look for mutants.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dengmi_content::Pack;
use dengmi_core::random::Seed;
use dengmi_core::view::Event;
use dengmi_core::{Action, Actor, Command, ManagerId};
use dengmi_host::{Host, HostConfig};
use dengmi_sim::vet::{Library, Subject, trial_about};
use dengmi_store::{Journal as _, MemoryStore};

use super::{Budget, Found};
use crate::crash::ground::{self, BRANCH, Shifted};
use crate::crash::{Outcome, Setup, block_on, damage, kill, power};
use crate::golden::{Golden, files};

/// Something that finds what is wrong, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Golden journals are played again.
    Golden,
    /// A subscriber of the host compares what it heard with the outbox.
    Subscriber,
    /// Campaigns from seeds under the auditor, with restarts; some are replayed. They are without
    /// courses, which take most of a campaign's time.
    Audit,
    /// The same with courses never seldom.
    CourseAudit,
    /// The process is killed at random moments.
    Kills,
    /// Bits of the database are flipped.
    Flips,
    /// The power is cut.
    PowerCuts,
}

/// What the proofs stand on, made before anything is planted.
pub struct Ground {
    library: Library,
    golden: Vec<(String, Golden, Vec<Arc<Pack>>)>,
    setup: Setup,
}

impl Ground {
    /// Reads what is needed. `setup` is that of the crash drills.
    ///
    /// # Panics
    /// Where content or golden journals cannot be read.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let golden = files().into_iter().map(|path| {
            let golden = Golden::read(&path);
            let packs = golden.packs();
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            (name.unwrap_or_default(), golden, packs)
        });
        let golden = golden.collect();
        Self { library: Library::new().expect("the campaigns' content is sound"), golden, setup }
    }
}

/// Campaigns between two that are replayed.
const DEEP_EVERY: u64 = 4;

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

impl Proof {
    /// Its name.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Golden => "golden",
            Self::Subscriber => "subscriber",
            Self::Audit => "audit",
            Self::CourseAudit => "courses",
            Self::Kills => "kills",
            Self::Flips => "flips",
            Self::PowerCuts => "power cuts",
        }
    }

    /// Looks for anything wrong within the budget. A panic is something wrong.
    pub(super) fn look(self, ground: &Ground, budget: Budget) -> Option<Found> {
        let look = || match self {
            Self::Golden => golden(ground),
            Self::Subscriber => block_on(subscriber(ground)),
            Self::Audit => audit(ground, Subject::NoCourses, budget),
            Self::CourseAudit => audit(ground, Subject::Courses, budget),
            Self::Kills => drill(&kill::run(&ground.setup, budget.kills, false), &ground.setup),
            Self::Flips => drill(&damage::flips(&ground.setup, budget.bits), &ground.setup),
            Self::PowerCuts => drill(&power::run(&ground.setup, budget.cuts, false), &ground.setup),
        };
        catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(|panic| {
            let (by, what) = ("a panic".to_owned(), words(&*panic));
            Some(Found { by, at: String::new(), what })
        })
    }
}

fn golden(ground: &Ground) -> Option<Found> {
    ground.golden.iter().find_map(|(name, golden, packs)| {
        let batch = golden.replay(packs).err()?;
        Some(Found {
            by: "14 time and journal".to_owned(),
            at: format!("journal {name} batch {batch}"),
            what: "the batch gives another digest than it gave then".to_owned(),
        })
    })
}

/// The first seed that breaks an invariant. Every thread takes the next seed, until one is found.
fn audit(ground: &Ground, subject: Subject, budget: Budget) -> Option<Found> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, found_at) = (AtomicU64::new(0), AtomicU64::new(budget.seeds));
    let look = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= found_at.load(Ordering::SeqCst) {
                return None;
            }
            let deep = seed % DEEP_EVERY == 0;
            let trial = trial_about(subject, &ground.library, seed, budget.ticks, deep);
            if let Err(failure) = trial {
                found_at.fetch_min(seed, Ordering::SeqCst);
                return Some((seed, failure.finding));
            }
        }
    };
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(look)).collect();
        let found =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|p| resume_unwind(p)));
        found.flatten().min_by_key(|(seed, _)| *seed)
    });
    found.map(|(seed, finding)| Found {
        by: finding.invariant.to_string(),
        at: format!("seed {seed} batch {}", finding.tick),
        what: finding.what,
    })
}

fn drill(outcome: &Outcome, setup: &Setup) -> Option<Found> {
    let faults = &outcome.faults;
    let (by, what) = match (&faults.lost[..], &faults.twice[..], &faults.other[..]) {
        ([lost, ..], ..) => ("acknowledged and lost", lost),
        (_, [twice, ..], _) => ("3 once", twice),
        (_, _, [other, ..]) => ("14 time and journal", other),
        _ => return None,
    };
    let count = faults.lost.len() + faults.twice.len() + faults.other.len();
    let at = format!("seed {}, {count} faults", setup.seed);
    Some(Found { by: by.to_owned(), at, what: what.clone() })
}

/// What a subscriber hears is what the outbox says, each event once and in order.
async fn subscriber(ground: &Ground) -> Option<Found> {
    let journal = Arc::new(MemoryStore::new());
    let clock = Arc::new(Shifted::new(ground::shift_to(ground::evening())));
    let config = HostConfig { snapshots: None, ..ground::config(clock, Path::new(""), 1_000) };
    let content = Some(ground.setup.content.clone());
    let host = Host::open(journal.clone(), config, content, &mut |_, _, _| {}).await;
    let host = host.expect("an empty store opens");
    host.create_branch(BRANCH, Seed::from_number(7), 1).await.expect("the branch is new");
    let mut events = host.subscribe(BRANCH).expect("the branch is served");
    let template = "neighbours".parse().expect("an id");
    let group = Action::OpenCommunity { template, manager: ManagerId::new(BRANCH, 1) };
    let quest: dengmi_core::Slug = "streak".parse().expect("an id");
    let launch = Action::Launch { quest, communities: Vec::new(), start: ground::day() };
    for (number, action) in (0..).zip([Action::AddManager, group, launch.clone(), launch]) {
        let command = Command { actor: Actor::Operator(1), action };
        let done = host.submit(BRANCH, ground::key(ground::evening(), number), command).await;
        done.expect("a good branch takes commands");
    }
    // Subscribers are told before senders are answered.
    let mut heard: Vec<Event> = Vec::new();
    while let Ok(event) = events.try_recv() {
        heard.push((*event).clone());
    }
    host.shutdown().await;
    let stored = journal.events_after(BRANCH, 0, u32::MAX).await.expect("memory answers");
    assert!(stored.len() >= 2, "a launch is an event");
    (heard != stored).then(|| Found {
        by: "14 time and journal".to_owned(),
        at: format!("event {}", heard.len().min(stored.len())),
        what: format!("a subscriber heard {} events, there are {}", heard.len(), stored.len()),
    })
}
