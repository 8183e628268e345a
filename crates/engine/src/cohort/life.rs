//! What falls due in a cohort's life, from the opening of enrolment to the last count.

use bevy_ecs::prelude::*;
use dengmi_core::course::{CohortStage, CourseEvent, PupilStage, StayWish};
use dengmi_core::view::MemberStatus;
use dengmi_core::{CommunityId, Ppm, Receipt, Reject, Timestamp, mutant};

use super::pupil::Pupil;
use super::{
    Cohort, CohortIndex, CohortPlan, Pupils, Taking, announce, enter_pupil, enter_stage, learn,
    place,
};
use crate::board::Scores;
use crate::clock::{Due, DueQueue};
use crate::column::Column;
use crate::kernel::{Now, Setup, Touched};
use crate::people::Member;

fn cohort(world: &World, entity: Entity) -> &Cohort {
    world.get::<Cohort>(entity).expect("indexed cohorts are whole")
}

fn find(world: &World, seq: u32) -> Option<Entity> {
    world.resource::<CohortIndex>().entity(seq)
}

/// Enrolment opens.
pub(crate) fn open(world: &mut World, seq: u32) {
    if let Some(entity) = find(world, seq) {
        enter_stage(world, entity, CohortStage::Enrolling);
    }
}

/// The lesson of a day is sent: every message to every group, in order. The first one starts the
/// course.
pub(crate) fn send_lesson(world: &mut World, seq: u32, day: u8) {
    let Some(entity) = find(world, seq) else { return };
    if day == 1 {
        // After a long stop both may be due at once.
        enter_stage(world, entity, CohortStage::Enrolling);
        enter_stage(world, entity, CohortStage::Running);
    }
    let mut sending = world.get_mut::<Cohort>(entity).expect("indexed cohorts are whole");
    if sending.stage != CohortStage::Running || day != sending.sent + 1 {
        return;
    }
    sending.sent = day;
    let sending = sending.clone();
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let blocks = plan.lesson(day).map_or(0, |lesson| lesson.blocks.len());
    let setup = *world.resource::<Setup>();
    let id = sending.id(&setup);
    // What there is to review and to answer is another on each day.
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let enrolled = pupils.0.by_member().filter(|(_, _, pupil)| pupil.stage == PupilStage::Enrolled);
    let enrolled: Vec<u32> = enrolled.map(|(member, _, _)| member).collect();
    let mut touched = world.resource_mut::<Touched>();
    enrolled.into_iter().for_each(|member| touched.member(member));
    for group in &sending.communities {
        let group = CommunityId::new(setup.branch, *group);
        for block in 0..u8::try_from(blocks).unwrap_or(u8::MAX) {
            announce(world, Some(group), CourseEvent::Message { cohort: id, day, block });
        }
    }
}

/// The last day is over: whoever met the rule graduates and is placed.
pub(crate) fn end_lessons(world: &mut World, seq: u32) {
    let Some(entity) = find(world, seq) else { return };
    let now = world.resource::<Now>().at;
    let ending = cohort(world, entity);
    if ending.stage != CohortStage::Running {
        return;
    }
    // Somebody may have got more time for the last quiz.
    if let Some(later) = crate::quiz::settles_last(world, ending.run).filter(|later| *later > now) {
        world.resource_mut::<DueQueue>().add(later, Due::LessonsEnd { cohort: seq });
        return;
    }
    enter_stage(world, entity, CohortStage::Grading);
    grade(world, entity);
    enter_stage(world, entity, CohortStage::Placing);
    place::invite_graduates(world, entity);
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let over = placed_until(cohort(world, entity), plan);
    let mut queue = world.resource_mut::<DueQueue>();
    queue.add(over, Due::InvitationsEnd { cohort: seq });
    for (count, days) in (0..).zip(RETENTION_DAYS) {
        let at = now.plus_ms(i64::from(days) * DAY_MS);
        queue.add(at, Due::RetentionCounted { cohort: seq, count });
    }
    archive_if_settled(world, entity);
}

