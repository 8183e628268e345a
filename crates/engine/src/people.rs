//! Members, groups and managers. Owns [`Member`], [`Community`], [`Manager`] and their indexes;
//! reads [`BatchCommands`]; tells [`Moved`] and [`Announced`].

use std::borrow::Cow;

use bevy_ecs::prelude::*;
use dengmi_content::model::community::CommunityKind;
use dengmi_core::command::ConsentPurpose;
use dengmi_core::view::board::BoardPolicy;
use dengmi_core::view::{EventKind, MemberStatus};
use dengmi_core::{
    Action, Actor, Calendar, Command, CommunityId, Day, ManagerId, MemberId, Receipt, Reject, Slug,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::board::Scores;
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{Builder, Now, Phase, Section, Setup, Touched, decode, encode, serve_requests};
use crate::ledger::Wallet;
use crate::outreach::Announced;
use crate::roster::MEMBERS_MAX;
use crate::stream::Stream;

/// A customer, one row of a [`Column`]. Other features have columns of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) community: u32,
    pub(crate) kind: CommunityKind,
    pub(crate) status: MemberStatus,
    pub(crate) joined_at: Timestamp,
    pub(crate) joined: Day,
    /// Version of the consent text by purpose; 0 for none.
    pub(crate) consents: [u16; 4],
    pub(crate) tags: u64,
    pub(crate) show: bool,
}

impl Member {
    pub(crate) fn consented(&self, purpose: ConsentPurpose) -> bool {
        self.consents[purpose as usize] > 0
    }

    /// Shown by name on standings: wished, agreed to, and still with us.
    pub(crate) fn shown(&self) -> bool {
        self.show
            && self.consented(ConsentPurpose::PublicName)
            && self.status == MemberStatus::Active
    }

    /// Whether the member may take part in activities at all.
    pub(crate) fn may_act(&self) -> Result<(), Reject> {
        match self.status {
            MemberStatus::Left => Err(Reject::MemberLeft),
            MemberStatus::Erased => Err(Reject::MemberErased),
            MemberStatus::Active if !self.consented(ConsentPurpose::Activities) => {
                Err(Reject::NoConsent)
            }
            MemberStatus::Active => Ok(()),
        }
    }
}

/// A group.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Community {
    pub(crate) seq: u32,
    pub(crate) template: Slug,
    pub(crate) kind: CommunityKind,
    pub(crate) manager: u32,
    pub(crate) capacity: u32,
    pub(crate) calendar: Calendar,
    pub(crate) policy: BoardPolicy,
    pub(crate) moments_per_day: u8,
    /// Dissolved: nobody comes in any more.
    pub(crate) closed: bool,
    /// Numbers of its members, rising.
    pub(crate) members: Vec<u32>,
}

/// A relationship manager.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manager {
    pub(crate) seq: u32,
}

/// Most managers of one branch.
const MANAGERS_MAX: u32 = 100_000;

/// Most different tags of one branch: a member's are the bits of a `u64`.
const TAGS_MAX: usize = 64;

/// Entities by number minus one. Nothing here is ever despawned.
#[derive(Resource, Default)]
pub(crate) struct People {
    pub(crate) communities: Vec<Entity>,
    pub(crate) managers: Vec<Entity>,
    tags: Vec<Slug>,
}

fn at(list: &[Entity], seq: u32) -> Option<Entity> {
    list.get(seq.checked_sub(1)? as usize).copied()
}

impl People {
    pub(crate) fn community(&self, seq: u32) -> Option<Entity> {
        at(&self.communities, seq)
    }

    pub(crate) fn manager(&self, seq: u32) -> Option<Entity> {
        at(&self.managers, seq)
    }

    /// The bit of a tag, if any member ever had it.
    pub(crate) fn tag_bit(&self, tag: &Slug) -> Option<u64> {
        self.tags.iter().position(|known| known == tag).map(|bit| 1 << bit)
    }

