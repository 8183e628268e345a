//! Moments challenges. Reads [`ReactRequest`], [`BatchCommands`] and [`Posted`]; writes [`Happened`]
//! and [`TakeBack`]; owns [`Post`], [`Reactions`] and [`SenderLog`].
//!
//! A reaction counts once for (post, person, kind), however often a channel reports it. What an
//! undone reaction earned is taken back, and doing it again earns nothing.

use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_content::model::quest::MomentsChallenge;
use dengmi_content::{Pack, PackQuestion};
use dengmi_core::command::{Key, Person, Reaction};
use dengmi_core::text::{FoldedHash, fold};
use dengmi_core::view::EventKind;
use dengmi_core::{
    Action, Cause, CommunityId, Day, Fact, FactKind, ManagerId, Points, PostId, Receipt, Reject,
    RunId, Timestamp, mutant,
};
use serde::{Deserialize, Serialize};

use crate::RestoreError;
use crate::clock::{Due, DueQueue};
use crate::column::Column;
use crate::kernel::{
    Builder, Happened, Now, Outcomes, Phase, Section, Setup, Touched, decode, encode,
    serve_requests,
};
use crate::ledger::{Books, Posted, TakeBack};
use crate::numbered::Numbered;
use crate::outreach::Announced;
use crate::people::{Member, People, column};
use crate::roster::Roster;
use crate::runs::{Run, RunIndex, RunPlan, Runs};
use crate::stream::{Reader, Stream, Writer};

/// Posts a day and sender that no quest can raise (s004).
const POSTS_PER_DAY_MAX: u8 = 3;

/// A manager's post.
#[derive(Component, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) seq: u32,
    pub(crate) run: u32,
    pub(crate) manager: u32,
    pub(crate) at: Timestamp,
    pub(crate) closes: Timestamp,
    pub(crate) closed: bool,
    pub(crate) likes: u32,
    pub(crate) comments: u32,
}

/// What one member did under one post. There is one for everybody who reacts, so it is small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reacted {
    /// Bits of [`Did`].
    did: u8,
    /// How many days after the post's the comment was first told. Its answer counts for that day
    /// too, so that one version of each rule decides about both.
    comment_day: u8,
}

/// What a member may have done, or had happen, under a post.
#[derive(Clone, Copy)]
enum Did {
    Like,
    Comment,
    /// The like was told to the rules; it is never told again.
    TellLike,
    TellComment,
    /// The first text that was known was taken as the answer.
    GiveText,
    /// What the like earned is among what the post paid.
    EarnByLike,
    EarnByComment,
}

impl Reacted {
    fn has(self, what: Did) -> bool {
        self.did >> what as u8 & 1 == 1
    }

    /// Sets or clears; whether it was set before.
    fn set(&mut self, what: Did, on: bool) -> bool {
        let was = self.has(what);
        let bit = 1 << what as u8;
        self.did = if on { self.did | bit } else { self.did & !bit };
        was
    }
}

/// An entry that a reaction earned. There is one for each reaction that counts, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Paid {
    /// How far behind the first entry of the post.
    behind: u32,
    member: u32,
    /// Points, and in the highest bit whether it was a comment that earned them.
    points: u32,
}

impl Paid {
    const COMMENT: u32 = 1 << 31;

    fn new(behind: u64, member: u32, points: Points, of: Undone) -> Self {
        // A post closes long before so many entries follow that its first is out of reach.
        let behind = u32::try_from(behind).unwrap_or(u32::MAX);
        let points = u32::try_from(points.0).expect("an award is at most POINTS_MAX");
        let kind = if of == Undone::Comment { Self::COMMENT } else { 0 };
        Self { behind, member, points: points | kind }
    }

    fn of(&self) -> Undone {
        if self.points & Self::COMMENT == 0 { Undone::Like } else { Undone::Comment }
    }

    fn points(&self) -> i64 {
        i64::from(self.points & !Self::COMMENT)
    }
}

/// Reactions to a post, and what they earned that still stands, by entry.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reactions {
    rows: Roster<Reacted>,
    /// The first entry that any of them earned.
    first: u64,
    paid: Vec<Paid>,
}

