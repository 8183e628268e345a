//! The journal record: one batch with everything needed to apply it again and to check the result,
//! tied to the record before it by a hash.

use dengmi_core::{Batch, BranchId, Digest, Outcome, Timestamp, mutant};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// Format of record bodies this release writes. Older ones stay readable.
pub const RECORD_FORMAT: u8 = 1;

/// Names the hash of a record, so that it can never be taken for another hash.
const HASH_CONTEXT: &str = "dengmi journal record v1";

/// One applied batch as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalBatch {
    /// The commands with their number and time.
    pub batch: Batch,
    /// One for every command, in order; `None` for commands nobody sent.
    pub keys: Vec<Option<CommandKey>>,
    /// One for every command, in order.
    pub outcomes: Vec<Outcome>,
    /// Digest of the pack that was current after the batch.
    pub content: Digest,
    /// The engine's chained digest after the batch.
    pub chain: Digest,
    /// Digest of the whole engine state after the batch, where it was taken.
    pub state: Option<Digest>,
}

/// What makes a command recognisable when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandKey {
    /// The sender's idempotency key, a UUID version 7.
    pub key: u128,
    /// Who sent it, as a number of the caller's choice: the same key of another is another.
    pub principal: u64,
    /// Of route and body: the same key with another body is a mistake of the sender.
    pub fingerprint: [u8; 16],
}

/// How much was booked with a batch, and a digest of it: ledger and outbox can be checked against
/// the journal without applying anything again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// Ledger entries.
    pub entries: u32,
    /// Events in the outbox.
    pub events: u32,
    /// Standings that were closed.
    pub closed_boards: u32,
    /// Digest of the entries with their rules, and of the events.
    pub digest: Digest,
}

/// A record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The branch.
    pub branch: BranchId,
    /// Position in the branch's journal, from 1.
    pub seq: u64,
    /// Time of the batch.
    pub at: Timestamp,
    /// Hash of the record before; of the branch's settings for the first.
    pub prev: Digest,
    /// Hash of everything above and the body.
    pub hash: Digest,
    /// A format byte and the encoded batch with its effects.
    pub body: Vec<u8>,
}

#[derive(Serialize)]
struct BodyRef<'a> {
    effects: &'a Effects,
    batch: &'a JournalBatch,
}

#[derive(Deserialize)]
struct Body {
    effects: Effects,
    batch: JournalBatch,
}

impl Record {
    /// The record of `batch`, following the record whose hash is `prev`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] where the batch cannot be encoded, which no batch made by an engine
    /// is.
    pub fn new(
        branch: BranchId,
        prev: Digest,
        batch: &JournalBatch,
        effects: &Effects,
    ) -> Result<Self, StoreError> {
        let (seq, at) = (batch.batch.seq, batch.batch.at);
        let body = postcard::to_extend(&BodyRef { effects, batch }, vec![RECORD_FORMAT]).map_err(
            |error| StoreError::Invalid {
                branch,
                seq,
                why: format!("it cannot be encoded: {error}"),
            },
        )?;
        let hash = hash(branch, seq, at, prev, &body);
        Ok(Self { branch, seq, at, prev, hash, body })
    }

    /// The batch and what was booked with it.
    ///
    /// # Errors
    /// [`StoreError::NewerFormat`] or [`StoreError::Damaged`].
    pub fn decode(&self) -> Result<(JournalBatch, Effects), StoreError> {
        let (&format, rest) = self.body.split_first().ok_or_else(|| self.damaged("empty body"))?;
        if format > RECORD_FORMAT {
            return Err(StoreError::NewerFormat {
                what: format!("record {} of branch {}", self.seq, self.branch),
                found: u32::from(format),
                known: u32::from(RECORD_FORMAT),
            });
        }
        if format != RECORD_FORMAT {
            return Err(self.damaged("unknown format"));
        }
        let (body, left): (Body, &[u8]) = postcard::take_from_bytes(rest)
            .map_err(|error| self.damaged(&format!("undecodable body: {error}")))?;
        if !left.is_empty() {
            return Err(self.damaged("bytes after the end of the body"));
        }
        if (body.batch.batch.seq, body.batch.batch.at) != (self.seq, self.at) {
            return Err(self.damaged("the body is of another record"));
        }
        Ok((body.batch, body.effects))
    }

