//! Random draws of one market day.

use dengmi_core::Slug;
use dengmi_core::random::{Purpose, Seed};

use super::MarketSeed;
use super::model::{Leap, Model};

/// Streams of a day. The number is part of the address: never change one that shipped.
#[derive(Clone, Copy)]
enum Stream {
    Regime = 0,
    Equity = 1,
    Rates = 2,
    Credit = 3,
    Gold = 4,
    Overseas = 5,
}

/// A number for an id, to address draws with.
pub(super) fn number(id: &Slug) -> u64 {
    let digest = blake3::hash(id.as_str().as_bytes());
    u64::from_le_bytes(std::array::from_fn(|at| digest.as_bytes()[at]))
}

fn address(day: i32) -> u64 {
    i64::from(day) as u64
}

/// A normal variate in 1/65,536: the sum of twelve numbers of 16 bits around its mean. Its standard
/// deviation is 65,536 to the last digit that counts, and it never leaves six of them.
pub(super) fn normal(words: [u64; 3]) -> i64 {
    let halves =
        words.into_iter().flat_map(|word| (0..4).map(move |at| (word >> (16 * at)) & 0xFFFF));
    halves.sum::<u64>() as i64 - 6 * 65_535
}

/// A number between `from` and `to` by 32 random bits; never quite `to`.
pub(super) fn between(from: i64, to: i64, bits: u64) -> i64 {
    let share = i128::from(to - from) * i128::from(bits & 0xFFFF_FFFF);
    from + (share >> 32) as i64
}

/// What one factor draws: a normal variate, and what decides about a jump.
#[derive(Clone, Copy, Debug)]
pub(super) struct FactorDraw {
    /// In 1/65,536.
    pub(super) normal: i64,
    chance: u32,
    down: bool,
    size: u64,
}

impl FactorDraw {
    fn new(seed: &Seed, day: i32, stream: Stream) -> Self {
        let words: [u64; 5] = seed.words(Purpose::MarketFactor, address(day), stream as u64);
        Self {
            normal: normal([words[0], words[1], words[2]]),
            chance: (words[3] & 0xFFFF) as u32,
            down: words[3] & 0x1_0000 != 0,
            size: words[4] >> 32,
        }
    }

    /// The jump of this day, or 0, in the unit of `leap`.
    pub(super) fn jump(&self, leap: &Leap) -> i64 {
        if self.chance >= leap.chance {
            return 0;
        }
        let size = between(leap.from, leap.to, self.size);
        if leap.always_down || self.down { -(size + leap.down_extra) } else { size }
    }
}

/// The draws of a day that all assets share.
#[derive(Clone, Copy, Debug)]
pub(super) struct DayDraw {
    regime: u32,
    stationary: u64,
    pub(super) equity: FactorDraw,
    pub(super) rates: FactorDraw,
    pub(super) credit: FactorDraw,
    pub(super) gold: FactorDraw,
    pub(super) overseas: FactorDraw,
}

impl DayDraw {
    pub(super) fn new(seed: &MarketSeed, day: i32) -> Self {
        let seed = seed.seed();
        let [regime, stationary] =
            seed.words(Purpose::MarketFactor, address(day), Stream::Regime as u64);
        let factor = |stream| FactorDraw::new(seed, day, stream);
        Self {
            regime: (regime & 0xFFFF) as u32,
            stationary: stationary >> 32,
            equity: factor(Stream::Equity),
            rates: factor(Stream::Rates),
            credit: factor(Stream::Credit),
            gold: factor(Stream::Gold),
            overseas: factor(Stream::Overseas),
        }
    }

    /// Whether the day is turbulent; `before` is yesterday, `None` on the first day, which is
    /// turbulent as often as days are in the long run.
    pub(super) fn turbulent(&self, model: &Model, before: Option<bool>) -> bool {
        let (leave, back) = (model.to_turbulent, model.to_calm);
        match before {
            Some(false) => self.regime < leave,
            Some(true) => self.regime >= back,
            None => {
                let both = u64::from(leave) + u64::from(back);
                (self.stationary * both) >> 32 < u64::from(leave)
            }
        }
    }
}

/// What an asset draws of its own, in 1/65,536.
pub(super) fn own(seed: &MarketSeed, day: i32, asset: u64) -> i64 {
    normal(seed.seed().words(Purpose::MarketAsset, address(day), asset))
}

/// What decides about a part of a shock: 16 bits for whether, 32 for how far.
pub(super) fn shock(seed: &MarketSeed, day: i32, part: u64) -> (u32, u64) {
    let [chance, size] = seed.seed().words(Purpose::MarketShock, address(day), part);
    ((chance & 0xFFFF) as u32, size >> 32)
}
