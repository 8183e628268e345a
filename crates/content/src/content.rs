//! Everything that could be read, with places, for the checks; and the pack made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dengmi_core::{Day, Digest, Slug};

use crate::courses::{is_lesson_of, quest_of};
use crate::model::notice::NoticeFile;
use crate::model::question::{AnswerSource, TrueFalse};
use crate::model::{
    Answer, Assessment, Body, CommunityFile, Course, FactValue, Lesson, Market, Notice, PointsFile,
    Product, ProductFact, Quest, QuestKind, Question, QuestionFile, RewardRule, Scenario,
    WordsFile,
};
use crate::pack::{Pack, PackCourse, PackQuestion};
use crate::source::{At, Source};

/// What a file or a part of one is, by its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Product,
    Question,
    Points,
    Rule,
    Community,
    Notice,
    Words,
    Quest,
    Course,
    Lesson,
    Assessment,
    Market,
    Scenario,
}

impl Kind {
    /// For messages: Chinese, English.
    pub(crate) fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Product => ("产品", "product"),
            Self::Question => ("题目", "question"),
            Self::Points => ("积分计划", "points programme"),
            Self::Rule => ("奖励规则", "reward rule"),
            Self::Community => ("社群", "community"),
            Self::Notice => ("提示语", "notice"),
            Self::Words => ("词表", "word list"),
            Self::Quest => ("活动", "quest"),
            Self::Course => ("课程", "course"),
            Self::Lesson => ("课", "lesson"),
            Self::Assessment => ("风险测评问卷", "risk questionnaire"),
            Self::Market => ("模拟市场", "market"),
            Self::Scenario => ("剧本", "scenario"),
        }
    }

    /// Where files of this kind are.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Product => "content/products/",
            Self::Question => "content/questions/",
            Self::Points | Self::Rule => "content/rewards/",
            Self::Community => "content/communities/",
            Self::Notice => "content/notices/",
            Self::Words => "content/words/",
            Self::Quest => "quests/",
            Self::Course | Self::Lesson => "courses/",
            Self::Assessment => "content/assessments/",
            Self::Market => "content/markets/",
            Self::Scenario => "content/scenarios/",
        }
    }
}

/// Where an item stands: a file, and a dotted path in it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) path: String,
}

/// A value with its id and place.
#[derive(Clone, Debug)]
pub(crate) struct Item<T> {
    pub(crate) id: Slug,
    pub(crate) place: Place,
    pub(crate) value: T,
}

/// Items of one kind by id.
#[derive(Debug)]
pub(crate) struct Items<T> {
    by_id: BTreeMap<Slug, Item<T>>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { by_id: BTreeMap::new() }
    }
}

impl<T> Items<T> {
    /// Adds an item; gives the place of the earlier one where the id is taken.
    pub(crate) fn add(&mut self, item: Item<T>) -> Option<Place> {
        if let Some(earlier) = self.by_id.get(&item.id) {
            return Some(earlier.place.clone());
        }
        self.by_id.insert(item.id.clone(), item);
        None
    }

    /// By id, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item<T>> {
        self.by_id.values()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// An item by exactly this id.
    pub(crate) fn get(&self, id: &Slug) -> Option<&Item<T>> {
        self.by_id.get(id)
    }

    fn into_values(self) -> BTreeMap<Slug, T> {
        self.by_id.into_iter().map(|(id, item)| (id, item.value)).collect()
    }
}

