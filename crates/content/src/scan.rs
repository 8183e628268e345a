//! A RON scanner that keeps places. `ron` checks types but forgets where things stood; this one
//! knows nothing about types and remembers every byte. It also finds what should be said before
//! parsing: wrong brackets, forgotten commas, full-width punctuation, fields written twice.

mod node;

use std::ops::Range;

use crate::codes::{self, Code};
use crate::diagnostic::{Said, say};
pub(crate) use node::{Entry, Node, Shape};

/// Deepest nesting of brackets. Content needs about ten.
pub(crate) const DEPTH_MAX: usize = 32;

/// Most elements of all lists of a file together.
pub(crate) const ITEMS_MAX: usize = 10_000;

/// Most fields of one struct or entries of one map; content has about thirty.
const ENTRIES_MAX: usize = 1_000;

/// Faults after which the rest of the file is not looked at.
const FAULTS_MAX: usize = 200;

/// Something that `ron` would stumble over.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) span: Range<usize>,
    pub(crate) message: Said,
    pub(crate) help: Said,
    /// What to read instead, so that the rest of the file can be checked all the same.
    pub(crate) read_as: Option<(Range<usize>, String)>,
}

/// What the scanner found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The value of the file; `None` after a fault that cannot be read over.
    pub(crate) root: Option<Node>,
    /// Faults in order.
    pub(crate) faults: Vec<Fault>,
}

/// Scans a file.
pub(crate) fn scan(text: &str) -> Scan {
    let mut scanner = Scanner { text, at: 0, items: 0, faults: Vec::new() };
    let root = scanner.file().ok();
    Scan { root, faults: scanner.faults }
}

/// A fault was noted that ends the scan.
struct Stop;

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    items: usize,
    faults: Vec<Fault>,
}

/// Punctuation that Chinese input methods write where RON wants ASCII.
const FULL_WIDTH: [(char, char); 13] = [
    ('\u{FF0C}', ','),
    ('\u{3001}', ','),
    ('\u{FF1A}', ':'),
    ('\u{FF08}', '('),
    ('\u{FF09}', ')'),
    ('\u{FF3B}', '['),
    ('\u{FF3D}', ']'),
    ('\u{3010}', '['),
    ('\u{3011}', ']'),
    ('\u{FF5B}', '{'),
    ('\u{FF5D}', '}'),
    ('\u{FF1B}', ','),
    (';', ','),
];

