//! Snapshot files: the engine's state at one record of the journal, so that a start need not apply
//! everything again. They only ever save time: any of them may be lost or damaged.
//!
//! A file is `b1-42.snap`: magic, format, length of the header, header, compressed state, and a
//! hash of all of these. These functions block; call them where blocking is allowed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use dengmi_core::{BranchId, Digest, Timestamp, mutant};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::failpoint;

/// Format of snapshot files this release writes.
pub const SNAPSHOT_FORMAT: u32 = 1;

const MAGIC: [u8; 8] = *b"dengmi\0s";
const HASH_CONTEXT: &str = "dengmi snapshot v1";
const HASH_LEN: usize = 32;
/// Fast and good enough: a snapshot is written often and read seldom.
const ZSTD_LEVEL: i32 = 1;

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotMeta {
    /// The branch.
    pub branch: BranchId,
    /// The last batch it contains.
    pub seq: u64,
    /// Time of that batch.
    pub at: Timestamp,
    /// Digests of the packs that are needed to restore it.
    pub packs: Vec<Digest>,
    /// Hash of that batch's record: a snapshot of another history does not fit.
    pub journal: Digest,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it says of itself.
    pub meta: SnapshotMeta,
    /// The state, as the engine saved it.
    pub state: Vec<u8>,
}

/// What [`latest_valid`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latest {
    /// The newest sound snapshot.
    pub snapshot: Option<Snapshot>,
    /// What is wrong with those that are newer.
    pub bad: Vec<StoreError>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    meta: SnapshotMeta,
    /// Bytes of the state before compression.
    len: u64,
}

/// Writes a snapshot into `folder`, which must exist; gives its path. It is there as a whole or
/// not at all, and is durable when this returns.
///
/// # Errors
/// [`StoreError::File`].
pub fn write(folder: &Path, meta: &SnapshotMeta, state: &[u8]) -> Result<PathBuf, StoreError> {
    let path = folder.join(format!("{}-{}.snap", meta.branch, meta.seq));
    let partial = path.with_extension("snap.partial");
    let fault = |path: &Path, why: String| StoreError::File { path: path.to_owned(), why };
    let bytes = encode(meta, state).map_err(|why| fault(&path, why))?;

    let write = |mut file: File| {
        failpoint::hit("snapshot/opened");
        file.write_all(&bytes)?;
        failpoint::hit("snapshot/written");
        if mutant::planted("snapshot/not-synced") { Ok(()) } else { file.sync_all() }
    };
    let written = File::create(&partial).and_then(write);
    if let Err(error) = written {
        // Gives back what space it took; the error that counts is the first one.
        let _ = fs::remove_file(&partial);
        return Err(fault(&partial, error.to_string()));
    }
    failpoint::hit("snapshot/synced");
    fs::rename(&partial, &path).map_err(|error| fault(&path, error.to_string()))?;
    failpoint::hit("snapshot/renamed");
    // The new name is durable only once the folder is.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| fault(folder, error.to_string()))?;
    failpoint::hit("snapshot/folder-synced");
    Ok(path)
}

/// Reads a snapshot and checks all of it.
///
/// # Errors
/// [`StoreError::Snapshot`] where anything does not fit, [`StoreError::NewerFormat`],
/// [`StoreError::File`].
pub fn read(path: &Path) -> Result<Snapshot, StoreError> {
    let bytes = fs::read(path)
        .map_err(|error| StoreError::File { path: path.to_owned(), why: error.to_string() })?;
    let bad = |why: &str| StoreError::Snapshot { path: path.to_owned(), why: why.to_owned() };
    let rest = open(&bytes).ok_or_else(|| bad("its hash does not fit its content"))?;
    let (format, rest) = split_u32(rest).ok_or_else(|| bad("it has no format"))?;
    if format > SNAPSHOT_FORMAT {
        let what = format!("snapshot {}", path.display());
        return Err(StoreError::NewerFormat { what, found: format, known: SNAPSHOT_FORMAT });
    }
    let (len, rest) = split_u32(rest).ok_or_else(|| bad("it has no header"))?;
    let header = usize::try_from(len).ok().and_then(|len| rest.split_at_checked(len));
    let (header, packed) = header.ok_or_else(|| bad("its header is cut short"))?;
    let header: Header =
        postcard::from_bytes(header).map_err(|error| bad(&format!("its header: {error}")))?;
    if numbers(path) != Some((header.meta.branch, header.meta.seq)) {
        return Err(bad("its name is of another snapshot"));
    }
    let capacity = usize::try_from(header.len).map_err(|_| bad("it is too large"))?;
    let state = zstd::bulk::decompress(packed, capacity).map_err(|e| bad(&e.to_string()))?;
    if state.len() != capacity {
        return Err(bad("its state is shorter than it says"));
    }
    Ok(Snapshot { meta: header.meta, state })
}

