//! Starting the worker as a process of its own, and ending it.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use dengmi_core::mutant;

use super::Setup;
use super::worker::Plan;

/// A worker at work.
pub struct Worker {
    child: Child,
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It did all it was asked to.
    Finished,
    /// By a signal.
    Killed,
    /// It gave up; what it said.
    Failed(String),
}

impl Worker {
    /// Starts one. `more` arguments and `variables` come on top of the plan.
    ///
    /// # Panics
    /// Where no process can be started.
    #[must_use]
    pub fn start(setup: &Setup, plan: &Plan, more: &[&str], variables: &[(&str, &OsStr)]) -> Self {
        let mut command = Command::new(&setup.worker);
        command.arg("worker");
        command.arg("--folder").arg(&plan.folder).arg("--acks").arg(&plan.acks);
        command.arg(format!("--shift-ms={}", plan.shift_ms));
        command.arg("--again").arg(plan.again.argument());
        command.arg("--units").arg(plan.units.argument());
        command.arg("--tasks").arg(plan.tasks.to_string());
        command.arg("--snapshot-commands").arg(plan.snapshot_commands.to_string());
        if plan.jump {
            command.arg("--jump");
        }
        if plan.ack_early {
            command.arg("--ack-early");
        }
        if let Some(mutant) = mutant::current() {
            command.args(["--plant", mutant.name]);
        }
        command.args(more).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { child: command.spawn().expect("a process can be started") }
    }

    /// Waits until it takes commands; false where it ended before.
    pub fn ready(&mut self) -> bool {
        let Some(out) = self.child.stdout.as_mut() else { return false };
        out.read_exact(&mut [0]).is_ok()
    }

    /// Whether it has not ended.
    pub fn works(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it like a power switch, unless it has ended.
    pub fn kill(&mut self) {
        // Killing a process that has just ended by itself is no fault of the test.
        let _ = self.child.kill();
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where the operating system does not know it.
    #[must_use]
    pub fn wait(self) -> End {
        let output = self.child.wait_with_output().expect("it can be waited for");
        match output.status.code() {
            None => End::Killed,
            Some(0) => End::Finished,
            Some(_) => End::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }
}

/// The library that is preloaded, built once by the cargo that built this.
///
/// # Panics
/// Where it does not build.
pub fn preload() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["build", "-p", "dengmi-powerloss", "--locked", "--offline"])
            .args(["--message-format", "json"])
            .current_dir(crate::root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8_lossy(&output.stdout);
        let file = messages.lines().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            let ours = message["target"]["name"] == "dengmi_powerloss";
            let name = message["filenames"].as_array()?.first()?.as_str()?;
            ours.then(|| PathBuf::from(name))
        });
        file.expect("cargo names the library")
    })
}
