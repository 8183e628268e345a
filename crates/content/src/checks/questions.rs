//! What a question is for, how hard it is, and in which languages it can be read.

use crate::codes;
use crate::content::{Content, Item, Place};
use crate::diagnostic::say;
use crate::model::product::Sheet;
use crate::model::{Answer, Body, Purpose, Question, Text};
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for file in &content.question_files {
        let source = content.source_of(&file.place);
        let list = source.root.as_ref().and_then(|root| root.get(source.text, "questions"));
        if list.is_some_and(|list| list.items().is_empty()) {
            let message = say!("文件里没有题目", "the file has no question");
            let help = say!("添加题目，或删去文件", "add one, or remove the file");
            report.warning(
                codes::NO_QUESTIONS,
                content.at(&file.place, "questions"),
                message,
                help,
            );
        }
    }
    for question in content.questions.iter() {
        let difficulty = question.value.difficulty;
        if !(1..=5).contains(&difficulty) {
            let at = content.at(&question.place, "difficulty");
            let message = say!(
                "难度 {difficulty} 不在 1 到 5 之间",
                "difficulty {difficulty} is not on the scale"
            );
            let help = say!("请写 1（易）到 5（难）", "write 1 (easy) to 5 (hard)");
            report.error(codes::DIFFICULTY, at, message, help);
        }
        let real = content.products_of(&question.value).find(|p| p.value.sheet == Sheet::Real);
        if let (Purpose::Education, Some(product)) = (question.value.purpose, real) {
            let at = content.at(&question.place, "purpose");
            let message = say!(
                "投教题指向了真实产品 `{product}`",
                "an education question points to a real product, `{product}`",
                product = product.id
            );
            let help = say!(
                "请写 `purpose: Marketing`，或改用教学样例（C22）",
                "write `purpose: Marketing`, or use a teaching sheet (C22)"
            );
            report.error(codes::EDUCATION_SHOWS_PRODUCT, at, message, help);
        }
        languages(content, question, report);
    }
}

/// Readers of a language in which the stem is written can read the rest as well.
fn languages(content: &Content<'_>, question: &Item<Question>, report: &mut Report) {
    let value = &question.value;
    let mut texts: Vec<(String, &Text)> = vec![
        ("feedback.right".to_owned(), &value.feedback.right),
        ("feedback.wrong".to_owned(), &value.feedback.wrong),
    ];
    match &value.body {
        Body::Single { answer, distractors } => {
            if let Answer::Plain(text) = answer {
                texts.push(("body.answer".to_owned(), text));
            }
            let path = |i: usize| format!("body.distractors.{i}.text");
            texts.extend(distractors.iter().enumerate().map(|(i, d)| (path(i), &d.text)));
        }
        Body::Multi { options, .. } => {
            let path = |i: usize| format!("body.options.{i}.text");
            texts.extend(options.iter().enumerate().map(|(i, o)| (path(i), &o.text)));
        }
        Body::TrueFalse { .. } | Body::Number { .. } | Body::Typed { .. } => {}
    }
    translated(content, &question.place, ("题干", "stem"), &value.stem, texts, report);
}

/// Readers of a language in which `first` is written can read `texts` as well; `what` says in
/// Chinese and English what `first` is.
pub(super) fn translated(
    content: &Content<'_>,
    place: &Place,
    what: (&str, &str),
    first: &Text,
    texts: Vec<(String, &Text)>,
    report: &mut Report,
) {
    for (path, text) in texts {
        let missing: Vec<&str> = first
            .iter()
            .map(|(language, _)| language)
            .filter(|&language| text.iter().all(|(other, _)| other != language))
            .collect();
        if !missing.is_empty() {
            let ((zh, en), missing) = (what, missing.join(", "));
            let message = say!(
                "{zh}有 {missing} 版，这段文字没有",
                "the {en} is written in {missing}, this text is not"
            );
            let help = say!(
                "补上译文；补上之前，这些读者看到的是中文",
                "add the translation; until then these readers get Chinese"
            );
            report.warning(codes::LANGUAGES_DIFFER, content.at(place, &path), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const BASICS: &str = "content/questions/basics.ron";

    #[test]
    fn questions_are_what_they_say() {
        check(BASICS, "difficulty: 1", "difficulty: 6", &[(DIFFICULTY, "6")]);
        check(BASICS, "difficulty: 1", "difficulty: 0", &[(DIFFICULTY, "0")]);
        check(
            "content/questions/pages.ron",
            "Marketing",
            "Education",
            &[(EDUCATION_SHOWS_PRODUCT, "Education")],
        );
        check(
            BASICS,
            r#", "en": "Simple interest""#,
            "",
            &[(LANGUAGES_DIFFER, "{\"zh-CN\": \"单利\"}")],
        );
        check(
            "content/questions/empty.ron",
            "",
            "(schema: 1, title: {\"zh-CN\": \"空\"}, questions: [])",
            &[(NO_QUESTIONS, "[]")],
        );
    }
}
