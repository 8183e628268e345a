//! One faultless value of every kind, with every field filled in. After a fault the parser reads
//! the matching part of these instead, so that the next fault comes to light; nothing of them ever
//! reaches a pack.

macro_rules! question {
    ($body:expr) => {
        concat!(
            r#"(id: "a", was: [], purpose: Education, concept: "basics/a", difficulty: 1,
            stem: {"zh-CN": "题干"}, body: "#,
            $body,
            r#", source: ProductPage(product: "wealth/a", version: 1),
            feedback: (right: {"zh-CN": "对"}, wrong: {"zh-CN": "错"}), cites: ["a"])"#
        )
    };
}

macro_rules! quest {
    ($kind:expr) => {
        concat!(
            r#"(schema: 1, was: [], title: {"zh-CN": "活动"}, summary: {"zh-CN": "规则"},
            purpose: Education, audience: [Affinity], days: 7, kind: "#,
            $kind,
            r#", rewards: ["a"], members_max: 100, budget_fen: 100,
            board: (ties: SharedRank, hide_names: false, neighbours_only: false), notices: ["n7"],
            approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"),
            referral_depth: 1)"#
        )
    };
}

macro_rules! market {
    ($price:expr, $holding:expr) => {
        concat!(
            r#"(schema: 1, was: [], title: {"zh-CN": "示例市场"}, cutoff: "15:00",
            calendar: Real(closed: ["2026-10-01"]), history_days: 250,
            model: (to_turbulent: 983, to_calm: 3670, bonds_when_turbulent: 81920,
            equity: (calm: "12.8", turbulent: "27.5", jump_calm: 98, jump_turbulent: 655,
            jump_from: "2", jump_to: "6", down_extra: "1"),
            rates: (memory: 13107, equity: -7864, own: 65077,
            jump: (chance: 524, from: "3", to: "6", side: Either)),
            credit: (chance: 262, from: "3", to: "7", side: Down),
            gold: (chance: 524, from: "3", to: "6", side: Either),
            overseas: (chance: 524, from: "3", to: "6", side: Either)),
            assets: [(id: "index-broad", title: {"zh-CN": "示例资产"}, class: IndexFund, risk: R4,
            enabled: true, sheet: "index/a", trade: (min_fen: 1000, confirm_days: 1,
            redeemable_days: 2, cash_days: 3, holding: "#,
            $holding,
            r#", daily_limit_fen: 100000, fast_limit_fen: 1000000, fees: (subscription_ppm: 3000,
            discount_ppm: 100000, redemption: [(below_days: 7, ppm: 15000)]),
            share: (lot: 100, commission_ppm: 250, commission_min_fen: 500, transfer_ppm: 10,
            stamp_ppm: 500)), price: "#,
            $price,
            r#")], targets: (volatility: [(asset: "index-broad", percent: "18")],
            ten_days: [(asset: "index-broad", p5: "-5", p95: "5")],
            correlation: [(a: "index-broad", b: "bond-long", low: "-0.2", high: "0")]),
            approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"))"#
        )
    };
}

