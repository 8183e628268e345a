//! The one connection that writes, and the transaction that stores a group of commits.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dengmi_core::{Account, BranchId};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};

use super::rows::{account_column, column, encode, is_taken, kind_column, record, unavailable};
use super::sql::Sized;
use super::{branch_column, connect, rows};
use crate::chain;
use crate::commit::{Grant, seal};
use crate::error::StoreError;
use crate::journal::{Commit, Cut, Head, LedgerRow, Recovered};
use crate::record::Record;

static JOURNAL: LazyLock<Sized> = LazyLock::new(|| {
    Sized::insert("INSERT INTO journal (branch, seq, at, prev, hash, body) VALUES", 6)
});
static LEDGER: LazyLock<Sized> = LazyLock::new(|| {
    Sized::insert(
        "INSERT INTO ledger (branch, entry, seq, at, day, kind, from_kind, to_kind, member, \
         points, rule, rule_code, rule_version, cause) VALUES",
        14,
    )
});
static OUTBOX: LazyLock<Sized> = LazyLock::new(|| {
    Sized::insert("INSERT INTO outbox (branch, event, seq, at, community, body) VALUES", 6)
});

/// One branch's settings.
pub(super) const SELECT_BRANCH: &str =
    "SELECT branch, seed, branches, content, created FROM branch WHERE branch = $1";

/// The one connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    options: SqliteConnectOptions,
    /// Opened again after an error, as only a fresh connection is known to be in no transaction.
    connection: Option<SqliteConnection>,
    /// Heads as of the last commit. Nobody else writes, so they hold until an error.
    heads: BTreeMap<BranchId, Head>,
}

/// Why a row was not stored, with what to find out once the transaction is rolled back.
enum Refused {
    Error(StoreError),
    /// An award was paid before.
    Paid(sqlx::Error),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Error(error)
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Error(unavailable(error))
    }
}

impl Writer {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, connection: None, heads: BTreeMap::new() }
    }

    pub(super) fn into_connection(self) -> Option<SqliteConnection> {
        self.connection
    }

    /// The connection, opened where there is none.
    pub(super) async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.connection.is_none() {
            self.connection = Some(connect::connect_writer(&self.options).await?);
        }
        self.connection
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable { why: "no connection".to_owned() })
    }

    /// Gives up the connection and what is known by it, after an error that may have left it in
    /// the middle of something.
    pub(super) fn reset(&mut self) {
        self.connection = None;
        self.heads.clear();
    }

    /// Passes a result on, giving up the connection where the result is an error of the database.
    pub(super) fn settle<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(
            StoreError::Unavailable { .. }
            | StoreError::Full { .. }
            | StoreError::DamagedRow { .. },
        ) = result
        {
            self.reset();
        }
        result
    }

    pub(super) async fn append(
        &mut self,
        branch: BranchId,
        commits: Vec<Commit>,
    ) -> Result<Head, StoreError> {
        // Taken out while the outcome is open: it comes back only with a known commit.
        let known = self.heads.remove(&branch);
        let connection = self.connection().await?;
        let mut transaction =
            connection.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)?;
        match store(&mut transaction, branch, known, &commits).await {
            Ok(head) => {
                transaction.commit().await.map_err(unavailable)?;
                self.heads.insert(branch, head);
                Ok(head)
            }
            Err(refused) => {
                // Where the rollback itself fails, the error that led to it says more.
                let rolled_back = transaction.rollback().await;
                let error = match refused {
                    Refused::Error(error) => error,
                    Refused::Paid(error) => paid_before(self.connection().await?, branch, &commits)
                        .await?
                        .unwrap_or_else(|| unavailable(error)),
                };
                if rolled_back.is_err() {
                    self.reset();
                }
                Err(error)
            }
        }
    }

    pub(super) async fn recover(&mut self, branch: BranchId) -> Result<Recovered, StoreError> {
        self.heads.remove(&branch);
        let connection = self.connection().await?;
        let mut transaction =
            connection.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)?;
        let mut cut = None;
        let head = match load_head(&mut transaction, branch).await? {
            Ok(head) => head,
            Err(torn) => {
                cut_last(&mut transaction, branch, &torn).await?;
                cut = Some(torn);
                load_head(&mut transaction, branch).await?.map_err(|cut| cut.damaged(branch))?
            }
        };
        transaction.commit().await.map_err(unavailable)?;
        self.heads.insert(branch, head);
        Ok(Recovered { head, cut })
    }

    /// Moves the log into the database and empties it; `false` where a reader is still at it.
    pub(super) async fn checkpoint(&mut self) -> Result<bool, StoreError> {
        self.connection().await?;
        // Out of its place meanwhile: where this is cancelled or fails, the connection is dropped
        // and with it the changed timeout.
        let Some(mut connection) = self.connection.take() else { return Ok(false) };
        let row = connect::without_waiting(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        let busy = row.await?.try_get::<i64, _>(0).map_err(unavailable)?;
        self.connection = Some(connection);
        Ok(busy == 0)
    }
}

