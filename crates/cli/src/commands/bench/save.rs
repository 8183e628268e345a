//! `dengmi bench save`: snapshots of large states.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use dengmi_core::Digest;
use dengmi_engine::Engine;
use dengmi_sim::month::MonthConfig;
use dengmi_store::snapshot::{self, SnapshotMeta};

use super::shards;
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::terminal;

/// Measure saving and restoring.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Save {
    /// 成员数 Members, in branches of 20,000
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    members: u32,
    /// 天数 Days they have lived before
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=30))]
    days: u16,
}

impl Save {
    /// Measures and prints.
    ///
    /// # Errors
    /// A state is not the same after it was restored, or files cannot be written.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let config = MonthConfig::new(1, self.members, self.days);
        let bar = terminal::progress(global, "社群月 community month", 0);
        let pack = shards::pack()?;
        let (mut lived, _) = shards::live(&config, &pack, 1, |_| {})?;
        bar.finish_and_clear();
        let packs = BTreeMap::from([(pack.digest, pack)]);
        let folder = std::env::temp_dir().join(format!("dengmi-bench-{}", std::process::id()));
        std::fs::create_dir(&folder).map_err(|error| CliError::file(&folder, &error))?;
        let mut sums = Sums::default();
        let measured = lived.iter_mut().try_for_each(|lived| sums.measure(lived, &packs, &folder));
        // What was measured counts more than a folder that stays behind.
        let _ = std::fs::remove_dir_all(&folder);
        measured?;
        terminal::print(&format!(
            "{} 成员 members 之后 after {} 天 days, {} 分行 branches",
            self.members,
            self.days,
            config.shards()
        ))?;
        let each = |bytes: u64| bytes as f64 / f64::from(self.members.max(1));
        let row = |what: &str, time: Duration, bytes: u64| {
            format!("{what:<34} {:>9.3} s {:>9.1} bytes a member", time.as_secs_f64(), each(bytes))
        };
        terminal::print(&row("Engine::save", sums.save, sums.bytes))?;
        terminal::print(&row("compressed, hashed, on disk", sums.write, sums.on_disk))?;
        terminal::print(&row("read, checked", sums.read, sums.on_disk))?;
        terminal::print(&row("Engine::restore", sums.restore, sums.bytes))?;
        terminal::print(&format!(
            "最长一个分行 longest branch: save {:.1} ms (writes wait for it; at most 50 ms wanted)",
            sums.longest_save.as_secs_f64() * 1e3
        ))
    }
}

#[derive(Default)]
struct Sums {
    save: Duration,
    longest_save: Duration,
    write: Duration,
    read: Duration,
    restore: Duration,
    bytes: u64,
    on_disk: u64,
}

impl Sums {
    fn measure(
        &mut self,
        lived: &mut shards::Lived,
        packs: &BTreeMap<Digest, std::sync::Arc<dengmi_content::Pack>>,
        folder: &std::path::Path,
    ) -> Result<()> {
        let began = Instant::now();
        let state = lived.engine.save();
        let saved = began.elapsed();
        self.save += saved;
        self.longest_save = self.longest_save.max(saved);
        self.bytes += state.len() as u64;
        let config = lived.shard.engine_config();
        let meta = SnapshotMeta {
            branch: config.branch,
            seq: lived.engine.seq(),
            at: lived.engine.at(),
            packs: packs.keys().copied().collect(),
            journal: Digest::default(),
        };
        let began = Instant::now();
        let path = snapshot::write(folder, &meta, &state)?;
        self.write += began.elapsed();
        let size = std::fs::metadata(&path).map_err(|error| CliError::file(&path, &error))?.len();
        self.on_disk += size;
        let began = Instant::now();
        let read = snapshot::read(&path)?;
        self.read += began.elapsed();
        let began = Instant::now();
        let restored = Engine::restore(config, packs, &read.state);
        self.restore += began.elapsed();
        let mut restored = restored.map_err(CliError::internal)?;
        if restored.save() != state {
            let message = "a restored state is not the one that was saved";
            return Err(CliError::damaged(message, "this is a fault; please report it"));
        }
        Ok(())
    }
}
