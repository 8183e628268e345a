//! Commands about cohorts, each checked whole before anything changes.

use bevy_ecs::prelude::*;
use dengmi_content::PackCourse;
use dengmi_content::model::course::CatchUp;
use dengmi_core::course::{
    CohortStage, CourseAction, CourseEvent, CourseReceipt, PupilStage, StayWish,
};
use dengmi_core::{
    Action, CohortId, CommunityId, Day, Decimal, Digest, MemberId, Receipt, Reject, Slug, mutant,
};

use super::plan::number;
use super::pupil::Pupil;
use super::{
    Cohort, CohortIndex, CohortPlan, Pupils, Taking, announce, cohort_of, community_of,
    enter_pupil, taken_by,
};
use super::{learn, life, place};
use crate::clock::{Due, DueQueue};
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{Now, Setup, Touched, serve_requests};
use crate::people::{Community, Member, People};

pub(super) fn serve_courses(world: &mut World) {
    serve_requests(world, |world, command| match &command.action {
        Action::Course(action) => Some(serve(world, action)),
        _ => None,
    });
}

fn serve(world: &mut World, action: &CourseAction) -> Result<Receipt, Reject> {
    if let CourseAction::Start { course, communities, start } = action {
        return start_cohort(world, course, communities, *start);
    }
    let entity = cohort_of(world, action).ok_or(Reject::UnknownCohort)?;
    if action.is_for_members()
        && let Some(member) = action.member()
    {
        // Whoever wishes to leave may, whatever else holds.
        if !matches!(action, CourseAction::Withdraw { .. }) {
            acting(world, member)?;
        }
    }
    match action {
        CourseAction::Start { .. } => Err(Reject::UnknownCohort),
        CourseAction::Amend { digest, from_day, .. } => amend(world, entity, *digest, *from_day),
        CourseAction::Dissolve { .. } => life::dissolve(world, entity),
        CourseAction::Enrol { member, .. } => enrol(world, entity, *member),
        CourseAction::Withdraw { member, .. } => withdraw(world, entity, *member),
        CourseAction::FinishLesson { member, day, computed, .. } => {
            finish_lesson(world, entity, *member, *day, *computed)
        }
        CourseAction::AnswerItems { member, occasion, answers, .. } => {
            learn::answer_items(world, entity, *member, *occasion, answers)
        }
        CourseAction::Wish { member, wish, .. } => set_wish(world, entity, *member, *wish),
        CourseAction::AnswerInvitation { member, accept, .. } => {
            place::answer_invitation(world, entity, *member, *accept)
        }
        CourseAction::Reinvite { member, .. } => place::reinvite(world, entity, *member),
        CourseAction::Arrive { member, .. } => place::arrive(world, entity, *member),
        CourseAction::Mock { member, what, .. } => {
            crate::invest::serve(world, entity, *member, what)
        }
    }
}

fn member_row(world: &World, member: MemberId) -> Result<&Member, Reject> {
    world.resource::<Column<Member>>().get(member.seq).ok_or(Reject::UnknownMember)
}

fn acting(world: &World, member: MemberId) -> Result<&Member, Reject> {
    let row = member_row(world, member)?;
    row.may_act()?;
    Ok(row)
}

fn cohort(world: &World, entity: Entity) -> &Cohort {
    world.get::<Cohort>(entity).expect("indexed cohorts are whole")
}

/// Furthest ahead a cohort may be planned.
const LEAD_DAYS: i32 = 366;

