//! Doctored journals: whatever is changed in what the engine said, the auditor refuses it, and by
//! the right invariant.

mod cohorts;
mod mock;
mod school;

use std::sync::OnceLock;

use dengmi_core::CohortId;
use dengmi_core::view::EventKind;
use dengmi_core::{EntryKind, Points, Ppm};
use dengmi_engine::{Applied, EngineConfig};

use super::*;
use crate::dice::Dice;
use crate::vet::Library;
use crate::workload::Workload;

const BRANCH: BranchId = BranchId(4);
const BATCHES: usize = 220;
const CAMPAIGNS: u64 = 6;

/// A campaign as it was.
struct Played {
    config: EngineConfig,
    packs: BTreeMap<Digest, Arc<Pack>>,
    first: Digest,
    said: Vec<(Batch, Applied)>,
}

fn played() -> &'static [Played] {
    static PLAYED: OnceLock<Vec<Played>> = OnceLock::new();
    PLAYED.get_or_init(|| (0..CAMPAIGNS).map(play).collect())
}

fn play(seed: u64) -> Played {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| Library::new().expect("every pack passes the checks"));
    let packs = library.draw(&mut Dice::new(&Seed::from_number(seed), 1, 1));
    let mut workload = Workload::new(seed, BRANCH, &packs);
    let mut engine = workload.engine();
    let mut said = Vec::new();
    for _ in 0..BATCHES {
        let batch = workload.next_batch(&engine);
        let applied = engine.apply(&batch).expect("batches follow each other");
        workload.observe(&applied);
        said.push((batch, applied));
    }
    let (config, first) = (workload.engine_config(), packs[0].digest);
    Played { config, packs: workload.packs().clone(), first, said }
}

fn told(applied: &Applied) -> Told<'_> {
    Told {
        outcomes: &applied.outcomes,
        entries: &applied.entries,
        events: &applied.events,
        closed: &applied.closed_boards,
        digest: applied.digest,
    }
}

fn auditor(played: &Played) -> Auditor {
    let EngineConfig { branch, seed, branches } = played.config;
    Auditor::new(branch, seed, branches, played.packs.clone(), played.first)
}

/// Changes what was said of one batch; `None` where there is nothing of the kind to change.
type Forge = fn(&Tick<'_>, &mut Batch, &mut Applied) -> Option<()>;

/// The first batches in which `forge` finds something to change, in any campaign, must be refused
/// by `invariant`.
#[track_caller]
fn check(what: &str, invariant: Invariant, forge: Forge) {
    check_in(played().iter(), what, invariant, forge);
}

/// [`check`], in other campaigns.
#[track_caller]
fn check_in<'p>(
    campaigns: impl Iterator<Item = &'p Played>,
    what: &str,
    invariant: Invariant,
    forge: Forge,
) {
    let mut forged = 0;
    for played in campaigns {
        let (mut clean, mut doctored) = (auditor(played), auditor(played));
        for (batch, applied) in &played.said {
            // What the forger may know of the batch: what really must come of it.
            let said = told(applied);
            let tick = clean.expect(batch, &said);
            let (mut batch_of, mut applied_of) = (batch.clone(), applied.clone());
            if forge(&tick, &mut batch_of, &mut applied_of).is_some() {
                for (index, entry) in applied_of.entries.iter_mut().enumerate() {
                    let fresh = entry.id == 0;
                    entry.id =
                        if fresh { doctored.said.last_entry + 1 + index as u64 } else { entry.id };
                }
                let found = doctored.see(&batch_of, &told(&applied_of));
                let found = found.expect_err(what);
                assert_eq!(found.invariant, invariant, "{what}: {found}");
                assert_eq!(found.tick, batch_of.seq, "{what}");
                forged += 1;
                break;
            }
            doctored.see(batch, &told(applied)).expect("an honest journal passes");
        }
    }
    assert!(forged > 0, "{what}: no campaign has it");
}

fn entry(applied: &mut Applied, wanted: impl Fn(&LedgerEntry) -> bool) -> Option<&mut LedgerEntry> {
    applied.entries.iter_mut().find(|entry| wanted(entry))
}

