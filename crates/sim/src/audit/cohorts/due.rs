//! Which items a member may be asked outside the quiz of the day.

use dengmi_core::Day;
use dengmi_core::course::Occasion;

use super::super::Auditor;
use super::{Cohort, Pupil, memory};

/// Items that may be asked again.
#[derive(Default)]
pub(super) struct DueItems {
    /// Those that are, best first.
    pub(super) sure: Vec<u16>,
    /// All that may be, where which ones are is near.
    pub(super) perhaps: Vec<u16>,
    /// Whether they and their order are certain.
    pub(super) ordered: bool,
}

impl Auditor {
    /// Items a member may be asked again on a day.
    pub(super) fn due_items(&self, cohort: &Cohort, pupil: &Pupil, on: Day) -> DueItems {
        let packs = &self.packs;
        let quiz = &cohort.syllabus.course(packs).quiz;
        let done = pupil.reviewed.get(&on).copied().unwrap_or(0);
        let room = usize::from(quiz.reviews_per_day).saturating_sub(done);
        // What the quiz of the day asks would be told by a review of it.
        let closed = cohort.sent.min((on.0 - cohort.first.0).clamp(0, 255) as u8);
        let mut near = false;
        let mut due: Vec<(f64, u16, u16)> = Vec::new();
        for (&concept, card) in &pupil.cards {
            let (day, other) = card.memory.due(quiz.retention);
            let may = day.min(other.unwrap_or(day)) <= on;
            near |= may != (day.max(other.unwrap_or(day)) <= on);
            let asked = cohort.syllabus.asked(packs, concept, closed);
            if may && !asked.is_empty() {
                let item = asked[card.reviews % asked.len()];
                due.push((card.memory.chance(on), concept, item));
            }
        }
        due.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let items: Vec<u16> = due.iter().map(|(_, _, item)| *item).collect();
        let cut = room.min(items.len());
        if cut > 0 && cut < due.len() {
            near |= due[cut..].iter().any(|(chance, ..)| memory::near(*chance, due[cut - 1].0));
        }
        let ordered = !near && due.windows(2).all(|pair| !memory::near(pair[0].0, pair[1].0));
        let sure = items[..cut].to_vec();
        DueItems { sure, perhaps: if near { items } else { Vec::new() }, ordered }
    }

    /// Paired items a member may answer now.
    pub(super) fn pairs_open(
        &self,
        cohort: &Cohort,
        pupil: &Pupil,
        occasion: Occasion,
    ) -> Vec<u16> {
        let pairs = cohort.syllabus.pairs(&self.packs).into_iter();
        let begun = cohort.sent > 1 || !pupil.lessons.is_empty() || !pupil.quizzes.is_empty();
        match occasion {
            Occasion::Before if !begun => {
                let asked = pairs.map(|(before, _)| before);
                asked.filter(|item| !pupil.before.contains_key(item)).collect()
            }
            Occasion::After if cohort.sent == cohort.days => {
                let asked = pairs.map(|(_, after)| after);
                asked.filter(|item| !pupil.after.contains_key(item)).collect()
            }
            _ => Vec::new(),
        }
    }
}
