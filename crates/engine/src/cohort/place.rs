//! The way of graduates into long-term groups. Invitation, acceptance, running out and arrival are
//! facts of their own: nobody is moved but by coming.

use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use dengmi_core::course::{
    CohortStage, CourseEvent, CourseReceipt, PlacedBy, PupilStage, StayWish,
};
use dengmi_core::view::MemberStatus;
use dengmi_core::{CommunityId, MemberId, Receipt, Reject, mutant};

use super::life::{archive_if_settled, placed_until};
use super::pupil::{Invitation, Pupil};
use super::{Cohort, CohortIndex, CohortPlan, Pupils, announce, community_of, enter_pupil};
use crate::clock::{Due, DueQueue};
use crate::column::Column;
use crate::kernel::{Now, Setup};
use crate::people::{Community, Member, People};

/// A group that takes graduates.
struct Place {
    seq: u32,
    manager: u32,
    /// Rank of its kind in the course's list; smaller is better.
    rank: usize,
    /// Members it takes beside those it has and those who are invited.
    room: u32,
    /// The tag of those who are interested in it: its community file's name.
    interest: Option<u64>,
}

/// Groups that take graduates of a cohort, by number.
fn places(world: &World, entity: Entity) -> Vec<Place> {
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let kinds = &plan.course().migration.to;
    let people = world.resource::<People>();
    let invited = invited(world);
    let groups = people.communities.iter().filter_map(|row| world.get::<Community>(*row));
    let open = groups.filter(|group| !group.closed);
    let fitting = open.filter_map(|group| {
        let rank = kinds.iter().position(|kind| *kind == group.kind)?;
        let held = group.members.len() as u32 + invited.get(&group.seq).copied().unwrap_or(0);
        Some(Place {
            seq: group.seq,
            manager: group.manager,
            rank,
            room: group.capacity.saturating_sub(held),
            interest: people.tag_bit(&group.template),
        })
    });
    fitting.collect()
}

/// Seats that standing invitations hold, by group.
fn invited(world: &World) -> BTreeMap<u32, u32> {
    let mut held = BTreeMap::new();
    if mutant::planted("cohort/seats-ignored") {
        return held;
    }
    for entity in world.resource::<CohortIndex>().live() {
        let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
        let waiting = pupils.0.by_member().filter(|(_, _, pupil)| {
            matches!(pupil.stage, PupilStage::Invited | PupilStage::Accepted)
        });
        for invitation in waiting.filter_map(|(_, _, pupil)| pupil.invitation) {
            *held.entry(invitation.to).or_default() += 1;
        }
    }
    held
}

/// Where a graduate is placed, and why: the group they wished for, else one they showed interest
/// in, else one of the manager they know, else the best kind with most room; the smaller number
/// where all else is equal.
fn choose(
    places: &[Place],
    wish: Option<StayWish>,
    tags: u64,
    manager: Option<u32>,
) -> Option<(usize, PlacedBy)> {
    let open = || places.iter().enumerate().filter(|(_, place)| place.room > 0);
    let best = |fits: &dyn Fn(&Place) -> bool| {
        let order = |place: &Place| (place.rank, std::cmp::Reverse(place.room), place.seq);
        open().filter(|(_, p)| fits(p)).min_by_key(|(_, p)| order(p)).map(|(place, _)| place)
    };
    if let Some(StayWish::Group(group)) = wish
        && let Some(place) = best(&|place| place.seq == group.seq)
    {
        return Some((place, PlacedBy::Wish));
    }
    let interested = |place: &Place| place.interest.is_some_and(|bit| tags & bit != 0);
    best(&interested)
        .map(|place| (place, PlacedBy::Interest))
        .or_else(|| {
            best(&|place| Some(place.manager) == manager).map(|place| (place, PlacedBy::Manager))
        })
        .or_else(|| best(&|_| true).map(|place| (place, PlacedBy::Room)))
}

/// The wishes, tags and manager that decide where a member is placed; `None` for who has left.
fn signs(
    world: &World,
    entity: Entity,
    member: u32,
) -> Option<(Option<StayWish>, u64, Option<u32>)> {
    let people = world.resource::<People>();
    let row = world.resource::<Column<Member>>().get(member)?;
    if row.status != MemberStatus::Active {
        return None;
    }
    let group = people.community(row.community).and_then(|row| world.get::<Community>(row));
    let wish = world.get::<Pupils>(entity)?.0.get(member)?.wish;
    Some((wish, row.tags, group.map(|group| group.manager)))
}

