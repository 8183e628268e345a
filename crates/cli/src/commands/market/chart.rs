//! Two lines as text.

/// Draws two lines of the same length in `rows` rows, highest first, each row with its value: `*`
/// for the first, `o` for the second, `@` where both are. Empty where there is nothing to draw.
pub(super) fn chart(first: &[f64], second: &[f64], rows: usize) -> Vec<String> {
    let all = || first.iter().chain(second).copied().filter(|value| value.is_finite());
    let low = all().fold(f64::INFINITY, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    if low > high || rows == 0 {
        return Vec::new();
    }
    let step = ((high - low) / (rows.max(2) - 1) as f64).max(1e-9);
    let row_of = |value: f64| ((high - value) / step).round() as usize;
    let lines = (0..rows).map(|row| {
        let marks = first.iter().zip(second).map(|(&first, &second)| {
            match (row_of(first) == row, row_of(second) == row) {
                (true, true) => '@',
                (true, false) => '*',
                (false, true) => 'o',
                (false, false) => ' ',
            }
        });
        let marks: String = marks.collect();
        let line = format!("{:>9.4} {marks}", high - step * row as f64);
        line.trim_end().to_owned()
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::chart;

    #[test]
    fn two_lines_are_drawn() {
        let drawn = chart(&[1.0, 2.0, 3.0], &[1.0, 2.0, 1.0], 3);
        assert_eq!(drawn, ["   3.0000   *", "   2.0000  @", "   1.0000 @ o"]);
        assert_eq!(chart(&[1.0], &[1.0], 2), ["   1.0000 @", "   1.0000"]);
        assert_eq!(chart(&[], &[], 3), Vec::<String>::new());
    }
}
