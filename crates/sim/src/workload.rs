//! Ordinary and hostile commands for one branch, drawn from a seed: a campaign with groups,
//! managers, members and launched quests, and batches that do everything a branch can be asked for,
//! rightly, wrongly, late and twice. The same seed gives the same batches for engines that behave
//! alike, which is what the tests built on it check.

mod answers;
mod course;
mod courses;
mod draw;
mod habits;
mod invest;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dengmi_content::{CheckOptions, Diagnostic, Pack, SourceFile, load};
use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::{CohortStage, CohortView, PupilView};
use dengmi_core::random::Seed;
use dengmi_core::view::{Catalog, CommunityView};
use dengmi_core::{
    Action, Actor, Batch, BranchId, Calendar, Command, CommunityId, Day, Digest, EntryKind,
    LedgerEntry, ManagerId, MemberId, Outcome, Receipt, Slug, Timestamp,
};
use dengmi_engine::{Applied, Engine, EngineConfig};

use crate::dice::Dice;

pub use habits::{Habits, Subject};

macro_rules! files {
    ($($path:literal = $file:literal,)*) => {
        &[$(($path, include_str!(concat!("workload/content/", $file)))),*]
    };
}

const FILES: &[(&str, &str)] = files! {
    "content/rewards/points.ron" = "points.ron",
    "content/rewards/check-in.ron" = "check-in.ron",
    "content/rewards/in-a-row.ron" = "in-a-row.ron",
    "content/rewards/comeback.ron" = "comeback.ron",
    "content/rewards/tagged.ron" = "tagged.ron",
    "content/rewards/scored.ron" = "scored.ron",
    "content/rewards/right.ron" = "right.ron",
    "content/rewards/round.ron" = "round.ron",
    "content/rewards/perfect.ron" = "perfect.ron",
    "content/rewards/answered.ron" = "answered.ron",
    "content/rewards/tried.ron" = "tried.ron",
    "content/rewards/liked.ron" = "liked.ron",
    "content/notices/notices.ron" = "notices.ron",
    "content/communities/small.ron" = "small.ron",
    "content/communities/night.ron" = "night.ron",
    "content/communities/lessons.ron" = "lessons.ron",
    "content/communities/graduates.ron" = "graduates.ron",
    "content/communities/home.ron" = "home.ron",
    "content/questions/bank.ron" = "questions.ron",
    "quests/quiz-close.ron" = "quiz-close.ron",
    "quests/quiz-once.ron" = "quiz-once.ron",
    "quests/quiz-tries.ron" = "quiz-tries.ron",
    "quests/streak-phrase.ron" = "streak-phrase.ron",
    "quests/streak-total.ron" = "streak-total.ron",
    "quests/moments.ron" = "moments.ron",
};

/// First day a campaign may begin on: 2026-11-16.
const FIRST: Day = Day(20_773);

/// Two packs in which everything that content can ask for occurs, small groups and short lives of
/// points included. The second pays more for a round.
///
/// # Errors
/// The checks of this release refuse them.
pub fn packs() -> Result<[Arc<Pack>; 2], Vec<Diagnostic>> {
    let [first, second] = files();
    Ok([pack(&first)?, pack(&second)?])
}

/// The files of both packs.
#[must_use]
pub fn files() -> [Vec<SourceFile>; 2] {
    ["PerRight(3)", "PerRight(4)"].map(|paid| {
        let courses = course::files().into_iter();
        let courses = courses.map(|(path, text)| SourceFile { path, text });
        let mut files = community_files();
        files.iter_mut().for_each(|file| file.text = file.text.replace("PerRight(3)", paid));
        files.extend(courses);
        files
    })
}

/// The files of the first pack without its course, and what only the course asks for.
#[must_use]
pub fn community_files() -> Vec<SourceFile> {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    FILES.iter().map(file).collect()
}

