//! `content/assessments/**.ron`: the questionnaire that says which risk level, C1 to C5, a member
//! can bear. It suits teaching and mock investing; whether a bank may sell by it is for the bank.

use dengmi_core::Slug;
pub use dengmi_core::mock::ClientLevel;
use serde::Deserialize;

use super::{Approval, Text};

/// A risk questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Its name.
    pub title: Text,
    /// What it is for, as members read it before they begin.
    pub summary: Text,
    /// The questions, in order of asking; each is answered with one option.
    pub questions: Vec<AssessmentQuestion>,
    /// Points from which C1, C2, C3, C4 and C5 are reached; the first is 0.
    pub levels: [u16; 5],
    /// Days a result holds (C02: at most 365).
    pub validity_days: u16,
    /// Most times a member may take it on one day (C02: at most 2).
    pub per_day: u8,
    /// Most times a member may take it in 365 days (C02: at most 8).
    pub per_year: u8,
    /// Least age in years (C04: at least 18).
    pub min_age: u8,
    /// What younger members read instead.
    pub age_note: Text,
    /// Notices shown with it, by id.
    pub notices: Vec<Slug>,
    /// Compliance approval.
    pub approval: Approval,
}

/// A question of a questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssessmentQuestion {
    /// Its name inside the file; one segment.
    pub id: Slug,
    /// The question.
    pub text: Text,
    /// What a member chooses among, 2 to 6.
    pub options: Vec<AssessmentOption>,
}

/// An option of a question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssessmentOption {
    /// The option.
    pub text: Text,
    /// Points for it.
    pub points: u16,
    /// Whoever chooses it gets this level at most, whatever the sum of points.
    #[serde(default)]
    pub at_most: Option<ClientLevel>,
}

impl Assessment {
    /// The level for one option of each question, in order, from 0; `None` where the number of
    /// options is another than that of questions, or an option is not there.
    #[must_use]
    pub fn level(&self, chosen: &[u8]) -> Option<ClientLevel> {
        if chosen.len() != self.questions.len() {
            return None;
        }
        let mut points = 0;
        let mut most = None;
        for (question, &place) in self.questions.iter().zip(chosen) {
            let AssessmentOption { points: more, at_most, .. } =
                question.options.get(usize::from(place))?;
            points += u32::from(*more);
            most = [most, *at_most].into_iter().flatten().min();
        }
        let reached = |&level: &ClientLevel| u32::from(self.levels[level as usize]) <= points;
        let by_points = ClientLevel::ALL.into_iter().rfind(reached).unwrap_or(ClientLevel::C1);
        Some(most.map_or(by_points, |most| by_points.min(most)))
    }
}
