//! Mock investing of cohorts: suitability first, a written plan, orders by the rules of real
//! products, a debrief after a loss, and a score that luck hardly moves. Reads the cohort and its
//! lessons; owns [`Tape`], [`Accounts`] and [`Standing`].
//!
//! A market closes once on each day of its course, at its cut-off; a lesson that speeds time up has
//! several closes at once. All prices of a cohort are computed once, and each account is taken
//! through a close once: idle members without an order cost nothing.

mod account;
mod exit;
mod plan;
mod score;
mod serve;
mod tape;
#[cfg(test)]
mod tests;
mod trade;
mod view;

use bevy_ecs::prelude::*;
use dengmi_content::Pack;
use dengmi_core::course::{CohortStage, CourseEvent, PupilStage};
use dengmi_core::mock::{BandStanding, Exit, Plan, Score, TeamScore, Writing};
use dengmi_core::{CommunityId, Day, Fen, Slug};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::RestoreError;
use crate::clock::{Due, DueQueue};
use crate::cohort::{Cohort, CohortIndex, CohortPlan, Pupil, Pupils, announce};
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{Builder, Now, Section, Setup, Touched, decode, encode};
use crate::market::MarketSeed;
use crate::people::{Member, column};
use crate::roster::Roster;
use crate::suitability::{Levels, bears};

use account::{Account, Close};
pub(crate) use serve::serve;
pub(crate) use tape::Tape;
pub(crate) use view::{market_view, mock_view};

/// The mock accounts of a cohort.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Accounts(Roster<Row>);

/// Bands and teams as of the last close.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Standing(pub(crate) BandStanding);

/// One member's account, and how they went about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    account: Account,
    conduct: Conduct,
    /// The score and what explains it, once the course was graded.
    graded: Option<(Score, Exit)>,
}

/// How somebody goes about investing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conduct {
    /// The plan in force, and how many there have been.
    plan: Option<(u16, Plan)>,
    /// The plan at the time of the first order.
    first_plan: Option<Plan>,
    /// Variance of the plan's daily return over the history, in 1e-16.
    variance: u64,
    texts: Vec<Writing>,
    /// Bit n: wrote into the journal on day n + 1.
    note_days: u16,
    /// Bit n: did the mock task of day n + 1.
    tasks: u16,
    /// Sheets that were opened, in order of their ids.
    sheets: Vec<Slug>,
    /// Frauds that were reported, in order of their ids.
    reported: Vec<Slug>,
    /// Wrote the debrief of the course.
    debriefed: bool,
    /// Owes a debrief of a loss, measured from the highest value since the last one.
    owes: bool,
    high: i64,
    /// Value at the last close, its peak, and the largest fall from it in millionths.
    value: i64,
    peak: i64,
    drawdown: u32,
    /// Sum of how spread the account was on closed days since the first order, and their number.
    spread: u64,
    closes: u16,
    /// Never held anything above the own level on a closed day.
    fits: bool,
}

