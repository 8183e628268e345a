//! Rules in quests: whether what a rule rewards can happen there at all.

use dengmi_core::Slug;

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::{Said, say};
use crate::model::quest::Curve;
use crate::model::reward::{Condition, Pay, RuleVersion, Trigger};
use crate::model::{Quest, QuestKind};
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.all_quests() {
        for (index, id) in quest.value.rewards.iter().enumerate() {
            check_rule(content, quest, index, id, report);
        }
    }
}

fn check_rule(
    content: &Content<'_>,
    quest: &Item<Quest>,
    index: usize,
    id: &Slug,
    report: &mut Report,
) {
    let Some(rule) = content.rule(id) else { return };
    let at = || content.at(&quest.place, &format!("rewards.{index}"));
    let versions = &rule.value.versions;
    let likes = versions.iter().any(|version| version.on == Trigger::Liked);
    if let (true, QuestKind::MomentsChallenge(moments)) = (likes, &quest.value.kind)
        && !moments.reward_for_like
    {
        let message = say!(
            "规则 `{id}` 奖励点赞，本活动不允许",
            "`{id}` rewards a like, which this quest does not allow"
        );
        let help = say!(
            "删去此规则：单纯点赞不给积分（微信公众平台规范 3.3.1）；\
             如有合规豁免，请写 `reward_for_like: true`",
            "remove it; a like alone earns nothing (WeChat 3.3.1). With a compliance override, \
             set `reward_for_like: true`"
        );
        report.error(codes::LIKE_REWARDED, at(), message, help);
        return;
    }
    let ahead: Vec<&RuleVersion> =
        versions.iter().filter(|v| v.to.is_none_or(|to| to >= content.today)).collect();
    if ahead.is_empty() {
        if !versions.is_empty() {
            let message = say!(
                "规则 `{id}` 的所有版本都已到期",
                "no version of `{id}` is in force today or later"
            );
            let help = say!(
                "给规则增加新版本，或在这里删去该规则",
                "add a version to the rule, or remove the rule here"
            );
            report.warning(codes::NO_VERSION_AHEAD, at(), message, help);
        }
        return;
    }
    let reasons: Vec<Option<Said>> =
        ahead.iter().map(|version| why_never(content, &quest.value, version)).collect();
    // A rule that works in one of its versions is not in vain.
    if let Some(Some(reason)) = reasons.iter().find(|reason| reason.is_some())
        && reasons.iter().all(Option::is_some)
    {
        let message = Said::new(
            format!("规则 `{id}` 在本活动中永远不会生效：{}", reason.zh),
            format!("`{id}` never pays in this quest: {}", reason.en),
        );
        let help = say!(
            "在这里删去该规则，或调整活动让它能够生效",
            "remove it here, or change the quest so that it can happen"
        );
        report.warning(codes::RULE_NEVER_FIRES, at(), message, help);
    }
}

/// Why a rule never pays in a quest; `None` where it may.
fn why_never(content: &Content<'_>, quest: &Quest, version: &RuleVersion) -> Option<Said> {
    let on = version.on;
    if on.forbidden_by().is_some() {
        return None; // said elsewhere
    }
    let (happens, (zh, en)) = match &quest.kind {
        QuestKind::QuizSeries(_) => {
            (matches!(on, Trigger::Answered | Trigger::RoundCompleted), ("答题活动", "a quiz"))
        }
        QuestKind::MomentsChallenge(_) => (
            matches!(on, Trigger::Commented | Trigger::Liked),
            ("朋友圈活动", "a Moments challenge"),
        ),
        QuestKind::CheckInStreak(_) => (on == Trigger::CheckedIn, ("打卡活动", "a streak")),
    };
    if !happens {
        return Some(Said::new(
            format!("{zh}中不会发生 `{on:?}`"),
            format!("`{on:?}` does not happen in {en}"),
        ));
    }
    if let (QuestKind::QuizSeries(series), Pay::Scored(_)) = (&quest.kind, version.pay)
        && series.curve == Curve::None
    {
        return Some(say!("`curve: None` 时得分都是 0", "with `curve: None` every score is 0"));
    }
    impossible(content, quest, &version.when)
}

