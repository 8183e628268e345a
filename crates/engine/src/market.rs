//! The mock market: prices as a pure function of a market's numbers, a script and a secret seed.
//!
//! Two regimes and five factors (shares, interest rates, credit, gold, shares overseas) with jumps
//! move every asset; integers only. A draw is addressed by seed, market day and stream, so a day
//! depends on no order of calls, on no member and on no asset beside it. Day 0 is the first market
//! day of a course; days below zero are its history.
//!
//! - [`Model`]: the numbers of a market, made ready.
//! - [`Script`]: the shocks of a scenario by market day. They come after the draw, so the same
//!   seed without them is the path that would have been.
//! - [`Walk`]: advances a day at a time, and can be saved. Whoever stores only its quotes so far
//!   cannot show a later one.
//! - [`Path`]: all days at once, for checks and for verifying afterwards.
//! - [`commitment`]: published before the first order; the secret is published at the end.
//!
//! Units: returns and rates in 1e-8 (100,000,000 is 100 %), net asset values in 1e-8 yuan, factors
//! in 1/65,536 of a daily standard deviation.

mod commit;
mod draw;
mod line;
mod model;
mod path;
mod script;
#[cfg(test)]
mod tests;
mod walk;

pub use commit::{MarketSeed, Terms, commitment, verify};
pub use dengmi_core::mock::Quote;
pub use model::Model;
pub use path::Path;
#[cfg(test)]
pub(crate) use script::open_days;
pub use script::{Script, last_market_day, market_days};
pub use walk::Walk;

/// 100 % in 1e-8; 1 yuan in 1e-8 yuan.
pub const ONE: i64 = 100_000_000;

/// `numerator / denominator`, rounded to the nearest, half to even. Zero where `denominator` is
/// not above zero.
fn div_even(numerator: i128, denominator: i128) -> i64 {
    if denominator <= 0 {
        return 0;
    }
    let quotient = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator) * 2;
    let up = twice > denominator || (twice == denominator && quotient % 2 != 0);
    i64::try_from(quotient + i128::from(up)).unwrap_or(i64::MAX)
}
