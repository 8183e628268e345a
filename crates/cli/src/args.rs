//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::error::EXIT_CODES;

/// 灯谜：银行客户社群的知识活动引擎 · Dengmi: the engine of a bank's learning communities
#[derive(Debug, Parser)]
#[command(name = "dengmi", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// 数据目录 Folder of the data: journal, ledger, accounts, snapshots
    #[arg(
        long,
        global = true,
        env = "DENGMI_DATA",
        default_value = "dengmi-data",
        value_name = "DIR"
    )]
    pub(crate) data: PathBuf,
    /// 内容目录 Folder that holds content/ courses/ quests/ [default: found from here upward]
    #[arg(long, global = true, env = "DENGMI_CONTENT", value_name = "DIR")]
    pub(crate) content: Option<PathBuf>,
    /// 不显示进度 Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// 检查内容 Check content files, all faults in one pass
    Check(commands::check::Check),
    /// 解释错误代码 Explain a code that a check gave
    Explain(commands::explain::Explain),
    /// 课程 Courses: list, coverage, preview of a day
    #[command(subcommand)]
    Course(commands::course::Course),
    /// 演示 Watch a living community with synthetic members
    Demo(commands::demo::Demo),
    /// 启动服务 Serve the HTTP interface
    Serve(commands::serve::Serve),
    /// 重放日志并核对 Apply the journal again and compare every digest
    Replay(commands::replay::Replay),
    /// 核对数据 Verify journal, ledger and snapshots without applying anything
    #[command(subcommand)]
    Verify(commands::verify::Verify),
    /// 积分账 The points ledger
    #[command(subcommand)]
    Ledger(commands::ledger::Ledger),
    /// 模拟市场 Mock markets
    #[command(subcommand)]
    Market(commands::market::Market),
    /// 课程各期 Cohorts of courses
    #[command(subcommand)]
    Cohort(commands::cohort::Cohort),
    /// 成员 Members
    #[command(subcommand)]
    Member(commands::member::Member),
    /// 操作员账号 Operator accounts
    #[command(subcommand)]
    User(commands::user::User),
    /// 测量速度 Measure speed
    #[command(subcommand)]
    Bench(commands::bench::Bench),
    /// 用种子考验引擎 Vet the engine with campaigns and faults drawn from seeds
    Vet(commands::vet::Vet),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
