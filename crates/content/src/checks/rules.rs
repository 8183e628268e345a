//! Reward rules by themselves: nothing forbidden, amounts in range, conditions that can hold and fit
//! what is rewarded, versions in order.

use dengmi_core::{Day, Points};

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::say;
use crate::model::RewardRule;
use crate::model::reward::{CapScope, Condition, Pay, RuleVersion, Trigger};
use crate::source::{At, Report};

/// Most points one reward may pay.
const PAY_MAX: i64 = 10_000;

/// Deepest nesting of conditions.
const CONDITION_DEPTH_MAX: usize = 8;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    if let Some(points) = &content.points {
        let fen = points.value.fen_per_point.0;
        if !(1..=10_000).contains(&fen) {
            let at = content.at(&points.place, "fen_per_point");
            let message = say!("每分成本不能是 {fen} 分钱", "a point cannot cost {fen} fen");
            let help = say!("请写 1 到 10000（单位：分）", "write 1 to 10000 fen");
            report.error(codes::POINTS_PROGRAMME, at, message, help);
        }
    }
    for rule in content.rules.iter() {
        versions(content, rule, report);
        for (index, version) in rule.value.versions.iter().enumerate() {
            let mut check = Check { content, rule, version, index, report };
            check.trigger();
            check.pay();
            check.caps();
            check.condition(&version.when, "when".to_owned(), 1);
        }
    }
}

fn versions(content: &Content<'_>, rule: &Item<RewardRule>, report: &mut Report) {
    if rule.value.versions.is_empty() {
        let at = content.at(&rule.place, "versions");
        let message =
            say!("规则没有版本，永远不会发放", "the rule has no version, so it never pays");
        report.error(codes::VERSION_ORDER, at, message, say!("请写第 1 版", "write version 1"));
    }
    for (index, version) in rule.value.versions.iter().enumerate() {
        let at = |field: &str| content.at(&rule.place, &format!("versions.{index}.{field}"));
        if usize::from(version.version) != index + 1 {
            let message = say!(
                "第 {version} 版排在第 {place} 位",
                "version {version} stands at place {place}",
                version = version.version,
                place = index + 1
            );
            let help = say!(
                "版本从旧到新编为 1、2、3……，不得删除",
                "number the versions 1, 2, 3 ..., oldest first; never remove one"
            );
            report.error(codes::VERSION_ORDER, at("version"), message, help);
        }
        if version.to.is_some_and(|to| to < version.from) {
            let message = say!("版本的结束日早于开始日", "the version ends before it begins");
            let help = say!("对调 `from` 和 `to`", "swap `from` and `to`");
            report.error(codes::VERSION_DATES, at("to"), message, help);
        }
        let Some(before) = index.checked_sub(1).map(|before| &rule.value.versions[before]) else {
            continue;
        };
        if before.to.unwrap_or(Day(i32::MAX)) >= version.from {
            let message = say!(
                "第 {later} 版从 {from} 开始，第 {earlier} 版还没结束",
                "version {later} begins on {from}, while version {earlier} is still in force",
                later = version.version,
                from = version.from,
                earlier = before.version
            );
            let help = say!(
                "第 {earlier} 版写上 `to: \"{last}\"`",
                "end version {earlier} with `to: \"{last}\"`",
                earlier = before.version,
                last = version.from.plus(-1)
            );
            report.error(codes::VERSION_DATES, at("from"), message, help);
        }
    }
}

struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    rule: &'c Item<RewardRule>,
    version: &'c RuleVersion,
    index: usize,
    report: &'r mut Report,
}

