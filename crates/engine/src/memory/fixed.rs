//! Powers and logarithms of base two by integers alone.
//!
//! Numbers are `i64` in units of 2^-32 (Q32). Both functions rise with their argument without
//! exception, so that whatever is built of them by rounding down does too.

/// 1 in Q32.
pub(super) const ONE: i64 = 1 << 32;

/// log2(e) in Q32.
pub(super) const LOG2_E: i64 = 6_196_328_019;

/// 2^(1/2), 2^(1/4), 2^(1/8) … 2^(2^-32) in units of 2^-63.
const ROOTS: [u64; 32] = [
    0xB504_F333_F9DE_6484,
    0x9837_F051_8DB8_A96F,
    0x8B95_C1E3_EA8B_D6E7,
    0x85AA_C367_CC48_7B15,
    0x82CD_8698_AC2B_A1D7,
    0x8164_D1F3_BC03_0773,
    0x80B1_ED4F_D999_AB6C,
    0x8058_D7D2_D5E5_F6B1,
    0x802C_6436_D0E0_4F51,
    0x8016_302F_1746_7628,
    0x800B_179C_8202_8FD1,
    0x8005_8BAF_7FEE_3B5D,
    0x8002_C5D0_0FDC_FCB7,
    0x8001_62E6_1BED_4A49,
    0x8000_B172_92F7_02A4,
    0x8000_58B9_2ABB_AE02,
    0x8000_2C5C_8DAD_E4D7,
    0x8000_162E_44EA_F636,
    0x8000_0B17_21FA_7C19,
    0x8000_058B_90DE_7E4D,
    0x8000_02C5_C867_8F37,
    0x8000_0162_E431_DBA0,
    0x8000_00B1_7218_72D1,
    0x8000_0058_B90C_1AA9,
    0x8000_002C_5C86_05A4,
    0x8000_0016_2E43_00E6,
    0x8000_000B_1721_7FF8,
    0x8000_0005_8B90_BFDD,
    0x8000_0002_C5C8_5FE7,
    0x8000_0001_62E4_2FF2,
    0x8000_0000_B172_17F8,
    0x8000_0000_58B9_0BFC,
];

/// The product, rounded down; the nearest `i64` when it does not fit.
pub(super) const fn mul(a: i64, b: i64) -> i64 {
    saturate((a as i128 * b as i128) >> 32)
}

/// The quotient, rounded towards zero; the nearest `i64` when it does not fit. `b` is not 0.
pub(super) const fn div(a: i64, b: i64) -> i64 {
    saturate(((a as i128) << 32) / b as i128)
}

const fn saturate(value: i128) -> i64 {
    if value > i64::MAX as i128 {
        i64::MAX
    } else if value < i64::MIN as i128 {
        i64::MIN
    } else {
        value as i64
    }
}

/// 2^(b / 2^8), 2^(b / 2^16), 2^(b / 2^24) and 2^(b / 2^32) for every byte b, in units of 2^-63:
/// four products make any power.
static POWERS: [[u64; 256]; 4] = {
    let mut powers = [[1 << 63; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut byte = 1;
        while byte < 256 {
            // The byte without its lowest bit, times that bit's root.
            let bit = (byte as u32).trailing_zeros() as usize;
            let rest = powers[place][byte & (byte - 1)];
            powers[place][byte] = times(rest, ROOTS[8 * place + 7 - bit]);
            byte += 1;
        }
        place += 1;
    }
    powers
};

/// The product of numbers in 1..2, in units of 2^-63.
const fn times(a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> 63) as u64
}

/// 2^(fraction / 2^32) in units of 2^-63, below 2. Rises strictly: the next fraction's power is
/// larger by more than 2^-33 of itself, and rounding takes less than 2^-56.
const fn power(fraction: u32) -> u64 {
    let [a, b, c, d] = fraction.to_be_bytes();
    let high = times(POWERS[0][a as usize], POWERS[1][b as usize]);
    times(high, times(POWERS[2][c as usize], POWERS[3][d as usize]))
}

/// 2^x to within 2^-32, or 2^-56 of itself where that is more; `i64::MAX` from 2^31 on.
pub(super) const fn exp2(x: i64) -> i64 {
    let whole = x >> 32;
    if whole >= 31 {
        return i64::MAX;
    }
    let shift = 31 - whole;
    if shift > 64 {
        return 0;
    }
    // At least one place is cut off, and 31 whole places remain: it fits.
    ((power(x as u32) as u128 + (1 << (shift - 1))) >> shift) as i64
}

/// e^x.
pub(super) const fn exp(x: i64) -> i64 {
    exp2(mul(x, LOG2_E))
}

/// For the middle m of every 256th of 1..2: 1/m in units of 2^-63, and log2(m) in units of 2^-40.
static MIDDLES: [(u64, i64); 256] = {
    let mut middles = [(0, 0); 256];
    let mut at = 0;
    while at < 256 {
        let middle = (1 << 63) + ((2 * at as u64 + 1) << 54);
        // Squaring doubles the logarithm: whenever the square reaches 2, the next bit is one.
        let mut mantissa = middle;
        let mut logarithm = 0;
        let mut bit = 0;
        while bit < 40 {
            let square = (mantissa as u128 * mantissa as u128) >> 63;
            let carry = (square >> 64) as i64;
            mantissa = (square >> carry) as u64;
            logarithm = logarithm << 1 | carry;
            bit += 1;
        }
        middles[at] = (((1 << 126) / middle as u128) as u64, logarithm);
        at += 1;
    }
    middles
};

