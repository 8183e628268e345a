//! Every number of a lesson is worked out again.

use super::Check;
use crate::codes;
use crate::content::Item;
use crate::diagnostic::{Said, say};
use crate::formula::{self, Ratio};
use crate::model::Lesson;

impl<'c> Check<'c, '_, '_> {
    pub(super) fn numbers(&mut self) {
        for (_, lesson) in self.each() {
            for index in 0..lesson.value.worked.len() {
                self.worked(lesson, index);
            }
            self.compute(lesson);
        }
    }

    fn value(&mut self, lesson: &'c Item<Lesson>, path: &str, formula: &str) -> Option<Ratio> {
        match formula::value(formula) {
            Ok(value) => Some(value),
            Err(error) => {
                let help = say!(
                    "只用数字、`+ - * / ^` 和括号，例如 `10000 * 0.024 * 90 / 365`",
                    "write digits, `+ - * / ^` and brackets, as in `10000 * 0.024 * 90 / 365`"
                );
                let at = self.at_lesson(lesson, path);
                self.report.error(codes::FORMULA, at, error.said(), help);
                None
            }
        }
    }

    fn worked(&mut self, lesson: &'c Item<Lesson>, index: usize) {
        let worked = &lesson.value.worked[index];
        let shown = &worked.shown;
        let path = format!("worked.{index}.shown");
        let Some((plain, places)) = plain(shown) else {
            let message = say!("`{shown}` 不是数字", "`{shown}` is no number");
            let help = say!(
                "只写数字，例如 `\"1,234.50\"`，单位写在消息里",
                "write the number alone, as in `\"1,234.50\"`; its unit stands in the message"
            );
            self.report.error(codes::WORKED, self.at_lesson(lesson, &path), message, help);
            return;
        };
        let formula = format!("worked.{index}.formula");
        let Some(value) = self.value(lesson, &formula, &worked.formula) else { return };
        let right = value.rounded(places);
        if right.as_deref() != Some(&plain) {
            let (message, help) = differs(&worked.formula, shown, right.as_deref());
            self.report.error(codes::WORKED, self.at_lesson(lesson, &path), message, help);
            return;
        }
        let blocks = &lesson.value.blocks;
        let languages = lesson.value.title.iter().map(|(language, _)| language);
        let missing: Vec<&str> = languages
            .filter(|language| {
                let texts = blocks.iter().flat_map(|block| block.iter());
                let texts = texts.filter(|(own, _)| own == language);
                !texts.map(|(_, text)| text).any(|text| states(text, &plain))
            })
            .collect();
        if !missing.is_empty() {
            let message = say!(
                "{missing} 的消息里找不到 `{shown}`",
                "no message in {missing} states `{shown}`",
                missing = missing.join(", ")
            );
            let help = say!(
                "在消息里用阿拉伯数字写出这个结果，或删去这一行",
                "write the result in a message, in digits, or remove this line"
            );
            self.report.error(codes::WORKED, self.at_lesson(lesson, &path), message, help);
        }
    }

    fn compute(&mut self, lesson: &'c Item<Lesson>) {
        let compute = &lesson.value.compute;
        let answer = compute.answer.to_string();
        let places = answer.split_once('.').map_or(0, |(_, part)| part.len());
        // A decimal has at most six places.
        let places = u8::try_from(places).unwrap_or(6);
        if let Some(value) = self.value(lesson, "compute.formula", &compute.formula) {
            let right = value.rounded(places);
            if right.as_deref() != Some(&answer) {
                let (message, help) = differs(&compute.formula, &answer, right.as_deref());
                let at = self.at_lesson(lesson, "compute.answer");
                self.report.error(codes::COMPUTE, at, message, help);
            }
        }
        let (tolerance, size) =
            (compute.tolerance.micros(), compute.answer.micros().unsigned_abs());
        if tolerance < 0 || (tolerance > 0 && tolerance.unsigned_abs() >= size) {
            let message = say!(
                "误差 {tolerance} 不合理：答案是 {answer}",
                "a tolerance of {tolerance} for an answer of {answer}",
                tolerance = compute.tolerance
            );
            let help = say!(
                "请写比答案小得多的数，不能是负数",
                "write much less than the answer, and not below zero"
            );
            let at = self.at_lesson(lesson, "compute.tolerance");
            self.report.error(codes::TOLERANCE, at, message, help);
        }
    }
}

