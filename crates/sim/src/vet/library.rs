//! Content to draw from: the workload's files with some of their numbers and choices changed.

use std::sync::Arc;

use dengmi_content::{Diagnostic, Pack};
use dengmi_core::random::Seed;

use crate::dice::Dice;
use crate::workload;

/// What may stand in a file instead of what does: file, text, and texts to draw from.
const CHANGES: &[(&str, &str, &[&str])] = &[
    ("points.ron", "expire_after_months: 1", &["expire_after_months: 0", "expire_after_months: 2"]),
    (
        "check-in.ron",
        "scope: Community, per: Day, points: 40",
        &["scope: Community, per: Day, points: 10", "scope: Community, per: Week, points: 31"],
    ),
    (
        "check-in.ron",
        "scope: Bank, per: Week, points: 900",
        &["scope: Bank, per: Day, points: 50", "scope: Bank, per: Run, points: 80"],
    ),
    ("in-a-row.ron", "budget: 400", &["budget: 40", "budget: 100"]),
    ("scored.ron", "budget: 5000", &["budget: 120"]),
    ("right.ron", "scope: Bank, per: Day, points: 120", &["scope: Community, per: Run, points: 9"]),
    ("comeback.ron", "Comeback, TotalIs(5)", &["StreakIs(3), TotalIs(4)", "MadeUp, TotalIs(6)"]),
    ("tagged.ron", "HasTag(\"vip\")", &["Not(HasTag(\"payday\"))", "Weekend"]),
    ("quiz-tries.ron", "counts: Highest", &["counts: Last", "counts: Average", "counts: First"]),
    ("quiz-tries.ron", "max: 3", &["max: 2", "max: 10"]),
    (
        "quiz-close.ron",
        "Linear(floor: 400000)",
        &["Flat", "None", "HalfLife(seconds: 900, floor: 0)"],
    ),
    ("quiz-close.ron", "correction_days: 2", &["correction_days: 0", "correction_days: 5"]),
    ("quiz-once.ron", "late_joiners: NextRound", &["late_joiners: Prorated", "late_joiners: Open"]),
    ("quiz-once.ron", "correction_days: 1", &["correction_days: 7"]),
    ("streak-phrase.ron", "phrase_required: true", &["phrase_required: false"]),
    ("streak-phrase.ron", "start: 1, every_days: 3, max: 2", &["start: 0, every_days: 2, max: 1"]),
    ("streak-phrase.ron", "per_run: 2, within_days: 3", &["per_run: 1, within_days: 7"]),
    ("moments.ron", "posts_per_day: 2", &["posts_per_day: 1"]),
    ("moments.ron", "posts_per_week: 5", &["posts_per_week: 2"]),
    ("moments.ron", "window_hours: 6", &["window_hours: 2", "window_hours: 48"]),
    ("course.ron", "catch_up: Within(2)", &["catch_up: UntilGraduation", "catch_up: Within(1)"]),
    ("course.ron", "opens_days_before: 2", &["opens_days_before: 0", "opens_days_before: 9"]),
    ("course.ron", "late_until_day: 3", &["late_until_day: 0", "late_until_day: 6"]),
    ("course.ron", "reviews_per_day: 3", &["reviews_per_day: 1", "reviews_per_day: 12"]),
    ("course.ron", "retention: 900000", &["retention: 950000", "retention: 800000"]),
    ("course.ron", "[InvestorEducation, Payroll]", &["[InvestorEducation]"]),
    ("course.ron", "debrief_loss: 50000", &["debrief_loss: 60000"]),
    ("course.ron", "before: \"items/before-2\"", &["before: \"items/d2-3\""]),
    (
        "course.ron",
        "lessons: 1, quizzes: 0, mastery: 0",
        &[
            "lessons: 1, quizzes: 0, mastery: 100000",
            "lessons: 2, quizzes: 1, mastery: 120000",
            "lessons: 4, quizzes: 2, mastery: 600000",
        ],
    ),
    ("course.ron", "invitation_days: 3", &["invitation_days: 1", "invitation_days: 9"]),
    ("course.ron", "reinvitations: 1", &["reinvitations: 0", "reinvitations: 3"]),
    ("course.ron", "opens: \"09:00\"", &["opens: \"08:30\"", "opens: \"12:00\""]),
    ("course.ron", "closes: \"21:00\"", &["closes: \"24:00\""]),
    ("day-05.ron", "\"items/d5-3\", \"items/d5-4\"", &["\"items/d5-4\", \"items/d5-3\""]),
    (
        "day-06.ron",
        "\"week/day-6\", \"week/more-6\"",
        &["\"week/more-6\", \"week/day-6\", \"week/day-5\""],
    ),
    ("items.ron", "Plain(\"口令3\")", &["Plain(\"口令三\")"]),
    ("course.ron", "orders_from_day: 2", &["orders_from_day: 3"]),
    ("course.ron", "score: 0, plan: false", &["score: 300, plan: true", "score: 0, plan: true"]),
    ("course.ron", "debrief: false", &["debrief: true"]),
    ("short.ron", "validity_days: 365", &["validity_days: 2", "validity_days: 5"]),
    ("short.ron", "per_year: 8", &["per_year: 3"]),
    (
        "weekly.ron",
        "calendar: EveryDay",
        &["calendar: Real(closed: [\"2026-11-24\", \"2026-12-02\"])", "calendar: Real()"],
    ),
    ("weekly.ron", "cutoff: \"15:00\"", &["cutoff: \"09:30\"", "cutoff: \"24:00\""]),
    ("weekly.ron", "fast_limit_fen: 100000", &["fast_limit_fen: 3000000"]),
    ("weekly.ron", "every_days: 3, open_days: 1", &["every_days: 2, open_days: 1"]),
    ("weekly.ron", "Minimum(days: 3)", &["Minimum(days: 1)"]),
    ("rough.ron", "days: 2, effect: Gate", &["days: 4, effect: Gate"]),
    ("rough.ron", "percent: \"-14\"", &["percent: \"-8\"", "percent: \"14\""]),
    ("home.ron", "capacity: 3", &["capacity: 1", "capacity: 2"]),
    ("small.ron", "SharedRank", &["Dense", "Id"]),
    ("night.ron", "FirstToReach", &["SharedRank"]),
];

