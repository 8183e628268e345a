//! What is kept for every member: a column for each kind of value, without a gap, in the order of
//! the members' numbers. Members of a group lie together, and nothing has to be looked up.

use bevy_ecs::prelude::*;

/// One value for every member; number 1 comes first.
#[derive(Resource, Debug)]
pub(crate) struct Column<T: Send + Sync + 'static>(Vec<T>);

impl<T: Send + Sync> Default for Column<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Send + Sync> Column<T> {
    /// The column that was saved.
    pub(crate) fn restored(values: Vec<T>) -> Self {
        Self(values)
    }

    /// Members there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn all(&self) -> &[T] {
        &self.0
    }

    #[inline]
    pub(crate) fn get(&self, member: u32) -> Option<&T> {
        self.0.get((member as usize).checked_sub(1)?)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, member: u32) -> Option<&mut T> {
        self.0.get_mut((member as usize).checked_sub(1)?)
    }

    /// The value of the next member.
    pub(crate) fn push(&mut self, value: T) {
        self.0.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_numbered_from_one() {
        let mut column = Column::default();
        column.push('a');
        column.push('b');
        *column.get_mut(2).unwrap() = 'c';
        assert_eq!((column.get(0), column.get(1), column.get(2)), (None, Some(&'a'), Some(&'c')));
        assert_eq!((column.get(3), column.len()), (None, 2));
        assert_eq!(column.get_mut(0), None);
        assert_eq!(Column::restored(vec!['a', 'c']).all(), column.all());
    }
}
