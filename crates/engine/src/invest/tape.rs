//! A cohort's market: the path of prices so far, computed once for all its members. Only how many
//! days of the course are priced is saved; the rest follows from content and seed.

use std::ops::Range;
use std::sync::Arc;

use bevy_ecs::prelude::*;
use dengmi_content::Pack;
use dengmi_content::model::market::{Asset, AssetClass, Market};
use dengmi_content::model::scenario::{Scenario, Shock, ShockKind};
use dengmi_content::model::{Course, Lesson};
use dengmi_core::mock::{MarketView, Quote};
use dengmi_core::time::TimeOfDay;
use dengmi_core::{Day, Timestamp};

use super::account::{Account, Close, Moment};
use crate::market::{MarketSeed, Model, Script, Walk, last_market_day, market_days};

/// What does not change after the start of a cohort.
struct Terms {
    market: Market,
    scenario: Scenario,
    model: Model,
    script: Script,
    seed: MarketSeed,
    /// Market days that pass with each day of the course; none where the market is closed.
    days: Vec<u16>,
    /// Market days on which the script moves prices.
    moved: Vec<i32>,
    /// Day 1 of the course.
    first: Day,
}

/// The market of a cohort.
#[derive(Component)]
pub(crate) struct Tape {
    terms: Arc<Terms>,
    walk: Walk,
    view: Arc<MarketView>,
    /// The path without the script: nobody's until the end.
    without: Vec<Arc<[Quote]>>,
    /// By asset: its daily returns over the history, in 1e-8.
    moves: Vec<Vec<i64>>,
}

impl Tape {
    /// The market of a course under the content it starts with, its history made. `None` where the
    /// content has no such market.
    pub(crate) fn start(
        pack: &Pack,
        course: &Course,
        lessons: &[Lesson],
        first: Day,
        seed: MarketSeed,
    ) -> Option<Self> {
        let scenario = pack.scenarios.get(pack.current(&course.mock.scenario))?.clone();
        let market = pack.markets.get(pack.current(&scenario.market))?.clone();
        let days = market_days(&market, lessons, first);
        Some(Self::of(market, scenario, days, first, seed))
    }

    fn of(
        market: Market,
        scenario: Scenario,
        days: Vec<u16>,
        first: Day,
        seed: MarketSeed,
    ) -> Self {
        let model = Model::new(&market);
        let script =
            Script::new(&model, &scenario.shocks, &seed, |day| last_market_day(&days, day));
        let view = MarketView {
            assets: market.assets.iter().map(|asset| asset.id.clone()).collect(),
            first_day: -i32::from(market.history_days),
            quotes: Vec::new(),
            dates: Vec::new(),
            closed: 0,
            without_script: Vec::new(),
        };
        let walk = Walk::start(&model);
        let is_price = |shock: &&Shock| matches!(shock.kind, ShockKind::Price(_));
        let moved = scenario.shocks.iter().filter(is_price);
        let moved = moved.map(|shock| last_market_day(&days, shock.day)).collect();
        let terms = Terms { market, scenario, model, script, seed, days, moved, first };
        let mut tape = Self {
            terms: Arc::new(terms),
            walk,
            view: Arc::new(view),
            without: Vec::new(),
            moves: Vec::new(),
        };
        let history = history_dates(&tape.terms.market, first);
        history.into_iter().for_each(|date| tape.advance(date));
        let assets = 0..tape.assets().len();
        tape.moves = assets.map(|asset| moves(&tape.view.quotes, asset)).collect();
        tape
    }

    /// Prices a day of the course again, without anybody's orders.
    pub(crate) fn catch_up(&mut self, closed: u8) {
        while self.view.closed < closed {
            self.close_day();
        }
    }

    fn advance(&mut self, date: i32) {
        let terms = &self.terms;
        self.walk.advance(&terms.model, &terms.script, &terms.seed);
        let assets = 0..terms.market.assets.len();
        let quotes = assets.clone().filter_map(|asset| self.walk.quote(&terms.script, asset));
        let without = assets.filter_map(|asset| self.walk.without_script(asset)).collect();
        let view = Arc::make_mut(&mut self.view);
        view.quotes.push(quotes.collect());
        view.dates.push(date);
        self.without.push(without);
    }

    /// Makes the prices of the next day of the course; gives its market days.
    pub(crate) fn close_day(&mut self) -> Range<i32> {
        let day = self.view.closed;
        let passes = self.terms.days.get(usize::from(day)).copied().unwrap_or(0);
        let first = self.view.day() + 1;
        for _ in 0..passes {
            let before = self.view.dates.last().copied().unwrap_or(-1);
            self.advance(self.date_after(before, day));
        }
        Arc::make_mut(&mut self.view).closed = day + 1;
        first..first + i32::from(passes)
    }

