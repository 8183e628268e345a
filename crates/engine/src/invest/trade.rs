//! The arithmetic of an order, in whole numbers. What is bought costs at least its price, what is
//! sold brings at most its price, fees round up; what is left over goes to the house, so that no
//! sequence of orders at constant prices makes anybody richer.
//!
//! Money in fen; units in 1/100; prices in 1/10,000 yuan; units times price are millionths of a
//! yuan. Leftovers are counted in 1e-10 yuan, the unit in which interest accrues.

use dengmi_content::model::market::{AssetFees, ShareRules};
use dengmi_core::{Ppm, mutant};

/// Millionths of a yuan in a fen.
const MICROS_A_FEN: i64 = 10_000;

/// 1e-10 yuan in a fen.
pub(crate) const TINY_A_FEN: i64 = 100_000_000;

/// 1e-10 yuan in a millionth.
const TINY_A_MICRO: i64 = TINY_A_FEN / MICROS_A_FEN;

const PPM: i128 = 1_000_000;

const DAYS_A_YEAR: i128 = 365;

/// What came of a purchase or a redemption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deal {
    /// Units that change hands.
    pub(crate) units: i64,
    /// For a purchase what it cost, fee included; for a redemption what it brings after the fee.
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    /// Left to the house, in 1e-10 yuan.
    pub(crate) left_over: i64,
}

