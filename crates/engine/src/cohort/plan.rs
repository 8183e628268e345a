//! What a cohort plays by, worked out from its content: never saved.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_content::model::{Course, Lesson};
use dengmi_content::{Pack, PackCourse};
use dengmi_core::random::{Purpose, Seed, Shuffler};
use dengmi_core::{CohortId, MemberId, Slug};
use smallvec::SmallVec;

use super::Cohort;
use crate::content::Packs;
use crate::kernel::Setup;
use crate::memory::Horizon;
use crate::quiz::{Item, item};

/// A cohort's content, with every item and concept by its number. Cheap to clone.
#[derive(Component, Clone)]
pub(crate) struct CohortPlan(Arc<Plan>);

impl std::ops::Deref for CohortPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

/// What a [`CohortPlan`] holds.
pub(crate) struct Plan {
    /// Course content by the first day on which it holds, rising.
    courses: Vec<(u8, Arc<PackCourse>)>,
    /// Items by their numbers, for readers.
    pub(super) slugs: Arc<[Slug]>,
    /// By item number: the concept's number, and the key.
    items: Vec<(u16, Item)>,
    /// By day of the course less one: items of its quiz, in the content's order.
    rounds: Vec<Vec<u16>>,
    /// Pairs: the item asked before, and the one asked after.
    pub(crate) paired: Vec<(u16, u16)>,
    /// By concept number: day on which it is first taught; 0 where no lesson does.
    taught: Vec<u8>,
    /// By concept number: its items that a quiz asks, with the day of the first, in that order.
    asked: Vec<Vec<(u8, u16)>>,
    /// How well a concept is to be remembered before it is asked again.
    pub(super) retention: Horizon,
    /// In which order members see the options of items.
    pub(super) orders: ItemOrders,
}

/// Items and concepts of a course that a cohort has no number for yet, in the order of lessons.
pub(super) fn number(cohort: &mut Cohort, pack: &Pack, course: &PackCourse) -> Option<()> {
    let lessons = course.lessons.iter();
    let asked = lessons.flat_map(|lesson| lesson.questions.iter().chain(&lesson.review));
    let paired = course.course.paired.iter().flat_map(|pair| [&pair.before, &pair.after]);
    for slug in asked.chain(paired) {
        let slug = pack.current(slug);
        if !cohort.items.contains(slug) {
            cohort.items.push(slug.clone());
        }
        let concept = &pack.questions.get(slug)?.question.concept;
        if !cohort.concepts.contains(concept) {
            cohort.concepts.push(concept.clone());
        }
    }
    let count = cohort.items.len().max(cohort.concepts.len());
    (count <= usize::from(u16::MAX)).then_some(())
}

