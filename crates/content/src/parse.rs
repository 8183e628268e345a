//! From text to types. `ron` stops at the first fault; here a fault is reported, read over (cut
//! out, or replaced by a good value of the same kind), and parsing goes on, so that one pass finds
//! every fault of a file.

pub(crate) mod in_words;

use std::ops::Range;

use ron::error::{Error, Position, SpannedError};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use crate::codes;
use crate::diagnostic::say;
use crate::nearest::{nearest, one_of};
use crate::scan::{self, Node, Shape};
use crate::source::{Report, Source};

/// Faults of one object after which the rest of it is left alone.
const FAULTS_MAX: usize = 64;

/// Parses `node` of a file. Every fault is reported; the value is given only when there is none.
/// `replace` is read instead of parts of the text; `templates` are faultless values of this kind
/// with every field filled in.
pub(crate) fn parse<T: DeserializeOwned>(
    source: &Source<'_>,
    node: &Node,
    replace: &[(Range<usize>, String)],
    templates: &[&str],
    report: &mut Report,
) -> Option<T> {
    let mut patched = Patched { source: source.text, base: node.span.clone(), edits: Vec::new() };
    let inside = |span: &Range<usize>| node.span.start <= span.start && span.end <= node.span.end;
    for (span, text) in source.read_as.iter().chain(replace) {
        if inside(span) {
            patched.edit(span.clone(), text.clone());
        }
    }
    let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    let mut faultless = true;
    let mut suggested = Vec::new();
    for _ in 0..FAULTS_MAX {
        let (text, error) = {
            let text = patched.text();
            match options.from_str::<T>(&text) {
                Ok(value) => return faultless.then_some(value),
                Err(error) => (text, error),
            }
        };
        faultless = false;
        let mut recovery = Recovery {
            source,
            node,
            templates,
            patched: &mut patched,
            suggested: &mut suggested,
            report,
        };
        if !recovery.read_over(&text, error) {
            return None;
        }
    }
    None
}

/// The text of a node with some parts replaced.
struct Patched<'a> {
    source: &'a str,
    base: Range<usize>,
    /// In order, never overlapping.
    edits: Vec<(Range<usize>, String)>,
}

impl Patched<'_> {
    fn text(&self) -> String {
        let mut text = String::with_capacity(self.base.len());
        let mut at = self.base.start;
        for (span, with) in &self.edits {
            text.push_str(&self.source[at..span.start]);
            text.push_str(with);
            at = span.end;
        }
        text.push_str(&self.source[at..self.base.end]);
        text
    }

    /// Reads `with` instead of `span`; edits inside it are dropped.
    fn edit(&mut self, span: Range<usize>, with: String) {
        let covers = |inner: &Range<usize>| span.start <= inner.start && inner.end <= span.end;
        let cuts = |other: &Range<usize>| other.start < span.end && span.start < other.end;
        if self.edits.iter().any(|(other, _)| cuts(other) && !covers(other)) {
            return;
        }
        self.edits.retain(|(other, _)| !covers(other));
        let at = self.edits.partition_point(|(other, _)| other.start < span.start);
        self.edits.insert(at, (span, with));
    }

    /// The place in the file of a byte of the patched text, and the edit it lies in. What was cut
    /// out stands for the place after it.
    fn origin(&self, at: usize) -> (usize, Option<Range<usize>>) {
        let (mut from, mut to) = (self.base.start, 0);
        for (span, with) in &self.edits {
            let unchanged = span.start - from;
            if at < to + unchanged {
                return (from + (at - to), None);
            }
            to += unchanged;
            if at < to + with.len() {
                if with.trim().is_empty() {
                    return (span.end, None);
                }
                return (span.start, Some(span.clone()));
            }
            to += with.len();
            from = span.end;
        }
        ((from + (at - to)).min(self.base.end), None)
    }
}

