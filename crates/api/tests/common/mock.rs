//! Mock investing of the host in memory: a market of a fund, a money fund and a deposit after its
//! second close, with one shock of each kind.

use std::sync::Arc;

use dengmi_api::backend::{
    AssessmentText, AssetKind, AssetText, GraduationTerms, InvestingText, Language, MarketText,
    NewsText, NoticeText, ProductText, Risk,
};
use dengmi_core::course::CourseReceipt;
use dengmi_core::mock::{
    Assessed, ClientLevel, Exit, HoldingView, MarketView, MockAction, MockReceipt, MockView,
    OrderState, OrderView, Quote, Score, Side, Units,
};
use dengmi_core::{Day, Fen, Ppm, Receipt, Slug};

use super::{NOW, slug};

/// Words that stand for what must not be told yet.
pub const FUTURE: &str = "news-to-come-marker";
pub const AFTERWARDS: &str = "afterwards-marker";
/// A product on sale.
pub const REAL: &str = "bond/on-sale";
pub const N4: &str = "模拟投资，不构成投资建议";

fn notice() -> Vec<NoticeText> {
    vec![NoticeText { id: slug("n4"), text: N4.to_owned() }]
}

fn quote(nav: i64, wan_fen_yield: i64, yearly: i64) -> Quote {
    Quote { nav, wan_fen_yield, yearly, gated: false }
}

/// Two days of history and two of the course.
pub fn market_view() -> MarketView {
    let day = |nav| -> Arc<[Quote]> {
        [quote(nav, 0, 0), quote(100_000_000, 3_315, 1_210_049), quote(100_000_000, 0, 50_000)]
            .into()
    };
    MarketView {
        assets: ["fund", "money", "demand"].map(slug).into(),
        first_day: -2,
        quotes: [100_000_000, 100_500_000, 101_004_999, 93_935_000].map(day).into(),
        dates: vec![-2, -1, 0, 1],
        closed: 2,
        without_script: Vec::new(),
    }
}

fn asset(id: &str, kind: AssetKind, risk: Risk, language: Language) -> AssetText {
    AssetText {
        id: slug(id),
        title: format!("{} {id}", language.tag()),
        kind,
        risk,
        enabled: true,
        sheet: Some(slug("cash/money-fund")),
        min: Fen(1_000),
        daily_limit: None,
        fast_limit: kind.is_cash().then_some(Fen(1_000_000)),
        confirm_days: 1,
        redeemable_days: 2,
        cash_days: 2,
        subscription: Ppm(3_000),
        charged: Ppm(300),
        rules: vec!["每次至少买 10 元。".to_owned()],
    }
}

fn news(id: &str, day: u8, news: &str, fraud: bool) -> NewsText {
    let debrief = format!("{AFTERWARDS} {id}");
    NewsText { id: slug(id), day, news: news.to_owned(), debrief, fraud }
}

pub fn market_text(language: Language) -> MarketText {
    MarketText {
        market: slug("standard"),
        scenario: slug("steady-7"),
        title: "示例市场".to_owned(),
        cutoff: "15:00".to_owned().try_into().unwrap(),
        days: vec![1, 1, 0, 1, 1, 1, 1],
        assets: vec![
            asset("fund", AssetKind::IndexFund, Risk::R4, language),
            asset("money", AssetKind::MoneyFund, Risk::R1, language),
            asset("demand", AssetKind::Demand, Risk::R1, language),
        ],
        news: vec![
            news("crash", 1, "大跌", false),
            news("fraud-pitch", 2, "年年 12%", true),
            news("later", 3, FUTURE, false),
        ],
        notices: notice(),
    }
}

pub fn investing() -> InvestingText {
    InvestingText {
        cash: Fen(10_000_000),
        orders_from_day: 2,
        debrief_loss: Ppm(50_000),
        assessment: slug("standard"),
        most: Score {
            plan_first: 80,
            orders_in_plan: 120,
            kept_course: 80,
            read_sheet: 60,
            notes: 60,
            knowledge: 300,
            diversification: 100,
            fit: 80,
            costs: 70,
            outcome: 50,
            drawdown: 100,
            turnover: 20,
        },
        bands: vec![(0, "播种".to_owned()), (400, "发芽".to_owned())],
        graduation: GraduationTerms {
            lessons: 5,
            quizzes: 1,
            mastery: Ppm(600_000),
            score: 100,
            plan: true,
            debrief: true,
        },
    }
}

