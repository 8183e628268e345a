//! Cohorts: stages, enrolment, lessons, what is remembered, graduation, and the way into long-term
//! groups, worked out from the journal and the course files alone.
//!
//! What members remember is computed in floating point here and in integers by the engine (see
//! [`memory`]). Three decisions hinge on it: which items are due for review and when they come back,
//! and whether enough is mastered to graduate. Where such a decision is so near that the two ways
//! of computing may part, both answers are taken for right, and the auditor goes on with the one
//! that was given; everything else is predicted to the letter. What binds the secret of the mock
//! market is taken as told once, at the start.

mod due;
mod law;
mod memory;
mod place;
mod seen;
mod syllabus;

use std::collections::{BTreeMap, BTreeSet};

use dengmi_content::model::Course;
use dengmi_content::model::course::CatchUp;
use dengmi_core::course::{
    CohortStage, CourseAction, CourseEvent, CourseReceipt, Gain, ItemAnswer, ItemMark, Occasion,
    PlacedBy, PupilStage, StayWish,
};
use dengmi_core::random::Purpose;
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{
    Action, Calendar, CohortId, CommunityId, Day, Decimal, Digest, MemberId, Outcome, Ppm, Receipt,
    Reject, Slug, Timestamp,
};

use super::days::{DAY_MS, day_of};
use super::quiz::{credit, in_key_order};
use super::runs::Due;
use super::{Answered, Auditor, Edge, Tick};
use due::DueItems;
pub(super) use law::Told;
use memory::Memory;
pub use seen::CourseSeen;
use syllabus::Syllabus;

/// Furthest ahead a course may be planned.
const LEAD_DAYS: i64 = 366;
/// Days for which an archived cohort is remembered.
const REMEMBERED_DAYS: i64 = 45;
/// Days after the placing on which retention is counted.
const COUNTS: [u8; 2] = [7, 30];
/// Days within which a score counts as a sign of life, the day of the count included.
const ALIVE_DAYS: i32 = 7;
/// Chance of remembering from which a concept counts as mastered.
const MASTERED: f64 = 0.8;
const ANSWERS_MAX: usize = 50;
const MILLION: u64 = 1_000_000;

pub(super) struct Cohort {
    syllabus: Syllabus,
    groups: BTreeSet<u32>,
    pub(super) run: u32,
    pub(super) first: Day,
    days: u8,
    calendar: Calendar,
    pub(super) stage: CohortStage,
    since: [Option<Timestamp>; 6],
    sent: u8,
    pupils: BTreeMap<u32, Pupil>,
    gain: Option<Gain>,
    retained: [Option<Ppm>; 2],
    commitment: Digest,
}

struct Pupil {
    stage: PupilStage,
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

    fn last(&self) -> Day {
        self.day(self.days)
    }
}

