//! Plays campaigns and prints their digests, for comparing one platform with another:
//!
//! ```sh
//! platform 1 200 500            # seeds 1 to 200, 500 batches with faults each
//! ```
//!
//! Built for `wasm32-wasip1` and run by node it must print what the native build prints.

#![expect(clippy::print_stdout, reason = "what it prints is what is compared")]

use std::process::ExitCode;

use dengmi_sim::vet::{Library, trial};

fn main() -> ExitCode {
    let numbers: Result<Vec<u64>, _> = std::env::args().skip(1).map(|text| text.parse()).collect();
    let Ok(&[first, last, ticks]) = numbers.as_deref() else {
        println!("platform FIRST-SEED LAST-SEED TICKS");
        return ExitCode::from(2);
    };
    let library = match Library::new() {
        Ok(library) => library,
        Err(faults) => {
            println!("the workload's content is refused: {faults:?}");
            return ExitCode::from(1);
        }
    };
    for seed in first..=last {
        match trial(&library, seed, ticks as u32, false) {
            Ok((report, record)) => println!("{seed} {} {}", report.digest, record.state),
            Err(failure) => {
                println!("{failure}");
                return ExitCode::from(1);
            }
        }
    }
    ExitCode::SUCCESS
}
