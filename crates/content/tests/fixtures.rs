//! `tests/content/invalid/`: one fault in each file, named after it. The first line says where in
//! the base pack the file stands, the second which code is expected and where:
//! `// expect: C0302 at 12:5`, or with the path of another file before the line.

#![allow(clippy::disallowed_methods, reason = "tests read the fixtures from the repository")]

mod common;

use std::fs;

use common::{base, base_for, base_with, folder, show, today};
use dengmi_content::{Diagnostic, load};

#[test]
fn the_base_pack_has_no_fault() {
    let files = base();
    let (pack, diagnostics) = load(&files, &today());
    assert!(diagnostics.is_empty(), "{}", show(&files, &diagnostics));
    assert!(pack.is_some());
}

#[test]
fn the_small_course_has_no_fault() {
    let files = base_for("courses/first/course.ron");
    let (pack, diagnostics) = load(&files, &today());
    assert!(diagnostics.is_empty(), "{}", show(&files, &diagnostics));
    let pack = pack.expect("a pack");
    let (_, course) = pack.courses.first_key_value().expect("the course");
    assert_eq!(course.lessons.len(), 7);
    assert_eq!(course.lesson(4).expect("day 4").day, 4);
}

#[test]
fn every_fixture_has_its_one_fault() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let entries = fs::read_dir(folder("invalid")).expect("the fixtures");
    for entry in entries {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a text");
        let mut lines = text.trim_start_matches('\u{FEFF}').lines();
        let place = lines.next().and_then(|line| line.strip_prefix("// path: "));
        let expected = lines.next().and_then(|line| line.strip_prefix("// expect: "));
        let (place, expected) = place.zip(expected).unwrap_or_else(|| panic!("{name}: no header"));
        let (code, at) = expected.split_once(" at ").expect("a code and a place");
        let at = if at.contains(".ron:") { at.to_owned() } else { format!("{place}:{at}") };

        let files = base_with(place, &text);
        let (_, diagnostics) = load(&files, &today());
        let found: Vec<String> = diagnostics
            .iter()
            .map(|d| format!("{} at {}:{}:{}", d.code, d.path, d.line, d.column))
            .collect();
        for diagnostic in &diagnostics {
            let Diagnostic { message, help, .. } = diagnostic;
            assert!(
                common::is_chinese(&message.zh) && common::is_chinese(&help.zh),
                "{diagnostic}"
            );
        }
        if found != [format!("{code} at {at}")] {
            let shown = show(&files, &diagnostics);
            wrong.push(format!("{name}: expected {code} at {at}, found {found:?}\n{shown}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 60, "{count} fixtures");
}
