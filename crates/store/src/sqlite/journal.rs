//! [`Journal`] on SQLite.

use dengmi_core::view::board::BoardKey;
use dengmi_core::view::{ClosedBoard, Event};
use dengmi_core::{BranchId, Digest, MemberId, Points, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _};

use super::rows::{Reader, column, damaged, decode, encode, is_taken, unavailable};
use super::write::{SELECT_BRANCH, load_head};
use super::{SqliteStore, branch_column, rows};
use crate::chain;
use crate::error::StoreError;
use crate::failpoint;
use crate::journal::{
    BranchMeta, Commit, Head, Journal, LedgerRow, PackFiles, Page, Recovered, Sums,
};

/// Entries in one block of the list by member, as the tables have it.
const MEMBER_BLOCK: i64 = 1_024;

/// Blocks that are complete once there are so many entries; the first begins with an entry 0 that
/// there never is.
pub(super) fn complete_blocks(entries: u64) -> i64 {
    (column(entries) + 1) / MEMBER_BLOCK
}

impl SqliteStore {
    async fn meta(&self, branch: BranchId) -> Result<BranchMeta, StoreError> {
        let row = sqlx::query(SELECT_BRANCH)
            .bind(branch_column(branch))
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        rows::branch_meta(&row.ok_or(StoreError::UnknownBranch(branch))?)
    }

    async fn last_entry(&self, branch: BranchId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COALESCE(MAX(entry), 0) FROM ledger WHERE branch = $1")
            .bind(branch_column(branch))
            .fetch_one(&self.readers)
            .await
            .map_err(unavailable)?;
        row.try_get(0).map(i64::unsigned_abs).map_err(unavailable)
    }

    /// Tells an empty answer from a branch that does not exist.
    async fn known<T>(&self, branch: BranchId, rows: Vec<T>) -> Result<Vec<T>, StoreError> {
        if rows.is_empty() {
            self.meta(branch).await?;
        }
        Ok(rows)
    }
}

fn ledger_rows(branch: BranchId, rows: &[SqliteRow]) -> Result<Vec<LedgerRow>, StoreError> {
    rows.iter().map(|row| rows::ledger_row(branch, row)).collect()
}

impl Journal for SqliteStore {
    async fn create_branch(&self, meta: BranchMeta) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let inserted = sqlx::query(
            "INSERT INTO branch (branch, seed, branches, content, created) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(branch_column(meta.branch))
        .bind(meta.seed.0.to_vec())
        .bind(i64::from(meta.branches))
        .bind(meta.content.0.to_vec())
        .bind(meta.created.0)
        .execute(writer.connection().await?)
        .await;
        failpoint::hit("branch/created");
        match inserted {
            Ok(_) => Ok(()),
            Err(error) if is_taken(&error) => {
                if self.meta(meta.branch).await? == meta {
                    Ok(())
                } else {
                    Err(StoreError::BranchExists(meta.branch))
                }
            }
            Err(error) => writer.settle(Err(unavailable(error))),
        }
    }

