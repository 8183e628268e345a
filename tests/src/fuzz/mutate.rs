//! Mutations of inputs, drawn from a seed: the same seed gives the same inputs.

/// Words that formats, ids and texts of this project are made of, and values at their edges.
const WORDS: &[&str] = &[
    "schema",
    "None",
    "Some(",
    "true",
    "false",
    "null",
    "NaN",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0",
    "255",
    "256",
    "65536",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "0.1",
    "0x1f",
    "-0",
    "\"\"",
    "\"zh-CN\"",
    "{}",
    "[]",
    "()",
    "((((((((",
    "[[[[[[[[",
    "{\"a\":",
    "))))",
    "]]]]",
    "/*",
    "*/",
    "//",
    "r#\"",
    "\"#",
    "\\u{202E}",
    "\\u0000",
    "\\ud800",
    "\u{202E}",
    "\u{200B}",
    "\u{FEFF}",
    "\u{0}",
    "\r\n",
    "\n",
    "，",
    "：",
    "（",
    "灯谜",
    "e\u{301}",
    "b1",
    "b65535",
    "c1-1",
    "g1-1",
    "m1-1",
    "m1-99",
    "m1-4294967295",
    "r1-1",
    "q1-1",
    "p1-1",
    "2026-11-21",
    "2026-02-30",
    "9999-12-31",
    "0000-00-00",
    "24:00",
    "23:59:60",
    "2026-11-21T12:30:00+08:00",
    "CheckedIn",
    "Answered",
    "Always",
    "Not(",
    "All([",
    "Any([",
    "StreakEvery(0)",
    "Fixed(",
    "PerRight(",
    "Member",
    "Bank",
    "../../etc/passwd",
    "' OR 1=1 --",
    "; DROP TABLE person",
    "<script>",
    "%00",
    "=1+1",
];

/// A small generator whose draws repeat on every machine (SplitMix64, Steele and others, 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The generator of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `most`; 0 where there is none.
    pub const fn below(&mut self, most: usize) -> usize {
        if most == 0 { 0 } else { (self.next() % most as u64) as usize }
    }
}

/// A changed copy of one of `corpus`: one to four changes, each small; now and then none, and now
/// and then bytes out of nowhere.
#[must_use]
pub fn mutate(dice: &mut Dice, corpus: &[Vec<u8>], longest: usize) -> Vec<u8> {
    let mut input = corpus.get(dice.below(corpus.len())).cloned().unwrap_or_default();
    match dice.below(64) {
        0 => return input,
        1 => {
            let length = dice.below(64);
            return (0..length).map(|_| dice.next() as u8).collect();
        }
        _ => {}
    }
    for _ in 0..=dice.below(4) {
        change(dice, corpus, &mut input);
    }
    input.truncate(longest);
    input
}

fn change(dice: &mut Dice, corpus: &[Vec<u8>], input: &mut Vec<u8>) {
    let at = dice.below(input.len() + 1);
    let end = (at + 1 + dice.below(16)).min(input.len());
    match dice.below(10) {
        0 | 1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        2 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = [0, 1, 0x7F, 0x80, 0xFF, b'0', b'"', b' '][dice.below(8)];
            }
        }
        3 => drop(input.drain(at..end)),
        4 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        5 | 6 => {
            let word = WORDS[dice.below(WORDS.len())];
            // Over what stands there as often as between.
            let end = if dice.below(2) == 0 { at } else { end };
            input.splice(at..end, word.bytes());
        }
        7 => input.truncate(at),
        8 => {
            let other = &corpus[dice.below(corpus.len().max(1)).min(corpus.len() - 1)];
            let from = dice.below(other.len() + 1);
            let to = (from + dice.below(200)).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            // A number becomes its neighbour, or much more.
            let digit = |byte: &u8| byte.is_ascii_digit();
            if let Some(place) = input[at..].iter().position(digit).map(|found| at + found) {
                let grown = [&b"9"[..], b"00", b"-1", b"99999999999", b"."][dice.below(5)];
                input.splice(place..=place, grown.iter().copied());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let corpus = [b"(schema: 1)".to_vec(), b"{\"nickname\":\"a\"}".to_vec()];
        let draw = |seed| {
            let mut dice = Dice::new(seed);
            (0..500).map(|_| mutate(&mut dice, &corpus, 64)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|input| input.len() <= 64));
        let distinct: std::collections::BTreeSet<_> = draw(7).into_iter().collect();
        assert!(distinct.len() > 300, "{} distinct inputs of 500", distinct.len());
    }
}
