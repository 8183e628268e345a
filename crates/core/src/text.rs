//! Text from people: folded for comparison, hashed for the journal, cleaned for display.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The characters of a text that a reader sees, before any normal form: what does not print is
/// gone, line breaks are `\n` and other white space of the control characters is a space. Taken
/// out first, because the neighbours of such a character are neighbours to a reader: they compose,
/// and a `%` stands behind its digit.
fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .map(|c| match c {
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            '\t' | '\u{0B}' | '\u{0C}' => ' ',
            c => c,
        })
        .filter(|&c| c == '\n' || !unprintable(c))
}

/// Folds text so that spellings a reader would call the same compare equal: full and half width
/// (NFKC), upper and lower case, spaces, punctuation and symbols, controls and invisible
/// characters. `.`, `%` and `-` between digits, or before one, are kept: 0.5 is not 05.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain: Option<Vec<char>> = text.chars().map(plain).collect();
    let is_plain = plain.is_some();
    let chars = plain.unwrap_or_else(|| normal(text));
    let digit_at = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut folded = String::with_capacity(text.len());
    for (i, &c) in chars.iter().enumerate() {
        let keep = match c {
            '.' => i > 0 && digit_at(i - 1) && digit_at(i + 1),
            '-' => digit_at(i + 1) && !(i > 0 && chars[i - 1].is_alphanumeric()),
            '\u{2212}' => digit_at(i + 1),
            '%' => i > 0 && digit_at(i - 1),
            c => c.is_alphanumeric(),
        };
        if keep {
            // A sign stays one when what stood before it is left out: "a: -1" is not "a-1".
            folded.push(if c == '-' { '\u{2212}' } else { c });
        }
    }
    // What was left out may have stood between two characters that compose.
    if is_plain { folded } else { folded.nfkc().collect() }
}

/// What a reader sees, in lower case and in the normal form that forgets width.
fn normal(text: &str) -> Vec<char> {
    visible(text).nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// What becomes of a character that stands alone in every normal form and that most texts are made
/// of: printing ASCII, its full-width twins, Chinese characters and their punctuation. They take
/// no tables, and none of them composes with a neighbour.
fn plain(c: char) -> Option<char> {
    match c {
        '\n' | ' '..='~' => Some(c.to_ascii_lowercase()),
        '\u{3001}' | '\u{3002}' | '\u{4E00}'..='\u{9FFF}' => Some(c),
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(c) - 0xFEE0).map(|narrow| narrow.to_ascii_lowercase())
        }
        _ => None,
    }
}

/// The hash of folded text. What a person typed never enters the journal; this does, and it is
/// enough to compare with the accepted answers, today's and a corrected key's alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FoldedHash(pub [u8; 16]);

impl FoldedHash {
    /// Folds and hashes `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = blake3::derive_key("dengmi folded text v1", fold(text).as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(short)
    }
}

/// Why a display name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing visible is left.
    #[error("the name is empty; use 1 to 24 visible characters")]
    Empty,
    /// Longer than [`NAME_CHARS_MAX`].
    #[error("the name is longer than 24 characters; shorten it")]
    TooLong,
    /// Control, bidirectional override or zero-width characters.
    #[error(
        "the name contains control, bidirectional or invisible characters; leave out everything that does not print"
    )]
    Unprintable,
}

/// Longest display name, in characters after NFC.
pub const NAME_CHARS_MAX: usize = 24;

/// A display name in NFC, trimmed; refused when it would not show, or would disturb what is shown
/// beside it.
///
/// # Errors
/// See [`NameError`].
pub fn clean_name(name: &str) -> Result<String, NameError> {
    // NFC can shorten but a hostile name can also be very long: refuse before normalising.
    if name.len() > 16 * NAME_CHARS_MAX {
        return Err(NameError::TooLong);
    }
    let name: String = name.trim().nfc().collect();
    if name.chars().any(unprintable) {
        return Err(NameError::Unprintable);
    }
    match name.chars().count() {
        0 => Err(NameError::Empty),
        n if n > NAME_CHARS_MAX => Err(NameError::TooLong),
        _ => Ok(name),
    }
}

/// Longest text of a member's own, in characters.
pub const WORDS_CHARS_MAX: usize = 500;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Nothing is left that says something.
    #[error("the text says nothing; write 1 to 500 characters, letters or digits among them")]
    Empty,
    /// Longer than [`WORDS_CHARS_MAX`].
    #[error("the text is longer than 500 characters; shorten it")]
    TooLong,
}

/// A text that a member writes for themselves, as it is kept: NFC, trimmed, line breaks as `\n`,
/// and without the characters that do not print. What folds to nothing is refused: the journal
/// could not tell it from any other such text.
///
/// # Errors
/// See [`WordsError`].
pub fn clean_words(text: &str) -> Result<String, WordsError> {
    // NFC can shorten but a hostile text can also be very long: refuse before normalising.
    if text.len() > 16 * WORDS_CHARS_MAX {
        return Err(WordsError::TooLong);
    }
    let words: String = visible(&text.replace("\r\n", "\n")).nfc().collect();
    let words = words.trim();
    if fold(words).is_empty() {
        return Err(WordsError::Empty);
    }
    match words.chars().count() {
        n if n > WORDS_CHARS_MAX => Err(WordsError::TooLong),
        _ => Ok(words.to_owned()),
    }
}

