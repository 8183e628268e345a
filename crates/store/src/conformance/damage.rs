//! Damage done everywhere: at every byte of the last records, in every bit of every record.

use super::fixture::{B, award, batch, commit, event, history, meta};
use super::{Subject, for_every_store};
use crate::{Commit, Journal, MemoryStore, Record, StoreError, verify};

for_every_store! {
    a_record_torn_at_any_byte_is_cut_or_refused;
}

/// Three commits as small as they come, with an entry and an event each.
fn small(len: u64) -> Vec<Commit> {
    (1..=len)
        .map(|seq| Commit {
            batch: batch(seq, 1),
            ledger: vec![award(seq, 1, seq as i32, 10)],
            events: vec![event(seq)],
            ..commit(seq)
        })
        .collect()
}

/// The last record torn anywhere is cut, with what was booked with it, and can be written again;
/// one before it is damage, which nothing is served from.
async fn a_record_torn_at_any_byte_is_cut_or_refused(subject: impl Subject) {
    let store = subject.store();
    store.create_branch(meta()).await.unwrap();
    store.append(B, small(5)).await.unwrap();
    let whole = store.read(B, 0, 5).await.unwrap().records;
    for seq in 3..=5 {
        let good = &whole[seq as usize - 1];
        for len in 0..good.body.len() {
            subject.tamper(B, seq, |record| record.body.truncate(len)).await;
            if seq < 5 {
                let refused = store.recover(B).await;
                let expected =
                    matches!(refused, Err(StoreError::Damaged { seq: s, .. }) if s == seq);
                assert!(expected, "record {seq}, {len} bytes: {refused:?}");
                assert!(store.read(B, 0, 9).await.is_err() && store.head(B).await.is_err());
                subject.tamper(B, seq, |record| *record = good.clone()).await;
            } else {
                let recovered = store.recover(B).await.unwrap();
                assert_eq!(recovered.cut.unwrap().seq, 5, "{len} bytes");
                let head = recovered.head;
                assert_eq!((head.seq, head.entry, head.event), (4, 4, 4), "{len} bytes");
                assert_eq!(head.hash, whole[3].hash);
                store.append(B, small(5).split_off(4)).await.unwrap();
            }
        }
    }
    assert_eq!(store.read(B, 0, 9).await.unwrap().records, whole);
    assert!(verify(store, B).await.unwrap().is_sound());
}

/// Flips bit `n` of all bits of a record: of time, both hashes, and body.
fn flip(record: &mut Record, n: usize) -> bool {
    let mut bit = n;
    if bit < 64 {
        record.at.0 ^= 1 << bit;
        return true;
    }
    bit -= 64;
    for bytes in [&mut record.prev.0[..], &mut record.hash.0[..], &mut record.body[..]] {
        if bit < bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            return true;
        }
        bit -= bytes.len() * 8;
    }
    false
}

/// All bits of all records, the last one too. The check is the same for every store, so the
/// fastest will do; that the others use it is tested beside it.
#[tokio::test]
async fn every_bit_of_every_record_counts() {
    let store = MemoryStore::new();
    store.create_branch(meta()).await.unwrap();
    store.append(B, history(6)).await.unwrap();
    let mut flips = 0;
    for seq in 1..=6 {
        for bit in 0.. {
            let mut there = false;
            store.tamper(B, seq, |record| there = flip(record, bit));
            if !there {
                break;
            }
            flips += 1;
            let found = verify(&store, B).await.unwrap();
            let named = match (&found.damage, &found.cut) {
                (Some(StoreError::Damaged { seq, .. }), None) => Some(*seq),
                (None, Some(cut)) => Some(cut.seq),
                _ => None,
            };
            assert_eq!(named, Some(seq), "bit {bit} of record {seq}: {found:?}");
            store.tamper(B, seq, |record| {
                flip(record, bit);
            });
        }
    }
    assert!(flips > 10_000, "{flips}");
    assert!(verify(&store, B).await.unwrap().is_sound());
}
