//! Rows for those members who take part in something, found by member number in one step.

use serde::{Deserialize, Serialize};

use crate::roster::MEMBERS_MAX;

/// A row that can be absent.
pub(crate) trait Row: Clone + Default {
    /// Whether there is nothing in it: a row nobody ever wrote to.
    fn is_vacant(&self) -> bool;
}

/// Members of one page. Groups have numbers side by side, so a table of one group takes little.
const PAGE: usize = 64;

/// A table with at most one row a member, kept in pages: only what is used takes memory.
#[derive(Clone, Debug)]
pub(crate) struct Paged<T>(Vec<Option<Box<[T; PAGE]>>>);

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Row> Paged<T> {
    /// The member's row, if there is one.
    #[inline]
    pub(crate) fn get(&self, member: u32) -> Option<&T> {
        let page = self.0.get(member as usize / PAGE)?.as_ref()?;
        Some(&page[member as usize % PAGE]).filter(|row| !row.is_vacant())
    }

    /// The member's row; a vacant one where there is none.
    #[inline]
    pub(crate) fn row(&self, member: u32) -> T
    where
        T: Copy,
    {
        match self.0.get(member as usize / PAGE) {
            Some(Some(page)) => page[member as usize % PAGE],
            _ => T::default(),
        }
    }

    /// The member's row, to be changed, if there is one.
    #[inline]
    pub(crate) fn get_mut(&mut self, member: u32) -> Option<&mut T> {
        let page = self.0.get_mut(member as usize / PAGE)?.as_mut()?;
        Some(&mut page[member as usize % PAGE]).filter(|row| !row.is_vacant())
    }

    /// The member's row, vacant where there was none.
    #[inline]
    pub(crate) fn at(&mut self, member: u32) -> &mut T {
        let (page, place) = (member as usize / PAGE, member as usize % PAGE);
        if self.0.get(page).is_none_or(Option::is_none) {
            self.make(page);
        }
        &mut self.0[page].as_mut().expect("the page was made")[place]
    }

    #[cold]
    fn make(&mut self, page: usize) {
        if page >= self.0.len() {
            self.0.resize_with(page + 1, || None);
        }
        self.0[page] = Some(Box::new(std::array::from_fn(|_| T::default())));
    }

    /// Rows in member order.
    pub(crate) fn by_member(&self) -> impl Iterator<Item = (u32, &T)> {
        let pages = self.0.iter().enumerate().filter_map(|(n, page)| Some((n, page.as_ref()?)));
        let rows = pages.flat_map(|(n, page)| (n as u32 * PAGE as u32..).zip(page.iter()));
        rows.filter(|(_, row)| !row.is_vacant())
    }
}

/// Saved in member order: how a table came about leaves no trace.
impl<T: Row + Serialize> Serialize for Paged<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut seq = serializer.serialize_seq(Some(self.by_member().count()))?;
        for row in self.by_member() {
            seq.serialize_element(&row)?;
        }
        seq.end()
    }
}

impl<'de, T: Row + Deserialize<'de>> Deserialize<'de> for Paged<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = Vec::<(u32, T)>::deserialize(deserializer)?;
        let rises = rows.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let possible = rows.last().is_none_or(|(member, _)| *member <= MEMBERS_MAX);
        if !rises || !possible || rows.iter().any(|(_, row)| row.is_vacant()) {
            return Err(serde::de::Error::custom("rows are empty, out of order or of nobody"));
        }
        let mut table = Self::default();
        for (member, row) in rows {
            *table.at(member) = row;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_and_saved_in_member_order() {
        let mut table = Paged::default();
        for member in [700, 3, 64, 3] {
            *table.at(member) += member;
        }
        assert_eq!(*table.at(5), 0);
        let rows: Vec<(u32, u32)> = table.by_member().map(|(m, row)| (m, *row)).collect();
        assert_eq!(rows, [(3, 6), (64, 64), (700, 700)]);
        assert_eq!((table.get(3), table.get(5), table.get(9_000)), (Some(&6), None, None));
        assert_eq!([3, 5, 130, 9_000].map(|member| table.row(member)), [6, 0, 0, 0]);
        assert_eq!((table.get_mut(64).copied(), table.get_mut(65)), (Some(64), None));
        let bytes = postcard::to_stdvec(&table).unwrap();
        let back: Paged<u32> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&back).unwrap(), bytes);
    }

    #[test]
    fn impossible_rows_are_refused() {
        for rows in
            [vec![(u32::MAX, 1u32)], vec![(2, 1), (1, 1)], vec![(1, 1), (1, 2)], vec![(1, 0)]]
        {
            let bytes = postcard::to_stdvec(&rows).unwrap();
            assert!(postcard::from_bytes::<Paged<u32>>(&bytes).is_err(), "{rows:?}");
        }
    }
}
