//! Named random streams. A stream is addressed by seed, purpose and two numbers, so a new draw in
//! one place shifts no draw anywhere else, and none depends on the order of calls.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::mutant;

/// The seed of a branch's engine, 256 bits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(pub [u8; 32]);

impl std::fmt::Debug for Seed {
    /// A seed decides shuffles and draws: it is not printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// What a stream is drawn for. The text is part of the address: never change one that shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Order of a round's questions for one member.
    QuestionOrder,
    /// Order of a question's options for one member.
    OptionOrder,
    /// Behaviour of a synthetic member.
    SyntheticMember,
    /// Order of an item's options outside the quiz of the day.
    ItemOptionOrder,
    /// A factor of a mock market on one market day.
    MarketFactor,
    /// What an asset of a mock market does of its own on one market day.
    MarketAsset,
    /// Whether and how far a shock of a script strikes.
    MarketShock,
}

impl Purpose {
    const fn text(self) -> &'static str {
        match self {
            Self::QuestionOrder => "dengmi question order v1",
            Self::OptionOrder => "dengmi option order v1",
            Self::SyntheticMember => "dengmi synthetic member v1",
            Self::ItemOptionOrder => "dengmi item option order v1",
            Self::MarketFactor => "dengmi market factor v1",
            Self::MarketAsset => "dengmi market asset v1",
            Self::MarketShock => "dengmi market shock v1",
        }
    }
}

impl Seed {
    /// A seed for tests and demonstrations, spread from a small number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(blake3::derive_key("dengmi seed from number v1", &number.to_le_bytes()))
    }

    /// A seed derived from this one for a named part, such as one branch of several.
    #[must_use]
    pub fn derive(&self, part: u64) -> Self {
        let mut material = [0; 40];
        material[..32].copy_from_slice(&self.0);
        material[32..].copy_from_slice(&part.to_le_bytes());
        Self(blake3::derive_key("dengmi derived seed v1", &material))
    }

    /// The stream for `purpose` at address (`a`, `b`). Use fixed-width integers when sampling:
    /// `usize` draws differ between 32 and 64 bit machines.
    #[must_use]
    pub fn stream(&self, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        if !mutant::planted("random/no-purpose") {
            hasher.update(purpose.text().as_bytes());
        }
        hasher.update(&a.to_le_bytes());
        hasher.update(&b.to_le_bytes());
        ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
    }

    /// The first words of a stream.
    #[must_use]
    pub fn words<const N: usize>(&self, purpose: Purpose, a: u64, b: u64) -> [u64; N] {
        use rand::Rng as _;
        let mut rng = self.stream(purpose, a, b);
        std::array::from_fn(|_| rng.next_u64())
    }

    /// The key of a family of orders, such as those of one round's options: members of the family
    /// are told apart by a number. One hash pays for all of them.
    #[must_use]
    pub fn shuffler(&self, purpose: Purpose, a: u64) -> Shuffler {
        use rand::Rng as _;
        let mut rng = self.stream(purpose, a, 0);
        Shuffler { key: [rng.next_u64(), rng.next_u64()] }
    }
}

/// Draws orders by counter: the order for a number is a function of key and number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shuffler {
    key: [u64; 2],
}

/// The golden ratio in 64 bits, odd: its multiples spread evenly.
const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of splitmix64: every bit of the result depends on every bit of `x`.
const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