/// Everything that could be read.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub(crate) today: Day,
    pub(crate) sources: Vec<Source<'a>>,
    pub(crate) points: Option<Item<PointsFile>>,
    pub(crate) products: Items<Product>,
    /// Heads of question files; their `questions` are empty.
    pub(crate) question_files: Vec<Item<QuestionFile>>,
    pub(crate) questions: Items<Question>,
    pub(crate) rules: Items<RewardRule>,
    pub(crate) communities: Items<CommunityFile>,
    /// Heads of notice files; their `notices` are empty.
    pub(crate) notice_files: Vec<Item<NoticeFile>>,
    pub(crate) notices: Items<Notice>,
    pub(crate) words: Vec<Item<WordsFile>>,
    pub(crate) quests: Items<Quest>,
    pub(crate) courses: Items<Course>,
    /// By course and file: `basics-7/day-01`.
    pub(crate) lessons: Items<Lesson>,
    pub(crate) assessments: Items<Assessment>,
    /// The quiz of each course as a quest, by the id and at the place of the course.
    pub(crate) course_quests: Items<Quest>,
    pub(crate) markets: Items<Market>,
    pub(crate) scenarios: Items<Scenario>,
    /// Ids of what is there but could not be read.
    pub(crate) broken: BTreeSet<(Kind, String)>,
    /// Today's id for every earlier one.
    pub(crate) renamed: BTreeMap<Slug, Slug>,
}

impl<'a> Content<'a> {
    /// Nothing yet.
    pub(crate) fn new(today: Day) -> Self {
        Self {
            today,
            sources: Vec::new(),
            points: None,
            products: Items::default(),
            question_files: Vec::new(),
            questions: Items::default(),
            rules: Items::default(),
            communities: Items::default(),
            notice_files: Vec::new(),
            notices: Items::default(),
            words: Vec::new(),
            quests: Items::default(),
            courses: Items::default(),
            lessons: Items::default(),
            assessments: Items::default(),
            course_quests: Items::default(),
            markets: Items::default(),
            scenarios: Items::default(),
            broken: BTreeSet::new(),
            renamed: BTreeMap::new(),
        }
    }

