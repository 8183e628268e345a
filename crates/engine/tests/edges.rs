//! Where features meet: several commands in one batch, ends that fall together, what is undone.

mod town;

use dengmi_core::command::{Choice, Key, Reaction};
use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::BoardKey;
use dengmi_core::*;
use town::*;

const ANSWERED: (&str, &str) = (
    "answered",
    r#"(version: 1, from: "2026-01-01", on: Answered, when: Right, pay: Fixed(10), caps: [(scope: Member, per: Run, points: 100)])"#,
);
const CHECK_IN: (&str, &str) = (
    "check-in",
    r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(1), caps: [(scope: Member, per: Day, points: 1)])"#,
);

fn quiz_quest(rules: &str, days: u16) -> String {
    format!(
        r#"days: {days}, kind: QuizSeries((rounds: [
        (day: 1, opens: "09:00", closes: "21:00", questions: ["sums/even", "sums/plus", "sums/prime"]),
    ], {rules})), rewards: ["answered"]"#
    )
}
fn no_award_twice(town: &Town) {
    let mut seen = std::collections::BTreeSet::new();
    for e in town.entries.iter().filter(|e| e.kind == EntryKind::Award) {
        let rule = town.engine.rule_id(e.rule.unwrap().code).unwrap().to_string();
        assert!(seen.insert((rule, e.cause, e.to)), "twice: {e:?}");
    }
}
fn even(town: &Town, who: &str, wrong: bool) -> Action {
    town.answer(who, round(1), 0, Choice::One(u8::from(wrong)))
}
fn correct(key: Key) -> Action {
    Action::CorrectKey { round: round(1), question: 0, key, dry_run: false }
}

#[test]
fn an_absurd_time_is_too_late() {
    let mut town =
        Town::new(&[CHECK_IN], r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in"]"#);
    let a = Action::CheckIn {
        member: member("A"),
        run: run(),
        phrase: None,
        occurred: Some(Timestamp(i64::MIN)),
    };
    assert_eq!(word(&town.one("10-01 09:00", a)), "too-late");
}
#[test]
fn a_key_corrected_in_the_batch_of_the_close_pays_once() {
    let mut town = Town::new(&[ANSWERED], &quiz_quest("", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false), even(&town, "B", true)];
    town.operate("10-01 09:01", a);
    town.one("10-01 21:30", correct(Key::One(1)));
    no_award_twice(&town);
    assert_eq!(town.balances(), "B 10");
}
#[test]
fn a_key_corrected_twice_in_one_batch_pays_once() {
    let mut town = Town::new(&[ANSWERED], &quiz_quest("", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false), even(&town, "B", true)];
    town.operate("10-01 09:01", a);
    town.operate("10-01 21:30", vec![]);
    assert_eq!(town.balances(), "A 10");
    town.operate("10-01 21:31", vec![correct(Key::One(1)), correct(Key::One(0))]);
    no_award_twice(&town);
    assert_eq!(town.balances(), "A 10");
}
const MOMENTS: &str = r#"days: 7, kind: MomentsChallenge((sender_role: LicensedStaff, card: {"zh-CN": "利滚利叫什么?"},
    question: "sums/word", window_hours: 48, posts_per_day: 2)), rewards: [REWARDS]"#;
