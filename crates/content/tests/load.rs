//! The loader as a whole: order does not matter, nothing panics, and there is always a pack or an
//! error.

mod common;

use common::{base, base_for, today};
use dengmi_content::{Severity, SourceFile, load};
use proptest::prelude::*;

#[test]
fn the_order_of_files_does_not_matter() {
    let files = base();
    let (pack, _) = load(&files, &today());
    let digest = pack.expect("a pack").digest;
    let mut reversed = files.clone();
    reversed.reverse();
    let mut turned = files.clone();
    turned.rotate_left(5);
    for permuted in [reversed, turned] {
        assert_eq!(load(&permuted, &today()).0.expect("a pack").digest, digest);
    }
    // Files that are not read do not count, everything else does.
    let mut more = files.clone();
    more.push(SourceFile { path: "content/README.md".to_owned(), text: "x".to_owned() });
    assert_eq!(load(&more, &today()).0.expect("a pack").digest, digest);
    let mut other = files;
    other[0].text.push('\n');
    assert_ne!(load(&other, &today()).0.expect("a pack").digest, digest);
}

#[test]
fn too_many_files_are_refused_before_they_are_read() {
    let file = |n: usize| SourceFile { path: format!("quests/q{n}.ron"), text: "(".to_owned() };
    let files: Vec<SourceFile> = (0..2_001).map(file).collect();
    let (pack, diagnostics) = load(&files, &today());
    assert!(pack.is_none());
    assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["C0001"]);
    let large = SourceFile { path: "quests/q.ron".to_owned(), text: " ".repeat(1_000_001) };
    let (_, diagnostics) = load(&[large], &today());
    assert!(diagnostics.iter().any(|d| d.code == "C0001" && d.path == "quests/q.ron"));
}

#[test]
fn a_file_full_of_faults_ends() {
    let bad = "(id: \"a\", x: 1, difficulty: -1),\n".repeat(5_000);
    let text = format!("(schema: 1, title: {{\"zh-CN\": \"x\"}}, questions: [{bad}])");
    let file = SourceFile { path: "content/questions/bad.ron".to_owned(), text };
    let (_, diagnostics) = load(&[file], &today());
    assert!((1_000..1_100).contains(&diagnostics.len()), "{}", diagnostics.len());
    assert!(diagnostics.iter().any(|d| d.code == "C0001"));
}

#[test]
fn diagnostics_come_in_order() {
    let mut files = base();
    for file in &mut files {
        file.text = file.text.replace("schema: 1", "schema: 1, a: 1, b: 2");
    }
    let (_, diagnostics) = load(&files, &today());
    assert!(diagnostics.len() >= 2 * files.len());
    let places: Vec<_> = diagnostics.iter().map(|d| (&d.path, d.span, d.code)).collect();
    assert!(places.is_sorted());
}

/// What a slip of the hand or a hostile file puts into a text.
fn scraps() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,3}",
        r#"[()\[\]{}:,"'/*\\-]{1,4}"#.prop_map(|s| s),
        prop::sample::select(vec![
            "",
            "，",
            "\u{FEFF}",
            "\u{202E}",
            "\0",
            "1e999",
            "NaN",
            "-1",
            "99999999999999999999",
            "Some(",
            "r#\"",
            "/*",
            "//",
            "#![enable(x)]",
            "((((((((",
            "\"\"",
            "(schema: 1)",
            "None",
            "\n",
            "true",
            "0x1f",
            "1..2",
            "'a'",
            "b\"x\"",
            "r#id",
            "()",
        ])
        .prop_map(ToOwned::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_change_gives_a_pack_or_an_error(
        changes in prop::collection::vec((0usize..64, 0usize..4_000, 0usize..12, scraps()), 1..5),
    ) {
        let mut files = base_for("courses/");
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for (file, at, length, scrap) in changes {
            let count = files.len();
            let text = &mut files[file % count].text;
            let chars: Vec<char> = text.chars().collect();
            let start = at % (chars.len() + 1);
            let end = (start + length).min(chars.len());
            *text = chars[..start].iter().chain(scrap.chars().collect::<Vec<_>>().iter())
                .chain(&chars[end..]).collect();
        }
        let (pack, diagnostics) = load(&files, &today());
        let errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
        prop_assert_eq!(pack.is_none(), errors);
        for diagnostic in &diagnostics {
            let file = files.iter().find(|file| file.path == diagnostic.path);
            let text = file.map_or("", |file| file.text.as_str());
            prop_assert!(text.get(diagnostic.span.0..diagnostic.span.1).is_some());
            prop_assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
            prop_assert!(dengmi_content::explain(diagnostic.code).is_some());
            let drawn = dengmi_content::render(diagnostic, text, false);
            prop_assert!(drawn.contains(diagnostic.code));
        }
    }
}