/// A pack of such files.
///
/// # Errors
/// The checks of this release refuse them.
pub fn pack(files: &[SourceFile]) -> Result<Arc<Pack>, Vec<Diagnostic>> {
    let (pack, found) = load(files, &CheckOptions { today: FIRST });
    pack.map(Arc::new).ok_or(found)
}

/// A drawn campaign and what it has learned of the engine's answers.
#[derive(Clone, Debug)]
pub struct Workload {
    dice: Dice,
    config: EngineConfig,
    packs: BTreeMap<Digest, Arc<Pack>>,
    /// The pack to begin with.
    first: Digest,
    seq: u64,
    at: Timestamp,
    members: u32,
    /// Who is in a group.
    present: Vec<MemberId>,
    /// What members see of their courses.
    pupils: Vec<(MemberId, PupilView)>,
    /// Groups that were dissolved.
    dissolved: BTreeSet<CommunityId>,
    /// Who joined in the last batch and is asked for consent in the next.
    joined: Vec<MemberId>,
    catalog: Catalog,
    catalog_changed: bool,
    /// Awards that may be reversed.
    awards: Vec<LedgerEntry>,
    orders: u64,
    /// Group files of the first pack, by which groups are opened.
    templates: Vec<Slug>,
    habits: Habits,
    /// The time of the next batch, where somebody decided it.
    next_at: Option<Timestamp>,
}

/// Awards a workload remembers.
const AWARDS_MAX: usize = 64;

impl Workload {
    /// The campaign of `seed` in `branch`. The branch begins with the first of `packs` and may
    /// adopt the others.
    ///
    /// # Panics
    /// There is no pack.
    #[must_use]
    pub fn new(seed: u64, branch: BranchId, packs: &[Arc<Pack>]) -> Self {
        Self::with_habits(seed, branch, packs, Habits::default())
    }

    /// The campaign of `seed`, with commands as frequent as `habits` say.
    ///
    /// # Panics
    /// There is no pack.
    #[must_use]
    pub fn with_habits(seed: u64, branch: BranchId, packs: &[Arc<Pack>], habits: Habits) -> Self {
        let first = packs.first().expect("a workload needs content").clone();
        let root = Seed::from_number(seed);
        let mut dice = Dice::new(&root, u64::from(branch.0), 0);
        let start = FIRST.plus(dice.below(20) as i32);
        let minute = i64::from(dice.below(1_440));
        let branches = 1 + dice.below(3) as u16;
        Self {
            dice,
            config: EngineConfig { branch, seed: root.derive(u64::from(branch.0)), branches },
            packs: packs.iter().map(|pack| (pack.digest, pack.clone())).collect(),
            first: first.digest,
            seq: 0,
            at: Timestamp(Calendar::default().start_of(start).0 + minute * 60_000),
            members: 0,
            present: Vec::new(),
            pupils: Vec::new(),
            dissolved: BTreeSet::new(),
            joined: Vec::new(),
            catalog: Catalog::default(),
            catalog_changed: true,
            awards: Vec::new(),
            orders: 0,
            templates: first.communities.keys().cloned().collect(),
            habits,
            next_at: None,
        }
    }

    /// Puts the next batch at `at`, where that is later than the last one.
    pub(crate) fn wait_until(&mut self, at: Timestamp) {
        self.next_at = Some(at);
    }

    /// Time of the last batch.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    /// The branch as its readers see it.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// A batch of `commands` at `at`, with which the campaign goes on.
    pub(crate) fn quiet_batch(&mut self, at: Timestamp, commands: Vec<Command>) -> Batch {
        self.seq += 1;
        self.at = Timestamp(at.0.max(self.at.0 + 1));
        Batch { seq: self.seq, at: self.at, commands: commands.into() }
    }

    /// What the branch's engine has to be made with.
    #[must_use]
    pub fn engine_config(&self) -> EngineConfig {
        self.config.clone()
    }

    /// The packs by digest, as a restore needs them.
    #[must_use]
    pub fn packs(&self) -> &BTreeMap<Digest, Arc<Pack>> {
        &self.packs
    }

