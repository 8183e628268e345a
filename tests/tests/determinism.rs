//! The same seed and journal give the same state: twice, saved and restored, and in any order of
//! systems that the constraints allow. Beside it an audit that knows nothing of the engine.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_core::ledger::RuleRef;
use dengmi_core::view::{ClosedBoard, MemberStatus, board};
use dengmi_core::{
    Account, Batch, BranchId, Cause, EntryKind, LedgerEntry, MemberId, Outcome, RunId,
};
use dengmi_engine::{Applied, Engine};
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

/// What an accountant knows: entries, nothing else.
#[derive(Default)]
struct Audit {
    last_entry: u64,
    last_event: u64,
    balances: BTreeMap<Account, i64>,
    awards: BTreeSet<(RuleRef, Cause, MemberId)>,
    entries: BTreeMap<u64, LedgerEntry>,
    reversed: BTreeMap<u64, i64>,
    closed: BTreeMap<board::BoardKey, ClosedBoard>,
    runs: BTreeMap<RunId, BTreeMap<MemberId, i64>>,
}

impl Audit {
    fn see(&mut self, batch: &Batch, applied: &Applied) {
        assert_eq!(applied.outcomes.len(), batch.commands.len());
        for entry in &applied.entries {
            assert_eq!(entry.id, self.last_entry + 1, "entries are numbered without a gap");
            self.last_entry = entry.id;
            assert!(entry.points.0 > 0 && entry.from != entry.to && entry.at == batch.at);
            *self.balances.entry(entry.from).or_default() -= entry.points.0;
            *self.balances.entry(entry.to).or_default() += entry.points.0;
            self.entries.insert(entry.id, *entry);
            match entry.kind {
                EntryKind::Award => {
                    let (member, points) = entry.member_change().expect("awards go to members");
                    let key = (entry.rule.expect("awards have a rule"), entry.cause, member);
                    assert!(self.awards.insert(key), "paid twice: {key:?}");
                    let run = entry.cause.run().expect("awards go back to a run");
                    *self.runs.entry(run).or_default().entry(member).or_default() += points.0;
                }
                EntryKind::Reversal => self.take_back(entry),
                EntryKind::Redemption => assert_eq!(entry.to, Account::Redemption),
                EntryKind::Expiry => assert_eq!(entry.to, Account::Expiry),
            }
        }
        for event in &applied.events {
            assert_eq!(event.seq, self.last_event + 1, "events are numbered without a gap");
            self.last_event = event.seq;
        }
        for closed in &applied.closed_boards {
            assert!(self.closed.insert(closed.key, closed.clone()).is_none(), "closed twice");
            let orderly = closed.rows.windows(2).all(|w| w[0].points >= w[1].points);
            assert!(orderly && closed.rows.iter().all(|row| row.points > 0 && row.rank > 0));
        }
        for (account, balance) in &self.balances {
            let may_owe = matches!(account, Account::Issue | Account::House);
            assert!(may_owe || *balance >= 0, "{account:?} has {balance}");
        }
        assert_eq!(self.balances.values().sum::<i64>(), 0, "double entry");
    }

    fn take_back(&mut self, entry: &LedgerEntry) {
        let Cause::Entry(of) = entry.cause else { panic!("{entry:?}") };
        let back = self.reversed.entry(of).or_default();
        *back += entry.points.0;
        let Some(original) = self.entries.get(&of).filter(|e| e.kind == EntryKind::Award) else {
            return;
        };
        assert!(*back <= original.points.0, "more taken back than was given: {entry:?}");
        if let (Account::Member(member), Some(run)) = (entry.from, original.cause.run()) {
            *self.runs.entry(run).or_default().entry(member).or_default() -= entry.points.0;
        }
    }

    fn compare(&self, engine: &Engine) {
        for seq in 1..=engine.members() {
            let member = MemberId::new(BRANCH, seq);
            let card = engine.member_card(member).expect("every number has a member");
            let held = self.balances.get(&Account::Member(member)).copied().unwrap_or(0);
            assert_eq!(card.balance.0, held, "{member}");
        }
        for (run, scores) in &self.runs {
            // A forgotten run has no scores any more.
            let Some((_, table)) = engine.run_scores(*run) else { continue };
            let table: BTreeMap<MemberId, i64> = table
                .into_iter()
                .map(|(member, score)| (member, i64::from(score.points)))
                .collect();
            for (member, points) in scores {
                // Whose data was erased is on no standing any more.
                let card = engine.member_card(*member).expect("every number has a member");
                if card.status == MemberStatus::Erased {
                    continue;
                }
                assert_eq!(table.get(member).copied().unwrap_or(0), *points, "{run} {member}");
            }
        }
    }
}

#[test]
fn an_outside_accountant_agrees_at_every_step() {
    let (mut refused, mut done) = (0, 0);
    for seed in 200..230 {
        let mut audit = Audit::default();
        let engine = play(seed, 250, |batch, applied, _| {
            audit.see(batch, applied);
            let rejected = applied.outcomes.iter().filter(|o| matches!(o, Outcome::Rejected(_)));
            let rejected = rejected.count();
            refused += rejected;
            done += applied.outcomes.len() - rejected;
        });
        audit.compare(&engine);
        assert!(audit.last_entry > 100, "seed {seed} paid only {} times", audit.last_entry);
    }
    assert!(refused > 1_000 && done > 10_000, "{refused} refused, {done} done");
}
