use crate::checks::testing::{base_with, check_files};
use crate::codes::*;

/// All faults of one file come to light in one pass, each once and each at its place.
#[track_caller]
fn check(path: &str, changes: &[(&str, &str)], expected: &[(Code, &str)]) {
    let changes: Vec<_> = changes.iter().map(|&(from, to)| (path, from, to)).collect();
    check_files(&base_with(&changes), expected);
}

#[test]
fn every_fault_of_a_product_is_reported() {
    check(
        "content/products/wealth/steady.ron",
        &[
            ("class: Wealth", "class: Welth"),
            ("min_fen: 10000", "min_fen: \"10000\""),
            ("confirm_days: 1", "confirm_days: -1"),
            ("cutoff: \"15:00\"", "cutof: \"15:00\""),
            ("low: \"2.0\"", "low: 2.0"),
            ("to: \"2026-06-30\"", "to: \"2026-06-31\""),
            ("(management_ppm: 2000)", "(managment_ppm: 2000, redemption: [(below: 7)])"),
            ("{\"zh-CN\": \"示例·稳盈\"", "{\"zh-cn\": \"示例·稳盈\""),
            ("\"n2\", ", "\"N2\", "),
            ("    source: \"teaching sheet\",\n", ""),
        ],
        &[
            (UNKNOWN_NAME, "Welth"),
            (WRONG_VALUE, "\"10000\""),
            (WRONG_VALUE, "-1"),
            (UNKNOWN_FIELD, "cutof"),
            (MISSING_FIELD, "("), // source
            (MISSING_FIELD, "("), // ppm
            (WRONG_VALUE, "2.0"),
            (WRONG_VALUE, "\"2026-06-31\""),
            (UNKNOWN_FIELD, "managment_ppm"),
            (UNKNOWN_FIELD, "below"),
            (BAD_TEXT, "{\"zh-cn\": \"示例·稳盈\", \"en\": \"Sample Steady\"}"),
            (BAD_ID, "\"N2\""),
        ],
    );
}

#[test]
fn every_faulty_question_is_reported_and_the_others_are_checked() {
    check(
        "content/questions/pages.ron",
        &[
            ("field: lock_up_days", "field: lockup_days"),
            ("{\"zh-CN\": \"180 天\", \"en\": \"180 days\"}", "\"180 天\""),
            ("unit: Percent", "unit: percent"),
            (
                "difficulty: 3,\n            stem: {\"zh-CN\": \"「示例宽基指数」持有",
                "difficulty: 9,\n            stem: {\"zh-CN\": \"「示例宽基指数」持有",
            ),
            ("claim: \"30\"", "claim: 30"),
            ("TrueFalse(answer: FactIs(", "TrueFalse(anwser: FactIs("),
        ],
        &[
            (UNKNOWN_NAME, "lockup_days"),
            (WRONG_VALUE, "\"180 天\""),
            (UNKNOWN_NAME, "percent"),
            (DIFFICULTY, "9"),
            (UNKNOWN_FIELD, "anwser"),
        ],
    );
}

#[test]
fn every_fault_of_a_quest_is_reported() {
    check(
        "quests/quiz.ron",
        &[
            (
                "audience: [InvestorEducation]",
                "audience: [InvestorEducation, Parents, Affinity, Cats]",
            ),
            ("(day: 1, opens: \"09:00\"", "(day: one, opens: \"9 am\""),
            ("(day: 3, opens: \"09:00\"", "(day: 3, opens: \"9:00\""),
            ("max: 2, counts: Highest", "max: 2000, counts: Best"),
            ("Linear(floor: 500000)", "Linear(floor: half)"),
            ("budget_fen: 3000", "budget_fen: 30.00"),
        ],
        &[
            (UNKNOWN_NAME, "Parents"),
            (UNKNOWN_NAME, "Cats"),
            (WRONG_VALUE, "one"),
            (WRONG_VALUE, "\"9 am\""),
            (WRONG_VALUE, "\"9:00\""),
            (WRONG_VALUE, "2000"),
            (UNKNOWN_NAME, "Best"),
            (WRONG_VALUE, "half"),
            (WRONG_VALUE, "30.00"),
        ],
    );
}

#[test]
fn faults_of_punctuation_do_not_hide_the_others() {
    check(
        "quests/streak.ron",
        &[
            ("days: 7,", "days：7"),
            ("purpose: Education,", "purpose: Education，"),
            ("members_max: 100", "members_max: many"),
            ("budget_fen: 1400", "budget_fen = 1400"),
            ("    notices", "    days: 9,\n    notices"),
            ("CheckInStreak((", "CheckInStreak(("),
            ("comeback_after: 1,", "comeback_after: [1],"),
        ],
        &[
            (FULL_WIDTH, "："),
            (SYNTAX, "7"),
            (FULL_WIDTH, "，"),
            (WRONG_VALUE, "many"),
            (SYNTAX, "="),
            (FIELD_TWICE, "days"),
            (WRONG_VALUE, "[1]"),
        ],
    );
}

#[test]
fn single_brackets_are_understood() {
    check(
        "quests/streak.ron",
        &[("CheckInStreak((", "CheckInStreak("), ("\n    )),", "\n    ),"), ("max: 2", "max: x")],
        &[(WRONG_VALUE, "CheckInStreak"), (WRONG_VALUE, "x")],
    );
}

/// As an input method writes them: three bytes each.
#[test]
fn full_width_brackets_are_read_as_brackets() {
    check(
        "quests/streak.ron",
        &[("CheckInStreak((", "CheckInStreak（"), ("\n    )),", "\n    ）,"), ("max: 2", "max: x")],
        &[
            (WRONG_VALUE, "CheckInStreak"),
            (FULL_WIDTH, "（"),
            (WRONG_VALUE, "x"),
            (FULL_WIDTH, "）"),
        ],
    );
    check(
        "content/products/wealth/steady.ron",
        &[("(management_ppm: 2000)", "（management_ppm: 2000, redemption: [（below_days: 7)]）")],
        &[(FULL_WIDTH, "（"), (FULL_WIDTH, "（"), (MISSING_FIELD, "（"), (FULL_WIDTH, "）")],
    );
}
