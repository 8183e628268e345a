//! One command, drawn.

use dengmi_content::Pack;
use dengmi_content::model::QuestKind;
use dengmi_core::command::{ConsentPurpose, Person, Reaction, RepairReason};
use dengmi_core::id::Id;
use dengmi_core::text::FoldedHash;
use dengmi_core::view::RunView;
use dengmi_core::{
    Action, Actor, BranchId, Calendar, Command, CommunityId, Day, Digest, MemberId, Points,
    Timestamp,
};

use super::Workload;
use crate::answering::comment_answer;
use crate::dice::Dice;

/// What a command is about, by how often it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    CheckIn,
    MakeUp,
    Repair,
    Answer,
    GrantTime,
    CorrectKey,
    Publish,
    React,
    Redeem,
    Reverse,
    Join,
    Move,
    Leave,
    Erase,
    Tag,
    Consent,
    Show,
    Manager,
    Group,
    Launch,
    Stop,
    Adopt,
    Course,
    Mock,
}

pub(super) const TOPICS: &[(u32, Topic)] = &[
    (230, Topic::CheckIn),
    (45, Topic::MakeUp),
    (25, Topic::Repair),
    (240, Topic::Answer),
    (20, Topic::GrantTime),
    (45, Topic::CorrectKey),
    (50, Topic::Publish),
    (160, Topic::React),
    (35, Topic::Redeem),
    (30, Topic::Reverse),
    (25, Topic::Join),
    (20, Topic::Move),
    (8, Topic::Leave),
    (4, Topic::Erase),
    (20, Topic::Tag),
    (20, Topic::Consent),
    (5, Topic::Show),
    (2, Topic::Manager),
    (4, Topic::Group),
    (45, Topic::Launch),
    (3, Topic::Stop),
    (3, Topic::Adopt),
    (300, Topic::Course),
    (300, Topic::Mock),
];

/// An id that is mostly one of `known`; else one that nobody has, or another branch's.
pub(super) fn any_id<K>(dice: &mut Dice, branch: BranchId, known: &[Id<K>]) -> Id<K> {
    match dice.below(100) {
        0 => Id::new(BranchId(branch.0 ^ 1), 1),
        1 => Id::new(branch, *dice.pick(&[0, 4_000, u32::MAX]).unwrap_or(&0)),
        _ => dice.pick(known).copied().unwrap_or(Id::new(branch, 1)),
    }
}

impl Workload {
    /// A command, unless the campaign has nothing yet that it could be about.
    pub(super) fn draw(&mut self) -> Option<Command> {
        let topic = self.dice.weighted(&self.habits.topics);
        if topic == Topic::Join && self.present.len() >= self.habits.members_max as usize {
            return None;
        }
        let action = self.action(topic)?;
        Some(Command { actor: self.actor(&action), action })
    }

    /// Mostly who may; now and then somebody else.
    fn actor(&mut self, action: &Action) -> Actor {
        let stranger = Actor::Member(MemberId::new(self.config.branch, 1));
        if self.dice.percent(2) {
            return stranger;
        }
        let own = match action {
            Action::CheckIn { member, .. }
            | Action::MakeUp { member, .. }
            | Action::Answer { member, .. }
            | Action::Leave { member }
            | Action::Consent { member, .. }
            | Action::ShowOnBoards { member, .. }
            | Action::React { person: Person::Member(member), .. } => Some(*member),
            Action::Course(action) if action.is_for_members() => action.member(),
            _ => None,
        };
        match own {
            Some(member) if self.dice.percent(70) => Actor::Member(member),
            Some(_) => Actor::Channel,
            None => Actor::Operator(1),
        }
    }

    /// Half of the time one of a few who do very much, so that what takes many steps happens too.
    pub(super) fn member(&mut self) -> MemberId {
        let branch = self.config.branch;
        if self.habits.present && self.dice.percent(93) && !self.present.is_empty() {
            let few = if self.dice.percent(50) { 6 } else { usize::MAX };
            let known = &self.present[..self.present.len().min(few)];
            return any_id(&mut self.dice, branch, known);
        }
        let among = if self.dice.percent(50) { self.members.min(6) } else { self.members };
        let known = MemberId::new(branch, 1 + self.dice.below(among.max(1)));
        any_id(&mut self.dice, branch, &[known])
    }

    /// Any member: those who do much should not all be gone soon.
    pub(super) fn anybody(&mut self) -> MemberId {
        let branch = self.config.branch;
        let known = MemberId::new(branch, 1 + self.dice.below(self.members.max(1)));
        any_id(&mut self.dice, branch, &[known])
    }

    pub(super) fn community(&mut self) -> CommunityId {
        let closed_too = self.dice.percent(8);
        let open = |id: &CommunityId| closed_too || !self.dissolved.contains(id);
        let all = self.catalog.communities.iter().map(|group| group.id);
        let known: Vec<CommunityId> = all.filter(open).collect();
        any_id(&mut self.dice, self.config.branch, &known)
    }

