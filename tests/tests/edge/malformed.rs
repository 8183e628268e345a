//! Malformed content files: each sound file with each named fault must be refused, by an error that
//! says where in this file it stands. Beside them are the files of `tests/content/invalid`, whose
//! codes and places `crates/content/tests/fixtures.rs` holds one by one.

#![expect(clippy::print_stderr, reason = "the count is told")]

use std::collections::BTreeSet;
use std::path::Path;

use dengmi_content::{CheckOptions, Diagnostic, Severity, SourceFile, load};

fn today() -> CheckOptions {
    CheckOptions { today: "2026-11-21".parse().unwrap() }
}

fn read(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            let below = path.strip_prefix(root).unwrap();
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let text = std::fs::read_to_string(&path).unwrap();
            files.push(SourceFile { path: parts.join("/"), text });
        }
    }
}

/// A named fault: the file with it, or nothing where the file has no place for it.
type Fault = (&'static str, fn(&str) -> Option<String>);

/// Replaces the first `what`.
fn swap(text: &str, what: &str, with: &str) -> Option<String> {
    text.contains(what).then(|| text.replacen(what, with, 1))
}

fn without_last(text: &str, what: char) -> Option<String> {
    let at = text.rfind(what)?;
    Some(format!("{}{}", &text[..at], &text[at + what.len_utf8()..]))
}

/// Replaces the first run of characters that begins after `before` and of which `part` is true.
fn run(text: &str, before: &str, part: fn(char) -> bool, with: &str) -> Option<String> {
    // What stands in a comment is no fault.
    let body = text.find("\n(").map_or(0, |at| at + 1);
    let mut from = body;
    while let Some(found) = text[from..].find(before) {
        let start = from + found + before.len();
        let length = text[start..].find(|c| !part(c)).unwrap_or(text.len() - start);
        if length > 0 {
            return Some(format!("{}{with}{}", &text[..start], &text[start + length..]));
        }
        from = start;
    }
    None
}

fn schema(text: &str, with: &str) -> Option<String> {
    swap(text, "schema: 1", with)
}

/// Puts characters into the first Chinese text.
fn chinese(text: &str, with: &str) -> Option<String> {
    swap(text, "\"zh-CN\": \"", &format!("\"zh-CN\": \"{with}"))
}

/// Writes something else for the first number that is not the schema's.
fn number(text: &str, with: &str) -> Option<String> {
    let at = text.find("schema: 1")? + "schema: 1".len();
    let (head, rest) = text.split_at(at);
    Some(format!("{head}{}", run(rest, ": ", |c| c.is_ascii_digit(), with)?))
}

/// Writes something else for the first day.
fn day(text: &str, with: &str) -> Option<String> {
    run(text, "\"20", |c| c.is_ascii_digit() || c == '-', with)
        .map(|text| text.replacen(&format!("\"20{with}"), &format!("\"{with}"), 1))
}

/// Changes the first word that names a variant.
fn variant(text: &str, with: &str) -> Option<String> {
    let fields = ["purpose: ", "    on: ", "group: ", "    unit: ", "kind: ", "pay: "];
    fields.iter().find_map(|field| run(text, field, |c| c.is_ascii_alphabetic(), with))
}

const FAULTS: &[Fault] = &[
    // the file as bytes
    ("nothing in it", |_| Some(String::new())),
    ("only a comment", |_| Some("// later\n".to_owned())),
    ("byte order mark", |text| Some(format!("\u{FEFF}{text}"))),
    ("too long", |text| Some(format!("{text}{}", " ".repeat(1_000_001)))),
    ("NUL at the end", |text| Some(format!("{text}\0"))),
    ("cut in the middle", |text| {
        let chars = text.chars().count() / 2;
        Some(text.chars().take(chars).collect())
    }),
    ("CRLF, and a bracket missing", |text| {
        without_last(text, ')').map(|text| text.replace('\n', "\r\n"))
    }),
    ("JSON", |_| Some("{\"schema\": 1}".to_owned())),
    // brackets and punctuation
    ("last bracket missing", |text| without_last(text, ')')),
    ("last list not closed", |text| without_last(text, ']')),
    ("last map not closed", |text| without_last(text, '}')),
    ("one bracket too many", |text| Some(format!("{text})"))),
    ("square for round", |text| swap(text, "(\n", "[\n")),
    ("more after the end", |text| Some(format!("{text}1"))),
    ("two values", |text| Some(format!("{text}{text}"))),
    ("string not closed", |text| without_last(text, '"')),
    ("comment not closed", |text| Some(format!("{text}/* see"))),
    ("comment in front not closed", |text| Some(format!("/* {text}"))),
    ("full-width colon", |text| schema(text, "schema：1")),
    ("full-width comma", |text| schema(text, "schema: 1，")),
    ("full-width bracket", |text| {
        swap(text, "(schema", "（schema").or_else(|| swap(text, "(\n    schema", "（\n    schema"))
    }),
    ("equals for colon", |text| schema(text, "schema = 1")),
    ("semicolon for comma", |text| swap(text, "schema: 1,", "schema: 1;")),
    ("comma missing", |text| swap(text, "schema: 1,", "schema: 1")),
    ("two commas", |text| swap(text, "schema: 1,", "schema: 1,,")),
    ("curly quotes", |text| swap(text, "\"zh-CN\"", "“zh-CN”")),
    ("extension", |text| Some(format!("#![enable(implicit_some)]\n{text}"))),
    ("nested deep", |text| schema(text, &format!("schema: {}{}", "[".repeat(40), "]".repeat(40)))),
    ("nested very deep", |text| schema(text, &format!("schema: {}", "(".repeat(5_000)))),
    ("many comments within comments", |text| Some(format!("{}{text}", "/*".repeat(5_000)))),
    // fields
    ("nothing but brackets", |_| Some("()".to_owned())),
    ("a tuple", |_| Some("(1, 2)".to_owned())),
    ("a list", |_| Some("[]".to_owned())),
    ("a word", |_| Some("None".to_owned())),
    ("schema missing", |text| swap(text, "schema: 1,", "")),
    ("schema twice", |text| schema(text, "schema: 1, schema: 1")),
    ("unknown field", |text| schema(text, "schema: 1, colour: 3")),
    ("unknown field of a hostile name", |text| schema(text, "schema: 1, r#__proto__: {}")),
    ("another schema", |text| schema(text, "schema: 2")),
    ("no schema yet", |text| schema(text, "schema: 0")),
    ("schema as a text", |text| schema(text, "schema: \"1\"")),
    ("schema in Some", |text| schema(text, "schema: Some(1)")),
    ("schema NaN", |text| schema(text, "schema: NaN")),
    ("schema infinite", |text| schema(text, "schema: inf")),
    ("schema too large for anything", |text| schema(text, "schema: 1e999")),
    ("schema negative", |text| schema(text, "schema: -1")),
    ("schema with a fraction", |text| schema(text, "schema: 1.5")),
    ("schema beyond 64 bits", |text| schema(text, "schema: 99999999999999999999")),
    ("schema is a character", |text| schema(text, "schema: '1'")),
    ("schema is bytes", |text| schema(text, "schema: b\"1\"")),
    ("title is true", |text| swap(text, "title: {", "title: true, subtitle: {")),
    ("language twice", |text| swap(text, "{\"zh-CN\": ", "{\"zh-CN\": \"二\", \"zh-CN\": ")),
    ("no such language", |text| swap(text, "{\"zh-CN\": ", "{\"zz-ZZ\": ")),
    // what texts may not hold
    ("empty text", |text| run(text, "\"zh-CN\": \"", |c| c != '"', "")),
    ("bidirectional override", |text| chinese(text, "\u{202E}")),
    ("bidirectional override, escaped", |text| chinese(text, "\\u{202E}")),
    ("zero-width space", |text| chinese(text, "\u{200B}")),
    ("control character", |text| chinese(text, "\u{1B}[31m")),
    ("control character, escaped", |text| chinese(text, "\\u{7}")),
    ("NUL, escaped", |text| chinese(text, "\\u{0}")),
    ("lone surrogate", |text| chinese(text, "\\u{D800}")),
    ("no such escape", |text| chinese(text, "\\q")),
    // values
    ("number NaN", |text| number(text, "NaN")),
    ("number infinite", |text| number(text, "inf")),
    ("number too large for anything", |text| number(text, "1e999")),
    ("number as a text", |text| number(text, "\"seven\"")),
    ("number negative", |text| number(text, "-7")),
    ("number beyond 64 bits", |text| number(text, "99999999999999999999")),
    ("number is a list", |text| number(text, "[1]")),
    ("a day that is none", |text| day(text, "2026-02-30")),
    ("month thirteen", |text| day(text, "2026-13-01")),
    ("year zero", |text| day(text, "0000-00-00")),
    ("year of five digits", |text| day(text, "12026-01-01")),
    ("day with slashes", |text| day(text, "2026/11/21")),
    ("variant misspelled", |text| variant(text, "Nonesuch")),
    ("variant of another case", |text| variant(text, "always")),
    ("variant with a payload", |text| variant(text, "Nonesuch(1)")),
    ("dead notice", |text| swap(text, "notices: [\"n", "notices: [\"gone-")),
    ("dead reward rule", |text| swap(text, "rewards: [\"", "rewards: [\"gone-")),
    ("dead question", |text| swap(text, "questions: [\"", "questions: [\"gone-")),
    ("path for an id", |text| swap(text, "rewards: [\"", "rewards: [\"../")),
    ("id with capitals", |text| swap(text, " id: \"", " id: \"A B")),
    ("id used twice", |text| {
        let at = text.find("(id: \"")?;
        let body = &text[at..];
        let end = body.find("\n        ),")?;
        let element = &body[..end + "\n        ),".len()];
        Some(text.replacen(element, &format!("{element}\n        {element}"), 1))
    }),
    ("approval without approver", |text| run(text, "approver: \"", |c| c != '"', "")),
    ("approval of the past", |text| swap(text, "valid_to: \"2", "valid_to: \"1")),
];

/// An error that stands in this file, at a line and a column that it has.
fn placed(file: &SourceFile, found: &[Diagnostic]) -> Option<String> {
    let errors = found.iter().filter(|one| one.severity == Severity::Error);
    let mut here = errors.filter(|one| one.path == file.path);
    let first = here.next()?;
    let lines: Vec<&str> = file.text.split('\n').collect();
    let inside = std::iter::once(first).chain(here).all(|one| {
        let line = (one.line as usize).checked_sub(1).and_then(|at| lines.get(at));
        // One column past the end is where something is missing.
        line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&(one.column as usize)))
    });
    inside.then(|| format!("{}:{}:{}: {}", first.path, first.line, first.column, first.code))
}

