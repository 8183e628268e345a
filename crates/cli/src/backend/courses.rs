//! Texts of courses and lessons in the reader's language.

use dengmi_api::backend::{CourseText, Language, LessonText, SheetText};
use dengmi_content::model::community::CommunityKind;
use dengmi_content::model::product::Sheet;
use dengmi_content::{Pack, PackCourse};
use dengmi_core::Slug;

use super::markets::risk;
use super::texts::{in_language, notices, unit};

/// Every course of a pack, in id order.
pub(super) fn all(pack: &Pack, language: Language) -> Vec<CourseText> {
    pack.courses.iter().map(|(id, course)| text(pack, id, course, language)).collect()
}

/// A course.
pub(super) fn course(pack: &Pack, id: &Slug, language: Language) -> Option<CourseText> {
    let id = pack.current(id);
    Some(text(pack, id, pack.courses.get(id)?, language))
}

fn text(pack: &Pack, id: &Slug, found: &PackCourse, language: Language) -> CourseText {
    let course = &found.course;
    let lessons = found.lessons.iter().map(|lesson| in_language(&lesson.title, language));
    CourseText {
        id: id.clone(),
        title: in_language(&course.title, language),
        summary: in_language(&course.summary, language),
        lessons: lessons.collect(),
        lesson_at: course.lesson_at,
        opens_days_before: course.enrolment.opens_days_before,
        late_until_day: course.enrolment.late_until_day,
        lives_in: files(pack, &course.audience),
        leads_to: files(pack, &course.migration.to),
        notices: notices(pack, &course.notices, language),
    }
}

/// Community files of some kinds.
fn files(pack: &Pack, kinds: &[CommunityKind]) -> Vec<Slug> {
    let fitting = pack.communities.iter().filter(|(_, file)| kinds.contains(&file.kind));
    fitting.map(|(id, _)| id.clone()).collect()
}

/// The lesson of a day.
pub(super) fn lesson(
    pack: &Pack,
    course: &Slug,
    day: u8,
    language: Language,
) -> Option<LessonText> {
    let lesson = pack.courses.get(pack.current(course))?.lesson(day)?;
    let sheet = |id: &Slug| {
        let page = pack.products.get(pack.current(id))?;
        Some(SheetText {
            id: id.clone(),
            title: in_language(&page.title, language),
            real: page.sheet == Sheet::Real,
            risk: risk(page.risk()),
        })
    };
    Some(LessonText {
        title: in_language(&lesson.title, language),
        goal: in_language(&lesson.goal, language),
        minutes: lesson.minutes,
        messages: lesson.blocks.iter().map(|block| in_language(block, language)).collect(),
        prompt: in_language(&lesson.compute.prompt, language),
        unit: unit(lesson.compute.unit, language),
        answer: lesson.compute.answer,
        explain: in_language(&lesson.compute.explain, language),
        task: in_language(&lesson.mock.text, language),
        sheets: lesson.sheets.iter().filter_map(sheet).collect(),
        notices: notices(pack, &lesson.notices, language),
    })
}
