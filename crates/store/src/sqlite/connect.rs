//! Opening connections, with every setting that durability rests on read back.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Row as _, SqlSafeStr as _};

use super::OpenOptions;
use super::rows::unavailable;
use crate::error::StoreError;

/// Every migration, oldest first: its number, what it is called, and its statements. A database
/// remembers them word for word, so one that was released never changes. They are listed here
/// because the macro that would read the folder costs a second SQLite in every build.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "initial", include_str!("../../migrations/0001_initial.sql")),
    (2, "fewer pages", include_str!("../../migrations/0002_fewer_pages.sql")),
    (3, "words", include_str!("../../migrations/0003_words.sql")),
    (4, "blocks", include_str!("../../migrations/0004_blocks.sql")),
    (5, "journal", include_str!("../../migrations/0005_journal.sql")),
];

fn migrations() -> Migrator {
    let migrations = MIGRATIONS.iter().map(|&(version, name, sql)| {
        let kind = MigrationType::Simple;
        Migration::new(version, name.into(), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// First release without the race between a writer and a checkpoint that could lose a commit.
const SQLITE_OLDEST: (u32, u32, u32) = (3, 51, 3);

/// How long a connection waits for a lock somebody else holds, such as an operator's shell.
const BUSY: Duration = Duration::from_secs(5);

/// Creates an empty database that only this user can read: it holds personal data.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // The new name is durable only once the folder is.
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let sync = |_| File::open(folder).and_then(|folder| folder.sync_all());
    match options.open(path).and_then(sync) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::File { path: path.to_owned(), why: error.to_string() }),
    }
}

pub(super) fn writer_options(path: &Path, options: OpenOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous().0)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        // Erased personal data is overwritten, not only unlinked.
        .pragma("secure_delete", "ON")
        .pragma("wal_autocheckpoint", options.checkpoint_pages.to_string())
        // A commit's text depends on its numbers of rows; those of usual sizes stay prepared.
        .statement_cache_capacity(256)
        .disable_statement_logging()
}

/// When the log is synced, and as what SQLite reports it: `FULL`, at every commit, before it is
/// acknowledged.
fn synchronous() -> (SqliteSynchronous, &'static str) {
    #[cfg(feature = "failpoints")]
    if crate::failpoint::syncs_seldom() {
        return (SqliteSynchronous::Normal, "1");
    }
    if dengmi_core::mutant::planted("store/syncs-seldom") {
        return (SqliteSynchronous::Normal, "1");
    }
    (SqliteSynchronous::Full, "2")
}

pub(super) fn reader_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .pragma("query_only", "ON")
        .disable_statement_logging()
}

/// Opens a connection that may write, and refuses one that would not keep what it is told.
pub(super) async fn connect_writer(
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection, StoreError> {
    let mut connection = options.connect().await.map_err(unavailable)?;
    let version: String = value(&mut connection, "SELECT sqlite_version()").await?;
    if version_of(&version) < Some(SQLITE_OLDEST) {
        let (major, minor, patch) = SQLITE_OLDEST;
        let wanted = format!("{major}.{minor}.{patch} or later");
        return Err(StoreError::Setting { name: "sqlite_version", wanted, found: version });
    }
    let mode: String = value(&mut connection, "PRAGMA journal_mode").await?;
    expect("journal_mode", "wal", mode)?;
    expect("synchronous", synchronous().1, number(&mut connection, "PRAGMA synchronous").await?)?;
    expect("foreign_keys", "1", number(&mut connection, "PRAGMA foreign_keys").await?)?;
    expect("secure_delete", "1", number(&mut connection, "PRAGMA secure_delete").await?)?;
    Ok(connection)
}

/// Runs a statement that gives one row, without waiting for locks of others.
pub(super) async fn without_waiting(
    connection: &mut SqliteConnection,
    sql: &'static str,
) -> Result<SqliteRow, StoreError> {
    let mut rows = Vec::new();
    // The last one is `BUSY` again.
    for sql in ["PRAGMA busy_timeout = 0", sql, "PRAGMA busy_timeout = 5000"] {
        rows.push(sqlx::query(sql).fetch_one(&mut *connection).await.map_err(unavailable)?);
    }
    Ok(rows.swap_remove(1))
}

fn expect(name: &'static str, wanted: &str, found: String) -> Result<(), StoreError> {
    if found == wanted {
        Ok(())
    } else {
        Err(StoreError::Setting { name, wanted: wanted.to_owned(), found })
    }
}

async fn value<T>(connection: &mut SqliteConnection, sql: &'static str) -> Result<T, StoreError>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    let row = sqlx::query(sql).fetch_one(connection).await.map_err(unavailable)?;
    row.try_get(0).map_err(unavailable)
}

async fn number(
    connection: &mut SqliteConnection,
    sql: &'static str,
) -> Result<String, StoreError> {
    value::<i64>(connection, sql).await.map(|number| number.to_string())
}

fn version_of(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

/// Brings the tables up to date.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let known = MIGRATIONS.iter().map(|&(version, ..)| version).max().unwrap_or(0);
    let number = |version: i64| u32::try_from(version).unwrap_or(u32::MAX);
    migrations().run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => StoreError::NewerFormat {
            what: "the database".to_owned(),
            found: number(found),
            known: number(known),
        },
        other => StoreError::Unavailable { why: format!("its tables cannot be set up: {other}") },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (text, enough) in [
            ("3.51.3", true),
            ("3.51.10", true),
            ("3.52.0", true),
            ("4.0.0", true),
            ("3.51.2", false),
            ("3.9.99", false),
            ("3.51", false),
            ("", false),
            ("x.y.z", false),
        ] {
            assert_eq!(version_of(text) >= Some(SQLITE_OLDEST), enough, "{text}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_would_not_keep_its_word_is_refused() {
        let path = Path::new("unused");
        let good = || writer_options(path, OpenOptions::default());
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for (options, refused) in [
            (good().filename(file("a")).create_if_missing(true), None),
            (good().in_memory(true), Some("journal_mode")),
            (
                good()
                    .filename(file("b"))
                    .create_if_missing(true)
                    .synchronous(SqliteSynchronous::Normal),
                Some("synchronous"),
            ),
            (
                good()
                    .filename(file("c"))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Delete),
                Some("journal_mode"),
            ),
            (
                good().filename(file("d")).create_if_missing(true).foreign_keys(false),
                Some("foreign_keys"),
            ),
        ] {
            let name = match connect_writer(&options).await {
                Ok(_) => None,
                Err(StoreError::Setting { name, .. }) => Some(name),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(name, refused);
        }
    }
}