impl CohortPlan {
    /// `None` where content and cohort do not fit together.
    pub(super) fn of(world: &World, cohort: &Cohort) -> Option<Self> {
        let (packs, setup) = (world.resource::<Packs>(), world.resource::<Setup>());
        let number = |of: &[Slug], slug: &Slug| {
            of.iter().position(|known| known == slug).map(|place| place as u16)
        };
        let mut courses = Vec::new();
        for (from, digest) in &cohort.packs {
            let pack = packs.get(*digest)?;
            courses.push((*from, pack.courses.get(pack.current(&cohort.course))?.clone()));
        }
        // The newest content that has an item decides on its key.
        let mut items = Vec::with_capacity(cohort.items.len());
        for slug in &cohort.items {
            let newest = cohort.packs.iter().rev().find_map(|(_, digest)| {
                let pack = packs.get(*digest)?;
                pack.questions.get(pack.current(slug))
            })?;
            let concept = number(&cohort.concepts, &newest.question.concept)?;
            items.push((concept, item(slug, newest)));
        }
        let retention = courses.last().map(|(_, course)| course.course.quiz.retention)?;
        let mut plan = Plan {
            courses,
            slugs: cohort.items.as_slice().into(),
            items,
            rounds: Vec::new(),
            paired: Vec::new(),
            taught: vec![0; cohort.concepts.len()],
            asked: vec![Vec::new(); cohort.concepts.len()],
            retention: Horizon::of(retention),
            orders: ItemOrders::of(&setup.seed, cohort.id(setup)),
        };
        for day in 1..=cohort.days {
            let pack = packs.get(cohort.pack_on(day))?;
            let lesson = plan.lesson(day)?;
            let asked = lesson.questions.iter().chain(&lesson.review);
            let numbers = asked.map(|slug| number(&cohort.items, pack.current(slug)));
            let numbers: Option<Vec<u16>> = numbers.collect();
            let concepts: Vec<u16> =
                lesson.concepts.iter().filter_map(|slug| number(&cohort.concepts, slug)).collect();
            let numbers = numbers?;
            for &item in &numbers {
                let asked = &mut plan.asked[usize::from(plan.items[usize::from(item)].0)];
                if asked.iter().all(|(_, known)| *known != item) {
                    asked.push((day, item));
                }
            }
            plan.rounds.push(numbers);
            for concept in concepts {
                let first = &mut plan.taught[usize::from(concept)];
                if *first == 0 {
                    *first = day;
                }
            }
        }
        let pack = packs.get(cohort.pack_on(1))?;
        for pair in plan.course_on(1)?.course.paired.clone() {
            let number = |slug| number(&cohort.items, pack.current(slug));
            plan.paired.push((number(&pair.before)?, number(&pair.after)?));
        }
        Some(Self(Arc::new(plan)))
    }
}

impl Plan {
    fn course_on(&self, day: u8) -> Option<&PackCourse> {
        let in_force = self.courses.iter().rev().find(|(from, _)| *from <= day);
        in_force.or(self.courses.first()).map(|(_, course)| &**course)
    }

    /// The course as of its last change: what decides on everything but single lessons.
    pub(crate) fn course(&self) -> &Course {
        &self.courses.last().expect("a cohort has content").1.course
    }

    /// The lesson of a day.
    pub(crate) fn lesson(&self, day: u8) -> Option<&Lesson> {
        let course = self.course_on(day)?;
        course.lessons.get(usize::from(day).checked_sub(1)?)
    }

    /// An item's concept and key.
    pub(crate) fn item(&self, item: u16) -> Option<&(u16, Item)> {
        self.items.get(usize::from(item))
    }

    /// Items of the quiz of a day.
    pub(super) fn round(&self, day: u8) -> &[u16] {
        usize::from(day)
            .checked_sub(1)
            .and_then(|day| self.rounds.get(day))
            .map_or(&[], Vec::as_slice)
    }

    /// Concepts that lessons up to a day teach.
    pub(crate) fn taught_by(&self, day: u8) -> u16 {
        self.taught.iter().filter(|first| (1..=day).contains(*first)).count() as u16
    }

    /// Items of a concept that were asked in quizzes up to a day, in order of their first, with
    /// its day.
    pub(super) fn asked(&self, concept: u16, until: u8) -> &[(u8, u16)] {
        let asked = self.asked.get(usize::from(concept)).map_or(&[][..], Vec::as_slice);
        &asked[..asked.partition_point(|(day, _)| *day <= until)]
    }
}

/// In which order members see the options of items outside the quiz of the day.
pub(super) struct ItemOrders(Shuffler);

impl ItemOrders {
    pub(super) fn of(seed: &Seed, cohort: CohortId) -> Self {
        Self(seed.shuffler(Purpose::ItemOptionOrder, u64::from(cohort.seq)))
    }

    /// For each option shown, its position in key order.
    pub(super) fn order(&self, member: MemberId, item: u16, options: u8) -> SmallVec<[u8; 8]> {
        self.0.order(u64::from(member.seq) << 16 | u64::from(item), options)
    }
}

/// In which order a member sees the options of an item outside the quiz of the day: for each
/// option shown, its position in key order. A pure function, so that readers need not ask.
#[must_use]
pub fn item_order(
    seed: &Seed,
    cohort: CohortId,
    member: MemberId,
    item: u16,
    options: u8,
) -> SmallVec<[u8; 8]> {
    ItemOrders::of(seed, cohort).order(member, item, options)
}
