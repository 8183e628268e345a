//! What everybody in a classroom does on the mock account.

use std::ops::Range;

use dengmi_content::model::Market;
use dengmi_content::model::market::{Asset, Holding};
use dengmi_core::course::CourseAction;
use dengmi_core::mock::{ClientLevel, DebriefAbout, Goal, MockAction, Plan, PlanPart};
use dengmi_core::text::FoldedHash;
use dengmi_core::time::TimeOfDay;
use dengmi_core::{Action, Command, Fen, MemberId, Ppm, Slug};
use dengmi_engine::Engine;

use super::{BRANCH, Classroom};
use crate::answering::questionnaire;

/// Parts of everybody's plan.
const PARTS: usize = 4;

/// A part of a plan.
const PART: Ppm = Ppm(220_000);

/// One order, in fen: 5,000 yuan.
const ORDER: Fen = Fen(500_000);

impl Classroom {
    /// The market of the course.
    #[must_use]
    pub fn market(&self) -> &Market {
        let course = &self.pack.courses[&self.course].course;
        let scenario = &self.pack.scenarios[self.pack.current(&course.mock.scenario)];
        &self.pack.markets[self.pack.current(&scenario.market)]
    }

    pub(super) fn cutoff(&self) -> TimeOfDay {
        self.market().cutoff
    }

    /// One level after the other.
    fn level(member: u32) -> ClientLevel {
        ClientLevel::ALL[member as usize % ClientLevel::ALL.len()]
    }

    /// What somebody plans: the boldest things of their level that can be bought on any day.
    fn choice(&self, member: u32) -> Vec<&Asset> {
        let level = Self::level(member) as usize;
        let fits = |asset: &&Asset| {
            let daily = asset.trade.daily_limit_fen.is_none_or(|limit| limit >= ORDER);
            let always = !matches!(asset.trade.holding, Holding::Periodic { .. });
            let suits = asset.enabled && asset.risk as usize <= level;
            suits && always && daily && asset.trade.min_fen <= ORDER && asset.trade.share.is_none()
        };
        self.market().assets.iter().rev().filter(fits).take(PARTS).collect()
    }

    fn planned(&self, member: u32) -> Plan {
        let part = |asset: &Asset| PlanPart { asset: asset.id.clone(), share: PART };
        Plan {
            goal: Goal::Learning,
            months: 24,
            loss: Ppm(100_000),
            parts: self.choice(member).into_iter().map(part).collect(),
            text: FoldedHash::of("先想好"),
        }
    }

    /// What is written and read on a day, and what is ordered.
    pub(super) fn invest(
        &mut self,
        engine: &Engine,
        day: u8,
        who: Range<u32>,
    ) -> (Vec<Command>, Vec<Command>) {
        let content = &self.pack.courses[&self.course].course;
        let questions = &self.pack.assessments[self.pack.current(&content.assessment)];
        let from = content.mock.orders_from_day;
        let last = self.days();
        let act = |seq: u32, what| {
            let member = MemberId::new(BRANCH, seq);
            let cohort = dengmi_core::CohortId::new(BRANCH, self.cohort_of(seq));
            let action = Action::Course(CourseAction::Mock { member, cohort, what });
            Command { actor: dengmi_core::Actor::Member(member), action }
        };
        let text = FoldedHash::of("今天学到的");
        let (mut writing, mut orders) = (Vec::new(), Vec::new());
        for seq in who {
            let mut write = |what| writing.push(act(seq, what));
            if day == 1
                && let Some(choices) = questionnaire(questions, Self::level(seq))
            {
                write(MockAction::Assess { adult: true, choices });
            }
            if day == from {
                write(MockAction::WritePlan(self.planned(seq)));
            }
            write(MockAction::WriteNote { text });
            if self.owes(engine, seq) {
                write(MockAction::WriteDebrief { about: DebriefAbout::Loss, text });
            }
            if day == last {
                write(MockAction::WriteDebrief { about: DebriefAbout::Course, text });
            }
            if (from..last).contains(&day) {
                let choice = self.choice(seq);
                let asset = choice[usize::from(day) % choice.len()];
                let sheet: Option<Slug> = asset.sheet.clone();
                sheet.into_iter().for_each(|product| write(MockAction::ReadSheet { product }));
                let asset = asset.id.clone();
                orders.push(act(seq, MockAction::Buy { asset, amount: ORDER }));
            }
        }
        self.orders += orders.len() as u64;
        (writing, orders)
    }

    fn owes(&self, engine: &Engine, seq: u32) -> bool {
        let card = engine.member_card(MemberId::new(BRANCH, seq));
        card.is_some_and(|card| card.courses.iter().any(|course| course.mock.owes_debrief))
    }
}