/// The snapshots of a branch in `folder`, newest first: number of the last batch, and path. A
/// folder that does not exist has none.
///
/// # Errors
/// [`StoreError::File`].
pub fn list(folder: &Path, branch: BranchId) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let fault = |error: std::io::Error| StoreError::File {
        path: folder.to_owned(),
        why: error.to_string(),
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(fault)?.path();
        if let Some((whose, seq)) = numbers(&path)
            && whose == branch
        {
            found.push((seq, path));
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// The newest sound snapshot of a branch, and what is wrong with newer ones.
///
/// # Errors
/// [`StoreError::File`] where the folder cannot be read.
pub fn latest_valid(folder: &Path, branch: BranchId) -> Result<Latest, StoreError> {
    let mut latest = Latest::default();
    for (_, path) in list(folder, branch)? {
        match read(&path) {
            Ok(snapshot) => {
                latest.snapshot = Some(snapshot);
                break;
            }
            Err(error) => latest.bad.push(error),
        }
    }
    Ok(latest)
}

/// Deletes all but the `keep` newest snapshots of a branch, and what interrupted writes left; says
/// how many files went. Call it after a write that succeeded.
///
/// # Errors
/// [`StoreError::File`].
pub fn prune(folder: &Path, branch: BranchId, keep: usize) -> Result<usize, StoreError> {
    let old = list(folder, branch)?.into_iter().skip(keep).map(|(_, path)| path);
    let mut gone = 0;
    for path in old.chain(partials(folder, branch)) {
        fs::remove_file(&path)
            .map_err(|error| StoreError::File { path: path.clone(), why: error.to_string() })?;
        gone += 1;
        failpoint::hit("snapshot/old-one-gone");
    }
    Ok(gone)
}

fn partials(folder: &Path, branch: BranchId) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "partial"))
        .filter(|path| numbers(&path.with_extension("")).is_some_and(|n| n.0 == branch))
        .collect()
}

/// Branch and batch out of `b1-42.snap`.
fn numbers(path: &Path) -> Option<(BranchId, u64)> {
    let name = path.file_name()?.to_str()?;
    let (branch, seq) = name.strip_suffix(".snap")?.split_once('-')?;
    let seq: u64 = seq.parse().ok()?;
    let branch: BranchId = branch.parse().ok()?;
    // One spelling only, so that no file is counted under two names.
    (name == format!("{branch}-{seq}.snap")).then_some((branch, seq))
}

fn encode(meta: &SnapshotMeta, state: &[u8]) -> Result<Vec<u8>, String> {
    let header = Header { meta: meta.clone(), len: state.len() as u64 };
    let header = postcard::to_stdvec(&header).map_err(|error| error.to_string())?;
    let packed = zstd::bulk::compress(state, ZSTD_LEVEL).map_err(|error| error.to_string())?;
    let header_len = u32::try_from(header.len()).map_err(|error| error.to_string())?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&SNAPSHOT_FORMAT.to_le_bytes());
    bytes.extend_from_slice(&header_len.to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&packed);
    let hash = blake3::derive_key(HASH_CONTEXT, &bytes);
    bytes.extend_from_slice(&hash);
    Ok(bytes)
}

