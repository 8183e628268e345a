//! `cargo run --profile fuzz -p dengmi-tests --bin fuzz -- --target pack --runs 1000000 --seed 7`
//!
//! Feeds targets with inputs mutated from their corpora. What breaks one is written to a file in
//! the corpus of the target, where an ordinary test runs it from then on.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it speaks to who started it")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use dengmi_tests::fuzz::{Found, TARGETS, Target, drive};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const USAGE: &str = "\
用法 Usage: fuzz [--target NAME|all] [--runs N] [--seed N]
       fuzz --target NAME --input FILE      只跑一个文件 run one file only";

struct Options {
    target: String,
    runs: u64,
    seed: u64,
    input: Option<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { target: "all".to_owned(), runs: 100_000, seed: 1, input: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"))?;
        let number = || value.parse().map_err(|_| format!("{value} is no number\n{USAGE}"));
        match word.as_str() {
            "--target" => options.target = value,
            "--runs" => options.runs = number()?,
            "--seed" => options.seed = number()?,
            "--input" => options.input = Some(value),
            _ => return Err(format!("{word} is not known\n{USAGE}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let named = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    let chosen: Vec<&Target> =
        TARGETS.iter().filter(|t| ["all", t.name].contains(&options.target.as_str())).collect();
    if chosen.is_empty() {
        return Err(format!("no target {}; there are {}\n{USAGE}", options.target, named()));
    }
    if let Some(path) = &options.input {
        let input = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        for target in chosen {
            println!("{}: {}", target.name, (target.run)(&input).join(", "));
        }
        return Ok(());
    }
    // What a broken target says is told once, with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let broken: Vec<String> = chosen.iter().filter_map(|t| one(t, options).err()).collect();
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n")) }
}

fn one(target: &Target, options: &Options) -> Result<(), String> {
    let bar = ProgressBar::with_draw_target(
        Some(options.runs + target.corpus().len() as u64),
        ProgressDrawTarget::stderr_with_hz(4),
    );
    let style =
        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {per_sec} {msg} {eta}");
    bar.set_style(style.map_err(|error| error.to_string())?);
    bar.set_prefix(target.name);
    let began = Instant::now();
    let found = drive(target, options.runs, options.seed, |found| {
        bar.set_position(found.runs);
        if found.runs.is_multiple_of(256) {
            bar.set_message(format!("{} outcomes", found.reached.len()));
        }
    });
    bar.finish_and_clear();
    tell(target, &found, began.elapsed());
    let Some((input, said)) = found.broken else { return Ok(()) };
    let seed = options.seed;
    let path = target.folder().join(format!("failed-{seed}-{}", found.runs));
    let written =
        std::fs::create_dir_all(target.folder()).and_then(|()| std::fs::write(&path, input));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Err(format!(
        "{}: broken by execution {} of seed {seed}: {said}\n\
         again: cargo run -p dengmi-tests --bin fuzz -- --target {} --input {}",
        target.name,
        found.runs,
        target.name,
        path.display()
    ))
}

fn tell(target: &Target, found: &Found, took: Duration) {
    let rate = found.runs as f64 / took.as_secs_f64().max(0.001);
    println!(
        "{}: {} executions in {:.1} s, {rate:.0}/s, {} distinct outcomes",
        target.name,
        found.runs,
        took.as_secs_f64(),
        found.reached.len()
    );
    for (what, count) in &found.reached {
        println!("  {count:>9}  {what}");
    }
}
