//! Words of the word lists in all texts that members read, after folding of width, case, spaces and
//! punctuation; and the lists themselves.

use std::collections::BTreeMap;
use std::ops::Range;

use dengmi_core::text::fold;

use crate::codes;
use crate::content::Content;
use crate::diagnostic::say;
use crate::model::product::{Product, RiskLevel};
use crate::scan::{Node, Shape};
use crate::source::{Report, Source};

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    lists(content, report);
    let lexicon = Lexicon::new(content);
    for (index, source) in content.sources.iter().enumerate() {
        let Some(root) = source.root.as_ref().filter(|_| !source.path.starts_with(WORDS)) else {
            continue;
        };
        for node in texts(root, source.text) {
            // A text that is no RON was reported when its file was parsed.
            let Ok(text) = ron::from_str::<String>(&source.text[node.span.clone()]) else {
                continue;
            };
            let folded = fold(&text);
            let risk = || risk_beside(content, index, node, source);
            lexicon.check(source, node, &folded, &risk, report);
        }
    }
}

const WORDS: &str = "content/words/";

struct Word<'w> {
    word: &'w str,
    folded: String,
    /// What to write instead; `None` for words that only products of low risk may have.
    instead: Option<&'w str>,
}

struct Lexicon<'w> {
    /// Longest first, so that of two words one of which is in the other only the longer is shown.
    words: Vec<Word<'w>>,
    /// Places in `words` by the first character of the folded word.
    by_first: BTreeMap<char, Vec<usize>>,
    allow: Vec<String>,
}

impl<'w> Lexicon<'w> {
    fn new(content: &'w Content<'_>) -> Self {
        let lists = || content.words.iter().map(|list| &list.value);
        let block = lists().flat_map(|list| &list.block).map(|blocked| Word {
            word: &blocked.word,
            folded: fold(&blocked.word),
            instead: Some(&blocked.instead),
        });
        let low_risk = lists().flat_map(|list| &list.low_risk_only).map(|word| Word {
            word,
            folded: fold(word),
            instead: None,
        });
        let mut words: Vec<Word<'w>> =
            block.chain(low_risk).filter(|word| !word.folded.is_empty()).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.folded.len()));
        let allow = lists().flat_map(|list| &list.allow).map(|phrase| fold(phrase));
        let mut by_first: BTreeMap<char, Vec<usize>> = BTreeMap::new();
        for (index, word) in words.iter().enumerate() {
            if let Some(first) = word.folded.chars().next() {
                by_first.entry(first).or_default().push(index);
            }
        }
        Self { words, by_first, allow: allow.filter(|phrase| !phrase.is_empty()).collect() }
    }

    fn check(
        &self,
        source: &Source<'_>,
        node: &Node,
        folded: &str,
        risk: &dyn Fn() -> Option<(RiskLevel, String)>,
        report: &mut Report,
    ) {
        let mut found: Vec<(usize, Range<usize>)> = Vec::new();
        for (at, c) in folded.char_indices() {
            let words = self.by_first.get(&c).into_iter().flatten();
            let here = words.filter(|&&word| folded[at..].starts_with(&self.words[word].folded));
            found.extend(here.map(|&word| (word, at..at + self.words[word].folded.len())));
        }
        // Words are sorted, so longer ones come first.
        found.sort_by_key(|(word, place)| (*word, place.start));
        let mut taken: Vec<(usize, Range<usize>)> = Vec::new();
        for (index, place) in found {
            let inside =
                |outer: &Range<usize>| outer.start <= place.start && place.end <= outer.end;
            if taken.iter().any(|(word, outer)| *word == index || inside(outer))
                || self.allowed(folded, &place)
            {
                continue;
            }
            taken.push((index, place));
            let Word { word, instead, .. } = &self.words[index];
            let at = source.at(underlined(source, node, word));
            match instead {
                Some(instead) => {
                    let message =
                        say!("任何文字都不得使用 `{word}`", "`{word}` may not stand in any text");
                    let help = say!("改写：{instead}", "instead: {instead}");
                    report.error(codes::BLOCKED_WORD, at, message, help);
                }
                None => {
                    if let Some((risk, product)) = risk().filter(|(risk, _)| *risk > RiskLevel::R2)
                    {
                        let message = say!(
                            "`{product}` 是 {risk:?} 产品，不能说 `{word}`",
                            "`{word}` may not stand beside `{product}`, which is {risk:?}"
                        );
                        let help = say!(
                            "只有 R1、R2 产品可以这样说，请如实写明风险",
                            "it is for products of R1 and R2; say what the risk is"
                        );
                        report.error(codes::LOW_RISK_WORD, at, message, help);
                    }
                }
            }
        }
    }

    fn allowed(&self, folded: &str, place: &Range<usize>) -> bool {
        self.allow.iter().any(|phrase| {
            let covers =
                |(at, _): (usize, &str)| at <= place.start && place.end <= at + phrase.len();
            folded.match_indices(phrase.as_str()).any(covers)
        })
    }
}

