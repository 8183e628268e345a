//! A content file on its way through the checks: its text, its places, and what was said of it.

use std::ops::Range;

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Said, Severity, SourceFile, say};
use crate::scan::{self, Node};

/// Largest file, in bytes.
pub(crate) const FILE_BYTES_MAX: usize = 1_000_000;

/// A file with its tree of places.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// As given.
    pub(crate) path: &'a str,
    /// As given.
    pub(crate) text: &'a str,
    /// The value of the file; `None` when it could not be scanned.
    pub(crate) root: Option<Node>,
    /// What to read instead of faulty punctuation.
    pub(crate) read_as: Vec<(Range<usize>, String)>,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Scans a file and reports what its letters and brackets give away.
    pub(crate) fn new(file: &'a SourceFile, report: &mut Report) -> Self {
        let text = file.text.as_str();
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let path = file.path.as_str();
        let mut source = Self { path, text, root: None, read_as: Vec::new(), line_starts };
        if text.len() > FILE_BYTES_MAX {
            let message = say!(
                "文件有 {bytes} 字节，最多 {FILE_BYTES_MAX} 字节",
                "the file has {bytes} bytes; {FILE_BYTES_MAX} are allowed",
                bytes = text.len()
            );
            let help = say!("请拆成几个文件", "split it into several files");
            report.error(codes::TOO_MUCH, source.at(0..0), message, help);
            return source;
        }
        source.report_letters(report);
        let scan = scan::scan(text);
        for fault in scan.faults {
            report.error(fault.code, source.at(fault.span), fault.message, fault.help);
            source.read_as.extend(fault.read_as);
        }
        source.root = scan.root;
        source
    }

    fn report_letters(&self, report: &mut Report) {
        if self.text.starts_with('\u{FEFF}') {
            let message = say!("文件开头有 BOM", "the file begins with a byte order mark");
            let help = say!(
                "另存为 `UTF-8`，不要选 `UTF-8 with BOM`",
                "save it as `UTF-8`, not as `UTF-8 with BOM`"
            );
            report.error(codes::BYTE_ORDER_MARK, self.at(0..3), message, help);
        }
        let hidden = self.text.char_indices().skip_while(|&(at, c)| at == 0 && c == '\u{FEFF}');
        let hidden = hidden.filter(|&(_, c)| is_hidden(c)).map(|(at, c)| (at, c.len_utf8(), c));
        for (at, length, c) in hidden.chain(self.escapes()).take(10) {
            let message = say!(
                "文字里有看不见的字符 U+{number:04X}",
                "an invisible character, U+{number:04X}, stands in the text",
                number = u32::from(c)
            );
            let help = say!(
                "请删除，它可能改变前后文字的显示",
                "delete it; it may change how the text around it is shown"
            );
            report.error(codes::HIDDEN_CHARACTER, self.at(at..at + length), message, help);
        }
    }

    /// Hidden characters written as `\u{202E}`.
    fn escapes(&self) -> impl Iterator<Item = (usize, usize, char)> {
        self.text.match_indices("\\u{").filter_map(|(at, _)| {
            let digits = self.text[at + 3..].split_once('}')?.0;
            let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            is_hidden(c).then_some((at, digits.len() + 4, c))
        })
    }

    /// A place by its bytes.
    pub(crate) fn at(&self, span: Range<usize>) -> At<'_> {
        At { source: self, span }
    }

    /// The place of a dotted path below the root of the file, or of the nearest group of fields
    /// around it.
    pub(crate) fn find(&self, path: &str) -> At<'_> {
        let root = self.root.as_ref();
        self.at(root.map_or(0..0, |root| root.find(self.text, path).span.clone()))
    }

    /// Line from 1 and column in characters from 1.
    fn line_column(&self, at: usize) -> (u32, u32) {
        let line = self.line_starts.partition_point(|&start| start <= at).max(1);
        let column = self.text[self.line_starts[line - 1]..at].chars().count() + 1;
        (to_u32(line), to_u32(column))
    }
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Controls, bidirectional formatting, zero-width spaces, line separators, tags and
/// non-characters. Joiners and variation selectors stay allowed: emoji need them.
fn is_hidden(c: char) -> bool {
    let needed = matches!(c, '\n' | '\r' | '\t' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}');
    !needed && dengmi_core::text::unprintable(c)
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    source: &'a Source<'a>,
    span: Range<usize>,
}

impl At<'_> {
    /// The line, from 1.
    pub(crate) fn line(&self) -> u32 {
        self.source.line_column(self.span.start).0
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &str {
        self.source.path
    }
}

/// Everything that was said so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Notes an error.
    pub(crate) fn error(&mut self, code: Code, at: At<'_>, message: Said, help: Said) {
        self.push(Severity::Error, code, at, message, help);
    }

    /// Notes a warning.
    pub(crate) fn warning(&mut self, code: Code, at: At<'_>, message: Said, help: Said) {
        self.push(Severity::Warning, code, at, message, help);
    }

    /// Notes an error that no text of a file shows: a missing file, one that is too many.
    pub(crate) fn file_error(&mut self, code: Code, path: &str, message: Said, help: Said) {
        self.diagnostics.push(Diagnostic {
            code: code.as_str(),
            severity: Severity::Error,
            path: path.to_owned(),
            line: 1,
            column: 1,
            span: (0, 0),
            message,
            help,
        });
    }

    fn push(&mut self, severity: Severity, code: Code, at: At<'_>, message: Said, help: Said) {
        let At { source, span } = at;
        let (line, column) = source.line_column(span.start);
        // A fault of a whole group of fields is shown at its first line, not over the screen.
        let first_line = source.text[span.clone()].lines().next().unwrap_or("").trim_end().len();
        self.diagnostics.push(Diagnostic {
            code: code.as_str(),
            severity,
            path: source.path.to_owned(),
            line,
            column,
            span: (span.start, span.start + first_line),
            message,
            help,
        });
    }

    /// All diagnostics by path, place and code, each once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by(|a, b| {
            (a.path.as_str(), a.span, a.code, &a.message).cmp(&(
                b.path.as_str(),
                b.span,
                b.code,
                &b.message,
            ))
        });
        self.diagnostics.dedup();
        self.diagnostics
    }

    /// How many diagnostics there are.
    pub(crate) fn len(&self) -> usize {
        self.diagnostics.len()
    }

    /// Whether an error was noted.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}