    /// The close of a market day of the course, with the script or without it; `at` is when accounts
    /// go through it.
    pub(crate) fn close(&self, day: i32, at: Timestamp, script: bool) -> Close<'_> {
        let date = self.date(day);
        Close {
            assets: self.assets(),
            day,
            date,
            gap: date - self.date(day - 1),
            at,
            before: self.quotes(day - 1, script),
            quotes: self.quotes(day, script),
        }
    }

    /// The calendar day of the market day after `before`, which falls on or after a day of the
    /// course (from 0). A lesson that speeds time up runs ahead of the course's days.
    fn date_after(&self, before: i32, day: u8) -> i32 {
        let mut date = (before + 1).max(i32::from(day));
        while !self.terms.market.calendar.is_open(self.terms.first.plus(date)) {
            date += 1;
        }
        date
    }

    /// Between the last close and the next.
    pub(crate) fn now(&self) -> Moment<'_> {
        let closed = usize::from(self.view.closed);
        let mut to_come = self.terms.days.iter().enumerate().skip(closed);
        let next = to_come.find(|(_, passes)| **passes > 0);
        let date = self.view.dates.last().copied().unwrap_or(-1);
        Moment {
            assets: &self.terms.market.assets,
            day: self.view.day(),
            date,
            quotes: self.view.quotes.last().map_or(&[][..], |quotes| quotes),
            next: next.map(|(day, _)| {
                (self.view.day() + 1, self.date_after(date, u8::try_from(day).unwrap_or(u8::MAX)))
            }),
        }
    }

    /// What readers see; the path without the script only once the course is `over`.
    pub(crate) fn view(&self, over: bool) -> Arc<MarketView> {
        if !over || !self.view.without_script.is_empty() {
            return self.view.clone();
        }
        Arc::new(MarketView { without_script: self.without.clone(), ..(*self.view).clone() })
    }

    pub(crate) fn assets(&self) -> &[Asset] {
        &self.terms.market.assets
    }

    pub(crate) fn asset(&self, id: &dengmi_core::Slug) -> Option<(u8, &Asset)> {
        let place = self.assets().iter().position(|asset| asset.id == *id)?;
        Some((u8::try_from(place).ok()?, &self.assets()[place]))
    }

    pub(crate) fn cutoff(&self) -> TimeOfDay {
        self.terms.market.cutoff
    }

    pub(crate) fn scenario(&self) -> &Scenario {
        &self.terms.scenario
    }

    /// Days of the course that are priced.
    pub(crate) fn closed(&self) -> u8 {
        self.view.closed
    }

    /// Market days on which the script moved prices, so far.
    pub(crate) fn shocks(&self) -> impl Iterator<Item = i32> {
        self.terms.moved.iter().copied().filter(|day| *day <= self.view.day())
    }

    /// Quotes of a market day with the script, or without it.
    fn quotes(&self, day: i32, script: bool) -> &[Quote] {
        let path = if script { &self.view.quotes } else { &self.without };
        let place = usize::try_from(day - self.view.first_day).ok();
        place.and_then(|place| path.get(place)).map_or(&[][..], |quotes| quotes)
    }

    /// Quotes of the last close with the script, or without it.
    pub(crate) fn last_quotes(&self, script: bool) -> &[Quote] {
        self.quotes(self.view.day(), script)
    }

    fn date(&self, day: i32) -> i32 {
        let place = usize::try_from(day - self.view.first_day).ok();
        place.and_then(|place| self.view.dates.get(place)).copied().unwrap_or(day)
    }

    /// Goes through the market days of the course again: `between` is called after each close (the
    /// last before the course among them), and places orders into the account.
    pub(crate) fn replay(
        &self,
        account: &mut Account,
        script: bool,
        mut between: impl FnMut(&mut Account, &Moment<'_>),
    ) {
        let last = self.view.day();
        for day in -1..=last {
            if day >= 0 {
                account.close(&self.close(day, Timestamp(0), script));
            }
            let next = (day < last).then(|| (day + 1, self.date(day + 1)));
            let moment = Moment {
                assets: self.assets(),
                day,
                date: self.date(day),
                quotes: self.quotes(day, script),
                next,
            };
            between(account, &moment);
        }
    }

    /// What cash brought between two market days, in millionths: the rate of the demand deposit, or
    /// nothing where the market has none.
    pub(crate) fn cash_return(&self, from: i32, to: i32) -> i64 {
        let demand = self.assets().iter().position(|asset| asset.class == AssetClass::Demand);
        let rate = demand.and_then(|place| self.quotes(from, true).get(place));
        let days = i64::from(self.date(to)) - i64::from(self.date(from));
        rate.map_or(0, |quote| quote.yearly.saturating_mul(days) / 365 / 100)
    }

    /// Daily returns of the history, in 1e-8, of an asset at a place; deposits and money funds
    /// stand still.
    pub(crate) fn history(&self, asset: u8) -> &[i64] {
        self.moves.get(usize::from(asset)).map_or(&[], Vec::as_slice)
    }
}

/// Returns from each day to the next, in 1e-8, of the asset at a place.
fn moves(quotes: &[Arc<[Quote]>], asset: usize) -> Vec<i64> {
    let navs = quotes.iter().filter_map(|quotes| quotes.get(asset)).map(|quote| quote.nav);
    let pairs = navs.clone().zip(navs.skip(1));
    pairs
        .map(|(last, nav)| (i128::from(nav - last) * 100_000_000 / i128::from(last.max(1))) as i64)
        .collect()
}