/// The place of an outcome that is `wanted`, of an action that is.
fn outcome(
    batch: &Batch,
    applied: &Applied,
    wanted: impl Fn(&Action, &Outcome) -> bool,
) -> Option<usize> {
    let mut both = batch.commands.iter().zip(&applied.outcomes);
    both.position(|(command, outcome)| wanted(&command.action, outcome))
}

/// Gives entries numbers without a gap again.
fn renumber(applied: &mut Applied) {
    applied.entries.iter_mut().for_each(|entry| entry.id = 0);
}

fn is_cut(tick: &Tick<'_>, entry: &LedgerEntry) -> bool {
    tick.cuts.iter().any(|cut| {
        entry.rule == Some(cut.rule)
            && entry.cause == cut.cause
            && entry.to == Account::Member(cut.member)
    })
}

/// Makes an award for what is `wanted`, not cut by any limit, one point larger.
fn enlarge(tick: &Tick<'_>, applied: &mut Applied, wanted: impl Fn(&Cause) -> bool) -> Option<()> {
    let award = entry(applied, |entry| {
        entry.kind == EntryKind::Award && wanted(&entry.cause) && !is_cut(tick, entry)
    })?;
    award.points = Points(award.points.0 + 1);
    Some(())
}

fn drop_entry(applied: &mut Applied, wanted: impl Fn(&LedgerEntry) -> bool) -> Option<()> {
    let place = applied.entries.iter().position(wanted)?;
    applied.entries.remove(place);
    renumber(applied);
    Some(())
}

/// Says that something refused was done.
fn grant(
    batch: &Batch,
    applied: &mut Applied,
    reject: Reject,
    receipt: impl Fn(&Action) -> Option<Receipt>,
) -> Option<()> {
    let place = outcome(batch, applied, |action, outcome| {
        *outcome == Outcome::Rejected(reject) && receipt(action).is_some()
    })?;
    applied.outcomes[place] = Outcome::Done(receipt(&batch.commands[place].action)?);
    Some(())
}

#[test]
fn honest_journals_pass() {
    for played in played() {
        let mut auditor = auditor(played);
        for (batch, applied) in &played.said {
            auditor.see(batch, &told(applied)).expect("an honest journal passes");
        }
        assert!(auditor.said.last_entry > 100);
    }
}

#[test]
fn double_entry() {
    use Invariant::DoubleEntry as I;
    check("an account pays itself", I, |_, _, said| {
        let award = entry(said, |entry| entry.kind == EntryKind::Award)?;
        award.from = award.to;
        Some(())
    });
    check("points below zero", I, |_, _, said| {
        let award = entry(said, |entry| entry.kind == EntryKind::Award)?;
        award.points = Points(-award.points.0);
        Some(())
    });
    check("a member spends what is not there", I, |_, _, said| {
        entry(said, |entry| entry.kind == EntryKind::Redemption)?.points = Points(1_000_000);
        Some(())
    });
    check("expired points stay", I, |_, _, said| {
        drop_entry(said, |entry| entry.kind == EntryKind::Expiry)
    });
    check("an order that was taken is not booked", I, |_, _, said| {
        drop_entry(said, |entry| entry.kind == EntryKind::Redemption)
    });
    check("a receipt names another balance", I, |_, batch, said| {
        let place = outcome(batch, said, |_, outcome| {
            matches!(outcome, Outcome::Done(Receipt::Booked { .. }))
        })?;
        said.outcomes[place] = Outcome::Done(Receipt::Booked { balance: Points(7_777) });
        Some(())
    });
    check("the house is paid", I, |_, _, said| {
        let entry = entry(said, |entry| entry.from == Account::House)?;
        (entry.from, entry.to) = (entry.to, entry.from);
        Some(())
    });
}

