//! Writes docs/PERFORMANCE.md and docs/RELIABILITY.md: runs what they speak of and keeps what it
//! printed, with the command, the machine and the date. Nobody writes a figure by hand.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// A command and why anybody would run it.
struct Step {
    why: &'static str,
    /// What a reader types.
    command: &'static str,
}

struct Report {
    file: &'static str,
    title: &'static str,
    intro: &'static str,
    steps: &'static [Step],
}

const PERFORMANCE: Report = Report {
    file: "docs/PERFORMANCE.md",
    title: "Performance",
    intro: "What the commands below printed on one machine, one after the other. Absolute figures \
            drift from machine to machine and hour to hour; ratios to what is measured beside them \
            in the same run are what counts. Targets stand beside the figures where the command \
            prints them.",
    steps: &[
        Step {
            why: "The engine: a month of check-ins, rounds and reactions through ordinary \
                  commands, with rules, limits, double entry and standings on, beside a plain loop \
                  over arrays. Points are compared member by member.",
            command: "dengmi bench month --members 1000",
        },
        Step { why: "The same, ten times as many.", command: "dengmi bench month --members 10000" },
        Step { why: "One full branch.", command: "dengmi bench month --members 20000" },
        Step { why: "Five branches.", command: "dengmi bench month --members 100000" },
        Step { why: "Fifty branches.", command: "dengmi bench month --members 1000000" },
        Step {
            why: "Fifty branches on two threads.",
            command: "dengmi bench month --members 1000000 --threads 2",
        },
        Step {
            why: "Applying a recorded journal again: about 10,000 commands.",
            command: "dengmi bench replay --members 1000 --days 10",
        },
        Step {
            why: "About 10^5 commands.",
            command: "dengmi bench replay --members 10000 --days 10",
        },
        Step {
            why: "About 6 x 10^5 commands.",
            command: "dengmi bench replay --members 20000 --days 30",
        },
        Step {
            why: "About 10^7 commands.",
            command: "dengmi bench replay --members 340000 --days 30",
        },
        Step { why: "Saving and restoring a state.", command: "dengmi bench save --members 20000" },
        Step {
            why: "The same for fifty branches.",
            command: "dengmi bench save --members 1000000",
        },
        Step {
            why: "A cohort of 200 through the course of 14 days, in which everybody does everything, \
                  beside the community month.",
            command: "dengmi bench course",
        },
        Step {
            why: "200 such cohorts at once on one branch.",
            command: "dengmi bench course --cohorts 200",
        },
        Step {
            why: "The live server beside a bare HTTP server and the disk, load on the same \
                  processors.",
            command: "dengmi bench live",
        },
    ],
};

const RELIABILITY: Report = Report {
    file: "docs/RELIABILITY.md",
    title: "Reliability",
    intro: "What the commands below printed. Each ends with an error where anything acknowledged is \
            lost, anything counts twice, or two ways to the same state differ; all of them are run, \
            with smaller numbers, before every change lands.",
    steps: &[
        Step {
            why: "Drawn campaigns with drawn faults; an auditor that shares no rule code with the \
                  engine looks at every batch.",
            command: "dengmi vet --seeds 2000 --ticks 500 --threads 2",
        },
        Step {
            why: "The process ends at every step of a commit, snapshot, checkpoint and recovery.",
            command: "crash points",
        },
        Step {
            why: "The process is killed at random moments.",
            command: "crash kill --cycles 2000",
        },
        Step {
            why: "The power fails: what was never synced is gone or half there.",
            command: "crash power --cycles 1000",
        },
        Step {
            why: "The disk runs full and has space again.",
            command: "crash full --budgets 200",
        },
        Step { why: "Logs torn at every byte.", command: "crash torn" },
        Step { why: "Single bits flipped.", command: "crash flips" },
        Step { why: "Planted bugs, each to be found by one of our proofs.", command: "mutants" },
        Step {
            why: "The mock market against its targets.",
            command: "dengmi market check --threads 2",
        },
    ],
};

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let report = match wanted.as_str() {
        "performance" => &PERFORMANCE,
        "reliability" => &RELIABILITY,
        _ => {
            say("report performance | reliability");
            return ExitCode::from(2);
        }
    };
    match write(report) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            say(&format!("{}: {error}", report.file));
            ExitCode::from(1)
        }
    }
}

/// Whether every command succeeded; what failed is in the report too.
fn write(report: &Report) -> std::io::Result<bool> {
    let root = dengmi_tests::root();
    let mut text = format!("# {}\n\n{}\n\n{}\n", report.title, report.intro, machine());
    let mut well = true;
    for Step { why, command } in report.steps {
        say(command);
        let began = Instant::now();
        let output = run(&root, command)?;
        let seconds = began.elapsed().as_secs_f64();
        well &= output.status.success();
        let printed = String::from_utf8_lossy(&output.stdout);
        // Where this machine keeps what is thrown away is nobody's business.
        let printed = printed.replace(&*std::env::temp_dir().to_string_lossy(), "$TMPDIR");
        let ended = if output.status.success() { "" } else { " and **failed**" };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n## `{command}`\n{why} It took {seconds:.1} s{ended}.\n\n```text\n{}\n```\n",
            printed.trim_end(),
        );
    }
    let file = root.join(report.file);
    std::fs::create_dir_all(root.join("docs"))?;
    std::fs::write(file, text)?;
    Ok(well)
}

/// Runs one of our own programs, from the folder this one lies in.
fn run(root: &Path, command: &str) -> std::io::Result<std::process::Output> {
    let mut words = command.split(' ');
    let name = words.next().unwrap_or_default();
    let folder = std::env::current_exe()?.parent().map(Path::to_path_buf).unwrap_or_default();
    Command::new(folder.join(name))
        .args(words)
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
}

/// Processors, memory, kernel and date, as the system tells them.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let date = Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    let date = date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "Begun {}, at commit {}, on {processors} processors ({processor}), {memory} of memory, \
         Linux {}, load before {}.",
        date.unwrap_or_default(),
        commit.unwrap_or_default(),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
    )
}

#[expect(clippy::print_stderr, reason = "a program that says how far it is")]
fn say(text: &str) {
    eprintln!("{text}");
}
