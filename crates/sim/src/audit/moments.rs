//! Posts and reactions: how often a sender may post, and that a reaction counts once.

use std::collections::BTreeMap;

use dengmi_content::PackQuestion;
use dengmi_core::command::{Key, Person, Reaction};
use dengmi_core::text::{FoldedHash, fold};
use dengmi_core::view::EventKind;
use dengmi_core::{
    Action, Cause, CommunityId, Day, Fact, FactKind, LedgerEntry, ManagerId, PeriodKind, PostId,
    Receipt, Reject, RunId, Timestamp,
};

use super::books::Back;
use super::days::{day_of, first_of, placed};
use super::{Answered, Auditor, Edge, Tick};

/// Posts a day and sender that no quest can raise.
const POSTS_PER_DAY_MAX: u8 = 3;

#[derive(Default)]
struct Done {
    liked: bool,
    commented: bool,
    like_told: bool,
    comment_told: bool,
    text_taken: bool,
    comment_day: Day,
    /// Entry and points of what the like and the comment earned and nobody took back.
    like_paid: Vec<(u64, i64)>,
    comment_paid: Vec<(u64, i64)>,
}

pub(super) struct Post {
    pub(super) run: u32,
    at: Timestamp,
    pub(super) closes: Timestamp,
    pub(super) closed: bool,
    done: BTreeMap<u32, Done>,
}

impl Post {
    /// Members who like it, and members whose comment stands.
    pub(super) fn counts(&self) -> (u32, u32) {
        let count = |of: fn(&Done) -> bool| self.done.values().filter(|done| of(done)).count();
        (count(|done| done.liked) as u32, count(|done| done.commented) as u32)
    }
}

/// Texts that answer a question in a comment.
fn right_comments(question: &PackQuestion) -> Vec<FoldedHash> {
    let texts: Vec<String> = match &question.key {
        Key::Text(hashes) => return hashes.clone(),
        Key::One(right) => {
            let option = question.options.get(usize::from(*right));
            option.map_or_else(Vec::new, |text| text.iter().map(|(_, t)| t.to_owned()).collect())
        }
        Key::Number { value, .. } => {
            let suffixes = question.unit.map_or(("", ""), |unit| unit.suffix());
            ["", suffixes.0, suffixes.1].iter().map(|suffix| format!("{value}{suffix}")).collect()
        }
        Key::Bool(true) => ["对", "正确", "true"].map(str::to_owned).to_vec(),
        Key::Bool(false) => ["错", "错误", "false"].map(str::to_owned).to_vec(),
        Key::Many(_) | Key::Everyone => Vec::new(),
    };
    texts.iter().filter(|text| !fold(text).is_empty()).map(|text| FoldedHash::of(text)).collect()
}

impl Auditor {
    pub(super) fn publish(
        &mut self,
        tick: &mut Tick<'_>,
        id: RunId,
        manager: ManagerId,
    ) -> Answered {
        let run = self.runs.get(&id.seq).ok_or(Reject::UnknownRun)?;
        let rules = run.moments().ok_or(Reject::WrongKind)?;
        if !(1..=self.people.managers).contains(&manager.seq) {
            return Err(Reject::UnknownManager);
        }
        let day = day_of(run.calendar, tick.at);
        if run.ended.is_some() || day > run.last {
            return Err(Reject::RunEnded);
        }
        if day < run.first {
            return Err(Reject::NotStarted);
        }
        // Counted by sender, whichever run a post belongs to. Where days turn at other times in
        // another run, a sender's day is the latest that one of their posts had.
        let sent = self.sent.entry(manager.seq).or_default();
        let day = sent.iter().copied().fold(day, Day::max);
        let today = sent.iter().filter(|on| **on == day).count();
        let week = first_of(PeriodKind::Week, day);
        let this_week = sent.iter().filter(|on| first_of(PeriodKind::Week, **on) == week).count();
        let per_day = usize::from(rules.posts_per_day.min(POSTS_PER_DAY_MAX));
        let per_week = usize::from(rules.posts_per_week);
        if today >= per_day || (per_week > 0 && this_week >= per_week) {
            return Err(Reject::TooManyPosts);
        }
        sent.push(day);
        sent.retain(|on| on.0 > day.0 - 14);
        let closes = tick.at.plus_ms(i64::from(rules.window_hours) * 3_600_000);
        self.last_post += 1;
        let seq = self.last_post;
        let done = BTreeMap::new();
        self.posts.insert(seq, Post { run: id.seq, at: tick.at, closes, closed: false, done });
        self.diary.insert((closes, super::runs::Due::ClosePost(seq)));
        let id = PostId::new(self.branch, seq);
        tick.events.push((None, EventKind::PostPublished(id)));
        self.seen.mark(Edge::PostPublished);
        Ok(Receipt::Post(id))
    }

