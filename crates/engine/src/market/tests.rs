use dengmi_content::model::Market;
use dengmi_content::model::market::{Asset, Jump, Price, Side};
use dengmi_content::model::scenario::{Effect, Factor, Move, Shock, ShockKind};
use dengmi_core::{Decimal, Digest, Slug};
use proptest::prelude::*;

use super::*;

/// A market of its own: changes of shipped content do not move the golden vectors.
const SMALL: &str = r#"(
    schema: 1, title: {"zh-CN": "示例市场"}, cutoff: "15:00", history_days: 5,
    assets: [
        (id: "term", title: {"zh-CN": "定期"}, class: Term, risk: R1,
         trade: (min_fen: 5000, confirm_days: 0, redeemable_days: 0, cash_days: 0,
            holding: Term(days: 90, early: "0.05")),
         price: Deposit(rate: "0.65")),
        (id: "cash", title: {"zh-CN": "货币基金"}, class: MoneyFund, risk: R1,
         trade: (min_fen: 100, confirm_days: 1, redeemable_days: 1, cash_days: 1),
         price: Accrual((start: "1.25", step: "0.005", low: "0.8", high: "1.8",
            pass_through_ppm: 400000, pass_through_days: 3))),
        (id: "bond", title: {"zh-CN": "债券"}, class: BondFund, risk: R3,
         trade: (min_fen: 1000, confirm_days: 1, redeemable_days: 2, cash_days: 2),
         price: Nav((drift: "2.8", rates: "2.0", credit: "0.4", duration: "8"))),
        (id: "index", title: {"zh-CN": "指数"}, class: IndexFund, risk: R4,
         trade: (min_fen: 1000, confirm_days: 1, redeemable_days: 2, cash_days: 3),
         price: Nav((drift: "5", equity: "1", own: "1.5"))),
        (id: "gold", title: {"zh-CN": "黄金"}, class: Gold, risk: R4,
         trade: (min_fen: 1000, confirm_days: 1, redeemable_days: 2, cash_days: 2),
         price: Nav((start: "0.5", drift: "5", gold: "12.5"))),
        (id: "share", title: {"zh-CN": "股票"}, class: Share, risk: R5,
         trade: (min_fen: 1000, confirm_days: 0, redeemable_days: 1, cash_days: 1),
         price: Nav((start: "12", drift: "6", equity: "1.1", own: "28", limit: "10"))),
    ],
    approval: (id: "HG-1", approver: "compliance", valid_to: "2099-12-31"),
)"#;

fn read(text: &str) -> Market {
    let extension = ron::extensions::Extensions::IMPLICIT_SOME;
    ron::Options::default().with_default_extension(extension).from_str(text).expect("a market")
}

fn small() -> Market {
    read(SMALL)
}

fn id(text: &str) -> Slug {
    text.parse().expect("an id")
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a decimal")
}

fn seed(number: u64) -> MarketSeed {
    MarketSeed::from_number(number)
}

fn step(effect: Effect) -> Move {
    Move { after: 0, days: 1, chance: 65_536, effect }
}

fn shock(name: &str, day: u8, moves: Vec<Move>) -> Shock {
    let text = dengmi_content::model::Text::new("消息", "news");
    let (news, debrief) = (text.clone(), text);
    Shock { id: id(name), day, news, debrief, kind: ShockKind::Price(moves) }
}

fn equity(percent: &str) -> Effect {
    Effect::Equity { percent: decimal(percent), to: None }
}

/// Every kind of effect, from day 4 on.
fn eventful() -> Vec<Shock> {
    let credit = Effect::Factor { factor: Factor::Credit, sd: decimal("-3"), to: None };
    let asset = Effect::Asset { asset: id("bond"), percent: decimal("-1.95"), to: None };
    vec![
        shock("rate-cut", 4, vec![step(Effect::Rates { bp: -10 })]),
        shock("redemption-wave", 5, vec![Move { days: 3, ..step(credit) }]),
        shock(
            "default",
            6,
            vec![step(asset), Move { days: 2, ..step(Effect::Gate { asset: id("bond") }) }],
        ),
        shock(
            "crash-day",
            8,
            vec![
                step(equity("-7")),
                Move { days: 5, ..step(Effect::Turbulent) },
                Move {
                    after: 1,
                    chance: 39_322,
                    ..step(Effect::Equity { percent: decimal("2"), to: Some(decimal("3")) })
                },
            ],
        ),
    ]
}

