//! Quiz series: rounds that open, close and follow each other, and ways of scoring that work.

use std::collections::BTreeMap;

use dengmi_core::{Ppm, Slug};

use crate::codes;
use crate::content::{Content, Item};
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
            let message = "the series has no round";
            self.report.error(codes::ROUND_SIZE, self.at("rounds"), message, "add one");
        }
        for (index, round) in self.series.rounds.iter().enumerate() {
            let at =
                |field: &str| content.at(&quest.place, &format!("kind.rounds.{index}.{field}"));
            if round.day == 0 || round.day > days {
                let message = format!("day {} of a quest of {days} days", round.day);
                let help = "the first day is 1; make the quest longer, or the round earlier";
                self.report.error(codes::ROUND_DAY, at("day"), message, help);
            }
            if round.closes <= round.opens {
                let message =
                    format!("the round opens at {} and closes at {}", round.opens, round.closes);
                let help = "a round closes on its own day, after it opened; `\"24:00\"` is its end";
                self.report.error(codes::ROUND_HOURS, at("closes"), message, help);
            }
            if round.grace_seconds > GRACE_SECONDS_MAX {
                let message = format!("{} seconds of grace after the close", round.grace_seconds);
                let help = format!("at most {GRACE_SECONDS_MAX}; answers are told at the close");
                self.report.error(codes::ROUND_HOURS, at("grace_seconds"), message, help);
            }
            let size = round.questions.len();
            if !(1..=QUESTIONS_MAX).contains(&size) {
                let message = format!("a round of {size} questions");
                let help = format!("write 1 to {QUESTIONS_MAX}");
                self.report.error(codes::ROUND_SIZE, at("questions"), message, help);
            }
            let Some(before) = index.checked_sub(1).map(|before| &self.series.rounds[before])
            else {
                continue;
            };
            if (round.day, round.opens) < (before.day, before.closes) {
                let (field, message) = if round.day < before.day {
                    ("day", format!("day {} stands after day {}", round.day, before.day))
                } else {
                    (
                        "opens",
                        format!(
                            "it opens at {}, before the round before closes at {}",
                            round.opens, before.closes
                        ),
                    )
                };
                let help = "list rounds in order of opening, one at a time";
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
                let message = format!("`{id}` was asked in round {} already", first + 1);
                let help = "its answer is known by now; ask another question";
                self.report.error(codes::QUESTION_AGAIN, at, message, help);
            }
        }
    }

    fn scoring(&mut self) {
        let attempts = self.series.attempts.max;
        if !(1..=ATTEMPTS_MAX).contains(&attempts) {
            let message = format!("{attempts} attempts at a question");
            let help = format!("write 1 to {ATTEMPTS_MAX}");
            self.report.error(codes::ATTEMPTS, self.at("attempts.max"), message, help);
        }
        if attempts > 1 && self.series.reveal == Reveal::AtOnce {
            let message =
                "right and wrong are told at once, and then the question may be answered again";
            let help = "tell at the close (`reveal: AtClose`), or allow one attempt";
            self.report.warning(codes::REVEAL_EARLY, self.at("reveal"), message, help);
        }
        let days = self.series.correction_days;
        if days > CORRECTION_DAYS_MAX {
            let message = format!("keys can be corrected for {days} days");
            let help = format!("at most {CORRECTION_DAYS_MAX}: answers are kept that long");
            self.report.error(codes::CORRECTION_DAYS, self.at("correction_days"), message, help);
        }
        let (floor, seconds) = match self.series.curve {
            Curve::Flat | Curve::None => return,
            Curve::Linear { floor } => (floor, None),
            Curve::HalfLife { seconds, floor } => (floor, Some(seconds)),
        };
        if floor > Ppm::ONE {
            let message = format!("the least credit, {} ppm, is more than all", floor.0);
            let help = "100% is `1000000`; write that or less";
            self.report.error(codes::CURVE, self.at("curve.floor"), message, help);
        }
        if seconds == Some(0) {
            let message = "a credit that halves every 0 seconds is gone at once";
            let help = "write seconds, for example `3600`";
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
