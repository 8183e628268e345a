//! The reference workload "community month": members in groups of 200 check in, answer a round of
//! three questions and react to a post, every day for up to thirty days, through the engine's
//! ordinary commands and rules read from RON.
//!
//! [`Shard`] gives the batches of one branch in order; whoever runs it applies them and shows it
//! what came of them. [`reference::plain`] lives through the same month with the same draws in
//! plain arrays, so points and standings can be compared member by member.

pub mod behaviour;
pub mod reference;

use std::sync::Arc;

use dengmi_content::{CheckOptions, Diagnostic, Pack, SourceFile, load};
use dengmi_core::command::{Answer, Choice, ConsentPurpose, Person, Reaction};
use dengmi_core::random::Seed;
use dengmi_core::time::Period;
use dengmi_core::view::EventKind;
use dengmi_core::view::board::BoardKey;
use dengmi_core::{
    Action, Actor, Batch, BranchId, Calendar, Command, CommunityId, Day, ManagerId, MemberId,
    Outcome, PeriodKind, PostId, Receipt, RoundId, RunId, Slug, Timestamp,
};
use dengmi_engine::{Applied, Engine, EngineConfig, layout};

pub use behaviour::QUESTIONS;
use behaviour::{Draws, Mind, Today};

/// Members of a group.
pub const GROUP: u32 = 200;

/// Most members of one branch of the workload.
pub const SHARD: u32 = 20_000;

/// Days of the whole workload.
pub const DAYS: u16 = 30;

/// Members whose commands of one kind go into one batch: small enough for what passes between
/// the engine's phases to stay in the processor's cache.
pub(crate) const CHUNK: u32 = 10 * GROUP;

/// 2026-11-01: the month has thirty days, so that its standing counts the whole workload.
const FIRST: Day = Day(20_758);

const HOUR_MS: i64 = 3_600_000;

macro_rules! files {
    ($($path:literal = $file:literal,)*) => {
        &[$(($path, include_str!(concat!("month/content/", $file)))),*]
    };
}

const FILES: &[(&str, &str)] = files! {
    "content/rewards/points.ron" = "points.ron",
    "content/rewards/check-in.ron" = "check-in.ron",
    "content/rewards/streak-3.ron" = "streak-3.ron",
    "content/rewards/streak-7.ron" = "streak-7.ron",
    "content/rewards/streak-14.ron" = "streak-14.ron",
    "content/rewards/right-answer.ron" = "right-answer.ron",
    "content/rewards/like.ron" = "like.ron",
    "content/rewards/comment.ron" = "comment.ron",
    "content/notices/notices.ron" = "notices.ron",
    "content/communities/group.ron" = "group.ron",
    "quests/month-streak.ron" = "month-streak.ron",
    "quests/month-quiz.ron" = "month-quiz.ron",
    "quests/month-moments.ron" = "month-moments.ron",
};

/// The content of the workload, through the ordinary loader and its checks.
///
/// # Errors
/// The checks of this release refuse it.
pub fn pack() -> Result<Arc<Pack>, Vec<Diagnostic>> {
    let texts = FILES.iter().map(|(path, text)| (*path, (*text).to_owned()));
    let texts = texts.chain([("content/questions/month.ron", questions())]);
    let files: Vec<SourceFile> =
        texts.map(|(path, text)| SourceFile { path: path.to_owned(), text }).collect();
    let (pack, found) = load(&files, &CheckOptions { today: FIRST });
    pack.map(Arc::new).ok_or(found)
}

/// A question bank without repetition: a round asks nothing that an earlier one told.
fn questions() -> String {
    let template = include_str!("month/content/question.ron");
    let questions = (1..=QUESTIONS * u32::from(DAYS)).map(|number| {
        let interest = 20 * number;
        [
            ("NUMBER", number),
            ("PRINCIPAL", 50 * interest),
            ("RIGHT", interest),
            ("TWICE", 2 * interest),
            ("HALF", interest / 2),
            ("TENFOLD", 10 * interest),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, &value.to_string()))
    });
    let questions: String = questions.collect();
    format!(r#"(schema: 1, title: {{"zh-CN": "算利息"}}, questions: [{questions}])"#)
}

