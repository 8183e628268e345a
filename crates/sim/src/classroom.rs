//! Cohorts in which everybody takes part in everything: the dearest course there can be, for
//! measurements. Every member of every cohort finishes each lesson, answers the quiz of the day
//! and every review that is due, and invests: a sheet, a note and an order on every day that takes
//! orders. Some cohorts after the others do their day's work, as many at a time as make a batch of
//! the community month.

mod invest;
#[cfg(test)]
mod ladder;

use std::ops::Range;
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::QuestKind;
use dengmi_core::command::{Answer, ConsentPurpose};
use dengmi_core::course::{CohortStage, CourseAction, ItemAnswer, Occasion};
use dengmi_core::random::Seed;
use dengmi_core::view::Catalog;
use dengmi_core::{
    Action, Actor, Batch, BranchId, Calendar, CohortId, Command, CommunityId, Day, ManagerId,
    MemberId, Outcome, Slug, Timestamp,
};
use dengmi_engine::{Applied, ApplyError, Engine, EngineConfig, item_order, layout};

use crate::answering::{right_choice, wrong_choice};
use crate::dice::Dice;
use crate::month::CHUNK;

/// The branch of every classroom.
pub const BRANCH: BranchId = BranchId(1);

/// The day on which groups are opened; courses start a week later.
const OPENING: Day = Day(20_800);

/// What the commands of a batch are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Lessons are finished.
    Lessons,
    /// Items are reviewed.
    Reviews,
    /// The quiz of the day is answered.
    Quiz,
    /// Questionnaires, plans, sheets, notes and debriefs.
    Writing,
    /// Mock orders.
    Orders,
    /// The market closes.
    Close,
    /// Anything else falls due.
    Due,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 7] = [
        Self::Lessons,
        Self::Reviews,
        Self::Quiz,
        Self::Writing,
        Self::Orders,
        Self::Close,
        Self::Due,
    ];
}

/// What a command comes to: an answer to one question is an act, and so is any other command.
fn acts(command: &Command) -> u64 {
    match &command.action {
        Action::Answer { answers, .. } => answers.len() as u64,
        Action::Course(CourseAction::AnswerItems { answers, .. }) => answers.len() as u64,
        _ => 1,
    }
}

/// Cohorts of equal size, a group each.
pub struct Classroom {
    pack: Arc<Pack>,
    course: Slug,
    community: Slug,
    cohorts: u32,
    members: u32,
    seq: u64,
    at: Timestamp,
    dice: Dice,
    seed: Seed,
    /// Commands sent since enrolment.
    pub commands: u64,
    /// Acts in them: each answer of a command is one, and any other command.
    pub acts: u64,
    /// Orders among them.
    pub orders: u64,
    /// Refused commands; the workload is honest, so any is a fault.
    pub refused: u64,
}

impl Classroom {
    /// `None` where the content has no such course, or no kind of group for it.
    #[must_use]
    pub fn new(pack: Arc<Pack>, course: Slug, cohorts: u32, members: u32) -> Option<Self> {
        let kinds = &pack.courses.get(&course)?.course.audience;
        let fits = |(name, file): (&Slug, &dengmi_content::model::CommunityFile)| {
            (kinds.contains(&file.kind) && file.capacity >= members).then(|| name.clone())
        };
        let community = pack.communities.iter().find_map(fits)?;
        let seed = Seed::from_number(1);
        Some(Self {
            pack,
            course,
            community,
            cohorts,
            members,
            seq: 0,
            at: Calendar::default().start_of(OPENING),
            dice: Dice::new(&seed, 0x636c_6173, 0),
            seed,
            commands: 0,
            acts: 0,
            orders: 0,
            refused: 0,
        })
    }

