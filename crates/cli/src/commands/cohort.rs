//! `dengmi cohort`.

pub(crate) mod show;

use clap::{Args, Subcommand, ValueEnum};
use dengmi_core::course::{CohortView, CourseAction, CourseReceipt};
use dengmi_core::{
    Action, Actor, BranchId, CohortId, Command, CommunityId, Day, Outcome, Receipt, Slug,
};
use dengmi_host::{Host, HostConfig, Packs, replay};
use dengmi_store::{BranchMeta, CommandKey, SqliteStore, snapshot};
use uuid::Uuid;

use self::show::{Named, json, line, picture};
use crate::args::Global;
use crate::error::{CliError, Result};
use crate::{block_on, data, terminal};

/// Courses that were started.
#[derive(Debug, Subcommand)]
pub(crate) enum Cohort {
    /// 开课 Start a course of the current content
    Start(Start),
    /// 列出各期 List cohorts
    List(List),
    /// 查看一期 Show one cohort: stages, lessons, members
    Show(Show),
    /// 提前解散 End a cohort early; nobody graduates, the record stays
    Dissolve(Dissolve),
}

/// Start a course.
#[derive(Args, Debug)]
#[command(after_help = "\
报名、每日课程、结业和邀请都按课程文件自动进行。服务运行时请用 POST /v1/cohorts。
Enrolment, lessons, graduation and invitations go by the course file, by themselves. While the server
runs, use POST /v1/cohorts instead.

示例 Example:
  dengmi cohort start basics-7 --group c1-3 --day 2026-11-23")]
pub(crate) struct Start {
    /// 课程编号 The course
    course: Slug,
    /// 社群，可多个 A group it lives in; more than one may be given
    #[arg(long = "group", value_name = "ID", required = true)]
    groups: Vec<CommunityId>,
    /// 第一天 Day 1
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Day,
}

/// List cohorts.
#[derive(Args, Debug)]
#[command(after_help = "\
显示截至最后一条记录的状态，不改动数据。服务运行时请用 GET /v1/cohorts。
Shows the state as of the last record and changes nothing. While the server runs, use
GET /v1/cohorts instead.")]
pub(crate) struct List {
    /// 分行，缺省为全部 The branch [default: all]
    #[arg(long, value_name = "N", value_parser = data::branch_arg)]
    branch: Option<BranchId>,
    /// 格式 Format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Show one cohort.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi cohort show k1-1
  dengmi cohort show k1-1 --format json | jq .members")]
pub(crate) struct Show {
    /// 期号 The cohort, such as k1-1
    cohort: CohortId,
    /// 格式 Format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// End a cohort early.
#[derive(Args, Debug)]
pub(crate) struct Dissolve {
    /// 期号 The cohort, such as k1-1
    cohort: CohortId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For other tools
    Json,
}

impl Cohort {
    /// Runs it.
    ///
    /// # Errors
    /// It is refused, there is no such cohort, or the server runs.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        block_on(async {
            match self {
                Self::Start(start) => start.run(global).await,
                Self::List(list) => list.run(global).await,
                Self::Show(show) => show.run(global).await,
                Self::Dissolve(dissolve) => dissolve.run(global).await,
            }
        })
    }
}

impl Start {
    async fn run(&self, global: &Global) -> Result<()> {
        let Self { course, groups, day } = self;
        let branch = groups.first().map(|group| group.branch);
        let branch = branch.ok_or_else(|| CliError::usage("no group is named", "give --group"))?;
        let action = CourseAction::Start {
            course: course.clone(),
            communities: groups.clone(),
            start: *day,
        };
        match send(global, branch, action).await? {
            Receipt::Course(CourseReceipt::Started { cohort, commitment }) => {
                terminal::print(&format!(
                    "{cohort} 已开课 · {cohort} started: {course}，第一天 day 1 {day}\n市场承诺 commitment {commitment}"
                ))
            }
            other => Err(CliError::internal(anyhow::anyhow!("unexpected receipt {other:?}"))),
        }
    }
}