    /// The place of a dotted path below an item.
    pub(crate) fn at(&self, place: &Place, path: &str) -> At<'_> {
        self.sources[place.source].find(&format!("{}.{path}", place.path))
    }

    /// The file an item stands in.
    pub(crate) fn source_of(&self, place: &Place) -> &Source<'a> {
        &self.sources[place.source]
    }

    /// Today's id for an id that may have been renamed.
    pub(crate) fn current<'b>(&'b self, id: &'b Slug) -> &'b Slug {
        self.renamed.get(id).unwrap_or(id)
    }

    /// A product by its id or an earlier one.
    pub(crate) fn product(&self, id: &Slug) -> Option<&Item<Product>> {
        self.products.get(id).or_else(|| self.products.get(self.current(id)))
    }

    /// A question by its id or an earlier one.
    pub(crate) fn question(&self, id: &Slug) -> Option<&Item<Question>> {
        self.questions.get(id).or_else(|| self.questions.get(self.current(id)))
    }

    /// A reward rule by its id or an earlier one.
    pub(crate) fn rule(&self, id: &Slug) -> Option<&Item<RewardRule>> {
        self.rules.get(id).or_else(|| self.rules.get(self.current(id)))
    }

    /// A market by its id or an earlier one.
    pub(crate) fn market(&self, id: &Slug) -> Option<&Item<Market>> {
        self.markets.get(id).or_else(|| self.markets.get(self.current(id)))
    }

    /// A scenario by its id or an earlier one.
    pub(crate) fn scenario(&self, id: &Slug) -> Option<&Item<Scenario>> {
        self.scenarios.get(id).or_else(|| self.scenarios.get(self.current(id)))
    }

    /// Whether something of this kind and id is there but could not be read.
    pub(crate) fn is_broken(&self, kind: Kind, id: &str) -> bool {
        let whole_file = |prefix: &str| self.broken.contains(&(kind, format!("{prefix}/*")));
        self.broken.contains(&(kind, id.to_owned()))
            || id.rsplit_once('/').is_some_and(|(file, _)| whole_file(file))
            || whole_file("")
    }

    /// The value of a product fact; `None` where the product or the fact is missing.
    pub(crate) fn fact(&self, fact: &ProductFact) -> Option<FactValue> {
        self.product(&fact.product)?.value.fact(fact.field, fact.of_yuan)
    }

    /// The products that a question is about: by its fact and by its source.
    pub(crate) fn products_of<'q>(
        &'q self,
        question: &'q Question,
    ) -> impl Iterator<Item = &'q Item<Product>> {
        let fact = fact_of(&question.body).map(|fact| &fact.product);
        let source = source_product(&question.source).map(|(product, _)| product);
        fact.into_iter().chain(source).filter_map(|id| self.product(id))
    }

    /// The questions of a quest, with the dotted path of each reference; those that could not be
    /// read are left out.
    pub(crate) fn questions_of<'q>(
        &'q self,
        quest: &'q Quest,
    ) -> impl Iterator<Item = (String, &'q Item<Question>)> {
        let mut references: Vec<(String, &Slug)> = Vec::new();
        match &quest.kind {
            QuestKind::QuizSeries(series) => {
                for (r, round) in series.rounds.iter().enumerate() {
                    let ids = round.questions.iter().enumerate();
                    references
                        .extend(ids.map(|(q, id)| (format!("kind.rounds.{r}.questions.{q}"), id)));
                }
            }
            QuestKind::MomentsChallenge(moments) => {
                references
                    .extend(moments.question.iter().map(|id| ("kind.question".to_owned(), id)));
            }
            QuestKind::CheckInStreak(_) => {}
        }
        references.into_iter().filter_map(|(path, id)| Some((path, self.question(id)?)))
    }

    /// The lessons of a course that could be read, in order of their files.
    pub(crate) fn lessons_of<'c>(
        &'c self,
        course: &'c Slug,
    ) -> impl Iterator<Item = &'c Item<Lesson>> {
        self.lessons.iter().filter(move |lesson| is_lesson_of(&lesson.id, course))
    }

    /// Works out the quest of every course.
    pub(crate) fn derive_quests(&mut self) {
        let quests: Vec<Item<Quest>> = self
            .courses
            .iter()
            .map(|course| {
                let lessons = self.lessons_of(&course.id).map(|lesson| &lesson.value);
                let value = quest_of(&course.value, lessons);
                Item { id: course.id.clone(), place: course.place.clone(), value }
            })
            .collect();
        quests.into_iter().for_each(|quest| {
            self.course_quests.add(quest);
        });
    }

    /// Quests and the quizzes of courses: what is checked of both.
    pub(crate) fn all_quests(&self) -> impl Iterator<Item = &Item<Quest>> {
        self.quests.iter().chain(self.course_quests.iter())
    }

    /// The pack; `None` where something that was taken for faultless cannot be resolved.
    pub(crate) fn into_pack(mut self, digest: Digest) -> Option<Pack> {
        let renamed = std::mem::take(&mut self.renamed);
        let current = |id: &mut Slug| {
            if let Some(today) = renamed.get(id) {
                *id = today.clone();
            }
        };
        let mut products = self.products.into_values();
        let mut communities = self.communities.into_values();
        let mut quests = self.quests.into_values();
        products.values_mut().flat_map(|product| &mut product.notices).for_each(current);
        communities.values_mut().flat_map(|community| &mut community.notices).for_each(current);
        for quest in quests.values_mut() {
            quest.rewards.iter_mut().chain(&mut quest.notices).for_each(current);
            match &mut quest.kind {
                QuestKind::QuizSeries(series) => {
                    series.rounds.iter_mut().flat_map(|r| &mut r.questions).for_each(current);
                }
                QuestKind::MomentsChallenge(moments) => {
                    moments.question.iter_mut().for_each(current)
                }
                QuestKind::CheckInStreak(_) => {}
            }
        }
        let mut courses = BTreeMap::new();
        for (id, mut course) in self.courses.into_values() {
            let own = |lesson: &Item<Lesson>| is_lesson_of(&lesson.id, &id);
            let lessons = self.lessons.iter().filter(|lesson| own(lesson));
            let mut lessons: Vec<Lesson> = lessons.map(|lesson| lesson.value.clone()).collect();
            course_ids(&mut course).for_each(current);
            lessons.iter_mut().flat_map(lesson_ids).for_each(current);
            courses.insert(id, Arc::new(PackCourse::new(course, lessons)));
        }
        let mut assessments = self.assessments.into_values();
        assessments.values_mut().flat_map(|asked| &mut asked.notices).for_each(current);
        let mut markets = self.markets.into_values();
        let sheets = markets.values_mut().flat_map(|market| &mut market.assets);
        sheets.filter_map(|asset| asset.sheet.as_mut()).for_each(current);
        let mut scenarios = self.scenarios.into_values();
        scenarios.values_mut().map(|scenario| &mut scenario.market).for_each(current);
        let mut questions = BTreeMap::new();
        for (id, mut question) in self.questions.into_values() {
            product_ids(&mut question).for_each(current);
            questions.insert(id, PackQuestion::resolve(question, &products)?);
        }
        let mut words = WordsFile {
            schema: crate::model::SCHEMA,
            block: Vec::new(),
            allow: Vec::new(),
            low_risk_only: Vec::new(),
        };
        for list in self.words {
            words.block.extend(list.value.block);
            words.allow.extend(list.value.allow);
            words.low_risk_only.extend(list.value.low_risk_only);
        }
        Some(Pack {
            digest,
            points: self.points?.value,
            products,
            questions,
            rules: self.rules.into_values(),
            communities,
            notices: self.notices.into_values(),
            words,
            quests,
            courses,
            assessments,
            markets,
            scenarios,
            renamed,
        })
    }
}

