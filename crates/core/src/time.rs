//! Time as the engine knows it: instants that arrive from outside, business days, and periods of
//! standings. A zone is a fixed offset from UTC (China: +480 minutes), never a time-zone database.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::mutant;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Last instant that commands may carry (start of the year 2200).
    pub const MAX: Timestamp = Timestamp(7_258_118_400_000);

    /// This instant plus `ms` milliseconds, never past [`Timestamp::MAX`].
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms).min(Self::MAX.0))
    }
}

/// RFC 3339 with milliseconds, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = Day(i32::try_from(self.0.div_euclid(DAY_MS)).unwrap_or(i32::MAX));
        let ms = self.0.rem_euclid(DAY_MS);
        let (s, ms) = (ms / 1_000, ms % 1_000);
        write!(f, "{day}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3_600, s / 60 % 60, s % 60)
    }
}

/// A calendar day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// Earliest and latest day that content and commands may name.
    pub const RANGE: std::ops::RangeInclusive<Day> = Day(0)..=Day(84_005);

    /// The day `days` later (earlier when negative).
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Civil date; days before year 1 or after 9999 are clamped. Wider than [`Day::RANGE`], so that
    /// the periods at its ends are whole.
    fn date(self) -> Date {
        let clamped = self.0.clamp(-719_162, 2_932_896);
        Date::constant(1970, 1, 1).checked_add(i64::from(clamped).days()).unwrap_or(Date::MAX)
    }

    fn from_date(date: Date) -> Self {
        let days = Date::constant(1970, 1, 1).until(date).map_or(0, |span| span.get_days());
        Self(days)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())
    }
}

/// The text is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date between 1970-01-01 and 2199-12-31; write it like \"2026-11-21\"")]
pub struct DayError;

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| match i {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let day = shape.then(|| text.parse::<Date>().ok()).flatten().map(Day::from_date);
        day.filter(|day| Day::RANGE.contains(day)).ok_or(DayError)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            i32::deserialize(deserializer).map(Day)
        }
    }
}

/// A time of day in minutes after midnight, written `"21:00"`; `"24:00"` is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// `hours:minutes`, up to 24:00.
    #[must_use]
    pub const fn new(hours: u16, minutes: u16) -> Option<Self> {
        if hours <= 24 && minutes < 60 && hours * 60 + minutes <= 24 * 60 {
            Some(Self(hours * 60 + minutes))
        } else {
            None
        }
    }

    /// Minutes after midnight, 0 to 1,440.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

/// The text is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day; write it like \"21:00\", from \"00:00\" to \"24:00\"")]
pub struct TimeOfDayError;

impl TryFrom<String> for TimeOfDay {
    type Error = TimeOfDayError;

    fn try_from(text: String) -> Result<Self, TimeOfDayError> {
        let two = |s: &str| {
            (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())
        };
        let (hours, minutes) = text.split_once(':').ok_or(TimeOfDayError)?;
        let (hours, minutes) = (two(hours).flatten(), two(minutes).flatten());
        hours.zip(minutes).and_then(|(h, m)| Self::new(h, m)).ok_or(TimeOfDayError)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// When a business day begins. Two numbers, so that the rule can be said in one sentence: the day
/// of an instant is the date on a clock set `utc_offset_minutes` from UTC and turned back by
/// `day_start_minutes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawCalendar")]
pub struct Calendar {
    utc_offset_minutes: i16,
    day_start_minutes: u16,
    late_minutes: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalendar {
    utc_offset_minutes: i16,
    #[serde(default)]
    day_start_minutes: u16,
    #[serde(default)]
    late_minutes: u16,
}

impl TryFrom<RawCalendar> for Calendar {
    type Error = CalendarError;

    fn try_from(raw: RawCalendar) -> Result<Self, CalendarError> {
        Self::new(raw.utc_offset_minutes, raw.day_start_minutes, raw.late_minutes)
    }
}

/// The numbers are outside what a calendar may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a calendar needs utc_offset_minutes from -840 to 840, day_start_minutes below 720 and late_minutes up to 2880"
)]
pub struct CalendarError;

impl Default for Calendar {
    /// China: +08:00, days start at midnight, events may arrive two hours late.
    fn default() -> Self {
        Self { utc_offset_minutes: 480, day_start_minutes: 0, late_minutes: 120 }
    }
}

impl Calendar {
    /// A calendar with the given offset, day start and late-event window, all in minutes.
    ///
    /// # Errors
    /// Offset beyond 14 hours, day start at or after noon, late window beyond two days.
    pub fn new(
        utc_offset_minutes: i16,
        day_start_minutes: u16,
        late_minutes: u16,
    ) -> Result<Self, CalendarError> {
        if (-840..=840).contains(&utc_offset_minutes)
            && day_start_minutes < 720
            && late_minutes <= 2_880
        {
            Ok(Self { utc_offset_minutes, day_start_minutes, late_minutes })
        } else {
            Err(CalendarError)
        }
    }