/// What is common to all branches of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthConfig {
    /// Decides every draw.
    pub seed: u64,
    /// Members in all.
    pub members: u32,
    /// Days, 1 to [`DAYS`].
    pub days: u16,
    /// Members of one branch, whole groups; the last branch has what is left.
    pub shard: u32,
}

impl MonthConfig {
    /// A month in branches as large as they get.
    #[must_use]
    pub fn new(seed: u64, members: u32, days: u16) -> Self {
        Self { seed, members, days, shard: SHARD }
    }

    /// The same in branches so small that each of `threads` has one, as far as there are groups.
    #[must_use]
    pub fn for_threads(self, threads: u32) -> Self {
        let groups = self.members.div_ceil(threads.max(1)).div_ceil(GROUP);
        Self { shard: self.shard.min(groups.max(1) * GROUP), ..self }
    }

    /// How many branches that makes.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.members.div_ceil(self.shard)
    }
}

/// One step of a branch's month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Groups,
    Joins(u32),
    Consents(u32),
    Launch,
    Publish,
    CheckIns(u32),
    Answers(u32),
    Reactions(u32),
    Close,
    Midnight,
    Over,
}

/// What a branch's month has come to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commands sent.
    pub commands: u64,
    /// Commands refused; the workload is honest, so any is a fault.
    pub refused: u64,
    /// Ledger entries booked.
    pub entries: u64,
    /// Member-days on which a member was active.
    pub active: u64,
    /// Standings of a group's day that were closed.
    pub day_boards: u64,
    /// Rows of them within the top places.
    pub top_rows: u64,
}

/// The workload of one branch.
pub struct Shard {
    branch: BranchId,
    first: u32,
    members: u32,
    days: u16,
    draws: Draws,
    seed: Seed,
    minds: Vec<Mind>,
    today: Vec<Today>,
    day: u16,
    step: Step,
    seq: u64,
    round: Option<RoundId>,
    post: Option<PostId>,
    /// For each question the positions of a right and a wrong option, as every member sees them.
    options: Vec<(u8, u8)>,
    tally: Tally,
    month_top: Vec<Vec<u32>>,
}

impl Shard {
    /// Branch number `index`, from 0, of the workload.
    #[must_use]
    pub fn new(config: &MonthConfig, index: u32) -> Self {
        let first = index * config.shard;
        let members = config.members.saturating_sub(first).min(config.shard);
        let draws = Draws::new(config.seed);
        Self {
            branch: BranchId(index as u16 + 1),
            first,
            members,
            days: config.days.clamp(1, DAYS),
            draws,
            seed: Seed::from_number(config.seed).derive(u64::from(index)),
            minds: (first..first + members).map(|member| Mind::new(draws, member)).collect(),
            today: vec![Today::default(); members as usize],
            day: 0,
            step: Step::Groups,
            seq: 0,
            round: None,
            post: None,
            options: Vec::new(),
            tally: Tally::default(),
            month_top: vec![Vec::new(); members.div_ceil(GROUP) as usize],
        }
    }

    /// What the branch's engine has to be made with. Caps of the whole bank count for each branch
    /// by itself, so that they bind nobody however many branches there are.
    #[must_use]
    pub fn engine_config(&self) -> EngineConfig {
        EngineConfig { branch: self.branch, seed: self.seed, branches: 1 }
    }

    /// Number of the branch's first member over all branches, and how many it has.
    #[must_use]
    pub fn members(&self) -> (u32, u32) {
        (self.first, self.members)
    }

    /// Whether groups and members are being entered and quests launched: before the month itself.
    #[must_use]
    pub fn setting_up(&self) -> bool {
        matches!(self.step, Step::Groups | Step::Joins(_) | Step::Consents(_) | Step::Launch)
    }

