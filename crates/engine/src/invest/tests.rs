//! Accounts through closes, as tables; what no sequence of orders may do, as properties.

use dengmi_content::model::market::{
    Asset, AssetClass, AssetFees, Holding, Price, ShareRules, TradeRules,
};
use dengmi_content::model::product::FeeTier;
use dengmi_content::model::{RiskLevel, Text};
use dengmi_core::mock::{OrderState, Quote};
use dengmi_core::{Decimal, Fen, Ppm, Reject, Timestamp};
use proptest::prelude::*;

use super::account::{Account, Close, Moment, Placing};
use super::trade::TINY_A_FEN;

/// 100,000 yuan.
const CASH: i64 = 10_000_000;

const PLACING: Placing =
    Placing { at: Timestamp(0), course_day: 1, in_plan: true, sheet_read: true };

fn asset(class: AssetClass, trade: TradeRules) -> Asset {
    Asset {
        id: "asset".parse().unwrap(),
        title: Text::new("示例", "sample"),
        class,
        risk: RiskLevel::R2,
        enabled: true,
        sheet: None,
        trade,
        price: Price::Deposit { rate: Decimal::default() },
    }
}

/// Confirmed on T+1, redeemable from T+2, cash on T+2; 1.5 % below 7 days, 0.5 % below 30.
fn fund() -> TradeRules {
    TradeRules {
        min_fen: Fen(1_000),
        confirm_days: 1,
        redeemable_days: 2,
        cash_days: 2,
        holding: Holding::Free,
        daily_limit_fen: None,
        fast_limit_fen: None,
        fees: AssetFees {
            subscription_ppm: Ppm(3_000),
            discount_ppm: Ppm(100_000),
            redemption: vec![
                FeeTier { below_days: Some(7), ppm: Ppm(15_000) },
                FeeTier { below_days: Some(30), ppm: Ppm(5_000) },
                FeeTier { below_days: None, ppm: Ppm(0) },
            ],
        },
        share: None,
    }
}

fn money() -> TradeRules {
    TradeRules {
        min_fen: Fen(100),
        redeemable_days: 1,
        cash_days: 1,
        fast_limit_fen: Some(Fen(1_000_000)),
        fees: AssetFees::default(),
        ..fund()
    }
}

fn deposit(holding: Holding) -> TradeRules {
    let fees = AssetFees::default();
    TradeRules { confirm_days: 0, redeemable_days: 0, cash_days: 0, holding, fees, ..fund() }
}

/// A market of one asset and one account.
struct Stall {
    assets: [Asset; 1],
    account: Account,
    day: i32,
    quote: Quote,
    last: i32,
}

impl Stall {
    fn new(asset: Asset) -> Self {
        // A yield of 0.34 yuan for 10,000, a rate of 0.65 %.
        let quote = Quote { nav: 100_000_000, wan_fen_yield: 3_400, yearly: 650_000, gated: false };
        Self { assets: [asset], account: Account::new(Fen(CASH)), day: -1, quote, last: 1_000 }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut Account, &Moment<'_>) -> T) -> T {
        let quotes = [self.quote];
        let next = (self.day < self.last).then_some((self.day + 1, self.day + 1));
        let moment =
            Moment { assets: &self.assets, day: self.day, date: self.day, quotes: &quotes, next };
        act(&mut self.account, &moment)
    }

    fn buy(&mut self, amount: i64) -> Result<(), Reject> {
        self.with(|account, now| {
            account.check_buy(now, 0, amount)?;
            account.buy(now, 0, amount, PLACING);
            Ok(())
        })
    }

    fn redeem(&mut self, units: i64, fast: bool) -> Result<(), Reject> {
        self.with(|account, now| {
            account.check_redeem(now, 0, units, fast)?;
            account.redeem(now, 0, units, fast, PLACING);
            Ok(())
        })
    }

    /// A close at a price in 1/10,000 yuan.
    fn close(&mut self, price: i64, gated: bool) {
        let before = [self.quote];
        self.quote = Quote { nav: price * 10_000, gated, ..self.quote };
        self.day += 1;
        self.account.close(&Close {
            assets: &self.assets,
            day: self.day,
            date: self.day,
            gap: 1,
            at: Timestamp(0),
            before: &before,
            quotes: &[self.quote],
        });
    }

    fn held(&self) -> i64 {
        self.account.lots.iter().map(|lot| lot.units).sum()
    }

