//! `dengmi course` through the binary, on a small course.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The repository's root, where the content is.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Copies a folder; `change` may change each text.
fn copy(from: &Path, to: &Path, change: &dyn Fn(String) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to, change);
        } else {
            fs::write(to, change(fs::read_to_string(path).unwrap())).unwrap();
        }
    }
}

/// The shipped content with the small course of the tests, told to use what is there.
fn content() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["content", "quests"] {
        copy(&root().join(part), &folder.path().join(part), &|text| text);
    }
    let small = root().join("tests/content/course");
    copy(&small, folder.path(), &|text| {
        text.replace("\"wealth/steady\"", "\"wealth/steady-90d\"")
            .replace("[\"answer\", \"round\"]", "[\"quiz-complete\"]")
            .replace("2027-12-31", "2099-12-31")
            .replace("market: \"demo\"", "market: \"standard\"")
            .replace("[\"demand\", \"cash\"]", "[\"demand\", \"money-fund\"]")
    });
    folder
}

/// Runs `dengmi course` and checks its exit code; gives what it printed and said.
#[track_caller]
fn check(content: &Path, arguments: &[&str], code: i32) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dengmi"));
    command.env_remove("DENGMI_DATA").env_remove("DENGMI_CONTENT");
    command.arg("--content").arg(content).arg("course").args(arguments);
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{error}");
    (out, error)
}

#[test]
fn a_course_is_listed_covered_and_shown() {
    let folder = content();
    let content = folder.path();
    let (list, _) = check(content, &["list"], 0);
    let row: Vec<&str> = list.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row, ["first", "7", "35", "七天入门", "Seven", "days"]);

    let (json, _) = check(content, &["coverage", "first", "--format", "json"], 0);
    let found: Value = serde_json::from_str(&json).unwrap();
    let found = &found[0];
    assert_eq!(found["lessons"].as_array().unwrap().len(), 7);
    assert_eq!(found["questions"].as_array().unwrap().len(), 35);
    // Question 1 of day 1 comes back on day 2, question 3 on day 4; question 4 never does.
    let again = |question: &str| {
        let rows = found["questions"].as_array().unwrap();
        rows.iter().find(|row| row["question"] == question).unwrap()["again"].clone()
    };
    assert_eq!(again("course/d1-1"), serde_json::json!([2]));
    assert_eq!(again("course/d1-3"), serde_json::json!([4]));
    let gaps = found["gaps"].as_array().unwrap();
    let has = |kind: &str, what: &str| gaps.iter().any(|g| g["kind"] == kind && g["what"] == what);
    assert!(has("never-again", "course/d1-4") && !has("never-again", "course/d1-1"), "{json}");
    assert!(!has("never-again", "course/d7-1"), "nothing comes after the last day");
    assert!(has("sheet-not-asked", "wealth/steady-90d"), "{json}");
    let (text, _) = check(content, &["coverage"], 0);
    assert!(text.contains("never asked again (14)"), "{text}");

    let (page, _) = check(content, &["preview", "first", "--day", "4", "--lang", "en"], 0);
    let order = [
        "Seven days",
        "Lesson 4",
        "Message 1.",
        "10,000 yuan at 2.4%",
        "Message 12.",
        "And in 180 days?",
        "] yuan",
        "09:00 to 21:00",
        "Is sentence 1 of day 4 right?",
        "Is sentence 1 of day 3 right?",
        "Is sentence 3 of day 1 right?",
        "Read a sheet.",
        "wealth/steady-90d",
        "Orders are taken, until",
        "This is investor education.",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|part| page.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{page}");
    assert!(!page.contains('✓') && !page.contains("118.36") && !page.contains("消息"), "{page}");
    let answers = ["preview", "first", "--day", "4", "--answers"];
    let (page, _) = check(content, &answers, 0);
    assert!(page.contains("✓ 118.36 元") && page.contains("✓ 对"), "{page}");
}

#[test]
fn what_is_not_there_is_said_with_a_hint() {
    let folder = content();
    let content = folder.path();
    let (_, error) = check(content, &["coverage", "fist"], 1);
    assert!(error.contains("did you mean `first`?"), "{error}");
    let (_, error) = check(content, &["preview", "unknown", "--day", "1"], 1);
    assert!(error.contains("dengmi course list"), "{error}");
    for day in ["0", "8"] {
        let (_, error) = check(content, &["preview", "first", "--day", day], 1);
        assert!(error.contains("write 1 to 7"), "{error}");
    }
    check(content, &["preview", "first", "--day", "1", "--lang", "fr"], 2);
    fs::remove_file(content.join("courses/first/day-03.ron")).unwrap();
    let (_, error) = check(content, &["list"], 1);
    assert!(error.contains("dengmi check"), "{error}");
}