    fn tag_bit_or_new(&mut self, tag: &Slug) -> Result<u64, Reject> {
        if let Some(bit) = self.tag_bit(tag) {
            return Ok(bit);
        }
        if self.tags.len() == TAGS_MAX {
            return Err(Reject::TooManyTags);
        }
        self.tags.push(tag.clone());
        Ok(1 << (self.tags.len() - 1))
    }
}

impl Column<Member> {
    /// The member, if they may take part.
    #[inline]
    pub(crate) fn acting(&self, id: MemberId) -> Result<&Member, Reject> {
        let member = self.get(id.seq).ok_or(Reject::UnknownMember)?;
        member.may_act()?;
        Ok(member)
    }
}

/// A member is in a group from now on, so their scores count there too.
#[derive(Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) member: u32,
    pub(crate) to: u32,
}

/// A member is no longer in a group: moved, left or erased.
#[derive(Clone, Copy)]
pub(crate) struct Departed {
    pub(crate) member: u32,
    pub(crate) from: u32,
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<People>()
        .resource::<Column<Member>>()
        .message::<Moved>()
        .message::<Departed>()
        .systems(Phase::Structure, serve_people)
        .section(Section { name: "people", version: 3, save, restore });
}

pub(crate) fn serve_people(world: &mut World) {
    serve_requests(world, serve);
}

/// `None` where the action belongs to another feature.
fn serve(world: &mut World, command: &Command) -> Option<Result<Receipt, Reject>> {
    Some(match &command.action {
        Action::AddManager => add_manager(world),
        Action::OpenCommunity { template, manager } => open_community(world, template, *manager),
        Action::Join { community } => join(world, *community),
        Action::Move { member, to } => move_member(world, *member, *to),
        Action::Leave { member } => end_membership(world, *member, MemberStatus::Left),
        Action::Erase { member } => end_membership(world, *member, MemberStatus::Erased),
        Action::Tag { member, tag, on } => set_tag(world, *member, tag, *on),
        Action::Consent { member, purpose, version, given } => {
            change(world, command.actor, *member, |m| {
                m.consents[*purpose as usize] = if *given { (*version).max(1) } else { 0 };
            })
        }
        Action::ShowOnBoards { member, shown } => {
            change(world, command.actor, *member, |m| m.show = *shown)
        }
        _ => return None,
    })
}

fn add_manager(world: &mut World) -> Result<Receipt, Reject> {
    let seq = world.resource::<People>().managers.len() as u32 + 1;
    if seq > MANAGERS_MAX {
        return Err(Reject::BranchFull);
    }
    let entity = world.spawn((Manager { seq }, crate::moments::SenderLog::default())).id();
    world.resource_mut::<People>().managers.push(entity);
    world.resource_mut::<Touched>().catalog = true;
    Ok(Receipt::Manager(ManagerId::new(world.resource::<Setup>().branch, seq)))
}

fn open_community(
    world: &mut World,
    template: &Slug,
    manager: ManagerId,
) -> Result<Receipt, Reject> {
    if world.resource::<People>().manager(manager.seq).is_none() {
        return Err(Reject::UnknownManager);
    }
    let pack = world.resource::<Packs>().current().clone();
    let name = pack.current(template);
    let file = pack.communities.get(name).ok_or(Reject::UnknownTemplate)?;
    let now = *world.resource::<Now>();
    let seq = world.resource::<People>().communities.len() as u32 + 1;
    let community = Community {
        seq,
        template: name.clone(),
        kind: file.kind,
        manager: manager.seq,
        capacity: file.capacity,
        calendar: file.calendar,
        policy: file.boards,
        moments_per_day: file.touch.moments_per_day,
        closed: false,
        members: Vec::new(),
    };
    let standings = crate::board::Standings::starting(file.calendar.day_of(now.at));
    let entity = world.spawn((community, standings)).id();
    world.resource_mut::<People>().communities.push(entity);
    world.resource_mut::<Touched>().catalog = true;
    let id = CommunityId::new(world.resource::<Setup>().branch, seq);
    announce(world, Some(id), EventKind::CommunityOpened(id));
    Ok(Receipt::Community(id))
}

