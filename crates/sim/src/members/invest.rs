//! How members of a course go about their mock account: the questionnaire, sheets, a plan, the
//! orders the lessons ask for, notes, and a look back after a loss and at the end. Most keep to what
//! they wrote; some put all in one thing, some sell when prices fall. Shares are invented (domain
//! 6.4), not measured.

use dengmi_content::model::lesson::TaskEvidence;
use dengmi_content::model::market::Asset;
use dengmi_content::model::product::Sheet;
use dengmi_content::model::scenario::{Scenario, ShockKind};
use dengmi_content::model::{Lesson, Market};
use dengmi_content::{Pack, PackCourse};
use dengmi_core::course::{CohortStage, CohortView, PupilView};
use dengmi_core::mock::{
    ClientLevel, DebriefAbout, Goal, HoldingView, MockAction, Plan, PlanPart, Units,
};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Day, Fen, Ppm, Slug};

use super::Persona;
use crate::answering::questionnaire;
use crate::dice::Dice;

/// Chance of writing a note that no lesson asks for.
const NOTES: u32 = 200_000;
/// Chance of looking back in writing where it is owed, and at the end of the course.
const LOOKS_BACK: u32 = 850_000;
/// Chance of reading the sheet of a product before ordering it.
const READS: u32 = 700_000;
/// A part of the plan, in millionths of the account; what is left stays cash.
const PART: u32 = 200_000;
/// The only part of somebody who goes all in.
const ALL_IN: u32 = 950_000;
/// Parts of a plan, at most.
const PARTS_MAX: usize = 4;
/// Orders of one visit, at most: more than four in a week cost points.
const ORDERS_MAX: usize = 2;
/// A fall within a market day that frightens, in millionths.
const FRIGHT: i64 = 30_000;

/// How a persona invests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Temper {
    /// The level the questionnaire will find.
    pub(super) level: ClientLevel,
    /// Chance of going all in.
    pub(super) all_in: u32,
    /// Chance of selling on a day on which something held fell sharply.
    pub(super) panics: u32,
}

/// The market of a cohort and what its course says about it.
pub(super) struct Desk<'a> {
    pack: &'a Pack,
    course: &'a PackCourse,
    scenario: &'a Scenario,
    market: &'a Market,
    view: &'a CohortView,
}

/// One visit of one member.
struct Visit<'a> {
    desk: &'a Desk<'a>,
    temper: Temper,
    knows: u32,
    level: Option<ClientLevel>,
    mine: &'a PupilView,
    dice: Dice,
    deeds: Vec<MockAction>,
}

impl<'a> Desk<'a> {
    /// `pack` holds the terms of the cohort's market.
    pub(super) fn new(
        pack: &'a Pack,
        course: &'a PackCourse,
        view: &'a CohortView,
    ) -> Option<Self> {
        let terms = &pack.courses.get(pack.current(&view.course))?.course;
        let scenario = pack.scenarios.get(pack.current(&terms.mock.scenario))?;
        let market = pack.markets.get(pack.current(&scenario.market))?;
        Some(Self { pack, course, scenario, market, view })
    }

    /// The questionnaire of somebody who has no level yet.
    pub(super) fn assess(&self, persona: &Persona, mine: &PupilView) -> Option<MockAction> {
        let open = matches!(self.view.stage, CohortStage::Enrolling | CohortStage::Running);
        if mine.level.is_some() || !open {
            return None;
        }
        let name = self.pack.current(&self.course.course.assessment);
        let questions = self.pack.assessments.get(name)?;
        let choices = questionnaire(questions, persona.temper.level)?;
        Some(MockAction::Assess { adult: true, choices })
    }

    /// Everything else somebody does about their account on a visit, in order.
    pub(super) fn visit(
        &self,
        persona: &Persona,
        knows: u32,
        mine: &PupilView,
        today: Day,
        dice: Dice,
    ) -> Vec<MockAction> {
        let holds = mine.level.filter(|found| found.confirmed && today <= found.until);
        let level = holds.map(|found| found.level);
        let deeds = Vec::new();
        let temper = persona.temper;
        let mut visit = Visit { desk: self, temper, knows, level, mine, dice, deeds };
        if self.view.stage == CohortStage::Running && self.view.sent > 0 {
            visit.all();
        }
        visit.deeds
    }

