//! What falls due, in order of due time. Features put their appointments here and are called when
//! the time of a batch has reached them; nothing is ever due by itself.

use std::collections::BTreeSet;

use bevy_ecs::prelude::*;
use dengmi_core::{Timestamp, mutant};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::kernel::{Builder, Now, Phase, Section, decode, encode};

/// An appointment. The order of variants decides between two of the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Due {
    /// A round stops taking answers and is graded.
    RoundSettles { round: u32 },
    /// The challenge under a post is over.
    PostCloses { post: u32 },
    /// A run is over.
    RunEnds { run: u32 },
    /// The answers of a round are no longer needed.
    RoundArchives { round: u32 },
    /// An ended run is dropped.
    RunForgotten { run: u32 },
    /// A round opens.
    RoundOpens { run: u32, index: u16 },
    /// A cohort takes members.
    EnrolmentOpens { cohort: u32 },
    /// The lesson of a day is sent.
    LessonSends { cohort: u32, day: u8 },
    /// A cohort's last day is over. After the end of its run's last round of the same instant.
    LessonsEnd { cohort: u32 },
    /// Invitations may have run out.
    InvitationsEnd { cohort: u32 },
    /// Who arrived and stayed is counted.
    RetentionCounted { cohort: u32, count: u8 },
    /// An archived cohort is dropped.
    CohortForgotten { cohort: u32 },
    /// A mock market makes the prices of a day of its course.
    MarketCloses { cohort: u32, day: u8 },
}

/// All appointments.
#[derive(Resource, Default)]
pub(crate) struct DueQueue(BTreeSet<(Timestamp, Due)>);

impl DueQueue {
    pub(crate) fn add(&mut self, at: Timestamp, due: Due) {
        self.0.insert((at, due));
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.0.first().map(|(at, _)| *at)
    }

    fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let now = if mutant::planted("clock/one-late") { Timestamp(now.0 - 1) } else { now };
        if self.next()? <= now { self.0.pop_first() } else { None }
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder.resource::<DueQueue>().systems(Phase::Clock, fall_due).section(Section {
        name: "clock",
        version: 1,
        save,
        restore,
    });
}

pub(crate) fn fall_due(world: &mut World) {
    let now = world.resource::<Now>().at;
    while let Some((at, due)) = world.resource_mut::<DueQueue>().pop(now) {
        match due {
            Due::RoundOpens { run, index } => crate::quiz::open_round(world, run, index),
            Due::RoundSettles { round } => crate::quiz::settle_round(world, round, at),
            Due::RoundArchives { round } => crate::quiz::archive_round(world, round),
            Due::PostCloses { post } => crate::moments::close_post(world, post),
            Due::RunEnds { run } => crate::runs::run_out(world, run),
            Due::RunForgotten { run } => crate::runs::forget(world, run),
            Due::EnrolmentOpens { cohort } => crate::cohort::open(world, cohort),
            Due::LessonSends { cohort, day } => crate::cohort::send_lesson(world, cohort, day),
            Due::LessonsEnd { cohort } => crate::cohort::end_lessons(world, cohort),
            Due::InvitationsEnd { cohort } => crate::cohort::end_invitations(world, cohort),
            Due::RetentionCounted { cohort, count } => {
                crate::cohort::count_retention(world, cohort, count);
            }
            Due::CohortForgotten { cohort } => crate::cohort::forget(world, cohort),
            Due::MarketCloses { cohort, day } => crate::invest::close_day(world, cohort, day),
        }
    }
}

fn save(world: &mut World) -> Vec<u8> {
    encode(&world.resource::<DueQueue>().0)
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let queue = decode("clock", bytes)?;
    world.insert_resource(DueQueue(queue));
    Ok(())
}
