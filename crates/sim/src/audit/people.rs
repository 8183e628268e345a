//! Groups, members and managers, as the journal tells of them.

use std::collections::BTreeSet;

use dengmi_content::model::community::CommunityKind;
use dengmi_core::command::{ConsentPurpose, Person};
use dengmi_core::course::{CourseAction, StayWish};
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{
    Action, Actor, BranchId, Calendar, Command, CommunityId, Day, ManagerId, MemberId, Receipt,
    Reject, Slug, Timestamp,
};

use super::days::day_of;
use super::{Answered, Auditor, Edge, Tick};

/// Most different tags of one branch.
const TAGS_MAX: usize = 64;

pub(super) struct Member {
    pub(super) community: u32,
    pub(super) kind: CommunityKind,
    pub(super) status: MemberStatus,
    pub(super) joined_at: Timestamp,
    pub(super) joined: Day,
    pub(super) consents: bool,
    /// Agreed to be told about products.
    pub(super) hears_of_products: bool,
    pub(super) tags: BTreeSet<Slug>,
}

pub(super) struct Group {
    pub(super) kind: CommunityKind,
    pub(super) calendar: Calendar,
    pub(super) template: Slug,
    pub(super) manager: u32,
    pub(super) policy: BoardPolicy,
    pub(super) capacity: u32,
    /// Dissolved.
    pub(super) closed: bool,
    pub(super) members: BTreeSet<u32>,
    /// The day whose standings are open.
    pub(super) today: Day,
}

#[derive(Default)]
pub(super) struct People {
    pub(super) managers: u32,
    pub(super) groups: Vec<Group>,
    pub(super) members: Vec<Member>,
    tags: BTreeSet<Slug>,
}

impl People {
    pub(super) fn member(&self, seq: u32) -> Option<&Member> {
        self.members.get((seq as usize).checked_sub(1)?)
    }

    pub(super) fn group(&self, seq: u32) -> Option<&Group> {
        self.groups.get((seq as usize).checked_sub(1)?)
    }

    /// The member, if they may take part.
    pub(super) fn acting(&self, id: MemberId) -> Result<&Member, Reject> {
        let member = self.member(id.seq).ok_or(Reject::UnknownMember)?;
        match member.status {
            MemberStatus::Left => Err(Reject::MemberLeft),
            MemberStatus::Erased => Err(Reject::MemberErased),
            MemberStatus::Active if !member.consents => Err(Reject::NoConsent),
            MemberStatus::Active => Ok(member),
        }
    }

    /// Whether standings may name the member.
    pub(super) fn listed(&self, seq: u32) -> bool {
        self.member(seq).is_some_and(|member| member.status != MemberStatus::Erased)
    }

    fn member_mut(&mut self, id: MemberId) -> Result<&mut Member, Reject> {
        let member = (id.seq as usize).checked_sub(1).and_then(|at| self.members.get_mut(at));
        match member {
            None => Err(Reject::UnknownMember),
            Some(member) if member.status == MemberStatus::Erased => Err(Reject::MemberErased),
            Some(member) => Ok(member),
        }
    }

    fn room(&self, id: CommunityId) -> Result<&Group, Reject> {
        let group = self.group(id.seq).ok_or(Reject::UnknownCommunity)?;
        if group.closed {
            return Err(Reject::CommunityClosed);
        }
        if group.members.len() < group.capacity as usize {
            Ok(group)
        } else {
            Err(Reject::CommunityFull)
        }
    }

    fn leave_group(&mut self, group: u32, member: u32) {
        self.groups[group as usize - 1].members.remove(&member);
    }

    fn enter_group(&mut self, group: u32, member: u32) {
        self.groups[group as usize - 1].members.insert(member);
    }
}

