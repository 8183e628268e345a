//! Options and answers: enough of them, short, different from each other, and not in the stem.
//!
//! When is an answer visible in the stem? Both are folded. An answer that is a number counts only
//! as a whole number with its unit behind it: `90 天` is visible in "稳盈90天的锁定期" and in "持有
//! 90 天", not in "190 天" or "90 元". A text counts from two characters on; where it begins or ends
//! with a Latin letter or digit, none may follow on that side. A stem that names a wrong option as
//! well is a choice between them and gives nothing away.

use std::collections::BTreeSet;

use dengmi_core::Decimal;
use dengmi_core::text::fold;

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::{Said, say};
use crate::model::{Answer, Body, FactValue, Question, Text};
use crate::source::Report;

/// Longest option in Chinese, in characters (domain 6.5).
const OPTION_CHARS_MAX: usize = 60;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for question in content.questions.iter() {
        let mut check = Check { content, question, report };
        check.body();
    }
}

struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    question: &'c Item<Question>,
    report: &'r mut Report,
}

impl Check<'_, '_, '_> {
    fn body(&mut self) {
        let content = self.content;
        match &self.question.value.body {
            Body::Single { answer, distractors } => {
                let right = match answer {
                    Answer::Plain(text) => Some(text.clone()),
                    Answer::ProductFact(fact) => content.fact(fact).map(FactValue::text),
                };
                self.count(2..=3, distractors.len(), "distractors", ("错误选项", "wrong options"));
                let path = |i: usize| format!("body.distractors.{i}.text");
                let wrong: Vec<(String, &Text)> =
                    distractors.iter().enumerate().map(|(i, d)| (path(i), &d.text)).collect();
                let first = right.as_ref().map(|right| ("body.answer".to_owned(), right));
                let options: Vec<_> = first.into_iter().chain(wrong.iter().cloned()).collect();
                self.options(&options);
                if let Some(right) = &right {
                    let wrong: Vec<&Text> = wrong.iter().map(|(_, text)| *text).collect();
                    self.stem(right, &wrong);
                }
            }
            Body::Multi { options, .. } => {
                self.count(3..=8, options.len(), "options", ("选项", "options"));
                let right = options.iter().filter(|option| option.right).count();
                if !options.is_empty() && (right == 0 || right == options.len()) {
                    let message = if right == 0 {
                        say!("没有正确选项", "no option is right")
                    } else {
                        say!("没有错误选项", "no option is wrong")
                    };
                    let help = say!(
                        "用 `right: true` 标出正确选项，至少一个，不能全选",
                        "mark right options with `right: true`, at least one and not all"
                    );
                    self.error(codes::OPTION_COUNT, "body.options", message, help);
                }
                let path = |i: usize| format!("body.options.{i}.text");
                let texts: Vec<_> =
                    options.iter().enumerate().map(|(i, o)| (path(i), &o.text)).collect();
                self.options(&texts);
            }
            Body::TrueFalse { .. } => {}
            Body::Number { answer, unit, tolerance } => {
                let right = match answer {
                    Answer::Plain(number) => Some(*number),
                    Answer::ProductFact(fact) => match content.fact(fact) {
                        Some(FactValue::Number(number, _)) => Some(number),
                        _ => None,
                    },
                };
                self.tolerance(*tolerance, right);
                if let Some(right) = right {
                    self.stem(&FactValue::Number(right, *unit).text(), &[]);
                }
            }
            Body::Typed { answer, also } => {
                let right = match answer {
                    Answer::Plain(text) => Some(text.clone()),
                    Answer::ProductFact(fact) => content.fact(fact).map(|value| value.to_string()),
                };
                let first = right.iter().map(|text| ("body.answer".to_owned(), text));
                let others = also.iter().enumerate().map(|(i, t)| (format!("body.also.{i}"), t));
                self.typed(first.chain(others).collect());
                if let Some(right) = &right {
                    self.stem(&Text::new(right, right), &[]);
                }
            }
        }
    }

    fn error(&mut self, code: codes::Code, path: &str, message: Said, help: Said) {
        self.report.error(code, self.content.at(&self.question.place, path), message, help);
    }

    fn count(
        &mut self,
        allowed: std::ops::RangeInclusive<usize>,
        count: usize,
        field: &str,
        (zh, en): (&str, &str),
    ) {
        if !allowed.contains(&count) {
            let (least, most) = (allowed.start(), allowed.end());
            let message = Said::new(
                format!("{zh}有 {count} 个，应为 {least} 到 {most} 个"),
                format!("{count} {en}; {least} to {most} are wanted"),
            );
            let help = if count < *least {
                say!("请增加", "add some")
            } else {
                say!("只留最有教学价值的", "keep the most instructive ones")
            };
            self.error(codes::OPTION_COUNT, &format!("body.{field}"), message, help);
        }
    }

    /// Long ones and pairs that read alike.
    fn options(&mut self, options: &[(String, &Text)]) {
        // Too many are refused already; the first ones are enough to compare.
        for (index, (path, text)) in options.iter().enumerate().take(20) {
            for (language, words) in text.iter().filter(|(language, _)| language.starts_with("zh"))
            {
                let length = words.chars().count();
                if length > OPTION_CHARS_MAX {
                    let message = say!(
                        "选项有 {length} 个字，最多 {OPTION_CHARS_MAX} 个字",
                        "the option has {length} characters; {OPTION_CHARS_MAX} fit"
                    );
                    let path = format!("{path}.{language}");
                    self.error(codes::OPTION_LONG, &path, message, say!("请精简", "shorten it"));
                }
            }
            let twin = options[..index].iter().find(|(_, earlier)| reads_alike(earlier, text));
            if let Some((earlier, _)) = twin {
                let message = if earlier == "body.answer" {
                    say!("这个选项与正确答案雷同", "this option reads like the right one")
                } else {
                    say!("这个选项与前面的雷同", "this option reads like an earlier one")
                };
                self.error(
                    codes::OPTION_TWICE,
                    path,
                    message,
                    say!("请换一个选项", "write a different option"),
                );
            }
        }
    }

    fn stem(&mut self, right: &Text, wrong: &[&Text]) {
        let question = self.question;
        for (language, stem) in question.value.stem.iter() {
            let stem = fold(stem);
            let shown = |option: &Text| shows(&stem, &fold(option.get(language)));
            if shown(right) && !wrong.iter().any(|option| shown(option)) {
                let message = say!(
                    "题干里出现了正确答案 `{answer}`",
                    "the right answer, `{answer}`, stands in the stem",
                    answer = right.get(language)
                );
                let help = say!(
                    "题目要让客户去看页面，不要在题干里写出数字",
                    "ask so that the page has to be read; leave the figure out of the stem"
                );
                let path = format!("stem.{language}");
                self.error(codes::ANSWER_IN_STEM, &path, message, help);
            }
        }
    }

    fn tolerance(&mut self, tolerance: Decimal, right: Option<Decimal>) {
        if tolerance.micros() < 0 {
            let message = say!(
                "误差范围是负数，怎么答都不对",
                "the tolerance is below zero, so nothing is right"
            );
            self.error(
                codes::TOLERANCE,
                "body.tolerance",
                message,
                say!("请写 `\"0\"` 或以上", "write `\"0\"` or more"),
            );
        } else if let Some(right) = right
            && right.micros() != 0
            && tolerance.micros().unsigned_abs() >= right.micros().unsigned_abs()
        {
            let message = say!(
                "误差范围 {tolerance} 太大，答 0 也算对（答案是 {right}）",
                "with a tolerance of {tolerance}, 0 is as right as {right}"
            );
            let help = say!("误差范围要小于答案本身", "write a tolerance below the answer itself");
            self.error(codes::TOLERANCE, "body.tolerance", message, help);
        }
    }

    fn typed(&mut self, texts: Vec<(String, &String)>) {
        let mut seen = BTreeSet::new();
        for (path, text) in &texts {
            let folded = fold(text);
            if folded.is_empty() {
                let message = say!(
                    "去掉空格和标点，答案就空了",
                    "nothing of this answer is left when spaces and punctuation go"
                );
                self.error(
                    codes::TYPED_EMPTY,
                    path,
                    message,
                    say!("请用汉字、字母或数字", "use letters, digits or characters"),
                );
            } else if !seen.insert(folded) {
                let message = say!("这个答案已经算对了", "this answer is accepted already");
                let help = say!(
                    "全半角、大小写、空格和标点不算区别，请删去",
                    "width, case, spaces and punctuation do not count; remove it"
                );
                self.error(codes::OPTION_TWICE, path, message, help);
            }
        }
    }
}