fn start_cohort(
    world: &mut World,
    course: &Slug,
    communities: &[CommunityId],
    start: Day,
) -> Result<Receipt, Reject> {
    let pack = world.resource::<Packs>().current().clone();
    let name = pack.current(course).clone();
    let content = pack.courses.get(&name).ok_or(Reject::UnknownCourse)?;
    let mut groups: Vec<u32> = communities.iter().map(|id| id.seq).collect();
    groups.sort_unstable();
    groups.dedup();
    let people = world.resource::<People>();
    for &seq in &groups {
        let group = people.community(seq).and_then(|entity| world.get::<Community>(entity));
        let group = group.ok_or(Reject::UnknownCommunity)?;
        if group.closed {
            return Err(Reject::CommunityClosed);
        }
        if !content.course.audience.contains(&group.kind) {
            return Err(Reject::WrongAudience);
        }
    }
    let first = groups.first().and_then(|seq| people.community(*seq));
    let first = first.and_then(|entity| world.get::<Community>(entity));
    let calendar = first.ok_or(Reject::UnknownCommunity)?.calendar;
    let now = world.resource::<Now>().at;
    let today = calendar.day_of(now);
    let lesson = calendar.at(start, content.course.lesson_at);
    if lesson <= now || start > today.plus(LEAD_DAYS) {
        return Err(Reject::BadStart);
    }
    let taken = world.resource::<CohortIndex>().live().any(|entity| {
        let other = cohort(world, entity);
        other.stage != CohortStage::Archived && groups.iter().any(|seq| other.lives_in(*seq))
    });
    if taken {
        return Err(Reject::GroupTaken);
    }
    let seq = world.resource::<CohortIndex>().next();
    let enrolment = &content.course.enrolment;
    let opens = start.plus(-i32::from(enrolment.opens_days_before));
    let mut started = Cohort {
        seq,
        course: name.clone(),
        packs: vec![(1, pack.digest)],
        communities: groups,
        run: 0,
        first: start,
        days: content.course.days,
        calendar,
        stage: CohortStage::Planned,
        since: [None; 6],
        sent: 0,
        concepts: Vec::new(),
        items: Vec::new(),
        commitment: Digest::default(),
        terms: pack.digest,
        gain: None,
        retained: [None; 2],
    };
    started.since[0] = Some(now);
    let setup = world.resource::<Setup>();
    started.commitment = super::view::commitment(setup, &started, &pack, &content.course);
    let commitment = started.commitment;
    number(&mut started, &pack, content).ok_or(Reject::UnknownCourse)?;
    let scenario = pack.scenarios.get(pack.current(&content.course.mock.scenario));
    let market = scenario.and_then(|script| pack.markets.get(pack.current(&script.market)));
    market.ok_or(Reject::UnknownCourse)?;
    let plan = CohortPlan::of(world, &started).ok_or(Reject::UnknownCourse)?;
    started.run = crate::runs::launch_course(world, &name, &started.communities, start)?;
    let days = started.days;
    let entity = world.spawn((started, Pupils::default(), plan)).id();
    world.resource_mut::<CohortIndex>().push(entity);
    crate::invest::start(world, entity).expect("its content has a market, as was looked up");
    let mut queue = world.resource_mut::<DueQueue>();
    queue.add(calendar.start_of(opens).max(now), Due::EnrolmentOpens { cohort: seq });
    for day in 1..=days {
        let at = calendar.at(start.plus(i32::from(day) - 1), content.course.lesson_at);
        queue.add(at, Due::LessonSends { cohort: seq, day });
    }
    let over = calendar.start_of(start.plus(i32::from(days))).plus_ms(calendar.late_ms());
    queue.add(over, Due::LessonsEnd { cohort: seq });
    let id = CohortId::new(world.resource::<Setup>().branch, seq);
    announce(world, None, CourseEvent::Stage(id, CohortStage::Planned));
    Ok(Receipt::Course(CourseReceipt::Started { cohort: id, commitment }))
}

