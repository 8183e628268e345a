//! Messages short enough to be read on a telephone, enough of them, in the same languages.

use super::Check;
use crate::checks::questions::translated;
use crate::codes;
use crate::diagnostic::say;
use crate::model::Text;

/// Least number of messages of a lesson (s001: several tens; a short lesson has a dozen).
const BLOCKS_MIN: usize = 12;

/// Most characters of a message, by language; letters need more room than Chinese characters.
const LENGTH_MAX: [(&str, usize); 2] = [("en", 400), ("zh", 200)];

impl Check<'_, '_, '_> {
    pub(super) fn texts(&mut self) {
        for (_, lesson) in self.each() {
            let value = &lesson.value;
            if value.blocks.len() < BLOCKS_MIN {
                let message = say!(
                    "这一课只有 {count} 条消息",
                    "the lesson has {count} messages",
                    count = value.blocks.len()
                );
                let help = say!(
                    "一次只说一件事，分成至少 {BLOCKS_MIN} 条",
                    "say one thing at a time, in at least {BLOCKS_MIN} messages"
                );
                self.report.error(
                    codes::FEW_BLOCKS,
                    self.at_lesson(lesson, "blocks"),
                    message,
                    help,
                );
            }
            for (index, block) in value.blocks.iter().enumerate() {
                for (language, text) in block.iter() {
                    let most = LENGTH_MAX.iter().find(|(tag, _)| language.starts_with(tag));
                    let Some(&(_, most)) = most else { continue };
                    let count = text.chars().count();
                    if count > most {
                        let message = say!(
                            "这条消息有 {count} 个字符，最多 {most} 个",
                            "a message of {count} characters; {most} at most"
                        );
                        let help = say!("分成两条", "make two of it");
                        let at = self.at_lesson(lesson, &format!("blocks.{index}.{language}"));
                        self.report.error(codes::BLOCK_LONG, at, message, help);
                    }
                }
            }
            let mut texts: Vec<(String, &Text)> = vec![
                ("goal".to_owned(), &value.goal),
                ("compute.prompt".to_owned(), &value.compute.prompt),
                ("compute.explain".to_owned(), &value.compute.explain),
                ("mock.text".to_owned(), &value.mock.text),
            ];
            let blocks = value.blocks.iter().enumerate();
            texts.extend(blocks.map(|(index, block)| (format!("blocks.{index}"), block)));
            translated(
                self.content,
                &lesson.place,
                ("标题", "title"),
                &value.title,
                texts,
                self.report,
            );
        }
        let course = &self.course.value;
        let bands = course.score.bands.iter().enumerate();
        let bands = bands.map(|(i, band)| (format!("score.bands.{i}.title"), &band.title));
        let texts = std::iter::once(("summary".to_owned(), &course.summary)).chain(bands).collect();
        let place = &self.course.place;
        translated(self.content, place, ("标题", "title"), &course.title, texts, self.report);
    }
}
