use std::collections::{BTreeMap, BTreeSet};

use dengmi_core::Reject;
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::MockReceipt;

use super::*;

const BRANCH: BranchId = BranchId(3);

/// Runs `batches` of the campaign of `seed`; gives every outcome to `see`.
fn run(seed: u64, batches: u32, mut see: impl FnMut(&Outcome)) -> (Vec<Batch>, Digest) {
    let packs = packs().expect("the workload's content passes the checks");
    let mut workload = Workload::new(seed, BRANCH, &packs);
    let mut engine = workload.engine();
    let mut sent = Vec::new();
    for _ in 0..batches {
        let batch = workload.next_batch(&engine);
        let applied = engine.apply(&batch).expect("batches follow each other");
        applied.outcomes.iter().for_each(&mut see);
        workload.observe(&applied);
        sent.push(batch);
    }
    (sent, engine.digest())
}

#[test]
fn the_same_seed_gives_the_same_batches() {
    let first = run(11, 120, |_| {});
    assert_eq!(first, run(11, 120, |_| {}));
    assert_ne!(first.0, run(12, 120, |_| {}).0);
}

fn receipt_kind(receipt: &Receipt) -> &'static str {
    match receipt {
        Receipt::Ok => "ok",
        Receipt::Manager(_) => "manager",
        Receipt::Community(_) => "community",
        Receipt::Member(_) => "member",
        Receipt::Run(_) => "run",
        Receipt::Post(_) => "post",
        Receipt::CheckedIn(_) => "checked in",
        Receipt::Taken { .. } => "taken",
        Receipt::Graded { .. } => "graded",
        Receipt::Reacted { .. } => "reacted",
        Receipt::Regraded(_) => "regraded",
        Receipt::Booked { .. } => "booked",
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Assessed(_))) => "assessed",
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Planned { .. })) => "planned",
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Ordered { .. })) => "ordered",
        Receipt::Course(CourseReceipt::Mock(MockReceipt::Written { .. })) => "written",
        Receipt::Course(_) => "course",
    }
}

/// What no workload can bring about, and why.
const IMPOSSIBLE: &[(Reject, &str)] = &[
    (Reject::BranchFull, "four million members would have to join"),
    (Reject::RoundNotOpen, "a round gets its number when it opens, so none before is known"),
];

#[test]
fn every_outcome_is_reached() {
    let mut rejects: BTreeMap<Reject, u32> = BTreeMap::new();
    let mut receipts: BTreeSet<&str> = BTreeSet::new();
    for seed in 0..30 {
        run(seed, 220, |outcome| match outcome {
            Outcome::Rejected(reject) => *rejects.entry(*reject).or_default() += 1,
            Outcome::Done(receipt) => {
                receipts.insert(receipt_kind(receipt));
            }
        });
    }
    let all = [
        "ok",
        "manager",
        "community",
        "member",
        "run",
        "post",
        "checked in",
        "taken",
        "graded",
        "reacted",
        "regraded",
        "booked",
        "course",
        "assessed",
        "planned",
        "ordered",
        "written",
    ];
    assert_eq!(receipts, BTreeSet::from(all));
    let never = |reject: &&Reject| !rejects.contains_key(reject);
    let missing: BTreeSet<Reject> = Reject::ALL.iter().filter(never).copied().collect();
    let impossible: BTreeSet<Reject> = IMPOSSIBLE.iter().map(|(reject, _)| *reject).collect();
    assert_eq!(missing, impossible, "seen: {rejects:?}");
}

#[test]
fn a_good_part_is_done() {
    let (mut done, mut refused) = (0, 0);
    for seed in 0..8 {
        run(seed, 200, |outcome| match outcome {
            Outcome::Done(_) => done += 1,
            Outcome::Rejected(_) => refused += 1,
        });
    }
    assert!(done > 1_000 && 2 * done > refused, "{done} {refused}");
}