fn narrow(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

fn ceil_div(numerator: i128, denominator: i128) -> i128 {
    -(-numerator).div_euclid(denominator)
}

/// The part of an amount, rounded up.
fn part_up(amount: i64, part: Ppm) -> i64 {
    narrow(ceil_div(i128::from(amount) * i128::from(part.0), PPM))
}

/// What units are worth at a price, in millionths of a yuan.
pub(crate) fn worth(units: i64, price: i64) -> i128 {
    i128::from(units) * i128::from(price)
}

/// Millionths of a yuan in fen, rounded down.
pub(crate) fn fen(micros: i128) -> i64 {
    match i64::try_from(micros) {
        Ok(micros) => micros.div_euclid(MICROS_A_FEN),
        Err(_) => narrow(micros.div_euclid(i128::from(MICROS_A_FEN))),
    }
}

/// Buys fund units for `amount`: the subscription fee is charged outside, `net = amount / (1 +
/// fee)`. Too small for a hundredth of a unit gives nothing and costs nothing.
pub(crate) fn buy(amount: i64, price: i64, fees: &AssetFees) -> Deal {
    let charged = PPM + i128::from(fees.charged_ppm().0);
    let net = narrow(i128::from(amount) * PPM / charged);
    let paid = i128::from(net) * i128::from(MICROS_A_FEN);
    let units = narrow(paid / i128::from(price.max(1)));
    if units <= 0 {
        return Deal::default();
    }
    let left_over = narrow((paid - worth(units, price)) * i128::from(TINY_A_MICRO));
    Deal { units, amount, fee: amount - net, left_over }
}

/// Buys as many whole lots of a share as `amount` pays for, costs included.
pub(crate) fn buy_shares(amount: i64, price: i64, rules: &ShareRules) -> Deal {
    let lot = i64::from(rules.lot).saturating_mul(100).max(1);
    // What lots cost without and with the broker's part.
    let cost = |lots: i64| {
        let micros = worth(lots * lot, price.max(1));
        let gross = narrow(ceil_div(micros, i128::from(MICROS_A_FEN)));
        (gross, gross.saturating_add(share_costs(gross, rules)))
    };
    // More lots never cost less: the most that is paid for lies between these.
    let (mut paid, mut beyond) = (0, amount.min(i64::MAX / lot - 1).max(0) + 1);
    while paid + 1 < beyond {
        let middle = paid + (beyond - paid) / 2;
        if cost(middle).1 <= amount { paid = middle } else { beyond = middle }
    }
    if paid == 0 {
        return Deal::default();
    }
    let (gross, whole) = cost(paid);
    let exact = i128::from(gross) * i128::from(MICROS_A_FEN) - worth(paid * lot, price.max(1));
    Deal {
        units: paid * lot,
        amount: whole,
        fee: whole - gross,
        left_over: narrow(exact * i128::from(TINY_A_MICRO)),
    }
}

/// Commission and transfer fee.
fn share_costs(gross: i64, rules: &ShareRules) -> i64 {
    let commission = part_up(gross, rules.commission_ppm).max(rules.commission_min_fen.0);
    commission.saturating_add(part_up(gross, rules.transfer_ppm))
}

/// Redeems parts of lots at one price, each with its own fee.
pub(crate) fn redeem(parts: &[(i64, Ppm)], price: i64, share: Option<&ShareRules>) -> Deal {
    let units = parts.iter().fold(0i64, |sum, (units, _)| sum.saturating_add(*units));
    let micros = worth(units, price);
    let up = i64::from(mutant::planted("mock/sale-rounds-up"));
    let gross = fen(micros) + up;
    let by_lot =
        parts.iter().map(|(units, fee)| worth(*units, price).saturating_mul(i128::from(fee.0)));
    let fees = by_lot.fold(0i128, i128::saturating_add);
    let fees = ceil_div(fees, PPM * i128::from(MICROS_A_FEN));
    let of_share = share.map_or(0, |rules| {
        share_costs(gross, rules).saturating_add(part_up(gross, rules.stamp_ppm))
    });
    let fee = narrow(fees).saturating_add(of_share).min(gross);
    let left = micros.rem_euclid(i128::from(MICROS_A_FEN));
    Deal { units, amount: gross - fee, fee, left_over: narrow(left * i128::from(TINY_A_MICRO)) }
}

/// Simple interest on a term deposit, in fen, rounded down: `rate` in 1e-8 a year.
pub(crate) fn interest(principal: i64, rate: i64, days: i32) -> i64 {
    narrow(over_days(principal, rate, days) / (DAYS_A_YEAR * 100_000_000))
}

/// What a demand deposit earns, in 1e-10 yuan, rounded down: `rate` in 1e-8 a year.
pub(crate) fn demand_interest(principal: i64, rate: i64, days: i32) -> i64 {
    narrow(over_days(principal, rate, days) / DAYS_A_YEAR)
}

/// What a money fund earns, in 1e-10 yuan: `wan_fen_yield` in 1/10,000 yuan for 10,000 yuan a day.
pub(crate) fn fund_income(units: i64, wan_fen_yield: i64, days: i32) -> i64 {
    narrow(over_days(units, wan_fen_yield, days))
}

fn over_days(principal: i64, rate: i64, days: i32) -> i128 {
    let a_day = i128::from(principal) * i128::from(rate.max(0));
    a_day.saturating_mul(i128::from(days.max(0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHARE: ShareRules = ShareRules {
        lot: 100,
        commission_ppm: Ppm(250),
        commission_min_fen: dengmi_core::Fen(500),
        transfer_ppm: Ppm(10),
        stamp_ppm: Ppm(500),
    };

    fn fees(subscription: u32, discount: u32) -> AssetFees {
        AssetFees {
            subscription_ppm: Ppm(subscription),
            discount_ppm: Ppm(discount),
            ..AssetFees::default()
        }
    }

    #[test]
    fn a_purchase_by_hand() {
        // 10,000 yuan at 1.2345 with 0.15 % outside: net 9,985.02, 8,088.31 units for 9,985.018695.
        let deal = buy(1_000_000, 12_345, &fees(1_500, 1_000_000));
        assert_eq!((deal.units, deal.amount, deal.fee), (808_831, 1_000_000, 1_498));
        assert_eq!(deal.left_over, (9_985_020_000 - 808_831 * 12_345) * 10_000);
        // A tenth of 0.3 %.
        assert_eq!(buy(1_000_000, 10_000, &fees(3_000, 100_000)).fee, 300);
        assert_eq!(buy(0, 10_000, &fees(0, 1_000_000)), Deal::default());
        assert_eq!(buy(1, 30_000, &fees(0, 1_000_000)), Deal::default());
    }

    #[test]
    fn five_days_cost_150_yuan() {
        // domain 6.1, question 5: 10,000 yuan redeemed after 5 days at 1.5 %.
        let deal = redeem(&[(1_000_000, Ppm(15_000))], 10_000, None);
        assert_eq!((deal.fee, deal.amount, deal.left_over), (15_000, 985_000, 0));
    }

    #[test]
    fn shares_come_in_lots_and_cost_more_than_their_price() {
        // 10 yuan a share: 9 lots are 9,000 yuan, commission 5 yuan at least, transfer 0.09.
        let deal = buy_shares(1_000_000, 100_000, &SHARE);
        assert_eq!((deal.units, deal.amount, deal.fee), (90_000, 900_509, 509));
        let sold = redeem(&[(90_000, Ppm(0))], 100_000, Some(&SHARE));
        // Stamp duty 4.50 in addition.
        assert_eq!((sold.amount, sold.fee), (900_000 - 959, 959));
        assert_eq!(buy_shares(99_999, 100_000, &SHARE), Deal::default());
    }

    #[test]
    fn interest_is_simple() {
        // domain 1.1: 90 days at 2.4 % on 10,000 yuan are 59 yuan.
        assert_eq!(interest(1_000_000, 2_400_000, 90), 5_917);
        // domain 6.1, question 1: 0.34 yuan a day for each 10,000.
        assert_eq!(fund_income(1_000_000, 3_400, 1) / TINY_A_FEN, 34);
        assert_eq!(demand_interest(1_000_000, 50_000, 365), 500 * TINY_A_FEN);
        assert_eq!(interest(1, -1, 90) + interest(1, 1, -90), 0);
    }

    proptest! {
        /// Bought and sold again at the same price, in as many parts as one likes.
        #[test]
        fn nobody_gains_by_trading_at_a_constant_price(
            amount in 0i64..10_000_000_000,
            price in 1i64..10_000_000,
            fee in 0u32..20_000,
            tier in 0u32..20_000,
            cuts in proptest::collection::vec(1i64..1_000_000, 0..8),
        ) {
            let bought = buy(amount, price, &fees(fee, 1_000_000));
            let mut left = bought.units;
            let mut back = 0;
            let mut house = bought.left_over;
            let mut paid = bought.fee;
            for units in cuts.into_iter().chain([i64::MAX]) {
                let units = units.min(left);
                let sold = redeem(&[(units, Ppm(tier))], price, None);
                (left, back) = (left - units, back + sold.amount);
                (house, paid) = (house + sold.left_over, paid + sold.fee);
                prop_assert!(sold.left_over >= 0 && sold.fee >= 0 && sold.amount >= 0);
            }
            prop_assert!(back <= bought.amount);
            // Nothing is lost either: all of it is somewhere.
            let all = i128::from(back + paid) * i128::from(TINY_A_FEN) + i128::from(house);
            prop_assert_eq!(all, i128::from(bought.amount) * i128::from(TINY_A_FEN));
        }

        #[test]
        fn shares_are_paid_within_the_amount(amount in 0i64..10_000_000_000, price in 1i64..10_000_000) {
            let deal = buy_shares(amount, price, &SHARE);
            prop_assert!(deal.amount <= amount && deal.units % 10_000 == 0);
            // One lot more would not have been paid for.
            let gross = fen(worth(deal.units + 10_000, price)) + 1;
            prop_assert!(gross + share_costs(gross, &SHARE) > amount);
        }

        #[test]
        fn nothing_overflows(a in any::<i64>(), b in any::<i64>(), days in any::<i32>()) {
            buy(a.max(0), b.max(1), &fees(u32::MAX, u32::MAX));
            redeem(&[(a.max(0), Ppm(u32::MAX))], b.max(1), Some(&SHARE));
            buy_shares(a.max(0), b.max(1), &SHARE);
            interest(a, b, days);
            fund_income(a, b, days);
            demand_interest(a, b, days);
        }
    }
}
