//! A school that plays mock investing: the shipped courses and market, with some of their numbers
//! changed, and members who do what can be done on a mock account, rightly and wrongly.

use dengmi_content::model::market::{Holding, TradingCalendar};
use dengmi_content::model::product::Sheet;
use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::{CohortView, CourseAction, PupilView};
use dengmi_core::mock::{DebriefAbout, Goal, MockAction, Plan, PlanPart, Units};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Actor, Calendar, Command, CommunityId, Fen, ManagerId};
use dengmi_engine::Engine;

use super::*;

/// The day before the first course: 2026-12-01.
const EVE: Day = Day(20_788);
const MEMBERS: u32 = 12;
const HOUR_MS: i64 = 3_600_000;

/// What readers saw after a batch.
#[derive(Clone)]
pub(super) struct Sight {
    pub(super) cohorts: Vec<CohortView>,
    pub(super) pupils: Vec<(MemberId, Vec<PupilView>)>,
}

/// A course as it was played.
pub(super) struct Term {
    pub(super) played: Played,
    /// After every batch.
    pub(super) sights: Vec<Sight>,
}

fn shipped() -> &'static Pack {
    static SHIPPED: OnceLock<Arc<Pack>> = OnceLock::new();
    SHIPPED.get_or_init(|| crate::shipped::pack(&crate::shipped::files()))
}

/// Another holding period for some assets.
fn retime(dice: &mut Dice, holding: Holding) -> Holding {
    match holding {
        Holding::Term { early, .. } => Holding::Term { days: dice.between(1, 6) as u16, early },
        Holding::Closed { .. } => Holding::Closed { days: dice.between(1, 6) as u16 },
        Holding::Minimum { .. } => Holding::Minimum { days: dice.between(1, 4) as u16 },
        Holding::Free if dice.percent(15) => Holding::Periodic { every_days: 3, open_days: 2 },
        other => other,
    }
}

/// The shipped content with some of its numbers changed, so that a short course meets every rule.
fn content(dice: &mut Dice) -> Arc<Pack> {
    let mut pack = shipped().clone();
    for market in pack.markets.values_mut() {
        if dice.percent(30) {
            let closed = BTreeSet::from([EVE.plus(3)]);
            market.calendar = TradingCalendar::Real { closed };
        }
        for asset in &mut market.assets {
            asset.enabled |= dice.percent(50);
            let trade = &mut asset.trade;
            if dice.percent(60) {
                trade.holding = retime(dice, trade.holding);
            }
            if trade.fast_limit_fen.is_some() && dice.percent(50) {
                trade.fast_limit_fen = Some(Fen(200_000));
            }
            if asset.class.is_priced_fund() && dice.percent(30) {
                trade.daily_limit_fen = Some(Fen(50_000));
            }
        }
    }
    for rules in pack.assessments.values_mut() {
        rules.validity_days = if dice.percent(50) { 4 } else { 365 };
    }
    // No shipped course shows a product on sale.
    for product in pack.products.values_mut() {
        if dice.percent(15) {
            product.sheet = Sheet::Real;
        }
    }
    let owes = dice.percent(60);
    for course in pack.courses.values_mut().map(|course| &mut Arc::make_mut(course).course) {
        if owes {
            course.mock.debrief_loss = Ppm(300);
        }
        // Nobody answers a quiz here: who graduates hinges on score, plan and debrief.
        let rule = &mut course.graduation;
        (rule.lessons, rule.quizzes, rule.mastery, rule.score) = (0, 0, Ppm(0), 250);
    }
    Arc::new(pack)
}

struct School {
    dice: Dice,
    pack: Arc<Pack>,
    course: Slug,
    engine: Engine,
    seq: u64,
    at: Timestamp,
    term: Term,
}

fn cohort() -> CohortId {
    CohortId::new(BRANCH, 1)
}

fn hash(dice: &mut Dice) -> FoldedHash {
    FoldedHash::of(&format!("text {}", dice.below(1_000)))
}

impl School {
    fn send(&mut self, commands: Vec<Command>) {
        self.seq += 1;
        let batch = Batch { seq: self.seq, at: self.at, commands: commands.into() };
        let applied = self.engine.apply(&batch).expect("batches follow each other");
        let cohorts = self.engine.catalog().cohorts;
        let card = |seq| {
            let member = MemberId::new(BRANCH, seq);
            let card = self.engine.member_card(member);
            (member, card.map(|card| card.courses).unwrap_or_default())
        };
        let pupils = (1..=self.engine.members()).map(card).collect();
        self.term.sights.push(Sight { cohorts, pupils });
        self.term.played.said.push((batch, applied));
    }

