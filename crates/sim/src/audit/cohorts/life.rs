//! What falls due in a cohort's life: lessons, grading, the end of invitations, counts.

use std::collections::BTreeMap;

use dengmi_core::course::{CohortStage, CourseEvent, Gain, PupilStage, StayWish};
use dengmi_core::mock::Score;
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{CohortId, CommunityId, MemberId, Ppm};

use super::super::days::{DAY_MS, day_of};
use super::super::runs::Due;
use super::super::{Auditor, Edge, Tick};
use super::{Cohort, MILLION, Pupil};

/// Days for which an archived cohort is remembered.
const REMEMBERED_DAYS: i64 = 45;
/// Days after the placing on which retention is counted.
const COUNTS: [u8; 2] = [7, 30];
/// Days within which a score counts as a sign of life, the day of the count included.
const ALIVE_DAYS: i32 = 7;

impl Auditor {
    /// What falls due in a cohort's life.
    pub(in crate::audit) fn course_due(&mut self, tick: &mut Tick<'_>, due: Due) {
        match due {
            Due::EnrolmentOpens { cohort } => {
                self.enter_stage(tick, cohort, CohortStage::Enrolling);
            }
            Due::LessonSends { cohort, day } => self.send_lesson(tick, cohort, day),
            Due::LessonsEnd { cohort } => self.end_lessons(tick, cohort),
            Due::InvitationsEnd { cohort } => self.end_invitations(tick, cohort),
            Due::RetentionCounted { cohort, count } => self.count_retention(tick, cohort, count),
            Due::MarketCloses { cohort, day } => self.close_market(tick, cohort, day),
            Due::CohortForgotten { cohort } => {
                self.seen.mark(Edge::CohortForgotten);
                self.cohorts.remove(&cohort);
            }
            _ => {}
        }
    }

    pub(super) fn send_lesson(&mut self, tick: &mut Tick<'_>, seq: u32, day: u8) {
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

    pub(super) fn end_lessons(&mut self, tick: &mut Tick<'_>, seq: u32) {
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
        self.settle_accounts(tick, seq);
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

    pub(super) fn grade(&mut self, tick: &mut Tick<'_>, seq: u32) {
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
            let mock = &pupil.mock;
            let written =
                (!rule.plan || !mock.plans.is_empty()) && (!rule.debrief || mock.looked_back);
            let score = mock.score.unwrap_or_default();
            let scored = |score: Score| score.total() >= rule.score;
            let may = |mastered, score| done && written && enough(mastered) && scored(score);
            let passed = match (may(least, score.least), may(most, score.most)) {
                // So near that what was said is right.
                (false, true) => {
                    let id = MemberId::new(self.branch, member);
                    tick.heard_stage(id, PupilStage::Graduated)
                }
                (least, _) => least,
            };
            if done && !passed {
                self.seen.mark(match () {
                    () if !enough(most) => Edge::MasteryMissed,
                    () if !written => Edge::WritingMissed,
                    () => Edge::ScoreMissed,
                });
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
    pub(super) fn gain(&self, cohort: &Cohort) -> Option<Gain> {
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

    pub(super) fn end_invitations(&mut self, tick: &mut Tick<'_>, seq: u32) {
        for member in self.pupils_in(seq, &[PupilStage::Invited, PupilStage::Accepted]) {
            let given = self.cohorts[&seq].pupils[&member].invitation;
            if given.is_some_and(|given| given.until <= tick.at) {
                self.enter_pupil(tick, seq, member, PupilStage::Lapsed);
            }
        }
        self.archive_if_settled(tick, seq);
    }

    /// Over once nobody has an invitation or may get one, or the time for placing is up.
    pub(super) fn archive_if_settled(&mut self, tick: &mut Tick<'_>, seq: u32) {
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

    pub(super) fn archive_cohort(&mut self, tick: &mut Tick<'_>, seq: u32) {
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

    pub(super) fn count_retention(&mut self, tick: &mut Tick<'_>, seq: u32, count: u8) {
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
}
