//! The `dengmi` command. Sole owner of environment, files, processes and terminal.

mod args;
mod backend;
mod commands;
mod content;
mod data;
mod error;
mod layout;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use error::CliError;

fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let result = match command {
        Command::Check(check) => check.run(&global),
        Command::Explain(explain) => explain.run(),
        Command::Course(course) => course.run(&global),
        Command::Demo(demo) => demo.run(&global),
        Command::Serve(serve) => serve.run(&global),
        Command::Replay(replay) => replay.run(&global),
        Command::Verify(verify) => verify.run(&global),
        Command::Ledger(ledger) => ledger.run(&global),
        Command::Market(market) => market.run(&global),
        Command::Cohort(cohort) => cohort.run(&global),
        Command::Member(member) => member.run(&global),
        Command::User(user) => user.run(&global),
        Command::Bench(bench) => bench.run(&global),
        Command::Vet(vet) => vet.run(&global),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::say(&error.to_string());
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Runs a command that waits for other things.
fn block_on<T>(work: impl Future<Output = error::Result<T>>) -> error::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::internal)?;
    runtime.block_on(work)
}
