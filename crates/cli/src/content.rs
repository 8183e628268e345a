//! Content files on disk.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dengmi_content::{CheckOptions, Diagnostic, Pack, Said, Severity, SourceFile, load};
use dengmi_core::{Calendar, Day, Timestamp};
use dengmi_host::Content;

use crate::args::Global;
use crate::error::{CliError, Result};

/// The folders of a content root.
const FOLDERS: [&str; 3] = ["content", "courses", "quests"];

/// Largest file that is read, in bytes; the check refuses anything larger.
const FILE_MAX: u64 = 1_000_000;

/// Most files that are read.
const FILES_MAX: usize = 10_000;

/// Deepest folder.
const DEPTH_MAX: usize = 16;

/// What was found on disk.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Files that could be read, by path.
    pub(crate) files: Vec<SourceFile>,
    /// What could not be.
    pub(crate) faults: Vec<Diagnostic>,
}

/// A checked content root.
pub(crate) struct Checked {
    /// Files that were read.
    pub(crate) files: Vec<SourceFile>,
    /// Everything there is to say, by path.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// There where nothing is wrong.
    pub(crate) pack: Option<Pack>,
    /// The day as of which it was checked.
    pub(crate) today: Day,
}

/// The folder that holds `content/`, `courses/` and `quests/`.
///
/// # Errors
/// There is none here or above.
pub(crate) fn root(global: &Global) -> Result<PathBuf> {
    let hint = "give it with --content, or change to the folder that holds content/ and quests/";
    if let Some(root) = &global.content {
        return if is_root(root) {
            Ok(root.clone())
        } else {
            Err(CliError::user(format!("{} holds no content/", root.display()), hint))
        };
    }
    let here = std::env::current_dir().map_err(|error| CliError::file(Path::new("."), &error))?;
    let found = here.ancestors().find(|folder| is_root(folder)).map(Path::to_owned);
    found.ok_or_else(|| CliError::user("no content/ and quests/ here or above", hint))
}

/// Whether a folder is a content root.
pub(crate) fn is_root(folder: &Path) -> bool {
    folder.join("content").is_dir() && folder.join("quests").is_dir()
}

/// Reads every file of a root, in order of paths. Links are not followed: what is checked is what
/// lies in the folder.
///
/// # Errors
/// A folder cannot be read, or there is far too much.
pub(crate) fn read(root: &Path) -> Result<Found> {
    let mut found = Found::default();
    for folder in FOLDERS {
        let path = root.join(folder);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => walk(&path, folder, 1, &mut found)?,
            Ok(_) => {
                let message = Said::new("这不是文件夹", "this is no folder");
                found.faults.push(fault(folder, message, Said::new("请改成文件夹", "make it one")));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(CliError::file(&path, &error)),
        }
    }
    Ok(found)
}

fn walk(folder: &Path, name: &str, depth: usize, found: &mut Found) -> Result<()> {
    let failed = |error: std::io::Error| CliError::file(folder, &error);
    let mut entries: Vec<_> =
        fs::read_dir(folder).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let file_name = entry.file_name();
        let shown = format!("{name}/{}", file_name.to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        if file_name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_symlink() {
            let message = Said::new("这是一个链接", "this is a link");
            let help = Said::new(
                "请放文件本身，不会读取链接",
                "put the file itself here: links are not followed",
            );
            found.faults.push(fault(&shown, message, help));
        } else if kind.is_dir() {
            if depth >= DEPTH_MAX {
                let message = format!("{shown} lies too deep");
                return Err(CliError::user(message, "content has at most 16 levels of folders"));
            }
            walk(&entry.path(), &shown, depth + 1, found)?;
        } else if shown.to_ascii_lowercase().ends_with(".ron") {
            if found.files.len() >= FILES_MAX {
                let message = format!("more than {FILES_MAX} content files");
                return Err(CliError::user(message, "check --content: is this the right folder?"));
            }
            match read_file(&entry.path()) {
                Ok(text) => found.files.push(SourceFile { path: shown, text }),
                Err((message, help)) => found.faults.push(fault(&shown, message, help)),
            }
        }
    }
    Ok(())
}

