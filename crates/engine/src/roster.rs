//! Rows for those members who take part in something, found by member number without hashing.

use dengmi_core::mutant;
use serde::{Deserialize, Serialize};

/// A table with at most one row a member. Rows lie in order of first use, which for a batch in
/// member order is member order.
#[derive(Clone, Debug)]
pub(crate) struct Roster<T> {
    /// By member number less `first`: row index plus one, zero for none. Without any slot the rows
    /// lie in member order.
    slots: Vec<u32>,
    /// Whose slot is the first: members of one group lie near each other, far from member 1.
    first: u32,
    /// Whose rows they are, beside the rows themselves: small rows stay small.
    members: Vec<u32>,
    rows: Vec<T>,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), first: 0, members: Vec::new(), rows: Vec::new() }
    }
}

impl<T> Roster<T> {
    pub(crate) fn index(&self, member: u32) -> Option<usize> {
        if self.slots.is_empty() {
            return self.members.binary_search(&member).ok();
        }
        let place = member.checked_sub(self.first)?;
        self.slots.get(place as usize).and_then(|slot| slot.checked_sub(1)).map(|row| row as usize)
    }

    pub(crate) fn get(&self, member: u32) -> Option<&T> {
        self.index(member).map(|row| &self.rows[row])
    }

    pub(crate) fn get_mut(&mut self, member: u32) -> Option<&mut T> {
        self.index(member).map(|row| &mut self.rows[row])
    }

    /// The member's row and its index, made by `new` if there was none.
    pub(crate) fn entry(&mut self, member: u32, new: impl FnOnce() -> T) -> (usize, &mut T) {
        let row = match self.index(member) {
            Some(row) => row,
            None => self.push(member, new()),
        };
        (row, &mut self.rows[row])
    }

    fn push(&mut self, member: u32, row: T) -> usize {
        if self.slots.is_empty() {
            self.number_rows();
        }
        let place = self.slot(member);
        self.members.push(member);
        self.rows.push(row);
        self.slots[place] = u32::try_from(self.rows.len()).expect("member numbers are u32");
        self.rows.len() - 1
    }

    /// The place of a member's slot, made if there was none.
    fn slot(&mut self, member: u32) -> usize {
        if self.slots.is_empty() {
            self.first = member;
        }
        if member < self.first {
            // With room below: those who come in falling order do not move everybody each time.
            let room = (self.slots.len() as u32).max(self.first - member).min(self.first);
            self.slots.splice(0..0, std::iter::repeat_n(0, room as usize));
            self.first -= room;
        }
        let place = (member - self.first) as usize;
        if place >= self.slots.len() {
            self.slots.resize(place + 1, 0);
        }
        place
    }

    /// Gives a settled table its slots back.
    fn number_rows(&mut self) {
        self.first = self.members.first().copied().unwrap_or(0);
        let largest = self.members.last().map_or(0, |member| member - self.first + 1);
        self.slots.resize(largest as usize, 0);
        for (row, member) in (1..).zip(&self.members) {
            self.slots[(member - self.first) as usize] = row;
        }
    }

    /// Makes the table as small as it can be, once hardly anybody will be looked up any more.
    pub(crate) fn settle(&mut self) {
        if mutant::planted("quiz/arrival-order") {
            return;
        }
        // In member order already where batches came in it.
        if !self.members.is_sorted() {
            let members = std::mem::take(&mut self.members);
            let mut rows: Vec<(u32, T)> = members.into_iter().zip(self.rows.drain(..)).collect();
            rows.sort_by_key(|(member, _)| *member);
            (self.members, self.rows) = rows.into_iter().unzip();
        }
        self.members.shrink_to_fit();
        self.rows.shrink_to_fit();
        self.slots = Vec::new();
    }

