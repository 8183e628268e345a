//! `dengmi verify`.

mod market;

use clap::{Args, Subcommand};
use dengmi_core::BranchId;
use dengmi_store::{SqliteStore, snapshot, verify};

use crate::args::Global;
use crate::error::{CliError, Result};
use crate::{block_on, data, terminal};

/// Verify data.
#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// 日志、积分账和快照 Hash chain of the journal, sums of the ledger, snapshots
    Journal(Journal),
    /// 公布的模拟行情 Published prices of a mock market, from the revealed secret
    Market(market::Market),
}

/// Verify journal, ledger and snapshots.
#[derive(Args, Debug)]
#[command(after_help = "\
核对哈希链、每条记录入账的分录、各类账户合计为零、快照文件完好。不重新计算；要重新计算用 dengmi replay。
Checks the hash chain, what each record booked, that all accounts sum to zero, and that snapshots
are whole. Applies nothing again; `dengmi replay` does. Stop the server first.")]
pub(crate) struct Journal {
    /// 分行，缺省为全部 The branch [default: all]
    #[arg(long, value_name = "N", value_parser = data::branch_arg)]
    branch: Option<BranchId>,
}

impl Verify {
    /// Runs it.
    ///
    /// # Errors
    /// Something is not what was written, or the data cannot be read.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let journal = match self {
            Self::Journal(journal) => journal,
            Self::Market(market) => return market.run(global),
        };
        block_on(async {
            let store = data::open(global, false).await?;
            store.check_file().await?;
            let mut faults = 0;
            for meta in data::branches(&store, journal.branch).await? {
                faults += journal.branch(global, &store, meta.branch).await?;
            }
            if faults == 0 {
                return Ok(());
            }
            let hint = "restore a backup of the folder; a torn last record alone is cut at a start";
            Err(CliError::damaged(format!("{faults} faults"), hint))
        })
    }
}

impl Journal {
    async fn branch(
        &self,
        global: &Global,
        store: &SqliteStore,
        branch: BranchId,
    ) -> Result<usize> {
        use dengmi_store::Journal as _;
        let report = verify(store, branch).await?;
        let mut faults: Vec<String> = Vec::new();
        faults.extend(report.damage.map(|error| error.to_string()));
        faults.extend(report.cut.map(|cut| format!("record {} is torn: {}", cut.seq, cut.why)));
        if faults.is_empty() {
            // The same sums, once from the rows and once by the database.
            let sums = store.sums(branch).await?;
            if sums.total() != 0 {
                faults.push(format!("the accounts sum to {}, not to zero", sums.total()));
            }
            if sums != report.sums {
                faults.push("the accounts do not hold what the entries say".to_owned());
            }
        }
        terminal::print(&format!(
            "{branch}: {} records, {} entries, {} events; 发行 issued {}, 会员 members {}, 兑换 redeemed {}, 过期 expired {}, 银行 house {}",
            report.records,
            report.entries,
            report.events,
            -report.sums.issue,
            report.sums.members,
            report.sums.redemption,
            report.sums.expiry,
            report.sums.house,
        ))?;
        for (seq, path) in snapshot::list(&data::snapshots(global), branch)? {
            match self.snapshot(store, branch, seq, &path).await {
                Ok(()) => terminal::print(&format!("{branch}: snapshot {seq}: 完好 whole"))?,
                Err(error) => faults.push(error),
            }
        }
        for fault in &faults {
            terminal::print(&format!("{branch}: {fault}"))?;
        }
        Ok(faults.len())
    }

    async fn snapshot(
        &self,
        store: &SqliteStore,
        branch: BranchId,
        seq: u64,
        path: &std::path::Path,
    ) -> Result<(), String> {
        use dengmi_store::Journal as _;
        let saved = snapshot::read(path).map_err(|error| error.to_string())?;
        let page = store.read(branch, seq, 1).await.map_err(|error| error.to_string())?;
        if page.after == saved.meta.journal {
            Ok(())
        } else {
            Err(format!("snapshot {seq} is not of this journal; delete {}", path.display()))
        }
    }
}