    /// A run whose quest is `wanted`, mostly; now and then any.
    fn run(&mut self, wanted: impl Fn(&QuestKind) -> bool) -> dengmi_core::RunId {
        let any = self.dice.percent(4);
        let fits = |run: &&RunView| {
            let quest = self.packs.get(&run.content).and_then(|pack| pack.quest(&run.quest));
            any || quest.is_some_and(|quest| wanted(&quest.kind))
        };
        let runs: Vec<_> = self.catalog.runs.iter().filter(fits).collect();
        // Those that run today more often than those that are over or have not begun.
        let today = self.today();
        let live = |run: &&&RunView| run.ended.is_none() && (run.first..=run.last).contains(&today);
        let live: Vec<_> = runs.iter().filter(live).map(|run| run.id).collect();
        let all: Vec<_> = runs.iter().map(|run| run.id).collect();
        let known = if self.dice.percent(93) && !live.is_empty() { live } else { all };
        // The oldest again and again, so that something comes together there.
        let known = if self.dice.percent(50) { known.get(..1).unwrap_or(&known) } else { &known };
        any_id(&mut self.dice, self.config.branch, known)
    }

    /// A member who would make up every missed day.
    pub(super) fn fill_gaps(&mut self) -> Vec<Command> {
        let run = self.run(is_streak);
        let member = MemberId::new(self.config.branch, 1 + self.dice.below(self.members.min(6)));
        let days = (1..6).map(|back| self.today().plus(-back));
        let actor = Actor::Member(member);
        days.map(|day| Command { actor, action: Action::MakeUp { member, run, day } }).collect()
    }

    /// When something happened: now, late, much too late, or in the future.
    fn occurred(&mut self) -> Option<Timestamp> {
        let back = match self.dice.below(20) {
            0..4 => i64::from(self.dice.below(30 * 60_000)),
            4 => i64::from(self.dice.below(11 * 3_600_000)),
            5 if self.dice.percent(40) => i64::from(self.dice.below(60)) * 86_400_000,
            6 if self.dice.percent(40) => -1 - i64::from(self.dice.below(3_600_000)),
            _ => return None,
        };
        Some(Timestamp(self.at.0 - back))
    }

    pub(super) fn today(&self) -> Day {
        Calendar::default().day_of(self.at)
    }

    fn action(&mut self, topic: Topic) -> Option<Action> {
        Some(match topic {
            Topic::CheckIn => self.check_in(),
            Topic::MakeUp => {
                let (run, member) = (self.run(is_streak), self.member());
                let day = self.today().plus(1 - self.dice.below(6) as i32);
                Action::MakeUp { member, run, day }
            }
            Topic::Repair => {
                let (run, member) = (self.run(is_streak), self.member());
                let days = *self.dice.pick(&[1, 2, 3, 9, 70, 3_650, 0, 3_651, u16::MAX])?;
                Action::RepairStreak { member, run, days, reason: RepairReason::ServiceFault }
            }
            Topic::Answer => self.answer()?,
            Topic::GrantTime => {
                let (round, member) = (self.round()?, self.member());
                let seconds = *self.dice.pick(&[1, 60, 3_600, 604_800, 0, 604_801])?;
                Action::GrantTime { member, round, seconds }
            }
            Topic::CorrectKey => self.correct_key()?,
            Topic::Publish => {
                let known = self.catalog.managers.clone();
                let manager = any_id(&mut self.dice, self.config.branch, &known);
                Action::Publish { run: self.run(is_moments), manager }
            }
            Topic::React => self.react()?,
            Topic::Redeem => {
                let points =
                    *self.dice.pick(&[1, 2, 5, 20, 100, 0, -1, 1_000_000_001, i64::MAX])?;
                let again = self.dice.percent(15);
                self.orders += u64::from(!again);
                let order = self.orders;
                Action::Redeem { member: self.member(), points: Points(points), order }
            }
            Topic::Reverse => self.reverse()?,
            Topic::Join => Action::Join { community: self.community() },
            Topic::Move => Action::Move { member: self.member(), to: self.community() },
            Topic::Leave => Action::Leave { member: self.anybody() },
            Topic::Erase => Action::Erase { member: self.anybody() },
            Topic::Tag => {
                let tag =
                    *self.dice.pick(&["vip", "payday", "new", "graduates", "graduates", "home"])?;
                let on = self.dice.percent(75);
                Action::Tag { member: self.member(), tag: tag.parse().ok()?, on }
            }
            Topic::Consent => {
                let purpose = *self.dice.pick(&[
                    ConsentPurpose::Activities,
                    ConsentPurpose::Activities,
                    ConsentPurpose::PublicName,
                    ConsentPurpose::Personalisation,
                    ConsentPurpose::Marketing,
                ])?;
                let (version, given) = (self.dice.below(3) as u16, self.dice.percent(85));
                Action::Consent { member: self.member(), purpose, version, given }
            }
            Topic::Show => {
                let shown = self.dice.percent(50);
                Action::ShowOnBoards { member: self.member(), shown }
            }
            Topic::Manager => Action::AddManager,
            Topic::Group => {
                let template = match self.dice.percent(80) {
                    true => self.dice.pick(&self.templates)?.clone(),
                    false => "no-such-kind".parse().ok()?,
                };
                let known = self.catalog.managers.clone();
                let manager = any_id(&mut self.dice, self.config.branch, &known);
                Action::OpenCommunity { template, manager }
            }
            Topic::Launch => self.launch()?,
            Topic::Course => self.course()?,
            Topic::Mock => self.mock()?,
            Topic::Stop => Action::Stop { run: self.run(|_| true) },
            Topic::Adopt => {
                let known: Vec<Digest> = self.packs.keys().copied().collect();
                let digest = match self.dice.percent(80) {
                    true => *self.dice.pick(&known)?,
                    false => Digest::of(b"nobody loaded this"),
                };
                Action::AdoptContent { digest }
            }
        })
    }

