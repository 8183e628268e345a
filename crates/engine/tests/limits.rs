//! Points from outside where several things meet: runs side by side, months that end, numbers at
//! their limits.

mod town;

use dengmi_core::unit::POINTS_MAX;
use dengmi_core::*;
use town::*;

const SECOND: RunId = RunId::new(BranchId(1), 2);

const PER_RUN: (&str, &str) = (
    "check-in",
    r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(4), caps: [(scope: Member, per: Run, points: 6)])"#,
);

fn quest() -> &'static str {
    r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in"]"#
}

/// Launches the quest once more.
fn launch(town: &mut Town, when: &str, first: &str) {
    let start = day(first);
    let quest = "quest".parse().unwrap();
    let launched = town.one(when, Action::Launch { quest, communities: Vec::new(), start });
    assert_eq!(word(&launched), "ok");
}

fn check_in_to(run: RunId, name: &str) -> Action {
    Action::CheckIn { member: member(name), run, phrase: None, occurred: None }
}

fn kinds(town: &Town) -> Vec<(EntryKind, i64)> {
    town.entries.iter().map(|entry| (entry.kind, entry.points.0)).collect()
}

#[test]
fn runs_side_by_side_have_limits_of_their_own() {
    let mut town = Town::new(&[PER_RUN], quest());
    launch(&mut town, "10-01 08:30", "10-01");
    for (when, balances) in
        [("10-01 09:00", "A 8, B 8"), ("10-02 09:00", "A 12, B 12"), ("10-03 09:00", "A 12, B 12")]
    {
        // In turns: one run's facts lie between the other's.
        let asked = ["A", "B"].map(|who| [run(), SECOND].map(|run| check_in_to(run, who)));
        let outcomes = town.operate(when, asked.concat());
        assert!(outcomes.iter().all(|outcome| word(outcome) == "ok"), "{outcomes:?}");
        assert_eq!(town.balances(), balances, "{when}");
        town.reload();
    }
    let left = town.engine.catalog().runs.into_iter().map(|run| run.budget_left.0);
    let left: Vec<i64> = left.collect();
    assert_eq!(left[0], left[1]);
    let fresh = Town::new(&[PER_RUN], quest()).engine.catalog().runs[0].budget_left.0;
    assert_eq!(fresh - left[0], 12, "two members got six points from each run");
}

#[test]
fn what_has_expired_is_booked_before_anything_else() {
    use EntryKind::{Award, Expiry, Redemption, Reversal};
    for (what, kind) in [("award", Award), ("redeem", Redemption), ("reverse", Reversal)] {
        let mut town = Town::new(&[PER_RUN], quest());
        town.one("10-01 09:00", check_in("A"));
        launch(&mut town, "11-20 08:00", "11-20");
        town.one("11-30 23:59", check_in_to(SECOND, "A"));
        assert_eq!(kinds(&town), [(Award, 4), (Award, 4)], "October's points live to its end");
        // From here on they do not.
        let (when, first) = ("12-01 00:00", town.entries[0]);
        let member = member("A");
        let action = match kind {
            Award => check_in_to(SECOND, "A"),
            Redemption => Action::Redeem { member, points: Points(3), order: 7 },
            _ => {
                let (entry, points, cause) = (first.id, first.points, first.cause);
                Action::Reverse { entry, member, points, cause }
            }
        };
        assert_eq!(word(&town.one(when, action)), "ok", "{what}");
        let booked = &town.entries[2..];
        assert_eq!(
            (booked[0].kind, booked[0].points.0, booked[0].to),
            (Expiry, 4, Account::Expiry)
        );
        assert_eq!(booked[0].from, Account::Member(member));
        assert_eq!(booked[1].kind, kind, "{what}");
        let left = match kind {
            Award => 4 + 2,
            Redemption => 4 - 3,
            // Taken from what there is: November's.
            _ => 0,
        };
        assert_eq!((town.balance("A"), booked.len()), (left, 2), "{what}");
    }
}

