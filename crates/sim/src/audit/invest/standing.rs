//! Scores of a cohort's members, as they stand at a close and at the end, and what everybody sees
//! of them: bands and teams.
//!
//! What is mastered may be near (see [`super::super::cohorts`]), so a score may be one of several.
//! Where a band, a team's mean or the graduation rule hinges on it, what was told is taken.

use dengmi_core::course::PupilStage;
use dengmi_core::mock::{BandStanding, Score, TeamScore};
use dengmi_core::{CommunityId, Day};

use super::super::cohorts::{Cohort, Pupil};
use super::super::days::day_of;
use super::super::{Auditor, Tick};
use super::score::Known;

/// The least and the most that a score may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Outcome {
    pub(in crate::audit) least: Score,
    pub(in crate::audit) most: Score,
}

impl Outcome {
    /// Whether readers may see this score.
    pub(in crate::audit) fn allows(&self, seen: &Score) -> bool {
        let (least, most) = (&self.least, &self.most);
        let parts = (least.knowledge..=most.knowledge).contains(&seen.knowledge)
            && (least.outcome..=most.outcome).contains(&seen.outcome);
        parts && Score { knowledge: seen.knowledge, outcome: seen.outcome, ..*least } == *seen
    }
}

impl Auditor {
    /// What a member's score is on a day.
    pub(in crate::audit) fn score_of(
        &self,
        cohort: &Cohort,
        member: u32,
        pupil: &Pupil,
        today: Day,
    ) -> Outcome {
        let rules = &cohort.syllabus.course(&self.packs).score;
        // The last day lasts until everything is graded.
        let today = today.min(cohort.last());
        let (least, most) = pupil.mastered(today);
        let known = |mastered| Known {
            mastered,
            taught: cohort.syllabus.taught(&self.packs, cohort.sent),
            level: self.levels.on(member, today),
        };
        let of = |mastered| pupil.mock.score_before_outcome(&cohort.market, rules, known(mastered));
        let mut outcome = Outcome { least: of(least), most: of(most) };
        let (low, high) = pupil.mock.outcome(&cohort.market, &rules.outcome);
        (outcome.least.outcome, outcome.most.outcome) = (low, high);
        outcome
    }

    /// Ranks a cohort as of now.
    pub(in crate::audit) fn rank(&mut self, tick: &Tick<'_>, seq: u32) {
        let Some(cohort) = self.cohorts.get(&seq) else { return };
        let today = day_of(cohort.calendar, tick.at);
        let bands = &cohort.syllabus.course(&self.packs).score.bands;
        let band = |total: u16| bands.iter().rposition(|band| band.from <= total).unwrap_or(0);
        let mut counts = vec![0u32; bands.len()];
        let mut teams: Vec<(u32, u32, u64)> =
            cohort.groups.iter().map(|group| (*group, 0, 0)).collect();
        let mut sure = true;
        for (member, pupil) in &cohort.pupils {
            if pupil.stage != PupilStage::Enrolled {
                continue;
            }
            let Outcome { least, most } = self.score_of(cohort, *member, pupil, today);
            sure &= least.total() == most.total();
            if let Some(count) = counts.get_mut(band(least.total())) {
                *count += 1;
            }
            let group = self.people.member(*member).map(|person| person.community);
            if let Some(team) = teams.iter_mut().find(|team| Some(team.0) == group) {
                (team.1, team.2) = (team.1 + 1, team.2 + u64::from(least.total()));
            }
        }
        let teams = teams.into_iter().map(|(group, members, sum)| TeamScore {
            community: CommunityId::new(self.branch, group),
            members,
            score: (sum / u64::from(members.max(1))) as u16,
        });
        let standing = BandStanding { bands: counts, teams: teams.collect() };
        if let Some(cohort) = self.cohorts.get_mut(&seq) {
            cohort.standing = standing;
            cohort.standing_sure = sure;
        }
    }

    /// The course is over: scores are final, and everybody who takes part hears what would have
    /// been.
    pub(in crate::audit) fn settle_accounts(&mut self, tick: &Tick<'_>, seq: u32) {
        self.rank(tick, seq);
        let Some(cohort) = self.cohorts.get(&seq) else { return };
        let today = day_of(cohort.calendar, tick.at);
        let enrolled =
            cohort.pupils.iter().filter(|(_, pupil)| pupil.stage == PupilStage::Enrolled);
        let finals: Vec<_> = enrolled
            .map(|(member, pupil)| {
                let exit = pupil.mock.exit_figures(&cohort.market);
                (*member, self.score_of(cohort, *member, pupil, today), exit)
            })
            .collect();
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return };
        for (member, score, exit) in finals {
            let Some(pupil) = cohort.pupils.get_mut(&member) else { continue };
            (pupil.mock.score, pupil.mock.exit) = (Some(score), Some(exit));
        }
    }
}
