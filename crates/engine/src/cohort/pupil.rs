//! What a cohort keeps of one member.

use dengmi_core::course::{PlacedBy, PupilStage, StayWish};
use dengmi_core::{Day, Ppm, Timestamp};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Cohort;
use crate::memory::{Horizon, Memory};

/// A member of a cohort.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pupil {
    pub(crate) stage: PupilStage,
    pub(crate) since: Timestamp,
    /// Bit n: lesson of day n + 1 finished; its number right; its quiz answered in full.
    pub(crate) lessons: u16,
    pub(crate) computed: u16,
    pub(crate) quizzes: u16,
    /// What is remembered, by concept, rising.
    pub(crate) cards: Vec<Card>,
    /// Answers to the paired items: item and whether it was right, rising by item.
    pub(crate) before: SmallVec<[(u16, bool); 8]>,
    pub(crate) after: SmallVec<[(u16, bool); 8]>,
    /// The last day with reviews, and how many there were.
    pub(crate) reviewed: (Day, u8),
    pub(crate) wish: Option<StayWish>,
    pub(crate) invitation: Option<Invitation>,
}

/// What a member remembers of one concept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) concept: u16,
    pub(crate) memory: Memory,
    /// Whether the last answer was right.
    pub(crate) right: bool,
    /// Reviews so far: they go through the concept's items in turn.
    pub(crate) reviews: u8,
}

/// An invitation to a long-term group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) to: u32,
    pub(crate) until: Timestamp,
    pub(crate) by: PlacedBy,
    /// How many have been given, this one included.
    pub(crate) given: u8,
}

/// A concept is mastered when the last answer was right and the chance to remember it is still at
/// least this. After one right answer that holds for a week (FSRS-6: 0.81 after 7 days).
static MASTERED: Horizon = Horizon::of(Ppm(800_000));

impl Pupil {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self {
            stage: PupilStage::Enrolled,
            since: at,
            lessons: 0,
            computed: 0,
            quizzes: 0,
            cards: Vec::new(),
            before: SmallVec::new(),
            after: SmallVec::new(),
            reviewed: (Day::default(), 0),
            wish: None,
            invitation: None,
        }
    }

    /// Concepts mastered on a day.
    pub(crate) fn mastered(&self, on: Day) -> u16 {
        let still = |card: &&Card| card.right && card.memory.holds(&MASTERED, on);
        self.cards.iter().filter(still).count() as u16
    }

    /// Whether a row out of a saved state speaks of what its cohort has.
    pub(crate) fn fits(&self, cohort: &Cohort) -> bool {
        let concepts = cohort.concepts.len();
        let items = cohort.items.len();
        let rising = self.cards.windows(2).all(|pair| pair[0].concept < pair[1].concept);
        let known = self.cards.iter().all(|card| usize::from(card.concept) < concepts);
        let mut asked = self.before.iter().chain(&self.after);
        rising && known && asked.all(|(item, _)| usize::from(*item) < items)
    }
}