impl Row {
    fn new(cash: Fen) -> Self {
        let conduct =
            Conduct { value: cash.0, peak: cash.0, high: cash.0, fits: true, ..Conduct::default() };
        Self { account: Account::new(cash), conduct, graded: None }
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder.section(Section { name: "invest", version: 1, save, restore });
}

/// The market of a new cohort with its history, and when it closes.
pub(crate) fn start(world: &mut World, entity: Entity) -> Option<()> {
    let tape = tape_of(world, entity)?;
    let cohort = world.get::<Cohort>(entity)?.clone();
    let cutoff = tape.cutoff();
    world.entity_mut(entity).insert((tape, Accounts::default(), Standing::default()));
    let mut queue = world.resource_mut::<DueQueue>();
    for day in 1..=cohort.days {
        let on = cohort.first.plus(i32::from(day) - 1);
        queue.add(cohort.calendar.at(on, cutoff), Due::MarketCloses { cohort: cohort.seq, day });
    }
    Some(())
}

/// The market of a cohort before its first close, under the content the cohort started with.
fn tape_of(world: &World, entity: Entity) -> Option<Tape> {
    let cohort = world.get::<Cohort>(entity)?;
    let pack: &Pack = world.resource::<Packs>().get(cohort.terms)?;
    let course = pack.courses.get(pack.current(&cohort.course))?;
    let seed = MarketSeed::of_cohort(&world.resource::<Setup>().seed, u64::from(cohort.seq));
    Tape::start(pack, &course.course, &course.lessons, cohort.first, seed)
}

/// A day's prices are made: orders are priced, what is due is paid.
pub(crate) fn close_day(world: &mut World, seq: u32, day: u8) {
    let Some(entity) = world.resource::<CohortIndex>().entity(seq) else { return };
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole").clone();
    let running = cohort.stage == CohortStage::Running;
    if !running || world.get::<Tape>(entity).is_none_or(|tape| tape.closed() + 1 != day) {
        return;
    }
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan").clone();
    let (mut tape, mut accounts) =
        world.entity_mut(entity).take::<(Tape, Accounts)>().expect("cohorts have a market");
    let course = plan.course();
    let now = world.resource::<Now>().at;
    let market_days = tape.close_day();
    let closes: SmallVec<[Close<'_>; 2]> =
        market_days.map(|market_day| tape.close(market_day, now, true)).collect();
    let on = cohort.first.plus(i32::from(day) - 1);
    let levels = world.resource::<Levels>();
    for (member, row) in accounts.0.rows_mut() {
        if row.account.orders.is_empty() {
            continue;
        }
        for close in &closes {
            row.account.close(close);
            let value = row.account.value(close.assets, close.quotes, close.date);
            score::watch(&mut row.conduct, value, course.mock.debrief_loss);
        }
        let level = levels.on(member, on);
        let lots = row.account.lots.iter();
        row.conduct.fits &=
            lots.clone().all(|lot| bears(level, tape.assets()[usize::from(lot.asset)].risk));
        row.conduct.spread += score::spread(&course.score.portfolio, row, &tape);
        row.conduct.closes += 1;
    }
    let mut touched = world.resource_mut::<Touched>();
    for (member, _, row) in accounts.0.by_member() {
        if !row.account.orders.is_empty() {
            touched.member(member);
        }
    }
    let market_day = tape.now().day;
    drop(closes);
    world.entity_mut(entity).insert((tape, accounts));
    let standing = standing(world, entity);
    world.entity_mut(entity).insert(standing);
    let cohort = cohort.id(world.resource::<Setup>());
    announce(world, None, CourseEvent::Priced { cohort, day, market_day });
}

/// What scores of a cohort are worked out from, looked up once for all its members.
struct Scoring<'w> {
    accounts: &'w Accounts,
    plan: &'w CohortPlan,
    tape: &'w Tape,
    levels: &'w Levels,
    today: Day,
    /// Concepts taught so far.
    taught: u16,
    /// Of who never did anything.
    fresh: Row,
}

impl<'w> Scoring<'w> {
    fn of(world: &'w World, entity: Entity) -> Self {
        let whole = "cohorts have a market";
        let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
        let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
        Self {
            accounts: world.get::<Accounts>(entity).expect(whole),
            plan,
            tape: world.get::<Tape>(entity).expect(whole),
            levels: world.resource::<Levels>(),
            today: cohort.calendar.day_of(world.resource::<Now>().at).min(cohort.last()),
            taught: plan.taught_by(cohort.sent),
            fresh: Row::new(plan.course().mock.cash_fen),
        }
    }