    /// What came of it so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The next batch; `None` when the month is over.
    pub fn next_batch(&mut self) -> Option<Batch> {
        let (hour, ms, commands) = match self.step {
            Step::Over => return None,
            Step::Groups => (-12, 0, self.groups()),
            Step::Joins(from) => (-11, from, self.each(from, Self::join)),
            Step::Consents(from) => (-10, from, self.each(from, Self::consent)),
            Step::Launch => (-9, 0, self.launches()),
            Step::Publish => (8, 0, self.publish()),
            Step::CheckIns(from) => {
                self.live(from);
                (10, from, self.each(from, Self::check_in))
            }
            Step::Answers(from) => (12, from, self.each(from, Self::answer)),
            Step::Reactions(from) => (14, from, self.reactions(from)),
            Step::Close => (21, 0, Vec::new()),
            Step::Midnight => (24, 0, Vec::new()),
        };
        let day_start = Calendar::default().start_of(FIRST.plus(i32::from(self.day)));
        let at = Timestamp(day_start.0 + hour * HOUR_MS + i64::from(ms));
        self.step = self.after();
        self.seq += 1;
        self.tally.commands += commands.len() as u64;
        Some(Batch { seq: self.seq, at, commands: commands.into() })
    }

    fn after(&mut self) -> Step {
        let more = |from: u32| (from + CHUNK < self.members).then_some(from + CHUNK);
        match self.step {
            Step::Groups => Step::Joins(0),
            Step::Joins(from) => more(from).map_or(Step::Consents(0), Step::Joins),
            Step::Consents(from) => more(from).map_or(Step::Launch, Step::Consents),
            Step::Launch => Step::Publish,
            Step::Publish => Step::CheckIns(0),
            Step::CheckIns(from) => more(from).map_or(Step::Answers(0), Step::CheckIns),
            Step::Answers(from) => more(from).map_or(Step::Reactions(0), Step::Answers),
            Step::Reactions(from) => more(from).map_or(Step::Close, Step::Reactions),
            Step::Close => Step::Midnight,
            Step::Midnight => {
                self.day += 1;
                if self.day < self.days { Step::Publish } else { Step::Over }
            }
            Step::Over => Step::Over,
        }
    }

    /// Takes note of ids and standings.
    pub fn observe(&mut self, applied: &Applied) {
        self.tally.entries += applied.entries.len() as u64;
        for outcome in &applied.outcomes {
            match outcome {
                Outcome::Rejected(_) => self.tally.refused += 1,
                Outcome::Done(Receipt::Post(post)) => self.post = Some(*post),
                Outcome::Done(_) => {}
            }
        }
        for event in &applied.events {
            if let EventKind::RoundOpened(round) = event.kind {
                self.round = Some(round);
                self.options = self.positions(round);
            }
        }
        for board in &applied.closed_boards {
            let BoardKey::Community(group, period) = board.key else { continue };
            let top = board.rows.iter().take(reference::TOP);
            match period.kind {
                PeriodKind::Day => {
                    self.tally.day_boards += 1;
                    self.tally.top_rows += top.len() as u64;
                }
                PeriodKind::Month if period == Period::containing(PeriodKind::Month, FIRST) => {
                    let members = top.map(|row| row.member.seq - 1 + self.first).collect();
                    self.month_top[group.seq as usize - 1] = members;
                }
                _ => {}
            }
        }
    }

    /// Where the options stand that everybody sees, since the quest shuffles nothing.
    fn positions(&self, round: RoundId) -> Vec<(u8, u8)> {
        let anyone = MemberId::new(self.branch, 1);
        let options = [4u8; QUESTIONS as usize];
        let seen = layout(&self.seed, round, anyone, false, false, options.into_iter());
        let places = seen.options.iter().map(|shown| {
            let right = shown.iter().position(|&option| option == 0).unwrap_or(0) as u8;
            (right, (right + 1) % 4)
        });
        places.collect()
    }

    /// Compares the month with the plain loop: balances of all members, and the top places of
    /// each group's month where the month is whole.
    #[must_use]
    pub fn compare(&self, engine: &Engine, plain: &reference::Plain) -> Agreement {
        let mut agreement = Agreement { active: self.tally.active, ..Agreement::default() };
        for (index, &points) in plain.points.iter().enumerate() {
            let card = engine.member_card(self.member(index as u32));
            let balance = card.map_or(-1, |card| card.balance.0);
            agreement.points += balance.max(0) as u64;
            agreement.differing += u64::from(balance != i64::from(points));
        }
        agreement.differing += u64::from(self.tally.active != plain.active);
        if self.days == DAYS {
            let pairs = self.month_top.iter().zip(&plain.top);
            agreement.differing += pairs.filter(|(engine, plain)| *engine != *plain).count() as u64;
        }
        agreement
    }

