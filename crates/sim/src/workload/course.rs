//! The files of the workload's course: a week of lessons that differ by little more than numbers,
//! and a small market in which everything happens that can.

use std::fmt::Write as _;

/// Id of the course.
pub(super) const COURSE: &str = "week";

/// Days it takes.
const DAYS: u8 = 7;

/// Questions of a day: one of every way of answering.
const QUESTIONS: u8 = 5;

/// Messages of a lesson.
const BLOCKS: u8 = 12;

/// Days after which a question comes back.
const REVIEW_AFTER: [u8; 2] = [1, 3];

/// What each day asks for on the mock account.
const TASKS: [&str; DAYS as usize] = [
    "Assessment",
    "Plan",
    r#"Order(["cash", "index", "share"])"#,
    "Sheet",
    "FraudReport",
    "Note",
    "Debrief",
];

/// What the market of the course is made of.
const MARKET: [(&str, &str); 5] = [
    ("content/markets/weekly.ron", include_str!("content/market.ron")),
    ("content/scenarios/rough.ron", include_str!("content/scenario.ron")),
    ("content/products/sample/cash.ron", include_str!("content/sheet-cash.ron")),
    ("content/products/sample/bond.ron", include_str!("content/sheet-bond.ron")),
    ("content/products/sale/mixed.ron", include_str!("content/sheet-sale.ron")),
];

const APPROVAL: &str = r#"(id: "TEST-1", approver: "合规部", valid_to: "2099-12-31")"#;

/// Paths and texts.
pub(super) fn files() -> Vec<(String, String)> {
    let mut files = vec![
        (format!("courses/{COURSE}/course.ron"), include_str!("content/course.ron").to_owned()),
        ("content/questions/items.ron".to_owned(), questions()),
        ("content/assessments/short.ron".to_owned(), assessment()),
    ];
    let lessons = (1..=DAYS).map(|day| (format!("courses/{COURSE}/day-{day:02}.ron"), lesson(day)));
    files.extend(lessons);
    files.extend(MARKET.map(|(path, text)| (path.to_owned(), text.to_owned())));
    files
}

