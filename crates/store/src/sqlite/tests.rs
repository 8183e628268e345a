//! What only a database on disk can get wrong. Everything else is in the conformance suite.

use std::path::Path;

use dengmi_core::{Points, Timestamp};
use sqlx::ConnectOptions as _;

use super::*;
use crate::conformance::fixture::{B, award, batch, commit, history, member, meta};
use crate::record::Record;
use crate::{Commit, Directory, Journal, Profile, verify};

impl SqliteStore {
    /// A connection beside the store's own, as an attacker or a broken disk would have it.
    async fn intruder(&self) -> sqlx::SqliteConnection {
        sqlx::sqlite::SqliteConnectOptions::new().filename(&self.path).connect().await.unwrap()
    }

    pub(crate) async fn tamper(&self, branch: BranchId, seq: u64, f: impl FnOnce(&mut Record)) {
        let mut intruder = self.intruder().await;
        let (branch, seq) = (branch_column(branch), rows::column(seq));
        let row = sqlx::query(
            "SELECT seq, at, prev, hash, body FROM journal WHERE branch = $1 AND seq = $2",
        )
        .bind(branch)
        .bind(seq)
        .fetch_one(&mut intruder)
        .await
        .unwrap();
        let mut record = rows::record(B, &row);
        f(&mut record);
        let done = sqlx::query(
            "UPDATE journal SET at = $3, prev = $4, hash = $5, body = $6 \
             WHERE branch = $1 AND seq = $2",
        )
        .bind(branch)
        .bind(seq)
        .bind(record.at.0)
        .bind(record.prev.0.to_vec())
        .bind(record.hash.0.to_vec())
        .bind(record.body)
        .execute(&mut intruder)
        .await
        .unwrap();
        assert_eq!(done.rows_affected(), 1);
        self.writer.lock().await.reset();
    }

    pub(crate) async fn tamper_entry(&self, branch: BranchId, id: u64, points: i64) {
        let done = sqlx::query("UPDATE ledger SET points = $3 WHERE branch = $1 AND entry = $2")
            .bind(branch_column(branch))
            .bind(rows::column(id))
            .bind(points)
            .execute(&mut self.intruder().await)
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    async fn spoil(&self, sql: &'static str) {
        sqlx::query(sql).execute(&mut self.intruder().await).await.unwrap();
    }
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, OpenOptions::default()).await.unwrap()
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let mut head = None;
    // Closed in order, then dropped as a killed process would leave it.
    for round in 0..4_u64 {
        let store = open(&path).await;
        store.create_branch(meta()).await.unwrap();
        let recovered = store.recover(B).await.unwrap();
        assert_eq!(recovered.cut, None);
        assert_eq!(head.unwrap_or(recovered.head), recovered.head);
        let part = history(5 * (round + 1)).split_off(5 * round as usize);
        head = Some(store.append(B, part).await.unwrap());
        if round % 2 == 0 {
            store.close().await.unwrap();
        }
    }
    let store = open(&path).await;
    let report = verify(&store, B).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.records, report.entries), (20, 40));
    store.check_file().await.unwrap();
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let first = open(&path).await;
    let second = SqliteStore::open(&path, OpenOptions::default()).await;
    assert_eq!(second.unwrap_err(), StoreError::Owned { path: path.clone() });
    first.create_branch(meta()).await.unwrap();
    drop(first);
    open(&path).await;
}

