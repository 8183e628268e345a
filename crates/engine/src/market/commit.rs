//! Commit and reveal: before the first order the digest of the market's secret and of the terms it
//! is used under is published, at the end the secret, so that anybody can compute every price.

use dengmi_core::random::Seed;
use dengmi_core::{Digest, Slug};
use serde::{Deserialize, Serialize};

/// The secret of one market: decides every draw. Never shown before the end.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketSeed(Seed);

impl std::fmt::Debug for MarketSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MarketSeed(..)")
    }
}

impl MarketSeed {
    /// From the 32 bytes that are revealed at the end.
    #[must_use]
    pub fn from_secret(secret: [u8; 32]) -> Self {
        Self(Seed(secret))
    }

    /// For tests, demonstrations and checks, spread from a small number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(Seed::from_number(number))
    }

    /// The secret of a cohort (by any number that is its own) of the branch with this seed. It
    /// gives nothing of the branch's seed away.
    #[must_use]
    pub fn of_cohort(branch: &Seed, cohort: u64) -> Self {
        let mut material = [0; 40];
        material[..32].copy_from_slice(&branch.0);
        material[32..].copy_from_slice(&cohort.to_le_bytes());
        Self(Seed(blake3::derive_key("dengmi market secret v1", &material)))
    }

    /// The 32 bytes to reveal.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.0.0
    }

    pub(super) fn seed(&self) -> &Seed {
        &self.0
    }
}

/// What a secret is used under: with it, one commitment stands for one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// The market, by id.
    pub market: &'a Slug,
    /// The scenario, by id.
    pub scenario: &'a Slug,
    /// Digest of the content both are taken from.
    pub pack: Digest,
}

/// The commitment to publish before the first order: BLAKE3 in its key-derivation mode under a
/// name of its own, over the secret, both ids each with its length as 8 bytes before it (lowest
/// first), and the pack's digest.
#[must_use]
pub fn commitment(seed: &MarketSeed, terms: &Terms<'_>) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("dengmi market commitment v1");
    hasher.update(&seed.secret());
    for id in [terms.market, terms.scenario] {
        let length = u64::try_from(id.as_str().len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_le_bytes());
        hasher.update(id.as_str().as_bytes());
    }
    hasher.update(&terms.pack.0);
    Digest(*hasher.finalize().as_bytes())
}

/// Whether a revealed secret is the one that was committed to, under these terms.
#[must_use]
pub fn verify(seed: &MarketSeed, terms: &Terms<'_>, published: &Digest) -> bool {
    commitment(seed, terms) == *published
}
