//! What is asked was taught, and comes back after one, three and seven days.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_core::Slug;

use super::Check;
use crate::codes;
use crate::content::Item;
use crate::diagnostic::{Said, say};
use crate::model::{Lesson, Question};

/// Least number of new questions a day.
const QUESTIONS_MIN: usize = 5;

/// Days after which a question comes back.
const REVIEW_AFTER: [u8; 3] = [1, 3, 7];

impl<'c> Check<'c, '_, '_> {
    pub(super) fn teaching(&mut self) {
        let taught = self.taught();
        let before: BTreeSet<&Slug> = self.course.value.paired.iter().map(|p| &p.before).collect();
        let mut asked: BTreeMap<&Slug, u8> = BTreeMap::new();
        for (day, lesson) in self.each() {
            let Lesson { questions, review, .. } = &lesson.value;
            if questions.len() < QUESTIONS_MIN {
                let message = say!(
                    "这一天只有 {count} 道新题",
                    "{count} new questions on this day",
                    count = questions.len()
                );
                let help = say!(
                    "至少 {QUESTIONS_MIN} 道",
                    "ask at least {QUESTIONS_MIN}; more may come back"
                );
                let at = self.at_lesson(lesson, "questions");
                self.report.error(codes::FEW_QUESTIONS, at, message, help);
            }
            for (index, id) in questions.iter().enumerate() {
                let path = format!("questions.{index}");
                if !(day == 1 && before.contains(id)) {
                    self.is_taught(&taught, day, lesson, &path, id);
                }
                let current = self.content.current(id);
                // Twice on one day is said where references are checked.
                if let Some(first) = asked.insert(current, day).filter(|first| *first != day) {
                    self.again(lesson, &path, id, first);
                }
            }
            for (index, id) in review.iter().enumerate() {
                let path = format!("review.{index}");
                if questions.iter().any(|new| self.content.current(new) == self.content.current(id))
                {
                    self.again(lesson, &path, id, day);
                } else {
                    self.comes_back(day, lesson, &path, id);
                }
            }
            if review.is_empty() && day > 1 {
                let message = say!("这一天没有复习题", "nothing is asked again on this day");
                let help = say!(
                    "从第 2 天起，写上 1、3、7 天前考过的题",
                    "from day 2 on, name questions of the lessons 1, 3 and 7 days before"
                );
                let at = self.at_lesson(lesson, "review");
                self.report.error(codes::REVIEW_ITEM, at, message, help);
            }
        }
        self.pairs(&taught);
    }

    /// The first day on which each concept is taught.
    fn taught(&self) -> BTreeMap<&'c Slug, u8> {
        let mut taught = BTreeMap::new();
        for (day, lesson) in self.each() {
            for concept in &lesson.value.concepts {
                taught.entry(concept).or_insert(day);
            }
        }
        taught
    }

    fn is_taught(
        &mut self,
        taught: &BTreeMap<&Slug, u8>,
        day: u8,
        lesson: &'c Item<Lesson>,
        path: &str,
        id: &Slug,
    ) {
        let Some(question) = self.content.question(id) else { return };
        let concept = &question.value.concept;
        let on = taught.get(concept);
        let perhaps = self.unread.range(..=day).next().is_some();
        if on.is_some_and(|&on| on <= day) || perhaps {
            return;
        }
        let message = say!(
            "`{id}` 考的是 `{concept}`，这一天还没有教",
            "`{id}` asks about `{concept}`, which is not taught by this day"
        );
        let help = match on {
            Some(on) => say!(
                "第 {on} 天才教：把题移到那一天，或提前教",
                "it is taught on day {on}: ask it then, or teach it earlier"
            ),
            None => say!(
                "在教这个知识点的课的 `concepts` 中写上它，或换一道题",
                "add it to `concepts` of the lesson that teaches it, or ask another question"
            ),
        };
        let at = self.at_lesson(lesson, path);
        self.report.error(codes::CONCEPT_UNTAUGHT, at, message, help);
    }

    fn again(&mut self, lesson: &'c Item<Lesson>, path: &str, id: &Slug, first: u8) {
        let message =
            say!("`{id}` 在第 {first} 天已经考过", "`{id}` is asked on day {first} already");
        let help = say!(
            "换一道题；想复习，就在 1、3、7 天后写进 `review`",
            "ask another one; to ask it again, name it in `review` 1, 3 or 7 days later"
        );
        self.report.error(codes::ASKED_TWICE, self.at_lesson(lesson, path), message, help);
    }

    fn comes_back(&mut self, day: u8, lesson: &'c Item<Lesson>, path: &str, id: &Slug) {
        let days: Vec<u8> =
            REVIEW_AFTER.iter().filter_map(|after| day.checked_sub(*after)).collect();
        let same = |other: &Slug| self.content.current(other) == self.content.current(id);
        let of_day = |day: u8| {
            self.lessons.get(&day).is_some_and(|lesson| lesson.value.questions.iter().any(same))
        };
        if days.iter().any(|&day| of_day(day) || self.unread.contains(&day)) {
            return;
        }
        let message =
            say!("`{id}` 不是 1、3、7 天前考过的题", "`{id}` was not asked 1, 3 or 7 days before");
        let days = self.course.value.days;
        let help = match self.lessons.keys().find(|&&other| other < days && of_day(other)) {
            Some(first) => {
                let then = REVIEW_AFTER.iter().map(|after| first.saturating_add(*after));
                let then: Vec<String> =
                    then.filter(|&day| day <= days).map(|day| day.to_string()).collect();
                Said::new(
                    format!("它在第 {first} 天考，请放到第 {} 天", then.join("、")),
                    format!("it is asked on day {first}; bring it back on day {}", then.join(", ")),
                )
            }
            None => say!(
                "最后一天之前没有考过它；写一道考过的题",
                "no day before the last asks it; name a question that one did"
            ),
        };
        self.report.error(codes::REVIEW_ITEM, self.at_lesson(lesson, path), message, help);
    }

    /// The two of a pair are different questions on one concept that the course teaches.
    fn pairs(&mut self, taught: &BTreeMap<&Slug, u8>) {
        for (index, pair) in self.course.value.paired.iter().enumerate() {
            let at = |field: &str| format!("paired.{index}.{field}");
            let (before, after) =
                (self.content.question(&pair.before), self.content.question(&pair.after));
            let (Some(before), Some(after)) = (before, after) else { continue };
            let concept = |question: &Item<Question>| question.value.concept.clone();
            let (first, second) = (concept(before), concept(after));
            let fault = if before.id == after.id {
                let message = say!("前后是同一道题", "before and after are the same question");
                let help =
                    say!("换一道考同一知识点的题", "use another question on the same concept");
                Some((message, help))
            } else if first != second {
                let message = say!(
                    "前一题考 `{first}`，后一题考 `{second}`",
                    "the first asks about `{first}`, the second about `{second}`"
                );
                let help = say!(
                    "前后两题要考同一个知识点",
                    "the two questions of a pair are on one concept"
                );
                Some((message, help))
            } else if !taught.contains_key(&first) && self.unread.is_empty() {
                let message =
                    say!("课程没有教 `{first}`", "`{first}` is taught by no lesson of the course");
                let help =
                    say!("换一对题，或教这个知识点", "use another pair, or teach the concept");
                Some((message, help))
            } else {
                None
            };
            if let Some((message, help)) = fault {
                self.report.error(codes::PAIRED, self.at(&at("after")), message, help);
            }
        }
    }
}