#[tokio::test]
async fn a_missing_database_is_created_only_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let options = OpenOptions { create: false, ..OpenOptions::default() };
    let missing = SqliteStore::open(&path, options).await;
    assert!(matches!(missing, Err(StoreError::File { .. })), "{missing:?}");
    assert!(!path.exists());
    open(&path).await.close().await.unwrap();
    SqliteStore::open(&path, options).await.unwrap();
    let nowhere = folder.path().join("none").join("dengmi.db");
    let missing = SqliteStore::open(nowhere, OpenOptions::default()).await;
    assert!(matches!(missing, Err(StoreError::File { .. })), "{missing:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    for name in ["dengmi.db", "dengmi.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} {mode:o}");
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    std::fs::write(&path, "灯谜".repeat(1_000)).unwrap();
    let refused = SqliteStore::open(&path, OpenOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::DamagedRow { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let store = open(&path).await;
    store
        .spoil(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9, 'later', 1, x'00', 0)",
        )
        .await;
    store.close().await.unwrap();
    let refused = SqliteStore::open(&path, OpenOptions::default()).await;
    assert!(
        matches!(refused, Err(StoreError::NewerFormat { found: 9, known: 5, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let refused = sqlx::query("DELETE FROM branch").execute(&store.readers).await;
    assert!(refused.is_err());
    assert_eq!(store.branches().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_group_leaves_nothing_and_does_not_stick() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let head = store.append(B, history(2)).await.unwrap();
    // The outbox is written after journal and ledger.
    store.spoil("ALTER TABLE outbox RENAME TO elsewhere").await;
    let failed = store.append(B, history(4).split_off(2)).await;
    assert!(matches!(failed, Err(StoreError::Unavailable { .. })), "{failed:?}");
    store.spoil("ALTER TABLE elsewhere RENAME TO outbox").await;
    assert_eq!(store.recover(B).await.unwrap().head, head);
    assert_eq!(store.append(B, history(4).split_off(2)).await.unwrap().seq, 4);
    assert!(verify(&store, B).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_full_disk_is_named_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let head = store.append(B, vec![commit(1)]).await.unwrap();
    // The page limit of a connection fails exactly as a full disk does.
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(store.writer.lock().await.connection().await.unwrap())
        .await
        .unwrap();
    let large = || Commit { batch: batch(2, 20_000), ..commit(2) };
    let refused = store.append(B, vec![large()]).await;
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    assert_eq!(store.recover(B).await.unwrap().head, head);
    assert_eq!(store.append(B, vec![large()]).await.unwrap().seq, 2);
    assert!(verify(&store, B).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_cancelled_append_is_whole_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let mut seq = 0;
    for polls in 0..60 {
        let commits = history(seq + 3).split_off(seq as usize);
        let mut append = Box::pin(store.append(B, commits));
        for _ in 0..polls {
            let waited = tokio::time::timeout(std::time::Duration::from_micros(40), &mut append);
            if waited.await.is_ok() {
                break;
            }
        }
        drop(append);
        let head = store.recover(B).await.unwrap().head;
        assert!(head.seq == seq || head.seq == seq + 3, "{head:?} after {seq}");
        assert_eq!(head.entry, 2 * head.seq);
        seq = head.seq;
        // The next append follows whatever became of this one.
        seq = store.append(B, history(seq + 1).split_off(seq as usize)).await.unwrap().seq;
    }
    assert!(verify(&store, B).await.unwrap().is_sound());
}

#[tokio::test]
async fn records_that_vanished_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    for (n, (sql, seq)) in [
        ("DELETE FROM journal WHERE seq = 6", 6),
        ("DELETE FROM journal WHERE seq = 2", 2),
        ("UPDATE journal SET seq = 9 WHERE seq = 4", 4),
        ("DELETE FROM ledger WHERE entry = 7", 4),
        ("DELETE FROM outbox WHERE event = 5", 5),
        ("UPDATE ledger SET rule = 'other' WHERE entry = 4", 2),
        ("UPDATE branch SET seed = zeroblob(32)", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{n}.db"));
        let store = open(&path).await;
        store.create_branch(meta()).await.unwrap();
        store.append(B, history(6)).await.unwrap();
        store.spoil(sql).await;
        let found = verify(&store, B).await.unwrap().damage;
        assert!(
            matches!(found, Some(StoreError::Damaged { seq: s, .. }) if s == seq),
            "{sql}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_cut_record_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(6)).await.unwrap();
    // Its own number may be what is wrong.
    store.spoil("UPDATE journal SET seq = 77 WHERE seq = 6").await;
    let recovered = store.recover(B).await.unwrap();
    assert_eq!((recovered.head.seq, recovered.cut.unwrap().seq), (5, 6));
    let row =
        sqlx::query("SELECT seq, why FROM journal_cut").fetch_one(&store.readers).await.unwrap();
    assert_eq!(row.get::<i64, _>("seq"), 77);
    assert!(verify(&store, B).await.unwrap().is_sound());
    // What it paid is not paid, and can be.
    assert_eq!(store.append(B, history(6).split_off(5)).await.unwrap().seq, 6);
}

#[tokio::test]
async fn a_block_of_entries_that_a_cut_record_completed_is_open_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(4)).await.unwrap();
    let last = |who| {
        let ledger = (9..=1_100).map(|id| award(id, who, id as i32, 1)).collect();
        vec![Commit { ledger, ..commit(5) }]
    };
    store.append(B, last(2)).await.unwrap();
    assert_eq!(store.entries_of(member(2), None, 9_999).await.unwrap().len(), 4 + 1_092);
    store.spoil("UPDATE journal SET body = x'00' WHERE seq = 5").await;
    assert!(store.recover(B).await.unwrap().cut.is_some());
    assert_eq!(store.entries_of(member(2), None, 9_999).await.unwrap().len(), 4);
    // The same entries are of somebody else now.
    store.append(B, last(7)).await.unwrap();
    assert_eq!(store.entries_of(member(2), None, 9_999).await.unwrap().len(), 4);
    assert_eq!(store.entries_of(member(7), None, 9_999).await.unwrap().len(), 1_092);
}

#[tokio::test]
async fn sqlite_is_built_as_the_workspace_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    let options: Vec<String> =
        sqlx::query_scalar("PRAGMA compile_options").fetch_all(&store.readers).await.unwrap();
    let has = |wanted: &str| options.iter().any(|option| option == wanted);
    assert!(has("DEFAULT_MEMSTATUS=0") && !has("ENABLE_MEMORY_MANAGEMENT"), "{options:?}");
}

#[tokio::test]
async fn an_older_database_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let store = open(&path).await;
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(3)).await.unwrap();
    let more = (7..=2_500).map(|id| award(id, id as u32 % 9 + 1, id as i32, 1)).collect();
    store.append(B, vec![Commit { ledger: more, ..commit(4) }]).await.unwrap();
    let theirs = store.entries_of(member(5), None, 999).await.unwrap();
    assert_eq!(theirs.len(), 277);
    let records = store.read(B, 0, 99).await.unwrap();
    for sql in [
        "ALTER TABLE journal RENAME TO journal_by_number",
        "CREATE TABLE journal (branch INTEGER NOT NULL REFERENCES branch (branch), \
         seq INTEGER NOT NULL CHECK (seq > 0), at INTEGER NOT NULL, prev BLOB NOT NULL, \
         hash BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (branch, seq)) STRICT",
        "INSERT INTO journal SELECT * FROM journal_by_number ORDER BY seq DESC",
        "DROP TABLE journal_by_number",
        "DROP TRIGGER ledger_award_cut",
        "DROP TABLE award",
        "DROP TABLE award_cause",
        "DROP TABLE ledger_member",
        "CREATE INDEX ledger_member ON ledger (branch, entry / 8192, member)",
        "CREATE UNIQUE INDEX ledger_award ON ledger (branch, rule, cause, member) WHERE kind = 0",
        "DELETE FROM _sqlx_migrations WHERE version IN (2, 4, 5)",
    ] {
        store.spoil(sql).await;
    }
    store.close().await.unwrap();
    let store = open(&path).await;
    assert_eq!(store.read(B, 0, 99).await.unwrap(), records);
    assert_eq!(records.records.len(), 4);
    assert_eq!(store.entries_of(member(5), None, 999).await.unwrap(), theirs);
    // Entry 3 paid member 1 for day 2.
    let again = Commit { ledger: vec![award(2_501, 1, 2, 5)], ..commit(5) };
    let refused = store.append(B, vec![again]).await;
    assert!(matches!(refused, Err(StoreError::DoubleGrant { first: 3, .. })), "{refused:?}");
    let new = |id: u64, days: i32| award(id, 5, id as i32 + days, 1);
    let rest = (2_501..=4_000).map(|id| new(id, 0)).collect();
    store.append(B, vec![Commit { ledger: rest, ..commit(5) }]).await.unwrap();
    let theirs = store.entries_of(member(5), None, 9_999).await.unwrap();
    assert_eq!(theirs.len(), 277 + 1_500);
    assert!(theirs.iter().rev().is_sorted_by_key(|row| row.entry.id));
}

#[tokio::test]
async fn damaged_rows_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(3)).await.unwrap();
    let digest = dengmi_core::Digest::of(b"pack");
    store.put_pack(digest, &[("a".to_owned(), "b".to_owned())]).await.unwrap();
    for sql in [
        "UPDATE ledger SET kind = 77 WHERE entry = 1",
        "UPDATE outbox SET body = x'ffff' WHERE event = 1",
        "UPDATE closed_board SET body = x'00'",
        "UPDATE pack SET files = x'00'",
    ] {
        store.spoil(sql).await;
    }
    let named = |error: StoreError| match error {
        StoreError::DamagedRow { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(named(store.entries_after(B, 0, 9).await.unwrap_err()), "entry 1 of branch b3");
    assert_eq!(named(store.events_after(B, 0, 9).await.unwrap_err()), "event 1 of branch b3");
    assert!(named(store.closed_boards(B, 9).await.unwrap_err()).contains("standing"));
    assert!(named(store.pack(digest).await.unwrap_err()).starts_with("pack "));
}

fn profile(name: &str) -> Profile {
    Profile {
        member: member(1),
        nickname: Some(name.to_owned()),
        avatar: None,
        channel_id: Some(name.to_owned()),
        updated: Timestamp(1),
    }
}

fn is_in_files(folder: &Path, name: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(name.len()).any(|window| window == name.as_bytes())
    })
}

#[tokio::test]
async fn erased_data_leaves_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let name = "一个独一无二的昵称-7f3a";
    store.put_profile(profile(name)).await.unwrap();
    let found = || is_in_files(folder.path(), name);
    assert!(found());
    assert!(store.checkpoint_when_idle().await.unwrap());
    assert!(found());
    assert!(store.erase_profile(member(1)).await.unwrap());
    assert!(store.checkpoint_when_idle().await.unwrap());
    assert!(!found());
    // Far back in the log, where it is not written over soon.
    store.append(B, history(50)).await.unwrap();
    store.put_profile(profile(name)).await.unwrap();
    assert!(store.checkpoint_when_idle().await.unwrap());
    assert!(found());
    store.put_profile(profile("别的名字")).await.unwrap();
    assert!(store.checkpoint_when_idle().await.unwrap());
    assert!(!found(), "neither does a name that was replaced stay");
}

#[tokio::test]
async fn erased_data_in_the_log_of_a_process_that_died_leaves_with_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let name = "一个独一无二的昵称-7f3a";
    store.put_profile(profile(name)).await.unwrap();
    assert!(store.erase_profile(member(1)).await.unwrap());
    // The files as a kill leaves them.
    let left = tempfile::tempdir().unwrap();
    for file in ["dengmi.db", "dengmi.db-wal"] {
        std::fs::copy(folder.path().join(file), left.path().join(file)).unwrap();
    }
    assert!(is_in_files(left.path(), name));
    let started = open(&left.path().join("dengmi.db")).await;
    assert!(!is_in_files(left.path(), name));
    assert_eq!(started.branches().await.unwrap(), [meta()]);
}

