//! The score of 1,000 (domain 2.4): what was done and understood counts, luck hardly. Every number
//! is the course's.

use dengmi_content::model::course::{OutcomePoints, PortfolioPoints, ProcessPoints, ScoreRules};
use dengmi_content::model::market::AssetClass;
use dengmi_core::mock::{ClientLevel, Score, Side};
use dengmi_core::mutant;
use smallvec::SmallVec;

use super::account::{Account, Order};
use super::tape::Tape;
use super::{Conduct, Row, trade};

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
    let orders: SmallVec<[&Order; 32]> =
        account.orders.iter().filter(|order| order.counts()).collect();
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
        // In the order of their days.
        let before = orders[..=place].partition_point(|o| i32::from(o.course_day) <= since);
        place + 1 - before > free && !mutant::planted("mock/turnover-free")
    });
    let beyond = u16::try_from(beyond.count()).unwrap_or(u16::MAX);
    score.turnover = rules.penalties.turnover.saturating_mul(beyond);
    score
}

/// Shocks after which nothing was redeemed against the plan, of all since the first order.
fn kept_course(rules: &ProcessPoints, orders: &[&Order], tape: &Tape, since: i32) -> u16 {
    let met: SmallVec<[i32; 8]> = tape.shocks().filter(|shock| since < *shock).collect();
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
    let variance = u128::from(row.conduct.variance) * days;
    let sd = u64::try_from(variance).map_or_else(|_| variance.isqrt(), |v| v.isqrt().into()) / 100;
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
    let mut held: SmallVec<[(u8, i128); 8]> = SmallVec::new();
    for lot in &row.account.lots {
        let worth = Account::lot_worth(lot, now.assets, now.quotes, now.date);
        if now.assets[usize::from(lot.asset)].class == AssetClass::Demand {
            in_cash += worth;
            continue;
        }
        match held.iter_mut().find(|(asset, _)| *asset == lot.asset) {
            Some((_, sum)) => *sum += worth,
            None => held.push((lot.asset, worth)),
        }
    }
    // In fen, so that squares fit.
    let parts = held.iter().map(|(_, worth)| *worth).chain([in_cash]);
    let parts = parts.map(|part| i128::from(trade::fen(part)));
    let (whole, squares) =
        parts.fold((0i128, 0i128), |(whole, squares), part| (whole + part, squares + part * part));
    let n = i128::from(rules.assets.max(2));
    let spread = (whole * whole - squares) * 1_000_000 * n;
    let spread = spread.checked_div(whole * whole * (n - 1)).unwrap_or(0);
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

#[cfg(test)]
mod tests {
    use dengmi_core::mock::{Goal, OrderState, Plan, PlanPart, Units};
    use dengmi_core::text::FoldedHash;
    use dengmi_core::{Fen, Ppm, Timestamp};

    use super::super::tape::tests::{read, tape};
    use super::*;

    const CASH: i64 = 10_000_000;

    fn rules() -> ScoreRules {
        read(
            r#"(process: (plan_first: 80, orders_in_plan: 120, kept_course: 80, read_sheet: 60,
                notes: 60, notes_wanted: 2),
            knowledge: 300,
            portfolio: (diversification: 100, assets: 4, fit: 80, costs: 70, cost_limit: 3000),
            outcome: (middle: 25, slope: 25, floor: 5000),
            penalties: (drawdown: 100, drawdown_limits: (10000, 30000, 80000, 150000, 250000),
                turnover: 20, free_orders: 4, within_days: 7),
            bands: [(from: 0, title: {"zh-CN": "发芽"})])"#,
        )
    }

    /// An order placed after a close, on a day of the course.
    fn order(side: Side, placed: i32, course_day: u8) -> Order {
        Order {
            asset: 0,
            side,
            at: Timestamp(0),
            placed,
            course_day,
            market_day: placed + 1,
            state: OrderState::Settled,
            units: 0,
            amount: 0,
            fee: 0,
            in_plan: true,
            sheet_read: true,
        }
    }

    fn buys(days: &[u8]) -> Vec<Order> {
        let buy = |day: &u8| order(Side::Buy(Fen(1_000)), i32::from(*day) - 2, *day);
        days.iter().map(buy).collect()
    }

    /// A member with a plan and an order on day 1, on a market that closed six days and fell by a
    /// tenth with the last of them.
    fn scored(change: impl FnOnce(&mut Row), beside: impl FnOnce(&mut Beside)) -> Score {
        let mut tape = tape("EveryDay", [1; 7]);
        for _ in 0..6 {
            tape.close_day();
        }
        let mut row = Row::new(Fen(CASH));
        let parts = vec![PlanPart { asset: "index".parse().unwrap(), share: Ppm(300_000) }];
        let text = FoldedHash([0; 16]);
        let plan = Plan { goal: Goal::Learning, months: 12, loss: Ppm(50_000), parts, text };
        row.conduct.plan = Some((1, plan));
        row.account.orders = buys(&[1]);
        let level = Some(ClientLevel::C3);
        let mut known = Beside { cash: CASH, level, mastered: (0, 10) };
        change(&mut row);
        beside(&mut known);
        score(&rules(), &row, &tape, &known)
    }

    /// What an order within plan, a read sheet, a kept course, a fit and no costs bring.
    const USUAL: Score = Score {
        plan_first: 80,
        orders_in_plan: 120,
        kept_course: 80,
        read_sheet: 60,
        notes: 0,
        knowledge: 0,
        diversification: 0,
        fit: 80,
        costs: 70,
        outcome: 25,
        drawdown: 0,
        turnover: 0,
    };

    #[track_caller]
    fn check(change: impl FnOnce(&mut Row), expected: Score) {
        assert_eq!(scored(change, |_| {}), expected);
    }

    #[test]
    fn what_was_done_counts_by_its_share() {
        check(|_| {}, USUAL);
        let fresh = Score { plan_first: 80, ..Score::default() };
        check(|row| row.account.orders.clear(), fresh);
        check(|row| row.account.orders[0].state = OrderState::Cancelled, fresh);
        check(|row| row.conduct.plan = None, Score { plan_first: 0, ..USUAL });
        check(
            |row| {
                row.account.orders = buys(&[1, 1, 1]);
                row.account.orders[0].in_plan = false;
                row.account.orders[1].sheet_read = false;
            },
            Score { orders_in_plan: 80, read_sheet: 40, ..USUAL },
        );
        check(|row| row.conduct.note_days = 0b1, Score { notes: 30, ..USUAL });
        check(|row| row.conduct.note_days = 0b1011, Score { notes: 60, ..USUAL });
    }

    #[test]
    fn knowledge_is_what_is_mastered() {
        let knows = |mastered| scored(|_| {}, |beside| beside.mastered = mastered).knowledge;
        assert_eq!([(0, 0), (5, 10), (10, 10), (3, 9)].map(knows), [0, 150, 300, 100]);
    }

    #[test]
    fn leaving_the_plan_after_the_shock_costs() {
        // The shock is the close of market day 5, in a market of a day a lesson.
        let sells = |placed, in_plan| {
            move |row: &mut Row| {
                let sale = Order { in_plan, ..order(Side::Redeem(Units(1)), placed, 6) };
                row.account.orders.push(sale);
            }
        };
        let out = Score { orders_in_plan: 60, ..USUAL };
        check(sells(5, false), Score { kept_course: 0, ..out });
        check(sells(7, false), Score { kept_course: 0, ..out });
        check(sells(8, false), out);
        check(sells(4, false), out);
        check(sells(5, true), USUAL);
        // Who came in afterwards met no shock.
        check(|row| row.account.orders = vec![order(Side::Buy(Fen(1)), 5, 7)], USUAL);
    }

    #[test]
    fn costs_count_in_full_to_the_limit_and_not_at_twice_of_it() {
        // 0.3 % of 100,000 yuan are 300 yuan.
        for (fees, costs) in [(30_000, 70), (45_000, 35), (60_000, 0), (900_000, 0)] {
            check(|row| row.account.fees = fees, Score { costs, ..USUAL });
        }
        check(|row| row.conduct.fits = false, Score { fit: 0, ..USUAL });
        let spread = |row: &mut Row| (row.conduct.spread, row.conduct.closes) = (1_500_000, 2);
        check(spread, Score { diversification: 75, ..USUAL });
    }

    #[test]
    fn luck_counts_by_standard_deviations_of_the_own_plan() {
        // Without variance half a per cent is one standard deviation.
        for (value, outcome) in
            [(CASH, 25), (10_050_000, 50), (10_025_000, 37), (9_950_000, 0), (20_000_000, 50)]
        {
            check(|row| row.conduct.value = value, Score { outcome, ..USUAL });
        }
        // One per cent a day over the six days since the order are 2.45 %.
        let wild = |row: &mut Row| {
            (row.conduct.value, row.conduct.variance) = (10_122_474, 1_000_000 * 1_000_000);
        };
        check(wild, Score { outcome: 37, ..USUAL });
    }

    #[test]
    fn what_is_taken_away() {
        // C3 bears 8 %; without a level it is 1 %.
        for (fall, drawdown) in [(80_000, 0), (120_000, 50), (160_000, 100), (900_000, 100)] {
            check(|row| row.conduct.drawdown = fall, Score { drawdown, ..USUAL });
        }
        let none = scored(|row| row.conduct.drawdown = 15_000, |beside| beside.level = None);
        assert_eq!(none, Score { drawdown: 50, ..USUAL });
        // Four orders in seven days are free.
        let turnover = |days: &[u8]| scored(|row| row.account.orders = buys(days), |_| {}).turnover;
        assert_eq!(turnover(&[1, 1, 1, 1]), 0);
        assert_eq!(turnover(&[1, 1, 1, 1, 2, 7]), 40);
        assert_eq!(turnover(&[1, 1, 1, 1, 8]), 0);
    }

    #[test]
    fn a_fall_from_the_highest_value_asks_for_a_debrief() {
        let mut conduct = Row::new(Fen(CASH)).conduct;
        let limit = Ppm(50_000);
        watch(&mut conduct, 9_500_001, limit);
        assert!(!conduct.owes);
        watch(&mut conduct, 10_100_000, limit);
        watch(&mut conduct, 9_595_000, limit);
        assert!(conduct.owes);
        assert_eq!(
            (conduct.peak, conduct.drawdown, conduct.value),
            (10_100_000, 50_000, 9_595_000)
        );
    }
}
