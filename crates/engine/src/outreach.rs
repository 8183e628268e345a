//! Events for subscribers get their numbers here. Reads [`Announced`]; owns the [`Outbox`].

use bevy_ecs::prelude::*;
use dengmi_core::view::{Event, EventKind};
use dengmi_core::{CommunityId, mutant};

use crate::RestoreError;
use crate::kernel::{Builder, Now, Phase, Section, decode, encode};
use crate::stream::Reader;

/// Something subscribers should hear of.
#[derive(Clone)]
pub(crate) struct Announced {
    /// The group it concerns; `None` for the whole branch.
    pub(crate) community: Option<CommunityId>,
    pub(crate) kind: EventKind,
}

/// Numbered events of this batch.
#[derive(Resource, Default)]
pub(crate) struct Outbox {
    last: u64,
    pub(crate) events: Vec<Event>,
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<Outbox>()
        .message::<Announced>()
        .systems(Phase::Outreach, number_events)
        .section(Section { name: "outreach", version: 1, save, restore });
}

fn number_events(now: Res<Now>, announced: Reader<Announced>, mut outbox: ResMut<Outbox>) {
    for Announced { community, kind } in announced.read() {
        outbox.last += 1;
        let event =
            Event { seq: outbox.last, at: now.at, community: *community, kind: kind.clone() };
        if mutant::planted("outreach/told-twice") && matches!(kind, EventKind::LimitReached { .. })
        {
            outbox.last += 1;
            let again = Event { seq: outbox.last, ..event.clone() };
            outbox.events.push(again);
        }
        outbox.events.push(event);
    }
}

fn save(world: &mut World) -> Vec<u8> {
    encode(&world.resource::<Outbox>().last)
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let last = decode("outreach", bytes)?;
    world.insert_resource(Outbox { last, events: Vec::new() });
    Ok(())
}
