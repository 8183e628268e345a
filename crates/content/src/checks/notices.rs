//! Every text carries the notices its kind needs (domain 1.4).

use dengmi_core::Slug;

use crate::codes;
use crate::content::{Content, Item, Kind, Place, fact_of};
use crate::diagnostic::{Said, say};
use crate::model::lesson::TaskEvidence;
use crate::model::{FactField, Lesson, Product, Purpose, Quest};
use crate::source::Report;

/// The standard notices, with what they are about in Chinese and English.
const STANDARD: [(&str, &str, &str); 7] = [
    ("n1", "风险提示", "the risk notice"),
    ("n2", "业绩比较基准不是承诺", "a benchmark is no promise"),
    ("n3", "过往业绩不代表未来", "past performance"),
    ("n4", "模拟投资", "mock investing"),
    ("n5", "阅读基金合同", "read the fund contract"),
    ("n6", "抽奖规则", "rules of draws"),
    ("n7", "投教内容，不作推荐", "education, no recommendation"),
];

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    standard(content, report);
    for product in content.products.iter() {
        let reasons = of_product(&product.value);
        needed(content, &product.place, &product.value.notices, &reasons, report);
    }
    for quest in content.quests.iter() {
        let reasons = of_quest(content, quest);
        needed(content, &quest.place, &quest.value.notices, &reasons, report);
    }
    for quest in content.course_quests.iter() {
        let mut reasons = of_quest(content, quest);
        reasons.push(("n4", "有模拟投资的课程", "a course with mock investing"));
        needed(content, &quest.place, &quest.value.notices, &reasons, report);
    }
    for lesson in content.lessons.iter() {
        let reasons = of_lesson(content, &lesson.value);
        needed(content, &lesson.place, &lesson.value.notices, &reasons, report);
    }
}

/// With products in a pack, the standard notices are in it too.
fn standard(content: &Content<'_>, report: &mut Report) {
    if content.products.is_empty() {
        return;
    }
    for (id, zh, en) in STANDARD {
        let Ok(slug) = id.parse::<Slug>() else { continue };
        if content.notices.get(&slug).is_none() && !content.is_broken(Kind::Notice, id) {
            let message = Said::new(
                format!("缺标准提示语 `{id}`（{zh}）"),
                format!("the standard notice `{id}` ({en}) is missing"),
            );
            let help = say!("在提示语文件中补上", "add it to a file of notices");
            match content.notice_files.first() {
                Some(file) => {
                    let at = content.at(&file.place, "notices");
                    report.error(codes::NOTICE_UNDEFINED, at, message, help);
                }
                None => report.file_error(
                    codes::NOTICE_UNDEFINED,
                    "content/notices/standard.ron",
                    message,
                    help,
                ),
            }
        }
    }
}

