//! `dengmi course`.

mod coverage;
mod preview;

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use dengmi_content::{Pack, PackCourse, nearest};
use dengmi_core::Slug;

use crate::args::Global;
use crate::error::{CliError, Result};
use crate::{content, layout, terminal};

/// Courses.
#[derive(Debug, Subcommand)]
pub(crate) enum Course {
    /// 列出课程 List courses
    List,
    /// 覆盖表：课、知识点、题目、产品，指出缺口 What is taught, asked and asked again, and the gaps
    Coverage(Coverage),
    /// 预览一天 What a member gets on a day
    Preview(Preview),
}

/// What is taught, asked and asked again, and the gaps.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi course coverage                          全部课程 all courses
  dengmi course coverage basics-7
  dengmi course coverage basics-7 --format json   供其他工具使用 for other tools")]
pub(crate) struct Coverage {
    /// 课程，缺省为全部 The course [default: all]
    id: Option<String>,
    /// 输出格式 Output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// A list of courses
    Json,
}

/// What a member gets on a day.
#[derive(Args, Debug)]
#[command(after_help = "\
示例 Examples:
  dengmi course preview basics-7 --day 2
  dengmi course preview basics-7 --day 2 --lang en --answers")]
pub(crate) struct Preview {
    /// 课程 The course
    id: String,
    /// 第几天 Day of the course, from 1
    #[arg(long, value_name = "N")]
    day: u8,
    /// 语言 Language
    #[arg(long, value_parser = dengmi_content::model::text::LANGUAGES, default_value = "zh-CN")]
    lang: String,
    /// 标出答案和讲解 Show what is right, and why
    #[arg(long)]
    answers: bool,
}

impl Course {
    /// Runs it.
    ///
    /// # Errors
    /// The content has faults, or there is no such course or day.
    pub(crate) fn run(&self, global: &Global) -> Result<()> {
        let root = content::root(global)?;
        let pack = content::load_checked(&root)?.pack;
        let lines = match self {
            Self::List => list(&pack),
            Self::Coverage(Coverage { id, format }) => {
                let courses: Vec<(&Slug, &Arc<PackCourse>)> = match id {
                    Some(id) => vec![find(&pack, id)?],
                    None => pack.courses.iter().collect(),
                };
                let found: Vec<coverage::Coverage> = courses
                    .into_iter()
                    .map(|(id, course)| coverage::of(&pack, id, course))
                    .collect();
                match format {
                    Format::Json => {
                        vec![serde_json::to_string_pretty(&found).map_err(CliError::internal)?]
                    }
                    Format::Text => found.iter().flat_map(coverage::Coverage::lines).collect(),
                }
            }
            Self::Preview(Preview { id, day, lang, answers }) => {
                let (_, course) = find(&pack, id)?;
                let lesson = course.lesson(*day).ok_or_else(|| {
                    let message = format!("`{id}` 没有第 {day} 天 has no day {day}");
                    let days = course.course.days;
                    CliError::user(message, format!("写 1 到 {days} write 1 to {days}"))
                })?;
                preview::lines(&pack, &course.course, lesson, lang, *answers)
            }
        };
        lines.iter().try_for_each(|line| terminal::print(line))
    }
}

/// A course by its id or an earlier one.
fn find<'p>(pack: &'p Pack, id: &str) -> Result<(&'p Slug, &'p Arc<PackCourse>)> {
    let known = id.parse::<Slug>().ok();
    let found = known.and_then(|id| pack.courses.get_key_value(pack.current(&id)));
    found.ok_or_else(|| {
        let hint = match nearest(id, pack.courses.keys().map(Slug::as_str)) {
            Some(near) => format!("是不是 `{near}`？did you mean `{near}`?"),
            None => "`dengmi course list` 列出全部课程 lists all of them".to_owned(),
        };
        CliError::user(format!("没有课程 `{id}` there is no course `{id}`"), hint)
    })
}

fn list(pack: &Pack) -> Vec<String> {
    if pack.courses.is_empty() {
        return vec!["没有课程 no courses".to_owned()];
    }
    let cell = |text: &str| text.to_owned();
    let mut rows =
        vec![["课程 course", "天 days", "新题 questions", "名称 title"].map(cell).to_vec()];
    for (id, course) in &pack.courses {
        let title = &course.course.title;
        let asked: usize = course.lessons.iter().map(|lesson| lesson.questions.len()).sum();
        rows.push(vec![
            id.to_string(),
            course.course.days.to_string(),
            asked.to_string(),
            format!("{} {}", title.zh(), title.get("en")),
        ]);
    }
    layout::table(&rows)
}
