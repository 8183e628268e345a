//! Idempotency: which commands were sent before.
//!
//! Keys are UUIDs of version 7, so they carry their time and sort by it. The window keeps what is
//! young; what is older is refused, so nothing is ever applied twice and memory stays bounded.

use std::collections::BTreeMap;
use std::time::Duration;

use dengmi_core::{Timestamp, mutant};
use dengmi_store::CommandKey;

/// Bounds of a [`KeyWindow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLimits {
    /// How long a command can be repeated.
    pub window: Duration,
    /// How far a sender's clock may run ahead.
    pub ahead: Duration,
    /// Most keys kept; beyond it the oldest go, and everything as old as they were is refused.
    pub keys: usize,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10 * 60),
            ahead: Duration::from_secs(2 * 60),
            keys: 1_000_000,
        }
    }
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Older than the window: a repeat could not be told from a new command.
    #[error("the idempotency key is older than the window; make a new one for a new command")]
    TooOld,
    /// Made by a clock that runs ahead.
    #[error("the idempotency key is from the future; set the sender's clock")]
    InFuture,
    /// The key came with another command before.
    #[error("the idempotency key was used for another command; make a new one")]
    Reused,
}

/// What is kept of a key: nothing that a repeat can be answered without, as there are a million.
#[derive(Clone, Debug)]
struct Seen<T> {
    /// In the order of the number; as bytes, so that nothing is lost to its alignment.
    key: [u8; 16],
    /// Tells apart who cannot know of each other.
    principal: u64,
    fingerprint: [u8; 16],
    value: T,
}

/// The keys of the last minutes, each with what is known of its command.
#[derive(Clone, Debug)]
pub struct KeyWindow<T> {
    limits: KeyLimits,
    /// By [`slot`], each in order. Keys come nearly in order of time, so most go to the end of the
    /// last one; a tree of single keys would be half empty.
    slots: BTreeMap<u64, Vec<Seen<T>>>,
    len: usize,
    /// Keys of this millisecond and before are refused.
    floor: u64,
}

/// Keys of 64 ms share a slot.
fn slot(ms: u64) -> u64 {
    ms >> 6
}

/// Milliseconds since 1970 that a UUID of version 7 opens with.
#[must_use]
pub fn key_ms(key: u128) -> u64 {
    // The upper 48 of 128 bits always fit.
    u64::try_from(key >> 80).unwrap_or(u64::MAX)
}

impl<T> KeyWindow<T> {
    /// An empty window.
    #[must_use]
    pub fn new(limits: KeyLimits) -> Self {
        Self { limits, slots: BTreeMap::new(), len: 0, floor: 0 }
    }

    /// What is known of an earlier command under this key; `None` where the key is new. A new key
    /// is entered with `value`.
    ///
    /// # Errors
    /// See [`KeyFault`]; nothing is entered then.
    pub fn enter(
        &mut self,
        now: Timestamp,
        key: &CommandKey,
        value: T,
    ) -> Result<Option<&T>, KeyFault> {
        let now = u64::try_from(now.0).unwrap_or(0);
        self.forget(now);
        let made = key_ms(key.key);
        if made <= self.floor {
            return Err(KeyFault::TooOld);
        }
        if made > now.saturating_add(ms(self.limits.ahead)) {
            return Err(KeyFault::InFuture);
        }
        if let Ok(place) = self.place(key) {
            // Looked up again because a borrow that is returned cannot also be given up.
            return match self.slots.get(&slot(made)).and_then(|keys| keys.get(place)) {
                Some(seen) if seen.fingerprint == key.fingerprint => Ok(Some(&seen.value)),
                _ => Err(KeyFault::Reused),
            };
        }
        self.make_room();
        if made <= self.floor {
            return Err(KeyFault::TooOld);
        }
        self.insert(key, value);
        Ok(None)
    }