/// When a manager posted last: on which day how often, in which week how often.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SenderLog {
    day: (Day, u8),
    week: (Day, u8),
}

/// What a Moments run plays by.
#[derive(Clone, Debug)]
pub(crate) struct MomentsPlan {
    window_ms: i64,
    per_day: u8,
    per_week: u8,
    /// Folded hashes of the texts that answer the question.
    answers: Arc<[FoldedHash]>,
}

/// A reaction to a post.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReactRequest {
    pub(crate) index: u32,
    pub(crate) post: PostId,
    pub(crate) person: Person,
    pub(crate) reaction: Reaction,
    pub(crate) occurred: Option<Timestamp>,
}

/// Posts that are not forgotten yet.
pub(crate) type PostIndex = Numbered<Post>;

impl MomentsPlan {
    pub(crate) fn of(challenge: &MomentsChallenge, pack: &Pack) -> Self {
        let question =
            challenge.question.as_ref().and_then(|id| pack.questions.get(pack.current(id)));
        Self {
            window_ms: i64::from(challenge.window_hours) * 3_600_000,
            per_day: challenge.posts_per_day.min(POSTS_PER_DAY_MAX),
            per_week: challenge.posts_per_week,
            answers: question.map_or_else(Vec::new, comment_answers).into(),
        }
    }
}

/// Texts that answer a question in a comment: what is typed for a typed or numeric question (the
/// exact number, with or without its unit), the text of the right option for a choice, 对 or 错.
fn comment_answers(question: &PackQuestion) -> Vec<FoldedHash> {
    let texts: Vec<String> = match &question.key {
        Key::Text(hashes) => return hashes.clone(),
        Key::One(right) => {
            let option = question.options.get(usize::from(*right));
            option.map_or_else(Vec::new, |text| text.iter().map(|(_, t)| t.to_owned()).collect())
        }
        Key::Number { value, .. } => {
            let (zh, en) = question.unit.map_or(("", ""), |unit| unit.suffix());
            vec![value.to_string(), format!("{value}{zh}"), format!("{value}{en}")]
        }
        Key::Bool(true) => vec!["对".to_owned(), "正确".to_owned(), "true".to_owned()],
        Key::Bool(false) => vec!["错".to_owned(), "错误".to_owned(), "false".to_owned()],
        Key::Many(_) | Key::Everyone => Vec::new(),
    };
    texts.iter().filter(|text| !fold(text).is_empty()).map(|text| FoldedHash::of(text)).collect()
}