#[test]
fn limits() {
    use Invariant::Limits as I;
    check("a limit lets one point too much through", I, |tick, _, said| {
        let award = entry(said, |entry| is_cut(tick, entry))?;
        award.points = Points(award.points.0 + 1);
        Some(())
    });
    check("a limit that is used up still pays", I, |tick, _, said| {
        let paid = |cut: &&Cut| said.entries.iter().all(|entry| entry.cause != cut.cause);
        let cut = tick.cuts.iter().find(paid)?;
        let model = *said.entries.iter().find(|entry| entry.kind == EntryKind::Award)?;
        let (to, cause, rule) = (Account::Member(cut.member), cut.cause, Some(cut.rule));
        let before = said.entries.iter().position(|entry| entry.kind == EntryKind::Award)?;
        said.entries.insert(before, LedgerEntry { to, cause, rule, points: Points(1), ..model });
        renumber(said);
        Some(())
    });
    check("nobody hears of a limit", I, |_, _, said| {
        let place = said
            .events
            .iter()
            .position(|event| matches!(event.kind, EventKind::LimitReached { .. }))?;
        let later: Vec<_> = said.events.drain(place..).skip(1).collect();
        for mut event in later {
            event.seq -= 1;
            said.events.push(event);
        }
        Some(())
    });
}

#[test]
fn once() {
    use Invariant::Once as I;
    check("an award is booked twice", I, |_, _, said| {
        let award = *said.entries.iter().find(|entry| entry.kind == EntryKind::Award)?;
        said.entries.push(award);
        renumber(said);
        Some(())
    });
    check("an order is booked twice", I, |_, _, said| {
        let order = *said.entries.iter().find(|entry| entry.kind == EntryKind::Redemption)?;
        // Paid for first, so that nothing but the repetition is wrong.
        said.entries.push(LedgerEntry { points: Points(1), ..order });
        said.entries.iter_mut().filter(|entry| entry.cause == order.cause).for_each(|entry| {
            entry.points = Points(1);
        });
        renumber(said);
        (order.points.0 > 1).then_some(())
    });
    check("more is taken back than was given", I, |_, _, said| {
        let house = entry(said, |entry| entry.from == Account::House)?;
        house.points = Points(house.points.0 + 1_000);
        Some(())
    });
}

#[test]
fn streaks() {
    use Invariant::Streaks as I;
    fn state(
        batch: &Batch,
        said: &mut Applied,
        change: fn(&mut dengmi_core::outcome::StreakState),
    ) -> Option<()> {
        let place = outcome(
            batch,
            said,
            |_, outcome| matches!(outcome, Outcome::Done(Receipt::CheckedIn(state)) if state.total > 1),
        )?;
        let Outcome::Done(Receipt::CheckedIn(state)) = &mut said.outcomes[place] else {
            return None;
        };
        change(state);
        Some(())
    }
    check("a streak jumps", I, |_, batch, said| state(batch, said, |s| s.length += 2));
    check("the longest falls", I, |_, batch, said| state(batch, said, |s| s.longest -= 1));
    check("a freeze comes from nowhere", I, |_, batch, said| {
        state(batch, said, |s| s.freezes += 1)
    });
    check("a streak lives on", I, |_, batch, said| {
        state(batch, said, |s| s.alive_until = s.alive_until.plus(1))
    });
    check("a day counts twice", I, |_, batch, said| {
        grant(batch, said, Reject::DuplicateCheckIn, |_| {
            Some(Receipt::CheckedIn(Default::default()))
        })
    });
    check("a card too many", I, |_, batch, said| {
        grant(batch, said, Reject::NoMakeUps, |_| Some(Receipt::CheckedIn(Default::default())))
    });
    check("a check-in pays more", I, |tick, _, said| {
        enlarge(tick, said, |cause| matches!(cause, Cause::CheckIn(..)))
    });
}

