use crate::checks::testing::{check_files, course_with, today};
use crate::codes::*;
use crate::model::QuestKind;
use crate::model::assessment::ClientLevel;

const COURSE: &str = "courses/first/course.ron";
const FIRST: &str = "courses/first/day-01.ron";
const SECOND: &str = "courses/first/day-02.ron";
const FOURTH: &str = "courses/first/day-04.ron";
const LAST: &str = "courses/first/day-07.ron";
const SMALL: &str = "content/assessments/small.ron";
const QUESTIONS: &str = "content/questions/course.ron";

/// Puts changes into the small course and compares all diagnostics.
#[track_caller]
fn check(changes: &[(&str, &str, &str)], expected: &[(crate::codes::Code, &str)]) {
    check_files(&course_with(changes), expected);
}

#[test]
fn files_and_days_agree() {
    check(&[], &[]);
    let longer = [(COURSE_FILES, ""), (COURSE_FILES, ""), (SCRIPT_DAYS, "\"calm\"")];
    check(&[(COURSE, "days: 7", "days: 9")], &longer);
    check(&[("courses/day-01.ron", "", "(schema: 1)")], &[(COURSE_FILES, "")]);
    check(&[("courses/course.ron", "", "(schema: 1)")], &[(COURSE_FILES, "")]);
    check(&[("courses/first/day-1.ron", "", "(schema: 1)")], &[(COURSE_FILES, "")]);
    check(&[("courses/first/Day-01.ron", "", "(schema: 1)")], &[(COURSE_FILES, "")]);
    check(&[(FIRST, "day: 1,", "day: 0,")], &[(LESSON_DAY, "0")]);
    let streak = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/content/base/quests/streak.ron"
    ));
    check(&[("quests/first.ron", "", streak)], &[(ID_TWICE, "1")]);
}

#[test]
fn what_could_not_be_read_is_not_missing() {
    // Nothing is known about the concepts and questions of a lesson that cannot be read.
    check(&[(FIRST, "minutes: 6", "minutes: six")], &[(WRONG_VALUE, "six")]);
    check(&[(SECOND, "schema: 1", "schema: 2")], &[(WRONG_SCHEMA, "2")]);
    check(&[(COURSE, "days: 7", "days: many")], &[(WRONG_VALUE, "many")]);
    check(&[(SMALL, "per_day: 2", "per_day: two")], &[(WRONG_VALUE, "two")]);
    check(&[(QUESTIONS, "difficulty: 1", "difficulty: one")], &[(WRONG_VALUE, "one")]);
}

#[test]
fn ids_of_courses_lead_somewhere() {
    check(&[(COURSE, "\"round\"]", "\"rond\"]")], &[(DEAD_RULE, "\"rond\"")]);
    check(&[(COURSE, "[\"n4\"", "[\"n9\", \"n4\"")], &[(DEAD_NOTICE, "\"n9\"")]);
    check(
        &[(COURSE, "\"course/before\"", "\"course/befor\"")],
        &[(DEAD_QUESTION, "\"course/befor\"")],
    );
    check(&[(LAST, "\"course/d7-5\"", "\"course/d7-6\"")], &[(DEAD_QUESTION, "\"course/d7-6\"")]);
    check(&[(LAST, "\"course/d7-5\"", "\"course/d7-4\"")], &[(REFERENCE_TWICE, "\"course/d7-4\"")]);
    check(&[(FOURTH, "wealth/steady", "wealth/stedy")], &[(DEAD_PRODUCT, "\"wealth/stedy\"")]);
    check(&[(SMALL, "[\"n7\"]", "[\"n77\"]")], &[(DEAD_NOTICE, "\"n77\"")]);
    let was = (COURSE, "schema: 1,", "schema: 1, was: [\"quiz\"],");
    check(&[was], &[(WAS_CLASH, "\"quiz\"")]);
}

