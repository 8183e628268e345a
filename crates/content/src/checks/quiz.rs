//! Quiz series: rounds that open, close and follow each other, and ways of scoring that work.

use std::collections::BTreeMap;

use dengmi_core::{Ppm, Slug};

use crate::codes;
use crate::content::{Content, Item};
use crate::diagnostic::say;
use crate::model::quest::{Curve, QuizSeries, Reveal};
use crate::model::{Quest, QuestKind};
use crate::source::{At, Report};

/// Most questions of one round.
const QUESTIONS_MAX: usize = 50;

/// Most attempts at a question.
const ATTEMPTS_MAX: u8 = 10;

/// Most days in which a key can be corrected.
const CORRECTION_DAYS_MAX: u8 = 30;

/// Longest grace after the close, in seconds: ten minutes of bad network.
const GRACE_SECONDS_MAX: u16 = 600;

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for quest in content.quests.iter() {
        if let QuestKind::QuizSeries(series) = &quest.value.kind {
            let mut check = Check { content, quest, series, report };
            check.rounds();
            check.repeats();
            check.scoring();
        }
    }
}

struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    quest: &'c Item<Quest>,
    series: &'c QuizSeries,
    report: &'r mut Report,
}

impl<'c> Check<'c, '_, '_> {
    fn at(&self, path: &str) -> At<'c> {
        self.content.at(&self.quest.place, &format!("kind.{path}"))
    }

    fn rounds(&mut self) {
        let (content, quest) = (self.content, self.quest);
        let days = quest.value.days;
        if self.series.rounds.is_empty() {
            let message = say!("答题活动一轮也没有", "the series has no round");
            let help = say!("添加一轮", "add one");
            self.report.error(codes::ROUND_SIZE, self.at("rounds"), message, help);
        }
        for (index, round) in self.series.rounds.iter().enumerate() {
            let at =
                |field: &str| content.at(&quest.place, &format!("kind.rounds.{index}.{field}"));
            if round.day == 0 || round.day > days {
                let message = say!(
                    "这一轮在第 {day} 天，活动共 {days} 天",
                    "day {day} of a quest of {days} days",
                    day = round.day
                );
                let help = say!(
                    "第一天是 1；请延长活动，或把这一轮提前",
                    "the first day is 1; make the quest longer, or the round earlier"
                );
                self.report.error(codes::ROUND_DAY, at("day"), message, help);
            }
            if round.closes <= round.opens {
                let message = say!(
                    "这一轮 {opens} 开始，{closes} 结束",
                    "the round opens at {opens} and closes at {closes}",
                    opens = round.opens,
                    closes = round.closes
                );
                let help = say!(
                    "每轮当天开始、当天结束，先开始后结束；当天最晚写 `\"24:00\"`",
                    "a round closes on its own day, after it opened; `\"24:00\"` is its end"
                );
                self.report.error(codes::ROUND_HOURS, at("closes"), message, help);
            }
            if round.grace_seconds > GRACE_SECONDS_MAX {
                let message = say!(
                    "截止后宽限 {grace} 秒",
                    "{grace} seconds of grace after the close",
                    grace = round.grace_seconds
                );
                let help = say!(
                    "最多 {GRACE_SECONDS_MAX} 秒；截止时就公布答案",
                    "at most {GRACE_SECONDS_MAX}; answers are told at the close"
                );
                self.report.error(codes::ROUND_HOURS, at("grace_seconds"), message, help);
            }
            let size = round.questions.len();
            if !(1..=QUESTIONS_MAX).contains(&size) {
                let message = say!("这一轮有 {size} 道题", "a round of {size} questions");
                let help = say!("请写 1 到 {QUESTIONS_MAX} 道", "write 1 to {QUESTIONS_MAX}");
                self.report.error(codes::ROUND_SIZE, at("questions"), message, help);
            }
            let Some(before) = index.checked_sub(1).map(|before| &self.series.rounds[before])
            else {
                continue;
            };
            if (round.day, round.opens) < (before.day, before.closes) {
                let (field, message) = if round.day < before.day {
                    (
                        "day",
                        say!(
                            "第 {later} 天排在第 {earlier} 天前面",
                            "day {earlier} stands after day {later}",
                            earlier = round.day,
                            later = before.day
                        ),
                    )
                } else {
                    (
                        "opens",
                        say!(
                            "这一轮 {opens} 开始，上一轮 {closes} 才结束",
                            "it opens at {opens}, before the round before closes at {closes}",
                            opens = round.opens,
                            closes = before.closes
                        ),
                    )
                };
                let help = say!(
                    "各轮按开始时间排列，不得重叠",
                    "list rounds in order of opening, one at a time"
                );
                self.report.error(codes::ROUND_ORDER, at(field), message, help);
            }
        }
    }

    fn repeats(&mut self) {
        let mut seen: BTreeMap<&Slug, usize> = BTreeMap::new();
        for (r, round) in self.series.rounds.iter().enumerate() {
            for (q, id) in round.questions.iter().enumerate() {
                let Some(first) = seen.insert(self.content.current(id), r) else { continue };
                let at = self.at(&format!("rounds.{r}.questions.{q}"));
                let message = say!(
                    "`{id}` 在第 {round} 轮已经考过",
                    "`{id}` was asked in round {round} already",
                    round = first + 1
                );
                let help = say!(
                    "答案已经公布，请换一道题",
                    "its answer is known by now; ask another question"
                );
                self.report.error(codes::QUESTION_AGAIN, at, message, help);
            }
        }
    }

    fn scoring(&mut self) {
        let attempts = self.series.attempts.max;
        if !(1..=ATTEMPTS_MAX).contains(&attempts) {
            let message = say!("每题可答 {attempts} 次", "{attempts} attempts at a question");
            let help = say!("请写 1 到 {ATTEMPTS_MAX}", "write 1 to {ATTEMPTS_MAX}");
            self.report.error(codes::ATTEMPTS, self.at("attempts.max"), message, help);
        }
        if attempts > 1 && self.series.reveal == Reveal::AtOnce {
            let message = say!(
                "对错当场公布，之后又可以重答",
                "right and wrong are told at once, and then the question may be answered again"
            );
            let help = say!(
                "截止后再公布（`reveal: AtClose`），或只许答一次",
                "tell at the close (`reveal: AtClose`), or allow one attempt"
            );
            self.report.warning(codes::REVEAL_EARLY, self.at("reveal"), message, help);
        }
        let days = self.series.correction_days;
        if days > CORRECTION_DAYS_MAX {
            let message = say!("更正期是 {days} 天", "keys can be corrected for {days} days");
            let help = say!(
                "最多 {CORRECTION_DAYS_MAX} 天，作答记录只保留这么久",
                "at most {CORRECTION_DAYS_MAX}: answers are kept that long"
            );
            self.report.error(codes::CORRECTION_DAYS, self.at("correction_days"), message, help);
        }
        let (floor, seconds) = match self.series.curve {
            Curve::Flat | Curve::None => return,
            Curve::Linear { floor } => (floor, None),
            Curve::HalfLife { seconds, floor } => (floor, Some(seconds)),
        };
        if floor > Ppm::ONE {
            let message = say!(
                "最低得分比例 {floor} ppm 超过 100%",
                "the least credit, {floor} ppm, is more than all",
                floor = floor.0
            );
            let help =
                say!("100% 写作 `1000000`，不能更大", "100% is `1000000`; write that or less");
            self.report.error(codes::CURVE, self.at("curve.floor"), message, help);
        }
        if seconds == Some(0) {
            let message = say!(
                "得分每 0 秒减半，一开始就没有分",
                "a credit that halves every 0 seconds is gone at once"
            );
            let help = say!("请写秒数，例如 `3600`", "write seconds, for example `3600`");
            self.report.error(codes::CURVE, self.at("curve.seconds"), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::check;
    use crate::codes::*;

    const QUIZ: &str = "quests/quiz.ron";

    #[test]
    fn rounds_open_close_and_follow_each_other() {
        check(QUIZ, "day: 3", "day: 8", &[(ROUND_DAY, "8"), (COST_ABOVE_BUDGET, "3000")][..1]);
        check(QUIZ, "day: 1", "day: 0", &[(ROUND_DAY, "0")]);
        check(QUIZ, "closes: \"21:00\"", "closes: \"09:00\"", &[(ROUND_HOURS, "\"09:00\"")]);
        check(
            QUIZ,
            "closes: \"21:00\",",
            "closes: \"21:00\", grace_seconds: 601,",
            &[(ROUND_HOURS, "601")],
        );
        check(QUIZ, "day: 1", "day: 5", &[(ROUND_ORDER, "3")]);
        check(QUIZ, "day: 1, opens", "day: 3, opens", &[(ROUND_ORDER, "\"09:00\"")]);
        check(QUIZ, "[\"basics/double\", \"pages/has-lock-up\"]", "[]", &[(ROUND_SIZE, "[]")]);
        check(
            QUIZ,
            "\"basics/double\"",
            "\"basics/compound\"",
            &[(QUESTION_AGAIN, "\"basics/compound\"")],
        );
    }

    #[test]
    fn scoring_works() {
        check(QUIZ, "max: 2", "max: 0", &[(ATTEMPTS, "0")]);
        check(QUIZ, "max: 2", "max: 11", &[(ATTEMPTS, "11")]);
        check(QUIZ, "curve:", "reveal: AtOnce, curve:", &[(REVEAL_EARLY, "AtOnce")]);
        check(QUIZ, "curve:", "correction_days: 31, curve:", &[(CORRECTION_DAYS, "31")]);
        check(QUIZ, "floor: 500000", "floor: 1000001", &[(CURVE, "1000001")]);
        check(QUIZ, "Linear(floor: 500000)", "HalfLife(seconds: 0, floor: 0)", &[(CURVE, "0")]);
    }
}
