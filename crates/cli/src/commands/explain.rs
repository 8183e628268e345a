//! `dengmi explain`.

use clap::Args;
use dengmi_content::{codes, explain};

use crate::error::{CliError, Result};
use crate::terminal;

/// Explain a code that a check gave.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi explain C0201
  dengmi explain            列出全部代码 list all codes")]
pub(crate) struct Explain {
    /// 代码 The code, such as C0201
    code: Option<String>,
}

impl Explain {
    /// Runs it.
    ///
    /// # Errors
    /// No such code.
    pub(crate) fn run(&self) -> Result<()> {
        let Some(code) = &self.code else {
            return codes().iter().try_for_each(|code| {
                let title = explain(code).and_then(|page| page.lines().next()).unwrap_or("");
                terminal::print(&format!("{code}  {}", title.trim_start_matches(['#', ' '])))
            });
        };
        let known = explain(&code.to_ascii_uppercase());
        let page = known.ok_or_else(|| {
            let message = format!("no check gives the code `{code}`");
            CliError::user(message, "`dengmi explain` without a code lists all of them")
        })?;
        terminal::print(page.trim_end())
    }
}
