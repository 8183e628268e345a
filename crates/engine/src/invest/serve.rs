//! Commands on mock accounts, each checked whole before anything changes.

use bevy_ecs::prelude::*;
use dengmi_content::model::lesson::TaskEvidence;
use dengmi_content::model::product::Sheet;
use dengmi_content::model::scenario::ShockKind;
use dengmi_content::model::{Lesson, Product};
use dengmi_core::command::ConsentPurpose;
use dengmi_core::course::{CohortStage, CourseReceipt, PupilStage};
use dengmi_core::mock::{DebriefAbout, MockAction, MockReceipt, Plan, Side, Writing, WritingKind};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Day, Fen, MemberId, Receipt, Reject, Slug, mutant};

use super::account::Placing;
use super::{Accounts, Row, Tape, plan};
use crate::cohort::{Cohort, CohortPlan, Pupils};
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{Now, Touched};
use crate::people::Member;
use crate::suitability::Levels;

/// Most texts of an account.
const TEXTS_MAX: usize = 100;

/// What a command is about, looked up once.
#[derive(Clone, Copy)]
struct Desk {
    entity: Entity,
    member: u32,
    /// The business day.
    today: Day,
    /// Lessons sent so far.
    sent: u8,
}

/// Does what a member asks for on their account; whether they may act at all is decided before.
pub(crate) fn serve(
    world: &mut World,
    entity: Entity,
    member: MemberId,
    what: &MockAction,
) -> Result<Receipt, Reject> {
    let cohort = world.get::<Cohort>(entity).expect("indexed cohorts are whole");
    let today = cohort.calendar.day_of(world.resource::<Now>().at);
    let desk = Desk { entity, member: member.seq, today, sent: cohort.sent };
    let stage = cohort.stage;
    let pupils = world.get::<Pupils>(entity).expect("cohorts have pupils");
    let pupil = pupils.0.get(member.seq).ok_or(Reject::NotEnrolled)?;
    if pupil.stage != PupilStage::Enrolled {
        return Err(Reject::NotEnrolled);
    }
    let early = matches!(what, MockAction::Assess { .. } | MockAction::ConfirmLevel);
    if stage != CohortStage::Running && !(early && stage == CohortStage::Enrolling) {
        return Err(Reject::WrongStage);
    }
    let receipt = match what {
        MockAction::Assess { adult, choices } => desk.assess(world, *adult, choices),
        MockAction::ConfirmLevel => {
            let confirmed = world.resource_mut::<Levels>().confirm(desk.member, desk.today)?;
            Ok(done(MockReceipt::Assessed(confirmed)))
        }
        MockAction::ReadSheet { product } => desk.read_sheet(world, product),
        MockAction::WritePlan(plan) => desk.write_plan(world, plan),
        MockAction::Buy { asset, amount } => desk.order(world, asset, Side::Buy(*amount)),
        MockAction::Redeem { asset, units, fast } => {
            let side = if *fast { Side::Fast(*units) } else { Side::Redeem(*units) };
            desk.order(world, asset, side)
        }
        MockAction::Cancel { order } => desk.with(world, |row, _| {
            row.account.cancel(*order)?;
            Ok(Receipt::Ok)
        }),
        MockAction::WriteNote { text } => desk.write_note(world, *text),
        MockAction::WriteDebrief { about, text } => desk.write_debrief(world, *about, *text),
        MockAction::ReportFraud { news } => desk.report(world, news),
    }?;
    world.resource_mut::<Touched>().member(desk.member);
    Ok(receipt)
}

fn done(receipt: MockReceipt) -> Receipt {
    Receipt::Course(CourseReceipt::Mock(receipt))
}

