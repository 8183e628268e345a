//! What was rewarded for what, so that it never is again: every rule and cause has a number, and
//! 62 members in a row share a row of bits under it.

use std::collections::BTreeMap;

use dengmi_core::{Account, BranchId, Cause, EntryKind, MemberId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use super::branch_column;
use super::rows::{encode, unavailable};
use super::sql::{Rows, places};
use super::write::{Statement, encoded};
use crate::commit::Grant;
use crate::error::StoreError;
use crate::journal::Commit;

/// Members that share a row: the bits of a number that SQLite counts with, but for two.
const MEMBERS: u32 = 62;

/// Bits of a key below the number of the cause: enough for every block of members there can be.
const BLOCK_BITS: u32 = 27;

/// Most causes remembered: what is forgotten is looked up again.
const KNOWN_MAX: usize = 20_000;

/// A member who was paid before has their bit set; the row then gets no value, which the table
/// refuses.
const AWARD: Rows = Rows {
    insert: "INSERT INTO award (key, members) VALUES",
    columns: 2,
    after: " ON CONFLICT (key) DO UPDATE SET members = \
            CASE members & excluded.members WHEN 0 THEN members | excluded.members END",
};
const CAUSE: Rows = Rows {
    insert: "INSERT OR ROLLBACK INTO award_cause (id, branch, rule, cause) VALUES",
    columns: 4,
    after: "",
};

/// Numbers of causes, as of the last commit.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// Few rules pay for the same cause.
    known: BTreeMap<(BranchId, Cause), Vec<(String, i64)>>,
    /// The highest number given; `None` until it was asked for.
    last: Option<i64>,
}

/// Rows for the awards of a group.
#[derive(Debug, Default)]
pub(super) struct Awards {
    new: Vec<New>,
    /// Keys, rising, and the bits of who is paid.
    bits: Vec<(i64, i64)>,
}

/// A cause that has no number yet, with the one it gets.
#[derive(Debug)]
struct New {
    id: i64,
    branch: BranchId,
    rule: String,
    cause: Cause,
}

/// Where a member's award for a numbered cause is: the key of the row, and the bit in it.
fn place(id: i64, member: MemberId) -> (i64, i64) {
    (id << BLOCK_BITS | i64::from(member.seq / MEMBERS), 1 << (member.seq % MEMBERS))
}

impl Causes {
    /// The rows for the awards of a group; `None` where the group itself pays somebody twice.
    pub(super) async fn awards(
        &mut self,
        connection: &mut SqliteConnection,
        branch: BranchId,
        commits: &[Commit],
    ) -> Result<Option<Awards>, StoreError> {
        let mut awards = Awards::default();
        let rows = commits.iter().flat_map(|commit| &commit.ledger);
        for row in rows.filter(|row| row.entry.kind == EntryKind::Award) {
            // Sealing the group has made sure of both.
            let (Account::Member(member), Some(rule)) = (row.entry.to, &row.rule) else { continue };
            let cause = row.entry.cause;
            let known = self.known(branch, rule, cause).or_else(|| awards.given(rule, cause));
            let id = match known {
                Some(id) => id,
                None => self.number(connection, branch, rule, cause, &mut awards.new).await?,
            };
            awards.bits.push(place(id, member));
        }
        Ok(awards.merged())
    }

    fn known(&self, branch: BranchId, rule: &str, cause: Cause) -> Option<i64> {
        let rules = self.known.get(&(branch, cause))?;
        rules.iter().find(|(known, _)| known == rule).map(|(_, id)| *id)
    }

    /// The number of a cause that is not known here, or a new one.
    async fn number(
        &mut self,
        connection: &mut SqliteConnection,
        branch: BranchId,
        rule: &str,
        cause: Cause,
        new: &mut Vec<New>,
    ) -> Result<i64, StoreError> {
        if let Some(id) = find(connection, branch, rule, cause).await? {
            self.remember(branch, rule.to_owned(), cause, id);
            return Ok(id);
        }
        let last = match self.last {
            Some(last) => last,
            None => {
                let row = sqlx::query("SELECT COALESCE(MAX(id), 0) FROM award_cause")
                    .fetch_one(connection)
                    .await
                    .map_err(unavailable)?;
                *self.last.insert(row.try_get(0).map_err(unavailable)?)
            }
        };
        let id = last + 1 + new.len() as i64;
        new.push(New { id, branch, rule: rule.to_owned(), cause });
        Ok(id)
    }

