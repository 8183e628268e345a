//! What is kept on disk: journal records, snapshots.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use dengmi_content::Pack;
use dengmi_core::{BranchId, Digest, Timestamp};
use dengmi_engine::{Engine, EngineConfig, RestoreError};
use dengmi_sim::workload::{Workload, packs};
use dengmi_store::{Effects, JournalBatch, Record};

use super::{Reached, kind};

const BRANCH: BranchId = BranchId(3);

/// A played campaign: records of its batches, and states on the way.
struct Played {
    config: EngineConfig,
    packs: BTreeMap<Digest, Arc<Pack>>,
    records: Vec<Vec<u8>>,
    states: Vec<Vec<u8>>,
}

fn played() -> &'static Played {
    static PLAYED: OnceLock<Played> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let packs = packs().expect("the workload's content is sound");
        let mut workload = Workload::new(5, BRANCH, &packs);
        let mut engine = workload.engine();
        let (mut records, mut states) = (Vec::new(), vec![engine.save()]);
        for seq in 1..=48u64 {
            let batch = workload.next_batch(&engine);
            let applied = engine.apply(&batch).expect("batches follow each other");
            workload.observe(&applied);
            let kept = JournalBatch {
                keys: vec![None; batch.commands.len()],
                batch,
                outcomes: applied.outcomes,
                content: packs[0].digest,
                chain: applied.digest,
                state: seq.is_multiple_of(3).then_some(Digest([7; 32])),
            };
            records.push(input_of(&kept));
            if [2, 4, 12, 48].contains(&seq) {
                states.push(engine.save());
            }
        }
        let (config, packs) = (workload.engine_config(), workload.packs().clone());
        Played { config, packs, records, states }
    })
}

fn encode(batch: &JournalBatch, effects: &Effects) -> Record {
    Record::new(BRANCH, Digest::default(), batch, effects).expect("a batch can be encoded")
}

fn input_of(batch: &JournalBatch) -> Vec<u8> {
    let record = encode(batch, &Effects::default());
    [&record.seq.to_le_bytes()[..], &record.at.0.to_le_bytes(), &record.body].concat()
}

/// Number and time, eight bytes each, then the body of a journal record.
pub(super) fn record(input: &[u8]) -> Reached {
    let Some((seq, rest)) = input.split_first_chunk() else { return vec!["short".to_owned()] };
    let Some((at, body)) = rest.split_first_chunk() else { return vec!["short".to_owned()] };
    let (seq, at) = (u64::from_le_bytes(*seq), Timestamp(i64::from_le_bytes(*at)));
    let (prev, hash) = (Digest::default(), Digest::default());
    let given = Record { branch: BRANCH, seq, at, prev, hash, body: body.to_vec() };
    match given.decode() {
        Ok((batch, effects)) => {
            let again = encode(&batch, &effects);
            assert_eq!((again.seq, again.at), (seq, at));
            assert_eq!(again.decode(), Ok((batch, effects)), "what is encoded is decoded");
            // A number may be spelled with bytes to spare: then, and only then, the same batch has
            // other bytes. A record's hash, which is over its bytes, does not let one in.
            assert!(
                again.body == body || again.body.len() < body.len(),
                "a decoded record has the bytes it was decoded from"
            );
            vec![if again.body == body { "the same bytes" } else { "spelled long" }.to_owned()]
        }
        Err(error) => {
            assert!(given.check(seq.wrapping_sub(1), prev).is_err(), "its hash does not fit");
            let text = error.to_string();
            let why = text.rsplit(": ").next().unwrap_or_default();
            let why: String = why.chars().filter(|c| !c.is_ascii_digit()).take(48).collect();
            vec![format!("{} {why}", kind(&error))]
        }
    }
}

pub(super) fn records() -> Vec<Vec<u8>> {
    played().records.clone()
}

/// A saved state of the engine.
pub(super) fn snapshot(input: &[u8]) -> Reached {
    let played = played();
    match Engine::restore(played.config.clone(), &played.packs, input) {
        Ok(mut engine) => {
            let bytes = engine.save();
            if played.states.iter().any(|state| state == input) {
                assert_eq!(bytes, input, "a restored state saves to the same bytes");
                return vec!["the same bytes".to_owned()];
            }
            // A damaged state may be another sound state, never one that does not keep: checksums
            // of the files notice the damage, this is about what is believed.
            let again = Engine::restore(played.config.clone(), &played.packs, &bytes);
            let mut again =
                again.unwrap_or_else(|error| panic!("what it saved, it refuses: {error}"));
            assert!(again.save() == bytes, "a restored state saves to the same bytes, twice");
            vec![
                if bytes == input { "another state" } else { "another state, put right" }
                    .to_owned(),
            ]
        }
        Err(RestoreError::Unreadable(why)) => {
            let why: String = why.chars().filter(|c| !c.is_ascii_digit()).take(48).collect();
            vec![format!("unreadable: {why}")]
        }
        Err(error) => vec![kind(&error)],
    }
}

pub(super) fn snapshots() -> Vec<Vec<u8>> {
    played().states.clone()
}
