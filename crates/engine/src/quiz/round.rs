//! A round from its opening to its being forgotten.

use bevy_ecs::prelude::*;
use dengmi_content::model::quest::{QuizSeries, Reveal};
use dengmi_content::model::question::Partial;
use dengmi_content::model::reward::Trigger;
use dengmi_content::{Pack, PackQuestion};
use dengmi_core::command::Key;
use dengmi_core::view::EventKind;
use dengmi_core::{
    CommunityId, Day, Fact, FactKind, MemberId, Reject, RoundId, RunId, Slug, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::grade::Marked;
use super::notes::AwardNotes;
use super::sheet::Sheets;
use super::stats::{QuestionStats, Tally};
use super::{RoundIndex, series, tells_at_once};
use crate::RestoreError;
use crate::board::RoundScores;
use crate::clock::{Due, DueQueue};
use crate::cohort::Graded;
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{Happened, Now, Setup, Touched, decode, encode, pay};
use crate::ledger::Books;
use crate::outreach::Announced;
use crate::people::{Member, column};
use crate::runs::{Run, RunIndex, RunPlan};
use crate::stream::Stream;

/// One quiz round.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) seq: u32,
    pub(crate) run: u32,
    /// Position in the quest, from 0.
    pub(crate) index: u16,
    pub(crate) opens: Timestamp,
    pub(crate) closes: Timestamp,
    pub(crate) grace_ms: i64,
    pub(crate) day: Day,
    pub(crate) questions: Vec<Item>,
    pub(crate) stage: Stage,
    /// Key corrections so far.
    pub(crate) revision: u8,
    /// Replaced keys, by question, oldest first.
    pub(crate) corrections: Vec<(u8, Key)>,
    /// Extra milliseconds by member, rising.
    pub(crate) extra: Vec<(u32, i64)>,
    /// What its answers earned, for corrections.
    pub(crate) awards: AwardNotes,
    pub(crate) stats: Vec<QuestionStats>,
}

/// Where a round is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Takes answers.
    Open,
    /// Graded; its key can be corrected.
    Settled,
    /// Its answers are dropped, its grades are final.
    Archived,
}

/// A question in a round. The key is the round's own, so that it can be corrected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) question: Slug,
    pub(crate) options: u8,
    pub(crate) partial: bool,
    /// The key in force.
    pub(crate) key: Key,
    /// The first key: it says what kind of answer the question takes.
    pub(crate) shape: Key,
}

impl Round {
    pub(crate) fn id(&self, setup: &Setup) -> RoundId {
        RoundId::new(setup.branch, self.seq)
    }

    fn extra_ms(&self, member: u32) -> i64 {
        let place = self.extra.binary_search_by_key(&member, |(who, _)| *who);
        place.map_or(0, |place| self.extra[place].1)
    }

    /// From when on no answer is taken.
    pub(crate) fn settles_at(&self) -> Timestamp {
        let longest = self.extra.iter().map(|(_, ms)| *ms).max().unwrap_or(0);
        self.closes.plus_ms(self.grace_ms.max(longest))
    }

    /// Whether the round takes an answer of this member now.
    pub(crate) fn takes(&self, member: u32, now: Timestamp) -> Result<(), Reject> {
        let last = self.closes.plus_ms(self.grace_ms.max(self.extra_ms(member)));
        if now < self.opens {
            Err(Reject::RoundNotOpen)
        } else if self.stage != Stage::Open || now >= last {
            Err(Reject::RoundClosed)
        } else {
            Ok(())
        }
    }
}

/// A question with its first key.
pub(crate) fn item(slug: &Slug, question: &PackQuestion) -> Item {
    Item {
        question: slug.clone(),
        options: question.option_count(),
        partial: question.partial == Partial::RightLessWrong,
        key: question.key.clone(),
        shape: question.key.clone(),
    }
}

/// Most questions of a round. Content keeps below it; a damaged snapshot may not.
const QUESTIONS_MAX: usize = 50;

/// Puts the openings of a new run's rounds into the diary.
pub(crate) fn plan_rounds(world: &mut World, run_entity: Entity) {
    let (run, plan) = (world.get::<Run>(run_entity), world.get::<RunPlan>(run_entity));
    let Some((run, plan)) = run.zip(plan) else { return };
    let Some(rules) = series(&plan.quest.kind) else { return };
    let openings: Vec<_> = rules
        .rounds
        .iter()
        .enumerate()
        .map(|(index, round)| {
            let opens = run.calendar.at(run.first.plus(i32::from(round.day) - 1), round.opens);
            (opens, Due::RoundOpens { run: run.seq, index: index as u16 })
        })
        .collect();
    let mut queue = world.resource_mut::<DueQueue>();
    for (opens, due) in openings {
        queue.add(opens, due);
    }
}