fn differs(formula: &str, shown: &str, right: Option<&str>) -> (Said, Said) {
    let message = say!("`{formula}` 不等于 `{shown}`", "`{formula}` is not `{shown}`");
    let help = match right {
        Some(right) => say!(
            "按同样的小数位数是 `{right}`；改数字或改算式",
            "with as many decimal places it is `{right}`; correct the number or the formula"
        ),
        None => say!("结果太大", "the result is too large"),
    };
    (message, help)
}

/// A written number without its commas, and its decimal places.
fn plain(shown: &str) -> Option<(String, u8)> {
    let (sign, digits) = match shown.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => ("-", digits),
        None => ("", shown),
    };
    let number = numbers(digits).next().filter(|number| number.start == 0)?;
    if number.end != digits.len() {
        return None;
    }
    let places = number.plain.split_once('.').map_or(0, |(_, part)| part.len());
    Some((format!("{sign}{}", number.plain), u8::try_from(places).ok()?))
}

/// Whether a text states a number: as a whole number of its own, not as a part of a longer one.
fn states(text: &str, plain: &str) -> bool {
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain),
    };
    let minus = |before: &str| before.trim_end().ends_with(['-', '\u{2212}', '\u{2013}']);
    numbers(text)
        .any(|number| number.plain == digits && (!negative || minus(&text[..number.start])))
}

/// A number in a text.
struct Number {
    start: usize,
    end: usize,
    /// Without commas.
    plain: String,
}

/// The numbers of a text: digits, with commas between thousands and one point.
fn numbers(text: &str) -> impl Iterator<Item = Number> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|b| !b.is_ascii_digit()).count();
        if at == bytes.len() {
            return None;
        }
        let start = at;
        at += digits(at);
        while bytes.get(at) == Some(&b',') && digits(at + 1) == 3 {
            at += 4;
        }
        if bytes.get(at) == Some(&b'.') && digits(at + 1) > 0 {
            at += 1 + digits(at + 1);
        }
        Some(Number { start, end: at, plain: text[start..at].replace(',', "") })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_states(text: &str, shown: &str, expected: bool) {
        let (plain, _) = plain(shown).expect("a number");
        assert_eq!(states(text, &plain), expected, "{shown} in {text}");
    }

    #[test]
    fn numbers_are_found_as_a_whole() {
        check_states("大约 59.18 元", "59.18", true);
        check_states("一共12,000元。", "12000", true);
        check_states("一共12000元", "12,000", true);
        check_states("in all 1,234,567.5 yuan.", "1,234,567.5", true);
        check_states("about 59.", "59", true);
        check_states("59.18", "59", false);
        check_states("159", "59", false);
        check_states("59.181", "59.18", false);
        check_states("1,2,3", "12", false);
        check_states("第1,500页", "500", false);
        check_states("跌了 −0.3%", "-0.3", true);
        check_states("跌了 0.3%", "-0.3", false);
        check_states("五十九", "59", false);
    }

    #[test]
    fn what_is_shown_is_a_number() {
        for (shown, expected) in [
            ("12,000", Some(("12000", 0))),
            ("-1.50", Some(("-1.50", 2))),
            ("1,2", None),
            ("59 元", None),
            ("", None),
            ("1.", None),
            ("0.5%", None),
        ] {
            let found = plain(shown);
            let found = found.as_ref().map(|(plain, places)| (plain.as_str(), *places));
            assert_eq!(found, expected, "{shown}");
        }
    }
}