struct Recovery<'a, 'b> {
    source: &'a Source<'a>,
    node: &'a Node,
    templates: &'a [&'a str],
    patched: &'b mut Patched<'a>,
    /// Names suggested for unknown fields, by the place of their group: that these are missing as
    /// well goes without saying.
    suggested: &'b mut Vec<(Range<usize>, &'static str)>,
    report: &'b mut Report,
}

impl<'a> Recovery<'a, '_> {
    /// Reports the fault and changes what is read; false when there is nothing left to try.
    fn read_over(&mut self, text: &str, error: SpannedError) -> bool {
        let (start, in_edit) = self.patched.origin(byte_at(text, error.span.start));
        let (end, _) = self.patched.origin(byte_at(text, error.span.end));
        if let Some(edited) = in_edit {
            // What was put in does not fit: replace more.
            return self.replace_around(&edited, true);
        }
        match error.code {
            Error::NoSuchStructField { expected, found, .. } => {
                self.unknown_field(start, &found, expected)
            }
            Error::MissingStructField { field, .. } => self.missing_field(start, field),
            Error::ExpectedDifferentStructName { expected, found } => {
                self.brackets_missing(start, expected, &found)
            }
            code => {
                let culprit = self.culprit(start, end, &code).span.clone();
                self.say(code, &culprit);
                self.replace_around(&culprit, false)
            }
        }
    }

    fn say(&mut self, error: Error, span: &Range<usize>) {
        let found = &self.source.text[span.clone()];
        let (code, message, help) = in_words::in_words(error, found);
        self.report.error(code, self.source.at(span.clone()), message, help);
    }

    fn unknown_field(&mut self, start: usize, found: &str, known: &[&'static str]) -> bool {
        let owner = innermost(self.node, start);
        let Shape::Struct(entries) = &owner.shape else { return false };
        let Some(entry) = entries.iter().find(|e| e.key.contains(&start)) else { return false };
        let message = say!("这里没有字段 `{found}`", "there is no field `{found}` here");
        let help = match nearest(found, known.iter().copied()) {
            Some(name) => {
                self.suggested.push((owner.span.clone(), name));
                say!("是不是 `{name}`？", "did you mean `{name}`?")
            }
            None => say!("可用字段：{fields}", "known fields: {fields}", fields = one_of(known)),
        };
        self.report.error(codes::UNKNOWN_FIELD, self.source.at(entry.key.clone()), message, help);
        self.patched.edit(entry.key.start..entry.end, " ".to_owned());
        true
    }

    fn missing_field(&mut self, start: usize, field: &'static str) -> bool {
        let text = self.source.text;
        let owner = ends_at(text, self.node, start).unwrap_or(innermost(self.node, start));
        let message = say!("缺少字段 `{field}`", "the field `{field}` is missing");
        let good = self.counterpart(&owner.span).and_then(|(_, good)| good.field(field));
        let help = match &good {
            Some(good) if good.len() <= 60 && !good.contains('\n') => {
                say!("请补上，例如 `{field}: {good}`", "add it, for example `{field}: {good}`")
            }
            _ => say!("请补上", "add it"),
        };
        let span = match &owner.shape {
            Shape::Struct(entries) => {
                let opening = owner.name.clone().unwrap_or(character_at(text, owner.span.start));
                let id = entries.iter().find(|e| &self.source.text[e.key.clone()] == "id");
                id.map_or(opening, |entry| entry.value.span.clone())
            }
            _ => owner.span.clone(),
        };
        let goes_without_saying =
            self.suggested.iter().any(|(group, name)| *group == owner.span && *name == field);
        if !goes_without_saying {
            self.report.error(codes::MISSING_FIELD, self.source.at(span), message, help);
        }
        let opening = text[owner.span.clone()].find(['(', '\u{FF08}']);
        match (good, opening) {
            (Some(good), Some(opening)) => {
                let at = character_at(text, owner.span.start + opening).end;
                let mut with = format!("{field}: {good}, ");
                // Several fields may be missing after the same bracket.
                if let Some((_, before)) =
                    self.patched.edits.iter().find(|(span, _)| *span == (at..at))
                {
                    with.push_str(before);
                }
                self.patched.edit(at..at, with);
                true
            }
            _ => self.replace_around(&owner.span.clone(), false),
        }
    }

    /// `ProductFact(product: ..)` where `ProductFact((product: ..))` is meant, or a misspelt name.
    fn brackets_missing(&mut self, start: usize, expected: &str, found: &str) -> bool {
        let owner = innermost(self.node, start);
        if let (Some(name), Shape::Struct(entries)) = (&owner.name, &owner.shape)
            && let Some(first) = entries.first()
            && first.key.start == start
        {
            let name_text = &self.source.text[name.clone()];
            let message = say!(
                "`{name_text}` 的字段要再加一层括号",
                "the fields of `{name_text}` need brackets of their own"
            );
            let help = say!(
                "写成 `{name_text}((...))`，用双层括号",
                "write `{name_text}((...))`, with double brackets"
            );
            self.report.error(codes::WRONG_VALUE, self.source.at(name.clone()), message, help);
            let closing = self.source.text[..owner.span.end].char_indices().next_back();
            let (first, last) = (first.key.start, closing.map_or(0, |(at, _)| at));
            self.patched.edit(first..first, "(".to_owned());
            self.patched.edit(last..last, ")".to_owned());
            return true;
        }
        let span = owner.name.clone().unwrap_or(start..start + found.len());
        let message = say!("这里不能写 `{found}`", "`{found}` cannot stand here");
        let help = say!(
            "请写 `{expected}(...)`，或只写括号",
            "write `{expected}(...)`, or only the brackets"
        );
        self.report.error(codes::UNKNOWN_NAME, self.source.at(span.clone()), message, help);
        self.patched.edit(span, String::new());
        true
    }

    /// The node that an error is about. `ron` points at, just before or just after it.
    fn culprit(&self, start: usize, end: usize, error: &Error) -> &'a Node {
        let at_start = innermost(self.node, start);
        if matches!(at_start.shape, Shape::Scalar) {
            return at_start;
        }
        let around = innermost(self.node, end);
        match error {
            Error::Message(message)
                if message.contains("`zh-CN`") || message.contains("language") =>
            {
                enclosing_map(self.node, start)
            }
            Error::Message(_)
            | Error::NoSuchEnumVariant { .. }
            | Error::ExpectedDifferentLength { .. }
            | Error::ExpectedComma => at_start,
            Error::ExpectedStructLike => {
                around.children().filter(|c| c.span.end <= start).last().unwrap_or(around)
            }
            _ if around.span.start == end => around,
            _ => around.children().find(|c| c.span.start >= end).unwrap_or(around),
        }
    }

    /// The deepest node of a template on the way to `span`, and the node it stands for.
    fn counterpart(&self, span: &Range<usize>) -> Option<(&'a Node, Good)> {
        let path = path_to(self.node, span);
        let matches = self.templates.iter().filter_map(|&template| {
            let root = scan::scan(template).root?;
            let (depth, good) = walk(self.source.text, &path, template, &root)?;
            Some((depth, Good::new(template, good)))
        });
        // The first of the deepest, so that the order of templates decides ties.
        let (depth, good) = matches.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
        Some((path.get(depth)?, good))
    }

    /// Replaces the node at `span` by a good one; `more` takes its parent, because the node itself
    /// was replaced already.
    fn replace_around(&mut self, span: &Range<usize>, more: bool) -> bool {
        let path = path_to(self.node, span);
        let depth = path.len() - 1;
        let mut goal = if more {
            // An insertion has no node of its own: its struct is the parent.
            if path[depth].span == *span { depth.checked_sub(1) } else { Some(depth) }
        } else {
            Some(depth)
        };
        while let Some(depth) = goal {
            let node = path[depth];
            if let Some((stands_for, good)) = self.counterpart(&node.span) {
                let done = self
                    .patched
                    .edits
                    .iter()
                    .any(|(edited, with)| *edited == stands_for.span && *with == good.text);
                if !done {
                    self.patched.edit(stands_for.span.clone(), good.text);
                    return true;
                }
            }
            goal = depth.checked_sub(1);
        }
        false
    }
}

