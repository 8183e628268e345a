//! The score of a course and what of it readers see of others.

use dengmi_content::model::course::{OutcomePoints, ScoreRules};
use dengmi_core::Ppm;
use dengmi_core::mock::{ClientLevel, Score, Side};

use super::account::Account;
use super::market::Market;

/// What a score is made of beside the account.
#[derive(Clone, Copy)]
pub(in crate::audit) struct Known {
    /// Concepts mastered, and taught so far.
    pub(in crate::audit) mastered: u64,
    pub(in crate::audit) taught: u64,
    /// The level that holds.
    pub(in crate::audit) level: Option<ClientLevel>,
}

/// `points`, by a share.
fn share(points: u16, part: u64, whole: u64) -> u16 {
    match whole {
        0 => 0,
        _ => (u64::from(points) * part.min(whole) / whole) as u16,
    }
}

impl Account {
    /// The score as of now, but for what the outcome brings.
    pub(in crate::audit) fn score_before_outcome(
        &self,
        market: &Market,
        rules: &ScoreRules,
        known: Known,
    ) -> Score {
        let orders: Vec<_> = self.orders.iter().filter(|order| order.counts()).collect();
        let process = &rules.process;
        let mut score = Score {
            plan_first: if self.plans.is_empty() { 0 } else { process.plan_first },
            notes: share(
                process.notes,
                self.note_days.len() as u64,
                u64::from(process.notes_wanted),
            ),
            knowledge: share(rules.knowledge, known.mastered, known.taught),
            ..Score::default()
        };
        let Some(first) = orders.first() else { return score };
        let all = orders.len() as u64;
        let of = |wanted: usize, points| share(points, wanted as u64, all);
        score.orders_in_plan =
            of(orders.iter().filter(|order| order.view.in_plan).count(), process.orders_in_plan);
        score.read_sheet = of(orders.iter().filter(|order| order.read).count(), process.read_sheet);
        let shocks = market.shocks_met();
        let met: Vec<i32> = shocks.into_iter().filter(|day| first.placed < *day).collect();
        let left = |day: i32| {
            let window = day..day + i32::from(process.kept_days);
            orders.iter().any(|order| {
                let redeems = matches!(order.view.side, Side::Redeem(_) | Side::Fast(_));
                redeems && !order.view.in_plan && window.contains(&order.placed)
            })
        };
        let kept = met.iter().filter(|day| !left(**day)).count() as u64;
        score.kept_course = match met.len() {
            0 => process.kept_course,
            met => share(process.kept_course, kept, met as u64),
        };
        let spread = self.spread.checked_div(self.surveys).unwrap_or(0);
        score.diversification = share(rules.portfolio.diversification, spread, 1_000_000);
        score.fit = if self.fits { rules.portfolio.fit } else { 0 };
        let limit = i128::from(rules.portfolio.cost_limit.0) * i128::from(self.start);
        let costs = i128::from(self.fees) * 1_000_000;
        score.costs = match costs <= limit {
            true => rules.portfolio.costs,
            false => {
                let left = (2 * limit - costs).max(0);
                (i128::from(rules.portfolio.costs) * left / limit.max(1)) as u16
            }
        };
        let level = known.level.unwrap_or(ClientLevel::C1);
        score.drawdown = drawdown(rules, self.fall, level);
        score.turnover = self.turnover(rules);
        score
    }

    /// For each order beyond the free ones of the days up to its own.
    fn turnover(&self, rules: &ScoreRules) -> u16 {
        let penalties = &rules.penalties;
        let days: Vec<u8> =
            self.orders.iter().filter(|order| order.counts()).map(|order| order.sent).collect();
        let beyond = days.iter().enumerate().filter(|(place, day)| {
            let recent = |other: &&u8| **other + penalties.within_days > **day;
            days[..=*place].iter().filter(recent).count() > usize::from(penalties.free_orders)
        });
        penalties.turnover.saturating_mul(beyond.count() as u16)
    }
}

/// Taken away for a fall beyond the limit of a level; all of it at twice the limit.
fn drawdown(rules: &ScoreRules, fall: Ppm, level: ClientLevel) -> u16 {
    let limit = rules.penalties.drawdown_limits[level as usize].0;
    let beyond = fall.0.saturating_sub(limit);
    match limit {
        0 if beyond > 0 => rules.penalties.drawdown,
        _ => share(rules.penalties.drawdown, u64::from(beyond), u64::from(limit)),
    }
}

impl Account {
    /// The least and the most that the outcome brings.
    pub(in crate::audit) fn outcome(&self, market: &Market, rules: &OutcomePoints) -> (u16, u16) {
        let Some(first) = self.orders.iter().find(|order| order.counts()) else { return (0, 0) };
        let (value, cash) = (self.worth_now(market), self.in_cash(market));
        let beyond = (value - cash) as f64 / self.start.max(1) as f64;
        let floor = f64::from(rules.floor.0) / 1e6;
        let sd = self.plan_deviation(market, market.day - first.placed).max(floor);
        let middle = f64::from(rules.middle);
        let points = middle + f64::from(rules.slope) * beyond / sd;
        let points = points.clamp(0.0, 2.0 * middle);
        // Returns are whole millionths there: a part of a point either way.
        ((points - 0.02).floor().max(0.0) as u16, (points + 0.02).floor().min(2.0 * middle) as u16)
    }

    /// Standard deviation of the plan over so many market days, from the history's daily moves.
    fn plan_deviation(&self, market: &Market, days: i32) -> f64 {
        let Some(plan) = self.plan() else { return 0.0 };
        let shares: Vec<(usize, f64)> = plan
            .parts
            .iter()
            .filter_map(|part| Some((market.asset(&part.asset)?.0, f64::from(part.share.0) / 1e6)))
            .collect();
        let moves: Vec<f64> = market
            .history()
            .map(|(before, row)| {
                let of = |(asset, share): &(usize, f64)| {
                    share * (row[*asset].nav as f64 / before[*asset].nav as f64 - 1.0)
                };
                shares.iter().map(of).sum()
            })
            .collect();
        let count = moves.len().max(1) as f64;
        let mean = moves.iter().sum::<f64>() / count;
        let variance = moves.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / count;
        (variance * f64::from(days).max(0.0)).sqrt()
    }
}
