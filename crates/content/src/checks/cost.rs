//! The worst case of a quest is within its budget.
//!
//! For each member and rule: a day's pay is the rule's points times the facts that can happen on
//! that day (one check-in; the questions of that day's rounds; the rounds; the posts, at most
//! `posts_per_day` and `posts_per_week`), cut by the member's limit a day. The sum over the run is
//! cut by the member's limit a week times the calendar weeks a run of that length can touch, and by
//! the limit a run. Over all members: times `members_max`, cut by the bank's limits and the rule's
//! budget. Limits of a group do not count: how many groups take part is not known. Where a rule has
//! several versions ahead, a run may meet more than one: the bound is the smaller of the sum of the
//! versions and of the best pay without limits. Corrections of keys are not foreseen.

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::{Said, say};
use crate::model::quest::QuestKind;
use crate::model::reward::{Cap, CapPeriod, CapScope, Condition, Pay, RuleVersion, Trigger};
use crate::model::{Quest, RewardRule};
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.all_quests() {
        unbounded(content, quest, report);
        budget(content, quest, report);
    }
}

fn ahead<'r>(
    content: &Content<'_>,
    rule: &'r Item<RewardRule>,
) -> impl Iterator<Item = &'r RuleVersion> {
    let today = content.today;
    rule.value.versions.iter().filter(move |v| v.to.is_none_or(|to| to >= today))
}

fn unbounded(content: &Content<'_>, quest: &Item<Quest>, report: &mut Report) {
    for (index, id) in quest.value.rewards.iter().enumerate() {
        let Some(rule) = content.rule(id) else { continue };
        let open = ahead(content, rule).find(|version| {
            let limited = version.caps.iter().any(|cap| cap.scope != CapScope::Community);
            !limited && version.budget.is_none()
        });
        if let Some(version) = open {
            let at = content.at(&quest.place, &format!("rewards.{index}"));
            let message = say!(
                "规则 `{id}` 第 {version} 版既没有个人或全行上限，也没有预算",
                "version {version} of `{id}` has neither a limit for a member or the bank nor a \
                 budget",
                version = version.version
            );
            let help = say!(
                "给规则加上限，例如 `caps: [(scope: Member, per: Run, points: 100)]`",
                "add for example `caps: [(scope: Member, per: Run, points: 100)]` to the rule"
            );
            report.error(codes::COST_UNBOUNDED, at, message, help);
        }
    }
}

fn budget(content: &Content<'_>, quest: &Item<Quest>, report: &mut Report) {
    let Some(points) = &content.points else { return };
    let budget = i128::from(quest.value.budget_fen.0);
    if budget < 0 {
        let at = content.at(&quest.place, "budget_fen");
        let message = say!("预算是 {budget} 分", "a budget of {budget} fen");
        let help = say!("请写 0 或以上", "write 0 or more");
        report.error(codes::COST_ABOVE_BUDGET, at, message, help);
        return;
    }
    let rules = quest.value.rewards.iter().filter_map(|id| content.rule(id));
    let worst: Vec<(String, i128)> = rules
        .map(|rule| {
            let versions: Vec<&RuleVersion> = ahead(content, rule).collect();
            (rule.id.to_string(), worst_points(&quest.value, &versions))
        })
        .collect();
    let total: i128 = worst.iter().map(|(_, points)| points).sum();
    let fen = total * i128::from(points.value.fen_per_point.0.max(0));
    if fen > budget {
        let at = content.at(&quest.place, "budget_fen");
        let message = say!(
            "活动最坏要花 {fen} 分，预算只有 {budget} 分",
            "the quest may cost {fen} fen; its budget is {budget} fen"
        );
        let list = |unit: &str, comma: &str| {
            let part = |(id, points): &(String, i128)| format!("`{id}` {points} {unit}");
            worst.iter().map(part).collect::<Vec<_>>().join(comma)
        };
        let members = quest.value.members_max;
        let help = Said::new(
            format!("{members} 人参加时最多：{}；请调低上限或人数，或增加预算", list("积分", "，")),
            format!(
                "at worst, for {members} members: {}; lower limits or members, or raise the budget",
                list("points", ", ")
            ),
        );
        report.error(codes::COST_ABOVE_BUDGET, at, message, help);
    }
}

