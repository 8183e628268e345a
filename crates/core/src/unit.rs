//! Integers with units. All arithmetic that can leave the range is checked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Points of the loyalty ledger. Whole points only.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Points(pub i64);

/// The largest number of points that one entry may move or one balance may hold: far above any
/// programme, far below where sums of a billion members could leave `i64`.
pub const POINTS_MAX: Points = Points(1_000_000_000);

impl Points {
    /// The sum, unless it leaves [`POINTS_MAX`] in either direction.
    #[must_use]
    pub fn checked_add(self, other: Points) -> Option<Points> {
        let sum = self.0.checked_add(other.0)?;
        (sum.unsigned_abs() <= POINTS_MAX.0.unsigned_abs()).then_some(Points(sum))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Money in fen, 1/100 yuan.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// 1/10,000; 10,000 is 100 %.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BasisPoints(pub i32);

/// Parts per million; 1,000,000 is 100 %.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ppm(pub u32);

impl Ppm {
    /// 100 %.
    pub const ONE: Ppm = Ppm(1_000_000);

    /// This share of `amount`, rounded down.
    #[inline]
    #[must_use]
    pub fn of(self, amount: i64) -> i64 {
        if self == Self::ONE {
            return amount;
        }
        // The usual amounts need no 128 bits.
        if let Some(scaled) = amount.checked_mul(i64::from(self.0)) {
            return scaled.div_euclid(1_000_000);
        }
        let scaled = i128::from(amount) * i128::from(self.0);
        // A share of at most 4,294 times an i64 divided by a million always fits for |amount| <= 2^50;
        // saturate beyond, which no points or fen amount reaches.
        i64::try_from(scaled.div_euclid(1_000_000)).unwrap_or(if amount < 0 {
            i64::MIN
        } else {
            i64::MAX
        })
    }
}

/// A decimal number with at most six places, for quiz answers and product facts. Written as a
/// string in content (`"0.34"`), because RON's floats accept NaN and round.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal {
    micros: i64,
}

impl Decimal {
    /// Largest magnitude, so that differences and products in `i128` cannot overflow.
    const MICROS_MAX: i64 = 1_000_000_000_000_000_000;

    /// The number of millionths; `None` beyond 10^12.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (micros.unsigned_abs() <= Self::MICROS_MAX.unsigned_abs()).then_some(Self { micros })
    }

    /// Millionths.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.micros
    }
}

/// The text is no decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number: write digits with at most six decimal places, such as \"0.34\"")]
pub struct DecimalError;

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(part) || part.len() > 6 || whole.len() > 12 {
            return Err(DecimalError);
        }
        let whole: i64 = whole.parse().map_err(|_| DecimalError)?;
        let part: i64 = format!("{part:0<6}").parse().map_err(|_| DecimalError)?;
        Self::from_micros(sign * (whole * 1_000_000 + part)).ok_or(DecimalError)
    }
}

impl TryFrom<String> for Decimal {
    type Error = DecimalError;

    fn try_from(text: String) -> Result<Self, DecimalError> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(value: Decimal) -> Self {
        value.to_string()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.micros < 0 { "-" } else { "" };
        let magnitude = self.micros.unsigned_abs();
        let (whole, part) = (magnitude / 1_000_000, magnitude % 1_000_000);
        if part == 0 {
            write!(f, "{sign}{whole}")
        } else {
            let places = format!("{part:06}");
            write!(f, "{sign}{whole}.{}", places.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, micros: Option<i64>) {
        assert_eq!(text.parse::<Decimal>().ok().map(Decimal::micros), micros, "{text}");
    }

    #[test]
    fn decimals_are_read_exactly() {
        check("0.34", Some(340_000));
        check("-12", Some(-12_000_000));
        check("150.000001", Some(150_000_001));
        for bad in
            ["", "-", ".5", "5.", "1e3", "NaN", "inf", "1.0000001", "+1", "١", "1 000", "--1"]
        {
            check(bad, None);
        }
        assert_eq!("-0.340".parse::<Decimal>().unwrap().to_string(), "-0.34");
    }

    #[test]
    fn points_refuse_the_absurd() {
        assert_eq!(Points(1).checked_add(Points(2)), Some(Points(3)));
        assert_eq!(POINTS_MAX.checked_add(Points(1)), None);
        assert_eq!(Points(i64::MAX).checked_add(Points(1)), None);
    }

    #[test]
    fn a_share_rounds_down() {
        assert_eq!(Ppm(15_000).of(1_000_000), 15_000);
        assert_eq!(Ppm(500_000).of(3), 1);
        assert_eq!(Ppm(500_000).of(-3), -2);
        assert_eq!(Ppm(u32::MAX).of(i64::MAX), i64::MAX);
        assert_eq!(Ppm(u32::MAX).of(i64::MIN), i64::MIN);
    }
}