/// The word where it is written plainly, otherwise the whole text.
fn underlined(source: &Source<'_>, node: &Node, word: &str) -> Range<usize> {
    let raw = &source.text[node.span.clone()];
    match raw.find(word) {
        Some(at) => node.span.start + at..node.span.start + at + word.len(),
        None => node.span.clone(),
    }
}

/// The texts of a file that members may read: all texts by language, phrases, typed answers.
fn texts<'n>(root: &'n Node, text: &str) -> Vec<&'n Node> {
    let mut found = Vec::new();
    let mut open = vec![root];
    let is_text = |node: &&Node| {
        matches!(node.shape, Shape::Scalar) && text[node.span.clone()].ends_with(['"', '#'])
    };
    while let Some(node) = open.pop() {
        match &node.shape {
            Shape::Map(_) => found.extend(node.children().filter(is_text)),
            Shape::Struct(entries) => {
                for entry in entries {
                    if matches!(&text[entry.key.clone()], "phrases" | "also") {
                        found.extend(entry.value.items().iter().filter(is_text));
                    }
                }
            }
            Shape::Tuple(_) if node.name.as_ref().is_some_and(|n| &text[n.clone()] == "Plain") => {
                found.extend(node.children().filter(is_text));
            }
            _ => {}
        }
        open.extend(node.children());
    }
    found
}

/// The highest risk among the products a text stands beside.
fn risk_beside(
    content: &Content<'_>,
    index: usize,
    node: &Node,
    source: &Source<'_>,
) -> Option<(RiskLevel, String)> {
    let risk = |id: String, product: &Product| (product.risk(), id);
    let product = content.products.iter().find(|item| item.place.source == index);
    let around = |path: &str| {
        let whole = source.root.as_ref().and_then(|root| root.get(source.text, path));
        whole.is_some_and(|whole| {
            whole.span.start <= node.span.start && node.span.end <= whole.span.end
        })
    };
    let question = content
        .questions
        .iter()
        .filter(|item| item.place.source == index)
        .find(|item| around(&item.place.path));
    let quest = content.all_quests().find(|item| item.place.source == index);
    let of_quest = quest.into_iter().flat_map(|quest| content.questions_of(&quest.value));
    let lesson = content.lessons.iter().find(|item| item.place.source == index);
    let of_lesson = lesson.into_iter().flat_map(|lesson| {
        let ids = lesson.value.questions.iter().chain(&lesson.value.review);
        ids.filter_map(|id| content.question(id))
    });
    let sheets = lesson.into_iter().flat_map(|lesson| &lesson.value.sheets);
    let sheets = sheets.filter_map(|id| content.product(id));
    let questions = question.into_iter().chain(of_quest.map(|(_, question)| question));
    let asked =
        questions.chain(of_lesson).flat_map(|question| content.products_of(&question.value));
    product
        .into_iter()
        .chain(sheets)
        .chain(asked)
        .map(|item| risk(item.id.to_string(), &item.value))
        .max()
}

