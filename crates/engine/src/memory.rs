//! How well somebody remembers: the spaced-repetition model FSRS-6, in integers.
//!
//! A [`Memory`] is kept for one person and one concept. Its stability is the time in which the
//! chance of remembering falls to 90 %; its difficulty, from 1 to 10, slows the growth of
//! stability. Every review changes both. Parameters, formulas and bounds are those of the
//! reference implementation, crate `fsrs` 6.6.2 (default parameters, fitted by its authors to
//! reviews of flash cards, not of our courses); `tests/memory.rs` compares the two.
//!
//! The same inputs give the same bits on every platform: no floats, no input from outside. An
//! interval is counted in whole days, and reviews on one day follow the short-term formula.

mod fixed;
mod known;

use dengmi_core::{Day, Ppm};
use serde::{Deserialize, Serialize};

use self::fixed::{ONE, div, exp, mul, pow};
pub(crate) use self::known::KnownReviews;

/// How well somebody remembered, in their own or the quiz's judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Did not remember.
    Again,
    /// Remembered with great effort.
    Hard,
    /// Remembered.
    Good,
    /// Remembered at once.
    Easy,
}

impl Grade {
    /// From worst to best.
    pub const ALL: [Grade; 4] = [Grade::Again, Grade::Hard, Grade::Good, Grade::Easy];
}

/// What is known of one person's memory of one concept.
///
/// Restored from a saved state the numbers may be anything; what is out of bounds counts as the
/// nearest bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Memory {
    /// In 1/100,000 of a day.
    stability: u32,
    /// In 1/100,000 of a point.
    difficulty: u32,
    /// Day of the last review.
    last: Day,
}

/// How many units make a day of stability (one is 0.864 seconds) or a point of difficulty.
pub const UNIT: u32 = 100_000;

/// Least and greatest stability: 0.001 and 36,500 days.
const STABILITY: (u32, u32) = (UNIT / 1_000, 36_500 * UNIT);
/// Least and greatest difficulty: 1 and 10 points.
const DIFFICULTY: (u32, u32) = (UNIT, 10 * UNIT);
/// Longest time that is told from longer ones, in days: some 2,870 years.
const LONGEST: i64 = 1 << 20;

/// The parameters of the model, in ten-thousandths, numbered as its authors do.
const W: [i64; 21] = [
    2_120, 12_931, 23_065, 82_956, 64_133, 8_334, 30_194, 10, 18_722, 1_666, 7_960, 14_835, 614,
    2_629, 16_483, 6_014, 18_729, 5_425, 912, 658, 1_542,
];

/// A parameter in Q32, to the nearest unit.
const fn w(number: usize) -> i64 {
    ((W[number] << 32) + 5_000) / 10_000
}

/// A stability or difficulty in Q32; at most 36,500, so it fits.
fn q32(units: u32) -> i64 {
    ((u64::from(units) << 32) / u64::from(UNIT)) as i64
}

/// -1 / w20: turns a retention back into time.
const BACK: i64 = div(-ONE, w(20));
/// What makes the curve of forgetting pass through 90 % after one stability.
const FACTOR: i64 = pow((9 * ONE + 5) / 10, BACK) - ONE;
/// e^w8: general growth by success.
const GROWTH: i64 = exp(w(8));
/// w4 - e^(w5 (G - 1)) + 1 by grade, before bounds.
const FIRST_DIFFICULTY: [i64; 4] = {
    let mut difficulties = [0; 4];
    let mut grade = 0;
    while grade < 4 {
        difficulties[grade] = w(4) - exp(w(5) * grade as i64) + ONE;
        grade += 1;
    }
    difficulties
};
/// e^(w17 (G - 3 + w18)) by grade.
const BY_GRADE: [i64; 4] = {
    let mut factors = [0; 4];
    let mut grade = 0;
    while grade < 4 {
        factors[grade] = exp(mul(w(17), (grade as i64 - 2) * ONE + w(18)));
        grade += 1;
    }
    factors
};
/// e^-(w17 w18): a failure leaves at most this share of the stability.
const LEFT_BY_FAILURE: i64 = exp(-mul(w(17), w(18)));

