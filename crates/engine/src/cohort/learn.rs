//! What members remember: the FSRS-6 model, one card a concept. The quiz of the day and reviews
//! write it; what is nearly forgotten is asked again.

use std::cmp::Reverse;

use bevy_ecs::prelude::*;
use dengmi_core::course::{CourseReceipt, Gain, ItemAnswer, ItemMark, Occasion, PupilStage};
use dengmi_core::{Day, MemberId, Ppm, Receipt, Reject, mutant};
use smallvec::SmallVec;

use super::pupil::{Card, Pupil};
use super::{Cohort, CohortIndex, CohortPlan, Pupils};
use crate::kernel::{Now, Touched};
use crate::memory::{Grade, KnownReviews, Memory};
use crate::quiz::{Marked, credit, unshuffle};

/// Items by their numbers; a day's seldom are more.
pub(super) type Items = SmallVec<[u16; 16]>;

/// Items, and whether each was answered right.
type ItemsMarked = SmallVec<[(u16, bool); 16]>;

/// What one member answered in a round, by bits of the content's questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Graded {
    pub(crate) member: u32,
    pub(crate) answered: u64,
    pub(crate) right: u64,
}

impl Graded {
    pub(crate) fn of(member: u32, marks: &[Option<Marked>]) -> Self {
        let bits = |wanted: &dyn Fn(Marked) -> bool| {
            let set = marks.iter().enumerate().filter(|(_, mark)| mark.is_some_and(wanted));
            set.fold(0, |bits, (question, _)| bits | 1 << question)
        };
        Self { member, answered: bits(&|_| true), right: bits(&|mark| mark.right) }
    }
}

/// A round of a cohort's quiz was graded.
pub(crate) fn graded(world: &mut World, run: u32, index: u16, sheets: &[Graded]) {
    let live: Vec<Entity> = world.resource::<CohortIndex>().live().collect();
    let of_run = |entity: &Entity| world.get::<Cohort>(*entity).is_some_and(|c| c.run == run);
    let Some(entity) = live.into_iter().find(of_run) else { return };
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan").clone();
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let cards = cohort.concepts.len();
    let day = u8::try_from(index + 1).unwrap_or(u8::MAX);
    let on = cohort.day(day);
    let concepts: Vec<u16> = plan
        .round(day)
        .iter()
        .filter_map(|item| plan.item(*item).map(|(concept, _)| *concept))
        .collect();
    let whole = (1u64 << concepts.len()) - 1;
    let mut known = std::mem::take(&mut *world.resource_mut::<KnownReviews>());
    let mut pupils = world.get_mut::<Pupils>(entity).expect("cohorts have pupils");
    for sheet in sheets {
        let Some(pupil) = pupils.0.get_mut(sheet.member) else { continue };
        if pupil.stage != PupilStage::Enrolled {
            continue;
        }
        if pupil.cards.is_empty() {
            pupil.cards.reserve_exact(cards);
        }
        for (question, concept) in concepts.iter().enumerate() {
            if sheet.answered >> question & 1 == 1 {
                pupil.remember(*concept, sheet.right >> question & 1 == 1, on, &mut known);
            }
        }
        if sheet.answered & whole == whole {
            pupil.quizzes |= 1 << (day - 1);
        }
    }
    *world.resource_mut() = known;
    let mut touched = world.resource_mut::<Touched>();
    sheets.iter().for_each(|sheet| touched.member(sheet.member));
}

impl Pupil {
    /// An answer to an item of a concept, on a day.
    fn remember(
        &mut self,
        concept: u16,
        right: bool,
        on: Day,
        known: &mut KnownReviews,
    ) -> &mut Card {
        let grade = if right { Grade::Good } else { Grade::Again };
        let place = match self.cards.binary_search_by_key(&concept, |card| card.concept) {
            Ok(place) => {
                let card = &mut self.cards[place];
                if !mutant::planted("cohort/review-forgotten") {
                    card.memory = known.review(card.memory, grade, on);
                    card.right = right;
                }
                place
            }
            Err(place) => {
                let memory = Memory::first(grade, on);
                self.cards.insert(place, Card { concept, memory, right, reviews: 0 });
                place
            }
        };
        &mut self.cards[place]
    }

    /// Items that can be answered on a day for an occasion, in order.
    pub(super) fn open(
        &self,
        cohort: &Cohort,
        plan: &CohortPlan,
        occasion: Occasion,
        on: Day,
    ) -> Items {
        match occasion {
            Occasion::Review => self.due(cohort, plan, on),
            // Before the first lesson has taught anything.
            Occasion::Before if cohort.sent <= 1 && self.lessons == 0 && self.quizzes == 0 => {
                unanswered(plan.paired.iter().map(|pair| pair.0), &self.before)
            }
            Occasion::After if cohort.sent == cohort.days => {
                unanswered(plan.paired.iter().map(|pair| pair.1), &self.after)
            }
            Occasion::Before | Occasion::After => Items::new(),
        }
    }

