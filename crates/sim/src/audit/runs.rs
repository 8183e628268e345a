//! Launched quests and what falls due: rounds open, settle and are archived, posts close, runs
//! end and are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::quest::{MomentsChallenge, QuizSeries};
use dengmi_content::model::{Quest, QuestKind};
use dengmi_core::view::EventKind;
use dengmi_core::{
    Action, Calendar, CommunityId, Day, Digest, PostId, Receipt, Reject, RunId, Slug, Timestamp,
};

use super::days::{DAY_MS, day_of};
use super::people::Member;
use super::rules::Line;
use super::streak::Streak;
use super::{Answered, Auditor, Edge, Tick};

/// Furthest ahead a run may be planned.
const LEAD_DAYS: i32 = 366;

/// Days after its end for which a run is remembered.
const REMEMBERED_DAYS: i64 = 35;

pub(super) struct Run {
    pub(super) quest: Arc<Quest>,
    pub(super) pack: Digest,
    /// Groups that take part; empty for every group of the quest's kinds.
    groups: BTreeSet<u32>,
    pub(super) first: Day,
    pub(super) last: Day,
    pub(super) calendar: Calendar,
    pub(super) ended: Option<Timestamp>,
    pub(super) budget_left: i64,
    pub(super) lines: Arc<[Line]>,
    pub(super) streaks: BTreeMap<u32, Streak>,
    /// Points and the last entry, by member.
    pub(super) scores: BTreeMap<u32, (i64, u64)>,
}

impl Run {
    pub(super) fn invites(&self, member: &Member) -> bool {
        match self.groups.is_empty() {
            true => self.quest.audience.contains(&member.kind),
            false => self.groups.contains(&member.community),
        }
    }

    /// Whether what a member does on `day` counts.
    pub(super) fn admits(&self, member: &Member, day: Day) -> Result<(), Reject> {
        if !self.invites(member) {
            Err(Reject::NotInvited)
        } else if self.ended.is_some() || day > self.last {
            Err(Reject::RunEnded)
        } else if day < self.first {
            Err(Reject::NotStarted)
        } else {
            Ok(())
        }
    }

    pub(super) fn quiz(&self) -> Option<&QuizSeries> {
        match &self.quest.kind {
            QuestKind::QuizSeries(series) => Some(series),
            _ => None,
        }
    }

    pub(super) fn moments(&self) -> Option<&MomentsChallenge> {
        match &self.quest.kind {
            QuestKind::MomentsChallenge(challenge) => Some(challenge),
            _ => None,
        }
    }
}

/// What falls due; of two things of one instant the one that comes first here is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Settle(u32),
    ClosePost(u32),
    EndRun(u32),
    Archive(u32),
    Forget(u32),
    Open { run: u32, index: u16 },
    EnrolmentOpens { cohort: u32 },
    LessonSends { cohort: u32, day: u8 },
    LessonsEnd { cohort: u32 },
    InvitationsEnd { cohort: u32 },
    RetentionCounted { cohort: u32, count: u8 },
    CohortForgotten { cohort: u32 },
    MarketCloses { cohort: u32, day: u8 },
}

impl Auditor {
    pub(super) fn runs_action(&mut self, tick: &mut Tick<'_>, action: &Action) -> Option<Answered> {
        Some(match action {
            Action::Launch { quest, communities, start } => {
                self.launch(tick, quest, communities, *start)
            }
            Action::Stop { run } => match self.runs.get(&run.seq).map(|run| run.ended) {
                None => Err(Reject::UnknownRun),
                Some(Some(_)) => Err(Reject::RunEnded),
                Some(None) => {
                    self.seen.mark(Edge::RunStopped);
                    self.end(tick, run.seq);
                    Ok(Receipt::Ok)
                }
            },
            Action::AdoptContent { digest } => {
                if self.packs.contains_key(digest) {
                    if self.current != *digest {
                        self.seen.mark(Edge::ContentChanged);
                    }
                    self.current = *digest;
                    tick.events.push((None, EventKind::ContentAdopted(*digest)));
                    Ok(Receipt::Ok)
                } else {
                    Err(Reject::UnknownContent)
                }
            }
            _ => return None,
        })
    }

    fn launch(
        &mut self,
        tick: &mut Tick<'_>,
        quest: &Slug,
        communities: &[CommunityId],
        start: Day,
    ) -> Answered {
        let pack = self.packs[&self.current].clone();
        let quest = pack.quests.get(pack.current(quest)).ok_or(Reject::UnknownQuest)?;
        let groups: BTreeSet<u32> = communities.iter().map(|id| id.seq).collect();
        self.launch_quest(tick, &pack, quest, groups, start).map(Receipt::Run)
    }

