//! Who may be shown and sold what: the risk levels members were found to have. Owns [`Levels`];
//! courses ask it before every order and every product page.
//!
//! C02 (NFRA Order 7/2025, art. 29): a result holds for a year at most, a questionnaire may be
//! answered twice a day and eight times in twelve months with one institution, whatever course asks
//! for it, and a changed result is confirmed before it counts. C04: nobody under age has a level.

use bevy_ecs::prelude::*;
use dengmi_content::model::{Assessment, RiskLevel};
use dengmi_core::mock::{ASSESSMENT_YEAR, Assessed, ClientLevel, attempts_left};
use dengmi_core::{Day, Reject, mutant};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::RestoreError;
use crate::kernel::{Builder, Section, decode, encode};
use crate::roster::Roster;

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

    /// Days on which a questionnaire was answered, in the year up to the last of them.
    pub(crate) fn taken(&self, member: u32) -> &[Day] {
        self.0.get(member).map_or(&[], |level| &level.taken)
    }

    /// The level that holds on a day; `None` also where it ran out or waits to be confirmed.
    pub(crate) fn on(&self, member: u32, day: Day) -> Option<ClientLevel> {
        let last = self.last(member)?;
        let confirmed = last.confirmed || mutant::planted("mock/level-unconfirmed");
        (confirmed && day <= last.until).then_some(last.level)
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
        let (per_day, per_year) = (questionnaire.per_day, questionnaire.per_year);
        if attempts_left(self.taken(member), per_day, per_year, today) == 0 {
            return Err(Reject::AssessmentLimit);
        }
        let counts = |day: &Day| day.0 > today.0 - ASSESSMENT_YEAR;
        let earlier = self.taken(member).iter().copied().filter(counts);
        let taken = earlier.chain([today]).collect();
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

#[cfg(test)]
mod tests {
    use dengmi_content::model::assessment::{AssessmentOption, AssessmentQuestion};
    use dengmi_content::model::{Approval, Text};

    use super::*;

    /// Two questions of 0, 10 or 20 points; a level every 10 points.
    fn questionnaire() -> Assessment {
        let text = || Text::new("问", "a question");
        let option = |points| AssessmentOption { text: text(), points, at_most: None };
        let question = |id: &str| AssessmentQuestion {
            id: id.parse().unwrap(),
            text: text(),
            options: [0, 10, 20].map(option).into(),
        };
        Assessment {
            schema: 1,
            was: Vec::new(),
            title: text(),
            summary: text(),
            questions: ["one", "two"].map(question).into(),
            levels: [0, 10, 20, 30, 40],
            validity_days: 365,
            per_day: 2,
            per_year: 8,
            min_age: 18,
            age_note: text(),
            notices: Vec::new(),
            approval: Approval {
                id: "T-1".to_owned(),
                approver: "合规".to_owned(),
                valid_to: "2099-12-31".parse().unwrap(),
            },
        }
    }

    struct Office(Levels);

    impl Office {
        fn assess(&mut self, day: i32, choices: [u8; 2]) -> Result<(ClientLevel, bool), Reject> {
            let found = self.0.assess(1, &questionnaire(), true, &choices, Day(day))?;
            Ok((found.level, found.confirmed))
        }
    }

    #[test]
    fn a_level_holds_for_a_year_and_a_changed_one_is_confirmed() {
        let mut office = Office(Levels::default());
        assert_eq!(office.0.on(1, Day(100)), None);
        assert!(office.0.suits(1, Day(100), RiskLevel::R1));
        assert!(!office.0.suits(1, Day(100), RiskLevel::R2));
        assert_eq!(office.assess(100, [1, 1]), Ok((ClientLevel::C3, true)));
        assert!(office.0.suits(1, Day(465), RiskLevel::R3));
        assert!(!office.0.suits(1, Day(465), RiskLevel::R4));
        assert!(!office.0.suits(1, Day(466), RiskLevel::R2));
        // The same again needs nobody's word, another does, also after the first ran out.
        assert_eq!(office.assess(300, [1, 1]), Ok((ClientLevel::C3, true)));
        assert_eq!(office.0.confirm(1, Day(300)), Err(Reject::NothingToConfirm));
        assert_eq!(office.assess(700, [2, 2]), Ok((ClientLevel::C5, false)));
        assert_eq!(office.0.on(1, Day(700)), None);
        assert_eq!(office.assess(700, [2, 2]), Ok((ClientLevel::C5, false)));
        assert_eq!(office.0.confirm(1, Day(701)).map(|found| found.level), Ok(ClientLevel::C5));
        assert_eq!(office.0.on(1, Day(701)), Some(ClientLevel::C5));
        assert_eq!(office.0.confirm(2, Day(701)), Err(Reject::NothingToConfirm));
    }

    #[test]
    fn twice_a_day_and_eight_times_a_year() {
        let mut office = Office(Levels::default());
        for day in [1, 1, 2, 2, 3, 3, 4] {
            assert!(office.assess(day, [0, 1]).is_ok(), "{day}");
        }
        assert_eq!(office.assess(3, [0, 1]), Err(Reject::AssessmentLimit));
        assert!(office.assess(5, [0, 1]).is_ok());
        assert_eq!(office.assess(365, [0, 1]), Err(Reject::AssessmentLimit));
        // Those of the first day no longer count.
        assert!(office.assess(366, [0, 1]).is_ok());
        assert!(office.assess(366, [0, 1]).is_ok());
        assert_eq!(office.assess(366, [0, 1]), Err(Reject::AssessmentLimit));
    }

    #[test]
    fn what_does_not_fit_counts_for_nothing() {
        let mut levels = Levels::default();
        let mut assess = |adult, choices: &[u8]| {
            levels.assess(1, &questionnaire(), adult, choices, Day(1)).map(|found| found.level)
        };
        assert_eq!(assess(false, &[0, 0]), Err(Reject::UnderAge));
        for bad in [&[][..], &[0], &[0, 3], &[0, 255], &[0, 0, 0]] {
            assert_eq!(assess(true, bad), Err(Reject::BadAssessment));
        }
        assert_eq!(assess(true, &[0, 0]), Ok(ClientLevel::C1));
        assert_eq!(levels.last(2), None);
    }
}
