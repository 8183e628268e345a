//! Cohorts: courses that were started. Reads [`BatchCommands`] and [`Departed`]; owns [`Cohort`],
//! [`Pupils`], [`CohortPlan`] and [`Taking`]; tells [`Announced`].
//!
//! A cohort's quiz of the day is an ordinary run of rounds, so answers, rewards, corrections and
//! standings work as everywhere. What is particular to courses is here: stages, lessons, memory,
//! graduation, and the way into a long-term group.

mod learn;
mod life;
mod place;
mod plan;
mod pupil;
mod serve;
mod taking;
mod view;

use bevy_ecs::prelude::*;
use dengmi_core::course::{CohortStage, CourseAction, CourseEvent, Gain, PupilStage};
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{
    Calendar, CohortId, CommunityId, Day, Digest, MemberId, Ppm, Slug, Timestamp, mutant,
};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{Builder, Now, Phase, Section, Setup, Touched, decode, encode};
use crate::memory::KnownReviews;
use crate::numbered::Numbered;
use crate::outreach::Announced;
use crate::people::{Departed, Member, column};
use crate::roster::Roster;
use crate::stream::Stream;

pub(crate) use learn::{Graded, graded};
pub(crate) use life::{count_retention, end_invitations, end_lessons, forget, open, send_lesson};
pub(crate) use plan::CohortPlan;
pub use plan::item_order;
pub(crate) use pupil::Pupil;
use taking::{Taking, taken_by};
pub(crate) use view::{cohort_view, pupil_views};

/// A started course.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cohort {
    pub(crate) seq: u32,
    pub(crate) course: Slug,
    /// Content by the first day on which it holds, rising, from day 1.
    pub(crate) packs: Vec<(u8, Digest)>,
    /// Groups it lives in, rising.
    pub(crate) communities: Vec<u32>,
    /// The run of its quiz of the day.
    pub(crate) run: u32,
    pub(crate) first: Day,
    pub(crate) days: u8,
    /// Days turn for the whole cohort where they turn for its first group.
    pub(crate) calendar: Calendar,
    pub(crate) stage: CohortStage,
    pub(crate) since: [Option<Timestamp>; 6],
    /// Lessons sent.
    pub(crate) sent: u8,
    /// Concepts taught and items asked, in the order in which content brought them: rows of pupils
    /// name them by number.
    pub(crate) concepts: Vec<Slug>,
    pub(crate) items: Vec<Slug>,
    /// Binds the mock market's secret under the content of the start, which it goes on with.
    pub(crate) commitment: Digest,
    pub(crate) terms: Digest,
    pub(crate) gain: Option<Gain>,
    pub(crate) retained: [Option<Ppm>; 2],
}

/// Everybody who ever enrolled.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Pupils(pub(crate) Roster<Pupil>);

/// Cohorts that are not forgotten yet.
pub(crate) type CohortIndex = Numbered<Cohort>;

impl Cohort {
    pub(crate) fn last(&self) -> Day {
        self.first.plus(i32::from(self.days) - 1)
    }

    /// Business day of day `day` of the course.
    fn day(&self, day: u8) -> Day {
        self.first.plus(i32::from(day) - 1)
    }

    pub(crate) fn id(&self, setup: &Setup) -> CohortId {
        CohortId::new(setup.branch, self.seq)
    }

    /// Content in force on a day of the course.
    pub(crate) fn pack_on(&self, day: u8) -> Digest {
        let in_force = self.packs.iter().rev().find(|(from, _)| *from <= day);
        in_force.or(self.packs.first()).map_or(Digest::default(), |(_, digest)| *digest)
    }

