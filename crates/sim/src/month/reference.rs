//! The yardstick: the same month as a plain loop over arrays, with a branch wherever a member
//! decides. It keeps no ledger, reads no rules, refuses nothing and cannot be replayed.

use super::behaviour::{Draws, Mind};

/// Members of a group.
const GROUP: usize = super::GROUP as usize;

/// Places of a group's standing that are read at the end of a day.
pub const TOP: usize = 10;

/// What the month came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// Points by member.
    pub points: Vec<u32>,
    /// Member-days on which a member was active.
    pub active: u64,
    /// Members on the top places of each group after the last day, best first.
    pub top: Vec<[u32; TOP]>,
    /// Folds the top places of all days, so that they cannot be left out.
    pub checksum: u64,
}

/// The state of some members, by array.
struct Population {
    /// Number of the first member.
    first: u32,
    minds: Vec<Mind>,
    streaks: Vec<u16>,
    points: Vec<u32>,
}

/// Runs the month for members `first` to `first + members - 1`.
#[must_use]
pub fn plain(seed: u64, first: u32, members: u32, days: u16) -> Plain {
    let draws = Draws::new(seed);
    let size = members as usize;
    let mut all = Population {
        first,
        minds: (first..first + members).map(|member| Mind::new(draws, member)).collect(),
        streaks: vec![0; size],
        points: vec![0; size],
    };
    let mut top = vec![[0; TOP]; size.div_ceil(GROUP)];
    let (mut active, mut checksum) = (0, 0u64);
    for day in 0..days {
        active += all.live(draws, day);
        for (group, top) in top.iter_mut().enumerate() {
            *top = all.top(group);
            for member in top {
                checksum = checksum.rotate_left(5) ^ u64::from(*member);
            }
        }
    }
    Plain { points: all.points, active, top, checksum }
}

impl Population {
    fn live(&mut self, draws: Draws, day: u16) -> u64 {
        let keys = draws.day(day);
        let mut active = 0;
        let rows = self.minds.iter_mut().zip(&mut self.streaks).zip(&mut self.points);
        for (member, ((mind, streak), points)) in (self.first..).zip(rows) {
            let today = mind.live(keys, member);
            if today.active {
                active += 1;
                *streak += 1;
                *points += 1 + streak_bonus(*streak) + 2 * today.right.count_ones();
                *points += u32::from(today.likes) + 2 * u32::from(today.comments);
            } else {
                *streak = 0;
            }
        }
        active
    }

    /// The best of a group: more points first, then the lower number.
    fn top(&self, group: usize) -> [u32; TOP] {
        let members = group * GROUP..self.points.len().min((group + 1) * GROUP);
        let mut best = [(0, u32::MAX); TOP];
        for index in members {
            let row = (self.points[index], index as u32);
            let better = |held: &(u32, u32)| row.0 > held.0;
            if better(&best[TOP - 1]) {
                let place = best.iter().position(better).unwrap_or(TOP - 1);
                best[place..].rotate_right(1);
                best[place] = row;
            }
        }
        best.map(|(_, index)| index.saturating_add(self.first))
    }
}

/// Points on the third, seventh and fourteenth day in a row.
fn streak_bonus(streak: u16) -> u32 {
    match streak {
        3 => 2,
        7 => 5,
        14 => 10,
        _ => 0,
    }
}
