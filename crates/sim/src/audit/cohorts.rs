//! Cohorts: stages, enrolment, lessons, what is remembered, graduation, and the way into long-term
//! groups, worked out from the journal and the course files alone.
//!
//! What members remember is computed in floating point here and in integers by the engine (see
//! [`memory`]). Three decisions hinge on it: which items are due for review and when they come back,
//! and whether enough is mastered to graduate. Where such a decision is so near that the two ways
//! of computing may part, both answers are taken for right, and the auditor goes on with the one
//! that was given; everything else is predicted to the letter.

mod due;
mod law;
mod learn;
mod life;
mod memory;
mod place;
mod seen;
mod start;
mod syllabus;

use std::collections::{BTreeMap, BTreeSet};

use dengmi_core::course::{
    CohortStage, CourseAction, CourseEvent, Gain, PlacedBy, PupilStage, StayWish,
};
use dengmi_core::mock::BandStanding;
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{
    Action, Calendar, CohortId, CommunityId, Day, Fen, MemberId, Ppm, Receipt, Reject, Timestamp,
};

use super::invest::{Account, Market};
use super::{Answered, Auditor, Edge, Tick};
pub(super) use law::Told;
use memory::Memory;
pub(super) use syllabus::{Packs, Syllabus};

/// Chance of remembering from which a concept counts as mastered.
const MASTERED: f64 = 0.8;
const MILLION: u64 = 1_000_000;

pub(super) struct Cohort {
    pub(super) syllabus: Syllabus,
    pub(super) groups: BTreeSet<u32>,
    pub(super) run: u32,
    pub(super) first: Day,
    pub(super) days: u8,
    pub(super) calendar: Calendar,
    pub(super) stage: CohortStage,
    since: [Option<Timestamp>; 6],
    pub(super) sent: u8,
    pub(super) pupils: BTreeMap<u32, Pupil>,
    gain: Option<Gain>,
    retained: [Option<Ppm>; 2],
    pub(super) market: Market,
    pub(super) standing: BandStanding,
    /// Whether it follows for certain.
    pub(super) standing_sure: bool,
}

pub(super) struct Pupil {
    pub(super) stage: PupilStage,
    since: Timestamp,
    lessons: BTreeSet<u8>,
    computed: BTreeSet<u8>,
    quizzes: BTreeSet<u8>,
    cards: BTreeMap<u16, Card>,
    before: BTreeMap<u16, bool>,
    after: BTreeMap<u16, bool>,
    /// Reviews by day.
    reviewed: BTreeMap<Day, usize>,
    wish: Option<StayWish>,
    invitation: Option<Invitation>,
    pub(super) mock: Account,
}

#[derive(Clone, Copy)]
struct Card {
    memory: Memory,
    right: bool,
    reviews: usize,
}

#[derive(Clone, Copy)]
struct Invitation {
    to: u32,
    until: Timestamp,
    by: PlacedBy,
    given: u8,
}

impl Cohort {
    fn day(&self, day: u8) -> Day {
        self.first.plus(i32::from(day) - 1)
    }

    pub(super) fn last(&self) -> Day {
        self.day(self.days)
    }
}

impl Pupil {
    fn new(since: Timestamp, cash: Fen) -> Self {
        Self {
            stage: PupilStage::Enrolled,
            since,
            lessons: BTreeSet::new(),
            computed: BTreeSet::new(),
            quizzes: BTreeSet::new(),
            cards: BTreeMap::new(),
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            reviewed: BTreeMap::new(),
            wish: None,
            invitation: None,
            mock: Account::new(cash),
        }
    }

    /// Has an invitation that is not settled.
    fn waits(&self) -> bool {
        matches!(self.stage, PupilStage::Invited | PupilStage::Accepted)
    }

    fn remember(&mut self, concept: u16, right: bool, on: Day) {
        let card = match self.cards.get(&concept) {
            Some(card) => Card { memory: card.memory.review(right, on), right, ..*card },
            None => Card { memory: Memory::first(right, on), right, reviews: 0 },
        };
        self.cards.insert(concept, card);
    }