    /// A new engine for the campaign.
    #[must_use]
    pub fn engine(&self) -> Engine {
        let mut engine = Engine::new(self.engine_config(), self.packs[&self.first].clone());
        for pack in self.packs.values() {
            engine.offer(pack.clone());
        }
        engine
    }

    /// The next batch for `engine`, whose last batch was this workload's last one.
    pub fn next_batch(&mut self, engine: &Engine) -> Batch {
        if std::mem::take(&mut self.catalog_changed) {
            self.catalog = engine.catalog();
            let members = self.catalog.communities.iter().flat_map(|group| &group.members);
            self.present = members.copied().collect();
            self.present.sort_unstable();
            let over = self.catalog.cohorts.iter();
            let over = over.filter(|cohort| cohort.stage == CohortStage::Archived);
            self.dissolved.extend(over.flat_map(|cohort| &cohort.communities));
        }
        self.look_at_pupils(engine);
        self.step(engine.next_due());
        self.seq += 1;
        let commands = match self.seq {
            1 => self.people(),
            2 => self.joins(),
            3 => self.launch_all(),
            _ => self.everyday(),
        };
        Batch { seq: self.seq, at: self.at, commands: commands.into() }
    }

    /// Takes note of what the batch did.
    pub fn observe(&mut self, applied: &Applied) {
        self.catalog_changed |= applied.catalog_changed;
        for outcome in &applied.outcomes {
            if let Outcome::Done(Receipt::Member(member)) = outcome {
                self.members = self.members.max(member.seq);
                self.joined.push(*member);
            }
        }
        let awards = applied.entries.iter().filter(|entry| entry.kind == EntryKind::Award);
        self.awards.extend(awards);
        let surplus = self.awards.len().saturating_sub(AWARDS_MAX);
        self.awards.drain(..surplus);
    }

    /// Time passes: mostly minutes, sometimes to the very instant at which something falls due or
    /// a day turns, sometimes days, rarely so long that runs are forgotten.
    fn step(&mut self, due: Option<Timestamp>) {
        let minutes = |dice: &mut Dice, low, high| i64::from(dice.between(low, high)) * 60_000;
        let now = self.at;
        let midnight = |days: i32| {
            let calendar = Calendar::default();
            calendar.start_of(calendar.day_of(now).plus(days)).0
        };
        let stage = |cohort: &CohortView| cohort.stage;
        let live = self
            .catalog
            .cohorts
            .iter()
            .map(stage)
            .any(|stage| matches!(stage, CohortStage::Running | CohortStage::Placing));
        let dice = &mut self.dice;
        let mut pace = dice.below(100);
        // A course goes on for days in which much is to be done.
        if live && pace >= 90 && dice.percent(70) {
            pace = 60;
        }
        let next = match pace {
            0..20 => now.0 + i64::from(dice.between(1, 60_000)),
            20..55 => now.0 + minutes(dice, 1, 90),
            55..75 => now.0 + minutes(dice, 90, 600),
            75..83 => due.map_or(now.0, |due| due.0) + i64::from(dice.between(0, 2)) - 1,
            83..90 => midnight(1) + i64::from(dice.between(0, 2)) - 1,
            90..97 => midnight(1) + minutes(dice, 0, 2 * 1_440),
            97 => midnight(dice.between(4, 12) as i32) + minutes(dice, 0, 1_440),
            98 => midnight(dice.between(30, 50) as i32) + minutes(dice, 0, 1_440),
            _ => now.0 + 1,
        };
        let next = self.next_at.take().map_or(next, |at| at.0);
        self.at = Timestamp(next.max(now.0 + 1));
    }

    fn operator(action: Action) -> Command {
        Command { actor: Actor::Operator(1), action }
    }