impl SenderLog {
    /// Counts one more post on `day` of the week beginning `week`, within the limits.
    fn post(&mut self, day: Day, week: Day, per_day: u8, per_week: u8) -> Result<(), Reject> {
        // Days turn at other times in other runs: what a sender posts after their day has turned in
        // one of them counts for that day, or posting in turns would know no limit.
        let (day, week) = (day.max(self.day.0), week.max(self.week.0));
        let today = if self.day.0 == day { self.day.1 } else { 0 };
        let this_week = if self.week.0 == week { self.week.1 } else { 0 };
        let per_day = per_day + u8::from(mutant::planted("moments/one-post-more"));
        if today >= per_day || (per_week > 0 && this_week >= per_week) {
            return Err(Reject::TooManyPosts);
        }
        self.day = (day, today + 1);
        self.week = (week, this_week.saturating_add(1));
        Ok(())
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<PostIndex>()
        .message::<ReactRequest>()
        .systems(Phase::Moments, (publish, react).chain())
        .paying(
            Phase::Notes,
            note_awards.after(crate::quiz::note_awards),
            note_awards.after(crate::quiz::note_awards),
        )
        .section(Section { name: "moments", version: 2, save, restore });
}

fn publish(world: &mut World) {
    serve_requests(world, |world, command| match command.action {
        Action::Publish { run, manager } => Some(publish_one(world, run, manager)),
        _ => None,
    });
}

fn publish_one(world: &mut World, run_id: RunId, manager: ManagerId) -> Result<Receipt, Reject> {
    let now = world.resource::<Now>().at;
    let run_entity = world.resource::<RunIndex>().entity(run_id.seq).ok_or(Reject::UnknownRun)?;
    let run = world.get::<Run>(run_entity).ok_or(Reject::UnknownRun)?.clone();
    let plan = world.get::<RunPlan>(run_entity).and_then(|plan| plan.moments.clone());
    let plan = plan.ok_or(Reject::WrongKind)?;
    let sender = world.resource::<People>().manager(manager.seq).ok_or(Reject::UnknownManager)?;
    let day = run.calendar.day_of(now);
    if run.ended.is_some() || day > run.last {
        return Err(Reject::RunEnded);
    }
    if day < run.first {
        return Err(Reject::NotStarted);
    }
    let week = dengmi_core::Period::containing(dengmi_core::PeriodKind::Week, day).first;
    let mut log = world.get_mut::<SenderLog>(sender).ok_or(Reject::UnknownManager)?;
    log.post(day, week, plan.per_day, plan.per_week)?;
    let seq = world.resource::<PostIndex>().next();
    let post = Post {
        seq,
        run: run.seq,
        manager: manager.seq,
        at: now,
        closes: now.plus_ms(plan.window_ms),
        closed: false,
        likes: 0,
        comments: 0,
    };
    let closes = post.closes;
    let entity = world.spawn((post, Reactions::default())).id();
    world.resource_mut::<PostIndex>().push(entity);
    world.resource_mut::<DueQueue>().add(closes, Due::PostCloses { post: seq });
    let id = PostId::new(world.resource::<Setup>().branch, seq);
    announce(world, EventKind::PostPublished(id));
    Ok(Receipt::Post(id))
}

fn announce(world: &mut World, kind: EventKind) {
    world.resource_mut::<Stream<Announced>>().write(Announced { community: None, kind });
    world.resource_mut::<Touched>().catalog = true;
}

/// What a reaction changes.
#[derive(Default)]
struct Change {
    counted: bool,
    fact: Option<FactKind>,
    undone: Option<Undone>,
    /// What was undone had earned something, which is to be taken back.
    unpaid: bool,
}

/// What was undone, or can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undone {
    Like,
    Comment,
}

impl Undone {
    /// Whether a fact told what is now undone.
    fn told_by(self, kind: FactKind, undone: PostId) -> bool {
        match (self, kind) {
            (Self::Like, FactKind::Liked { post })
            | (Self::Comment, FactKind::Commented { post, .. }) => post == undone,
            _ => false,
        }
    }

    fn cause(self, run: RunId, post: PostId) -> Cause {
        match self {
            Self::Like => Cause::Like(run, post),
            Self::Comment => Cause::Comment(run, post),
        }
    }
}

/// Applies a reaction to a member's row and the post's counts.
fn apply(
    reaction: Reaction,
    post: &mut Post,
    id: PostId,
    row: &mut Reacted,
    answers: &[FoldedHash],
) -> Change {
    let mut change = Change::default();
    match reaction {
        Reaction::Like if !row.has(Did::Like) => {
            row.set(Did::Like, true);
            post.likes += 1;
            change.counted = true;
            if !row.set(Did::TellLike, true) {
                change.fact = Some(FactKind::Liked { post: id });
            }
        }
        Reaction::Unlike if row.has(Did::Like) => {
            row.set(Did::Like, false);
            post.likes -= 1;
            change.counted = true;
            change.undone = Some(Undone::Like);
            change.unpaid = row.set(Did::EarnByLike, false);
        }
        Reaction::Comment(text) => {
            let first_text = text.filter(|_| !row.has(Did::GiveText));
            if text.is_some() {
                row.set(Did::GiveText, true);
            }
            let answered = first_text.is_some_and(|text| answers.contains(&text));
            let again = row.has(Did::TellComment);
            if !row.set(Did::Comment, true) {
                post.comments += 1;
                change.counted = true;
            }
            change.counted |= first_text.is_some();
            // Told once, and once more where the text came later and answers the question.
            if !again || answered {
                row.set(Did::TellComment, true);
                change.fact = Some(FactKind::Commented { post: id, answered, again });
            }
        }
        Reaction::Uncomment if row.has(Did::Comment) => {
            row.set(Did::Comment, false);
            post.comments -= 1;
            change.counted = true;
            change.undone = Some(Undone::Comment);
            change.unpaid = row.set(Did::EarnByComment, false);
        }
        _ => {}
    }
    change
}