impl<'c> Check<'c, '_, '_> {
    fn at(&self, path: &str) -> At<'c> {
        self.content.at(&self.rule.place, &format!("versions.{}.{path}", self.index))
    }

    fn trigger(&mut self) {
        let trigger = self.version.on;
        if let Some(law) = trigger.forbidden_by() {
            let message = say!(
                "不得奖励 `{trigger:?}`（{law}）",
                "`{trigger:?}` may not be rewarded ({law})"
            );
            let help = say!(
                "只奖励学习行为：`CheckedIn`、`Answered`、`RoundCompleted` 或 `Commented`",
                "reward learning: `CheckedIn`, `Answered`, `RoundCompleted` or `Commented`"
            );
            self.report.error(codes::FORBIDDEN_TRIGGER, self.at("on"), message, help);
        }
    }

    fn pay(&mut self) {
        let Points(points) = self.version.pay.base();
        if !(1..=PAY_MAX).contains(&points) {
            let message = say!("每次奖励不能是 {points} 积分", "a rule cannot pay {points} points");
            let help = say!("请写 1 到 {PAY_MAX}", "write 1 to {PAY_MAX}");
            self.report.error(codes::PAY_RANGE, self.at("pay"), message, help);
        }
        let (wanted, fits) = match self.version.pay {
            Pay::Fixed(_) => ("", true),
            Pay::Scored(_) => ("Answered", self.version.on == Trigger::Answered),
            Pay::PerRight(_) => ("RoundCompleted", self.version.on == Trigger::RoundCompleted),
        };
        if !fits && self.version.on.forbidden_by().is_none() {
            let message = say!(
                "这种计分方式要求 `on: {wanted}`，现在永远不会发放",
                "this way of paying needs `on: {wanted}`, so the rule never pays"
            );
            let help = say!(
                "请写 `Fixed({points})`，或写 `on: {wanted}`",
                "write `Fixed({points})`, or `on: {wanted}`"
            );
            self.report.error(codes::PAY_MISFIT, self.at("pay"), message, help);
        }
    }

    fn caps(&mut self) {
        for (index, cap) in self.version.caps.iter().enumerate() {
            let at = self.at(&format!("caps.{index}.points"));
            let earlier = &self.version.caps[..index];
            if cap.points.0 <= 0 {
                let message =
                    say!("上限这样写，一分也发不出去", "with this limit nothing is ever paid");
                let help = say!("上限要大于 0", "write a limit above 0");
                self.report.error(codes::CAP_RANGE, at, message, help);
            } else if earlier.iter().any(|other| (other.scope, other.per) == (cap.scope, cap.per)) {
                let message = say!(
                    "`{scope:?}` 和 `{per:?}` 的上限已经写过",
                    "there is a limit for `{scope:?}` and `{per:?}` already",
                    scope = cap.scope,
                    per = cap.per
                );
                let at = self.at(&format!("caps.{index}"));
                let help = say!("保留较小的一个", "keep the smaller one");
                self.report.error(codes::CAP_RANGE, at, message, help);
            } else if cap.scope == CapScope::Member
                && cap.points < self.version.pay.base()
                && !matches!(self.version.pay, Pay::PerRight(_))
            {
                let message = say!(
                    "上限 {limit} 低于单次奖励 {pay}，永远发不足额",
                    "the limit of {limit} is below the pay of {pay}, so no reward is ever paid in \
                     full",
                    limit = cap.points,
                    pay = self.version.pay.base()
                );
                let help = say!("提高上限，或减少奖励", "raise the limit or pay less");
                self.report.warning(codes::PAY_ABOVE_CAP, at, message, help);
            }
        }
        if self.version.budget.is_some_and(|budget| budget.0 <= 0) {
            let message =
                say!("预算这样写，一分也发不出去", "with this budget nothing is ever paid");
            let help = say!("预算要大于 0，或不写", "write a budget above 0, or leave it out");
            self.report.error(codes::CAP_RANGE, self.at("budget"), message, help);
        }
    }

    fn condition(&mut self, when: &Condition, path: String, depth: usize) {
        if depth > CONDITION_DEPTH_MAX {
            let message = say!(
                "条件嵌套超过 {CONDITION_DEPTH_MAX} 层",
                "conditions are nested more than {CONDITION_DEPTH_MAX} deep"
            );
            let help = say!(
                "没有人看得懂，请拆成几条规则",
                "nobody can read that; split the rule into several"
            );
            self.report.error(codes::CONDITION_DEEP, self.at(&path), message, help);
            return;
        }
        match when {
            Condition::All(parts) | Condition::Any(parts) => {
                if parts.is_empty() {
                    let message =
                        say!("条件列表是空的", "a list of conditions without any condition");
                    let help = say!("请写条件，或写 `Always`", "write conditions, or `Always`");
                    self.report.error(codes::CONDITION_NEVER, self.at(&path), message, help);
                }
                for (index, part) in parts.iter().enumerate() {
                    self.condition(part, format!("{path}.{index}"), depth + 1);
                }
            }
            Condition::Not(part) => {
                if **part == Condition::Always {
                    let message = say!("这个条件永远不成立", "this condition never holds");
                    let help = say!("请删去", "remove it");
                    self.report.error(codes::CONDITION_NEVER, self.at(&path), message, help);
                }
                self.condition(part, format!("{path}.0"), depth + 1);
            }
            _ => {
                self.fits(when, &path);
                if never(when) {
                    let message = say!("这个条件永远不成立", "this condition never holds");
                    let help = say!(
                        "次数和天数从 1 开始，日期先早后晚",
                        "counts and days begin at 1, and dates go from early to late"
                    );
                    self.report.error(codes::CONDITION_NEVER, self.at(&path), message, help);
                }
            }
        }
    }

    fn fits(&mut self, when: &Condition, path: &str) {
        let on = self.version.on;
        let Some(wanted) = needs(when).filter(|&wanted| wanted != on) else { return };
        if on.forbidden_by().is_none() {
            let message = say!(
                "条件针对 `{wanted:?}`，规则却是 `{on:?}`",
                "this condition is about `{wanted:?}`, the rule about `{on:?}`"
            );
            let help = say!(
                "请写 `on: {wanted:?}`，或删去条件",
                "write `on: {wanted:?}`, or remove the condition"
            );
            self.report.error(codes::CONDITION_MISFIT, self.at(path), message, help);
        }
    }
}