macro_rules! scenario {
    ($kind:expr) => {
        concat!(
            r#"(schema: 1, was: [], title: {"zh-CN": "剧本"}, market: "standard", days: 7,
            shocks: [(id: "crash-day", day: 6, news: {"zh-CN": "消息"},
            debrief: {"zh-CN": "复盘"}, kind: "#,
            $kind,
            r#")],
            approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"))"#
        )
    };
}

/// A product page.
pub(crate) const PRODUCT: &[&str] = &[r#"(
    schema: 1, was: [], title: {"zh-CN": "产品"}, class: Wealth, sheet: Sample,
    place: {"zh-CN": "首页"}, page_version: 1, issuer_risk: R2, distributor_risk: R2,
    offering: Public, currency: "CNY", min_fen: 100, cutoff: "15:00", confirm_days: 1,
    cash_days: 1, lock_up_days: 0, open: Periodic(every_days: 90),
    fees: (subscription_ppm: 0, management_ppm: 3000, redemption: [(below_days: 7, ppm: 15000)]),
    wan_fen_yield: "0.34", seven_day_yield: "1.25", deposit_rate: "1.1", nav_changes: ["0.1"],
    benchmark: (low: "2.0", high: "2.6", basis: {"zh-CN": "依据"}, from: "2026-01-01"),
    performance: (from: "2026-01-01", to: "2026-06-30", annualised: "2.1"),
    inception: "2025-01-01", source: "teaching sheet", as_of: "2026-11-01",
    approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"), notices: ["n1"],
)"#];

/// A question; one for each way of answering.
pub(crate) const QUESTION: &[&str] = &[
    question!(
        r#"Single(answer: Plain({"zh-CN": "甲"}),
        distractors: [(text: {"zh-CN": "乙"}, feedback: {"zh-CN": "再想想"})])"#
    ),
    question!(
        r#"Single(answer: ProductFact((product: "wealth/a", field: redemption_fee(held_days: 5),
        of_yuan: "10000", expect: "1")), distractors: [(text: {"zh-CN": "乙"})])"#
    ),
    question!(r#"Multi(options: [(text: {"zh-CN": "甲"}, right: true)], partial: AllOrNothing)"#),
    question!("TrueFalse(answer: Plain(true))"),
    question!(
        r#"TrueFalse(answer: FactIs(fact: (product: "wealth/a", field: nav_change(days_ago: 1),
        of_yuan: "10000", expect: "1"), claim: "1"))"#
    ),
    question!(r#"Number(answer: Plain("1"), unit: Yuan, tolerance: "0")"#),
    question!(
        r#"Number(answer: ProductFact((product: "wealth/a", field: redemption_fee(held_days: 5),
        of_yuan: "10000", expect: "1")), unit: Yuan, tolerance: "0")"#
    ),
    question!(r#"Typed(answer: Plain("复利"), also: ["利滚利"])"#),
    question!(
        r#"Typed(answer: ProductFact((product: "wealth/a", field: redemption_fee(held_days: 5),
        of_yuan: "10000", expect: "1")), also: ["1"])"#
    ),
];

/// The head of a file of questions; the questions are parsed one by one.
pub(crate) const QUESTION_FILE: &[&str] =
    &[r#"(schema: 1, was: [], title: {"zh-CN": "题库"}, questions: [])"#];

/// The head of a file of notices.
pub(crate) const NOTICE_FILE: &[&str] = &[r#"(schema: 1,
    approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"), notices: [])"#];

/// A notice.
pub(crate) const NOTICE: &[&str] = &[r#"(id: "n1", text: {"zh-CN": "风险提示"})"#];

/// The points programme.
pub(crate) const POINTS: &[&str] = &["(schema: 1, fen_per_point: 1, expire_after_months: 12)"];

/// A reward rule.
pub(crate) const REWARD: &[&str] = &[r#"(
    schema: 1, was: [], title: {"zh-CN": "奖励"},
    approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"),
    versions: [(version: 1, from: "2026-01-01", to: "2026-12-31", on: CheckedIn, when: Always,
        pay: Fixed(5), caps: [(scope: Member, per: Day, points: 10)], budget: 1000)],
)"#];

/// A kind of group.
pub(crate) const COMMUNITY: &[&str] = &[r#"(
    schema: 1, was: [], title: {"zh-CN": "群"}, kind: Affinity, purpose: {"zh-CN": "用途"},
    capacity: 500,
    calendar: (utc_offset_minutes: 480, day_start_minutes: 0, late_minutes: 120),
    boards: (ties: SharedRank, hide_names: false, neighbours_only: false),
    touch: (private_per_week: 2, mass_per_day: 1, moments_per_day: 3, quiet_from: "21:00",
        quiet_to: "08:30"),
    notices: ["n1"],
)"#];

/// A word list.
pub(crate) const WORDS: &[&str] = &[r#"(
    schema: 1, block: [(word: "保本", instead: "删去")], allow: ["不保本"],
    low_risk_only: ["低风险"],
)"#];

/// A quest; one for each kind.
pub(crate) const QUEST: &[&str] = &[
    quest!(
        r#"QuizSeries((rounds: [(day: 1, opens: "09:00", closes: "21:00", grace_seconds: 0,
        questions: ["basics/a"])], attempts: (max: 1, counts: First), curve: Linear(floor: 500000),
        late_joiners: Open, reveal: AtClose, shuffle_questions: true, shuffle_options: true,
        correction_days: 3))"#
    ),
    quest!(
        r#"QuizSeries((rounds: [(day: 1, opens: "09:00", closes: "21:00", grace_seconds: 0,
        questions: ["basics/a"])], curve: HalfLife(seconds: 3600, floor: 0)))"#
    ),
    quest!(
        r#"MomentsChallenge((sender_role: LicensedStaff, card: {"zh-CN": "卡片"},
        question: "basics/a", window_hours: 24, posts_per_day: 1, posts_per_week: 2,
        reward_for_like: false, compliance_override: "HG-2026-002", visible_to: ["new"]))"#
    ),
    quest!(
        r#"CheckInStreak((mode: Consecutive, freezes: (start: 1, every_days: 7, max: 2),
        make_ups: (per_run: 1, within_days: 2), comeback_after: 2,
        leniency: [(from_length: 7, forgiven_days: 1)], phrases: ["今天也记账"],
        phrase_required: false, prompt: {"zh-CN": "写一句"}))"#
    ),
];

