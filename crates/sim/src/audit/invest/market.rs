//! A cohort's market: every price there will be, worked out at the start from the content of the
//! start and the secret, and how much of it readers may know.

use std::sync::Arc;

use dengmi_content::Pack;
use dengmi_content::model::Market as Rules;
use dengmi_content::model::course::MockInvesting;
use dengmi_content::model::market::Asset;
use dengmi_content::model::scenario::{Shock, ShockKind};
use dengmi_core::mock::{MarketView, Quote};
use dengmi_core::random::Seed;
use dengmi_core::time::TimeOfDay;
use dengmi_core::{Day, Digest, Slug};
use dengmi_engine::market::{MarketSeed, Path, Terms, commitment, market_days};

/// Quotes of one day, in order of assets.
pub(in crate::audit) type Row = Arc<[Quote]>;

/// The market of one cohort.
#[derive(Clone)]
pub(in crate::audit) struct Market {
    /// The content it is taken from.
    pub(in crate::audit) terms: Digest,
    pub(in crate::audit) assets: Vec<Asset>,
    pub(in crate::audit) shocks: Vec<Shock>,
    /// When a day is closed.
    pub(in crate::audit) cutoff: TimeOfDay,
    pub(in crate::audit) mock: MockInvesting,
    names: Arc<[Slug]>,
    /// The secret told at the end, and what binds it from the start.
    pub(in crate::audit) secret: Digest,
    pub(in crate::audit) commitment: Digest,
    first_day: i32,
    quotes: Vec<Row>,
    without: Vec<Row>,
    /// Calendar days from the first day of the course, by market day from `first_day` on.
    dates: Vec<i32>,
    /// Market days that pass with each day of the course.
    passes: Vec<u16>,
    /// Days of the course that are priced.
    pub(in crate::audit) closed: u8,
    /// The last market day with a price.
    pub(in crate::audit) day: i32,
}

/// Whether orders are priced so many calendar days from the first day of a course.
fn open(rules: &Rules, first: Day, date: i32) -> bool {
    rules.calendar.is_open(first.plus(date))
}

/// Dates of the history and of the course.
fn dates(rules: &Rules, first: Day, history: i32, passes: &[u16]) -> Vec<i32> {
    let mut dates = Vec::new();
    let mut date = 0;
    for _ in 0..history {
        date -= 1;
        while !open(rules, first, date) {
            date -= 1;
        }
        dates.push(date);
    }
    dates.reverse();
    let mut before = dates.last().copied().unwrap_or(-1);
    for (earliest, count) in (0..).zip(passes) {
        for _ in 0..*count {
            before = earliest.max(before + 1);
            while !open(rules, first, before) {
                before += 1;
            }
            dates.push(before);
        }
    }
    dates
}

impl Market {
    /// The market of cohort `seq` of the branch with `seed`, of `course` in `pack`. `None`
    /// where the content has no such market.
    pub(in crate::audit) fn start(
        pack: &Pack,
        course: &Slug,
        seed: &Seed,
        seq: u32,
        first: Day,
    ) -> Option<Self> {
        let content = pack.courses.get(course)?;
        let scenario = pack.current(&content.course.mock.scenario);
        let script = pack.scenarios.get(scenario)?;
        let rules = pack.markets.get(pack.current(&script.market))?;
        let secret = MarketSeed::of_cohort(seed, u64::from(seq));
        let terms = Terms { market: &script.market, scenario, pack: pack.digest };
        let passes = market_days(rules, &content.lessons, first);
        let path = Path::over(rules, &script.shocks, &secret, &passes);
        let (first_day, end) = (path.first_day(), path.end());
        let assets = &rules.assets;
        let rows = |quote: &dyn Fn(&Slug, i32) -> Option<Quote>| {
            let row =
                |day| assets.iter().map(|asset| quote(&asset.id, day)).collect::<Option<Row>>();
            (first_day..end).map(row).collect::<Option<Vec<Row>>>()
        };
        let quotes = rows(&|asset, day| path.quote(asset, day))?;
        let without = rows(&|asset, day| path.counterfactual(asset, day))?;
        Some(Self {
            terms: pack.digest,
            assets: assets.clone(),
            shocks: script.shocks.clone(),
            cutoff: rules.cutoff,
            mock: content.course.mock.clone(),
            names: assets.iter().map(|asset| asset.id.clone()).collect(),
            secret: Digest(secret.secret()),
            commitment: commitment(&secret, &terms),
            first_day,
            quotes,
            without,
            dates: dates(rules, first, -first_day, &passes),
            passes,
            closed: 0,
            day: -1,
        })
    }

    pub(in crate::audit) fn asset(&self, id: &Slug) -> Option<(usize, &Asset)> {
        self.assets.iter().enumerate().find(|(_, asset)| asset.id == *id)
    }

    fn place(&self, day: i32) -> usize {
        usize::try_from(day - self.first_day).unwrap_or(0)
    }

    /// What is published of every asset on a market day.
    pub(in crate::audit) fn row(&self, day: i32) -> Row {
        self.quotes.get(self.place(day)).cloned().unwrap_or_default()
    }

    /// Calendar days from the first day of the course to a market day.
    pub(in crate::audit) fn date(&self, day: i32) -> i32 {
        self.dates.get(self.place(day)).copied().unwrap_or(day)
    }

    /// The next market day, while there is one.
    pub(in crate::audit) fn next(&self) -> Option<i32> {
        (self.place(self.day + 1) < self.quotes.len()).then_some(self.day + 1)
    }

    /// Each pair of days of the history that follow each other.
    pub(in crate::audit) fn history(&self) -> impl Iterator<Item = (&Row, &Row)> {
        let history = &self.quotes[..self.place(0)];
        history.iter().zip(history.iter().skip(1))
    }

    /// The same market before its first close, on one of both paths.
    pub(in crate::audit) fn before_the_first_close(&self, scripted: bool) -> Self {
        let quotes = if scripted { &self.quotes } else { &self.without };
        Self { day: -1, closed: 0, quotes: quotes.clone(), ..self.clone() }
    }

    /// Market days that pass with a day of the course.
    pub(in crate::audit) fn passes(&self, day: u8) -> u16 {
        self.passes.get(usize::from(day).wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// Market days on which prices were shocked, as far as they are closed.
    pub(in crate::audit) fn shocks_met(&self) -> Vec<i32> {
        let shocks = self.shocks.iter();
        let priced = shocks.filter(|shock| matches!(shock.kind, ShockKind::Price(_)));
        let days = priced.map(|shock| {
            let until = usize::from(shock.day);
            let passed: i32 = self.passes.iter().take(until).map(|days| i32::from(*days)).sum();
            // On a closed day nothing passes: the next market day.
            passed - i32::from(self.passes(shock.day) > 0)
        });
        days.filter(|day| *day <= self.day).collect()
    }

    /// As readers must see it.
    pub(in crate::audit) fn view(&self, over: bool) -> MarketView {
        let known = self.place(self.day + 1).min(self.quotes.len());
        MarketView {
            assets: self.names.clone(),
            first_day: self.first_day,
            quotes: self.quotes[..known].to_vec(),
            dates: self.dates[..known].to_vec(),
            closed: self.closed,
            without_script: if over { self.without[..known].to_vec() } else { Vec::new() },
        }
    }
}
