//! Files of the repository for the tests.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "tests read the fixtures from the repository")]

use std::fs;
use std::path::{Path, PathBuf};

use dengmi_content::{CheckOptions, Diagnostic, SourceFile, render};

/// The day on which all fixtures are checked.
pub fn today() -> CheckOptions {
    CheckOptions { today: "2026-11-21".parse().expect("a day") }
}

/// A folder below `tests/content` of the repository, or above it with `..`.
pub fn folder(below: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    if below == ".." { tests.join("..") } else { tests.join("content").join(below) }
}

/// Every `.ron` file below `root`/`part`; paths are relative to `root`.
pub fn read(root: &Path, part: &str) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut folders = vec![root.join(part)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ron") {
                let text = fs::read_to_string(&path).expect("a text");
                let below = path.strip_prefix(root).expect("below the root");
                let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                files.push(SourceFile { path: parts.join("/"), text });
            }
        }
    }
    files
}

/// The small pack without faults that fixtures are added to.
pub fn base() -> Vec<SourceFile> {
    let mut files = read(&folder("base"), "content");
    files.extend(read(&folder("base"), "quests"));
    files
}

/// What the base pack has to have for a file: courses and questionnaires need the small course.
pub fn base_for(path: &str) -> Vec<SourceFile> {
    let mut files = base();
    if path.starts_with("courses/") || path.starts_with("content/assessments/") {
        files.extend(read(&folder("course"), "content"));
        files.extend(read(&folder("course"), "courses"));
    }
    files
}

/// The base pack with a file replaced or added.
pub fn base_with(path: &str, text: &str) -> Vec<SourceFile> {
    let mut files = base_for(path);
    files.retain(|file| file.path != path);
    files.push(SourceFile { path: path.to_owned(), text: text.to_owned() });
    files
}

/// All diagnostics as the command line shows them.
pub fn show(files: &[SourceFile], diagnostics: &[Diagnostic]) -> String {
    let text = |path: &str| files.iter().find(|f| f.path == path).map_or("", |f| f.text.as_str());
    diagnostics.iter().map(|d| render(d, text(&d.path), false) + "\n\n").collect()
}

/// Whether a text has Chinese characters in it.
pub fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'))
}
