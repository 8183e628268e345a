//! Plants every mutant and has our proofs look for it. Ends with 1 where one survives, or where a
//! proof finds fault with the build as it is.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use dengmi_core::mutant::ALL;
use dengmi_tests::crash::Setup;
use dengmi_tests::crash::worker::Worker;
use dengmi_tests::mutants::{Budget, Ground, run};

/// 植入错误 · Planted bugs: each of them must be caught, and nothing else.
#[derive(Parser)]
struct Arguments {
    /// Only mutants that begin like this.
    #[arg(long, default_value = "")]
    only: String,
    /// List them and what they do wrong.
    #[arg(long)]
    list: bool,
    /// Campaigns that the auditor may look at for one mutant.
    #[arg(long, default_value_t = Budget::default().seeds)]
    seeds: u64,
    /// Batches with faults of each.
    #[arg(long, default_value_t = Budget::default().ticks)]
    ticks: u32,
    /// Kills for one mutant.
    #[arg(long, default_value_t = Budget::default().kills)]
    kills: u64,
    /// Power cuts for one mutant.
    #[arg(long, default_value_t = Budget::default().cuts)]
    cuts: u64,
    /// Flipped bits for one mutant.
    #[arg(long, default_value_t = Budget::default().bits)]
    bits: u64,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// The process that is killed.
    #[command(hide = true)]
    Worker(Worker),
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn main() -> ExitCode {
    let Arguments { only, list, seeds, ticks, kills, cuts, bits, part } = Arguments::parse();
    if let Some(Part::Worker(worker)) = part {
        return worker.run();
    }
    if list {
        ALL.iter().for_each(|mutant| println!("{:26} {}", mutant.name, mutant.wrong));
        return ExitCode::SUCCESS;
    }
    let began = Instant::now();
    let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("mutants"));
    let ground = Ground::new(Setup::new(own, 1, |_| {}));
    // A mutant that makes the engine panic is caught; what the panic says is in the table.
    std::panic::set_hook(Box::new(|_| {}));
    let budget = Budget { seeds, ticks, kills, cuts, bits };
    let verdicts = run(&ground, &only, budget, |verdict| println!("{}", verdict.line()));
    let planted = verdicts.iter().filter(|verdict| verdict.mutant.is_some()).count();
    let survivors = verdicts.iter().filter(|v| v.mutant.is_some() && !v.is_right()).count();
    let false_alarms = verdicts.iter().filter(|v| v.mutant.is_none() && !v.is_right()).count();
    println!(
        "{planted} mutants, {} caught, {survivors} survive; {false_alarms} false alarms; {:.0} s",
        planted - survivors,
        began.elapsed().as_secs_f64()
    );
    if planted == 0 || survivors + false_alarms > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
