//! Texts that people write: content files, nicknames.

use std::path::Path;
use std::sync::OnceLock;

use dengmi_content::{CheckOptions, Severity, SourceFile, load, render};
use dengmi_core::text::{FoldedHash, clean_name, fold};

use super::Reached;

/// The day on which all content of the tests is checked.
pub(super) fn options() -> CheckOptions {
    CheckOptions { today: "2026-11-21".parse().expect("a day") }
}

/// The small pack without faults.
fn base() -> &'static [SourceFile] {
    static BASE: OnceLock<Vec<SourceFile>> = OnceLock::new();
    BASE.get_or_init(|| {
        let mut files = Vec::new();
        let root = crate::root().join("tests/content/base");
        collect(&root, &root, &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    })
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).expect("the base pack is there") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let below = path.strip_prefix(root).expect("below the root");
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let text = std::fs::read_to_string(&path).expect("a text");
            files.push(SourceFile { path: parts.join("/"), text });
        }
    }
}

/// A content file beside the base pack. Its first line says where it stands,
/// `// path: quests/quiz.ron`, as in `tests/content/invalid`.
pub(super) fn pack(input: &[u8]) -> Reached {
    let text = String::from_utf8_lossy(input).into_owned();
    let first = text.trim_start_matches('\u{FEFF}').lines().next().unwrap_or("");
    let path = first.strip_prefix("// path: ").unwrap_or("quests/quiz.ron").to_owned();
    let mut files: Vec<SourceFile> =
        base().iter().filter(|file| file.path != path).cloned().collect();
    files.push(SourceFile { path, text });
    let (pack, diagnostics) = load(&files, &options());
    let errors = diagnostics.iter().any(|one| one.severity == Severity::Error);
    assert_eq!(pack.is_none(), errors, "there is a pack exactly when there is no error");
    for one in &diagnostics {
        let text = files.iter().find(|file| file.path == one.path).map(|file| file.text.as_str());
        // A missing file has no text, and its fault stands at its beginning.
        let text = text.unwrap_or("");
        assert!(text.get(one.span.0..one.span.1).is_some(), "{one} lies outside of its file");
        let lines = text.matches('\n').count() as u32 + 1;
        assert!((1..=lines).contains(&one.line) && one.column >= 1, "{one} has no place");
        assert!(render(one, text, false).contains(one.code));
    }
    let Some(pack) = pack else {
        return diagnostics.iter().map(|one| one.code.to_owned()).collect();
    };
    // Another order of the files, the same pack.
    files.reverse();
    let (again, _) = load(&files, &options());
    let again = again.expect("what loaded loads again");
    assert_eq!(again.digest, pack.digest, "the same text has the same digest");
    vec!["loaded".to_owned()]
}

pub(super) fn packs() -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = base()
        .iter()
        .map(|file| format!("// path: {}\n{}", file.path, file.text).into_bytes())
        .collect();
    let folder = crate::root().join("tests/content/invalid");
    let mut faulty: Vec<_> = std::fs::read_dir(folder)
        .expect("the faulty files are there")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    faulty.sort();
    files.extend(faulty.iter().map(|path| std::fs::read(path).expect("a readable file")));
    files
}

/// A nickname, and text that is folded.
pub(super) fn nickname(input: &[u8]) -> Reached {
    let text = String::from_utf8_lossy(input);
    assert_eq!(fold(&fold(&text)), fold(&text), "folding twice changes nothing");
    assert_eq!(FoldedHash::of(&fold(&text)), FoldedHash::of(&text));
    match clean_name(&text) {
        Ok(name) => {
            // Written apart from the list in the crate.
            let hidden = |c: char| {
                c.is_control()
                    || matches!(c as u32, 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF)
            };
            assert!(!name.chars().any(hidden), "{name:?} has what does not print");
            assert!((1..=24).contains(&name.chars().count()), "{name:?} is empty or too long");
            assert_eq!(name.trim(), name);
            assert_eq!(clean_name(&name).as_deref(), Ok(name.as_str()), "cleaning is idempotent");
            let length = if name.is_ascii() { "plain" } else { "other scripts" };
            vec![format!("clean, {length}")]
        }
        Err(error) => vec![super::kind(&error)],
    }
}

pub(super) fn nicknames() -> Vec<Vec<u8>> {
    [
        "灯谜 李",
        "  a  ",
        "e\u{301}",
        "a\u{202E}b",
        "ＥＴＦ",
        "Ａ．５％",
        "−7元",
        "👩‍👩‍👧",
        "ǅ",
        "\u{1F1E8}\u{1F1F3}",
        "ﷺ",
        "İ",
        "ß",
        "가각",
        "ａ\u{0}",
        "\u{2126}",
        "1.5",
        "-0.5%",
        "=HYPERLINK(1)",
        "灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯灯",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}