    /// Everything there is, in 1e-10 yuan, carried interest left out.
    fn all(&self) -> i128 {
        let price = i128::from(self.quote.published());
        let Account { cash, fees, house, .. } = self.account;
        let fen = i128::from(cash + self.account.on_the_way() + fees);
        fen * i128::from(TINY_A_FEN) + i128::from(self.held()) * price * 10_000 + i128::from(house)
    }
}

/// Yuan with two places as fen; units likewise.
fn hundredths(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    whole.parse::<i64>().unwrap() * 100 + part.parse::<i64>().unwrap()
}

/// Plays a script on one asset: `buy YUAN`, `redeem UNITS`, `fast UNITS`, `cancel ORDER`, `close
/// PRICE [DAYS]`, `gate PRICE`. Behind the arrow stands the code of the refusal, or `cash` and
/// what is on the way and held afterwards; nothing where it does not matter.
#[track_caller]
fn check(asset: Asset, script: &str) {
    let mut stall = Stall::new(asset);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (action, expected) = line.split_once("->").unwrap_or((line, ""));
        let mut words = action.split_whitespace();
        let (verb, number) = (words.next().unwrap(), words.next().unwrap());
        let price = || hundredths(&number.replacen('.', "", 1).replace(' ', ""));
        let result = match verb {
            "buy" => stall.buy(hundredths(number)),
            "redeem" => stall.redeem(hundredths(number), false),
            "fast" => stall.redeem(hundredths(number), true),
            "cancel" => stall.account.cancel(number.parse().unwrap()),
            "close" | "gate" => {
                // Four places without a point are ten-thousandths.
                let price = price() / 100;
                for _ in 0..words.next().map_or(1, |days| days.parse().unwrap()) {
                    stall.close(price, verb == "gate");
                }
                Ok(())
            }
            other => panic!("unknown action {other}"),
        };
        let said = match result {
            Err(reject) => reject.code().to_owned(),
            Ok(()) => {
                let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
                let Account { cash, .. } = stall.account;
                let way = stall.account.on_the_way();
                format!("cash {} way {} held {}", yuan(cash), yuan(way), yuan(stall.held()))
            }
        };
        let expected = expected.trim();
        assert!(expected.is_empty() || said == expected, "{line}\n  is {said}");
    }
}

#[test]
fn a_fund_is_bought_at_a_price_nobody_knows() {
    check(
        asset(AssetClass::IndexFund, fund()),
        "buy 9.99 -> bad-amount
         buy 100000.01 -> not-enough-cash
         buy 10003.00 -> cash 89997.00 way 10003.00 held 0.00
         close 1.2500 -> cash 89997.00 way 0.00 held 8000.00
         redeem 1.00 -> not-enough-units
         close 1.2500 -> cash 89997.00 way 0.00 held 8000.00
         redeem 8000.01 -> not-enough-units
         redeem 8000.00 -> cash 89997.00 way 0.00 held 8000.00
         redeem 0.01 -> not-enough-units
         close 1.0000 -> cash 89997.00 way 7880.00 held 0.00
         close 9.0000 -> cash 89997.00 way 7880.00 held 0.00
         close 9.0000 -> cash 97877.00 way 0.00 held 0.00",
    );
}

#[test]
fn the_fee_falls_with_the_days_held_and_the_oldest_leave_first() {
    check(
        asset(AssetClass::BondFund, fund()),
        "buy 1000.30
         close 1.0000 6
         buy 1000.30
         close 1.0000 -> cash 97999.40 way 0.00 held 2000.00
         close 1.0000
         redeem 1500.00
         close 1.0000 -> cash 97999.40 way 1487.50 held 500.00
         close 1.0000 30
         redeem 500.00
         close 1.0000 -> cash 99486.90 way 500.00 held 0.00",
    );
}

#[test]
fn orders_are_taken_back_until_the_close() {
    check(
        asset(AssetClass::IndexFund, fund()),
        "cancel 1 -> unknown-order
         buy 1000.00
         cancel 1 -> cash 100000.00 way 0.00 held 0.00
         cancel 1 -> order-done
         buy 1000.00
         close 1.0000
         cancel 2 -> order-done
         cancel 0 -> unknown-order",
    );
}

