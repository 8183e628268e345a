use super::*;
use crate::audit::Invariant;

fn library() -> Library {
    Library::new().expect("every pack passes the checks")
}

#[test]
fn a_few_seeds_pass() {
    let library = library();
    for seed in 0..4 {
        if let Err(failure) = trial(&library, seed, 120, seed == 0) {
            panic!("{failure}");
        }
    }
}

#[test]
fn a_campaign_is_a_function_of_its_seed() {
    let library = library();
    let play = |seed| trial(&library, seed, 40, false).expect("the seed passes").0;
    assert_eq!(play(5), play(5));
    assert_ne!(play(5).digest, play(6).digest);
}

#[test]
fn a_failure_shrinks_to_what_it_takes() {
    let (_, record) = trial(&library(), 5, 60, false).expect("the seed passes");
    let Record { setting, mut journal, .. } = record;
    journal.truncate(50);
    // Time stands still between the last two.
    journal[49].at = journal[48].at;
    let finding = Finding { tick: 50, invariant: Invariant::Journal, what: String::new() };
    let failure = Failure { seed: 5, ticks: 60, plan: Plan::calm(), finding, journal, setting };
    let small = shrink(&failure, 1_000).expect("the journal alone fails");
    let commands: usize = small.journal.iter().map(|batch| batch.commands.len()).sum();
    assert_eq!((small.journal.len(), commands, small.restarts), (2, 0, false));
}

#[test]
fn what_cannot_be_reached_has_a_reason() {
    for (reject, reason) in UNREACHABLE {
        assert!(reason.len() > 20, "{reject:?}");
    }
    let never = Coverage::default().never(&library());
    let expected =
        Fault::ALL.len() + crate::audit::Edge::ALL.len() + dengmi_core::Reject::ALL.len()
            - UNREACHABLE.len()
            + crate::audit::RECEIPTS.len();
    assert!(never.len() > expected, "rules count too: {}", never.len());
}
