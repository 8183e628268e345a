//! What the disk can do: appends to a growing file, each group made durable before the next.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::load::Measured;
use crate::error::{CliError, Result};

/// Bytes of a record, about what a command takes in the journal with its ledger entry.
const RECORD: usize = 128;

/// Appends groups of `group` records, one at a time, for `duration`. Requests are records,
/// latencies are those of groups.
///
/// # Errors
/// The disk refuses.
pub(super) fn append(folder: &Path, group: usize, duration: Duration) -> Result<Measured> {
    let path = folder.join("appends");
    let failed = |error: std::io::Error| CliError::file(&path, &error);
    let mut file = File::create(&path).map_err(failed)?;
    let records = vec![0x5a; RECORD * group];
    let mut measured = Measured::default();
    let began = Instant::now();
    while began.elapsed() < duration {
        let started = Instant::now();
        file.write_all(&records).and_then(|()| file.sync_data()).map_err(failed)?;
        let took = u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX);
        measured.writes.push(took);
    }
    measured.seconds = began.elapsed().as_secs_f64();
    measured.requests = (measured.writes.len() * group) as u64;
    measured.writes.sort_unstable();
    std::fs::remove_file(&path).map_err(failed)?;
    Ok(measured)
}
