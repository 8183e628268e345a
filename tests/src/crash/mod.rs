//! Crashes: the server is killed, its power fails, its disk is full, its files are damaged, many
//! times over; what was acknowledged must be there afterwards, and nothing may count twice.
//!
//! The binary `crash` runs as many cycles as asked for; `tests/crash.rs` runs a few of each.

pub mod books;
pub mod child;
pub mod damage;
pub mod disk;
pub mod full;
pub mod ground;
pub mod kill;
pub mod points;
pub mod power;
pub mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dengmi_host::{Content, Packs};

/// What all harnesses work with.
pub struct Setup {
    /// The binary `crash` itself, whose hidden command is the worker.
    pub worker: PathBuf,
    /// Makes the draws of a run repeatable.
    pub seed: u64,
    /// Told now and then how far it is.
    pub progress: fn(&str),
    /// The content everything runs on.
    pub content: Content,
    /// The same, for audits.
    pub packs: Packs,
    /// Holds everything, and goes with this.
    folder: tempfile::TempDir,
    started: Instant,
}

impl Setup {
    /// Reads content and fills the folder that every cycle's folder is copied from.
    ///
    /// # Panics
    /// Where no temporary folder can be made or the content is faulty.
    #[must_use]
    pub fn new(worker: PathBuf, seed: u64, progress: fn(&str)) -> Self {
        let content = ground::content();
        let packs = Packs::default();
        packs.insert(content.pack.clone());
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let setup =
            Self { worker, seed, progress, content, packs, folder, started: Instant::now() };
        block_on(ground::prepare(&setup.ground(), setup.content.clone()));
        setup
    }

    /// The folder that others are copied from.
    #[must_use]
    pub fn ground(&self) -> PathBuf {
        self.path("ground")
    }

    /// A path of its own for everything.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A fresh copy of the ground under `name`.
    #[must_use]
    pub fn fresh(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        remove(&path);
        ground::copy(&self.ground(), &path);
        path
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Removes a file or folder, whether there is one or not.
///
/// # Panics
/// Where it cannot be removed.
pub fn remove(path: &std::path::Path) {
    let done =
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match done {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            panic!("{}: {error}", path.display());
        }
        _ => {}
    }
}

/// Runs a future on a runtime of its own, which ends with it.
///
/// # Panics
/// Where no thread can be started.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started");
    runtime.block_on(future)
}

/// The outcome of a harness: figures for people, and what is wrong.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Name and number.
    pub figures: Vec<(String, u64)>,
    /// What is wrong, with what it takes to see it again.
    pub faults: books::Faults,
}

impl Outcome {
    /// Adds a figure.
    pub fn figure(&mut self, name: impl Into<String>, number: u64) {
        self.figures.push((name.into(), number));
    }

    /// A figure by its name; 0 where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.figures.iter().find(|figure| figure.0 == name).map_or(0, |figure| figure.1)
    }

    /// A table of all figures.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows = self.figures.clone();
        rows.push(("acknowledged commands lost".to_owned(), self.faults.lost.len() as u64));
        rows.push(("commands or awards counted twice".to_owned(), self.faults.twice.len() as u64));
        rows.push(("other faults".to_owned(), self.faults.other.len() as u64));
        let width = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        rows.iter().map(|(name, number)| format!("  {name:width$}  {number:>10}\n")).collect()
    }
}