/// Net asset values (or yields) of an asset from a day on.
fn navs(path: &Path, asset: &str, from: i32) -> Vec<i64> {
    (from..path.end()).filter_map(|day| path.nav(&id(asset), day)).collect()
}

#[test]
fn a_path_keeps_its_golden_values() {
    let path = Path::generate(&small(), &eventful(), &seed(1), 10);
    assert_eq!((path.first_day(), path.end()), (-5, 10));
    let assets = ["bond", "index", "gold", "share"];
    let yields = (-5..10).filter_map(|day| path.wan_fen_yield(&id("cash"), day));
    let found = assets.map(|asset| navs(&path, asset, -5));
    let published = (yields.collect::<Vec<_>>(), path.seven_day_yield(&id("cash"), 9));
    let digest = path.digest().to_string();
    assert_eq!((found, published, digest.as_str()), golden());
}

#[expect(clippy::type_complexity, reason = "it is compared as it stands")]
fn golden() -> ([Vec<i64>; 4], (Vec<i64>, Option<i64>), &'static str) {
    (
        [
            vec![
                100_229_300,
                100_399_193,
                100_415_031,
                100_478_701,
                100_196_069,
                100_251_389,
                100_386_247,
                100_289_435,
                101_314_520,
                101_360_376,
                99_225_867,
                99_274_005,
                99_367_595,
                99_408_902,
                99_690_465,
            ],
            vec![
                99_678_774,
                101_742_704,
                101_743_907,
                101_620_071,
                101_705_800,
                101_578_174,
                100_160_153,
                99_440_184,
                97_493_134,
                97_206_262,
                96_182_388,
                95_460_288,
                87_122_752,
                89_113_879,
                89_056_402,
            ],
            vec![
                49_378_845, 48_830_262, 48_420_033, 48_347_347, 47_871_719, 48_051_951, 48_208_765,
                48_226_775, 48_290_891, 48_146_631, 47_794_376, 47_740_906, 47_577_913, 47_337_759,
                47_727_129,
            ],
            vec![
                1_231_256_328,
                1_294_005_448,
                1_334_500_171,
                1_305_708_357,
                1_312_506_397,
                1_325_552_120,
                1_333_023_661,
                1_368_198_183,
                1_351_577_243,
                1_337_125_111,
                1_344_475_702,
                1_317_142_309,
                1_195_275_060,
                1_188_415_914,
                1_197_880_197,
            ],
        ],
        (
            vec![
                3_414, 3_429, 3_425, 3_423, 3_427, 3_441, 3_419, 3_417, 3_371, 3_340, 3_308, 3_304,
                3_306, 3_304, 3_301,
            ],
            Some(1_211_487),
        ),
        "d0c962c02b50999044d1a5f43d404a8a6c5a488c051756058963ad5f6ee6b3d6",
    )
}

#[test]
fn halves_round_to_even() {
    for (numerator, denominator, expected) in [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (6, 4, 2),
        (-6, 4, -2),
        (7, 4, 2),
        (-7, 4, -2),
        (1, 4, 0),
        (-1, 4, 0),
        (9, 0, 0),
    ] {
        assert_eq!(div_even(numerator, denominator), expected, "{numerator} / {denominator}");
    }
}

