//! The one connection that writes, and the transaction that stores a group of commits.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use dengmi_core::{Account, BranchId};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, Sqlite};

use super::award::{Awards, Causes, first_paid};
use super::journal::complete_blocks;
use super::rows::{
    account_column, column, encode, is_paid, is_taken, kind_column, record, unavailable,
};
use super::sql::{Rows, places};
use super::{branch_column, connect, rows};
use crate::chain;
use crate::commit::{Grant, seal};
use crate::error::StoreError;
use crate::failpoint;
use crate::journal::{Commit, Cut, Head, LedgerRow, Recovered};
use crate::record::Record;

// `OR ROLLBACK`: a refused row ends the whole transaction, so SQLite need not keep a copy of every
// page a statement changes, to take that statement alone back.
const JOURNAL: Rows = Rows {
    insert: "INSERT OR ROLLBACK INTO journal (branch, seq, at, prev, hash, body) VALUES",
    columns: 6,
    after: "",
};
const LEDGER: Rows = Rows {
    insert: "INSERT OR ROLLBACK INTO ledger (branch, entry, seq, at, day, kind, from_kind, to_kind, \
             member, points, rule, rule_code, rule_version, cause) SELECT * FROM (VALUES",
    columns: 14,
    // Places that were left empty.
    after: ") WHERE column1 IS NOT NULL",
};
const OUTBOX: Rows = Rows {
    insert: "INSERT OR ROLLBACK INTO outbox (branch, event, seq, at, community, body) VALUES",
    columns: 6,
    after: "",
};

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
    causes: Causes,
    /// Whether the next checkpoint empties the log: it may hold personal data that was erased,
    /// by an earlier process to begin with.
    empties: bool,
}

pub(super) type Statement = Query<'static, Sqlite, SqliteArguments>;

impl Writer {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        let (heads, causes) = Default::default();
        Self { options, connection: None, heads, causes, empties: true }
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
        self.causes = Causes::default();
    }

    /// Has the log emptied by the next checkpoint, as what was erased from the tables may be in it.
    pub(super) fn emptied_next(&mut self) {
        self.empties = true;
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
        let head = match self.heads.remove(&branch) {
            Some(head) => head,
            None => {
                let mut transaction =
                    self.connection().await?.begin().await.map_err(unavailable)?;
                load_head(&mut transaction, branch).await?.map_err(|cut| cut.damaged(branch))?
            }
        };
        let (records, after) = seal(branch, head, &commits)?;
        self.connection().await?;
        // Out of their places meanwhile: where this is cancelled, the connection is dropped and
        // with it whatever the transaction has done so far, or it is committed unseen.
        let Some(mut connection) = self.connection.take() else {
            return Err(StoreError::Unavailable { why: "no connection".to_owned() });
        };
        let mut causes = std::mem::take(&mut self.causes);
        let Some(awards) = causes.awards(&mut connection, branch, &commits).await? else {
            let found = paid_before(&mut connection, branch, &commits).await?;
            (self.connection, self.causes) = (Some(connection), causes);
            return Err(found.unwrap_or_else(|| StoreError::Unavailable {
                why: "an award is in a group twice".to_owned(),
            }));
        };
        let blocks = complete_blocks(head.entry)..complete_blocks(after.entry);
        failpoint::hit("commit/before-begin");
        match store(&mut connection, branch, records, &commits, &awards, blocks).await {
            Ok(()) => {
                failpoint::hit("commit/done");
                causes.committed(awards);
                (self.connection, self.causes) = (Some(connection), causes);
                self.heads.insert(branch, after);
                Ok(after)
            }
            Err(error) => {
                // Where this fails there is no transaction, or no telling; then the connection
                // is given up.
                if sqlx::query("ROLLBACK").execute(&mut connection).await.is_ok() {
                    (self.connection, self.causes) = (Some(connection), causes);
                }
                match error {
                    // Numbers were checked, so it is the natural key of an award or a standing.
                    error if is_taken(&error) || is_paid(&error) => {
                        let connection = self.connection().await?;
                        let found = match paid_before(connection, branch, &commits).await? {
                            None => closed_before(connection, branch, &commits).await?,
                            paid => paid,
                        };
                        Err(found.unwrap_or_else(|| unavailable(error)))
                    }
                    error => Err(unavailable(error)),
                }
            }
        }
    }

    pub(super) async fn recover(&mut self, branch: BranchId) -> Result<Recovered, StoreError> {
        self.heads.remove(&branch);
        let connection = self.connection().await?;
        let mut transaction =
            connection.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)?;
        failpoint::hit("recover/begun");
        let mut cut = None;
        let head = match load_head(&mut transaction, branch).await? {
            Ok(head) => head,
            Err(torn) => {
                cut_last(&mut transaction, branch, &torn).await?;
                failpoint::hit("recover/cut");
                cut = Some(torn);
                load_head(&mut transaction, branch).await?.map_err(|cut| cut.damaged(branch))?
            }
        };
        transaction.commit().await.map_err(unavailable)?;
        failpoint::hit("recover/done");
        self.heads.insert(branch, head);
        Ok(Recovered { head, cut })
    }

    /// Moves the log into the database; `false` where a reader is still at it. The log is then
    /// written from its beginning again: to a file that need not grow, a commit is durable sooner.
    pub(super) async fn checkpoint(&mut self) -> Result<bool, StoreError> {
        self.connection().await?;
        failpoint::hit("checkpoint/begun");
        // Out of its place meanwhile: where this is cancelled or fails, the connection is dropped
        // and with it the changed timeout.
        let Some(mut connection) = self.connection.take() else { return Ok(false) };
        let sql = if self.empties {
            "PRAGMA wal_checkpoint(TRUNCATE)"
        } else {
            "PRAGMA wal_checkpoint(RESTART)"
        };
        let row = connect::without_waiting(&mut connection, sql).await?;
        let done = row.try_get::<i64, _>(0).map_err(unavailable)? == 0;
        failpoint::hit("checkpoint/done");
        self.connection = Some(connection);
        self.empties &= !done;
        Ok(done)
    }
}

