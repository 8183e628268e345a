//! `dengmi check`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dengmi_content::{Diagnostic, Severity, render};

use crate::args::Global;
use crate::content::{self, Checked};
use crate::error::{CliError, Result};
use crate::terminal;

/// Check content files, all faults in one pass.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi check                          全部内容 everything
  dengmi check quests/habit-7.ron       只看一个文件 what concerns one file
  dengmi check --format json | jq .     供其他工具使用 for other tools")]
pub(crate) struct Check {
    /// 文件或目录，缺省为全部 Files or folders to report on; a folder with content/ and quests/ is checked as a whole
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// 输出格式 Output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object: files, errors, warnings, diagnostics
    Json,
}

#[derive(serde::Serialize)]
struct Report<'a> {
    files: usize,
    errors: usize,
    warnings: usize,
    /// Digest of the pack; absent where there are errors.
    pack: Option<String>,
    diagnostics: &'a [&'a Diagnostic],
}

impl Check {
    /// Runs it.
    ///
    /// # Errors
    /// The content has errors, or cannot be read.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let (root, paths) = match self.paths.as_slice() {
            [only] if content::is_root(only) => (only.clone(), Vec::new()),
            paths => {
                let root = content::root(global)?;
                let below = paths.iter().map(|path| below(&root, path)).collect::<Result<_>>()?;
                (root, below)
            }
        };
        let Checked { files, diagnostics, pack, .. } = content::check(&root)?;
        let concerns =
            |path: &str| paths.is_empty() || paths.iter().any(|wanted| is_within(path, wanted));
        let shown: Vec<&Diagnostic> =
            diagnostics.iter().filter(|one| concerns(&one.path)).collect();
        let count = |severity| shown.iter().filter(|one| one.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let seen = files.iter().filter(|file| concerns(&file.path)).count();
        let pack = pack.map(|pack| pack.digest.to_string());
        match self.format {
            Format::Json => {
                let report = Report { files: seen, errors, warnings, pack, diagnostics: &shown };
                let json = serde_json::to_string_pretty(&report).map_err(CliError::internal)?;
                terminal::print(&json)?;
            }
            Format::Text => {
                let colors = terminal::colors();
                for one in &shown {
                    let file = files.iter().find(|file| file.path == one.path);
                    let text = file.map_or("", |file| file.text.as_str());
                    terminal::print(&format!("{}\n", render(one, text, colors)))?;
                }
                terminal::print(&format!(
                    "{seen} 个文件，{errors} 个错误，{warnings} 个提醒 · {seen} files, {errors} errors, {warnings} warnings"
                ))?;
            }
        }
        match shown.iter().find(|one| one.severity == Severity::Error) {
            None => Ok(()),
            Some(first) => {
                let hint = format!("`dengmi explain {}` says more about it", first.code);
                Err(CliError::content(format!("{errors} errors"), hint))
            }
        }
    }
}

fn below(root: &Path, path: &Path) -> Result<String> {
    content::below(root, path).ok_or_else(|| {
        let message = format!("{} is not below {}", path.display(), root.display());
        CliError::user(message, "check the name, or give the right root with --content")
    })
}

fn is_within(path: &str, wanted: &str) -> bool {
    wanted.is_empty()
        || path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
