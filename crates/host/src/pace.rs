//! When the next group begins: at once, or after a short wait for those who are about to send
//! again.
//!
//! A small group takes about as long as the disk takes to make anything durable. Where a few
//! connections send their next command as soon as they are answered, they fall into two halves
//! that wait for each other's commit and then for their own; together they wait for one. Members
//! think before they send again: after a wait in vain the next groups begin at once, twice as many
//! each time.

use std::time::{Duration, Instant};

/// Most commands, of the last group and waiting, that are brought together. Of more, one part is
/// applied while the other is committed: with 64 connections bringing them together gained nothing.
const FEW: usize = 8;

/// Most groups that begin at once after waits in vain, as a power of two.
const MOST_AT_ONCE: u32 = 8;

/// How groups went, and what the next one waits for.
#[derive(Default)]
pub(crate) struct Pace {
    /// Commands of the last group.
    commands: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// It has just landed: what the next one waits for is open.
    landed: bool,
    awaited: Option<Awaited>,
    /// Waits in vain, one after the other.
    vain: u32,
    /// So many groups still begin at once.
    at_once: u32,
}

/// Those who were just answered.
struct Awaited {
    count: usize,
    until: Instant,
}

/// What a group waits for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Until {
    /// So many commands, ...
    pub(crate) enough: usize,
    /// ... or so long after the first of them, ...
    pub(crate) linger: Option<Duration>,
    /// ... or this moment.
    pub(crate) latest: Option<Instant>,
}

impl Pace {
    /// A group landed.
    pub(crate) fn landed(&mut self, commands: usize, took: Duration) {
        *self = Self { commands, took, landed: true, awaited: None, ..*self };
    }

    /// Whether the next group waits for those just answered, while `waiting` commands are there;
    /// at most as long as the last one took, and never longer than `longest`.
    pub(crate) fn awaits(&mut self, waiting: usize, longest: Duration, now: Instant) -> bool {
        if std::mem::take(&mut self.landed) {
            if self.at_once > 0 {
                self.at_once -= 1;
            } else if self.commands > 0 && self.commands + waiting <= FEW {
                let until = now + self.took.min(longest);
                self.awaited = Some(Awaited { count: self.commands, until });
            }
        }
        self.awaited.is_some()
    }

    /// What to wait for while no group is under way. After one that took many commands, just as
    /// many are about to come: the first of them alone is not worth a commit.
    pub(crate) fn until(&self, longest: Duration) -> Until {
        match &self.awaited {
            Some(awaited) => {
                Until { enough: awaited.count, linger: None, latest: Some(awaited.until) }
            }
            None => {
                let enough = (self.commands / 2).max(1);
                Until { enough, linger: Some((self.took / 8).min(longest)), latest: None }
            }
        }
    }

    /// The wait is over, and so many came.
    pub(crate) fn came(&mut self, count: usize) {
        let Some(awaited) = self.awaited.take() else { return };
        if count * 2 >= awaited.count {
            self.vain = 0;
        } else {
            self.vain = (self.vain + 1).min(MOST_AT_ONCE);
            self.at_once = 1 << self.vain;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_micros(200);

    /// Groups of so many commands, with so many waiting when they have landed and so many that come
    /// if they are awaited; says which groups are followed by a wait.
    #[track_caller]
    fn check(groups: &[(usize, usize, usize)], expected: &str) {
        let mut pace = Pace::default();
        let now = Instant::now();
        let mut waits = |&(commands, waiting, come): &(usize, usize, usize)| {
            pace.landed(commands, LONGEST);
            let awaited = pace.awaits(waiting, LONGEST, now);
            pace.came(come);
            assert!(!pace.awaits(waiting, LONGEST, now), "it waits once");
            if awaited { 'w' } else { '-' }
        };
        assert_eq!(groups.iter().map(&mut waits).collect::<String>(), expected, "{groups:?}");
    }

    #[test]
    fn few_are_awaited_and_many_are_not() {
        check(&[(4, 0, 4), (2, 2, 2), (1, 3, 1), (8, 0, 8), (7, 1, 7)], "wwwww");
        check(&[(9, 0, 9), (8, 1, 8), (1, 8, 1), (0, 0, 0), (0, 4, 0), (300, 0, 0)], "------");
    }

    #[test]
    fn who_does_not_come_back_is_not_awaited_for_long() {
        // Half of them is enough.
        check(&[(4, 0, 2), (4, 0, 2), (3, 0, 2), (3, 0, 2)], "wwww");
        check(&[(4, 0, 1); 12], "w--w----w---");
        check(&[(3, 0, 1); 5], "w--w-");
        check(&[(1, 0, 0); 5], "w--w-");
        // Who comes is awaited as before.
        let mut groups = [(4, 0, 1); 8];
        groups[3] = (4, 0, 4);
        check(&groups, "w--ww--w");
        // However long it was in vain, it is tried again.
        let all = "w--w----w--------w";
        let mut expected = all.to_owned();
        for vain in (4..=MOST_AT_ONCE).chain([MOST_AT_ONCE; 2]) {
            expected += &"-".repeat(1 << vain);
            expected.push('w');
        }
        check(&vec![(4, 0, 1); expected.len()], &expected);
    }

    #[test]
    fn a_wait_ends_after_as_long_as_the_last_group_took() {
        let now = Instant::now();
        for (took_us, expected_us) in [(0, 0), (90, 90), (200, 200), (5_000, 200)] {
            let mut pace = Pace::default();
            pace.landed(4, Duration::from_micros(took_us));
            assert!(pace.awaits(0, LONGEST, now));
            let latest = Some(now + Duration::from_micros(expected_us));
            assert_eq!(pace.until(LONGEST), Until { enough: 4, linger: None, latest });
        }
        let mut pace = Pace::default();
        for (commands, took_us, enough, linger_us) in
            [(0, 80, 1, 10), (100, 80, 50, 10), (40, 8_000, 20, 200)]
        {
            pace.landed(commands, Duration::from_micros(took_us));
            assert!(!pace.awaits(0, LONGEST, now));
            let linger = Some(Duration::from_micros(linger_us));
            assert_eq!(pace.until(LONGEST), Until { enough, linger, latest: None });
        }
    }
}
