//! Mock investing: what every command about a mock account is answered with, and what every close
//! does, worked out from the content of a cohort's start and the journal alone. Prices come from
//! the market's own generator, which the published ones are held against.
//!
//! One number is not predicted: what the outcome adds to a score depends on the standard deviation
//! of the own plan. It is held to its bounds and its side (see [`standing`]).

mod account;
mod close;
mod exit;
mod law;
mod market;
mod plan;
mod score;
mod standing;
mod suits;
mod tasks;
mod trade;
mod view;

use dengmi_content::model::product::Sheet;
use dengmi_core::course::{CohortStage, CourseEvent, CourseReceipt, PupilStage};
use dengmi_core::mock::{DebriefAbout, MockAction, MockReceipt, OrderView, Plan, WritingKind};
use dengmi_core::view::EventKind;
use dengmi_core::{CohortId, MemberId, Ppm, Receipt, Reject, Slug};

pub(super) use account::Account;
pub(super) use law::Heard;
pub(super) use market::Market;
pub(super) use standing::Outcome;
pub(super) use suits::Levels;

use super::cohorts::Cohort;
use super::days::day_of;
use super::{Answered, Auditor, Edge, Invariant, Tick};
use tasks::Done;
use trade::Placing;

fn receipt(receipt: MockReceipt) -> Receipt {
    Receipt::Course(CourseReceipt::Mock(receipt))
}

fn ordered(view: &OrderView) -> Receipt {
    let OrderView { number, market_day, state, .. } = *view;
    receipt(MockReceipt::Ordered { order: number, market_day, state })
}

impl Auditor {
    pub(super) fn mock(
        &mut self,
        tick: &Tick<'_>,
        seq: u32,
        member: MemberId,
        what: &MockAction,
    ) -> Answered {
        self.people.acting(member)?;
        let cohort = &self.cohorts[&seq];
        let pupil = cohort.pupils.get(&member.seq).ok_or(Reject::NotEnrolled)?;
        if pupil.stage != PupilStage::Enrolled {
            return Err(Reject::NotEnrolled);
        }
        let early = matches!(what, MockAction::Assess { .. } | MockAction::ConfirmLevel);
        match cohort.stage {
            CohortStage::Running => {}
            CohortStage::Enrolling if early => {}
            _ => return Err(Reject::WrongStage),
        }
        let today = day_of(cohort.calendar, tick.at);
        match what {
            MockAction::Assess { adult, choices } => {
                self.assess(seq, member, *adult, choices, today)
            }
            MockAction::ConfirmLevel => {
                let confirmed = self.levels.confirm(member.seq, today)?;
                self.seen.mark(Edge::LevelConfirmed);
                Ok(receipt(MockReceipt::Assessed(confirmed)))
            }
            MockAction::ReadSheet { product } => self.read_sheet(tick, seq, member, product),
            MockAction::WritePlan(plan) => self.write_plan(tick, seq, member, plan),
            MockAction::Buy { asset, amount } => {
                self.order(tick, seq, member, asset, Wanted::Buy(amount.0))
            }
            MockAction::Redeem { asset, units, fast } => {
                self.order(tick, seq, member, asset, Wanted::Redeem(units.0, *fast))
            }
            MockAction::Cancel { order } => {
                self.account(seq, member)?.cancel(*order)?;
                self.seen.mark(Edge::OrderCancelled);
                Ok(Receipt::Ok)
            }
            MockAction::WriteNote { text } => {
                let sent = cohort.sent;
                let account = self.account(seq, member)?;
                account.has_room_to_write()?;
                account.note_days.insert(sent);
                let texts = account.write(WritingKind::Note, *text, tick.at);
                self.mark_tasks(seq, member, &Done::Note);
                Ok(receipt(MockReceipt::Written { texts }))
            }
            MockAction::WriteDebrief { about, text } => {
                let over = cohort.sent == cohort.days;
                let account = self.account(seq, member)?;
                account.may_look_back(*about, over)?;
                account.has_room_to_write()?;
                let kind = match about {
                    DebriefAbout::Loss => WritingKind::Loss,
                    DebriefAbout::Course => WritingKind::Course,
                };
                let texts = account.write(kind, *text, tick.at);
                self.look_back(seq, member, *about);
                Ok(receipt(MockReceipt::Written { texts }))
            }
            MockAction::ReportFraud { news } => self.report_fraud(seq, member, news),
        }
    }

    fn account(&mut self, seq: u32, member: MemberId) -> Result<&mut Account, Reject> {
        let cohort = self.cohorts.get_mut(&seq).ok_or(Reject::UnknownCohort)?;
        cohort.pupils.get_mut(&member.seq).map(|pupil| &mut pupil.mock).ok_or(Reject::NotEnrolled)
    }

