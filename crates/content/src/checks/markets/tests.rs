use crate::checks::testing::{base_with, check, check_files};
use crate::codes::*;

const DEMO: &str = "content/markets/demo.ron";

/// One change in the market, the code it gives and the text that is underlined.
#[track_caller]
fn demo(cases: &[(&str, &str, crate::codes::Code, &str)]) {
    for &(from, to, code, underlined) in cases {
        check(DEMO, from, to, &[(code, underlined)]);
    }
}

#[test]
fn the_frame_is_sound() {
    check(DEMO, "history_days: 20", "history_days: 250", &[]);
    check(DEMO, "Real(closed: [\"2026-10-01\"])", "EveryDay", &[]);
    demo(&[
        ("history_days: 20", "history_days: 251", HISTORY_DAYS, "251"),
        ("2026-10-01", "2026-10-03", CLOSED_DAYS, "[\"2026-10-03\"]"),
        ("示例·宽基指数", "沪 深 300 指数", REAL_INDEX, "{\"zh-CN\": \"沪 深 300 指数\"}"),
        ("\"示例市场\"", "\"ＣＳＩ 300\"", REAL_INDEX, "{\"zh-CN\": \"ＣＳＩ 300\"}"),
    ]);
}

#[test]
fn assets_have_ids_of_their_own() {
    check(DEMO, "id: \"cash\"", "id: \"demand\"", &[(ASSETS, "\"demand\"")]);
}

#[test]
fn numbers_are_in_range() {
    let model = |model: &str| format!("history_days: 20, model: ({model})");
    for (numbers, underlined) in [
        ("to_turbulent: 65537", "65537"),
        ("to_calm: 65537", "65537"),
        ("bonds_when_turbulent: 400000", "400000"),
        ("equity: (calm: \"101\", turbulent: \"120\")", "\"101\""),
        ("equity: (calm: \"30\")", "("),
        ("equity: (jump_calm: 65537)", "65537"),
        ("equity: (jump_turbulent: 65537)", "65537"),
        ("equity: (jump_from: \"7\")", "("),
        ("equity: (jump_to: \"21\")", "\"21\""),
        ("equity: (down_extra: \"-1\")", "\"-1\""),
        ("rates: (memory: 65536)", "65536"),
        ("rates: (equity: -65537)", "-65537"),
        ("rates: (own: -1)", "-1"),
        ("gold: (chance: 65537, from: \"3\", to: \"6\", side: Either)", "65537"),
        ("credit: (chance: 1, from: \"6\", to: \"3\", side: Down)", "\"3\""),
        ("overseas: (chance: 1, from: \"-1\", to: \"3\", side: Down)", "\"-1\""),
    ] {
        let underlined = if underlined == "(" {
            // A default's fault is shown where the group stands.
            numbers.split_once(": ").expect("a group").1
        } else {
            underlined
        };
        check(DEMO, "history_days: 20", &model(numbers), &[(MODEL_RANGE, underlined)]);
    }
    demo(&[
        ("rate: \"0.05\"", "rate: \"21\"", MODEL_RANGE, "\"21\""),
        ("start: \"1.25\"", "start: \"0.7\"", MODEL_RANGE, "\"0.7\""),
        ("high: \"1.8\"", "high: \"1.2\"", MODEL_RANGE, "\"1.2\""),
        ("step: \"0.005\"", "step: \"2\"", MODEL_RANGE, "\"2\""),
        ("high: \"1.8\"", "high: \"1.8\", pass_through_days: 0", MODEL_RANGE, "0"),
        ("equity: \"1\"", "equity: \"3.1\"", MODEL_RANGE, "\"3.1\""),
        ("own: \"1.5\"", "own: \"-1\"", MODEL_RANGE, "\"-1\""),
        ("own: \"1.5\"", "start: \"0\"", MODEL_RANGE, "\"0\""),
        ("own: \"1.5\"", "limit: \"51\"", MODEL_RANGE, "\"51\""),
        ("duration: \"0.5\"", "duration: \"31\"", MODEL_RANGE, "\"31\""),
    ]);
}

#[test]
fn class_risk_and_price_fit_together() {
    let demand = "class: Demand,\n            risk: R1";
    demo(&[
        ("risk: R4", "risk: R2", ASSET_RISK, "R2"),
        (demand, "class: Demand, risk: R2", ASSET_RISK, "R2"),
        ("Deposit(rate: \"0.05\")", "Nav((drift: \"1\"))", ASSET_PRICE, "Nav((drift: \"1\"))"),
    ]);
    let trade = "(min_fen: 100, confirm_days: 0, redeemable_days: 0, cash_days: 0)";
    demo(&[(demand, "class: Term, risk: R1", ASSET_TRADING, trade)]);
}

