//! Reviews that were worked out lately: the members of a cohort learn the same on the same days, so
//! that most of what they remember is alike, and powers need not be taken for each of them again.

use bevy_ecs::prelude::*;
use dengmi_core::Day;

use super::{Grade, Memory};

/// How many reviews are kept: a cohort's day knows some dozens that differ.
const KEPT: usize = 512;

/// What reviews came to, by what went in. A review is a pure function, so nothing but time depends
/// on what is kept here; it is no part of a saved state.
#[derive(Resource, Clone, Debug, Default)]
pub(crate) struct KnownReviews(Vec<Option<Known>>);

#[derive(Clone, Copy, Debug)]
struct Known {
    before: Memory,
    grade: Grade,
    day: Day,
    after: Memory,
}

impl KnownReviews {
    /// [`Memory::review`].
    pub(crate) fn review(&mut self, before: Memory, grade: Grade, day: Day) -> Memory {
        if self.0.is_empty() {
            self.0.resize(KEPT, None);
        }
        let place = &mut self.0[place(before, grade, day)];
        match place {
            Some(known) if (known.before, known.grade, known.day) == (before, grade, day) => {
                known.after
            }
            _ => {
                let after = before.review(grade, day);
                *place = Some(Known { before, grade, day, after });
                after
            }
        }
    }
}

/// Where a review is kept; another one may be there.
fn place(before: Memory, grade: Grade, day: Day) -> usize {
    let Memory { stability, difficulty, last } = before;
    let days = day.0.wrapping_sub(last.0) as u32;
    let mixed = u64::from(stability) << 32 | u64::from(difficulty ^ days << 2 ^ grade as u32);
    // The golden ratio in 64 bits: the product's highest bits depend on all of the number.
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize % KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sequence of six grades on some days, each review twice: known ones are what working
    /// them out gives, and there are more than are kept.
    #[test]
    fn known_reviews_are_what_they_would_come_to() {
        let mut known = KnownReviews::default();
        let mut reviews = 0;
        for way in 0..4usize.pow(6) {
            let grade = |place: u32| Grade::ALL[way / 4usize.pow(place) % 4];
            let mut memory = Memory::first(grade(0), Day(0));
            for (place, day) in (1..6).zip([0, 1, 3, 3, 9]) {
                let after = memory.review(grade(place), Day(day));
                assert_eq!(known.review(memory, grade(place), Day(day)), after);
                assert_eq!(known.review(memory, grade(place), Day(day)), after);
                memory = after;
                reviews += 1;
            }
        }
        assert!(reviews > KEPT);
    }
}
