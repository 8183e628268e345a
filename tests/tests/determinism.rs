//! The same seed and journal give the same state: twice, saved and restored, and in any order of
//! systems that the constraints allow. Beside it an audit that knows nothing of the engine.

use dengmi_core::{Batch, BranchId, Outcome};
use dengmi_engine::{Applied, Engine, EngineConfig};
use dengmi_sim::audit::{Auditor, Told};
use dengmi_sim::workload::{Workload, packs};

const BRANCH: BranchId = BranchId(3);

fn workload(seed: u64) -> Workload {
    Workload::new(seed, BRANCH, &packs().expect("the workload's content is sound"))
}

/// Plays a campaign, showing every batch and what it did.
fn play(seed: u64, batches: usize, mut see: impl FnMut(&Batch, &Applied, &mut Engine)) -> Engine {
    let mut workload = workload(seed);
    let mut engine = workload.engine();
    for _ in 0..batches {
        let batch = workload.next_batch(&engine);
        let applied = engine.apply(&batch).expect("batches follow each other");
        workload.observe(&applied);
        see(&batch, &applied, &mut engine);
    }
    engine
}

/// A small generator for choosing where to save: its draws need not be portable, only repeatable.
fn spread(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[test]
fn saved_and_restored_at_random_points_stays_equal() {
    for seed in 0..24 {
        let (mut dice, mut reloads) = (seed, 0);
        let config = workload(seed).engine_config();
        let packs = workload(seed).packs().clone();
        let mut twin = workload(seed).engine();
        let mut last = play(seed, 220, |batch, applied, engine| {
            assert_eq!(*applied, twin.apply(batch).unwrap(), "seed {seed} batch {}", batch.seq);
            if spread(&mut dice).is_multiple_of(7) {
                let bytes = twin.save();
                assert_eq!(bytes, engine.save(), "seed {seed} batch {}", batch.seq);
                twin = Engine::restore(config.clone(), &packs, &bytes).unwrap();
                assert_eq!(twin.next_due(), engine.next_due(), "seed {seed} batch {}", batch.seq);
                reloads += 1;
            }
        });
        assert_eq!(last.digest(), twin.digest(), "seed {seed}");
        assert!(reloads > 5);
    }
}

#[test]
fn every_order_of_systems_gives_the_same() {
    for seed in 100..106 {
        let mut journal = Vec::new();
        let mut engine = play(seed, 150, |batch, _, _| journal.push(batch.clone()));
        let config = workload(seed).engine_config();
        let packs = packs().unwrap();
        for order in 0..12 {
            let mut shuffled = Engine::shuffled(config.clone(), packs[0].clone(), order);
            shuffled.offer(packs[1].clone());
            for batch in &journal {
                shuffled.apply(batch).unwrap();
            }
            assert_eq!(shuffled.digest(), engine.digest(), "seed {seed} order {order}");
        }
    }
}

#[test]
fn damaged_states_are_refused_not_believed() {
    let mut engine = play(7, 60, |_, _, _| {});
    let (config, packs) = (workload(7).engine_config(), workload(7).packs().clone());
    let bytes = engine.save();
    for cut in (0..bytes.len()).step_by(37) {
        assert!(Engine::restore(config.clone(), &packs, &bytes[..cut]).is_err(), "cut at {cut}");
    }
    // A flipped byte may give another state (snapshots carry a checksum for that), never a panic.
    let mut dice = 5;
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        let at = spread(&mut dice) as usize % damaged.len();
        damaged[at] ^= 1 << (spread(&mut dice) % 8);
        let _ = Engine::restore(config.clone(), &packs, &damaged);
    }
}

#[test]
fn an_outside_auditor_agrees_at_every_step() {
    let (mut refused, mut done) = (0, 0);
    for seed in 200..230 {
        let packs = packs().expect("the workload's content is sound");
        let EngineConfig { branch, seed: root, branches } = workload(seed).engine_config();
        let mut auditor =
            Auditor::new(branch, root, branches, workload(seed).packs().clone(), packs[0].digest);
        let mut paid = 0;
        play(seed, 250, |batch, applied, _| {
            let told = Told {
                outcomes: &applied.outcomes,
                entries: &applied.entries,
                events: &applied.events,
                closed: &applied.closed_boards,
                digest: applied.digest,
            };
            auditor.see(batch, &told).unwrap_or_else(|finding| panic!("seed {seed}, {finding}"));
            let rejected = applied.outcomes.iter().filter(|o| matches!(o, Outcome::Rejected(_)));
            let rejected = rejected.count();
            refused += rejected;
            done += applied.outcomes.len() - rejected;
            paid += applied.entries.len();
        });
        assert!(paid > 100, "seed {seed} paid only {paid} times");
    }
    assert!(refused > 1_000 && done > 10_000, "{refused} refused, {done} done");
}
