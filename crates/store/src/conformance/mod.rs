//! One suite of tests that every store passes.

mod damage;
mod directory;
pub(crate) mod fixture;
mod journal;
mod ledger;

use dengmi_core::BranchId;

use crate::record::Record;
use crate::{MemoryStore, OpenOptions, SqliteStore, Store};

/// A store under test, with the means to damage it behind its back.
pub(crate) trait Subject: Sized {
    /// The store.
    type Store: Store;
    /// An empty one.
    async fn new() -> Self;
    /// The store.
    fn store(&self) -> &Self::Store;
    /// Changes a stored record.
    async fn tamper(&self, branch: BranchId, seq: u64, f: impl FnOnce(&mut Record));
    /// Changes the points of a stored ledger entry.
    async fn tamper_entry(&self, branch: BranchId, id: u64, points: i64);
}

impl Subject for MemoryStore {
    type Store = MemoryStore;

    async fn new() -> Self {
        MemoryStore::new()
    }

    fn store(&self) -> &MemoryStore {
        self
    }

    async fn tamper(&self, branch: BranchId, seq: u64, f: impl FnOnce(&mut Record)) {
        MemoryStore::tamper(self, branch, seq, f);
    }

    async fn tamper_entry(&self, branch: BranchId, id: u64, points: i64) {
        MemoryStore::tamper_entry(self, branch, id, points);
    }
}

/// A database in a folder of its own.
pub(crate) struct OnDisk {
    store: SqliteStore,
    _folder: tempfile::TempDir,
}

impl Subject for OnDisk {
    type Store = SqliteStore;

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dengmi.db");
        let store = SqliteStore::open(path, OpenOptions::default()).await.unwrap();
        Self { store, _folder: folder }
    }

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    async fn tamper(&self, branch: BranchId, seq: u64, f: impl FnOnce(&mut Record)) {
        self.store.tamper(branch, seq, f).await;
    }

    async fn tamper_entry(&self, branch: BranchId, id: u64, points: i64) {
        self.store.tamper_entry(branch, id, points).await;
    }
}

/// Runs each test function for every store.
macro_rules! for_every_store {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        mod memory {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                super::$name(<crate::MemoryStore as crate::conformance::Subject>::new().await).await;
            })*
        }
        mod sqlite {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                super::$name(<crate::conformance::OnDisk as crate::conformance::Subject>::new().await).await;
            })*
        }
    };
}
use for_every_store;
