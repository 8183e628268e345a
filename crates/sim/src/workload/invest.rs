//! Mock investing, drawn: questionnaires, sheets, plans and orders, well chosen, badly chosen, too
//! early, too late and too many.

use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::RiskLevel;
use dengmi_content::model::market::Asset;
use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::{CohortStage, CourseAction, PupilStage, PupilView};
use dengmi_core::mock::{
    ClientLevel, DebriefAbout, Goal, HoldingView, MockAction, MockView, OrderState, Plan, PlanPart,
    Side, Units,
};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Action, Actor, CohortId, Command, Fen, MemberId, Ppm, Slug};

use super::Workload;

/// Pupils who see to their account in one batch, at most.
const INVESTORS_MAX: usize = 8;

/// Orders of an account and texts of a member, and some more.
const TOO_MANY: usize = 104;

/// What is done on an account, by how often it is drawn.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Assess,
    Confirm,
    Sheet,
    Plan,
    Buy,
    Redeem,
    Cancel,
    Note,
    Debrief,
    Report,
}

const DEEDS: &[(u32, Deed)] = &[
    (12, Deed::Assess),
    (5, Deed::Confirm),
    (9, Deed::Sheet),
    (12, Deed::Plan),
    (24, Deed::Buy),
    (18, Deed::Redeem),
    (8, Deed::Cancel),
    (4, Deed::Note),
    (5, Deed::Debrief),
    (5, Deed::Report),
];

/// A member, their cohort and what they hold, as readers saw it before the batch.
struct Desk {
    member: MemberId,
    cohort: CohortId,
    level: Option<ClientLevel>,
    mock: MockView,
    /// The content of the cohort's market, and the market's id in it.
    pack: Arc<Pack>,
    market: Slug,
    sent: u8,
}

impl Desk {
    fn act(&self, what: MockAction) -> Action {
        let (member, cohort) = (self.member, self.cohort);
        Action::Course(CourseAction::Mock { member, cohort, what })
    }

    fn assets(&self) -> &[Asset] {
        self.pack.markets.get(&self.market).map_or(&[], |market| &market.assets)
    }

    fn suits(&self, asset: &Asset) -> bool {
        let level = self.level.unwrap_or(ClientLevel::C1);
        asset.enabled && asset.risk as usize <= level as usize
    }

    /// Assets that can be bought at the own level.
    fn choice(&self) -> Vec<&Asset> {
        self.assets().iter().filter(|asset| self.suits(asset)).collect()
    }

    fn asset(&self, holding: &HoldingView) -> Option<&Asset> {
        self.assets().get(usize::from(holding.asset))
    }
}

impl Workload {
    fn desk(&self, member: MemberId, cohort: CohortId) -> Option<Desk> {
        let own = |row: &&(MemberId, PupilView)| row.0 == member && row.1.cohort == cohort;
        let pupil = &self.pupils.iter().find(own)?.1;
        let view = self.catalog.cohorts.iter().find(|view| view.id == cohort)?;
        let today = self.today();
        let level = pupil.level.filter(|found| found.confirmed && today <= found.until);
        let pack = self.packs.get(&view.terms)?.clone();
        let course = &pack.courses.get(pack.current(&view.course))?.course;
        let scenario = pack.scenarios.get(pack.current(&course.mock.scenario))?;
        let market = pack.current(&scenario.market).clone();
        Some(Desk {
            member,
            cohort,
            level: level.map(|found| found.level),
            mock: (*pupil.mock).clone(),
            pack,
            market,
            sent: view.sent,
        })
    }

    /// Something on somebody's mock account.
    pub(super) fn mock(&mut self) -> Option<Action> {
        let (member, cohort) = self.pupil(|stage| stage == PupilStage::Enrolled);
        let deed = self.dice.weighted(DEEDS);
        let what = match self.desk(member, cohort) {
            Some(desk) => self.deed(&desk, deed)?,
            // Nobody's account, or a cohort that is not there.
            None => MockAction::Cancel { order: 1 },
        };
        Some(Action::Course(CourseAction::Mock { member, cohort, what }))
    }

    fn deed(&mut self, desk: &Desk, deed: Deed) -> Option<MockAction> {
        let text = FoldedHash::of("写几句");
        Some(match deed {
            Deed::Assess => self.assess(),
            Deed::Confirm => MockAction::ConfirmLevel,
            Deed::Sheet => {
                let sheets = ["sample/cash", "sample/bond", "sale/mixed", "sale/mixed", "no/such"];
                MockAction::ReadSheet { product: self.dice.pick(&sheets)?.parse().ok()? }
            }
            Deed::Plan => MockAction::WritePlan(self.any_plan(desk)),
            Deed::Buy => self.any_purchase(desk)?,
            Deed::Redeem => self.any_redemption(desk)?,
            Deed::Cancel => {
                let waits = |order: &&_| matches!(order, (_, OrderState::Accepted));
                let orders = desk.mock.orders.iter().map(|order| (order.number, order.state));
                let orders: Vec<(u16, OrderState)> = orders.collect();
                let waiting: Vec<_> = orders.iter().filter(waits).copied().collect();
                let known = if self.dice.percent(70) { &waiting } else { &orders };
                let order = self.dice.pick(known).map(|(number, _)| *number);
                let order = order.filter(|_| self.dice.percent(85));
                MockAction::Cancel { order: order.unwrap_or(*self.dice.pick(&[0, 90, u16::MAX])?) }
            }
            Deed::Note => MockAction::WriteNote { text },
            Deed::Debrief => {
                let about = *self.dice.pick(&[DebriefAbout::Loss, DebriefAbout::Course])?;
                MockAction::WriteDebrief { about, text }
            }
            Deed::Report => {
                let news = ["pitch", "pitch", "pitch", "crash", "no-such-news"];
                MockAction::ReportFraud { news: self.dice.pick(&news)?.parse().ok()? }
            }
        })
    }

