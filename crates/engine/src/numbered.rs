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
    /// Those of them that are not over, rising by number.
    current: Vec<(u32, Entity)>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Send + Sync> Default for Numbered<K> {
    fn default() -> Self {
        Self { last: 0, live: Vec::new(), current: Vec::new(), kind: PhantomData }
    }
}

impl<K: Send + Sync> Numbered<K> {
    /// The last number given out. Half the numbers are far more than a branch can use; a damaged
    /// snapshot that says otherwise is refused.
    pub(crate) const LAST_MAX: u32 = u32::MAX / 2;

    /// A table as it was saved: the last number, and what still has one, none of it over. `None`
    /// where numbers do not rise, or lie beyond the last.
    pub(crate) fn restored(last: u32, live: Vec<(u32, Entity)>) -> Option<Self> {
        let rises = live.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let first = live.first().is_none_or(|(seq, _)| *seq > 0);
        let within = live.last().is_none_or(|(seq, _)| *seq <= last);
        (last <= Self::LAST_MAX && rises && first && within).then_some(Self {
            last,
            current: live.clone(),
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
        self.current.push((self.last, entity));
    }

    pub(crate) fn entity(&self, seq: u32) -> Option<Entity> {
        place(&self.live, seq).map(|place| self.live[place].1)
    }

    /// Those that are left, by number.
    pub(crate) fn live(&self) -> impl Iterator<Item = Entity> + '_ {
        self.live.iter().map(|(_, entity)| *entity)
    }

    /// Those that are not over, by number: what is over can outnumber them many times.
    pub(crate) fn current(&self) -> impl Iterator<Item = Entity> + '_ {
        self.current.iter().map(|(_, entity)| *entity)
    }

    /// One is over, and only kept.
    pub(crate) fn end(&mut self, seq: u32) {
        if let Some(place) = place(&self.current, seq) {
            self.current.remove(place);
        }
    }

    /// Takes one out; its number is never given again.
    pub(crate) fn remove(&mut self, seq: u32) -> Option<Entity> {
        self.end(seq);
        place(&self.live, seq).map(|place| self.live.remove(place).1)
    }
}

fn place(rising: &[(u32, Entity)], seq: u32) -> Option<usize> {
    rising.binary_search_by_key(&seq, |(seq, _)| *seq).ok()
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
        assert_eq!(table.current().collect::<Vec<_>>(), [entities[0], entities[2]]);
        let saved = vec![(1, entities[0]), (3, entities[2])];
        assert_eq!(Numbered::restored(3, saved), Some(table));
    }

    #[test]
    fn what_is_over_is_only_kept() {
        let mut world = World::new();
        let entities = [(); 3].map(|()| world.spawn_empty().id());
        let live = (1..).zip(entities).collect();
        let mut table = Numbered::<()>::restored(3, live).unwrap();
        table.end(2);
        table.end(2);
        assert_eq!(table.current().collect::<Vec<_>>(), [entities[0], entities[2]]);
        assert_eq!((table.live().count(), table.entity(2)), (3, Some(entities[1])));
        assert_eq!(table.remove(3), Some(entities[2]));
        assert_eq!(table.current().collect::<Vec<_>>(), [entities[0]]);
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
