//! Content that branches run on. Every pack is kept in the journal's database, so that applying
//! the journal again needs no content folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use dengmi_content::{CheckOptions, Pack, SourceFile};
use dengmi_core::{Day, Digest};
use dengmi_store::{Journal, PackFiles};

use crate::error::HostError;

/// The name under which a pack's files say on which day it passed its checks. No content file is
/// called so, and the loader reads `.ron` files only.
const CHECKED_ON: &str = "checked-on";

/// A checked pack with its files.
#[derive(Clone, Debug)]
pub struct Content {
    /// The pack.
    pub pack: Arc<Pack>,
    /// The files it was loaded from.
    pub files: Vec<SourceFile>,
    /// The day on which it passed its checks: approvals expire and figures age, and it has to
    /// pass them again when the journal is applied again.
    pub checked: Day,
}

impl Content {
    /// Keeps it where journals are.
    pub(crate) async fn keep<J: Journal>(&self, journal: &J) -> Result<(), HostError> {
        let files = self.files.iter().map(|file| (file.path.clone(), file.text.clone()));
        let checked = (CHECKED_ON.to_owned(), self.checked.to_string());
        let files: PackFiles = files.chain([checked]).collect();
        Ok(journal.put_pack(self.pack.digest, &files).await?)
    }
}

/// Packs by digest. Reading takes no lock.
#[derive(Debug, Default)]
pub struct Packs(ArcSwap<BTreeMap<Digest, Arc<Pack>>>);

impl Packs {
    /// A pack that is loaded.
    #[must_use]
    pub fn get(&self, digest: Digest) -> Option<Arc<Pack>> {
        self.0.load().get(&digest).cloned()
    }

    /// All that are loaded.
    #[must_use]
    pub fn all(&self) -> Arc<BTreeMap<Digest, Arc<Pack>>> {
        self.0.load_full()
    }

    /// Makes a pack known.
    pub fn insert(&self, pack: Arc<Pack>) {
        self.0.rcu(|packs| {
            let mut packs = BTreeMap::clone(packs);
            packs.insert(pack.digest, pack.clone());
            packs
        });
    }

    /// A pack, out of the journal's database unless it is loaded.
    ///
    /// # Errors
    /// It is not kept, or no longer passes its checks.
    pub async fn load<J: Journal>(
        &self,
        journal: &J,
        digest: Digest,
    ) -> Result<Arc<Pack>, HostError> {
        if let Some(pack) = self.get(digest) {
            return Ok(pack);
        }
        let fault = |why: String| HostError::Content { digest, why };
        let files = journal.pack(digest).await?.ok_or_else(|| fault("is not kept".to_owned()))?;
        let checked = files.iter().find(|(path, _)| path == CHECKED_ON);
        let today: Day = checked
            .and_then(|(_, day)| day.parse().ok())
            .ok_or_else(|| fault("does not say when it was checked".to_owned()))?;
        let files: Vec<SourceFile> =
            files.into_iter().map(|(path, text)| SourceFile { path, text }).collect();
        let (pack, diagnostics) = dengmi_content::load(&files, &CheckOptions { today });
        let pack = pack.ok_or_else(|| {
            let first = diagnostics.first().map_or_else(String::new, ToString::to_string);
            fault(format!("no longer passes its checks: {first}"))
        })?;
        if pack.digest != digest {
            return Err(fault(format!("has digest {} now", pack.digest.short())));
        }
        let pack = Arc::new(pack);
        self.insert(pack.clone());
        Ok(pack)
    }
}