    pub(super) fn react(&mut self, tick: &mut Tick<'_>, action: &Action) -> Option<Answered> {
        let Action::React { post, person, reaction, occurred } = action else { return None };
        Some(self.serve_reaction(tick, *post, *person, *reaction, *occurred))
    }

    fn serve_reaction(
        &mut self,
        tick: &mut Tick<'_>,
        post_id: PostId,
        person: Person,
        reaction: Reaction,
        occurred: Option<Timestamp>,
    ) -> Answered {
        let post = self.posts.get_mut(&post_id.seq).ok_or(Reject::UnknownPost)?;
        let Person::Member(id) = person else { return Err(Reject::StaffExcluded) };
        let member = self.people.acting(id)?;
        let run = self.runs.get(&post.run).ok_or(Reject::UnknownRun)?;
        let rules = run.moments().ok_or(Reject::WrongKind)?;
        let at = placed(run.calendar, tick.at, occurred).ok_or(Reject::TooLate)?;
        let undoing = matches!(reaction, Reaction::Unlike | Reaction::Uncomment);
        if undoing && !post.done.contains_key(&id.seq) {
            return Ok(Receipt::Reacted { counted: false });
        }
        if !undoing {
            if !run.invites(member) {
                return Err(Reject::NotInvited);
            }
            if !(post.at..=post.closes).contains(&at) || run.ended.is_some() {
                return Err(Reject::PostClosed);
            }
        }
        let run_id = RunId::new(self.branch, post.run);
        let done = post.done.entry(id.seq).or_default();
        let mut day = day_of(run.calendar, at);
        let (mut counted, mut told, mut undone) = (false, None, None);
        match reaction {
            Reaction::Like => {
                counted = !done.liked;
                done.liked = true;
                if !std::mem::replace(&mut done.like_told, true) {
                    told = Some(FactKind::Liked { post: post_id });
                    self.seen.mark(Edge::LikeTold);
                }
            }
            Reaction::Comment(text) => {
                let first_text = text.filter(|_| !done.text_taken);
                done.text_taken |= text.is_some();
                counted = !done.commented || first_text.is_some();
                done.commented = true;
                let pack = &self.packs[&run.pack];
                let question = rules.question.as_ref();
                let question = question.and_then(|slug| pack.questions.get(pack.current(slug)));
                let answered = first_text
                    .zip(question)
                    .is_some_and(|(text, question)| right_comments(question).contains(&text));
                let again = std::mem::replace(&mut done.comment_told, true);
                if again {
                    day = done.comment_day;
                } else {
                    done.comment_day = day;
                }
                if answered || !again {
                    told = Some(FactKind::Commented { post: post_id, answered, again });
                    self.seen.mark(match (again, answered) {
                        (true, _) => Edge::CommentAnsweredLater,
                        (false, true) => Edge::CommentAnswered,
                        (false, false) => Edge::CommentTold,
                    });
                }
            }
            Reaction::Unlike if done.liked => {
                done.liked = false;
                undone = Some((Cause::Like(run_id, post_id), std::mem::take(&mut done.like_paid)));
            }
            Reaction::Uncomment if done.commented => {
                done.commented = false;
                let paid = std::mem::take(&mut done.comment_paid);
                undone = Some((Cause::Comment(run_id, post_id), paid));
            }
            Reaction::Unlike | Reaction::Uncomment => {}
        }
        if let Some((origin, paid)) = undone {
            counted = true;
            self.seen.mark(if paid.is_empty() { Edge::Undone } else { Edge::UndonePaid });
            // What was told in this batch is not told at all.
            let about = |fact: &Fact| match (origin, fact.kind) {
                (Cause::Like(..), FactKind::Liked { post })
                | (Cause::Comment(..), FactKind::Commented { post, .. }) => post == post_id,
                _ => false,
            };
            let before = tick.reactions.len();
            tick.reactions.retain(|fact| fact.member != id || !about(fact));
            if tick.reactions.len() < before {
                self.seen.mark(Edge::UndoneUntold);
            }
            tick.backs.extend(paid.into_iter().map(|(entry, points)| Back {
                member: id.seq,
                entry,
                points,
                origin,
                refund: None,
            }));
        }
        if let Some(kind) = told {
            let community = CommunityId::new(self.branch, member.community);
            tick.reactions.push(Fact { member: id, community, run: run_id, day, at, kind });
        }
        Ok(Receipt::Reacted { counted })
    }

    /// Notes what reactions earned, so that undoing them takes it back.
    pub(super) fn note_reactions(&mut self, entry: &LedgerEntry, member: u32) {
        let (Cause::Like(_, post) | Cause::Comment(_, post)) = entry.cause else { return };
        let done = self.posts.get_mut(&post.seq).and_then(|post| post.done.get_mut(&member));
        if let Some(done) = done {
            let paid = (entry.id, entry.points.0);
            match entry.cause {
                Cause::Like(..) => done.like_paid.push(paid),
                _ => done.comment_paid.push(paid),
            }
        }
    }
}