/// A good value out of a template.
struct Good {
    text: String,
    fields: Vec<(String, String)>,
}

impl Good {
    fn new(template: &str, node: &Node) -> Self {
        let text_of = |span: &Range<usize>| template[span.clone()].to_owned();
        let fields = match &node.shape {
            Shape::Struct(entries) => {
                entries.iter().map(|e| (text_of(&e.key), text_of(&e.value.span))).collect()
            }
            _ => Vec::new(),
        };
        Self { text: text_of(&node.span), fields }
    }

    fn field(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

/// The nodes from `root` down to the one that holds `span`.
fn path_to<'a>(root: &'a Node, span: &Range<usize>) -> Vec<&'a Node> {
    let holds = |node: &&Node| node.span.start <= span.start && span.end <= node.span.end;
    let mut path = vec![root];
    let mut node = root;
    while let Some(next) = node.children().find(holds) {
        path.push(next);
        node = next;
    }
    path
}

/// Walks a template along the path; gives how far it went and where it came to.
fn walk<'t>(
    text: &str,
    path: &[&Node],
    template: &str,
    root: &'t Node,
) -> Option<(usize, &'t Node)> {
    let mut good = root;
    for (depth, pair) in path.windows(2).enumerate() {
        let [node, next] = pair else { return None };
        let name = |node: &Node, text: &str| node.name.clone().map(|n| text[n].to_owned());
        let (here, there) = (name(node, text), name(good, template));
        let same = here == there || (depth == 0 && (here.is_none() || there.is_none()));
        let step = match (&node.shape, &good.shape) {
            _ if !same => None,
            (Shape::Struct(entries), Shape::Struct(goods)) => entries
                .iter()
                .find(|e| e.value.span == next.span)
                .and_then(|e| goods.iter().find(|g| template[g.key.clone()] == text[e.key.clone()]))
                .map(|g| &g.value),
            (Shape::List(_), Shape::List(goods)) => goods.first(),
            (Shape::Tuple(nodes), Shape::Tuple(goods)) => {
                nodes.iter().position(|n| n.span == next.span).and_then(|i| goods.get(i))
            }
            _ => None,
        };
        match step {
            Some(step) => good = step,
            None => return Some((depth, good)),
        }
    }
    Some((path.len() - 1, good))
}