impl Pupil {
    fn new(since: Timestamp) -> Self {
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
    fn mastered(&self, on: Day) -> (u64, u64) {
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

    fn start_cohort(
        &mut self,
        tick: &mut Tick<'_>,
        course: &Slug,
        communities: &[CommunityId],
        start: Day,
    ) -> Answered {
        let pack = self.packs[&self.current].clone();
        let name = pack.current(course);
        let content = pack.courses.get(name).ok_or(Reject::UnknownCourse)?;
        let file = &content.course;
        let groups: BTreeSet<u32> = communities.iter().map(|id| id.seq).collect();
        for &seq in &groups {
            let group = self.people.group(seq).ok_or(Reject::UnknownCommunity)?;
            if group.closed {
                return Err(Reject::CommunityClosed);
            }
            if !file.audience.contains(&group.kind) {
                return Err(Reject::WrongAudience);
            }
        }
        let first = groups.first().and_then(|&seq| self.people.group(seq));
        let calendar = first.ok_or(Reject::UnknownCommunity)?.calendar;
        let ahead = i64::from(start.0) - i64::from(day_of(calendar, tick.at).0);
        if calendar.at(start, file.lesson_at) <= tick.at || ahead > LEAD_DAYS {
            return Err(Reject::BadStart);
        }
        let live = self.cohorts.values().filter(|other| other.stage != CohortStage::Archived);
        if live.flat_map(|other| &other.groups).any(|group| groups.contains(group)) {
            return Err(Reject::GroupTaken);
        }
        let mut syllabus = Syllabus::new(name.clone(), pack.digest);
        syllabus.learn(&pack).ok_or(Reject::UnknownCourse)?;
        let run = self.launch_quest(tick, &pack, content.quest(), groups.clone(), start)?;
        self.last_cohort += 1;
        let seq = self.last_cohort;
        // Taken as told.
        let commitment = match tick.said_now() {
            Some(Outcome::Done(Receipt::Course(CourseReceipt::Started { commitment, .. }))) => {
                *commitment
            }
            _ => Digest::default(),
        };
        let mut since = [None; 6];
        since[0] = Some(tick.at);
        let cohort = Cohort {
            syllabus,
            groups,
            run: run.seq,
            first: start,
            days: file.days,
            calendar,
            stage: CohortStage::Planned,
            since,
            sent: 0,
            pupils: BTreeMap::new(),
            gain: None,
            retained: [None; 2],
            commitment,
        };
        let opens = start.plus(-i32::from(file.enrolment.opens_days_before));
        let opens = calendar.start_of(opens).max(tick.at);
        self.diary.insert((opens, Due::EnrolmentOpens { cohort: seq }));
        for day in 1..=file.days {
            let at = calendar.at(cohort.day(day), file.lesson_at);
            self.diary.insert((at, Due::LessonSends { cohort: seq, day }));
        }
        let over = calendar.start_of(cohort.last().plus(1)).plus_ms(calendar.late_ms());
        self.diary.insert((over, Due::LessonsEnd { cohort: seq }));
        self.cohorts.insert(seq, cohort);
        self.seen.mark(Edge::CohortStarted);
        let id = CohortId::new(self.branch, seq);
        self.tell(tick, CourseEvent::Stage(id, CohortStage::Planned));
        Ok(Receipt::Course(CourseReceipt::Started { cohort: id, commitment }))
    }

    fn amend(&mut self, tick: &mut Tick<'_>, seq: u32, digest: Digest, from_day: u8) -> Answered {
        let cohort = &self.cohorts[&seq];
        if cohort.stage > CohortStage::Running {
            return Err(Reject::WrongStage);
        }
        let packs = &self.packs;
        let pack = packs.get(&digest).ok_or(Reject::UnknownContent)?.clone();
        let name = &cohort.syllabus.course;
        let new = pack.courses.get(pack.current(name)).ok_or(Reject::BadAmendment)?;
        let old = &packs[&cohort.syllabus.digest_on(from_day)];
        let old = old.courses.get(old.current(name)).ok_or(Reject::BadAmendment)?;
        // Days whose lesson was sent, or whose quiz may have opened.
        let today = day_of(cohort.calendar, tick.at);
        let opened = (1..=cohort.days).filter(|day| cohort.day(*day) <= today).count() as u8;
        let fixed = cohort.sent.max(opened);
        if from_day <= fixed || from_day > cohort.days || new.course.days != cohort.days {
            return Err(Reject::BadAmendment);
        }
        let asks = |day| {
            let of = |lesson: &dengmi_content::model::Lesson| {
                (lesson.questions.clone(), lesson.review.clone())
            };
            (new.lesson(day).map(of), old.lesson(day).map(of))
        };
        let same = (fixed + 1..from_day).map(asks).all(|(new, old)| new == old);
        let times = |course: &Course| (course.lesson_at, course.quiz.opens);
        let same = same && times(&new.course) == times(&old.course);
        if !same || new.course.mock != old.course.mock || new.course.paired != old.course.paired {
            return Err(Reject::BadAmendment);
        }
        let mut syllabus = cohort.syllabus.clone();
        syllabus.content.retain(|(from, _)| *from < from_day);
        syllabus.content.push((from_day, digest));
        syllabus.learn(&pack).ok_or(Reject::BadAmendment)?;
        if !syllabus.is_whole(packs) {
            return Err(Reject::BadAmendment);
        }
        let (run, quest) = (cohort.run, new.quest().clone());
        self.amend_run(run, &pack, quest)?;
        if let Some(cohort) = self.cohorts.get_mut(&seq) {
            cohort.syllabus = syllabus;
        }
        self.seen.mark(Edge::CohortAmended);
        let cohort = CohortId::new(self.branch, seq);
        self.tell(tick, CourseEvent::Amended { cohort, from_day, digest });
        Ok(Receipt::Ok)
    }

    fn dissolve(&mut self, tick: &mut Tick<'_>, seq: u32) -> Answered {
        let cohort = &self.cohorts[&seq];
        self.seen.mark(match cohort.stage {
            CohortStage::Planned => Edge::PlannedDissolved,
            CohortStage::Enrolling => Edge::EnrollingDissolved,
            CohortStage::Running => Edge::RunningDissolved,
            _ => return Err(Reject::WrongStage),
        });
        self.end(tick, cohort.run);
        for member in self.pupils_in(seq, &[PupilStage::Enrolled]) {
            self.enter_pupil(tick, seq, member, PupilStage::Left);
        }
        self.archive_cohort(tick, seq);
        Ok(Receipt::Ok)
    }

    fn enrol(&mut self, tick: &mut Tick<'_>, seq: u32, id: MemberId) -> Answered {
        let member = self.people.acting(id)?;
        let cohort = &self.cohorts[&seq];
        if !cohort.groups.contains(&member.community) {
            return Err(Reject::NotInCohortGroup);
        }
        let late = cohort.syllabus.course(&self.packs).enrolment.late_until_day;
        let open = cohort.stage == CohortStage::Enrolling
            || cohort.stage == CohortStage::Running && cohort.sent <= late;
        if !open {
            return Err(Reject::EnrolmentClosed);
        }
        let before = cohort.pupils.get(&id.seq).map(|pupil| pupil.stage);
        if !pupil_leads(before, PupilStage::Enrolled) {
            return Err(Reject::AlreadyEnrolled);
        }
        let busy = self.cohorts.iter().any(|(other, cohort)| {
            let stage = cohort.pupils.get(&id.seq).map(|pupil| pupil.stage);
            *other != seq && stage == Some(PupilStage::Enrolled)
        });
        if busy {
            return Err(Reject::OtherCohort);
        }
        if cohort.stage == CohortStage::Running {
            self.seen.mark(Edge::PupilLate);
        }
        if before.is_some() {
            self.enter_pupil(tick, seq, id.seq, PupilStage::Enrolled);
            return Ok(Receipt::Ok);
        }
        let group = self.group_of(id.seq);
        if let Some(cohort) = self.cohorts.get_mut(&seq) {
            cohort.pupils.insert(id.seq, Pupil::new(tick.at));
        }
        self.seen.mark(Edge::PupilEnrolled);
        let cohort = CohortId::new(self.branch, seq);
        let event = CourseEvent::Pupil { cohort, member: id, stage: PupilStage::Enrolled };
        tick.events.push((group, EventKind::Course(event)));
        Ok(Receipt::Ok)
    }

    fn finish_lesson(
        &mut self,
        tick: &Tick<'_>,
        seq: u32,
        member: MemberId,
        day: u8,
        computed: Decimal,
    ) -> Answered {
        self.people.acting(member)?;
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return Err(Reject::UnknownCohort) };
        if cohort.stage != CohortStage::Running {
            return Err(Reject::WrongStage);
        }
        if !(1..=cohort.sent).contains(&day) {
            return Err(Reject::LessonNotSent);
        }
        let behind = day_of(cohort.calendar, tick.at).0 - cohort.day(day).0;
        match cohort.syllabus.course(&self.packs).enrolment.catch_up {
            CatchUp::Within(days) if behind > i32::from(days) => return Err(Reject::LessonOver),
            _ => {}
        }
        let lesson = cohort.syllabus.lesson(&self.packs, day).ok_or(Reject::LessonNotSent)?;
        let pupil = cohort.pupils.get_mut(&member.seq);
        let pupil = pupil.filter(|pupil| pupil.stage == PupilStage::Enrolled);
        let pupil = pupil.ok_or(Reject::NotEnrolled)?;
        if !pupil.lessons.insert(day) {
            return Err(Reject::LessonFinished);
        }
        let wanted = &lesson.compute;
        let off = i128::from(computed.micros()) - i128::from(wanted.answer.micros());
        let right = off.abs() <= i128::from(wanted.tolerance.micros());
        if right {
            pupil.computed.insert(day);
        }
        self.seen.mark(if right { Edge::LessonRight } else { Edge::LessonWrong });
        let lessons = pupil.lessons.len() as u8;
        Ok(Receipt::Course(CourseReceipt::Finished { right, lessons }))
    }

    fn wish(&mut self, seq: u32, member: MemberId, wish: StayWish) -> Answered {
        self.people.acting(member)?;
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return Err(Reject::UnknownCohort) };
        if let StayWish::Group(group) = wish {
            let group = self.people.group(group.seq).ok_or(Reject::UnknownCommunity)?;
            let kinds = &cohort.syllabus.course(&self.packs).migration.to;
            if group.closed || !kinds.contains(&group.kind) {
                return Err(Reject::BadWish);
            }
        }
        if ![CohortStage::Enrolling, CohortStage::Running].contains(&cohort.stage) {
            return Err(Reject::WrongStage);
        }
        let pupil = cohort.pupils.get_mut(&member.seq);
        let pupil = pupil.filter(|pupil| pupil.stage == PupilStage::Enrolled);
        pupil.ok_or(Reject::NotEnrolled)?.wish = Some(wish);
        Ok(Receipt::Ok)
    }

