//! `dengmi ledger`.

use clap::{Args, Subcommand, ValueEnum};
use dengmi_core::{Account, BranchId, Cause, EntryKind};
use dengmi_store::{Journal as _, LedgerRow};

use crate::args::Global;
use crate::error::Result;
use crate::{block_on, data, terminal};

/// Entries read at once.
const PAGE: u32 = 4_096;

/// The points ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// 导出 Write all entries to standard output
    Export(Export),
}

/// Write all entries to standard output.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi ledger export --format hledger > points.journal
  hledger -f points.journal check
  hledger -f points.journal balancesheetequity --depth 1")]
pub(crate) struct Export {
    /// 分行，缺省为全部 The branch [default: all]
    #[arg(long, value_name = "N", value_parser = data::branch_arg)]
    branch: Option<BranchId>,
    /// 格式 Format
    #[arg(long, value_enum, default_value_t = Format::Hledger)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A journal that hledger reads
    Hledger,
}

impl Ledger {
    /// Runs it.
    ///
    /// # Errors
    /// The data cannot be read.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let Self::Export(export) = self;
        let Format::Hledger = export.format;
        block_on(async {
            let store = data::open(global, false).await?;
            let metas = data::branches(&store, export.branch).await?;
            terminal::print(HEADER)?;
            for meta in metas {
                let mut after = 0;
                loop {
                    let rows = store.entries_after(meta.branch, after, PAGE).await?;
                    let Some(last) = rows.last() else { break };
                    after = last.entry.id;
                    let page: Vec<String> =
                        rows.iter().map(|row| transaction(meta.branch, row)).collect();
                    terminal::print(&page.join("\n"))?;
                }
            }
            Ok(())
        })
    }
}

/// What faces the members is equity: no period is closed, and so the balance sheet with equity nets
/// to zero at every moment.
const HEADER: &str = "\
; 灯谜积分账 · points ledger of dengmi. One transaction an entry, code = branch and entry number.
commodity 1000. pts
account 发行:issue      ; type: E
account 会员            ; type: L
account 兑换:redemption ; type: E
account 过期:expiry     ; type: E
account 银行:house      ; type: E
";

fn account(account: Account) -> String {
    match account {
        Account::Issue => "发行:issue".to_owned(),
        Account::Member(member) => format!("会员:{member}"),
        Account::Redemption => "兑换:redemption".to_owned(),
        Account::Expiry => "过期:expiry".to_owned(),
        Account::House => "银行:house".to_owned(),
    }
}

fn cause(cause: Cause) -> String {
    match cause {
        Cause::CheckIn(run, day) => format!("check-in {run} {day}"),
        Cause::Answer { run, round, question, revision } => {
            format!("answer {run} {round} question {question} revision {revision}")
        }
        Cause::Round { run, round, revision } => format!("round {run} {round} revision {revision}"),
        Cause::Like(run, post) => format!("like {run} {post}"),
        Cause::Comment(run, post) => format!("comment {run} {post}"),
        Cause::Order(order) => format!("order {order}"),
        Cause::Entry(entry) => format!("of entry {entry}"),
        Cause::Expired(month) => format!("earned in the month of {month}"),
    }
}

/// One entry as a transaction: points leave one account and arrive in another.
fn transaction(branch: BranchId, row: &LedgerRow) -> String {
    let entry = &row.entry;
    let what = match (entry.kind, &row.rule) {
        (EntryKind::Award, Some(rule)) => {
            let version = entry.rule.map_or(0, |rule| rule.version);
            format!("奖励 award {rule} v{version}")
        }
        (EntryKind::Award, None) => "奖励 award".to_owned(),
        (EntryKind::Redemption, _) => "兑换 redemption".to_owned(),
        (EntryKind::Expiry, _) => "过期 expiry".to_owned(),
        (EntryKind::Reversal, _) => "冲正 reversal".to_owned(),
    };
    format!(
        "{} * ({branch}-{}) {what}, {}  ; at: {}\n    {:<24}  {} pts\n    {:<24}  -{} pts\n",
        entry.day,
        entry.id,
        cause(entry.cause),
        entry.at,
        account(entry.to),
        entry.points,
        account(entry.from),
        entry.points,
    )
}

#[cfg(test)]
mod tests {
    use dengmi_core::ledger::RuleRef;
    use dengmi_core::{Day, LedgerEntry, MemberId, Points, RunId, Timestamp};

    use super::*;

    #[test]
    fn an_entry_is_one_balanced_transaction() {
        let branch = BranchId(1);
        let entry = LedgerEntry {
            id: 9,
            at: Timestamp(1_800_000_000_000),
            day: Day(20_833),
            kind: EntryKind::Award,
            from: Account::Issue,
            to: Account::Member(MemberId::new(branch, 42)),
            points: Points(5),
            rule: Some(RuleRef { code: 1, version: 2 }),
            cause: Cause::CheckIn(RunId::new(branch, 3), Day(20_833)),
        };
        let text = transaction(branch, &LedgerRow { entry, rule: Some("streak-3".to_owned()) });
        let expected = "\
2027-01-15 * (b1-9) 奖励 award streak-3 v2, check-in r1-3 2027-01-15  ; at: 2027-01-15T08:00:00.000Z
    会员:m1-42                  5 pts
    发行:issue                 -5 pts
";
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeeze(&text), squeeze(expected));
        assert!(text.lines().skip(1).all(|line| line.starts_with("    ") && line.contains("  ")));
    }
}
