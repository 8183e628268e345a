//! Commands that are sent again: what is kept of the first one, and how its answer is found.

use std::sync::Arc;

use dengmi_core::BranchId;
use dengmi_store::{Journal, StoreError};

use crate::inbox::{Answer, SubmitError, Submitted};

/// What the key window keeps of a command: where the journal has it. Outcomes themselves would be
/// most of a busy branch's memory, and few are ever asked for again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Number of its batch.
    pub(crate) seq: u64,
    /// Its position in the batch, from 0.
    pub(crate) at: u32,
}

/// A command that came again before the first one was committed.
pub(crate) struct Repeat {
    pub(crate) first: Known,
    pub(crate) answer: Answer,
}

impl Repeat {
    /// Answers with the outcome of the first one, which is committed.
    pub(crate) async fn answer_from<J: Journal>(self, journal: Arc<J>, branch: BranchId) {
        let answer = match self.first.outcome(&*journal, branch).await {
            Ok(submitted) => Ok(submitted),
            Err(error) => {
                tracing::warn!(%branch, %error, "the outcome of an earlier command");
                Err(SubmitError::Unavailable)
            }
        };
        self.answer.give(answer);
    }
}

impl Known {
    async fn outcome<J: Journal>(
        self,
        journal: &J,
        branch: BranchId,
    ) -> Result<Submitted, StoreError> {
        let page = journal.read(branch, self.seq.saturating_sub(1), 1).await?;
        let missing = || StoreError::Missing { what: "the record of an earlier command" };
        let (batch, _) = page.records.first().ok_or_else(missing)?.decode()?;
        let outcome = batch.outcomes.into_iter().nth(self.at as usize).ok_or_else(missing)?;
        Ok(Submitted { outcome, replayed: true })
    }
}