/// A course.
pub(crate) const COURSE: &[&str] = &[r#"(
    schema: 1, was: [], title: {"zh-CN": "课程"}, summary: {"zh-CN": "规则"}, days: 7,
    audience: [InvestorEducation], lesson_at: "09:00",
    quiz: (opens: "09:00", closes: "21:00", reviews_per_day: 3, retention: 900000),
    enrolment: (opens_days_before: 3, late_until_day: 2, catch_up: Within(2)),
    mock: (scenario: "calm", cash_fen: 10000000, orders_from_day: 3, debrief_loss: 50000),
    assessment: "standard", paired: [(before: "basics/a", after: "basics/b")],
    score: (
        process: (plan_first: 80, orders_in_plan: 120, kept_course: 80, read_sheet: 60, notes: 60,
            notes_wanted: 2),
        knowledge: 300,
        portfolio: (diversification: 100, assets: 4, fit: 80, costs: 70, cost_limit: 3000),
        outcome: (middle: 25, slope: 25, floor: 10000),
        penalties: (drawdown: 100, drawdown_limits: (10000, 30000, 80000, 150000, 250000),
            turnover: 20, free_orders: 4, within_days: 7),
        bands: [(from: 0, title: {"zh-CN": "起步"})],
    ),
    graduation: (lessons: 6, quizzes: 5, mastery: 800000, score: 600, plan: true, debrief: true),
    migration: (to: [LongTerm], invitation_days: 14, reinvitations: 1),
    rewards: ["a"], members_max: 100, budget_fen: 100,
    board: (ties: SharedRank, hide_names: false, neighbours_only: false), notices: ["n7"],
    approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"),
)"#];

/// A lesson.
pub(crate) const LESSON: &[&str] = &[r#"(
    schema: 1, day: 1, title: {"zh-CN": "第一课"}, goal: {"zh-CN": "能做什么"},
    purpose: Education, concepts: ["basics/a"], minutes: 6, blocks: [{"zh-CN": "你好"}],
    worked: [(formula: "1 + 1", shown: "2")],
    compute: (prompt: {"zh-CN": "算一算"}, formula: "1 + 1", answer: "2", unit: Yuan,
        tolerance: "0", explain: {"zh-CN": "一加一"}),
    questions: ["basics/a"], review: ["basics/b"],
    mock: (text: {"zh-CN": "做一做"}, done_by: Order(["demand"])),
    timelapse: 1, shocks: ["crash"], sheets: ["wealth/a"], notices: ["n7"], cites: ["a"],
    approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"),
)"#];

