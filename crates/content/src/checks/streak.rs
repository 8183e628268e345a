//! Check-in streaks: help for those who miss a day that can really be used.

use crate::codes;
use crate::content::{Content, Item};
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
        let message = format!(
            "{} freezes at the start, but nobody holds more than {}",
            freezes.start, freezes.max
        );
        report.error(codes::FREEZES, at("start"), message, "raise `max`, or start with fewer");
    }
    if freezes.every_days > 0 && freezes.max == 0 {
        let message = "freezes are earned, but nobody can hold one";
        report.error(codes::FREEZES, at("every_days"), message, "write `max` above 0");
    }
    if streak.mode == StreakMode::Cumulative && freezes.max > 0 {
        let message = "days in all are never reset, so a freeze saves nothing";
        let help = "remove `freezes`, or count `Consecutive` days";
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
        let message = format!("{} cards that reach {} days back", cards.per_run, cards.within_days);
        let help = "give both `per_run` and `within_days`, or neither";
        report.error(codes::MAKE_UPS, at("within_days"), message, help);
    }
    if u16::from(cards.per_run) >= days && days > 0 {
        let message =
            format!("{} cards in {days} days: nobody needs to come at all", cards.per_run);
        report.error(codes::MAKE_UPS, at("per_run"), message, "allow a few");
    }
    if u16::from(streak.comeback_after) >= days && days > 0 && streak.comeback_after > 0 {
        let at = content.at(&quest.place, "kind.comeback_after");
        let message =
            format!("a comeback after {} missed days in a quest of {days}", streak.comeback_after);
        let help = "write fewer days, or 0 to switch comebacks off";
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
                let message = format!(
                    "length {} stands after length {}",
                    step.from_length, before.from_length
                );
                report.error(codes::LENIENCY, at("from_length"), message, "shortest length first");
            } else if step.forgiven_days < before.forgiven_days {
                let message = "a longer streak is forgiven fewer days than a shorter one";
                report.error(
                    codes::LENIENCY,
                    at("forgiven_days"),
                    message,
                    "let it grow with length",
                );
            }
        }
        if quest.value.days > 0 && step.from_length > quest.value.days {
            let message = format!(
                "a streak of {} days cannot be reached in {}",
                step.from_length, quest.value.days
            );
            report.error(
                codes::LENIENCY,
                at("from_length"),
                message,
                "remove the step, or lower it",
            );
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
