//! Doctored journals of courses.

use dengmi_core::course::{CourseAction, Occasion, PlacedBy};

use super::*;

/// The first event about a course that `change` changes.
fn retell(said: &mut Applied, change: impl Fn(&mut CourseEvent) -> Option<()>) -> Option<()> {
    said.events.iter_mut().find_map(|event| match &mut event.kind {
        EventKind::Course(course) => change(course),
        _ => None,
    })
}

fn silence(said: &mut Applied, wanted: fn(&CourseEvent) -> bool) -> Option<()> {
    let about = |kind: &EventKind| matches!(kind, EventKind::Course(course) if wanted(course));
    let place = said.events.iter().position(|event| about(&event.kind))?;
    said.events.remove(place);
    for event in &mut said.events[place..] {
        event.seq -= 1;
    }
    Some(())
}

/// Changes the first receipt of a course that `change` changes.
fn receipt(said: &mut Applied, change: impl Fn(&mut CourseReceipt) -> Option<()>) -> Option<()> {
    said.outcomes.iter_mut().find_map(|outcome| match outcome {
        Outcome::Done(Receipt::Course(receipt)) => change(receipt),
        _ => None,
    })
}

#[test]
fn stages() {
    use Invariant::Cohorts as I;
    check("a stage is skipped", I, |_, _, said| {
        retell(said, |event| match event {
            CourseEvent::Stage(_, stage @ CohortStage::Running) => {
                *stage = CohortStage::Placing;
                Some(())
            }
            _ => None,
        })
    });
    check("a stage comes again", I, |_, _, said| {
        let again = |event: &&Event| {
            matches!(event.kind, EventKind::Course(CourseEvent::Stage(_, CohortStage::Enrolling)))
        };
        let event = said.events.iter().find(again)?.clone();
        let seq = said.events.last()?.seq + 1;
        said.events.push(Event { seq, ..event });
        Some(())
    });
    check("nobody hears that a course begins", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Stage(_, CohortStage::Running)))
    });
    check("a course never ends", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Stage(_, CohortStage::Archived)))
    });
    check("a message is left out", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Message { block: 4, .. }))
    });
    check("the last message is left out", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Message { block: 11, .. }))
    });
    check("two cohorts in one group", I, |_, batch, said| {
        let cohort = CohortId::new(BRANCH, 9_999);
        grant(batch, said, Reject::GroupTaken, |_| {
            let commitment = Digest::default();
            Some(Receipt::Course(CourseReceipt::Started { cohort, commitment }))
        })
    });
    check("what was sent is changed", I, |_, batch, said| {
        grant(batch, said, Reject::BadAmendment, |_| Some(Receipt::Ok))
    });
    check("more were active than were", I, |_, _, said| {
        retell(said, |event| match event {
            CourseEvent::Retained { active, .. } => {
                *active += 1;
                Some(())
            }
            _ => None,
        })
    });
    check("a dissolved group takes somebody", Invariant::Groups, |_, batch, said| {
        grant(batch, said, Reject::CommunityClosed, |action| match action {
            Action::Join { .. } => Some(Receipt::Member(MemberId::new(BRANCH, 9_999))),
            _ => None,
        })
    });
}

