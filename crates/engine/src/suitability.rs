//! Who may be shown and sold what: the risk levels members were found to have. Owns [`Levels`];
//! courses ask it before every order and every product page.
//!
//! C02 (NFRA Order 7/2025, art. 29): a result holds for a year at most, a questionnaire may be
//! answered twice a day and eight times in twelve months with one institution, whatever course asks
//! for it, and a changed result is confirmed before it counts. C04: nobody under age has a level.

use bevy_ecs::prelude::*;
use dengmi_content::model::{Assessment, RiskLevel};
use dengmi_core::mock::{Assessed, ClientLevel};
use dengmi_core::{Day, Reject};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::RestoreError;
use crate::kernel::{Builder, Section, decode, encode};
use crate::roster::Roster;

/// Days in which questionnaires are counted.
const YEAR: i32 = 365;

/// The levels of everybody who ever answered a questionnaire.
#[derive(Resource, Default)]
pub(crate) struct Levels(Roster<Level>);

/// What was found for one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Level {
    last: Assessed,
    /// The level before, which a new one is held against.
    before: Option<ClientLevel>,
    /// Days on which a questionnaire was answered within the last year, oldest first.
    taken: SmallVec<[Day; 4]>,
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder.resource::<Levels>().section(Section {
        name: "suitability",
        version: 1,
        save,
        restore,
    });
}

impl Levels {
    /// What was found last, whether it holds or not.
    pub(crate) fn last(&self, member: u32) -> Option<Assessed> {
        self.0.get(member).map(|level| level.last)
    }

    /// The level that holds on a day; `None` also where it ran out or waits to be confirmed.
    pub(crate) fn on(&self, member: u32, day: Day) -> Option<ClientLevel> {
        let last = self.last(member)?;
        (last.confirmed && day <= last.until).then_some(last.level)
    }

    /// Whether a product of this risk suits the member on a day. Without a level only R1 does.
    pub(crate) fn suits(&self, member: u32, day: Day, risk: RiskLevel) -> bool {
        bears(self.on(member, day), risk)
    }

    /// Evaluates a questionnaire.
    pub(crate) fn assess(
        &mut self,
        member: u32,
        questionnaire: &Assessment,
        adult: bool,
        choices: &[u8],
        today: Day,
    ) -> Result<Assessed, Reject> {
        if !adult {
            return Err(Reject::UnderAge);
        }
        let found = questionnaire.level(choices).ok_or(Reject::BadAssessment)?;
        let known = self.0.get(member);
        let mut taken: SmallVec<[Day; 4]> = known.map_or_else(SmallVec::new, |known| {
            known.taken.iter().copied().filter(|day| day.0 > today.0 - YEAR).collect()
        });
        let of_today = taken.iter().filter(|day| **day == today).count();
        if of_today >= usize::from(questionnaire.per_day)
            || taken.len() >= usize::from(questionnaire.per_year)
        {
            return Err(Reject::AssessmentLimit);
        }
        taken.push(today);
        // What was confirmed last, even if it has run out by now.
        let before = known.and_then(|known| match known.last.confirmed {
            true => Some(known.last.level),
            false => known.before,
        });
        let last = Assessed {
            level: found,
            until: today.plus(i32::from(questionnaire.validity_days)),
            confirmed: before.is_none_or(|before| before == found),
        };
        let row = Level { last, before, taken };
        match self.0.get_mut(member) {
            Some(known) => *known = row,
            None => {
                self.0.entry(member, || row);
            }
        }
        Ok(last)
    }

    /// Confirms a result that is another than the last one.
    pub(crate) fn confirm(&mut self, member: u32, today: Day) -> Result<Assessed, Reject> {
        let row = self.0.get_mut(member).ok_or(Reject::NothingToConfirm)?;
        if row.last.confirmed || today > row.last.until {
            return Err(Reject::NothingToConfirm);
        }
        row.last.confirmed = true;
        Ok(row.last)
    }
}

/// Whether somebody of a level bears a risk (C01, C06): C1 bears R1, and so on.
pub(crate) fn bears(level: Option<ClientLevel>, risk: RiskLevel) -> bool {
    risk as usize <= level.unwrap_or(ClientLevel::C1) as usize
}

fn save(world: &mut World) -> Vec<u8> {
    encode(&world.resource::<Levels>().0)
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let levels = decode("suitability", bytes)?;
    world.insert_resource(Levels(levels));
    Ok(())
}