/// Why a condition cannot hold in a quest; `None` where it may.
fn impossible(content: &Content<'_>, quest: &Quest, when: &Condition) -> Option<Said> {
    let days = quest.days;
    let too_long = |n: u16| {
        (n > days).then(|| {
            say!(
                "活动只有 {days} 天，条件要求 {n} 天",
                "the quest has {days} days, the condition wants {n}"
            )
        })
    };
    match when {
        Condition::All(parts) => parts.iter().find_map(|part| impossible(content, quest, part)),
        Condition::Any(parts) => {
            let reasons: Vec<_> =
                parts.iter().map(|part| impossible(content, quest, part)).collect();
            reasons.into_iter().collect::<Option<Vec<_>>>()?.into_iter().next()
        }
        Condition::StreakIs(n)
        | Condition::StreakAtLeast(n)
        | Condition::StreakEvery(n)
        | Condition::TotalIs(n)
        | Condition::RunDay(n) => too_long(*n),
        Condition::Comeback => match &quest.kind {
            QuestKind::CheckInStreak(streak) if streak.comeback_after == 0 => Some(say!(
                "没有开启回归奖励，请设置 `comeback_after`",
                "comebacks are off; set `comeback_after`"
            )),
            _ => None,
        },
        Condition::MadeUp => match &quest.kind {
            QuestKind::CheckInStreak(streak) if streak.make_ups.per_run == 0 => {
                Some(say!("没有设置补签卡", "there are no make-up cards"))
            }
            _ => None,
        },
        Condition::RightAtLeast(n) => match &quest.kind {
            QuestKind::QuizSeries(series) => {
                let most =
                    series.rounds.iter().map(|round| round.questions.len()).max().unwrap_or(0);
                (usize::from(*n) > most).then(|| {
                    say!(
                        "题数最多的一轮只有 {most} 题，条件要求 {n} 题",
                        "the longest round has {most} questions, the condition wants {n}"
                    )
                })
            }
            _ => None,
        },
        Condition::AnsweredInComment => match &quest.kind {
            QuestKind::MomentsChallenge(moments) if moments.question.is_none() => {
                Some(say!("朋友圈没有附题目", "the post has no question"))
            }
            _ => None,
        },
        Condition::InGroup(kind) => (!quest.audience.contains(kind) && !quest.audience.is_empty())
            .then(|| say!("活动不面向 `{kind:?}` 类社群", "the quest is not for `{kind:?}`")),
        Condition::Between(from, to) => (from <= to && *to < content.today)
            .then(|| say!("日期区间已于 {to} 结束", "the dates ended on {to}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const STREAK: &str = "content/rewards/check-in.ron";
    const QUIZ: &str = "quests/quiz.ron";

    #[track_caller]
    fn check_never(when: &str) {
        check(STREAK, "Always", when, &[(RULE_NEVER_FIRES, "\"check-in\"")]);
    }

    #[test]
    fn a_rule_that_cannot_pay_is_noticed() {
        check(
            QUIZ,
            "[\"answer\", ",
            "[\"answer\", \"comment\", ",
            &[(RULE_NEVER_FIRES, "\"comment\"")],
        );
        check_never("StreakIs(8)");
        check_never("Any([StreakIs(8), RunDay(9)])");
        check_never("All([Weekend, InGroup(Payroll)])");
        check_never("Between(\"2025-01-01\", \"2025-02-01\")");
        check(STREAK, "Always", "Any([StreakIs(8), Weekend])", &[]);
        check(STREAK, "Always", "Not(StreakIs(8))", &[]);
        check(
            "content/rewards/round.ron",
            "RightAtLeast(1)",
            "RightAtLeast(3)",
            &[(RULE_NEVER_FIRES, "\"round\"")],
        );
        let files =
            [(STREAK, "Always", "Comeback"), ("quests/streak.ron", "comeback_after: 1,", "")];
        crate::checks::testing::check_files(
            &crate::checks::testing::base_with(&files),
            &[(RULE_NEVER_FIRES, "\"check-in\"")],
        );
        check(
            STREAK,
            "on: CheckedIn",
            "to: \"2026-10-01\", on: CheckedIn",
            &[(NO_VERSION_AHEAD, "\"check-in\"")],
        );
    }

    #[test]
    fn a_like_earns_nothing() {
        let rule = "content/rewards/comment.ron";
        let files = [(rule, "Commented", "Liked"), (rule, "AnsweredInComment", "Always")];
        crate::checks::testing::check_files(
            &crate::checks::testing::base_with(&files),
            &[(LIKE_REWARDED, "\"comment\"")],
        );
    }
}