    fn answer_items(
        &mut self,
        tick: &Tick<'_>,
        seq: u32,
        id: MemberId,
        occasion: Occasion,
        answers: &[ItemAnswer],
    ) -> Answered {
        self.people.acting(id)?;
        let cohort = &self.cohorts[&seq];
        let pupil = cohort.pupils.get(&id.seq).ok_or(Reject::NotEnrolled)?;
        if pupil.stage != PupilStage::Enrolled {
            return Err(Reject::NotEnrolled);
        }
        if answers.is_empty() || answers.len() > ANSWERS_MAX {
            return Err(Reject::BadAnswers);
        }
        let packs = &self.packs;
        let today = day_of(cohort.calendar, tick.at).min(cohort.last());
        let open: Vec<u16> = match occasion {
            Occasion::Review => {
                let DueItems { sure, perhaps, .. } = self.due_items(cohort, pupil, today);
                let taken = matches!(
                    tick.said_now(),
                    Some(Outcome::Done(Receipt::Course(CourseReceipt::Reviewed { .. })))
                );
                match perhaps.is_empty() {
                    true => sure,
                    false if taken => perhaps,
                    false => return Err(Reject::ItemsNotDue),
                }
            }
            Occasion::Before | Occasion::After => self.pairs_open(cohort, pupil, occasion),
        };
        let options = self.seed.shuffler(Purpose::ItemOptionOrder, u64::from(seq));
        let mut taken: BTreeMap<u16, bool> = BTreeMap::new();
        let mut graded: Vec<(u16, u16, bool)> = Vec::new();
        for answer in answers {
            let asked = answer.item;
            if taken.contains_key(&asked) || !open.contains(&asked) {
                return Err(Reject::ItemsNotDue);
            }
            let item = cohort.syllabus.item(packs, asked);
            let (concept, item) = item.ok_or(Reject::UnknownQuestion)?;
            let shown = options.order(u64::from(id.seq) << 16 | u64::from(asked), item.options);
            let choice = in_key_order(answer.choice, &shown, &item.first_key)?;
            let right = credit(choice, &item) == MILLION;
            taken.insert(asked, right);
            graded.push((asked, concept, right));
        }
        let retention = cohort.syllabus.course(packs).quiz.retention;
        let pupil = self.cohorts.get_mut(&seq).and_then(|cohort| cohort.pupils.get_mut(&id.seq));
        let Some(pupil) = pupil else { return Err(Reject::NotEnrolled) };
        let half = match occasion {
            Occasion::Before => {
                self.seen.mark(Edge::ItemsBefore);
                &mut pupil.before
            }
            Occasion::After => {
                self.seen.mark(Edge::ItemsAfter);
                &mut pupil.after
            }
            Occasion::Review => {
                self.seen.mark(Edge::ItemsReviewed);
                let mut marks = Vec::new();
                for (place, (item, concept, right)) in graded.into_iter().enumerate() {
                    pupil.remember(concept, right, today);
                    let Some(card) = pupil.cards.get_mut(&concept) else { continue };
                    card.reviews += 1;
                    let (due, other) = card.memory.due(retention);
                    // What was said, where it may be either.
                    let said = other.filter(|other| tick.said_due(place) == Some(*other));
                    marks.push(ItemMark { item, right, due: said.unwrap_or(due) });
                }
                *pupil.reviewed.entry(today).or_default() += marks.len();
                return Ok(Receipt::Course(CourseReceipt::Reviewed { marks }));
            }
        };
        half.extend(taken);
        let answered = half.len() as u16;
        Ok(Receipt::Course(CourseReceipt::Taken { answered }))
    }