/// What a lesson has beside reading and questions: news, sheets, more market days than one, and a
/// product on sale in the last third.
fn beside(day: u8) -> (&'static str, &'static str) {
    match day {
        3 => ("Education", r#"shocks: ["switch"], sheets: ["sample/cash"],"#),
        4 => ("Education", r#"shocks: ["default"], sheets: ["sample/bond"],"#),
        5 => ("Education", r#"shocks: ["crash", "pitch"],"#),
        6 => ("Marketing", r#"timelapse: 4, sheets: ["sale/mixed"],"#),
        7 => ("Education", r#"shocks: ["quiet"],"#),
        _ => ("Education", ""),
    }
}

fn lesson(day: u8) -> String {
    let blocks: String = (1..=BLOCKS).fold(String::new(), |mut text, block| {
        let _ = writeln!(text, r#"        {{"zh-CN": "第 {day} 课的第 {block} 条消息。"}},"#);
        text
    });
    let questions: Vec<String> =
        (1..=QUESTIONS).map(|number| format!(r#""items/d{day}-{number}""#)).collect();
    let before = REVIEW_AFTER.iter().filter_map(|after| day.checked_sub(*after));
    let review: Vec<String> = before
        .filter(|before| *before > 0)
        .map(|before| format!(r#""items/d{before}-{}""#, 1 + day % QUESTIONS))
        .collect();
    let (questions, review) = (questions.join(", "), review.join(", "));
    let answer = 100 * u32::from(day);
    let (purpose, beside) = beside(day);
    let task = TASKS[usize::from(day) - 1];
    format!(
        r#"(
    schema: 1,
    day: {day},
    title: {{"zh-CN": "第 {day} 课"}},
    goal: {{"zh-CN": "算得出一个数"}},
    purpose: {purpose},
    concepts: ["week/day-{day}", "week/more-{day}"],
    minutes: 5,
    blocks: [
{blocks}    ],
    compute: (
        prompt: {{"zh-CN": "{day} 个 100 元是多少？"}},
        formula: "100 * {day}",
        answer: "{answer}",
        unit: Yuan,
        tolerance: "1",
        explain: {{"zh-CN": "一个一个加起来。"}},
    ),
    questions: [{questions}],
    review: [{review}],
    mock: (text: {{"zh-CN": "在模拟账户里做一件小事。"}}, done_by: {task}),
    {beside}
    notices: ["n1", "n4", "n7"],
    approval: {APPROVAL},
)
"#
    )
}

/// Every question of the lessons, and the paired ones.
fn questions() -> String {
    let mut all = String::new();
    let mut add = |id: &str, concept: &str, stem: &str, body: &str| {
        let _ = write!(
            all,
            r#"        (
            id: "{id}",
            purpose: Education,
            concept: "{concept}",
            difficulty: 1,
            stem: {{"zh-CN": "{stem}"}},
            body: {body},
            source: Lesson({{"zh-CN": "课里"}}),
            feedback: (right: {{"zh-CN": "对了"}}, wrong: {{"zh-CN": "再看一遍"}}),
        ),
"#
        );
    };
    for day in 1..=DAYS {
        let bodies = [
            format!(
                r#"Single(answer: Plain({{"zh-CN": "{day} 份"}}), distractors: [(text: {{"zh-CN": "{day}0 份"}}), (text: {{"zh-CN": "{day}00 份"}})])"#
            ),
            r#"Multi(options: [(text: {"zh-CN": "先存后花"}, right: true), (text: {"zh-CN": "借钱投资"}), (text: {"zh-CN": "分散持有"}, right: true), (text: {"zh-CN": "追涨杀跌"})], partial: RightLessWrong)"#.to_owned(),
            format!("TrueFalse(answer: Plain({}))", day % 2 == 0),
            format!(r#"Number(answer: Plain("{day}00"), unit: Yuan, tolerance: "1")"#),
            format!(r#"Typed(answer: Plain("口令{day}"), also: ["暗号{day}"])"#),
        ];
        for (number, body) in (1..=QUESTIONS).zip(bodies) {
            // The first three of a day are on one concept, the others on another.
            let concept = if number <= 3 { "day" } else { "more" };
            let stem = format!("第 {day} 天的第 {number} 题：选哪个？");
            add(&format!("d{day}-{number}"), &format!("week/{concept}-{day}"), &stem, &body);
        }
    }
    for pair in 1..=2 {
        for half in ["before", "after"] {
            let body = format!("TrueFalse(answer: Plain({}))", half == "after");
            let stem = match half {
                "before" => format!("上课之前的第 {pair} 题：对吗？"),
                _ => format!("上课之后的第 {pair} 题：对吗？"),
            };
            add(&format!("{half}-{pair}"), &format!("week/day-{pair}"), &stem, &body);
        }
    }
    format!(
        "(\n    schema: 1,\n    title: {{\"zh-CN\": \"课程题\"}},\n    questions: [\n{all}    ],\n)\n"
    )
}

/// A questionnaire: courses name one.
fn assessment() -> String {
    let questions: String = (1..=5).fold(String::new(), |mut text, number| {
        let cut = if number == 5 { ", at_most: C1" } else { "" };
        let _ = writeln!(
            text,
            r#"        (id: "q{number}", text: {{"zh-CN": "第 {number} 问"}}, options: [(text: {{"zh-CN": "甲"}}, points: 10), (text: {{"zh-CN": "乙"}}, points: 0{cut})]),"#
        );
        text
    });
    format!(
        r#"(
    schema: 1,
    title: {{"zh-CN": "风险测评"}},
    summary: {{"zh-CN": "五个问题"}},
    questions: [
{questions}    ],
    levels: (0, 11, 21, 31, 41),
    validity_days: 365,
    per_day: 2,
    per_year: 8,
    min_age: 18,
    age_note: {{"zh-CN": "成年后再来"}},
    notices: ["n7"],
    approval: {APPROVAL},
)
"#
    )
}