    /// Rows in the order they lie in, for changes that do not depend on one another.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        self.members.iter().copied().zip(&mut self.rows)
    }

    /// The members of a settled table in order, and their rows.
    pub(crate) fn settled(&self) -> (&[u32], &[T]) {
        debug_assert!(self.slots.is_empty() || mutant::planted("quiz/arrival-order"));
        (&self.members, &self.rows)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows in member order, with their index.
    pub(crate) fn by_member(&self) -> impl Iterator<Item = (u32, usize, &T)> {
        let by_arrival = mutant::planted("quiz/arrival-order");
        let slots = self.slots.iter().filter(move |slot| **slot != 0 && !by_arrival);
        let slots = slots.map(|slot| *slot as usize - 1);
        let whole = self.slots.is_empty() || by_arrival;
        let settled = 0..if whole { self.rows.len() } else { 0 };
        slots.chain(settled).map(|index| (self.members[index], index, &self.rows[index]))
    }
}

/// Saved in member order: how a table came about leaves no trace.
impl<T: Serialize> Serialize for Roster<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut seq = serializer.serialize_seq(Some(self.rows.len()))?;
        for (member, _, row) in self.by_member() {
            seq.serialize_element(&(member, row))?;
        }
        seq.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Roster<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = Vec::<(u32, T)>::deserialize(deserializer)?;
        let mut roster = Self::default();
        for (member, row) in rows {
            if roster.index(member).is_some() || member > MEMBERS_MAX {
                return Err(serde::de::Error::custom("a member has two rows or none can exist"));
            }
            roster.entry(member, || row);
        }
        Ok(roster)
    }
}

/// Most members of one branch. Bounds the tables a damaged snapshot could ask for.
pub(crate) const MEMBERS_MAX: u32 = 4_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_saved_in_member_order() {
        let mut roster = Roster::default();
        for member in [7, 3, 9, 3] {
            *roster.entry(member, || 0u32).1 += member;
        }
        let rows: Vec<_> = roster.by_member().map(|(member, _, row)| (member, *row)).collect();
        assert_eq!(rows, [(3, 6), (7, 7), (9, 9)]);
        let bytes = postcard::to_stdvec(&roster).unwrap();
        let back: Roster<u32> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&back).unwrap(), bytes);
        assert_eq!((back.get(9), back.get(1), back.len()), (Some(&9), None, 3));
    }

    #[test]
    fn a_settled_table_is_the_same_table() {
        let mut roster = Roster::default();
        for member in [7, 3, 9] {
            *roster.entry(member, || 0u32).1 += member;
        }
        let bytes = postcard::to_stdvec(&roster).unwrap();
        roster.settle();
        assert_eq!(postcard::to_stdvec(&roster).unwrap(), bytes);
        assert_eq!((roster.get(3), roster.get(4), roster.len()), (Some(&3), None, 3));
        *roster.entry(9, || 0).1 += 1;
        *roster.entry(5, || 0).1 += 5;
        *roster.entry(12, || 0).1 += 12;
        let rows: Vec<_> = roster.by_member().map(|(member, _, row)| (member, *row)).collect();
        assert_eq!(rows, [(3, 3), (5, 5), (7, 7), (9, 10), (12, 12)]);
        assert_eq!((roster.get(7), roster.get(12)), (Some(&7), Some(&12)));
    }

    #[test]
    fn members_are_found_whatever_order_they_come_in() {
        for order in [[5, 6, 900], [900, 6, 5], [6, 900, 5], [6, 5, 900]] {
            let mut roster = Roster::default();
            for member in order {
                *roster.entry(member, || 0).1 += member;
            }
            let rows: Vec<_> = roster.by_member().map(|(member, _, row)| (member, *row)).collect();
            assert_eq!(rows, [(5, 5), (6, 6), (900, 900)], "{order:?}");
            for other in [0, 1, 4, 7, 899, 901, u32::MAX] {
                assert_eq!(roster.get(other), None, "{order:?}");
            }
            roster.settle();
            assert_eq!(
                [4, 5, 6, 900].map(|member| roster.get(member).is_some() as u8),
                [0, 1, 1, 1]
            );
        }
    }

    #[test]
    fn a_row_for_an_impossible_member_is_refused() {
        let bytes = postcard::to_stdvec(&vec![(u32::MAX, 1u32)]).unwrap();
        assert!(postcard::from_bytes::<Roster<u32>>(&bytes).is_err());
        let bytes = postcard::to_stdvec(&vec![(1u32, 1u32), (1, 2)]).unwrap();
        assert!(postcard::from_bytes::<Roster<u32>>(&bytes).is_err());
    }
}
