//! The shipped content, read from the repository: for tests.

use std::path::Path;
use std::sync::Arc;

use dengmi_content::{CheckOptions, Pack, SourceFile, load};

fn read(folder: &Path, root: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, root, files);
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            let parts = path.strip_prefix(root).unwrap().components();
            let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
            let text = std::fs::read_to_string(&path).unwrap();
            files.push(SourceFile { path: parts.join("/"), text });
        }
    }
}

/// Its files.
pub(crate) fn files() -> Vec<SourceFile> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut files = Vec::new();
    for folder in ["content", "courses", "quests"] {
        read(&root.join(folder), root, &mut files);
    }
    files
}

/// A pack of such files.
pub(crate) fn pack(files: &[SourceFile]) -> Arc<Pack> {
    let options = CheckOptions { today: "2026-11-21".parse().unwrap() };
    let (pack, faults) = load(files, &options);
    Arc::new(pack.unwrap_or_else(|| panic!("{faults:?}")))
}
