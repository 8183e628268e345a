//! Crashes by the thousand: kills, power cuts, full disks. Ends with 1 where anything acknowledged
//! is lost, or anything counts twice.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dengmi_tests::crash::worker::Worker;
use dengmi_tests::crash::{Outcome, Setup, damage, full, kill, points, power};

/// 崩溃演练 · Crash drills: whatever happens, nothing acknowledged is lost and nothing counts twice.
#[derive(Parser)]
struct Arguments {
    /// Makes the draws of a drill repeatable.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    drill: Drill,
}

#[derive(Subcommand)]
enum Drill {
    /// 逐步 · End the process at every step of a commit, snapshot, checkpoint and recovery.
    Points {
        /// Times each step is passed that are tried.
        #[arg(long, default_value_t = points::OCCURRENCES)]
        occurrences: u32,
        /// Only steps that begin like this.
        #[arg(long, default_value = "")]
        only: String,
    },
    /// 强杀 · Kill the process at random moments.
    Kill {
        /// Kills.
        #[arg(long, default_value_t = 1_000)]
        cycles: u64,
        /// Plant a fault that must be found: acknowledge before asking.
        #[arg(long)]
        ack_early: bool,
    },
    /// 断电 · Cut the power: what was never synced may be gone, or half there.
    Power {
        /// Power cuts.
        #[arg(long, default_value_t = 300)]
        cycles: u64,
        /// Plant a fault that must be found: SQLite's `synchronous = NORMAL`.
        #[arg(long)]
        sync_seldom: bool,
    },
    /// 磁盘满 · Let the disk run full, and give space back.
    Full {
        /// Sizes of disks tried.
        #[arg(long, default_value_t = 200)]
        budgets: u64,
    },
    /// 断尾 · Cut the write-ahead log at every byte of its last three commits.
    Torn {
        /// Of pages' contents, only every so many bytes.
        #[arg(long, default_value_t = 61)]
        stride: u64,
    },
    /// 坏位 · Flip bits of the database.
    Flips {
        /// Bits, one at a time.
        #[arg(long, default_value_t = 10_000)]
        bits: u64,
    },
    /// The process that is killed.
    #[command(hide = true)]
    Worker(Worker),
}

fn main() -> ExitCode {
    let Arguments { seed, drill } = Arguments::parse();
    let setup = || {
        let worker = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("crash"));
        Setup::new(worker, seed, progress)
    };
    let (name, outcome) = match drill {
        Drill::Points { occurrences, only } => {
            let all = points::all().iter().copied();
            let chosen: Vec<&str> = all.filter(|point| point.starts_with(&only)).collect();
            ("points", points::run(&setup(), occurrences, &chosen))
        }
        Drill::Kill { cycles, ack_early } => ("kill", kill::run(&setup(), cycles, ack_early)),
        Drill::Power { cycles, sync_seldom } => {
            ("power", power::run(&setup(), cycles, sync_seldom))
        }
        Drill::Full { budgets } => ("full", full::run(&setup(), budgets)),
        Drill::Torn { stride } => ("torn", damage::torn(&setup(), stride)),
        Drill::Flips { bits } => ("flips", damage::flips(&setup(), bits)),
        Drill::Worker(worker) => return worker.run(),
    };
    report(name, seed, &outcome)
}

#[expect(clippy::print_stdout, reason = "this is a program")]
fn report(name: &str, seed: u64, outcome: &Outcome) -> ExitCode {
    print!("{name}, seed {seed}\n{}", outcome.table());
    if outcome.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("  {}", outcome.faults.words());
        ExitCode::FAILURE
    }
}

#[expect(clippy::print_stderr, reason = "this is a program")]
fn progress(line: &str) {
    eprintln!("{line}");
}