/// Every id of a course that may have been renamed.
fn course_ids(course: &mut Course) -> impl Iterator<Item = &mut Slug> {
    let paired = course.paired.iter_mut().flat_map(|pair| [&mut pair.before, &mut pair.after]);
    let lists = course.rewards.iter_mut().chain(&mut course.notices);
    lists.chain(paired).chain([&mut course.assessment, &mut course.mock.scenario])
}

/// Every id of a lesson that may have been renamed.
fn lesson_ids(lesson: &mut Lesson) -> impl Iterator<Item = &mut Slug> {
    let questions = lesson.questions.iter_mut().chain(&mut lesson.review);
    questions.chain(&mut lesson.sheets).chain(&mut lesson.notices)
}

/// The product fact a question's answer is taken from.
pub(crate) fn fact_of(body: &Body) -> Option<&ProductFact> {
    match body {
        Body::Single { answer: Answer::ProductFact(fact), .. }
        | Body::Number { answer: Answer::ProductFact(fact), .. }
        | Body::Typed { answer: Answer::ProductFact(fact), .. }
        | Body::TrueFalse { answer: TrueFalse::FactIs { fact, .. } } => Some(fact),
        _ => None,
    }
}

/// Where the product fact of an answer stands in a question.
pub(crate) fn fact_path(body: &Body) -> &'static str {
    if matches!(body, Body::TrueFalse { .. }) { "body.answer.fact" } else { "body.answer" }
}

/// The product a question's source names.
pub(crate) fn source_product(source: &AnswerSource) -> Option<(&Slug, u16)> {
    match source {
        AnswerSource::ProductPage { product, version }
        | AnswerSource::SampleSheet { product, version } => Some((product, *version)),
        AnswerSource::Poster(_) | AnswerSource::Lesson(_) => None,
    }
}

fn product_ids(question: &mut Question) -> impl Iterator<Item = &mut Slug> {
    let fact = match &mut question.body {
        Body::Single { answer: Answer::ProductFact(fact), .. }
        | Body::Number { answer: Answer::ProductFact(fact), .. }
        | Body::Typed { answer: Answer::ProductFact(fact), .. }
        | Body::TrueFalse { answer: TrueFalse::FactIs { fact, .. } } => Some(&mut fact.product),
        _ => None,
    };
    let source = match &mut question.source {
        AnswerSource::ProductPage { product, .. } | AnswerSource::SampleSheet { product, .. } => {
            Some(product)
        }
        AnswerSource::Poster(_) | AnswerSource::Lesson(_) => None,
    };
    fact.into_iter().chain(source)
}