    fn remember(&mut self, branch: BranchId, rule: String, cause: Cause, id: i64) {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.entry((branch, cause)).or_default().push((rule, id));
    }

    /// The group is committed.
    pub(super) fn committed(&mut self, awards: Awards) {
        for New { id, branch, rule, cause } in awards.new {
            self.last = self.last.max(Some(id));
            self.remember(branch, rule, cause, id);
        }
    }
}

/// The number of a cause, where it has one.
async fn find(
    connection: &mut SqliteConnection,
    branch: BranchId,
    rule: &str,
    cause: Cause,
) -> Result<Option<i64>, StoreError> {
    let row =
        sqlx::query("SELECT id FROM award_cause WHERE branch = $1 AND rule = $2 AND cause = $3")
            .bind(branch_column(branch))
            .bind(rule.to_owned())
            .bind(encode("a cause", &cause)?)
            .fetch_optional(connection)
            .await
            .map_err(unavailable)?;
    row.map(|row| row.try_get(0).map_err(unavailable)).transpose()
}

impl Awards {
    /// The number that a cause gets with this group.
    fn given(&self, rule: &str, cause: Cause) -> Option<i64> {
        self.new.iter().find(|new| new.cause == cause && new.rule == rule).map(|new| new.id)
    }

    /// One row for all members who share one; `None` where a bit is there twice.
    fn merged(mut self) -> Option<Self> {
        self.bits.sort_unstable();
        let mut twice = false;
        self.bits.dedup_by(|(key, bits), (before, all)| {
            if key != before {
                return false;
            }
            twice |= *all & *bits != 0;
            *all |= *bits;
            true
        });
        (!twice).then_some(self)
    }

    /// Appends the statements to a text.
    pub(super) fn write(&self, sql: &mut String) {
        CAUSE.write(sql, self.new.len());
        AWARD.write(sql, places(self.bits.len()));
    }

    /// Binds what the statements of [`Self::write`] have places for.
    pub(super) fn bind(&self, mut statement: Statement) -> Result<Statement, sqlx::Error> {
        for New { id, branch, rule, cause } in &self.new {
            statement = statement
                .bind(*id)
                .bind(branch_column(*branch))
                .bind(rule.clone())
                .bind(encoded(cause)?);
        }
        // Nobody more in the last row changes nothing.
        let fill = self.bits.last().map(|(key, _)| (*key, 0));
        let fill = std::iter::repeat(fill).flatten();
        for (key, bits) in self.bits.iter().copied().chain(fill).take(places(self.bits.len())) {
            statement = statement.bind(key).bind(bits);
        }
        Ok(statement)
    }
}

/// The first entry that paid a grant, where the bits say that one did.
pub(super) async fn first_paid(
    connection: &mut SqliteConnection,
    branch: BranchId,
    grant: &Grant,
) -> Result<Option<u64>, StoreError> {
    let Some(id) = find(connection, branch, &grant.rule, grant.cause).await? else {
        return Ok(None);
    };
    let (key, bit) = place(id, grant.member);
    // Looks through the whole ledger, but only where there is something to find, and for an error
    // that no engine makes.
    let row = sqlx::query(
        "SELECT MIN(entry) FROM ledger WHERE branch = $1 AND member = $2 AND kind = 0 \
         AND rule = $3 AND cause = $4 AND EXISTS \
         (SELECT 1 FROM award WHERE key = $5 AND members & $6)",
    )
    .bind(branch_column(branch))
    .bind(i64::from(grant.member.seq))
    .bind(grant.rule.clone())
    .bind(encode("a cause", &grant.cause)?)
    .bind(key)
    .bind(bit)
    .fetch_one(connection)
    .await
    .map_err(unavailable)?;
    let first: Option<i64> = row.try_get(0).map_err(unavailable)?;
    Ok(first.map(i64::unsigned_abs))
}
