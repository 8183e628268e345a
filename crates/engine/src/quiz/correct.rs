//! Extra time and corrected keys.

use std::collections::BTreeSet;

use bevy_ecs::prelude::*;
use dengmi_core::command::Key;
use dengmi_core::outcome::RegradeReport;
use dengmi_core::view::EventKind;
use dengmi_core::{Action, FactKind, MemberId, Receipt, Reject, RoundId};

use super::notes::AwardNote;
use super::round::{Round, Stage, Teller};
use super::sheet::Sheets;
use super::stats::Tally;
use super::{RoundIndex, series, tells_at_once};
use crate::clock::{Due, DueQueue};
use crate::column::Column;
use crate::kernel::{Happened, Touched, serve_requests};
use crate::ledger::TakeBack;
use crate::outreach::Announced;
use crate::people::Member;
use crate::runs::{RunIndex, RunPlan};
use crate::stream::Stream;

/// Longest extra time.
const EXTRA_SECONDS_MAX: u32 = 7 * 86_400;

pub(super) fn serve_quiz(world: &mut World) {
    serve_requests(world, |world, command| match command.action {
        Action::GrantTime { member, round, seconds } => {
            Some(grant_time(world, member, round, seconds))
        }
        Action::CorrectKey { round, question, ref key, dry_run } => {
            Some(correct_key(world, round, question, key, dry_run))
        }
        _ => None,
    });
}

fn round_entity(world: &World, id: RoundId) -> Result<Entity, Reject> {
    world.resource::<RoundIndex>().entity(id.seq).ok_or(Reject::UnknownRound)
}

fn grant_time(
    world: &mut World,
    member: MemberId,
    id: RoundId,
    seconds: u32,
) -> Result<Receipt, Reject> {
    if !(1..=EXTRA_SECONDS_MAX).contains(&seconds) {
        return Err(Reject::BadSeconds);
    }
    world.resource::<Column<Member>>().get(member.seq).ok_or(Reject::UnknownMember)?;
    let entity = round_entity(world, id)?;
    let mut round = world.get_mut::<Round>(entity).ok_or(Reject::UnknownRound)?;
    if round.stage != Stage::Open {
        return Err(Reject::RoundClosed);
    }
    let ms = i64::from(seconds) * 1_000;
    match round.extra.binary_search_by_key(&member.seq, |(who, _)| *who) {
        Ok(place) => round.extra[place].1 = round.extra[place].1.max(ms),
        Err(place) => round.extra.insert(place, (member.seq, ms)),
    }
    let settles = round.settles_at();
    world.resource_mut::<DueQueue>().add(settles, Due::RoundSettles { round: id.seq });
    world.resource_mut::<Touched>().catalog = true;
    Ok(Receipt::Ok)
}

/// A corrected key must ask for the same kind of answer, within the same options.
fn fits(key: &Key, shape: &Key, options: u8) -> bool {
    match (key, shape) {
        (Key::Everyone, _) | (Key::Bool(_), Key::Bool(_)) => true,
        (Key::One(right), Key::One(_)) => *right < options,
        (Key::Many(bits), Key::Many(_)) => *bits != 0 && bits >> options == 0,
        (Key::Number { tolerance, .. }, Key::Number { .. }) => tolerance.micros() >= 0,
        (Key::Text(texts), Key::Text(_)) => (1..=50).contains(&texts.len()),
        _ => false,
    }
}

/// Whether a fact is about the question, or the round as a whole. Where the round closed or was
/// corrected in this very batch, such a fact has not been rewarded yet: it is replaced, because
/// there is no award to take back.
fn is_about(kind: FactKind, id: RoundId, corrected: u8) -> bool {
    match kind {
        FactKind::Answered { round, question, .. } => round == id && question == corrected,
        FactKind::RoundCompleted { round, .. } => round == id,
        _ => false,
    }
}