/// Whom an action is about, and the branches that its ids name.
fn subject(action: &Action) -> (Option<MemberId>, Vec<BranchId>) {
    match action {
        Action::AddManager | Action::AdoptContent { .. } => (None, vec![]),
        Action::OpenCommunity { manager, .. } => (None, vec![manager.branch]),
        Action::Join { community } => (None, vec![community.branch]),
        Action::Move { member, to } => (Some(*member), vec![to.branch]),
        Action::Leave { member }
        | Action::Tag { member, .. }
        | Action::Consent { member, .. }
        | Action::ShowOnBoards { member, .. }
        | Action::Erase { member }
        | Action::Redeem { member, .. }
        | Action::Reverse { member, .. } => (Some(*member), vec![]),
        Action::Launch { communities, .. } => {
            (None, communities.iter().map(|id| id.branch).collect())
        }
        Action::Stop { run } => (None, vec![run.branch]),
        Action::CheckIn { member, run, .. }
        | Action::MakeUp { member, run, .. }
        | Action::RepairStreak { member, run, .. } => (Some(*member), vec![run.branch]),
        Action::Answer { member, round, .. } | Action::GrantTime { member, round, .. } => {
            (Some(*member), vec![round.branch])
        }
        Action::CorrectKey { round, .. } => (None, vec![round.branch]),
        Action::Publish { run, manager } => (None, vec![run.branch, manager.branch]),
        Action::React { post, person: Person::Member(member), .. } => {
            (Some(*member), vec![post.branch])
        }
        Action::React { post, person: Person::Staff(manager), .. } => {
            (None, vec![post.branch, manager.branch])
        }
        Action::Course(action) => {
            let mut branches: Vec<BranchId> =
                action.cohort().map(|id| id.branch).into_iter().collect();
            match action {
                CourseAction::Start { communities, .. } => {
                    branches.extend(communities.iter().map(|id| id.branch));
                }
                CourseAction::Wish { wish: StayWish::Group(group), .. } => {
                    branches.push(group.branch)
                }
                _ => {}
            }
            (action.member(), branches)
        }
    }
}

/// Every id is of this branch; members do for themselves what members may do.
pub(super) fn admit(branch: BranchId, command: &Command) -> Result<(), Reject> {
    let (member, branches) = subject(&command.action);
    if branches.into_iter().chain(member.map(|id| id.branch)).any(|named| named != branch) {
        return Err(Reject::WrongBranch);
    }
    let own = matches!(
        command.action,
        Action::Leave { .. }
            | Action::Consent { .. }
            | Action::ShowOnBoards { .. }
            | Action::CheckIn { .. }
            | Action::MakeUp { .. }
            | Action::Answer { .. }
            | Action::React { .. }
    ) || matches!(
        &command.action,
        Action::Course(
            CourseAction::Enrol { .. }
                | CourseAction::Withdraw { .. }
                | CourseAction::FinishLesson { .. }
                | CourseAction::AnswerItems { .. }
                | CourseAction::Wish { .. }
                | CourseAction::AnswerInvitation { .. }
                | CourseAction::Mock { .. }
        )
    );
    match command.actor {
        Actor::Member(_) if matches!(command.action, Action::Join { .. }) => Ok(()),
        Actor::Member(actor) if !own || member != Some(actor) => Err(Reject::NotYours),
        _ => Ok(()),
    }
}

impl Auditor {
    /// What comes of an action on people; `None` where it is about something else.
    pub(super) fn people_action(
        &mut self,
        tick: &mut Tick<'_>,
        action: &Action,
    ) -> Option<Answered> {
        Some(match action {
            Action::AddManager => {
                self.people.managers += 1;
                Ok(Receipt::Manager(ManagerId::new(self.branch, self.people.managers)))
            }
            Action::OpenCommunity { template, manager } => {
                self.open_group(tick, template, *manager)
            }
            Action::Join { community } => self.join(tick, *community),
            Action::Move { member, to } => self.move_member(tick, *member, *to),
            Action::Leave { member } => self.end_membership(tick, *member, MemberStatus::Left),
            Action::Erase { member } => self.end_membership(tick, *member, MemberStatus::Erased),
            Action::Tag { member, tag, on } => self.tag(*member, tag, *on),
            Action::Consent { member, purpose, given, .. } => {
                self.people.member_mut(*member).map(|member| {
                    match purpose {
                        ConsentPurpose::Activities => member.consents = *given,
                        ConsentPurpose::Marketing => member.hears_of_products = *given,
                        ConsentPurpose::PublicName | ConsentPurpose::Personalisation => {}
                    }
                    Receipt::Ok
                })
            }
            Action::ShowOnBoards { member, .. } => {
                self.people.member_mut(*member).map(|_| Receipt::Ok)
            }
            _ => return None,
        })
    }

