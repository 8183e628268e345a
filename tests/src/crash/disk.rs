//! A disk worked out from the log of what a process did to it, and what it may hold after the
//! power fails: what was synced for certain; of what was not, nothing, everything, or any part.
//!
//! A file's bytes last once the file is synced. A name (of a new file, after a rename, or gone)
//! lasts once its folder is synced; names of one folder change in order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::ground::is_scratch;

/// Bytes that reach the disk together or not at all.
const SECTOR: usize = 4_096;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// A file or folder was opened, and emptied where `truncated`.
    Open {
        /// Its descriptor.
        fd: i32,
        /// Its path.
        path: PathBuf,
        /// Whether its bytes went.
        truncated: bool,
    },
    /// A descriptor was closed.
    Close(i32),
    /// Bytes were written.
    Write {
        /// Where to.
        fd: i32,
        /// From which byte on.
        at: usize,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file has this length now.
    Truncate(i32, usize),
    /// A file or folder was synced.
    Sync(i32),
    /// A file has another name.
    Rename(PathBuf, PathBuf),
    /// A name is gone.
    Unlink(PathBuf),
}

/// Length of a header of the log.
const HEADER: usize = 40;

/// Reads a log; a torn last entry is left out, anything else that does not fit is an error.
///
/// # Errors
/// The log is not one.
pub fn read_log(mut bytes: &[u8]) -> Result<Vec<Op>, String> {
    let mut ops = Vec::new();
    while bytes.len() >= HEADER {
        let (header, rest) = bytes.split_at(HEADER);
        let word = |at: usize| {
            u64::from_le_bytes(std::array::from_fn(|n| header.get(at + n).copied().unwrap_or(0)))
        };
        let kind = word(0) as u32;
        let fd = (word(0) >> 32) as i32;
        let (a, b, len) = (word(8) as usize, word(16), word(24));
        if len != !word(32) {
            return Err(format!("entry {} is none", ops.len()));
        }
        let Some((payload, rest)) = rest.split_at_checked(len as usize) else { break };
        bytes = rest;
        let text = || String::from_utf8_lossy(payload).into_owned();
        ops.push(match kind {
            1 => Op::Open { fd, path: text().into(), truncated: b == 1 },
            2 => Op::Close(fd),
            3 => Op::Write { fd, at: a, bytes: payload.to_vec() },
            4 => Op::Truncate(fd, a),
            5 => Op::Sync(fd),
            6 => {
                let text = text();
                let both = text.split_once('\0').ok_or("a rename without its second name")?;
                Op::Rename(both.0.into(), both.1.into())
            }
            7 => Op::Unlink(text().into()),
            other => return Err(format!("entry {} is of kind {other}", ops.len())),
        });
    }
    Ok(ops)
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, new) => {
                let end = at + new.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(new);
            }
            Self::Truncate(len) => bytes.resize(*len, 0),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Inode {
    synced: Vec<u8>,
    pending: Vec<Change>,
}

impl Inode {
    fn live(&self) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        self.pending.iter().for_each(|change| change.make(&mut bytes));
        bytes
    }
}

#[derive(Clone, Debug)]
enum Renaming {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
}

impl Renaming {
    fn make(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Create(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Create(path, _) | Self::Rename(_, path) | Self::Unlink(path) => path.parent(),
        }
    }
}

/// What of the bytes and names that were not synced is there after the power failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None: the disk kept only what it had to.
    All,
    /// Any sectors, in any order, and the first few of the names: torn writes.
    Some,
    /// All: as after a kill.
    None,
}

/// The disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    synced: BTreeMap<PathBuf, usize>,
    pending: Vec<Renaming>,
    names: BTreeMap<PathBuf, usize>,
    open: BTreeMap<i32, PathBuf>,
    open_inodes: BTreeMap<i32, usize>,
}