    fn people(&mut self) -> Vec<Command> {
        let branch = self.config.branch;
        let managers = self.dice.between(2, 4);
        let mut actions = vec![Action::AddManager; managers as usize];
        for _ in 0..self.dice.between(3, 7) {
            let Some(template) = self.dice.pick(&self.templates).cloned() else { continue };
            let manager = ManagerId::new(branch, self.dice.between(1, managers));
            actions.push(Action::OpenCommunity { template, manager });
        }
        actions.into_iter().map(Self::operator).collect()
    }

    fn joins(&mut self) -> Vec<Command> {
        let (low, high) = self.habits.joins;
        let count = self.dice.between(low, high);
        let groups: Vec<CommunityId> = self.catalog.communities.iter().map(|c| c.id).collect();
        let join = |_| self.dice.pick(&groups).map(|&community| Action::Join { community });
        (0..count).filter_map(join).map(Self::operator).collect()
    }

    /// Most who joined agree to take part.
    fn consents(&mut self) -> Vec<Command> {
        let mut joined = std::mem::take(&mut self.joined);
        joined.retain(|_| self.dice.percent(95));
        let consents = joined.into_iter().map(|member| Command {
            actor: Actor::Member(member),
            action: Action::Consent {
                member,
                purpose: ConsentPurpose::Activities,
                version: 1,
                given: true,
            },
        });
        consents.collect()
    }

    fn launch_all(&mut self) -> Vec<Command> {
        let today = Calendar::default().day_of(self.at);
        let pack = &self.packs[&self.first];
        let launches: Vec<Action> = pack
            .quests
            .keys()
            .map(|quest| {
                let start = today.plus(self.dice.below(3) as i32);
                Action::Launch { quest: quest.clone(), communities: Vec::new(), start }
            })
            .collect();
        launches.into_iter().map(Self::operator).chain(self.consents()).collect()
    }

    fn everyday(&mut self) -> Vec<Command> {
        let count = match self.dice.below(10) {
            0 => 0,
            1..6 => self.dice.between(1, 8),
            _ => self.dice.between(8, 40),
        };
        let mut commands = self.consents();
        // Something rare and large, now and then.
        match self.dice.below(400) {
            0..4 => commands.extend(self.crowd()),
            4 => commands.extend(self.tag_flood()),
            5..25 => commands.extend(self.fill_gaps()),
            25..27 => commands.extend(self.flood_account()),
            _ => {}
        }
        if self.habits.courses() {
            match self.dice.below(10) {
                0..4 => commands.extend(self.diligent()),
                4 => commands.extend(self.bring_back()),
                5 => commands.extend(self.switch()),
                6..9 => commands.extend(self.invest()),
                _ => {}
            }
        }
        for _ in 0..count {
            // A channel that reports twice, a member who presses twice.
            let again = self.dice.percent(8).then(|| self.dice.pick(&commands).cloned()).flatten();
            let command = again.or_else(|| self.draw());
            commands.extend(command);
        }
        commands
    }

    /// More people than a group takes.
    fn crowd(&mut self) -> Vec<Command> {
        let open = |group: &&CommunityView| !self.dissolved.contains(&group.id);
        let open: Vec<&CommunityView> = self.catalog.communities.iter().filter(open).collect();
        let Some(group) = self.dice.pick(&open) else { return Vec::new() };
        let room = group.capacity as usize - group.members.len().min(group.capacity as usize);
        let join = Self::operator(Action::Join { community: group.id });
        let left = (self.habits.members_max as usize).saturating_sub(self.present.len());
        if left < room {
            return Vec::new();
        }
        vec![join; room.min(500) + 2]
    }

    /// More names of tags than a branch has room for.
    fn tag_flood(&mut self) -> Vec<Command> {
        let member = MemberId::new(self.config.branch, 1);
        let tags = (0..66).filter_map(|n| format!("flood-{n}").parse::<Slug>().ok());
        tags.map(|tag| Self::operator(Action::Tag { member, tag, on: true })).collect()
    }
}

#[cfg(test)]
mod tests;