#[test]
fn a_money_fund_pays_every_day_and_fast_up_to_its_limit() {
    check(
        asset(AssetClass::MoneyFund, money()),
        "buy 20000.00
         close 1.0000 -> cash 80000.00 way 0.00 held 20000.00
         close 1.0000 -> cash 80000.00 way 0.00 held 20000.00
         close 1.0000 -> cash 80000.00 way 0.00 held 20000.68
         fast 10000.01 -> fast-limit
         fast 4000.00 -> cash 84000.00 way 0.00 held 16000.68
         fast 6000.01 -> fast-limit
         fast 6000.00 -> cash 90000.00 way 0.00 held 10000.68
         close 1.0000 -> cash 90000.00 way 0.00 held 10001.02
         redeem 10001.02
         close 1.0000 -> cash 90000.00 way 10001.02 held 0.34
         close 1.0000 -> cash 100001.02 way 0.00 held 0.34",
    );
}

#[test]
fn a_term_deposit_broken_early_earns_the_demand_rate() {
    let early = "0.05".parse().unwrap();
    let term = || asset(AssetClass::Term, deposit(Holding::Term { days: 90, early }));
    check(
        term(),
        "buy 10000.00 -> cash 90000.00 way 0.00 held 10000.00
         close 1.0000 73
         redeem 4000.00 -> cash 94000.40 way 0.00 held 6000.00
         close 1.0000 16 -> cash 94000.40 way 0.00 held 6000.00
         close 1.0000 -> cash 100010.01 way 0.00 held 0.00",
    );
    check(term(), "buy 10000.00\nclose 1.0000 90 -> cash 100016.02 way 0.00 held 0.00");
}

#[test]
fn a_demand_deposit_is_there_at_once() {
    check(
        asset(AssetClass::Demand, deposit(Holding::Free)),
        "buy 10000.00
         redeem 10000.00 -> cash 100000.00 way 0.00 held 0.00
         buy 10000.00
         close 1.0000 10 -> cash 90000.00 way 0.00 held 10001.78
         redeem 10001.78 -> cash 100001.78 way 0.00 held 0.00",
    );
}

#[test]
fn what_is_locked_stays_locked() {
    let holding = |holding| asset(AssetClass::Wealth, TradeRules { holding, ..fund() });
    check(
        holding(Holding::Minimum { days: 7 }),
        "buy 1000.30
         close 1.0000 2
         redeem 1.00 -> locked-up
         close 1.0000 5
         redeem 1.00 -> locked-up
         close 1.0000
         redeem 1.00 -> cash 98999.70 way 0.00 held 1000.00",
    );
    check(
        holding(Holding::Closed { days: 5 }),
        "buy 1000.30
         close 1.0000 6
         redeem 1.00 -> locked-up
         close 1.1000 -> cash 100099.70 way 0.00 held 0.00",
    );
    check(
        holding(Holding::Periodic { every_days: 5, open_days: 2 }),
        "buy 1000.30
         close 1.0000 2
         buy 1000.00 -> window-closed
         redeem 1.00 -> window-closed
         close 1.0000 3
         redeem 1.00 -> cash 98999.70 way 0.00 held 1000.00",
    );
}

#[test]
fn redemptions_wait_while_they_are_suspended() {
    check(
        asset(AssetClass::BondFund, fund()),
        "buy 1000.30
         close 1.0000 2
         redeem 1000.00
         gate 0.9000 -> cash 98999.70 way 0.00 held 1000.00
         redeem 1.00 -> suspended
         buy 100.00
         gate 0.8000
         close 0.7000 -> cash 98899.70 way 689.50 held 124.96",
    );
}

#[test]
fn limits_of_a_day_and_of_an_account() {
    let limited = TradeRules { daily_limit_fen: Some(Fen(100_000)), ..fund() };
    check(
        asset(AssetClass::Overseas, limited),
        "buy 600.00
         buy 400.01 -> daily-limit
         buy 400.00
         cancel 1
         buy 600.00
         close 1.0000
         buy 1000.00",
    );
    let mut stall = Stall::new(asset(AssetClass::IndexFund, fund()));
    for _ in 0..100 {
        assert_eq!(stall.buy(1_000), Ok(()));
    }
    assert_eq!(stall.buy(1_000), Err(Reject::TooManyOrders));
    stall.last = stall.day;
    assert_eq!(stall.buy(1_000), Err(Reject::NoMorePrices));
    assert_eq!(stall.redeem(1, false), Err(Reject::NoMorePrices));
    for absurd in [0, -1, i64::MIN, i64::MAX] {
        stall.last = 9;
        assert_eq!(stall.buy(absurd), Err(Reject::BadAmount));
        assert_eq!(stall.redeem(absurd, true), Err(Reject::BadAmount));
    }
}

