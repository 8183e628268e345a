//! The way into long-term groups: who is invited where, and why.

use std::cmp::Reverse;

use dengmi_core::course::{
    CohortStage, CourseEvent, CourseReceipt, PlacedBy, PupilStage, StayWish,
};
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{CohortId, CommunityId, MemberId, Receipt, Reject, Timestamp};

use super::super::days::DAY_MS;
use super::super::runs::Due;
use super::super::{Answered, Auditor, Edge, Tick};
use super::Invitation;

impl Auditor {
    /// Members that a group takes beside those it has and those who are invited.
    fn room_left(&self, group: u32) -> u32 {
        let Some(row) = self.people.group(group) else { return 0 };
        let mut held = row.members.len() as u32;
        for cohort in self.cohorts.values() {
            let to = cohort.pupils.values().filter(|pupil| {
                pupil.waits() && pupil.invitation.is_some_and(|given| given.to == group)
            });
            held += to.count() as u32;
        }
        row.capacity.saturating_sub(held)
    }

    /// Where a member is placed, and why: the wish, an interest, the manager, room.
    fn place_of(&self, seq: u32, member: u32) -> Option<(u32, PlacedBy)> {
        let cohort = self.cohorts.get(&seq)?;
        let kinds = &cohort.syllabus.course(&self.packs).migration.to;
        let person = self.people.member(member)?;
        let own_manager = self.people.group(person.community).map(|group| group.manager);
        let wish = cohort.pupils.get(&member)?.wish;
        // Groups with room by how well they fit: reason, kind, most room, number.
        let mut best: Option<(PlacedBy, usize, Reverse<u32>, u32)> = None;
        for (row, group) in self.people.groups.iter().zip(1..) {
            let rank = kinds.iter().position(|kind| *kind == row.kind);
            let (Some(rank), room) = (rank, self.room_left(group)) else { continue };
            if row.closed || room == 0 {
                continue;
            }
            let wished = matches!(wish, Some(StayWish::Group(to)) if to.seq == group);
            let by = if wished {
                PlacedBy::Wish
            } else if person.tags.contains(&row.template) {
                PlacedBy::Interest
            } else if own_manager == Some(row.manager) {
                PlacedBy::Manager
            } else {
                PlacedBy::Room
            };
            let fit = (by, rank, Reverse(room), group);
            if best.is_none_or(|best| fit < best) {
                best = Some(fit);
            }
        }
        best.map(|(by, _, _, group)| (group, by))
    }

    pub(super) fn invite_graduates(&mut self, tick: &mut Tick<'_>, seq: u32) {
        for member in self.pupils_in(seq, &[PupilStage::Graduated]) {
            let leaves = self.cohorts[&seq].pupils[&member].wish == Some(StayWish::Leave);
            let active = self.people.member(member).map(|member| member.status);
            if leaves || active != Some(MemberStatus::Active) {
                self.seen.mark(Edge::GraduateLeaves);
                continue;
            }
            match self.place_of(seq, member) {
                Some(place) => _ = self.invite(tick, seq, member, place),
                None => self.seen.mark(Edge::GraduateUnplaced),
            }
        }
    }

    /// Until when graduates can be placed: as long as all invitations in a row would take.
    pub(super) fn placed_until(&self, seq: u32) -> Timestamp {
        let cohort = &self.cohorts[&seq];
        let rule = &cohort.syllabus.course(&self.packs).migration;
        let days = i64::from(rule.invitation_days) * (1 + i64::from(rule.reinvitations));
        let since = cohort.since[CohortStage::Placing as usize].unwrap_or_default();
        since.plus_ms(days * DAY_MS)
    }

