//! Mock investing of the class: what the diligent do on each day, and what must hold of accounts.

use dengmi_core::mock::{
    ClientLevel, DebriefAbout, Exit, Goal, MarketView, MockAction, MockView, OrderState, Plan,
    PlanPart, Side, Units,
};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Fen, Ppm, Slug};

use super::{COURSE, Class, CohortId, CourseAction, DILIGENT, Receipt, Reject, member};

/// What every member starts with.
pub(super) const CASH: Fen = Fen(10_000_000);

/// Everybody's plan; the index is for whoever bears it.
const PARTS: [(&str, u32); 4] =
    [("money-fund", 300_000), ("demand", 100_000), ("term-3m", 100_000), ("index-broad", 400_000)];

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

impl Class {
    fn mock(&mut self, seq: u32, what: MockAction) -> Result<Receipt, Reject> {
        let cohort: CohortId = self.cohort;
        self.own(CourseAction::Mock { member: member(seq), cohort, what })
    }

    fn bears_shares(&self, seq: u32) -> bool {
        self.pupil(seq).level.is_some_and(|found| found.level >= ClientLevel::C4)
    }

    /// Choices of the boldest or the most careful answers.
    fn choices(&self, bold: bool) -> Vec<u8> {
        let name = &self.pack.courses[&slug(COURSE)].course.assessment;
        let questions = self.pack.assessments[name].questions.iter();
        let choice = |question: &dengmi_content::model::assessment::AssessmentQuestion| {
            let options = question.options.iter().enumerate();
            let points = options.map(|(place, option)| (option.points, place));
            let best = if bold { points.max() } else { points.min() };
            best.map_or(0, |(_, place)| place as u8)
        };
        questions.map(choice).collect()
    }

    fn buy(&mut self, seq: u32, asset: &str, amount: i64) {
        let asset = slug(asset);
        self.mock(seq, MockAction::Buy { asset, amount: Fen(amount) }).unwrap();
    }

    fn plan(&self, seq: u32) -> MockAction {
        let parts = PARTS.iter().filter(|(asset, _)| {
            *asset != "index-broad" || self.bears_shares(seq)
        });
        MockAction::WritePlan(Plan {
            goal: Goal::Emergency,
            months: 36,
            loss: Ppm(50_000),
            parts: parts.map(|(asset, share)| PlanPart { asset: slug(asset), share: Ppm(*share) }).collect(),
            text: FoldedHash::of("三年不用的钱才买指数"),
        })
    }

    /// What a diligent member does on the mock account on a day; the first two are bold.
    pub(super) fn invests(&mut self, seq: u32, day: u8) {
        let text = FoldedHash::of("今天学到的");
        match day {
            1 => {
                let choices = self.choices(seq <= 2);
                self.mock(seq, MockAction::Assess { adult: true, choices }).unwrap();
            }
            2 => {
                let plan = self.plan(seq);
                let early = self.mock(seq, MockAction::Buy { asset: slug("demand"), amount: Fen(100) });
                assert_eq!(early, Err(Reject::PlanFirst));
                self.mock(seq, plan).unwrap();
                for sheet in ["cash/money-fund", "deposit/demand", "index/broad-demo"] {
                    self.mock(seq, MockAction::ReadSheet { product: slug(sheet) }).unwrap();
                }
                self.buy(seq, "money-fund", 3_000_000);
                self.buy(seq, "demand", 1_000_000);
            }
            3 => {
                self.buy(seq, "term-3m", 1_000_000);
                let asset = slug("index-broad");
                match self.bears_shares(seq) {
                    true => self.buy(seq, "index-broad", 4_000_000),
                    false => {
                        let above = self.mock(seq, MockAction::Buy { asset, amount: Fen(100_000) });
                        assert_eq!(above, Err(Reject::AboveLevel));
                    }
                }
            }
            4 => {
                let product = slug("wealth/steady-90d");
                self.mock(seq, MockAction::ReadSheet { product }).unwrap();
                let (asset, units) = (slug("money-fund"), Units(300_000));
                self.mock(seq, MockAction::Redeem { asset, units, fast: true }).unwrap();
            }
            5 => {
                self.mock(seq, MockAction::WriteNote { text }).unwrap();
                let (asset, units) = (slug("money-fund"), Units(100_000));
                self.mock(seq, MockAction::Redeem { asset, units, fast: false }).unwrap();
            }
            6 => {
                let plan = self.plan(seq);
                self.mock(seq, plan).unwrap();
                self.mock(seq, MockAction::WriteNote { text }).unwrap();
            }
            _ => {
                if self.pupil(seq).mock.owes_debrief {
                    let about = DebriefAbout::Loss;
                    self.mock(seq, MockAction::WriteDebrief { about, text }).unwrap();
                }
                self.mock(seq, MockAction::ReportFraud { news: slug("fraud-pitch") }).unwrap();
                let about = DebriefAbout::Course;
                self.mock(seq, MockAction::WriteDebrief { about, text }).unwrap();
            }
        }
    }

