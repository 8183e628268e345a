//! Large standings that change all the time: kept in order, and put right by whoever changed.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use dengmi_core::view::board::TiePolicy;
use dengmi_core::view::{MemberCard, Score};
use dengmi_core::{BranchId, MemberId, Period};

use crate::views::Published;

/// Changes in one sealed part: a publication copies less than these, ...
const PART: usize = 256;

/// ... and this many parts are kept. What changed before is forgotten.
const PARTS_MAX: usize = 64;

/// Whose cards changed with which batch, of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    /// Every change after this batch is here.
    after: u64,
    /// Full parts, oldest first; by batch, rising.
    sealed: VecDeque<Arc<Vec<(u64, MemberId)>>>,
    open: Vec<(u64, MemberId)>,
}

impl Recent {
    /// Nothing, from a batch on: what was before is unknown.
    pub(crate) fn starting(after: u64) -> Self {
        Self { after, ..Self::default() }
    }

    /// Notes the cards that a batch changed.
    pub(crate) fn note(&mut self, seq: u64, cards: &[Arc<MemberCard>]) {
        self.open.extend(cards.iter().map(|card| (seq, card.id)));
        if self.open.len() >= PART {
            self.sealed.push_back(Arc::new(std::mem::take(&mut self.open)));
        }
        while self.sealed.len() > PARTS_MAX {
            let forgotten = self.sealed.pop_front();
            let last = forgotten.and_then(|part| part.last().map(|change| change.0));
            self.after = self.after.max(last.unwrap_or(0));
        }
    }

    /// Who changed after a batch, each once, in id order; `None` where that was too long ago.
    fn since(&self, seq: u64) -> Option<Vec<MemberId>> {
        if seq < self.after {
            return None;
        }
        let parts = self.sealed.iter().map(|part| part.as_slice()).chain([self.open.as_slice()]);
        let later = parts.flat_map(|part| &part[part.partition_point(|change| change.0 <= seq)..]);
        let mut members: Vec<MemberId> = later.map(|change| change.1).collect();
        members.sort_unstable();
        members.dedup();
        Some(members)
    }
}

/// Whose standing.
pub(crate) struct Group<'a> {
    pub(crate) branch: BranchId,
    pub(crate) published: &'a Published,
    /// In id order.
    pub(crate) members: &'a [MemberId],
    pub(crate) period: Period,
}

impl Group<'_> {
    /// The score of a member, if it is on the standing.
    fn score(&self, member: MemberId) -> Option<(MemberId, Score)> {
        let score = self.published.score(self.branch, member, self.period)?;
        (score.points > 0).then_some((member, score))
    }
}

/// The scores of a group's standing, best first. It only saves work: ranking sorts whatever it is
/// given, and is quick with what is in order.
#[derive(Debug)]
pub(crate) struct Order {
    /// The published batch it was made from.
    seq: u64,
    pub(crate) scores: Vec<(MemberId, Score)>,
}

/// What ranking sorts by.
fn place(ties: TiePolicy, &(member, score): &(MemberId, Score)) -> (Reverse<i32>, u64, MemberId) {
    let reached = if ties == TiePolicy::Id { 0 } else { score.reached };
    (Reverse(score.points), reached, member)
}

impl Order {
    /// Everybody's score, looked up.
    pub(crate) fn new(ties: TiePolicy, group: &Group<'_>) -> Self {
        let scores = group.members.iter().filter_map(|&member| group.score(member));
        let mut scores: Vec<_> = scores.collect();
        scores.sort_unstable_by_key(|score| place(ties, score));
        Self { seq: group.published.seq, scores }
    }

