//! Statements that bind many rows at once. One statement per row costs a round trip to the
//! connection's thread each; statement texts are static, so a few sizes are written out once.

/// Numbers of rows (or values) a statement is written for, largest first.
const SIZES: [usize; 4] = [512, 64, 8, 1];

/// The same statement for each of [`SIZES`].
pub(super) struct Sized {
    texts: [String; 4],
}

impl Sized {
    /// `INSERT INTO .. VALUES (?, ..), (?, ..)`: `insert` ends with `VALUES`, each row has
    /// `columns` values. Anonymous placeholders: binding numbered ones costs a search each.
    pub(super) fn insert(insert: &str, columns: usize) -> Self {
        let row = format!("({})", list("?", columns));
        Self { texts: SIZES.map(|size| format!("{insert} {}", list(&row, size))) }
    }

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
    fn every_row_is_in_exactly_one_statement() {
        static SQL: LazyLock<Sized> = LazyLock::new(|| Sized::insert("VALUES", 2));
        for count in [0, 1, 7, 8, 9, 63, 64, 71, 511, 512, 513, 1_100] {
            let rows: Vec<usize> = (0..count).collect();
            let mut seen = Vec::new();
            for (sql, part) in SQL.split(&rows) {
                assert_eq!(sql.matches("(?, ?)").count(), part.len());
                assert_eq!(sql.matches('?').count(), 2 * part.len());
                seen.extend_from_slice(part);
            }
            assert_eq!(seen, rows);
        }
    }
}
