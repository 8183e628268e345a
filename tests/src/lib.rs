//! Tests of the whole: architecture, determinism, golden journals, end to end. The library part
//! holds only what several of them share: the real binary, and an HTTP client of a few lines.

pub mod crash;
pub mod fuzz;
pub mod golden;
pub mod mutants;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use dengmi_content::SourceFile;
use serde_json::Value;

/// The repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
        .to_owned()
}

/// The content files below a folder, by their paths in it.
///
/// # Panics
/// Where one cannot be read.
#[must_use]
pub fn content_files(root: &Path) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let tops = ["content", "courses", "quests"].map(|folder| root.join(folder));
    let mut folders: Vec<PathBuf> = tops.into_iter().filter(|folder| folder.is_dir()).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ron") {
                let name = path.strip_prefix(root).expect("it lies below the folder");
                let name = name.to_str().expect("names are plain").to_owned();
                let text = std::fs::read_to_string(&path).expect("it can be read");
                files.push(SourceFile { path: name, text });
            }
        }
    }
    files
}

/// The `dengmi` binary, built once by the cargo that runs the tests.
///
/// # Panics
/// Where it does not build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--bin", "dengmi", "--locked", "--offline"])
            // Optimised where the test is: its figures are of the program as it is shipped.
            .args((!cfg!(debug_assertions)).then_some("--release"))
            .args(["--message-format", "json"])
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8_lossy(&output.stdout);
        let executable = messages.lines().find_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            (message["target"]["name"] == "dengmi")
                .then(|| message["executable"].as_str().map(PathBuf::from))?
        });
        executable.expect("cargo names the binary")
    })
}

/// Runs `dengmi` with shipped content and `data`.
#[must_use]
pub fn dengmi(data: &Path, args: &[&str]) -> Output {
    command(data, args).output().expect("the binary runs")
}

fn command(data: &Path, args: &[&str]) -> Command {
    command_on(&root(), data, args)
}

fn command_on(content: &Path, data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("--data").arg(data).arg("--content").arg(content).args(args);
    command.stdin(Stdio::null());
    command
}

/// Adds an operator account.
///
/// # Panics
/// Where the command fails.
pub fn add_user(data: &Path, login: &str, password: &str, args: &[&str]) {
    let mut child = command(data, &[&["user", "add", login], args].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let line = format!("{password}\n");
    child.stdin.take().expect("piped").write_all(line.as_bytes()).expect("it reads the password");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A running server.
pub struct Server {
    child: Child,
    /// `127.0.0.1:port`.
    pub address: String,
}

impl Server {
    /// Starts `dengmi serve`, or another command that serves, on a free port and waits until it is
    /// ready.
    ///
    /// # Panics
    /// Where it does not become ready within a minute.
    #[must_use]
    pub fn start(data: &Path, args: &[&str]) -> Self {
        Self::start_with(&root(), data, args, &[])
    }

    /// As [`Server::start`], with content of its own.
    ///
    /// # Panics
    /// Where it does not become ready within a minute.
    #[must_use]
    pub fn start_on(content: &Path, data: &Path, args: &[&str]) -> Self {
        Self::start_with(content, data, args, &[])
    }

    /// As [`Server::start`], with more environment variables.
    ///
    /// # Panics
    /// Where it does not become ready within a minute.
    #[must_use]
    pub fn start_in(data: &Path, args: &[&str], variables: &[(&str, &OsStr)]) -> Self {
        Self::start_with(&root(), data, args, variables)
    }

    fn start_with(
        content: &Path,
        data: &Path,
        args: &[&str],
        variables: &[(&str, &OsStr)],
    ) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = free.local_addr().expect("it is bound").to_string();
        drop(free);
        let mut child = command_on(content, data, args)
            .args(["--listen", &address])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // What it prints must be read, or it would wait for us.
        for stream in [
            Box::new(child.stdout.take().expect("piped")) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().expect("piped")),
        ] {
            std::thread::spawn(move || for _ in BufReader::new(stream).lines() {});
        }
        let mut server = Self { child, address };
        for _ in 0..600 {
            if server.get("/readyz", None).is_ok_and(|answer| answer.status == 200) {
                return server;
            }
            let ended = server.child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server did not become ready");
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it like a power switch: no time to tidy up.
    pub fn kill(mut self) {
        // Killing a process that has just ended by itself is no fault of the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Reads.
    ///
    /// # Errors
    /// Where no answer came.
    pub fn get(&self, path: &str, token: Option<&str>) -> std::io::Result<Answer> {
        request(&self.address, "GET", path, token, None)
    }

    /// Writes, with a fresh idempotency key.
    ///
    /// # Errors
    /// Where no answer came: what was asked may or may not have been done.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> std::io::Result<Answer> {
        let key = uuid::Uuid::now_v7().to_string();
        request(&self.address, method, path, token, Some((&key, body)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, `Null` where it is not JSON.
    pub json: Value,
}

/// One request on a connection of its own.
///
/// # Errors
/// Where no complete answer came.
pub fn request(
    address: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<(&str, &Value)>,
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    if let Some(token) = token {
        head += &format!("authorization: Bearer {token}\r\n");
    }
    let text = body.map(|(_, body)| body.to_string()).unwrap_or_default();
    if let Some((key, _)) = body {
        let length = text.len();
        head += &format!(
            "idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
        );
    }
    stream.write_all(format!("{head}\r\n{text}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let answer = String::from_utf8_lossy(&bytes);
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(cut)?;
    let json = serde_json::from_str(body).unwrap_or(Value::Null);
    Ok(Answer { status, json })
}