    fn order(
        &mut self,
        tick: &Tick<'_>,
        seq: u32,
        member: MemberId,
        id: &Slug,
        wanted: Wanted,
    ) -> Answered {
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return Err(Reject::UnknownCohort) };
        let level = self.levels.on(member.seq, day_of(cohort.calendar, tick.at));
        let (sent, slack) = (cohort.sent, cohort.slack(&self.packs));
        let read = cohort.sheet_read(&self.packs, member.seq, id);
        let market = &cohort.market;
        let pupil = cohort.pupils.get_mut(&member.seq).ok_or(Reject::NotEnrolled)?;
        let account = &mut pupil.mock;
        if sent < market.mock.orders_from_day {
            return Err(Reject::OrdersNotYet);
        }
        let (asset, rules) = market.asset(id).ok_or(Reject::UnknownAsset)?;
        if let Wanted::Buy(_) = wanted {
            if !rules.enabled {
                return Err(Reject::AssetOff);
            }
            if !suits::suits(rules.risk, level) {
                return Err(Reject::AboveLevel);
            }
        }
        if account.plans.is_empty() {
            return Err(Reject::PlanFirst);
        }
        if account.owes {
            return Err(Reject::DebriefFirst);
        }
        let placing = Placing { at: tick.at, sent, read, slack };
        let view = match wanted {
            Wanted::Buy(amount) => account.buy(market, asset, amount, placing)?,
            Wanted::Redeem(units, fast) => account.redeem(market, asset, units, fast, placing)?,
        };
        self.seen.mark(match wanted {
            Wanted::Buy(_) => Edge::OrderedToBuy,
            Wanted::Redeem(_, false) => Edge::OrderedToRedeem,
            Wanted::Redeem(_, true) => Edge::OrderedFast,
        });
        self.mark_tasks(seq, member, &Done::Order(id.clone()));
        Ok(ordered(&view))
    }

    fn write_plan(&mut self, tick: &Tick<'_>, seq: u32, member: MemberId, plan: &Plan) -> Answered {
        let cohort = &self.cohorts[&seq];
        let level = self.levels.on(member.seq, day_of(cohort.calendar, tick.at));
        plan::check_plan(&cohort.market, plan, level)?;
        let account = self.account(seq, member)?;
        account.has_room_to_write()?;
        account.write(WritingKind::Plan, plan.text, tick.at);
        account.plans.push(plan.clone());
        let version = account.plans.len() as u16;
        self.seen.mark(if version == 1 { Edge::PlanWritten } else { Edge::PlanChanged });
        self.mark_tasks(seq, member, &Done::Plan);
        Ok(receipt(MockReceipt::Planned { version }))
    }

    fn look_back(&mut self, seq: u32, member: MemberId, about: DebriefAbout) {
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return };
        let Some(pupil) = cohort.pupils.get_mut(&member.seq) else { return };
        match about {
            DebriefAbout::Loss => {
                pupil.mock.owes = false;
                pupil.mock.high = pupil.mock.worth_now(&cohort.market);
                self.seen.mark(Edge::LossDebriefed);
            }
            DebriefAbout::Course => {
                pupil.mock.looked_back = true;
                self.seen.mark(Edge::CourseDebriefed);
                self.mark_tasks(seq, member, &Done::Debrief);
            }
        }
    }

    /// The prices of a day of the course are made.
    pub(super) fn close_market(&mut self, tick: &mut Tick<'_>, seq: u32, day: u8) {
        let Some(cohort) = self.cohorts.get_mut(&seq) else { return };
        if cohort.stage != CohortStage::Running || day != cohort.market.closed + 1 {
            return;
        }
        let today = cohort.first.plus(i32::from(day) - 1);
        let parts = cohort.syllabus.course(&self.packs).score.portfolio.assets;
        let Cohort { market, pupils, .. } = cohort;
        let traded = |account: &Account| !account.orders.is_empty();
        for _ in 0..market.passes(day) {
            let (before, row) = (market.row(market.day), market.row(market.day + 1));
            market.day += 1;
            for pupil in pupils.values_mut().filter(|pupil| traded(&pupil.mock)) {
                let owed = pupil.mock.owes;
                let account = &mut pupil.mock;
                account.close(market, (&before, &row), market.day, tick.at);
                account.measure(account.worth_now(market), market.mock.debrief_loss);
                if account.owes && !owed {
                    self.seen.mark(Edge::DebriefOwed);
                }
                account.reached(market.day).for_each(|edge| self.seen.mark(edge));
                if let Some(what) = account.broken(&row) {
                    tick.unlawful.get_or_insert((Invariant::Portfolio, what));
                }
            }
        }
        market.closed = day;
        for (member, pupil) in pupils.iter_mut().filter(|(_, pupil)| traded(&pupil.mock)) {
            pupil.mock.survey(market, self.levels.on(*member, today), parts);
        }
        self.seen.mark(Edge::MarketClosed);
        let market_day = market.day;
        let cohort = CohortId::new(self.branch, seq);
        let event = CourseEvent::Priced { cohort, day, market_day };
        tick.events.push((None, EventKind::Course(event)));
        self.rank(tick, seq);
    }

    fn read_sheet(
        &mut self,
        tick: &Tick<'_>,
        seq: u32,
        member: MemberId,
        product: &Slug,
    ) -> Answered {
        let cohort = &self.cohorts[&seq];
        let pack = cohort.in_force(&self.packs);
        let name = pack.current(product);
        if !cohort.shows(&self.packs, name) {
            return Err(Reject::UnknownSheet);
        }
        let page = pack.products.get(name).ok_or(Reject::UnknownSheet)?;
        if page.sheet == Sheet::Real {
            let level = self.levels.on(member.seq, day_of(cohort.calendar, tick.at));
            let risk = page.issuer_risk.max(page.distributor_risk);
            if level.is_none() || !suits::suits(risk, level) {
                return Err(Reject::AboveLevel);
            }
            if !self.people.acting(member)?.hears_of_products {
                return Err(Reject::NoMarketingConsent);
            }
            self.seen.mark(Edge::RealSheetRead);
        }
        let name = name.clone();
        self.account(seq, member)?.sheets.insert(name.clone());
        self.seen.mark(Edge::SheetRead);
        self.mark_tasks(seq, member, &Done::Sheet(name));
        Ok(Receipt::Ok)
    }
}

/// What an order asks for.
#[derive(Clone, Copy)]
enum Wanted {
    Buy(i64),
    Redeem(i64, bool),
}

impl Cohort {
    /// How far an order may go beyond the plan.
    fn slack(&self, packs: &super::cohorts::Packs) -> Ppm {
        self.syllabus.course(packs).score.process.plan_slack
    }
}