/// What lies between magic and hash, where both fit.
fn open(bytes: &[u8]) -> Option<&[u8]> {
    let (content, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH_LEN)?)?;
    let sound = blake3::derive_key(HASH_CONTEXT, content) == hash;
    content.strip_prefix(&MAGIC).filter(|_| sound)
}

fn split_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRANCH: BranchId = BranchId(7);

    fn meta(seq: u64) -> SnapshotMeta {
        SnapshotMeta {
            branch: BRANCH,
            seq,
            at: Timestamp(1_800_000_000_000),
            packs: vec![Digest::of(b"a"), Digest::of(b"b")],
            journal: Digest::of(&seq.to_le_bytes()),
        }
    }

    fn state(seq: u64) -> Vec<u8> {
        (0..200).map(|i| (i * seq % 7) as u8).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for (seq, state) in [(1, Vec::new()), (2, state(2)), (3, vec![0; 1 << 20])] {
            let path = write(folder.path(), &meta(seq), &state).unwrap();
            assert_eq!(read(&path).unwrap(), Snapshot { meta: meta(seq), state });
        }
        let latest = latest_valid(folder.path(), BRANCH).unwrap();
        assert_eq!(latest.snapshot.unwrap().meta.seq, 3);
        assert_eq!(latest_valid(folder.path(), BranchId(1)).unwrap(), Latest::default());
        let nowhere = folder.path().join("nowhere");
        assert_eq!(latest_valid(&nowhere, BRANCH).unwrap(), Latest::default());
        assert!(matches!(write(&nowhere, &meta(1), b""), Err(StoreError::File { .. })));
    }

    #[test]
    fn every_flipped_bit_and_every_lost_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &meta(5), &state(5)).unwrap();
        let good = fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            matches!(read(&path), Err(StoreError::Snapshot { .. }))
        };
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&bytes), "bit {bit}");
        }
        for len in 0..good.len() {
            assert!(refused(&good[..len]), "{len} bytes");
        }
        assert!(refused(&[good.as_slice(), &[0]].concat()));
        fs::write(&path, &good).unwrap();
        assert!(read(&path).is_ok());
    }

    #[test]
    fn an_older_snapshot_stands_in_for_a_bad_one() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = [9, 10, 11]
            .iter()
            .map(|&seq| write(folder.path(), &meta(seq), &state(seq)).unwrap())
            .collect();
        fs::write(&paths[2], b"").unwrap();
        fs::copy(&paths[0], folder.path().join("b7-12.snap")).unwrap();
        let latest = latest_valid(folder.path(), BRANCH).unwrap();
        assert_eq!(latest.snapshot.unwrap().meta.seq, 10);
        assert_eq!(latest.bad.len(), 2, "{:?}", latest.bad);
    }

    #[test]
    fn a_snapshot_of_a_newer_release_is_named_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &meta(1), b"state").unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() - HASH_LEN);
        bytes[MAGIC.len()] = 2;
        let hash = blake3::derive_key(HASH_CONTEXT, &bytes);
        bytes.extend_from_slice(&hash);
        fs::write(&path, bytes).unwrap();
        assert!(matches!(read(&path), Err(StoreError::NewerFormat { found: 2, known: 1, .. })));
    }

    #[test]
    fn pruning_keeps_the_newest_of_one_branch() {
        let folder = tempfile::tempdir().unwrap();
        for seq in [8, 9, 10, 100] {
            write(folder.path(), &meta(seq), b"").unwrap();
        }
        let other = SnapshotMeta { branch: BranchId(70), ..meta(1) };
        write(folder.path(), &other, b"").unwrap();
        for name in ["b7-101.snap.partial", "b70-2.snap.partial", "b7-09.snap", "notes.txt"] {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        assert_eq!(prune(folder.path(), BRANCH, 2).unwrap(), 3);
        let left: Vec<u64> =
            list(folder.path(), BRANCH).unwrap().into_iter().map(|found| found.0).collect();
        assert_eq!(left, [100, 10]);
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "b7-09.snap",
                "b7-10.snap",
                "b7-100.snap",
                "b70-1.snap",
                "b70-2.snap.partial",
                "notes.txt"
            ]
        );
    }
}