    /// Fewest and most concepts that may count as mastered on a day.
    pub(super) fn mastered(&self, on: Day) -> (u64, u64) {
        let (mut least, mut most) = (0, 0);
        for card in self.cards.values().filter(|card| card.right) {
            let chance = card.memory.chance(on);
            let near = memory::near(chance, MASTERED);
            most += u64::from(chance >= MASTERED || near);
            least += u64::from(chance >= MASTERED && !near);
        }
        (least, most)
    }
}

/// Whether a cohort may go from one stage to another.
fn stage_leads(from: CohortStage, to: CohortStage) -> bool {
    use CohortStage as S;
    match to {
        S::Planned => false,
        S::Enrolling => from == S::Planned,
        S::Running => from == S::Enrolling,
        S::Grading => from == S::Running,
        S::Placing => from == S::Grading,
        // At its end, or dissolved before it.
        S::Archived => [S::Planned, S::Enrolling, S::Running, S::Placing].contains(&from),
    }
}

/// Whether a member may go from one stage to another; `None` is nobody yet.
fn pupil_leads(from: Option<PupilStage>, to: PupilStage) -> bool {
    use PupilStage as S;
    let before: &[Option<S>] = match to {
        S::Enrolled => &[None, Some(S::Left)],
        S::Left => &[Some(S::Enrolled), Some(S::Graduated), Some(S::Invited), Some(S::Accepted)],
        S::Unfinished | S::Graduated => &[Some(S::Enrolled)],
        S::Invited => &[Some(S::Graduated), Some(S::Lapsed)],
        S::Accepted => &[Some(S::Invited)],
        S::Declined | S::Lapsed => &[Some(S::Invited), Some(S::Accepted)],
        S::Arrived => &[Some(S::Accepted)],
    };
    before.contains(&from)
}

impl Auditor {
    pub(super) fn course_action(
        &mut self,
        tick: &mut Tick<'_>,
        action: &Action,
    ) -> Option<Answered> {
        let Action::Course(action) = action else { return None };
        Some(self.serve_course(tick, action))
    }

    fn serve_course(&mut self, tick: &mut Tick<'_>, action: &CourseAction) -> Answered {
        if let CourseAction::Start { course, communities, start } = action {
            return self.start_cohort(tick, course, communities, *start);
        }
        let seq = action.cohort().map_or(0, |cohort| cohort.seq);
        if !self.cohorts.contains_key(&seq) {
            return Err(Reject::UnknownCohort);
        }
        match action {
            CourseAction::Start { .. } => Err(Reject::UnknownCohort),
            CourseAction::Amend { digest, from_day, .. } => {
                self.amend(tick, seq, *digest, *from_day)
            }
            CourseAction::Dissolve { .. } => self.dissolve(tick, seq),
            CourseAction::Enrol { member, .. } => self.enrol(tick, seq, *member),
            CourseAction::Withdraw { member, .. } => {
                self.people.member(member.seq).ok_or(Reject::UnknownMember)?;
                if self.enter_pupil(tick, seq, member.seq, PupilStage::Left) {
                    self.seen.mark(Edge::PupilWithdrew);
                    Ok(Receipt::Ok)
                } else {
                    Err(Reject::NotEnrolled)
                }
            }
            CourseAction::FinishLesson { member, day, computed, .. } => {
                self.finish_lesson(tick, seq, *member, *day, *computed)
            }
            CourseAction::AnswerItems { member, occasion, answers, .. } => {
                self.answer_items(tick, seq, *member, *occasion, answers)
            }
            CourseAction::Wish { member, wish, .. } => self.wish(seq, *member, *wish),
            CourseAction::AnswerInvitation { member, accept, .. } => {
                self.people.acting(*member)?;
                self.answer_invitation(tick, seq, *member, *accept)
            }
            CourseAction::Reinvite { member, .. } => self.reinvite(tick, seq, *member),
            CourseAction::Arrive { member, .. } => self.arrive(tick, seq, *member),
            CourseAction::Mock { member, what, .. } => self.mock(tick, seq, *member, what),
        }
    }

    fn tell(&self, tick: &mut Tick<'_>, event: CourseEvent) {
        tick.events.push((None, EventKind::Course(event)));
    }

