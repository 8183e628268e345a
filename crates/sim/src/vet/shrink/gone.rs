//! What commands that are left out would have made: everything made after it gets lower numbers,
//! and the commands that name it have to follow.

use dengmi_core::command::Person;
use dengmi_core::course::{CourseAction, CourseReceipt, StayWish};
use dengmi_core::{Action, Actor, Command, Outcome, Receipt};

/// Numbers that are given to nothing any more, by kind.
#[derive(Default)]
pub(super) struct Gone {
    managers: Vec<u32>,
    groups: Vec<u32>,
    members: Vec<u32>,
    runs: Vec<u32>,
    posts: Vec<u32>,
    cohorts: Vec<u32>,
}

fn lower(gone: &[u32], seq: &mut u32) {
    let below = gone.iter().filter(|number| *number < seq).count();
    *seq -= u32::try_from(below).unwrap_or(0);
}

impl Gone {
    /// What these outcomes say was made.
    pub(super) fn of<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Self {
        let mut gone = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Done(Receipt::Manager(id)) => gone.managers.push(id.seq),
                Outcome::Done(Receipt::Community(id)) => gone.groups.push(id.seq),
                Outcome::Done(Receipt::Member(id)) => gone.members.push(id.seq),
                Outcome::Done(Receipt::Run(id)) => gone.runs.push(id.seq),
                Outcome::Done(Receipt::Post(id)) => gone.posts.push(id.seq),
                Outcome::Done(Receipt::Course(CourseReceipt::Started { cohort, .. })) => {
                    gone.cohorts.push(cohort.seq);
                }
                _ => {}
            }
        }
        gone
    }

    /// Lets a later command name what it named before. Rounds are not followed: their numbers
    /// depend on when they open.
    pub(super) fn renumber(&self, command: &mut Command) {
        let Command { actor, action } = command;
        if let Actor::Member(id) = actor {
            lower(&self.members, &mut id.seq);
        }
        match action {
            Action::AddManager | Action::AdoptContent { .. } | Action::CorrectKey { .. } => {}
            Action::OpenCommunity { manager, .. } => lower(&self.managers, &mut manager.seq),
            Action::Join { community } => lower(&self.groups, &mut community.seq),
            Action::Move { member, to } => {
                lower(&self.members, &mut member.seq);
                lower(&self.groups, &mut to.seq);
            }
            Action::Leave { member }
            | Action::Tag { member, .. }
            | Action::Consent { member, .. }
            | Action::ShowOnBoards { member, .. }
            | Action::Erase { member }
            | Action::Answer { member, .. }
            | Action::GrantTime { member, .. }
            | Action::Redeem { member, .. }
            | Action::Reverse { member, .. } => lower(&self.members, &mut member.seq),
            Action::Launch { communities, .. } => {
                communities.iter_mut().for_each(|id| lower(&self.groups, &mut id.seq));
            }
            Action::Stop { run } => lower(&self.runs, &mut run.seq),
            Action::CheckIn { member, run, .. }
            | Action::MakeUp { member, run, .. }
            | Action::RepairStreak { member, run, .. } => {
                lower(&self.members, &mut member.seq);
                lower(&self.runs, &mut run.seq);
            }
            Action::Publish { run, manager } => {
                lower(&self.runs, &mut run.seq);
                lower(&self.managers, &mut manager.seq);
            }
            Action::React { post, person, .. } => {
                lower(&self.posts, &mut post.seq);
                match person {
                    Person::Member(id) => lower(&self.members, &mut id.seq),
                    Person::Staff(id) => lower(&self.managers, &mut id.seq),
                }
            }
            Action::Course(action) => {
                if let Some(id) = action.member_mut() {
                    lower(&self.members, &mut id.seq);
                }
                if let Some(id) = action.cohort_mut() {
                    lower(&self.cohorts, &mut id.seq);
                }
                match action {
                    CourseAction::Start { communities, .. } => {
                        communities.iter_mut().for_each(|id| lower(&self.groups, &mut id.seq));
                    }
                    CourseAction::Wish { wish: StayWish::Group(id), .. } => {
                        lower(&self.groups, &mut id.seq);
                    }
                    _ => {}
                }
            }
        }
    }
}