    /// Items to review on a day: of concepts that are due, most nearly forgotten first, each
    /// concept's items in turn.
    fn due(&self, cohort: &Cohort, plan: &CohortPlan, on: Day) -> Items {
        let quiz = &plan.course().quiz;
        let done = if self.reviewed.0 == on { self.reviewed.1 } else { 0 };
        let room = usize::from(quiz.reviews_per_day.saturating_sub(done));
        let due = self.cards.iter().filter(|card| card.memory.is_due(&plan.retention, on));
        let mut due: SmallVec<[(Reverse<u64>, u16, u8); 32]> =
            due.map(|card| (Reverse(card.memory.faded(on)), card.concept, card.reviews)).collect();
        due.sort_unstable();
        // The quiz of this day may still be open: a review would tell what is right.
        let before = u8::try_from((on.0 - cohort.first.0).max(0)).unwrap_or(u8::MAX);
        let closed = cohort.sent.min(before);
        let items = due.into_iter().filter_map(|(_, concept, reviews)| {
            let asked = plan.asked(concept, closed);
            let turn = usize::from(reviews).checked_rem(asked.len())?;
            asked.get(turn).map(|(_, item)| *item)
        });
        items.take(room).collect()
    }
}

/// Most answers of one command.
const ANSWERS_MAX: usize = 50;

/// Answers outside the quiz of the day. One that does not fit refuses them all.
pub(super) fn answer_items(
    world: &mut World,
    entity: Entity,
    member: MemberId,
    occasion: Occasion,
    answers: &[ItemAnswer],
) -> Result<Receipt, Reject> {
    let mut pupils = world.get_mut::<Pupils>(entity).expect("cohorts have pupils");
    let mut pupils = std::mem::take(&mut *pupils);
    let mut known = std::mem::take(&mut *world.resource_mut::<KnownReviews>());
    let pupil = pupils.0.get_mut(member.seq).ok_or(Reject::NotEnrolled);
    let receipt = pupil
        .and_then(|pupil| take_items(world, entity, member, occasion, answers, pupil, &mut known));
    *world.resource_mut() = known;
    *world.get_mut(entity).expect("cohorts have pupils") = pupils;
    if receipt.is_ok() {
        world.resource_mut::<Touched>().member(member.seq);
    }
    receipt.map(Receipt::Course)
}

fn take_items(
    world: &World,
    entity: Entity,
    member: MemberId,
    occasion: Occasion,
    answers: &[ItemAnswer],
    pupil: &mut Pupil,
    known: &mut KnownReviews,
) -> Result<CourseReceipt, Reject> {
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    // As readers are shown it: the last day lasts until everything is graded.
    let today = cohort.calendar.day_of(world.resource::<Now>().at).min(cohort.last());
    if pupil.stage != PupilStage::Enrolled {
        return Err(Reject::NotEnrolled);
    }
    if answers.is_empty() || answers.len() > ANSWERS_MAX {
        return Err(Reject::BadAnswers);
    }
    let open = pupil.open(cohort, plan, occasion, today);
    let marks = mark(plan, member, answers, &open)?;
    Ok(match occasion {
        Occasion::Review => {
            let marks = marks.iter().map(|(item, right)| {
                let concept = plan.item(*item).map_or(0, |(concept, _)| *concept);
                let card = pupil.remember(concept, *right, today, known);
                card.reviews = card.reviews.wrapping_add(1);
                let due = card.memory.due(&plan.retention);
                ItemMark { item: *item, right: *right, due }
            });
            let marks: Vec<ItemMark> = marks.collect();
            let done = if pupil.reviewed.0 == today { pupil.reviewed.1 } else { 0 };
            pupil.reviewed = (today, done.saturating_add(marks.len() as u8));
            CourseReceipt::Reviewed { marks }
        }
        Occasion::Before | Occasion::After => {
            let half = match occasion {
                Occasion::Before => &mut pupil.before,
                _ => &mut pupil.after,
            };
            half.extend(marks);
            half.sort_unstable();
            CourseReceipt::Taken { answered: half.len() as u16 }
        }
    })
}

fn unanswered(items: impl Iterator<Item = u16>, answered: &[(u16, bool)]) -> Items {
    items.filter(|item| answered.iter().all(|(known, _)| known != item)).collect()
}

/// Grades answers to items that are open, each at most once.
fn mark(
    plan: &CohortPlan,
    member: MemberId,
    answers: &[ItemAnswer],
    open: &[u16],
) -> Result<ItemsMarked, Reject> {
    let mut marks = ItemsMarked::new();
    for answer in answers {
        let again = marks.iter().any(|(item, _)| *item == answer.item);
        if again || !open.contains(&answer.item) {
            return Err(Reject::ItemsNotDue);
        }
        let (_, item) = plan.item(answer.item).ok_or(Reject::UnknownQuestion)?;
        let shown = plan.orders.order(member, answer.item, item.options);
        let choice = unshuffle(answer.choice, &shown, item)?;
        marks.push((answer.item, credit(choice, item) == Ppm::ONE));
    }
    Ok(marks)
}

/// What those knew before and after who answered all paired items.
pub(super) fn gain(plan: &CohortPlan, pupils: &Pupils) -> Option<Gain> {
    let pairs = plan.paired.len();
    let both = pupils.0.by_member().filter(|(_, _, pupil)| {
        pairs > 0 && pupil.before.len() == pairs && pupil.after.len() == pairs
    });
    let [mut members, mut before, mut after] = [0u64; 3];
    for (_, _, pupil) in both {
        members += 1;
        before += pupil.before.iter().filter(|(_, right)| *right).count() as u64;
        after += pupil.after.iter().filter(|(_, right)| *right).count() as u64;
    }
    let asked = members * pairs as u64;
    let share = |part: u64, of: u64| Ppm((part * 1_000_000).checked_div(of).unwrap_or(0) as u32);
    (members > 0).then(|| Gain {
        members: members as u32,
        before: share(before, asked),
        after: share(after, asked),
        normalised: (after >= before && before < asked)
            .then(|| share(after - before, asked - before)),
    })
}
