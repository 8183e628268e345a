//! Education comes first (C22): most lessons teach, and real products come in the last third only.

use dengmi_core::Slug;

use super::Check;
use crate::codes;
use crate::content::Item;
use crate::diagnostic::{Said, say};
use crate::model::product::Sheet;
use crate::model::{Lesson, Purpose, Question};

/// Least share of education among the lessons, in percent.
const SHARE: usize = 70;

impl<'c> Check<'c, '_, '_> {
    pub(super) fn education(&mut self) {
        let lessons = self.each();
        let teach =
            lessons.iter().filter(|(_, lesson)| lesson.value.purpose == Purpose::Education).count();
        if teach * 100 < lessons.len() * SHARE && self.unread.is_empty() {
            let message = say!(
                "{all} 课中只有 {teach} 课是投教",
                "{teach} of {all} lessons are education",
                all = lessons.len()
            );
            let help = say!(
                "至少 {SHARE}% 的课写 `purpose: Education`（C22）",
                "at least {SHARE} % of the lessons are `purpose: Education` (C22)"
            );
            self.report.error(codes::EDUCATION_SHARE, self.at("days"), message, help);
        }
        for (day, lesson) in lessons {
            let marketing = lesson.value.purpose == Purpose::Marketing;
            if marketing && !self.in_last_third(day) {
                let message =
                    say!("第 {day} 天就是营销课", "a marketing lesson on day {day} already");
                self.early(lesson, "purpose", message);
            }
            for (index, id) in lesson.value.sheets.iter().enumerate() {
                let real = self.content.product(id).is_some_and(|p| p.value.sheet == Sheet::Real);
                if real {
                    let message = say!("`{id}` 是真实产品", "`{id}` is a real product");
                    self.real(day, lesson, &format!("sheets.{index}"), message);
                }
            }
            for (field, ids) in
                [("questions", &lesson.value.questions), ("review", &lesson.value.review)]
            {
                for (index, id) in ids.iter().enumerate() {
                    if self.sells(id) {
                        let message = say!(
                            "`{id}` 是营销题，或考真实产品",
                            "`{id}` is marketing, or asks about a real product"
                        );
                        self.real(day, lesson, &format!("{field}.{index}"), message);
                    }
                }
            }
        }
        self.pairs_teach();
    }

    /// Whether a question is about a real product.
    fn sells(&self, id: &Slug) -> bool {
        self.content.question(id).is_some_and(|question: &Item<Question>| {
            let mut products = self.content.products_of(&question.value);
            question.value.purpose == Purpose::Marketing
                || products.any(|product| product.value.sheet == Sheet::Real)
        })
    }

    fn real(&mut self, day: u8, lesson: &'c Item<Lesson>, path: &str, message: Said) {
        if !self.in_last_third(day) {
            self.early(lesson, path, message);
        } else if lesson.value.purpose == Purpose::Education {
            let help = say!(
                "把这一课写成 `purpose: Marketing`，或改用教学样例（C22）",
                "write `purpose: Marketing` for the lesson, or use a teaching sheet (C22)"
            );
            self.report.error(codes::PRODUCT_EARLY, self.at_lesson(lesson, path), message, help);
        }
    }

    fn early(&mut self, lesson: &'c Item<Lesson>, path: &str, message: Said) {
        let days = u16::from(self.course.value.days);
        let help = say!(
            "第 {from} 天起才能出现真实产品，之前用教学样例（C22）",
            "real products come from day {from} on, teaching sheets before (C22)",
            from = days * 2 / 3 + 1
        );
        self.report.error(codes::PRODUCT_EARLY, self.at_lesson(lesson, path), message, help);
    }

    /// What the course added is measured without products.
    fn pairs_teach(&mut self) {
        for (index, pair) in self.course.value.paired.iter().enumerate() {
            for (field, id) in [("before", &pair.before), ("after", &pair.after)] {
                if self.sells(id) {
                    let message = say!(
                        "`{id}` 是营销题，或考真实产品",
                        "`{id}` is marketing, or asks about a real product"
                    );
                    let help = say!(
                        "前后对照题只考投教内容（C22）",
                        "the questions of a pair are education (C22)"
                    );
                    let at = self.at(&format!("paired.{index}.{field}"));
                    self.report.error(codes::PRODUCT_EARLY, at, message, help);
                }
            }
        }
    }
}