#[test]
fn normal_variates_have_the_moments_of_one() {
    // 40,000 draws. In units of 1/65,536: the mean's standard error is 328, that of the second
    // moment 0.7 %. The fourth moment of twelve uniforms is 2.9 of the second's square (2.9 is
    // 3 - 6/5/12), with a standard error of 0.05.
    let count = 40_000i128;
    let draws = (0..count as u64).map(|at| i128::from(draw::own(&seed(7), 3, at)));
    let draws: Vec<i128> = draws.collect();
    let mean = draws.iter().sum::<i128>() / count;
    assert!(mean.abs() < 1_000, "mean {mean}");
    let square = draws.iter().map(|z| z * z).sum::<i128>() / count;
    let one = 65_536i128 * 65_536;
    assert!((square - one).abs() * 100 < one * 2, "variance {square}");
    let fourth = draws.iter().map(|z| z.pow(4)).sum::<i128>() / count * 100 / square.pow(2);
    assert!((275..305).contains(&fourth), "kurtosis {fourth}");
    assert!(draws.iter().all(|z| z.abs() <= 6 * 65_535));
    // The ends, exactly.
    assert_eq!(draw::normal([0; 3]), -6 * 65_535);
    assert_eq!(draw::normal([u64::MAX; 3]), 6 * 65_535);
    assert_eq!(draw::normal([0x7FFF_8000_7FFF_8000; 3]), 0);
}

#[test]
fn an_asset_depends_on_no_other() {
    let all = Path::generate(&small(), &[], &seed(3), 30);
    let mut market = small();
    market.assets.retain(|asset| asset.id == id("index"));
    let alone = Path::generate(&market, &[], &seed(3), 30);
    assert_eq!(navs(&alone, "index", -5), navs(&all, "index", -5));
    // Nor on the length of the history, once the regime and the factor's memory have settled.
    assert_ne!(
        navs(&all, "index", -5),
        navs(&Path::generate(&market, &[], &seed(4), 30), "index", -5)
    );
}

#[test]
fn without_a_script_there_is_one_line() {
    let market = small();
    let path = Path::generate(&market, &eventful(), &seed(5), 12);
    let plain = Path::generate(&market, &[], &seed(5), 12);
    for asset in &market.assets {
        for day in -5..12 {
            let (with, without) = (path.quote(&asset.id, day), path.counterfactual(&asset.id, day));
            assert!(with.is_some());
            // What would have been is what the seed gives without a script.
            assert_eq!(without, plain.quote(&asset.id, day), "{} {day}", asset.id);
            assert_eq!(without, plain.counterfactual(&asset.id, day));
            // Before the first shock, on day 4 of the course, both are one.
            assert!(day >= 3 || with == without, "{} {day}", asset.id);
        }
    }
    let differs =
        |asset: &str, day| path.quote(&id(asset), day) != path.counterfactual(&id(asset), day);
    assert!(differs("term", 3) && differs("bond", 3) && !differs("index", 3));
    assert!(differs("index", 7) && !differs("gold", 11));
}

/// The change a shock makes on its day, in 1e-8 of the value: what happened against what would
/// have.
fn change(market: &Market, moves: Vec<Move>, asset: &str) -> i64 {
    let path = Path::generate(market, &[shock("a", 3, moves)], &seed(11), 4);
    let (before, asset) = (path.nav(&id(asset), 1).expect("a value"), id(asset));
    let with = path.nav(&asset, 2).expect("a value");
    let without = path.counterfactual(&asset, 2).expect("a value").nav;
    div_even(i128::from(with - without) * i128::from(ONE), before.into())
}

#[test]
fn shocks_strike_as_far_as_they_say() {
    let market = small();
    let factor = |factor, sd| Effect::Factor { factor, sd: decimal(sd), to: None };
    // A cut of ten basis points and eight years of duration make 0.8 %; a daily standard deviation
    // of credit is 0.4 % / sqrt(250) = 0.0253 %.
    for (effect, asset, expected) in [
        (equity("-7"), "index", -7_000_000),
        (equity("-7"), "bond", 0),
        (equity("-7"), "gold", 0),
        (Effect::Rates { bp: -10 }, "bond", 800_000),
        (Effect::Rates { bp: 10 }, "bond", -800_000),
        (Effect::Rates { bp: -10 }, "index", 0),
        (factor(Factor::Credit, "-3"), "bond", -75_900),
        (factor(Factor::Gold, "1"), "gold", 790_569),
        (
            Effect::Asset { asset: id("bond"), percent: decimal("-1.95"), to: None },
            "bond",
            -1_950_000,
        ),
        (Effect::Asset { asset: id("nothing"), percent: decimal("9"), to: None }, "bond", 0),
    ] {
        let found = change(&market, vec![step(effect.clone())], asset);
        // Rounding of the values and of 1e-8 parts of the factors.
        assert!((found - expected).abs() <= 40, "{effect:?} on {asset}: {found}, not {expected}");
    }
    // Nothing is below its limit: a share falls by ten percent at most, shocks included.
    let path = Path::generate(&market, &[shock("a", 3, vec![step(equity("-15"))])], &seed(11), 4);
    let (before, after) = (path.nav(&id("share"), 1), path.nav(&id("share"), 2));
    let (before, after) = before.zip(after).expect("values");
    assert_eq!(after, before + div_even(-i128::from(before) * 10, 100));
}

