//! A day of a course as a member gets it.

use dengmi_content::model::lesson::TaskEvidence;
use dengmi_content::model::{Answer, Body, Course, Lesson, Text, Unit};
use dengmi_content::{Pack, PackQuestion};
use dengmi_core::Slug;
use dengmi_core::command::Key;

use crate::layout;

/// Columns of a line.
const COLUMNS: usize = 76;

/// Everything of a day in the order in which it comes, in one language.
pub(super) fn lines(
    pack: &Pack,
    course: &Course,
    lesson: &Lesson,
    language: &str,
    answers: bool,
) -> Vec<String> {
    let mut page = Page { pack, language, answers, lines: Vec::new() };
    page.lesson(course, lesson);
    page.compute(lesson);
    page.heading(("今日测验", "Quiz of the day"));
    page.hours(course);
    page.questions(&lesson.questions);
    if !lesson.review.is_empty() {
        page.heading(("温故知新", "Asked again"));
        page.questions(&lesson.review);
    }
    page.task(lesson);
    page.market(course, lesson);
    page.notices(lesson);
    page.lines
}

struct Page<'p> {
    pack: &'p Pack,
    language: &'p str,
    answers: bool,
    lines: Vec<String>,
}

impl Page<'_> {
    /// Chinese or English, whichever the reader reads.
    fn word<'w>(&self, (zh, en): (&'w str, &'w str)) -> &'w str {
        if self.language == "en" { en } else { zh }
    }

    fn text<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.language)
    }

    /// A text behind a label; further lines stand below its beginning.
    fn behind(&mut self, label: &str, text: &str) {
        let indent = layout::width(label);
        for (index, line) in layout::wrap(text, COLUMNS.saturating_sub(indent)).iter().enumerate() {
            let before = if index == 0 { label.to_owned() } else { " ".repeat(indent) };
            self.lines.push(format!("{before}{line}").trim_end().to_owned());
        }
    }

    fn heading(&mut self, words: (&str, &str)) {
        let title = self.word(words).to_owned();
        let rest = COLUMNS.saturating_sub(layout::width(&title) + 4);
        self.lines.push(String::new());
        self.lines.push(format!("── {title} {}", "─".repeat(rest)));
    }

    fn lesson(&mut self, course: &Course, lesson: &Lesson) {
        let (day, days, minutes) = (lesson.day, course.days, lesson.minutes);
        let zh = format!("第 {day} 天，共 {days} 天 · {} · 约 {minutes} 分钟", course.lesson_at);
        let en = format!("day {day} of {days} · {} · about {minutes} minutes", course.lesson_at);
        let title = self.text(&course.title).to_owned();
        let when = self.word((&zh, &en)).to_owned();
        self.lines.push(format!("{title} · {when}"));
        let (title, goal) =
            (self.text(&lesson.title).to_owned(), self.text(&lesson.goal).to_owned());
        self.behind("", &title);
        let label = self.word(("学完能做到：", "After it: ")).to_owned();
        self.behind(&label, &goal);
        self.heading(("消息", "Messages"));
        let width = lesson.blocks.len().to_string().len();
        for (index, block) in lesson.blocks.iter().enumerate() {
            let label = format!("{:>width$}  ", index + 1);
            self.behind(&label, block.get(self.language));
        }
    }

    fn compute(&mut self, lesson: &Lesson) {
        self.heading(("算一算", "Your number"));
        let compute = &lesson.compute;
        self.behind("", compute.prompt.get(self.language));
        self.field(Some(compute.unit));
        if self.answers {
            let unit = self.word(compute.unit.suffix());
            let answer = format!("{}{unit}", compute.answer);
            self.behind("   ✓ ", &answer);
            self.behind("   ", compute.explain.get(self.language));
        }
    }

    /// Where a number or a word is typed.
    fn field(&mut self, unit: Option<Unit>) {
        let unit = unit.map_or("", |unit| self.word(unit.suffix()));
        self.lines.push(format!("   [________]{unit}"));
    }

    fn hours(&mut self, course: &Course) {
        let (opens, closes) = (course.quiz.opens, course.quiz.closes);
        let zh = format!("{opens} 开始，{closes} 截止后公布答案");
        let en = format!("{opens} to {closes}; answers are told at the close");
        let hours = self.word((&zh, &en)).to_owned();
        self.behind("", &hours);
    }

    fn questions(&mut self, ids: &[Slug]) {
        let pack = self.pack;
        let questions = ids.iter().filter_map(|id| pack.questions.get(id));
        for (index, question) in questions.enumerate() {
            self.lines.push(String::new());
            self.behind(&format!("{}. ", index + 1), question.question.stem.get(self.language));
            self.body(question);
            if self.answers {
                let feedback = question.question.feedback.wrong.get(self.language);
                self.behind("   ", feedback);
            }
        }
    }

    fn body(&mut self, question: &PackQuestion) {
        match (&question.question.body, &question.key) {
            (Body::Number { .. }, key) => {
                self.field(question.unit);
                if let (Key::Number { value, .. }, true) = (key, self.answers) {
                    let unit = question.unit.map_or("", |unit| self.word(unit.suffix()));
                    self.lines.push(format!("   ✓ {value}{unit}"));
                }
            }
            (Body::Typed { answer, .. }, _) => {
                self.field(None);
                if let (Answer::Plain(text), true) = (answer, self.answers) {
                    self.lines.push(format!("   ✓ {text}"));
                }
            }
            (Body::TrueFalse { .. }, key) => {
                let right = match key {
                    Key::Bool(right) => Some(*right),
                    _ => None,
                };
                for (value, words) in [(true, ("对", "True")), (false, ("错", "False"))] {
                    let mark = self.mark(right == Some(value));
                    let word = self.word(words);
                    self.lines.push(format!("   {mark} {word}"));
                }
            }
            (Body::Single { .. } | Body::Multi { .. }, key) => {
                let is_right = |index: usize| match key {
                    Key::One(right) => usize::from(*right) == index,
                    Key::Many(bits) => index < 32 && bits & (1 << index) != 0,
                    _ => false,
                };
                let options = question.options.iter().enumerate();
                let mut options: Vec<(&str, bool)> = options
                    .map(|(index, option)| (option.get(self.language), is_right(index)))
                    .collect();
                // Members get them in an order of their own; here it must not give the answer away.
                options.sort_unstable();
                for (text, right) in options {
                    let label = format!("   {} ", self.mark(right));
                    self.behind(&label, text);
                }
            }
        }
    }

    fn mark(&self, right: bool) -> char {
        if self.answers && right { '✓' } else { '○' }
    }

    fn task(&mut self, lesson: &Lesson) {
        self.heading(("模拟任务", "Mock task"));
        self.behind("", lesson.mock.text.get(self.language));
        let plain = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        let done = match &lesson.mock.done_by {
            TaskEvidence::Assessment => plain("答完风险测评", "the questionnaire is answered"),
            TaskEvidence::Plan => plain("写好或修改计划", "a plan is written or changed"),
            TaskEvidence::Note => plain("当天写一条笔记", "a note is written on the day"),
            TaskEvidence::Sheet => plain("读完本课说明书", "a sheet of the lesson is read"),
            TaskEvidence::FraudReport => plain("举报群里的骗局", "the fraud is reported"),
            TaskEvidence::Debrief => plain("写完复盘", "the closing debrief is written"),
            TaskEvidence::Order(assets) => {
                let assets: Vec<&str> = assets.iter().map(Slug::as_str).collect();
                let assets = assets.join(", ");
                (format!("当天下单：{assets}"), format!("an order on the day: {assets}"))
            }
        };
        let label = self.word(("完成标志：", "Done when: ")).to_owned();
        let done = self.word((&done.0, &done.1)).to_owned();
        self.behind(&label, &done);
        for id in &lesson.sheets {
            if let Some(product) = self.pack.products.get(id) {
                let label = self.word(("说明书：", "Sheet: ")).to_owned();
                let title = format!("{} ({id})", product.title.get(self.language));
                self.behind(&label, &title);
            }
        }
    }

    /// What happens on the mock market on this day, and what is traded.
    fn market(&mut self, course: &Course, lesson: &Lesson) {
        let pack = self.pack;
        let Some(scenario) = pack.scenarios.get(pack.current(&course.mock.scenario)) else {
            return;
        };
        let Some(market) = pack.markets.get(pack.current(&scenario.market)) else { return };
        self.heading(("模拟市场", "Mock market"));
        let (from, passes) = (course.mock.orders_from_day, lesson.timelapse);
        if passes != 1 {
            let zh = format!("这一天过 {passes} 个交易日。");
            let en = format!("{passes} market days pass with this day.");
            let told = self.word((&zh, &en)).to_owned();
            self.behind("", &told);
        }
        for shock in scenario.shocks.iter().filter(|shock| shock.day == lesson.day) {
            let label = self.word(("消息：", "News: ")).to_owned();
            self.behind(&label, shock.news.get(self.language));
        }
        if lesson.day < from {
            let zh = format!("第 {from} 天起可以下单。");
            let en = format!("Orders are taken from day {from} on.");
            let told = self.word((&zh, &en)).to_owned();
            self.behind("", &told);
            return;
        }
        let cutoff = market.cutoff;
        let zh = format!("可以下单，{cutoff} 截止：");
        let en = format!("Orders are taken, until {cutoff}:");
        let told = self.word((&zh, &en)).to_owned();
        self.behind("", &told);
        for asset in market.assets.iter().filter(|asset| asset.enabled) {
            let line = format!("{} ({})", asset.title.get(self.language), asset.id);
            self.behind(&format!("  {:?}  ", asset.risk), &line);
        }
    }

    fn notices(&mut self, lesson: &Lesson) {
        self.heading(("提示", "Notices"));
        let pack = self.pack;
        for notice in lesson.notices.iter().filter_map(|id| pack.notices.get(id)) {
            self.behind("", notice.text.get(self.language));
        }
    }
}
