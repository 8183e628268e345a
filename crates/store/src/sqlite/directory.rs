//! [`Directory`] on SQLite.

use std::sync::LazyLock;

use dengmi_core::text::FoldedHash;
use dengmi_core::{BranchId, MemberId, Timestamp};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite};

use super::rows::{Reader, damaged, is_orphan, is_taken, unavailable};
use super::sql::Sized;
use super::write::Writer;
use super::{SqliteStore, branch_column};
use crate::directory::{AccountRow, Directory, NewAccount, Profile, SessionRow, Words};
use crate::error::StoreError;

static PROFILES: LazyLock<Sized> = LazyLock::new(|| {
    Sized::select(
        "SELECT member, nickname, avatar, channel_id, updated FROM person \
         WHERE branch = ? AND member IN",
    )
});

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

impl SqliteStore {
    /// Runs one writing statement; says how many rows it changed. `taken` names what must be
    /// unique in it.
    async fn write(
        &self,
        statement: Statement<'_>,
        taken: &'static str,
    ) -> Result<u64, StoreError> {
        run(&mut *self.writer.lock().await, statement, taken).await
    }

    /// Runs one statement that erases personal data; says how many rows it erased.
    async fn erase(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        writer.emptied_next();
        run(&mut writer, statement, "nothing").await
    }

    async fn one(&self, statement: Statement<'_>) -> Result<Option<SqliteRow>, StoreError> {
        statement.fetch_optional(&self.readers).await.map_err(unavailable)
    }
}

async fn run(
    writer: &mut Writer,
    statement: Statement<'_>,
    taken: &'static str,
) -> Result<u64, StoreError> {
    let result = statement.execute(writer.connection().await?).await;
    let result = result.map(|done| done.rows_affected()).map_err(|error| {
        if is_taken(&error) { StoreError::Taken { what: taken } } else { unavailable(error) }
    });
    writer.settle(result)
}

/// Says whether a row is there, as the connection that writes sees it.
async fn is_there(writer: &mut Writer, statement: Statement<'_>) -> Result<bool, StoreError> {
    let found = statement.fetch_optional(writer.connection().await?).await.map_err(unavailable);
    Ok(writer.settle(found)?.is_some())
}

fn profile(branch: BranchId, row: &SqliteRow) -> Result<Profile, StoreError> {
    let row = Reader::new("a profile", row);
    Ok(Profile {
        member: MemberId::new(branch, row.number("member")?),
        nickname: row.get("nickname")?,
        avatar: row.get("avatar")?,
        channel_id: row.get("channel_id")?,
        updated: row.time("updated")?,
    })
}

fn words(member: MemberId, row: &SqliteRow) -> Result<Words, StoreError> {
    let row = Reader::new("a text", row);
    let hash: Vec<u8> = row.get("hash")?;
    let hash = hash.try_into().map_err(|_| damaged("a text", "its hash has another length"))?;
    Ok(Words {
        member,
        hash: FoldedHash(hash),
        words: row.get("words")?,
        written: row.time("written")?,
    })
}

fn session(row: &SqliteRow) -> Result<SessionRow, StoreError> {
    let row = Reader::new("a session", row);
    Ok(SessionRow {
        token_hash: row.bytes32("token_hash")?,
        principal: row.get("principal")?,
        created: row.time("created")?,
        expires: row.time("expires")?,
        last_seen: row.time("last_seen")?,
    })
}

fn account(row: &SqliteRow) -> Result<AccountRow, StoreError> {
    let row = Reader::new("an account", row);
    Ok(AccountRow {
        id: row.number("id")?,
        account: NewAccount {
            login: row.get("login")?,
            password_hash: row.get("password_hash")?,
            role: row.get("role")?,
            branches: row.get("branches")?,
            created: row.time("created")?,
        },
        disabled: row.get::<i64>("disabled")? != 0,
    })
}

/// Whether exactly the one row meant was changed.
fn changed(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Missing { what: "account" }) }
}

