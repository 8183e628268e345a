//! Courses: files and days, teaching, education before products, texts, numbers, score, and the
//! script of the mock market.

mod education;
mod frame;
mod numbers;
mod score;
mod script;
mod teaching;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use crate::codes;
use crate::content::{Content, Item, Kind};
use crate::courses::day_of;
use crate::diagnostic::say;
use crate::model::{Course, Lesson};
use crate::nearest::did_you_mean;
use crate::source::{At, Report};

pub(super) fn check(content: &Content<'_>, report: &mut Report) {
    for course in content.courses.iter() {
        let mut check = Check::new(content, course, report);
        check.frame();
        check.files();
        check.teaching();
        check.education();
        check.texts();
        check.numbers();
        check.score();
        check.script();
    }
    without_course(content, report);
}

/// A course on its way through the checks.
struct Check<'c, 'a, 'r> {
    content: &'c Content<'a>,
    course: &'c Item<Course>,
    /// By the day in the file's name; those of the course's days only.
    lessons: BTreeMap<u8, &'c Item<Lesson>>,
    /// Lessons before the first or after the last day.
    outside: BTreeMap<u8, &'c Item<Lesson>>,
    /// Days whose lesson is there but could not be read: nothing is known about them.
    unread: BTreeSet<u8>,
    report: &'r mut Report,
}

impl<'c, 'a, 'r> Check<'c, 'a, 'r> {
    fn new(content: &'c Content<'a>, course: &'c Item<Course>, report: &'r mut Report) -> Self {
        let lessons = content.lessons_of(&course.id);
        let lessons = lessons.filter_map(|lesson| Some((day_of(lesson.id.as_str())?, lesson)));
        // With an impossible length, which was reported, nothing lies outside.
        let days = course.value.days;
        let last = if frame::DAYS.contains(&days) { days } else { u8::MAX };
        let (lessons, outside) = lessons.partition(|(day, _)| (1..=last).contains(day));
        let unread = content.broken.iter().filter(|(kind, _)| *kind == Kind::Lesson);
        let own = |id: &str| id.rsplit_once('/').is_some_and(|(of, _)| of == course.id.as_str());
        let unread = unread.filter(|(_, id)| own(id)).filter_map(|(_, id)| day_of(id)).collect();
        Self { content, course, lessons, outside, unread, report }
    }

    /// A place in `course.ron`.
    fn at(&self, path: &str) -> At<'c> {
        self.content.at(&self.course.place, path)
    }

    /// A place in a lesson.
    fn at_lesson(&self, lesson: &'c Item<Lesson>, path: &str) -> At<'c> {
        self.content.at(&lesson.place, path)
    }

    /// The lessons with their days; apart from `self`, so that something may be said of them.
    fn each(&self) -> Vec<(u8, &'c Item<Lesson>)> {
        self.lessons.iter().map(|(&day, &lesson)| (day, lesson)).collect()
    }

    /// Whether a day lies in the last third, where real products may be shown (C22).
    fn in_last_third(&self, day: u8) -> bool {
        u16::from(day) * 3 > u16::from(self.course.value.days) * 2
    }
}

fn without_course(content: &Content<'_>, report: &mut Report) {
    let mut said = BTreeSet::new();
    for lesson in content.lessons.iter() {
        let Some((course, _)) = lesson.id.as_str().rsplit_once('/') else { continue };
        let known = content.courses.iter().any(|item| item.id.as_str() == course);
        if known || content.is_broken(Kind::Course, course) || !said.insert(course) {
            continue;
        }
        let path = format!("courses/{course}/course.ron");
        let message = say!(
            "课程 `{course}` 有课，没有 `course.ron`",
            "the course `{course}` has lessons but no `course.ron`"
        );
        let names = content.courses.iter().map(|item| item.id.as_str());
        let help = did_you_mean(course, names).unwrap_or_else(|| {
            say!("请添加 `{path}`，或移走这些课", "add `{path}`, or move the lessons away")
        });
        report.file_error(codes::COURSE_FILES, &path, message, help);
    }
}
