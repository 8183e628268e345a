//! Entities by the number they were given, those that were dropped left out: looking up and going
//! through them costs what is there, not what ever was.

use std::marker::PhantomData;

use bevy_ecs::prelude::*;

/// Numbers given out from 1 to things of one kind, and the entities that still have one.
#[derive(Resource, Debug, PartialEq, Eq)]
pub(crate) struct Numbered<K: Send + Sync + 'static> {
    last: u32,
    /// Rising by number.
    live: Vec<(u32, Entity)>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Send + Sync> Default for Numbered<K> {
    fn default() -> Self {
        Self { last: 0, live: Vec::new(), kind: PhantomData }
    }
}

impl<K: Send + Sync> Numbered<K> {
    /// The last number given out. Half the numbers are far more than a branch can use; a damaged
    /// snapshot that says otherwise is refused.
    pub(crate) const LAST_MAX: u32 = u32::MAX / 2;

    /// A table as it was saved: the last number, and what still has one. `None` where numbers do
    /// not rise, or lie beyond the last.
    pub(crate) fn restored(last: u32, live: Vec<(u32, Entity)>) -> Option<Self> {
        let rises = live.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let first = live.first().is_none_or(|(seq, _)| *seq > 0);
        let within = live.last().is_none_or(|(seq, _)| *seq <= last);
        (last <= Self::LAST_MAX && rises && first && within).then_some(Self {
            last,
            live,
            kind: PhantomData,
        })
    }

    pub(crate) fn last(&self) -> u32 {
        self.last
    }

    pub(crate) fn next(&self) -> u32 {
        self.last + 1
    }

    /// Gives the next number to `entity`.
    pub(crate) fn push(&mut self, entity: Entity) {
        self.last = self.next();
        self.live.push((self.last, entity));
    }

    fn place(&self, seq: u32) -> Option<usize> {
        self.live.binary_search_by_key(&seq, |(seq, _)| *seq).ok()
    }

    pub(crate) fn entity(&self, seq: u32) -> Option<Entity> {
        self.place(seq).map(|place| self.live[place].1)
    }

    /// Those that are left, by number.
    pub(crate) fn live(&self) -> impl Iterator<Item = Entity> + '_ {
        self.live.iter().map(|(_, entity)| *entity)
    }

    /// Takes one out; its number is never given again.
    pub(crate) fn remove(&mut self, seq: u32) -> Option<Entity> {
        self.place(seq).map(|place| self.live.remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_once() {
        let mut world = World::new();
        let entities = [(); 3].map(|()| world.spawn_empty().id());
        let mut table = Numbered::<()>::default();
        for entity in entities {
            table.push(entity);
        }
        assert_eq!((table.entity(2), table.entity(0), table.next()), (Some(entities[1]), None, 4));
        assert_eq!((table.remove(2), table.remove(2)), (Some(entities[1]), None));
        assert_eq!(table.live().collect::<Vec<_>>(), [entities[0], entities[2]]);
        let saved = vec![(1, entities[0]), (3, entities[2])];
        assert_eq!(Numbered::restored(3, saved), Some(table));
    }

    #[test]
    fn impossible_tables_are_refused() {
        let mut world = World::new();
        let entity = world.spawn_empty().id();
        for (last, seqs) in [(3, vec![0]), (3, vec![4]), (3, vec![2, 2]), (u32::MAX, vec![1])] {
            let live = seqs.iter().map(|seq| (*seq, entity)).collect();
            assert_eq!(Numbered::<()>::restored(last, live), None, "{last} {seqs:?}");
        }
    }
}