    #[inline]
    fn shift_ms(self) -> i64 {
        if mutant::planted("time/utc-day") {
            return 0;
        }
        (i64::from(self.utc_offset_minutes) - i64::from(self.day_start_minutes)) * MINUTE_MS
    }

    /// The business day of an instant.
    #[inline]
    #[must_use]
    pub fn day_of(self, at: Timestamp) -> Day {
        let days = at.0.saturating_add(self.shift_ms()).div_euclid(DAY_MS);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// The instant at which a business day begins.
    #[must_use]
    pub fn start_of(self, day: Day) -> Timestamp {
        Timestamp(i64::from(day.0) * DAY_MS - self.shift_ms())
    }

    /// The instant at which the wall clock of this zone shows `time` on business day `day`. A
    /// time before the day start belongs to the same business day, on the next date.
    #[must_use]
    pub fn at(self, day: Day, time: TimeOfDay) -> Timestamp {
        let midnight = i64::from(day.0) * DAY_MS - i64::from(self.utc_offset_minutes) * MINUTE_MS;
        let minutes = i64::from(time.minutes());
        let wrapped = if minutes < i64::from(self.day_start_minutes) { DAY_MS } else { 0 };
        Timestamp(midnight + minutes * MINUTE_MS + wrapped)
    }

    /// How long after the fact an event may arrive and still be placed at its own time.
    #[must_use]
    pub fn late_ms(self) -> i64 {
        i64::from(self.late_minutes) * MINUTE_MS
    }

    /// The time that counts for an event: `occurred` while it is not in the future and not older
    /// than the late window, otherwise `None`.
    #[inline]
    #[must_use]
    pub fn place(self, now: Timestamp, occurred: Timestamp) -> Option<Timestamp> {
        // An absurd `occurred` is refused like any other that is too old, not subtracted.
        let age = now.0.checked_sub(occurred.0)?;
        (0..=self.late_ms()).contains(&age).then_some(occurred)
    }
}

/// How long one standing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PeriodKind {
    /// One business day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter: January, April, July and October begin one.
    Season,
}

impl PeriodKind {
    /// All kinds, shortest first.
    pub const ALL: [PeriodKind; 4] = [Self::Day, Self::Week, Self::Month, Self::Season];
}

/// One day, week, month or season, named by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// How long it runs.
    pub kind: PeriodKind,
    /// Its first business day.
    pub first: Day,
}

impl Period {
    /// The period of `kind` that contains `day`.
    #[must_use]
    pub fn containing(kind: PeriodKind, day: Day) -> Self {
        let date = day.date();
        let first = match kind {
            PeriodKind::Day => day,
            PeriodKind::Week => day.plus(-i32::from(date.weekday().to_monday_zero_offset())),
            PeriodKind::Month => Day::from_date(date.first_of_month()),
            PeriodKind::Season => {
                let month = (date.month() - 1) / 3 * 3 + 1;
                Day::from_date(Date::constant(date.year(), month, 1))
            }
        };
        Self { kind, first }
    }

