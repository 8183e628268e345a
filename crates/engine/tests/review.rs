//! Findings.
mod town;
use dengmi_core::command::{Choice, Key, Reaction};
use dengmi_core::text::FoldedHash;
use dengmi_core::view::board::BoardKey;
use dengmi_core::*;
use town::*;

const ANSWERED: (&str, &str) = ("answered", r#"(version: 1, from: "2026-01-01", on: Answered, when: Right, pay: Fixed(10), caps: [(scope: Member, per: Run, points: 100)])"#);
const CHECK_IN: (&str, &str) = ("check-in", r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(1), caps: [(scope: Member, per: Day, points: 1)])"#);

fn quiz(rules: &str, days: u16) -> String {
    format!(r#"days: {days}, kind: QuizSeries((rounds: [
        (day: 1, opens: "09:00", closes: "21:00", questions: ["sums/even", "sums/plus", "sums/prime"]),
    ], {rules})), rewards: ["answered"]"#)
}
fn keys(town: &Town) {
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
fn absurd_occurred() {
    let mut town = Town::new(&[CHECK_IN], r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in"]"#);
    let a = Action::CheckIn { member: member("A"), run: run(), phrase: None, occurred: Some(Timestamp(i64::MIN)) };
    assert_eq!(word(&town.one("10-01 09:00", a)), "too-late");
}
#[test]
fn settle_and_correct_in_one_batch() {
    let mut town = Town::new(&[ANSWERED], &quiz("", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false), even(&town, "B", true)];
    town.operate("10-01 09:01", a);
    town.one("10-01 21:30", correct(Key::One(1)));
    keys(&town);
    assert_eq!(town.balances(), "B 10");
}
#[test]
fn correct_twice_in_one_batch() {
    let mut town = Town::new(&[ANSWERED], &quiz("", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false), even(&town, "B", true)];
    town.operate("10-01 09:01", a);
    town.operate("10-01 21:30", vec![]);
    assert_eq!(town.balances(), "A 10");
    town.operate("10-01 21:31", vec![correct(Key::One(1)), correct(Key::One(0))]);
    keys(&town);
    assert_eq!(town.balances(), "A 10");
}
const LIKES: &str = r#"days: 7, kind: MomentsChallenge((sender_role: LicensedStaff, card: {"zh-CN": "利滚利叫什么?"},
    question: "sums/word", window_hours: 48, posts_per_day: 2)), rewards: [REWARDS]"#;
fn com(name: &'static str, when: &str) -> (&'static str, String) {
    (name, format!(r#"(version: 1, from: "2026-01-01", on: Commented, when: {when}, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)])"#))
}
fn moments(rules: &[(&str, &str)], rewards: &str) -> Town {
    let mut town = Town::new(rules, &LIKES.replace("REWARDS", rewards));
    town.one("10-01 09:00", Action::Publish { run: run(), manager: manager() });
    town
}
#[test]
fn undone_in_the_same_batch() {
    let c = com("c1", "Always");
    let mut town = moments(&[(c.0, &c.1)], r#""c1""#);
    town.operate("10-01 10:00", vec![react("A", post(1), Reaction::Comment(None)), react("A", post(1), Reaction::Uncomment)]);
    assert_eq!(town.balances(), "");
}
#[test]
fn undone_takes_back_all() {
    let c = [com("c1", "Always"), com("c2", "Always"), com("c3", "Always")];
    let rules: Vec<_> = c.iter().map(|c| (c.0, c.1.as_str())).collect();
    let mut town = moments(&rules, r#""c1", "c2", "c3""#);
    town.one("10-01 10:00", react("A", post(1), Reaction::Comment(None)));
    assert_eq!(town.balances(), "A 6");
    town.one("10-01 10:01", react("A", post(1), Reaction::Uncomment));
    assert_eq!(town.balances(), "");
}
#[test]
fn version_change_between_comment_and_text() {
    let two = r#"(version: 1, from: "2026-01-01", to: "2026-10-01", on: Commented, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)]),
        (version: 2, from: "2026-10-02", on: Commented, when: AnsweredInComment, pay: Fixed(2), caps: [(scope: Member, per: Week, points: 40)])"#;
    let mut town = moments(&[("c1", two)], r#""c1""#);
    town.one("10-01 10:00", react("A", post(1), Reaction::Comment(None)));
    town.one("10-02 08:00", react("A", post(1), Reaction::Comment(Some(FoldedHash::of("复利")))));
    keys(&town);
}
#[test]
fn boards_with_no_correction() {
    let mut town = Town::new(&[ANSWERED], &quiz("correction_days: 0", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false)];
    town.operate("10-01 09:01", a);
    for t in ["10-01 21:00", "10-01 21:01", "10-01 21:02"] { town.operate(t, vec![]); }
    assert!(town.closed.iter().any(|b| matches!(b.key, BoardKey::Round(_))), "{:?}", town.closed);
}
#[test]
fn stop_board() {
    let mut town = Town::new(&[ANSWERED], &quiz("", 3));
    town.operate("10-01 09:00", vec![]);
    let a = vec![even(&town, "A", false)];
    town.operate("10-01 09:01", a);
    town.one("10-01 10:00", Action::Stop { run: run() });
    assert_eq!(town.balances(), "A 10");
    town.operate("10-01 10:01", vec![]);
    assert!(town.closed.iter().any(|b| matches!(b.key, BoardKey::Run(_))), "{:?}", town.closed);
}
#[test]
fn extra_time_past_the_run() {
    let mut town = Town::new(&[ANSWERED], &quiz("", 1));
    town.operate("10-01 09:00", vec![]);
    town.one("10-01 20:00", Action::GrantTime { member: member("A"), round: round(1), seconds: 86_400 });
    town.operate("10-02 03:00", vec![]);
    let a = even(&town, "A", false);
    assert_eq!(word(&town.one("10-02 09:00", a)), "ok");
    town.operate("10-03 03:00", vec![]);
    assert_eq!(town.balances(), "A 10");
}
#[test]
fn caps_beyond_i32() {
    let huge = ("check-in", r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(10000), caps: [(scope: Member, per: Day, points: 10000), (scope: Bank, per: Run, points: 9000000000)])"#);
    let _ = huge;
}
#[test]
fn repair_then_fill() {
    let mut town = Town::new(&[CHECK_IN], r#"days: 30, kind: CheckInStreak((make_ups: (per_run: 2, within_days: 3))), rewards: ["check-in"]"#);
    town.one("10-01 09:00", check_in("A"));
    town.one("10-09 08:00", Action::RepairStreak { member: member("A"), run: run(), days: 20, reason: dengmi_core::command::RepairReason::Hardship });
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
fn erased_is_off_boards() {
    let mut town = Town::new(&[CHECK_IN], r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in"]"#);
    town.operate("10-01 09:00", vec![check_in("A"), check_in("B")]);
    town.one("10-01 10:00", Action::Erase { member: member("A") });
    town.operate("10-02 00:00", vec![]);
    let rows: Vec<_> = town.closed.iter().flat_map(|b| &b.rows).map(|r| r.member.seq).collect();
    assert_eq!(rows, [2]);
    assert_eq!(town.engine.run_scores(run()).unwrap().1.len(), 1);
}
#[test]
fn undo_without_reaction_changes_nothing() {
    let c = com("c1", "Always");
    let mut town = moments(&[(c.0, &c.1)], r#""c1""#);
    let before = town.engine.save().len();
    town.one("10-01 10:00", react("A", post(1), Reaction::Unlike));
    assert_eq!(town.engine.save().len(), before);
}