    /// A member's score as of now; the one they were graded with once they were.
    fn score(&self, member: u32, pupil: Option<&Pupil>) -> Score {
        let row = self.accounts.0.get(member).unwrap_or(&self.fresh);
        if let Some((graded, _)) = row.graded {
            return graded;
        }
        let course = self.plan.course();
        let beside = score::Beside {
            cash: course.mock.cash_fen.0,
            level: self.levels.on(member, self.today),
            mastered: (pupil.map_or(0, |pupil| pupil.mastered(self.today)), self.taught),
        };
        score::score(&course.score, row, self.tape, &beside)
    }
}

/// A member's score as of now; the one they were graded with once they were.
pub(crate) fn score_of(world: &World, entity: Entity, member: u32) -> Score {
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    Scoring::of(world, entity).score(member, pupils.0.get(member))
}

/// What a graduation rule asks of mock investing: the score, whether there is a plan, and whether
/// the course was looked back at.
pub(crate) fn record_of(world: &World, entity: Entity, member: u32) -> (u16, bool, bool) {
    let accounts = world.get::<Accounts>(entity).expect("cohorts have a market");
    let conduct = accounts.0.get(member).map(|row| &row.conduct);
    let plan = conduct.is_some_and(|conduct| conduct.plan.is_some());
    let debriefed = conduct.is_some_and(|conduct| conduct.debriefed);
    (score_of(world, entity, member).total(), plan, debriefed)
}

/// The course is over: scores are final, and what would have been is worked out.
pub(crate) fn grade(world: &mut World, entity: Entity) {
    let scores: Vec<(u32, Score)> = enrolled_scores(world, entity).collect();
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan").clone();
    let mut accounts = world.entity_mut(entity).take::<Accounts>().expect("cohorts have a market");
    let tape = world.get::<Tape>(entity).expect("cohorts have a market");
    for (member, score) in scores {
        let (_, row) = accounts.0.entry(member, || Row::new(plan.course().mock.cash_fen));
        row.graded = Some((score, exit::exit(row, tape, plan.course().mock.cash_fen)));
    }
    world.entity_mut(entity).insert(accounts);
    let standing = standing(world, entity);
    world.entity_mut(entity).insert(standing);
}

/// Scores of those who take part, in member order.
fn enrolled_scores(world: &World, entity: Entity) -> impl Iterator<Item = (u32, Score)> {
    let scoring = Scoring::of(world, entity);
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let enrolled = pupils.0.by_member().filter(|(_, _, pupil)| pupil.stage == PupilStage::Enrolled);
    enrolled.map(move |(member, _, pupil)| (member, scoring.score(member, Some(pupil))))
}

/// Bands and teams of those who take part. Never money.
fn standing(world: &World, entity: Entity) -> Standing {
    let plan = world.get::<CohortPlan>(entity).expect("cohorts have a plan");
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let branch = world.resource::<Setup>().branch;
    let members = world.resource::<Column<Member>>();
    let bands = &plan.course().score.bands;
    let mut standing = BandStanding { bands: vec![0; bands.len()], teams: Vec::new() };
    let mut sums: Vec<(u32, u32, u64)> =
        cohort.communities.iter().map(|community| (*community, 0, 0)).collect();
    for (member, score) in enrolled_scores(world, entity) {
        let total = score.total();
        if let Some(band) = bands.iter().rposition(|band| band.from <= total) {
            standing.bands[band] += 1;
        }
        let team =
            members.get(member).and_then(|row| sums.iter_mut().find(|sum| sum.0 == row.community));
        if let Some((_, members, sum)) = team {
            *members += 1;
            *sum += u64::from(total);
        }
    }
    standing.teams = sums
        .into_iter()
        .map(|(community, members, sum)| TeamScore {
            community: CommunityId::new(branch, community),
            members,
            score: (sum / u64::from(members.max(1))) as u16,
        })
        .collect();
    Standing(standing)
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Days of the course that are priced, by cohort.
    closed: Vec<u8>,
    accounts: Vec<Accounts>,
    standings: Vec<Standing>,
}

fn save(world: &mut World) -> Vec<u8> {
    let live: Vec<Entity> = world.resource::<CohortIndex>().live().collect();
    let tapes = live.iter().filter_map(|entity| world.get::<Tape>(*entity));
    let closed = tapes.map(Tape::closed).collect();
    encode(&Saved { closed, accounts: column(world, &live), standings: column(world, &live) })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("invest", bytes)?;
    let broken = || RestoreError::Unreadable("section `invest`: an account is broken".to_owned());
    let live: Vec<Entity> = world.resource::<CohortIndex>().live().collect();
    if [saved.closed.len(), saved.accounts.len(), saved.standings.len()] != [live.len(); 3] {
        return Err(broken());
    }
    let rows = saved.closed.into_iter().zip(saved.accounts).zip(saved.standings);
    for (entity, ((closed, accounts), standing)) in live.into_iter().zip(rows) {
        let mut tape = tape_of(world, entity).ok_or_else(broken)?;
        let days = world.get::<Cohort>(entity).map_or(0, |cohort| cohort.days);
        let assets = tape.assets().len();
        let sound = accounts.0.by_member().all(|(_, _, row)| row.account.fits(assets));
        if closed > days || !sound {
            return Err(broken());
        }
        tape.catch_up(closed);
        world.entity_mut(entity).insert((tape, accounts, standing));
    }
    Ok(())
}