fn announce(world: &mut World, community: Option<CommunityId>, kind: EventKind) {
    world.resource_mut::<Stream<Announced>>().write(Announced { community, kind });
}

/// Room in a group for one more: its entity, kind, and today there.
fn room_in(world: &World, community: CommunityId) -> Result<(Entity, CommunityKind, Day), Reject> {
    let entity =
        world.resource::<People>().community(community.seq).ok_or(Reject::UnknownCommunity)?;
    let group = world.get::<Community>(entity).ok_or(Reject::UnknownCommunity)?;
    if group.closed {
        return Err(Reject::CommunityClosed);
    }
    if group.members.len() >= group.capacity as usize {
        return Err(Reject::CommunityFull);
    }
    Ok((entity, group.kind, group.calendar.day_of(world.resource::<Now>().at)))
}

fn join(world: &mut World, community: CommunityId) -> Result<Receipt, Reject> {
    let (group, kind, today) = room_in(world, community)?;
    let seq = world.resource::<Column<Member>>().len() as u32 + 1;
    if seq > MEMBERS_MAX {
        return Err(Reject::BranchFull);
    }
    let member = Member {
        community: community.seq,
        kind,
        status: MemberStatus::Active,
        joined_at: world.resource::<Now>().at,
        joined: today,
        consents: [0; 4],
        tags: 0,
        show: true,
    };
    world.resource_mut::<Column<Member>>().push(member);
    world.resource_mut::<Column<Wallet>>().push(Wallet::default());
    world.resource_mut::<Column<Scores>>().push(Scores::default());
    enter(world, group, seq);
    Ok(Receipt::Member(MemberId::new(community.branch, seq)))
}

fn enter(world: &mut World, group: Entity, member: u32) {
    let mut community = world.get_mut::<Community>(group).expect("groups are never despawned");
    if let Err(place) = community.members.binary_search(&member) {
        community.members.insert(place, member);
    }
    let to = community.seq;
    world.resource_mut::<Stream<Moved>>().write(Moved { member, to });
    let mut touched = world.resource_mut::<Touched>();
    touched.member(member);
    touched.catalog = true;
}

fn take_out(world: &mut World, from: u32, member: u32) {
    let group = world.resource::<People>().community(from).expect("members' groups exist");
    let mut community = world.get_mut::<Community>(group).expect("groups are never despawned");
    if let Ok(place) = community.members.binary_search(&member) {
        community.members.remove(place);
    }
    world.resource_mut::<Stream<Departed>>().write(Departed { member, from });
    let mut touched = world.resource_mut::<Touched>();
    touched.member(member);
    touched.catalog = true;
}

fn member_mut(world: &mut World, id: MemberId) -> Result<&mut Member, Reject> {
    let members = world.resource_mut::<Column<Member>>().into_inner();
    let member = members.get_mut(id.seq).ok_or(Reject::UnknownMember)?;
    if member.status == MemberStatus::Erased { Err(Reject::MemberErased) } else { Ok(member) }
}

/// Brings a member into another group, or back.
pub(crate) fn move_member(
    world: &mut World,
    id: MemberId,
    to: CommunityId,
) -> Result<Receipt, Reject> {
    let member = member_mut(world, id)?;
    let (from, active) = (member.community, member.status == MemberStatus::Active);
    if from == to.seq && active {
        return Err(Reject::AlreadyThere);
    }
    let (group, kind, _) = room_in(world, to)?;
    if active {
        take_out(world, from, id.seq);
    }
    let member = member_mut(world, id)?;
    member.community = to.seq;
    member.kind = kind;
    member.status = MemberStatus::Active;
    enter(world, group, id.seq);
    Ok(Receipt::Ok)
}

fn end_membership(
    world: &mut World,
    id: MemberId,
    status: MemberStatus,
) -> Result<Receipt, Reject> {
    let member = member_mut(world, id)?;
    let was = member.status;
    if was == status {
        return Err(Reject::MemberLeft);
    }
    member.status = status;
    if status == MemberStatus::Erased {
        member.consents = [0; 4];
        member.tags = 0;
        member.show = false;
    }
    let community = member.community;
    if was == MemberStatus::Active {
        take_out(world, community, id.seq);
    }
    world.resource_mut::<Touched>().member(id.seq);
    Ok(Receipt::Ok)
}