/// Grades a round again under a corrected key. What an answer earned under the old key is
/// taken back and what it earns under the new one is paid: old and new entries both stay.
fn correct_key(
    world: &mut World,
    id: RoundId,
    question: u8,
    key: &Key,
    dry_run: bool,
) -> Result<Receipt, Reject> {
    let entity = round_entity(world, id)?;
    let old = world.get::<Round>(entity).ok_or(Reject::UnknownRound)?;
    if old.stage == Stage::Archived {
        return Err(Reject::CorrectionOver);
    }
    let item = old.questions.get(usize::from(question)).ok_or(Reject::UnknownQuestion)?;
    if !fits(key, &item.shape, item.options) {
        return Err(Reject::WrongKey);
    }
    if item.key == *key {
        return Err(Reject::SameKey);
    }
    let old = old.clone();
    let mut new = old.clone();
    let replaced = std::mem::replace(&mut new.questions[usize::from(question)].key, key.clone());
    new.corrections.push((question, replaced));
    new.revision = old.revision.checked_add(1).ok_or(Reject::CorrectionOver)?;
    let run = world.resource::<RunIndex>().entity(old.run).ok_or(Reject::CorrectionOver)?;
    let plan = world.get::<RunPlan>(run).expect("indexed runs are whole").clone();
    let rules = series(&plan.quest.kind).expect("only quizzes have rounds");

    // While nothing has been told, there is nothing to take back and nothing to tell again.
    let settled = old.stage == Stage::Settled;
    let told = settled || tells_at_once(rules);
    let sheets = world.get::<Sheets>(entity).expect("rounds have sheets").clone();
    let teller = Teller::new(world, &old);
    let mut report = RegradeReport { dry_run, ..RegradeReport::default() };
    let (mut facts, mut back) = (Vec::new(), Vec::new());
    let mut regraded = BTreeSet::new();
    let mut notes: Vec<AwardNote> =
        old.awards.iter().filter(|note| note.is_about(question)).collect();
    notes.sort_by_key(|note| note.member);
    let mut tally = Tally::of(new.questions.len());
    let members = world.resource::<Column<Member>>();
    for (seq, _, sheet) in sheets.0.by_member() {
        let before = sheet.marks(&old, rules);
        let after = sheet.marks(&new, rules);
        tally.count(after.iter().map(|mark| mark.map(|mark| mark.right)));
        let pair = before[usize::from(question)].zip(after[usize::from(question)]);
        let Some((was, now)) = pair else { continue };
        report.answers += 1;
        match (was.right, now.right) {
            (false, true) => report.now_right += 1,
            (true, false) => report.now_wrong += 1,
            _ if was.score != now.score => report.score_changed += 1,
            _ => continue,
        }
        let Some(who) = teller.who(members, seq).filter(|_| told) else { continue };
        regraded.insert(seq);
        let first = notes.partition_point(|note| note.member < seq);
        let own = notes[first..].iter().take_while(|note| note.member == seq);
        back.extend(own.map(|note| note.take_back(id, teller.run)));
        facts.push(teller.answer(&who, question, now, new.revision));
        if settled {
            facts.extend(teller.completed(&who, &after, new.revision));
        }
    }
    if !dry_run {
        if settled {
            new.stats = tally.statistics();
        }
        let taken: BTreeSet<u64> = back.iter().map(|taken| taken.entry).collect();
        new.awards.retain(|entry| !taken.contains(&entry));
        for taken in &back {
            world.resource_mut::<Touched>().member(taken.member);
        }
        world.entity_mut(entity).insert(new);
        world.resource_mut::<Stream<TakeBack>>().write_batch(back);
        let mut happened = world.resource_mut::<Stream<Happened>>();
        happened.retain(|Happened(fact)| {
            !(regraded.contains(&fact.member.seq) && is_about(fact.kind, id, question))
        });
        happened.write_batch(facts);
        let kind = EventKind::RoundRegraded(id);
        world.resource_mut::<Stream<Announced>>().write(Announced { community: None, kind });
        world.resource_mut::<Touched>().catalog = true;
    }
    Ok(Receipt::Regraded(report))
}
