//! The store on SQLite: one file, one process, one connection that writes.

mod award;
mod connect;
mod directory;
#[cfg(feature = "failpoints")]
mod harm;
mod journal;
mod rows;
mod sql;
mod write;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use dengmi_core::BranchId;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Connection as _, Row as _};
use tokio::sync::Mutex;

use crate::error::StoreError;
use crate::failpoint;
use write::Writer;

/// How to open a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Connections that read, 1 to 16.
    pub readers: u32,
    /// Pages of 4 KiB the write-ahead log may grow to before a commit has to move them into the
    /// database itself. [`crate::Journal::checkpoint_when_idle`] does it while nobody waits.
    pub checkpoint_pages: u32,
    /// Whether a missing database is created.
    pub create: bool,
}

impl Default for OpenOptions {
    /// Four readers, 64 MiB of log, created where missing.
    fn default() -> Self {
        Self { readers: 4, checkpoint_pages: 16_000, create: true }
    }
}

/// A store on SQLite. Whoever has it open is its only owner.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    readers: SqlitePool,
    writer: Mutex<Writer>,
    /// Held locked for as long as the store is open.
    _owner: File,
}

impl SqliteStore {
    /// Opens the database at `path` and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Owned`] where another process has it open, [`StoreError::Setting`] where it
    /// cannot be made durable, [`StoreError::NewerFormat`] where a newer release wrote it,
    /// [`StoreError::File`] where it cannot be read or created.
    pub async fn open(
        path: impl AsRef<Path>,
        options: OpenOptions,
    ) -> Result<SqliteStore, StoreError> {
        let path = path.as_ref().to_owned();
        if !options.create && !path.exists() {
            let why = "there is no database here".to_owned();
            return Err(StoreError::File { path, why });
        }
        let owner = lock(&path)?;
        failpoint::hit("open/locked");
        connect::create_private(&path)?;
        failpoint::hit("open/created");
        let mut writer = Writer::new(connect::writer_options(&path, options));
        connect::migrate(writer.connection().await?).await?;
        failpoint::hit("open/migrated");
        // What an earlier process erased may still be in the log it left. Where this fails, on a
        // full disk, the first pause tries again.
        if let Err(error) = writer.checkpoint().await {
            tracing::warn!(%error, "the log was not emptied");
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers.clamp(1, 16))
            .connect_with(connect::reader_options(&path))
            .await
            .map_err(rows::unavailable)?;
        Ok(Self { path, readers, writer: Mutex::new(writer), _owner: owner })
    }

    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes every connection, with everything moved from the log into the database. Dropping the
    /// store loses nothing either; the next start then has a longer log to read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await;
        match self.writer.into_inner().into_connection() {
            Some(connection) => connection.close().await.map_err(rows::unavailable),
            None => Ok(()),
        }
    }

    /// Moves everything from the log into the database and empties the log, so that the next start
    /// has none to read: for the end of a process that still shares the store. Says whether it is
    /// done; nothing is lost where it is not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn empty_log(&self) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        writer.emptied_next();
        writer.checkpoint().await
    }

    /// SQLite's own check of the file's structure. It does not notice changed values; for those
    /// see [`crate::verify`].
    ///
    /// # Errors
    /// [`StoreError::DamagedRow`] with the first finding.
    pub async fn check_file(&self) -> Result<(), StoreError> {
        let row = sqlx::query("PRAGMA quick_check(1)")
            .fetch_one(&self.readers)
            .await
            .map_err(rows::unavailable)?;
        let found: String = row.try_get(0).map_err(rows::unavailable)?;
        if found == "ok" {
            Ok(())
        } else {
            Err(StoreError::DamagedRow { what: "the database file".to_owned(), why: found })
        }
    }
}

/// Takes the lock that makes this process the owner. The operating system releases it when the
/// process ends, however it ends.
fn lock(database: &Path) -> Result<File, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let fault =
        |error: std::io::Error| StoreError::File { path: path.clone(), why: error.to_string() };
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Owned { path: database.to_owned() }),
        Err(TryLockError::Error(error)) => Err(fault(error)),
    }
}

/// A branch's number as a column.
fn branch_column(branch: BranchId) -> i64 {
    i64::from(branch.0)
}

#[cfg(test)]
mod tests;
