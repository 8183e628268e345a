//! One campaign: workload, engine, auditor and mishaps.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::CourseAction;
use dengmi_core::random::Seed;
use dengmi_core::{
    Action, Actor, Batch, BranchId, Calendar, Command, CommunityId, Digest, ManagerId, MemberId,
    Outcome, Receipt, RunId, Timestamp,
};
use dengmi_engine::{Applied, Engine, EngineConfig};

use super::faults::{Fault, Mishaps, Plan, Struck};
use super::library::Library;
use super::{Failure, Record, Report, SETTLE_TICKS};
use crate::audit::{Auditor, Finding, Invariant, Told};
use crate::dice::Dice;
use crate::workload::{Habits, Subject, Workload};

const BRANCH: BranchId = BranchId(2);
const DAY_MS: i64 = 86_400_000;

/// Batches that two engines go on together after a restart.
const SHADOW_TICKS: u32 = 20;

/// Days from the last fault within which a run must begin to have to be over in the end.
const HORIZON_DAYS: i32 = 30;

/// Batches between two looks at what readers see.
const LOOK_TICKS: u64 = 50;

/// What an engine and an auditor of a campaign are made with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Branch, seed and number of branches.
    pub config: EngineConfig,
    /// The packs by digest.
    pub packs: BTreeMap<Digest, Arc<Pack>>,
    /// The one to begin with.
    pub first: Digest,
}

impl Setting {
    /// A new engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.offer(Engine::new(self.config.clone(), self.packs[&self.first].clone()))
    }

    /// `engine` with all packs of the campaign.
    #[must_use]
    pub fn offer(&self, mut engine: Engine) -> Engine {
        for pack in self.packs.values() {
            engine.offer(pack.clone());
        }
        engine
    }

    /// A new auditor.
    #[must_use]
    pub fn auditor(&self) -> Auditor {
        let EngineConfig { branch, seed, branches } = self.config;
        Auditor::new(branch, seed, branches, self.packs.clone(), self.first)
    }

    /// The engine that was saved as `bytes`.
    pub(super) fn restore(&self, bytes: &[u8]) -> Result<Engine, String> {
        Engine::restore(self.config.clone(), &self.packs, bytes).map_err(|error| error.to_string())
    }
}

pub(super) fn told(applied: &Applied) -> Told<'_> {
    Told {
        outcomes: &applied.outcomes,
        entries: &applied.entries,
        events: &applied.events,
        closed: &applied.closed_boards,
        digest: applied.digest,
    }
}

fn broken<T>(tick: u64, invariant: Invariant, what: impl Into<String>) -> Result<T, Finding> {
    Err(Finding { tick, invariant, what: what.into() })
}