impl Directory for SqliteStore {
    async fn put_profile(&self, profile: Profile) -> Result<(), StoreError> {
        let branch = profile.member.branch;
        let mut writer = self.writer.lock().await;
        let known = sqlx::query("SELECT 1 FROM person WHERE branch = $1 AND member = $2")
            .bind(branch_column(branch))
            .bind(i64::from(profile.member.seq));
        // A name that is replaced leaves the files as an erased one does.
        if is_there(&mut writer, known).await? {
            writer.emptied_next();
        }
        let result = sqlx::query(
            "INSERT INTO person (branch, member, nickname, avatar, channel_id, updated) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (branch, member) DO UPDATE SET nickname = excluded.nickname, \
             avatar = excluded.avatar, channel_id = excluded.channel_id, \
             updated = excluded.updated",
        )
        .bind(branch_column(branch))
        .bind(i64::from(profile.member.seq))
        .bind(profile.nickname)
        .bind(profile.avatar)
        .bind(profile.channel_id)
        .bind(profile.updated.0)
        .execute(writer.connection().await?)
        .await;
        let result = result.map(|_| ()).map_err(|error| {
            if is_taken(&error) {
                StoreError::Taken { what: "channel id" }
            } else if is_orphan(&error) {
                StoreError::UnknownBranch(branch)
            } else {
                unavailable(error)
            }
        });
        writer.settle(result)
    }

    async fn profile(&self, member: MemberId) -> Result<Option<Profile>, StoreError> {
        Ok(self.profiles(&[member]).await?.pop())
    }

    async fn profiles(&self, members: &[MemberId]) -> Result<Vec<Profile>, StoreError> {
        let mut members = members.to_vec();
        members.sort_unstable();
        members.dedup();
        let mut profiles = Vec::with_capacity(members.len());
        for one_branch in members.chunk_by(|a, b| a.branch == b.branch) {
            let branch = one_branch[0].branch;
            for (sql, part) in PROFILES.split(one_branch) {
                let mut query = sqlx::query(sql).bind(branch_column(branch));
                for member in part {
                    query = query.bind(i64::from(member.seq));
                }
                for row in query.fetch_all(&self.readers).await.map_err(unavailable)? {
                    profiles.push(profile(branch, &row)?);
                }
            }
        }
        profiles.sort_unstable_by_key(|profile| profile.member);
        Ok(profiles)
    }

    async fn profile_by_channel(
        &self,
        branch: BranchId,
        channel_id: &str,
    ) -> Result<Option<Profile>, StoreError> {
        let row = self
            .one(
                sqlx::query(
                    "SELECT member, nickname, avatar, channel_id, updated FROM person \
                     WHERE branch = $1 AND channel_id = $2",
                )
                .bind(branch_column(branch))
                .bind(channel_id.to_owned()),
            )
            .await?;
        row.map(|row| profile(branch, &row)).transpose()
    }