/// Stores a group in one transaction, in which `blocks` of the ledger become complete. Everything
/// usual goes to the connection's thread as one text of several statements: each trip there and
/// back costs more than a row.
async fn store(
    connection: &mut SqliteConnection,
    branch: BranchId,
    records: Vec<Record>,
    commits: &[Commit],
    awards: &Awards,
    blocks: Range<i64>,
) -> Result<(), sqlx::Error> {
    let count = |of: fn(&Commit) -> usize| commits.iter().map(of).sum::<usize>();
    let mut sql = String::from("BEGIN IMMEDIATE");
    JOURNAL.write(&mut sql, records.len());
    let entries = count(|commit| commit.ledger.len());
    LEDGER.write(&mut sql, places(entries));
    awards.write(&mut sql);
    OUTBOX.write(&mut sql, count(|commit| commit.events.len()));
    let boards = count(|commit| commit.closed_boards.len()) > 0;
    let usual = !boards && blocks.is_empty();
    if usual {
        sql.push_str("; COMMIT");
    }
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for record in records {
        statement = bind_record(statement, record);
    }
    for commit in commits {
        let seq = column(commit.batch.batch.seq);
        for row in &commit.ledger {
            statement = bind_entry(statement, branch, seq, row)?;
        }
    }
    for _ in 0..(places(entries) - entries) * LEDGER.columns {
        statement = statement.bind(None::<i64>);
    }
    statement = awards.bind(statement)?;
    for commit in commits {
        let seq = column(commit.batch.batch.seq);
        for event in &commit.events {
            statement = statement
                .bind(branch_column(branch))
                .bind(column(event.seq))
                .bind(seq)
                .bind(event.at.0)
                .bind(event.community.map(|community| i64::from(community.seq)))
                .bind(encoded(event)?);
        }
    }
    statement.execute(&mut *connection).await?;
    if !usual {
        failpoint::hit("commit/rows");
        insert_boards(connection, branch, commits).await?;
        failpoint::hit("commit/boards");
        for block in blocks {
            index_block(connection, branch, block).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
    }
    Ok(())
}

/// A value as bytes, as [`encode`], with an error of the kind that statements give.
pub(super) fn encoded<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, sqlx::Error> {
    postcard::to_stdvec(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

fn bind_record(statement: Statement, record: Record) -> Statement {
    statement
        .bind(branch_column(record.branch))
        .bind(column(record.seq))
        .bind(record.at.0)
        .bind(record.prev.0.to_vec())
        .bind(record.hash.0.to_vec())
        .bind(record.body)
}

fn bind_entry(
    statement: Statement,
    branch: BranchId,
    seq: i64,
    row: &LedgerRow,
) -> Result<Statement, sqlx::Error> {
    let entry = &row.entry;
    let member = match (entry.from, entry.to) {
        (Account::Member(member), _) | (_, Account::Member(member)) => Some(i64::from(member.seq)),
        _ => None,
    };
    Ok(statement
        .bind(branch_column(branch))
        .bind(column(entry.id))
        .bind(seq)
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
        .bind(encoded(&entry.cause)?))
}

async fn insert_boards(
    connection: &mut SqliteConnection,
    branch: BranchId,
    commits: &[Commit],
) -> Result<(), sqlx::Error> {
    // Few and rare, and large: one statement each.
    for commit in commits {
        for board in &commit.closed_boards {
            let body = encoded(board)?;
            sqlx::query(
                "INSERT INTO closed_board (branch, board, place, seq, hash, body) \
                 SELECT $1, $2, COALESCE(MAX(place), 0) + 1, $3, $4, $5 \
                 FROM closed_board WHERE branch = $1",
            )
            .bind(branch_column(branch))
            .bind(encoded(&board.key)?)
            .bind(column(commit.batch.batch.seq))
            .bind(dengmi_core::Digest::of(&body).0.to_vec())
            .bind(body)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

/// Lists the entries of a complete block by member.
async fn index_block(
    connection: &mut SqliteConnection,
    branch: BranchId,
    block: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ledger_member (branch, block, member, entry) \
         SELECT branch, $2, member, entry FROM ledger WHERE branch = $1 \
         AND entry >= $2 * 1024 AND entry < ($2 + 1) * 1024 AND member IS NOT NULL \
         ORDER BY member, entry",
    )
    .bind(branch_column(branch))
    .bind(block)
    .execute(connection)
    .await
    .map(|_| ())
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
        let stored = first_paid(connection, branch, &grant).await?;
        let first = stored.or_else(|| seen.get(&grant).copied());
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

/// Finds the standing of the group that was closed before; `None` where there is none.
async fn closed_before(
    connection: &mut SqliteConnection,
    branch: BranchId,
    commits: &[Commit],
) -> Result<Option<StoreError>, StoreError> {
    let mut seen = BTreeSet::new();
    for commit in commits {
        for board in &commit.closed_boards {
            let stored = sqlx::query("SELECT 1 FROM closed_board WHERE branch = $1 AND board = $2")
                .bind(branch_column(branch))
                .bind(encode("a standing's name", &board.key)?)
                .fetch_optional(&mut *connection)
                .await
                .map_err(unavailable)?;
            if stored.is_some() || !seen.insert(board.key) {
                let why = "it closes a standing that is closed already".to_owned();
                return Ok(Some(StoreError::Invalid { branch, seq: commit.batch.batch.seq, why }));
            }
        }
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
    failpoint::hit("recover/kept-aside");
    // The torn row's own number may be what is wrong; what it should be is known.
    for sql in [
        "DELETE FROM journal WHERE branch = $1 AND seq >= $2",
        "DELETE FROM ledger WHERE branch = $1 AND seq >= $2",
        "DELETE FROM outbox WHERE branch = $1 AND seq >= $2",
        "DELETE FROM closed_board WHERE branch = $1 AND seq >= $2",
        // Blocks that were complete.
        "DELETE FROM ledger_member WHERE branch = $1 AND $2 = $2 AND block >= \
         (SELECT COALESCE(MAX(entry) + 1, 0) / 1024 FROM ledger WHERE branch = $1)",
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
