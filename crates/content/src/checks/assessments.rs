//! Risk questionnaires: questions that tell members apart, levels that can be reached, limits of C02.

use crate::checks::questions::translated;
use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::say;
use crate::model::assessment::ClientLevel;
use crate::model::{Assessment, Text};
use crate::source::Report;

/// Least number of questions.
const QUESTIONS_MIN: usize = 5;

/// Options of a question.
const OPTIONS: std::ops::RangeInclusive<usize> = 2..=6;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for assessment in content.assessments.iter() {
        questions(content, assessment, report);
        levels(content, assessment, report);
        limits(content, assessment, report);
        texts(content, assessment, report);
    }
}

fn questions(content: &Content<'_>, assessment: &Item<Assessment>, report: &mut Report) {
    let questions = &assessment.value.questions;
    if questions.len() < QUESTIONS_MIN {
        let message = say!(
            "问卷只有 {count} 个问题",
            "a questionnaire of {count} questions",
            count = questions.len()
        );
        let help = say!(
            "至少 {QUESTIONS_MIN} 个：年龄、收入、期限、经验、能承受的亏损",
            "ask at least {QUESTIONS_MIN}: age, income, horizon, experience, loss"
        );
        let at = content.at(&assessment.place, "questions");
        report.error(codes::ASSESSMENT_QUESTION, at, message, help);
    }
    for (index, question) in questions.iter().enumerate() {
        let at = |field: &str| content.at(&assessment.place, &format!("questions.{index}.{field}"));
        let id = &question.id;
        if id.as_str().contains('/') || questions[..index].iter().any(|other| other.id == *id) {
            let message = say!(
                "问题 id `{id}` 用了两次，或不止一段",
                "the question's id `{id}` is used twice, or has more than one part"
            );
            let help = say!("换一个简短的 id", "give it a short id of its own");
            report.error(codes::ASSESSMENT_QUESTION, at("id"), message, help);
        }
        let count = question.options.len();
        if !OPTIONS.contains(&count) {
            let message = say!("这个问题有 {count} 个选项", "a question with {count} options");
            let help = say!("请写 2 到 6 个", "write 2 to 6");
            report.error(codes::ASSESSMENT_QUESTION, at("options"), message, help);
            continue;
        }
        let first = &question.options[0];
        let same = |o: &&crate::model::assessment::AssessmentOption| {
            o.points == first.points && o.at_most == first.at_most
        };
        if question.options.iter().filter(same).count() == count {
            let message = say!(
                "各选项分数一样，问了也没有用",
                "all options count the same, so the question tells nothing"
            );
            let help = say!("给选项不同的分数，或删去问题", "count them differently, or remove it");
            report.error(codes::ASSESSMENT_QUESTION, at("options"), message, help);
        }
    }
}

/// The first level begins at 0, each at more than the one before, and the last can be reached.
fn levels(content: &Content<'_>, assessment: &Item<Assessment>, report: &mut Report) {
    let Assessment { levels, questions, .. } = &assessment.value;
    let best = |question: &crate::model::assessment::AssessmentQuestion| {
        let open =
            question.options.iter().filter(|o| o.at_most.is_none_or(|c| c == ClientLevel::C5));
        open.map(|option| u32::from(option.points)).max()
    };
    let most: Option<u32> = questions.iter().map(best).sum();
    let at = || content.at(&assessment.place, "levels");
    if levels[0] != 0 || levels.windows(2).any(|pair| pair[0] >= pair[1]) {
        let message = say!("C1 到 C5 的分数线没有从 0 依次升高", "the levels do not rise from 0");
        let help = say!(
            "例如 `(0, 21, 41, 61, 81)`：从几分起是 C1、C2、C3、C4、C5",
            "write for example `(0, 21, 41, 61, 81)`: from which points C1 to C5 begin"
        );
        report.error(codes::ASSESSMENT_LEVELS, at(), message, help);
    } else if most.is_none_or(|most| most < u32::from(levels[4])) {
        let most = most.unwrap_or(0);
        let message = say!(
            "最多只能得 {most} 分，到不了 C5",
            "nobody can reach C5: the most is {most} points"
        );
        let help = say!("调低分数线，或调高选项的分数", "lower the level, or count options higher");
        report.error(codes::ASSESSMENT_LEVELS, at(), message, help);
    }
}

fn limits(content: &Content<'_>, assessment: &Item<Assessment>, report: &mut Report) {
    let value = &assessment.value;
    let limits = [
        ("validity_days", value.validity_days, 1, 365),
        ("per_day", u16::from(value.per_day), 1, 2),
        ("per_year", u16::from(value.per_year), 1, 8),
        ("min_age", u16::from(value.min_age), 18, 120),
    ];
    for (field, number, least, most) in limits {
        if !(least..=most).contains(&number) {
            let message = say!("`{field}` 写了 {number}", "`{field}` is {number}");
            let help = say!(
                "请写 {least} 到 {most}：结果最长一年，一天最多两次，一年最多八次，成年人才测（C02、C04）",
                "write {least} to {most}: a result holds a year at most, two a day, eight a year, \
                 adults only (C02, C04)"
            );
            let at = content.at(&assessment.place, field);
            report.error(codes::ASSESSMENT_LIMITS, at, message, help);
        }
    }
}

fn texts(content: &Content<'_>, assessment: &Item<Assessment>, report: &mut Report) {
    let value = &assessment.value;
    let mut texts: Vec<(String, &Text)> =
        vec![("summary".to_owned(), &value.summary), ("age_note".to_owned(), &value.age_note)];
    for (q, question) in value.questions.iter().enumerate() {
        texts.push((format!("questions.{q}.text"), &question.text));
        let options = question.options.iter().enumerate();
        texts.extend(
            options.map(|(o, option)| (format!("questions.{q}.options.{o}.text"), &option.text)),
        );
    }
    let place = &assessment.place;
    translated(content, place, ("标题", "title"), &value.title, texts, report);
}
