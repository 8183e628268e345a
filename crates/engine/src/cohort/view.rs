//! Cohorts as readers see them.

use bevy_ecs::prelude::*;
use dengmi_content::Pack;
use dengmi_content::model::Course;
use dengmi_core::course::{CohortStage, CohortView, Occasion, PupilStage, PupilView};
use dengmi_core::{CommunityId, Digest, MemberId, RunId, mutant};

use super::pupil::Pupil;
use super::{Cohort, CohortPlan, Pupils, taken_by};
use crate::invest::Standing;
use crate::kernel::{Now, Setup};
use crate::market::{self, MarketSeed, Terms};
use crate::suitability::Levels;

pub(crate) fn cohort_view(world: &World, entity: Entity) -> CohortView {
    let setup = world.resource::<Setup>();
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let mut counts = [0; PupilStage::ALL.len()];
    for (_, _, pupil) in pupils.0.by_member() {
        counts[pupil.stage as usize] += 1;
    }
    let early = mutant::planted("cohort/market-told");
    let over = cohort.stage >= CohortStage::Grading || early;
    CohortView {
        id: cohort.id(setup),
        course: cohort.course.clone(),
        stage: cohort.stage,
        since: cohort.since,
        content: cohort.packs.clone(),
        communities: cohort
            .communities
            .iter()
            .map(|seq| CommunityId::new(setup.branch, *seq))
            .collect(),
        run: RunId::new(setup.branch, cohort.run),
        first: cohort.first,
        last: cohort.last(),
        sent: cohort.sent,
        pupils: counts,
        commitment: cohort.commitment,
        secret: over.then(|| secret(setup, cohort)),
        gain: cohort.gain,
        retained: cohort.retained,
        items: plan.slugs.clone(),
        terms: cohort.terms,
        market: crate::invest::market_view(world, entity, over),
        standing: world.get::<Standing>(entity).map_or_else(Default::default, |s| s.0.clone()),
    }
}

/// What the cohort's market is drawn from, to be told when the course is over.
fn secret(setup: &Setup, cohort: &Cohort) -> Digest {
    Digest(MarketSeed::of_cohort(&setup.seed, u64::from(cohort.seq)).secret())
}

/// What binds the secret before anybody enrols, under the content the cohort starts with.
pub(super) fn commitment(setup: &Setup, cohort: &Cohort, pack: &Pack, course: &Course) -> Digest {
    let scenario = pack.current(&course.mock.scenario);
    let market = pack.scenarios.get(scenario).map_or(scenario, |script| &script.market);
    let terms = Terms { market, scenario, pack: pack.digest };
    market::commitment(&MarketSeed::of_cohort(&setup.seed, u64::from(cohort.seq)), &terms)
}

/// Every course a member takes or took part in.
pub(crate) fn pupil_views(world: &World, member: MemberId) -> Vec<PupilView> {
    let of = taken_by(world, member.seq).filter_map(|entity| {
        let pupil = world.get::<Pupils>(entity)?.0.get(member.seq)?;
        Some(pupil_view(world, entity, member.seq, pupil))
    });
    of.collect()
}

fn pupil_view(world: &World, entity: Entity, member: u32, pupil: &Pupil) -> PupilView {
    let setup = world.resource::<Setup>();
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let today = cohort.calendar.day_of(world.resource::<Now>().at).min(cohort.last());
    let enrolled = pupil.stage == PupilStage::Enrolled;
    let open = |occasion| match enrolled {
        true => pupil.open(cohort, plan, occasion, today).into_vec(),
        false => Vec::new(),
    };
    let paired = [Occasion::Before, Occasion::After].map(|occasion| (occasion, open(occasion)));
    PupilView {
        cohort: cohort.id(setup),
        stage: pupil.stage,
        since: pupil.since,
        lessons: pupil.lessons,
        computed: pupil.computed,
        quizzes: pupil.quizzes,
        mastered: (pupil.mastered(today), plan.taught_by(cohort.sent)),
        review: open(Occasion::Review),
        asked: paired.into_iter().find(|(_, items)| !items.is_empty()),
        paired: (pupil.before.len() as u16, pupil.after.len() as u16, plan.paired.len() as u16),
        wish: pupil.wish,
        invitation: pupil.invitation.map(|invitation| {
            let to = CommunityId::new(setup.branch, invitation.to);
            (to, invitation.until, invitation.by)
        }),
        level: world.resource::<Levels>().last(member),
        assessed: world.resource::<Levels>().taken(member).to_vec(),
        mock: Box::new(crate::invest::mock_view(world, entity, member)),
    }
}