#[test]
fn a_course_fits_its_script() {
    const THIRD: &str = "courses/first/day-03.ron";
    const SIXTH: &str = "courses/first/day-06.ron";
    const CALM: &str = "content/scenarios/calm.ron";
    const DEMO: &str = "content/markets/demo.ron";
    let wished = "\"clam\"";
    check(&[(COURSE, "\"calm\"", wished)], &[(DEAD_SCENARIO, wished)]);
    let eight = "\"calm-8\"";
    check(&[(COURSE, "\"calm\"", eight)], &[(SCRIPT_DAYS, eight)]);
    // Of a script that cannot be read nothing is known; nor of a market.
    check(&[(CALM, "days: 7", "days: many")], &[(WRONG_VALUE, "many")]);
    check(&[(DEMO, "class: Demand", "class: None")], &[(UNKNOWN_NAME, "None")]);
    let named = "shocks: [\"crash-day\"]";
    check(&[(SIXTH, named, "shocks: []")], &[(LESSON_SHOCK, "6")]);
    check(
        &[(SIXTH, "crash-day\"]", "crash-dy\"]")],
        &[(LESSON_SHOCK, "[\"crash-dy\"]"), (LESSON_SHOCK, "\"crash-dy\"")],
    );
    let twice = "crash-day\", \"crash-day\"]";
    check(&[(SIXTH, "crash-day\"]", twice)], &[(REFERENCE_TWICE, "\"crash-day\"")]);
    let early = (LAST, "    notices", "    shocks: [\"crash-day\"],\n    notices");
    check(&[early], &[(LESSON_SHOCK, "\"crash-day\"")]);
    check(&[(THIRD, "\"cash\"", "\"gold\"")], &[(MOCK_TASK, "\"gold\"")]);
    let off =
        (DEMO, "            class: MoneyFund,", "            enabled: false, class: MoneyFund,");
    check(&[off], &[(MOCK_TASK, "\"cash\""), (MOCK_TASK, "\"cash\"")]);
    let report = (SIXTH, "done_by: Note", "done_by: FraudReport");
    check(&[report], &[(MOCK_TASK, "FraudReport")]);
    let pitched = (CALM, "Price([(effect: Equity(percent: \"-7\"))])", "FraudPitch");
    check(&[report, pitched], &[]);
    // An earlier id is known, and mended with a word.
    let was = (CALM, "schema: 1,", "schema: 1, was: [\"still\"],");
    check(&[was, (COURSE, "\"calm\"", "\"still\"")], &[(OLD_ID, "\"still\"")]);
}

#[test]
fn graduates_have_somewhere_to_go() {
    let to = |text| (COURSE, "to: [LongTerm, Managed]", text);
    check(&[to("to: [LongTerm]")], &[]);
    check(&[to("to: [Managed]")], &[(DESTINATION_UNKNOWN, "[Managed]")]);
    let unread = ("content/communities/long-term.ron", "capacity: 200", "capacity: all");
    check(&[to("to: [Managed]"), unread], &[(WRONG_VALUE, "all")]);
}

#[test]
fn education_is_most_of_it_and_comes_first() {
    let marketing = |path| (path, "purpose: Education", "purpose: Marketing");
    let late = ["courses/first/day-05.ron", "courses/first/day-06.ron", LAST].map(marketing);
    let fewer = (COURSE, "(lessons: 6, quizzes: 5", "(lessons: 5, quizzes: 4");
    // Five of seven are 71 %, four are 57 %.
    check(&[fewer, late[0], late[1]], &[]);
    let least = (COURSE, "(lessons: 6, quizzes: 5", "(lessons: 4, quizzes: 4");
    check(&[least, late[0], late[1], late[2]], &[(EDUCATION_SHARE, "7")]);
    // The last third of seven days begins on the fifth.
    check(&[marketing(FOURTH)], &[(PRODUCT_EARLY, "Marketing")]);
    // Graduation without the marketing lesson.
    check(&[late[2], late[1]], &[(GRADUATION, "6")]);
    // A real product: on a sheet, in a question, in a pair.
    let sheet = |path| {
        (path, "    notices: [\"n7\"]", "    sheets: [\"fund/index\"], notices: [\"n1\", \"n7\"]")
    };
    check(&[sheet(SECOND)], &[(PRODUCT_EARLY, "\"fund/index\"")]);
    check(&[sheet(LAST)], &[(PRODUCT_EARLY, "\"fund/index\"")]);
    check(&[sheet(LAST), late[2]], &[]);
    let concept = |path, day| (path, day, "\"products/risk\", \"lesson/day-");
    let asked = (LAST, "\"course/d7-5\"", "\"pages/risk\"");
    let noticed = (LAST, "    notices: [\"n7\"]", "    notices: [\"n1\", \"n7\"]");
    let risk = (COURSE, "notices: [\"n4\"", "notices: [\"n1\", \"n4\"");
    let taught = concept(LAST, "\"lesson/day-");
    check(&[asked, noticed, risk, taught], &[(PRODUCT_EARLY, "\"pages/risk\"")]);
    check(&[asked, noticed, risk, taught, late[2]], &[]);
    let pair = (
        COURSE,
        "before: \"course/before\", after: \"course/after\"",
        "before: \"pages/short-fee\", after: \"pages/risk\"",
    );
    check(
        &[pair],
        &[
            (PAIRED, "\"pages/risk\""),
            (PRODUCT_EARLY, "\"pages/risk\""),
            (PRODUCT_EARLY, "\"pages/short-fee\""),
        ],
    );
}

