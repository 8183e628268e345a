//! What readers must see of cohorts and of their own courses.

use std::collections::BTreeSet;

use dengmi_core::course::{CohortView, Occasion, PupilStage, PupilView};
use dengmi_core::{BranchId, CohortId, CommunityId, MemberId, RunId};

use super::super::Auditor;
use super::super::days::day_of;
use super::Cohort;
use super::due::DueItems;

/// What readers must see of a member's course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CourseSeen {
    /// With the fewest concepts that may count as mastered.
    pub view: PupilView,
    /// The most of them.
    pub mastered_most: u16,
    /// Whether the items to review follow for certain.
    pub review_sure: bool,
}

impl CourseSeen {
    /// Whether readers may see this.
    #[must_use]
    pub fn allows(&self, seen: &PupilView) -> bool {
        let mut expected = self.view.clone();
        if (expected.mastered.0..=self.mastered_most).contains(&seen.mastered.0) {
            expected.mastered.0 = seen.mastered.0;
        }
        if !self.review_sure {
            expected.review.clone_from(&seen.review);
        }
        expected == *seen
    }
}

impl Cohort {
    /// As readers must see it; the secret is told by nobody here.
    pub(in crate::audit) fn view(&self, branch: BranchId, seq: u32) -> CohortView {
        let mut pupils = [0; 9];
        for pupil in self.pupils.values() {
            pupils[pupil.stage as usize] += 1;
        }
        let groups = self.groups.iter().map(|group| CommunityId::new(branch, *group));
        CohortView {
            id: CohortId::new(branch, seq),
            course: self.syllabus.course.clone(),
            stage: self.stage,
            since: self.since,
            content: self.syllabus.content.clone(),
            communities: groups.collect(),
            run: RunId::new(branch, self.run),
            first: self.first,
            last: self.last(),
            sent: self.sent,
            pupils,
            commitment: self.commitment,
            secret: None,
            gain: self.gain,
            retained: self.retained,
            items: self.syllabus.items.as_slice().into(),
        }
    }
}

impl Auditor {
    /// What a member must see of a course.
    pub(in crate::audit) fn pupil_view(&self, seq: u32, member: MemberId) -> Option<CourseSeen> {
        let cohort = self.cohorts.get(&seq)?;
        let pupil = cohort.pupils.get(&member.seq)?;
        let packs = &self.packs;
        let bits = |days: &BTreeSet<u8>| days.iter().fold(0, |bits, day| bits | 1 << (day - 1));
        let today = day_of(cohort.calendar, self.at).min(cohort.last());
        let (least, most) = pupil.mastered(today);
        let due = match pupil.stage {
            PupilStage::Enrolled => self.due_items(cohort, pupil, today),
            _ => DueItems { ordered: true, ..DueItems::default() },
        };
        let view = PupilView {
            cohort: CohortId::new(self.branch, seq),
            stage: pupil.stage,
            since: pupil.since,
            lessons: bits(&pupil.lessons),
            computed: bits(&pupil.computed),
            quizzes: bits(&pupil.quizzes),
            mastered: (least as u16, cohort.syllabus.taught(packs, cohort.sent) as u16),
            review: due.sure,
            asked: [Occasion::Before, Occasion::After]
                .into_iter()
                .filter(|_| pupil.stage == PupilStage::Enrolled)
                .map(|occasion| (occasion, self.pairs_open(cohort, pupil, occasion)))
                .find(|(_, items)| !items.is_empty()),
            paired: (
                pupil.before.len() as u16,
                pupil.after.len() as u16,
                cohort.syllabus.pairs(packs).len() as u16,
            ),
            wish: pupil.wish,
            invitation: pupil
                .invitation
                .map(|given| (CommunityId::new(self.branch, given.to), given.until, given.by)),
        };
        Some(CourseSeen { view, mastered_most: most as u16, review_sure: due.ordered })
    }
}