    /// Checks the record's own hash, and that it follows the record with hash `prev` and number
    /// `after`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], naming the record.
    pub fn check(&self, after: u64, prev: Digest) -> Result<(), StoreError> {
        if Some(self.seq) != after.checked_add(1) {
            return Err(StoreError::Damaged {
                branch: self.branch,
                seq: after.saturating_add(1),
                why: format!("missing; the next record found is {}", self.seq),
            });
        }
        let fits = self.hash == hash(self.branch, self.seq, self.at, self.prev, &self.body);
        if !fits && !mutant::planted("record/unchecked") {
            return Err(self.damaged("its hash does not fit its content"));
        }
        if self.prev != prev {
            return Err(self.damaged("it does not follow the record before it"));
        }
        Ok(())
    }

    fn damaged(&self, why: &str) -> StoreError {
        StoreError::Damaged { branch: self.branch, seq: self.seq, why: why.to_owned() }
    }
}

fn hash(branch: BranchId, seq: u64, at: Timestamp, prev: Digest, body: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(HASH_CONTEXT);
    hasher.update(&prev.0);
    hasher.update(&branch.0.to_le_bytes());
    hasher.update(&seq.to_le_bytes());
    hasher.update(&at.0.to_le_bytes());
    hasher.update(body);
    Digest(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conformance::fixture::{B, at, batch};

    const EFFECTS: Effects =
        Effects { entries: 3, events: 0, closed_boards: 1, digest: Digest([9; 32]) };

    fn record(seq: u64, commands: usize) -> Record {
        Record::new(B, Digest::of(b"before"), &batch(seq, commands), &EFFECTS).unwrap()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for commands in [0, 1, 7, 100] {
            let record = record(5, commands);
            assert_eq!(record.decode(), Ok((batch(5, commands), EFFECTS)));
            assert_eq!(record.check(4, Digest::of(b"before")), Ok(()));
        }
    }

    #[test]
    fn the_format_keeps_its_golden_hash() {
        // A changed hash means that journals on disk can no longer be read: raise RECORD_FORMAT
        // and keep the old decoder instead of changing it.
        assert_eq!(record(2, 3).hash.to_string(), GOLDEN_HASH);
    }
    const GOLDEN_HASH: &str = "48c2945a18e2fa08ad0eb368333e4afdd129e33d6b2f1427de05700b160f5985";

    #[test]
    fn a_record_out_of_place_is_refused() {
        let record = record(5, 2);
        for (after, prev) in
            [(3, Digest::of(b"before")), (5, Digest::of(b"before")), (4, Digest::of(b"other"))]
        {
            assert!(matches!(record.check(after, prev), Err(StoreError::Damaged { .. })));
        }
        assert!(record.check(u64::MAX, record.prev).is_err());
        for change in [
            |r: &mut Record| r.branch.0 += 1,
            |r: &mut Record| r.at.0 += 1,
            |r: &mut Record| r.body.push(0),
        ] {
            let mut changed = record.clone();
            change(&mut changed);
            assert!(changed.check(4, record.prev).is_err());
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut record = record(1, 1);
        record.body[0] = RECORD_FORMAT + 1;
        assert!(matches!(record.decode(), Err(StoreError::NewerFormat { found: 2, .. })));
        record.body[0] = 0;
        assert!(matches!(record.decode(), Err(StoreError::Damaged { .. })));
        record.body.clear();
        assert!(matches!(record.decode(), Err(StoreError::Damaged { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..400), formatted in any::<bool>(),
        ) {
            let mut body = bytes;
            if formatted {
                body.insert(0, RECORD_FORMAT);
            }
            let random = Record { body, ..record(1, 0) };
            prop_assert!(random.decode().is_err());
            prop_assert!(random.check(0, random.prev).is_err());
        }

        #[test]
        fn a_flipped_bit_is_noticed_and_never_panics(
            commands in 0usize..6, bit in any::<proptest::sample::Index>(),
        ) {
            let mut record = record(1, commands);
            let bit = bit.index(record.body.len() * 8);
            record.body[bit / 8] ^= 1 << (bit % 8);
            let _ = record.decode();
            prop_assert!(record.check(0, record.prev).is_err());
        }

        #[test]
        fn a_shortened_body_is_noticed(len in any::<proptest::sample::Index>()) {
            let mut record = record(1, 3);
            record.body.truncate(len.index(record.body.len()));
            prop_assert!(record.decode().is_err());
            prop_assert!(record.check(0, record.prev).is_err());
        }

        #[test]
        fn only_the_written_batch_is_decoded(seq in 1u64..1_000_000, commands in 0usize..9) {
            let mut moved = record(seq, commands);
            moved.at = at(seq + 1);
            prop_assert!(moved.decode().is_err());
        }
    }
}