/// A notice that is needed, and why: id, Chinese, English.
type Reason = (&'static str, &'static str, &'static str);

fn of_product(product: &Product) -> Vec<Reason> {
    let cases = [
        (!product.class.is_deposit(), ("n1", "理财或基金产品", "a wealth product or fund")),
        (
            product.benchmark.is_some(),
            ("n2", "展示业绩比较基准的页面（C10）", "a page with a benchmark (C10)"),
        ),
        (
            product.performance.is_some(),
            ("n3", "展示过往业绩的页面（C11）", "a page with past performance (C11)"),
        ),
        (product.class.is_fund(), ("n5", "基金产品", "a fund")),
    ];
    cases.into_iter().filter(|case| case.0).map(|(_, reason)| reason).collect()
}

fn of_quest(content: &Content<'_>, quest: &Item<Quest>) -> Vec<Reason> {
    let questions = || content.questions_of(&quest.value).map(|(_, question)| question);
    let invests = questions()
        .flat_map(|question| content.products_of(&question.value))
        .any(|product| !product.value.class.is_deposit());
    let benchmark = questions()
        .filter_map(|question| fact_of(&question.value.body))
        .any(|fact| matches!(fact.field, FactField::BenchmarkLow | FactField::BenchmarkHigh));
    let cases = [
        (
            quest.value.purpose == Purpose::Education,
            ("n7", "投教活动（C22）", "an education quest (C22)"),
        ),
        (
            invests,
            ("n1", "展示理财或基金产品的活动", "a quest that shows a wealth product or fund"),
        ),
        (
            benchmark,
            ("n2", "考业绩比较基准的活动（C10）", "a quest that asks for a benchmark (C10)"),
        ),
    ];
    cases.into_iter().filter(|case| case.0).map(|(_, reason)| reason).collect()
}

fn of_lesson(content: &Content<'_>, lesson: &Lesson) -> Vec<Reason> {
    let questions =
        || lesson.questions.iter().chain(&lesson.review).filter_map(|id| content.question(id));
    let sheets = || lesson.sheets.iter().filter_map(|id| content.product(id));
    let asked = questions().flat_map(|question| content.products_of(&question.value));
    let mut shown = sheets().chain(asked);
    let benchmark = questions()
        .filter_map(|question| fact_of(&question.value.body))
        .any(|fact| matches!(fact.field, FactField::BenchmarkLow | FactField::BenchmarkHigh));
    let cases = [
        (true, ("n7", "一堂课（C22）", "a lesson (C22)")),
        (
            matches!(lesson.mock.done_by, TaskEvidence::Order(_)),
            ("n4", "要在模拟账户下单的课", "a lesson with a mock order"),
        ),
        (
            shown.any(|product| !product.value.class.is_deposit()),
            ("n1", "展示理财或基金产品的课", "a lesson that shows a wealth product or fund"),
        ),
        (
            benchmark || sheets().any(|sheet| sheet.value.benchmark.is_some()),
            ("n2", "展示业绩比较基准的课（C10）", "a lesson with a benchmark (C10)"),
        ),
        (
            sheets().any(|sheet| sheet.value.performance.is_some()),
            ("n3", "展示过往业绩的课（C11）", "a lesson with past performance (C11)"),
        ),
    ];
    cases.into_iter().filter(|case| case.0).map(|(_, reason)| reason).collect()
}

fn needed(
    content: &Content<'_>,
    place: &Place,
    notices: &[Slug],
    reasons: &[Reason],
    report: &mut Report,
) {
    for (id, zh, en) in reasons {
        if !notices.iter().any(|notice| content.current(notice).as_str() == *id) {
            let message = Said::new(
                format!("缺提示语 `{id}`：这是{zh}"),
                format!("the notice `{id}` is missing: this is {en}"),
            );
            let help = say!("在 `notices` 中加上 `\"{id}\"`", "add `\"{id}\"` to `notices`");
            report.error(codes::NOTICE_NEEDED, content.at(place, "notices"), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{base_with, check, check_files};
    use crate::codes::*;

    #[test]
    fn each_kind_carries_its_notices() {
        let steady = "content/products/wealth/steady.ron";
        let all = r#"["n1", "n2", "n3"]"#;
        for less in [r#"["n2", "n3"]"#, r#"["n1", "n3"]"#, r#"["n1", "n2"]"#] {
            check(steady, all, less, &[(NOTICE_NEEDED, less)]);
        }
        let index = "content/products/fund/index.ron";
        check(index, r#"["n1", "n5"]"#, r#"["n1"]"#, &[(NOTICE_NEEDED, r#"["n1"]"#)]);
        let quiz = "quests/quiz.ron";
        check(quiz, r#"["n1", "n7"]"#, r#"["n1"]"#, &[(NOTICE_NEEDED, r#"["n1"]"#)]);
        check(quiz, r#"["n1", "n7"]"#, r#"["n7"]"#, &[(NOTICE_NEEDED, r#"["n7"]"#)]);
        check(quiz, "pages/lock-up", "pages/lower-end", &[(NOTICE_NEEDED, r#"["n1", "n7"]"#)]);
    }

    #[test]
    fn the_standard_notices_are_defined() {
        let notices = "content/notices/standard.ron";
        let n4 = "(id: \"n4\", text: {\"zh-CN\": \"模拟投资,不构成投资建议\"}),";
        check(notices, n4, "", &[(NOTICE_UNDEFINED, "[")]);
        check(
            notices,
            n4,
            "(id: \"n3\", text: {\"zh-CN\": \"x\"}),",
            &[(ID_TWICE, "\"n3\""), (NOTICE_UNDEFINED, "[")],
        );
        let mut files = base_with(&[]);
        files.retain(|file| {
            file.path == "content/products/fund/index.ron" || file.path.ends_with("points.ron")
        });
        let dead = [(DEAD_NOTICE, "\"n1\""), (DEAD_NOTICE, "\"n5\"")];
        let undefined = std::iter::repeat_n((NOTICE_UNDEFINED, ""), 7);
        check_files(&files, &undefined.chain(dead).collect::<Vec<_>>());
    }
}
