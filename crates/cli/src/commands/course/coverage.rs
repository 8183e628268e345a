//! What a course teaches, asks and asks again, and what it leaves out.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_content::model::{Lesson, Purpose};
use dengmi_content::{Pack, PackCourse};
use dengmi_core::Slug;
use serde::Serialize;

use crate::layout;

/// The coverage of a course.
#[derive(Debug, Serialize)]
pub(super) struct Coverage {
    course: String,
    title: String,
    days: u8,
    lessons: Vec<LessonRow>,
    questions: Vec<QuestionRow>,
    concepts: Vec<ConceptRow>,
    gaps: Vec<Gap>,
}

#[derive(Debug, Serialize)]
struct LessonRow {
    day: u8,
    title: String,
    purpose: &'static str,
    minutes: u8,
    messages: usize,
    worked: usize,
    questions: usize,
    review: usize,
    sheets: Vec<String>,
}

#[derive(Debug, Serialize)]
struct QuestionRow {
    day: u8,
    concept: String,
    question: String,
    /// Days on which it comes back.
    again: Vec<u8>,
    products: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ConceptRow {
    concept: String,
    taught: Vec<u8>,
    questions: usize,
    /// Times it is asked, with what comes back.
    asked: usize,
}

/// Something an author may want to add.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Gap {
    kind: &'static str,
    day: u8,
    /// The concept, question or product; empty where it is the lesson.
    what: String,
}

/// Kinds of gaps in Chinese and English.
const GAPS: [(&str, &str, &str); 5] = [
    ("never-asked", "教了没考", "taught, never asked"),
    ("asked-once", "只考一次", "asked only once"),
    ("never-again", "没有复习", "never asked again"),
    ("nothing-worked", "没有算好的例子", "no worked number"),
    ("sheet-not-asked", "说明书没有题", "a sheet nobody is asked about"),
];

/// Works it out.
pub(super) fn of(pack: &Pack, id: &Slug, course: &PackCourse) -> Coverage {
    let questions: Vec<QuestionRow> = course
        .lessons
        .iter()
        .flat_map(|lesson| lesson.questions.iter().map(move |question| (lesson, question)))
        .filter_map(|(lesson, question)| question_row(pack, course, lesson, question))
        .collect();
    let concepts = concept_rows(course, &questions);
    let gaps = gaps(course, &questions, &concepts);
    let title = &course.course.title;
    Coverage {
        course: id.to_string(),
        title: format!("{} {}", title.zh(), title.get("en")),
        days: course.course.days,
        lessons: course.lessons.iter().map(lesson_row).collect(),
        questions,
        concepts,
        gaps,
    }
}

fn lesson_row(lesson: &Lesson) -> LessonRow {
    LessonRow {
        day: lesson.day,
        title: lesson.title.zh().to_owned(),
        purpose: match lesson.purpose {
            Purpose::Education => "education",
            Purpose::Marketing => "marketing",
        },
        minutes: lesson.minutes,
        messages: lesson.blocks.len(),
        worked: lesson.worked.len(),
        questions: lesson.questions.len(),
        review: lesson.review.len(),
        sheets: lesson.sheets.iter().map(Slug::to_string).collect(),
    }
}

fn question_row(
    pack: &Pack,
    course: &PackCourse,
    lesson: &Lesson,
    id: &Slug,
) -> Option<QuestionRow> {
    let question = pack.questions.get(id)?;
    let again = course.lessons.iter().filter(|later| later.review.contains(id));
    let products: BTreeSet<String> = question.products().map(Slug::to_string).collect();
    Some(QuestionRow {
        day: lesson.day,
        concept: question.question.concept.to_string(),
        question: id.to_string(),
        again: again.map(|later| later.day).collect(),
        products: products.into_iter().collect(),
    })
}

fn concept_rows(course: &PackCourse, questions: &[QuestionRow]) -> Vec<ConceptRow> {
    let mut taught: BTreeMap<&Slug, Vec<u8>> = BTreeMap::new();
    for lesson in &course.lessons {
        for concept in &lesson.concepts {
            taught.entry(concept).or_default().push(lesson.day);
        }
    }
    let mut rows: Vec<ConceptRow> = taught
        .into_iter()
        .map(|(concept, taught)| {
            let own = questions.iter().filter(|question| question.concept == concept.as_str());
            let again: usize = own.clone().map(|question| question.again.len()).sum();
            let count = own.count();
            let concept = concept.to_string();
            ConceptRow { concept, taught, questions: count, asked: count + again }
        })
        .collect();
    rows.sort_by(|a, b| (&a.taught, &a.concept).cmp(&(&b.taught, &b.concept)));
    rows
}

