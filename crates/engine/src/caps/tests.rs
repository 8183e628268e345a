use dengmi_content::model::reward::{CapPeriod, CapScope};
use dengmi_core::Points;
use dengmi_core::ledger::RuleRef;
use proptest::prelude::*;

use super::*;

fn run(budget: i64) -> Run {
    Run {
        seq: 1,
        quest: "quest".parse().unwrap(),
        pack: dengmi_core::Digest::default(),
        communities: Vec::new(),
        first: Day(0),
        last: Day(100),
        calendar: dengmi_core::Calendar::default(),
        ended: None,
        budget_left: budget,
    }
}

proptest! {
    /// Random rewards against independently kept sums: no cap, no budget is ever passed, and
    /// nothing is withheld that every limit would have allowed.
    #[test]
    fn no_limit_is_ever_passed(
        rewards in proptest::collection::vec((0usize..4, 0i32..20, 1i64..30), 1..120),
        day_cap in 1i64..60, week_cap in 1i64..100, group_cap in 1i64..200, bank_cap in 3i64..400,
        budget in 1i64..500, rule_budget in 1i64..500, branches in 1i64..4,
    ) {
        let cap = |scope, per, points| Cap { scope, per, points: Points(points) };
        let rule = Rule::limited(
            RuleRef { code: 3, version: 1 },
            vec![
                cap(CapScope::Member, CapPeriod::Day, day_cap),
                cap(CapScope::Member, CapPeriod::Week, week_cap),
                cap(CapScope::Community, CapPeriod::Day, group_cap),
                cap(CapScope::Bank, CapPeriod::Run, bank_cap),
            ],
            Some(rule_budget),
        );
        let (mut used, mut run) = (CapUse::default(), run(budget));
        let mut paid: Vec<(usize, i32, i64)> = Vec::new();
        // Days arrive in order, as the batches of a branch do.
        let mut rewards = rewards;
        rewards.sort_by_key(|(_, day, _)| *day);
        for (who, day, wanted) in rewards {
            let sum = |keep: &dyn Fn(&(usize, i32, i64)) -> bool| {
                paid.iter().filter(|row| keep(row)).map(|row| row.2).sum::<i64>()
            };
            let week = |day: i32| Period::containing(PeriodKind::Week, Day(day)).first;
            let left = [
                wanted,
                day_cap - sum(&|row| row.0 == who && row.1 == day),
                week_cap - sum(&|row| row.0 == who && week(row.1) == week(day)),
                group_cap - sum(&|row| row.1 == day),
                bank_cap / branches - sum(&|_| true),
                budget - sum(&|_| true),
                rule_budget - sum(&|_| true),
            ];
            let periods = Periods::of(Day(day));
            let subject = Subject { member: who as u32 + 1, group: Some(1), periods };
            let mut limits = Limits::of(&rule, 1, branches, &mut used);
            let cut = limits.cut(wanted, subject, &mut used.meters, &mut run);
            limits.settle(&rule, &mut used);
            prop_assert_eq!(cut.points, left.into_iter().min().unwrap().max(0));
            paid.push((who, day, cut.points));
        }
    }
}

#[test]
fn a_large_limit_counts_beyond_32_bits() {
    let limit = 9_000_000_000;
    let cap = Cap { scope: CapScope::Bank, per: CapPeriod::Run, points: Points(limit) };
    let rule = Rule::limited(RuleRef { code: 1, version: 1 }, vec![cap], None);
    let (mut used, mut run) = (CapUse::default(), run(i64::MAX));
    let mut limits = Limits::of(&rule, 1, 1, &mut used);
    let who = Subject { member: 1, group: None, periods: Periods::of(Day(1)) };
    let paid = [1_000_000_000; 10]
        .map(|wanted| limits.cut(wanted, who, &mut used.meters, &mut run).points)
        .iter()
        .sum::<i64>();
    assert_eq!(paid, limit);
}

fn meter(scope: CapScope, per: CapPeriod, run: u32) -> Meter {
    Meter::of(&Cap { scope, per, points: Points(9) }, 1, run)
}

#[test]
fn a_late_day_counts_against_the_open_one() {
    for scope in [CapScope::Member, CapScope::Community] {
        let mut used = Meters::default();
        let days = used.table(meter(scope, CapPeriod::Day, 1));
        assert_eq!((used.add(days, 2, 10, 4), used.used(days, 2, 9)), (4, 4));
        assert_eq!((used.used(days, 2, 11), used.used(days, 3, 10)), (0, 0));
        assert_eq!((used.add(days, 2, 9, 1), used.add(days, 2, 11, 2)), (5, 2));
        used.give_back(days, 2, 10, 1);
        assert_eq!(used.used(days, 2, 11), 2, "what an earlier day counted is over");
        used.give_back(days, 2, 11, 5);
        assert_eq!(used.used(days, 2, 11), 0);
        assert_eq!((used.add(days, 5, -3, 4), used.used(days, 5, -2)), (4, 0));
    }
}

