//! A checked pack: everything the engine and the pages need, immutable, named by its digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use dengmi_core::command::Key;
use dengmi_core::text::FoldedHash;
use dengmi_core::{Decimal, Digest, Slug};

use crate::content::{fact_of, source_product};
use crate::courses::quest_of;
use crate::model::question::{MultiOption, Partial, TrueFalse};
use crate::model::{
    Answer, Assessment, Body, CommunityFile, Course, FactValue, Lesson, Market, Notice, PointsFile,
    Product, ProductFact, Quest, Question, RewardRule, Scenario, Text, Unit, WordsFile,
};

/// Content that passed every check.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Digest over the sorted paths and bytes of all files.
    pub digest: Digest,
    /// The points programme.
    pub points: PointsFile,
    /// Product pages by id.
    pub products: BTreeMap<Slug, Product>,
    /// Questions by full id (`file/question`).
    pub questions: BTreeMap<Slug, PackQuestion>,
    /// Reward rules by id.
    pub rules: BTreeMap<Slug, RewardRule>,
    /// Kinds of groups by id.
    pub communities: BTreeMap<Slug, CommunityFile>,
    /// Notices by id.
    pub notices: BTreeMap<Slug, Notice>,
    /// All word lists, added up.
    pub words: WordsFile,
    /// Quests by id.
    pub quests: BTreeMap<Slug, Quest>,
    /// Courses by id, shared: cohorts keep theirs.
    pub courses: BTreeMap<Slug, Arc<PackCourse>>,
    /// Risk questionnaires by id.
    pub assessments: BTreeMap<Slug, Assessment>,
    /// Mock markets by id.
    pub markets: BTreeMap<Slug, Market>,
    /// Scripts for mock markets by id.
    pub scenarios: BTreeMap<Slug, Scenario>,
    /// Today's id for every earlier one.
    pub renamed: BTreeMap<Slug, Slug>,
}

/// A course with its lessons, and its quiz as a quest.
#[derive(Clone, Debug)]
pub struct PackCourse {
    /// As written.
    pub course: Course,
    /// In order of days; one for each day of the course.
    pub lessons: Vec<Lesson>,
    quest: Quest,
}

impl PackCourse {
    /// Puts the lessons in order and works out the quest.
    #[must_use]
    pub fn new(course: Course, mut lessons: Vec<Lesson>) -> Self {
        lessons.sort_by_key(|lesson| lesson.day);
        let quest = quest_of(&course, &lessons);
        Self { course, lessons, quest }
    }

    /// The quiz of the course as a quest that can be launched: one round a lesson, with the
    /// questions of the day and those asked again.
    #[must_use]
    pub fn quest(&self) -> &Quest {
        &self.quest
    }

    /// The lesson of a day, from 1.
    #[must_use]
    pub fn lesson(&self, day: u8) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.day == day)
    }
}

/// A question as written, with what follows from it.
#[derive(Clone, Debug)]
pub struct PackQuestion {
    /// As written.
    pub question: Question,
    /// What is right, in the order of `options`.
    pub key: Key,
    /// How incomplete multi-select answers count.
    pub partial: Partial,
    /// Options in key order: for a single choice the right one first, so they are never shown in
    /// this order. Empty for typed answers and true or false.
    pub options: Vec<Text>,
    /// The unit beside a typed number.
    pub unit: Option<Unit>,
}

/// Looks up the value a product fact refers to. `None` where the product or the fact is missing.
pub fn fact_value(products: &BTreeMap<Slug, Product>, fact: &ProductFact) -> Option<FactValue> {
    products.get(&fact.product)?.fact(fact.field, fact.of_yuan)
}