    async fn erase_profile(&self, member: MemberId) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM person WHERE branch = $1 AND member = $2")
            .bind(branch_column(member.branch))
            .bind(i64::from(member.seq));
        Ok(self.erase(statement).await? > 0)
    }

    async fn put_words(&self, words: Words) -> Result<bool, StoreError> {
        let branch = words.member.branch;
        let mut writer = self.writer.lock().await;
        let known =
            sqlx::query("SELECT 1 FROM words WHERE branch = $1 AND member = $2 AND hash = $3")
                .bind(branch_column(branch))
                .bind(i64::from(words.member.seq))
                .bind(words.hash.0.to_vec());
        // Both under the writer's lock: nobody comes between.
        let known = is_there(&mut writer, known).await?;
        if known {
            writer.emptied_next();
        }
        let result = sqlx::query(
            "INSERT INTO words (branch, member, hash, words, written) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (branch, member, hash) DO UPDATE SET words = excluded.words, \
             written = excluded.written",
        )
        .bind(branch_column(branch))
        .bind(i64::from(words.member.seq))
        .bind(words.hash.0.to_vec())
        .bind(words.words)
        .bind(words.written.0)
        .execute(writer.connection().await?)
        .await;
        let result = result.map(|_| !known).map_err(|error| {
            if is_orphan(&error) { StoreError::UnknownBranch(branch) } else { unavailable(error) }
        });
        writer.settle(result)
    }

    async fn words_of(&self, member: MemberId) -> Result<Vec<Words>, StoreError> {
        let rows = sqlx::query(
            "SELECT hash, words, written FROM words WHERE branch = $1 AND member = $2 \
             ORDER BY hash",
        )
        .bind(branch_column(member.branch))
        .bind(i64::from(member.seq))
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        rows.iter().map(|row| words(member, row)).collect()
    }

    async fn drop_words(&self, member: MemberId, hash: FoldedHash) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("DELETE FROM words WHERE branch = $1 AND member = $2 AND hash = $3")
                .bind(branch_column(member.branch))
                .bind(i64::from(member.seq))
                .bind(hash.0.to_vec());
        Ok(self.erase(statement).await? > 0)
    }

    async fn erase_words(&self, member: MemberId) -> Result<u64, StoreError> {
        let statement = sqlx::query("DELETE FROM words WHERE branch = $1 AND member = $2")
            .bind(branch_column(member.branch))
            .bind(i64::from(member.seq));
        self.erase(statement).await
    }

    async fn insert_session(&self, session: SessionRow) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO session (token_hash, principal, created, expires, last_seen) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(session.token_hash.to_vec())
        .bind(session.principal)
        .bind(session.created.0)
        .bind(session.expires.0)
        .bind(session.last_seen.0);
        self.write(statement, "session token").await.map(|_| ())
    }

    async fn session(&self, token_hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let row = self
            .one(
                sqlx::query(
                    "SELECT token_hash, principal, created, expires, last_seen FROM session \
                     WHERE token_hash = $1",
                )
                .bind(token_hash.to_vec()),
            )
            .await?;
        row.map(|row| session(&row)).transpose()
    }

    async fn touch_session(
        &self,
        token_hash: [u8; 32],
        last_seen: Timestamp,
    ) -> Result<bool, StoreError> {
        let statement = sqlx::query("UPDATE session SET last_seen = $2 WHERE token_hash = $1")
            .bind(token_hash.to_vec())
            .bind(last_seen.0);
        Ok(self.write(statement, "session token").await? > 0)
    }

    async fn delete_session(&self, token_hash: [u8; 32]) -> Result<bool, StoreError> {
        let statement =
            sqlx::query("DELETE FROM session WHERE token_hash = $1").bind(token_hash.to_vec());
        Ok(self.write(statement, "session token").await? > 0)
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let statement = sqlx::query("DELETE FROM session WHERE expires <= $1").bind(now.0);
        self.write(statement, "session token").await
    }

    async fn delete_sessions_of(&self, principal: &[u8]) -> Result<u64, StoreError> {
        let statement =
            sqlx::query("DELETE FROM session WHERE principal = $1").bind(principal.to_vec());
        self.write(statement, "session token").await
    }

    async fn insert_account(&self, account: NewAccount) -> Result<u32, StoreError> {
        let mut writer = self.writer.lock().await;
        // Accounts are never deleted, so the number after the largest was never given out.
        let result = sqlx::query(
            "INSERT INTO account (id, login, password_hash, role, branches, disabled, created) \
             SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, 0, $5 FROM account RETURNING id",
        )
        .bind(account.login)
        .bind(account.password_hash)
        .bind(account.role)
        .bind(account.branches)
        .bind(account.created.0)
        .fetch_one(writer.connection().await?)
        .await;
        let result = result.map_err(|error| {
            if is_taken(&error) { StoreError::Taken { what: "login" } } else { unavailable(error) }
        });
        let id: i64 = writer.settle(result)?.try_get(0).map_err(unavailable)?;
        u32::try_from(id).map_err(|_| damaged("an account", "its number is out of range"))
    }

    async fn account_by_login(&self, login: &str) -> Result<Option<AccountRow>, StoreError> {
        let row = self
            .one(
                sqlx::query(
                    "SELECT id, login, password_hash, role, branches, disabled, created \
                     FROM account WHERE login = $1",
                )
                .bind(login.to_owned()),
            )
            .await?;
        row.map(|row| account(&row)).transpose()
    }

    async fn account(&self, id: u32) -> Result<Option<AccountRow>, StoreError> {
        let row = self
            .one(
                sqlx::query(
                    "SELECT id, login, password_hash, role, branches, disabled, created \
                     FROM account WHERE id = $1",
                )
                .bind(i64::from(id)),
            )
            .await?;
        row.map(|row| account(&row)).transpose()
    }

    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, login, password_hash, role, branches, disabled, created \
             FROM account ORDER BY id",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(unavailable)?;
        rows.iter().map(account).collect()
    }

    async fn set_account_disabled(&self, id: u32, disabled: bool) -> Result<(), StoreError> {
        let statement = sqlx::query("UPDATE account SET disabled = $2 WHERE id = $1")
            .bind(i64::from(id))
            .bind(i64::from(disabled));
        changed(self.write(statement, "account").await?)
    }

    async fn set_password_hash(&self, id: u32, password_hash: String) -> Result<(), StoreError> {
        let statement = sqlx::query("UPDATE account SET password_hash = $2 WHERE id = $1")
            .bind(i64::from(id))
            .bind(password_hash);
        changed(self.write(statement, "account").await?)
    }
}