#[test]
fn rates_come_through_to_cash_slowly_and_to_deposits_at_once() {
    let path = Path::generate(
        &small(),
        &[shock("a", 3, vec![step(Effect::Rates { bp: -10 })])],
        &seed(2),
        12,
    );
    let rate = |day| path.quote(&id("term"), day).map(|quote| quote.yearly);
    assert_eq!((rate(1), rate(2), rate(11)), (Some(650_000), Some(550_000), Some(550_000)));
    // 40 % of ten basis points over three days, in wan-fen yields: 40,000 / 365 in the end.
    let fallen = |day| {
        let without = path.counterfactual(&id("cash"), day).map(|quote| quote.wan_fen_yield);
        without.zip(path.wan_fen_yield(&id("cash"), day)).map(|(a, b)| a - b)
    };
    let fallen: Vec<i64> = (1..8).filter_map(fallen).collect();
    for (found, expected) in fallen.iter().zip([0, 37, 73, 110, 110, 110, 110]) {
        assert!((found - expected).abs() <= 1, "{fallen:?}");
    }
}

#[test]
fn yields_lose_nothing_to_rounding() {
    let mut market = small();
    for asset in &mut market.assets {
        if let Price::Accrual(accrual) = &mut asset.price {
            accrual.step = Decimal::default();
        }
    }
    let path = Path::generate(&market, &[], &seed(1), 360);
    let sum: i64 = (-5..360).filter_map(|day| path.wan_fen_yield(&id("cash"), day)).sum();
    // 1.25 % of 10,000 yuan are 125 yuan, over 365 days to the last 1/10,000 yuan.
    assert_eq!(sum, 1_250_000);
    assert_eq!(
        path.seven_day_yield(&id("cash"), 359).map(|y| (y - 1_250_000).abs() < 60),
        Some(true)
    );
}

#[test]
fn gates_close_and_open() {
    let path = Path::generate(&small(), &eventful(), &seed(1), 10);
    let gated = |day| path.quote(&id("bond"), day).map(|quote| quote.gated);
    let days: Vec<i32> = (-5..10).filter(|&day| gated(day) == Some(true)).collect();
    assert_eq!(days, [5, 6]);
}

#[test]
fn chances_are_as_large_as_they_say() {
    let market = small();
    let model = Model::new(&market);
    let rebound = Move { chance: 39_322, ..step(equity("2")) };
    let shocks = [shock("a", 3, vec![rebound])];
    let strikes = (0..2_000).filter(|&number| {
        Script::new(&model, &shocks, &seed(number), i32::from).begins().is_some()
    });
    // 60 %: 1,200 are expected, with a standard deviation of 22.
    let strikes = strikes.count();
    assert!((1_100..1_300).contains(&strikes), "{strikes}");
}

