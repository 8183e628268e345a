//! What readers must see of cohorts and of their own courses, against what they see.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use dengmi_core::course::{CohortStage, CohortView, Occasion, PupilStage, PupilView};
use dengmi_core::{BranchId, CohortId, CommunityId, MemberId, RunId};

use super::super::days::day_of;
use super::super::invest::Outcome;
use super::super::{Auditor, Invariant};
use super::Cohort;
use super::due::DueItems;

/// What readers must see of a member's course.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CourseSeen {
    /// With the fewest concepts that may count as mastered.
    view: PupilView,
    /// The most of them.
    mastered_most: u16,
    /// Whether the items to review follow for certain.
    review_sure: bool,
    score: Outcome,
}

impl CourseSeen {
    /// What readers must see, where this is what they do see.
    fn expected(&self, seen: &PupilView) -> PupilView {
        let mut expected = self.view.clone();
        if self.score.allows(&seen.mock.score) {
            expected.mock.score = seen.mock.score;
        }
        if (expected.mastered.0..=self.mastered_most).contains(&seen.mastered.0) {
            expected.mastered.0 = seen.mastered.0;
        }
        if !self.review_sure {
            expected.review.clone_from(&seen.review);
        }
        expected
    }
}

impl Cohort {
    /// As readers must see it.
    fn view(&self, branch: BranchId, seq: u32) -> CohortView {
        let mut pupils = [0; 9];
        for pupil in self.pupils.values() {
            pupils[pupil.stage as usize] += 1;
        }
        // Told once it is over, and not before.
        let over = self.stage >= CohortStage::Grading;
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
            commitment: self.market.commitment,
            secret: over.then_some(self.market.secret),
            gain: self.gain,
            retained: self.retained,
            items: self.syllabus.items.as_slice().into(),
            terms: self.market.terms,
            market: Arc::new(self.market.view(over)),
            standing: self.standing.clone(),
        }
    }
}

impl Auditor {
    /// What readers see of every cohort that is remembered.
    ///
    /// # Errors
    /// The invariant by which they must see something else.
    pub fn look_at_cohorts(&self, seen: &[CohortView]) -> Result<(), (Invariant, String)> {
        if seen.len() != self.cohorts.len() {
            let what = format!("readers see {} cohorts of {}", seen.len(), self.cohorts.len());
            return Err((Invariant::Cohorts, what));
        }
        for ((seq, cohort), seen) in self.cohorts.iter().zip(seen) {
            let mut expected = cohort.view(self.branch, *seq);
            if !cohort.standing_sure {
                expected.standing = seen.standing.clone();
            }
            let traded = expected.market == seen.market && expected.standing == seen.standing;
            let about = if traded { Invariant::Cohorts } else { Invariant::Portfolio };
            if expected != *seen {
                let what = differing(&expected, seen);
                return Err((about, format!("readers see of cohort {seq} {what}")));
            }
        }
        Ok(())
    }

    /// What a member sees of their courses.
    ///
    /// # Errors
    /// The invariant by which they must see something else.
    pub fn look_at_courses(
        &self,
        member: MemberId,
        seen: &[PupilView],
    ) -> Result<(), (Invariant, String)> {
        let expected = self.cohorts.keys().filter_map(|seq| self.pupil_view(*seq, member));
        let expected: Vec<CourseSeen> = expected.collect();
        if seen.len() != expected.len() {
            let what = format!("{member} sees {seen:?}, expected {expected:?}");
            return Err((Invariant::Cohorts, what));
        }
        for (expected, seen) in expected.iter().zip(seen) {
            let expected = expected.expected(seen);
            let about = match () {
                () if (expected.level, &expected.assessed) != (seen.level, &seen.assessed) => {
                    Invariant::Suitability
                }
                () if expected.mock != seen.mock => Invariant::Portfolio,
                () => Invariant::Cohorts,
            };
            if expected != *seen {
                let what = differing(&expected, seen);
                return Err((about, format!("{member} sees {what}")));
            }
        }
        Ok(())
    }

    /// What a member must see of a course.
    fn pupil_view(&self, seq: u32, member: MemberId) -> Option<CourseSeen> {
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
        let now = day_of(cohort.calendar, self.at);
        let score = pupil.mock.score;
        let score = score.unwrap_or_else(|| self.score_of(cohort, member.seq, pupil, now));
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
            level: self.levels.last(member.seq),
            assessed: self.levels.of_last_year(member.seq),
            mock: Box::new(pupil.mock.view(&cohort.market, score.least)),
        };
        let mastered_most = most as u16;
        Some(CourseSeen { view, mastered_most, review_sure: due.ordered, score })
    }
}

/// Where two things differ, line by line of what they print.
fn differing<T: fmt::Debug>(expected: &T, seen: &T) -> String {
    let (expected, seen) = (format!("{expected:#?}"), format!("{seen:#?}"));
    let (expected, seen): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), seen.lines().collect());
    let lines = expected.iter().zip(&seen).enumerate();
    let mut differing = lines.filter(|(_, (of, said))| of != said);
    let first = differing.next().map_or(expected.len().min(seen.len()), |(place, _)| place);
    let of = |lines: &[&str]| {
        let from = first.saturating_sub(LINES_BEFORE);
        lines[from.min(lines.len())..(first + LINES_AFTER).min(lines.len())].join(" ")
    };
    format!("{}, expected {}", of(&seen), of(&expected))
}

/// Lines of a difference that say where it is, and what it is.
const LINES_BEFORE: usize = 12;
const LINES_AFTER: usize = 3;