    fn check_in(&mut self) -> Action {
        let (run, member) = (self.run(is_streak), self.member());
        let view = self.catalog.runs.iter().find(|view| view.id == run);
        let phrases: &[String] = match view.and_then(|view| self.quest_of(view)) {
            Some(QuestKind::CheckInStreak(streak)) => &streak.phrases,
            _ => &[],
        };
        let run_day = view.map_or(0, |view| (self.today().0 - view.first.0).max(0) as usize);
        let todays = phrases.get(run_day % phrases.len().max(1)).map(|text| FoldedHash::of(text));
        let phrase = match self.dice.below(20) {
            0..2 => Some(FoldedHash::of("不是今天的口令")),
            2..4 => None,
            _ => todays,
        };
        Action::CheckIn { member, run, phrase, occurred: self.occurred() }
    }

    fn react(&mut self) -> Option<Action> {
        let closed_too = self.dice.percent(4);
        let open = self.catalog.posts.iter().filter(|post| closed_too || post.closes >= self.at);
        let known: Vec<_> = open.map(|post| post.id).collect();
        if known.is_empty() && self.dice.percent(98) {
            return None;
        }
        let post = any_id(&mut self.dice, self.config.branch, &known);
        let person = match self.dice.percent(95) {
            true => Person::Member(self.member()),
            false => {
                let known = self.catalog.managers.clone();
                Person::Staff(any_id(&mut self.dice, self.config.branch, &known))
            }
        };
        let view = self.catalog.posts.iter().find(|view| view.id == post);
        let run = view.and_then(|post| self.catalog.runs.iter().find(|run| run.id == post.run));
        let pack = run.and_then(|run| self.packs.get(&run.content));
        let answer = run.zip(pack).and_then(|(run, pack)| comment_answer(pack, &run.quest));
        let reaction = match self.dice.below(20) {
            0..6 => Reaction::Like,
            6..9 => Reaction::Unlike,
            9..13 => Reaction::Comment(answer),
            13..15 => Reaction::Comment(Some(FoldedHash::of("我猜的"))),
            15..17 => Reaction::Comment(None),
            _ => Reaction::Uncomment,
        };
        Some(Action::React { post, person, reaction, occurred: self.occurred() })
    }

    pub(super) fn quest_of(&self, run: &RunView) -> Option<&QuestKind> {
        let pack: &Pack = self.packs.get(&run.content)?;
        Some(&pack.quest(&run.quest)?.kind)
    }

    /// An award that really was booked, as the host would fill it in; or nothing that ever was.
    fn reverse(&mut self) -> Option<Action> {
        let entry = *self.dice.pick(&self.awards)?;
        let (member, points) = entry.member_change()?;
        let (id, points) = match self.dice.below(20) {
            0 => (0, points),
            1 => (u64::MAX, points),
            2 => (entry.id, Points(0)),
            3 => (entry.id, Points(-5)),
            _ => (entry.id, points),
        };
        let member = if self.dice.percent(5) { self.member() } else { member };
        Some(Action::Reverse { entry: id, member, points, cause: entry.cause })
    }

    fn launch(&mut self) -> Option<Action> {
        let quests: Vec<_> = self.packs[&self.first].quests.keys().cloned().collect();
        let quest = match self.dice.percent(94) {
            true => self.dice.pick(&quests)?.clone(),
            false => "no-such-quest".parse().ok()?,
        };
        let some = if self.dice.percent(30) { self.dice.below(4) } else { 0 };
        let communities = (0..some).map(|_| self.community()).collect();
        let days = *self.dice.pick(&[0, 0, 0, 1, 1, 2, 5, -1, 400])?;
        Some(Action::Launch { quest, communities, start: self.today().plus(days) })
    }
}

fn is_streak(kind: &QuestKind) -> bool {
    matches!(kind, QuestKind::CheckInStreak(_))
}

fn is_moments(kind: &QuestKind) -> bool {
    matches!(kind, QuestKind::MomentsChallenge(_))
}