/// Most points that all members together can get by a rule in one run.
fn worst_points(quest: &Quest, versions: &[&RuleVersion]) -> i128 {
    let members = i128::from(quest.members_max);
    let capped: i128 = versions.iter().map(|version| capped_points(quest, version, members)).sum();
    let uncapped = versions.iter().map(|v| days(quest, v).iter().sum::<i128>() * members).max();
    capped.min(uncapped.unwrap_or(0))
}

fn capped_points(quest: &Quest, version: &RuleVersion, members: i128) -> i128 {
    let days = days(quest, version);
    let least = |scope: CapScope, per: CapPeriod| {
        let of = |cap: &&Cap| cap.scope == scope && cap.per == per;
        version.caps.iter().filter(of).map(|cap| i128::from(cap.points.0.max(0))).min()
    };
    let weeks = weeks(days.len());
    let limited = |scope: CapScope, day: &dyn Fn(i128) -> i128| {
        let daily = least(scope, CapPeriod::Day);
        let paid: i128 =
            days.iter().map(|&points| daily.map_or(day(points), |cap| day(points).min(cap))).sum();
        let week = least(scope, CapPeriod::Week).map_or(paid, |cap| paid.min(cap * weeks));
        least(scope, CapPeriod::Run).map_or(week, |cap| week.min(cap))
    };
    let by_members = limited(CapScope::Member, &|points| points) * members;
    let by_bank = limited(CapScope::Bank, &|points| points * members);
    let budget = version.budget.map_or(i128::MAX, |budget| i128::from(budget.0.max(0)));
    by_members.min(by_bank).min(budget)
}

/// Calendar weeks that so many days in a row can touch.
fn weeks(days: usize) -> i128 {
    let after_first = days.saturating_sub(1).div_ceil(7);
    i128::try_from(after_first + 1).unwrap_or(i128::MAX)
}

/// A member's pay on each day of a run, before limits.
fn days(quest: &Quest, version: &RuleVersion) -> Vec<i128> {
    let base = i128::from(version.pay.base().0.clamp(0, 10_000));
    let mut days = vec![0i128; usize::from(quest.days.min(366))];
    match &quest.kind {
        QuestKind::CheckInStreak(_) if version.on == Trigger::CheckedIn => days.fill(base),
        QuestKind::QuizSeries(series) => {
            for round in &series.rounds {
                let questions = i128::try_from(round.questions.len()).unwrap_or(0);
                let facts = match (version.on, version.pay) {
                    (Trigger::Answered, _) | (Trigger::RoundCompleted, Pay::PerRight(_)) => {
                        questions
                    }
                    (Trigger::RoundCompleted, _) => 1,
                    _ => 0,
                };
                let day = usize::from(round.day).saturating_sub(1);
                if let Some(day) = days.get_mut(day) {
                    *day += base * facts;
                }
            }
        }
        QuestKind::MomentsChallenge(moments)
            if matches!(version.on, Trigger::Commented | Trigger::Liked) =>
        {
            let run = days.len();
            let a_day = i128::from(moments.posts_per_day);
            let mut posts = a_day * i128::try_from(run).unwrap_or(0);
            if moments.posts_per_week > 0 {
                posts = posts.min(i128::from(moments.posts_per_week) * weeks(run));
            }
            // Reactions to the last post may come when the run is over, and to all posts on one
            // day, so a limit a day counts for as many days as there may be reactions on.
            days.resize(run + usize::from(moments.window_hours.div_ceil(24)), 0);
            let places = i128::try_from(days.len()).unwrap_or(1).max(1);
            for (index, day) in days.iter_mut().enumerate() {
                let index = i128::try_from(index).unwrap_or(0);
                *day = base * (posts / places + i128::from(index < posts % places));
            }
        }
        _ => {}
    }
    if once(&version.when) {
        days = vec![days.into_iter().max().unwrap_or(0)];
    }
    days
}

