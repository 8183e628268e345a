use dengmi_content::model::community::CommunityKind;
use dengmi_core::view::MemberStatus;
use dengmi_core::{
    BranchId, Calendar, CommunityId, Digest, MemberId, PostId, Ppm, RoundId, RunId, Timestamp,
};

use super::*;

fn member() -> Member {
    Member {
        community: 1,
        kind: CommunityKind::Payroll,
        status: MemberStatus::Active,
        joined_at: Timestamp(0),
        joined: Day(20_000),
        consents: [1; 4],
        tags: 0,
        show: true,
    }
}

fn run() -> Run {
    Run {
        seq: 1,
        quest: "quest".parse().unwrap(),
        pack: Digest::default(),
        communities: Vec::new(),
        first: Day(20_000),
        last: Day(20_010),
        calendar: Calendar::default(),
        ended: None,
        budget_left: 1_000,
    }
}

fn fact(kind: FactKind) -> Fact {
    let branch = BranchId(1);
    Fact {
        member: MemberId::new(branch, 1),
        community: CommunityId::new(branch, 1),
        run: RunId::new(branch, 1),
        // Sunday 2024-10-06, the third day of the run.
        day: Day(20_002),
        at: Timestamp(1),
        kind,
    }
}

fn checked(streak: u16) -> FactKind {
    FactKind::CheckedIn { streak, total: streak + 1, comeback: streak == 1, made_up: streak == 9 }
}

fn answered(right: bool) -> FactKind {
    let round = RoundId::new(BranchId(1), 1);
    FactKind::Answered { round, question: 0, right, score: Ppm(500_000), revision: 0 }
}

fn completed(right: u8) -> FactKind {
    let round = RoundId::new(BranchId(1), 1);
    FactKind::RoundCompleted { round, right, questions: 3, revision: 0 }
}

fn commented(answered: bool, again: bool) -> FactKind {
    FactKind::Commented { post: PostId::new(BranchId(1), 1), answered, again }
}

#[track_caller]
fn check(kind: FactKind, when: &str, expected: bool) {
    let when: Condition = ron::from_str(when).unwrap();
    let (fact, member, run, people) = (fact(kind), member(), run(), People::default());
    let case = Case { fact: &fact, member: &member, run: &run, people: &people };
    assert_eq!(case.holds(&when), expected, "{when:?}");
}

#[test]
fn conditions_mean_what_they_say() {
    check(checked(7), "Always", true);
    check(checked(7), "StreakIs(7)", true);
    check(checked(8), "StreakIs(7)", false);
    check(checked(8), "StreakAtLeast(7)", true);
    check(checked(14), "StreakEvery(7)", true);
    check(checked(15), "StreakEvery(7)", false);
    check(checked(15), "StreakEvery(0)", false);
    check(checked(6), "TotalIs(7)", true);
    check(checked(1), "Comeback", true);
    check(checked(9), "MadeUp", true);
    check(checked(7), "All([StreakIs(7), Not(MadeUp), Weekend])", true);
    check(checked(7), "All([])", true);
    check(checked(7), "Any([])", false);
    check(checked(7), "Any([StreakIs(1), RunDay(3)])", true);
    check(checked(7), "RunDay(2)", false);
    check(checked(7), "InGroup(Payroll)", true);
    check(checked(7), "InGroup(Managed)", false);
    check(checked(7), "HasTag(\"vip\")", false);
    check(checked(7), "NewMember(days: 2)", true);
    check(checked(7), "NewMember(days: 1)", false);
    check(checked(7), "Between(\"2024-10-07\", \"2024-10-09\")", false);
    check(checked(7), "Between(\"2024-10-01\", \"2024-12-31\")", true);
    check(answered(true), "Right", true);
    check(answered(false), "Right", false);
    check(completed(3), "AllRight", true);
    check(completed(2), "AllRight", false);
    check(completed(2), "RightAtLeast(2)", true);
    check(commented(true, false), "AnsweredInComment", true);
    check(checked(7), "AnsweredInComment", false);
}

#[track_caller]
fn check_pay(kind: FactKind, when: &str, pay: &str, from: &str, expected: Option<i64>) {
    let text = format!(r#"(version: 1, from: "{from}", on: CheckedIn, when: {when}, pay: {pay})"#);
    let version: RuleVersion = ron::from_str(&text).unwrap();
    let rule = Rule::compile(1, &version);
    let (fact, member, run, people) = (fact(kind), member(), run(), People::default());
    assert_eq!(
        rule.pays(&Case { fact: &fact, member: &member, run: &run, people: &people }),
        expected
    );
}

#[test]
fn rules_pay_by_what_happened() {
    check_pay(checked(1), "Always", "Fixed(5)", "2024-01-01", Some(5));
    check_pay(checked(1), "Always", "Fixed(5)", "2025-01-01", None);
    check_pay(answered(true), "Always", "Scored(9)", "2024-01-01", Some(4));
    check_pay(checked(1), "Always", "Scored(9)", "2024-01-01", None);
    check_pay(completed(2), "Always", "PerRight(3)", "2024-01-01", Some(6));
    check_pay(completed(0), "Always", "PerRight(3)", "2024-01-01", None);
    // An answer that comes after its comment pays only what needs the answer.
    check_pay(commented(true, true), "AnsweredInComment", "Fixed(20)", "2024-01-01", Some(20));
    check_pay(
        commented(true, true),
        "Any([AnsweredInComment, Weekend])",
        "Fixed(20)",
        "2024-01-01",
        None,
    );
    check_pay(commented(true, true), "Always", "Fixed(2)", "2024-01-01", None);
    check_pay(commented(false, false), "Always", "Fixed(2)", "2024-01-01", Some(2));
}
