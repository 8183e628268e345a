//! Who takes or took which courses, found by member: going through every cohort for each member
//! would cost the more the more cohorts there are. Worked out from [`Pupils`](super::Pupils), never
//! saved.

use bevy_ecs::prelude::*;
use smallvec::SmallVec;

use super::CohortIndex;
use crate::roster::Roster;

/// Numbers of cohorts that have a row of a member, rising.
#[derive(Resource, Default)]
pub(crate) struct Taking(Roster<SmallVec<[u32; 2]>>);

impl Taking {
    /// A cohort has a row of a member from now on.
    pub(super) fn add(&mut self, member: u32, cohort: u32) {
        let (_, cohorts) = self.0.entry(member, SmallVec::new);
        if let Err(place) = cohorts.binary_search(&cohort) {
            cohorts.insert(place, cohort);
        }
    }

    /// A cohort is forgotten, and its row of a member with it.
    pub(super) fn remove(&mut self, member: u32, cohort: u32) {
        if let Some(cohorts) = self.0.get_mut(member) {
            cohorts.retain(|known| *known != cohort);
        }
    }

    fn of(&self, member: u32) -> &[u32] {
        self.0.get(member).map_or(&[], SmallVec::as_slice)
    }
}

/// Cohorts that have a row of a member, by number.
pub(super) fn taken_by(world: &World, member: u32) -> impl Iterator<Item = Entity> {
    let index = world.resource::<CohortIndex>();
    world.resource::<Taking>().of(member).iter().filter_map(|cohort| index.entity(*cohort))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cohorts_are_found_by_member_in_order() {
        let mut taking = Taking::default();
        for (member, cohort) in [(9, 4), (9, 2), (3, 2), (9, 7), (9, 4)] {
            taking.add(member, cohort);
        }
        assert_eq!(taking.of(9), [2, 4, 7]);
        taking.remove(9, 4);
        taking.remove(3, 5);
        taking.remove(1, 2);
        assert_eq!((taking.of(9), taking.of(3), taking.of(1)), (&[2, 7][..], &[2][..], &[][..]));
    }
}
