//! House rules that prose cannot hold: dependency arrows, the code map, top level, lints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Our packages and what each may use of ours, outside tests (`design`: layer per crate).
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("content", &["core"]),
    ("engine", &["core", "content"]),
    ("sim", &["core", "content", "engine"]),
    ("store", &["core"]),
    ("host", &["core", "content", "engine", "store"]),
    ("api", &["core"]),
    ("cli", &["core", "content", "engine", "sim", "store", "host", "api"]),
    ("powerloss", &[]),
    ("tests", &["core", "content", "engine", "sim", "store", "host", "api"]),
];

/// Heavy or impure libraries, and the only crates that may name them.
const CONFINED: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("axum", &["api", "tests"]),
    ("utoipa", &["api"]),
    ("hyper", &["api"]),
    ("bevy_ecs", &["engine"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli", "tests"]),
    ("libc", &["powerloss"]),
    ("indicatif", &["cli", "tests"]),
];

/// Crates that may not reach these libraries at all, not even through others.
const PURE: &[&str] = &["core", "content", "engine"];
const IMPURE: &[&str] = &["tokio", "axum", "sqlx", "hyper", "getrandom", "mio"];

struct Metadata(serde_json::Value);

impl Metadata {
    fn load() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--no-deps", "--locked", "--offline"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Direct dependencies by package name, without those for tests only.
    fn dependencies(&self) -> BTreeMap<String, BTreeSet<String>> {
        let members = self.0["packages"].as_array().unwrap().iter();
        let ours = members.filter(|p| p["name"].as_str().unwrap().starts_with("dengmi-"));
        let name = |p: &serde_json::Value| p["name"].as_str().unwrap().to_owned();
        ours.map(|p| {
            let deps = p["dependencies"].as_array().unwrap().iter();
            let deps = deps.filter(|d| d["kind"].is_null()).map(name);
            (name(p), deps.collect())
        })
        .collect()
    }
}

/// Every package that `name` reaches outside its tests, on this platform.
fn reach(name: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", name, "-e", "normal", "--prefix", "none", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn crates_use_only_what_their_layer_may() {
    let dependencies = Metadata::load().dependencies();
    let known: BTreeSet<String> = ARROWS.iter().map(|(name, _)| format!("dengmi-{name}")).collect();
    assert_eq!(known, dependencies.keys().cloned().collect(), "every crate has its row");
    for (name, allowed) in ARROWS {
        let of = &dependencies[&format!("dengmi-{name}")];
        for used in of.iter().filter_map(|dep| dep.strip_prefix("dengmi-")) {
            assert!(allowed.contains(&used), "{name} must not use {used}");
        }
        for (library, homes) in CONFINED {
            assert!(
                !of.contains(*library) || homes.contains(name),
                "{name} must not use {library}"
            );
        }
    }
}

#[test]
fn the_engine_reaches_no_io() {
    for name in PURE {
        let reach = reach(&format!("dengmi-{name}"));
        assert!(reach.contains("serde"), "the walk finds what {name} uses");
        for library in IMPURE {
            assert!(!reach.contains(*library), "{name} reaches {library}");
        }
    }
}

#[test]
fn the_shipped_program_cannot_be_made_to_fail() {
    let features = |package: &str| {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "-p", package, "-e", "normal,features", "--prefix", "none"])
            .args(["--locked", "--offline"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let tests = features("dengmi-tests");
    let shipped = features("dengmi-cli");
    for found in ["failpoints", "dengmi-core feature \"mutants\""] {
        assert!(tests.contains(found), "the walk finds features");
    }
    for test_only in ["failpoints", "feature \"mutants\"", "dengmi-powerloss"] {
        assert!(!shipped.contains(test_only), "dengmi-cli has {test_only}");
    }
}

#[test]
fn the_code_map_names_every_crate_and_every_feature() {
    let map = read("ARCHITECTURE.md");
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "tests") {
        assert!(map.contains(&format!("`crates/{name}`")), "ARCHITECTURE.md lacks crates/{name}");
    }
    let named = |text: &str| map.contains(&format!("`{text}`"));
    for entry in std::fs::read_dir(root().join("crates/engine/src")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|ext| ext == "rs") && stem != "lib" {
            assert!(named(&stem), "ARCHITECTURE.md lacks the engine module {stem}");
        }
    }
    for line in map.lines().filter(|line| line.contains("`crates/")) {
        for part in line.split('`').filter(|part| part.starts_with("crates/")) {
            assert!(root().join(part).exists(), "ARCHITECTURE.md names {part}, which is gone");
        }
    }
}

#[test]
fn the_top_level_is_what_it_should_be() {
    let expected: BTreeSet<&str> = BTreeSet::from([
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "content",
        "courses",
        "crates",
        "deny.toml",
        "quests",
        "rust-toolchain.toml",
        "rustfmt.toml",
        "tests",
    ]);
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let Ok(output) = output else { return };
    let listed = String::from_utf8(output.stdout).unwrap();
    if listed.is_empty() {
        return; // an exported tree has no index to ask
    }
    let mut found: BTreeSet<&str> = listed
        .lines()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .collect();
    // Printed by `report` when somebody has measured.
    found.remove("docs");
    assert_eq!(found, expected);
}

#[test]
fn the_deterministic_crates_share_their_bans() {
    let core = read("crates/core/clippy.toml");
    for name in ["content", "engine"] {
        assert_eq!(core, read(&format!("crates/{name}/clippy.toml")), "{name}");
    }
    for name in PURE {
        let lib = read(&format!("crates/{name}/src/lib.rs"));
        assert!(lib.contains("#![deny(clippy::float_arithmetic)]"), "{name} allows floats");
    }
}

/// Rust sources of a folder.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn files_stay_readable() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    for path in files {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 900, "{} has {lines} lines: split it", path.display());
    }
}