/// Control characters, bidirectional formatting, zero-width characters, line separators, the byte
/// order mark, tags and non-characters. Emoji joiners count as invisible too.
#[must_use]
pub fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}' | '\u{F0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, same: bool) {
        assert_eq!(fold(a) == fold(b), same, "{:?} {:?}", fold(a), fold(b));
        assert_eq!(FoldedHash::of(a) == FoldedHash::of(b), same);
    }

    #[test]
    fn folding_forgives_typing_not_knowledge() {
        check("ＥＴＦ", "etf", true);
        check("七日 年化。", "七日年化", true);
        check("「复利」!", "复利", true);
        check("1.5％", "1.5%", true);
        check("−7元", "-7 元", true);
        check("收益: -7%", "收益7%", false);
        check("ETF-50", "etf50", true);
        assert_eq!(fold(&fold("a!-0")), fold("a!-0"));
        check("0.5", "05", false);
        check("1.5", "15", false);
        check("7", "-7", false);
        check("R2", "R3", false);
        check("15%", "15", false);
        check("not-for-c1", "notforc1", true);
        check("15\u{200B}%", "15%", true);
        check("15\u{F0000}.\u{2060}5", "15.5", true);
        check("15\n%", "15%", false);
    }

    #[test]
    fn names_that_do_not_show_are_refused() {
        assert_eq!(clean_name("  灯谜 李 "), Ok("灯谜 李".to_owned()));
        for bad in ["a\u{202E}b", "a\u{200B}b", "\u{FEFF}a", "a\nb", "a\0", "a\u{2066}b"] {
            assert_eq!(clean_name(bad), Err(NameError::Unprintable), "{bad:?}");
        }
        assert_eq!(clean_name(" "), Err(NameError::Empty));
        assert_eq!(clean_name(&"灯".repeat(25)), Err(NameError::TooLong));
        assert_eq!(clean_name(&"a".repeat(10_000)), Err(NameError::TooLong));
    }

    #[test]
    fn words_are_cleaned_and_never_lost() {
        assert_eq!(
            clean_words(" 先存应急金。\r\n再买基金 \u{202E}❤\u{FE0F}\0"),
            Ok("先存应急金。\n再买基金 ❤".to_owned())
        );
        assert_eq!(clean_words("一\t二e\u{200B}\u{301}"), Ok("一 二\u{E9}".to_owned()));
        for empty in ["", " ", "\u{200B}", "……！", "❤"] {
            assert_eq!(clean_words(empty), Err(WordsError::Empty), "{empty:?}");
        }
        assert!(clean_words(&"灯".repeat(500)).is_ok());
        assert_eq!(clean_words(&"灯".repeat(501)), Err(WordsError::TooLong));
        assert_eq!(clean_words(&"\u{200B}".repeat(10_000)), Err(WordsError::TooLong));
    }

    /// Texts in which what is kept, what composes and what does not show stand beside each other.
    fn awkward() -> impl Strategy<Value = String> {
        let chars: Vec<char> =
            "0a灯%.-\u{2212}e\u{301}\u{FF61}\u{1100}\u{1161}\u{130}İ \t\r\n\u{85}\u{2028}\u{200B}\u{F0000}\u{3164}\0"
                .chars()
                .collect();
        let one = prop_oneof![4 => proptest::sample::select(chars), 1 => any::<char>()];
        proptest::collection::vec(one, 0..30).prop_map(String::from_iter)
    }

    /// Every plain character, alone and beside every kind of neighbour.
    #[test]
    fn plain_characters_need_no_tables() {
        let all = ('\0'..=char::MAX).filter(|c| plain(*c).is_some());
        for c in all {
            for text in [format!("{c}"), format!("1{c}2"), format!("灯{c}a{c}")] {
                let quick: Vec<char> = text.chars().filter_map(plain).collect();
                assert_eq!(quick, normal(&text), "{text:?}");
                let folded = fold(&text);
                assert_eq!(folded.nfkc().collect::<String>(), folded, "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn clean_words_stay_clean_and_keep_their_hash(text in awkward()) {
            if let Ok(words) = clean_words(&text) {
                prop_assert_eq!(clean_words(&words), Ok(words.clone()));
                prop_assert_eq!(FoldedHash::of(&words), FoldedHash::of(&text));
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in awkward()) {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }

        #[test]
        fn a_clean_name_stays_clean(text in awkward()) {
            if let Ok(name) = clean_name(&text) {
                prop_assert_eq!(clean_name(&name), Ok(name.clone()));
            }
        }
    }
}