/// Opens a round when its time has come. A round whose close has passed too (after a long stop)
/// opens and closes in one batch, with nobody in it.
pub(crate) fn open_round(world: &mut World, run_seq: u32, index: u16) {
    let Some(entity) = world.resource::<RunIndex>().entity(run_seq) else { return };
    let (run, plan) = (world.get::<Run>(entity), world.get::<RunPlan>(entity));
    let (run, plan) = run.zip(plan).expect("indexed runs are whole");
    let Some(rules) = series(&plan.quest.kind) else { return };
    if run.ended.is_some() {
        return;
    }
    let Some(wanted) = rules.rounds.get(usize::from(index)) else { return };
    let day = run.first.plus(i32::from(wanted.day) - 1);
    let pack = world.resource::<Packs>().get(run.pack).expect("a run's content stays loaded");
    let questions = wanted
        .questions
        .iter()
        .map(|slug| item(slug, &pack.questions[pack.current(slug)]))
        .collect::<Vec<_>>();
    let seq = world.resource::<RoundIndex>().next();
    let opens = run.calendar.at(day, wanted.opens);
    // As long as it is written, also where the group's day turns between the two times.
    let minutes = wanted.closes.minutes().saturating_sub(wanted.opens.minutes());
    let round = Round {
        seq,
        run: run_seq,
        index,
        opens,
        closes: opens.plus_ms(i64::from(minutes) * 60_000),
        grace_ms: i64::from(wanted.grace_seconds) * 1_000,
        day,
        stats: vec![QuestionStats::default(); questions.len()],
        questions,
        stage: Stage::Open,
        revision: 0,
        corrections: Vec::new(),
        extra: Vec::new(),
        awards: AwardNotes::default(),
    };
    let settles = round.settles_at();
    let id = round.id(world.resource::<Setup>());
    let entity = world.spawn((round, Sheets::default(), RoundScores::default())).id();
    world.resource_mut::<RoundIndex>().push(entity);
    world.resource_mut::<DueQueue>().add(settles, Due::RoundSettles { round: seq });
    announce(world, EventKind::RoundOpened(id));
}

fn announce(world: &mut World, kind: EventKind) {
    world.resource_mut::<Stream<Announced>>().write(Announced { community: None, kind });
    world.resource_mut::<Touched>().catalog = true;
}

/// Members of a round who are paid at once: what they earn stays in the processor's cache on its
/// way from fact to entry.
const PAID_AT_ONCE: usize = 256;

/// Grades a round whose last answer can have come: tells the facts that were held back, works
/// out the statistics, and starts the correction window.
pub(crate) fn settle_round(world: &mut World, seq: u32, due: Timestamp) {
    let Some(entity) = world.resource::<RoundIndex>().entity(seq) else { return };
    let round = world.get::<Round>(entity).expect("indexed rounds are whole");
    // Extra time granted meanwhile put a later appointment into the diary.
    if round.stage != Stage::Open || due < round.settles_at() {
        return;
    }
    settle(world, entity);
}