#[test]
fn points_are_asked_for_within_their_range() {
    let mut town = Town::new(&[PER_RUN], quest());
    town.one("10-01 09:00", check_in("A"));
    let (first, who) = (town.entries[0], member("A"));
    let redeem = |points| Action::Redeem { member: who, points: Points(points), order: 3 };
    let reverse = |entry, points| {
        let (points, cause) = (Points(points), first.cause);
        Action::Reverse { entry, member: who, points, cause }
    };
    for (minute, (action, answer)) in [
        (redeem(0), "bad-points"),
        (redeem(-1), "bad-points"),
        (redeem(POINTS_MAX.0 + 1), "bad-points"),
        (redeem(POINTS_MAX.0), "not-enough-points"),
        (redeem(5), "not-enough-points"),
        (reverse(first.id, 0), "bad-points"),
        (reverse(first.id, -1), "bad-points"),
        (reverse(first.id, POINTS_MAX.0 + 1), "bad-points"),
        (reverse(0, 4), "not-reversible"),
        (reverse(first.id + 1, 4), "not-reversible"),
        (redeem(4), "ok"),
        (reverse(first.id, 1), "ok"),
        (reverse(first.id + 1, 1), "ok"),
        (redeem(1), "order-booked"),
    ]
    .into_iter()
    .enumerate()
    {
        let when = format!("10-01 10:{minute:02}");
        let asked = format!("{action:?}");
        assert_eq!(word(&town.one(&when, action)), answer, "{asked}");
    }
    use EntryKind::{Award, Redemption, Reversal};
    assert_eq!(kinds(&town), [(Award, 4), (Redemption, 4), (Reversal, 1), (Reversal, 1)]);
    // As many as an entry can move at most can be asked for.
    let mut other = Town::new(&[PER_RUN], quest());
    other.one("10-01 09:00", check_in("A"));
    assert_eq!(word(&other.one("10-01 10:00", reverse(first.id, POINTS_MAX.0))), "ok");
    let house = town.entries.iter().filter(|entry| entry.from == Account::House);
    assert_eq!(house.count(), 2, "what was spent before is borne by the house");
    let ids: Vec<u64> = town.entries.iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
}

#[test]
fn every_rule_has_its_own_budget() {
    let paying = |points: u8| {
        format!(
            r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed({points}), budget: 10, caps: [(scope: Member, per: Run, points: 100)])"#
        )
    };
    let (four, three) = (paying(4), paying(3));
    let quest = r#"days: 30, kind: CheckInStreak(()), rewards: ["check-in", "again"]"#;
    let mut town = Town::new(&[("check-in", &four), ("again", &three)], quest);
    for (when, balance) in [
        ("10-01 09:00", 4 + 3),
        ("10-02 09:00", 8 + 6),
        ("10-03 09:00", 10 + 9),
        ("10-04 09:00", 10 + 10),
        ("10-05 09:00", 10 + 10),
    ] {
        assert_eq!(word(&town.one(when, check_in("A"))), "ok");
        assert_eq!(town.balance("A"), balance, "{when}");
        town.reload();
    }
}

/// A check-in that a channel reports later.
fn late(name: &str, when: &str) -> Action {
    Action::CheckIn { member: member(name), run: run(), phrase: None, occurred: Some(at(when)) }
}

#[test]
fn a_late_report_beside_todays_counts_on_its_own_day() {
    let daily = (
        "check-in",
        r#"(version: 1, from: "2026-01-01", on: CheckedIn, pay: Fixed(4), caps: [(scope: Member, per: Day, points: 4)])"#,
    );
    let mut town = Town::new(&[daily], quest());
    let both = vec![check_in("B"), late("A", "10-03 23:50"), check_in("C")];
    let outcomes = town.operate("10-04 00:30", both);
    assert!(outcomes.iter().all(|outcome| word(outcome) == "ok"), "{outcomes:?}");
    town.one("10-04 09:00", check_in("A"));
    assert_eq!(town.balances(), "A 8, B 4, C 4");
}

#[test]
fn points_of_two_months_booked_together_expire_apart() {
    for reported_first in [true, false] {
        let mut town = Town::new(&[PER_RUN], &quest().replace("days: 30", "days: 60"));
        let mut both = vec![late("A", "10-31 23:50"), check_in("B")];
        if !reported_first {
            both.reverse();
        }
        town.operate("11-01 00:30", both);
        assert_eq!(town.balances(), "A 4, B 4");
        let redeem =
            |name, order| Action::Redeem { member: member(name), points: Points(4), order };
        let spent = town.operate("12-01 00:00", vec![redeem("A", 1), redeem("B", 2)]);
        let words: Vec<_> = spent.iter().map(word).collect();
        assert_eq!(words, ["not-enough-points", "ok"], "{reported_first}");
    }
}
