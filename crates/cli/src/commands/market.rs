//! `dengmi market`.

mod chart;
mod check;
pub(super) mod prices;
mod show;

use clap::Subcommand;
use dengmi_content::Pack;
use dengmi_core::Slug;

use crate::args::Global;
use crate::content;
use crate::error::{CliError, Result};

/// Mock markets.
#[derive(Debug, Subcommand)]
pub(crate) enum Market {
    /// 检验行情模型 Hold a market's prices against its targets, over many seeds
    Check(check::Check),
    /// 画出一条行情及其对照 Draw a path and what it would have been without the script
    Show(show::Show),
}

impl Market {
    /// Runs it.
    ///
    /// # Errors
    /// The content has faults or lacks what was asked for, or a target is missed.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Check(check) => check.run(global),
            Self::Show(show) => show.run(global),
        }
    }
}

/// The pack of the content root.
///
/// # Errors
/// The content has faults.
pub(super) fn pack(global: &Global) -> Result<Pack> {
    let checked = content::check(&content::root(global)?)?;
    checked.pack.ok_or_else(|| {
        CliError::content("the content has faults".to_owned(), "`dengmi check` shows them")
    })
}

/// A market or a scenario of a pack by its id.
///
/// # Errors
/// There is none of that id.
pub(super) fn named<'p, T>(
    items: &'p std::collections::BTreeMap<Slug, T>,
    id: &Slug,
    kind: &str,
) -> Result<&'p T> {
    items.get(id).ok_or_else(|| {
        let known: Vec<&str> = items.keys().map(Slug::as_str).collect();
        CliError::user(
            format!("there is no {kind} `{id}`"),
            format!("there are: {}", known.join(", ")),
        )
    })
}
