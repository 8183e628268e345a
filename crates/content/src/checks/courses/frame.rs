//! Length, files, times, and numbers that have a range.

use dengmi_core::Ppm;

use super::Check;
use crate::codes;
use crate::content::Item;
use crate::diagnostic::{Said, say};
use crate::model::Lesson;
use crate::model::course::CatchUp;
use crate::model::lesson::TaskEvidence;
use crate::source::At;

/// Days of a course: one to two weeks (s001).
pub(super) const DAYS: std::ops::RangeInclusive<u8> = 7..=14;

/// Minutes a lesson may take.
const MINUTES: std::ops::RangeInclusive<u8> = 3..=15;

/// Most market days that pass with one day of a course: a year of trading.
const TIMELAPSE_MAX: u16 = 250;

impl Check<'_, '_, '_> {
    pub(super) fn frame(&mut self) {
        let (id, course) = (&self.course.id, &self.course.value);
        if self.content.quests.get(id).is_some() {
            let message = say!(
                "课程和活动都叫 `{id}`，上线时分不清",
                "a course and a quest are both called `{id}`; which one is launched?"
            );
            let help = say!("给其中一个换 id", "give one of them another id");
            self.report.error(codes::ID_TWICE, self.at("schema"), message, help);
        }
        if !DAYS.contains(&course.days) {
            let message = say!("课程有 {days} 天", "a course of {days} days", days = course.days);
            let help = say!("请写 7 到 14 天", "write 7 to 14: one to two weeks");
            self.report.error(codes::COURSE_DAYS, self.at("days"), message, help);
        }
        let quiz = &course.quiz;
        if quiz.opens < course.lesson_at {
            let message = say!(
                "{lesson} 才发课，{opens} 就开始答题",
                "the quiz opens at {opens}, before the lesson comes at {lesson}",
                lesson = course.lesson_at,
                opens = quiz.opens
            );
            let help = say!("课先发，再开始答题", "open it with the lesson or after it");
            self.report.error(codes::COURSE_QUIZ_TIMES, self.at("quiz.opens"), message, help);
        }
        if quiz.closes <= quiz.opens {
            let message = say!(
                "答题 {opens} 开始，{closes} 结束",
                "the quiz opens at {opens} and closes at {closes}",
                opens = quiz.opens,
                closes = quiz.closes
            );
            let help = say!(
                "当天先开始后结束；最晚写 `\"24:00\"`",
                "close it after it opened, on the same day; `\"24:00\"` is its end"
            );
            self.report.error(codes::COURSE_QUIZ_TIMES, self.at("quiz.closes"), message, help);
        }
        self.ranges();
    }

    fn ranges(&mut self) {
        let course = &self.course.value;
        let days = u64::from(course.days);
        let (quiz, mock, score) = (&course.quiz, &course.mock, &course.score);
        let all = u64::from(Ppm::ONE.0);
        let catch_up = match course.enrolment.catch_up {
            CatchUp::UntilGraduation => 1,
            CatchUp::Within(days) => u64::from(days),
        };
        let cash = u64::try_from(mock.cash_fen.0).unwrap_or(0);
        let ranges = [
            ("quiz.reviews_per_day", u64::from(quiz.reviews_per_day), 1, 50),
            ("quiz.retention", u64::from(quiz.retention.0), 1, all - 1),
            ("enrolment.late_until_day", u64::from(course.enrolment.late_until_day), 0, days),
            ("enrolment.catch_up", catch_up, 1, 14),
            ("mock.cash_fen", cash, 1, 1_000_000_000_000),
            ("mock.orders_from_day", u64::from(mock.orders_from_day), 1, days),
            ("mock.debrief_loss", u64::from(mock.debrief_loss.0), 1, all),
            ("score.process.notes_wanted", u64::from(score.process.notes_wanted), 1, 50),
            ("score.portfolio.assets", u64::from(score.portfolio.assets), 2, 50),
            ("score.portfolio.cost_limit", u64::from(score.portfolio.cost_limit.0), 1, all),
            ("score.outcome.floor", u64::from(score.outcome.floor.0), 1, all),
            ("score.penalties.within_days", u64::from(score.penalties.within_days), 1, 14),
            ("migration.invitation_days", u64::from(course.migration.invitation_days), 1, 90),
        ];
        for (path, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                self.out_of_range(self.at(path), value, least, most);
            }
        }
        for (_, lesson) in self.each() {
            let lapse = lesson.value.timelapse;
            if !(1..=TIMELAPSE_MAX).contains(&lapse) {
                let at = self.at_lesson(lesson, "timelapse");
                self.out_of_range(at, u64::from(lapse), 1, u64::from(TIMELAPSE_MAX));
            }
        }
    }

    fn out_of_range(&mut self, at: At<'_>, value: u64, least: u64, most: u64) {
        let message = say!("{value} 超出范围", "{value} is out of range");
        let help = say!("请写 {least} 到 {most}", "write {least} to {most}");
        self.report.error(codes::COURSE_NUMBER, at, message, help);
    }

    pub(super) fn files(&mut self) {
        let (id, days) = (&self.course.id, self.course.value.days);
        for (day, lesson) in self.each() {
            let own = lesson.value.day;
            if own != day {
                let message = say!(
                    "文件名是第 {day} 天，里面写第 {own} 天",
                    "the file is named after day {day} and says day {own}"
                );
                let help = say!("改成一样", "make them the same");
                let at = self.at_lesson(lesson, "day");
                self.report.error(codes::LESSON_DAY, at, message, help);
            }
            self.minutes(lesson);
            self.mock_task(day, lesson);
        }
        for (day, lesson) in std::mem::take(&mut self.outside) {
            let message = say!(
                "课程只有 {days} 天，没有第 {day} 天",
                "a lesson of day {day} in a course of {days} days"
            );
            let help = say!(
                "删去文件，或改 `course.ron` 的 `days`；第一天是 `day-01.ron`",
                "remove the file, or change `days` in `course.ron`; the first is `day-01.ron`"
            );
            self.report.error(codes::COURSE_FILES, self.at_lesson(lesson, "day"), message, help);
        }
        if !DAYS.contains(&days) {
            return; // said already
        }
        for day in (1..=days).filter(|day| !self.lessons.contains_key(day)) {
            if self.unread.contains(&day) {
                continue;
            }
            let path = format!("courses/{id}/day-{day:02}.ron");
            let message = say!("缺第 {day} 天的课", "the lesson of day {day} is missing");
            let help = say!(
                "请添加 `{path}`，或改 `course.ron` 的 `days`",
                "add `{path}`, or change `days` in `course.ron`"
            );
            self.report.file_error(codes::COURSE_FILES, &path, message, help);
        }
    }

    fn minutes(&mut self, lesson: &Item<Lesson>) {
        let minutes = lesson.value.minutes;
        if !MINUTES.contains(&minutes) {
            let message = say!("阅读要 {minutes} 分钟", "{minutes} minutes of reading");
            let help =
                say!("请写 3 到 15 分钟；5 到 8 分钟最合适", "write 3 to 15; 5 to 8 is best");
            let at = self.content.at(&lesson.place, "minutes");
            self.report.error(codes::LESSON_MINUTES, at, message, help);
        }
    }

    /// What a task needs of the course; what it needs of the market is checked with the script.
    fn mock_task(&mut self, day: u8, lesson: &Item<Lesson>) {
        let from = self.course.value.mock.orders_from_day;
        let fault: Option<(Said, Said)> = match &lesson.value.mock.done_by {
            TaskEvidence::Order(_) if day < from => Some((
                say!(
                    "第 {day} 天就要下单，第 {from} 天才开放",
                    "an order is wanted on day {day}; orders are taken from day {from}"
                ),
                say!(
                    "换一个任务，或把 `orders_from_day` 提前",
                    "give another task, or take orders earlier (`orders_from_day`)"
                ),
            )),
            TaskEvidence::Order(assets) if assets.is_empty() => Some((
                say!("没有写可以买哪些", "an order for no asset"),
                say!("至少写一个资产", "name at least one asset"),
            )),
            TaskEvidence::Sheet if lesson.value.sheets.is_empty() => Some((
                say!("要读说明书，这一课没有说明书", "a sheet is to be read, and there is none"),
                say!("在 `sheets` 中写上产品", "name a product in `sheets`"),
            )),
            _ => None,
        };
        if let Some((message, help)) = fault {
            let at = self.content.at(&lesson.place, "mock.done_by");
            self.report.error(codes::MOCK_TASK, at, message, help);
        }
    }
}