    /// Notes a command that the journal holds, when the window is built again at a start.
    pub fn restore(&mut self, now: Timestamp, key: &CommandKey, value: T) {
        self.forget(u64::try_from(now.0).unwrap_or(0));
        self.make_room();
        if key_ms(key.key) > self.floor && !mutant::planted("keys/forgotten") {
            self.insert(key, value);
        }
    }

    /// How many keys are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Journal records from this time on are enough to build the window again at `now`.
    #[must_use]
    pub fn rebuild_from(limits: KeyLimits, now: Timestamp) -> Timestamp {
        let back = ms(limits.window).saturating_add(ms(limits.ahead));
        Timestamp(now.0.saturating_sub(i64::try_from(back).unwrap_or(i64::MAX)).max(0))
    }

    /// Where a key is in its slot, or would be.
    fn place(&self, key: &CommandKey) -> Result<usize, usize> {
        let keys = self.slots.get(&slot(key_ms(key.key))).ok_or(0_usize)?;
        let at = (key.key.to_be_bytes(), key.principal);
        keys.binary_search_by_key(&at, |seen| (seen.key, seen.principal))
    }

    fn insert(&mut self, key: &CommandKey, value: T) {
        let CommandKey { principal, fingerprint, .. } = *key;
        let seen = Seen { key: key.key.to_be_bytes(), principal, fingerprint, value };
        let slot = slot(key_ms(key.key));
        let place = self.place(key);
        if self.slots.last_key_value().is_none_or(|last| *last.0 < slot) {
            // The last one may still grow, the one before it hardly.
            self.slots.values_mut().rev().nth(1).into_iter().for_each(Vec::shrink_to_fit);
        }
        let keys = self.slots.entry(slot).or_default();
        match place {
            Ok(place) => keys[place] = seen,
            Err(place) => {
                keys.insert(place, seen);
                self.len += 1;
            }
        }
    }

    /// Drops what is older than the window.
    fn forget(&mut self, now: u64) {
        self.floor = self.floor.max(now.saturating_sub(ms(self.limits.window)));
        let first_kept = slot(self.floor.saturating_add(1));
        while let Some(first) = self.slots.first_entry().filter(|first| *first.key() < first_kept) {
            self.len -= first.remove().len();
        }
    }

