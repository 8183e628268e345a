//! Every text carries the notices its kind needs (domain 1.4).

use dengmi_core::Slug;

use crate::codes;
use crate::content::{Content, Item, Kind, Place, fact_of};
use crate::model::{FactField, Product, Purpose, Quest};
use crate::source::Report;

/// The standard notices, with what they are about.
const STANDARD: [(&str, &str); 7] = [
    ("n1", "the risk notice"),
    ("n2", "a benchmark is no promise"),
    ("n3", "past performance"),
    ("n4", "mock investing"),
    ("n5", "read the fund contract"),
    ("n6", "rules of draws"),
    ("n7", "education, no recommendation"),
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
}

/// With products in a pack, the standard notices are in it too.
fn standard(content: &Content<'_>, report: &mut Report) {
    if content.products.is_empty() {
        return;
    }
    for (id, about) in STANDARD {
        let Ok(slug) = id.parse::<Slug>() else { continue };
        if content.notices.get(&slug).is_none() && !content.is_broken(Kind::Notice, id) {
            let message = format!("the standard notice `{id}` ({about}) is missing");
            let help = "add it to a file of notices";
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

fn of_product(product: &Product) -> Vec<(&'static str, &'static str)> {
    let cases = [
        (!product.class.is_deposit(), "n1", "a wealth product or fund"),
        (product.benchmark.is_some(), "n2", "a page with a benchmark (C10)"),
        (product.performance.is_some(), "n3", "a page with past performance (C11)"),
        (product.class.is_fund(), "n5", "a fund"),
    ];
    cases.into_iter().filter(|case| case.0).map(|(_, id, why)| (id, why)).collect()
}

fn of_quest(content: &Content<'_>, quest: &Item<Quest>) -> Vec<(&'static str, &'static str)> {
    let questions = || content.questions_of(&quest.value).map(|(_, question)| question);
    let invests = questions()
        .flat_map(|question| content.products_of(&question.value))
        .any(|product| !product.value.class.is_deposit());
    let benchmark = questions()
        .filter_map(|question| fact_of(&question.value.body))
        .any(|fact| matches!(fact.field, FactField::BenchmarkLow | FactField::BenchmarkHigh));
    let cases = [
        (quest.value.purpose == Purpose::Education, "n7", "an education quest (C22)"),
        (invests, "n1", "a quest that shows a wealth product or fund"),
        (benchmark, "n2", "a quest that asks for a benchmark (C10)"),
    ];
    cases.into_iter().filter(|case| case.0).map(|(_, id, why)| (id, why)).collect()
}

fn needed(
    content: &Content<'_>,
    place: &Place,
    notices: &[Slug],
    reasons: &[(&'static str, &'static str)],
    report: &mut Report,
) {
    for (id, why) in reasons {
        if !notices.iter().any(|notice| content.current(notice).as_str() == *id) {
            let message = format!("the notice `{id}` is missing: this is {why}");
            let help = format!("add `\"{id}\"` to `notices`");
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