/// Alike in a language that both have.
fn reads_alike(a: &Text, b: &Text) -> bool {
    let same = |a: &str, b: &str| {
        let (a, b) = (fold(a), fold(b));
        a == b || split_number(&a).zip(split_number(&b)).is_some_and(|(a, b)| a == b)
    };
    a.iter().any(|(language, words)| {
        b.iter().any(|(other, others)| language == other && same(words, others))
    })
}

/// A folded text that is a number and a unit, in pieces.
fn split_number(folded: &str) -> Option<(Decimal, &str)> {
    let end =
        folded.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(folded.len());
    Some((folded[..end].parse().ok()?, &folded[end..]))
}

/// Whether a folded stem shows a folded answer.
fn shows(stem: &str, answer: &str) -> bool {
    if split_number(answer).is_none() && answer.chars().count() < 2 {
        return false;
    }
    let latin = |c: char| c.is_ascii_alphanumeric();
    let joined = |c: Option<char>, edge: Option<char>| {
        edge.is_some_and(latin) && c.is_some_and(|c| latin(c) || c == '.')
    };
    stem.match_indices(answer).any(|(at, _)| {
        let before = stem[..at].chars().next_back();
        let after = stem[at + answer.len()..].chars().next();
        // 3% in "0.3%", 30 in "130", 2 in "R2": part of something else.
        let last = answer.chars().next_back();
        let percent = after == Some('%') && last.is_some_and(latin);
        !percent && !joined(before, answer.chars().next()) && !joined(after, last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::check;
    use crate::codes::*;

    #[track_caller]
    fn check_shows(stem: &str, answer: &str, expected: bool) {
        assert_eq!(shows(&fold(stem), &fold(answer)), expected, "{stem} / {answer}");
    }

    #[test]
    fn numbers_count_whole_and_with_their_unit() {
        check_shows("「示例·稳盈90天」锁定期多长?", "90 天", true);
        check_shows("持有 １０，０００ 元", "10000 元", true);
        check_shows("持有 190 天", "90 天", false);
        check_shows("持有 90 元", "90 天", false);
        check_shows("费率 0.3%", "3%", false);
        check_shows("费率 3%", "3%", true);
        check_shows("涨 6%", "6", false);
        check_shows("涨 6 倍", "6", true);
        check_shows("the 72 rule", "7", false);
        check_shows("什么叫复利?", "复利", true);
        check_shows("R25 型", "R2", false);
        check_shows("风险等级 R2 的产品", "R2", true);
        check_shows("是不是", "是", false);
    }

    const PAGES: &str = "content/questions/pages.ron";
    const BASICS: &str = "content/questions/basics.ron";

    #[test]
    fn the_stem_does_not_give_the_answer_away() {
        let stem = r#""zh-CN": "利息再生利息,叫什么?""#;
        check(BASICS, stem, r#""zh-CN": "什么是复利?""#, &[(ANSWER_IN_STEM, "\"什么是复利?\"")]);
        check(BASICS, stem, r#""zh-CN": "是复利还是单利?""#, &[]);
        check(
            PAGES,
            "「示例·稳盈」多久",
            "「示例·稳盈90天」多久",
            &[(ANSWER_IN_STEM, "\"「示例·稳盈90天」多久以后才能赎回?\"")],
        );
        check(
            BASICS,
            "大约几年",
            "12 年还是几年",
            &[(ANSWER_IN_STEM, "\"每年涨 6%,12 年还是几年变成两倍?\"")],
        );
    }

    #[test]
    fn options_differ_and_suffice() {
        check(
            PAGES,
            r#""zh-CN": "7 天""#,
            r#""zh-CN": "９０天""#,
            &[(OPTION_TWICE, "{\"zh-CN\": \"９０天\", \"en\": \"7 days\"}")],
        );
        check(
            PAGES,
            r#""zh-CN": "180 天""#,
            r#""zh-CN": "7.0 天""#,
            &[(OPTION_TWICE, "{\"zh-CN\": \"7.0 天\", \"en\": \"180 days\"}")],
        );
        let long = format!("\"zh-CN\": \"{}\"", "长".repeat(61));
        check(BASICS, r#""zh-CN": "单利""#, &long, &[(OPTION_LONG, &long[9..])]);
        let second = "(text: {\"zh-CN\": \"贴现\", \"en\": \"Discounting\"}),";
        check(BASICS, second, "", &[(OPTION_COUNT, "[")]);
        check(BASICS, "\"For old age\"}", "\"For old age\"}, right: true", &[(OPTION_COUNT, "[")]);
        check(
            BASICS,
            r#""en": "For repairs"}"#,
            r#""en": "For illness"}"#,
            &[(OPTION_TWICE, "{\"zh-CN\": \"修车的钱\", \"en\": \"For illness\"}")],
        );
    }

    #[test]
    fn typed_answers_and_tolerances_make_sense() {
        check(PAGES, "also: [\"4级\"]", "also: [\"r4 \"]", &[(OPTION_TWICE, "\"r4 \"")]);
        check(PAGES, "also: [\"4级\"]", "also: [\"!?\"]", &[(TYPED_EMPTY, "\"!?\"")]);
        check(BASICS, "tolerance: \"0.5\"", "tolerance: \"-1\"", &[(TOLERANCE, "\"-1\"")]);
        check(BASICS, "tolerance: \"0.5\"", "tolerance: \"12\"", &[(TOLERANCE, "\"12\"")]);
    }
}
