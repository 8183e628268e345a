//! Standings: keys, tie policies, privacy. Ranking is a pure function of scores, so a standing
//! is right again at once after a restart.

use serde::{Deserialize, Serialize};

use super::Score;
use crate::id::{BranchId, CommunityId, MemberId, RoundId, RunId};
use crate::time::Period;

/// Which standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BoardKey {
    /// A group over a day, week, month or season.
    Community(CommunityId, Period),
    /// A whole run, over every group that takes part.
    Run(RunId),
    /// One round of a run.
    Round(RoundId),
}

/// What happens to equal scores. Every answer names the policy.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum TiePolicy {
    /// Equal scores share a rank, the next rank is skipped: 1, 2, 2, 4. Within a rank, first to
    /// reach it stands first.
    #[default]
    SharedRank,
    /// Who reached the score first ranks higher: 1, 2, 3, 4.
    FirstToReach,
    /// Equal scores share a rank, none is skipped: 1, 2, 2, 3.
    Dense,
    /// The lower member id ranks higher: 1, 2, 3, 4.
    Id,
}

/// How a standing is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardPolicy {
    /// Equal scores.
    #[serde(default)]
    pub ties: TiePolicy,
    /// Nobody but oneself is shown by name.
    #[serde(default)]
    pub hide_names: bool,
    /// Members see only themselves and their neighbours, never the top.
    #[serde(default)]
    pub neighbours_only: bool,
}

/// One place on a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ranked {
    /// The rank, from 1.
    pub rank: u32,
    /// Who.
    pub member: MemberId,
    /// Points.
    pub points: i32,
}

/// A place in the order of a standing as one number, the best first: points, then when they were
/// reached, then who. Sorting numbers is much faster than sorting rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u128);

impl Place {
    /// Entries that are told apart by number: a million a second for nearly nine years.
    const REACHED_MAX: u64 = (1 << 48) - 1;

    /// The place of a score above zero.
    fn new(member: MemberId, points: i32, reached: u64) -> Self {
        let behind = u128::from(i32::MAX.abs_diff(points));
        let reached = u128::from(reached.min(Self::REACHED_MAX));
        Self(
            behind << 96
                | reached << 48
                | u128::from(member.branch.0) << 32
                | u128::from(member.seq),
        )
    }

    fn points(self) -> i32 {
        i32::MAX - (self.0 >> 96) as i32
    }

    fn member(self) -> MemberId {
        MemberId::new(BranchId((self.0 >> 32) as u16), self.0 as u32)
    }
}

/// Sorts places of one branch that no entry tells apart, as numbers of half the width; false where
/// they are of several branches.
fn sort_by_id(order: &mut [Place]) -> bool {
    let Some(branch) = order.first().map(|place| place.member().branch) else { return true };
    if order.iter().any(|place| place.member().branch != branch) {
        return false;
    }
    let short = |place: &Place| (place.0 >> 64) as u64 | u64::from(place.0 as u32);
    let mut keys: Vec<u64> = order.iter().map(short).collect();
    keys.sort_unstable();
    for (place, key) in order.iter_mut().zip(keys) {
        let behind = u128::from(key >> 32) << 96;
        *place = Place(behind | u128::from(branch.0) << 32 | u128::from(key as u32));
    }
    true
}

/// Ranks members with a score above zero, best first. The result depends on the set of scores
/// only, never on their order.
#[must_use]
pub fn rank(ties: TiePolicy, scores: impl IntoIterator<Item = (MemberId, Score)>) -> Vec<Ranked> {
    let by_id = ties == TiePolicy::Id;
    let scores = scores.into_iter().filter(|(_, score)| score.points > 0);
    let places = scores.map(|(member, score)| {
        Place::new(member, score.points, if by_id { 0 } else { score.reached })
    });
    let mut order: Vec<Place> = places.collect();
    if !(by_id && sort_by_id(&mut order)) {
        order.sort_unstable();
    }
    let mut ranked: Vec<Ranked> = Vec::with_capacity(order.len());
    for (place, next) in (1..).zip(order) {
        let points = next.points();
        let rank = match (ties, ranked.last()) {
            (TiePolicy::SharedRank | TiePolicy::Dense, Some(last)) if last.points == points => {
                last.rank
            }
            (TiePolicy::Dense, Some(last)) => last.rank + 1,
            _ => place,
        };
        ranked.push(Ranked { rank, member: next.member(), points });
    }
    ranked
}

/// Who looks at a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// A member.
    Member(MemberId),
    /// An operator with rights over the group: sees everyone, but still no name of those who
    /// opted out.
    Operator,
}

/// Which part of a standing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// The best n.
    Top(u32),
    /// A member and n on either side.
    Around(MemberId, u32),
}

/// A row as a viewer may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The rank.
    pub rank: u32,
    /// Points.
    pub points: i32,
    /// Who, if the viewer may know.
    pub member: Option<MemberId>,
    /// Whether it is the viewer.
    pub me: bool,
}

