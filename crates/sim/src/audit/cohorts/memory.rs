//! The memory model FSRS-6 in plain floating point, from the published formulas and default
//! parameters: what the engine computes in integers is computed here another way.
//!
//! Stability and difficulty are kept in steps of 1/100,000, which is the documented form of a
//! [`Memory`]; beyond that nothing is rounded as the engine rounds. So the two may differ by a few
//! millionths. Where a decision hinges on no more than that (a due day next to one half, two
//! chances of remembering that are nearly equal, a chance next to the threshold of mastery) it is
//! said to be near, and the auditor takes either answer for right.

use dengmi_core::{Day, Ppm};

const W: [f64; 21] = [
    0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835,
    0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
];

/// Chances that differ by no more than this are nearly equal.
const NEAR_CHANCE: f64 = 5e-6;

/// Days that are no farther than this from one half may be rounded either way.
const NEAR_DAY: f64 = 1e-3;

/// What is remembered of one concept.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Memory {
    stability: f64,
    difficulty: f64,
    last: Day,
}

fn stability(days: f64) -> f64 {
    ((days * 1e5).round() / 1e5).clamp(0.001, 36_500.0)
}

fn difficulty(points: f64) -> f64 {
    ((points * 1e5).round() / 1e5).clamp(1.0, 10.0)
}

/// Difficulty after a first review graded 1 (again) to 4 (easy), before bounds.
fn first_difficulty(grade: f64) -> f64 {
    W[4] - (W[5] * (grade - 1.0)).exp() + 1.0
}

/// Again or good: quizzes know nothing between.
fn grade(right: bool) -> f64 {
    if right { 3.0 } else { 1.0 }
}

/// What makes the chance 90 % after one stability.
fn factor() -> f64 {
    0.9f64.powf(-1.0 / W[20]) - 1.0
}

impl Memory {
    pub(super) fn first(right: bool, day: Day) -> Self {
        let first = if right { W[2] } else { W[0] };
        let difficulty = difficulty(first_difficulty(grade(right)));
        Self { stability: stability(first), difficulty, last: day }
    }

    pub(super) fn review(self, right: bool, day: Day) -> Self {
        let day = day.max(self.last);
        let (s, d) = (self.stability, self.difficulty);
        let chance = self.chance(day);
        let days = if day == self.last {
            let factor = (W[17] * (grade(right) - 3.0 + W[18])).exp() * s.powf(-W[19]);
            s * if right { factor.max(1.0) } else { factor }
        } else if right {
            let surprise = (W[10] * (1.0 - chance)).exp() - 1.0;
            s * (1.0 + W[8].exp() * (11.0 - d) * s.powf(-W[9]) * surprise)
        } else {
            let left = W[11]
                * d.powf(-W[12])
                * ((s + 1.0).powf(W[13]) - 1.0)
                * (W[14] * (1.0 - chance)).exp();
            left.min(s / (W[17] * W[18]).exp())
        };
        let moved = d - W[6] * (grade(right) - 3.0) * (10.0 - d) / 9.0;
        let reverted = W[7] * first_difficulty(4.0) + (1.0 - W[7]) * moved;
        Self { stability: stability(days), difficulty: difficulty(reverted), last: day }
    }

    /// Chance of remembering on a day.
    pub(super) fn chance(self, day: Day) -> f64 {
        let days = f64::from((day.0 - self.last.0).max(0));
        (1.0 + factor() * days / self.stability).powf(-W[20])
    }

    /// The day on which the chance falls to `retention`, and the other one it may be.
    pub(super) fn due(self, retention: Ppm) -> (Day, Option<Day>) {
        let wanted = f64::from(retention.0) / 1e6;
        let exact = self.stability / factor() * (wanted.powf(-1.0 / W[20]) - 1.0);
        let whole = |days: f64| self.last.plus(days.clamp(1.0, 1_048_576.0) as i32);
        let (day, low, high) =
            (whole(exact.round()), whole(exact.floor()), whole(exact.floor() + 1.0));
        let near = (exact.fract() - 0.5).abs() < NEAR_DAY;
        let other = if day == low { high } else { low };
        (day, Some(other).filter(|other| near && *other != day))
    }
}

/// Whether two chances are nearly, but not exactly, equal.
pub(super) fn near(a: f64, b: f64) -> bool {
    a != b && (a - b).abs() < NEAR_CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One right answer: 0.95 and 0.81 after one and seven days (published).
    #[test]
    fn forgetting_after_one_right_answer() {
        let memory = Memory::first(true, Day(100));
        for (days, chance) in [(0, 1.0), (1, 0.95), (7, 0.81)] {
            let got = memory.chance(Day(100 + days));
            assert!((got - chance).abs() < 0.006, "{days}: {got}");
        }
        assert_eq!(memory.due(Ppm(900_000)), (Day(102), None));
    }

    #[test]
    fn what_is_near_one_half_may_be_either() {
        let memory = Memory { stability: 2.5, difficulty: 5.0, last: Day(0) };
        assert_eq!(memory.due(Ppm(900_000)), (Day(3), Some(Day(2))));
        let memory = Memory { stability: 2.4, ..memory };
        assert_eq!(memory.due(Ppm(900_000)), (Day(2), None));
        // Never the day itself.
        let memory = Memory { stability: 0.5, ..memory };
        assert_eq!(memory.due(Ppm(900_000)), (Day(1), None));
    }
}
