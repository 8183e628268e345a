//! The shocks of a scenario, laid out over market days, with everything drawn that is left to
//! chance.

use dengmi_content::model::scenario::{Effect, Factor, Move, Shock};
use dengmi_content::model::{Lesson, Market};
use dengmi_core::{Day, Decimal};

use super::model::{Model, percent, sds};
use super::{MarketSeed, draw};

/// Shocks by market day.
#[derive(Clone, Debug, Default)]
pub struct Script {
    moves: Vec<Planned>,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    from: i32,
    /// The first day on which it is over.
    until: i32,
    push: Push,
}

#[derive(Clone, Copy, Debug)]
enum Push {
    Equity(i64),
    Factor(Factor, i64),
    Asset(usize, i64),
    Rates(i64),
    Turbulent,
    Gate(usize),
}

/// What a script adds on one day.
#[derive(Clone, Debug, Default)]
pub(super) struct Pushed {
    /// In 1e-8.
    pub(super) equity: i64,
    /// In 1/65,536 of a standard deviation.
    pub(super) rates: i64,
    pub(super) credit: i64,
    pub(super) gold: i64,
    pub(super) overseas: i64,
    /// In basis points.
    pub(super) rates_bp: i64,
    pub(super) turbulent: bool,
    /// By asset, in 1e-8.
    assets: Vec<(usize, i64)>,
}

impl Pushed {
    pub(super) fn asset(&self, index: usize) -> i64 {
        let own = self.assets.iter().filter(|(at, _)| *at == index);
        own.fold(0, |sum, (_, move_)| sum.saturating_add(*move_))
    }
}

/// Market days that pass with each day of a course that begins on `first`: as many as its lesson
/// says, none where the market is closed.
#[must_use]
pub fn market_days(market: &Market, lessons: &[Lesson], first: Day) -> Vec<u16> {
    let wanted: Vec<u16> = lessons.iter().map(|lesson| lesson.timelapse).collect();
    open_days(market, &wanted, first)
}

/// [`market_days`] of lessons that want so many each.
pub(crate) fn open_days(market: &Market, wanted: &[u16], first: Day) -> Vec<u16> {
    let days = (0..).zip(wanted);
    days.map(
        |(day, wanted)| {
            if market.calendar.is_open(first.plus(day)) { (*wanted).max(1) } else { 0 }
        },
    )
    .collect()
}

/// The last market day of day `day` (from 1) of a course in which so many market days pass with
/// each day; one where the list is too short. Where none passes, the market is closed and it is the
/// next one. Shocks fall on it.
#[must_use]
pub fn last_market_day(market_days: &[u16], day: u8) -> i32 {
    let passes = |day: usize| i32::from(market_days.get(day).copied().unwrap_or(1));
    let day = usize::from(day);
    let passed: i32 = (0..day).map(passes).sum();
    let closed = day.checked_sub(1).is_some_and(|last| passes(last) == 0);
    if closed { passed } else { passed - 1 }
}

impl Script {
    /// Lays `shocks` out; `market_day` gives the market day of a day of the course (see
    /// [`last_market_day`]). What names an unknown asset is left out.
    #[must_use]
    pub fn new(
        model: &Model,
        shocks: &[Shock],
        seed: &MarketSeed,
        market_day: impl Fn(u8) -> i32,
    ) -> Self {
        let mut moves = Vec::new();
        for shock in shocks {
            for (part, step) in (0u64..).zip(shock.moves()) {
                let address = draw::number(&shock.id).wrapping_add(part);
                let (chance, size) = draw::shock(seed, market_day(shock.day), address);
                let Some(push) = push(model, step, size).filter(|_| chance < step.chance) else {
                    continue;
                };
                let from = market_day(shock.day).saturating_add(step.after.into());
                moves.push(Planned { from, until: from.saturating_add(step.days.into()), push });
            }
        }
        moves.sort_by_key(|planned| planned.from);
        Self { moves }
    }

    /// The first day on which something is different; `None` for a script that does nothing.
    #[must_use]
    pub fn begins(&self) -> Option<i32> {
        self.moves.first().map(|planned| planned.from)
    }

    /// Whether redemptions of an asset are suspended on a day.
    #[must_use]
    pub fn is_gated(&self, asset: usize, day: i32) -> bool {
        self.on(day).any(|push| matches!(push, Push::Gate(gated) if gated == asset))
    }

    fn on(&self, day: i32) -> impl Iterator<Item = Push> {
        let today = self.moves.iter().filter(move |p| p.from <= day && day < p.until);
        today.map(|planned| planned.push)
    }

    /// Everything that happens on a day.
    pub(super) fn pushed(&self, day: i32) -> Pushed {
        let mut pushed = Pushed::default();
        let add = |sum: &mut i64, part: i64| *sum = sum.saturating_add(part);
        for push in self.on(day) {
            match push {
                Push::Equity(size) => add(&mut pushed.equity, size),
                Push::Factor(Factor::Rates, size) => add(&mut pushed.rates, size),
                Push::Factor(Factor::Credit, size) => add(&mut pushed.credit, size),
                Push::Factor(Factor::Gold, size) => add(&mut pushed.gold, size),
                Push::Factor(Factor::Overseas, size) => add(&mut pushed.overseas, size),
                Push::Asset(index, size) => pushed.assets.push((index, size)),
                Push::Rates(bp) => add(&mut pushed.rates_bp, bp),
                Push::Turbulent => pushed.turbulent = true,
                Push::Gate(_) => {}
            }
        }
        pushed
    }
}

/// An effect with its size drawn; `None` where its asset is not in the market.
fn push(model: &Model, step: &Move, bits: u64) -> Option<Push> {
    let size = |from: Decimal, to: Option<Decimal>, unit: fn(Decimal) -> i64| {
        draw::between(unit(from), unit(to.unwrap_or(from)), bits)
    };
    Some(match &step.effect {
        Effect::Equity { percent: from, to } => Push::Equity(size(*from, *to, percent)),
        Effect::Factor { factor, sd, to } => Push::Factor(*factor, size(*sd, *to, sds)),
        Effect::Asset { asset, percent: from, to } => {
            Push::Asset(model.index(asset)?, size(*from, *to, percent))
        }
        Effect::Rates { bp } => Push::Rates(i64::from(*bp)),
        Effect::Turbulent => Push::Turbulent,
        Effect::Gate { asset } => Push::Gate(model.index(asset)?),
    })
}
