//! "Did you mean ...?"

use crate::diagnostic::{Said, say};

/// A help text with the known name nearest to what was written, when one is near enough.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Said> {
    nearest(written, known).map(|name| say!("是不是 `{name}`？", "did you mean `{name}`?"))
}

/// The known name nearest to what was written: three fifths of the letters must agree. `None` where
/// none is near enough.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |name: &str| {
        // Case alone, the beginning alone, or a part of a path alone is as near as can be.
        let begins = written.len() >= 3 && name.starts_with(written);
        let same_end = name.rsplit('/').next() == written.rsplit('/').next();
        if name.eq_ignore_ascii_case(written) || same_end || begins {
            1.0
        } else {
            strsim::normalized_damerau_levenshtein(name, written)
        }
    };
    let scored = known.into_iter().map(|name| (score(name), name));
    let best = scored.reduce(|a, b| if b.0 > a.0 { b } else { a });
    best.filter(|&(score, _)| score >= 0.6).map(|(_, name)| name)
}

/// The names, quoted, with commas.
pub(crate) fn one_of(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: Option<&str>) {
        let known = ["wealth/steady-90d", "fund/steady", "risk_level"];
        assert_eq!(nearest(written, known), expected, "{written}");
    }

    #[test]
    fn the_nearest_name_is_near() {
        check("welth/steady-90d", Some("wealth/steady-90d"));
        check("steady-90d", Some("wealth/steady-90d"));
        check("risk", Some("risk_level"));
        check("RISK_LEVEL", Some("risk_level"));
        check("deposit", None);
    }
}