/// The one trigger a condition can be asked of; `None` for those that fit all.
fn needs(when: &Condition) -> Option<Trigger> {
    match when {
        Condition::StreakIs(_)
        | Condition::StreakAtLeast(_)
        | Condition::StreakEvery(_)
        | Condition::TotalIs(_)
        | Condition::Comeback
        | Condition::MadeUp => Some(Trigger::CheckedIn),
        Condition::Right => Some(Trigger::Answered),
        Condition::RightAtLeast(_) | Condition::AllRight => Some(Trigger::RoundCompleted),
        Condition::AnsweredInComment => Some(Trigger::Commented),
        Condition::Always
        | Condition::All(_)
        | Condition::Any(_)
        | Condition::Not(_)
        | Condition::HasTag(_)
        | Condition::InGroup(_)
        | Condition::NewMember { .. }
        | Condition::Weekend
        | Condition::Between(..)
        | Condition::RunDay(_) => None,
    }
}

fn never(when: &Condition) -> bool {
    match when {
        Condition::StreakIs(0)
        | Condition::StreakEvery(0)
        | Condition::TotalIs(0)
        | Condition::RunDay(0) => true,
        Condition::Between(from, to) => to < from,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const ANSWER: &str = "content/rewards/answer.ron";
    const CHECK_IN: &str = "content/rewards/check-in.ron";
    const ROUND: &str = "content/rewards/round.ron";

    #[test]
    fn what_may_not_be_rewarded_is_refused_with_its_rule() {
        for on in
            ["Purchase", "DepositBalance", "Share", "MockReturn", "Wager", "RecruitsOfRecruits"]
        {
            check(CHECK_IN, "CheckedIn", on, &[(FORBIDDEN_TRIGGER, on)]);
        }
    }

    #[test]
    fn pay_and_limits_are_in_range() {
        check(ROUND, "PerRight(2)", "PerRight(0)", &[(PAY_RANGE, "PerRight(0)")]);
        check(ANSWER, "Fixed(5)", "PerRight(5)", &[(PAY_MISFIT, "PerRight(5)")]);
        check(CHECK_IN, "Fixed(2)", "Scored(2)", &[(PAY_MISFIT, "Scored(2)")]);
        check(ANSWER, "points: 20", "points: 0", &[(CAP_RANGE, "0")]);
        check(ANSWER, "points: 20", "points: 4", &[(PAY_ABOVE_CAP, "4")]);
        check(ANSWER, "caps: [", "budget: 0, caps: [", &[(CAP_RANGE, "0")]);
        let twice = "caps: [(scope: Member, per: Run, points: 9), ";
        check(ANSWER, "caps: [", twice, &[(CAP_RANGE, "(scope: Member, per: Run, points: 20)")]);
        check("content/rewards/points.ron", "point: 1", "point: 0", &[(POINTS_PROGRAMME, "0")]);
    }

    #[test]
    fn conditions_fit_and_can_hold() {
        check(
            ANSWER,
            "when: Right",
            "when: All([Weekend, StreakIs(3)])",
            &[(CONDITION_MISFIT, "StreakIs(3)")],
        );
        check(CHECK_IN, "Always", "Not(Right)", &[(CONDITION_MISFIT, "Right")]);
        check(CHECK_IN, "Always", "Any([])", &[(CONDITION_NEVER, "Any([])")]);
        check(CHECK_IN, "Always", "StreakEvery(0)", &[(CONDITION_NEVER, "StreakEvery(0)")]);
        let between = "Between(\"2026-12-01\", \"2026-11-01\")";
        check(CHECK_IN, "Always", between, &[(CONDITION_NEVER, between)]);
        let nested = |depth: usize| format!("{}Weekend{}", "Not(".repeat(depth), ")".repeat(depth));
        check(CHECK_IN, "Always", &nested(7), &[]);
        check(CHECK_IN, "Always", &nested(8), &[(CONDITION_DEEP, "Weekend")]);
    }

    #[test]
    fn versions_follow_each_other() {
        check(ANSWER, "version: 1", "version: 2", &[(VERSION_ORDER, "2")]);
        check(
            ANSWER,
            "on: Answered",
            "to: \"2025-01-01\", on: Answered",
            &[(VERSION_DATES, "\"2025-01-01\""), (NO_VERSION_AHEAD, "\"answer\"")],
        );
        let second =
            "versions: [(version: 1, from: \"2025-01-01\", to: \"2026-01-01\", on: Answered,
            pay: Fixed(1), caps: [(scope: Member, per: Day, points: 9)]), (version: 2,";
        check(
            ANSWER,
            "versions: [\n        (\n            version: 1,",
            second,
            &[(VERSION_DATES, "\"2026-01-01\"")],
        );
    }
}
