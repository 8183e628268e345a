//! What an answer is worth: credit by the key, cut by the scoring curve and by late joining. All
//! pure functions of what was given and the rules.

use dengmi_content::model::quest::{Counts, Curve, QuizSeries};
use dengmi_core::command::{Choice, Key};
use dengmi_core::{Ppm, Reject, Timestamp};
use serde::{Deserialize, Serialize};

use super::round::{Item, Round};

/// One attempt at one question, in the content file's positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) question: u8,
    pub(crate) choice: Choice,
    /// Seconds since the opening.
    pub(crate) elapsed_s: u32,
}

/// What an attempt, or all attempts at a question together, are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marked {
    pub(crate) right: bool,
    pub(crate) score: Ppm,
}

/// Translates positions as shown into key order, and refuses what the question cannot take.
pub(crate) fn unshuffle(choice: Choice, shown: &[u8], item: &Item) -> Result<Choice, Reject> {
    let place = |position: u8| shown.get(usize::from(position)).copied().ok_or(Reject::WrongChoice);
    let shape = &item.shape;
    match (choice, shape) {
        (Choice::One(position), Key::One(_)) => place(position).map(Choice::One),
        (Choice::Many(bits), Key::Many(_)) => {
            if bits == 0 || u64::from(bits) >> shown.len() != 0 {
                return Err(Reject::WrongChoice);
            }
            let mut chosen = 0;
            for position in (0..32u8).filter(|position| bits >> position & 1 == 1) {
                chosen |= 1 << place(position)?;
            }
            Ok(Choice::Many(chosen))
        }
        (Choice::Bool(_), Key::Bool(_))
        | (Choice::Number(_), Key::Number { .. })
        | (Choice::Text(_), Key::Text(_)) => Ok(choice),
        _ => Err(Reject::WrongChoice),
    }
}

/// Credit by the key alone.
pub(crate) fn credit(choice: Choice, item: &Item) -> Ppm {
    let all_or_nothing = |right: bool| if right { Ppm::ONE } else { Ppm(0) };
    match (choice, &item.key) {
        (_, Key::Everyone) => Ppm::ONE,
        (Choice::One(chosen), Key::One(right)) => all_or_nothing(chosen == *right),
        (Choice::Bool(chosen), Key::Bool(right)) => all_or_nothing(chosen == *right),
        (Choice::Number(chosen), Key::Number { value, tolerance }) => {
            let off = chosen.micros().abs_diff(value.micros());
            all_or_nothing(off <= tolerance.micros().unsigned_abs())
        }
        (Choice::Text(typed), Key::Text(accepted)) => all_or_nothing(accepted.contains(&typed)),
        (Choice::Many(chosen), Key::Many(right)) if item.partial => {
            let wrong_all = !right & ((1u32 << item.options) - 1);
            let share = |of: u32| {
                let chosen = (chosen & of).count_ones() * 1_000_000;
                chosen.checked_div(of.count_ones()).unwrap_or(0)
            };
            Ppm(share(*right).saturating_sub(share(wrong_all)))
        }
        (Choice::Many(chosen), Key::Many(right)) => all_or_nothing(chosen == *right),
        // A corrected key keeps the question's shape, so this is no answer to it.
        _ => Ppm(0),
    }
}

/// Share of credit left after `elapsed` of `open` seconds.
pub(crate) fn curve(curve: Curve, elapsed_s: u32, open_s: u32) -> Ppm {
    let share = |part: u64, whole: u64| part * 1_000_000 / whole.max(1);
    let left = match curve {
        Curve::Flat => 1_000_000,
        Curve::None => 0,
        Curve::Linear { floor } => {
            let floor = u64::from(floor.0.min(1_000_000));
            let gone = share(u64::from(elapsed_s.min(open_s)), u64::from(open_s));
            1_000_000 - (1_000_000 - floor) * gone / 1_000_000
        }
        Curve::HalfLife { seconds, floor } => {
            let (seconds, elapsed) = (u64::from(seconds.max(1)), u64::from(elapsed_s));
            let halvings = (elapsed / seconds).min(63);
            let from = 1_000_000u64 >> halvings;
            // Even between two halvings: from full at the first to half at the second.
            let left = from - from * (elapsed % seconds) / (2 * seconds);
            left.max(u64::from(floor.0.min(1_000_000)))
        }
    };
    Ppm(u32::try_from(left).unwrap_or(1_000_000))
}

/// Share of credit left for who joined after the opening: what of the round was still ahead.
pub(crate) fn late_share(opens: Timestamp, closes: Timestamp, joined: Timestamp) -> Ppm {
    let whole = (closes.0 - opens.0).max(1);
    let ahead = (closes.0 - joined.0.max(opens.0)).clamp(0, whole);
    // Rounded up, so that who joins in the last second keeps something.
    Ppm(u32::try_from((ahead * 1_000_000 + whole - 1) / whole).unwrap_or(1_000_000))
}

/// What one attempt is worth to a member who has this share of credit left for joining late.
pub(crate) fn mark(given: &Given, late: Ppm, round: &Round, rules: &QuizSeries) -> Marked {
    let item = &round.questions[usize::from(given.question)];
    let credit = credit(given.choice, item);
    if credit == Ppm(0) {
        return Marked::default();
    }
    let curve = match rules.curve {
        Curve::Flat => Ppm::ONE,
        falling => {
            let open_ms = round.closes.0 - round.opens.0;
            let open_s = u32::try_from(open_ms / 1_000).unwrap_or(u32::MAX);
            curve(falling, given.elapsed_s, open_s)
        }
    };
    if (late, curve) == (Ppm::ONE, Ppm::ONE) {
        return Marked { right: credit == Ppm::ONE, score: credit };
    }
    let score = late.of(curve.of(i64::from(credit.0)));
    Marked { right: credit == Ppm::ONE, score: Ppm(u32::try_from(score).unwrap_or(0)) }
}

/// What several attempts at one question are worth together, in their order.
pub(crate) fn settle(attempts: impl Iterator<Item = Marked>, counts: Counts) -> Option<Marked> {
    let (mut first, mut last, mut best) = (None, None, None::<Marked>);
    let (mut sum, mut number) = (0u64, 0u64);
    for marked in attempts {
        first.get_or_insert(marked);
        last = Some(marked);
        best = best
            .filter(|best| (best.score, best.right) >= (marked.score, marked.right))
            .or(Some(marked));
        sum += u64::from(marked.score.0);
        number += 1;
    }
    match counts {
        Counts::First => first,
        Counts::Last => last,
        Counts::Highest => best,
        Counts::Average => best.map(|best| Marked {
            right: best.right,
            score: Ppm(u32::try_from(sum / number).unwrap_or(0)),
        }),
    }
}
