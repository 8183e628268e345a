//! Text in columns, where a Chinese character is as wide as two letters.

/// Columns a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Wide are Chinese, Japanese and Korean characters with their punctuation, and emoji.
fn columns(c: char) -> usize {
    match c {
        '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' => 0,
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{303E}'
        | '\u{3041}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}

/// Lines of at most `most` columns: broken at spaces, and before Chinese characters that may open a
/// line. A word longer than a line stays whole.
pub(crate) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for part in parts(paragraph) {
            let shown = part.trim_end();
            if !line.is_empty() && width(&line) + width(shown) > most {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            line.push_str(part);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// What is not broken: words with the space behind them; characters with the punctuation around.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut before) = (0, None);
    for (at, c) in text.char_indices() {
        let may = before.is_some_and(|before: char| {
            let between = before == ' ' || columns(before) == 2 || columns(c) == 2;
            between && c != ' ' && !closes(c) && !opens(before)
        });
        if may {
            parts.push(&text[start..at]);
            start = at;
        }
        before = Some(c);
    }
    parts.push(&text[start..]);
    parts
}

/// May not open a line.
fn closes(c: char) -> bool {
    "，。、；：！？）》」』】”’…—,.;:!?)%".contains(c)
}

/// May not end a line.
fn opens(c: char) -> bool {
    "（《「『【“‘(".contains(c)
}

/// Rows in columns, each as wide as its widest cell, two spaces between; without spaces at the end.
pub(crate) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(widest).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(wide - width(cell) + 2));
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, most: usize, expected: &[&str]) {
        assert_eq!(wrap(text, most), expected, "{text}");
    }

    #[test]
    fn lines_break_where_they_may() {
        check("one two three", 7, &["one two", "three"]);
        check("一二三四五", 4, &["一二", "三四", "五"]);
        check("一二，三四", 4, &["一", "二，", "三四"]);
        check("存了 12,000 元", 9, &["存了", "12,000 元"]);
        check("他说“好”。", 6, &["他说", "“好”。"]);
        check("extraordinarily long", 5, &["extraordinarily", "long"]);
        check("a\n\nb", 5, &["a", "", "b"]);
        check("", 5, &[]);
    }

    #[test]
    fn columns_line_up() {
        let rows = [["天", "课"], ["10", "风险"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["天  课", "10  风险"]);
        assert_eq!(width("第1天 day"), 9);
    }
}