    fn lesson(&self, day: u8) -> Option<&'a Lesson> {
        self.course.lessons.iter().find(|lesson| lesson.day == day)
    }

    fn asset(&self, id: &Slug) -> Option<&'a Asset> {
        self.market.asset(id)
    }

    /// What moved an asset on the last market day, in millionths.
    fn moved(&self, asset: u8) -> i64 {
        let price = |back: usize| {
            let quotes = self.view.market.quotes.iter().rev().nth(back)?;
            quotes.get(usize::from(asset)).map(|quote| quote.nav)
        };
        match (price(0), price(1)) {
            (Some(now), Some(before)) => (now - before) * 1_000_000 / before.max(1),
            _ => 0,
        }
    }
}

impl<'a> Visit<'a> {
    fn suits(&self, asset: &Asset) -> bool {
        let level = self.level.unwrap_or(ClientLevel::C1);
        asset.enabled && asset.risk as usize <= level as usize
    }

    fn done(&self, day: u8) -> bool {
        self.mine.mock.tasks >> (day - 1) & 1 == 1
    }

    fn all(&mut self) {
        if self.mine.level.is_some_and(|found| !found.confirmed) {
            self.deeds.push(MockAction::ConfirmLevel);
        }
        let (sent, days) = (self.desk.view.sent, self.desk.course.course.days);
        let text = FoldedHash::of("记一笔");
        if self.mine.mock.owes_debrief && self.dice.chance(LOOKS_BACK) {
            self.deeds.push(MockAction::WriteDebrief { about: DebriefAbout::Loss, text });
        }
        let Some(today) = self.desk.lesson(sent) else { return };
        if today.mock.done_by == TaskEvidence::Sheet && !self.done(sent) {
            let sample = today.sheets.iter().find(|sheet| self.is_sample(sheet));
            let product = sample.cloned();
            self.deeds.extend(product.map(|product| MockAction::ReadSheet { product }));
        }
        if today.mock.done_by == TaskEvidence::Note && !self.done(sent) || self.dice.chance(NOTES) {
            self.deeds.push(MockAction::WriteNote { text });
        }
        self.report_frauds(sent);
        let mock = &self.desk.course.course.mock;
        if sent >= mock.orders_from_day {
            self.invest(today, self.desk.view.market.closed < days);
        } else if today.mock.done_by == TaskEvidence::Plan && self.mine.mock.plan.is_none() {
            let plan = self.plan();
            self.deeds.push(MockAction::WritePlan(plan));
        }
        let debriefed = self.done(days);
        if sent == days && !debriefed && self.dice.chance(LOOKS_BACK) {
            self.deeds.push(MockAction::WriteDebrief { about: DebriefAbout::Course, text });
        }
    }

    fn is_sample(&self, sheet: &Slug) -> bool {
        let pack = self.desk.pack;
        pack.products.get(pack.current(sheet)).is_some_and(|page| page.sheet == Sheet::Sample)
    }

    /// Frauds of today, by those who see through them.
    fn report_frauds(&mut self, sent: u8) {
        let today = self.desk.scenario.shocks.iter().filter(|shock| shock.day == sent);
        for shock in today.filter(|shock| shock.kind == ShockKind::FraudPitch) {
            let told = self.mine.mock.reported.contains(&shock.id);
            if !told && self.dice.chance(self.knows) {
                self.deeds.push(MockAction::ReportFraud { news: shock.id.clone() });
            }
        }
    }

