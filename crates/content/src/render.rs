//! Diagnostics for people: the line itself, underlined.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Said, Severity};

/// Draws a diagnostic: code and message, place, the line with the fault underlined, what to write
/// instead, and where to read more; English below the Chinese. `source_text` is the text of the
/// diagnostic's file; with an empty one, for a file that is missing, only the place is named.
/// `color` adds terminal escapes.
#[must_use]
pub fn render(diagnostic: &Diagnostic, source_text: &str, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let Said { zh, en } = &diagnostic.message;
    let title = level.primary_title(format!("{zh}\n{en}")).id(diagnostic.code);
    let (start, end) = diagnostic.span;
    let group = if source_text.get(start..end).is_some() && !source_text.is_empty() {
        // One line is enough to draw one line, and a long file costs nothing.
        let line_start = source_text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let length = source_text[end..].find('\n').unwrap_or(source_text.len() - end);
        let line = source_text[line_start..end + length].trim_end_matches('\r');
        let span = start - line_start..(end - line_start).min(line.len());
        let snippet = Snippet::source(line)
            .line_start(usize::try_from(diagnostic.line).unwrap_or(usize::MAX))
            .path(&diagnostic.path)
            .annotation(AnnotationKind::Primary.span(span));
        title.element(snippet)
    } else {
        title.element(Origin::path(&diagnostic.path))
    };
    let Said { zh, en } = &diagnostic.help;
    let group = group.element(Level::HELP.with_name("改法 help").message(format!("{zh}\n{en}")));
    let more = format!("dengmi explain {}", diagnostic.code);
    let group = group.element(Level::NOTE.with_name("详解 more").message(more));
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_underlined_where_they_are() {
        let text = "(\n    title: {\"zh-CN\": \"灯谜保本会\"},\n)\n";
        let start = text.find("保本").unwrap();
        let diagnostic = Diagnostic {
            code: "C0501",
            severity: Severity::Error,
            path: "quests/x.ron".to_owned(),
            line: 2,
            column: 25,
            span: (start, start + "保本".len()),
            message: Said::new("不能用这个词", "the word is refused"),
            help: Said::new("删去", "leave it out"),
        };
        let drawn = render(&diagnostic, text, false);
        let expected = "\
error[C0501]: 不能用这个词
              the word is refused
 --> quests/x.ron:2:25
  |
2 |     title: {\"zh-CN\": \"灯谜保本会\"},
  |                           ^^^^
  |
  = 改法 help: 删去
               leave it out
  = 详解 more: dengmi explain C0501";
        assert_eq!(drawn, expected, "\n{drawn}");
        assert!(render(&diagnostic, text, true).contains("\u{1b}["));
        // No text: still says where.
        assert!(render(&diagnostic, "", false).contains("quests/x.ron"));
    }
}