    fn invite(
        &mut self,
        tick: &mut Tick<'_>,
        seq: u32,
        member: u32,
        (to, by): (u32, PlacedBy),
    ) -> Receipt {
        let days = self.cohorts[&seq].syllabus.course(&self.packs).migration.invitation_days;
        let until = tick.at.plus_ms(i64::from(days) * DAY_MS).min(self.placed_until(seq));
        self.enter_pupil(tick, seq, member, PupilStage::Invited);
        let pupil = self.cohorts.get_mut(&seq).and_then(|cohort| cohort.pupils.get_mut(&member));
        if let Some(pupil) = pupil {
            let given = pupil.invitation.map_or(0, |last| last.given) + 1;
            pupil.invitation = Some(Invitation { to, until, by, given });
            self.seen.mark(if given > 1 { Edge::InvitedAgain } else { Edge::Invited });
        }
        self.seen.mark(match by {
            PlacedBy::Wish => Edge::PlacedByWish,
            PlacedBy::Interest => Edge::PlacedByInterest,
            PlacedBy::Manager => Edge::PlacedByManager,
            PlacedBy::Room => Edge::PlacedByRoom,
        });
        self.diary.insert((until, Due::InvitationsEnd { cohort: seq }));
        let to = CommunityId::new(self.branch, to);
        let group = self.group_of(member);
        let (cohort, member) =
            (CohortId::new(self.branch, seq), MemberId::new(self.branch, member));
        let event = CourseEvent::Invited { cohort, member, to, until, by };
        tick.events.push((group, EventKind::Course(event)));
        Receipt::Course(CourseReceipt::Invitation { to, until })
    }

    /// The invitation that stands for a member.
    fn standing(
        &self,
        tick: &Tick<'_>,
        seq: u32,
        member: MemberId,
    ) -> Result<(PupilStage, Invitation), Reject> {
        let pupil = self.cohorts[&seq].pupils.get(&member.seq).ok_or(Reject::NotEnrolled)?;
        let given = pupil.invitation.filter(|given| pupil.waits() && tick.at < given.until);
        Ok((pupil.stage, given.ok_or(Reject::NoInvitation)?))
    }

    pub(super) fn answer_invitation(
        &mut self,
        tick: &mut Tick<'_>,
        seq: u32,
        member: MemberId,
        accept: bool,
    ) -> Answered {
        let (stage, given) = self.standing(tick, seq, member)?;
        if accept && stage == PupilStage::Accepted {
            return Err(Reject::NoInvitation);
        }
        let to = if accept { PupilStage::Accepted } else { PupilStage::Declined };
        self.enter_pupil(tick, seq, member.seq, to);
        self.archive_if_settled(tick, seq);
        let to = CommunityId::new(self.branch, given.to);
        Ok(Receipt::Course(CourseReceipt::Invitation { to, until: given.until }))
    }

    pub(super) fn reinvite(&mut self, tick: &mut Tick<'_>, seq: u32, member: MemberId) -> Answered {
        let cohort = &self.cohorts[&seq];
        if cohort.stage != CohortStage::Placing {
            return Err(Reject::WrongStage);
        }
        let pupil = cohort.pupils.get(&member.seq).ok_or(Reject::NotEnrolled)?;
        let most = cohort.syllabus.course(&self.packs).migration.reinvitations;
        let given = pupil.invitation.map_or(0, |given| given.given);
        let may = matches!(pupil.stage, PupilStage::Graduated | PupilStage::Lapsed);
        if !may || given > most {
            return Err(Reject::NoReinvitation);
        }
        let status = self.people.member(member.seq).map(|member| member.status);
        if status != Some(MemberStatus::Active) {
            return Err(Reject::MemberLeft);
        }
        let place = self.place_of(seq, member.seq).ok_or(Reject::NoPlace)?;
        Ok(self.invite(tick, seq, member.seq, place))
    }

    pub(super) fn arrive(&mut self, tick: &mut Tick<'_>, seq: u32, member: MemberId) -> Answered {
        let (stage, given) = self.standing(tick, seq, member)?;
        if stage != PupilStage::Accepted {
            return Err(Reject::NoInvitation);
        }
        let to = CommunityId::new(self.branch, given.to);
        match self.move_member(tick, member, to) {
            Err(Reject::AlreadyThere) => self.seen.mark(Edge::ArrivedBefore),
            other => _ = other?,
        }
        self.enter_pupil(tick, seq, member.seq, PupilStage::Arrived);
        self.archive_if_settled(tick, seq);
        Ok(Receipt::Course(CourseReceipt::Invitation { to, until: given.until }))
    }
}