#[test]
fn every_malformed_file_is_refused_where_it_is_wrong() {
    let base_root = dengmi_tests::root().join("tests/content/base");
    let (mut base, mut sound) = (Vec::new(), Vec::new());
    read(&base_root, &base_root, &mut base);
    assert!(load(&base, &today()).0.is_some(), "the base pack is sound");
    let root = dengmi_tests::root();
    for folder in ["content", "quests"] {
        read(&root, &root.join(folder), &mut sound);
    }
    // Shipped files stand on each other: each is checked within a pack of its own neighbours.
    let cases = base.iter().map(|file| (file, &base));
    let shipped = sound.iter().filter(|file| file.path.starts_with("quests/")).take(1);
    let cases: Vec<_> = cases.chain(shipped.map(|file| (file, &sound))).collect();
    let (mut seen, mut wrong, mut codes) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for (file, pack) in cases {
        for (name, fault) in FAULTS {
            let Some(text) = fault(&file.text) else { continue };
            if text == file.text || !seen.insert((file.path.clone(), text.clone())) {
                continue;
            }
            let changed = SourceFile { path: file.path.clone(), text };
            let mut files = pack.clone();
            files.retain(|one| one.path != changed.path);
            files.push(changed.clone());
            let (loaded, found) = load(&files, &today());
            match placed(&changed, &found) {
                Some(place) if loaded.is_none() => {
                    codes.insert(place.rsplit(' ').next().unwrap_or_default().to_owned());
                }
                _ => wrong.push(format!("{}: {name}: {found:?}", file.path)),
            }
        }
    }
    eprintln!("{} malformed files refused, by {} codes", seen.len() - wrong.len(), codes.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), seen.len(), wrong.join("\n"));
    assert!(seen.len() >= 500, "only {} malformed files", seen.len());
    assert!(codes.len() >= 15, "only the codes {codes:?}");
}