/// Packs beside the workload's own two.
const VARIANTS: u64 = 10;

/// Every pack that campaigns are drawn from.
#[derive(Clone, Debug)]
pub struct Library {
    packs: Vec<Arc<Pack>>,
}

impl Library {
    /// Builds the packs: the same ones every time.
    ///
    /// # Errors
    /// The checks of this release refuse one of them.
    pub fn new() -> Result<Self, Vec<Diagnostic>> {
        let mut packs = workload::packs()?.to_vec();
        for variant in 0..VARIANTS {
            let mut dice = Dice::new(&Seed::from_number(variant), 0, 1);
            let [mut files, _] = workload::files();
            for (name, text, others) in CHANGES {
                let other = dice.pick(others).filter(|_| dice.percent(50));
                let file = files.iter_mut().find(|file| file.path.ends_with(&format!("/{name}")));
                if let Some((file, other)) = file.zip(other) {
                    file.text = file.text.replace(text, other);
                }
            }
            packs.push(workload::pack(&files)?);
        }
        Ok(Self { packs })
    }

    /// Three packs for one campaign; it begins with the first.
    pub(crate) fn draw(&self, dice: &mut Dice) -> Vec<Arc<Pack>> {
        let mut left = self.packs.clone();
        (0..3).map(|_| left.swap_remove(dice.below(left.len() as u32) as usize)).collect()
    }

    /// Every version of every rule that can pay.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&dengmi_core::Slug, u16)> {
        let rules = self.packs.iter().flat_map(|pack| &pack.rules);
        rules.flat_map(|(slug, rule)| {
            rule.versions.iter().map(move |version| (slug, version.version))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_changes_something() {
        let [files, _] = workload::files();
        for (name, text, _) in CHANGES {
            let file = files.iter().find(|file| file.path.ends_with(&format!("/{name}")));
            assert!(file.is_some_and(|file| file.text.contains(text)), "{name}: {text}");
        }
    }

    #[test]
    fn every_pack_passes_and_differs() {
        let library = Library::new().expect("every pack passes the checks");
        let digests: std::collections::BTreeSet<_> =
            library.packs.iter().map(|pack| pack.digest).collect();
        assert_eq!(digests.len() as u64, 2 + VARIANTS);
    }
}