    /// A round was graded: by member, of every question whether it was right, if it was answered.
    pub(super) fn learn_from(&mut self, run: u32, index: u16, sheets: &[(u32, Vec<Option<bool>>)]) {
        let Some(cohort) = self.cohorts.values_mut().find(|cohort| cohort.run == run) else {
            return;
        };
        let day = u8::try_from(index + 1).unwrap_or(u8::MAX);
        let on = cohort.day(day);
        let items = cohort.syllabus.quiz(&self.packs, day);
        for (member, marks) in sheets {
            let Some(pupil) = cohort.pupils.get_mut(member) else { continue };
            if pupil.stage != PupilStage::Enrolled {
                continue;
            }
            for (item, mark) in items.iter().zip(marks) {
                let concept = cohort.syllabus.concept(&self.packs, *item);
                if let Some((concept, right)) = concept.zip(*mark) {
                    pupil.remember(concept, right, on);
                }
            }
            if marks.iter().all(Option::is_some) {
                pupil.quizzes.insert(day);
            }
        }
    }

    /// What falls due in a cohort's life.
    pub(super) fn course_due(&mut self, tick: &mut Tick<'_>, due: Due) {
        match due {
            Due::EnrolmentOpens { cohort } => {
                self.enter_stage(tick, cohort, CohortStage::Enrolling);
            }
            Due::LessonSends { cohort, day } => self.send_lesson(tick, cohort, day),
            Due::LessonsEnd { cohort } => self.end_lessons(tick, cohort),
            Due::InvitationsEnd { cohort } => self.end_invitations(tick, cohort),
            Due::RetentionCounted { cohort, count } => self.count_retention(tick, cohort, count),
            Due::CohortForgotten { cohort } => {
                self.seen.mark(Edge::CohortForgotten);
                self.cohorts.remove(&cohort);
            }
            _ => {}
        }
    }