/// Changes the content from a day on that is not sent yet. What was taught and asked stays; the
/// market and the paired items cannot change, because they bind days gone by, nor can the times of
/// lessons and quizzes, which are in the diary already.
fn amend(
    world: &mut World,
    entity: Entity,
    digest: Digest,
    from_day: u8,
) -> Result<Receipt, Reject> {
    let setup = *world.resource::<Setup>();
    let mut changed = cohort(world, entity).clone();
    if changed.stage > CohortStage::Running {
        return Err(Reject::WrongStage);
    }
    let packs = world.resource::<Packs>();
    let pack = packs.get(digest).ok_or(Reject::UnknownContent)?.clone();
    let new = pack.courses.get(pack.current(&changed.course)).ok_or(Reject::BadAmendment)?;
    let old = packs.get(changed.pack_on(from_day)).ok_or(Reject::UnknownContent)?;
    let old = old.courses.get(old.current(&changed.course)).ok_or(Reject::BadAmendment)?;
    let sent = changed.sent.max(opened(world, &changed));
    // The quiz goes over to the new content at once: until then it must ask the same.
    let same_until_then = (sent..from_day.saturating_sub(1)).all(|index| {
        let lesson = |course: &PackCourse| {
            let lesson = course.lessons.get(usize::from(index))?;
            Some((lesson.questions.clone(), lesson.review.clone()))
        };
        lesson(new) == lesson(old)
    });
    let fits = new.course.days == changed.days
        && same_until_then
        && new.course.lesson_at == old.course.lesson_at
        && new.course.quiz.opens == old.course.quiz.opens
        && new.course.mock == old.course.mock
        && pace(new) == pace(old)
        && new.course.paired == old.course.paired
        && from_day > sent
        && from_day <= changed.days;
    if !fits {
        return Err(Reject::BadAmendment);
    }
    changed.packs.retain(|(from, _)| *from < from_day);
    changed.packs.push((from_day, digest));
    if from_day == 1 {
        changed.packs = vec![(1, digest)];
    }
    number(&mut changed, &pack, new).ok_or(Reject::BadAmendment)?;
    let plan = CohortPlan::of(world, &changed).ok_or(Reject::BadAmendment)?;
    crate::runs::amend(world, changed.run, digest)?;
    let cohort = changed.id(&setup);
    world.entity_mut(entity).insert((changed, plan));
    announce(world, None, CourseEvent::Amended { cohort, from_day, digest });
    Ok(Receipt::Ok)
}

/// Market days with each day of a course, while its market is open.
fn pace(course: &PackCourse) -> Vec<u16> {
    course.lessons.iter().map(|lesson| lesson.timelapse).collect()
}

/// Days of the course whose quiz has opened: its questions cannot change any more.
fn opened(world: &World, cohort: &Cohort) -> u8 {
    let now = world.resource::<Now>().at;
    let today = cohort.calendar.day_of(now);
    (1..=cohort.days).filter(|day| cohort.day(*day) <= today).count() as u8
}

fn enrol(world: &mut World, entity: Entity, member: MemberId) -> Result<Receipt, Reject> {
    let here = cohort(world, entity);
    let row = member_row(world, member)?;
    if !here.lives_in(row.community) {
        return Err(Reject::NotInCohortGroup);
    }
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let open = match here.stage {
        CohortStage::Enrolling => true,
        CohortStage::Running => {
            let late = u8::from(mutant::planted("cohort/late-a-day"));
            here.sent <= plan.course().enrolment.late_until_day + late
        }
        _ => false,
    };
    if !open {
        return Err(Reject::EnrolmentClosed);
    }
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    match pupils.0.get(member.seq).map(|pupil| pupil.stage) {
        Some(PupilStage::Left) => {
            elsewhere(world, entity, member)?;
            enter_pupil(world, entity, member.seq, PupilStage::Enrolled);
        }
        Some(_) => return Err(Reject::AlreadyEnrolled),
        None => {
            elsewhere(world, entity, member)?;
            let now = world.resource::<Now>().at;
            let id = here.id(world.resource::<Setup>());
            let mut pupils = world.get_mut::<Pupils>(entity).expect("cohorts have pupils");
            pupils.0.entry(member.seq, || Pupil::new(now));
            world.resource_mut::<Taking>().add(member.seq, id.seq);
            let stage = PupilStage::Enrolled;
            let group = community_of(world, member.seq);
            announce(world, group, CourseEvent::Pupil { cohort: id, member, stage });
            world.resource_mut::<Touched>().member(member.seq);
        }
    }
    Ok(Receipt::Ok)
}

