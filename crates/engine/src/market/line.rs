//! One line of prices: all assets of a market, a day at a time.

use dengmi_content::model::market::ONE_Q16;
use dengmi_core::mock::Quote;
use serde::{Deserialize, Serialize};

use super::draw::{self, DayDraw};
use super::model::{AccrualNumbers, AssetKind, Model, NavNumbers, RETURN_MAX};
use super::script::Pushed;
use super::{MarketSeed, ONE, div_even};

/// Days of a year for interest and yields.
const DAYS_A_YEAR: i64 = 365;

/// Days of the seven-day yield.
const WEEK: usize = 7;

/// No value is above this, in 1e-8 yuan.
const NAV_MAX: i64 = 100_000_000 * ONE;

/// No sum of draws and shocks of shares is above this, in 1e-8.
const EQUITY_MAX: i64 = 10 * ONE;

/// No factor is above this, in 1/65,536 of a standard deviation.
pub(super) const FACTOR_MAX: i64 = 1_000 * ONE_Q16 as i64;

/// Where the assets stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    states: Vec<State>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Deposit { rate: i64 },
    Accrual(AccrualState),
    Nav { nav: i64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AccrualState {
    rate: i64,
    /// Cut off when the last yield was rounded, in 1/365 of its unit.
    remainder: i64,
    /// Of a change of rates, what is still to come, and in how many days.
    to_come: i64,
    days: u16,
    /// The yields of the last days, oldest first.
    recent: Vec<i64>,
}

/// A day as a line sees it.
pub(super) struct Today<'a> {
    pub(super) seed: &'a MarketSeed,
    pub(super) day: i32,
    pub(super) draws: &'a DayDraw,
    pub(super) turbulent: bool,
    /// The factor of interest rates, in 1/65,536 of a standard deviation.
    pub(super) rates: i64,
    pub(super) pushed: &'a Pushed,
}

/// The factors of a day, shocks included.
struct Factors {
    /// In 1e-8.
    equity: i64,
    /// In 1/65,536 of a standard deviation; bonds feel the first two more in turbulence.
    rates: i64,
    credit: i64,
    gold: i64,
    overseas: i64,
}

impl Factors {
    fn new(model: &Model, today: &Today<'_>) -> Self {
        let Today { draws, pushed, .. } = today;
        let turbulent = today.turbulent || pushed.turbulent;
        let numbers = &model.equity[usize::from(turbulent)];
        let equity = ((draws.equity.normal * numbers.sd) >> 16) + draws.equity.jump(&numbers.jump);
        let add = |value: i64, push: i64| value.saturating_add(push).clamp(-FACTOR_MAX, FACTOR_MAX);
        let bonds = |value: i64| {
            if turbulent { (value * model.bonds_when_turbulent) >> 16 } else { value }
        };
        let credit = draws.credit.normal + draws.credit.jump(&model.credit);
        Self {
            equity: equity.saturating_add(pushed.equity).clamp(-EQUITY_MAX, EQUITY_MAX),
            rates: bonds(add(today.rates, pushed.rates)),
            credit: bonds(add(credit, pushed.credit)),
            gold: add(draws.gold.normal + draws.gold.jump(&model.gold), pushed.gold),
            overseas: add(
                draws.overseas.normal + draws.overseas.jump(&model.overseas),
                pushed.overseas,
            ),
        }
    }
}

impl Line {
    pub(super) fn start(model: &Model) -> Self {
        let states = model.assets.iter().map(|asset| match &asset.kind {
            AssetKind::Deposit { rate } => State::Deposit { rate: *rate },
            AssetKind::Accrual(numbers) => State::Accrual(AccrualState {
                rate: numbers.start,
                remainder: 0,
                to_come: 0,
                days: 0,
                recent: Vec::new(),
            }),
            AssetKind::Nav(numbers) => State::Nav { nav: numbers.start },
        });
        Self { states: states.collect() }
    }

    /// Whether it is a line of this model, and its numbers are in range.
    pub(super) fn fits(&self, model: &Model) -> bool {
        self.states.len() == model.assets.len()
            && self.states.iter().zip(&model.assets).all(|(state, asset)| {
                match (state, &asset.kind) {
                    (State::Deposit { rate }, AssetKind::Deposit { .. }) => {
                        (0..=EQUITY_MAX).contains(rate)
                    }
                    (State::Accrual(state), AssetKind::Accrual(numbers)) => state.fits(numbers),
                    (State::Nav { nav }, AssetKind::Nav(_)) => (1..=NAV_MAX).contains(nav),
                    _ => false,
                }
            })
    }