pub fn assessment(language: Language) -> AssessmentText {
    AssessmentText {
        title: format!("{} 风险测评", language.tag()),
        summary: "照实回答".to_owned(),
        questions: vec![("多大年纪？".to_owned(), vec!["18".to_owned(), "65".to_owned()])],
        validity_days: 365,
        per_day: 2,
        per_year: 8,
        min_age: 18,
        age_note: "未满十八岁".to_owned(),
        notices: notice(),
    }
}

pub fn product(id: &Slug, language: Language) -> Option<ProductText> {
    let real = id.as_str() == REAL;
    (real || id.as_str() == "cash/money-fund").then(|| ProductText {
        id: id.clone(),
        title: format!("{} {id}", language.tag()),
        kind: AssetKind::MoneyFund,
        real,
        risk: if real { Risk::R2 } else { Risk::R1 },
        place: "投教课堂".to_owned(),
        page_version: 1,
        facts: vec![("七日年化".to_owned(), "1.21%".to_owned())],
        source: "虚构".to_owned(),
        as_of: Day(20_700),
        notices: notice(),
    })
}

/// An account with an order that waits, one that is settled, and one whose cash is on the way.
pub fn account() -> MockView {
    let order = |number, side, state, units, amount| OrderView {
        number,
        asset: 0,
        side,
        at: NOW,
        market_day: 1,
        state,
        units: Units(units),
        amount: Fen(amount),
        fee: Fen(3),
        in_plan: number != 3,
    };
    MockView {
        cash: Fen(8_000_000),
        value: Fen(9_900_000),
        fees: Fen(9),
        rounding: 17,
        holdings: vec![HoldingView {
            asset: 0,
            units: Units(1_000_000),
            redeemable: Units(900_000),
            value: Fen(939_350),
            cost: Fen(1_000_000),
        }],
        orders: vec![
            order(1, Side::Buy(Fen(1_000_000)), OrderState::Settled, 1_000_000, 1_000_000),
            order(2, Side::Buy(Fen(500_000)), OrderState::Accepted, 0, 500_000),
            order(3, Side::Redeem(Units(100_000)), OrderState::Priced, 100_000, 93_932),
        ],
        plan: None,
        texts: Vec::new(),
        tasks: 0b10,
        sheets: Vec::new(),
        reported: Vec::new(),
        owes_debrief: false,
        score: Score { plan_first: 80, knowledge: 100, turnover: 20, ..Score::default() },
        exit: Some(Exit {
            value: Fen(9_900_000),
            without_script: Fen(9_960_000),
            plan_kept: Fen(9_930_000),
            in_cash: Fen(10_000_190),
            drawdown: Ppm(12_345),
        }),
    }
}

/// What a well-behaved engine says to each action.
pub fn receipt(what: &MockAction) -> Receipt {
    let found = |confirmed| {
        MockReceipt::Assessed(Assessed { level: ClientLevel::C3, until: Day(21_143), confirmed })
    };
    let told = match what {
        MockAction::Assess { .. } => found(false),
        MockAction::ConfirmLevel => found(true),
        MockAction::WritePlan(_) => MockReceipt::Planned { version: 1 },
        MockAction::Buy { .. } => {
            MockReceipt::Ordered { order: 4, market_day: 2, state: OrderState::Accepted }
        }
        MockAction::Redeem { fast, .. } => {
            let state = if *fast { OrderState::Settled } else { OrderState::Accepted };
            MockReceipt::Ordered { order: 4, market_day: 2, state }
        }
        MockAction::WriteNote { .. } | MockAction::WriteDebrief { .. } => {
            MockReceipt::Written { texts: 2 }
        }
        MockAction::ReadSheet { .. }
        | MockAction::Cancel { .. }
        | MockAction::ReportFraud { .. } => return Receipt::Ok,
    };
    Receipt::Course(CourseReceipt::Mock(told))
}