    fn member(&self, index: u32) -> MemberId {
        MemberId::new(self.branch, index + 1)
    }

    fn by_member(&self, index: u32, action: impl FnOnce(MemberId) -> Action) -> Command {
        let member = self.member(index);
        Command { actor: Actor::Member(member), action: action(member) }
    }

    fn each(&self, from: u32, command: impl Fn(&Self, u32) -> Option<Command>) -> Vec<Command> {
        let to = self.members.min(from + CHUNK);
        (from..to).filter_map(|index| command(self, index)).collect()
    }

    fn live(&mut self, from: u32) {
        let keys = self.draws.day(self.day);
        for index in from..self.members.min(from + CHUNK) {
            let today = self.minds[index as usize].live(keys, self.first + index);
            self.tally.active += u64::from(today.active);
            self.today[index as usize] = today;
        }
    }

    fn groups(&self) -> Vec<Command> {
        let manager = ManagerId::new(self.branch, 1);
        let open = || Action::OpenCommunity { template: slug("group"), manager };
        let groups = self.members.div_ceil(GROUP) as usize;
        let actions =
            std::iter::once(Action::AddManager).chain(std::iter::repeat_with(open).take(groups));
        actions.map(by_operator).collect()
    }

    fn join(&self, index: u32) -> Option<Command> {
        let community = CommunityId::new(self.branch, index / GROUP + 1);
        Some(by_operator(Action::Join { community }))
    }

    fn consent(&self, index: u32) -> Option<Command> {
        let purpose = ConsentPurpose::Activities;
        Some(self.by_member(index, |member| Action::Consent {
            member,
            purpose,
            version: 1,
            given: true,
        }))
    }

    fn launches(&self) -> Vec<Command> {
        let launch =
            |quest| Action::Launch { quest: slug(quest), communities: Vec::new(), start: FIRST };
        ["month-streak", "month-quiz", "month-moments"].map(launch).map(by_operator).to_vec()
    }

    fn run(&self, number: u32) -> RunId {
        RunId::new(self.branch, number)
    }

    fn publish(&self) -> Vec<Command> {
        let manager = ManagerId::new(self.branch, 1);
        vec![by_operator(Action::Publish { run: self.run(3), manager })]
    }

    fn check_in(&self, index: u32) -> Option<Command> {
        let run = self.run(1);
        self.today[index as usize].active.then(|| {
            self.by_member(index, |member| Action::CheckIn {
                member,
                run,
                phrase: None,
                occurred: None,
            })
        })
    }

    fn answer(&self, index: u32) -> Option<Command> {
        let today = self.today[index as usize];
        let round = self.round?;
        let answer = |(question, &(right, wrong)): (usize, &(u8, u8))| {
            let choice = if today.right >> question & 1 == 1 { right } else { wrong };
            Answer { question: question as u8, choice: Choice::One(choice) }
        };
        today.active.then(|| {
            let answers = self.options.iter().enumerate().map(answer).collect();
            self.by_member(index, |member| Action::Answer { member, round, answers })
        })
    }

    fn reactions(&self, from: u32) -> Vec<Command> {
        let Some(post) = self.post else { return Vec::new() };
        let react = |index, reaction| {
            self.by_member(index, |member| Action::React {
                post,
                person: Person::Member(member),
                reaction,
                occurred: None,
            })
        };
        let mut commands = Vec::new();
        for index in from..self.members.min(from + CHUNK) {
            let today = self.today[index as usize];
            if today.likes {
                commands.push(react(index, Reaction::Like));
            }
            if today.comments {
                commands.push(react(index, Reaction::Comment(None)));
            }
        }
        commands
    }
}

fn by_operator(action: Action) -> Command {
    Command { actor: Actor::Operator(1), action }
}

fn slug(text: &str) -> Slug {
    text.parse().expect("the names of the workload's own files are ids")
}

/// How engine and plain loop compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Members whose points differ, and groups whose top places do: 0.
    pub differing: u64,
    /// Active member-days.
    pub active: u64,
    /// Points of all members.
    pub points: u64,
}

impl Agreement {
    /// Adds another branch's.
    pub fn add(&mut self, other: Agreement) {
        self.differing += other.differing;
        self.active += other.active;
        self.points += other.points;
    }

