//! All shipped content is a fixture: it loads without any diagnostic.

mod common;

use common::{folder, read, show, today};
use dengmi_content::load;

#[test]
fn shipped_content_has_no_fault() {
    let root = folder("..");
    let mut files = read(&root, "content");
    files.extend(read(&root, "quests"));
    files.extend(read(&root, "courses"));
    assert!(files.len() > 20, "the shipped content is found: {}", files.len());
    let (pack, diagnostics) = load(&files, &today());
    assert!(diagnostics.is_empty(), "{}", show(&files, &diagnostics));
    let pack = pack.expect("content without diagnostics is a pack");
    assert!(!pack.products.is_empty() && !pack.questions.is_empty() && !pack.quests.is_empty());
}
