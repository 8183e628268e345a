//! Named random streams. A stream is addressed by seed, purpose and two numbers, so a new draw in
//! one place shifts no draw anywhere else, and none depends on the order of calls.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

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
}

impl Purpose {
    const fn text(self) -> &'static str {
        match self {
            Self::QuestionOrder => "dengmi question order v1",
            Self::OptionOrder => "dengmi option order v1",
            Self::SyntheticMember => "dengmi synthetic member v1",
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
        hasher.update(purpose.text().as_bytes());
        hasher.update(&a.to_le_bytes());
        hasher.update(&b.to_le_bytes());
        ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
    }

    /// A permutation of `0..len` from the stream for `purpose` at (`a`, `b`): Fisher-Yates with
    /// draws by multiplication of 32 random bits, whose bias for `len` up to 256 is below 2^-24.
    #[must_use]
    pub fn permutation(&self, purpose: Purpose, a: u64, b: u64, len: u8) -> Vec<u8> {
        use rand::Rng as _;
        let mut rng = self.stream(purpose, a, b);
        let mut order: Vec<u8> = (0..len).collect();
        for i in (1..order.len()).rev() {
            let below = (u64::from(rng.next_u32()) * (i as u64 + 1)) >> 32;
            order.swap(i, usize::try_from(below).unwrap_or(0));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;

    #[test]
    fn streams_keep_their_golden_values() {
        let seed = Seed::from_number(1);
        let mut rng = seed.stream(Purpose::QuestionOrder, 7, 9);
        let drawn = [rng.next_u64(), rng.next_u64()];
        assert_eq!(drawn, GOLDEN_DRAWS);
        assert_eq!(seed.permutation(Purpose::OptionOrder, 1, 2, 6), GOLDEN_ORDER);
    }
    const GOLDEN_DRAWS: [u64; 2] = [8_679_551_492_777_710_457, 13_620_948_926_818_071_523];
    const GOLDEN_ORDER: [u8; 6] = [0, 1, 2, 4, 5, 3];

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
    fn a_permutation_holds_each_once() {
        for a in 0..200 {
            let mut order = Seed::from_number(3).permutation(Purpose::OptionOrder, a, 0, 9);
            order.sort_unstable();
            assert_eq!(order, (0..9).collect::<Vec<_>>());
        }
    }
}
