//! `content/scenarios/*.ron`: what happens on a mock market during a course. Shocks come on top of
//! what the seed draws, so the same seed without them is the path that would have been.

use dengmi_core::{Decimal, Slug};
use serde::Deserialize;

use super::market::ONE_Q16;
use super::{Approval, Text};

/// A script for a market. It never decides which members win, and every shock is shown as scripted
/// in the debrief.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Its name, for operators.
    pub title: Text,
    /// The market, by id.
    pub market: Slug,
    /// Days of the course it is made for.
    pub days: u8,
    /// What happens, in order of days.
    pub shocks: Vec<Shock>,
    /// Compliance approval of the texts.
    pub approval: Approval,
}

impl Scenario {
    /// A shock by its id.
    #[must_use]
    pub fn shock(&self, id: &Slug) -> Option<&Shock> {
        self.shocks.iter().find(|shock| shock.id == *id)
    }
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shock {
    /// Its id; lessons name it.
    pub id: Slug,
    /// Day of the course, from 1. Where a lesson speeds time up, the last market day of that day.
    pub day: u8,
    /// The news members read on that day. It is fictional and names nobody.
    pub news: Text,
    /// What the debrief says of it: that it was scripted, and what it teaches.
    pub debrief: Text,
    /// What it does.
    pub kind: ShockKind,
}

impl Shock {
    /// What it does to prices; empty for shocks that only are news.
    #[must_use]
    pub fn moves(&self) -> &[Move] {
        match &self.kind {
            ShockKind::Price(moves) => moves,
            ShockKind::FeeTrap { .. } | ShockKind::FraudPitch | ShockKind::Quiet => &[],
        }
    }
}

/// Kinds of shocks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum ShockKind {
    /// Moves prices.
    Price(Vec<Move>),
    /// Members are offered to switch from one asset to another, and would pay the fee for short
    /// holdings.
    FeeTrap {
        /// What they would redeem.
        from: Slug,
        /// What they would buy.
        to: Slug,
    },
    /// A fraud appears in the feed, to be reported; it is revealed on the same day.
    FraudPitch,
    /// Nothing: most days nothing happens.
    Quiet,
}

/// One part of a shock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Market days after the shock's day on which it begins.
    #[serde(default)]
    pub after: u8,
    /// Market days it goes on.
    #[serde(default = "one")]
    pub days: u8,
    /// Chance that it happens, of 65,536; the seed decides.
    #[serde(default = "always")]
    pub chance: u32,
    /// What it does on each of these days.
    pub effect: Effect,
}

fn one() -> u8 {
    1
}

fn always() -> u32 {
    ONE_Q16
}

/// What a part of a shock does on each of its days. With `to`, the seed draws a size between both
/// ends, once for all days.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum Effect {
    /// All shares move; other assets move as far as they depend on them.
    Equity {
        /// In percent.
        percent: Decimal,
        /// Other end.
        #[serde(default)]
        to: Option<Decimal>,
    },
    /// A factor moves.
    Factor {
        /// Which.
        factor: Factor,
        /// In daily standard deviations.
        sd: Decimal,
        /// Other end.
        #[serde(default)]
        to: Option<Decimal>,
    },
    /// One asset moves.
    Asset {
        /// Which.
        asset: Slug,
        /// In percent.
        percent: Decimal,
        /// Other end.
        #[serde(default)]
        to: Option<Decimal>,
    },
    /// Interest rates change: bonds move by their duration, yields of money funds follow slowly,
    /// new deposits at once.
    Rates {
        /// In basis points; below zero is a cut.
        bp: i16,
    },
    /// The market is in its turbulent regime.
    Turbulent,
    /// Redemptions of an asset are suspended.
    Gate {
        /// Which.
        asset: Slug,
    },
}

/// Factors in daily standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Factor {
    /// Interest rates; up is good for holders of bonds.
    Rates,
    /// Credit.
    Credit,
    /// Gold.
    Gold,
    /// Shares overseas.
    Overseas,
}
