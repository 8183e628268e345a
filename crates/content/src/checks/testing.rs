//! The small pack without faults, and a way to put one fault into it.

use crate::codes::Code;
use crate::{CheckOptions, SourceFile, load};

macro_rules! files {
    ($pack:literal: $($path:literal,)*) => {
        [$(($path, include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/../../tests/content/", $pack, "/", $path
        )))),*]
    };
}

/// Paths and texts of `tests/content/base`.
const BASE: [(&str, &str); 17] = files![
    "base":
    "content/communities/education.ron",
    "content/communities/neighbours.ron",
    "content/markets/demo.ron",
    "content/notices/standard.ron",
    "content/products/fund/index.ron",
    "content/products/wealth/steady.ron",
    "content/questions/basics.ron",
    "content/questions/pages.ron",
    "content/rewards/answer.ron",
    "content/rewards/check-in.ron",
    "content/rewards/comment.ron",
    "content/rewards/points.ron",
    "content/rewards/round.ron",
    "content/scenarios/week.ron",
    "content/words/words.ron",
    "quests/moments.ron",
    "quests/quiz.ron",
];
const STREAK: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/content/base/quests/streak.ron"
));

/// Paths and texts of `tests/content/course`: a small course to be laid over the base.
const COURSE: [(&str, &str); 13] = files![
    "course":
    "content/assessments/small.ron",
    "content/communities/long-term.ron",
    "content/questions/course.ron",
    "content/scenarios/calm.ron",
    "content/scenarios/calm-8.ron",
    "courses/first/course.ron",
    "courses/first/day-01.ron",
    "courses/first/day-02.ron",
    "courses/first/day-03.ron",
    "courses/first/day-04.ron",
    "courses/first/day-05.ron",
    "courses/first/day-06.ron",
    "courses/first/day-07.ron",
];

/// The day of all tests.
pub(crate) fn today() -> CheckOptions {
    CheckOptions { today: "2026-11-21".parse().expect("a day") }
}

/// The base pack with changes: path, text that is there, text to put in its place. An empty text
/// that is there adds a file.
pub(crate) fn base_with(changes: &[(&str, &str, &str)]) -> Vec<SourceFile> {
    with(BASE.into_iter().chain([("quests/streak.ron", STREAK)]), changes)
}

/// The base pack and the small course, with changes as in [`base_with`].
pub(crate) fn course_with(changes: &[(&str, &str, &str)]) -> Vec<SourceFile> {
    with(BASE.into_iter().chain(COURSE), changes)
}

fn with<'f>(
    files: impl Iterator<Item = (&'f str, &'f str)>,
    changes: &[(&str, &str, &str)],
) -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = files
        .map(|(path, text)| SourceFile { path: path.to_owned(), text: text.to_owned() })
        .collect();
    for &(path, from, to) in changes {
        if from.is_empty() {
            files.push(SourceFile { path: path.to_owned(), text: to.to_owned() });
            continue;
        }
        let file =
            files.iter_mut().find(|file| file.path == path).expect("a file of the base pack");
        assert!(file.text.contains(from), "{path} does not contain {from}");
        file.text = file.text.replacen(from, to, 1);
    }
    files
}

/// Loads the files and compares all diagnostics: code and underlined text, ordered by path and
/// place.
#[track_caller]
pub(crate) fn check_files(files: &[SourceFile], expected: &[(Code, &str)]) {
    let (pack, diagnostics) = load(files, &today());
    let underlined = |path: &str, (start, end): (usize, usize)| {
        let file = files.iter().find(|file| file.path == path);
        file.map_or("", |file| &file.text[start..end]).to_owned()
    };
    let mut found: Vec<_> =
        diagnostics.iter().map(|d| (d.code, underlined(&d.path, d.span))).collect();
    let mut wanted: Vec<_> =
        expected.iter().map(|&(code, text)| (code.as_str(), text.to_owned())).collect();
    found.sort();
    wanted.sort();
    let all: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(found, wanted, "\n{}", all.join("\n"));
    let errors = diagnostics.iter().any(|d| d.severity == crate::Severity::Error);
    assert_eq!(pack.is_none(), errors);
}

/// Puts one change into the base pack and compares all diagnostics.
#[track_caller]
pub(crate) fn check(path: &str, from: &str, to: &str, expected: &[(Code, &str)]) {
    check_files(&base_with(&[(path, from, to)]), expected);
}
