//! `dengmi replay`.

use clap::{Args, ValueEnum};
use dengmi_core::BranchId;
use dengmi_host::{Packs, replay};
use dengmi_store::{BranchMeta, Journal as _, SqliteStore, snapshot};

use crate::args::Global;
use crate::error::{CliError, Result};
use crate::{block_on, data, terminal};

/// Apply the journal again and compare every digest.
#[derive(Args, Debug)]
#[command(after_help = "\
每条记录重新计算一遍，与当时的结果逐条比对；第一处不同会指出记录号和时间，退出码 3。
Every record is applied again and compared with what it gave; the first difference is named with
record and time, and the exit code is 3. Stop the server first.

示例 Examples:
  dengmi replay
  dengmi replay --branch b1 --from snapshot")]
pub(crate) struct Replay {
    /// 分行，缺省为全部 The branch [default: all]
    #[arg(long, value_name = "N", value_parser = data::branch_arg)]
    branch: Option<BranchId>,
    /// 从哪里开始 From where
    #[arg(long, value_enum, default_value_t = From::Both)]
    from: From,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    /// From the first record
    Beginning,
    /// From the newest snapshot
    Snapshot,
    /// From the first record, and from every snapshot
    Both,
}

impl Replay {
    /// Runs it.
    ///
    /// # Errors
    /// A digest differs, or the data cannot be read.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        block_on(async {
            let store = data::open(global, false).await?;
            for meta in data::branches(&store, self.branch).await? {
                self.branch(global, &store, &meta).await?;
            }
            Ok(())
        })
    }

    async fn branch(&self, global: &Global, store: &SqliteStore, meta: &BranchMeta) -> Result<()> {
        let branch = meta.branch;
        let packs = Packs::default();
        let end = store.recover(branch).await?.head;
        let mut found = snapshot::list(&data::snapshots(global), branch)?;
        match self.from {
            From::Beginning => found.clear(),
            From::Snapshot => found.truncate(1),
            From::Both => {}
        }
        let mut starts: Vec<Option<(u64, std::path::PathBuf)>> =
            found.into_iter().map(Some).collect();
        if self.from != From::Snapshot || starts.is_empty() {
            starts.insert(0, None);
        }
        let mut ends = Vec::new();
        for start in starts {
            let bar = terminal::progress(global, &format!("{branch}"), end.seq);
            let mut told = |seq, _| bar.set_position(seq);
            let began = std::time::Instant::now();
            let replayed = match &start {
                None => replay::from_beginning(store, meta, &packs, &mut told).await,
                Some((_, path)) => {
                    replay::from_snapshot(store, meta, &packs, path, &mut told).await
                }
            };
            bar.finish_and_clear();
            let mut replayed = replayed?;
            ends.push((replayed.from, replayed.engine.digest()));
            let seconds = began.elapsed().as_secs_f64();
            let rate = replayed.commands as f64 / seconds.max(1e-9);
            terminal::print(&format!(
                "{branch} 一致 same: from {} to {}, {} records, {} commands, {} whole states, {seconds:.2} s, {rate:.0} commands/s, chain {}",
                replayed.from,
                replayed.engine.seq(),
                replayed.records,
                replayed.commands,
                replayed.states,
                replayed.engine.chain().short(),
            ))?;
        }
        // Wherever one begins, one must end in the same state.
        match ends.windows(2).find(|pair| pair[0].1 != pair[1].1) {
            None => Ok(()),
            Some(pair) => {
                let (one, other) = (pair[0].0, pair[1].0);
                let message = format!("{branch}: starting at {one} or at {other} gives two states");
                Err(CliError::damaged(message, "keep the folder as it is, and report this"))
            }
        }
    }
}
