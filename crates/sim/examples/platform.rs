//! Plays campaigns (courses with mock investing among them), walks mock markets and prints their
//! digests, for comparing one platform with another:
//!
//! ```sh
//! platform 1 200 500            # seeds 1 to 200, 500 batches with faults each
//! ```
//!
//! Built for `wasm32-wasip1` and run by node it must print what the native build prints.

#![expect(clippy::print_stdout, reason = "what it prints is what is compared")]

use std::process::ExitCode;

use dengmi_content::Pack;
use dengmi_engine::market::{MarketSeed, Path};
use dengmi_sim::vet::{Library, trial};

/// Days of the market paths that are compared.
const MARKET_DAYS: u16 = 60;

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
    let pack = match dengmi_sim::market::shipped() {
        Ok(pack) => pack,
        Err(faults) => {
            println!("the shipped market is refused: {faults:?}");
            return ExitCode::from(1);
        }
    };
    for seed in first..=last {
        markets(&pack, seed).for_each(|line| println!("{seed} {line}"));
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

/// The digests of paths of the shipped market under every shipped script.
fn markets(pack: &Pack, seed: u64) -> impl Iterator<Item = String> {
    pack.scenarios.iter().filter_map(move |(id, scenario)| {
        let market = pack.markets.get(&scenario.market)?;
        let seed = MarketSeed::from_number(seed);
        let path = Path::generate(market, &scenario.shocks, &seed, MARKET_DAYS);
        Some(format!("{id} {}", path.digest()))
    })
}