    pub(super) fn launch_quest(
        &mut self,
        tick: &mut Tick<'_>,
        pack: &Pack,
        quest: &Quest,
        groups: BTreeSet<u32>,
        start: Day,
    ) -> Result<RunId, Reject> {
        for &seq in &groups {
            let group = self.people.group(seq).ok_or(Reject::UnknownCommunity)?;
            if !quest.audience.contains(&group.kind) {
                return Err(Reject::WrongAudience);
            }
        }
        let first = match groups.first() {
            Some(&seq) => self.people.group(seq),
            None => self.people.groups.iter().find(|group| quest.audience.contains(&group.kind)),
        };
        let calendar = first.ok_or(Reject::UnknownCommunity)?.calendar;
        let ahead = i64::from(start.0) - i64::from(day_of(calendar, tick.at).0);
        if !(0..=i64::from(LEAD_DAYS)).contains(&ahead) {
            return Err(Reject::BadStart);
        }
        self.last_run += 1;
        let seq = self.last_run;
        let run = Run {
            quest: Arc::new(quest.clone()),
            pack: pack.digest,
            groups,
            first: start,
            last: start.plus(i32::from(quest.days) - 1),
            calendar,
            ended: None,
            budget_left: quest.budget_fen.0 / pack.points.fen_per_point.0.max(1),
            lines: self.lines(pack, quest),
            streaks: BTreeMap::new(),
            scores: BTreeMap::new(),
        };
        for (index, round) in run.quiz().map_or(&[][..], |quiz| &quiz.rounds).iter().enumerate() {
            let opens = calendar.at(start.plus(i32::from(round.day) - 1), round.opens);
            self.diary.insert((opens, Due::Open { run: seq, index: index as u16 }));
        }
        let over = calendar.start_of(run.last.plus(1)).plus_ms(calendar.late_ms());
        self.diary.insert((over, Due::EndRun(seq)));
        self.runs.insert(seq, run);
        let id = RunId::new(self.branch, seq);
        tick.events.push((None, EventKind::RunLaunched(id)));
        self.seen.mark(Edge::RunLaunched);
        Ok(id)
    }

    /// Has a run go on with other content; budget, limits and standing go on.
    pub(super) fn amend_run(&mut self, seq: u32, pack: &Pack, quest: Quest) -> Result<(), Reject> {
        if !self.runs.contains_key(&seq) {
            return Err(Reject::UnknownRun);
        }
        let lines = self.lines(pack, &quest);
        if let Some(run) = self.runs.get_mut(&seq) {
            (run.pack, run.quest, run.lines) = (pack.digest, Arc::new(quest), lines);
        }
        Ok(())
    }

    /// Everything that is due by now, in order of due time.
    pub(super) fn clock(&mut self, tick: &mut Tick<'_>) {
        while let Some(&(due, what)) = self.diary.first().filter(|(due, _)| *due <= tick.at) {
            self.diary.pop_first();
            match what {
                Due::Open { run, index } => self.open_round(tick, run, index),
                Due::Settle(round) => self.settle_if_due(tick, round, due),
                Due::Archive(round) => self.archive(tick, round),
                Due::ClosePost(post) => self.close_post(tick, post),
                Due::EndRun(run) => self.run_out(tick, run),
                Due::Forget(run) => self.forget(run),
                course => self.course_due(tick, course),
            }
        }
    }

    /// A run ends once its last open round and post are over.
    fn run_out(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let rounds = self.rounds.values().filter(|round| round.run == seq && round.is_open());
        let posts = self.posts.values().filter(|post| post.run == seq && !post.closed);
        let last = rounds.map(|round| round.settles()).chain(posts.map(|post| post.closes)).max();
        match last.filter(|last| *last > tick.at) {
            Some(last) => {
                self.seen.mark(Edge::RunWaited);
                self.diary.insert((last, Due::EndRun(seq)));
            }
            None => {
                if self.runs.get(&seq).is_some_and(|run| run.ended.is_none()) {
                    self.seen.mark(Edge::RunEnded);
                }
                self.end(tick, seq);
            }
        }
    }

    pub(super) fn end(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let Some(run) = self.runs.get_mut(&seq).filter(|run| run.ended.is_none()) else { return };
        run.ended = Some(tick.at);
        self.diary.insert((tick.at.plus_ms(REMEMBERED_DAYS * DAY_MS), Due::Forget(seq)));
        let open: Vec<u32> = self.rounds_of(seq, true);
        for round in open {
            self.seen.mark(Edge::RoundStopped);
            self.stop_round(tick, round);
        }
        for post in self.posts_of(seq) {
            self.close_post(tick, post);
        }
        tick.ended.push(seq);
        tick.events.push((None, EventKind::RunEnded(RunId::new(self.branch, seq))));
    }

    fn rounds_of(&self, run: u32, open_only: bool) -> Vec<u32> {
        let own = self.rounds.iter().filter(|(_, round)| round.run == run);
        own.filter(|(_, round)| !open_only || round.is_open()).map(|(seq, _)| *seq).collect()
    }

    fn posts_of(&self, run: u32) -> Vec<u32> {
        self.posts.iter().filter(|(_, post)| post.run == run).map(|(seq, _)| *seq).collect()
    }

    fn close_post(&mut self, tick: &mut Tick<'_>, seq: u32) {
        if let Some(post) = self.posts.get_mut(&seq).filter(|post| !post.closed) {
            post.closed = true;
            tick.events.push((None, EventKind::PostClosed(PostId::new(self.branch, seq))));
            self.seen.mark(Edge::PostClosed);
        }
    }

    fn forget(&mut self, seq: u32) {
        if self.runs.remove(&seq).is_none() {
            return;
        }
        self.seen.mark(Edge::RunForgotten);
        self.limits.forget(seq);
        for round in self.rounds_of(seq, false) {
            self.rounds.remove(&round);
        }
        for post in self.posts_of(seq) {
            self.posts.remove(&post);
        }
    }
}