/// A member takes one course at a time.
fn elsewhere(world: &World, here: Entity, member: MemberId) -> Result<(), Reject> {
    let busy = taken_by(world, member.seq).filter(|entity| *entity != here).any(|entity| {
        let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
        pupils.0.get(member.seq).is_some_and(|pupil| pupil.stage == PupilStage::Enrolled)
    });
    let busy = busy && !mutant::planted("cohort/two-at-once");
    if busy { Err(Reject::OtherCohort) } else { Ok(()) }
}

fn withdraw(world: &mut World, entity: Entity, member: MemberId) -> Result<Receipt, Reject> {
    member_row(world, member)?;
    if enter_pupil(world, entity, member.seq, PupilStage::Left) {
        Ok(Receipt::Ok)
    } else {
        Err(Reject::NotEnrolled)
    }
}

/// The row of somebody who takes part.
pub(super) fn enrolled(
    world: &mut World,
    entity: Entity,
    member: MemberId,
) -> Result<Mut<'_, Pupil>, Reject> {
    let pupils = world.get_mut::<Pupils>(entity).expect("cohorts have pupils");
    let pupil = pupils.filter_map_unchanged(|pupils| pupils.0.get_mut(member.seq));
    pupil.filter(|pupil| pupil.stage == PupilStage::Enrolled).ok_or(Reject::NotEnrolled)
}

fn finish_lesson(
    world: &mut World,
    entity: Entity,
    member: MemberId,
    day: u8,
    computed: Decimal,
) -> Result<Receipt, Reject> {
    let now = world.resource::<Now>().at;
    let here = cohort(world, entity);
    if here.stage != CohortStage::Running {
        return Err(Reject::WrongStage);
    }
    if day == 0 || day > here.sent {
        return Err(Reject::LessonNotSent);
    }
    let today = here.calendar.day_of(now);
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let late = u8::from(mutant::planted("cohort/lesson-a-day-late"));
    if let CatchUp::Within(days) = plan.course().enrolment.catch_up
        && today > here.day(day).plus(i32::from(days + late))
    {
        return Err(Reject::LessonOver);
    }
    let task = &plan.lesson(day).ok_or(Reject::LessonNotSent)?.compute;
    let off = dengmi_content::pack::distance(computed, task.answer);
    let right = off <= task.tolerance.micros().unsigned_abs();
    let mut pupil = enrolled(world, entity, member)?;
    let bit = 1 << (day - 1);
    if pupil.lessons & bit != 0 {
        return Err(Reject::LessonFinished);
    }
    pupil.lessons |= bit;
    pupil.computed |= if right { bit } else { 0 };
    let lessons = pupil.lessons.count_ones() as u8;
    world.resource_mut::<Touched>().member(member.seq);
    Ok(Receipt::Course(CourseReceipt::Finished { right, lessons }))
}

fn set_wish(
    world: &mut World,
    entity: Entity,
    member: MemberId,
    wish: StayWish,
) -> Result<Receipt, Reject> {
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    if let StayWish::Group(group) = wish {
        let people = world.resource::<People>();
        let found = people.community(group.seq).and_then(|row| world.get::<Community>(row));
        let found = found.ok_or(Reject::UnknownCommunity)?;
        if found.closed || !plan.course().migration.to.contains(&found.kind) {
            return Err(Reject::BadWish);
        }
    }
    let stage = cohort(world, entity).stage;
    if !matches!(stage, CohortStage::Enrolling | CohortStage::Running) {
        return Err(Reject::WrongStage);
    }
    enrolled(world, entity, member)?.wish = Some(wish);
    world.resource_mut::<Touched>().member(member.seq);
    Ok(Receipt::Ok)
}