#[test]
fn shares_come_in_lots_and_what_is_left_comes_back() {
    let share = ShareRules {
        lot: 100,
        commission_ppm: Ppm(250),
        commission_min_fen: Fen(500),
        transfer_ppm: Ppm(10),
        stamp_ppm: Ppm(500),
    };
    let rules = TradeRules {
        confirm_days: 0,
        redeemable_days: 1,
        cash_days: 1,
        fees: AssetFees::default(),
        share: Some(share),
        ..fund()
    };
    check(
        asset(AssetClass::Share, rules),
        "buy 10000.00
         close 10.0000 -> cash 90994.91 way 0.00 held 900.00
         buy 900.00
         close 10.0000 -> cash 90994.91 way 0.00 held 900.00
         redeem 900.00
         close 10.0000 -> cash 90994.91 way 8990.41 held 0.00",
    );
    let mut stall =
        Stall::new(asset(AssetClass::Share, TradeRules { share: Some(share), ..fund() }));
    stall.buy(90_000).unwrap();
    stall.close(100_000, false);
    assert_eq!(stall.account.orders[0].state, OrderState::Void);
}

/// One step of a drawn script.
#[derive(Clone, Debug)]
enum Step {
    Buy(i64),
    Redeem(i64),
    Fast(i64),
    Cancel(u16),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0i64..6_000_000).prop_map(Step::Buy),
        (0i64..6_000_000).prop_map(Step::Redeem),
        (0i64..2_000_000).prop_map(Step::Fast),
        (0u16..12).prop_map(Step::Cancel),
        Just(Step::Close),
        Just(Step::Close),
    ];
    proptest::collection::vec(step, 1..60)
}

fn play(stall: &mut Stall, steps: &[Step], price: i64) {
    for step in steps {
        match *step {
            Step::Buy(amount) => drop(stall.buy(amount)),
            Step::Redeem(units) => drop(stall.redeem(units, false)),
            Step::Fast(units) => drop(stall.redeem(units, true)),
            Step::Cancel(order) => drop(stall.account.cancel(order)),
            Step::Close => stall.close(price, false),
        }
    }
}

proptest! {
    /// Whatever is ordered: at a constant price nothing appears and nothing is lost, and nobody is
    /// richer than before.
    #[test]
    fn no_sequence_of_orders_at_a_constant_price_makes_anybody_richer(
        steps in steps(),
        price in 1i64..200_000,
        kind in 0usize..4,
    ) {
        let share = ShareRules {
            lot: 1,
            commission_ppm: Ppm(250),
            commission_min_fen: Fen(500),
            transfer_ppm: Ppm(10),
            stamp_ppm: Ppm(500),
        };
        let rules = match kind {
            0 => fund(),
            1 => TradeRules { holding: Holding::Minimum { days: 3 }, ..fund() },
            2 => TradeRules { confirm_days: 0, redeemable_days: 0, cash_days: 0, ..fund() },
            _ => TradeRules { share: Some(share), ..fund() },
        };
        let mut stall = Stall::new(asset(AssetClass::IndexFund, rules));
        stall.close(price, false);
        play(&mut stall, &steps, price);
        let value = stall.account.value(&stall.assets, &[stall.quote], stall.day);
        prop_assert!(value <= CASH);
        prop_assert!(stall.account.cash >= 0 && stall.held() >= 0);
        prop_assert_eq!(stall.all(), i128::from(CASH) * i128::from(TINY_A_FEN));
    }

    /// A saved account goes on as the one it was saved from.
    #[test]
    fn a_saved_account_goes_on_alike(first in steps(), then in steps(), price in 1i64..200_000) {
        let mut stall = Stall::new(asset(AssetClass::MoneyFund, money()));
        play(&mut stall, &first, price);
        let bytes = postcard::to_stdvec(&stall.account).unwrap();
        let mut twin = Stall::new(asset(AssetClass::MoneyFund, money()));
        twin.account = postcard::from_bytes(&bytes).unwrap();
        (twin.day, twin.quote) = (stall.day, stall.quote);
        prop_assert!(twin.account.fits(1));
        play(&mut stall, &then, price);
        play(&mut twin, &then, price);
        prop_assert_eq!(stall.account, twin.account);
    }
}
