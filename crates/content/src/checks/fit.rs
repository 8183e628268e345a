//! Rules in quests: whether what a rule rewards can happen there at all.

use dengmi_core::Slug;

use crate::codes;
use crate::content::{Content, Item};
use crate::model::quest::Curve;
use crate::model::reward::{Condition, Pay, RuleVersion, Trigger};
use crate::model::{Quest, QuestKind};
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.quests.iter() {
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
        let message = format!("`{id}` rewards a like, which this quest does not allow");
        let help = "remove it; a like alone earns nothing (WeChat 3.3.1). With a compliance override, \
                    set `reward_for_like: true`";
        report.error(codes::LIKE_REWARDED, at(), message, help);
        return;
    }
    let ahead: Vec<&RuleVersion> =
        versions.iter().filter(|v| v.to.is_none_or(|to| to >= content.today)).collect();
    if ahead.is_empty() {
        if !versions.is_empty() {
            let message = format!("no version of `{id}` is in force today or later");
            let help = "add a version to the rule, or remove the rule here";
            report.warning(codes::NO_VERSION_AHEAD, at(), message, help);
        }
        return;
    }
    let reasons: Vec<Option<String>> =
        ahead.iter().map(|version| why_never(content, &quest.value, version)).collect();
    // A rule that works in one of its versions is not in vain.
    if let Some(Some(reason)) = reasons.iter().find(|reason| reason.is_some())
        && reasons.iter().all(Option::is_some)
    {
        let message = format!("`{id}` never pays in this quest: {reason}");
        let help = "remove it here, or change the quest so that it can happen";
        report.warning(codes::RULE_NEVER_FIRES, at(), message, help);
    }
}

/// Why a rule never pays in a quest; `None` where it may.
fn why_never(content: &Content<'_>, quest: &Quest, version: &RuleVersion) -> Option<String> {
    let on = version.on;
    if on.forbidden_by().is_some() {
        return None; // said elsewhere
    }
    let (happens, what) = match &quest.kind {
        QuestKind::QuizSeries(_) => {
            (matches!(on, Trigger::Answered | Trigger::RoundCompleted), "a quiz")
        }
        QuestKind::MomentsChallenge(_) => {
            (matches!(on, Trigger::Commented | Trigger::Liked), "a Moments challenge")
        }
        QuestKind::CheckInStreak(_) => (on == Trigger::CheckedIn, "a streak"),
    };
    if !happens {
        return Some(format!("`{on:?}` does not happen in {what}"));
    }
    if let (QuestKind::QuizSeries(series), Pay::Scored(_)) = (&quest.kind, version.pay)
        && series.curve == Curve::None
    {
        return Some("with `curve: None` every score is 0".to_owned());
    }
    impossible(content, quest, &version.when)
}

/// Why a condition cannot hold in a quest; `None` where it may.
fn impossible(content: &Content<'_>, quest: &Quest, when: &Condition) -> Option<String> {
    let days = quest.days;
    let too_long =
        |n: u16| (n > days).then(|| format!("the quest has {days} days, the condition wants {n}"));
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
            QuestKind::CheckInStreak(streak) if streak.comeback_after == 0 => {
                Some("comebacks are off; set `comeback_after`".to_owned())
            }
            _ => None,
        },
        Condition::MadeUp => match &quest.kind {
            QuestKind::CheckInStreak(streak) if streak.make_ups.per_run == 0 => {
                Some("there are no make-up cards".to_owned())
            }
            _ => None,
        },
        Condition::RightAtLeast(n) => match &quest.kind {
            QuestKind::QuizSeries(series) => {
                let most =
                    series.rounds.iter().map(|round| round.questions.len()).max().unwrap_or(0);
                (usize::from(*n) > most).then(|| {
                    format!("the longest round has {most} questions, the condition wants {n}")
                })
            }
            _ => None,
        },
        Condition::AnsweredInComment => match &quest.kind {
            QuestKind::MomentsChallenge(moments) if moments.question.is_none() => {
                Some("the post has no question".to_owned())
            }
            _ => None,
        },
        Condition::InGroup(kind) => (!quest.audience.contains(kind) && !quest.audience.is_empty())
            .then(|| format!("the quest is not for `{kind:?}`")),
        Condition::Between(from, to) => {
            (from <= to && *to < content.today).then(|| format!("the dates ended on {to}"))
        }
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