impl Dissolve {
    async fn run(&self, global: &Global) -> Result<()> {
        let cohort = self.cohort;
        send(global, cohort.branch, CourseAction::Dissolve { cohort }).await?;
        terminal::print(&format!("{cohort} 已解散 · dissolved"))
    }
}

impl List {
    async fn run(&self, global: &Global) -> Result<()> {
        let store = data::open(global, false).await?;
        let mut all = Vec::new();
        for meta in data::branches(&store, self.branch).await? {
            all.extend(cohorts(global, &store, &meta).await?);
        }
        match self.format {
            Format::Json => {
                let all: Vec<_> = all.iter().map(|(view, named)| json(view, named)).collect();
                print_json(&all)
            }
            Format::Text if all.is_empty() => terminal::print("没有开过课 no cohorts"),
            Format::Text => {
                all.iter().try_for_each(|(view, named)| terminal::print(&line(view, named)))
            }
        }
    }
}

impl Show {
    async fn run(&self, global: &Global) -> Result<()> {
        let store = data::open(global, false).await?;
        let metas = data::branches(&store, Some(self.cohort.branch)).await?;
        let mut all = Vec::new();
        for meta in &metas {
            all.extend(cohorts(global, &store, meta).await?);
        }
        let missing = || {
            let message = format!("there is no cohort {}", self.cohort);
            CliError::user(message, "`dengmi cohort list` shows those there are")
        };
        let found = all.iter().find(|(view, _)| view.id == self.cohort);
        let (view, named) = found.ok_or_else(missing)?;
        match self.format {
            Format::Json => print_json(&json(view, named)),
            Format::Text => picture(view, named).iter().try_for_each(|line| terminal::print(line)),
        }
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<()> {
    terminal::print(&serde_json::to_string_pretty(value).map_err(CliError::internal)?)
}

/// The cohorts of a branch as of its last record: the journal is read, nothing is written.
async fn cohorts(
    global: &Global,
    store: &SqliteStore,
    meta: &BranchMeta,
) -> Result<Vec<(CohortView, Named)>> {
    let packs = Packs::default();
    let newest = snapshot::list(&data::snapshots(global), meta.branch)?.into_iter().next();
    let mut told = |_, _| {};
    let replayed = match newest {
        Some((_, path)) => replay::from_snapshot(store, meta, &packs, &path, &mut told).await?,
        None => replay::from_beginning(store, meta, &packs, &mut told).await?,
    };
    let named = |view: CohortView| {
        let pack = view.content.last().and_then(|(_, digest)| packs.get(*digest));
        let named = Named::of(pack.as_deref(), &view.course);
        (view, named)
    };
    Ok(replayed.engine.catalog().cohorts.into_iter().map(named).collect())
}

/// Has the host apply one command, as the system.
async fn send(global: &Global, branch: BranchId, action: CourseAction) -> Result<Receipt> {
    let store = data::open(global, false).await?;
    data::branches(&store, Some(branch)).await?;
    let config = HostConfig { snapshots: Some(data::snapshots(global)), ..HostConfig::default() };
    let host = Host::open(store.clone(), config, None, &mut |_, _, _| {}).await?;
    let key = CommandKey { key: Uuid::now_v7().as_u128(), principal: 0, fingerprint: [0; 16] };
    let command = Command { actor: Actor::System, action: Action::Course(action) };
    let submitted = host.submit(branch, key, command).await;
    host.shutdown().await;
    store.empty_log().await?;
    let submitted = submitted.map_err(|error| {
        CliError::unavailable(error.to_string(), "check the clock and the disk, then try again")
    })?;
    match submitted.outcome {
        Outcome::Done(receipt) => Ok(receipt),
        Outcome::Rejected(reject) => {
            Err(CliError::user(format!("refused: {}", reject.code()), reject.help()))
        }
    }
}