/// Calendar days of the history, rising to the last before the course.
fn history_dates(market: &Market, first: Day) -> Vec<i32> {
    let mut dates = Vec::with_capacity(market.history_days.into());
    let mut date = -1;
    while dates.len() < usize::from(market.history_days) {
        if market.calendar.is_open(first.plus(date)) {
            dates.push(date);
        }
        date -= 1;
    }
    dates.reverse();
    dates
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::market::open_days;

    pub(in crate::invest) fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
        let extension = ron::extensions::Extensions::IMPLICIT_SOME;
        ron::Options::default().with_default_extension(extension).from_str(text).unwrap()
    }

    /// A share index that falls by a tenth with day 6.
    pub(in crate::invest) fn tape(calendar: &str, lessons: [u16; 7]) -> Tape {
        let market: Market = read(&format!(
            r#"(schema: 1, title: {{"zh-CN": "示例市场"}}, cutoff: "15:00", history_days: 20,
            calendar: {calendar},
            assets: [(id: "index", title: {{"zh-CN": "指数"}}, class: IndexFund, risk: R4,
                trade: (min_fen: 1000, confirm_days: 1, redeemable_days: 2, cash_days: 3),
                price: Nav((drift: "5", equity: "1", own: "1.5")))],
            approval: (id: "T-1", approver: "compliance", valid_to: "2099-12-31"))"#
        ));
        let scenario: Scenario = read(
            r#"(schema: 1, title: {"zh-CN": "大跌"}, market: "sample", days: 7,
            shocks: [(id: "fall", day: 6, news: {"zh-CN": "跌"}, debrief: {"zh-CN": "脚本"},
                kind: Price([(effect: Equity(percent: "-10"))]))],
            approval: (id: "T-1", approver: "compliance", valid_to: "2099-12-31"))"#,
        );
        // A Monday.
        let first: Day = "2026-12-07".parse().unwrap();
        let days = open_days(&market, &lessons, first);
        Tape::of(market, scenario, days, first, MarketSeed::from_number(3))
    }

    #[track_caller]
    fn check(calendar: &str, lessons: [u16; 7], expected: &[&[i32]]) {
        let mut tape = tape(calendar, lessons);
        for (day, expected) in expected.iter().enumerate() {
            let promised = tape.now().next.map(|(_, date)| date);
            let last = tape.now().date;
            let market_days = tape.close_day();
            let closes = market_days.map(|day| tape.close(day, Timestamp(0), true));
            let (dates, gaps): (Vec<i32>, Vec<i32>) =
                closes.map(|close| (close.date, close.gap)).unzip();
            let gaps: i32 = gaps.into_iter().sum();
            assert_eq!(dates, *expected, "day {}", day + 1);
            assert_eq!(last + gaps, tape.now().date);
            if let Some(first) = dates.first() {
                assert_eq!(promised, Some(*first), "day {}", day + 1);
            }
        }
        assert_eq!(tape.now().next, None);
    }

    #[test]
    fn market_days_fall_on_the_days_of_the_course() {
        let one = [1; 7];
        check("EveryDay", one, &[&[0], &[1], &[2], &[3], &[4], &[5], &[6]]);
        // Saturday and Sunday are closed, and so is Thursday, a holiday.
        let real = r#"Real(closed: ["2026-12-10"])"#;
        check(real, one, &[&[0], &[1], &[2], &[], &[4], &[], &[]]);
    }

    #[test]
    fn a_lesson_that_speeds_time_up_runs_ahead() {
        let fast = [1, 3, 1, 1, 1, 1, 1];
        check("EveryDay", fast, &[&[0], &[1, 2, 3], &[4], &[5], &[6], &[7], &[8]]);
        let real = "Real()";
        check(real, [1, 1, 1, 1, 3, 1, 1], &[&[0], &[1], &[2], &[3], &[4, 7, 8], &[], &[]]);
    }

    #[test]
    fn a_tape_goes_on_as_the_one_it_is_made_again_from() {
        let mut one = tape("EveryDay", [1, 1, 1, 1, 1, 20, 1]);
        for _ in 0..6 {
            one.close_day();
        }
        let mut two = tape("EveryDay", [1, 1, 1, 1, 1, 20, 1]);
        two.catch_up(6);
        assert_eq!(one.view(true), two.view(true));
        assert!(one.view(false).without_script.is_empty(), "nobody sees it before the end");
        assert_eq!(one.view(false).quotes.len(), 20 + 25);
        // The crash of day 6 moves the one and not the other.
        let last = |path: &[Arc<[Quote]>]| path.last().unwrap()[0].nav;
        let view = one.view(true);
        assert!(last(&view.quotes) < last(&view.without_script) * 95 / 100);
        assert_eq!(one.shocks().collect::<Vec<_>>(), [24]);
    }
}