    /// A questionnaire: mostly of somebody who bears much.
    fn assess(&mut self) -> MockAction {
        let bold = if self.dice.percent(70) { 92 } else { 40 };
        let mut choices: Vec<u8> = (0..5).map(|_| u8::from(!self.dice.percent(bold))).collect();
        match self.dice.below(24) {
            0 => choices.clear(),
            1 => choices.push(0),
            2 => choices[4] = 9,
            _ => {}
        }
        MockAction::Assess { adult: self.dice.percent(95), choices }
    }

    /// A plan within the level: equal parts of what suits, or all in one.
    fn plan_of(&mut self, desk: &Desk) -> Plan {
        let assets: Vec<Slug> = desk.choice().into_iter().map(|asset| asset.id.clone()).collect();
        let all_in = self.dice.percent(30);
        let last = assets.len().saturating_sub(2);
        let named = if all_in { &assets[last..] } else { &assets[..] };
        let share = Ppm(1_000_000 / u32::try_from(named.len().max(1)).unwrap_or(1));
        Plan {
            goal: Goal::Learning,
            months: 1 + self.dice.below(600) as u16,
            loss: Ppm(self.dice.below(1_000_001)),
            parts: named.iter().map(|asset| PlanPart { asset: asset.clone(), share }).collect(),
            text: FoldedHash::of("先定好再买"),
        }
    }

    fn any_plan(&mut self, desk: &Desk) -> Plan {
        let mut plan = self.plan_of(desk);
        let part = |asset: &str, share| {
            asset.parse().ok().map(|asset| PlanPart { asset, share: Ppm(share) })
        };
        match self.dice.below(26) {
            0 => plan.months = *self.dice.pick(&[0, 601, u16::MAX]).unwrap_or(&0),
            1 => plan.loss = Ppm(*self.dice.pick(&[1_000_001, u32::MAX]).unwrap_or(&0)),
            2 => plan.parts.extend(part("demand", u32::MAX)),
            3 => plan.parts = part("term", 1).into_iter().cycle().take(2).collect(),
            4 => plan.parts = part("no-such-asset", 1).into_iter().collect(),
            5 => plan.parts = part("gold", 0).into_iter().collect(),
            6 => plan.parts = part("share", 500_000).into_iter().collect(),
            // Named, but nothing of it is planned.
            7 => plan.parts = part("share", 0).into_iter().collect(),
            8 => plan.parts = part("cash", 1).into_iter().cycle().take(300).collect(),
            9 => plan.parts.clear(),
            _ => {}
        }
        plan
    }

    fn any_purchase(&mut self, desk: &Desk) -> Option<MockAction> {
        let well = self.dice.percent(75);
        let market = desk.assets().iter().collect();
        let known = if well { desk.choice() } else { market };
        let asset = *self.dice.pick(&known)?;
        let cash = desk.mock.cash.0;
        let min = asset.trade.min_fen.0;
        let limit = asset.trade.daily_limit_fen.map_or(100_000, |limit| limit.0);
        let amount = match self.dice.below(20) {
            0 => *self.dice.pick(&[0, -1, i64::MIN, i64::MAX, 100_000_000_001])?,
            1 => min - 1,
            2 => min,
            3 => cash + 1,
            4 => cash,
            5 => limit,
            6 => limit + 1,
            7..12 => cash / 3,
            _ => i64::from(self.dice.between(100, 2_000_000)),
        };
        let asset = match self.dice.percent(97) {
            true => asset.id.clone(),
            false => "no-such-asset".parse().ok()?,
        };
        Some(MockAction::Buy { asset, amount: Fen(amount) })
    }

    fn any_redemption(&mut self, desk: &Desk) -> Option<MockAction> {
        let Some(holding) = self.dice.pick(&desk.mock.holdings).copied() else {
            // Nothing is held; now and then it is tried all the same.
            let units = Units(100);
            let asset = self.dice.pick(desk.assets())?.id.clone();
            return self.dice.percent(20).then_some(MockAction::Redeem {
                asset,
                units,
                fast: false,
            });
        };
        let asset = desk.asset(&holding)?;
        let (held, free) = (holding.units.0, holding.redeemable.0);
        let limit = asset.trade.fast_limit_fen.map_or(i64::MAX, |limit| limit.0);
        let units = match self.dice.below(20) {
            0 => *self.dice.pick(&[0, -1, i64::MIN, i64::MAX, 100_000_000_001])?,
            1 => held + 1,
            2..5 => held,
            5..9 => free,
            9 => limit,
            10 => limit.saturating_add(1),
            11 => 1,
            _ => free / 3,
        };
        let fast = self.dice.percent(if limit < i64::MAX { 60 } else { 5 });
        Some(MockAction::Redeem { asset: asset.id.clone(), units: Units(units), fast })
    }