/// A file's text; never reads more than is allowed, whatever the folder says of its size.
fn read_file(path: &Path) -> Result<String, (Said, Said)> {
    let fail = |error: std::io::Error| {
        let message = Said::new(
            format!("文件无法读取：{error}"),
            format!("the file cannot be read: {error}"),
        );
        (message, Said::new("请检查文件权限", "check its permissions"))
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fail)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > FILE_MAX {
        let message = Said::new(
            format!("文件超过 {FILE_MAX} 字节"),
            format!("the file has more than {FILE_MAX} bytes"),
        );
        return Err((message, Said::new("请拆成几个文件", "split it into several files")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = Said::new(
            format!("第 {at} 个字节起不是 UTF-8 文字"),
            format!("byte {at} is no UTF-8 text"),
        );
        (message, Said::new("请把文件另存为 `UTF-8`", "save the file as `UTF-8`"))
    })
}

/// Code C0001: what is wrong with a file as a file.
fn fault(path: &str, message: Said, help: Said) -> Diagnostic {
    Diagnostic {
        code: "C0001",
        severity: Severity::Error,
        path: path.to_owned(),
        line: 1,
        column: 1,
        span: (0, 0),
        message,
        help,
    }
}

/// Reads and checks a root as of today.
///
/// # Errors
/// As [`read`]; faults of the content are in the result.
pub(crate) fn check(root: &Path) -> Result<Checked> {
    let Found { files, faults } = read(root)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let now = Timestamp(i64::try_from(now).unwrap_or(i64::MAX));
    let today = Calendar::default().day_of(now);
    let (pack, mut diagnostics) = load(&files, &CheckOptions { today });
    let pack = pack.filter(|_| faults.is_empty());
    diagnostics.extend(faults);
    diagnostics.sort_by(|a, b| (&a.path, a.span).cmp(&(&b.path, b.span)));
    Ok(Checked { files, diagnostics, pack, today })
}

/// Checked content, for a host.
///
/// # Errors
/// The content has faults.
pub(crate) fn load_checked(root: &Path) -> Result<Content> {
    let Checked { files, diagnostics, pack, today } = check(root)?;
    let Some(pack) = pack else {
        let errors = diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
        let message = format!("{errors} faults in {}", root.display());
        return Err(CliError::content(message, "`dengmi check` shows each of them"));
    };
    Ok(Content { pack: Arc::new(pack), files, checked: today })
}

/// A path as diagnostics write it, below `root`; `None` where it lies elsewhere.
pub(crate) fn below(root: &Path, path: &Path) -> Option<String> {
    let (root, path) = (fs::canonicalize(root).ok()?, fs::canonicalize(path).ok()?);
    let parts = path.strip_prefix(root).ok()?.components().map(|part| match part {
        Component::Normal(part) => Some(part.to_str()?.to_owned()),
        _ => None,
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, bytes) in [
            ("content/b.ron", b"b".as_slice()),
            ("content/a/z.ron", b"z"),
            ("content/notes.txt", b"no"),
            ("content/.hidden.ron", b"no"),
            ("content/bad.ron", b"\xff\xfe"),
            ("quests/q.ron", b"q"),
            ("other/x.ron", b"no"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
        }
        fs::write(root.join("content/large.ron"), vec![b' '; 1_000_001]).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", root.join("content/link.ron")).unwrap();
        assert!(is_root(root) && !is_root(&root.join("content")));
        let found = read(root).unwrap();
        let paths: Vec<_> = found.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["content/a/z.ron", "content/b.ron", "quests/q.ron"]);
        let faults: Vec<_> = found.faults.iter().map(|fault| fault.path.as_str()).collect();
        let expected = ["content/bad.ron", "content/large.ron", "content/link.ron"];
        assert_eq!(faults, &expected[..faults.len()]);
        assert_eq!(faults.len(), if cfg!(unix) { 3 } else { 2 });
        assert_eq!(below(root, &root.join("quests/q.ron")).as_deref(), Some("quests/q.ron"));
        assert_eq!(below(&root.join("content"), &root.join("quests")), None);
    }
}