/// The deepest node that holds the byte at `at`.
fn innermost(root: &Node, at: usize) -> &Node {
    let mut node = root;
    while let Some(next) = node.children().find(|n| n.span.contains(&at)) {
        node = next;
    }
    node
}

/// The character that begins at `at`: brackets may be full-width.
fn character_at(text: &str, at: usize) -> Range<usize> {
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// The deepest bracketed node whose closing bracket is at `at`.
fn ends_at<'a>(text: &str, root: &'a Node, at: usize) -> Option<&'a Node> {
    let bracket = character_at(text, at);
    let mut found = None;
    let mut node = root;
    loop {
        let bracketed = !matches!(node.shape, Shape::Scalar);
        if bracketed && node.span.end == bracket.end {
            found = Some(node);
        }
        match node.children().find(|n| n.span.start <= at && at < n.span.end) {
            Some(next) => node = next,
            None => return found,
        }
    }
}

/// The text-by-language map around a byte.
fn enclosing_map(root: &Node, at: usize) -> &Node {
    let path = path_to(root, &(at..at + 1));
    let map = path.iter().rev().find(|node| matches!(node.shape, Shape::Map(_)));
    map.copied().unwrap_or_else(|| innermost(root, at))
}

/// Byte offset of a line and column, both from 1, columns in characters.
fn byte_at(text: &str, position: Position) -> usize {
    let line_start = match position.line {
        0 | 1 => 0,
        line => text.match_indices('\n').nth(line - 2).map_or(text.len(), |(at, _)| at + 1),
    };
    let rest = &text[line_start..];
    let column = position.col.saturating_sub(1);
    line_start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests;