/// How long a memory lasts until the chance of remembering falls to a retention: the same number
/// of stabilities for every memory, so that comparing takes no powers, and on the first days no more
/// than looking a bound up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// R^(-1/w20) - 1 in Q32: the time in stabilities times F.
    ratio: i64,
    /// By days since the last review.
    bounds: [Bounds; TABLED_DAYS],
}

/// Stabilities that tell memories apart on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    /// The greatest that is due.
    due: u32,
    /// The least that holds.
    holds: u32,
}

/// Days whose bounds are worked out beforehand: longer than any course.
const TABLED_DAYS: usize = 32;

impl Horizon {
    /// The horizon of a retention; anything below 1 or above 1,000,000 millionths counts as the
    /// nearest of them.
    #[must_use]
    pub const fn of(retention: Ppm) -> Self {
        let millionths = match retention.0 {
            0 => 1,
            beyond if beyond > Ppm::ONE.0 => Ppm::ONE.0,
            within => within,
        };
        // Solved for the time: S / F * (R^(-1/w20) - 1).
        let retention = (((millionths as i64) << 32) + 500_000) / 1_000_000;
        let ratio = pow(retention, BACK) - ONE;
        // On the day of the last review everything holds and nothing is due.
        let mut bounds = [Bounds { due: 0, holds: 0 }; TABLED_DAYS];
        let mut days = 1;
        while days < TABLED_DAYS {
            let faded = FACTOR as i128 * days as i128 * UNIT as i128;
            let divisor = FACTOR as i128 * UNIT as i128;
            let not_yet = (days as i128 + 1) * divisor - divisor / 2;
            bounds[days] = match ratio as i128 {
                ..=0 => Bounds { due: u32::MAX, holds: u32::MAX },
                ratio => Bounds {
                    due: bound((not_yet - 1) / ratio),
                    holds: bound((faded + ratio - 1) / ratio),
                },
            };
            days += 1;
        }
        Self { ratio, bounds }
    }
}

/// A stability; one that is none, where it lies beyond all of them.
const fn bound(stability: i128) -> u32 {
    if stability > u32::MAX as i128 { u32::MAX } else { stability as u32 }
}

impl Memory {
    /// The memory after the first review.
    #[must_use]
    pub fn first(grade: Grade, day: Day) -> Self {
        let stability = (W[grade as usize] * i64::from(UNIT) / 10_000) as u32;
        let difficulty = to_units(FIRST_DIFFICULTY[grade as usize], DIFFICULTY);
        Self { stability, difficulty, last: day }
    }

    /// The memory after another review. A day before the last review counts as its day.
    #[must_use]
    pub fn review(self, grade: Grade, day: Day) -> Self {
        let day = day.max(self.last);
        let stability = if day == self.last {
            self.after_same_day(grade)
        } else if grade == Grade::Again {
            self.after_failure(day)
        } else {
            self.after_success(grade, day)
        };
        Self { stability, difficulty: self.next_difficulty(grade), last: day }
    }

    /// Chance of remembering on `day`: certain on the day of the last review (and before it),
    /// falling from then on, more and more slowly.
    #[must_use]
    pub fn retrievability(self, day: Day) -> Ppm {
        let recall = i128::from(self.recall(day));
        Ppm(((recall * 1_000_000 + i128::from(ONE / 2)) >> 32) as u32)
    }

    /// The day on which retrievability falls to the horizon's retention, to the nearest day as the
    /// reference implementation recommends; at least one day after the last review, at most 2^20
    /// days.
    #[must_use]
    pub fn due(self, horizon: &Horizon) -> Day {
        let divisor = i128::from(FACTOR) * i128::from(UNIT);
        let days =
            (i128::from(self.stability()) * i128::from(horizon.ratio) + divisor / 2) / divisor;
        self.last.plus(days.clamp(1, i128::from(LONGEST)) as i32)
    }