    /// The period after this one.
    #[must_use]
    pub fn next(self) -> Self {
        // 31 days after the first of a month is always in the next; 92 after a quarter's first too.
        let days = match self.kind {
            PeriodKind::Day => 1,
            PeriodKind::Week => 7,
            PeriodKind::Month => 31,
            PeriodKind::Season => 92,
        };
        Self::containing(self.kind, self.first.plus(days))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check_day(calendar: Calendar, utc: &str, expected: &str) {
        let at = Timestamp(utc.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        assert_eq!(calendar.day_of(at).to_string(), expected, "{utc}");
    }

    #[test]
    fn the_business_day_turns_where_the_calendar_says() {
        let china = Calendar::default();
        check_day(china, "2026-11-20T15:59:59.999Z", "2026-11-20");
        check_day(china, "2026-11-20T16:00:00Z", "2026-11-21");
        let four_in_the_morning = Calendar::new(480, 240, 0).unwrap();
        check_day(four_in_the_morning, "2026-11-20T19:59:59.999Z", "2026-11-20");
        check_day(four_in_the_morning, "2026-11-20T20:00:00Z", "2026-11-21");
        check_day(china, "2028-02-28T16:00:00Z", "2028-02-29");
        check_day(china, "2026-12-31T16:00:00Z", "2027-01-01");
    }

    #[track_caller]
    fn check_period(kind: PeriodKind, inside: &str, first: &str, next: &str) {
        let period = Period::containing(kind, day(inside));
        assert_eq!(
            (period.first, period.next().first),
            (day(first), day(next)),
            "{kind:?} {inside}"
        );
    }

    #[test]
    fn periods_follow_the_calendar() {
        check_period(PeriodKind::Day, "2026-12-31", "2026-12-31", "2027-01-01");
        check_period(PeriodKind::Week, "2026-11-22", "2026-11-16", "2026-11-23");
        check_period(PeriodKind::Week, "2027-01-01", "2026-12-28", "2027-01-04");
        check_period(PeriodKind::Month, "2028-02-29", "2028-02-01", "2028-03-01");
        check_period(PeriodKind::Month, "2026-12-31", "2026-12-01", "2027-01-01");
        check_period(PeriodKind::Season, "2026-11-21", "2026-10-01", "2027-01-01");
        check_period(PeriodKind::Season, "2026-07-01", "2026-07-01", "2026-10-01");
    }

    #[test]
    fn a_time_before_the_day_start_is_on_the_next_date() {
        let calendar = Calendar::new(480, 240, 0).unwrap();
        let late = calendar.at(day("2026-11-20"), TimeOfDay::new(1, 30).unwrap());
        assert_eq!(late.to_string(), "2026-11-20T17:30:00.000Z");
        assert_eq!(calendar.day_of(late), day("2026-11-20"));
    }

    #[test]
    fn an_event_counts_at_its_own_time_within_the_late_window() {
        let calendar = Calendar::new(480, 0, 1).unwrap();
        let now = Timestamp(100_000);
        for (occurred, placed) in [
            (100_000, true),
            (40_000, true),
            (39_999, false),
            (100_001, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            let expected = placed.then_some(Timestamp(occurred));
            assert_eq!(calendar.place(now, Timestamp(occurred)), expected, "{occurred}");
        }
        assert_eq!(calendar.place(Timestamp::MAX, Timestamp(i64::MIN)), None);
        assert_eq!(TimeOfDay::new(u16::MAX, 0), None);
    }

    #[test]
    fn dates_outside_the_range_are_refused() {
        for bad in ["2026-02-29", "1969-12-31", "2200-01-01", "2026-1-1", "20261121", "2026-13-01"]
        {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
        assert_eq!(day("2199-12-31"), *Day::RANGE.end());
        let last = Period::containing(PeriodKind::Season, *Day::RANGE.end());
        assert_eq!(last.next().first, Day::RANGE.end().plus(1));
        assert_eq!(Day(i32::MAX).to_string(), "9999-12-31");
        assert_eq!(Day(i32::MIN).to_string(), "0001-01-01");
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_day(
            at in 0..Timestamp::MAX.0, offset in -840i16..=840, start in 0u16..720,
        ) {
            let calendar = Calendar::new(offset, start, 0).unwrap();
            let day = calendar.day_of(Timestamp(at));
            prop_assert!(calendar.start_of(day) <= Timestamp(at));
            prop_assert!(Timestamp(at) < calendar.start_of(day.plus(1)));
        }

        #[test]
        fn periods_tile_the_calendar(days in 0i32..84_100) {
            for kind in PeriodKind::ALL {
                let period = Period::containing(kind, Day(days));
                prop_assert!(period.first <= Day(days) && Day(days) < period.next().first);
                prop_assert_eq!(Period::containing(kind, period.next().first.plus(-1)), period);
            }
        }

        #[test]
        fn every_time_of_day_lies_in_its_business_day(
            days in 0i32..84_000, minutes in 0u16..1440, start in 0u16..720,
        ) {
            let calendar = Calendar::new(480, start, 0).unwrap();
            let at = calendar.at(Day(days), TimeOfDay::new(minutes / 60, minutes % 60).unwrap());
            prop_assert_eq!(calendar.day_of(at), Day(days));
        }
    }
}
