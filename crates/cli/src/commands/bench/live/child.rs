//! A measured process, and what the system says of it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::{CliError, Result};

/// Clock ticks a second in `/proc`, on every Linux there is.
const TICKS: f64 = 100.0;

/// A running server.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts this program again as a server and waits until it is ready.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start(folder: &Path, arguments: &[&str]) -> Result<Self> {
        let program = std::env::current_exe().map_err(CliError::internal)?;
        let mut child = Command::new(program)
            .args(["bench", "live-server", "--dir"])
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(CliError::internal)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(CliError::internal)?;
        }
        match line.trim().parse() {
            Ok(address) => Ok(Self { child, address }),
            Err(_) => {
                let _ = child.wait();
                Err(CliError::unavailable("the measured server did not start", ""))
            }
        }
    }

    /// Processor seconds used so far, of all its threads; `None` where the system does not say.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        cpu_seconds(&text)
    }

    /// Resident memory in MB (10^6 bytes); `None` where the system does not say.
    pub(super) fn resident_mb(&self) -> Option<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib * 1024.0 / 1e6)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It stops when its input ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name is in brackets and may hold anything; after it, times are fields 12 and 13.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a ) 1 2) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0";
        assert_eq!(super::cpu_seconds(stat), Some(1.75));
        assert_eq!(super::cpu_seconds("7 (a"), None);
    }
}
