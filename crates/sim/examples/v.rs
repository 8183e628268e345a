#![allow(missing_docs, clippy::print_stdout, reason = "scratch")]
use dengmi_sim::vet::*;
fn main() {
    let a: Vec<u64> = std::env::args().skip(1).map(|s| s.parse().unwrap()).collect();
    let lib = Library::new().unwrap();
    let mut cov = Coverage::default();
    let t = std::time::Instant::now();
    let mut bad = 0;
    let mut kinds = std::collections::BTreeMap::new();
    for seed in a[0]..a[0] + a[1] {
        match trial(&lib, seed, a[2] as u32, seed % 10 == 0) {
            Ok((r, _)) => cov.add(&r),
            Err(f) => {
                bad += 1;
                let n = kinds.entry(f.finding.invariant).or_insert(0);
                *n += 1;
                println!("{f}");
                if *n <= 2 && a.len() > 3 {
                    if let Some(s) = shrink(&f, 3000) {
                        println!("  small: {} batches, {} ", s.journal.len(), s.finding);
                        for b in &s.journal {
                            println!("   {} {}", b.seq, b.at);
                            for c in &b.commands {
                                println!("       {:?} {:?}", c.actor, c.action);
                            }
                        }
                    }
                }
            }
        }
    }
    println!(
        "{bad} bad {kinds:?}, {:?}, ticks {} commands {}",
        t.elapsed(),
        cov.ticks,
        cov.commands
    );
    println!("never: {:#?}", cov.never(&lib));
    println!("{:?}", cov.seen);
    println!("{:?}", cov.struck);
}