    /// The same as of now, with those looked up who changed since; `None` where they are not known
    /// any more.
    pub(crate) fn renewed(self, ties: TiePolicy, group: &Group<'_>) -> Option<Self> {
        let changed = group.published.recent.since(self.seq)?;
        let listed = changed.iter().filter(|member| group.members.binary_search(member).is_ok());
        let mut new: Vec<_> = listed.filter_map(|&member| group.score(member)).collect();
        new.sort_unstable_by_key(|score| place(ties, score));
        let last = changed.last().map_or(0, |member| member.seq as usize);
        let mut is_changed = vec![false; last + 1];
        changed.iter().for_each(|member| is_changed[member.seq as usize] = true);
        let changed = |member: MemberId| is_changed.get(member.seq as usize) == Some(&true);
        let mut scores = Vec::with_capacity(self.scores.len() + new.len());
        let mut new = new.into_iter().peekable();
        for score in self.scores.into_iter().filter(|score| !changed(score.0)) {
            while let Some(better) = new.next_if(|one| place(ties, one) < place(ties, &score)) {
                scores.push(better);
            }
            scores.push(score);
        }
        scores.extend(new);
        Some(Self { seq: group.published.seq, scores })
    }
}

#[cfg(test)]
mod tests {
    use dengmi_core::view::MemberStatus;
    use dengmi_core::{Calendar, CommunityId, Day, PeriodKind, Points};
    use proptest::prelude::*;

    use super::*;
    use crate::views::{Delta, Views};

    const BRANCH: BranchId = BranchId(1);
    const TODAY: Day = Day(20_000);

    fn member(seq: u32) -> MemberId {
        MemberId::new(BRANCH, seq)
    }

    fn card(seq: u32, points: i32, reached: u64) -> Arc<MemberCard> {
        Arc::new(MemberCard {
            id: member(seq),
            status: MemberStatus::Active,
            community: CommunityId::new(BRANCH, 1),
            joined: TODAY,
            consented: true,
            marketing: false,
            shown: true,
            balance: Points(0),
            scored: TODAY,
            scores: [Score { points, reached }; 4],
            streaks: Vec::new(),
            answered: Vec::new(),
            courses: Vec::new(),
        })
    }

    fn publish(views: &Views, seq: u64, cards: Vec<Arc<MemberCard>>) {
        let at = Calendar::default().start_of(TODAY);
        views.publish(Delta { seq, at, cards, ..Delta::default() });
    }

    proptest! {
        /// Any changes, of some or many, while members 1 to `listed` are on the standing.
        #[test]
        fn putting_right_gives_what_looking_everybody_up_gives(
            changes in proptest::collection::vec(
                proptest::collection::btree_map(1u32..60, 0i32..5, 0..40), 1..30),
            listed in 1u32..70, looks in 1usize..5,
        ) {
            let views = Views::new(BRANCH);
            publish(&views, 1, (1..60).map(|seq| card(seq, 1, 0)).collect());
            let members: Vec<MemberId> = (1..=listed).map(member).collect();
            let period = Period::containing(PeriodKind::Day, TODAY);
            for ties in [TiePolicy::SharedRank, TiePolicy::Id] {
                let mut order: Option<Order> = None;
                for (n, cards) in changes.iter().enumerate() {
                    let seq = views.published().seq + 1;
                    let cards = cards.iter().map(|(&who, &points)| card(who, points, seq));
                    publish(&views, seq, cards.collect());
                    if n % looks > 0 {
                        continue;
                    }
                    let published = views.published();
                    let group = Group { branch: BRANCH, published: &published, members: &members, period };
                    let new = Order::new(ties, &group);
                    let renewed = match order.take() {
                        Some(order) => order.renewed(ties, &group).unwrap(),
                        None => Order::new(ties, &group),
                    };
                    prop_assert_eq!(&renewed.scores, &new.scores);
                    order = Some(renewed);
                }
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_not_put_right() {
        let mut recent = Recent::starting(5);
        let kept = (PART * PARTS_MAX) as u64;
        for seq in 6..=5 + kept + PART as u64 {
            assert_eq!(recent.since(seq - 1), Some(Vec::new()));
            assert_eq!(recent.since(4), None);
            recent.note(seq, &[card(seq as u32, 1, seq)]);
            assert_eq!(recent.since(seq - 1), Some(vec![member(seq as u32)]));
        }
        assert_eq!(recent.since(5), None, "older than what is kept");
        let oldest = recent.after;
        assert_eq!(recent.since(oldest).map(|members| members.len() as u64), Some(kept));
        assert_eq!(recent.since(oldest - 1), None);
        assert_eq!(Recent::starting(9).since(8), None);
    }
}