#[test]
fn a_saved_walk_goes_on_equally() {
    let market = small();
    let model = Model::new(&market);
    let shocks = eventful();
    let path = Path::generate(&market, &shocks, &seed(9), 12);
    let script = Script::new(&model, &shocks, &seed(9), |day| last_market_day(&[], day));
    let mut walk = Walk::start(&model);
    assert_eq!((walk.day(), walk.quote(&script, 0)), (None, None));
    for day in -5..12 {
        assert_eq!(walk.advance(&model, &script, &seed(9)), day);
        for (index, asset) in market.assets.iter().enumerate() {
            assert_eq!(walk.quote(&script, index), path.quote(&asset.id, day));
            assert_eq!(walk.without_script(index), path.counterfactual(&asset.id, day));
        }
        let bytes = postcard::to_stdvec(&walk).expect("a walk can be saved");
        let restored: Walk = postcard::from_bytes(&bytes).expect("and read again");
        assert!(restored == walk && restored.fits(&model));
        walk = restored;
    }
    assert_eq!(walk.quote(&script, market.assets.len()), None);
    let mut other = market;
    other.assets.reverse();
    assert!(!walk.fits(&Model::new(&other)), "a walk of another market");
}

#[test]
fn shocks_fall_on_the_last_market_day_of_their_day() {
    let days = [1, 1, 20, 1];
    let last: Vec<i32> = (1..=6).map(|day| last_market_day(&days, day)).collect();
    assert_eq!(last, [0, 1, 21, 22, 23, 24]);
    let shocks = [shock("a", 3, vec![step(equity("-7"))])];
    let path = Path::over(&small(), &shocks, &seed(1), &days);
    assert_eq!(path.end(), 23);
    let same = |day| path.quote(&id("index"), day) == path.counterfactual(&id("index"), day);
    assert!(same(20) && !same(21));
}

#[test]
fn a_commitment_stands_for_one_secret_and_its_terms() {
    let (market, scenario) = (id("standard"), id("steady-7"));
    let pack = Digest::of(b"pack");
    let terms = Terms { market: &market, scenario: &scenario, pack };
    let published = commitment(&seed(1), &terms);
    assert_eq!(published.to_string(), COMMITMENT);
    assert!(verify(&seed(1), &terms, &published));
    assert!(!verify(&seed(2), &terms, &published));
    // Every term counts, and the boundary between both ids does.
    let (a, b) = (id("standards"), id("teady-7"));
    for other in [
        Terms { market: &scenario, ..terms },
        Terms { scenario: &market, ..terms },
        Terms { pack: Digest::of(b"other"), ..terms },
        Terms { market: &a, scenario: &b, ..terms },
    ] {
        assert!(!verify(&seed(1), &other, &published), "{other:?}");
    }
    assert_eq!(format!("{:?}", seed(1)), "MarketSeed(..)");
    let branch = dengmi_core::random::Seed::from_number(1);
    let secrets = [MarketSeed::of_cohort(&branch, 1), MarketSeed::of_cohort(&branch, 2)];
    assert!(secrets[0] != secrets[1] && secrets[0].secret() != branch.0);
    assert_eq!(MarketSeed::from_secret(secrets[0].secret()), secrets[0]);
}

const COMMITMENT: &str = "cd9cb341b3c384043c682a8a3c5edfb1cc25b3bd1b8edbce3ac0ef67e60c2950";

#[test]
fn values_are_published_with_four_decimals() {
    for (nav, published) in [(100_000_000, 10_000), (100_004_999, 10_000), (100_005_000, 10_001)] {
        let quote = Quote { nav, wan_fen_yield: 0, yearly: 0, gated: false };
        assert_eq!(quote.published(), published, "{nav}");
    }
}

/// Numbers nobody would write, but that a file can hold.
fn any_decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (-1_000_000_000_000_000_000i64..=1_000_000_000_000_000_000),
        (-100_000_000i64..=100_000_000),
    ]
    .prop_map(|micros| Decimal::from_micros(micros).expect("within range"))
}

fn any_jump() -> impl Strategy<Value = Jump> {
    (any::<u32>(), any_decimal(), any_decimal(), any::<bool>()).prop_map(
        |(chance, from, to, down)| Jump {
            chance,
            from,
            to,
            side: if down { Side::Down } else { Side::Either },
        },
    )
}