    fn all(&mut self, actions: Vec<Action>) {
        self.at = self.at.plus_ms(1_000);
        let command = |action| Command { actor: Actor::Operator(1), action };
        self.send(actions.into_iter().map(command).collect());
    }

    fn open(&mut self) {
        let manager = ManagerId::new(BRANCH, 1);
        self.all(vec![Action::AddManager]);
        let template: Slug = "investor-education".parse().expect("an id");
        let open = Action::OpenCommunity { template, manager };
        self.all(vec![open.clone(), open]);
        let group = |member: u32| CommunityId::new(BRANCH, 1 + member % 2);
        self.all((1..=MEMBERS).map(|seq| Action::Join { community: group(seq) }).collect());
        let id = |seq| MemberId::new(BRANCH, seq);
        let consent =
            |member, purpose| Action::Consent { member, purpose, version: 1, given: true };
        self.all((2..=MEMBERS).map(|seq| consent(id(seq), ConsentPurpose::Activities)).collect());
        self.all((1..=6).map(|seq| consent(id(seq), ConsentPurpose::Marketing)).collect());
        let communities = vec![CommunityId::new(BRANCH, 1), CommunityId::new(BRANCH, 2)];
        let (course, start) = (self.course.clone(), EVE.plus(1));
        self.all(vec![Action::Course(CourseAction::Start { course, communities, start })]);
        let cohort = cohort();
        let enrol = |seq| Action::Course(CourseAction::Enrol { member: id(seq), cohort });
        self.all((1..MEMBERS).map(enrol).collect());
    }

    /// Plays the course to its end.
    fn play(&mut self) {
        self.open();
        let days = self.pack.courses[&self.course].course.days;
        let end = Calendar::default().start_of(EVE.plus(i32::from(days) + 3));
        while self.at < end {
            let minutes = if self.dice.percent(3) { 2_000 } else { 150 };
            self.at = self.at.plus_ms(i64::from(1 + self.dice.below(minutes)) * 60_000);
            let count = self.dice.below(9);
            let commands = (0..count).map(|_| self.command()).collect();
            self.send(commands);
        }
    }

    fn command(&mut self) -> Command {
        let member = MemberId::new(BRANCH, self.dice.between(1, MEMBERS));
        let cohort = CohortId::new(BRANCH, if self.dice.percent(1) { 7 } else { 1 });
        let day = self.dice.between(1, 8) as u8;
        let action = match self.dice.below(100) {
            0 => CourseAction::Withdraw { member, cohort },
            1..3 => CourseAction::Enrol { member, cohort },
            3..8 => {
                let computed = dengmi_core::Decimal::default();
                CourseAction::FinishLesson { member, cohort, day, computed }
            }
            _ => CourseAction::Mock { member, cohort, what: self.what(member) },
        };
        Command { actor: Actor::Member(member), action: Action::Course(action) }
    }

    fn asset(&mut self) -> Slug {
        if self.dice.percent(2) {
            return "no-such".parse().expect("an id");
        }
        let market = self.pack.markets.values().next().expect("a market is shipped");
        // Low risks more often, so that most suit.
        let most = if self.dice.percent(50) { 8 } else { market.assets.len() as u32 };
        market.assets[self.dice.below(most) as usize].id.clone()
    }

    fn amount(&mut self) -> i64 {
        let magnitude = self.dice.between(2, 8);
        i64::from(self.dice.below(10u32.pow(magnitude))) + i64::from(self.dice.percent(50))
    }

    fn plan(&mut self) -> Plan {
        let mut left = 1_000_000u32;
        let mut parts: Vec<PlanPart> = Vec::new();
        for _ in 0..self.dice.below(6) {
            let asset = self.asset();
            if self.dice.percent(95) && parts.iter().any(|part| part.asset == asset) {
                continue;
            }
            let share = self.dice.below(left.min(400_000));
            left -= share;
            parts.push(PlanPart { asset, share: Ppm(share) });
        }
        Plan {
            goal: Goal::Home,
            months: if self.dice.percent(95) { 24 } else { self.dice.below(700) as u16 },
            loss: Ppm(if self.dice.percent(97) { 50_000 } else { 1_000_001 }),
            parts,
            text: hash(&mut self.dice),
        }
    }

