//! Runs: launched quests. Owns [`Run`] and [`RunPlan`]; features hang their own tables on the
//! same entity. A run keeps the content it was launched with until it ends.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use dengmi_content::Pack;
use dengmi_content::model::community::CommunityKind;
use dengmi_content::model::{Quest, QuestKind};
use dengmi_core::view::EventKind;
use dengmi_core::{
    Action, Calendar, CommunityId, Day, Digest, Points, Receipt, Reject, RunId, Slug, Timestamp,
    mutant,
};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::clock::{Due, DueQueue};
use crate::content::{Packs, RuleNumbers};
use crate::kernel::{Builder, Now, Phase, Section, Setup, Touched, decode, encode, serve_requests};
use crate::numbered::Numbered;
use crate::outreach::Announced;
use crate::people::{Community, Member, People, column};
use crate::rules::Rulebook;
use crate::stream::Stream;

/// A launched quest.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) seq: u32,
    pub(crate) quest: Slug,
    pub(crate) pack: Digest,
    /// Groups that take part, rising; empty for every group of the quest's kinds.
    pub(crate) communities: Vec<u32>,
    pub(crate) first: Day,
    pub(crate) last: Day,
    /// Days turn for the whole run where they turn for its first group.
    pub(crate) calendar: Calendar,
    pub(crate) ended: Option<Timestamp>,
    /// What the budget has left, in points.
    pub(crate) budget_left: i64,
}

/// What a run plays by, worked out from its content.
#[derive(Component, Clone)]
pub(crate) struct RunPlan {
    pub(crate) quest: Arc<Quest>,
    pub(crate) rules: Rulebook,
    pub(crate) streak: Option<crate::streak::StreakPlan>,
    pub(crate) moments: Option<crate::moments::MomentsPlan>,
}

impl Run {
    /// Whether a group takes part.
    pub(crate) fn invites(&self, plan: &RunPlan, community: u32, kind: CommunityKind) -> bool {
        if self.communities.is_empty() {
            plan.quest.audience.contains(&kind)
        } else {
            self.communities.binary_search(&community).is_ok()
        }
    }

    /// Whether activity on `day` counts for this member.
    pub(crate) fn admits(&self, plan: &RunPlan, member: &Member, day: Day) -> Result<(), Reject> {
        if !self.invites(plan, member.community, member.kind) {
            Err(Reject::NotInvited)
        } else if self.ended.is_some() || day > self.last {
            Err(Reject::RunEnded)
        } else if day < self.first {
            Err(Reject::NotStarted)
        } else {
            Ok(())
        }
    }
}

/// Runs that are not forgotten yet.
pub(crate) type RunIndex = Numbered<Run>;

/// Run lookup for systems.
#[derive(SystemParam)]
pub(crate) struct Runs<'w, 's> {
    index: Res<'w, RunIndex>,
    runs: Query<'w, 's, (&'static Run, &'static RunPlan)>,
}

