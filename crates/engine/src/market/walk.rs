//! A market that advances a day at a time.

use dengmi_core::mock::Quote;
use serde::{Deserialize, Serialize};

use super::MarketSeed;
use super::draw::DayDraw;
use super::line::{FACTOR_MAX, Line, Today};
use super::model::Model;
use super::script::{Pushed, Script};

/// Where a market stands. It holds no later price; what it will be is in the seed alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The next day.
    next: i32,
    /// Yesterday's regime, before any script; `None` before the first day.
    turbulent: Option<bool>,
    /// The factor of interest rates, in 1/65,536 of a standard deviation.
    rates: i64,
    line: Line,
    /// Without the script, once it has begun; before that both are one.
    without: Option<Line>,
}

impl Walk {
    /// Before the first day of the history.
    #[must_use]
    pub fn start(model: &Model) -> Self {
        Self {
            next: model.first_day(),
            turbulent: None,
            rates: 0,
            line: Line::start(model),
            without: None,
        }
    }

    /// Whether it is a walk of this model; to be asked of one that was saved.
    #[must_use]
    pub fn fits(&self, model: &Model) -> bool {
        self.next >= model.first_day()
            && self.turbulent.is_some() == (self.next > model.first_day())
            && (-FACTOR_MAX..=FACTOR_MAX).contains(&self.rates)
            && std::iter::once(&self.line).chain(&self.without).all(|line| line.fits(model))
    }

    /// The day of the quotes; `None` before the first.
    #[must_use]
    pub fn day(&self) -> Option<i32> {
        self.turbulent.map(|_| self.next - 1)
    }

    /// Advances to the next day and gives it.
    pub fn advance(&mut self, model: &Model, script: &Script, seed: &MarketSeed) -> i32 {
        let day = self.next;
        let draws = DayDraw::new(seed, day);
        let turbulent = draws.turbulent(model, self.turbulent);
        let numbers = &model.rates;
        let rates = ((numbers.memory * self.rates) >> 16)
            + ((numbers.equity * draws.equity.normal + numbers.own * draws.rates.normal) >> 16)
            + draws.rates.jump(&numbers.jump);
        self.rates = rates.clamp(-FACTOR_MAX, FACTOR_MAX);
        self.turbulent = Some(turbulent);
        if self.without.is_none() && script.begins().is_some_and(|begins| begins <= day) {
            self.without = Some(self.line.clone());
        }
        let pushed = script.pushed(day);
        let today =
            |pushed| Today { seed, day, draws: &draws, turbulent, rates: self.rates, pushed };
        self.line.advance(model, &today(&pushed));
        if let Some(without) = &mut self.without {
            without.advance(model, &today(&Pushed::default()));
        }
        self.next = day.saturating_add(1);
        day
    }

    /// What is published today of the asset at a place of the market's list.
    #[must_use]
    pub fn quote(&self, script: &Script, asset: usize) -> Option<Quote> {
        let gated = script.is_gated(asset, self.day()?);
        self.line.quote(asset, gated)
    }

    /// What would be published without the script.
    #[must_use]
    pub fn without_script(&self, asset: usize) -> Option<Quote> {
        self.day()?;
        self.without.as_ref().unwrap_or(&self.line).quote(asset, false)
    }
}
