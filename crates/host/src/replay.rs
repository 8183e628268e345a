//! Applying a journal again: at every start, after a failed commit, and to prove that the journal
//! still gives the state it gave.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_core::{Action, Digest, Outcome};
use dengmi_engine::{Engine, EngineConfig};
use dengmi_store::snapshot;
use dengmi_store::{BranchMeta, Cut, Journal, Record, StoreError};

use crate::error::HostError;
use crate::packs::Packs;

/// Records read at once.
const PAGE: u32 = 1_024;

/// A state worked out from a journal.
pub struct Replayed {
    /// The engine after the last record.
    pub engine: Engine,
    /// The content that is current after it.
    pub content: Digest,
    /// Number of the record whose snapshot the work began with; 0 for the beginning.
    pub from: u64,
    /// Records applied.
    pub records: u64,
    /// Commands applied.
    pub commands: u64,
    /// Times at which the digest of the whole state was compared.
    pub states: u64,
    /// A torn last record that was left out.
    pub cut: Option<Cut>,
}

/// Told after each page: number of the last record, and commands applied so far.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// The settings of a branch's engine.
#[must_use]
pub fn engine_config(meta: &BranchMeta) -> EngineConfig {
    EngineConfig { branch: meta.branch, seed: meta.seed, branches: meta.branches }
}

/// Applies a whole journal from its first record on, and compares every digest.
///
/// # Errors
/// [`HostError::Diverged`] at the first difference, naming the record; errors of the store.
pub async fn from_beginning<J: Journal>(
    journal: &J,
    meta: &BranchMeta,
    packs: &Packs,
    progress: Progress<'_>,
) -> Result<Replayed, HostError> {
    let pack = packs.load(journal, meta.content).await?;
    let start = Replayed {
        engine: Engine::new(engine_config(meta), pack),
        content: meta.content,
        from: 0,
        records: 0,
        commands: 0,
        states: 0,
        cut: None,
    };
    onward(journal, meta, packs, start, progress).await
}

/// Restores a snapshot and applies the records after it, comparing every digest.
///
/// # Errors
/// As [`from_beginning`]; also where the snapshot is not of this journal.
pub async fn from_snapshot<J: Journal>(
    journal: &J,
    meta: &BranchMeta,
    packs: &Packs,
    path: &Path,
    progress: Progress<'_>,
) -> Result<Replayed, HostError> {
    let saved = snapshot::read(path)?;
    let unfit = |why: String| StoreError::Snapshot { path: path.to_owned(), why };
    let page = journal.read(meta.branch, saved.meta.seq, 1).await?;
    if page.after != saved.meta.journal {
        return Err(unfit("it is not of this journal".to_owned()).into());
    }
    let mut needed: BTreeMap<Digest, Arc<Pack>> = BTreeMap::new();
    for &digest in &saved.meta.packs {
        needed.insert(digest, packs.load(journal, digest).await?);
    }
    let mut engine = Engine::restore(engine_config(meta), &needed, &saved.state)
        .map_err(|error| unfit(error.to_string()))?;
    if engine.digest() != Digest::of(&saved.state) || engine.seq() != saved.meta.seq {
        return Err(unfit("the restored state is not the saved one".to_owned()).into());
    }
    let content = engine.catalog().content;
    let start = Replayed {
        engine,
        content,
        from: saved.meta.seq,
        records: 0,
        commands: 0,
        states: 1,
        cut: None,
    };
    onward(journal, meta, packs, start, progress).await
}

async fn onward<J: Journal>(
    journal: &J,
    meta: &BranchMeta,
    packs: &Packs,
    mut replayed: Replayed,
    progress: Progress<'_>,
) -> Result<Replayed, HostError> {
    let mut after = replayed.from;
    loop {
        let page = journal.read(meta.branch, after, PAGE).await?;
        for record in &page.records {
            apply(journal, packs, &mut replayed, record).await?;
        }
        replayed.cut = page.cut;
        let Some(last) = page.records.last() else { return Ok(replayed) };
        after = last.seq;
        progress(after, replayed.commands);
        if replayed.cut.is_some() {
            return Ok(replayed);
        }
    }
}

async fn apply<J: Journal>(
    journal: &J,
    packs: &Packs,
    replayed: &mut Replayed,
    record: &Record,
) -> Result<(), HostError> {
    let (stored, _) = record.decode()?;
    let diverged =
        |what| HostError::Diverged { branch: record.branch, seq: record.seq, at: record.at, what };
    for (command, outcome) in stored.batch.commands.iter().zip(&stored.outcomes) {
        if let (Action::AdoptContent { digest }, Outcome::Done(_)) = (&command.action, outcome) {
            replayed.engine.offer(packs.load(journal, *digest).await?);
        }
    }
    let applied = replayed.engine.apply(&stored.batch).map_err(|error| {
        HostError::Inapplicable { branch: record.branch, seq: record.seq, why: error.to_string() }
    })?;
    if applied.outcomes != stored.outcomes {
        return Err(diverged("other outcomes"));
    }
    if applied.digest != stored.chain {
        return Err(diverged("another chained digest"));
    }
    if let Some(state) = stored.state {
        if replayed.engine.digest() != state {
            return Err(diverged("another state"));
        }
        replayed.states += 1;
    }
    replayed.content = stored.content;
    replayed.records += 1;
    replayed.commands += stored.batch.commands.len() as u64;
    Ok(())
}
