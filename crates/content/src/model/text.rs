//! Text in several languages.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Text by language tag: `{"zh-CN": "灯谜", "en": "Lantern riddle"}`. `zh-CN` is always there; a
/// reader of another language gets the nearest one that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(BTreeMap<String, String>);

/// The language every text has.
pub const FIRST_LANGUAGE: &str = "zh-CN";

/// Language tags that content may use.
pub const LANGUAGES: [&str; 3] = [FIRST_LANGUAGE, "zh-TW", "en"];

impl Text {
    /// A text in the first language and English.
    #[must_use]
    pub fn new(zh: &str, en: &str) -> Self {
        Self(BTreeMap::from([
            (FIRST_LANGUAGE.to_owned(), zh.to_owned()),
            ("en".to_owned(), en.to_owned()),
        ]))
    }

    /// The text for a reader of `language`: exact tag, then another of the same base language
    /// (`zh-TW` for `zh-HK`), then the first language.
    #[must_use]
    pub fn get(&self, language: &str) -> &str {
        let base = language.split('-').next().unwrap_or(language);
        let same_base = || {
            self.0.iter().find(|(tag, _)| tag.split('-').next() == Some(base)).map(|(_, text)| text)
        };
        self.0
            .get(language)
            .or_else(same_base)
            .or_else(|| self.0.get(FIRST_LANGUAGE))
            .map_or("", String::as_str)
    }

    /// The text in the first language.
    #[must_use]
    pub fn zh(&self) -> &str {
        self.get(FIRST_LANGUAGE)
    }

    /// Every language and its text, in order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (tag.as_str(), text.as_str()))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text by language, such as {\"zh-CN\": \"灯谜\", \"en\": \"Lantern riddle\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        use serde::de::Error as _;
        let mut texts = BTreeMap::new();
        while let Some((tag, text)) = map.next_entry::<String, String>()? {
            if !LANGUAGES.contains(&tag.as_str()) {
                let known = LANGUAGES.join(", ");
                return Err(A::Error::custom(format!(
                    "unknown language `{tag}`; use one of {known}"
                )));
            }
            if text.trim().is_empty() {
                return Err(A::Error::custom(format!("the text for `{tag}` is empty")));
            }
            if texts.insert(tag.clone(), text).is_some() {
                return Err(A::Error::custom(format!("the language `{tag}` is given twice")));
            }
        }
        if !texts.contains_key(FIRST_LANGUAGE) {
            return Err(A::Error::custom("the text for `zh-CN` is missing"));
        }
        Ok(Text(texts))
    }
}
