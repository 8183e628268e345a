//! Fractions of whole numbers of any size, up to a limit that no lesson comes near.

use std::cmp::Ordering;

/// Most binary digits of either part: enough for a rate of five decimals over 366 days.
const BITS_MAX: usize = 16_384;

/// A whole number from zero, 32 binary digits a part, lowest first, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Whole(Vec<u32>);

impl Whole {
    fn from_digits(digits: impl Iterator<Item = char>) -> Self {
        let mut value = Self(Vec::new());
        for digit in digits.filter_map(|c| c.to_digit(10)) {
            value.times_ten_plus(digit);
        }
        value
    }

    fn times_ten_plus(&mut self, digit: u32) {
        let mut carry = u64::from(digit);
        for part in &mut self.0 {
            let sum = u64::from(*part) * 10 + carry;
            (*part, carry) = halves(sum);
        }
        if carry > 0 {
            self.0.push(halves(carry).0);
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Binary digits.
    fn bits(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len() * 32 - last.leading_zeros() as usize)
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn plus(&self, other: &Self) -> Self {
        let mut sum = Vec::with_capacity(self.0.len().max(other.0.len()) + 1);
        let mut carry = 0;
        for i in 0..self.0.len().max(other.0.len()) {
            let part = |of: &Self| u64::from(of.0.get(i).copied().unwrap_or(0));
            let (low, high) = halves(part(self) + part(other) + carry);
            sum.push(low);
            carry = high;
        }
        sum.push(halves(carry).0);
        Self(sum).trimmed()
    }

    /// The difference; `other` is not larger.
    fn minus(&self, other: &Self) -> Self {
        let mut borrow = 0;
        let parts = self.0.iter().enumerate().map(|(i, part)| {
            let less = u64::from(other.0.get(i).copied().unwrap_or(0)) + borrow;
            borrow = u64::from(u64::from(*part) < less);
            halves(u64::from(*part) + (borrow << 32) - less).0
        });
        Self(parts.collect()).trimmed()
    }

    fn times(&self, other: &Self) -> Self {
        let mut product = vec![0u32; self.0.len() + other.0.len()];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (j, b) in other.0.iter().enumerate() {
                let sum = u64::from(*a) * u64::from(*b) + u64::from(product[i + j]) + carry;
                (product[i + j], carry) = halves(sum);
            }
            product[i + other.0.len()] = halves(carry).0;
        }
        Self(product).trimmed()
    }

    fn shifted(&self, bits: usize) -> Self {
        let mut shifted = vec![0u32; bits / 32];
        let mut carry = 0;
        for part in &self.0 {
            let (low, high) = halves((u64::from(*part) << (bits % 32)) | carry);
            shifted.push(low);
            carry = high;
        }
        shifted.push(halves(carry).0);
        Self(shifted).trimmed()
    }

    fn compare(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Quotient and rest; `None` where the quotient has more than 127 binary digits.
    fn divided_by(&self, divisor: &Self) -> Option<(u128, Self)> {
        let mut rest = self.clone();
        let mut quotient = 0u128;
        let steps = self.bits().saturating_sub(divisor.bits());
        if steps >= 127 {
            return None;
        }
        for step in (0..=steps).rev() {
            let part = divisor.shifted(step);
            if rest.compare(&part) != Ordering::Less {
                rest = rest.minus(&part);
                quotient |= 1 << step;
            }
        }
        Some((quotient, rest))
    }
}

/// The lower and the upper half.
fn halves(number: u64) -> (u32, u64) {
    ((number & 0xFFFF_FFFF) as u32, number >> 32)
}

/// An exact fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    negative: bool,
    over: Whole,
    /// Never zero.
    under: Whole,
}

impl Ratio {
    /// `whole.part`; only digits count.
    pub(super) fn decimal(whole: &str, part: &str) -> Self {
        let over = Whole::from_digits(whole.chars().chain(part.chars()));
        let under = std::iter::once('1').chain(std::iter::repeat_n('0', part.len()));
        Self { negative: false, over, under: Whole::from_digits(under) }
    }

    pub(super) fn negated(self) -> Self {
        Self { negative: !self.negative, ..self }
    }

    /// One divided by it; `None` for zero.
    pub(super) fn inverse(self) -> Option<Self> {
        let Self { negative, over, under } = self;
        (!over.is_zero()).then_some(Self { negative, over: under, under: over })
    }

    /// `None` where it grows beyond all limits.
    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        let (a, b) = (self.over.times(&other.under), other.over.times(&self.under));
        let under = self.under.times(&other.under);
        let (negative, over) = if self.negative == other.negative {
            (self.negative, a.plus(&b))
        } else if a.compare(&b) == Ordering::Less {
            (other.negative, b.minus(&a))
        } else {
            (self.negative, a.minus(&b))
        };
        Self { negative, over, under }.within_limits()
    }

    /// `None` where it grows beyond all limits.
    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        Self {
            negative: self.negative != other.negative,
            over: self.over.times(&other.over),
            under: self.under.times(&other.under),
        }
        .within_limits()
    }

    /// `None` where it grows beyond all limits.
    pub(super) fn to_the(&self, exponent: u32) -> Option<Self> {
        let mut value = Self::decimal("1", "");
        for bit in (0..u32::BITS - exponent.leading_zeros()).rev() {
            value = value.times(&value)?;
            if exponent & (1 << bit) != 0 {
                value = value.times(self)?;
            }
        }
        Some(value)
    }

    fn within_limits(self) -> Option<Self> {
        (self.over.bits() <= BITS_MAX && self.under.bits() <= BITS_MAX).then_some(self)
    }

    /// Its value where it is a whole number of no great size.
    pub(super) fn whole(&self) -> Option<i64> {
        let (quotient, rest) = self.over.divided_by(&self.under)?;
        let size = i64::try_from(quotient).ok().filter(|_| rest.is_zero())?;
        Some(if self.negative { -size } else { size })
    }

    /// Written with so many decimal places, halves rounded away from zero; `None` where that would
    /// be more than 37 digits.
    pub(crate) fn rounded(&self, places: u8) -> Option<String> {
        let mut over = self.over.clone();
        (0..places).for_each(|_| over.times_ten_plus(0));
        let (mut quotient, rest) = over.divided_by(&self.under)?;
        if rest.plus(&rest).compare(&self.under) != Ordering::Less {
            quotient += 1;
        }
        let sign = if self.negative && quotient > 0 { "-" } else { "" };
        let places = usize::from(places);
        let digits = format!("{quotient:0>width$}", width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        let point = if part.is_empty() { "" } else { "." };
        Some(format!("{sign}{whole}{point}{part}"))
    }
}