    /// Active member-days per member-day in millionths, and points per member in thousandths.
    #[must_use]
    pub fn means(&self, config: &MonthConfig) -> (u64, u64) {
        let members = u64::from(config.members.max(1));
        let days = u64::from(config.days.max(1));
        (self.active * 1_000_000 / (members * days), self.points * 1_000 / members)
    }
}

/// Mean active rate of the reference, in millionths.
pub const ACTIVE_RATE_PPM: u64 = 399_000;

/// Mean points a member of the reference, in thousandths.
pub const MEAN_POINTS_MILLI: u64 = 64_100;

#[cfg(test)]
mod tests {
    use super::*;

    fn run(config: &MonthConfig) -> (Agreement, Tally) {
        let pack = pack().expect("the workload's content passes the checks");
        let (mut agreement, mut refused) = (Agreement::default(), Tally::default());
        for index in 0..config.shards() {
            let mut shard = Shard::new(config, index);
            let mut engine = Engine::new(shard.engine_config(), pack.clone());
            while let Some(batch) = shard.next_batch() {
                shard.observe(&engine.apply(&batch).expect("batches follow each other"));
            }
            let (first, members) = shard.members();
            let plain = reference::plain(config.seed, first, members, config.days);
            agreement.add(shard.compare(&engine, &plain));
            refused = shard.tally();
        }
        (agreement, refused)
    }

    #[test]
    fn the_content_passes_without_a_word() {
        let files = FILES.len();
        let pack = pack().expect("the workload's content passes the checks");
        assert_eq!((files, pack.rules.len(), pack.quests.len()), (13, 7, 3));
    }

    #[test]
    fn engine_and_plain_loop_agree_member_by_member() {
        let config = MonthConfig::new(7, 2_000, DAYS);
        let (agreement, tally) = run(&config);
        assert_eq!(agreement.differing, 0);
        assert_eq!((tally.refused, tally.day_boards, tally.top_rows), (0, 300, 3_000));
        let (active, points) = agreement.means(&config);
        assert!(active.abs_diff(ACTIVE_RATE_PPM) < ACTIVE_RATE_PPM / 100, "{active}");
        assert!(points.abs_diff(MEAN_POINTS_MILLI) < MEAN_POINTS_MILLI / 100, "{points}");
    }

    #[test]
    fn every_thread_gets_branches_of_whole_groups() {
        let shards = |members, threads| {
            let config = MonthConfig::new(1, members, DAYS).for_threads(threads);
            let sizes = (0..config.shards()).map(|index| Shard::new(&config, index).members());
            sizes.collect::<Vec<_>>()
        };
        assert_eq!(shards(20_000, 1), [(0, 20_000)]);
        assert_eq!(shards(20_000, 2), [(0, 10_000), (10_000, 10_000)]);
        assert_eq!(shards(1_000, 2), [(0, 600), (600, 400)]);
        assert_eq!(shards(150, 4), [(0, 150)]);
        assert_eq!(shards(50_000, 2), [(0, 20_000), (20_000, 20_000), (40_000, 10_000)]);
    }

    #[test]
    fn the_plain_loop_does_not_depend_on_how_members_are_divided() {
        let whole = reference::plain(3, 0, 1_000, 9);
        let parts = [reference::plain(3, 0, 400, 9), reference::plain(3, 400, 600, 9)];
        let points: Vec<u32> = parts.iter().flat_map(|part| part.points.clone()).collect();
        let top: Vec<_> = parts.iter().flat_map(|part| part.top.clone()).collect();
        assert_eq!((whole.points, whole.top), (points, top));
    }

    #[test]
    fn the_means_are_those_of_the_reference() {
        let (members, config) = (100_000, MonthConfig::new(1, 100_000, DAYS));
        let plain = reference::plain(1, 0, members, DAYS);
        let points = plain.points.iter().map(|&points| u64::from(points)).sum();
        let (active, points) =
            Agreement { differing: 0, active: plain.active, points }.means(&config);
        assert!(active.abs_diff(ACTIVE_RATE_PPM) < ACTIVE_RATE_PPM / 100, "{active}");
        assert!(points.abs_diff(MEAN_POINTS_MILLI) < MEAN_POINTS_MILLI / 100, "{points}");
    }
}