fn settle(world: &mut World, entity: Entity) {
    let mut round = world.get_mut::<Round>(entity).expect("indexed rounds are whole");
    round.stage = Stage::Settled;
    let round = round.clone();
    world.resource_mut::<RoundIndex>().end(round.seq);
    let run_entity = world
        .resource::<RunIndex>()
        .entity(round.run)
        .expect("rounds end before their run is forgotten");
    let plan = world.get::<RunPlan>(run_entity).expect("indexed runs are whole").clone();
    let rules = series(&plan.quest.kind).expect("only quizzes have rounds");
    let mut sheets =
        std::mem::take(&mut *world.get_mut::<Sheets>(entity).expect("rounds have sheets"));
    sheets.0.settle();
    let held_back = !tells_at_once(rules);
    let teller = Teller::new(world, &round);
    // What no rule rewards need not be told: nobody else asks.
    let tell_answers = held_back && plan.rules.rewards(Trigger::Answered);
    let tell_rounds = plan.rules.rewards(Trigger::RoundCompleted);
    let taught = world.get::<Run>(run_entity).is_some_and(|run| Pack::is_course_quest(&run.quest));
    announce(world, EventKind::RoundClosed(teller.round));
    let mut tally = Tally::of(round.questions.len());
    let mut graded = Vec::new();
    // Room for what the round can earn at once: growing step by step would leave holes behind.
    let most = if tell_answers { sheets.0.len() * round.questions.len() } else { 0 };
    world.resource_mut::<Books>().entries.reserve(most);
    let mut kept = world.get_mut::<Round>(entity).expect("indexed rounds are whole");
    kept.awards.reserve(most);
    let (seqs, rows) = sheets.0.settled();
    let told = usize::from(tell_rounds) + if tell_answers { round.questions.len() } else { 0 };
    for (seqs, rows) in seqs.chunks(PAID_AT_ONCE).zip(rows.chunks(PAID_AT_ONCE)) {
        let mut facts = world.resource_mut::<Stream<Happened>>().lend();
        facts.reserve(rows.len() * told);
        let members = world.resource::<Column<Member>>();
        for (seq, sheet) in seqs.iter().zip(rows) {
            let marks = sheet.marks(&round, rules);
            tally.count(marks.iter().map(|mark| mark.map(|mark| mark.right)));
            if taught {
                graded.push(Graded::of(*seq, &marks));
            }
            let Some(who) = teller.who(members, *seq) else { continue };
            if tell_answers {
                facts.extend(teller.answers(&who, &marks, 0));
            }
            if tell_rounds {
                facts.extend(teller.completed(&who, &marks, 0));
            }
        }
        let mut touched = world.resource_mut::<Touched>();
        seqs.iter().for_each(|seq| touched.member(*seq));
        world.resource_mut::<Stream<Happened>>().take_back(facts);
        pay(world);
    }
    if taught {
        crate::cohort::graded(world, round.run, round.index, &graded);
    }
    let stats = tally.statistics();
    let archive = round.settles_at().plus_ms(i64::from(rules.correction_days) * 86_400_000);
    // Not in this batch, however late it is: what the round earns is booked at its end, and
    // belongs into the round's standing.
    let archive = archive.max(world.resource::<Now>().at.plus_ms(1));
    world.entity_mut(entity).insert(sheets);
    let mut settled = world.get_mut::<Round>(entity).expect("indexed rounds are whole");
    settled.stats = stats;
    settled.awards.shrink();
    world.resource_mut::<DueQueue>().add(archive, Due::RoundArchives { round: round.seq });
}

/// Makes the facts of one round.
pub(super) struct Teller {
    pub(super) round: RoundId,
    pub(super) run: RunId,
    day: Day,
    at: Timestamp,
    questions: u8,
}

impl Teller {
    pub(super) fn new(world: &World, round: &Round) -> Self {
        let setup = world.resource::<Setup>();
        Self {
            round: round.id(setup),
            run: RunId::new(setup.branch, round.run),
            day: round.day,
            at: world.resource::<Now>().at,
            questions: round.questions.len() as u8,
        }
    }

    /// Who is told about; nobody for members whose data was erased.
    pub(super) fn who(
        &self,
        members: &Column<Member>,
        seq: u32,
    ) -> Option<(MemberId, CommunityId)> {
        let member = members.get(seq)?;
        (member.status != dengmi_core::view::MemberStatus::Erased).then(|| {
            let branch = self.round.branch;
            (MemberId::new(branch, seq), CommunityId::new(branch, member.community))
        })
    }

    fn fact(&self, (member, community): &(MemberId, CommunityId), kind: FactKind) -> Happened {
        Happened(Fact {
            member: *member,
            community: *community,
            run: self.run,
            day: self.day,
            at: self.at,
            kind,
        })
    }

    pub(super) fn answer(
        &self,
        who: &(MemberId, CommunityId),
        question: u8,
        mark: Marked,
        revision: u8,
    ) -> Happened {
        let Marked { right, score } = mark;
        self.fact(who, FactKind::Answered { round: self.round, question, right, score, revision })
    }

    fn answers(
        &self,
        who: &(MemberId, CommunityId),
        marks: &[Option<Marked>],
        revision: u8,
    ) -> impl Iterator<Item = Happened> {
        let answered = marks.iter().enumerate().filter_map(|(q, mark)| Some((q as u8, (*mark)?)));
        answered.map(move |(question, mark)| self.answer(who, question, mark, revision))
    }

    /// The fact that a round was answered to its end, if it was.
    pub(super) fn completed(
        &self,
        who: &(MemberId, CommunityId),
        marks: &[Option<Marked>],
        revision: u8,
    ) -> Option<Happened> {
        if marks.iter().any(Option::is_none) {
            return None;
        }
        let right = marks.iter().flatten().filter(|mark| mark.right).count() as u8;
        let (round, questions) = (self.round, self.questions);
        Some(self.fact(who, FactKind::RoundCompleted { round, right, questions, revision }))
    }
}

