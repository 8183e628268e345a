//! Files of courses, and the quest that follows from a course.

use dengmi_core::Slug;

use crate::codes;
use crate::content::Kind;
use crate::diagnostic::say;
use crate::model::quest::{Attempts, Counts, Curve, LateJoiners, QuizSeries, Reveal, Round};
use crate::model::{Course, Lesson, Purpose, Quest, QuestKind, SCHEMA};
use crate::source::Report;

/// The kind of a file below `courses/` and its id: the course's own for `course.ron`, with the
/// file behind it for a lesson.
pub(crate) fn file_of<'p>(
    path: &str,
    below: &'p str,
    report: &mut Report,
) -> Option<(Kind, &'p str)> {
    let (folder, file) = below.rsplit_once('/').unwrap_or(("", below));
    match file {
        "course" if !folder.is_empty() => Some((Kind::Course, folder)),
        _ if !folder.is_empty() && day_of(file).is_some() => Some((Kind::Lesson, below)),
        _ => {
            let message = say!(
                "课程文件夹里只有 `course.ron` 和 `day-01.ron` 这样的文件",
                "a course has the files `course.ron`, `day-01.ron` and so on, and no other"
            );
            let help = say!(
                "改名为 `courses/<课程>/day-NN.ron`（两位数字），或移到别处",
                "rename it to `courses/<course>/day-NN.ron`, with two digits, or move it away"
            );
            report.file_error(codes::COURSE_FILES, path, message, help);
            None
        }
    }
}

/// The day in a lesson's file name or id.
pub(crate) fn day_of(id: &str) -> Option<u8> {
    let digits = id.rsplit('/').next()?.strip_prefix("day-")?;
    let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// Whether a lesson is of a course, by their ids.
pub(crate) fn is_lesson_of(lesson: &Slug, course: &Slug) -> bool {
    lesson.as_str().rsplit_once('/').is_some_and(|(folder, _)| folder == course.as_str())
}

/// The quiz of a course as a quest: a round for each lesson, closed for good at its time.
pub(crate) fn quest_of<'l>(
    course: &Course,
    lessons: impl IntoIterator<Item = &'l Lesson>,
) -> Quest {
    let mut rounds: Vec<Round> = lessons
        .into_iter()
        .map(|lesson| Round {
            day: u16::from(lesson.day),
            opens: course.quiz.opens,
            closes: course.quiz.closes,
            grace_seconds: 0,
            questions: lesson.questions.iter().chain(&lesson.review).cloned().collect(),
        })
        .collect();
    rounds.sort_by_key(|round| round.day);
    Quest {
        schema: SCHEMA,
        was: course.was.clone(),
        title: course.title.clone(),
        summary: course.summary.clone(),
        purpose: Purpose::Education,
        audience: course.audience.clone(),
        days: u16::from(course.days),
        kind: QuestKind::QuizSeries(QuizSeries {
            rounds,
            attempts: Attempts { max: 1, counts: Counts::First },
            curve: Curve::Flat,
            late_joiners: LateJoiners::Open,
            reveal: Reveal::AtClose,
            shuffle_questions: true,
            shuffle_options: true,
            correction_days: 3,
        }),
        rewards: course.rewards.clone(),
        members_max: course.members_max,
        budget_fen: course.budget_fen,
        board: course.board,
        notices: course.notices.clone(),
        approval: course.approval.clone(),
        referral_depth: None,
    }
}
