//! `content/words/**.ron`: words that may not stand near a product, and where they may.

use serde::Deserialize;

/// A word list. Several files add up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordsFile {
    /// Always 1.
    pub schema: u16,
    /// Words that are refused in every text.
    #[serde(default)]
    pub block: Vec<BlockedWord>,
    /// Phrases in which a blocked word is allowed ("不保本").
    #[serde(default)]
    pub allow: Vec<String>,
    /// Words that need a second look; allowed beside products of R1 and R2 only.
    #[serde(default)]
    pub low_risk_only: Vec<String>,
}

/// A word that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockedWord {
    /// The word; matched after folding of width, case, spaces and punctuation.
    pub word: String,
    /// What to write instead.
    pub instead: String,
}
