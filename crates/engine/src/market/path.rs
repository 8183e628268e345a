//! All days of a market at once.

use dengmi_content::model::Market;
use dengmi_content::model::scenario::Shock;
use dengmi_core::mock::Quote;
use dengmi_core::{Digest, Slug};

use super::MarketSeed;
use super::model::Model;
use super::script::{Script, last_market_day};
use super::walk::Walk;

/// Every quote from the first day of the history on, with the script and without it.
#[derive(Clone, Debug)]
pub struct Path {
    model: Model,
    first: i32,
    /// By day, then by asset.
    quotes: Vec<Quote>,
    without: Vec<Quote>,
}

impl Path {
    /// The history and then `days` market days, one for each day of the course.
    #[must_use]
    pub fn generate(market: &Market, script: &[Shock], seed: &MarketSeed, days: u16) -> Self {
        Self::over(market, script, seed, &vec![1; days.into()])
    }

    /// The history and then so many market days with each day of the course: more than one where
    /// a lesson speeds time up.
    #[must_use]
    pub fn over(market: &Market, script: &[Shock], seed: &MarketSeed, days: &[u16]) -> Self {
        let model = Model::new(market);
        let script = Script::new(&model, script, seed, |day| last_market_day(days, day));
        let end = days.iter().fold(0i32, |sum, &day| sum.saturating_add(day.into()));
        let mut walk = Walk::start(&model);
        let mut path =
            Self { first: model.first_day(), quotes: Vec::new(), without: Vec::new(), model };
        while walk.day().map_or(path.first, |day| day + 1) < end {
            walk.advance(&path.model, &script, seed);
            for asset in 0..path.model.assets() {
                path.quotes.extend(walk.quote(&script, asset));
                path.without.extend(walk.without_script(asset));
            }
        }
        path
    }

    /// The first day of the history.
    #[must_use]
    pub fn first_day(&self) -> i32 {
        self.first
    }

    /// The day after the last.
    #[must_use]
    pub fn end(&self) -> i32 {
        let days = self.quotes.len() / self.model.assets().max(1);
        self.first.saturating_add(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// The assets, in the market's order.
    pub fn assets(&self) -> impl Iterator<Item = &Slug> {
        self.model.assets.iter().map(|asset| &asset.id)
    }

    fn at(&self, asset: &Slug, day: i32) -> Option<usize> {
        let day = usize::try_from(day.checked_sub(self.first)?).ok()?;
        let index = self.model.index(asset)?;
        day.checked_mul(self.model.assets())?.checked_add(index)
    }

    /// What is published of an asset on a day.
    #[must_use]
    pub fn quote(&self, asset: &Slug, day: i32) -> Option<Quote> {
        self.quotes.get(self.at(asset, day)?).copied()
    }

    /// What would be published without the script.
    #[must_use]
    pub fn counterfactual(&self, asset: &Slug, day: i32) -> Option<Quote> {
        self.without.get(self.at(asset, day)?).copied()
    }

    /// Net asset value in 1e-8 yuan.
    #[must_use]
    pub fn nav(&self, asset: &Slug, day: i32) -> Option<i64> {
        self.quote(asset, day).map(|quote| quote.nav)
    }

    /// What 10,000 yuan in a money fund earn on a calendar day, in 1/10,000 yuan.
    #[must_use]
    pub fn wan_fen_yield(&self, asset: &Slug, day: i32) -> Option<i64> {
        self.quote(asset, day).map(|quote| quote.wan_fen_yield)
    }

    /// A money fund's yield of the last seven days, in 1e-8 a year.
    #[must_use]
    pub fn seven_day_yield(&self, asset: &Slug, day: i32) -> Option<i64> {
        self.quote(asset, day).map(|quote| quote.yearly)
    }

    /// Digest over every quote with the script, then every one without it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for quote in self.quotes.iter().chain(&self.without) {
            let Quote { nav, wan_fen_yield, yearly, gated } = *quote;
            for number in [nav, wan_fen_yield, yearly, gated.into()] {
                hasher.update(&number.to_le_bytes());
            }
        }
        Digest(*hasher.finalize().as_bytes())
    }
}
