use crate::checks::testing::{base_with, check, check_files};
use crate::codes::*;

const WEEK: &str = "content/scenarios/week.ron";

/// One change in the script, the code it gives and the text that is underlined.
#[track_caller]
fn week(cases: &[(&str, &str, crate::codes::Code, &str)]) {
    for &(from, to, code, underlined) in cases {
        check(WEEK, from, to, &[(code, underlined)]);
    }
}

#[test]
fn a_script_belongs_to_a_market_and_a_course() {
    week(&[
        ("market: \"demo\"", "market: \"dmo\"", DEAD_MARKET, "\"dmo\""),
        ("股票大跌", "纳 斯 达 克大跌", REAL_INDEX, "{\"zh-CN\": \"【模拟消息】纳 斯 达 克大跌\"}"),
        ("剧本安排了大跌", "S&P 500", REAL_INDEX, "{\"zh-CN\": \"S&P 500\"}"),
    ]);
    let longer = [(WEEK, "days: 7,", "days: 15,"), (WEEK, "day: 5", "day: 6")];
    check_files(&base_with(&longer), &[(SCENARIO_DAYS, "15")]);
}

#[test]
fn shocks_come_in_time() {
    week(&[
        ("day: 5", "day: 2", SHOCK_EARLY, "2"),
        ("day: 7", "day: 8", SHOCK_DAY, "8"),
        ("day: 5", "day: 0", SHOCK_DAY, "0"),
        ("day: 7", "day: 4", SHOCK_DAY, "4"),
        ("(days: 2, effect: Gate", "(after: 3, effect: Gate", SHOCK_DAY, "3"),
        ("id: \"fee-trap\"", "id: \"rate-cut\"", SHOCK_TWICE, "\"rate-cut\""),
    ]);
    // Day 3 of 7 is the first after a third; a rebound may come when all is over.
    check(WEEK, "day: 5", "day: 3", &[]);
    check(WEEK, "(days: 2, effect: Gate", "(after: 2, effect: Gate", &[]);
    // Where nothing happens it may be any day.
    let quiet = ("Price([(effect: Rates(bp: -10))])", "Quiet");
    check_files(&base_with(&[(WEEK, "day: 5", "day: 1"), (WEEK, quiet.0, quiet.1)]), &[]);
}

#[test]
fn shocks_strike_what_is_there() {
    week(&[
        ("asset: \"index\"", "asset: \"indx\"", SHOCK_TARGET, "\"indx\""),
        ("from: \"steady\"", "from: \"x\"", SHOCK_TARGET, "\"x\""),
        ("to: \"index\"", "to: \"steady\"", SHOCK_TARGET, "\"steady\""),
        ("Rates(bp: -10)", "Asset(asset: \"cash\", percent: \"-1\")", SHOCK_TARGET, "\"cash\""),
    ]);
}

#[test]
fn shocks_have_a_size() {
    week(&[
        ("Price([(effect: Rates(bp: -10))])", "Price([])", SHOCK_SIZE, "Price([])"),
        ("bp: -10", "bp: 0", SHOCK_SIZE, "0"),
        ("bp: -10", "bp: -101", SHOCK_SIZE, "-101"),
        ("percent: \"-7\"", "percent: \"-15.1\"", SHOCK_SIZE, "\"-15.1\""),
        ("percent: \"-7\"", "percent: \"-7\", to: \"0\"", SHOCK_SIZE, "\"0\""),
        ("Rates(bp: -10)", "Factor(factor: Gold, sd: \"11\")", SHOCK_SIZE, "\"11\""),
        ("(days: 2,", "(days: 0,", SHOCK_SIZE, "0"),
        ("(days: 2,", "(chance: 65537,", SHOCK_SIZE, "65537"),
    ]);
}

#[test]
fn shocks_are_few() {
    // A fee trap moves no price; a third shock that does is one too many in seven days.
    week(&[
        (
            "FeeTrap(from: \"steady\", to: \"index\")",
            "Price([(effect: Rates(bp: 10))])",
            PRICE_SHOCKS,
            "Price([(effect: Rates(bp: 10))])",
        ),
        (
            "Price([(effect: Rates(bp: -10))])",
            "Price([(effect: Equity(percent: \"1\", to: \"-5\"))])",
            CRASHES,
            "Price([(effect: Equity(percent: \"-7\")), (days: 2, effect: Gate(asset: \"index\"))])",
        ),
    ]);
    check(WEEK, "Rates(bp: -10)", "Equity(percent: \"-4.9\")", &[]);
}