/// Invites every graduate who did not wish to leave, in order of their numbers.
pub(super) fn invite_graduates(world: &mut World, entity: Entity) {
    let mut places = places(world, entity);
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let graduates: Vec<u32> = pupils
        .0
        .by_member()
        .filter(|(_, _, pupil)| pupil.stage == PupilStage::Graduated)
        .map(|(member, _, _)| member)
        .collect();
    for member in graduates {
        let Some((wish, tags, manager)) = signs(world, entity, member) else { continue };
        if wish == Some(StayWish::Leave) && !mutant::planted("cohort/leaver-invited") {
            continue;
        }
        if let Some((place, by)) = choose(&places, wish, tags, manager) {
            places[place].room -= 1;
            invite(world, entity, member, places[place].seq, by);
        }
    }
}

fn invite(world: &mut World, entity: Entity, member: u32, to: u32, by: PlacedBy) -> Receipt {
    let setup = *world.resource::<Setup>();
    let now = world.resource::<Now>().at;
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let days = i64::from(plan.course().migration.invitation_days);
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let until = now.plus_ms(days * 86_400_000).min(placed_until(cohort, plan));
    enter_pupil(world, entity, member, PupilStage::Invited);
    let mut pupils = world.get_mut::<Pupils>(entity).expect("cohorts have pupils");
    if let Some(pupil) = pupils.0.get_mut(member) {
        let given = pupil.invitation.map_or(0, |last| last.given).saturating_add(1);
        pupil.invitation = Some(Invitation { to, until, by, given });
    }
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let (seq, cohort) = (cohort.seq, cohort.id(&setup));
    world.resource_mut::<DueQueue>().add(until, Due::InvitationsEnd { cohort: seq });
    let to = CommunityId::new(setup.branch, to);
    let group = community_of(world, member);
    let member = MemberId::new(setup.branch, member);
    announce(world, group, CourseEvent::Invited { cohort, member, to, until, by });
    Receipt::Course(CourseReceipt::Invitation { to, until })
}

/// The invitation that stands for a member.
fn standing(
    world: &World,
    entity: Entity,
    member: MemberId,
) -> Result<(Pupil, Invitation), Reject> {
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let pupil = pupils.0.get(member.seq).ok_or(Reject::NotEnrolled)?;
    let stands = matches!(pupil.stage, PupilStage::Invited | PupilStage::Accepted);
    let now = world.resource::<Now>().at;
    // One that has run out lapses in this very batch.
    let invitation = pupil.invitation.filter(|given| stands && now < given.until);
    let invitation = invitation.ok_or(Reject::NoInvitation)?;
    Ok((pupil.clone(), invitation))
}

/// A member accepts or declines. Who accepted may still decline until they arrive.
pub(super) fn answer_invitation(
    world: &mut World,
    entity: Entity,
    member: MemberId,
    accept: bool,
) -> Result<Receipt, Reject> {
    let (_, invitation) = standing(world, entity, member)?;
    let to = if accept { PupilStage::Accepted } else { PupilStage::Declined };
    if !enter_pupil(world, entity, member.seq, to) {
        return Err(Reject::NoInvitation);
    }
    archive_if_settled(world, entity);
    let to = CommunityId::new(member.branch, invitation.to);
    Ok(Receipt::Course(CourseReceipt::Invitation { to, until: invitation.until }))
}

/// Repeats an invitation that ran out, or gives the first one where no group had room before.
pub(super) fn reinvite(
    world: &mut World,
    entity: Entity,
    member: MemberId,
) -> Result<Receipt, Reject> {
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let most = plan.course().migration.reinvitations;
    if world.get::<Cohort>(entity).expect("indexed cohorts are whole").stage != CohortStage::Placing
    {
        return Err(Reject::WrongStage);
    }
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let pupil = pupils.0.get(member.seq).ok_or(Reject::NotEnrolled)?;
    let given = pupil.invitation.map_or(0, |last| last.given);
    if !pupil.stage.leads_to(PupilStage::Invited) || given > most {
        return Err(Reject::NoReinvitation);
    }
    let (wish, tags, manager) = signs(world, entity, member.seq).ok_or(Reject::MemberLeft)?;
    let places = places(world, entity);
    let (place, by) = choose(&places, wish, tags, manager).ok_or(Reject::NoPlace)?;
    Ok(invite(world, entity, member.seq, places[place].seq, by))
}

/// Somebody who accepted has come: they are in the long-term group from now on. What they earned
/// stays theirs.
pub(super) fn arrive(
    world: &mut World,
    entity: Entity,
    member: MemberId,
) -> Result<Receipt, Reject> {
    let (pupil, invitation) = standing(world, entity, member)?;
    if pupil.stage != PupilStage::Accepted {
        return Err(Reject::NoInvitation);
    }
    let to = CommunityId::new(member.branch, invitation.to);
    match crate::people::move_member(world, member, to) {
        // Somebody brought them there before.
        Ok(_) | Err(Reject::AlreadyThere) => {}
        Err(reject) => return Err(reject),
    }
    enter_pupil(world, entity, member.seq, PupilStage::Arrived);
    archive_if_settled(world, entity);
    Ok(Receipt::Course(CourseReceipt::Invitation { to, until: invitation.until }))
}