    /// The group of a member, the last one after they left.
    fn group_of(&self, member: u32) -> Option<CommunityId> {
        let community = self.people.member(member)?.community;
        Some(CommunityId::new(self.branch, community))
    }

    fn enter_stage(&mut self, tick: &mut Tick<'_>, seq: u32, to: CohortStage) -> bool {
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return false };
        if !stage_leads(cohort.stage, to) {
            return false;
        }
        cohort.stage = to;
        cohort.since[to as usize] = Some(tick.at);
        self.seen.mark(match to {
            CohortStage::Planned => Edge::CohortStarted,
            CohortStage::Enrolling => Edge::CohortEnrolling,
            CohortStage::Running => Edge::CohortRunning,
            CohortStage::Grading => Edge::CohortGraded,
            CohortStage::Placing => Edge::CohortPlacing,
            CohortStage::Archived => Edge::CohortArchived,
        });
        self.tell(tick, CourseEvent::Stage(CohortId::new(self.branch, seq), to));
        true
    }

    fn enter_pupil(&mut self, tick: &mut Tick<'_>, seq: u32, member: u32, to: PupilStage) -> bool {
        let group = self.group_of(member);
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return false };
        let Some(pupil) = cohort.pupils.get_mut(&member) else { return false };
        if !pupil_leads(Some(pupil.stage), to) {
            return false;
        }
        let from = std::mem::replace(&mut pupil.stage, to);
        pupil.since = tick.at;
        self.seen.mark(match (from, to) {
            (_, PupilStage::Enrolled) => Edge::PupilBack,
            (PupilStage::Enrolled, PupilStage::Left) => Edge::PupilLeft,
            (PupilStage::Graduated, PupilStage::Left) => Edge::GraduateLeft,
            (_, PupilStage::Left) => Edge::InvitedLeft,
            (_, PupilStage::Unfinished) => Edge::PupilUnfinished,
            (_, PupilStage::Graduated) => Edge::PupilGraduated,
            (_, PupilStage::Invited) => Edge::PupilInvited,
            (_, PupilStage::Accepted) => Edge::PupilAccepted,
            (PupilStage::Accepted, PupilStage::Declined) => Edge::AcceptedDeclined,
            (_, PupilStage::Declined) => Edge::PupilDeclined,
            (PupilStage::Accepted, PupilStage::Lapsed) => Edge::AcceptedLapsed,
            (_, PupilStage::Lapsed) => Edge::PupilLapsed,
            (_, PupilStage::Arrived) => Edge::PupilArrived,
        });
        let cohort = CohortId::new(self.branch, seq);
        let member = MemberId::new(self.branch, member);
        let event = CourseEvent::Pupil { cohort, member, stage: to };
        tick.events.push((group, EventKind::Course(event)));
        true
    }

    /// Pupils of a cohort in any of some stages, by number.
    fn pupils_in(&self, seq: u32, stages: &[PupilStage]) -> Vec<u32> {
        let pupils = self.cohorts.get(&seq).into_iter().flat_map(|cohort| &cohort.pupils);
        let wanted = pupils.filter(|(_, pupil)| stages.contains(&pupil.stage));
        wanted.map(|(member, _)| *member).collect()
    }

    /// Who is no longer in a cohort's groups, or in the programme, takes part no longer.
    pub(super) fn notice_departures(&mut self, tick: &mut Tick<'_>) {
        for (member, from) in tick.departed.clone() {
            let cohorts: Vec<u32> = self.cohorts.keys().copied().collect();
            for seq in cohorts {
                let cohort = &self.cohorts[&seq];
                let Some(pupil) = cohort.pupils.get(&member) else { continue };
                let person = self.people.member(member);
                let active = person.is_some_and(|person| person.status == MemberStatus::Active);
                let here = person.is_some_and(|person| cohort.groups.contains(&person.community));
                let out = match pupil.stage {
                    PupilStage::Enrolled => !active || !here && cohort.groups.contains(&from),
                    PupilStage::Invited | PupilStage::Accepted => !active,
                    _ => false,
                };
                if out {
                    self.enter_pupil(tick, seq, member, PupilStage::Left);
                }
            }
        }
    }
}