    async fn branches(&self) -> Result<Vec<BranchMeta>, StoreError> {
        let rows = sqlx::query(
            "SELECT branch, seed, branches, content, created FROM branch ORDER BY branch",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        rows.iter().map(rows::branch_meta).collect()
    }

    async fn append(&self, branch: BranchId, commits: Vec<Commit>) -> Result<Head, StoreError> {
        let mut writer = self.writer.lock().await;
        let result = writer.append(branch, commits).await;
        writer.settle(result)
    }

    async fn head(&self, branch: BranchId) -> Result<Head, StoreError> {
        // One transaction, so that the parts of the head belong together.
        let mut connection = self.readers.acquire().await.map_err(unavailable)?;
        let mut transaction = connection.begin().await.map_err(unavailable)?;
        load_head(&mut transaction, branch).await?.map_err(|cut| cut.damaged(branch))
    }

    async fn recover(&self, branch: BranchId) -> Result<Recovered, StoreError> {
        let mut writer = self.writer.lock().await;
        let result = writer.recover(branch).await;
        writer.settle(result)
    }

    async fn read(&self, branch: BranchId, after: u64, limit: u32) -> Result<Page, StoreError> {
        let genesis = self.meta(branch).await?.genesis();
        // Record `after` itself, to check that the page follows it, and one more than asked for,
        // to know whether the page ends with the branch's last record.
        let wanted = u64::from(limit) + u64::from(after > 0);
        let rows = sqlx::query(
            "SELECT seq, at, prev, hash, body FROM journal \
             WHERE branch = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        )
        .bind(branch_column(branch))
        .bind(column(after))
        .bind(column(wanted + 1))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        let at_end = rows.len() as u64 <= wanted;
        let mut records: Vec<_> = rows.iter().map(|row| rows::record(branch, row)).collect();
        records.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        chain::page(branch, genesis, after, records, at_end)
    }

    async fn seq_before(&self, branch: BranchId, at: Timestamp) -> Result<u64, StoreError> {
        self.meta(branch).await?;
        // Time rises with the number: halve the range instead of indexing a second column.
        let last = sqlx::query("SELECT COALESCE(MAX(seq), 0) FROM journal WHERE branch = $1")
            .bind(branch_column(branch))
            .fetch_one(&self.readers)
            .await
            .map_err(unavailable)?;
        let last: i64 = last.try_get(0).map_err(unavailable)?;
        // Records up to `before` are before `at`, those after `until` are not.
        let (mut before, mut until) = (0, last.unsigned_abs());
        while before < until {
            let middle = before + (until - before).div_ceil(2);
            let row = sqlx::query("SELECT at FROM journal WHERE branch = $1 AND seq = $2")
                .bind(branch_column(branch))
                .bind(column(middle))
                .fetch_optional(&self.readers)
                .await
                .map_err(unavailable)?
                .ok_or_else(|| StoreError::Damaged {
                    branch,
                    seq: middle,
                    why: "missing".to_owned(),
                })?;
            if row.try_get::<i64, _>(0).map_err(unavailable)? < at.0 {
                before = middle;
            } else {
                until = middle - 1;
            }
        }
        Ok(before)
    }

    async fn entries_of(
        &self,
        member: MemberId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let branch = member.branch;
        self.meta(branch).await?;
        let last = self.last_entry(branch).await?;
        let before = before.unwrap_or(u64::MAX).min(last + 1);
        let complete = complete_blocks(last);
        let limit = limit as usize;
        // Entries of no complete block are looked through.
        let rows = sqlx::query(
            "SELECT entry, at, day, kind, from_kind, to_kind, member, points, rule, rule_code, \
             rule_version, cause FROM ledger \
             WHERE branch = $1 AND entry >= $3 AND entry < $4 AND member = $2 \
             ORDER BY entry DESC LIMIT $5",
        )
        .bind(branch_column(branch))
        .bind(i64::from(member.seq))
        .bind(complete * MEMBER_BLOCK)
        .bind(column(before))
        .bind(column(limit as u64))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        let mut found = ledger_rows(branch, &rows)?;
        // From the newest block down, in growing steps: most callers want only the newest entries.
        let mut newest = (complete - 1).min((column(before) - 1).div_euclid(MEMBER_BLOCK));
        let mut step = 64;
        while newest >= 0 && found.len() < limit {
            let oldest = (newest - step + 1).max(0);
            let rows = sqlx::query(
                "WITH RECURSIVE block (n) AS \
                 (SELECT $3 UNION ALL SELECT n - 1 FROM block WHERE n > $4), theirs (id) AS \
                 (SELECT entry FROM block CROSS JOIN ledger_member \
                 WHERE branch = $1 AND block = n AND member = $2 AND entry < $5 \
                 ORDER BY entry DESC LIMIT $6) \
                 SELECT entry, at, day, kind, from_kind, to_kind, member, points, rule, \
                 rule_code, rule_version, cause FROM theirs CROSS JOIN ledger \
                 WHERE branch = $1 AND entry = id ORDER BY entry DESC",
            )
            .bind(branch_column(branch))
            .bind(i64::from(member.seq))
            .bind(newest)
            .bind(oldest)
            .bind(column(before))
            .bind(column((limit - found.len()) as u64))
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
            found.extend(ledger_rows(branch, &rows)?);
            newest = oldest - 1;
            step *= 4;
        }
        Ok(found)
    }

    async fn entry(&self, branch: BranchId, id: u64) -> Result<Option<LedgerRow>, StoreError> {
        let after = id.checked_sub(1);
        let Some(after) = after else { return self.meta(branch).await.map(|_| None) };
        let row = self.entries_after(branch, after, 1).await?.pop();
        Ok(row.filter(|row| row.entry.id == id))
    }

    async fn entries_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT entry, at, day, kind, from_kind, to_kind, member, points, rule, rule_code, \
             rule_version, cause FROM ledger \
             WHERE branch = $1 AND entry > $2 ORDER BY entry LIMIT $3",
        )
        .bind(branch_column(branch))
        .bind(column(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        self.known(branch, ledger_rows(branch, &rows)?).await
    }

    async fn balance(&self, member: MemberId) -> Result<Points, StoreError> {
        self.meta(member.branch).await?;
        let row = sqlx::query(
            "WITH RECURSIVE block (n) AS \
             (SELECT $3 - 1 UNION ALL SELECT n - 1 FROM block WHERE n > 0), theirs (id) AS \
             (SELECT entry FROM block CROSS JOIN ledger_member \
             WHERE branch = $1 AND block = n AND member = $2 UNION ALL \
             SELECT entry FROM ledger WHERE branch = $1 AND entry >= $3 * 1024 AND member = $2) \
             SELECT COALESCE(SUM(CASE WHEN to_kind = 1 THEN points ELSE -points END), 0) \
             FROM theirs CROSS JOIN ledger WHERE branch = $1 AND entry = id",
        )
        .bind(branch_column(member.branch))
        .bind(i64::from(member.seq))
        .bind(complete_blocks(self.last_entry(member.branch).await?))
        .fetch_one(&self.readers)
        .await
        .map_err(unavailable)?;
        row.try_get(0).map(Points).map_err(unavailable)
    }

    async fn sums(&self, branch: BranchId) -> Result<Sums, StoreError> {
        self.meta(branch).await?;
        let rows = sqlx::query(
            "SELECT from_kind, to_kind, SUM(points) FROM ledger WHERE branch = $1 \
             GROUP BY from_kind, to_kind",
        )
        .bind(branch_column(branch))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        let mut held = [0_i128; 5];
        for row in &rows {
            let number = |i: usize| row.try_get::<i64, _>(i).map_err(unavailable);
            let points = i128::from(number(2)?);
            for (kind, change) in [(number(0)?, -points), (number(1)?, points)] {
                *usize::try_from(kind)
                    .ok()
                    .and_then(|kind| held.get_mut(kind))
                    .ok_or_else(|| damaged("a ledger entry", "no such account"))? += change;
            }
        }
        let [issue, members, redemption, expiry, house] = held;
        Ok(Sums { issue, members, redemption, expiry, house })
    }

    async fn events_after(
        &self,
        branch: BranchId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT event, body FROM outbox WHERE branch = $1 AND event > $2 \
             ORDER BY event LIMIT $3",
        )
        .bind(branch_column(branch))
        .bind(column(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        let events = rows.iter().map(|row| rows::event(branch, row)).collect::<Result<_, _>>()?;
        self.known(branch, events).await
    }

    async fn closed_board(
        &self,
        branch: BranchId,
        key: BoardKey,
    ) -> Result<Option<ClosedBoard>, StoreError> {
        let rows =
            sqlx::query("SELECT hash, body FROM closed_board WHERE branch = $1 AND board = $2")
                .bind(branch_column(branch))
                .bind(encode("a standing's name", &key)?)
                .fetch_all(&self.readers)
                .await
                .map_err(unavailable)?;
        let row = self.known(branch, rows).await?.pop();
        row.map(|row| rows::closed_board(branch, &row)).transpose()
    }

    async fn closed_boards(
        &self,
        branch: BranchId,
        limit: u32,
    ) -> Result<Vec<ClosedBoard>, StoreError> {
        let rows = sqlx::query(
            "SELECT hash, body FROM closed_board WHERE branch = $1 ORDER BY place DESC LIMIT $2",
        )
        .bind(branch_column(branch))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        let rows = self.known(branch, rows).await?;
        rows.iter().map(|row| rows::closed_board(branch, row)).collect()
    }

    async fn put_pack(&self, digest: Digest, files: &[(String, String)]) -> Result<(), StoreError> {
        let plain = encode("a pack", &files)?;
        let packed = zstd::bulk::compress(&plain, 3).map_err(|error| StoreError::Unavailable {
            why: format!("a pack cannot be compressed: {error}"),
        })?;
        let mut writer = self.writer.lock().await;
        let stored = sqlx::query(
            "INSERT INTO pack (digest, size, hash, files) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (digest) DO NOTHING",
        )
        .bind(digest.0.to_vec())
        .bind(column(plain.len() as u64))
        .bind(Digest::of(&packed).0.to_vec())
        .bind(packed)
        .execute(writer.connection().await?)
        .await
        .map(|_| ())
        .map_err(unavailable);
        failpoint::hit("pack/put");
        writer.settle(stored)
    }

    async fn pack(&self, digest: Digest) -> Result<Option<PackFiles>, StoreError> {
        let row = sqlx::query("SELECT size, hash, files FROM pack WHERE digest = $1")
            .bind(digest.0.to_vec())
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        let what = format!("pack {}", digest.short());
        let row = Reader::new(&what, &row);
        let packed: &[u8] = row.get("files")?;
        if Digest::of(packed).0 != row.bytes32("hash")? {
            return Err(damaged(&what, "its hash does not fit its content"));
        }
        let plain = zstd::bulk::decompress(packed, row.number("size")?)
            .map_err(|error| damaged(&what, &error.to_string()))?;
        decode(&what, &plain).map(Some)
    }

    async fn checkpoint_when_idle(&self) -> Result<bool, StoreError> {
        // Whoever holds the writer is not idle.
        let Ok(mut writer) = self.writer.try_lock() else { return Ok(false) };
        writer.checkpoint().await
    }
}