    /// A new engine for it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        let config = EngineConfig { branch: BRANCH, seed: self.seed, branches: 1 };
        Engine::new(config, self.pack.clone())
    }

    fn days(&self) -> u8 {
        self.pack.courses[&self.course].course.days
    }

    /// Members of all cohorts.
    #[must_use]
    pub fn enrolled(&self) -> u32 {
        self.cohorts * self.members
    }

    /// Days of the course.
    #[must_use]
    pub fn course_days(&self) -> u8 {
        self.days()
    }

    /// Commands of a part, in batches as large as the community month's.
    fn send_all(
        &mut self,
        engine: &mut Engine,
        part: Part,
        commands: Vec<Command>,
        apply: &mut impl FnMut(&mut Engine, &Batch, Part) -> Result<Applied, ApplyError>,
    ) -> Result<(), ApplyError> {
        let mut left = commands.into_iter().peekable();
        while left.peek().is_some() {
            let batch = left.by_ref().take(CHUNK as usize).collect();
            self.send(engine, part, batch, apply)?;
        }
        Ok(())
    }

    fn send(
        &mut self,
        engine: &mut Engine,
        part: Part,
        commands: Vec<Command>,
        apply: &mut impl FnMut(&mut Engine, &Batch, Part) -> Result<Applied, ApplyError>,
    ) -> Result<(), ApplyError> {
        self.seq += 1;
        self.at = self.at.plus_ms(1_000);
        self.commands += commands.len() as u64;
        self.acts += commands.iter().map(acts).sum::<u64>();
        let applied =
            apply(engine, &Batch { seq: self.seq, at: self.at, commands: commands.into() }, part)?;
        let refused = |outcome: &&Outcome| matches!(outcome, Outcome::Rejected(_));
        self.refused += applied.outcomes.iter().filter(refused).count() as u64;
        Ok(())
    }

    /// What is due until then, each in a batch of its own.
    fn wait(
        &mut self,
        engine: &mut Engine,
        until: Timestamp,
        apply: &mut impl FnMut(&mut Engine, &Batch, Part) -> Result<Applied, ApplyError>,
    ) -> Result<(), ApplyError> {
        while let Some(due) = engine.next_due().filter(|due| *due <= until) {
            self.at = due.max(self.at.plus_ms(1_000)).plus_ms(-1_000);
            let calendar = Calendar::default();
            let closes = calendar.at(calendar.day_of(due), self.cutoff()) == due;
            let part = if closes { Part::Close } else { Part::Due };
            self.send(engine, part, Vec::new(), apply)?;
        }
        self.at = until.max(self.at);
        self.send(engine, Part::Due, Vec::new(), apply)
    }

    fn cohort_of(&self, member: u32) -> u32 {
        (member - 1) / self.members + 1
    }

    /// Everybody, by number.
    fn everybody(&self) -> Range<u32> {
        1..self.enrolled() + 1
    }

    fn each(&self, who: Range<u32>, action: impl Fn(MemberId, CohortId) -> Action) -> Vec<Command> {
        let command = |seq| {
            let member = MemberId::new(BRANCH, seq);
            let cohort = CohortId::new(BRANCH, self.cohort_of(seq));
            Command { actor: Actor::System, action: action(member, cohort) }
        };
        who.map(command).collect()
    }

    /// Opens the groups, starts the cohorts and enrols everybody.
    ///
    /// # Errors
    /// A batch does not follow: a fault of this workload.
    pub fn set_up(&mut self, engine: &mut Engine) -> Result<(), ApplyError> {
        let apply = &mut |engine: &mut Engine, batch: &Batch, _| engine.apply(batch);
        let manager = ManagerId::new(BRANCH, 1);
        let system = |action| Command { actor: Actor::System, action };
        self.send(engine, Part::Due, vec![system(Action::AddManager)], apply)?;
        let open = Action::OpenCommunity { template: self.community.clone(), manager };
        let opens = (0..self.cohorts).map(|_| system(open.clone())).collect();
        self.send(engine, Part::Due, opens, apply)?;
        let group = |cohort: CohortId| CommunityId::new(BRANCH, cohort.seq);
        let joins =
            self.each(self.everybody(), |_, cohort| Action::Join { community: group(cohort) });
        self.send_all(engine, Part::Due, joins, apply)?;
        let consents = self.each(self.everybody(), |member, _| {
            let purpose = ConsentPurpose::Activities;
            Action::Consent { member, purpose, version: 1, given: true }
        });
        self.send_all(engine, Part::Due, consents, apply)?;
        let starts = (1..=self.cohorts).map(|seq| {
            system(Action::Course(CourseAction::Start {
                course: self.course.clone(),
                communities: vec![CommunityId::new(BRANCH, seq)],
                start: OPENING.plus(7),
            }))
        });
        let starts = starts.collect();
        self.send(engine, Part::Due, starts, apply)?;
        let eve = Calendar::default().start_of(OPENING.plus(7)).plus_ms(-3_600_000);
        self.wait(engine, eve, apply)?;
        let enrol = self.each(self.everybody(), |member, cohort| {
            Action::Course(CourseAction::Enrol { member, cohort })
        });
        self.send_all(engine, Part::Due, enrol, apply)?;
        (self.commands, self.acts) = (0, 0);
        Ok(())
    }

    /// Plays the whole course. `apply` applies each batch, and may take its time.
    ///
    /// # Errors
    /// A batch does not follow: a fault of this workload.
    pub fn play(
        &mut self,
        engine: &mut Engine,
        mut apply: impl FnMut(&mut Engine, &Batch, Part) -> Result<Applied, ApplyError>,
    ) -> Result<(), ApplyError> {
        let calendar = Calendar::default();
        for day in 1..=self.days() {
            let today = OPENING.plus(6 + i32::from(day));
            let noon = calendar.start_of(today).plus_ms(12 * 3_600_000);
            self.wait(engine, noon, &mut apply)?;
            let pack = self.pack.clone();
            let lesson = &pack.courses[&self.course].lessons[usize::from(day) - 1];
            let computed = lesson.compute.answer;
            let catalog = engine.catalog();
            let step = (CHUNK / self.members).max(1) * self.members;
            for from in self.everybody().step_by(step as usize) {
                let who = from..(from + step).min(self.enrolled() + 1);
                let finish = self.each(who.clone(), |member, cohort| {
                    Action::Course(CourseAction::FinishLesson { member, cohort, day, computed })
                });
                self.send_all(engine, Part::Lessons, finish, &mut apply)?;
                let reviews = self.reviews(engine, &catalog, who.clone());
                self.send_all(engine, Part::Reviews, reviews, &mut apply)?;
                let answers = self.answers(engine, &catalog, &who);
                self.send_all(engine, Part::Quiz, answers, &mut apply)?;
                let (writing, orders) = self.invest(engine, day, who);
                self.send_all(engine, Part::Writing, writing, &mut apply)?;
                self.send_all(engine, Part::Orders, orders, &mut apply)?;
            }
        }
        let after = calendar.start_of(OPENING.plus(9 + i32::from(self.days())));
        self.wait(engine, after, &mut apply)
    }

    fn reviews(&self, engine: &Engine, catalog: &Catalog, who: Range<u32>) -> Vec<Command> {
        let slugs = catalog.cohorts.first().map(|cohort| cohort.items.clone());
        let slugs = slugs.unwrap_or_default();
        let mut commands = Vec::new();
        for seq in who {
            let member = MemberId::new(BRANCH, seq);
            let cohort = CohortId::new(BRANCH, self.cohort_of(seq));
            let card = engine.member_card(member);
            let due = card.and_then(|card| Some(card.courses.first()?.review.clone()));
            let due = due.filter(|due| !due.is_empty());
            let answers = due.into_iter().flatten().map(|item| {
                let question = &self.pack.questions[&slugs[usize::from(item)]];
                let count = question.option_count();
                let shown = item_order(&self.seed, cohort, member, item, count);
                ItemAnswer { item, choice: right_choice(&question.key, &shown) }
            });
            let answers: Vec<ItemAnswer> = answers.collect();
            if !answers.is_empty() {
                let occasion = Occasion::Review;
                let action = CourseAction::AnswerItems { member, cohort, occasion, answers };
                commands.push(Command { actor: Actor::System, action: Action::Course(action) });
            }
        }
        commands
    }

    /// Everybody's answers to the open rounds, three in four right.
    fn answers(&mut self, engine: &Engine, catalog: &Catalog, who: &Range<u32>) -> Vec<Command> {
        let quest = self.pack.courses[&self.course].quest();
        let QuestKind::QuizSeries(series) = &quest.kind else { return Vec::new() };
        let mut commands = Vec::new();
        for round in catalog.rounds.iter().filter(|round| !round.closed) {
            let cohort = catalog.cohorts.iter().find(|cohort| cohort.run == round.run);
            let Some(cohort) = cohort.filter(|cohort| cohort.stage == CohortStage::Running) else {
                continue;
            };
            let first = (cohort.id.seq - 1) * self.members + 1;
            if !who.contains(&first) {
                continue;
            }
            let keys = engine.round_keys(round.id).unwrap_or_default();
            for seq in first..first + self.members {
                let member = MemberId::new(BRANCH, seq);
                let options = round.questions.iter().map(|question| question.options);
                let seen = layout(
                    &self.seed,
                    round.id,
                    member,
                    series.shuffle_questions,
                    series.shuffle_options,
                    options,
                );
                let answers = (0..).zip(&seen.questions).map(|(question, content)| {
                    let (key, shown) =
                        (&keys[usize::from(*content)], &seen.options[usize::from(*content)]);
                    let choice = match self.dice.below(4) {
                        0 => wrong_choice(&mut self.dice, key, shown),
                        _ => right_choice(key, shown),
                    };
                    Answer { question, choice }
                });
                let action = Action::Answer { member, round: round.id, answers: answers.collect() };
                commands.push(Command { actor: Actor::Member(member), action });
            }
        }
        commands
    }
}