fn gaps(course: &PackCourse, questions: &[QuestionRow], concepts: &[ConceptRow]) -> Vec<Gap> {
    let gap = |kind, day, what: &str| Gap { kind, day, what: what.to_owned() };
    let mut gaps = Vec::new();
    for concept in concepts {
        let day = concept.taught.first().copied().unwrap_or(0);
        match concept.asked {
            0 => gaps.push(gap("never-asked", day, &concept.concept)),
            1 => gaps.push(gap("asked-once", day, &concept.concept)),
            _ => {}
        }
    }
    for question in questions {
        // What is asked on the last day cannot come back.
        if question.again.is_empty() && question.day < course.course.days {
            gaps.push(gap("never-again", question.day, &question.question));
        }
    }
    for lesson in &course.lessons {
        if lesson.worked.is_empty() {
            gaps.push(gap("nothing-worked", lesson.day, ""));
        }
        for sheet in &lesson.sheets {
            let about = |question: &QuestionRow| {
                question.products.iter().any(|product| product == sheet.as_str())
            };
            if !questions.iter().any(about) {
                gaps.push(gap("sheet-not-asked", lesson.day, sheet.as_str()));
            }
        }
    }
    gaps
}

fn days(days: &[u8]) -> String {
    days.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

fn asked(question: &QuestionRow) -> (u8, Vec<String>) {
    let row = vec![
        question.day.to_string(),
        question.concept.clone(),
        question.question.clone(),
        dash(days(&question.again)),
        dash(question.products.join(" ")),
    ];
    (question.day, row)
}

fn dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

impl Coverage {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let head = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let mut lines = vec![
            format!("{} ({})", self.title, self.course),
            format!(
                "{} 天 days · {} 个知识点 concepts · {} 道题 questions · {} 处缺口 gaps",
                self.days,
                self.concepts.len(),
                self.questions.len(),
                self.gaps.len()
            ),
            String::new(),
        ];
        let mut rows = vec![head(&[
            "天 day",
            "分钟 min",
            "消息 messages",
            "算例 worked",
            "新题 new",
            "复习 again",
            "说明书 sheets",
            "课 lesson",
        ])];
        for lesson in &self.lessons {
            let marketing = if lesson.purpose == "marketing" { " (营销 marketing)" } else { "" };
            rows.push(vec![
                lesson.day.to_string(),
                lesson.minutes.to_string(),
                lesson.messages.to_string(),
                lesson.worked.to_string(),
                lesson.questions.to_string(),
                lesson.review.to_string(),
                dash(lesson.sheets.join(" ")),
                format!("{}{marketing}", lesson.title),
            ]);
        }
        lines.extend(layout::table(&rows));
        lines.push(String::new());

        let mut rows = vec![head(&[
            "天 day",
            "知识点 concept",
            "题目 question",
            "复习日 again on",
            "产品 products",
        ])];
        let mut asked: Vec<(u8, Vec<String>)> = self.questions.iter().map(asked).collect();
        for concept in self.concepts.iter().filter(|concept| concept.questions == 0) {
            let day = concept.taught.first().copied().unwrap_or(0);
            let none = "没有题 none".to_owned();
            asked.push((day, vec![day.to_string(), concept.concept.clone(), none]));
        }
        // By day, then by concept; questions of one concept stay in the order of asking.
        asked.sort_by(|(a, left), (b, right)| (a, &left[1]).cmp(&(b, &right[1])));
        rows.extend(asked.into_iter().map(|(_, row)| row));
        lines.extend(layout::table(&rows));
        lines.push(String::new());

        for (kind, zh, en) in GAPS {
            let of_kind: Vec<&Gap> = self.gaps.iter().filter(|gap| gap.kind == kind).collect();
            if of_kind.is_empty() {
                continue;
            }
            lines.push(format!("缺口 gap: {zh} {en} ({})", of_kind.len()));
            for gap in of_kind {
                let what = dash(gap.what.clone());
                lines.push(format!("  第 {} 天 day {}  {what}", gap.day, gap.day));
            }
        }
        if self.gaps.is_empty() {
            lines.push("没有缺口 no gaps".to_owned());
        }
        lines.push(String::new());
        lines
    }
}
