//! What a check has to say about a file.

use std::fmt;

/// A content file as text; `path` is relative to the folder that holds `content/`, `courses/` and
/// `quests/`, with `/` between its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it was found.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Error or warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pack is refused.
    Error,
    /// The pack loads; somebody should look.
    Warning,
}

/// The same words in Chinese and English.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Said {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Said {
    /// From both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// Chinese first, English beside it.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}", self.zh, self.en)
    }
}

/// [`Said`] from two format strings, which may name the same values:
/// `say!("没有题目 `{id}`", "there is no question `{id}`")`.
macro_rules! say {
    ($zh:literal, $en:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::diagnostic::Said {
            zh: format!($zh $(, $name = $value)*),
            en: format!($en $(, $name = $value)*),
        }
    };
}
pub(crate) use say;

/// One fault: where it is, what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// Stable code, explained by `dengmi explain`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// The file.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Byte range in the file, for underlining.
    pub span: (usize, usize),
    /// What is wrong.
    pub message: Said,
    /// What to write instead.
    pub help: Said,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            f,
            "{}:{}:{}: {severity}[{}]: {} ({})",
            self.path, self.line, self.column, self.code, self.message, self.help
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_stands_first_and_english_beside_it() {
        let (id, near) = ("fees/redemtion-5d", "fees/redemption-5d");
        let diagnostic = Diagnostic {
            code: "C0106",
            severity: Severity::Error,
            path: "quests/x.ron".to_owned(),
            line: 2,
            column: 5,
            span: (7, 9),
            message: say!("没有题目 `{id}`", "there is no question `{id}`"),
            help: say!("是不是 `{near}`？", "did you mean `{near}`?"),
        };
        let expected = "quests/x.ron:2:5: error[C0106]: \
             没有题目 `fees/redemtion-5d` · there is no question `fees/redemtion-5d` \
             (是不是 `fees/redemption-5d`？ · did you mean `fees/redemption-5d`?)";
        assert_eq!(diagnostic.to_string(), expected);
    }
}