#[test]
fn rules_of_trading_can_be_kept() {
    demo(&[
        ("min_fen: 1000,", "min_fen: 0,", ASSET_TRADING, "0"),
        ("cash_days: 3", "cash_days: 31", ASSET_TRADING, "31"),
        (
            "redeemable_days: 2,\n                cash_days: 3",
            "redeemable_days: 0, cash_days: 3",
            ASSET_TRADING,
            "0",
        ),
        (
            "cash_days: 3",
            "cash_days: 3, holding: Minimum(days: 0)",
            ASSET_TRADING,
            "Minimum(days: 0)",
        ),
        (
            "cash_days: 3",
            "cash_days: 3, holding: Periodic(every_days: 7, open_days: 8)",
            ASSET_TRADING,
            "Periodic(every_days: 7, open_days: 8)",
        ),
        (
            "cash_days: 3",
            "cash_days: 3, holding: Term(days: 90, early: \"0.05\")",
            ASSET_TRADING,
            "Term(days: 90, early: \"0.05\")",
        ),
        ("cash_days: 3", "cash_days: 3, daily_limit_fen: 999", ASSET_TRADING, "999"),
        ("cash_days: 3", "cash_days: 3, fast_limit_fen: 1", ASSET_TRADING, "1"),
    ]);
}

#[test]
fn fees_are_in_order_and_in_reason() {
    demo(&[
        (
            "(below_days: 7, ppm: 15000), (ppm: 0)",
            "(ppm: 15000), (ppm: 0)",
            ASSET_FEES,
            "(ppm: 15000)",
        ),
        (", (ppm: 0)]", ", (below_days: 7, ppm: 0)]", ASSET_FEES, "(below_days: 7, ppm: 0)"),
        ("below_days: 7", "below_days: 0", ASSET_FEES, "(below_days: 0, ppm: 15000)"),
        ("ppm: 15000", "ppm: 150000", ASSET_FEES, "150000"),
        ("ppm: 15000", "ppm: 14999", ASSET_FEES, "[(below_days: 7, ppm: 14999), (ppm: 0)]"),
        ("fees: (", "fees: (subscription_ppm: 100001, ", ASSET_FEES, "100001"),
        ("fees: (", "fees: (discount_ppm: 1000001, ", ASSET_FEES, "1000001"),
    ]);
}

#[test]
fn the_sheet_says_the_same() {
    let sheet = "risk: R2,\n            sheet: \"wealth/steady\",";
    let with = |from, to, expected: &[_]| {
        check_files(&base_with(&[(DEMO, "risk: R2,", sheet), (DEMO, from, to)]), expected);
    };
    with("history_days: 20", "history_days: 21", &[]);
    for (from, to) in [
        ("risk: R2", "risk: R1"),
        ("min_fen: 10000", "min_fen: 100"),
        ("Minimum(days: 90)", "Minimum(days: 91)"),
        ("holding: Minimum(days: 90),", ""),
        ("holding: Minimum", "fees: (subscription_ppm: 1), holding: Minimum"),
        (
            "holding: Minimum",
            "fees: (redemption: [(below_days: 7, ppm: 1), (ppm: 0)]), holding: Minimum",
        ),
    ] {
        with(from, to, &[(SHEET_DIFFERS, "\"wealth/steady\"")]);
    }
    // A fund on sale teaches nothing here, and a sheet that is not there even less.
    with("wealth/steady", "fund/index", &[(SHEET_DIFFERS, "\"fund/index\"")]);
    with("wealth/steady", "wealth/stead", &[(DEAD_PRODUCT, "\"wealth/stead\"")]);
}

#[test]
fn targets_name_assets_that_move() {
    demo(&[
        ("(asset: \"index\", percent", "(asset: \"cash\", percent", MARKET_TARGET, "\"cash\""),
        ("(asset: \"index\", p5", "(asset: \"indx\", p5", MARKET_TARGET, "\"indx\""),
        ("(a: \"index\"", "(a: \"x\"", MARKET_TARGET, "\"x\""),
        ("p95: \"5.3\"", "p95: \"-5.3\"", MARKET_TARGET, "\"-5.3\""),
        ("percent: \"18\"", "percent: \"0\"", MARKET_TARGET, "\"0\""),
    ]);
}
