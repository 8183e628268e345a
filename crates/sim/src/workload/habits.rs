//! How often a campaign asks for what.

use super::draw::{TOPICS, Topic};
use crate::dice::Dice;

/// What campaigns are about. Where only a part is looked at, the others need not take its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// Everything, each as often as the seed draws.
    #[default]
    All,
    /// Everything but courses: nobody starts one.
    NoCourses,
    /// Everything, and courses never seldom.
    Courses,
}

/// Least weight of courses where they are looked at: as much as the topics that are drawn most.
const COURSES_LEAST: u32 = 300;

/// How often a campaign asks for what, and how many people it has.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Weight of every topic.
    pub(super) topics: Vec<(u32, Topic)>,
    /// Fewest and most people who join at the beginning.
    pub(super) joins: (u32, u32),
    /// While so many members are in groups nobody joins.
    pub(super) members_max: u32,
    /// Mostly members who are in a group do something.
    pub(super) present: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { topics: TOPICS.to_vec(), joins: (20, 70), members_max: u32::MAX, present: false }
    }
}

impl Habits {
    /// Whether courses are asked for at all.
    pub(super) fn courses(&self) -> bool {
        self.topics.iter().any(|(weight, topic)| *topic == Topic::Course && *weight > 0)
    }

    /// The same, with courses as often as `subject` has them.
    pub(crate) fn about(mut self, subject: Subject) -> Self {
        let courses = self.topics.iter_mut().filter(|(_, topic)| *topic == Topic::Course);
        for (weight, _) in courses {
            *weight = match subject {
                Subject::All => *weight,
                Subject::NoCourses => 0,
                Subject::Courses => (*weight).max(COURSES_LEAST),
            };
        }
        self
    }

    /// A small branch in which some things are never asked for and others all the time.
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        let topics: Vec<(u32, Topic)> = TOPICS
            .iter()
            .map(|&(weight, topic)| {
                let percent = match dice.below(10) {
                    0 => 0,
                    1..5 => 100,
                    _ if thins_out(topic) => dice.between(10, 100),
                    _ => dice.between(10, 400),
                };
                ((weight * percent).div_ceil(100), topic)
            })
            .collect();
        // Somebody has to do something.
        let idle = topics.iter().all(|(weight, _)| *weight == 0);
        let topics = if idle { TOPICS.to_vec() } else { topics };
        Self { topics, joins: (6, 40), members_max: 60, present: true }
    }
}

/// What leaves little to do where it happens all the time.
fn thins_out(topic: Topic) -> bool {
    matches!(
        topic,
        Topic::Leave | Topic::Erase | Topic::Stop | Topic::Launch | Topic::Group | Topic::Manager
    )
}
