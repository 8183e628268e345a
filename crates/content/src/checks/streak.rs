//! Check-in streaks: help for those who miss a day that can really be used.

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::say;
use crate::model::quest::{CheckInStreak, StreakMode};
use crate::model::{Quest, QuestKind};
use crate::source::Report;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.quests.iter() {
        if let QuestKind::CheckInStreak(streak) = &quest.value.kind {
            freezes(content, quest, streak, report);
            make_ups(content, quest, streak, report);
            leniency(content, quest, streak, report);
        }
    }
}

fn freezes(
    content: &Content<'_>,
    quest: &Item<Quest>,
    streak: &CheckInStreak,
    report: &mut Report,
) {
    let freezes = streak.freezes;
    let at = |field: &str| content.at(&quest.place, &format!("kind.freezes.{field}"));
    if freezes.start > freezes.max {
        let message = say!(
            "开始时发 {start} 张冻结卡，却最多只能持有 {max} 张",
            "{start} freezes at the start, but nobody holds more than {max}",
            start = freezes.start,
            max = freezes.max
        );
        let help = say!("调高 `max`，或开始时少发", "raise `max`, or start with fewer");
        report.error(codes::FREEZES, at("start"), message, help);
    }
    if freezes.every_days > 0 && freezes.max == 0 {
        let message =
            say!("可以赚取冻结卡，却一张也不能持有", "freezes are earned, but nobody can hold one");
        let help = say!("`max` 要大于 0", "write `max` above 0");
        report.error(codes::FREEZES, at("every_days"), message, help);
    }
    if streak.mode == StreakMode::Cumulative && freezes.max > 0 {
        let message = say!(
            "累计天数不会清零，冻结卡没有用处",
            "days in all are never reset, so a freeze saves nothing"
        );
        let help = say!(
            "删去 `freezes`，或改为连续打卡 `Consecutive`",
            "remove `freezes`, or count `Consecutive` days"
        );
        report.warning(codes::FREEZES, at("max"), message, help);
    }
}

fn make_ups(
    content: &Content<'_>,
    quest: &Item<Quest>,
    streak: &CheckInStreak,
    report: &mut Report,
) {
    let cards = streak.make_ups;
    let days = quest.value.days;
    let at = |field: &str| content.at(&quest.place, &format!("kind.make_ups.{field}"));
    if (cards.per_run > 0) != (cards.within_days > 0) {
        let message = say!(
            "补签卡 {cards} 张，可补 {days} 天以内",
            "{cards} cards that reach {days} days back",
            cards = cards.per_run,
            days = cards.within_days
        );
        let help = say!(
            "`per_run` 和 `within_days` 要么都写，要么都不写",
            "give both `per_run` and `within_days`, or neither"
        );
        report.error(codes::MAKE_UPS, at("within_days"), message, help);
    }
    if u16::from(cards.per_run) >= days && days > 0 {
        let message = say!(
            "{days} 天里有 {cards} 张补签卡，不来打卡也行",
            "{cards} cards in {days} days: nobody needs to come at all",
            cards = cards.per_run
        );
        report.error(codes::MAKE_UPS, at("per_run"), message, say!("只给几张", "allow a few"));
    }
    if u16::from(streak.comeback_after) >= days && days > 0 && streak.comeback_after > 0 {
        let at = content.at(&quest.place, "kind.comeback_after");
        let message = say!(
            "活动共 {days} 天，缺卡 {missed} 天后才算回归",
            "a comeback after {missed} missed days in a quest of {days}",
            missed = streak.comeback_after
        );
        let help = say!(
            "请写少一些的天数，或写 0 关闭回归奖励",
            "write fewer days, or 0 to switch comebacks off"
        );
        report.error(codes::COMEBACK, at, message, help);
    }
}

fn leniency(
    content: &Content<'_>,
    quest: &Item<Quest>,
    streak: &CheckInStreak,
    report: &mut Report,
) {
    for (index, step) in streak.leniency.iter().enumerate() {
        let at = |field: &str| content.at(&quest.place, &format!("kind.leniency.{index}.{field}"));
        let before = index.checked_sub(1).map(|before| streak.leniency[before]);
        if let Some(before) = before {
            if step.from_length <= before.from_length {
                let message = say!(
                    "连续 {length} 天的一档排在 {before} 天之后",
                    "length {length} stands after length {before}",
                    length = step.from_length,
                    before = before.from_length
                );
                let help = say!("从短到长排列", "shortest length first");
                report.error(codes::LENIENCY, at("from_length"), message, help);
            } else if step.forgiven_days < before.forgiven_days {
                let message = say!(
                    "连续天数更长，宽容天数反而更少",
                    "a longer streak is forgiven fewer days than a shorter one"
                );
                let help = say!("连续天数越长，宽容天数应越多", "let it grow with length");
                report.error(codes::LENIENCY, at("forgiven_days"), message, help);
            }
        }
        if quest.value.days > 0 && step.from_length > quest.value.days {
            let message = say!(
                "活动共 {days} 天，连续不了 {length} 天",
                "a streak of {length} days cannot be reached in {days}",
                length = step.from_length,
                days = quest.value.days
            );
            let help = say!("删去这一档，或调低天数", "remove the step, or lower it");
            report.error(codes::LENIENCY, at("from_length"), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const STREAK: &str = "quests/streak.ron";

    #[test]
    fn help_for_missed_days_can_be_used() {
        check(STREAK, "start: 1", "start: 3", &[(FREEZES, "3")]);
        check(STREAK, "(start: 1, every_days: 7, max: 2)", "(every_days: 7)", &[(FREEZES, "7")]);
        check(STREAK, "freezes:", "mode: Cumulative, freezes:", &[(FREEZES, "2")]);
        check(STREAK, "within_days: 2", "within_days: 0", &[(MAKE_UPS, "0")]);
        check(STREAK, "per_run: 1", "per_run: 7", &[(MAKE_UPS, "7")]);
        check(STREAK, "comeback_after: 1", "comeback_after: 7", &[(COMEBACK, "7")]);
        check(STREAK, "from_length: 5", "from_length: 3", &[(LENIENCY, "3")]);
        check(STREAK, "from_length: 5", "from_length: 8", &[(LENIENCY, "8")]);
        check(STREAK, "forgiven_days: 2", "forgiven_days: 0", &[(LENIENCY, "0")]);
    }
}
