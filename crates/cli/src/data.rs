//! The data folder: `dengmi.db` and `snapshots/`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dengmi_core::BranchId;
use dengmi_store::{BranchMeta, Journal as _, OpenOptions, SqliteStore};

use crate::args::Global;
use crate::error::{CliError, Result};

/// Where snapshots are.
pub(crate) fn snapshots(global: &Global) -> PathBuf {
    global.data.join("snapshots")
}

/// Opens the store, and creates folder and store where `create` says so.
///
/// # Errors
/// There is none, it is in use, or it cannot be read.
pub(crate) async fn open(global: &Global, create: bool) -> Result<Arc<SqliteStore>> {
    if create {
        create_folder(&global.data)?;
        create_folder(&snapshots(global))?;
    } else if !global.data.join("dengmi.db").exists() {
        let message = format!("there is no data in {}", global.data.display());
        return Err(CliError::user(
            message,
            "give the folder with --data, or start `dengmi serve`",
        ));
    }
    let options = OpenOptions { create, ..OpenOptions::default() };
    Ok(Arc::new(SqliteStore::open(global.data.join("dengmi.db"), options).await?))
}

/// A folder that only its owner may look into: it holds personal data.
fn create_folder(path: &Path) -> Result<()> {
    let nameless = |folder: &&Path| folder.as_os_str().is_empty();
    let new: Vec<&Path> =
        path.ancestors().take_while(|folder| !nameless(folder) && !folder.exists()).collect();
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| CliError::file(path, &error))?;
    // A new name is durable only once the folder it stands in is.
    for parent in new.into_iter().filter_map(Path::parent) {
        let parent = if nameless(&parent) { Path::new(".") } else { parent };
        let synced = std::fs::File::open(parent).and_then(|folder| folder.sync_all());
        synced.map_err(|error| CliError::file(parent, &error))?;
    }
    Ok(())
}

/// The branches of a store: the wanted one, or all.
///
/// # Errors
/// There is none, or not the wanted one.
pub(crate) async fn branches(
    store: &SqliteStore,
    wanted: Option<BranchId>,
) -> Result<Vec<BranchMeta>> {
    let mut metas = store.branches().await?;
    metas.retain(|meta| wanted.is_none_or(|wanted| wanted == meta.branch));
    if metas.is_empty() {
        let message = match wanted {
            Some(branch) => format!("there is no branch {branch} in this folder"),
            None => "there is no branch in this folder yet".to_owned(),
        };
        return Err(CliError::user(message, "`dengmi serve --branch N` creates one"));
    }
    Ok(metas)
}

/// Reads a branch as `b1` or `1`.
pub(crate) fn branch_arg(text: &str) -> Result<BranchId, String> {
    let named = if text.starts_with('b') { text.to_owned() } else { format!("b{text}") };
    named.parse().map_err(|_| "not a branch; write it like `b1`".to_owned())
}