    /// Whether the memory is [due](Self::due) by `day`.
    #[must_use]
    pub fn is_due(self, horizon: &Horizon, day: Day) -> bool {
        let days = self.days_to(day);
        if let Some(bounds) = horizon.bounds.get(days as usize) {
            return self.stability() <= bounds.due;
        }
        let divisor = i128::from(FACTOR) * i128::from(UNIT);
        let least = i128::from(self.stability()) * i128::from(horizon.ratio) + divisor / 2;
        days >= LONGEST || least < i128::from(days + 1) * divisor
    }

    /// Whether retrievability on `day` is still that of the horizon, or above it.
    #[must_use]
    pub fn holds(self, horizon: &Horizon, day: Day) -> bool {
        let days = self.days_to(day);
        if let Some(bounds) = horizon.bounds.get(days as usize) {
            return self.stability() >= bounds.holds;
        }
        let faded = i128::from(FACTOR) * i128::from(days) * i128::from(UNIT);
        faded <= i128::from(self.stability()) * i128::from(horizon.ratio)
    }

    /// Orders memories by retrievability on `day`, the most nearly forgotten last: the time since
    /// the last review in stabilities, in 2^-20.
    #[must_use]
    pub fn faded(self, day: Day) -> u64 {
        // At most 2^20 days of 10^5 units, times 2^20, over 100 units: it fits.
        let elapsed = self.days_to(day) as u64 * u64::from(UNIT);
        (elapsed << 20) / u64::from(self.stability())
    }

    /// Days since the last review; none before it.
    fn days_to(self, day: Day) -> i64 {
        (i64::from(day.0) - i64::from(self.last.0)).clamp(0, LONGEST)
    }

    /// Time in which the chance of remembering falls to 90 %, in 1/[`UNIT`] of a day; from 0.001
    /// to 36,500 days.
    #[must_use]
    pub fn stability(self) -> u32 {
        self.stability.clamp(STABILITY.0, STABILITY.1)
    }

    /// Difficulty in 1/[`UNIT`] of a point; from 1 to 10 points.
    #[must_use]
    pub fn difficulty(self) -> u32 {
        self.difficulty.clamp(DIFFICULTY.0, DIFFICULTY.1)
    }

    /// Day of the last review.
    #[must_use]
    pub fn last(self) -> Day {
        self.last
    }

    /// Retrievability in Q32: (1 + F t / S)^-w20.
    fn recall(self, day: Day) -> i64 {
        let ratio = i128::from(FACTOR) * i128::from(self.days_to(day)) * i128::from(UNIT);
        // At most 0.98 * 2^20 days / 0.001 days in Q32, which is below 2^62.
        let ratio = (ratio / i128::from(self.stability())) as i64;
        pow(ONE + ratio, -w(20)).min(ONE)
    }

    /// S (1 + e^w8 (11 - D) S^-w9 (e^(w10 (1 - R)) - 1)), the growth multiplied by w15 when hard and
    /// by w16 when easy.
    fn after_success(self, grade: Grade, day: Day) -> u32 {
        let ease = 11 * ONE - q32(self.difficulty());
        let saturation = pow(q32(self.stability()), -w(9));
        let surprise = exp(mul(w(10), ONE - self.recall(day))) - ONE;
        let growth = mul(mul(mul(GROWTH, ease), saturation), surprise);
        let growth = match grade {
            Grade::Hard => mul(growth, w(15)),
            Grade::Easy => mul(growth, w(16)),
            Grade::Again | Grade::Good => growth,
        };
        self.times(ONE + growth)
    }

