//! Walking a branch from its first record to its last, and everything booked with them.

use dengmi_core::BranchId;

use crate::commit::effects;
use crate::error::StoreError;
use crate::journal::{Cut, Journal, LedgerRow, Sums};
use crate::memory::add_to_sums;
use crate::record::Record;

/// Records read at once.
const PAGE: u32 = 256;

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// Sound records, counted from the first one.
    pub records: u64,
    /// Ledger entries booked with them.
    pub entries: u64,
    /// Events booked with them.
    pub events: u64,
    /// What every kind of account holds by these entries.
    pub sums: Sums,
    /// A torn last record, which recovering the branch will cut.
    pub cut: Option<Cut>,
    /// The first thing that is not as it was written. Nothing after it was looked at.
    pub damage: Option<StoreError>,
}

impl VerifyReport {
    /// Nothing is wrong at all.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.cut.is_none() && self.damage.is_none()
    }
}

/// Checks the hash chain of a branch from the first record on, and that ledger and outbox hold
/// exactly what was booked with each record. Reads everything; run it beside a working store.
///
/// # Errors
/// Only where the store cannot be asked; what is wrong with its content is in the report.
pub async fn verify(journal: &impl Journal, branch: BranchId) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport {
        records: 0,
        entries: 0,
        events: 0,
        sums: Sums::default(),
        cut: None,
        damage: None,
    };
    match walk(journal, branch, &mut report).await {
        Ok(()) => Ok(report),
        Err(
            damage @ (StoreError::Damaged { .. }
            | StoreError::DamagedRow { .. }
            | StoreError::NewerFormat { .. }),
        ) => {
            report.damage = Some(damage);
            Ok(report)
        }
        Err(error) => Err(error),
    }
}

async fn walk(
    journal: &impl Journal,
    branch: BranchId,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    loop {
        let page = journal.read(branch, report.records, PAGE).await?;
        for record in &page.records {
            check_effects(journal, record, report).await?;
        }
        if page.cut.is_some() || page.records.is_empty() {
            report.cut = page.cut;
            break;
        }
    }
    if report.cut.is_some() {
        return Ok(());
    }
    // What lies beyond: of a record committed while this ran, or of one that is gone.
    let beyond = journal.entries_after(branch, report.entries, 1).await?.len()
        + journal.events_after(branch, report.events, 1).await?.len();
    if beyond > 0 && journal.head(branch).await?.seq == report.records {
        return Err(StoreError::Damaged {
            branch,
            seq: report.records + 1,
            why: "missing, though there are ledger entries or events of it".to_owned(),
        });
    }
    Ok(())
}

async fn check_effects(
    journal: &impl Journal,
    record: &Record,
    report: &mut VerifyReport,
) -> Result<(), StoreError> {
    let branch = record.branch;
    let (_, written) = record.decode()?;
    let ledger: Vec<LedgerRow> = match written.entries {
        0 => Vec::new(),
        count => journal.entries_after(branch, report.entries, count).await?,
    };
    let events = match written.events {
        0 => Vec::new(),
        count => journal.events_after(branch, report.events, count).await?,
    };
    let numbered = ledger.iter().zip(report.entries + 1..).all(|(row, id)| row.entry.id == id)
        && events.iter().zip(report.events + 1..).all(|(event, seq)| event.seq == seq);
    let found = effects(&ledger, &events, written.closed_boards as usize);
    if !numbered || found.as_ref() != Ok(&written) {
        return Err(StoreError::Damaged {
            branch,
            seq: record.seq,
            why: "ledger or outbox do not hold what was booked with it".to_owned(),
        });
    }
    report.records = record.seq;
    report.entries += u64::from(written.entries);
    report.events += u64::from(written.events);
    ledger.iter().for_each(|row| add_to_sums(&mut report.sums, &row.entry));
    Ok(())
}
