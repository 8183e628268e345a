//! Reading records with their hash chain checked, and telling a torn tail from damage.

use dengmi_core::{BranchId, Digest};

use crate::error::StoreError;
use crate::journal::{Cut, Page};
use crate::record::Record;

/// Checks `rows`, which begin with record `after` itself unless that is 0, and makes a page of the
/// rest. `at_end` says whether the last row is the branch's last record.
pub(crate) fn page(
    branch: BranchId,
    genesis: Digest,
    after: u64,
    mut rows: Vec<Record>,
    at_end: bool,
) -> Result<Page, StoreError> {
    let mut prev = genesis;
    if let Some(before) = after.checked_sub(1) {
        if rows.first().is_none_or(|first| first.seq != after) {
            let why = "missing, though something is to follow it".to_owned();
            return Err(StoreError::Damaged { branch, seq: after, why });
        }
        let first = rows.remove(0);
        // Its place in the chain was checked when it was read; here only its own hash counts.
        first.check(before, first.prev)?;
        prev = first.hash;
    }
    let mut page = Page { after: prev, records: Vec::with_capacity(rows.len()), cut: None };
    let count = rows.len();
    for (i, record) in rows.into_iter().enumerate() {
        match record.check(after.saturating_add(i as u64), prev) {
            Ok(()) => {
                prev = record.hash;
                page.records.push(record);
            }
            Err(StoreError::Damaged { seq, why, .. }) if at_end && i + 1 == count => {
                page.cut = Some(Cut { seq, why });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// Whether the last record of a branch is torn. `rows` are its last three records, or all where
/// there are fewer, in order; `Ok(Err(cut))` says that the last of them has to go.
pub(crate) fn tail(
    branch: BranchId,
    genesis: Digest,
    rows: Vec<Record>,
) -> Result<Result<Option<Record>, Cut>, StoreError> {
    // The first row stands in for everything before it, unless it is the first of all.
    let after = match rows.first() {
        Some(first) if rows.len() > 2 => first.seq,
        _ => 0,
    };
    let mut page = page(branch, genesis, after, rows, true)?;
    Ok(match page.cut {
        Some(cut) => Err(cut),
        None => Ok(page.records.pop()),
    })
}