fn commented(name: &'static str, when: &str) -> (&'static str, String) {
    (
        name,
        format!(
            r#"(version: 1, from: "2026-01-01", on: Commented, when: {when}, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)])"#
        ),
    )
}
fn moments(rules: &[(&str, &str)], rewards: &str) -> Town {
    let mut town = Town::new(rules, &MOMENTS.replace("REWARDS", rewards));
    town.one("10-01 09:00", Action::Publish { run: run(), manager: manager() });
    town
}
#[test]
fn what_is_undone_in_the_same_batch_earns_nothing() {
    let c = commented("c1", "Always");
    let mut town = moments(&[(c.0, &c.1)], r#""c1""#);
    town.operate(
        "10-01 10:00",
        vec![
            react("A", post(1), Reaction::Comment(None)),
            react("A", post(1), Reaction::Uncomment),
        ],
    );
    assert_eq!(town.balances(), "");
}
#[test]
fn undoing_takes_back_what_every_rule_paid() {
    let c = [commented("c1", "Always"), commented("c2", "Always"), commented("c3", "Always")];
    let rules: Vec<_> = c.iter().map(|c| (c.0, c.1.as_str())).collect();
    let mut town = moments(&rules, r#""c1", "c2", "c3""#);
    town.one("10-01 10:00", react("A", post(1), Reaction::Comment(None)));
    assert_eq!(town.balances(), "A 6");
    town.one("10-01 10:01", react("A", post(1), Reaction::Uncomment));
    assert_eq!(town.balances(), "");
}
#[test]
fn a_late_answer_counts_under_the_version_of_its_comment() {
    let two = r#"(version: 1, from: "2026-01-01", to: "2026-10-01", on: Commented, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)]),
        (version: 2, from: "2026-10-02", on: Commented, when: AnsweredInComment, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)])"#;
    let mut town = moments(&[("c1", two)], r#""c1""#);
    town.one("10-01 10:00", react("A", post(1), Reaction::Comment(None)));
    town.one("10-02 08:00", react("A", post(1), Reaction::Comment(Some(FoldedHash::of("复利")))));
    no_award_twice(&town);
}
#[test]
fn a_round_without_corrections_leaves_its_standing() {
    let mut town = Town::new(&[ANSWERED], &quiz_quest("correction_days: 0", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false)];
    town.operate("10-01 09:01", a);
    for t in ["10-01 21:00", "10-01 21:01", "10-01 21:02"] {
        town.operate(t, vec![]);
    }
    assert!(town.closed.iter().any(|b| matches!(b.key, BoardKey::Round(_))), "{:?}", town.closed);
}
#[test]
fn a_stopped_run_leaves_its_standing() {
    let mut town = Town::new(&[ANSWERED], &quiz_quest("", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false)];
    town.operate("10-01 09:01", a);
    town.one("10-01 10:00", Action::Stop { run: run() });
    assert_eq!(town.balances(), "A 10");
    town.operate("10-01 10:01", vec![]);
    let run = town.closed.iter().find(|b| matches!(b.key, BoardKey::Run(_))).unwrap();
    assert_eq!(run.rows.iter().map(|row| row.points).collect::<Vec<_>>(), [10]);
}
#[test]
fn extra_time_may_reach_beyond_the_run() {
    let mut town = Town::new(&[ANSWERED], &quiz_quest("", 1));
    town.operate("10-01 09:00", vec![]);
    town.one(
        "10-01 20:00",
        Action::GrantTime { member: member("A"), round: round(1), seconds: 86_400 },
    );
    town.operate("10-02 03:00", vec![]);
    let a = even(&town, "A", false);
    assert_eq!(word(&town.one("10-02 09:00", a)), "ok");
    town.operate("10-03 03:00", vec![]);
    assert_eq!(town.balances(), "A 10");
}
#[test]
fn a_filled_gap_keeps_what_was_repaired() {
    let mut town = Town::new(
        &[CHECK_IN],
        r#"days: 30, kind: CheckInStreak((make_ups: (per_run: 2, within_days: 3))), rewards: ["check-in"]"#,
    );
    town.one("10-01 09:00", check_in("A"));
    town.one(
        "10-09 08:00",
        Action::RepairStreak {
            member: member("A"),
            run: run(),
            days: 20,
            reason: dengmi_core::command::RepairReason::Hardship,
        },
    );
    town.one("10-09 09:00", check_in("A"));
    let m = |d: &str| Action::MakeUp { member: member("A"), run: run(), day: day(d) };
    town.one("10-09 10:00", m("10-08"));
    let len = |town: &Town| town.engine.member_card(member("A")).unwrap().streaks[0].1.length;
    assert_eq!(len(&town), 21);
    town.one("10-11 09:00", check_in("A"));
    assert_eq!(len(&town), 1);
    town.one("10-11 10:00", m("10-10"));
    assert_eq!(len(&town), 23);
}
#[test]
fn whose_data_was_erased_is_on_no_standing() {
    let mut town =
        Town::new(&[CHECK_IN], r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in"]"#);
    town.operate("10-01 09:00", vec![check_in("A"), check_in("B")]);
    town.one("10-01 10:00", Action::Erase { member: member("A") });
    town.operate("10-02 00:00", vec![]);
    let rows: Vec<_> = town.closed.iter().flat_map(|b| &b.rows).map(|r| r.member.seq).collect();
    assert_eq!(rows, [2]);
    assert_eq!(town.engine.run_scores(run()).unwrap().1.len(), 1);
}
#[test]
fn undoing_what_was_not_done_changes_nothing() {
    let c = commented("c1", "Always");
    let mut town = moments(&[(c.0, &c.1)], r#""c1""#);
    let before = town.engine.save().len();
    town.one("10-01 10:00", react("A", post(1), Reaction::Unlike));
    assert_eq!(town.engine.save().len(), before);
}

#[test]
fn a_rule_listed_under_an_earlier_id_too_pays_once() {
    let text = CHECK_IN.1.replace("per: Day, points: 1", "per: Day, points: 9");
    let quest = r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in", "old-check-in"]"#;
    let mut town = Town::with_renamed(("check-in", &text), "old-check-in", quest);
    town.one("10-01 09:00", check_in("A"));
    no_award_twice(&town);
    assert_eq!(town.balances(), "A 1");
}

#[test]
fn a_correction_gives_back_to_the_group_that_counted() {
    let rule = (
        "answered",
        r#"(version: 1, from: "2026-01-01", on: Answered, when: Right, pay: Fixed(10),
            caps: [(scope: Community, per: Day, points: 10), (scope: Member, per: Run, points: 100)])"#,
    );
    let mut town = Town::new(&[rule], &quiz_quest("", 3));
    town.operate("10-01 09:00", vec![]);
    let answers = vec![even(&town, "A", false), even(&town, "C", false), even(&town, "D", true)];
    town.operate("10-01 09:01", answers);
    town.operate("10-01 21:30", vec![]);
    assert_eq!(town.balances(), "A 10, C 10");
    // A takes nothing along: group 2 has spent its ten points on C, and stays within them.
    town.one("10-01 21:31", Action::Move { member: member("A"), to: community(2) });
    town.one("10-01 21:32", correct(Key::One(1)));
    assert_eq!(town.balances(), "D 10");
}

#[test]
fn a_round_lasts_as_long_as_it_is_written() {
    let early = quiz_quest("", 3).replace("09:00", "03:00").replace("21:00", "05:00");
    let mut town = Town::with_day_start(240, &[ANSWERED], &early);
    // The group's day begins at 04:00, so 03:00 of the first day is on the next date.
    town.operate("10-02 03:00", vec![]);
    let view = &town.engine.catalog().rounds[0];
    assert_eq!((view.opens, view.closes), (at("10-02 03:00"), at("10-02 05:00")));
}