    /// What must hold of every account on any day.
    pub(super) fn assert_books_balance(&self) {
        let market = self.view().market;
        for seq in DILIGENT {
            assert_balances(&self.pupil(seq).mock, &market);
        }
    }

    /// What must hold of accounts once the course is graded.
    pub(super) fn assert_invested(&self) {
        let view = self.view();
        for seq in DILIGENT {
            let mock = self.pupil(seq).mock;
            assert_eq!(mock.tasks, 0b111_1111, "{seq}: the tasks of all seven days");
            assert!((400..=1_000).contains(&mock.score.total()), "{seq}: {:?}", mock.score);
            assert_eq!(mock.score.orders_in_plan, 120, "{seq}: {:?}", mock.orders);
            let Exit { value, without_script, in_cash, drawdown, .. } =
                mock.exit.expect("who invested is told what came of it");
            assert_eq!(value, mock.value);
            assert!(in_cash >= CASH);
            match self.bears_shares(seq) {
                // The crash of day 6 was staged.
                true => assert!(without_script > value && drawdown > Ppm(10_000), "{seq}"),
                // Deposits and money funds knew nothing of it.
                false => assert!(without_script == value && drawdown == Ppm(0), "{seq}"),
            }
        }
        assert!(self.bears_shares(1) && !self.bears_shares(4), "both ways are taken");
        let counted: u32 = view.standing.bands.iter().sum();
        let team = &view.standing.teams[0];
        assert_eq!((counted, view.standing.teams.len(), team.members), (6, 1, 6));
        let high: u32 = view.standing.bands[1..].iter().sum();
        assert!(high >= 4, "the diligent are above the lowest band: {:?}", view.standing);
    }
}

/// Cash, fees, units and value follow from the orders: nothing is made and nothing is lost.
fn assert_balances(mock: &MockView, market: &MarketView) {
    let live = || {
        let dead = [OrderState::Cancelled, OrderState::Void];
        mock.orders.iter().filter(move |order| !dead.contains(&order.state))
    };
    let (mut cash, mut coming, mut fees) = (CASH.0, 0, 0);
    for order in live() {
        match (order.side, order.state) {
            (Side::Buy(asked), OrderState::Accepted) => {
                cash -= asked.0;
                coming += asked.0;
            }
            (Side::Buy(_), _) => cash -= order.amount.0,
            (_, OrderState::Settled) => cash += order.amount.0,
            (_, OrderState::Priced) => coming += order.amount.0,
            _ => {}
        }
        fees += order.fee.0;
    }
    assert_eq!((mock.cash.0, mock.fees.0), (cash, fees), "{:?}", mock.orders);
    let quotes = market.quotes.last().expect("there is a history");
    let mut worth = 0;
    for (place, asset) in market.assets.iter().enumerate() {
        let own = live().filter(|order| usize::from(order.asset) == place);
        let units: i64 = own
            .map(|order| match order.side {
                Side::Buy(_) => order.units.0,
                _ => -order.units.0,
            })
            .sum();
        let held = mock.holdings.iter().find(|held| usize::from(held.asset) == place);
        let held = held.map_or(0, |held| held.units.0);
        match asset.as_str() {
            // Interest is paid in units.
            "demand" | "money-fund" => assert!((0..5_000).contains(&(held - units)), "{asset}"),
            _ => assert_eq!(held, units, "{asset}"),
        }
        worth += held * quotes[place].published();
    }
    // A term deposit is shown with the interest of breaking it, a few fen.
    let more = mock.value.0 - (cash + coming + worth / 10_000);
    assert!((0..50).contains(&more), "{more}");
}
