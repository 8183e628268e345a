//! A course and the script of its mock market tell one story: the script is there and as long as
//! the course, every shock is in the lesson of its day, and every mock task can be done.

use super::Check;
use crate::checks::markets::known_assets;
use crate::codes;
use crate::content::Item;
use crate::diagnostic::{Said, say};
use crate::model::lesson::TaskEvidence;
use crate::model::scenario::ShockKind;
use crate::model::{Lesson, Market, Scenario};
use crate::nearest::{did_you_mean, one_of};

impl<'c> Check<'c, '_, '_> {
    pub(super) fn script(&mut self) {
        // One that is missing is said where references are checked.
        let Some(script) = self.content.scenario(&self.course.value.mock.scenario) else {
            return;
        };
        let (name, script) = (&script.id, &script.value);
        let (wanted, days) = (self.course.value.days, script.days);
        if wanted != days && super::frame::DAYS.contains(&wanted) {
            let message = say!(
                "剧本 `{name}` 有 {days} 天，课程有 {wanted} 天",
                "the script `{name}` is made for {days} days, the course has {wanted}"
            );
            let help = say!("换一个剧本，或改天数", "take another script, or change the days");
            self.report.error(codes::SCRIPT_DAYS, self.at("mock.scenario"), message, help);
        }
        let market = self.content.market(&script.market).map(|item| &item.value);
        for (day, lesson) in self.each() {
            self.told(day, lesson, script);
            self.untold(day, lesson, script);
            self.assets(lesson, market);
            self.fraud(day, lesson, script);
        }
    }

    /// Shocks that a lesson names are in the script, on this day.
    fn told(&mut self, day: u8, lesson: &'c Item<Lesson>, script: &Scenario) {
        for (index, id) in lesson.value.shocks.iter().enumerate() {
            let (message, help) = match script.shock(id) {
                Some(shock) if shock.day == day => continue,
                Some(shock) => (
                    say!(
                        "冲击 `{id}` 在第 {on} 天，不在第 {day} 天",
                        "the shock `{id}` falls on day {on}, not on day {day}",
                        on = shock.day
                    ),
                    say!("写到那一天的课里", "name it in the lesson of that day"),
                ),
                None => (
                    say!("剧本里没有冲击 `{id}`", "the script has no shock `{id}`"),
                    known_shocks(id.as_str(), script, day),
                ),
            };
            let at = self.at_lesson(lesson, &format!("shocks.{index}"));
            self.report.error(codes::LESSON_SHOCK, at, message, help);
        }
    }

    /// Shocks of this day are in the lesson: whoever wrote it knew of them.
    fn untold(&mut self, day: u8, lesson: &'c Item<Lesson>, script: &Scenario) {
        let falls = script.shocks.iter().filter(|shock| shock.day == day);
        for shock in falls.filter(|shock| !lesson.value.shocks.contains(&shock.id)) {
            let id = &shock.id;
            let message = say!(
                "剧本第 {day} 天有冲击 `{id}`，这一课没有写",
                "the script has the shock `{id}` on day {day}; the lesson does not name it"
            );
            let help = say!(
                "在 `shocks` 中写上 `\"{id}\"`，正文也要照应",
                "add `\"{id}\"` to `shocks`, and see that the messages fit it"
            );
            // The field is left out where nothing happens.
            let field = if lesson.value.shocks.is_empty() { "day" } else { "shocks" };
            let at = self.at_lesson(lesson, field);
            self.report.error(codes::LESSON_SHOCK, at, message, help);
        }
    }

    /// What an order is wanted for can be bought.
    fn assets(&mut self, lesson: &'c Item<Lesson>, market: Option<&Market>) {
        let Some(market) = market else { return };
        let TaskEvidence::Order(wanted) = &lesson.value.mock.done_by else { return };
        for (index, id) in wanted.iter().enumerate() {
            let message = match market.asset(id) {
                None => say!("市场里没有资产 `{id}`", "the market has no asset `{id}`"),
                Some(asset) if !asset.enabled => {
                    say!("资产 `{id}` 没有启用", "the asset `{id}` is switched off")
                }
                Some(_) => continue,
            };
            let at = self.at_lesson(lesson, &format!("mock.done_by.{index}"));
            self.report.error(codes::MOCK_TASK, at, message, known_assets(market, id));
        }
    }

    /// A fraud is to be reported on a day on which there is one.
    fn fraud(&mut self, day: u8, lesson: &'c Item<Lesson>, script: &Scenario) {
        let pitched = |day| {
            let mut shocks = script.shocks.iter().filter(move |shock| shock.day == day);
            shocks.any(|shock| shock.kind == ShockKind::FraudPitch)
        };
        if lesson.value.mock.done_by != TaskEvidence::FraudReport || pitched(day) {
            return;
        }
        let message = say!(
            "要举报骗局，剧本第 {day} 天没有骗局",
            "a fraud is to be reported; the script has none on day {day}"
        );
        let help = say!(
            "换一个任务，或在剧本这一天安排 `FraudPitch`",
            "give another task, or have the script pitch one on this day (`FraudPitch`)"
        );
        let at = self.at_lesson(lesson, "mock.done_by");
        self.report.error(codes::MOCK_TASK, at, message, help);
    }
}

/// Help for a shock that is not there: one that is nearly called so, else those of the day.
fn known_shocks(id: &str, script: &Scenario, day: u8) -> Said {
    let known = script.shocks.iter().map(|shock| shock.id.as_str());
    did_you_mean(id, known).unwrap_or_else(|| {
        let of_day = script.shocks.iter().filter(|shock| shock.day == day);
        let of_day: Vec<&str> = of_day.map(|shock| shock.id.as_str()).collect();
        if of_day.is_empty() {
            return say!("这一天没有冲击，请删去", "nothing happens on this day: remove it");
        }
        let names = one_of(&of_day);
        say!("这一天有：{names}", "on this day: {names}")
    })
}