#[test]
fn what_is_asked_was_taught_and_comes_back() {
    // The pair may be asked on the first day, and only there.
    check(&[(FIRST, "\"course/d1-5\"", "\"course/before\"")], &[]);
    let later = (
        QUESTIONS,
        "id: \"before\",\n            purpose: Education,\n            concept: \"lesson/day-2\"",
        "id: \"before\",\n            purpose: Education,\n            concept: \"lesson/day-4\"",
    );
    let same = (
        QUESTIONS,
        "id: \"after\",\n            purpose: Education,\n            concept: \"lesson/day-2\"",
        "id: \"after\",\n            purpose: Education,\n            concept: \"lesson/day-4\"",
    );
    check(
        &[later, same, (SECOND, "\"course/d2-5\"", "\"course/before\"")],
        &[(CONCEPT_UNTAUGHT, "\"course/before\"")],
    );
    check(&[later, same, (FIRST, "\"course/d1-5\"", "\"course/before\"")], &[]);
    check(
        &[(FIRST, "\"course/d1-5\"", "\"course/after\"")],
        &[(CONCEPT_UNTAUGHT, "\"course/after\"")],
    );
    check(
        &[
            (FIRST, "[\"lesson/day-1\"]", "[]"),
            (SECOND, "[\"lesson/day-2\"]", "[\"lesson/day-1\", \"lesson/day-2\"]"),
        ],
        &["1", "2", "3", "4", "5"].map(|n| {
            (
                CONCEPT_UNTAUGHT,
                match n {
                    "1" => "\"course/d1-1\"",
                    "2" => "\"course/d1-2\"",
                    "3" => "\"course/d1-3\"",
                    "4" => "\"course/d1-4\"",
                    _ => "\"course/d1-5\"",
                },
            )
        }),
    );
    check(
        &[(SECOND, "[\"course/d1-1\", \"course/d1-2\"]", "[\"course/d2-1\"]")],
        &[(ASKED_TWICE, "\"course/d2-1\"")],
    );
    check(&[(LAST, "\"course/d4-3\"", "\"course/d5-3\"")], &[(REVIEW_ITEM, "\"course/d5-3\"")]);
}

