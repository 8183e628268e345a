//! How standings are named in addresses: `community-c1-3-day-2026-11-21`, `run-r1-9`,
//! `round-q1-31`.

use std::fmt;
use std::str::FromStr;

use dengmi_core::view::board::BoardKey;
use dengmi_core::{Day, Period, PeriodKind};

/// A standing's name in addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardName(pub BoardKey);

/// The text names no standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the name of a standing; write `community-c1-3-day-2026-11-21` (day, week, month or season, and any day in it), `run-r1-9` or `round-q1-31`"
)]
pub struct BoardNameError;

const fn period_name(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Day => "day",
        PeriodKind::Week => "week",
        PeriodKind::Month => "month",
        PeriodKind::Season => "season",
    }
}

impl fmt::Display for BoardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            BoardKey::Community(community, period) => {
                write!(f, "community-{community}-{}-{}", period_name(period.kind), period.first)
            }
            BoardKey::Run(run) => write!(f, "run-{run}"),
            BoardKey::Round(round) => write!(f, "round-{round}"),
        }
    }
}

impl FromStr for BoardName {
    type Err = BoardNameError;

    /// Any day of a period names it.
    fn from_str(text: &str) -> Result<Self, BoardNameError> {
        let (kind, rest) = text.split_once('-').ok_or(BoardNameError)?;
        let key = match kind {
            "run" => BoardKey::Run(rest.parse().map_err(|_| BoardNameError)?),
            "round" => BoardKey::Round(rest.parse().map_err(|_| BoardNameError)?),
            "community" => {
                // `c1-3-day-2026-11-21`: the id has one hyphen, the date two.
                let mut parts = rest.splitn(4, '-');
                let mut part = || parts.next().ok_or(BoardNameError);
                let (branch, seq, name, day) = (part()?, part()?, part()?, part()?);
                let id = format!("{branch}-{seq}").parse().map_err(|_| BoardNameError)?;
                let kind = PeriodKind::ALL
                    .into_iter()
                    .find(|&kind| period_name(kind) == name)
                    .ok_or(BoardNameError)?;
                let day: Day = day.parse().map_err(|_| BoardNameError)?;
                BoardKey::Community(id, Period::containing(kind, day))
            }
            _ => return Err(BoardNameError),
        };
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in [
            "community-c1-3-day-2026-11-21",
            "community-c12-34-season-2026-10-01",
            "run-r1-9",
            "round-q1-31",
        ] {
            assert_eq!(name.parse::<BoardName>().unwrap().to_string(), name);
        }
        let week: BoardName = "community-c1-3-week-2026-11-21".parse().unwrap();
        assert_eq!(week.to_string(), "community-c1-3-week-2026-11-16");
        for bad in [
            "",
            "run",
            "run-q1-9",
            "run-r1-9-",
            "round-r1-9",
            "community-c1-3",
            "community-c1-3-year-2026-01-01",
            "community-c1-3-day-2026-02-30",
            "community-m1-3-day-2026-02-03",
            "Run-r1-9",
        ] {
            assert!(bad.parse::<BoardName>().is_err(), "{bad}");
        }
    }
}
