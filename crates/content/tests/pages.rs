//! Every code has a page whose example shows this fault and no other, with the output it really
//! gives. `UPDATE_EXPECT=1` writes today's output into the pages.

#![allow(clippy::disallowed_methods, reason = "tests read the fixtures from the repository")]

mod common;

use std::fs;
use std::path::Path;

use common::{base, base_for, is_chinese, show, today};
use dengmi_content::{SourceFile, codes, explain, load, title};

/// The blocks of a page that open with the given fence.
fn blocks<'p>(page: &'p str, fence: &str) -> Vec<&'p str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once(fence) {
        let (block, end) = after.split_once("```").expect("a closing fence");
        found.push(block);
        rest = end;
    }
    found
}

/// The base pack with the page's files.
fn files(page: &str) -> Vec<SourceFile> {
    let blocks = blocks(page, "```ron\n");
    let path = |block: &&str| block.lines().next()?.strip_prefix("// file: ").map(str::to_owned);
    let mut files = blocks.iter().find_map(path).map_or_else(base, |path| base_for(&path));
    let mut added = Vec::new();
    for block in blocks {
        let first = block.trim_start_matches('\u{FEFF}').lines().next().unwrap_or("");
        if let Some(path) = first.strip_prefix("// without: ") {
            files.retain(|file| file.path != path);
            continue;
        }
        let path = first.strip_prefix("// file: ").expect("a block names its file");
        files.retain(|file| file.path != path);
        added.push(SourceFile { path: path.to_owned(), text: block.to_owned() });
    }
    files.extend(added);
    files
}

#[test]
fn every_page_shows_what_its_code_really_says() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages");
    let mut wrong = Vec::new();
    for code in codes() {
        let page = explain(code).expect("a page");
        assert!(page.starts_with(&format!("# {code} ")), "{code}: the title names the code");
        let (chinese, english) = title(code).expect("a title in both languages");
        assert!(!chinese.is_ascii() && english.is_ascii(), "{code}: {chinese}: {english}");
        let (_, cure) = page.split_once("## 改法 Cure\n").expect("the page says what to do");
        let (_, why) = page.split_once('\n').expect("the page says why");
        for part in [why, cure] {
            let mut lines = part.lines().filter(|line| !line.is_empty());
            assert!(lines.next().is_some_and(is_chinese), "{code}: Chinese stands first");
        }
        let files = files(page);
        let (_, diagnostics) = load(&files, &today());
        let shown = show(&files, &diagnostics).trim_end().to_owned() + "\n";
        if diagnostics.is_empty() || diagnostics.iter().any(|d| d.code != *code) {
            wrong.push(format!("{code} shows:\n{shown}"));
            continue;
        }
        let outputs = blocks(page, "```text\n");
        assert_eq!(outputs.len(), 1, "{code}: one output");
        if outputs[0] != shown {
            if update {
                let old = format!("```text\n{}```", outputs[0]);
                let new = format!("```text\n{shown}```");
                let path = folder.join(format!("{code}.md"));
                fs::write(path, page.replace(&old, &new)).expect("the page can be written");
            } else {
                wrong.push(format!("{code}: the page says\n{}\nbut it is\n{shown}", outputs[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} pages:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_page_belongs_to_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages");
    let mut pages: Vec<String> = fs::read_dir(folder)
        .expect("the pages")
        .map(|entry| entry.expect("a readable entry").file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    let expected: Vec<String> = codes().iter().map(|code| format!("{code}.md")).collect();
    assert_eq!(pages, expected, "codes are in order and each has a page");
    assert!(explain("c0201").is_some() && explain("C9999").is_none());
}