const DAY_MS: i64 = 86_400_000;

/// Days after the placing on which retention is counted.
const RETENTION_DAYS: [u8; 2] = [7, 30];

fn grade(world: &mut World, entity: Entity) {
    let graded = cohort(world, entity).clone();
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan").clone();
    crate::invest::grade(world, entity);
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let gain = learn::gain(&plan, pupils);
    let verdicts: Vec<(u32, PupilStage)> = pupils
        .0
        .by_member()
        .filter(|(_, _, pupil)| pupil.stage == PupilStage::Enrolled)
        .map(|(member, _, pupil)| {
            let invested = crate::invest::record_of(world, entity, member);
            let passed = graduates(&graded, &plan, pupil, invested);
            (member, if passed { PupilStage::Graduated } else { PupilStage::Unfinished })
        })
        .collect();
    world.get_mut::<Cohort>(entity).expect("indexed cohorts are whole").gain = gain;
    for (member, stage) in verdicts {
        enter_pupil(world, entity, member, stage);
    }
}

/// Whether a member met every part of the graduation rule; `invested` is their score, whether they
/// have a plan, and whether they wrote the debrief.
fn graduates(
    cohort: &Cohort,
    plan: &CohortPlan,
    pupil: &Pupil,
    invested: (u16, bool, bool),
) -> bool {
    let (score, planned, debriefed) = invested;
    let rule = &plan.course().graduation;
    let taught = plan.taught_by(cohort.days);
    let mastered = u64::from(pupil.mastered(cohort.last())) * 1_000_000;
    pupil.lessons.count_ones() >= u32::from(rule.lessons)
        && pupil.quizzes.count_ones() >= u32::from(rule.quizzes)
        && (mastered >= u64::from(rule.mastery.0) * u64::from(taught)
            || mutant::planted("cohort/mastery-unasked"))
        && score >= rule.score
        && (planned || !rule.plan)
        && (debriefed || !rule.debrief)
}

/// When the time to place graduates is over: after the first invitation and as many more as the
/// course allows.
pub(super) fn placed_until(cohort: &Cohort, plan: &CohortPlan) -> Timestamp {
    let rule = &plan.course().migration;
    let invitations = 1 + i64::from(rule.reinvitations);
    let placing = cohort.since[CohortStage::Placing as usize].unwrap_or_default();
    placing.plus_ms(i64::from(rule.invitation_days) * invitations * DAY_MS)
}

/// Invitations that nobody answered in time run out. At the end of the time for placing all do.
pub(crate) fn end_invitations(world: &mut World, seq: u32) {
    let Some(entity) = find(world, seq) else { return };
    let now = world.resource::<Now>().at;
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let over: Vec<u32> = pupils
        .0
        .by_member()
        .filter(|(_, _, pupil)| {
            matches!(pupil.stage, PupilStage::Invited | PupilStage::Accepted)
                && pupil.invitation.is_some_and(|invitation| invitation.until <= now)
        })
        .map(|(member, _, _)| member)
        .collect();
    for member in over {
        enter_pupil(world, entity, member, PupilStage::Lapsed);
    }
    archive_if_settled(world, entity);
}

/// Ends the cohort once nobody is invited or can be: its groups are dissolved.
pub(super) fn archive_if_settled(world: &mut World, entity: Entity) {
    let placing = cohort(world, entity);
    if placing.stage != CohortStage::Placing {
        return;
    }
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let again = plan.course().migration.reinvitations;
    let waits = |pupil: &Pupil| match pupil.stage {
        PupilStage::Invited | PupilStage::Accepted => true,
        PupilStage::Graduated => pupil.wish != Some(StayWish::Leave),
        PupilStage::Lapsed => pupil.invitation.is_some_and(|last| last.given <= again),
        _ => false,
    };
    let over = placed_until(placing, plan) <= world.resource::<Now>().at;
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    if over || !pupils.0.by_member().any(|(_, _, pupil)| waits(pupil)) {
        archive(world, entity);
    }
}

