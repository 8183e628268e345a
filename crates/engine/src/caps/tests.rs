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
        let mut members = vec![CapUse::default(); 4];
        let (mut group, mut bank, mut run) = (CapUse::default(), BankCaps::default(), run(budget));
        let mut weeks = WeekCache::default();
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
            let mut limits = Limits {
                member: &mut members[who],
                group: Some(&mut group),
                bank: &mut bank,
                run: &mut run,
                branches,
            };
            let cut = limits.cut(&rule, wanted, Day(day), &mut weeks);
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
    let (mut member, mut bank, mut run) = (CapUse::default(), BankCaps::default(), run(i64::MAX));
    let mut weeks = WeekCache::default();
    let mut limits =
        Limits { member: &mut member, group: None, bank: &mut bank, run: &mut run, branches: 1 };
    let paid = [1_000_000_000; 10]
        .map(|wanted| limits.cut(&rule, wanted, Day(1), &mut weeks).points)
        .iter()
        .sum::<i64>();
    assert_eq!(paid, limit);
}

#[test]
fn a_late_day_counts_against_the_open_one() {
    let mut used = CapUse::default();
    used.counter(1, CapPeriod::Day, 10).points = 4;
    assert_eq!(used.counter(1, CapPeriod::Day, 9).points, 4);
    assert_eq!(used.counter(1, CapPeriod::Day, 11).points, 0);
    used.counter(1, CapPeriod::Run, 1).points = 7;
    used.counter(1, CapPeriod::Run, 2).points = 8;
    used.forget_run(1);
    assert_eq!(used.counter(1, CapPeriod::Run, 1).points, 0);
    assert_eq!(used.counter(1, CapPeriod::Run, 2).points, 8);
}
