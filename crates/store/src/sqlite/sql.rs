//! Statements that bind many rows at once. One statement per row costs a round trip to the
//! connection's thread each.

use std::fmt::Write as _;

/// Most rows of one `INSERT`: beyond, more statements follow in the same text.
const ROWS_MAX: usize = 512;

/// Places for `rows` rows, and some more: texts are prepared anew for each number of places, so
/// that there should be few of them.
pub(super) fn places(rows: usize) -> usize {
    match rows {
        0 => 0,
        1..=8 => rows.next_power_of_two(),
        9..=64 => rows.next_multiple_of(8),
        65..=256 => rows.next_multiple_of(32),
        _ => rows.next_multiple_of(128),
    }
}

/// `INSERT INTO .. VALUES` with rows of so many columns.
pub(super) struct Rows {
    /// Ends with `VALUES`, in brackets or not.
    pub(super) insert: &'static str,
    /// Values of a row.
    pub(super) columns: usize,
    /// What follows the rows.
    pub(super) after: &'static str,
}

impl Rows {
    /// Appends statements for `rows` rows to a text, each after a semicolon. Anonymous
    /// placeholders: binding numbered ones costs a search each.
    pub(super) fn write(&self, sql: &mut String, mut rows: usize) {
        while rows > 0 {
            let part = rows.min(ROWS_MAX);
            // Writing to a String cannot fail.
            let _ = write!(sql, "; {} ", self.insert);
            for row in 0..part {
                sql.push_str(if row == 0 { "(?" } else { ", (?" });
                (1..self.columns).for_each(|_| sql.push_str(", ?"));
                sql.push(')');
            }
            sql.push_str(self.after);
            rows -= part;
        }
    }
}

/// Numbers of values a `SELECT` is written for, largest first.
const SIZES: [usize; 4] = [512, 64, 8, 1];

/// The same statement for each of [`SIZES`].
pub(super) struct Sized {
    texts: [String; 4],
}

impl Sized {
    /// `SELECT .. IN (?, ..)`: `select` ends with `IN`.
    pub(super) fn select(select: &str) -> Self {
        Self { texts: SIZES.map(|size| format!("{select} ({})", list("?", size))) }
    }

    /// Cuts `rows` into parts for which there is a statement, largest first.
    pub(super) fn split<'r, T>(
        &'static self,
        mut rows: &'r [T],
    ) -> impl Iterator<Item = (&'static str, &'r [T])> {
        std::iter::from_fn(move || {
            let which = SIZES.iter().position(|&size| size <= rows.len())?;
            let (part, rest) = rows.split_at(SIZES[which]);
            rows = rest;
            Some((self.texts[which].as_str(), part))
        })
    }
}

fn list(item: &str, count: usize) -> String {
    vec![item; count].join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    #[test]
    fn places_are_few_and_enough() {
        let all: Vec<usize> = (0..=600).map(places).collect();
        assert!(all.iter().enumerate().all(|(rows, &places)| rows <= places));
        assert!(all.is_sorted());
        let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!((distinct.len(), places(0), places(1), places(30)), (21, 0, 1, 32));
    }

    #[test]
    fn every_value_is_in_exactly_one_statement() {
        static SQL: LazyLock<Sized> = LazyLock::new(|| Sized::select("IN"));
        for count in [0, 1, 7, 8, 9, 63, 64, 71, 511, 512, 513, 1_100] {
            let values: Vec<usize> = (0..count).collect();
            let mut seen = Vec::new();
            for (sql, part) in SQL.split(&values) {
                assert_eq!(sql.matches('?').count(), part.len());
                seen.extend_from_slice(part);
            }
            assert_eq!(seen, values);
        }
    }

    #[test]
    fn every_row_is_in_exactly_one_insert() {
        for count in [0, 1, 2, 511, 512, 513, 1_100] {
            let mut sql = String::from("BEGIN");
            Rows { insert: "INSERT VALUES", columns: 2, after: "" }.write(&mut sql, count);
            let statements: Vec<&str> = sql.split("; ").skip(1).collect();
            assert_eq!(statements.len(), count.div_ceil(ROWS_MAX));
            let rows = statements.iter().map(|one| one.matches("(?, ?)").count());
            assert_eq!(rows.sum::<usize>(), count);
            assert_eq!(sql.matches('?').count(), 2 * count);
        }
        let mut sql = String::new();
        Rows { insert: "INSERT VALUES", columns: 3, after: " ON CONFLICT" }.write(&mut sql, 2);
        assert_eq!(sql, "; INSERT VALUES (?, ?, ?), (?, ?, ?) ON CONFLICT");
    }
}
