//! What every cycle begins with: a branch with groups and a run in a folder of its own, and the
//! clock and settings that all parts of the harness share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dengmi_content::{CheckOptions, load};
use dengmi_core::random::Seed;
use dengmi_core::{
    Action, Actor, BranchId, Calendar, Command, CommunityId, Day, ManagerId, Outcome, RunId,
    Timestamp,
};
use dengmi_host::clock::Reading;
use dengmi_host::{Clock, Content, Host, HostConfig};
use dengmi_store::{CommandKey, OpenOptions, SqliteStore, StoreError};

/// The branch.
pub const BRANCH: BranchId = BranchId(1);
/// The run everybody checks in to.
pub const RUN: RunId = RunId::new(BRANCH, 1);
/// Groups in the branch, and members in each before the next one is used.
pub const GROUPS: u32 = 16;
/// See [`GROUPS`].
pub const PER_GROUP: u64 = 200;
/// Units that find room.
pub const UNITS: u64 = GROUPS as u64 * PER_GROUP;
/// Batches in a fresh folder: content is there already, so it is one for every command.
pub const GROUND_COMMANDS: u64 = 2 + GROUPS as u64;

/// The business day on which everything begins.
#[must_use]
pub fn day() -> Day {
    Day(20_779)
}

/// Three minutes before that day ends, so that a jump closes its standings.
#[must_use]
pub fn evening() -> Timestamp {
    Calendar::default().start_of(day()).plus_ms(24 * 3_600_000 - 180_000)
}

/// The machine's clock, moved, so that a test runs on the same day whenever it is run.
#[derive(Debug)]
pub struct Shifted {
    by_ms: AtomicI64,
    started: std::time::Instant,
}

/// The machine's clock, milliseconds since 1970.
pub(crate) fn machine_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// By how much the machine's clock has to be moved to show `wall` now.
#[must_use]
pub fn shift_to(wall: Timestamp) -> i64 {
    wall.0 - machine_now()
}

impl Shifted {
    /// A clock moved by so many milliseconds.
    #[must_use]
    pub fn new(by_ms: i64) -> Self {
        Self { by_ms: AtomicI64::new(by_ms), started: std::time::Instant::now() }
    }

    /// Moves it on.
    pub fn jump(&self, ms: i64) {
        self.by_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    fn read(&self) -> Reading {
        let wall = Timestamp(machine_now() + self.by_ms.load(Ordering::SeqCst));
        Reading { wall, elapsed: self.started.elapsed() }
    }

    /// Looks again soon: it may jump.
    fn sleep_for(&self, ms: u64) -> Duration {
        Duration::from_millis(ms.min(5))
    }
}

/// Settings that make seldom things happen often.
#[must_use]
pub fn config(clock: Arc<dyn Clock>, folder: &Path, snapshot_commands: u64) -> HostConfig {
    HostConfig {
        clock,
        tick: Duration::from_millis(5),
        retry_first: Duration::from_millis(2),
        retry_most: Duration::from_millis(20),
        snapshots: Some(snapshots(folder)),
        snapshot_commands,
        ..HostConfig::default()
    }
}

/// Where snapshots lie in a folder.
#[must_use]
pub fn snapshots(folder: &Path) -> PathBuf {
    folder.join("snapshots")
}

/// The database of a folder.
#[must_use]
pub fn database(folder: &Path) -> PathBuf {
    folder.join("dengmi.db")
}

/// Two readers, and a log that has to be moved into the database every few commits.
#[must_use]
pub fn open_options() -> OpenOptions {
    OpenOptions { readers: 2, checkpoint_pages: 60, create: true }
}

/// Opens the store of a folder. Where another thread has just started a process, that one holds our
/// lock with us for a moment; it is waited for.
///
/// # Errors
/// As [`SqliteStore::open`].
pub async fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    for _ in 0..2_000 {
        match SqliteStore::open(database(folder), open_options()).await {
            Err(StoreError::Owned { .. }) => tokio::time::sleep(Duration::from_millis(1)).await,
            result => return result,
        }
    }
    SqliteStore::open(database(folder), open_options()).await
}

/// The small content of the tests, as checked on [`day`], with room for everybody in its streak: a
/// worker starts in a few milliseconds with it.
///
/// # Panics
/// Where it cannot be read or does not pass its checks.
#[must_use]
pub fn content() -> Content {
    let mut files = crate::content_files(&crate::root().join("tests/content/base"));
    if let Some(streak) = files.iter_mut().find(|file| file.path == "quests/streak.ron") {
        streak.text = streak.text.replace("members_max: 100,", "members_max: 4000,");
        streak.text = streak.text.replace("budget_fen: 1400,", "budget_fen: 56000,");
    }
    let (pack, diagnostics) = load(&files, &CheckOptions { today: day() });
    let pack = pack.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    Content { pack: Arc::new(pack), files, checked: day() }
}

/// A key like a UUID of version 7, told apart by `number` alone.
#[must_use]
pub fn key(made: Timestamp, number: u64) -> CommandKey {
    let ms = u128::from(made.0.unsigned_abs());
    let fingerprint = (u128::from(number) << 64 | u128::from(!number)).to_le_bytes();
    CommandKey { key: (ms << 80) | u128::from(number), principal: 1, fingerprint }
}

/// Numbers of the keys of [`prepare`], above those of all units.
const GROUND_KEYS: u64 = 1 << 40;

/// Fills an empty folder: content, a manager, [`GROUPS`] groups, the run.
///
/// # Panics
/// Where anything is refused.
pub async fn prepare(folder: &Path, content: Content) {
    std::fs::create_dir_all(snapshots(folder)).expect("the folder can be made");
    let store = open(folder).await.expect("it opens");
    let store = Arc::new(store);
    let clock = Arc::new(Shifted::new(shift_to(evening())));
    let config = HostConfig { snapshots: None, ..config(clock.clone(), folder, 1) };
    let host = Host::open(store.clone(), config, Some(content), &mut |_, _, _| {}).await;
    let host = host.expect("an empty store opens");
    host.create_branch(BRANCH, Seed::from_number(7), 1).await.expect("the branch is new");
    let template = "neighbours".parse().expect("an id");
    let group = Action::OpenCommunity { template, manager: ManagerId::new(BRANCH, 1) };
    let quest = "streak".parse().expect("an id");
    let launch = Action::Launch { quest, communities: Vec::new(), start: day() };
    let groups = std::iter::repeat_n(group, GROUPS as usize);
    let actions = std::iter::once(Action::AddManager).chain(groups).chain([launch]);
    for (number, action) in (GROUND_KEYS..).zip(actions) {
        let command = Command { actor: Actor::Operator(1), action };
        let done = host.submit(BRANCH, key(evening(), number), command).await;
        let done = done.expect("a good branch takes commands");
        assert!(matches!(done.outcome, Outcome::Done(_)), "{:?}", done.outcome);
    }
    host.shutdown().await;
    drop(host);
    super::worker::close(store).await.expect("it closes");
}

/// The group of a unit.
#[must_use]
pub fn group(unit: u64) -> CommunityId {
    let seq = (unit / PER_GROUP) % u64::from(GROUPS) + 1;
    CommunityId::new(BRANCH, u32::try_from(seq).unwrap_or(1))
}

/// Copies a folder to where there is none, but for what SQLite throws away anyway.
///
/// # Panics
/// Where that fails.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("it has a name");
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if !is_scratch(&path) {
            std::fs::copy(&path, to.join(name)).expect("it can be copied");
        }
    }
}

/// Whether a file means nothing after a crash.
#[must_use]
pub fn is_scratch(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with("-shm") || name.ends_with(".lock")
}
