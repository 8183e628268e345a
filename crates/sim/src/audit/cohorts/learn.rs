//! Taking part: enrolment, lessons, wishes, items, and what the quiz of the day teaches.

use std::collections::BTreeMap;

use dengmi_content::model::course::CatchUp;
use dengmi_core::course::{
    CohortStage, CourseEvent, CourseReceipt, ItemAnswer, ItemMark, Occasion, PupilStage, StayWish,
};
use dengmi_core::random::Purpose;
use dengmi_core::view::EventKind;
use dengmi_core::{CohortId, Decimal, MemberId, Outcome, Receipt, Reject};

use super::super::days::day_of;
use super::super::quiz::{credit, in_key_order};
use super::super::{Answered, Auditor, Edge, Tick};
use super::due::DueItems;
use super::{MILLION, Pupil, pupil_leads};

const ANSWERS_MAX: usize = 50;

impl Auditor {
    pub(super) fn enrol(&mut self, tick: &mut Tick<'_>, seq: u32, id: MemberId) -> Answered {
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
        let (group, cash) = (self.group_of(id.seq), cohort.market.mock.cash_fen);
        if let Some(cohort) = self.cohorts.get_mut(&seq) {
            cohort.pupils.insert(id.seq, Pupil::new(tick.at, cash));
        }
        self.seen.mark(Edge::PupilEnrolled);
        let cohort = CohortId::new(self.branch, seq);
        let event = CourseEvent::Pupil { cohort, member: id, stage: PupilStage::Enrolled };
        tick.events.push((group, EventKind::Course(event)));
        Ok(Receipt::Ok)
    }

    pub(super) fn finish_lesson(
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

    pub(super) fn wish(&mut self, seq: u32, member: MemberId, wish: StayWish) -> Answered {
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

    pub(super) fn answer_items(
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
    pub(in crate::audit) fn learn_from(
        &mut self,
        run: u32,
        index: u16,
        sheets: &[(u32, Vec<Option<bool>>)],
    ) {
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
}