impl Disk {
    /// A disk that holds the files of a folder, all synced.
    ///
    /// # Panics
    /// Where they cannot be read.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        for (path, bytes) in files(folder) {
            disk.names.insert(path, disk.inodes.len());
            disk.inodes.push(Inode { synced: bytes, pending: Vec::new() });
        }
        disk.synced = disk.names.clone();
        disk
    }

    /// Does what was done.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Open { fd, path, truncated } => {
                self.open.insert(*fd, path.clone());
                if path.is_dir() {
                    return;
                }
                let inode = self.names.get(path).copied().unwrap_or_else(|| {
                    let inode = self.inodes.len();
                    self.inodes.push(Inode::default());
                    self.name(Renaming::Create(path.clone(), inode));
                    inode
                });
                self.open_inodes.insert(*fd, inode);
                if *truncated {
                    self.change(*fd, Change::Truncate(0));
                }
            }
            Op::Close(fd) => {
                self.open.remove(fd);
                self.open_inodes.remove(fd);
            }
            Op::Write { fd, at, bytes } => self.change(*fd, Change::Write(*at, bytes.clone())),
            Op::Truncate(fd, len) => self.change(*fd, Change::Truncate(*len)),
            Op::Sync(fd) => self.sync(*fd),
            Op::Rename(from, to) => self.name(Renaming::Rename(from.clone(), to.clone())),
            Op::Unlink(path) => self.name(Renaming::Unlink(path.clone())),
        }
    }

    fn name(&mut self, renaming: Renaming) {
        renaming.make(&mut self.names);
        self.pending.push(renaming);
    }

    fn change(&mut self, fd: i32, change: Change) {
        let inode = self.open_inodes.get(&fd).and_then(|inode| self.inodes.get_mut(*inode));
        if let Some(inode) = inode {
            inode.pending.push(change);
        }
    }

    fn sync(&mut self, fd: i32) {
        if let Some(inode) = self.open_inodes.get(&fd).and_then(|n| self.inodes.get_mut(*n)) {
            let Inode { synced, pending } = inode;
            pending.drain(..).for_each(|change| change.make(synced));
        } else if let Some(folder) = self.open.get(&fd) {
            let (done, left) = std::mem::take(&mut self.pending)
                .into_iter()
                .partition(|renaming: &Renaming| renaming.folder() == Some(folder));
            self.pending = left;
            let done: Vec<Renaming> = done;
            done.iter().for_each(|renaming| renaming.make(&mut self.synced));
        }
    }

    /// Whether anything is not synced but what a start throws away.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        let dirty = |(path, inode): (&PathBuf, &usize)| {
            !is_scratch(path) && !self.inodes[*inode].pending.is_empty()
        };
        !self.pending.is_empty() || self.names.iter().any(dirty)
    }

    /// What the disk holds after the power fails now.
    #[must_use]
    pub fn cut(&self, loss: Loss, rng: &mut ChaCha8Rng) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut names = self.synced.clone();
        let kept = match loss {
            Loss::All => 0,
            Loss::Some => rng.random_range(0..=self.pending.len() as u64) as usize,
            Loss::None => self.pending.len(),
        };
        self.pending.iter().take(kept).for_each(|renaming| renaming.make(&mut names));
        let files = names.into_iter().filter(|(path, _)| !is_scratch(path));
        let bytes = |inode: &Inode| match loss {
            Loss::All => inode.synced.clone(),
            Loss::Some => some(inode, rng),
            Loss::None => inode.live(),
        };
        let mut bytes = bytes;
        files.map(|(path, inode)| (path, bytes(&self.inodes[inode]))).collect()
    }
}

/// A file of which some of the sectors written since the last sync are there.
fn some(inode: &Inode, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = inode.synced.clone();
    // Mostly lost, mostly there, or even.
    let share = [10, 50, 90][rng.random_range(0..3_u64) as usize];
    let mut kept = || rng.random_range(0..100_u32) < share;
    for change in &inode.pending {
        match change {
            Change::Truncate(_) if kept() => change.make(&mut bytes),
            Change::Truncate(_) => {}
            Change::Write(at, new) => {
                let mut from = 0;
                while from < new.len() {
                    let to = new.len().min(from + SECTOR - (at + from) % SECTOR);
                    if kept() {
                        Change::Write(at + from, new[from..to].to_vec()).make(&mut bytes);
                    }
                    from = to;
                }
            }
        }
    }
    bytes
}

/// All files below a folder.
///
/// # Panics
/// Where they cannot be read.
#[must_use]
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !is_scratch(&path) {
            let bytes = std::fs::read(&path).expect("the file can be read");
            found.insert(path, bytes);
        }
    }
    found
}

