//! Which entries the answers of a round earned, so that a corrected key can take them back.

use dengmi_core::ledger::RuleRef;
use dengmi_core::{Cause, CommunityId, Day, LedgerEntry, RoundId, RunId};
use serde::{Deserialize, Serialize};

use crate::ledger::{Refund, TakeBack};

/// An entry that an answer (or, without a question, a whole round) earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AwardNote {
    pub(crate) entry: u64,
    pub(crate) member: u32,
    kind: Kind,
}

/// What awards of one group for one question have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kind {
    points: u32,
    day: Day,
    /// The group whose limits counted it.
    group: u32,
    rule: RuleRef,
    /// [`Kind::ROUND`] for the whole round.
    question: u8,
    revision: u8,
}

impl Kind {
    const ROUND: u8 = u8::MAX;
}

/// The notes of a round, by entry. There are many, so what they have in common is kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AwardNotes {
    /// The entry that others are counted from.
    first: u64,
    kinds: Vec<Kind>,
    /// How far behind the first entry, whose, and which kind.
    notes: Vec<(u32, u32, u32)>,
}

impl AwardNotes {
    /// Kinds that are looked through for one that is there already: those of the last group.
    const RECENT: usize = 8;

    /// Takes note of an entry, if a round earned it.
    pub(crate) fn push(&mut self, entry: &LedgerEntry, group: CommunityId) {
        let (question, revision) = match entry.cause {
            Cause::Answer { question, revision, .. } => (question, revision),
            Cause::Round { revision, .. } => (Kind::ROUND, revision),
            _ => return,
        };
        let Some(((member, points), rule)) = entry.member_change().zip(entry.rule) else { return };
        let points = u32::try_from(points.0).expect("an award is at most POINTS_MAX");
        let kind = Kind { points, day: entry.day, group: group.seq, rule, question, revision };
        let recent = self.kinds.len().saturating_sub(Self::RECENT);
        let known = self.kinds[recent..].iter().rposition(|known| *known == kind);
        let place = known.map_or(self.kinds.len(), |known| recent + known);
        if known.is_none() {
            self.kinds.push(kind);
        }
        if self.notes.is_empty() {
            self.first = entry.id;
        }
        // A round is archived long before so many entries follow that its first is out of reach.
        let behind = u32::try_from(entry.id.saturating_sub(self.first)).unwrap_or(u32::MAX);
        self.notes.push((behind, member.seq, place as u32));
    }

    /// Makes room for `more` notes.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.notes.reserve_exact(more);
    }

    /// Gives back room that is not used.
    pub(crate) fn shrink(&mut self) {
        self.notes.shrink_to_fit();
        self.kinds.shrink_to_fit();
    }

    /// All notes, by entry.
    pub(crate) fn iter(&self) -> impl Iterator<Item = AwardNote> + '_ {
        self.notes.iter().filter_map(|&(behind, member, place)| {
            let kind = *self.kinds.get(place as usize)?;
            Some(AwardNote { entry: self.first + u64::from(behind), member, kind })
        })
    }

    /// Forgets the entries for which `keep` is false.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        let first = self.first;
        self.notes.retain(|(behind, ..)| keep(first + u64::from(*behind)));
    }

    /// Whether the notes are such as can be taken: a damaged snapshot may say otherwise.
    pub(super) fn is_sound(&self) -> bool {
        self.first <= u64::MAX / 2
            && self.notes.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && self.notes.iter().all(|note| (note.2 as usize) < self.kinds.len())
    }
}

impl AwardNote {
    /// Whether a corrected key of `question` changes what was earned.
    pub(crate) fn is_about(&self, question: u8) -> bool {
        self.kind.question == question || self.kind.question == Kind::ROUND
    }

    /// What takes the award back, from the limits too.
    pub(crate) fn take_back(&self, round: RoundId, run: RunId) -> TakeBack {
        let Kind { points, day, group, rule, question, revision } = self.kind;
        let origin = match question {
            Kind::ROUND => Cause::Round { run, round, revision },
            _ => Cause::Answer { run, round, question, revision },
        };
        let group = Some(CommunityId::new(round.branch, group));
        TakeBack {
            member: self.member,
            entry: self.entry,
            points: i64::from(points),
            origin,
            refund: Some(Refund { rule, day, group }),
        }
    }
}

#[cfg(test)]
mod tests {
    use dengmi_core::{Account, BranchId, EntryKind, MemberId, Points, Timestamp};

    use super::*;

    fn entry(id: u64, member: u32, question: u8) -> LedgerEntry {
        let branch = BranchId(1);
        let (run, round) = (RunId::new(branch, 1), RoundId::new(branch, 2));
        LedgerEntry {
            id,
            at: Timestamp(5),
            day: Day(9),
            kind: EntryKind::Award,
            from: Account::Issue,
            to: Account::Member(MemberId::new(branch, member)),
            points: Points(i64::from(question) + 1),
            rule: Some(RuleRef { code: 0, version: 1 }),
            cause: Cause::Answer { run, round, question, revision: 0 },
        }
    }

    #[test]
    fn notes_say_what_entries_said() {
        let branch = BranchId(1);
        let mut notes = AwardNotes::default();
        let all: Vec<(u64, u32, u8)> =
            (0..60).map(|n| (1_000 + 2 * n, n as u32 / 3, (n % 3) as u8)).collect();
        for &(id, member, question) in &all {
            notes.push(&entry(id, member, question), CommunityId::new(branch, member / 4));
        }
        notes.push(
            &LedgerEntry { cause: Cause::Order(7), ..entry(2_000, 1, 0) },
            CommunityId::new(branch, 1),
        );
        let back = notes.iter().map(|note| {
            let back = note.take_back(RoundId::new(branch, 2), RunId::new(branch, 1));
            let group = back.refund.and_then(|refund| refund.group).map(|group| group.seq);
            (back.entry, back.member, back.points, group)
        });
        let told = all
            .iter()
            .map(|&(id, member, question)| (id, member, i64::from(question) + 1, Some(member / 4)));
        assert_eq!(back.collect::<Vec<_>>(), told.collect::<Vec<_>>());
        // Three questions of five groups.
        assert_eq!((notes.kinds.len(), notes.is_sound()), (15, true));
        notes.retain(|entry| entry % 4 == 0);
        assert_eq!(notes.iter().filter(|note| note.is_about(2)).count(), 10);
        notes.kinds.pop();
        assert!(!notes.is_sound());
    }
}