async fn store(
    connection: &mut SqliteConnection,
    branch: BranchId,
    known: Option<Head>,
    commits: &[Commit],
) -> Result<Head, Refused> {
    let head = match known {
        Some(head) => head,
        None => load_head(connection, branch).await?.map_err(|cut| cut.damaged(branch))?,
    };
    let (records, head) = seal(branch, head, commits)?;
    insert_records(connection, &records).await?;
    insert_ledger(connection, branch, commits).await?;
    insert_events(connection, branch, commits).await?;
    insert_boards(connection, branch, commits).await?;
    Ok(head)
}

async fn insert_records(
    connection: &mut SqliteConnection,
    records: &[Record],
) -> Result<(), Refused> {
    for (sql, part) in JOURNAL.split(records) {
        let mut query = sqlx::query(sql);
        for record in part {
            query = query
                .bind(branch_column(record.branch))
                .bind(column(record.seq))
                .bind(record.at.0)
                .bind(record.prev.0.to_vec())
                .bind(record.hash.0.to_vec())
                .bind(record.body.clone());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_ledger(
    connection: &mut SqliteConnection,
    branch: BranchId,
    commits: &[Commit],
) -> Result<(), Refused> {
    let rows: Vec<(u64, &LedgerRow)> = commits
        .iter()
        .flat_map(|commit| commit.ledger.iter().map(|row| (commit.batch.batch.seq, row)))
        .collect();
    for (sql, part) in LEDGER.split(&rows) {
        let mut query = sqlx::query(sql);
        for (seq, row) in part {
            let entry = &row.entry;
            let member = match (entry.from, entry.to) {
                (Account::Member(member), _) | (_, Account::Member(member)) => {
                    Some(i64::from(member.seq))
                }
                _ => None,
            };
            query = query
                .bind(branch_column(branch))
                .bind(column(entry.id))
                .bind(column(*seq))
                .bind(entry.at.0)
                .bind(i64::from(entry.day.0))
                .bind(kind_column(entry.kind))
                .bind(account_column(entry.from))
                .bind(account_column(entry.to))
                .bind(member)
                .bind(entry.points.0)
                .bind(row.rule.clone())
                .bind(entry.rule.map(|rule| i64::from(rule.code)))
                .bind(entry.rule.map(|rule| i64::from(rule.version)))
                .bind(encode("a cause", &entry.cause)?);
        }
        query.execute(&mut *connection).await.map_err(|error| {
            // Entry numbers were checked, so it can only be the natural key of an award.
            if is_taken(&error) { Refused::Paid(error) } else { error.into() }
        })?;
    }
    Ok(())
}

async fn insert_events(
    connection: &mut SqliteConnection,
    branch: BranchId,
    commits: &[Commit],
) -> Result<(), Refused> {
    let rows: Vec<_> = commits
        .iter()
        .flat_map(|commit| commit.events.iter().map(|event| (commit.batch.batch.seq, event)))
        .collect();
    for (sql, part) in OUTBOX.split(&rows) {
        let mut query = sqlx::query(sql);
        for (seq, event) in part {
            query = query
                .bind(branch_column(branch))
                .bind(column(event.seq))
                .bind(column(*seq))
                .bind(event.at.0)
                .bind(event.community.map(|community| i64::from(community.seq)))
                .bind(encode("an event", event)?);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn insert_boards(
    connection: &mut SqliteConnection,
    branch: BranchId,
    commits: &[Commit],
) -> Result<(), Refused> {
    // Few and rare, and large: one statement each.
    for commit in commits {
        let seq = commit.batch.batch.seq;
        for board in &commit.closed_boards {
            let body = encode("a closed standing", board)?;
            sqlx::query(
                "INSERT INTO closed_board (branch, board, place, seq, hash, body) \
                 SELECT $1, $2, COALESCE(MAX(place), 0) + 1, $3, $4, $5 \
                 FROM closed_board WHERE branch = $1",
            )
            .bind(branch_column(branch))
            .bind(encode("a standing's name", &board.key)?)
            .bind(column(seq))
            .bind(dengmi_core::Digest::of(&body).0.to_vec())
            .bind(body)
            .execute(&mut *connection)
            .await
            .map_err(|error| {
                if is_taken(&error) {
                    let why = "it closes a standing that is closed already".to_owned();
                    StoreError::Invalid { branch, seq, why }
                } else {
                    unavailable(error)
                }
            })?;
        }
    }
    Ok(())
}

/// Finds the award of the group that was paid before; `None` where there is none.
async fn paid_before(
    connection: &mut SqliteConnection,
    branch: BranchId,
    commits: &[Commit],
) -> Result<Option<StoreError>, StoreError> {
    let mut seen: BTreeMap<Grant, u64> = BTreeMap::new();
    for row in commits.iter().flat_map(|commit| &commit.ledger) {
        let Some(grant) = Grant::of(row) else { continue };
        let stored = sqlx::query(
            "SELECT entry FROM ledger \
             WHERE kind = 0 AND branch = $1 AND rule = $2 AND cause = $3 AND member = $4",
        )
        .bind(branch_column(branch))
        .bind(grant.rule.clone())
        .bind(encode("a cause", &grant.cause)?)
        .bind(i64::from(grant.member.seq))
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
        let first = match stored {
            Some(row) => Some(row.try_get::<i64, _>(0).map_err(unavailable)?.unsigned_abs()),
            None => seen.get(&grant).copied(),
        };
        if let Some(first) = first {
            return Ok(Some(StoreError::DoubleGrant {
                branch,
                entry: row.entry.id,
                first,
                rule: grant.rule,
                member: grant.member,
            }));
        }
        seen.insert(grant, row.entry.id);
    }
    Ok(None)
}

/// The head of a branch, or its torn last record. Runs several statements: call it inside a
/// transaction.
pub(super) async fn load_head(
    connection: &mut SqliteConnection,
    branch: BranchId,
) -> Result<Result<Head, Cut>, StoreError> {
    let meta = sqlx::query(SELECT_BRANCH)
        .bind(branch_column(branch))
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?
        .ok_or(StoreError::UnknownBranch(branch))?;
    let empty = rows::branch_meta(&meta)?.empty_head();
    let tail = sqlx::query(
        "SELECT seq, at, prev, hash, body FROM journal WHERE branch = $1 ORDER BY seq DESC LIMIT 3",
    )
    .bind(branch_column(branch))
    .fetch_all(&mut *connection)
    .await
    .map_err(unavailable)?;
    let tail = tail.iter().rev().map(|row| record(branch, row)).collect();
    let last = match chain::tail(branch, empty.hash, tail)? {
        Ok(last) => last,
        Err(cut) => return Ok(Err(cut)),
    };
    let mut head =
        last.map_or(empty, |last| Head { seq: last.seq, at: last.at, hash: last.hash, ..empty });
    for (end, sql) in [
        (
            &mut head.entry,
            "SELECT entry, seq FROM ledger WHERE branch = $1 ORDER BY entry DESC LIMIT 1",
        ),
        (
            &mut head.event,
            "SELECT event, seq FROM outbox WHERE branch = $1 ORDER BY event DESC LIMIT 1",
        ),
    ] {
        let row = sqlx::query(sql)
            .bind(branch_column(branch))
            .fetch_optional(&mut *connection)
            .await
            .map_err(unavailable)?;
        let Some(row) = row else { continue };
        let number = |i: usize| row.try_get::<i64, _>(i).map_err(unavailable);
        *end = number(0)?.unsigned_abs();
        if number(1)?.unsigned_abs() > head.seq {
            return Err(StoreError::Damaged {
                branch,
                seq: head.seq + 1,
                why: "missing, though there are ledger entries or events of it".to_owned(),
            });
        }
    }
    Ok(Ok(head))
}

/// Takes the torn last record, and all that was booked with it, out of the branch.
async fn cut_last(
    connection: &mut SqliteConnection,
    branch: BranchId,
    torn: &Cut,
) -> Result<(), StoreError> {
    tracing::warn!(%branch, seq = torn.seq, why = torn.why, "a torn last record is cut");
    sqlx::query(
        "INSERT INTO journal_cut (branch, seq, at, prev, hash, body, why) \
         SELECT branch, seq, at, prev, hash, body, $2 FROM journal \
         WHERE branch = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(branch_column(branch))
    .bind(torn.why.clone())
    .execute(&mut *connection)
    .await
    .map_err(unavailable)?;
    // The torn row's own number may be what is wrong; what it should be is known.
    for sql in [
        "DELETE FROM journal WHERE branch = $1 AND seq >= $2",
        "DELETE FROM ledger WHERE branch = $1 AND seq >= $2",
        "DELETE FROM outbox WHERE branch = $1 AND seq >= $2",
        "DELETE FROM closed_board WHERE branch = $1 AND seq >= $2",
    ] {
        sqlx::query(sql)
            .bind(branch_column(branch))
            .bind(column(torn.seq))
            .execute(&mut *connection)
            .await
            .map_err(unavailable)?;
    }
    Ok(())
}
