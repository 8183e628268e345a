//! Small wire types that several endpoints share.

use std::fmt;
use std::str::FromStr;

use dengmi_core::{BranchId, Day, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::backend::NoticeText;

/// An instant on the wire: RFC 3339, sent in UTC with milliseconds, taken with any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-21T04:30:00.000Z")]
pub struct At(pub Timestamp);

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtError;

impl fmt::Display for AtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 time between 1970 and 2199; write it like \"2026-11-21T12:30:00+08:00\"")
    }
}

impl FromStr for At {
    type Err = AtError;

    /// `YYYY-MM-DDThh:mm:ss`, up to nine decimals of which three count, `Z` or `+hh:mm`. Second
    /// 60 is refused: the engine's clock has none.
    fn from_str(text: &str) -> Result<Self, AtError> {
        let (day, rest) = text.split_once(['T', 't']).ok_or(AtError)?;
        let day: Day = day.parse().map_err(|_| AtError)?;
        let (time, offset) = match rest.strip_suffix(['Z', 'z']) {
            Some(time) => (time, 0),
            None => {
                let (time, sign, offset) = rest
                    .rsplit_once('+')
                    .map(|(time, offset)| (time, 1, offset))
                    .or_else(|| rest.rsplit_once('-').map(|(time, offset)| (time, -1, offset)))
                    .ok_or(AtError)?;
                let (hours, minutes) = offset.split_once(':').ok_or(AtError)?;
                (time, sign * (two(hours, 23)? * 60 + two(minutes, 59)?))
            }
        };
        let (time, decimals) = time.split_once('.').unwrap_or((time, "0"));
        let plain =
            (1..=9).contains(&decimals.len()) && decimals.bytes().all(|byte| byte.is_ascii_digit());
        if !plain {
            return Err(AtError);
        }
        let ms: i64 = format!("{decimals:0<3}")[..3].parse().map_err(|_| AtError)?;
        let mut parts = time.split(':');
        let mut part = |most| two(parts.next().ok_or(AtError)?, most);
        let seconds = part(23)? * 3_600 + part(59)? * 60 + part(59)?;
        let at = i64::from(day.0) * 86_400_000 + (seconds - offset * 60) * 1_000 + ms;
        let in_range = parts.next().is_none() && (0..Timestamp::MAX.0).contains(&at);
        in_range.then_some(At(Timestamp(at))).ok_or(AtError)
    }
}

fn two(text: &str, most: i64) -> Result<i64, AtError> {
    let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = plain.then(|| text.parse().ok()).flatten().ok_or(AtError)?;
    if number <= most { Ok(number) } else { Err(AtError) }
}

/// A branch on the wire: `b1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "b1")]
pub(crate) struct BranchName(pub(crate) BranchId);

impl Serialize for BranchName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for BranchName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map(BranchName).map_err(serde::de::Error::custom)
    }
}

/// A notice that must be shown with a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Notice {
    /// Its id.
    #[schema(example = "n1")]
    id: String,
    /// What it says.
    text: String,
}

impl From<NoticeText> for Notice {
    fn from(notice: NoticeText) -> Self {
        Self { id: notice.id.into(), text: notice.text }
    }
}

/// Notices on the wire.
pub(crate) fn notices(notices: Vec<NoticeText>) -> Vec<Notice> {
    notices.into_iter().map(Notice::from).collect()
}

/// A number from 0 to 31 for each set bit: how sets of options are written.
pub(crate) fn bits(mask: u32) -> Vec<u8> {
    (0..32).filter(|bit| mask >> bit & 1 == 1).collect()
}

/// The mask of a list of positions; `None` where one is above 31 or comes twice.
pub(crate) fn mask(positions: &[u8]) -> Option<u32> {
    positions.iter().try_fold(0u32, |mask, &position| {
        let bit = 1u32.checked_shl(u32::from(position))?;
        (mask & bit == 0).then_some(mask | bit)
    })
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, ms: Option<i64>) {
        assert_eq!(text.parse::<At>().ok().map(|at| at.0.0), ms, "{text}");
    }

    #[test]
    fn times_are_read_strictly() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01T08:00:00+08:00", Some(0));
        check("2026-11-21T12:30:00.250+08:00", Some(1_795_235_400_250));
        check("2026-11-21t04:30:00.25z", Some(1_795_235_400_250));
        check("1970-01-01T00:00:00.1239Z", Some(123));
        for bad in [
            "",
            "2026-11-21",
            "2026-11-21T12:30:00",
            "2026-11-21T12:30Z",
            "2026-11-21T23:59:60Z",
            "2026-11-21T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "1970-01-01T00:00:00+08:00",
            "2026-11-21T12:30:00.Z",
            "2026-11-21T12:30:00.1234567890Z",
            "2026-11-21T12:30:00+8:00",
            "2026-11-21T12:30:00:00Z",
            "2026-11-21T12:30:00.１Z",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn masks_and_lists_agree() {
        assert_eq!(mask(&[0, 2, 31]), Some(0x8000_0005));
        assert_eq!(bits(0x8000_0005), [0, 2, 31]);
        assert_eq!(mask(&[32]), None);
        assert_eq!(mask(&[255]), None);
        assert_eq!(mask(&[1, 1]), None);
    }
}