/// Writes what a cut left into a folder, which stands in for `was`.
///
/// # Panics
/// Where it cannot be written.
pub fn lay(image: &BTreeMap<PathBuf, Vec<u8>>, was: &Path, folder: &Path) {
    super::remove(folder);
    std::fs::create_dir_all(super::ground::snapshots(folder)).expect("the folder can be made");
    for (path, bytes) in image {
        let path = folder.join(path.strip_prefix(was).expect("only this folder is watched"));
        std::fs::write(path, bytes).expect("it can be written");
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    const A: &str = "/watched/a";
    const B: &str = "/watched/b";

    fn open(fd: i32, path: &str) -> Op {
        Op::Open { fd, path: path.into(), truncated: false }
    }

    fn write(fd: i32, at: usize, bytes: &[u8]) -> Op {
        Op::Write { fd, at, bytes: bytes.to_vec() }
    }

    /// What is under A and B after a cut that loses everything, and after one that loses nothing.
    #[track_caller]
    fn check(ops: &[Op], lost: [Option<&[u8]>; 2], kept: [Option<&[u8]>; 2]) {
        let mut disk = Disk::default();
        ops.iter().for_each(|op| disk.apply(op));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (loss, expected) in [(Loss::All, lost), (Loss::None, kept)] {
            let image = disk.cut(loss, &mut rng);
            let found = [A, B].map(|path| image.get(Path::new(path)).map(Vec::as_slice));
            assert_eq!(found, expected, "{loss:?} {ops:?}");
        }
    }

    #[test]
    fn only_what_was_synced_lasts() {
        // The folder of these paths is one that is there.
        let folder = open(9, "/");
        let made = [open(3, "/a"), write(3, 0, b"x"), Op::Sync(3), folder.clone(), Op::Sync(9)];
        let mut disk = Disk::default();
        made.iter().for_each(|op| disk.apply(op));
        assert!(!disk.is_dirty());
        disk.apply(&write(3, 1, b"y"));
        assert!(disk.is_dirty());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let root = Path::new("/a");
        assert_eq!(disk.cut(Loss::All, &mut rng)[root], b"x");
        assert_eq!(disk.cut(Loss::None, &mut rng)[root], b"xy");
        disk.apply(&Op::Rename("/a".into(), "/b".into()));
        assert!(disk.cut(Loss::All, &mut rng).contains_key(root));
        assert!(disk.cut(Loss::None, &mut rng).contains_key(Path::new("/b")));

        // A name that was not synced is gone with all its bytes.
        check(&[open(3, A), write(3, 0, b"x"), Op::Sync(3)], [None, None], [Some(b"x"), None]);
        check(
            &[open(3, A), write(3, 2, b"x"), Op::Truncate(3, 1), Op::Unlink(A.into()), open(4, B)],
            [None, None],
            [None, Some(b"")],
        );
    }

    #[test]
    fn torn_writes_keep_whole_sectors() {
        let mut inode = Inode { synced: vec![1; 3 * SECTOR], pending: Vec::new() };
        inode.pending.push(Change::Write(100, vec![2; 2 * SECTOR]));
        let mut seen = std::collections::BTreeSet::new();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..200 {
            let bytes = some(&inode, &mut rng);
            let parts = [100..SECTOR, SECTOR..2 * SECTOR, 2 * SECTOR..2 * SECTOR + 100];
            let parts = parts.map(|part| {
                let first = bytes[part.start];
                assert!(bytes[part].iter().all(|byte| *byte == first), "half a sector");
                first
            });
            assert!(bytes[..100].iter().chain(&bytes[2 * SECTOR + 100..]).all(|byte| *byte == 1));
            seen.insert(parts);
        }
        assert_eq!(seen.len(), 8, "every mixture is met");
    }

    #[test]
    fn a_log_is_read_up_to_its_torn_end() {
        let entry = |kind: u32, fd: i32, a: u64, payload: &[u8]| {
            let len = payload.len() as u64;
            let mut bytes = kind.to_le_bytes().to_vec();
            bytes.extend(fd.to_le_bytes());
            for word in [a, 0, len, !len] {
                bytes.extend(word.to_le_bytes());
            }
            [bytes.as_slice(), payload].concat()
        };
        let whole = [entry(1, 5, 1, b"/x"), entry(3, 5, 7, b"abc"), entry(5, 5, 0, b"")].concat();
        let ops = vec![open(5, "/x"), write(5, 7, b"abc"), Op::Sync(5)];
        assert_eq!(read_log(&whole), Ok(ops.clone()));
        assert_eq!(read_log(&whole[..whole.len() - 1]).as_deref(), Ok(&ops[..2]));
        assert_eq!(read_log(&whole[..HEADER + 2 + HEADER + 1]).as_deref(), Ok(&ops[..1]));
        let mut broken = whole;
        broken[30] ^= 1;
        assert!(read_log(&broken).is_err());
    }
}
