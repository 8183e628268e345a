//! Sums that authors write, such as `10000 * 0.024 * 90 / 365`, worked out exactly: with fractions of
//! whole numbers of any size, so that nothing is rounded before the end.

mod ratio;

use std::fmt;

use crate::diagnostic::{Said, say};
pub(crate) use ratio::Ratio;

/// Longest formula, in characters.
const CHARS_MAX: usize = 200;

/// Deepest nesting of brackets, signs and powers.
const DEPTH_MAX: u8 = 32;

/// Largest exponent either way: the days of a leap year.
const EXPONENT_MAX: i64 = 366;

/// Why a formula has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormulaError {
    /// A character that has no meaning in a formula.
    Character(char),
    /// A number or an opening bracket is missing before the character at this place, from 1.
    Operand(usize),
    /// An operator is missing before the character at this place, from 1.
    Operator(usize),
    /// A bracket was never closed.
    Open,
    /// Division by zero.
    ByZero,
    /// An exponent that is no whole number from -366 to 366.
    Exponent,
    /// Numbers with too many digits, or too long or deep a formula.
    TooLarge,
}

impl FormulaError {
    /// In words.
    pub(crate) fn said(self) -> Said {
        match self {
            Self::Character(c) => {
                say!("算式里不能有 `{c}`", "`{c}` has no meaning in a formula")
            }
            Self::Operand(at) => say!(
                "算式第 {at} 个字符处缺一个数",
                "a number is missing at character {at} of the formula"
            ),
            Self::Operator(at) => say!(
                "算式第 {at} 个字符处缺运算符",
                "an operator is missing at character {at} of the formula"
            ),
            Self::Open => say!("算式的括号没有配对", "a bracket of the formula is never closed"),
            Self::ByZero => say!("算式除以零", "the formula divides by zero"),
            Self::Exponent => say!(
                "指数应为 -{EXPONENT_MAX} 到 {EXPONENT_MAX} 的整数",
                "an exponent is a whole number from -{EXPONENT_MAX} to {EXPONENT_MAX}"
            ),
            Self::TooLarge => say!("算式太长，或数字太大", "the formula is too long or too large"),
        }
    }
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said().en)
    }
}

/// Works out a formula of decimals, `+ - * / ^` and brackets. A power binds before a sign and from
/// the right, as on paper: `-2 ^ 2` is -4.
///
/// # Errors
/// The formula cannot be read, or has no value.
pub(crate) fn value(formula: &str) -> Result<Ratio, FormulaError> {
    let characters: Vec<char> = formula.chars().collect();
    if characters.len() > CHARS_MAX {
        return Err(FormulaError::TooLarge);
    }
    let known = |c: &char| c.is_ascii_digit() || "+-*/^(). ".contains(*c);
    if let Some(other) = characters.iter().find(|c| !known(c)) {
        return Err(FormulaError::Character(*other));
    }
    let mut reader = Reader { characters, at: 0, depth: 0 };
    let value = reader.sum()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(FormulaError::Operator(reader.at + 1)),
    }
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    depth: u8,
}