impl Desk {
    fn plan<'a>(&self, world: &'a World) -> &'a CohortPlan {
        world.get::<CohortPlan>(self.entity).expect("cohorts have a plan")
    }

    /// Changes the member's row; `change` refuses before it changes anything.
    fn with(
        &self,
        world: &mut World,
        change: impl FnOnce(&mut Row, &Tape) -> Result<Receipt, Reject>,
    ) -> Result<Receipt, Reject> {
        let mut accounts = world.get_mut::<Accounts>(self.entity).expect("cohorts have a market");
        let mut accounts = std::mem::take(&mut *accounts);
        let tape = world.get::<Tape>(self.entity).expect("cohorts have a market");
        let result = match accounts.0.get_mut(self.member) {
            Some(row) => change(row, tape),
            None => {
                let mut row = Row::new(self.plan(world).course().mock.cash_fen);
                change(&mut row, tape).inspect(|_| {
                    accounts.0.entry(self.member, || row);
                })
            }
        };
        *world.get_mut(self.entity).expect("cohorts have a market") = accounts;
        result
    }

    /// Marks the mock tasks of lessons that ask for what was just done.
    fn tasks(&self, world: &World, does: impl Fn(&Lesson) -> bool) -> u16 {
        let plan = self.plan(world);
        let done = |day: &u8| plan.lesson(*day).is_some_and(&does);
        (1..=self.sent).filter(done).fold(0, |bits, day| bits | 1 << (day - 1))
    }

    /// Marks the mock task of the lesson sent last, where it asks for what was just done.
    fn task_of_the_day(&self, world: &World, does: impl Fn(&Lesson) -> bool) -> u16 {
        let lesson = self.plan(world).lesson(self.sent);
        lesson.filter(|lesson| does(lesson)).map_or(0, |_| 1 << (self.sent - 1))
    }

    fn assess(&self, world: &mut World, adult: bool, choices: &[u8]) -> Result<Receipt, Reject> {
        let cohort = world.get::<Cohort>(self.entity).expect("indexed cohorts are whole");
        let pack = world.resource::<Packs>().get(cohort.pack_on(self.sent.max(1)));
        let pack = pack.ok_or(Reject::UnknownContent)?.clone();
        let name = pack.current(&self.plan(world).course().assessment).clone();
        let questionnaire = pack.assessments.get(&name).ok_or(Reject::UnknownContent)?;
        let mut levels = world.resource_mut::<Levels>();
        let found = levels.assess(self.member, questionnaire, adult, choices, self.today)?;
        let tasks = self.tasks(world, |lesson| lesson.mock.done_by == TaskEvidence::Assessment);
        self.with(world, |row, _| {
            row.conduct.tasks |= tasks;
            Ok(done(MockReceipt::Assessed(found)))
        })
    }

    fn read_sheet(&self, world: &mut World, product: &Slug) -> Result<Receipt, Reject> {
        let cohort = world.get::<Cohort>(self.entity).expect("indexed cohorts are whole");
        let pack = world.resource::<Packs>().get(cohort.pack_on(self.sent.max(1)));
        let pack = pack.ok_or(Reject::UnknownContent)?.clone();
        let id = pack.current(product).clone();
        let names = |slug: &Slug| *pack.current(slug) == id;
        let plan = self.plan(world);
        let tape = world.get::<Tape>(self.entity).expect("cohorts have a market");
        let mut shown = tape.assets().iter().filter_map(|asset| asset.sheet.as_ref()).any(names);
        let mut tasks = 0;
        for day in 1..=self.sent {
            let Some(lesson) = plan.lesson(day) else { continue };
            if lesson.sheets.iter().any(names) {
                shown = true;
                tasks |= u16::from(lesson.mock.done_by == TaskEvidence::Sheet) << (day - 1);
            }
        }
        let sheet = pack.products.get(&id).filter(|_| shown).ok_or(Reject::UnknownSheet)?;
        self.may_see(world, sheet)?;
        self.with(world, |row, _| {
            row.conduct.tasks |= tasks;
            if let Err(place) = row.conduct.sheets.binary_search(&id) {
                row.conduct.sheets.insert(place, id);
            }
            Ok(Receipt::Ok)
        })
    }

    /// Teaching sheets are for everybody. A product on sale is shown to whom it suits and who asked
    /// for it (C01, C20).
    fn may_see(&self, world: &World, product: &Product) -> Result<(), Reject> {
        if product.sheet == Sheet::Sample {
            return Ok(());
        }
        let levels = world.resource::<Levels>();
        let risk = product.issuer_risk.max(product.distributor_risk);
        if levels.on(self.member, self.today).is_none()
            || !levels.suits(self.member, self.today, risk)
        {
            return Err(Reject::AboveLevel);
        }
        let member = world.resource::<Column<Member>>().get(self.member);
        let member = member.ok_or(Reject::UnknownMember)?;
        match member.consented(ConsentPurpose::Marketing) {
            true => Ok(()),
            false => Err(Reject::NoMarketingConsent),
        }
    }

    fn write_plan(&self, world: &mut World, written: &Plan) -> Result<Receipt, Reject> {
        let level = world.resource::<Levels>().on(self.member, self.today);
        let tasks = self.tasks(world, |lesson| lesson.mock.done_by == TaskEvidence::Plan);
        let at = world.resource::<Now>().at;
        self.with(world, |row, tape| {
            plan::check(written, tape, level)?;
            let conduct = &mut row.conduct;
            write(conduct, Writing { at, kind: WritingKind::Plan, text: written.text })?;
            let version = conduct.plan.as_ref().map_or(0, |(version, _)| *version) + 1;
            conduct.variance = plan::variance(written, tape);
            conduct.plan = Some((version, written.clone()));
            conduct.tasks |= tasks;
            Ok(done(MockReceipt::Planned { version }))
        })
    }

    fn order(&self, world: &mut World, asset: &Slug, side: Side) -> Result<Receipt, Reject> {
        let plan = self.plan(world).clone();
        let course = plan.course();
        if self.sent < course.mock.orders_from_day {
            return Err(Reject::OrdersNotYet);
        }
        let tape = world.get::<Tape>(self.entity).expect("cohorts have a market");
        let (place, rules) = tape.asset(asset).ok_or(Reject::UnknownAsset)?;
        let buys = matches!(side, Side::Buy(_));
        if buys && !rules.enabled {
            return Err(Reject::AssetOff);
        }
        // Whoever may not buy may still get out.
        let suits = world.resource::<Levels>().suits(self.member, self.today, rules.risk)
            || mutant::planted("mock/suitability-unasked");
        if buys && !suits {
            return Err(Reject::AboveLevel);
        }
        // A sheet that was renamed since is the same sheet.
        let cohort = world.get::<Cohort>(self.entity).expect("indexed cohorts are whole");
        let pack = world.resource::<Packs>().get(cohort.pack_on(self.sent.max(1)));
        let pack = pack.ok_or(Reject::UnknownContent)?.clone();
        let sheet = rules.sheet.as_ref().map(|sheet| pack.current(sheet).clone());
        let at = world.resource::<Now>().at;
        let today = self.sent;
        let task = self.task_of_the_day(world, |lesson| {
            matches!(&lesson.mock.done_by, TaskEvidence::Order(assets) if assets.contains(asset))
        });
        let slack = course.score.process.plan_slack;
        self.with(world, |row, tape| {
            if row.conduct.plan.is_none() && !mutant::planted("mock/plan-unasked") {
                return Err(Reject::PlanFirst);
            }
            if row.conduct.owes && !mutant::planted("mock/debrief-unasked") {
                return Err(Reject::DebriefFirst);
            }
            let now = tape.now();
            let placing = Placing {
                at,
                course_day: today,
                in_plan: plan::keeps(row, &now, place, side, slack),
                sheet_read: sheet.is_none_or(|sheet| {
                    row.conduct.sheets.iter().any(|read| *pack.current(read) == sheet)
                }),
            };
            let account = &mut row.account;
            let number = match side {
                Side::Buy(Fen(amount)) => {
                    account.check_buy(&now, place, amount)?;
                    account.buy(&now, place, amount, placing)
                }
                Side::Redeem(units) | Side::Fast(units) => {
                    let fast = matches!(side, Side::Fast(_));
                    account.check_redeem(&now, place, units.0, fast)?;
                    account.redeem(&now, place, units.0, fast, placing)
                }
                Side::Matured(_) => return Err(Reject::BadAmount),
            };
            let conduct = &mut row.conduct;
            conduct.tasks |= task;
            if conduct.first_plan.is_none() {
                conduct.first_plan = conduct.plan.as_ref().map(|(_, plan)| plan.clone());
            }
            let order = row.account.orders[number];
            Ok(done(MockReceipt::Ordered {
                order: u16::try_from(number + 1).unwrap_or(u16::MAX),
                market_day: order.market_day,
                state: order.state,
            }))
        })
    }

    fn write_note(&self, world: &mut World, text: FoldedHash) -> Result<Receipt, Reject> {
        let at = world.resource::<Now>().at;
        let today = self.sent;
        let task = self.task_of_the_day(world, |lesson| lesson.mock.done_by == TaskEvidence::Note);
        self.with(world, |row, _| {
            let conduct = &mut row.conduct;
            let texts = write(conduct, Writing { at, kind: WritingKind::Note, text })?;
            conduct.note_days |= 1 << (today.max(1) - 1);
            conduct.tasks |= task;
            Ok(done(MockReceipt::Written { texts }))
        })
    }

    fn write_debrief(
        &self,
        world: &mut World,
        about: DebriefAbout,
        text: FoldedHash,
    ) -> Result<Receipt, Reject> {
        let at = world.resource::<Now>().at;
        let cohort = world.get::<Cohort>(self.entity).expect("indexed cohorts are whole");
        let last_sent = cohort.sent == cohort.days;
        let tasks = self.tasks(world, |lesson| lesson.mock.done_by == TaskEvidence::Debrief);
        self.with(world, |row, _| {
            let conduct = &mut row.conduct;
            let kind = match about {
                DebriefAbout::Loss if conduct.owes => WritingKind::Loss,
                DebriefAbout::Course if last_sent && conduct.debriefed => {
                    return Err(Reject::AlreadyDone);
                }
                DebriefAbout::Course if last_sent => WritingKind::Course,
                _ => return Err(Reject::NothingToDebrief),
            };
            let texts = write(conduct, Writing { at, kind, text })?;
            match about {
                DebriefAbout::Loss => {
                    conduct.owes = false;
                    // The next one is owed for the next fall, not for this one again.
                    conduct.high = conduct.value;
                }
                DebriefAbout::Course => {
                    conduct.debriefed = true;
                    conduct.tasks |= tasks;
                }
            }
            Ok(done(MockReceipt::Written { texts }))
        })
    }

    fn report(&self, world: &mut World, news: &Slug) -> Result<Receipt, Reject> {
        let tape = world.get::<Tape>(self.entity).expect("cohorts have a market");
        let shock = tape.scenario().shock(news).filter(|shock| shock.day <= self.sent);
        if shock.ok_or(Reject::UnknownNews)?.kind != ShockKind::FraudPitch {
            return Err(Reject::NotAFraud);
        }
        let tasks = self.tasks(world, |lesson| lesson.mock.done_by == TaskEvidence::FraudReport);
        self.with(world, |row, _| {
            let Err(place) = row.conduct.reported.binary_search(news) else {
                return Err(Reject::AlreadyDone);
            };
            row.conduct.reported.insert(place, news.clone());
            row.conduct.tasks |= tasks;
            Ok(Receipt::Ok)
        })
    }
}

/// Keeps a text; gives how many there are now.
fn write(conduct: &mut super::Conduct, text: Writing) -> Result<u16, Reject> {
    if conduct.texts.len() >= TEXTS_MAX {
        return Err(Reject::TooManyTexts);
    }
    conduct.texts.push(text);
    Ok(u16::try_from(conduct.texts.len()).unwrap_or(u16::MAX))
}