    /// Drops the oldest until one more fits.
    fn make_room(&mut self) {
        while self.len >= self.limits.keys.max(1) {
            let Some((_, keys)) = self.slots.pop_first() else { return };
            self.len -= keys.len();
            let last = keys.last().map_or(0, |seen| key_ms(u128::from_be_bytes(seen.key)));
            self.floor = self.floor.max(last);
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_000_000_000;
    const LIMITS: KeyLimits = KeyLimits {
        window: Duration::from_secs(600),
        ahead: Duration::from_secs(120),
        keys: 1_000,
    };

    fn key(ms: u64, random: u32, principal: u64, body: u8) -> CommandKey {
        let key = (u128::from(ms) << 80) | u128::from(random);
        CommandKey { key, principal, fingerprint: [body; 16] }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp(ms as i64)
    }

    /// After key (now, 1, principal 7, body 7) was entered with value 1.
    #[track_caller]
    fn check(now: u64, key: CommandKey, expected: Result<Option<u8>, KeyFault>) {
        let mut window = KeyWindow::new(LIMITS);
        assert_eq!(window.enter(at(NOW), &self::key(NOW, 1, 7, 7), 1), Ok(None));
        let got = window.enter(at(now), &key, 2).map(|seen| seen.copied());
        assert_eq!(got, expected, "{now} {key:?}");
    }

    #[test]
    fn a_repeat_is_known_and_a_misuse_refused() {
        check(NOW + 5, key(NOW, 1, 7, 7), Ok(Some(1)));
        check(NOW + 599_999, key(NOW, 1, 7, 7), Ok(Some(1)));
        check(NOW + 600_000, key(NOW, 1, 7, 7), Err(KeyFault::TooOld));
        check(NOW, key(NOW, 1, 7, 8), Err(KeyFault::Reused));
        check(NOW, key(NOW, 1, 8, 7), Ok(None));
        check(NOW, key(NOW, 2, 7, 7), Ok(None));
        check(NOW, key(NOW - 599_999, 2, 7, 7), Ok(None));
        check(NOW, key(NOW - 600_000, 2, 7, 7), Err(KeyFault::TooOld));
        check(NOW, key(NOW + 120_000, 2, 7, 7), Ok(None));
        check(NOW, key(NOW + 120_001, 2, 7, 7), Err(KeyFault::InFuture));
        // The time of a random UUID is anything; it must never be taken for a good key for ever.
        check(NOW, CommandKey { key: u128::MAX, ..key(0, 0, 7, 7) }, Err(KeyFault::InFuture));
        check(NOW, key(0, 0, 7, 7), Err(KeyFault::TooOld));
    }

    #[test]
    fn what_was_pushed_out_is_refused_not_forgotten() {
        let mut window = KeyWindow::new(KeyLimits { keys: 3, ..LIMITS });
        for n in 0..5 {
            assert_eq!(window.enter(at(NOW + n), &key(NOW + n, 1, 7, 7), ()), Ok(None));
            assert!(window.len() <= 3);
        }
        for n in 0..2 {
            let again = window.enter(at(NOW + 9), &key(NOW + n, 1, 7, 7), ());
            assert_eq!(again, Err(KeyFault::TooOld));
        }
    }

    proptest! {
        /// Any history with repeats, late ones too, in any order, on a clock that may go back.
        #[test]
        fn no_key_is_applied_twice(
            sends in proptest::collection::vec((0u64..40, -700_000i64..200_000, 0u8..2), 1..300),
            most in 1usize..50,
        ) {
            let mut window = KeyWindow::new(KeyLimits { keys: most, ..LIMITS });
            let mut applied = BTreeMap::new();
            for (n, (key_of, clock, body)) in sends.into_iter().enumerate() {
                let now = at(NOW.saturating_add_signed(clock));
                let key = key(NOW - 300_000 + key_of * 10_000, key_of as u32, 7, body);
                match window.enter(now, &key, n) {
                    Ok(None) => prop_assert_eq!(applied.insert(key.key, (n, body)), None),
                    Ok(Some(first)) => prop_assert_eq!(applied[&key.key], (*first, body)),
                    Err(KeyFault::Reused) => prop_assert_ne!(applied[&key.key].1, body),
                    Err(KeyFault::TooOld | KeyFault::InFuture) => {}
                }
                prop_assert!(window.len() <= most);
            }
        }

        /// A window built again from the journal refuses or repeats whatever the first one applied.
        #[test]
        fn a_rebuilt_window_applies_nothing_again(
            sends in proptest::collection::vec((0u64..900_000, 0u32..4), 1..200),
            restart in 0u64..1_200_000, most in 1usize..300,
        ) {
            let limits = KeyLimits { keys: most, ..LIMITS };
            let mut window = KeyWindow::new(limits);
            let mut journal = Vec::new();
            let mut sends = sends;
            sends.sort_unstable();
            for (ms, random) in sends {
                // A sender's clock may be off by a minute in both directions.
                let key = key(NOW + ms + u64::from(random) * 40_000 - 60_000, random, 7, 7);
                if window.enter(at(NOW + ms), &key, ()) == Ok(None) {
                    journal.push((at(NOW + ms), key));
                }
            }
            let now = journal.last().unwrap().0.0 as u64 + restart;
            let from = KeyWindow::<()>::rebuild_from(limits, at(now));
            let mut rebuilt = KeyWindow::new(limits);
            for (_, key) in journal.iter().filter(|(at, _)| *at >= from) {
                rebuilt.restore(at(now), key, ());
            }
            for (_, key) in &journal {
                prop_assert_ne!(rebuilt.enter(at(now), key, ()), Ok(None));
            }
        }
    }
}
