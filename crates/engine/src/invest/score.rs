//! The score of 1,000 (domain 2.4): what was done and understood counts, luck hardly. Every number
//! is the course's.

use dengmi_content::model::course::{OutcomePoints, PortfolioPoints, ProcessPoints, ScoreRules};
use dengmi_content::model::market::AssetClass;
use dengmi_core::mock::{ClientLevel, Score, Side};

use super::account::Order;
use super::tape::Tape;
use super::{Conduct, Row};

/// What the account does not know.
pub(crate) struct Beside {
    /// What members start with, in fen.
    pub(crate) cash: i64,
    /// The member's level now.
    pub(crate) level: Option<ClientLevel>,
    /// Concepts mastered, of those taught.
    pub(crate) mastered: (u16, u16),
}

/// `points` times `part / whole`, rounded down, in full at most.
fn share(points: u16, part: u64, whole: u64) -> u16 {
    let given = u64::from(points) * part.min(whole) / whole.max(1);
    u16::try_from(given).unwrap_or(points)
}

pub(crate) fn score(rules: &ScoreRules, row: &Row, tape: &Tape, beside: &Beside) -> Score {
    let process = &rules.process;
    let Row { account, conduct, .. } = row;
    let (mastered, taught) = beside.mastered;
    let notes = u64::from(conduct.note_days.count_ones());
    let mut score = Score {
        plan_first: if conduct.plan.is_some() { process.plan_first } else { 0 },
        notes: share(process.notes, notes, process.notes_wanted.into()),
        knowledge: share(rules.knowledge, mastered.into(), taught.into()),
        ..Score::default()
    };
    let orders: Vec<&Order> = account.orders.iter().filter(|order| order.counts()).collect();
    let Some(first) = orders.first() else { return score };
    let of_orders = |points, right: fn(&Order) -> bool| {
        let right = orders.iter().filter(|order| right(order)).count();
        share(points, right as u64, orders.len() as u64)
    };
    score.orders_in_plan = of_orders(process.orders_in_plan, |order| order.in_plan);
    score.read_sheet = of_orders(process.read_sheet, |order| order.sheet_read);
    score.kept_course = kept_course(process, &orders, tape, first.placed);
    let held = &rules.portfolio;
    let spread = conduct.spread.checked_div(conduct.closes.into()).unwrap_or(0);
    score.diversification = share(held.diversification, spread, 1_000_000);
    score.fit = if conduct.fits { held.fit } else { 0 };
    score.costs = costs(held, account.fees, beside.cash);
    score.outcome = outcome(&rules.outcome, row, tape, beside.cash, first.placed);
    let limits = &rules.penalties.drawdown_limits;
    let limit = u64::from(limits[beside.level.unwrap_or(ClientLevel::C1) as usize].0);
    let beyond = u64::from(conduct.drawdown).saturating_sub(limit);
    score.drawdown = share(rules.penalties.drawdown, beyond, limit);
    let within = rules.penalties.within_days;
    let free = usize::from(rules.penalties.free_orders);
    let beyond = (0..orders.len()).filter(|&place| {
        let since = i32::from(orders[place].course_day) - i32::from(within);
        let recent = orders[..=place].iter().filter(|o| i32::from(o.course_day) > since);
        recent.count() > free
    });
    let beyond = u16::try_from(beyond.count()).unwrap_or(u16::MAX);
    score.turnover = rules.penalties.turnover.saturating_mul(beyond);
    score
}

/// Shocks after which nothing was redeemed against the plan, of all since the first order.
fn kept_course(rules: &ProcessPoints, orders: &[&Order], tape: &Tape, since: i32) -> u16 {
    let shocks = tape.shocks();
    let met: Vec<i32> = shocks.into_iter().filter(|shock| since < *shock).collect();
    if met.is_empty() {
        return rules.kept_course;
    }
    let days = i32::from(rules.kept_days);
    let left = |shock: &i32| {
        orders.iter().any(|order| {
            matches!(order.side, Side::Redeem(_) | Side::Fast(_))
                && !order.in_plan
                && (*shock..shock.saturating_add(days)).contains(&order.placed)
        })
    };
    let kept = met.iter().filter(|shock| !left(shock)).count();
    share(rules.kept_course, kept as u64, met.len() as u64)
}

