//! Plans, whether an order keeps to one, and what else is written.

use std::collections::BTreeSet;

use dengmi_core::mock::{
    ClientLevel, DebriefAbout, OrderState, Plan, Side, Units, Writing, WritingKind,
};
use dengmi_core::text::FoldedHash;
use dengmi_core::{Ppm, Reject, Slug, Timestamp};

use super::account::{Account, FEN_MICROS, MILLION, worth};
use super::market::Market;
use super::suits::suits;

/// Most texts of one account.
const TEXTS_MAX: usize = 100;
/// Longest time of a plan.
const MONTHS_MAX: u16 = 600;

/// What a plan must be, whoever's it is.
pub(in crate::audit) fn check_plan(
    market: &Market,
    plan: &Plan,
    level: Option<ClientLevel>,
) -> Result<(), Reject> {
    let shares: u64 = plan.parts.iter().map(|part| u64::from(part.share.0)).sum();
    let sane = (1..=MONTHS_MAX).contains(&plan.months)
        && plan.loss <= Ppm::ONE
        && shares <= u64::from(Ppm::ONE.0)
        && plan.parts.len() <= market.assets.len();
    if !sane {
        return Err(Reject::BadPlan);
    }
    let mut named: BTreeSet<&Slug> = BTreeSet::new();
    for part in &plan.parts {
        let (_, asset) = market.asset(&part.asset).ok_or(Reject::UnknownAsset)?;
        if !named.insert(&part.asset) {
            return Err(Reject::BadPlan);
        }
        if !asset.enabled {
            return Err(Reject::AssetOff);
        }
        if part.share > Ppm(0) && !suits(asset.risk, level) {
            return Err(Reject::AboveLevel);
        }
    }
    Ok(())
}

impl Account {
    pub(in crate::audit) fn has_room_to_write(&self) -> Result<(), Reject> {
        if self.texts.len() < TEXTS_MAX { Ok(()) } else { Err(Reject::TooManyTexts) }
    }

    /// Adds a text; how many there are.
    pub(in crate::audit) fn write(
        &mut self,
        kind: WritingKind,
        text: FoldedHash,
        at: Timestamp,
    ) -> u16 {
        self.texts.push(Writing { at, kind, text });
        self.texts.len() as u16
    }

    /// Whether there is something to look back at.
    pub(in crate::audit) fn may_look_back(
        &self,
        about: DebriefAbout,
        over: bool,
    ) -> Result<(), Reject> {
        match about {
            DebriefAbout::Loss if !self.owes => Err(Reject::NothingToDebrief),
            DebriefAbout::Course if !over => Err(Reject::NothingToDebrief),
            DebriefAbout::Course if self.looked_back => Err(Reject::AlreadyDone),
            _ => Ok(()),
        }
    }

    /// Whether an order of a side would keep to the plan, with every order that waits done at the
    /// last prices.
    pub(in crate::audit) fn keeps_plan(
        &self,
        market: &Market,
        slack: Ppm,
        asset: usize,
        side: Side,
    ) -> bool {
        let Some(plan) = self.plan() else { return false };
        let row = market.row(market.day);
        let id = &market.assets[asset].id;
        let share = plan.parts.iter().find(|part| part.asset == *id).map_or(0, |part| part.share.0);
        let mut held = self.held(market, &row, market.day, asset);
        for order in &self.orders {
            if order.view.state != OrderState::Accepted || usize::from(order.view.asset) != asset {
                continue;
            }
            held += match order.view.side {
                Side::Buy(amount) => i128::from(amount.0) * FEN_MICROS,
                Side::Redeem(Units(units)) => -worth(units, &row[asset]),
                _ => 0,
            };
        }
        let value = i128::from(self.worth_now(market)) * FEN_MICROS;
        let slack = i128::from(slack.0);
        match side {
            Side::Buy(amount) => {
                let after = held + i128::from(amount.0) * FEN_MICROS;
                share > 0 && after * MILLION <= (i128::from(share) + slack) * value
            }
            Side::Redeem(Units(units)) | Side::Fast(Units(units)) => {
                let after = held - worth(units, &row[asset]);
                after * MILLION >= (i128::from(share) - slack) * value
            }
            Side::Matured(_) => true,
        }
    }
}
