//! From what is stored to a branch that can go on: the newest snapshot that fits, the journal
//! after it, and the idempotency keys of the last minutes.

use dengmi_core::Digest;
use dengmi_engine::Engine;
use dengmi_store::{BranchMeta, Head, Journal, StoreError, failpoint, snapshot};

use crate::clock::Stamper;
use crate::config::HostConfig;
use crate::error::HostError;
use crate::keys::KeyWindow;
use crate::packs::Packs;
use crate::repeat::Known;
use crate::replay::{self, Progress, Replayed};

/// Records read at once.
const PAGE: u32 = 1_024;

/// A branch worked out from what is stored.
pub(crate) struct Recovery {
    pub(crate) engine: Engine,
    pub(crate) content: Digest,
    pub(crate) head: Head,
    pub(crate) keys: KeyWindow<Known>,
    /// Commands that had to be applied.
    pub(crate) commands: u64,
}

/// Works a branch out again.
pub(crate) async fn recover<J: Journal>(
    journal: &J,
    meta: &BranchMeta,
    packs: &Packs,
    config: &HostConfig,
    progress: Progress<'_>,
) -> Result<Recovery, HostError> {
    let found = journal.recover(meta.branch).await?;
    if let Some(cut) = found.cut {
        tracing::warn!(branch = %meta.branch, seq = cut.seq, cut.why, "torn last record cut off");
    }
    let head = found.head;
    let replayed = state(journal, meta, packs, config, head, progress).await?;
    let Replayed { engine, content, commands, .. } = replayed;
    if engine.seq() != head.seq {
        let why = format!("the journal ends at {}, the head is {}", engine.seq(), head.seq);
        return Err(StoreError::Damaged { branch: meta.branch, seq: head.seq, why }.into());
    }
    failpoint::hit("recover/replayed");
    let keys = keys(journal, meta, config, head).await?;
    failpoint::hit("recover/keys");
    Ok(Recovery { engine, content, head, keys, commands })
}

async fn state<J: Journal>(
    journal: &J,
    meta: &BranchMeta,
    packs: &Packs,
    config: &HostConfig,
    head: Head,
    progress: Progress<'_>,
) -> Result<Replayed, HostError> {
    let branch = meta.branch;
    let found = match &config.snapshots {
        Some(folder) => snapshot::list(folder, branch)?,
        None => Vec::new(),
    };
    for (seq, path) in found {
        if seq > head.seq {
            tracing::warn!(%branch, seq, "a snapshot is ahead of the journal; not used");
            continue;
        }
        match replay::from_snapshot(journal, meta, packs, &path, &mut *progress).await {
            Ok(replayed) => return Ok(replayed),
            // A bad snapshot is no loss; a bad journal is.
            Err(HostError::Store(
                error @ (StoreError::Snapshot { .. }
                | StoreError::NewerFormat { .. }
                | StoreError::File { .. }),
            )) => tracing::warn!(%branch, seq, %error, "a snapshot is not used"),
            Err(error) => return Err(error),
        }
    }
    replay::from_beginning(journal, meta, packs, progress).await
}

async fn keys<J: Journal>(
    journal: &J,
    meta: &BranchMeta,
    config: &HostConfig,
    head: Head,
) -> Result<KeyWindow<Known>, HostError> {
    let mut keys = KeyWindow::new(config.keys);
    let now = Stamper::new(config.clock.clone(), head.at).now();
    let from = KeyWindow::<Known>::rebuild_from(config.keys, now);
    let mut after = journal.seq_before(meta.branch, from).await?;
    loop {
        let page = journal.read(meta.branch, after, PAGE).await?;
        for record in &page.records {
            let (stored, _) = record.decode()?;
            for (at, key) in (0..).zip(&stored.keys) {
                if let Some(key) = key {
                    keys.restore(now, key, Known { seq: record.seq, at });
                }
            }
        }
        let Some(last) = page.records.last() else { return Ok(keys) };
        after = last.seq;
    }
}
