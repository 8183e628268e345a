//! How a cohort begins, changes its content, and is dissolved before its time.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_content::model::Course;
use dengmi_core::course::{CohortStage, CourseEvent, CourseReceipt, PupilStage};
use dengmi_core::mock::BandStanding;
use dengmi_core::{CohortId, CommunityId, Day, Digest, Receipt, Reject, Slug};

use super::super::days::day_of;
use super::super::invest::Market;
use super::super::runs::Due;
use super::super::{Answered, Auditor, Edge, Tick};
use super::Cohort;
use super::syllabus::Syllabus;

/// Furthest ahead a course may be planned.
const LEAD_DAYS: i64 = 366;

impl Auditor {
    pub(super) fn start_cohort(
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
        let seq = self.last_cohort + 1;
        let market = Market::start(&pack, name, &self.seed, seq, start);
        let market = market.ok_or(Reject::UnknownCourse)?;
        let run = self.launch_quest(tick, &pack, content.quest(), groups.clone(), start)?;
        self.last_cohort = seq;
        let (commitment, cutoff) = (market.commitment, market.cutoff);
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
            market,
            standing: BandStanding::default(),
            standing_sure: true,
        };
        let opens = start.plus(-i32::from(file.enrolment.opens_days_before));
        let opens = calendar.start_of(opens).max(tick.at);
        self.diary.insert((opens, Due::EnrolmentOpens { cohort: seq }));
        for day in 1..=file.days {
            let at = calendar.at(cohort.day(day), file.lesson_at);
            self.diary.insert((at, Due::LessonSends { cohort: seq, day }));
            let closes = calendar.at(cohort.day(day), cutoff);
            self.diary.insert((closes, Due::MarketCloses { cohort: seq, day }));
        }
        let over = calendar.start_of(cohort.last().plus(1)).plus_ms(calendar.late_ms());
        self.diary.insert((over, Due::LessonsEnd { cohort: seq }));
        self.cohorts.insert(seq, cohort);
        self.seen.mark(Edge::CohortStarted);
        let id = CohortId::new(self.branch, seq);
        self.tell(tick, CourseEvent::Stage(id, CohortStage::Planned));
        Ok(Receipt::Course(CourseReceipt::Started { cohort: id, commitment }))
    }

    pub(super) fn amend(
        &mut self,
        tick: &mut Tick<'_>,
        seq: u32,
        digest: Digest,
        from_day: u8,
    ) -> Answered {
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

    pub(super) fn dissolve(&mut self, tick: &mut Tick<'_>, seq: u32) -> Answered {
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
}
