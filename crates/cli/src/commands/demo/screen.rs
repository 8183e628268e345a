//! What one sees: in a terminal a view that is drawn again and again; elsewhere a line for every
//! simulated hour and every event.

use std::collections::VecDeque;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dengmi_api::Backend as _;
use dengmi_api::board_key::BoardName;
use dengmi_core::course::{CohortStage, CohortView, CourseEvent, PupilStage};
use dengmi_core::view::board::{BoardKey, Slice, Viewer, visible};
use dengmi_core::view::{Catalog, Event, EventKind};
use dengmi_core::{Calendar, CommunityId, Period, PeriodKind, RunId, Timestamp};
use dengmi_host::{Clock, FastClock};
use tokio::sync::broadcast;

use super::play::Tally;
use super::{BRANCH, Backend};
use crate::commands::cohort::show::{pupil, stage};
use crate::error::{CliError, Result};
use crate::terminal;

const HOUR_MS: i64 = 3_600_000;

/// Real time between two drawings.
const REFRESH: Duration = Duration::from_millis(250);

/// Lines of the view for open rounds, places and events.
const ROUNDS: usize = 4;
const COHORTS: usize = 1;
const PLACES: u32 = 5;
const EVENTS: usize = 5;

/// The live view.
pub(super) struct Screen {
    backend: Arc<Backend>,
    tally: Arc<Tally>,
    clock: Arc<FastClock>,
    from: Timestamp,
    speed: u32,
    live: bool,
    /// Lines drawn last.
    drawn: usize,
    last: VecDeque<String>,
    events: u64,
    /// The last hour that got a line, where nothing is drawn.
    hour: i64,
    /// Commands done by when, for the rate.
    counted: (Instant, u64),
    rate: f64,
}

