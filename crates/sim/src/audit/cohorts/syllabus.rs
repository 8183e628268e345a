//! What a cohort teaches and asks: content by days, and the numbers that items and concepts got.

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_content::model::{Course, Lesson};
use dengmi_content::{Pack, PackQuestion};
use dengmi_core::{Digest, Slug};

use super::super::quiz::Item;

pub(in crate::audit) type Packs = BTreeMap<Digest, Arc<Pack>>;

/// The content of a cohort.
#[derive(Clone)]
pub(in crate::audit) struct Syllabus {
    pub(in crate::audit) course: Slug,
    /// Content by the first day on which it holds, rising, from day 1.
    pub(in crate::audit) content: Vec<(u8, Digest)>,
    /// In the order in which content brought them: their numbers are their places.
    pub(in crate::audit) items: Vec<Slug>,
    concepts: Vec<Slug>,
}

impl Syllabus {
    pub(in crate::audit) fn new(course: Slug, digest: Digest) -> Self {
        Self { course, content: vec![(1, digest)], items: Vec::new(), concepts: Vec::new() }
    }

    /// Numbers what a pack's course brings that has no number yet.
    pub(in crate::audit) fn learn(&mut self, pack: &Pack) -> Option<()> {
        let course = pack.courses.get(pack.current(&self.course))?;
        let mut brought: Vec<&Slug> = Vec::new();
        for lesson in &course.lessons {
            brought.extend(&lesson.questions);
            brought.extend(&lesson.review);
        }
        for pair in &course.course.paired {
            brought.extend([&pair.before, &pair.after]);
        }
        for slug in brought {
            let slug = pack.current(slug);
            let concept = &pack.questions.get(slug)?.question.concept;
            if !self.items.contains(slug) {
                self.items.push(slug.clone());
            }
            if !self.concepts.contains(concept) {
                self.concepts.push(concept.clone());
            }
        }
        Some(())
    }

    /// Content in force on a day.
    pub(in crate::audit) fn digest_on(&self, day: u8) -> Digest {
        let mut digest = self.content[0].1;
        for (from, later) in &self.content {
            if *from <= day {
                digest = *later;
            }
        }
        digest
    }

    /// The course as of its last change.
    pub(in crate::audit) fn course<'p>(&self, packs: &'p Packs) -> &'p Course {
        let pack = &packs[&self.content[self.content.len() - 1].1];
        &pack.courses[pack.current(&self.course)].course
    }

    pub(in crate::audit) fn lesson<'p>(&self, packs: &'p Packs, day: u8) -> Option<&'p Lesson> {
        let pack = packs.get(&self.digest_on(day))?;
        pack.courses.get(pack.current(&self.course))?.lessons.get(usize::from(day).checked_sub(1)?)
    }

    /// An item by the newest content that has it.
    fn newest<'p>(&self, packs: &'p Packs, item: u16) -> Option<&'p PackQuestion> {
        let slug = self.items.get(usize::from(item))?;
        self.content.iter().rev().find_map(|(_, digest)| {
            let pack = packs.get(digest)?;
            pack.questions.get(pack.current(slug))
        })
    }

    /// Concept and key of an item.
    pub(in crate::audit) fn item(&self, packs: &Packs, item: u16) -> Option<(u16, Item)> {
        Some((self.concept(packs, item)?, Item::of(self.newest(packs, item)?)))
    }

    /// The concept of an item.
    pub(in crate::audit) fn concept(&self, packs: &Packs, item: u16) -> Option<u16> {
        let newest = self.newest(packs, item)?;
        let place = self.concepts.iter().position(|known| *known == newest.question.concept)?;
        Some(place as u16)
    }

    /// Whether every item that has a number still has a question.
    pub(in crate::audit) fn is_whole(&self, packs: &Packs) -> bool {
        (0..self.items.len() as u16).all(|item| self.concept(packs, item).is_some())
    }

    fn number(&self, slug: &Slug) -> Option<u16> {
        self.items.iter().position(|known| known == slug).map(|place| place as u16)
    }

    /// Items of the quiz of a day, in the content's order.
    pub(in crate::audit) fn quiz(&self, packs: &Packs, day: u8) -> Vec<u16> {
        let (Some(pack), Some(lesson)) = (packs.get(&self.digest_on(day)), self.lesson(packs, day))
        else {
            return Vec::new();
        };
        let asked = lesson.questions.iter().chain(&lesson.review);
        asked.filter_map(|slug| self.number(pack.current(slug))).collect()
    }

    /// Items of a concept that quizzes up to a day asked, each once.
    pub(in crate::audit) fn asked(&self, packs: &Packs, concept: u16, until: u8) -> Vec<u16> {
        let mut asked: Vec<u16> = Vec::new();
        for day in 1..=until {
            for item in self.quiz(packs, day) {
                if self.concept(packs, item) == Some(concept) && !asked.contains(&item) {
                    asked.push(item);
                }
            }
        }
        asked
    }

    /// Pairs of items asked before and after.
    pub(in crate::audit) fn pairs(&self, packs: &Packs) -> Vec<(u16, u16)> {
        let Some(pack) = packs.get(&self.digest_on(1)) else { return Vec::new() };
        let Some(course) = pack.courses.get(pack.current(&self.course)) else { return Vec::new() };
        let number = |slug| self.number(pack.current(slug));
        let pairs = course.course.paired.iter();
        pairs.filter_map(|pair| Some((number(&pair.before)?, number(&pair.after)?))).collect()
    }

    /// How many concepts lessons up to a day teach that some item asks about.
    pub(in crate::audit) fn taught(&self, packs: &Packs, until: u8) -> u64 {
        let mut taught: Vec<&Slug> = Vec::new();
        for day in 1..=until {
            let Some(lesson) = self.lesson(packs, day) else { continue };
            taught.extend(lesson.concepts.iter().filter(|slug| self.concepts.contains(slug)));
        }
        taught.sort_unstable();
        taught.dedup();
        taught.len() as u64
    }
}