impl Reader {
    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.characters.get(self.at) == Some(&' ') {
            self.at += 1;
        }
        self.characters.get(self.at).copied()
    }

    fn take(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.peek().filter(|c| wanted.contains(c))?;
        self.at += 1;
        Some(next)
    }

    fn sum(&mut self) -> Result<Ratio, FormulaError> {
        let mut value = self.product()?;
        while let Some(sign) = self.take(&['+', '-']) {
            let next = self.product()?;
            let next = if sign == '-' { next.negated() } else { next };
            value = value.plus(&next).ok_or(FormulaError::TooLarge)?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<Ratio, FormulaError> {
        let mut value = self.signed()?;
        while let Some(sign) = self.take(&['*', '/']) {
            let mut next = self.signed()?;
            if sign == '/' {
                next = next.inverse().ok_or(FormulaError::ByZero)?;
            }
            value = value.times(&next).ok_or(FormulaError::TooLarge)?;
        }
        Ok(value)
    }

    /// The one way down: every bracket, sign and power comes through here.
    fn signed(&mut self) -> Result<Ratio, FormulaError> {
        if self.depth == DEPTH_MAX {
            return Err(FormulaError::TooLarge);
        }
        self.depth += 1;
        let value = if self.take(&['-']).is_some() {
            self.signed().map(Ratio::negated)
        } else {
            self.power()
        };
        self.depth -= 1;
        value
    }

    fn power(&mut self) -> Result<Ratio, FormulaError> {
        let base = self.operand()?;
        if self.take(&['^']).is_none() {
            return Ok(base);
        }
        let exponent = self.signed()?.whole();
        let exponent = exponent.filter(|n| (-EXPONENT_MAX..=EXPONENT_MAX).contains(n));
        let exponent = exponent.ok_or(FormulaError::Exponent)?;
        let base = if exponent < 0 { base.inverse().ok_or(FormulaError::ByZero)? } else { base };
        // At most 366, as was just checked.
        let times = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
        base.to_the(times).ok_or(FormulaError::TooLarge)
    }

    fn operand(&mut self) -> Result<Ratio, FormulaError> {
        if self.take(&['(']).is_some() {
            let value = self.sum()?;
            return match self.take(&[')']) {
                Some(_) => Ok(value),
                None if self.at == self.characters.len() => Err(FormulaError::Open),
                None => Err(FormulaError::Operator(self.at + 1)),
            };
        }
        self.peek();
        let digit = |c: &&char| c.is_ascii_digit();
        let rest = &self.characters[self.at..];
        let whole: String = rest.iter().take_while(digit).collect();
        let mut part = String::new();
        let mut length = whole.len();
        if rest.get(length) == Some(&'.') {
            part = rest[length + 1..].iter().take_while(digit).collect();
            length += 1 + part.len();
            if part.is_empty() {
                return Err(FormulaError::Operand(self.at + length + 1));
            }
        }
        if whole.is_empty() {
            return Err(FormulaError::Operand(self.at + 1));
        }
        self.at += length;
        Ok(Ratio::decimal(&whole, &part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(formula: &str, places: u8, expected: &str) {
        let found = value(formula).map(|value| value.rounded(places));
        assert_eq!(found, Ok(Some(expected.to_owned())), "{formula}");
    }

    #[test]
    fn sums_are_worked_out() {
        check("7", 0, "7");
        check("1 + 2 * 3", 0, "7");
        check("(1 + 2) * 3", 0, "9");
        check("8 - 3 - 2", 0, "3");
        check("64 / 4 / 2", 0, "8");
        check("-2 ^ 2", 0, "-4");
        check("2 ^ 3 ^ 2", 0, "512");
        check("2 ^ -2", 2, "0.25");
        check("3 * -2", 0, "-6");
        check("--3", 0, "3");
        check("0 * -1", 2, "0.00");
        check("0 ^ 0", 0, "1");
        check("-0.004", 2, "0.00");
    }

    #[test]
    fn the_numbers_of_lessons_are_right() {
        check("10000 * 0.024 * 90 / 365", 2, "59.18");
        check("10000 / 1.02 ^ 10", 0, "8203");
        check("10000 * 1.02 ^ 10", 2, "12189.94");
        check("0.03 * 0.65 * 100", 2, "1.95");
        check("72 / 6", 0, "12");
        check("-0.07 * 365", 2, "-25.55");
        check("0.5 ^ 6 * 100", 4, "1.5625");
        check("10000 * (1 + 0.024 / 365) ^ 365", 2, "10242.90");
        check("500 * ((1 + 0.03 / 12) ^ 36 - 1) / (0.03 / 12)", 2, "18810.28");
        check("1.0001 ^ 366", 6, "1.037276");
    }

    #[test]
    fn rounding_is_half_away_from_zero_and_exact() {
        check("2.5", 0, "3");
        check("-2.5", 0, "-3");
        check("1 / 3 * 7.5", 0, "3");
        check("2.4999999999999999999999", 0, "2");
        check("1 / 8", 2, "0.13");
        check("1.005", 2, "1.01");
        check("999.999", 2, "1000.00");
    }

    #[track_caller]
    fn check_error(formula: &str, expected: FormulaError) {
        assert_eq!(value(formula).map(|value| value.rounded(2)), Err(expected), "{formula}");
    }

    #[test]
    fn what_has_no_value_is_refused() {
        check_error("", FormulaError::Operand(1));
        check_error("1 +", FormulaError::Operand(4));
        check_error("1 2", FormulaError::Operator(3));
        check_error("1.2.3", FormulaError::Operator(4));
        check_error(".5", FormulaError::Operand(1));
        check_error("5.", FormulaError::Operand(3));
        check_error("(1", FormulaError::Open);
        check_error("(1 2)", FormulaError::Operator(4));
        check_error("1)", FormulaError::Operator(2));
        check_error("10,000", FormulaError::Character(','));
        check_error("3 × 2", FormulaError::Character('×'));
        check_error("2.4%", FormulaError::Character('%'));
        check_error("1 / (2 - 2)", FormulaError::ByZero);
        check_error("0 ^ -1", FormulaError::ByZero);
        check_error("2 ^ 0.5", FormulaError::Exponent);
        check_error("2 ^ 367", FormulaError::Exponent);
        check_error("(1.01 ^ 366) ^ 366", FormulaError::TooLarge);
        check_error(&"(".repeat(100), FormulaError::TooLarge);
        check_error(&"-".repeat(150), FormulaError::TooLarge);
        check_error(&"1".repeat(201), FormulaError::TooLarge);
        let far = value("9 ^ 300").expect("a value");
        assert_eq!(far.rounded(0), None, "too many digits to write down");
    }
}