    fn open_group(&mut self, tick: &mut Tick<'_>, template: &Slug, manager: ManagerId) -> Answered {
        if !(1..=self.people.managers).contains(&manager.seq) {
            return Err(Reject::UnknownManager);
        }
        let pack = &self.packs[&self.current];
        let template = pack.current(template);
        let file = pack.communities.get(template).ok_or(Reject::UnknownTemplate)?;
        self.people.groups.push(Group {
            template: template.clone(),
            manager: manager.seq,
            closed: false,
            kind: file.kind,
            calendar: file.calendar,
            policy: file.boards,
            capacity: file.capacity,
            members: BTreeSet::new(),
            today: day_of(file.calendar, tick.at),
        });
        let id = CommunityId::new(self.branch, self.people.groups.len() as u32);
        tick.events.push((Some(id), EventKind::CommunityOpened(id)));
        Ok(Receipt::Community(id))
    }

    fn join(&mut self, tick: &Tick<'_>, community: CommunityId) -> Answered {
        let group = self.people.room(community)?;
        let member = Member {
            community: community.seq,
            kind: group.kind,
            status: MemberStatus::Active,
            joined_at: tick.at,
            joined: day_of(group.calendar, tick.at),
            consents: false,
            hears_of_products: false,
            tags: BTreeSet::new(),
        };
        self.people.members.push(member);
        let seq = self.people.members.len() as u32;
        self.people.enter_group(community.seq, seq);
        self.seen.mark(Edge::MemberJoined);
        Ok(Receipt::Member(MemberId::new(self.branch, seq)))
    }

    pub(super) fn move_member(
        &mut self,
        tick: &mut Tick<'_>,
        id: MemberId,
        to: CommunityId,
    ) -> Answered {
        let member = self.people.member_mut(id)?;
        let (from, active) = (member.community, member.status == MemberStatus::Active);
        if active && from == to.seq {
            return Err(Reject::AlreadyThere);
        }
        let kind = self.people.room(to)?.kind;
        if active {
            self.people.leave_group(from, id.seq);
            tick.departed.push((id.seq, from));
        }
        let member = self.people.member_mut(id)?;
        (member.community, member.kind, member.status) = (to.seq, kind, MemberStatus::Active);
        self.people.enter_group(to.seq, id.seq);
        self.seen.mark(if active { Edge::MemberMoved } else { Edge::MemberBack });
        Ok(Receipt::Ok)
    }

    fn end_membership(
        &mut self,
        tick: &mut Tick<'_>,
        id: MemberId,
        status: MemberStatus,
    ) -> Answered {
        let member = self.people.member_mut(id)?;
        let was = std::mem::replace(&mut member.status, status);
        if was == status {
            return Err(Reject::MemberLeft);
        }
        if status == MemberStatus::Erased {
            (member.consents, member.hears_of_products) = (false, false);
            member.tags.clear();
        }
        let group = member.community;
        if was == MemberStatus::Active {
            self.people.leave_group(group, id.seq);
            tick.departed.push((id.seq, group));
        }
        let erased = status == MemberStatus::Erased;
        self.seen.mark(if erased { Edge::MemberErased } else { Edge::MemberLeft });
        Ok(Receipt::Ok)
    }

    /// Dissolves a group: who is in it leaves.
    pub(super) fn close_group(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let Some(group) = self.people.groups.get_mut(seq as usize - 1) else { return };
        group.closed = true;
        for member in group.members.clone() {
            let id = MemberId::new(self.branch, member);
            // Whoever is in a group can leave.
            let _ = self.end_membership(tick, id, MemberStatus::Left);
        }
    }

    fn tag(&mut self, id: MemberId, tag: &Slug, on: bool) -> Answered {
        self.people.member_mut(id)?;
        if on && !self.people.tags.contains(tag) {
            if self.people.tags.len() == TAGS_MAX {
                return Err(Reject::TooManyTags);
            }
            self.people.tags.insert(tag.clone());
        }
        let member = self.people.member_mut(id)?;
        if on {
            member.tags.insert(tag.clone());
        } else {
            member.tags.remove(tag);
        }
        Ok(Receipt::Ok)
    }
}