#[test]
fn quiz() {
    use Invariant::Quiz as I;
    check("an answer counts after the close", I, |_, batch, said| {
        grant(batch, said, Reject::RoundClosed, |action| match action {
            Action::Answer { round, .. } => Some(Receipt::Taken { round: *round, answered: 1 }),
            _ => None,
        })
    });
    check("an attempt too many", I, |_, batch, said| {
        grant(batch, said, Reject::NoAttempts, |action| match action {
            Action::Answer { round, .. } => Some(Receipt::Taken { round: *round, answered: 1 }),
            _ => None,
        })
    });
    fn mark(
        batch: &Batch,
        said: &mut Applied,
        change: fn(&mut dengmi_core::outcome::Mark),
    ) -> Option<()> {
        let place = outcome(batch, said, |_, outcome| {
            matches!(outcome, Outcome::Done(Receipt::Graded { .. }))
        })?;
        let Outcome::Done(Receipt::Graded { marks, .. }) = &mut said.outcomes[place] else {
            return None;
        };
        change(marks.first_mut()?);
        Some(())
    }
    check("right is wrong", I, |_, batch, said| mark(batch, said, |mark| mark.right ^= true));
    check("a millionth more", I, |_, batch, said| {
        mark(batch, said, |mark| mark.score = Ppm(mark.score.0 ^ 1))
    });
    check("right and wrong are told before the close", I, |_, batch, said| {
        let place = outcome(batch, said, |_, outcome| {
            matches!(outcome, Outcome::Done(Receipt::Taken { .. }))
        })?;
        let Outcome::Done(Receipt::Taken { round, answered }) = said.outcomes[place] else {
            return None;
        };
        said.outcomes[place] = Outcome::Done(Receipt::Graded { round, answered, marks: vec![] });
        Some(())
    });
    check("an answer pays more", I, |tick, _, said| {
        enlarge(tick, said, |cause| matches!(cause, Cause::Answer { .. }))
    });
    check("a round pays more", I, |tick, _, said| {
        enlarge(tick, said, |cause| matches!(cause, Cause::Round { .. }))
    });
    check("an answer pays nothing", I, |_, _, said| {
        let answer = |entry: &LedgerEntry| matches!(entry.cause, Cause::Answer { .. });
        let place = said.entries.iter().position(answer)?;
        // Only where nothing else follows that would look wrong first.
        (place + 1 == said.entries.len()).then_some(())?;
        drop_entry(said, answer)
    });
    check("a corrected key changes nobody", I, |_, batch, said| {
        let place = outcome(
            batch,
            said,
            |_, outcome| matches!(outcome, Outcome::Done(Receipt::Regraded(report)) if report.now_right > 0),
        )?;
        let Outcome::Done(Receipt::Regraded(report)) = &mut said.outcomes[place] else {
            return None;
        };
        report.now_right = 0;
        Some(())
    });
}

#[test]
fn standings() {
    use Invariant::Standings as I;
    check("two rows are swapped", I, |_, _, said| {
        let board = said.closed_boards.iter_mut().find(|board| board.rows.len() > 1)?;
        board.rows.swap(0, 1);
        Some(())
    });
    check("equal scores in another order", I, |_, _, said| {
        let tied = |rows: &[dengmi_core::view::board::Ranked]| {
            rows.windows(2).position(|pair| pair[0].points == pair[1].points)
        };
        let board = said.closed_boards.iter_mut().find(|board| tied(&board.rows).is_some())?;
        let place = tied(&board.rows)?;
        let (a, b) = (board.rows[place].member, board.rows[place + 1].member);
        (board.rows[place].member, board.rows[place + 1].member) = (b, a);
        Some(())
    });
    check("a rank is skipped", I, |_, _, said| {
        let board = said.closed_boards.iter_mut().find(|board| board.rows.len() > 2)?;
        board.rows.last_mut()?.rank += 1;
        Some(())
    });
    check("a point more", I, |_, _, said| {
        said.closed_boards.first_mut()?.rows.first_mut()?.points += 1;
        Some(())
    });
    check("a standing is not closed", I, |_, _, said| said.closed_boards.pop().map(|_| ()));
    check("a standing is closed twice", I, |_, _, said| {
        let board = said.closed_boards.first()?.clone();
        said.closed_boards.push(board);
        Some(())
    });
}

