//! `dengmi bench`: how fast it is, measured beside something to compare with. Nothing is
//! asserted: figures of shared machines only mean something beside each other.

mod course;
mod live;
mod month;
mod replay;
mod save;
mod shards;

use clap::Subcommand;

use crate::args::Global;
use crate::error::Result;

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// 课程 Whole courses through the engine, beside the community month
    Course(course::Course),
    /// 在线服务 The live server under 64 connections, beside a bare HTTP server and the disk
    Live(live::Live),
    /// 社群月 The community month through the engine, beside a plain loop
    Month(month::Month),
    /// 重放 Applying recorded commands again
    Replay(replay::Replay),
    /// 快照 Saving and restoring a state
    Save(save::Save),
    /// The server that `live` starts as a process of its own
    #[command(hide = true)]
    LiveServer(live::server::LiveServer),
}

impl Bench {
    /// Measures it.
    ///
    /// # Errors
    /// Something needed does not start or does not answer.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        match self {
            Self::Course(course) => course.run(global),
            Self::Live(live) => live.run(global),
            Self::Month(month) => month.run(global),
            Self::Replay(replay) => replay.run(global),
            Self::Save(save) => save.run(global),
            Self::LiveServer(server) => server.run(),
        }
    }
}
