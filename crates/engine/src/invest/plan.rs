//! Plans: whether one can be right, how much it moves, and whether an order keeps to it.

use dengmi_core::mock::{ClientLevel, Plan, Side};
use dengmi_core::{Ppm, Reject};

use super::Row;
use super::account::Moment;
use super::tape::Tape;
use crate::suitability::bears;

/// Longest horizon, in months.
const MONTHS_MAX: u16 = 600;

const WHOLE: u64 = 1_000_000;

/// Whether a plan can be right for somebody of a level.
pub(super) fn check(plan: &Plan, tape: &Tape, level: Option<ClientLevel>) -> Result<(), Reject> {
    let shares: u64 = plan.parts.iter().map(|part| u64::from(part.share.0)).sum();
    if plan.months == 0 || plan.months > MONTHS_MAX || u64::from(plan.loss.0) > WHOLE {
        return Err(Reject::BadPlan);
    }
    if shares > WHOLE || plan.parts.len() > tape.assets().len() {
        return Err(Reject::BadPlan);
    }
    for (place, part) in plan.parts.iter().enumerate() {
        let (_, asset) = tape.asset(&part.asset).ok_or(Reject::UnknownAsset)?;
        if plan.parts[..place].iter().any(|other| other.asset == part.asset) {
            return Err(Reject::BadPlan);
        }
        if !asset.enabled {
            return Err(Reject::AssetOff);
        }
        if part.share > Ppm(0) && !bears(level, asset.risk) {
            return Err(Reject::AboveLevel);
        }
    }
    Ok(())
}

/// Variance of the daily return of a plan over the market's history, in 1e-16; what is not planned
/// is cash and stands still.
pub(super) fn variance(plan: &Plan, tape: &Tape) -> u64 {
    // Shares add up to a whole at most, so that no sum is larger than the largest return.
    let mut returns: Vec<i64> = Vec::new();
    for part in &plan.parts {
        let Some((place, _)) = tape.asset(&part.asset) else { continue };
        let history = tape.history(place);
        returns.resize(history.len(), 0);
        for (sum, moved) in returns.iter_mut().zip(history) {
            *sum = sum.saturating_add(moved.saturating_mul(part.share.0.into()));
        }
    }
    let days = i128::try_from(returns.len()).unwrap_or(0);
    if days == 0 {
        return 0;
    }
    // In 1e-8 from here on.
    let returns = returns.into_iter().map(|sum| i128::from(sum / WHOLE as i64));
    let (sum, squares) =
        returns.fold((0i128, 0i128), |(sum, squares), r| (sum + r, squares + r * r));
    let variance = squares / days - (sum / days) * (sum / days);
    u64::try_from(variance.max(0)).unwrap_or(u64::MAX)
}

/// Whether an order keeps to the plan. A purchase does where the plan names the asset and its share
/// stays within the planned one and `slack`; a redemption does where at least the planned share less
/// `slack` is left, so that selling what one has too much of, or never planned, is fine.
pub(super) fn keeps(row: &Row, moment: &Moment<'_>, asset: u8, side: Side, slack: Ppm) -> bool {
    let Some((_, plan)) = &row.conduct.plan else { return false };
    let id = &moment.assets[usize::from(asset)].id;
    let planned = plan.parts.iter().find(|part| part.asset == *id).map_or(0, |part| part.share.0);
    let account = &row.account;
    let whole = i128::from(account.value(moment.assets, moment.quotes, moment.date)) * 10_000;
    let held = account.worth_of(asset, moment.assets, moment.quotes, moment.date);
    let price = moment.quotes.get(usize::from(asset)).map_or(1, |quote| quote.published());
    // Orders that wait count as if they were done at the last prices.
    let (bought, sold) = account.waiting(asset);
    let expected = held + i128::from(bought) * 10_000 - super::trade::worth(sold, price);
    let part_of = |share: i128| whole * share / i128::from(WHOLE as i64);
    let (planned, slack) = (i128::from(planned), i128::from(slack.0));
    match side {
        Side::Buy(amount) => {
            let after = expected + i128::from(amount.0) * 10_000;
            planned > 0 && after <= part_of(planned + slack)
        }
        Side::Redeem(units) | Side::Fast(units) => {
            let after = expected - super::trade::worth(units.0, price);
            after >= part_of(planned - slack)
        }
        Side::Matured(_) => true,
    }
}