#[test]
fn runs_groups_posts_reactions() {
    check("a run starts in the past", Invariant::Runs, |_, batch, said| {
        grant(batch, said, Reject::BadStart, |action| {
            let run = Receipt::Run(dengmi_core::RunId::new(BRANCH, 9));
            matches!(action, Action::Launch { .. }).then_some(run)
        })
    });
    check("content from nowhere", Invariant::Runs, |_, batch, said| {
        grant(batch, said, Reject::UnknownContent, |action| {
            matches!(action, Action::AdoptContent { .. }).then_some(Receipt::Ok)
        })
    });
    check("a full group takes another", Invariant::Groups, |_, batch, said| {
        grant(batch, said, Reject::CommunityFull, |action| {
            matches!(action, Action::Join { .. } | Action::Move { .. }).then_some(Receipt::Ok)
        })
    });
    check("a member acts for another", Invariant::Quiz, |_, batch, said| {
        grant(batch, said, Reject::NotYours, |action| {
            matches!(action, Action::Answer { .. }).then_some(Receipt::Ok)
        })
    });
    check("a post too many", Invariant::Posts, |_, batch, said| {
        grant(batch, said, Reject::TooManyPosts, |_| {
            Some(Receipt::Post(dengmi_core::PostId::new(BRANCH, 9)))
        })
    });
    check("a reaction counts again", Invariant::Reactions, |_, batch, said| {
        let place = outcome(batch, said, |_, outcome| {
            *outcome == Outcome::Done(Receipt::Reacted { counted: false })
        })?;
        said.outcomes[place] = Outcome::Done(Receipt::Reacted { counted: true });
        Some(())
    });
    check("a colleague counts", Invariant::Reactions, |_, batch, said| {
        grant(batch, said, Reject::StaffExcluded, |_| Some(Receipt::Reacted { counted: true }))
    });
    check("a like pays more", Invariant::Reactions, |tick, _, said| {
        enlarge(tick, said, |cause| matches!(cause, Cause::Like(..)))
    });
    check("a comment pays more", Invariant::Reactions, |tick, _, said| {
        enlarge(tick, said, |cause| matches!(cause, Cause::Comment(..)))
    });
}

#[test]
fn journal() {
    use Invariant::Journal as I;
    check("time stands still", I, |_, batch, _| (batch.seq == 9).then(|| batch.at = Timestamp(0)));
    check("a batch is missing", I, |_, batch, _| (batch.seq == 9).then(|| batch.seq += 1));
    check("an outcome is missing", I, |_, _, said| said.outcomes.pop().map(|_| ()));
    check("an entry number is missing", I, |_, _, said| {
        said.entries.last_mut().map(|entry| entry.id += 1)
    });
    check("an event number is missing", I, |_, _, said| {
        said.events.last_mut().map(|event| event.seq += 1)
    });
    check("another digest", I, |_, batch, said| {
        (batch.seq == 20).then(|| said.digest = Digest::of(b"another"))
    });
}

#[test]
fn erased_and_late() {
    check("an award for who was erased", Invariant::Erasure, |tick, batch, said| {
        let gone =
            batch.commands.iter().zip(&tick.answers).find_map(|(command, answer)| {
                match (&command.action, answer) {
                    (Action::Erase { member }, Some(Ok(_))) => Some(*member),
                    _ => None,
                }
            })?;
        let award = entry(said, |entry| entry.kind == EntryKind::Award)?;
        award.to = Account::Member(gone);
        Some(())
    });
    fn silent(said: &mut Applied, wanted: fn(&EventKind) -> bool) -> Option<()> {
        let place = said.events.iter().position(|event| wanted(&event.kind))?;
        let later: Vec<_> = said.events.drain(place..).skip(1).collect();
        for mut event in later {
            event.seq -= 1;
            said.events.push(event);
        }
        Some(())
    }
    check("a round does not open", Invariant::Liveness, |_, _, said| {
        silent(said, |kind| matches!(kind, EventKind::RoundOpened(_)))
    });
    check("a round does not close", Invariant::Liveness, |_, _, said| {
        silent(said, |kind| matches!(kind, EventKind::RoundClosed(_)))
    });
    check("a post does not close", Invariant::Liveness, |_, _, said| {
        silent(said, |kind| matches!(kind, EventKind::PostClosed(_)))
    });
    check("a run does not end", Invariant::Liveness, |_, _, said| {
        silent(said, |kind| matches!(kind, EventKind::RunEnded(_)))
    });
}