/// Applies a batch. A panic is a finding like any other.
pub(super) fn apply(engine: &mut Engine, batch: &Batch) -> Result<Applied, Finding> {
    match catch_unwind(AssertUnwindSafe(|| engine.apply(batch))) {
        Ok(Ok(applied)) => Ok(applied),
        Ok(Err(error)) => broken(batch.seq, Invariant::Journal, format!("not applied: {error}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let text = text.unwrap_or_default();
            broken(batch.seq, Invariant::Journal, format!("the engine panicked: {text}"))
        }
    }
}

/// What draws are for; part of a stream's address.
#[derive(Clone, Copy)]
enum Drawn {
    Campaign = 1,
    Mishaps,
    Depth,
}

fn dice(seed: u64, what: Drawn) -> Dice {
    Dice::new(&Seed::from_number(seed), 0x76_6574, what as u64)
}

pub(super) struct World {
    seed: u64,
    ticks: u32,
    setting: Setting,
    workload: Workload,
    engine: Engine,
    auditor: Auditor,
    plan: Plan,
    struck: Struck,
    dice: Dice,
    held: Vec<(u64, Command)>,
    /// The engine before a restart, and for how many batches it goes on.
    shadow: Option<(Engine, u32)>,
    journal: Vec<Batch>,
    digests: Vec<Digest>,
    commands: u64,
}

impl World {
    pub(super) fn new(library: &Library, subject: Subject, seed: u64, ticks: u32) -> Self {
        let mut dice_of = dice(seed, Drawn::Campaign);
        let packs = library.draw(&mut dice_of);
        let plan = Plan::drawn(&mut dice_of);
        let habits = Habits::drawn(&mut dice_of).about(subject);
        let workload = Workload::with_habits(seed, BRANCH, &packs, habits);
        let setting = Setting {
            config: workload.engine_config(),
            packs: workload.packs().clone(),
            first: packs[0].digest,
        };
        Self {
            seed,
            ticks,
            engine: workload.engine(),
            auditor: setting.auditor(),
            setting,
            workload,
            plan,
            struck: Struck::default(),
            dice: dice(seed, Drawn::Mishaps),
            held: Vec::new(),
            shadow: None,
            journal: Vec::new(),
            digests: Vec::new(),
            commands: 0,
        }
    }

    pub(super) fn play(mut self, deep: bool) -> Result<(Report, Record), Box<Failure>> {
        let result = self.safety().and_then(|()| self.liveness()).and_then(|()| self.look());
        let result = result.and_then(|()| if deep { self.depth() } else { Ok(()) });
        if let Err(finding) = result {
            return Err(Box::new(Failure {
                seed: self.seed,
                ticks: self.ticks,
                plan: self.plan,
                finding,
                journal: self.journal,
                setting: self.setting,
            }));
        }
        let report = Report {
            ticks: self.journal.len() as u64,
            commands: self.commands,
            digest: self.engine.chain(),
            seen: self.auditor.seen().clone(),
            struck: self.struck,
        };
        let state = self.engine.digest();
        let Self { setting, journal, digests, .. } = self;
        Ok((report, Record { setting, journal, digests, state }))
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.plan.strikes(&mut self.dice, fault);
        if strikes {
            self.struck.mark(fault);
        }
        strikes
    }

    /// Everything that can go wrong does.
    fn safety(&mut self) -> Result<(), Finding> {
        for tick in 0..self.ticks {
            // Before there are people nothing can go wrong with them.
            let begun = tick >= 3;
            if begun {
                self.disturb_clock();
            }
            let mut batch = self.workload.next_batch(&self.engine);
            if begun {
                let catalog = self.workload.catalog();
                let live = catalog.runs.iter().filter(|run| run.ended.is_none());
                let runs: Vec<RunId> = live.map(|run| run.id).collect();
                let packs: Vec<Digest> = self.setting.packs.keys().copied().collect();
                let mut mishaps = Mishaps {
                    plan: &self.plan,
                    struck: &mut self.struck,
                    dice: &mut self.dice,
                    held: &mut self.held,
                    members: self.engine.members(),
                    runs: &runs,
                    packs: &packs,
                };
                let sent = Arc::unwrap_or_clone(batch.commands);
                batch.commands = mishaps.befall(batch.seq, batch.at, sent, BRANCH).into();
            }
            self.step(batch)?;
            if begun {
                self.disturb_engine()?;
            }
            if u64::from(tick) % LOOK_TICKS == LOOK_TICKS - 1 {
                self.look()?;
            }
        }
        Ok(())
    }

    fn disturb_clock(&mut self) {
        let now = self.workload.at();
        if self.strikes(Fault::Outage) {
            let hours = if self.dice.percent(80) { 40 } else { 900 };
            let ms = i64::from(self.dice.between(1, hours * 60)) * 60_000;
            self.workload.wait_until(now.plus_ms(ms));
        }
        if self.strikes(Fault::Crawl) {
            self.workload.wait_until(now.plus_ms(1));
        }
        if self.strikes(Fault::Brink)
            && let Some(due) = self.engine.next_due()
        {
            let beside = i64::from(self.dice.below(3)) - 1;
            self.workload.wait_until(Timestamp(due.0 + beside));
        }
    }

    fn disturb_engine(&mut self) -> Result<(), Finding> {
        let tick = self.engine.seq();
        if self.strikes(Fault::Stale) {
            self.offer_stale()?;
        }
        if self.strikes(Fault::Torn) {
            let mut bytes = self.engine.save();
            bytes.truncate(self.dice.below(bytes.len() as u32) as usize);
            if self.setting.restore(&bytes).is_ok() {
                let what = format!("a state cut off at {} was believed", bytes.len());
                return broken(tick, Invariant::Journal, what);
            }
        }
        if self.shadow.is_none() && self.strikes(Fault::Restart) {
            let bytes = self.engine.save();
            let restored = self.setting.restore(&bytes);
            let mut restored = restored.or_else(|what| broken(tick, Invariant::Journal, what))?;
            if restored.save() != bytes {
                return broken(tick, Invariant::Journal, "a restored state saves to other bytes");
            }
            if restored.next_due() != self.engine.next_due() {
                return broken(tick, Invariant::Journal, "a restored state has other duties");
            }
            let before = std::mem::replace(&mut self.engine, restored);
            self.shadow = Some((before, SHADOW_TICKS));
        }
        Ok(())
    }

    /// Batches that do not continue the journal are refused and change nothing.
    fn offer_stale(&mut self) -> Result<(), Finding> {
        let (seq, at, chain) = (self.engine.seq(), self.engine.at(), self.engine.chain());
        let commands =
            self.journal.last().map_or_else(Arc::default, |batch| batch.commands.clone());
        let later = at.plus_ms(60_000);
        for (seq_of, at_of) in [
            (seq, later),
            (seq + 2, later),
            (seq + 1, at),
            (seq + 1, Timestamp(at.0 - 1)),
            (seq + 1, Timestamp(Timestamp::MAX.0 + 1)),
            (0, later),
            (u64::MAX, later),
        ] {
            let stale = Batch { seq: seq_of, at: at_of, commands: commands.clone() };
            if self.engine.apply(&stale).is_ok() || self.engine.chain() != chain {
                let what = format!("batch {seq_of} at {at_of} was taken after {seq} at {at}");
                return broken(seq, Invariant::Journal, what);
            }
        }
        Ok(())
    }

    /// Applies a batch, has it audited, and follows the engine before a restart.
    fn step(&mut self, batch: Batch) -> Result<Vec<Outcome>, Finding> {
        let applied = apply(&mut self.engine, &batch);
        self.commands += batch.commands.len() as u64;
        self.journal.push(batch);
        let (applied, batch) = (applied?, &self.journal[self.journal.len() - 1]);
        self.digests.push(applied.digest);
        self.auditor.see(batch, &told(&applied))?;
        self.workload.observe(&applied);
        if let Some((mut engine, left)) = self.shadow.take() {
            if apply(&mut engine, batch)? != applied {
                let what = "an engine that was restored goes on otherwise";
                return broken(batch.seq, Invariant::Journal, what);
            }
            if left > 1 {
                self.shadow = Some((engine, left - 1));
            } else if engine.save() != self.engine.save() {
                let what = "an engine that was restored comes to another state";
                return broken(batch.seq, Invariant::Journal, what);
            }
        }
        Ok(applied.outcomes)
    }

    /// What readers see against what the auditor knows.
    fn look(&mut self) -> Result<(), Finding> {
        let tick = self.engine.seq();
        for (id, community, status) in self.auditor.members() {
            let Some(card) = self.engine.member_card(id) else {
                return broken(tick, Invariant::Groups, format!("{id} is not there"));
            };
            if (card.community, card.status) != (community, status) {
                return broken(
                    tick,
                    Invariant::Groups,
                    format!("{card:?}: {community} {status:?}"),
                );
            }
            let balance = self.auditor.balance(id);
            if card.balance.0 != balance {
                let what = format!("{id} holds {}, expected {balance}", card.balance);
                return broken(tick, Invariant::DoubleEntry, what);
            }
            let scores = card.scores.map(|score| i64::from(score.points));
            let expected = self.auditor.scores(id);
            if scores != expected {
                let what = format!("{id} scores {scores:?}, expected {expected:?}");
                return broken(tick, Invariant::Standings, what);
            }
        }
        let catalog = self.engine.catalog();
        for run in catalog.runs {
            // No checked content lets a run spend all it has, so only readers see this number.
            let (left, expected) = (run.budget_left.0, self.auditor.budget_left(run.id));
            if expected != Some(left) {
                let what = format!("{} has {left} points left, expected {expected:?}", run.id);
                return broken(tick, Invariant::Limits, what);
            }
        }
        for (id, _, _) in self.auditor.members() {
            let seen = self.engine.member_card(id).map(|card| card.courses).unwrap_or_default();
            let found = self.auditor.look_at_courses(id, &seen);
            found.or_else(|(invariant, what)| broken(tick, invariant, what))?;
        }
        let found = self.auditor.look_at_cohorts(&catalog.cohorts);
        found.or_else(|(invariant, what)| broken(tick, invariant, what))?;
        for post in catalog.posts {
            let expected = self.auditor.reactions(post.id);
            if expected != Some((post.likes, post.comments)) {
                let what = format!("{post:?}, expected {expected:?}");
                return broken(tick, Invariant::Reactions, what);
            }
        }
        Ok(())
    }

    /// Nothing goes wrong any more: everything settles, and new things can be begun.
    fn liveness(&mut self) -> Result<(), Finding> {
        let mut commands: Vec<Command> = self.held.drain(..).map(|(_, command)| command).collect();
        // Runs can be planned a year ahead; those that begin later have nothing to settle yet.
        let horizon = Calendar::default().day_of(self.workload.at()).plus(HORIZON_DAYS);
        for _ in 0..SETTLE_TICKS {
            let at = self.workload.at().plus_ms(DAY_MS);
            let batch = self.workload.quiet_batch(at, std::mem::take(&mut commands));
            self.step(batch)?;
            let catalog = self.engine.catalog();
            let runs =
                catalog.runs.iter().filter(|run| run.ended.is_none() && run.first <= horizon);
            let open = catalog.rounds.iter().filter(|round| !round.closed).count() + runs.count();
            if self.auditor.unsettled(horizon) == [0; 4] && open == 0 {
                return self.begin_anew();
            }
        }
        let [rounds, posts, runs, cohorts] = self.auditor.unsettled(horizon);
        let what = format!(
            "after {SETTLE_TICKS} quiet batches {rounds} rounds, {posts} posts, {runs} runs and {cohorts} cohorts are open"
        );
        broken(self.engine.seq(), Invariant::Liveness, what)
    }

    fn must(&mut self, actor: Actor, action: Action) -> Result<Receipt, Finding> {
        let at = self.workload.at().plus_ms(60_000);
        let batch = self.workload.quiet_batch(at, vec![Command { actor, action }]);
        match self.step(batch)?.pop() {
            Some(Outcome::Done(receipt)) => Ok(receipt),
            other => {
                let what = format!("an ordinary command is refused: {other:?}");
                broken(self.engine.seq(), Invariant::Liveness, what)
            }
        }
    }

    /// A new manager, group, member, course and run, and a check-in: all of it works.
    fn begin_anew(&mut self) -> Result<(), Finding> {
        let tick = self.engine.seq();
        let slug = |text: &str| match text.parse() {
            Ok(slug) => Ok(slug),
            Err(error) => broken(tick, Invariant::Liveness, format!("{error}")),
        };
        let operator = Actor::Operator(1);
        let manager = match self.must(operator, Action::AddManager)? {
            Receipt::Manager(id) => id,
            _ => ManagerId::new(BRANCH, 1),
        };
        let template = slug("lessons")?;
        let open = Action::OpenCommunity { template, manager };
        let Receipt::Community(community) = self.must(operator, open)? else {
            return broken(tick, Invariant::Liveness, "no group was opened");
        };
        let Receipt::Member(member) = self.must(operator, Action::Join { community })? else {
            return broken(tick, Invariant::Liveness, "nobody joined");
        };
        self.must(Actor::Member(member), consent(member))?;
        let calendar = self.engine.catalog().communities.last().map(|group| group.calendar);
        let today = calendar.unwrap_or_default().day_of(self.workload.at());
        let start = CourseAction::Start {
            course: slug("week")?,
            communities: vec![community],
            start: today.plus(2),
        };
        self.must(operator, Action::Course(start))?;
        let launch = Action::Launch {
            quest: slug("streak-total")?,
            communities: vec![CommunityId::new(BRANCH, community.seq)],
            // Tomorrow: the day may turn with the next batch.
            start: today.plus(1),
        };
        let Receipt::Run(run) = self.must(operator, launch)? else {
            return broken(tick, Invariant::Liveness, "no run was launched");
        };
        let tomorrow = calendar.unwrap_or_default().start_of(today.plus(1));
        let empty = self.workload.quiet_batch(tomorrow, Vec::new());
        self.step(empty)?;
        let check_in = Action::CheckIn { member, run, phrase: None, occurred: None };
        self.must(Actor::Member(member), check_in).map(|_| ())
    }

    /// The journal again: beside another branch, and from a state saved on the way.
    fn depth(&mut self) -> Result<(), Finding> {
        let mut dice = dice(self.seed, Drawn::Depth);
        let packs: Vec<Arc<Pack>> = self.setting.packs.values().cloned().collect();
        let mut saved = None;
        let save_at = u64::from(1 + dice.below(self.journal.len() as u32));
        for other in 0..2 {
            let elsewhere = self.seed.wrapping_mul(2).wrapping_add(other);
            let mut neighbour = Workload::new(elsewhere, BranchId(BRANCH.0 + 1), &packs);
            let (mut next_door, mut engine) = (neighbour.engine(), self.setting.engine());
            for (batch, digest) in self.journal.iter().zip(&self.digests) {
                if dice.percent(20) {
                    let theirs = neighbour.next_batch(&next_door);
                    neighbour.observe(&apply(&mut next_door, &theirs)?);
                }
                if apply(&mut engine, batch)?.digest != *digest {
                    let what =
                        "applied again beside another branch, the batch gives another digest";
                    return broken(batch.seq, Invariant::Isolation, what);
                }
                if other == 0 && batch.seq == save_at {
                    saved = Some(engine.save());
                }
            }
            if engine.save() != self.engine.save() {
                let what = "the journal applied again comes to another state";
                return broken(self.engine.seq(), Invariant::Journal, what);
            }
        }
        let restored = self.setting.restore(&saved.unwrap_or_default());
        let mut engine = restored.or_else(|what| broken(save_at, Invariant::Journal, what))?;
        let tail = self.journal.iter().zip(&self.digests).skip(save_at as usize);
        for (batch, digest) in tail {
            if apply(&mut engine, batch)?.digest != *digest {
                let what = format!("restored at batch {save_at}, the batch gives another digest");
                return broken(batch.seq, Invariant::Journal, what);
            }
        }
        if engine.save() != self.engine.save() {
            let what = format!("restored at batch {save_at}, the journal comes to another state");
            return broken(self.engine.seq(), Invariant::Journal, what);
        }
        Ok(())
    }
}

fn consent(member: MemberId) -> Action {
    Action::Consent { member, purpose: ConsentPurpose::Activities, version: 1, given: true }
}
