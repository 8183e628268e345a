//! Journals of earlier days must replay to the digests they had then. A golden journal carries the
//! content it was played with. `UPDATE_EXPECT=1` writes the next one beside those that are there;
//! an old one is never rewritten: what it says was promised.

use std::path::PathBuf;

use dengmi_content::SourceFile;
use dengmi_core::random::Seed;
use dengmi_core::{Batch, BranchId, Digest};
use dengmi_engine::{Engine, EngineConfig};
use dengmi_sim::workload::{self, Workload};
use serde::{Deserialize, Serialize};

/// A recorded campaign.
#[derive(Serialize, Deserialize)]
struct Golden {
    branch: BranchId,
    seed: Seed,
    branches: u16,
    /// Path and text of every file of every pack.
    packs: Vec<Vec<(String, String)>>,
    batches: Vec<Batch>,
    /// Chained digest after every batch.
    chain: Vec<Digest>,
}

const BATCHES: usize = 260;

fn folder() -> PathBuf {
    dengmi_tests::root().join("tests/golden")
}

fn record(seed: u64) -> Golden {
    let branch = BranchId(1);
    let packs = workload::packs().unwrap();
    let mut workload = Workload::new(seed, branch, &packs);
    let mut engine = workload.engine();
    let (mut batches, mut chain) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES {
        let batch = workload.next_batch(&engine);
        let applied = engine.apply(&batch).unwrap();
        workload.observe(&applied);
        batches.push(batch);
        chain.push(applied.digest);
    }
    let text = |file: SourceFile| (file.path, file.text);
    let packs = workload::files().map(|files| files.into_iter().map(text).collect()).into();
    let EngineConfig { branch, seed, branches } = workload.engine_config();
    Golden { branch, seed, branches, packs, batches, chain }
}

fn replay(name: &str, golden: &Golden) {
    let packs: Vec<_> = golden
        .packs
        .iter()
        .map(|files| {
            let files = files.iter().cloned().map(|(path, text)| SourceFile { path, text });
            workload::pack(&files.collect::<Vec<_>>()).expect("content that was sound stays sound")
        })
        .collect();
    let Golden { branch, seed, branches, .. } = *golden;
    let config = EngineConfig { branch, seed, branches };
    let mut engine = Engine::new(config, packs[0].clone());
    for pack in &packs[1..] {
        engine.offer(pack.clone());
    }
    for (batch, expected) in golden.batches.iter().zip(&golden.chain) {
        let applied = engine.apply(batch).unwrap();
        assert_eq!(applied.digest, *expected, "{name} batch {}", batch.seq);
    }
}

#[test]
fn golden_journals_replay_to_their_digests() {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        let number = std::fs::read_dir(folder()).unwrap().count() as u64 + 1;
        let bytes = postcard::to_stdvec(&record(number)).unwrap();
        let packed = zstd::encode_all(&bytes[..], 19).unwrap();
        std::fs::write(folder().join(format!("{number:04}.golden")), packed).unwrap();
    }
    let mut files: Vec<_> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 2, "golden journals are gone");
    for path in files {
        let bytes = zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap();
        let (golden, rest) = postcard::take_from_bytes::<Golden>(&bytes).unwrap();
        assert!(rest.is_empty() && golden.batches.len() >= BATCHES);
        replay(&path.display().to_string(), &golden);
    }
}