/// A risk questionnaire.
pub(crate) const ASSESSMENT: &[&str] = &[r#"(
    schema: 1, was: [], title: {"zh-CN": "问卷"}, summary: {"zh-CN": "用途"},
    questions: [(id: "a", text: {"zh-CN": "题干"},
        options: [(text: {"zh-CN": "甲"}, points: 0, at_most: C1)])],
    levels: (0, 20, 40, 60, 80), validity_days: 365, per_day: 2, per_year: 8, min_age: 18,
    age_note: {"zh-CN": "未满 18 岁不测评"}, notices: ["n7"],
    approval: (id: "HG-2026-001", approver: "compliance", valid_to: "2027-06-30"),
)"#];
/// A mock market; one asset for each way a price comes about.
pub(crate) const MARKET: &[&str] = &[
    market!(
        r#"Nav((start: "1", drift: "5", equity: "1", rates: "1", credit: "1", gold: "1",
        overseas: "1", own: "1", duration: "1", limit: "10"))"#,
        "Minimum(days: 90)"
    ),
    market!(
        r#"Accrual((start: "1.25", step: "0.01", low: "0.5", high: "2", pass_through_ppm: 400000,
        pass_through_days: 30))"#,
        "Periodic(every_days: 90, open_days: 5)"
    ),
    market!(r#"Deposit(rate: "0.65")"#, r#"Term(days: 90, early: "0.05")"#),
];

/// A script; one for each kind of shock and of effect.
pub(crate) const SCENARIO: &[&str] = &[
    scenario!(
        r#"Price([(after: 0, days: 1, chance: 65536, effect: Equity(percent: "-7", to: "-6"))])"#
    ),
    scenario!(
        r#"Price([(after: 0, days: 1, chance: 65536,
        effect: Factor(factor: Credit, sd: "-3", to: "-2"))])"#
    ),
    scenario!(
        r#"Price([(after: 0, days: 1, chance: 65536,
        effect: Asset(asset: "index-broad", percent: "-2", to: "-1"))])"#
    ),
    scenario!("Price([(after: 0, days: 1, chance: 65536, effect: Rates(bp: -10))])"),
    scenario!(r#"Price([(after: 0, days: 1, chance: 65536, effect: Gate(asset: "index-broad"))])"#),
    scenario!(r#"FeeTrap(from: "bond-short", to: "index-broad")"#),
];

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::model::*;
    use crate::source::{Report, Source};
    use crate::{SourceFile, parse};

    #[track_caller]
    fn check<T: DeserializeOwned>(templates: &[&str]) {
        for template in templates {
            let file = SourceFile { path: "t.ron".to_owned(), text: (*template).to_owned() };
            let mut report = Report::default();
            let source = Source::new(&file, &mut report);
            let root = source.root.as_ref().expect("the template scans");
            let value: Option<T> = parse::parse(&source, root, &[], &[], &mut report);
            assert!(value.is_some(), "{template}: {:?}", report.finish());
        }
    }

    #[test]
    fn templates_have_no_fault() {
        check::<Product>(PRODUCT);
        check::<Question>(QUESTION);
        check::<QuestionFile>(QUESTION_FILE);
        check::<NoticeFile>(NOTICE_FILE);
        check::<Notice>(NOTICE);
        check::<PointsFile>(POINTS);
        check::<RewardRule>(REWARD);
        check::<CommunityFile>(COMMUNITY);
        check::<WordsFile>(WORDS);
        check::<Quest>(QUEST);
        check::<Course>(COURSE);
        check::<Lesson>(LESSON);
        check::<Assessment>(ASSESSMENT);
        check::<Market>(MARKET);
        check::<Scenario>(SCENARIO);
    }
}