    fn what(&mut self, member: MemberId) -> MockAction {
        let view = self.engine.member_card(member).and_then(|card| card.courses.into_iter().next());
        match self.dice.below(100) {
            0..7 => {
                // Option 0 and the last are the careful and the bold ends, one way or the other.
                let count = if self.dice.percent(96) { 10 } else { 9 };
                let choices = (0..count).map(|_| self.dice.below(4) as u8).collect();
                MockAction::Assess { adult: self.dice.percent(92), choices }
            }
            7..12 => {
                // Enough points for the highest level.
                let choices = vec![0, 0, 3, 0, 0, 4, 4, 2, 3, 4];
                MockAction::Assess { adult: true, choices }
            }
            12..16 => MockAction::ConfirmLevel,
            16..24 => {
                let products: Vec<Slug> = self.pack.products.keys().cloned().collect();
                let product = self.dice.pick(&products).cloned();
                let product = product.filter(|_| self.dice.percent(97));
                MockAction::ReadSheet {
                    product: product.unwrap_or_else(|| "no/such".parse().expect("an id")),
                }
            }
            24..34 => MockAction::WritePlan(self.plan()),
            34..62 => MockAction::Buy { asset: self.asset(), amount: Fen(self.amount()) },
            62..80 => {
                let held = view.map(|view| view.mock.holdings).unwrap_or_default();
                match self.dice.pick(&held).copied() {
                    Some(held) => {
                        let assets = self.term.sights.last().map(|sight| {
                            sight.cohorts.first().map(|view| view.market.assets.clone())
                        });
                        let assets = assets.flatten().unwrap_or_default();
                        let most = match self.dice.below(4) {
                            0 => held.units.0 + 1,
                            1 => held.units.0,
                            _ => held.redeemable.0,
                        };
                        let units = match self.dice.below(3) {
                            0 => most,
                            _ => most * i64::from(self.dice.below(100)) / 100,
                        };
                        MockAction::Redeem {
                            asset: assets[usize::from(held.asset)].clone(),
                            units: Units(units),
                            fast: self.dice.percent(30),
                        }
                    }
                    None => MockAction::Redeem {
                        asset: self.asset(),
                        units: Units(self.amount()),
                        fast: self.dice.percent(40),
                    },
                }
            }
            80..85 => {
                let last = view.map_or(0, |view| view.mock.orders.len() as u32);
                MockAction::Cancel { order: (last + 1 - self.dice.below(4).min(last + 1)) as u16 }
            }
            85..90 => MockAction::WriteNote { text: hash(&mut self.dice) },
            90..97 => {
                let loss = self.dice.percent(60);
                let about = if loss { DebriefAbout::Loss } else { DebriefAbout::Course };
                MockAction::WriteDebrief { about, text: hash(&mut self.dice) }
            }
            _ => {
                let scenarios = self.pack.scenarios.values();
                let shocks: Vec<Slug> =
                    scenarios.flat_map(|of| &of.shocks).map(|shock| shock.id.clone()).collect();
                let news = self.dice.pick(&shocks).cloned();
                MockAction::ReportFraud {
                    news: news.unwrap_or_else(|| "none".parse().expect("an id")),
                }
            }
        }
    }
}

/// The course of a seed.
pub(super) fn term(seed: u64) -> Term {
    let mut dice = Dice::new(&Seed::from_number(seed), 0x6d6f_636b, 0);
    let pack = content(&mut dice);
    let course = if dice.percent(60) { "basics-7" } else { "journey-14" };
    let config = EngineConfig { branch: BRANCH, seed: Seed::from_number(seed), branches: 1 };
    let engine = Engine::new(config.clone(), pack.clone());
    let packs = BTreeMap::from([(pack.digest, pack.clone())]);
    let played = Played { config, packs, first: pack.digest, said: Vec::new() };
    let mut school = School {
        dice,
        course: course.parse().expect("an id"),
        pack,
        engine,
        seq: 0,
        at: Calendar::default().start_of(EVE).plus_ms(8 * HOUR_MS),
        term: Term { played, sights: Vec::new() },
    };
    school.play();
    school.term
}
