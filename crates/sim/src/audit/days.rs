//! Days, weeks, months and seasons, worked out from the count of days alone.

use dengmi_core::{Calendar, Day, PeriodKind, Timestamp};

pub(super) const DAY_MS: i64 = 86_400_000;

/// The business day of an instant: whole days since the day that the calendar counts as 0 began.
pub(super) fn day_of(calendar: Calendar, at: Timestamp) -> Day {
    let since = at.0 - calendar.start_of(Day(0)).0;
    Day(i32::try_from(since.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
}

/// The time that counts for an event reported at `now`, if it is neither in the future nor older
/// than the late window.
pub(super) fn placed(
    calendar: Calendar,
    now: Timestamp,
    occurred: Option<Timestamp>,
) -> Option<Timestamp> {
    let Some(occurred) = occurred else { return Some(now) };
    let age = i128::from(now.0) - i128::from(occurred.0);
    (0..=i128::from(calendar.late_ms())).contains(&age).then_some(occurred)
}

/// Year, month (from 1) and day of the month (from 1) by the Gregorian calendar: 400 years are
/// 146,097 days, and a year that begins in March has its leap day last.
fn civil(day: Day) -> (i64, i64, i64) {
    let days = i64::from(day.0) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, of_month)
}

/// First day of a month; months beyond December run on into later years.
fn first_of_month(year: i64, month: i64) -> Day {
    let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Day(i32::try_from(days).unwrap_or(i32::MAX))
}

/// Days since Monday; 1970-01-01 was a Thursday.
pub(super) fn weekday(day: Day) -> i32 {
    (day.0 + 3).rem_euclid(7)
}

/// First day of the day, week, month or season that contains `day`.
pub(super) fn first_of(kind: PeriodKind, day: Day) -> Day {
    match kind {
        PeriodKind::Day => day,
        PeriodKind::Week => day.plus(-weekday(day)),
        PeriodKind::Month => {
            let (_, _, of_month) = civil(day);
            Day(day.0 - of_month as i32 + 1)
        }
        PeriodKind::Season => {
            let (year, month, _) = civil(day);
            first_of_month(year, (month - 1) / 3 * 3 + 1)
        }
    }
}

/// First day of the month that begins when points earned on `day` have lived `months` whole
/// months after their own.
pub(super) fn expires(day: Day, months: u8) -> Day {
    let (year, month, _) = civil(day);
    first_of_month(year, month + i64::from(months) + 1)
}

#[cfg(test)]
mod tests {
    use dengmi_core::Period;

    use super::*;

    #[test]
    fn periods_are_those_of_the_core() {
        for day in (0..84_000).step_by(3).map(Day) {
            for kind in PeriodKind::ALL {
                assert_eq!(first_of(kind, day), Period::containing(kind, day).first, "{kind:?}");
            }
            let month = Period::containing(PeriodKind::Month, day);
            assert_eq!(expires(day, 0), month.next().first);
            assert_eq!(expires(day, 13).0, (0..14).fold(month, |m, _| m.next()).first.0);
        }
    }
}
