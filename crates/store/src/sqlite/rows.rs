//! Rows to values and back, and errors of the database to ours.

use dengmi_core::random::Seed;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{
    Account, BranchId, Cause, Day, Digest, EntryKind, LedgerEntry, MemberId, Points, Timestamp,
    ledger::RuleRef,
};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::journal::{BranchMeta, LedgerRow};
use crate::record::Record;

/// Sorts an error of the database by what there is to do about it.
pub(super) fn unavailable(error: sqlx::Error) -> StoreError {
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const NOT_A_DATABASE: i32 = 26;
    let why = error.to_string();
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<i32>().ok());
    // The low byte is the kind of error, the rest details it.
    match (&error, code.map(|code| code & 0xff)) {
        (_, Some(FULL)) => StoreError::Full { why },
        (_, Some(CORRUPT | NOT_A_DATABASE)) => {
            StoreError::DamagedRow { what: "the database file".to_owned(), why }
        }
        (sqlx::Error::ColumnDecode { .. }, _) => {
            StoreError::DamagedRow { what: "a stored row".to_owned(), why }
        }
        _ => StoreError::Unavailable { why },
    }
}

/// Whether a row was refused because its key exists.
pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a ledger entry was refused because its cause was rewarded before.
pub(super) fn is_paid(error: &sqlx::Error) -> bool {
    const CONSTRAINT_NOT_NULL: &str = "1299";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == CONSTRAINT_NOT_NULL)
}

/// Whether a row was refused because what it refers to does not exist.
pub(super) fn is_orphan(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}

/// A number as a column. Numbers of records and entries count up from 1, one at a time: none
/// reaches the limit, and a query for one beyond it must find nothing.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The kinds of entries as columns.
pub(super) fn kind_column(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Award => 0,
        EntryKind::Redemption => 1,
        EntryKind::Expiry => 2,
        EntryKind::Reversal => 3,
    }
}

/// The kinds of accounts as columns.
pub(super) fn account_column(account: Account) -> i64 {
    match account {
        Account::Issue => 0,
        Account::Member(_) => 1,
        Account::Redemption => 2,
        Account::Expiry => 3,
        Account::House => 4,
    }
}

/// A value as bytes. What is stored here is plain data, which always encodes.
pub(super) fn encode<T: serde::Serialize>(what: &str, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(|error| StoreError::Unavailable {
        why: format!("{what} cannot be encoded: {error}"),
    })
}

/// A value from bytes, all of them.
pub(super) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(damaged(what, "it has bytes too many")),
        Err(error) => Err(damaged(what, &error.to_string())),
    }
}

pub(super) fn damaged(what: &str, why: &str) -> StoreError {
    StoreError::DamagedRow { what: what.to_owned(), why: why.to_owned() }
}

/// Reads the columns of one row, naming the row where one does not fit.
pub(super) struct Reader<'r> {
    row: &'r SqliteRow,
    what: &'r str,
}

impl<'r> Reader<'r> {
    pub(super) fn new(what: &'r str, row: &'r SqliteRow) -> Self {
        Self { row, what }
    }

    pub(super) fn get<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.row.try_get(column).map_err(|error| damaged(self.what, &error.to_string()))
    }

    /// A column that holds a number of a narrower type.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let wide: i64 = self.get(column)?;
        T::try_from(wide).map_err(|_| damaged(self.what, &format!("{column} is {wide}")))
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.get(column).map(Timestamp)
    }

    pub(super) fn bytes32(&self, column: &str) -> Result<[u8; 32], StoreError> {
        let bytes: &[u8] = self.get(column)?;
        bytes.try_into().map_err(|_| damaged(self.what, &format!("{column} is not 32 bytes")))
    }
}

pub(super) fn branch_meta(row: &SqliteRow) -> Result<BranchMeta, StoreError> {
    let row = Reader::new("a branch", row);
    Ok(BranchMeta {
        branch: BranchId(row.number("branch")?),
        seed: Seed(row.bytes32("seed")?),
        branches: row.number("branches")?,
        content: Digest(row.bytes32("content")?),
        created: row.time("created")?,
    })
}

/// A journal row. Columns that cannot be what was written are read as what fails the record's
/// hash, so that the check of the chain names the record and can cut a torn last one.
pub(super) fn record(branch: BranchId, row: &SqliteRow) -> Record {
    let number = |column| row.try_get::<i64, _>(column).unwrap_or(i64::MIN);
    let bytes = |column| row.try_get::<Vec<u8>, _>(column).unwrap_or_default();
    let digest = |column| Digest(bytes(column).try_into().unwrap_or_default());
    Record {
        branch,
        seq: u64::try_from(number("seq")).unwrap_or(u64::MAX),
        at: Timestamp(number("at")),
        prev: digest("prev"),
        hash: digest("hash"),
        body: bytes("body"),
    }
}

pub(super) fn ledger_row(branch: BranchId, row: &SqliteRow) -> Result<LedgerRow, StoreError> {
    let id: i64 = row.try_get("entry").map_err(unavailable)?;
    let what = format!("entry {id} of branch {branch}");
    let row = Reader::new(&what, row);
    let member: Option<i64> = row.get("member")?;
    let account = |column| {
        Ok(match (row.number::<u8>(column)?, member) {
            (0, _) => Account::Issue,
            (1, Some(seq)) => {
                let seq = u32::try_from(seq).map_err(|_| damaged(&what, "no such member"))?;
                Account::Member(MemberId::new(branch, seq))
            }
            (2, _) => Account::Redemption,
            (3, _) => Account::Expiry,
            (4, _) => Account::House,
            _ => return Err(damaged(&what, "no such account")),
        })
    };
    let kind = match row.number::<u8>("kind")? {
        0 => EntryKind::Award,
        1 => EntryKind::Redemption,
        2 => EntryKind::Expiry,
        3 => EntryKind::Reversal,
        _ => return Err(damaged(&what, "no such kind of entry")),
    };
    let rule = match row.get::<Option<i64>>("rule_code")? {
        None => None,
        Some(_) => {
            Some(RuleRef { code: row.number("rule_code")?, version: row.number("rule_version")? })
        }
    };
    Ok(LedgerRow {
        entry: LedgerEntry {
            id: row.number("entry")?,
            at: row.time("at")?,
            day: Day(row.number("day")?),
            kind,
            from: account("from_kind")?,
            to: account("to_kind")?,
            points: Points(row.get("points")?),
            rule,
            cause: decode::<Cause>(&what, row.get("cause")?)?,
        },
        rule: row.get("rule")?,
    })
}

pub(super) fn event(branch: BranchId, row: &SqliteRow) -> Result<Event, StoreError> {
    let seq: i64 = row.try_get("event").map_err(unavailable)?;
    let what = format!("event {seq} of branch {branch}");
    let row = Reader::new(&what, row);
    decode(&what, row.get("body")?)
}

pub(super) fn closed_board(branch: BranchId, row: &SqliteRow) -> Result<ClosedBoard, StoreError> {
    let what = format!("a closed standing of branch {branch}");
    let row = Reader::new(&what, row);
    let body: &[u8] = row.get("body")?;
    if Digest::of(body).0 != row.bytes32("hash")? {
        return Err(damaged(&what, "its hash does not fit its content"));
    }
    decode(&what, body)
}