impl Screen {
    pub(super) fn new(
        backend: Arc<Backend>,
        tally: Arc<Tally>,
        clock: Arc<FastClock>,
        from: Timestamp,
        speed: u32,
    ) -> Self {
        Self {
            backend,
            tally,
            clock,
            from,
            speed,
            live: io::stdout().is_terminal(),
            drawn: 0,
            last: VecDeque::new(),
            events: 0,
            hour: i64::MIN,
            counted: (Instant::now(), 0),
            rate: 0.0,
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// Shows what happens until `ends`, or for ever.
    ///
    /// # Errors
    /// Nobody can write to standard output.
    pub(super) async fn run(&mut self, ends: Option<Timestamp>) -> Result<()> {
        let subscribed = self.backend.subscribe(BRANCH);
        let mut events = subscribed
            .ok_or_else(|| CliError::internal(anyhow::anyhow!("the branch is not served")))?;
        let mut ticks = tokio::time::interval(REFRESH);
        while ends.is_none_or(|ends| self.now() < ends) {
            ticks.tick().await;
            self.count();
            if self.live {
                self.take_events(&mut events)?;
                self.draw()?;
            } else {
                self.hour_line()?;
                self.take_events(&mut events)?;
            }
        }
        Ok(())
    }

    fn count(&mut self) {
        let done = self.tally.done.load(Ordering::Relaxed);
        let (since, before) = self.counted;
        if since.elapsed() >= Duration::from_secs(1) {
            self.rate = (done - before) as f64 / since.elapsed().as_secs_f64();
            self.counted = (Instant::now(), done);
        }
    }

    fn take_events(&mut self, events: &mut broadcast::Receiver<Arc<Event>>) -> Result<()> {
        loop {
            match events.try_recv() {
                Ok(event) => {
                    self.events += 1;
                    let Some(text) = self.tell(&event) else { continue };
                    let line = format!("{} {text}", clock_text(event.at));
                    if !self.live {
                        terminal::print(&line)?;
                    }
                    self.last.push_back(line);
                    if self.last.len() > EVENTS {
                        self.last.pop_front();
                    }
                }
                // Too slow for some of them: go on with the next.
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return Ok(()),
            }
        }
    }

    fn title(&self, catalog: &Catalog, run: RunId) -> String {
        let view = catalog.runs.iter().find(|view| view.id == run);
        let pack = view.and_then(|view| self.backend.host().packs().get(view.content));
        let quest = view.zip(pack.as_ref()).and_then(|(view, pack)| pack.quest(&view.quest));
        quest.map_or_else(|| run.to_string(), |quest| quest.title.zh().to_owned())
    }

    /// An event in words. Standings of single groups close too often to tell.
    fn tell(&self, event: &Event) -> Option<String> {
        let catalog = self.backend.catalog(BRANCH).unwrap_or_default();
        let run_of_round = |id| catalog.rounds.iter().find(|round| round.id == id).map(|r| r.run);
        let run_of_post = |id| catalog.posts.iter().find(|post| post.id == id).map(|p| p.run);
        let name =
            |run: Option<RunId>| run.map_or_else(String::new, |run| self.title(&catalog, run));
        Some(match &event.kind {
            EventKind::ContentAdopted(_) => "换上新内容 content adopted".to_owned(),
            EventKind::CommunityOpened(id) => format!("建群 group {id} opened"),
            EventKind::RunLaunched(id) => format!("上线 launched {id} {}", name(Some(*id))),
            EventKind::RunEnded(id) => format!("结束 ended {id} {}", name(Some(*id))),
            EventKind::RoundOpened(id) => {
                format!("开题 round {id} opened {}", name(run_of_round(*id)))
            }
            EventKind::RoundClosed(id) => {
                format!("揭晓 round {id} closed {}", name(run_of_round(*id)))
            }
            EventKind::RoundRegraded(id) => format!("重判 round {id} graded again"),
            EventKind::PostPublished(id) => format!("发圈 post {id} {}", name(run_of_post(*id))),
            EventKind::PostClosed(id) => format!("截止 post {id} closed"),
            EventKind::BoardClosed(BoardKey::Community(..), _) => return None,
            EventKind::BoardClosed(key, _) => format!("定榜 standing {} final", BoardName(*key)),
            EventKind::LimitReached { run, rule } => format!("封顶 limit of {rule} in {run}"),
            EventKind::Course(event) => {
                let told = course(event)?;
                let CourseEvent::Stage(id, _) = event else { return Some(told) };
                let view = catalog.cohorts.iter().find(|view| view.id == *id);
                view.map_or(told.clone(), |view| format!("{told}  {}", members(view)))
            }
        })
    }

    fn day_number(&self, now: Timestamp) -> i32 {
        let calendar = Calendar::default();
        calendar.day_of(now).0 - calendar.day_of(self.from).0 + 1
    }

    fn counts(&self) -> String {
        let (done, refused) = (&self.tally.done, &self.tally.refused);
        format!(
            "命令 commands {} ({:.0}/s)  被拒 refused {}  事件 events {}",
            done.load(Ordering::Relaxed),
            self.rate,
            refused.load(Ordering::Relaxed),
            self.events
        )
    }

    fn hour_line(&mut self) -> Result<()> {
        let now = self.now();
        let hour = now.0.div_euclid(HOUR_MS);
        if hour == self.hour {
            return Ok(());
        }
        self.hour = hour;
        let open = self
            .backend
            .catalog(BRANCH)
            .map_or(0, |catalog| catalog.rounds.iter().filter(|round| !round.closed).count());
        let full = Timestamp(hour * HOUR_MS);
        let (day, counts) = (self.day_number(now), self.counts());
        terminal::print(&format!(
            "{} 第 {day} 天 day {day}  {counts}  开放轮次 open rounds {open}",
            clock_text(full)
        ))
    }

    fn draw(&mut self) -> Result<()> {
        let lines = self.lines();
        let mut text = String::new();
        if self.drawn > 0 {
            text.push_str(&format!("\x1b[{}A", self.drawn));
        }
        for line in &lines {
            // Clears what an earlier, longer line left.
            text.push_str(&format!("\r\x1b[2K{line}\n"));
        }
        // Fewer lines than before: empty the rest and come back.
        let surplus = self.drawn.saturating_sub(lines.len());
        text.push_str(&"\r\x1b[2K\n".repeat(surplus));
        if surplus > 0 {
            text.push_str(&format!("\x1b[{surplus}A"));
        }
        self.drawn = lines.len();
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| CliError::unavailable(format!("standard output: {error}"), ""))
    }

    fn lines(&self) -> Vec<String> {
        let now = self.now();
        let catalog = self.backend.catalog(BRANCH).unwrap_or_default();
        let day = self.day_number(now);
        let mut lines = vec![
            format!("── {}  第 {day} 天 day {day}  ×{} ──", clock_text(now), self.speed),
            self.counts(),
        ];
        let open = catalog.rounds.iter().filter(|round| !round.closed);
        let open: Vec<String> = open
            .map(|round| {
                let closes = &clock_text(round.closes)[11..];
                format!("  {} {} 至 until {closes}", round.id, self.title(&catalog, round.run))
            })
            .collect();
        lines.push(format!("开放的轮次 open rounds: {}", open.len()));
        lines.extend(padded(open, ROUNDS));
        let cohorts = catalog.cohorts.iter().map(|view| format!("  {}", progress(view)));
        lines.push("课程 courses:".to_owned());
        lines.extend(padded(cohorts.take(COHORTS).collect(), COHORTS));
        // Another group every three hours.
        let groups = catalog.communities.len().max(1);
        let turn = usize::try_from(now.0.div_euclid(3 * HOUR_MS)).unwrap_or(0) % groups;
        if let Some(group) = catalog.communities.get(turn) {
            lines.extend(self.standing(group.id, group.calendar, now));
        }
        lines.push("最近 latest:".to_owned());
        lines.extend(padded(self.last.iter().map(|line| format!("  {line}")).collect(), EVENTS));
        lines
    }

    fn standing(&self, group: CommunityId, calendar: Calendar, now: Timestamp) -> Vec<String> {
        let period = Period::containing(PeriodKind::Week, calendar.day_of(now));
        let key = BoardKey::Community(group, period);
        let mut lines = vec![format!("本周榜 this week's standing: {}", BoardName(key))];
        let standing = self.backend.board(key);
        let rows = standing.map_or_else(Vec::new, |standing| {
            let shown = |member| self.backend.shown(member);
            visible(&standing.ranked, standing.policy, Slice::Top(PLACES), Viewer::Operator, shown)
        });
        let members: Vec<_> = rows.iter().map(|row| row.member).collect();
        let names = self.backend.names(&members);
        let rows = rows.iter().zip(&names).map(|(row, name)| {
            let name = row.member.map(|member| {
                name.as_ref().map_or_else(|| member.to_string(), |name| name.to_string())
            });
            let name = name.unwrap_or_else(|| "（未公开 not shown）".to_owned());
            format!("  {:>2}. {:>4}  {name}", row.rank, row.points)
        });
        lines.extend(padded(rows.collect(), PLACES as usize));
        lines
    }
}

/// Exactly `count` lines, so that the view does not jump.
fn padded(mut lines: Vec<String>, count: usize) -> Vec<String> {
    lines.resize(count, String::new());
    lines
}

/// Date and time in China.
fn clock_text(at: Timestamp) -> String {
    let shifted = Timestamp(at.0 + 8 * HOUR_MS).to_string();
    shifted.get(..16).unwrap_or(&shifted).replace('T', " ")
}

/// Where a cohort is, and its members.
fn progress(view: &CohortView) -> String {
    let (zh, en) = stage(view.stage);
    let days = view.last.0 - view.first.0 + 1;
    format!("{} {zh} {en}  课 lessons {}/{days}  {}", view.id, view.sent, members(view))
}

/// How many members of a cohort are in which stage.
fn members(view: &CohortView) -> String {
    let counted = PupilStage::ALL.into_iter().zip(view.pupils).filter(|(_, count)| *count > 0);
    let told = counted.map(|(stage, count)| {
        let (zh, en) = pupil(stage);
        format!("{zh} {en} {count}")
    });
    told.collect::<Vec<_>>().join("  ")
}

/// What happens in a course, in words. Single messages and single members come too often to tell.
fn course(event: &CourseEvent) -> Option<String> {
    Some(match event {
        CourseEvent::Stage(cohort, stage) => {
            let (zh, en) = match stage {
                CohortStage::Planned => ("已排期", "planned"),
                CohortStage::Enrolling => ("开始报名", "enrolling"),
                CohortStage::Running => ("开课", "running"),
                CohortStage::Grading => ("评定", "grading"),
                CohortStage::Placing => ("结业邀请", "placing graduates"),
                CohortStage::Archived => ("归档", "archived"),
            };
            format!("课程 course {cohort} {zh} {en}")
        }
        CourseEvent::Message { cohort, day, block: 0 } => {
            format!("第 {day} 课 lesson of day {day} sent {cohort}")
        }
        CourseEvent::Amended { cohort, from_day, .. } => {
            format!("改课 {cohort} changed from day {from_day}")
        }
        CourseEvent::Retained { cohort, days, arrived, active } => {
            format!("留存 {cohort} after {days} days: {active}/{arrived}")
        }
        CourseEvent::Message { .. }
        | CourseEvent::Pupil { .. }
        | CourseEvent::Invited { .. }
        | CourseEvent::Priced { .. } => return None,
    })
}