/// Dissolves a group: who is still in it leaves the programme, and may be brought back into
/// another group.
pub(crate) fn close_community(world: &mut World, seq: u32) {
    let Some(entity) = world.resource::<People>().community(seq) else { return };
    let mut community = world.get_mut::<Community>(entity).expect("groups are never despawned");
    community.closed = true;
    let members = community.members.clone();
    let branch = world.resource::<Setup>().branch;
    for member in members {
        // Whoever is in the list is there, and has not left.
        let _ = end_membership(world, MemberId::new(branch, member), MemberStatus::Left);
    }
    world.resource_mut::<Touched>().catalog = true;
}

fn set_tag(world: &mut World, id: MemberId, tag: &Slug, on: bool) -> Result<Receipt, Reject> {
    member_mut(world, id)?;
    let bit = match on {
        true => world.resource_mut::<People>().tag_bit_or_new(tag)?,
        // A tag nobody has is already removed.
        false => world.resource::<People>().tag_bit(tag).unwrap_or(0),
    };
    let member = member_mut(world, id)?;
    member.tags = if on { member.tags | bit } else { member.tags & !bit };
    world.resource_mut::<Touched>().member(id.seq);
    Ok(Receipt::Ok)
}

fn change(
    world: &mut World,
    _actor: Actor,
    id: MemberId,
    edit: impl FnOnce(&mut Member),
) -> Result<Receipt, Reject> {
    let member = member_mut(world, id)?;
    edit(member);
    world.resource_mut::<Touched>().member(id.seq);
    Ok(Receipt::Ok)
}

#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    managers: u32,
    communities: Vec<Community>,
    members: Cow<'a, [Member]>,
    tags: Vec<Slug>,
}

/// The components at `entities`, in that order.
pub(crate) fn column<C: Component + Clone>(world: &World, entities: &[Entity]) -> Vec<C> {
    entities
        .iter()
        .map(|e| world.get::<C>(*e).cloned().expect("indexed entities are whole"))
        .collect()
}

fn save(world: &mut World) -> Vec<u8> {
    let people = world.resource::<People>();
    encode(&Saved {
        managers: people.managers.len() as u32,
        communities: column(world, &people.communities),
        members: Cow::Borrowed(world.resource::<Column<Member>>().all()),
        tags: people.tags.clone(),
    })
}

/// Whether everything is numbered without a gap and refers to what is there.
fn whole(saved: &Saved) -> bool {
    let numbered = |seqs: &mut dyn Iterator<Item = u32>| (1..).zip(seqs).all(|(n, seq)| n == seq);
    let (managers, groups) = (saved.managers, saved.communities.len() as u32);
    let members = saved.members.len() as u32;
    managers <= MANAGERS_MAX
        && members <= MEMBERS_MAX
        && saved.tags.len() <= TAGS_MAX
        && numbered(&mut saved.communities.iter().map(|community| community.seq))
        && saved.members.iter().all(|member| (1..=groups).contains(&member.community))
        && saved.communities.iter().all(|community| {
            (1..=managers).contains(&community.manager)
                && community.members.iter().all(|seq| (1..=members).contains(seq))
        })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("people", bytes)?;
    if !whole(&saved) {
        let text = "section `people`: members, groups and managers do not fit together";
        return Err(RestoreError::Unreadable(text.to_owned()));
    }
    let mut people = People { tags: saved.tags, ..People::default() };
    for seq in 1..=saved.managers {
        people
            .managers
            .push(world.spawn((Manager { seq }, crate::moments::SenderLog::default())).id());
    }
    for community in saved.communities {
        let standings = crate::board::Standings::default();
        people.communities.push(world.spawn((community, standings)).id());
    }
    world.insert_resource(Column::restored(saved.members.into_owned()));
    world.insert_resource(people);
    Ok(())
}