/// Days for which an archived cohort can still be read: until its last count, and some more.
const REMEMBERED_DAYS: i64 = 45;

fn archive(world: &mut World, entity: Entity) {
    if !enter_stage(world, entity, CohortStage::Archived) {
        return;
    }
    let over = cohort(world, entity).clone();
    let now = world.resource::<Now>().at;
    let forgotten = now.plus_ms(REMEMBERED_DAYS * DAY_MS);
    world.resource_mut::<DueQueue>().add(forgotten, Due::CohortForgotten { cohort: over.seq });
    for group in &over.communities {
        crate::people::close_community(world, *group);
    }
}

/// An operator ends a cohort early.
pub(super) fn dissolve(world: &mut World, entity: Entity) -> Result<Receipt, Reject> {
    let over = cohort(world, entity).clone();
    if !over.stage.leads_to(CohortStage::Archived) || over.stage == CohortStage::Placing {
        return Err(Reject::WrongStage);
    }
    crate::runs::stop_run(world, over.run);
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let enrolled: Vec<u32> = pupils
        .0
        .by_member()
        .filter(|(_, _, pupil)| pupil.stage == PupilStage::Enrolled)
        .map(|(member, _, _)| member)
        .collect();
    for member in enrolled {
        enter_pupil(world, entity, member, PupilStage::Left);
    }
    archive(world, entity);
    Ok(Receipt::Ok)
}

/// Days within which a point counts as a sign of life.
const ACTIVE_DAYS: i32 = 7;

/// Counts who of those that arrived has earned a point within the seven days before.
pub(crate) fn count_retention(world: &mut World, seq: u32, count: u8) {
    let Some(entity) = find(world, seq) else { return };
    let counted = cohort(world, entity).clone();
    let now = world.resource::<Now>().at;
    let since = counted.calendar.day_of(now).plus(1 - ACTIVE_DAYS);
    let members = world.resource::<Column<Member>>();
    let scores = world.resource::<Column<Scores>>();
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let [mut arrived, mut active] = [0u32; 2];
    for (member, _, pupil) in pupils.0.by_member() {
        if pupil.stage != PupilStage::Arrived {
            continue;
        }
        arrived += 1;
        let here = members.get(member);
        let stays = here.is_some_and(|member| member.status == MemberStatus::Active);
        let scored = scores.get(member).map(|scores| scores.day);
        active += u32::from(stays && scored.is_some_and(|day| day >= since));
    }
    let share = (u64::from(active) * 1_000_000).checked_div(u64::from(arrived)).unwrap_or(0);
    let id = counted.id(world.resource::<Setup>());
    let mut counting = world.get_mut::<Cohort>(entity).expect("indexed cohorts are whole");
    let (Some(slot), Some(days)) = (
        counting.retained.get_mut(usize::from(count)),
        RETENTION_DAYS.get(usize::from(count)).copied(),
    ) else {
        return;
    };
    *slot = Some(Ppm(share as u32));
    announce(world, None, CourseEvent::Retained { cohort: id, days, arrived, active });
}

/// Drops a cohort that was archived long ago.
pub(crate) fn forget(world: &mut World, seq: u32) {
    let Some(entity) = world.resource_mut::<CohortIndex>().remove(seq) else { return };
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let members: Vec<u32> = pupils.0.by_member().map(|(member, _, _)| member).collect();
    world.despawn(entity);
    let mut taking = world.resource_mut::<Taking>();
    members.iter().for_each(|member| taking.remove(*member, seq));
    let mut touched = world.resource_mut::<Touched>();
    members.into_iter().for_each(|member| touched.member(member));
    touched.catalog = true;
}