    /// Pupils who see to their account: the questionnaire, a plan, orders by it, and whatever is
    /// owed.
    pub(super) fn invest(&mut self) -> Vec<Command> {
        let mut pupils = self.running_pupils();
        while pupils.len() > INVESTORS_MAX {
            pupils.swap_remove(self.dice.below(pupils.len() as u32) as usize);
        }
        let mut actions = Vec::new();
        for (member, cohort) in pupils {
            if let Some(desk) = self.desk(member, cohort) {
                self.see_to(&desk, &mut actions);
            }
        }
        actions.into_iter().map(|action| Command { actor: Actor::Channel, action }).collect()
    }

    fn running_pupils(&self) -> Vec<(MemberId, CohortId)> {
        let running = |cohort: &CohortId| {
            let view = self.catalog.cohorts.iter().find(|view| view.id == *cohort);
            view.is_some_and(|view| view.stage == CohortStage::Running)
        };
        let pupils = self.pupils.iter().filter(|(_, view)| view.stage == PupilStage::Enrolled);
        pupils.filter(|(_, view)| running(&view.cohort)).map(super::courses::place).collect()
    }

    fn see_to(&mut self, desk: &Desk, actions: &mut Vec<Action>) {
        let text = FoldedHash::of("回头看看");
        let mut act = |what| actions.push(desk.act(what));
        if desk.mock.owes_debrief && self.dice.percent(60) {
            act(MockAction::WriteDebrief { about: DebriefAbout::Loss, text });
        }
        let last = self.catalog.cohorts.iter().find(|view| view.id == desk.cohort);
        if last.is_some_and(|view| view.last.0 - view.first.0 + 1 == i32::from(view.sent)) {
            act(MockAction::WriteDebrief { about: DebriefAbout::Course, text });
        }
        if desk.level.is_none() {
            act(self.assess());
            act(MockAction::ConfirmLevel);
            return;
        }
        if desk.mock.plan.is_none() {
            act(MockAction::WritePlan(self.plan_of(desk)));
        }
        if desk.sent >= 6
            && self.dice.percent(20)
            && let Ok(product) = "sale/mixed".parse()
        {
            let (member, purpose) = (desk.member, ConsentPurpose::Marketing);
            actions.push(Action::Consent { member, purpose, version: 1, given: true });
            actions.push(desk.act(MockAction::ReadSheet { product }));
        }
        // By the plan, or as much as there is of what moves most.
        let bold = desk.assets().iter().rfind(|asset| desk.suits(asset));
        let asset = match (&desk.mock.plan, bold) {
            (_, Some(bold)) if bold.risk >= RiskLevel::R4 && self.dice.percent(40) => &bold.id,
            (Some((_, plan)), _) => match self.dice.pick(&plan.parts) {
                Some(part) => &part.asset,
                None => return,
            },
            _ => return,
        };
        let amount = Fen(desk.mock.cash.0 / i64::from(self.dice.between(2, 5)));
        actions.push(desk.act(MockAction::Buy { asset: asset.clone(), amount }));
        if let Some(part) = self.whole_holding(desk) {
            actions.push(part);
        }
    }

    /// All that can be redeemed of one holding, now and then.
    fn whole_holding(&mut self, desk: &Desk) -> Option<Action> {
        if !self.dice.percent(25) {
            return None;
        }
        let holding = *self.dice.pick(&desk.mock.holdings)?;
        let asset = desk.asset(&holding)?.id.clone();
        Some(desk.act(MockAction::Redeem { asset, units: holding.redeemable, fast: false }))
    }

    /// One member who orders, or writes, more often than an account keeps.
    pub(super) fn flood_account(&mut self) -> Vec<Command> {
        let pupils = self.running_pupils();
        let desk = self.dice.pick(&pupils).copied();
        let Some(desk) = desk.and_then(|(member, cohort)| self.desk(member, cohort)) else {
            return Vec::new();
        };
        let Ok(asset) = "demand".parse::<Slug>() else { return Vec::new() };
        let orders = self.dice.percent(50);
        let own = desk.mock.orders.iter().filter(|order| !matches!(order.side, Side::Matured(_)));
        let so_far = if orders { own.count() } else { desk.mock.texts.len() };
        let what = match orders {
            true => MockAction::Buy { asset, amount: Fen(100) },
            false => MockAction::WriteNote { text: FoldedHash::of("又一条") },
        };
        let command = Command { actor: Actor::Channel, action: desk.act(what) };
        vec![command; TOO_MANY.saturating_sub(so_far)]
    }
}