impl Shuffler {
    /// A permutation of `0..len` for `number`: Fisher-Yates with draws by multiplication of 32
    /// random bits, whose bias for `len` up to 256 is below 2^-24.
    #[must_use]
    pub fn order(&self, number: u64, len: u8) -> SmallVec<[u8; 8]> {
        let mut state = mix(self.key[0] ^ mix(self.key[1].wrapping_add(number)));
        let mut order: SmallVec<[u8; 8]> = match usize::from(len) {
            few @ 0..=8 => SmallVec::from_buf_and_len([0, 1, 2, 3, 4, 5, 6, 7], few),
            _ => (0..len).collect(),
        };
        for i in (1..len).rev() {
            state = state.wrapping_add(GOLDEN_RATIO);
            let below = ((mix(state) >> 32) * (u64::from(i) + 1)) >> 32;
            order.swap(usize::from(i), usize::from(below as u8));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;

    /// The first four draws of a stream of seed 1.
    #[track_caller]
    fn check(purpose: Purpose, a: u64, b: u64, expected: [u64; 4]) {
        let mut rng = Seed::from_number(1).stream(purpose, a, b);
        let drawn = std::array::from_fn(|_| rng.next_u64());
        assert_eq!(drawn, expected, "{purpose:?} {a} {b}");
    }

    #[test]
    fn streams_keep_their_golden_values() {
        check(
            Purpose::QuestionOrder,
            7,
            9,
            [
                8_679_551_492_777_710_457,
                13_620_948_926_818_071_523,
                3_509_595_034_176_305_274,
                13_047_836_467_940_572_591,
            ],
        );
        check(
            Purpose::QuestionOrder,
            0,
            u64::MAX,
            [
                12_581_784_784_134_584_613,
                1_628_323_819_521_824_897,
                4_692_855_549_278_144_158,
                3_500_251_465_353_857_091,
            ],
        );
        check(
            Purpose::OptionOrder,
            7,
            9,
            [
                4_515_716_200_746_369_952,
                7_811_874_164_546_809_963,
                11_614_211_839_184_592_425,
                557_343_886_623_938_315,
            ],
        );
        check(
            Purpose::SyntheticMember,
            7,
            9,
            [
                8_938_922_643_816_234_512,
                12_471_510_480_083_033_403,
                14_962_792_519_765_370_978,
                9_613_421_137_094_887_273,
            ],
        );
        check(
            Purpose::SyntheticMember,
            u64::MAX,
            0,
            [
                11_863_451_278_347_857_739,
                10_002_774_366_021_496_597,
                11_124_561_729_641_552_458,
                9_964_058_380_065_368_668,
            ],
        );
        check(
            Purpose::MarketFactor,
            7,
            9,
            [
                6_267_549_268_885_879_497,
                5_595_443_809_951_502_068,
                17_808_797_011_426_127_170,
                15_286_595_663_790_553_490,
            ],
        );
        check(
            Purpose::MarketAsset,
            u64::MAX,
            9,
            [
                3_026_864_702_239_705_437,
                8_510_183_432_747_592_404,
                9_634_883_155_144_157_619,
                4_441_412_404_447_084_983,
            ],
        );
        check(
            Purpose::MarketShock,
            7,
            9,
            [
                8_721_939_272_309_516_261,
                11_285_783_586_157_575_099,
                4_294_033_638_314_242_902,
                17_939_087_855_035_896_742,
            ],
        );
        let words: [u64; 2] = Seed::from_number(1).words(Purpose::SyntheticMember, 7, 9);
        assert_eq!(words, [8_938_922_643_816_234_512, 12_471_510_480_083_033_403]);
        // Further on, across the blocks of the cipher, and in halves of 32 bits.
        let mut rng = Seed::from_number(1).stream(Purpose::SyntheticMember, 1, 2);
        let hundredth = (0..100).map(|_| rng.next_u64()).last();
        assert_eq!(hundredth, Some(7_460_408_472_428_488_454));
        let halves: [u32; 4] = std::array::from_fn(|_| rng.next_u32());
        assert_eq!(halves, [1_500_260_239, 3_098_414_051, 120_858_262, 1_487_881_326]);
    }

    #[test]
    fn seeds_keep_their_golden_values() {
        let head = |seed: Seed| u64::from_le_bytes(std::array::from_fn(|at| seed.0[at]));
        let root = Seed::from_number(1);
        let heads = [root, Seed::from_number(u64::MAX), root.derive(0), root.derive(7)].map(head);
        assert_eq!(
            heads,
            [
                16_477_052_046_861_285_664,
                12_722_009_060_560_449_704,
                12_054_693_343_069_814_819,
                5_739_519_397_161_510_278
            ]
        );
    }

    #[test]
    fn orders_keep_their_golden_values() {
        let shuffler = Seed::from_number(1).shuffler(Purpose::OptionOrder, 1);
        for (number, len, expected) in ORDERS {
            assert_eq!(shuffler.order(*number, *len)[..], **expected, "{number} {len}");
        }
        // All numbers up to a hundred together, in one sum that minds their order.
        let sum = (0..100).flat_map(|number| shuffler.order(number, 50));
        let sum = sum.fold(0u64, |sum, place| sum.wrapping_mul(31).wrapping_add(u64::from(place)));
        assert_eq!(sum, 5_435_494_778_282_147_728);
    }

    const ORDERS: &[(u64, u8, &[u8])] = &[
        (2, 0, &[]),
        (2, 1, &[0]),
        (2, 2, &[0, 1]),
        (2, 3, &[0, 2, 1]),
        (2, 4, &[3, 0, 1, 2]),
        (2, 5, &[4, 1, 0, 2, 3]),
        (2, 6, &[5, 0, 4, 1, 2, 3]),
        (u64::MAX, 8, &[2, 5, 3, 7, 6, 0, 1, 4]),
        (1 << 40, 10, &[0, 4, 9, 1, 3, 6, 8, 2, 5, 7]),
    ];

    #[test]
    fn another_address_is_another_stream() {
        let seed = Seed::from_number(1);
        let first = |purpose, a, b| seed.stream(purpose, a, b).next_u64();
        let base = first(Purpose::QuestionOrder, 1, 2);
        assert_ne!(base, first(Purpose::OptionOrder, 1, 2));
        assert_ne!(base, first(Purpose::QuestionOrder, 2, 1));
        assert_ne!(base, seed.derive(1).stream(Purpose::QuestionOrder, 1, 2).next_u64());
    }

    #[test]
    fn every_order_is_as_likely() {
        // 24 orders of four, 24,000 draws: 1,000 each are expected. The statistic has 23 degrees
        // of freedom; 60 is beyond one in ten thousand.
        let shuffler = Seed::from_number(3).shuffler(Purpose::OptionOrder, 5);
        let mut counts = std::collections::BTreeMap::new();
        for number in 0..24_000 {
            let order = shuffler.order(number, 4);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted[..], [0, 1, 2, 3]);
            *counts.entry(order).or_insert(0i64) += 1;
        }
        let squares: i64 = counts.values().map(|n| (n - 1_000) * (n - 1_000)).sum();
        assert!(counts.len() == 24 && squares / 1_000 < 60, "{counts:?}");
    }
}