    fn send_lesson(&mut self, tick: &mut Tick<'_>, seq: u32, day: u8) {
        if day == 1 {
            self.enter_stage(tick, seq, CohortStage::Enrolling);
            self.enter_stage(tick, seq, CohortStage::Running);
        }
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return };
        if cohort.stage != CohortStage::Running || day != cohort.sent + 1 {
            return;
        }
        cohort.sent = day;
        self.seen.mark(Edge::LessonSent);
        let blocks = cohort.syllabus.lesson(&self.packs, day).map_or(0, |l| l.blocks.len());
        let id = CohortId::new(self.branch, seq);
        for group in &cohort.groups {
            let group = CommunityId::new(self.branch, *group);
            for block in 0..blocks as u8 {
                let event = CourseEvent::Message { cohort: id, day, block };
                tick.events.push((Some(group), EventKind::Course(event)));
            }
        }
    }

    fn end_lessons(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let Some(cohort) = self.cohorts.get(&seq) else { return };
        if cohort.stage != CohortStage::Running {
            return;
        }
        let open = self.rounds.values().filter(|round| round.run == cohort.run && round.is_open());
        let settles = open.map(|round| round.settles()).max();
        if let Some(later) = settles.filter(|later| *later > tick.at) {
            self.seen.mark(Edge::CohortWaited);
            self.diary.insert((later, Due::LessonsEnd { cohort: seq }));
            return;
        }
        self.enter_stage(tick, seq, CohortStage::Grading);
        self.grade(tick, seq);
        self.enter_stage(tick, seq, CohortStage::Placing);
        self.invite_graduates(tick, seq);
        self.diary.insert((self.placed_until(seq), Due::InvitationsEnd { cohort: seq }));
        for (count, days) in (0..).zip(COUNTS) {
            let at = tick.at.plus_ms(i64::from(days) * DAY_MS);
            self.diary.insert((at, Due::RetentionCounted { cohort: seq, count }));
        }
        self.archive_if_settled(tick, seq);
    }

    fn grade(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let cohort = &self.cohorts[&seq];
        let rule = cohort.syllabus.course(&self.packs).graduation;
        let taught = cohort.syllabus.taught(&self.packs, cohort.days);
        let enough = |mastered: u64| mastered * MILLION >= u64::from(rule.mastery.0) * taught;
        let mut verdicts = Vec::new();
        for member in self.pupils_in(seq, &[PupilStage::Enrolled]) {
            let pupil = &cohort.pupils[&member];
            let done = pupil.lessons.len() >= usize::from(rule.lessons)
                && pupil.quizzes.len() >= usize::from(rule.quizzes);
            let (least, most) = pupil.mastered(cohort.last());
            let passed = match (enough(least), enough(most)) {
                // So near that what was said is right.
                (false, true) => {
                    let id = MemberId::new(self.branch, member);
                    done && tick.heard_stage(id, PupilStage::Graduated)
                }
                (least, _) => done && least,
            };
            if done && !passed {
                self.seen.mark(Edge::MasteryMissed);
            }
            verdicts.push((member, passed));
        }
        let gain = self.gain(cohort);
        if let Some(cohort) = self.cohorts.get_mut(&seq) {
            cohort.gain = gain;
        }
        for (member, passed) in verdicts {
            let to = if passed { PupilStage::Graduated } else { PupilStage::Unfinished };
            self.enter_pupil(tick, seq, member, to);
        }
    }

    /// What those knew before and after who answered every paired item.
    fn gain(&self, cohort: &Cohort) -> Option<Gain> {
        let pairs = cohort.syllabus.pairs(&self.packs).len();
        let whole =
            |pupil: &&Pupil| pairs > 0 && pupil.before.len() == pairs && pupil.after.len() == pairs;
        let rows: Vec<&Pupil> = cohort.pupils.values().filter(whole).collect();
        if rows.is_empty() {
            return None;
        }
        let right = |half: fn(&Pupil) -> &BTreeMap<u16, bool>| {
            let answers = rows.iter().flat_map(|pupil| half(pupil).values());
            answers.filter(|right| **right).count() as u64
        };
        let (before, after) = (right(|pupil| &pupil.before), right(|pupil| &pupil.after));
        let asked = (rows.len() * pairs) as u64;
        let share = |part: u64, whole: u64| Ppm((part * MILLION / whole) as u32);
        let could = after >= before && before < asked;
        Some(Gain {
            members: rows.len() as u32,
            before: share(before, asked),
            after: share(after, asked),
            normalised: could.then(|| share(after - before, asked - before)),
        })
    }

    fn end_invitations(&mut self, tick: &mut Tick<'_>, seq: u32) {
        for member in self.pupils_in(seq, &[PupilStage::Invited, PupilStage::Accepted]) {
            let given = self.cohorts[&seq].pupils[&member].invitation;
            if given.is_some_and(|given| given.until <= tick.at) {
                self.enter_pupil(tick, seq, member, PupilStage::Lapsed);
            }
        }
        self.archive_if_settled(tick, seq);
    }

    /// Over once nobody has an invitation or may get one, or the time for placing is up.
    fn archive_if_settled(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let Some(cohort) = self.cohorts.get(&seq) else { return };
        if cohort.stage != CohortStage::Placing {
            return;
        }
        let again = cohort.syllabus.course(&self.packs).migration.reinvitations;
        let hopes = cohort.pupils.values().any(|pupil| match pupil.stage {
            PupilStage::Invited | PupilStage::Accepted => true,
            PupilStage::Graduated => pupil.wish != Some(StayWish::Leave),
            PupilStage::Lapsed => pupil.invitation.is_some_and(|given| given.given <= again),
            _ => false,
        });
        if !hopes || tick.at >= self.placed_until(seq) {
            self.archive_cohort(tick, seq);
        }
    }

    fn archive_cohort(&mut self, tick: &mut Tick<'_>, seq: u32) {
        if !self.enter_stage(tick, seq, CohortStage::Archived) {
            return;
        }
        let forgotten = tick.at.plus_ms(REMEMBERED_DAYS * DAY_MS);
        self.diary.insert((forgotten, Due::CohortForgotten { cohort: seq }));
        for group in self.cohorts[&seq].groups.clone() {
            self.seen.mark(Edge::GroupDissolved);
            self.close_group(tick, group);
        }
    }

    fn count_retention(&mut self, tick: &mut Tick<'_>, seq: u32, count: u8) {
        let arrived = self.pupils_in(seq, &[PupilStage::Arrived]);
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return };
        let since = day_of(cohort.calendar, tick.at).plus(1 - ALIVE_DAYS);
        let active = arrived.iter().filter(|member| {
            let person = self.people.member(**member);
            let here = person.is_some_and(|person| person.status == MemberStatus::Active);
            here && self.scores.day(**member).is_some_and(|day| day >= since)
        });
        let (active, arrived) = (active.count() as u32, arrived.len() as u32);
        let share = u64::from(active) * MILLION / u64::from(arrived.max(1));
        cohort.retained[usize::from(count)] = Some(Ppm(share as u32));
        if arrived > 0 {
            self.seen.mark(Edge::RetentionCounted);
        }
        let cohort = CohortId::new(self.branch, seq);
        let days = COUNTS[usize::from(count)];
        self.tell(tick, CourseEvent::Retained { cohort, days, arrived, active });
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
