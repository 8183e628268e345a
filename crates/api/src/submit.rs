//! Sending commands to the host.

use dengmi_core::{Action, Actor, BranchId, Command, Outcome, Receipt};
use uuid::Uuid;

use crate::app::App;
use crate::backend::{Backend, Submission};
use crate::extract::Call;
use crate::problem::Problem;

/// A command that was done.
pub(crate) struct Done {
    /// What the engine says about it.
    pub(crate) receipt: Receipt,
    /// Whether it was done earlier, under the same key.
    pub(crate) replayed: bool,
}

/// Has the caller's one command of this request applied.
pub(crate) async fn submit<B: Backend>(
    app: &App<B>,
    call: &Call,
    branch: BranchId,
    action: Action,
) -> Result<Done, Problem> {
    let principal = call.principal()?;
    submit_as(app, call, branch, principal.number(), call.key, principal.actor(), action).await
}

/// Has a command applied under a given key and actor.
pub(crate) async fn submit_as<B: Backend>(
    app: &App<B>,
    call: &Call,
    branch: BranchId,
    principal: u64,
    key: Uuid,
    actor: Actor,
    action: Action,
) -> Result<Done, Problem> {
    let command = Command { actor, action };
    let fingerprint = call.fingerprint;
    let submission = Submission { branch, principal, key, fingerprint, command };
    let submitted = app.backend.submit(submission).await?;
    match submitted.outcome {
        Outcome::Done(receipt) => Ok(Done { receipt, replayed: submitted.replayed }),
        Outcome::Rejected(reject) => Err(reject.into()),
    }
}

impl Done {
    /// The receipt does not fit the command: a fault of the host.
    pub(crate) fn unexpected(&self) -> Problem {
        tracing::error!("the receipt does not fit the command");
        Problem::internal()
    }
}

/// The key of a request's `n`-th further command: the same time, the rest derived, so that a
/// repeat of the request repeats each of its commands.
pub(crate) fn further_key(key: Uuid, n: u8) -> Uuid {
    let mut material = [0; 17];
    material[..16].copy_from_slice(key.as_bytes());
    material[16] = n;
    let derived = blake3::derive_key("dengmi further idempotency key v1", &material);
    let mut bytes = *key.as_bytes();
    bytes[6..].copy_from_slice(&derived[..10]);
    bytes[6] = bytes[6] & 0x0F | 0x70;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_keys_keep_time_and_version() {
        let key = Uuid::try_parse("0192f0c1-2345-7abc-8def-0123456789ab").unwrap();
        let further = further_key(key, 1);
        assert_eq!(further.get_version_num(), 7);
        assert_eq!(further.as_bytes()[..6], key.as_bytes()[..6]);
        assert_eq!(further, further_key(key, 1));
        assert_ne!(further, further_key(key, 2));
        assert_ne!(further, key);
    }
}