#[test]
fn members_read_no_refused_word_and_see_their_notices() {
    for (path, from) in [
        (FIRST, "消息 1"),
        (FIRST, "第一课"),
        (FIRST, "算得出一个数"),
        (FIRST, "180 天是多少"),
        (FIRST, "天数加倍"),
        (FIRST, "做一次风险测评"),
        (COURSE, "每天一课"),
        (COURSE, "发芽"),
        (SMALL, "五个问题"),
        (SMALL, "一分也不行"),
    ] {
        check(&[(path, from, "稳赚")], &[(BLOCKED_WORD, "稳赚")]);
    }
    // The sheet of the day is R2; with a fund of R4 beside it the word does not fit.
    check(&[(FOURTH, "消息 1。", "低风险。")], &[]);
    let fund =
        (LAST, "    notices: [\"n7\"]", "    sheets: [\"fund/index\"], notices: [\"n1\", \"n7\"]");
    let sold = (LAST, "purpose: Education", "purpose: Marketing");
    check(&[fund, sold, (LAST, "消息 1。", "低风险。")], &[(LOW_RISK_WORD, "低风险")]);

    let all = r#"["n1", "n2", "n3", "n7"]"#;
    for less in [
        r#"["n2", "n3", "n7"]"#,
        r#"["n1", "n3", "n7"]"#,
        r#"["n1", "n2", "n7"]"#,
        r#"["n1", "n2", "n3"]"#,
    ] {
        check(&[(FOURTH, all, less)], &[(NOTICE_NEEDED, less)]);
    }
    let third = "courses/first/day-03.ron";
    check(&[(third, r#"["n4", "n7"]"#, r#"["n7"]"#)], &[(NOTICE_NEEDED, r#"["n7"]"#)]);
    for less in [r#"["n7"]"#, r#"["n4"]"#] {
        check(&[(COURSE, r#"["n4", "n7"]"#, less)], &[(NOTICE_NEEDED, less)]);
    }
}

#[test]
fn approvals_and_languages_are_complete() {
    for (path, id) in [(COURSE, "HG-7"), (FIRST, "HG-6"), (SMALL, "HG-8")] {
        check(&[(path, id, " ")], &[(APPROVAL_EMPTY, "\" \"")]);
        check(&[(path, "2027-12-31", "2026-11-20")], &[(APPROVAL_EXPIRED, "\"2026-11-20\"")]);
    }
    check(&[(COURSE, "2027-12-31", "2026-11-26")], &[(APPROVAL_SHORT, "\"2026-11-26\"")]);
    check(&[(COURSE, "2027-12-31", "2026-11-27")], &[]);
    for (path, english) in [
        (FIRST, r#", "en": "Message 1.""#),
        (FIRST, r#", "en": "Twice the days.""#),
        (COURSE, r#", "en": "Bloom""#),
        (SMALL, r#", "en": "Steady""#),
    ] {
        let files = course_with(&[(path, english, "")]);
        let (pack, found) = crate::load(&files, &today());
        assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["C0217"], "{english}");
        assert!(pack.is_some());
    }
}

#[test]
fn numbers_are_computed_again() {
    let tolerance = |with| (FIRST, "tolerance: \"0.01\"", with);
    check(&[tolerance("tolerance: \"-1\"")], &[(TOLERANCE, "\"-1\"")]);
    check(&[tolerance("tolerance: \"118.36\"")], &[(TOLERANCE, "\"118.36\"")]);
    // Rounded to the places that are written.
    check(&[(FIRST, "answer: \"118.36\"", "answer: \"118\"")], &[]);
    check(&[(FIRST, "answer: \"118.36\"", "answer: \"118.4\"")], &[]);
    check(&[(FIRST, "answer: \"118.36\"", "answer: \"118.3\"")], &[(COMPUTE, "\"118.3\"")]);
    let thousands = |shown| {
        (FIRST, "worked: [", format!("worked: [(formula: \"4 * 2500\", shown: \"{shown}\"), "))
    };
    let with_comma = thousands("10,000");
    check(&[(with_comma.0, with_comma.1, &with_comma.2)], &[]);
    let without = thousands("10000");
    check(&[(without.0, without.1, &without.2)], &[]);
}

#[test]
fn scores_and_ranges() {
    check(
        &[(COURSE, "closes: \"21:00\"", "closes: \"09:00\"")],
        &[(COURSE_QUIZ_TIMES, "\"09:00\"")],
    );
    check(&[(COURSE, "opens: \"09:00\"", "opens: \"08:29\"")], &[(COURSE_QUIZ_TIMES, "\"08:29\"")]);
    check(&[(COURSE, "opens: \"09:00\"", "opens: \"08:30\"")], &[]);
    let (sprout, bloom) = (
        (COURSE, "(from: 0, title: {\"zh-CN\": \"发芽\", \"en\": \"Sprout\"}),", ""),
        (COURSE, "(from: 600, title: {\"zh-CN\": \"开花\", \"en\": \"Bloom\"}),", ""),
    );
    check(&[sprout, bloom], &[(BANDS, "[")]);
    check(&[sprout], &[(BANDS, "600")]);
    check(&[(COURSE, "from: 600", "from: 1001")], &[(BANDS, "1001")]);
    check(&[(COURSE, "middle: 25", "middle: 24")], &[(SCORE_SUM, "(")]);
    check(&[(COURSE, "quizzes: 5", "quizzes: 8")], &[(GRADUATION, "8")]);
    check(&[(COURSE, "score: 600", "score: 1001")], &[(GRADUATION, "1001")]);
    check(&[(COURSE, "[LongTerm, Managed]", "[]")], &[(MIGRATION, "[]")]);
    check(&[(COURSE, "Managed]", "LongTerm]")], &[(MIGRATION, "LongTerm")]);
    check(&[(COURSE, "retention: 900000", "retention: 1000000")], &[(COURSE_NUMBER, "1000000")]);
    check(&[(COURSE, "Within(2)", "Within(0)")], &[(COURSE_NUMBER, "Within(0)")]);
    check(&[(COURSE, "late_until_day: 2", "late_until_day: 8")], &[(COURSE_NUMBER, "8")]);
    check(&[(FIRST, "minutes: 6,", "minutes: 6, timelapse: 0,")], &[(COURSE_NUMBER, "0")]);
    check(&[(COURSE, "members_max: 100", "members_max: 0")], &[(QUEST_SIZE, "0")]);
    check(&[(COURSE, "[InvestorEducation]", "[]")], &[(AUDIENCE, "[]")]);
    check(&[(COURSE, "[InvestorEducation]", "[Payroll]")], &[(AUDIENCE_UNKNOWN, "Payroll")]);
    check(&[(COURSE, "budget_fen: 12000", "budget_fen: 1")], &[(COST_ABOVE_BUDGET, "1")]);
    check(&[(COURSE, "\"round\"]", "\"check-in\"]")], &[(RULE_NEVER_FIRES, "\"check-in\"")]);
    check(&[(COURSE, "\"course/after\")", "\"course/d1-1\")")], &[(PAIRED, "\"course/d1-1\"")]);
}

#[test]
fn the_quiz_of_a_course_is_a_quest() {
    let renamed = [
        (QUESTIONS, "id: \"d1-1\",", "id: \"d1-1\", was: [\"course/old\"],"),
        (SECOND, "[\"course/d1-1\"", "[\"course/old\""),
    ];
    let (pack, found) = crate::load(&course_with(&renamed), &today());
    assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["C0109"]);
    let pack = pack.expect("a warning does not refuse the pack");
    let (id, course) = pack.courses.first_key_value().expect("the course");
    assert_eq!(id.as_str(), "first");
    let quest = course.quest();
    let QuestKind::QuizSeries(series) = &quest.kind else { panic!("a quiz") };
    let days: Vec<u16> = series.rounds.iter().map(|round| round.day).collect();
    assert_eq!(days, [1, 2, 3, 4, 5, 6, 7]);
    let second: Vec<&str> = series.rounds[1].questions.iter().map(|id| id.as_str()).collect();
    let expected =
        ["d2-1", "d2-2", "d2-3", "d2-4", "d2-5", "d1-1", "d1-2"].map(|q| format!("course/{q}"));
    assert_eq!(second, expected, "new ones, then those asked again, by their ids of today");
    assert_eq!((quest.days, quest.members_max), (7, 100));
    assert_eq!(quest.rewards.len(), 2);
    assert!(series.shuffle_questions && series.shuffle_options);
    assert!(pack.questions.contains_key(&series.rounds[6].questions[4]));
    let launched = crate::Pack::course_quest(id).expect("a short id");
    assert_eq!(pack.quest(&launched), Some(quest));
    assert!(crate::Pack::is_course_quest(&launched) && !crate::Pack::is_course_quest(id));
    let ordinary = pack.quests.keys().next().expect("a quest");
    assert_eq!(pack.quest(ordinary), pack.quests.get(ordinary));
    assert_eq!(pack.quest(&"unknown".parse().expect("an id")), None);
}

#[test]
fn a_questionnaire_gives_a_level() {
    let (pack, _) = crate::load(&course_with(&[]), &today());
    let pack = pack.expect("a pack");
    let (_, small) = pack.assessments.first_key_value().expect("the questionnaire");
    for (chosen, expected) in [
        ([1, 1, 0, 1, 1].as_slice(), Some(ClientLevel::C1)),
        (&[0, 1, 0, 1, 1], Some(ClientLevel::C2)),
        (&[0, 0, 1, 1, 1], Some(ClientLevel::C4)),
        (&[0, 0, 1, 0, 1], Some(ClientLevel::C5)),
        // Whoever bears no loss stays at C1.
        (&[0, 0, 1, 0, 0], Some(ClientLevel::C1)),
        (&[0, 0, 1, 0], None),
        (&[0, 0, 1, 0, 2], None),
    ] {
        assert_eq!(small.level(chosen), expected, "{chosen:?}");
    }
}

#[test]
fn questionnaires_tell_members_apart() {
    check(&[(SMALL, "id: \"income\"", "id: \"age\"")], &[(ASSESSMENT_QUESTION, "\"age\"")]);
    check(&[(SMALL, "id: \"income\"", "id: \"a/b\"")], &[(ASSESSMENT_QUESTION, "\"a/b\"")]);
    check(&[(SMALL, "(0, 11", "(1, 11")], &[(ASSESSMENT_LEVELS, "(1, 11, 21, 31, 41)")]);
    // Points of an option that holds the level down do not lead to C5.
    let held = (
        SMALL,
        "points: 10),\n                (text: {\"zh-CN\": \"60",
        "points: 10, at_most: C4),\n                (text: {\"zh-CN\": \"60",
    );
    check(&[held], &[(ASSESSMENT_LEVELS, "(0, 11, 21, 31, 41)")]);
    check(&[(SMALL, "per_day: 2", "per_day: 3")], &[(ASSESSMENT_LIMITS, "3")]);
    check(&[(SMALL, "per_year: 8", "per_year: 9")], &[(ASSESSMENT_LIMITS, "9")]);
    check(&[(SMALL, "validity_days: 365", "validity_days: 0")], &[(ASSESSMENT_LIMITS, "0")]);
}
