//! Laws of cohorts that hold for any journal, whatever led to what is told: listed edges only, a
//! cohort's each once; an invitation stands where a graduate is said to be invited, and once.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_core::course::{CohortStage, CourseEvent, PupilStage};
use dengmi_core::{CohortId, MemberId};

use super::super::{Auditor, Invariant};
use super::{pupil_leads, stage_leads};

/// What was told of cohorts so far.
#[derive(Default)]
pub(in super::super) struct Told {
    stages: BTreeMap<CohortId, CohortStage>,
    pupils: BTreeMap<(CohortId, MemberId), PupilStage>,
    /// Messages sent, by cohort: the last day and block of a group.
    sent: BTreeSet<(CohortId, u8, u8)>,
    /// The last day of a course whose prices were made.
    priced: BTreeMap<CohortId, u8>,
    /// Who is said to be invited and waits to hear where to.
    to_hear: BTreeSet<(CohortId, MemberId)>,
}

impl Told {
    /// Hears the next event; the law it breaks, if it does.
    pub(in super::super) fn hear(&mut self, event: &CourseEvent) -> Option<(Invariant, String)> {
        let (invariant, holds) = match event {
            CourseEvent::Stage(cohort, to) => {
                let before = self.stages.insert(*cohort, *to);
                let first = before.is_none() && *to == CohortStage::Planned;
                (Invariant::Cohorts, first || before.is_some_and(|from| stage_leads(from, *to)))
            }
            CourseEvent::Message { cohort, day, block } => {
                self.sent.insert((*cohort, *day, *block));
                // Every message after the one before it, whatever the group.
                let before = block.checked_sub(1).map(|before| (*cohort, *day, before));
                let ordered = before.is_none_or(|before| self.sent.contains(&before));
                let running = self.stages.get(cohort) == Some(&CohortStage::Running);
                (Invariant::Cohorts, ordered && running)
            }
            CourseEvent::Pupil { cohort, member, stage } => {
                let who = (*cohort, *member);
                if *stage == PupilStage::Invited {
                    self.to_hear.insert(who);
                }
                let before = self.pupils.insert(who, *stage);
                let placed = *stage > PupilStage::Graduated;
                let invariant = if placed { Invariant::Graduates } else { Invariant::Cohorts };
                (invariant, pupil_leads(before, *stage))
            }
            CourseEvent::Invited { cohort, member, .. } => {
                (Invariant::Graduates, self.to_hear.remove(&(*cohort, *member)))
            }
            CourseEvent::Priced { cohort, day, .. } => {
                let before = self.priced.insert(*cohort, *day).unwrap_or(0);
                let running = self.stages.get(cohort) == Some(&CohortStage::Running);
                (Invariant::Portfolio, running && *day == before + 1)
            }
            CourseEvent::Amended { .. } | CourseEvent::Retained { .. } => return None,
        };
        (!holds).then(|| (invariant, format!("not by a listed way: {event:?}")))
    }
}

impl Auditor {
    /// Every graduate waits with one invitation, has settled it, or never had one; no group holds
    /// more than it takes.
    pub(in super::super) fn graduates(&self) -> Result<(), (Invariant, String)> {
        let broken = |what: String| Err((Invariant::Graduates, what));
        if let Some(who) = self.said.cohorts.to_hear.first() {
            return broken(format!("{who:?} is invited nowhere"));
        }
        for (seq, cohort) in &self.cohorts {
            for (member, pupil) in &cohort.pupils {
                let given = pupil.invitation.is_some();
                let wanted = match pupil.stage {
                    PupilStage::Enrolled | PupilStage::Unfinished | PupilStage::Graduated => false,
                    PupilStage::Left => given,
                    _ => true,
                };
                if given != wanted {
                    return broken(format!("cohort {seq} member {member}: {:?}", pupil.stage));
                }
            }
        }
        for (group, row) in self.people.groups.iter().enumerate() {
            if row.members.len() > row.capacity as usize {
                return broken(format!("group {} holds {}", group + 1, row.members.len()));
            }
        }
        Ok(())
    }
}