/// log2(x), rounded down: the largest whose [`power`] does not exceed x. Anything below 2^-32 counts
/// as 2^-32.
pub(super) const fn log2(x: i64) -> i64 {
    let x = if x < 1 { 1 } else { x as u64 };
    let zeros = x.leading_zeros();
    let mantissa = x << zeros;
    // log2(m) + log2(e) (z - z^2 / 2 + z^3 / 3), where the number is m (1 + z) and z is below 2^-8:
    // less than a unit of 2^-32 off.
    let (inverse, logarithm) = MIDDLES[(mantissa >> 55 & 0xFF) as usize];
    let z = (times(mantissa, inverse) >> 23) as i64 - (1 << 40);
    let square = (z * z) >> 40;
    let series = z - square / 2 + ((square * z) >> 40) / 3;
    let estimate = (logarithm + mul(series, LOG2_E)) >> 8;
    let mut fraction = match estimate {
        below if below < 0 => 0,
        above if above >> 32 != 0 => u32::MAX,
        within => within as u32,
    };
    while power(fraction) > mantissa {
        fraction -= 1;
    }
    while fraction < u32::MAX && power(fraction + 1) <= mantissa {
        fraction += 1;
    }
    ((31 - zeros as i64) << 32) + fraction as i64
}

/// x^y for x above 0.
pub(super) const fn pow(x: i64, y: i64) -> i64 {
    exp2(mul(log2(x), y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every root is the square root of the one before, to the nearest unit.
    #[test]
    fn the_roots_are_what_they_are_called() {
        // Units of 2^-126 are squares of units of 2^-63.
        let mut square: u128 = 2 << 126; // 2 in units of 2^-126
        for (at, root) in ROOTS.into_iter().enumerate() {
            // Twice the root plus or minus one unit encloses twice the exact root, which is known
            // to within half a unit through the rounded root before.
            let root = u128::from(root);
            let (low, high) = ((root - 1) * (root - 1), (root + 1) * (root + 1));
            assert!(low < square && square < high, "2^(2^-{})", at + 1);
            square = root << 63;
        }
    }

    /// log2(e) from the series of e, in units of 2^-60.
    #[test]
    fn log2_e_is_the_logarithm_of_the_series() {
        let mut term: u128 = 1 << 120;
        let mut e = term;
        for n in 1..40 {
            term /= n;
            e += term;
        }
        // By squaring as in `log2`, with 48 bits of fraction.
        let mut mantissa = e >> 58; // e / 2, which is in 1..2, in units of 2^-63
        let mut bits: i64 = 1;
        for _ in 0..48 {
            let square = (mantissa * mantissa) >> 63;
            let carry = square >> 64;
            mantissa = square >> carry;
            bits = bits << 1 | carry as i64;
        }
        assert_eq!((bits + (1 << 15)) >> 16, LOG2_E);
    }

    #[test]
    fn known_values() {
        for whole in -32..31 {
            let power = if whole < 0 { ONE >> -whole } else { ONE << whole };
            assert_eq!(exp2(whole * ONE), power, "2^{whole}");
            assert_eq!(log2(power), whole * ONE, "log2(2^{whole})");
        }
        assert_eq!([exp2(31 * ONE), exp2(i64::MAX)], [i64::MAX; 2]);
        assert_eq!([exp2(-34 * ONE), exp2(-100 * ONE), exp2(i64::MIN)], [0; 3]);
        assert_eq!([log2(0), log2(-1), log2(i64::MIN)], [-32 * ONE; 3]);
        let near = |got: i64, exact: i64, off: u64| {
            assert!(got.abs_diff(exact) <= off, "{got} is not {exact}");
        };
        near(exp2(31 * ONE - 1), 0x7FFF_FFFF_A746_F404, 32);
        // e, 1/e, 10^(1/2) and 0.9^10: the logarithm's last place is doubtful, and what it is
        // multiplied by makes that larger.
        near(exp(ONE), 11_674_931_555, 2);
        near(exp(-ONE), 1_580_030_169, 1);
        near(pow(10 * ONE, ONE / 2), 13_581_879_131, 2);
        near(pow((9 * ONE + 5) / 10, 10 * ONE), 1_497_562_497, 4);
    }

    proptest! {
        #[test]
        fn both_rise_and_undo_each_other(x in 1..i64::MAX, more in 1..i64::MAX) {
            let more = x.saturating_add(more >> (x & 63));
            prop_assert!(log2(x) <= log2(more));
            let back = exp2(log2(x));
            prop_assert!(back <= x && x < exp2(log2(x) + 1).saturating_add(1));
            // log2 keeps 32 places: the way back is off by less than 2^-31 of the number.
            prop_assert!(x.abs_diff(back) <= 1 + (x as u64 >> 31), "{x} came back as {back}");
        }

        #[test]
        fn powers_rise(x in -40 * ONE..40 * ONE, more in 1..40 * ONE) {
            let more = x + (more >> (x & 31));
            prop_assert!(exp2(x) <= exp2(more));
        }

        #[test]
        fn nothing_overflows(a in any::<i64>(), b in any::<i64>()) {
            let _ = (mul(a, b), exp2(a), exp(a), log2(a), pow(a, b));
            prop_assert!(b == 0 || a.unsigned_abs() >> 31 != 0 || div(a, b) == (a << 32) / b);
        }
    }
}