/// The rows of `slice` that `viewer` may see: the one place where privacy is decided, for pages,
/// interfaces and exports alike. `shown` says whether a member agreed to be shown.
///
/// Ranks count everyone, so hiding somebody moves nobody.
#[must_use]
pub fn visible(
    ranked: &[Ranked],
    policy: BoardPolicy,
    slice: Slice,
    viewer: Viewer,
    shown: impl Fn(MemberId) -> bool,
) -> Vec<Row> {
    let place_of = |member| ranked.iter().position(|row| row.member == member);
    let range = match (slice, viewer) {
        (Slice::Top(n), Viewer::Member(me)) if policy.neighbours_only => {
            return visible(ranked, policy, Slice::Around(me, n / 2), viewer, shown);
        }
        (Slice::Top(n), _) => 0..ranked.len().min(n as usize),
        (Slice::Around(member, n), _) => match place_of(member) {
            Some(at) => {
                let n = n as usize;
                let end = at.saturating_add(n).saturating_add(1);
                at.saturating_sub(n)..ranked.len().min(end)
            }
            None => 0..0,
        },
    };
    ranked[range]
        .iter()
        .map(|row| {
            let me = viewer == Viewer::Member(row.member);
            let hidden = !shown(row.member) || (policy.hide_names && viewer != Viewer::Operator);
            Row {
                rank: row.rank,
                points: row.points,
                member: (me || !hidden).then_some(row.member),
                me,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(seq: u32) -> MemberId {
        MemberId::new(BranchId(1), seq)
    }

    /// `scores` is (member, points, reached); the result is (rank, member).
    #[track_caller]
    fn check(ties: TiePolicy, scores: &[(u32, i32, u64)], expected: &[(u32, u32)]) {
        let scores =
            scores.iter().map(|&(m, points, reached)| (member(m), Score { points, reached }));
        let ranked = rank(ties, scores);
        let got: Vec<_> = ranked.iter().map(|r| (r.rank, r.member.seq)).collect();
        assert_eq!(got, expected, "{ties:?}");
    }

    #[test]
    fn ties_follow_the_policy() {
        let scores = [(1, 5, 90), (2, 9, 10), (3, 5, 20), (4, 1, 5), (5, 0, 1)];
        check(TiePolicy::SharedRank, &scores, &[(1, 2), (2, 3), (2, 1), (4, 4)]);
        check(TiePolicy::FirstToReach, &scores, &[(1, 2), (2, 3), (3, 1), (4, 4)]);
        check(TiePolicy::Dense, &scores, &[(1, 2), (2, 3), (2, 1), (3, 4)]);
        check(TiePolicy::Id, &scores, &[(1, 2), (2, 1), (3, 3), (4, 4)]);
    }

    #[test]
    fn members_of_several_branches_are_ranked_too() {
        let ids =
            [(2, 1), (1, 9), (1, 3)].map(|(branch, seq)| MemberId::new(BranchId(branch), seq));
        let scores = ids.map(|id| (id, Score { points: 5, reached: u64::from(id.seq) }));
        let ranked = |ties| rank(ties, scores).into_iter().map(|row| row.member);
        assert!(ranked(TiePolicy::Id).eq([ids[2], ids[1], ids[0]]));
        assert!(ranked(TiePolicy::FirstToReach).eq([ids[0], ids[2], ids[1]]));
    }

    #[track_caller]
    fn check_rows(policy: BoardPolicy, slice: Slice, viewer: Viewer, expected: &str) {
        let ranked: Vec<Ranked> = (1..=6)
            .map(|n| Ranked { rank: n, member: member(n), points: 100 - n as i32 })
            .collect();
        let rows = visible(&ranked, policy, slice, viewer, |m| m != member(3));
        let text: Vec<String> = rows
            .iter()
            .map(|r| {
                let name = r.member.map_or_else(|| "?".to_owned(), |m| m.seq.to_string());
                format!("{}:{name}{}", r.rank, if r.me { "!" } else { "" })
            })
            .collect();
        assert_eq!(text.join(" "), expected);
    }

    #[test]
    fn nobody_sees_more_than_the_policy_allows() {
        let open = BoardPolicy::default();
        let four = Viewer::Member(member(4));
        check_rows(open, Slice::Top(4), four, "1:1 2:2 3:? 4:4!");
        check_rows(open, Slice::Top(3), Viewer::Member(member(3)), "1:1 2:2 3:3!");
        check_rows(open, Slice::Around(member(4), 1), four, "3:? 4:4! 5:5");
        check_rows(open, Slice::Around(member(9), 1), four, "");
        let hidden = BoardPolicy { hide_names: true, ..open };
        check_rows(hidden, Slice::Top(4), four, "1:? 2:? 3:? 4:4!");
        check_rows(hidden, Slice::Top(3), Viewer::Operator, "1:1 2:2 3:?");
        let neighbours = BoardPolicy { neighbours_only: true, ..open };
        check_rows(neighbours, Slice::Top(2), four, "3:? 4:4! 5:5");
        check_rows(neighbours, Slice::Top(2), Viewer::Operator, "1:1 2:2");
    }

    proptest! {
        #[test]
        fn ranking_does_not_depend_on_order(
            mut scores in proptest::collection::vec((1u32..60, 0i32..6, 0u64..9), 0..40), cut in 0usize..40,
        ) {
            scores.sort_unstable_by_key(|s| s.0);
            scores.dedup_by_key(|s| s.0);
            let mut turned = scores.clone();
            turned.rotate_left(cut % scores.len().max(1));
            for ties in [TiePolicy::SharedRank, TiePolicy::FirstToReach, TiePolicy::Dense, TiePolicy::Id] {
                let of = |list: &[(u32, i32, u64)]| {
                    rank(ties, list.iter().map(|&(m, points, reached)| (member(m), Score { points, reached })))
                };
                let ranked = of(&scores);
                prop_assert_eq!(&ranked, &of(&turned));
                prop_assert_eq!(ranked.len(), scores.iter().filter(|s| s.1 > 0).count());
                prop_assert!(ranked.windows(2).all(|w| w[0].points >= w[1].points && w[0].rank <= w[1].rank));
            }
        }
    }
}