#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn react(
    setup: Res<Setup>,
    now: Res<Now>,
    members: Res<Column<Member>>,
    runs: Runs,
    index: Res<PostIndex>,
    mut posts: Query<(&mut Post, &mut Reactions)>,
    requests: Reader<ReactRequest>,
    mut facts: Writer<Happened>,
    mut back: Writer<TakeBack>,
    mut outcomes: ResMut<Outcomes>,
    mut touched: ResMut<Touched>,
) {
    // Told at the end, because what is undone in the same batch is not told at all.
    let mut told: Vec<Fact> = Vec::new();
    for request in requests.read() {
        let mut serve = || {
            let entity = index.entity(request.post.seq).ok_or(Reject::UnknownPost)?;
            let (mut post, mut reactions) =
                posts.get_mut(entity).map_err(|_| Reject::UnknownPost)?;
            let id = match request.person {
                Person::Staff(_) => return Err(Reject::StaffExcluded),
                Person::Member(id) => id,
            };
            let member = members.acting(id)?;
            let (_, run, plan) = runs.get(post.run).ok_or(Reject::UnknownRun)?;
            let moments = plan.moments.as_ref().ok_or(Reject::WrongKind)?;
            let calendar = run.calendar;
            let at = match request.occurred {
                Some(at) => calendar.place(now.at, at).ok_or(Reject::TooLate)?,
                None => now.at,
            };
            // Undoing is possible as long as the post is remembered, also from another group.
            let undoing = matches!(request.reaction, Reaction::Unlike | Reaction::Uncomment);
            if undoing && reactions.rows.get(id.seq).is_none() {
                return Ok(Receipt::Reacted { counted: false });
            }
            if !undoing && !run.invites(plan, member.community, member.kind) {
                return Err(Reject::NotInvited);
            }
            if !undoing && (at < post.at || at > post.closes || run.ended.is_some()) {
                return Err(Reject::PostClosed);
            }
            let Reactions { rows, first, paid } = &mut *reactions;
            let (_, row) = rows.entry(id.seq, Default::default);
            let change = apply(request.reaction, &mut post, request.post, row, &moments.answers);
            if change.counted {
                touched.catalog = true;
            }
            let run = RunId::new(setup.branch, post.run);
            if let Some(undone) = change.undone {
                told.retain(|fact| fact.member != id || !undone.told_by(fact.kind, request.post));
                let origin = undone.cause(run, request.post);
                // Nobody does this twice under one post: what is done again earns nothing.
                if change.unpaid && !mutant::planted("moments/undone-keeps") {
                    let mine = |one: &mut Paid| one.member == id.seq && one.of() == undone;
                    back.write_batch(paid.extract_if(.., mine).map(|paid| {
                        let (entry, points) = (*first + u64::from(paid.behind), paid.points());
                        TakeBack { member: id.seq, entry, points, origin, refund: None }
                    }));
                    touched.member(id.seq);
                }
            }
            if let Some(kind) = change.fact {
                let mut day = calendar.day_of(at);
                let posted = calendar.day_of(post.at);
                match kind {
                    FactKind::Commented { again: true, .. } => {
                        day = posted.plus(i32::from(row.comment_day));
                    }
                    FactKind::Commented { again: false, .. } => {
                        // A post takes comments for days at most.
                        row.comment_day = u8::try_from(day.0 - posted.0).unwrap_or(u8::MAX);
                    }
                    _ => {}
                }
                let community = CommunityId::new(setup.branch, member.community);
                told.push(Fact { member: id, community, run, day, at, kind });
            }
            Ok(Receipt::Reacted { counted: change.counted })
        };
        let result = serve();
        outcomes.set(request.index, result);
    }
    facts.write_batch(told.into_iter().map(Happened));
}