fn lists(content: &Content<'_>, report: &mut Report) {
    let mut earlier: Vec<(String, &str)> = Vec::new();
    for list in &content.words {
        let block = list.value.block.iter().enumerate();
        let block = block.map(|(i, blocked)| (format!("block.{i}.word"), blocked.word.as_str()));
        let low = list.value.low_risk_only.iter().enumerate();
        let low = low.map(|(i, word)| (format!("low_risk_only.{i}"), word.as_str()));
        for (path, word) in block.chain(low) {
            let folded = fold(word);
            let at = content.at(&list.place, &path);
            if folded.is_empty() {
                let message = say!(
                    "去掉空格和标点，这个词就空了",
                    "nothing of this word is left when spaces and punctuation go"
                );
                report.error(codes::WORD_LIST, at, message, say!("请删去", "remove it"));
            } else if earlier.iter().any(|(other, _)| *other == folded) {
                let message = say!("`{word}` 已经列过", "`{word}` is listed already");
                report.error(codes::WORD_LIST, at, message, say!("只保留一个", "keep one of them"));
            } else {
                earlier.push((folded, word));
            }
        }
    }
    for list in &content.words {
        for (index, blocked) in list.value.block.iter().enumerate() {
            if blocked.instead.trim().is_empty() {
                let at = content.at(&list.place, &format!("block.{index}.instead"));
                let message = say!(
                    "没有写 `{word}` 的替代说法",
                    "nothing is suggested instead of `{word}`",
                    word = blocked.word
                );
                let help = say!("请写明应该怎么说", "say what authors should write");
                report.error(codes::WORD_LIST, at, message, help);
            }
        }
        for (index, phrase) in list.value.allow.iter().enumerate() {
            let folded = fold(phrase);
            let at = content.at(&list.place, &format!("allow.{index}"));
            if earlier.iter().any(|(word, _)| *word == folded) {
                let message = say!(
                    "`{phrase}` 既禁用又放行",
                    "`{phrase}` is refused and allowed at the same time"
                );
                let help = say!(
                    "放行更长的、不会引起误解的说法",
                    "allow a longer phrase in which it is harmless"
                );
                report.error(codes::WORD_LIST, at, message, help);
            } else if !earlier.iter().any(|(word, _)| folded.contains(word.as_str())) {
                let message = say!(
                    "`{phrase}` 里没有禁用词",
                    "`{phrase}` has none of the refused words in it"
                );
                let help = say!("删去，或改正写法", "remove it, or correct the spelling");
                report.warning(codes::WORD_LIST, at, message, help);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{base_with, check, check_files};
    use crate::codes::*;

    const STREAK: &str = "quests/streak.ron";
    const INDEX: &str = "content/products/fund/index.ron";
    const WORDS: &str = "content/words/words.ron";

    #[test]
    fn refused_words_are_found_however_they_are_spaced() {
        check(STREAK, "每天一句", "每天保本一句", &[(BLOCKED_WORD, "保本")]);
        check(STREAK, "每天一句", "每天 保 - 本 一句", &[(BLOCKED_WORD, "\"每天 保 - 本 一句\"")]);
        check(STREAK, "每天一句", "每天\\u{4FDD}本", &[(BLOCKED_WORD, "\"每天\\u{4FDD}本\"")]);
        check(STREAK, "每天一句", "不保本", &[]);
        check(STREAK, "每天一句", "不保本,但保本", &[(BLOCKED_WORD, "保本")]);
        check(STREAK, "看懂再做决定", "天天稳赚", &[(BLOCKED_WORD, "稳赚")]);
        check("content/questions/pages.ron", "4级", "稳赚级", &[(BLOCKED_WORD, "稳赚")]);
        let notices = "content/notices/standard.ron";
        check(notices, "过往业绩", "保本业绩", &[(BLOCKED_WORD, "保本")]);
        // The longer of two words is enough.
        check_files(
            &base_with(&[
                (WORDS, "block: [", "block: [(word: \"稳赚不赔\", instead: \"x\"),"),
                (STREAK, "每天一句", "稳赚不赔"),
            ]),
            &[(BLOCKED_WORD, "稳赚不赔")],
        );
    }

    #[test]
    fn low_risk_is_said_of_low_risk_only() {
        check(INDEX, "财富 › 基金", "低风险基金", &[(LOW_RISK_WORD, "低风险")]);
        check("content/products/wealth/steady.ron", "投教课堂", "低风险课堂", &[]);
        let fund = "「示例宽基指数」是几级风险?";
        check("content/questions/pages.ron", fund, "低风险吗?", &[(LOW_RISK_WORD, "低风险")]);
        check("content/questions/basics.ron", "叫什么?", "低风险吗?", &[]);
        check_files(
            &base_with(&[
                ("quests/quiz.ron", "Education", "Marketing"),
                ("quests/quiz.ron", "pages/lock-up", "pages/risk"),
                ("quests/quiz.ron", "两天四题", "低风险四题"),
            ]),
            &[(LOW_RISK_WORD, "低风险")],
        );
    }

    #[test]
    fn the_lists_make_sense() {
        check(WORDS, "\"稳赚\"", "\" !\"", &[(WORD_LIST, "\" !\"")]);
        check(WORDS, "\"稳赚\"", "\"保 本\"", &[(WORD_LIST, "\"保 本\"")]);
        check(WORDS, "\"写有涨有跌\"", "\"\"", &[(WORD_LIST, "\"\"")]);
        check(WORDS, "\"不保本\"", "\"保本\"", &[(WORD_LIST, "\"保本\"")]);
        check(WORDS, "\"不保本\"", "\"不包本\"", &[(WORD_LIST, "\"不包本\"")]);
    }
}
