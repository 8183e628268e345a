//! Draws: whole numbers only, so that a seed means the same on every machine.

use dengmi_core::random::{Purpose, Seed};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// A stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `seed` at address (`a`, `b`).
    pub(crate) fn new(seed: &Seed, a: u64, b: u64) -> Self {
        Self(seed.stream(Purpose::SyntheticMember, a, b))
    }

    /// A number below `n`; 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// A number from `low` to `high`.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// True in `ppm` of a million cases.
    pub(crate) fn chance(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < ppm
    }

    /// One of `things`, where there is one.
    pub(crate) fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        things.get(self.below(things.len() as u32) as usize)
    }

    /// One of `choices`, by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for &(weight, choice) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[0].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dice() -> Dice {
        Dice::new(&Seed::from_number(5), 3, 4)
    }

    #[track_caller]
    fn check<T: PartialEq + std::fmt::Debug>(draw: impl Fn(&mut Dice) -> T, expected: &[T]) {
        let mut dice = dice();
        let drawn: Vec<T> = expected.iter().map(|_| draw(&mut dice)).collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn draws_keep_their_golden_values() {
        check(|dice| dice.below(0), &[0; 3]);
        check(|dice| dice.below(1), &[0; 3]);
        check(|dice| dice.below(6), &[1, 1, 0, 5, 1, 5, 5, 5, 0, 4, 2, 3, 4, 2, 4, 5]);
        check(
            |dice| dice.below(u32::MAX),
            &[1_230_581_997, 996_510_543, 437_123_275, 3_697_677_711],
        );
        check(|dice| dice.between(10, 12), &[10, 10, 10, 12, 10, 12, 12, 12, 10, 12, 11, 11]);
        check(|dice| u8::from(dice.percent(50)), &[1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0]);
        check(|dice| dice.percent(0) || !dice.percent(100), &[false; 6]);
        check(|dice| u8::from(dice.chance(250_000)), &[0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
        check(|dice| dice.pick(&[7, 8, 9]).copied(), &[7, 7, 7, 9, 7, 9, 9, 9].map(Some));
        check(|dice| dice.pick::<u8>(&[]).copied(), &[None; 2]);
        check(
            |dice| dice.weighted(&[(1, 'x'), (0, 'z'), (3, 'y')]),
            &['y', 'x', 'x', 'y', 'y', 'y', 'y', 'y', 'x', 'y', 'y', 'y'],
        );
    }
}
