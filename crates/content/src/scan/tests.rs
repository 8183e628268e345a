use proptest::prelude::*;

use super::*;

#[track_caller]
fn check_find(text: &str, path: &str, expected: &str) {
    let root = scan(text).root.expect("the text scans");
    assert_eq!(&text[root.find(text, path).span.clone()], expected, "{path}");
}

#[test]
fn paths_lead_through_names_options_and_comments() {
    let text = r##"// a comment, with (brackets
        #![type = "x"]
        (a: 1, /* nested /* comment */ : */ list: [
            (body: Single(answer: ProductFact((product: "w/x")))),
            (body: Some(Other(r#"raw " text"#)), c: ')'),
        ], map: {"zh-CN": "灯谜：「一，二」", "en": "x\"y"})"##;
    check_find(text, "a", "1");
    check_find(text, "list.0.body.answer.product", "\"w/x\"");
    check_find(text, "list.1.body", "Some(Other(r#\"raw \" text\"#))");
    check_find(text, "list.1.body.0", "r#\"raw \" text\"#");
    check_find(text, "list.1.c", "')'");
    check_find(text, "map.zh-CN", "\"灯谜：「一，二」\"");
    check_find(text, "map.en", "\"x\\\"y\"");
    check_find(text, "a.nothing.here", "1");
}

#[track_caller]
fn check_fault(text: &str, expected: &[(Code, &str)], goes_on: bool) {
    let scan = scan(text);
    let found: Vec<_> =
        scan.faults.iter().map(|f| (f.code, text[f.span.clone()].to_owned())).collect();
    let expected: Vec<_> = expected.iter().map(|&(c, t)| (c, t.to_owned())).collect();
    assert_eq!(found, expected, "{text}");
    assert_eq!(scan.root.is_some(), goes_on, "{text}");
}

#[test]
fn faults_are_named_where_they_are() {
    check_fault("(a: 1 b: 2)", &[(codes::SYNTAX, "1")], true);
    check_fault("(a: 1,, b: 2)", &[(codes::SYNTAX, ",")], true);
    check_fault(
        "(a：1，b = 2）",
        &[
            (codes::FULL_WIDTH, "："),
            (codes::FULL_WIDTH, "，"),
            (codes::SYNTAX, "="),
            (codes::FULL_WIDTH, "）"),
        ],
        true,
    );
    check_fault("(a: 1, a: 2)", &[(codes::FIELD_TWICE, "a")], true);
    check_fault("{\"a\": 1, \"a\": 2}", &[(codes::KEY_TWICE, "\"a\"")], true);
    check_fault("(a: [1, 2)", &[(codes::SYNTAX, ")")], false);
    check_fault("(a: [1, 2]", &[(codes::SYNTAX, "(")], false);
    check_fault("(a: \"x)", &[(codes::SYNTAX, "\"x)")], false);
    check_fault("(a: “x”)", &[(codes::FULL_WIDTH, "“")], false);
    check_fault("(a: 1) x", &[(codes::SYNTAX, "x")], false);
    check_fault("/* /* */ (a: 1)", &[(codes::SYNTAX, "/*")], false);
    check_fault("", &[(codes::SYNTAX, "")], false);
    check_fault("(a: 1, 2)", &[(codes::SYNTAX, "2")], false);
    check_fault(
        "#![enable(implicit_some)] (a: 1)",
        &[(codes::SYNTAX, "#![enable(implicit_some)]")],
        true,
    );
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(scan(&deep(DEPTH_MAX)).faults.is_empty());
    assert_eq!(scan(&deep(DEPTH_MAX + 1)).faults[0].code, codes::TOO_MUCH);
    assert_eq!(scan(&"[".repeat(900_000)).faults[0].code, codes::TOO_MUCH);
    let long = |n: usize| format!("[{}]", "1,".repeat(n));
    assert!(scan(&long(ITEMS_MAX)).faults.is_empty());
    assert_eq!(scan(&long(ITEMS_MAX + 1)).faults[0].code, codes::TOO_MUCH);
}

#[test]
fn the_number_of_fields_and_faults_is_bounded() {
    let fields = |n: usize| (0..n).map(|i| format!("a{i}: 1,")).collect::<String>();
    assert!(scan(&format!("({})", fields(ENTRIES_MAX))).faults.is_empty());
    let scan = scan(&format!("({})", fields(ENTRIES_MAX + 1)));
    assert_eq!(scan.faults[0].code, codes::TOO_MUCH);
    let scan = super::scan(&format!("[{}]", "1 ".repeat(5_000)));
    assert_eq!((scan.faults.len(), scan.root.is_some()), (FAULTS_MAX + 1, false));
}

proptest! {
    #[test]
    fn any_text_scans_without_panic_and_with_spans_inside(
        text in r#"[()\[\]{}:,"'/*#!ab1 \n（，：“r\\=]{0,60}"#,
    ) {
        let scan = scan(&text);
        prop_assert!(scan.root.is_some() || !scan.faults.is_empty());
        for fault in &scan.faults {
            prop_assert!(text.get(fault.span.clone()).is_some());
        }
    }
}