fn absurd(decimals: &[Decimal], jumps: &[Jump], whole: [u32; 6], weights: [i32; 3]) -> Market {
    let mut market = small();
    let mut decimals = decimals.iter().copied().cycle();
    let mut next = || decimals.next().unwrap_or_default();
    let model = &mut market.model;
    (model.to_turbulent, model.to_calm, model.bonds_when_turbulent) =
        (whole[0], whole[1], whole[2]);
    (model.equity.jump_calm, model.equity.jump_turbulent) = (whole[3], whole[4]);
    (model.equity.calm, model.equity.turbulent) = (next(), next());
    (model.equity.jump_from, model.equity.jump_to, model.equity.down_extra) =
        (next(), next(), next());
    (model.rates.memory, model.rates.equity, model.rates.own) =
        (weights[0], weights[1], weights[2]);
    model.rates.jump = jumps[0];
    (model.credit, model.gold, model.overseas) = (jumps[1], jumps[2], jumps[3]);
    for Asset { price, .. } in &mut market.assets {
        match price {
            Price::Deposit { rate } => *rate = next(),
            Price::Accrual(accrual) => {
                (accrual.start, accrual.step) = (next(), next());
                (accrual.low, accrual.high) = (next(), next());
                accrual.pass_through_ppm.0 = whole[5];
                accrual.pass_through_days = whole[5] as u16;
            }
            Price::Nav(nav) => {
                (nav.start, nav.drift, nav.equity, nav.rates) = (next(), next(), next(), next());
                (nav.credit, nav.gold, nav.overseas) = (next(), next(), next());
                (nav.own, nav.duration, nav.limit) = (next(), next(), Some(next()));
            }
        }
    }
    market
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_overflows_however_absurd_the_numbers(
        decimals in prop::collection::vec(any_decimal(), 40),
        jumps in prop::collection::vec(any_jump(), 4),
        whole: [u32; 6],
        weights: [i32; 3],
        sizes in prop::collection::vec(any_decimal(), 5),
        bp: i16,
        number: u64,
    ) {
        let market = absurd(&decimals, &jumps, whole, weights);
        let to = Some(sizes[4]);
        let moves = vec![
            step(Effect::Equity { percent: sizes[0], to }),
            step(Effect::Factor { factor: Factor::Rates, sd: sizes[1], to }),
            Move { days: 255, ..step(Effect::Factor { factor: Factor::Gold, sd: sizes[2], to }) },
            Move { days: 255, ..step(Effect::Asset { asset: id("bond"), percent: sizes[3], to }) },
            Move { days: 255, ..step(Effect::Rates { bp }) },
        ];
        let shocks = [shock("a", 2, moves.clone()), shock("b", 3, moves)];
        let path = Path::generate(&market, &shocks, &seed(number), 40);
        for asset in &market.assets {
            for day in -5..40 {
                let quote = path.quote(&asset.id, day).expect("a quote");
                prop_assert!((1..=100_000_000 * ONE).contains(&quote.nav), "{} {:?}", asset.id, quote);
                prop_assert!(quote.wan_fen_yield >= 0 && quote.yearly >= 0);
            }
        }
        let model = Model::new(&market);
        let script = Script::new(&model, &shocks, &seed(number), |day| last_market_day(&[], day));
        let mut walk = Walk::start(&model);
        for _ in 0..45 {
            walk.advance(&model, &script, &seed(number));
            prop_assert!(walk.fits(&model));
        }
    }

    #[test]
    fn extending_day_by_day_is_generating_at_once(number: u64, short in 1u16..20, more in 1u16..20) {
        let (market, shocks) = (small(), eventful());
        let long = Path::generate(&market, &shocks, &seed(number), short + more);
        let path = Path::generate(&market, &shocks, &seed(number), short);
        for asset in &market.assets {
            for day in -5..i32::from(short) {
                prop_assert_eq!(path.quote(&asset.id, day), long.quote(&asset.id, day));
                prop_assert_eq!(
                    path.counterfactual(&asset.id, day),
                    long.counterfactual(&asset.id, day)
                );
            }
        }
        prop_assert_eq!(path.quote(&id("index"), i32::from(short)), None);
        prop_assert_eq!(path.quote(&id("index"), -6), None);
    }
}