impl Scanner<'_> {
    fn file(&mut self) -> Result<Node, Stop> {
        // Reported by whoever reads the letters of the file.
        self.at = if self.rest().starts_with('\u{FEFF}') { 3 } else { 0 };
        self.space()?;
        while self.rest().starts_with("#!") {
            self.attribute()?;
            self.space()?;
        }
        let root = self.value(0)?;
        self.space()?;
        if self.at < self.text.len() {
            let message =
                say!("内容结束之后还有文字", "there is more text after the end of the content");
            let help = say!(
                "一个文件只放一个值，请检查前面的括号是否配对",
                "one file holds one value: check that the brackets before it match"
            );
            return self.stop(codes::SYNTAX, self.at..self.line_end(), message, help);
        }
        Ok(root)
    }

    /// `#![type = "..."]` and the like are notes to editors. Extensions would change the grammar
    /// under the scanner's feet.
    fn attribute(&mut self) -> Result<(), Stop> {
        let start = self.at;
        self.at = self.rest().find(']').map_or(self.text.len(), |end| self.at + end + 1);
        if self.text[start..self.at].contains("enable") {
            let message =
                say!("文件里不能开启 RON 扩展", "RON extensions cannot be switched on in a file");
            let help = say!(
                "删去这一行；`Some(..)` 本来就可以省略",
                "remove this line; `Some(..)` may be left out everywhere already"
            );
            self.fault(codes::SYNTAX, start..self.at, message, help, None);
        }
        Ok(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn line_end(&self) -> usize {
        self.rest().find('\n').map_or(self.text.len(), |end| self.at + end)
    }

    fn fault(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: Said,
        help: Said,
        read_as: Option<(Range<usize>, String)>,
    ) {
        self.faults.push(Fault { code, span, message, help, read_as });
    }

    fn stop<T>(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: Said,
        help: Said,
    ) -> Result<T, Stop> {
        self.fault(code, span, message, help, None);
        Err(Stop)
    }

    /// Skips blanks and comments; block comments nest.
    fn space(&mut self) -> Result<(), Stop> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if self.rest().starts_with("//") {
                self.at = self.line_end();
            } else if self.rest().starts_with("/*") {
                let (start, mut open) = (self.at, 0usize);
                loop {
                    let rest = self.rest();
                    if rest.starts_with("/*") {
                        (open, self.at) = (open + 1, self.at + 2);
                    } else if rest.starts_with("*/") {
                        (open, self.at) = (open - 1, self.at + 2);
                        if open == 0 {
                            break;
                        }
                    } else if let Some(next) = rest.chars().next() {
                        self.at += next.len_utf8();
                    } else {
                        let message = say!("注释没有结束", "this comment is never closed");
                        let help = say!("用 `*/` 结束", "end it with `*/`");
                        return self.stop(codes::SYNTAX, start..start + 2, message, help);
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    /// The next character that is not blank. Full-width punctuation is reported and read as what
    /// was meant.
    fn peek(&mut self) -> Result<Option<(char, usize)>, Stop> {
        self.space()?;
        let Some(found) = self.rest().chars().next() else { return Ok(None) };
        let Some(&(_, ascii)) = FULL_WIDTH.iter().find(|&&(wide, _)| wide == found) else {
            return Ok(Some((found, found.len_utf8())));
        };
        let span = self.at..self.at + found.len_utf8();
        // `peek` may look at the same character twice.
        if self.faults.last().is_none_or(|last| last.span != span) {
            let message = say!(
                "这里应为半角 `{ascii}`，却写了 `{found}`",
                "`{found}` stands where RON wants `{ascii}`"
            );
            let help = say!(
                "切换到英文输入法，写 `{ascii}`",
                "switch the input method to English and write `{ascii}`"
            );
            let read_as = Some((span.clone(), ascii.to_string()));
            self.fault(codes::FULL_WIDTH, span, message, help, read_as);
        }
        Ok(Some((ascii, found.len_utf8())))
    }

    fn value(&mut self, depth: usize) -> Result<Node, Stop> {
        let Some((c, width)) = self.peek()? else {
            let end = self.text.trim_end().len();
            let message = say!("文件到此结束，缺一个值", "the file ends where a value is expected");
            let help =
                say!("请补上值，或删去前面的内容", "write the value, or remove what asks for it");
            return self.stop(codes::SYNTAX, end..end, message, help);
        };
        let start = self.at;
        if matches!(c, '(' | '[' | '{') {
            self.at += width;
            return self.brackets(start, None, c, depth);
        }
        self.scalar(c)?;
        let word = start..self.at;
        let is_word = c.is_alphabetic() || c == '_';
        if is_word && !self.text[word.clone()].ends_with(['"', '\'']) {
            let after_word = self.at;
            if let Some(('(', width)) = self.peek()? {
                self.at += width;
                return self.brackets(start, Some(word), '(', depth);
            }
            self.at = after_word;
        }
        Ok(Node { span: word, name: None, shape: Shape::Scalar })
    }

    /// What stands between an opening bracket, just read, and its counterpart.
    fn brackets(
        &mut self,
        start: usize,
        name: Option<Range<usize>>,
        open: char,
        depth: usize,
    ) -> Result<Node, Stop> {
        let opener = self.at - 1..self.at;
        let opener = if self.text.is_char_boundary(opener.start) { opener } else { start..self.at };
        if depth >= DEPTH_MAX {
            let message = say!(
                "括号嵌套超过 {DEPTH_MAX} 层",
                "brackets are nested more than {DEPTH_MAX} deep"
            );
            let help = say!(
                "正常内容用不到这么深，请检查是否有括号没有闭合",
                "no content needs that; look for a bracket that is never closed"
            );
            return self.stop(codes::TOO_MUCH, opener, message, help);
        }
        let close = match open {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        let mut nodes: Vec<Node> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            if entries.len() > ENTRIES_MAX {
                let message = say!(
                    "一对括号里的字段超过 {ENTRIES_MAX} 个",
                    "more than {ENTRIES_MAX} fields between one pair of brackets"
                );
                let help = say!("正常内容用不到这么多", "no content needs that many");
                return self.stop(codes::TOO_MUCH, opener, message, help);
            }
            if self.faults.len() > FAULTS_MAX {
                return Err(Stop);
            }
            let Some((c, width)) = self.peek()? else {
                let message = say!("`{open}` 没有闭合", "this `{open}` is never closed");
                let help = say!("请补上对应的 `{close}`", "write the `{close}` that belongs to it");
                return self.stop(codes::SYNTAX, opener, message, help);
            };
            if c == close {
                self.at += width;
                break;
            }
            if matches!(c, ')' | ']' | '}') {
                let message = say!(
                    "`{c}` 不能闭合第 {line} 行的 `{open}`",
                    "`{c}` cannot close the `{open}` of line {line}",
                    line = self.line_of(start)
                );
                let help = say!(
                    "请写 `{close}`，或检查前面是否少了括号",
                    "write `{close}`, or look for a bracket that is missing before"
                );
                return self.stop(codes::SYNTAX, self.at..self.at + width, message, help);
            }
            if c == ',' {
                let message = say!("逗号前面没有值", "a comma without a value before it");
                let help = say!("请删去", "remove it");
                let span = self.at..self.at + width;
                let read_as = Some((span.clone(), " ".to_owned()));
                self.fault(codes::SYNTAX, span, message, help, read_as);
                self.at += width;
                continue;
            }
            let value = self.value(depth + 1)?;
            let mut end = self.at;
            let keyed = open != '[' && self.colon()?;
            if keyed {
                let key = value.span;
                let value = self.value(depth + 1)?;
                end = self.at;
                self.separator(&value.span)?;
                self.note_repeated(&entries, &key, end, open);
                entries.push(Entry { key, value, end: self.at.max(end) });
            } else {
                self.at = end;
                if !entries.is_empty() || open == '{' {
                    let message = say!("值没有名称", "a value without a name");
                    let help = say!("写成 `名称: 值`", "write `name: value`");
                    return self.stop(codes::SYNTAX, value.span, message, help);
                }
                self.separator(&value.span)?;
                self.items += usize::from(open == '[');
                nodes.push(value);
                if self.items > ITEMS_MAX {
                    let message = say!(
                        "文件中列表元素超过 {ITEMS_MAX} 个",
                        "the lists of this file have more than {ITEMS_MAX} elements"
                    );
                    let help = say!("请拆成几个文件", "split it into several files");
                    return self.stop(codes::TOO_MUCH, opener, message, help);
                }
            }
        }
        if let (Some(first), false) = (nodes.first(), entries.is_empty()) {
            let message = say!("值没有名称", "a value without a name");
            let help = say!("写成 `名称: 值`", "write `name: value`");
            let span = first.span.clone();
            return self.stop(codes::SYNTAX, span, message, help);
        }
        let shape = match (open, entries.is_empty()) {
            ('[', _) => Shape::List(nodes),
            ('{', _) => Shape::Map(entries),
            (_, true) => Shape::Tuple(nodes),
            (_, false) => Shape::Struct(entries),
        };
        Ok(Node { span: start..self.at, name, shape })
    }

    /// Reads the `:` after a key; `=` is reported and read as `:`.
    fn colon(&mut self) -> Result<bool, Stop> {
        match self.peek()? {
            Some((':', width)) => {
                self.at += width;
                Ok(true)
            }
            Some(('=', width)) => {
                let span = self.at..self.at + width;
                let message = say!("这里应为 `:`，却写了 `=`", "`=` stands where RON wants `:`");
                let help = say!("写成 `名称: 值`", "write `name: value`");
                let read_as = Some((span.clone(), ":".to_owned()));
                self.fault(codes::SYNTAX, span, message, help, read_as);
                self.at += width;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reads the comma after a value; a forgotten one is reported, and the scan goes on as if it
    /// were there.
    fn separator(&mut self, value: &Range<usize>) -> Result<(), Stop> {
        let end = value.end;
        self.at = end;
        match self.peek()? {
            Some((',', width)) => self.at += width,
            None | Some((')' | ']' | '}', _)) => {}
            Some(_) if self.text[value.clone()].contains('\n') && self.is_text(value) => {
                // The quotation mark that ended it was meant to open another text.
                self.at = value.start;
                return self.unclosed_text(value.start);
            }
            Some(_) => {
                let last = self.text[..end].chars().next_back().map_or(0, char::len_utf8);
                let message = say!("后面缺逗号", "a comma is missing after this");
                let help = say!("两个值之间写 `,`", "write `,` between one value and the next");
                let read_as = Some((end..end, ",".to_owned()));
                self.fault(codes::SYNTAX, end - last..end, message, help, read_as);
            }
        }
        Ok(())
    }

    fn is_text(&self, span: &Range<usize>) -> bool {
        self.text[span.clone()].starts_with('"')
    }

    fn note_repeated(&mut self, entries: &[Entry], key: &Range<usize>, end: usize, open: char) {
        let text = self.text;
        let Some(first) = entries.iter().find(|e| text[e.key.clone()] == text[key.clone()]) else {
            return;
        };
        let line = self.line_of(first.key.start);
        let name = &text[key.clone()];
        let read_as = Some((key.start..end.max(self.at), " ".to_owned()));
        let (code, message) = if open == '{' {
            (
                codes::KEY_TWICE,
                say!(
                    "{name} 写了两次，第一次在第 {line} 行",
                    "{name} is given twice; the first is on line {line}"
                ),
            )
        } else {
            (
                codes::FIELD_TWICE,
                say!(
                    "`{name}` 写了两次，第一次在第 {line} 行",
                    "`{name}` is given twice; the first is on line {line}"
                ),
            )
        };
        self.fault(code, key.clone(), message, say!("只保留一个", "keep one of them"), read_as);
    }

    fn line_of(&self, at: usize) -> usize {
        1 + self.text[..at].bytes().filter(|&b| b == b'\n').count()
    }

    /// Reads a string, character, number or bare word beginning with `c`.
    fn scalar(&mut self, c: char) -> Result<(), Stop> {
        let start = self.at;
        let rest = self.rest();
        let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).map(|after| {
            let hashes = after.len() - after.trim_start_matches('#').len();
            (rest.len() - after.len() + hashes, hashes, after[hashes..].starts_with('"'))
        });
        if let Some((prefix, hashes, true)) = raw {
            let body = start + prefix + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            return match self.text[body..].find(&end) {
                Some(length) => {
                    self.at = body + length + end.len();
                    Ok(())
                }
                None => self.unclosed_text(start),
            };
        }
        let prefix = usize::from(rest.starts_with("b\"") || rest.starts_with("b'"));
        match rest[prefix..].chars().next() {
            Some('"') => self.quoted(start, start + prefix + 1, '"'),
            Some('\'') => self.quoted(start, start + prefix + 1, '\''),
            Some('\u{201C}' | '\u{201D}' | '\u{300C}' | '\u{FF02}') => {
                let message = say!("`{c}` 不能作为文字的开头引号", "`{c}` does not open a text");
                let help = say!(
                    "切换到英文输入法，写 `\"`",
                    "switch the input method to English and write `\"`"
                );
                self.stop(codes::FULL_WIDTH, start..start + c.len_utf8(), message, help)
            }
            _ => {
                let ends = |c: char| {
                    c.is_whitespace()
                        || "()[]{},:=\"'/".contains(c)
                        || FULL_WIDTH.iter().any(|&(wide, _)| wide == c)
                };
                let length = rest.find(ends).unwrap_or(rest.len());
                if length == 0 {
                    let width = rest.chars().next().map_or(0, char::len_utf8);
                    let message = say!("这里不能写 `{c}`", "`{c}` cannot stand here");
                    let help = say!(
                        "这里应为一个值：带引号的文字、数字、名称或括号",
                        "a value is expected: a text in quotes, a number, a name, or brackets"
                    );
                    let span = start..start + width;
                    return self.stop(codes::SYNTAX, span, message, help);
                }
                self.at += length;
                Ok(())
            }
        }
    }

    fn quoted(&mut self, start: usize, body: usize, quote: char) -> Result<(), Stop> {
        let mut chars = self.text[body..].char_indices();
        while let Some((offset, c)) = chars.next() {
            if c == '\\' {
                chars.next();
            } else if c == quote {
                self.at = body + offset + 1;
                return Ok(());
            }
        }
        self.unclosed_text(start)
    }

    fn unclosed_text(&mut self, start: usize) -> Result<(), Stop> {
        let message = say!("文字没有闭合引号", "this text is never closed");
        let help = say!("用开头的那种引号结束", "end it with the quotation mark it began with");
        let end = self.line_end();
        self.stop(codes::SYNTAX, start..end, message, help)
    }
}

#[cfg(test)]
mod tests;