    /// The plan, and orders by it or against it; `open` says that prices are still to come.
    fn invest(&mut self, today: &Lesson, open: bool) {
        let plan = match &self.mine.mock.plan {
            Some((_, plan)) => plan.clone(),
            None => {
                let plan = self.plan();
                self.deeds.push(MockAction::WritePlan(plan.clone()));
                plan
            }
        };
        if !open || self.mine.mock.owes_debrief {
            return;
        }
        if self.sell_in_fright() {
            return;
        }
        let held = |asset: &Slug| {
            let place = self.desk.view.market.assets.iter().position(|known| known == asset);
            let known = |held: &u8| Some(usize::from(*held)) == place;
            let orders = self.mine.mock.orders.iter().map(|order| order.asset);
            orders.chain(self.mine.mock.holdings.iter().map(|h| h.asset)).any(|own| known(&own))
        };
        // What the lesson asks for first, then what of the plan is not there yet.
        let asked: &[Slug] = match &today.mock.done_by {
            TaskEvidence::Order(assets) => assets,
            _ => &[],
        };
        let mut wanted: Vec<(Slug, Ppm)> = plan
            .parts
            .iter()
            .filter(|part| !held(&part.asset))
            .map(|part| (part.asset.clone(), part.share))
            .collect();
        wanted.sort_by_key(|(asset, _)| !asked.contains(asset));
        let mut cash = self.mine.mock.cash.0;
        for (asset, share) in wanted.into_iter().take(ORDERS_MAX) {
            let Some(rules) = self.desk.asset(&asset).filter(|rules| self.suits(rules)) else {
                continue;
            };
            let most = rules.trade.daily_limit_fen.map_or(i64::MAX, |limit| limit.0);
            let amount = share.of(self.mine.mock.value.0).min(cash).min(most);
            if amount < rules.trade.min_fen.0 {
                continue;
            }
            cash -= amount;
            let sheet = rules.sheet.clone().filter(|sheet| !self.mine.mock.sheets.contains(sheet));
            if self.dice.chance(READS) {
                self.deeds.extend(sheet.map(|product| MockAction::ReadSheet { product }));
            }
            self.deeds.push(MockAction::Buy { asset, amount: Fen(amount) });
        }
    }

    /// Sells what fell most, if it fell far; gives whether it was sold.
    fn sell_in_fright(&mut self) -> bool {
        let fell = |holding: &&HoldingView| self.desk.moved(holding.asset) <= -FRIGHT;
        let held = self.mine.mock.holdings.iter().filter(|held| held.redeemable > Units(0));
        let worst = held.filter(fell).min_by_key(|holding| self.desk.moved(holding.asset)).copied();
        let Some(worst) = worst.filter(|_| self.dice.chance(self.temper.panics)) else {
            return false;
        };
        let Some(asset) = self.desk.view.market.assets.get(usize::from(worst.asset)) else {
            return false;
        };
        let (asset, units) = (asset.clone(), worst.redeemable);
        self.deeds.push(MockAction::Redeem { asset, units, fast: false });
        true
    }

    /// What the lessons ask for and something more, or all of it in what moves most.
    fn plan(&mut self) -> Plan {
        let assets: Vec<&Asset> =
            self.desk.market.assets.iter().filter(|asset| self.suits(asset)).collect();
        // The first of those with the highest level.
        let bold = assets.iter().rev().max_by_key(|asset| asset.risk);
        let bold = bold.filter(|_| self.dice.chance(self.temper.all_in));
        let parts = match bold {
            Some(bold) => vec![PlanPart { asset: bold.id.clone(), share: Ppm(ALL_IN) }],
            None => {
                let asked = self.desk.course.lessons.iter().filter_map(|lesson| {
                    let TaskEvidence::Order(wanted) = &lesson.mock.done_by else { return None };
                    wanted.iter().find(|id| assets.iter().any(|asset| asset.id == **id))
                });
                let mut named: Vec<Slug> = asked.cloned().collect();
                while named.len() < PARTS_MAX.min(assets.len()) {
                    let more = self.dice.pick(&assets).map(|asset| asset.id.clone());
                    named.extend(more.filter(|id| !named.contains(id)));
                }
                named.dedup();
                named.truncate(PARTS_MAX);
                let share = Ppm(PART);
                named.into_iter().map(|asset| PlanPart { asset, share }).collect()
            }
        };
        let goals = [Goal::Emergency, Goal::Education, Goal::Home, Goal::Retirement];
        Plan {
            goal: self.dice.pick(&goals).copied().unwrap_or(Goal::Learning),
            months: 6 + self.dice.below(115) as u16,
            loss: Ppm(20_000 * (1 + self.temper.level as u32)),
            parts,
            text: FoldedHash::of("先想好，再动手"),
        }
    }
}
