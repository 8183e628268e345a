//! Every command is checked for who and where it is about, and becomes the message of the feature
//! that owns it. What is refused here is refused without any feature having seen it.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemState;
use dengmi_core::command::Person;
use dengmi_core::course::{CourseAction, StayWish};
use dengmi_core::{Action, Actor, BranchId, Command, MemberId, Reject, mutant};

use crate::kernel::{BatchCommands, Outcomes};
use crate::moments::ReactRequest;
use crate::quiz::AnswerRequest;
use crate::streak::{StreakAction, StreakRequest};
use crate::stream::Writer;

/// Writers of all messages that commands become.
pub(crate) type Desk = SystemState<(
    ResMut<'static, Outcomes>,
    ResMut<'static, BatchCommands>,
    Writer<'static, StreakRequest>,
    Writer<'static, AnswerRequest>,
    Writer<'static, ReactRequest>,
)>;

/// Hands every command to its feature, or refuses it.
pub(crate) fn intake(
    world: &mut World,
    desk: &mut Desk,
    branch: BranchId,
    commands: &Arc<Vec<Command>>,
) {
    let (mut outcomes, mut batch, mut streaks, mut answers, mut reactions) =
        desk.get_mut(world).expect("everything the desk writes to exists from the start");
    outcomes.begin(commands.len());
    batch.begin(commands);
    for (index, command) in commands.iter().enumerate() {
        let index = u32::try_from(index).expect("batches are far smaller");
        if let Err(reject) = admit(branch, command) {
            outcomes.set(index, Err(reject));
            continue;
        }
        match &command.action {
            Action::CheckIn { member, run, phrase, occurred } => {
                let what = StreakAction::CheckIn { phrase: *phrase, occurred: *occurred };
                streaks.write(StreakRequest { index, member: *member, run: *run, what });
            }
            Action::MakeUp { member, run, day } => {
                let what = StreakAction::MakeUp(*day);
                streaks.write(StreakRequest { index, member: *member, run: *run, what });
            }
            Action::RepairStreak { member, run, days, reason: _ } => {
                let what = StreakAction::Repair(*days);
                streaks.write(StreakRequest { index, member: *member, run: *run, what });
            }
            Action::Answer { member, round, answers: _ } => {
                answers.write(AnswerRequest { index, member: *member, round: *round });
            }
            Action::React { post, person, reaction, occurred } => {
                reactions.write(ReactRequest {
                    index,
                    post: *post,
                    person: *person,
                    reaction: *reaction,
                    occurred: *occurred,
                });
            }
            _ => batch.request(index),
        }
    }
}

/// Every id is of this branch, and members act for themselves only.
fn admit(branch: BranchId, command: &Command) -> Result<(), Reject> {
    let any = mutant::planted("intake/any-branch");
    let here = |of: BranchId| if of == branch || any { Ok(()) } else { Err(Reject::WrongBranch) };
    let mut concerned: Option<MemberId> = None;
    match &command.action {
        Action::AddManager | Action::AdoptContent { .. } => {}
        Action::OpenCommunity { manager, .. } => here(manager.branch)?,
        Action::Join { community } => here(community.branch)?,
        Action::Move { member, to } => {
            here(to.branch)?;
            concerned = Some(*member);
        }
        Action::Leave { member }
        | Action::Tag { member, .. }
        | Action::Consent { member, .. }
        | Action::ShowOnBoards { member, .. }
        | Action::Erase { member }
        | Action::Redeem { member, .. }
        | Action::Reverse { member, .. } => concerned = Some(*member),
        Action::Launch { communities, .. } => {
            for community in communities {
                here(community.branch)?;
            }
        }
        Action::Stop { run } => here(run.branch)?,
        Action::CheckIn { member, run, .. }
        | Action::MakeUp { member, run, .. }
        | Action::RepairStreak { member, run, .. } => {
            here(run.branch)?;
            concerned = Some(*member);
        }
        Action::Answer { member, round, .. } | Action::GrantTime { member, round, .. } => {
            here(round.branch)?;
            concerned = Some(*member);
        }
        Action::CorrectKey { round, .. } => here(round.branch)?,
        Action::Publish { run, manager } => {
            here(run.branch)?;
            here(manager.branch)?;
        }
        Action::React { post, person, .. } => {
            here(post.branch)?;
            match person {
                Person::Member(member) => concerned = Some(*member),
                Person::Staff(manager) => here(manager.branch)?,
            }
        }
        Action::Course(action) => {
            if let Some(cohort) = action.cohort() {
                here(cohort.branch)?;
            }
            match action {
                CourseAction::Start { communities, .. } => {
                    for community in communities {
                        here(community.branch)?;
                    }
                }
                CourseAction::Wish { wish: StayWish::Group(group), .. } => here(group.branch)?,
                _ => {}
            }
            concerned = action.member();
        }
    }
    if let Some(member) = concerned {
        here(member.branch)?;
    }
    match command.actor {
        Actor::Member(actor) if concerned != Some(actor) && !is_join(&command.action) => {
            Err(Reject::NotYours)
        }
        Actor::Member(_) if !members_may(&command.action) => Err(Reject::NotYours),
        _ => Ok(()),
    }
}

fn is_join(action: &Action) -> bool {
    matches!(action, Action::Join { .. })
}

/// What members may do for themselves. Everything else is for operators, channels and the host.
fn members_may(action: &Action) -> bool {
    if let Action::Course(action) = action {
        return action.is_for_members();
    }
    matches!(
        action,
        Action::Join { .. }
            | Action::Leave { .. }
            | Action::Consent { .. }
            | Action::ShowOnBoards { .. }
            | Action::CheckIn { .. }
            | Action::MakeUp { .. }
            | Action::Answer { .. }
            | Action::React { .. }
    )
}