    pub(super) fn advance(&mut self, model: &Model, today: &Today<'_>) {
        let factors = Factors::new(model, today);
        let own = |number| draw::own(today.seed, today.day, number);
        for (index, (state, asset)) in self.states.iter_mut().zip(&model.assets).enumerate() {
            match (state, &asset.kind) {
                (State::Deposit { rate }, _) => {
                    let change = today.pushed.rates_bp.saturating_mul(ONE / 10_000);
                    *rate = rate.saturating_add(change).clamp(0, EQUITY_MAX);
                }
                (State::Accrual(state), AssetKind::Accrual(numbers)) => {
                    state.advance(numbers, own(asset.number), today.pushed.rates_bp);
                }
                (State::Nav { nav }, AssetKind::Nav(numbers)) => {
                    let moved = day_return(numbers, &factors, own(asset.number), today.pushed);
                    let moved = moved.saturating_add(today.pushed.asset(index));
                    let moved = moved.clamp(-numbers.limit, numbers.limit);
                    let gain = div_even(i128::from(*nav) * i128::from(moved), ONE.into());
                    *nav = nav.saturating_add(gain).clamp(1, NAV_MAX);
                }
                // A line is made from the model or held against it when it is loaded.
                _ => {}
            }
        }
    }

    /// What is published of an asset; `None` where there is none at this place.
    pub(super) fn quote(&self, index: usize, gated: bool) -> Option<Quote> {
        let par = Quote { nav: ONE, wan_fen_yield: 0, yearly: 0, gated };
        Some(match self.states.get(index)? {
            State::Deposit { rate } => Quote { yearly: *rate, ..par },
            State::Accrual(state) => Quote {
                wan_fen_yield: state.recent.last().copied().unwrap_or(0),
                yearly: state.seven_day_yield(),
                ..par
            },
            State::Nav { nav } => Quote { nav: *nav, ..par },
        })
    }
}

/// The return of a day before the asset's own shocks, in 1e-8.
fn day_return(numbers: &NavNumbers, factors: &Factors, own: i64, pushed: &Pushed) -> i64 {
    let by_sd = |sd: i64, factor: i64| (sd * factor) >> 16;
    let equity = i128::from(numbers.equity) * i128::from(factors.equity);
    // A duration of one year turns one basis point into one basis point of value.
    let rates = -i128::from(numbers.duration) * i128::from(pushed.rates_bp);
    let parts = [
        numbers.drift,
        div_even(equity, 1_000_000),
        by_sd(numbers.rates, factors.rates),
        by_sd(numbers.credit, factors.credit),
        by_sd(numbers.gold, factors.gold),
        by_sd(numbers.overseas, factors.overseas),
        by_sd(numbers.own, own),
        div_even(rates, 100),
    ];
    parts.into_iter().fold(0, i64::saturating_add).clamp(-RETURN_MAX, RETURN_MAX)
}

impl AccrualState {
    fn fits(&self, numbers: &AccrualNumbers) -> bool {
        (numbers.low..=numbers.high).contains(&self.rate)
            && (0..DAYS_A_YEAR).contains(&self.remainder)
            && self.to_come.unsigned_abs() <= EQUITY_MAX.unsigned_abs()
            && self.recent.len() <= WEEK
            && self.recent.iter().all(|day| (0..=EQUITY_MAX).contains(day))
    }

    fn advance(&mut self, numbers: &AccrualNumbers, own: i64, rates_bp: i64) {
        if rates_bp != 0 {
            let change = i128::from(rates_bp) * i128::from(ONE / 10_000);
            let through = div_even(change * i128::from(numbers.pass_through_ppm), 1_000_000);
            self.to_come = self.to_come.saturating_add(through).clamp(-EQUITY_MAX, EQUITY_MAX);
            self.days = numbers.pass_through_days;
        }
        let mut change = (own * numbers.step) >> 16;
        if self.days > 0 {
            let part = self.to_come / i64::from(self.days);
            change += part;
            self.to_come -= part;
            self.days -= 1;
        }
        self.rate = (self.rate + change).clamp(numbers.low, numbers.high);
        let due = self.rate + self.remainder;
        self.remainder = due % DAYS_A_YEAR;
        if self.recent.len() == WEEK {
            self.recent.remove(0);
        }
        self.recent.push(due / DAYS_A_YEAR);
    }

    /// In 1e-8 a year; over the days there are while there are fewer than seven.
    fn seven_day_yield(&self) -> i64 {
        let days = i128::try_from(self.recent.len()).unwrap_or(1);
        let sum: i64 = self.recent.iter().sum();
        div_even(i128::from(sum) * i128::from(DAYS_A_YEAR), days)
    }
}