    /// w11 D^-w12 ((S + 1)^w13 - 1) e^(w14 (1 - R)), and at most e^-(w17 w18) S.
    fn after_failure(self, day: Day) -> u32 {
        let by_difficulty = pow(q32(self.difficulty()), -w(12));
        let by_stability = pow(q32(self.stability()) + ONE, w(13)) - ONE;
        let by_recall = exp(mul(w(14), ONE - self.recall(day)));
        let left = mul(mul(mul(w(11), by_difficulty), by_stability), by_recall);
        to_units(left, STABILITY).min(self.times(LEFT_BY_FAILURE))
    }

    /// S e^(w17 (G - 3 + w18)) S^-w19, and at least S when remembered.
    fn after_same_day(self, grade: Grade) -> u32 {
        let factor = mul(BY_GRADE[grade as usize], pow(q32(self.stability()), -w(19)));
        let remembered = grade != Grade::Again;
        self.times(if remembered { factor.max(ONE) } else { factor })
    }

    /// D moves by w6 a grade, less the nearer to 10, and then a little towards an easy first
    /// review's difficulty (before bounds).
    fn next_difficulty(self, grade: Grade) -> u32 {
        let difficulty = q32(self.difficulty());
        let step = w(6) * (Grade::Good as i64 - grade as i64);
        let moved = difficulty + mul(10 * ONE - difficulty, step) / 9;
        let reverted = moved + mul(w(7), FIRST_DIFFICULTY[Grade::Easy as usize] - moved);
        to_units(reverted, DIFFICULTY)
    }

    /// The stability multiplied by a factor in Q32.
    fn times(self, factor: i64) -> u32 {
        let product =
            (i128::from(self.stability()) * i128::from(factor) + i128::from(ONE / 2)) >> 32;
        product.clamp(i128::from(STABILITY.0), i128::from(STABILITY.1)) as u32
    }
}

/// Q32 to the nearest unit within bounds.
fn to_units(value: i64, (least, greatest): (u32, u32)) -> u32 {
    let units = (i128::from(value) * i128::from(UNIT) + i128::from(ONE / 2)) >> 32;
    units.clamp(i128::from(least), i128::from(greatest)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against decimal arithmetic of 40 digits.
    #[test]
    fn what_follows_from_the_parameters() {
        let table = [
            ("0.9^(-1/0.1542) - 1", FACTOR, 4_210_556_132),
            ("e^1.8722", GROWTH, 27_928_395_775),
            ("e^-(0.5425 * 0.0912)", LEFT_BY_FAILURE, 4_087_640_632),
        ];
        for (name, got, exact) in table {
            let off = i64::abs_diff(got, exact);
            assert!(off <= 64, "{name} is {got}, not {exact}");
        }
    }

    /// What is looked up is what is worked out, on every day and at every bound: a memory of a
    /// stability at the bound and one on either side of it.
    #[test]
    fn bounds_are_what_they_stand_for() {
        let divisor = i128::from(FACTOR) * i128::from(UNIT);
        for retention in [0, 1, 500_000, 800_000, 850_000, 900_000, 999_999, 1_000_000] {
            let horizon = Horizon::of(Ppm(retention));
            for (days, bounds) in (0..).zip(horizon.bounds) {
                let near = |bound: u32| [bound.saturating_sub(1), bound, bound.saturating_add(1)];
                for stability in near(bounds.due).into_iter().chain(near(bounds.holds)) {
                    let memory = Memory { stability, difficulty: UNIT, last: Day(100) };
                    let lasts = i128::from(memory.stability()) * i128::from(horizon.ratio);
                    let day = Day(100 + days);
                    let due = days >= 1 && lasts + divisor / 2 < i128::from(days + 1) * divisor;
                    let what = format!("{stability} after {days} days at {retention}");
                    assert_eq!(memory.is_due(&horizon, day), due, "{what}");
                    let holds = divisor * i128::from(days) <= lasts;
                    assert_eq!(memory.holds(&horizon, day), holds, "{what}");
                }
            }
        }
    }

    #[test]
    fn a_memory_is_small() {
        assert_eq!(size_of::<Memory>(), 12);
        assert_eq!(size_of::<Option<Memory>>(), 16);
    }
}