/// Remembers which entries reactions earned, so that undoing can take them back.
fn note_awards(
    index: Res<PostIndex>,
    mut posts: Query<&mut Reactions>,
    books: Res<Books>,
    posted: Reader<Posted>,
) {
    for posted in posted.read() {
        let entry = books.entry(posted);
        let (post, of) = match entry.cause {
            Cause::Like(_, post) => (post, Undone::Like),
            Cause::Comment(_, post) => (post, Undone::Comment),
            _ => continue,
        };
        let reactions = index.entity(post.seq).and_then(|entity| posts.get_mut(entity).ok());
        let Some((mut reactions, (member, points))) = reactions.zip(entry.member_change()) else {
            continue;
        };
        let Reactions { rows, first, paid } = &mut *reactions;
        let Some(row) = rows.get_mut(member.seq) else { continue };
        match of {
            Undone::Like => row.set(Did::EarnByLike, true),
            Undone::Comment => row.set(Did::EarnByComment, true),
        };
        if paid.is_empty() {
            *first = entry.id;
        }
        paid.push(Paid::new(entry.id.saturating_sub(*first), member.seq, points, of));
    }
}

/// Closes a post whose window is over.
pub(crate) fn close_post(world: &mut World, seq: u32) {
    let Some(entity) = world.resource::<PostIndex>().entity(seq) else { return };
    let mut post = world.get_mut::<Post>(entity).expect("indexed posts are whole");
    if !std::mem::replace(&mut post.closed, true) {
        // From now on reactions are only undone.
        let mut reactions = world.get_mut::<Reactions>(entity).expect("indexed posts are whole");
        reactions.rows.settle();
        reactions.paid.shrink_to_fit();
        let id = PostId::new(world.resource::<Setup>().branch, seq);
        announce(world, EventKind::PostClosed(id));
    }
}

fn posts_of(world: &World, run: u32) -> Vec<u32> {
    let posts = world.resource::<PostIndex>().live();
    let posts = posts.filter_map(|entity| world.get::<Post>(entity));
    posts.filter(|post| post.run == run).map(|post| post.seq).collect()
}

/// When the window of a run's last open post ends, if one is open.
pub(crate) fn closes_last(world: &World, run: u32) -> Option<Timestamp> {
    let posts = world.resource::<PostIndex>().live();
    let posts = posts.filter_map(|entity| world.get::<Post>(entity));
    posts.filter(|post| post.run == run && !post.closed).map(|post| post.closes).max()
}

/// Closes the posts of a run that ends.
pub(crate) fn close_posts_of(world: &mut World, run: u32) {
    for seq in posts_of(world, run) {
        close_post(world, seq);
    }
}

/// Drops the posts of a run that is forgotten.
pub(crate) fn forget_posts_of(world: &mut World, run: u32) {
    for seq in posts_of(world, run) {
        let post = world.resource_mut::<PostIndex>().remove(seq);
        if let Some(entity) = post {
            world.despawn(entity);
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    published: u32,
    posts: Vec<Post>,
    reactions: Vec<Reactions>,
    senders: Vec<SenderLog>,
}

fn save(world: &mut World) -> Vec<u8> {
    let index = world.resource::<PostIndex>();
    let live: Vec<Entity> = index.live().collect();
    encode(&Saved {
        published: index.last(),
        posts: column(world, &live),
        reactions: column(world, &live),
        senders: column(world, &world.resource::<People>().managers),
    })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("moments", bytes)?;
    let broken = || RestoreError::Unreadable("section `moments`: a post is incomplete".to_owned());
    if saved.reactions.len() != saved.posts.len()
        || saved.senders.len() != world.resource::<People>().managers.len()
    {
        return Err(broken());
    }
    let mut live = Vec::new();
    for (post, reactions) in saved.posts.into_iter().zip(saved.reactions) {
        let standing =
            |what| reactions.rows.by_member().filter(|(_, _, row)| row.has(what)).count();
        let counted = [standing(Did::Like), standing(Did::Comment)];
        let sound = reactions.first <= u64::MAX / 2;
        if counted != [post.likes as usize, post.comments as usize] || !sound {
            return Err(broken());
        }
        let seq = post.seq;
        live.push((seq, world.spawn((post, reactions)).id()));
    }
    let index = PostIndex::restored(saved.published, live).ok_or_else(broken)?;
    world.insert_resource(index);
    let managers = world.resource::<People>().managers.clone();
    for (entity, log) in managers.into_iter().zip(saved.senders) {
        world.entity_mut(entity).insert(log);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
