//! Phrases of the day are short natural Chinese sentences, typed by a person inside the group: no
//! link, no code, nothing to copy to Moments (WeChat's rule against passphrases).

use std::collections::BTreeSet;

use dengmi_core::text::fold;

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::say;
use crate::model::quest::CheckInStreak;
use crate::model::{Quest, QuestKind};
use crate::source::Report;

/// Longest phrase, in characters.
const PHRASE_CHARS_MAX: usize = 12;

/// Fewest Chinese characters that make a sentence.
const CHINESE_CHARS_MIN: usize = 2;

/// Longest run of Latin letters or digits that reads as a word: `ETF`, `100`.
const LATIN_RUN_MAX: usize = 3;

/// What asks to carry a phrase out of the group.
const CARRY_OUT: [&str; 6] = ["朋友圈", "转发", "复制", "口令", "分享", "邀请码"];

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.quests.iter() {
        if let QuestKind::CheckInStreak(streak) = &quest.value.kind {
            phrases(content, quest, streak, report);
        }
    }
}

fn phrases(
    content: &Content<'_>,
    quest: &Item<Quest>,
    streak: &CheckInStreak,
    report: &mut Report,
) {
    if streak.phrase_required && streak.phrases.is_empty() {
        let at = content.at(&quest.place, "kind.phrase_required");
        let message = say!(
            "要求输入口号，却没有口号，谁也打不了卡",
            "a phrase is required, but there is none, so nobody can check in"
        );
        let help = say!("加上 `phrases: [\"...\"]`", "add `phrases: [\"...\"]`");
        report.error(codes::PHRASE_NONE, at, message, help);
    }
    let mut seen = BTreeSet::new();
    for (index, phrase) in streak.phrases.iter().enumerate() {
        let at = || content.at(&quest.place, &format!("kind.phrases.{index}"));
        let length = phrase.chars().count();
        let chinese = phrase.chars().filter(|&c| is_chinese(c)).count();
        if length > PHRASE_CHARS_MAX || chinese < CHINESE_CHARS_MIN {
            let message = say!(
                "口号共 {length} 个字符，其中汉字 {chinese} 个",
                "a phrase of {length} characters, {chinese} of them Chinese"
            );
            let help = say!(
                "写一句中文短句，最多 {PHRASE_CHARS_MAX} 个字符",
                "write a short Chinese sentence of at most {PHRASE_CHARS_MAX} characters"
            );
            report.error(codes::PHRASE, at(), message, help);
        }
        if has_link(phrase) || has_code(phrase) {
            let message = say!("口号不能是链接或代码", "a link or a code is no phrase");
            let help = say!(
                "写一句平常会说的话；口令会被微信处罚",
                "write words that a person would say; passphrases are punished by WeChat"
            );
            report.error(codes::PHRASE_MACHINE, at(), message, help);
        }
        if let Some(word) = CARRY_OUT.iter().find(|word| phrase.contains(**word)) {
            let message =
                say!("`{word}` 会把客户引到群外", "`{word}` sends members out of the group");
            let help = say!("口号只在群内使用", "phrases are for the group only");
            report.error(codes::PHRASE_MOMENTS, at(), message, help);
        }
        if !seen.insert(fold(phrase)) {
            let message = say!("这句口号已经用过", "this phrase is used already");
            let help = say!(
                "全半角、大小写、空格和标点不算区别；请换一句",
                "width, case, spaces and punctuation do not count; write another one"
            );
            report.error(codes::PHRASE_TWICE, at(), message, help);
        }
    }
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{323AF}')
}

/// Whether a text has something that reads as a web address.
pub(super) fn has_link(text: &str) -> bool {
    let text = text.to_lowercase();
    let domains = [".com", ".cn", ".net", ".org", ".top", ".vip", ".xyz", ".ly/", ".me/", ".link"];
    let ends_there = |domain: &str| {
        text.match_indices(domain).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + domain.len()..].chars().next();
            before.is_some_and(|c| c.is_ascii_alphanumeric())
                && (domain.ends_with('/') || !after.is_some_and(|c| c.is_ascii_alphanumeric()))
        })
    };
    text.contains("://") || text.contains("www.") || domains.into_iter().any(ends_there)
}

/// Whether a text has a run of Latin letters and digits that nobody would say.
fn has_code(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        let mixed =
            run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic());
        run.len() > LATIN_RUN_MAX || (mixed && run.len() > 2)
    })
}

#[cfg(test)]
mod tests {
    use super::{has_code, has_link};
    use crate::checks::testing::check;
    use crate::codes::*;

    const STREAK: &str = "quests/streak.ron";
    const PHRASE: &str = "看懂再做决定";

    #[track_caller]
    fn check_phrase(phrase: &str, code: Code) {
        check(STREAK, PHRASE, phrase, &[(code, &format!("\"{phrase}\""))]);
    }

    #[test]
    fn phrases_are_short_sentences_of_people() {
        check_phrase("今天也要好好学习天天向上呀", super::codes::PHRASE);
        check_phrase("好", super::codes::PHRASE);
        check_phrase("打卡码 X7K", PHRASE_MACHINE);
        check_phrase("上 a.cn 打卡", PHRASE_MACHINE);
        check_phrase("发到朋友圈", PHRASE_MOMENTS);
        check_phrase("今天也,来学一点!", PHRASE_TWICE);
        check(
            STREAK,
            "[\"今天也来学一点\", \"看懂再做决定\"]",
            "[], phrase_required: true",
            &[(PHRASE_NONE, "true")],
        );
    }

    #[test]
    fn words_are_no_codes_and_sentences_no_links() {
        for fine in ["ETF 是什么", "R2 是几级", "第 100 天", "学 3 课"] {
            assert!(!has_code(fine) && !has_link(fine), "{fine}");
        }
        for code in ["A1B", "1234", "abcd", "x7k9"] {
            assert!(has_code(code), "{code}");
        }
        for link in ["https://a", "www.a", "去 bank.com 看", "t.me/x"] {
            assert!(has_link(link), "{link}");
        }
        for fine in ["3.5 compared", "a.company", "利率 1.5", "come.", "不是.com"] {
            assert!(!has_link(fine), "{fine}");
        }
    }
}