#[test]
fn a_forgotten_run_takes_its_counters_along() {
    let mut used = Meters::default();
    let [day, first, second] = [(CapPeriod::Day, 1), (CapPeriod::Run, 1), (CapPeriod::Run, 2)]
        .map(|(per, run)| meter(CapScope::Member, per, run));
    for (meter, points) in [(second, 8), (first, 7), (day, 3)] {
        let table = used.table(meter);
        used.add(table, 4, 0, points);
    }
    used.forget_run(1);
    for (meter, points) in [(first, 0), (second, 8), (day, 3)] {
        let table = used.table(meter);
        assert_eq!(used.used(table, 4, 0), points);
    }
}

#[test]
fn what_is_counted_survives_a_restart() {
    let mut used = Meters::default();
    for (scope, number) in [(CapScope::Bank, 0), (CapScope::Member, 900), (CapScope::Community, 3)]
    {
        let table = used.table(meter(scope, CapPeriod::Run, 6));
        used.add(table, number, 0, 5);
        used.table(meter(scope, CapPeriod::Week, 6));
    }
    let bytes = postcard::to_stdvec(&used).unwrap();
    let back: Meters = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(postcard::to_stdvec(&back).unwrap(), bytes);
    for (members, groups, right) in [(900, 3, true), (899, 3, false), (900, 2, false)] {
        assert_eq!(back.count_within(members, groups), right, "{members} {groups}");
    }
}

#[test]
fn what_is_given_back_can_be_used_again() {
    for (scope, per) in [
        (CapScope::Member, CapPeriod::Day),
        (CapScope::Member, CapPeriod::Run),
        (CapScope::Community, CapPeriod::Day),
        (CapScope::Bank, CapPeriod::Week),
    ] {
        let mut used = Meters::default();
        let table = used.table(meter(scope, per, 3));
        assert_eq!((used.add(table, 7, 20, 9), used.add(table, 7, 20, 2)), (9, 11));
        for (points, left) in [(4, 7), (1, 6), (7, 0)] {
            used.give_back(table, 7, 20, points);
            assert_eq!(used.used(table, 7, 20), left, "{scope:?} {per:?}");
        }
        used.give_back(table, 8, 20, 4);
        assert_eq!(used.used(table, 8, 20), 0, "who counted nothing gets nothing");
    }
}

/// Four points are wanted again and again; whether a limit that concerns others too was met.
#[track_caller]
fn check_met(budget: i64, rule_budget: i64, scope: CapScope, points: i64, expected: &[bool]) {
    let cap = Cap { scope, per: CapPeriod::Run, points: Points(points) };
    let rule = Rule::limited(RuleRef { code: 1, version: 1 }, vec![cap], Some(rule_budget));
    let (mut used, mut run) = (CapUse::default(), run(budget));
    let mut limits = Limits::of(&rule, 1, 1, &mut used);
    let who = Subject { member: 1, group: Some(1), periods: Periods::of(Day(1)) };
    let met: Vec<bool> =
        expected.iter().map(|_| limits.cut(4, who, &mut used.meters, &mut run).exhausted).collect();
    assert_eq!(met, expected, "{budget} {rule_budget} {scope:?} {points}");
}

#[test]
fn a_limit_is_said_to_be_met_once() {
    let (third, second, never) =
        ([false, false, true, false], [false, true, false, false], [false; 4]);
    check_met(10, 99, CapScope::Community, 99, &third);
    check_met(99, 10, CapScope::Community, 99, &third);
    check_met(99, 99, CapScope::Community, 8, &second);
    check_met(99, 99, CapScope::Bank, 8, &second);
    check_met(99, 99, CapScope::Member, 8, &never);
}

#[test]
fn a_refund_makes_room_in_every_limit() {
    for (budget, rule_budget, points) in [(10, 99, 99), (99, 10, 99), (99, 99, 10)] {
        let cap = Cap { scope: CapScope::Member, per: CapPeriod::Run, points: Points(points) };
        let rule = Rule::limited(RuleRef { code: 1, version: 1 }, vec![cap], Some(rule_budget));
        let (mut used, mut run) = (CapUse::default(), run(budget));
        let who = Subject { member: 1, group: Some(1), periods: Periods::of(Day(1)) };
        let mut limits = Limits::of(&rule, 1, 1, &mut used);
        assert_eq!(limits.cut(9, who, &mut used.meters, &mut run).points, 9);
        limits.refund(4, who, &mut used.meters, &mut run);
        assert_eq!(limits.cut(9, who, &mut used.meters, &mut run).points, 5);
        limits.settle(&rule, &mut used);
        let mut again = Limits::of(&rule, 1, 1, &mut used);
        assert_eq!(again.cut(9, who, &mut used.meters, &mut run).points, 0, "all ten are paid");
    }
}