/// Drops the answers of a round: its grades are final.
pub(crate) fn archive_round(world: &mut World, seq: u32) {
    let Some(entity) = world.resource::<RoundIndex>().entity(seq) else { return };
    crate::board::close_round(world, entity);
    let mut round = world.get_mut::<Round>(entity).expect("indexed rounds are whole");
    round.stage = Stage::Archived;
    round.awards = AwardNotes::default();
    round.extra = Vec::new();
    world.entity_mut(entity).insert((Sheets::default(), RoundScores::default()));
    world.resource_mut::<Touched>().catalog = true;
}

fn rounds_of(world: &World, run: u32) -> Vec<(u32, Entity, Stage)> {
    let index = world.resource::<RoundIndex>();
    let rounds = index.live().filter_map(|entity| Some((world.get::<Round>(entity)?, entity)));
    rounds
        .filter(|(round, _)| round.run == run)
        .map(|(round, e)| (round.seq, e, round.stage))
        .collect()
}

/// When the last open round of a run settles, if one is open.
pub(crate) fn settles_last(world: &World, run: u32) -> Option<Timestamp> {
    let open = rounds_of(world, run).into_iter().filter(|(_, _, stage)| *stage == Stage::Open);
    open.filter_map(|(_, entity, _)| Some(world.get::<Round>(entity)?.settles_at())).max()
}

/// Closes and grades the open rounds of a run that ends.
pub(crate) fn close_rounds_of(world: &mut World, run: u32) {
    let now = world.resource::<Now>().at;
    for (_, entity, stage) in rounds_of(world, run) {
        if stage == Stage::Open {
            let mut round = world.get_mut::<Round>(entity).expect("indexed rounds are whole");
            round.closes = round.closes.min(now).max(round.opens);
            round.grace_ms = 0;
            round.extra.clear();
            settle(world, entity);
        }
    }
}

/// Drops the rounds of a run that is forgotten.
pub(crate) fn forget_rounds_of(world: &mut World, run: u32) {
    for (seq, entity, _) in rounds_of(world, run) {
        world.resource_mut::<RoundIndex>().remove(seq);
        world.despawn(entity);
    }
}

/// Whether right and wrong of this round are public.
pub(crate) fn revealed(round: &Round, rules: &QuizSeries) -> bool {
    round.stage != Stage::Open || rules.reveal == Reveal::AtOnce
}

#[derive(Serialize, Deserialize)]
struct Saved {
    opened: u32,
    rounds: Vec<Round>,
    sheets: Vec<Sheets>,
    scores: Vec<RoundScores>,
}

pub(super) fn save(world: &mut World) -> Vec<u8> {
    let index = world.resource::<RoundIndex>();
    let live: Vec<Entity> = index.live().collect();
    encode(&Saved {
        opened: index.last(),
        rounds: column(world, &live),
        sheets: column(world, &live),
        scores: column(world, &live),
    })
}

pub(super) fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("quiz", bytes)?;
    let broken = || RestoreError::Unreadable("section `quiz`: a round is incomplete".to_owned());
    if [saved.sheets.len(), saved.scores.len()] != [saved.rounds.len(); 2] {
        return Err(broken());
    }
    let (mut live, mut over) = (Vec::new(), Vec::new());
    let tables = saved.sheets.into_iter().zip(saved.scores);
    for (round, (sheets, scores)) in saved.rounds.into_iter().zip(tables) {
        if !whole(world, &round, &sheets) {
            return Err(broken());
        }
        let seq = round.seq;
        over.extend((round.stage != Stage::Open).then_some(seq));
        live.push((seq, world.spawn((round, sheets, scores)).id()));
    }
    let mut index = RoundIndex::restored(saved.opened, live).ok_or_else(broken)?;
    over.into_iter().for_each(|seq| index.end(seq));
    world.insert_resource(index);
    Ok(())
}

/// Whether a restored round is one of a quiz that is there, and every answer is to one of its
/// questions.
fn whole(world: &World, round: &Round, sheets: &Sheets) -> bool {
    let run = world.resource::<RunIndex>().entity(round.run);
    let plan = run.and_then(|run| world.get::<RunPlan>(run));
    let quiz = plan.is_some_and(|plan| series(&plan.quest.kind).is_some());
    let questions = round.questions.len();
    quiz && questions <= QUESTIONS_MAX
        && round.stats.len() == questions
        && round.awards.is_sound()
        && round.questions.iter().all(|item| u32::from(item.options) < u32::BITS)
        && sheets.0.by_member().all(|(_, _, sheet)| sheet.is_sound(questions))
}