    pub(crate) fn lives_in(&self, community: u32) -> bool {
        self.communities.binary_search(&community).is_ok()
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<CohortIndex>()
        .resource::<Taking>()
        .resource::<KnownReviews>()
        .systems(
            Phase::Structure,
            (serve::serve_courses, notice_departures).chain().after(crate::runs::serve_runs),
        )
        // Groups may have been dissolved when a cohort's time was over.
        .systems(Phase::Clock, notice_departures.after(crate::clock::fall_due))
        .section(Section { name: "cohorts", version: 2, save, restore });
}

/// Goes into a stage, if the way is listed, and says so.
fn enter_stage(world: &mut World, entity: Entity, to: CohortStage) -> bool {
    let now = world.resource::<Now>().at;
    let setup = *world.resource::<Setup>();
    let mut cohort = world.get_mut::<Cohort>(entity).expect("indexed cohorts are whole");
    if !cohort.stage.leads_to(to) {
        return false;
    }
    cohort.stage = to;
    cohort.since[to as usize] = Some(now);
    let id = cohort.id(&setup);
    announce(world, None, CourseEvent::Stage(id, to));
    true
}

pub(crate) fn announce(world: &mut World, community: Option<CommunityId>, event: CourseEvent) {
    let kind = EventKind::Course(event);
    world.resource_mut::<Stream<Announced>>().write(Announced { community, kind });
    world.resource_mut::<Touched>().catalog = true;
}

/// The group of a member: whom an event about them concerns.
fn community_of(world: &World, member: u32) -> Option<CommunityId> {
    let community = world.resource::<Column<Member>>().get(member)?.community;
    Some(CommunityId::new(world.resource::<Setup>().branch, community))
}

/// Takes a member into a stage, if the way is listed, and says so.
fn enter_pupil(world: &mut World, entity: Entity, member: u32, to: PupilStage) -> bool {
    let now = world.resource::<Now>().at;
    let setup = *world.resource::<Setup>();
    let mut pupils = world.get_mut::<Pupils>(entity).expect("cohorts have pupils");
    let Some(pupil) = pupils.0.get_mut(member) else { return false };
    if !pupil.stage.leads_to(to) && !mutant::planted("cohort/unlisted") {
        return false;
    }
    pupil.stage = to;
    pupil.since = now;
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole").id(&setup);
    let member_id = MemberId::new(setup.branch, member);
    let group = community_of(world, member);
    announce(world, group, CourseEvent::Pupil { cohort, member: member_id, stage: to });
    world.resource_mut::<Touched>().member(member);
    true
}

/// Who leaves a cohort's groups, or the programme, takes part no longer.
fn notice_departures(world: &mut World) {
    let departed: Vec<Departed> = world.resource::<Stream<Departed>>().read().copied().collect();
    for Departed { member, from } in departed {
        let taken: Vec<Entity> = taken_by(world, member).collect();
        for entity in taken {
            let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
            // Back in another of its groups by now?
            let row = world.resource::<Column<Member>>().get(member);
            let still = row.is_some_and(|row| {
                row.status == MemberStatus::Active && cohort.lives_in(row.community)
            });
            let gone = row.is_none_or(|row| row.status != MemberStatus::Active);
            if still || !(cohort.lives_in(from) || gone) {
                continue;
            }
            let stage = world.get::<Pupils>(entity).and_then(|p| p.0.get(member)).map(|p| p.stage);
            match stage {
                Some(PupilStage::Enrolled) => {
                    enter_pupil(world, entity, member, PupilStage::Left);
                }
                // An invitation outlives the course's group, not the membership. Who only graduated
                // stays so: their group may be dissolved before any other has room for them.
                Some(PupilStage::Invited | PupilStage::Accepted) if gone => {
                    enter_pupil(world, entity, member, PupilStage::Left);
                }
                _ => {}
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    started: u32,
    cohorts: Vec<Cohort>,
    pupils: Vec<Pupils>,
}

fn save(world: &mut World) -> Vec<u8> {
    let index = world.resource::<CohortIndex>();
    let live: Vec<Entity> = index.live().collect();
    encode(&Saved {
        started: index.last(),
        cohorts: column(world, &live),
        pupils: column(world, &live),
    })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("cohorts", bytes)?;
    let broken = || RestoreError::Unreadable("section `cohorts`: a cohort is broken".to_owned());
    if saved.pupils.len() != saved.cohorts.len() {
        return Err(broken());
    }
    let mut live = Vec::new();
    let mut taking = Taking::default();
    for (cohort, pupils) in saved.cohorts.into_iter().zip(saved.pupils) {
        let missing = |digest: &Digest| world.resource::<Packs>().get(*digest).is_none();
        let needed = cohort.packs.iter().map(|(_, digest)| *digest).chain([cohort.terms]);
        if cohort.stage != CohortStage::Archived
            && let Some(digest) = needed.clone().find(missing)
        {
            return Err(RestoreError::MissingContent(digest));
        }
        let sound = pupils.0.by_member().all(|(_, _, pupil)| pupil.fits(&cohort));
        if cohort.packs.is_empty() || !(1..=14).contains(&cohort.days) || !sound {
            return Err(broken());
        }
        let seq = cohort.seq;
        let plan = CohortPlan::of(world, &cohort).ok_or_else(broken)?;
        pupils.0.by_member().for_each(|(member, _, _)| taking.add(member, seq));
        live.push((seq, world.spawn((cohort, pupils, plan)).id()));
    }
    let index = CohortIndex::restored(saved.started, live).ok_or_else(broken)?;
    world.insert_resource(index);
    world.insert_resource(taking);
    Ok(())
}

/// The cohort a request is about.
fn cohort_of(world: &World, action: &CourseAction) -> Option<Entity> {
    world.resource::<CohortIndex>().entity(action.cohort()?.seq)
}