impl PackQuestion {
    /// Works out key and options. `None` where a product fact is missing or of the wrong kind.
    #[must_use]
    pub fn resolve(question: Question, products: &BTreeMap<Slug, Product>) -> Option<Self> {
        let value = |fact: &ProductFact| fact_value(products, fact);
        let mut partial = Partial::AllOrNothing;
        let mut shown_unit = None;
        let (key, options) = match &question.body {
            Body::Single { answer, distractors } => {
                let right = match answer {
                    Answer::Plain(text) => text.clone(),
                    Answer::ProductFact(fact) => value(fact)?.text(),
                };
                let wrong = distractors.iter().map(|distractor| distractor.text.clone());
                (Key::One(0), std::iter::once(right).chain(wrong).collect())
            }
            Body::Multi { options, partial: how } => {
                partial = *how;
                (Key::Many(right_bits(options)), options.iter().map(|o| o.text.clone()).collect())
            }
            Body::TrueFalse { answer: TrueFalse::Plain(right) } => (Key::Bool(*right), Vec::new()),
            Body::TrueFalse { answer: TrueFalse::FactIs { fact, claim } } => {
                (Key::Bool(value(fact)?.to_string() == *claim), Vec::new())
            }
            Body::Number { answer, unit, tolerance } => {
                shown_unit = Some(*unit);
                let right = match answer {
                    Answer::Plain(number) => *number,
                    Answer::ProductFact(fact) => match value(fact)? {
                        FactValue::Number(number, of) if of == *unit => number,
                        _ => return None,
                    },
                };
                (Key::Number { value: right, tolerance: *tolerance }, Vec::new())
            }
            Body::Typed { answer, also } => {
                let right = match answer {
                    Answer::Plain(text) => text.clone(),
                    Answer::ProductFact(fact) => value(fact)?.to_string(),
                };
                let texts = std::iter::once(&right).chain(also);
                (Key::Text(texts.map(|text| FoldedHash::of(text)).collect()), Vec::new())
            }
        };
        Some(Self { question, key, partial, options, unit: shown_unit })
    }

    /// The products it is about: by its fact, and by its source. One may come twice.
    pub fn products(&self) -> impl Iterator<Item = &Slug> {
        let fact = fact_of(&self.question.body).map(|fact| &fact.product);
        let source = source_product(&self.question.source).map(|(product, _)| product);
        fact.into_iter().chain(source)
    }

    /// Options a member chooses among; 0 for typed answers and true or false.
    #[must_use]
    pub fn option_count(&self) -> u8 {
        u8::try_from(self.options.len()).unwrap_or(u8::MAX)
    }
}

fn right_bits(options: &[MultiOption]) -> u32 {
    options
        .iter()
        .take(32)
        .enumerate()
        .fold(0, |bits, (i, option)| bits | (u32::from(option.right) << i))
}

/// Folder of the quests that courses become.
const COURSES: &str = "courses/";

impl Pack {
    /// A quest by its id, the quizzes of courses among them.
    #[must_use]
    pub fn quest(&self, id: &Slug) -> Option<&Quest> {
        match id.as_str().strip_prefix(COURSES) {
            Some(course) => Some(self.courses.get(&course.parse().ok()?)?.quest()),
            None => self.quests.get(id),
        }
    }

    /// The id under which the quiz of a course is launched. `None` where it would be too long for
    /// an id.
    #[must_use]
    pub fn course_quest(course: &Slug) -> Option<Slug> {
        format!("{COURSES}{course}").parse().ok()
    }

    /// Whether a quest is the quiz of a course.
    #[must_use]
    pub fn is_course_quest(id: &Slug) -> bool {
        id.as_str().starts_with(COURSES)
    }

    /// The current id for `id`, following renames.
    #[must_use]
    #[inline]
    pub fn current<'a>(&'a self, id: &'a Slug) -> &'a Slug {
        self.renamed.get(id).unwrap_or(id)
    }
}

/// The difference of two decimals without overflow, in millionths.
#[must_use]
pub fn distance(a: Decimal, b: Decimal) -> u64 {
    a.micros().abs_diff(b.micros())
}