#[test]
fn pupils() {
    use Invariant::Cohorts as I;
    check("somebody enrols too late", I, |_, batch, said| {
        grant(batch, said, Reject::EnrolmentClosed, |_| Some(Receipt::Ok))
    });
    check("somebody enrols twice", I, |_, batch, said| {
        grant(batch, said, Reject::AlreadyEnrolled, |_| Some(Receipt::Ok))
    });
    fn finished(_: &Action) -> Option<Receipt> {
        Some(Receipt::Course(CourseReceipt::Finished { right: true, lessons: 1 }))
    }
    check("a lesson that was not sent", I, |_, batch, said| {
        grant(batch, said, Reject::LessonNotSent, finished)
    });
    check("a lesson whose time is over", I, |_, batch, said| {
        grant(batch, said, Reject::LessonOver, finished)
    });
    check("a lesson again", I, |_, batch, said| {
        grant(batch, said, Reject::LessonFinished, finished)
    });
    check("a wrong number is right", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            CourseReceipt::Finished { right, .. } => {
                *right ^= true;
                Some(())
            }
            _ => None,
        })
    });
    check("a lesson counts twice", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            CourseReceipt::Finished { lessons, .. } => {
                *lessons += 1;
                Some(())
            }
            _ => None,
        })
    });
    check("an item is taken that is not asked", I, |_, batch, said| {
        grant(batch, said, Reject::ItemsNotDue, |action| match action {
            Action::Course(CourseAction::AnswerItems {
                occasion: Occasion::Before | Occasion::After,
                ..
            }) => Some(Receipt::Course(CourseReceipt::Taken { answered: 1 })),
            _ => None,
        })
    });
    check("an item is reviewed that is not due", I, |_, batch, said| {
        grant(batch, said, Reject::ItemsNotDue, |action| match action {
            Action::Course(CourseAction::AnswerItems { occasion: Occasion::Review, .. }) => {
                Some(Receipt::Course(CourseReceipt::Reviewed { marks: Vec::new() }))
            }
            _ => None,
        })
    });
    check("a review is right that is wrong", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            CourseReceipt::Reviewed { marks } => {
                marks.first_mut()?.right ^= true;
                Some(())
            }
            _ => None,
        })
    });
    check("an item comes back a day late", I, |_, _, said| {
        receipt(said, |receipt| match receipt {
            CourseReceipt::Reviewed { marks } => {
                let mark = marks.first_mut()?;
                mark.due = mark.due.plus(1);
                Some(())
            }
            _ => None,
        })
    });
    check("who did not meet the rule graduates", I, |_, _, said| {
        retell(said, |event| match event {
            CourseEvent::Pupil { stage: stage @ PupilStage::Unfinished, .. } => {
                *stage = PupilStage::Graduated;
                Some(())
            }
            _ => None,
        })
    });
    check("who left takes part", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Pupil { stage: PupilStage::Left, .. }))
    });
}

#[test]
fn graduates() {
    use Invariant::Graduates as I;
    fn invited(
        said: &mut Applied,
        change: impl Fn(&mut CommunityId, &mut Timestamp, &mut PlacedBy),
    ) -> Option<()> {
        retell(said, |event| match event {
            CourseEvent::Invited { to, until, by, .. } => {
                change(to, until, by);
                Some(())
            }
            _ => None,
        })
    }
    check("an invitation to another group", I, |_, _, said| invited(said, |to, _, _| to.seq += 1));
    check("an invitation that stands longer", I, |_, _, said| {
        invited(said, |_, until, _| until.0 += 1)
    });
    check("an invitation for another reason", I, |_, _, said| {
        invited(said, |_, _, by| {
            *by = if *by == PlacedBy::Room { PlacedBy::Wish } else { PlacedBy::Room };
        })
    });
    check("a graduate is invited nowhere", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Invited { .. }))
    });
    check("who was not invited arrives", I, |_, _, said| {
        retell(said, |event| match event {
            CourseEvent::Pupil { stage: stage @ PupilStage::Invited, .. } => {
                *stage = PupilStage::Arrived;
                Some(())
            }
            _ => None,
        })
    });
    check("an invitation does not run out", I, |_, _, said| {
        silence(said, |event| matches!(event, CourseEvent::Pupil { stage: PupilStage::Lapsed, .. }))
    });
    fn invitation(action: &Action) -> Option<Receipt> {
        let Action::Course(action) = action else { return None };
        let to = CommunityId::new(action.member()?.branch, 1);
        Some(Receipt::Course(CourseReceipt::Invitation { to, until: Timestamp(1) }))
    }
    check("an invitation that does not stand is taken", I, |_, batch, said| {
        grant(batch, said, Reject::NoInvitation, invitation)
    });
    check("an invitation too many", I, |_, batch, said| {
        grant(batch, said, Reject::NoReinvitation, invitation)
    });
    check("a wish for a group of another kind", I, |_, batch, said| {
        grant(batch, said, Reject::BadWish, |_| Some(Receipt::Ok))
    });
}