#[tokio::test]
async fn an_idle_checkpoint_moves_the_log_and_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dengmi.db");
    let store = open(&path).await;
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(50)).await.unwrap();
    let log = || std::fs::metadata(folder.path().join("dengmi.db-wal")).unwrap().len();
    assert!(log() > 0);
    {
        let mut reader = store.readers.acquire().await.unwrap();
        let mut reading = sqlx::Connection::begin(&mut *reader).await.unwrap();
        sqlx::query("SELECT * FROM branch").fetch_all(&mut *reading).await.unwrap();
        store.append(B, history(51).split_off(50)).await.unwrap();
        let started = std::time::Instant::now();
        assert!(!store.checkpoint_when_idle().await.unwrap());
        assert!(started.elapsed().as_secs() < 4);
        assert!(log() > 0);
        // Dropped, it would end at some later time.
        reading.rollback().await.unwrap();
    }
    store.append(B, history(52).split_off(51)).await.unwrap();
    store.append(B, history(99).split_off(52)).await.unwrap();
    let long = log();
    assert!(store.checkpoint_when_idle().await.unwrap());
    assert_eq!(store.append(B, history(100).split_off(99)).await.unwrap().seq, 100);
    assert_eq!(log(), long, "it is written from its beginning again");
    store.put_profile(profile("名字")).await.unwrap();
    assert!(store.checkpoint_when_idle().await.unwrap());
    assert_eq!(log(), long, "a first name replaces nothing");
    assert!(store.empty_log().await.unwrap());
    assert_eq!(log(), 0);
    assert!(verify(&store, B).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_members_entries_are_found_in_every_block_of_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("dengmi.db")).await;
    store.create_branch(meta()).await.unwrap();
    let theirs = [1, 1_023, 1_024, 1_025, 16_383, 16_384, 160_000];
    let row = |id: u64| award(id, if theirs.contains(&id) { 2 } else { 1 }, id as i32, 3);
    for seq in 1..=8 {
        let ledger = (20_000 * (seq - 1) + 1..=20_000 * seq).map(row).collect();
        store.append(B, vec![Commit { ledger, ..commit(seq) }]).await.unwrap();
    }
    for (before, limit) in
        [(None, 99), (None, 2), (Some(16_384), 3), (Some(1_024), 1), (Some(1), 9), (Some(2), 9)]
    {
        let found = store.entries_of(member(2), before, limit).await.unwrap();
        let below = theirs.iter().rev().filter(|&&id| before.is_none_or(|before| id < before));
        let expected: Vec<_> = below.take(limit as usize).map(|&id| row(id)).collect();
        assert_eq!(found, expected, "{before:?} {limit}");
    }
    assert_eq!(store.balance(member(2)).await.unwrap(), Points(21));
    assert_eq!(store.balance(member(1)).await.unwrap(), Points(3 * (160_000 - 7)));
    assert!(store.entries_of(member(3), None, 5).await.unwrap().is_empty());
}