/// In full up to the limit, nothing from twice of it on.
fn costs(rules: &PortfolioPoints, fees: i64, cash: i64) -> u16 {
    let limit = u64::try_from(rules.cost_limit.of(cash)).unwrap_or(0);
    let fees = u64::try_from(fees).unwrap_or(0);
    share(rules.costs, (limit * 2).saturating_sub(fees), limit)
}

/// `middle + slope * (R - Rcash) / max(sd, floor)`, where the standard deviation is that of the own
/// plan over the market days since the first order, by the history of its assets.
fn outcome(rules: &OutcomePoints, row: &Row, tape: &Tape, cash: i64, since: i32) -> u16 {
    let now = tape.now();
    let days = u128::try_from(now.day - since).unwrap_or(0);
    let earned = i128::from(row.conduct.value - cash) * 1_000_000 / i128::from(cash.max(1));
    let in_cash = tape.cash_return(since, now.day);
    // Variance in 1e-16, standard deviation in 1e-8, as parts per million.
    let sd = (u128::from(row.conduct.variance) * days).isqrt() / 100;
    let sd = sd.max(u128::from(rules.floor.0)).max(1);
    let sd = i128::try_from(sd).unwrap_or(i128::MAX);
    let above = i128::from(rules.slope) * (earned - i128::from(in_cash));
    let points = i128::from(rules.middle) + above.div_euclid(sd);
    u16::try_from(points.clamp(0, 2 * i128::from(rules.middle))).unwrap_or(0)
}

/// How spread an account is at a close, in millionths: 1 less the Herfindahl index of its parts,
/// over what `assets` equal parts would reach. Cash, cash on the way and demand deposits are one
/// part.
pub(crate) fn spread(rules: &PortfolioPoints, row: &Row, tape: &Tape) -> u64 {
    let now = tape.now();
    let mut in_cash = i128::from(row.account.cash + row.account.on_the_way()) * 10_000;
    let mut parts = Vec::new();
    for (place, asset) in (0..).zip(now.assets) {
        let worth = row.account.worth_of(place, now.assets, now.quotes, now.date);
        match asset.class {
            AssetClass::Demand => in_cash += worth,
            _ if worth > 0 => parts.push(worth),
            _ => {}
        }
    }
    parts.push(in_cash);
    // In fen, so that squares fit.
    let parts: Vec<i128> = parts.into_iter().map(|part| part / 10_000).collect();
    let whole: i128 = parts.iter().sum();
    let squares: i128 = parts.iter().map(|part| part * part).sum();
    let concentrated = (squares * 1_000_000).checked_div(whole * whole).unwrap_or(1_000_000);
    let n = i128::from(rules.assets.max(2));
    let spread = (1_000_000 - concentrated) * n / (n - 1);
    u64::try_from(spread.clamp(0, 1_000_000)).unwrap_or(0)
}

/// What a close means for how somebody fares: the peak and the largest fall from it, and whether a
/// debrief is owed.
pub(crate) fn watch(conduct: &mut Conduct, value: i64, debrief_loss: dengmi_core::Ppm) {
    conduct.value = value;
    conduct.peak = conduct.peak.max(value);
    let fall = i128::from(conduct.peak - value) * 1_000_000 / i128::from(conduct.peak.max(1));
    conduct.drawdown = conduct.drawdown.max(u32::try_from(fall).unwrap_or(u32::MAX));
    conduct.high = conduct.high.max(value);
    let loss = i128::from(conduct.high - value) * 1_000_000;
    let limit = i128::from(debrief_loss.0) * i128::from(conduct.high);
    if loss >= limit && loss > 0 {
        conduct.owes = true;
    }
}
