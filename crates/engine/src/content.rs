//! The packs an engine knows: the current one, and those that running activities keep.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_content::Pack;
use dengmi_core::{Digest, Slug};

use crate::RestoreError;
use crate::kernel::{Builder, Section, decode, encode};

/// Packs by digest. Which one is current is state; the packs themselves come from outside.
#[derive(Resource)]
pub(crate) struct Packs {
    current: Arc<Pack>,
    known: BTreeMap<Digest, Arc<Pack>>,
}

impl Packs {
    pub(crate) fn new(current: Arc<Pack>) -> Self {
        let known = BTreeMap::from([(current.digest, current.clone())]);
        Self { current, known }
    }

    pub(crate) fn current(&self) -> &Arc<Pack> {
        &self.current
    }

    pub(crate) fn offer(&mut self, pack: Arc<Pack>) {
        self.known.insert(pack.digest, pack);
    }

    pub(crate) fn get(&self, digest: Digest) -> Option<&Arc<Pack>> {
        self.known.get(&digest)
    }

    pub(crate) fn adopt(&mut self, digest: Digest) -> bool {
        match self.known.get(&digest) {
            Some(pack) => {
                self.current = pack.clone();
                true
            }
            None => false,
        }
    }
}

/// Numbers given to rule ids, in the order in which runs first needed them. Entries and caps
/// carry the number.
#[derive(Resource, Default)]
pub(crate) struct RuleNumbers(Vec<Slug>);

impl RuleNumbers {
    pub(crate) fn code(&mut self, rule: &Slug) -> u16 {
        let known = self.0.iter().position(|id| id == rule);
        let index = known.unwrap_or_else(|| {
            self.0.push(rule.clone());
            self.0.len() - 1
        });
        u16::try_from(index).expect("content caps keep a branch below 65,536 rules")
    }

    pub(crate) fn id(&self, code: u16) -> Option<&Slug> {
        self.0.get(usize::from(code))
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder.resource::<RuleNumbers>().section(Section {
        name: "content",
        version: 1,
        save,
        restore,
    });
}

fn save(world: &mut World) -> Vec<u8> {
    let current = world.resource::<Packs>().current.digest;
    encode(&(current, &world.resource::<RuleNumbers>().0))
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let (current, rules): (Digest, Vec<Slug>) = decode("content", bytes)?;
    if rules.len() > usize::from(u16::MAX) {
        return Err(RestoreError::Unreadable("section `content`: too many rules".to_owned()));
    }
    if !world.resource_mut::<Packs>().adopt(current) {
        return Err(RestoreError::MissingContent(current));
    }
    world.insert_resource(RuleNumbers(rules));
    Ok(())
}