impl Runs<'_, '_> {
    pub(crate) fn get(&self, seq: u32) -> Option<(Entity, &Run, &RunPlan)> {
        let entity = self.index.entity(seq)?;
        let (run, plan) = self.runs.get(entity).ok()?;
        Some((entity, run, plan))
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<RunIndex>()
        .systems(Phase::Structure, serve_runs.after(crate::people::serve_people))
        .section(Section { name: "runs", version: 1, save, restore });
}

pub(crate) fn serve_runs(world: &mut World) {
    serve_requests(world, |world, command| match &command.action {
        Action::Launch { quest, communities, start } => {
            Some(launch(world, quest, communities, *start))
        }
        Action::Stop { run } => Some(stop(world, *run)),
        Action::AdoptContent { digest } => Some(adopt(world, *digest)),
        _ => None,
    });
}

fn adopt(world: &mut World, digest: Digest) -> Result<Receipt, Reject> {
    if !world.resource_mut::<Packs>().adopt(digest) {
        return Err(Reject::UnknownContent);
    }
    announce(world, EventKind::ContentAdopted(digest));
    Ok(Receipt::Ok)
}

fn announce(world: &mut World, kind: EventKind) {
    world.resource_mut::<Stream<Announced>>().write(Announced { community: None, kind });
    world.resource_mut::<Touched>().catalog = true;
}

/// Furthest ahead a run may be planned.
const LEAD_DAYS: i32 = 366;

fn launch(
    world: &mut World,
    quest: &Slug,
    communities: &[CommunityId],
    start: Day,
) -> Result<Receipt, Reject> {
    let pack = world.resource::<Packs>().current().clone();
    let name = pack.current(quest).clone();
    if !pack.quests.contains_key(&name) {
        return Err(Reject::UnknownQuest);
    }
    launch_named(world, name, communities, start).map(Receipt::Run)
}

/// Launches the quiz of the day of a course; gives the run's number.
pub(crate) fn launch_course(
    world: &mut World,
    course: &Slug,
    communities: &[u32],
    start: Day,
) -> Result<u32, Reject> {
    let branch = world.resource::<Setup>().branch;
    let groups: Vec<CommunityId> =
        communities.iter().map(|seq| CommunityId::new(branch, *seq)).collect();
    let name = Pack::course_quest(course).ok_or(Reject::UnknownCourse)?;
    launch_named(world, name, &groups, start).map(|run| run.seq)
}

fn launch_named(
    world: &mut World,
    name: Slug,
    communities: &[CommunityId],
    start: Day,
) -> Result<RunId, Reject> {
    let pack = world.resource::<Packs>().current().clone();
    let plan_of = pack.quest(&name).ok_or(Reject::UnknownQuest)?;
    let mut groups: Vec<u32> = communities.iter().map(|id| id.seq).collect();
    groups.sort_unstable();
    groups.dedup();
    let people = world.resource::<People>();
    let group = |seq| people.community(seq).and_then(|entity| world.get::<Community>(entity));
    for &seq in &groups {
        let community = group(seq).ok_or(Reject::UnknownCommunity)?;
        if !plan_of.audience.contains(&community.kind) {
            return Err(Reject::WrongAudience);
        }
    }
    let first_group = match groups.first() {
        Some(&seq) => group(seq),
        None => (1..=people.communities.len() as u32)
            .filter_map(group)
            .find(|community| plan_of.audience.contains(&community.kind)),
    };
    let calendar = first_group.ok_or(Reject::UnknownCommunity)?.calendar;
    let today = calendar.day_of(world.resource::<Now>().at);
    if start < today || start > today.plus(LEAD_DAYS) {
        return Err(Reject::BadStart);
    }
    let seq = world.resource::<RunIndex>().next();
    let run = Run {
        seq,
        quest: name,
        pack: pack.digest,
        communities: groups,
        first: start,
        last: start.plus(i32::from(plan_of.days) - 1),
        calendar,
        ended: None,
        budget_left: plan_of.budget_fen.0 / pack.points.fen_per_point.0.max(1),
    };
    let due = ends_at(&run);
    let entity = spawn(world, run, &pack).ok_or(Reject::UnknownQuest)?;
    world.resource_mut::<RunIndex>().push(entity);
    crate::quiz::plan_rounds(world, entity);
    world.resource_mut::<DueQueue>().add(due, Due::RunEnds { run: seq });
    let id = RunId::new(world.resource::<Setup>().branch, seq);
    announce(world, EventKind::RunLaunched(id));
    Ok(id)
}

/// A run ends when its last day and the late window after it are over.
fn ends_at(run: &Run) -> Timestamp {
    run.calendar.start_of(run.last.plus(1)).plus_ms(run.calendar.late_ms())
}

/// What follows from a run's content.
fn plan_of(world: &mut World, run: &Run, pack: &Arc<Pack>) -> Option<RunPlan> {
    let quest = Arc::new(pack.quest(&run.quest)?.clone());
    let rules = world.resource_scope(|_, mut numbers: Mut<RuleNumbers>| {
        Rulebook::compile(pack, &quest, &mut numbers)
    });
    Some(RunPlan {
        streak: match &quest.kind {
            QuestKind::CheckInStreak(streak) => Some(crate::streak::StreakPlan::of(streak)),
            _ => None,
        },
        moments: match &quest.kind {
            QuestKind::MomentsChallenge(challenge) => {
                Some(crate::moments::MomentsPlan::of(challenge, pack))
            }
            _ => None,
        },
        quest,
        rules,
    })
}

/// Puts a run into the world with everything that follows from its content.
fn spawn(world: &mut World, run: Run, pack: &Arc<Pack>) -> Option<Entity> {
    let plan = plan_of(world, &run, pack)?;
    let tables = (crate::streak::Streaks::default(), crate::board::RunScores::default());
    Some(world.spawn((run, plan, tables)).id())
}

fn stop(world: &mut World, id: RunId) -> Result<Receipt, Reject> {
    let entity = world.resource::<RunIndex>().entity(id.seq).ok_or(Reject::UnknownRun)?;
    let run = world.get::<Run>(entity).ok_or(Reject::UnknownRun)?;
    if run.ended.is_some() {
        return Err(Reject::RunEnded);
    }
    end(world, id.seq);
    Ok(Receipt::Ok)
}

/// Ends a run at once, unless it has ended.
pub(crate) fn stop_run(world: &mut World, seq: u32) {
    end(world, seq);
}

/// Has a course's run go on with other content: what opens from now on is asked from it. Budget,
/// limits and standing go on.
pub(crate) fn amend(world: &mut World, seq: u32, digest: Digest) -> Result<(), Reject> {
    let entity = world.resource::<RunIndex>().entity(seq).ok_or(Reject::UnknownRun)?;
    let pack = world.resource::<Packs>().get(digest).ok_or(Reject::UnknownContent)?.clone();
    let run = world.get::<Run>(entity).ok_or(Reject::UnknownRun)?.clone();
    let plan = plan_of(world, &run, &pack).ok_or(Reject::BadAmendment)?;
    let run = Run { pack: digest, ..run };
    world.entity_mut(entity).insert((run, plan));
    world.resource_mut::<Touched>().catalog = true;
    Ok(())
}

/// Ends a run whose time is over, once its last round has settled and its last post is closed:
/// extra time, grace and a post's window may reach beyond the run's last day.
pub(crate) fn run_out(world: &mut World, seq: u32) {
    let now = world.resource::<Now>().at;
    let last = crate::quiz::settles_last(world, seq).max(crate::moments::closes_last(world, seq));
    match last.filter(|last| *last > now) {
        Some(last) => world.resource_mut::<DueQueue>().add(last, Due::RunEnds { run: seq }),
        None => end(world, seq),
    }
}

/// Days after its end for which a run, its rounds and posts can still be read.
const REMEMBERED_DAYS: i64 = 35;

/// Ends a run, unless it has ended: rounds close, posts close, its standing is final.
fn end(world: &mut World, seq: u32) {
    let now = *world.resource::<Now>();
    let Some(entity) = world.resource::<RunIndex>().entity(seq) else { return };
    let mut run = world.get_mut::<Run>(entity).expect("indexed runs are whole");
    if run.ended.is_some() {
        return;
    }
    run.ended = Some(now.at);
    world.resource_mut::<RunIndex>().end(seq);
    let forgotten = now.at.plus_ms(REMEMBERED_DAYS * 86_400_000);
    world.resource_mut::<DueQueue>().add(forgotten, Due::RunForgotten { run: seq });
    crate::quiz::close_rounds_of(world, seq);
    crate::moments::close_posts_of(world, seq);
    crate::board::close_run(world, seq);
    let id = RunId::new(world.resource::<Setup>().branch, seq);
    announce(world, EventKind::RunEnded(id));
}

/// Drops a run that ended long ago, with its rounds and posts. Its entries stay in the ledger.
pub(crate) fn forget(world: &mut World, seq: u32) {
    let Some(entity) = world.resource_mut::<RunIndex>().remove(seq) else { return };
    world.despawn(entity);
    crate::caps::forget_run(world, seq);
    crate::quiz::forget_rounds_of(world, seq);
    crate::moments::forget_posts_of(world, seq);
    world.resource_mut::<Touched>().catalog = true;
}

/// Points a run may still pay.
pub(crate) fn budget_left(run: &Run) -> Points {
    Points(run.budget_left)
}

#[derive(Serialize, Deserialize)]
struct Saved {
    launched: u32,
    runs: Vec<Run>,
    streaks: Vec<crate::streak::Streaks>,
    scores: Vec<crate::board::RunScores>,
}

fn save(world: &mut World) -> Vec<u8> {
    let index = world.resource::<RunIndex>();
    let live: Vec<Entity> = index.live().collect();
    encode(&Saved {
        launched: index.last(),
        runs: column(world, &live),
        streaks: column(world, &live),
        scores: column(world, &live),
    })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("runs", bytes)?;
    let broken = || RestoreError::Unreadable("section `runs`: a run is incomplete".to_owned());
    if [saved.streaks.len(), saved.scores.len()] != [saved.runs.len(); 2] {
        return Err(broken());
    }
    let (mut live, mut over) = (Vec::new(), Vec::new());
    let tables = saved.streaks.into_iter().zip(saved.scores);
    for (run, tables) in saved.runs.into_iter().zip(tables) {
        let packs = world.resource::<Packs>();
        let pack = packs.get(run.pack).cloned();
        let unpinned = mutant::planted("runs/unpinned");
        let pack = if unpinned { Some(packs.current().clone()) } else { pack };
        let pack = pack.ok_or(RestoreError::MissingContent(run.pack))?;
        let seq = run.seq;
        over.extend(run.ended.map(|_| seq));
        let entity = spawn(world, run, &pack).ok_or_else(broken)?;
        world.entity_mut(entity).insert(tables);
        live.push((seq, entity));
    }
    let mut index = RunIndex::restored(saved.launched, live).ok_or_else(broken)?;
    over.into_iter().for_each(|seq| index.end(seq));
    world.insert_resource(index);
    Ok(())
}
