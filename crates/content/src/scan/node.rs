//! The tree that a scan gives.

use std::ops::Range;

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    /// From the first byte (of the name, where there is one) to after the last.
    pub(crate) span: Range<usize>,
    /// `QuizSeries` of `QuizSeries(...)`.
    pub(crate) name: Option<Range<usize>>,
    /// What is inside.
    pub(crate) shape: Shape,
}

/// What a value looks like.
#[derive(Debug)]
pub(crate) enum Shape {
    /// `(key: value, ...)`.
    Struct(Vec<Entry>),
    /// `(value, ...)`, also empty.
    Tuple(Vec<Node>),
    /// `[value, ...]`.
    List(Vec<Node>),
    /// `{key: value, ...}`.
    Map(Vec<Entry>),
    /// A string, number, character or bare word.
    Scalar,
}

/// A field of a struct or an entry of a map.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key as written.
    pub(crate) key: Range<usize>,
    /// The value.
    pub(crate) value: Node,
    /// After the comma, or after the value where there is none.
    pub(crate) end: usize,
}

impl Node {
    /// The node at a dotted path such as `questions.3.body.answer`, or the deepest node on the way
    /// to it. Enum names, `Some(..)` and other one-element tuples are stepped over.
    pub(crate) fn find<'a>(&'a self, text: &str, path: &str) -> &'a Node {
        let mut node = self;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            match node.step(text, step) {
                Some(next) => node = next,
                None => return node,
            }
        }
        node
    }

    /// The node exactly at a path.
    pub(crate) fn get<'a>(&'a self, text: &str, path: &str) -> Option<&'a Node> {
        path.split('.').filter(|step| !step.is_empty()).try_fold(self, |node, s| node.step(text, s))
    }

    fn step<'a>(&'a self, text: &str, step: &str) -> Option<&'a Node> {
        let index = step.parse::<usize>().ok();
        match (&self.shape, index) {
            (Shape::Struct(entries), _) => {
                entries.iter().find(|e| &text[e.key.clone()] == step).map(|e| &e.value)
            }
            (Shape::List(items), Some(index)) => items.get(index),
            (Shape::Tuple(items), Some(index)) if items.len() != 1 => items.get(index),
            (Shape::Tuple(items), _) => match items.as_slice() {
                [only] => only.step(text, step).or((index == Some(0)).then_some(only)),
                _ => None,
            },
            (Shape::Map(entries), _) => entries
                .iter()
                .find(|e| text[e.key.clone()].trim_matches('"') == step)
                .map(|e| &e.value),
            _ => None,
        }
    }

    /// Every node directly inside this one.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Node> {
        let (nodes, entries): (&[Node], &[Entry]) = match &self.shape {
            Shape::Tuple(items) | Shape::List(items) => (items, &[]),
            Shape::Struct(entries) | Shape::Map(entries) => (&[], entries),
            Shape::Scalar => (&[], &[]),
        };
        nodes.iter().chain(entries.iter().map(|entry| &entry.value))
    }

    /// The elements of a list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.shape {
            Shape::List(items) => items,
            _ => &[],
        }
    }
}