/// Whether a condition holds at most once a run and member.
fn once(when: &Condition) -> bool {
    match when {
        Condition::TotalIs(_) => true,
        Condition::All(parts) => parts.iter().any(once),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{base_with, check, check_files, today};
    use crate::codes::*;

    const QUIZ: &str = "quests/quiz.ron";
    const ANSWER: &str = "content/rewards/answer.ron";

    /// The cost of a quest of the base pack, in fen; the base's points cost one fen each.
    #[track_caller]
    fn check_worst(quest: &str, changes: &[(&str, &str, &str)], fen: i64) {
        let mut changes = changes.to_vec();
        let path = format!("quests/{quest}.ron");
        let files = base_with(&changes);
        let text = &files.iter().find(|file| file.path == path).expect("the quest").text;
        let budget = text.lines().find(|line| line.contains("budget_fen")).expect("a budget");
        let exact = format!("    budget_fen: {fen},");
        let short = format!("    budget_fen: {},", fen - 1);
        changes.push((&path, budget, &exact));
        let (_, found) = crate::load(&base_with(&changes), &today());
        assert!(found.is_empty(), "{quest} {fen}: {found:?}");
        changes.pop();
        changes.push((&path, budget, &short));
        let found = crate::load(&base_with(&changes), &today()).1;
        assert_eq!(found.iter().map(|d| d.code).collect::<Vec<_>>(), ["C0309"], "{quest} {fen}");
        assert!(found[0].message.en.contains(&format!("{fen} fen")), "{}", found[0].message);
    }

    #[test]
    fn the_worst_case_is_exact_for_plain_rules() {
        // 4 answers of 5 points, 4 right of 2 points.
        check_worst("quiz", &[], 100 * (20 + 8));
        check_worst("quiz", &[(ANSWER, "points: 20", "points: 15")], 100 * (15 + 8));
        // 10 points a day on two days.
        check_worst(
            "quiz",
            &[(ANSWER, "per: Run, points: 20", "per: Day, points: 7")],
            100 * (14 + 8),
        );
        // A run of seven days touches two calendar weeks.
        check_worst(
            "quiz",
            &[(ANSWER, "per: Run, points: 20", "per: Week, points: 6")],
            100 * (12 + 8),
        );
        check_worst("quiz", &[(ANSWER, "scope: Member", "scope: Bank")], 20 + 800);
        check_worst("quiz", &[(ANSWER, "caps:", "budget: 300, caps:")], 300 + 800);
        check_worst("streak", &[], 100 * 14);
        let once = ("content/rewards/check-in.ron", "when: Always", "when: TotalIs(3)");
        check_worst("streak", &[once], 100 * 2);
        check_worst("moments", &[], 100 * 40);
        // Three days, one post a day, 20 points each; reactions may come on a fourth day.
        let limit = ("content/rewards/comment.ron", "points: 40", "points: 1000");
        check_worst("moments", &[limit], 100 * 60);
        let two_versions = (
            ANSWER,
            "versions: [",
            "versions: [(version: 1, from: \"2025-01-01\", to: \"2026-12-31\", on: Answered,
                pay: Fixed(7), caps: [(scope: Member, per: Run, points: 14)]), ",
        );
        let second = (
            ANSWER,
            "version: 1,\n            from: \"2026-01-01\"",
            "version: 2, from: \"2027-01-01\"",
        );
        // 14 + 20 by limits, 4 answers x 7 points by pay.
        check_worst("quiz", &[two_versions, second], 100 * (28 + 8));
    }

    #[test]
    fn a_rule_without_any_limit_is_refused() {
        check(
            ANSWER,
            "caps: [(scope: Member, per: Run, points: 20)],",
            "",
            &[(COST_UNBOUNDED, "\"answer\"")],
        );
        check(ANSWER, "scope: Member", "scope: Community", &[(COST_UNBOUNDED, "\"answer\"")]);
        check(QUIZ, "budget_fen: 3000", "budget_fen: -1", &[(COST_ABOVE_BUDGET, "-1")]);
    }

    #[test]
    fn absurd_numbers_do_not_overflow() {
        let files = base_with(&[
            (QUIZ, "members_max: 100", "members_max: 4294967295"),
            (ANSWER, "points: 20", "points: 9223372036854775807"),
            ("content/rewards/points.ron", "point: 1", "point: 10000"),
        ]);
        check_files(
            &files,
            &[
                (COST_ABOVE_BUDGET, "3000"),
                (COST_ABOVE_BUDGET, "1400"),
                (COST_ABOVE_BUDGET, "4000"),
            ],
        );
    }

    #[test]
    fn weeks_are_those_of_the_calendar() {
        assert_eq!([1, 2, 7, 8, 9, 14, 15, 16].map(weeks), [1, 2, 2, 2, 3, 3, 3, 4]);
    }
}
