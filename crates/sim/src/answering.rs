//! Answers to questions whose key is known, as one member sees them.

use dengmi_content::Pack;
use dengmi_content::model::{Assessment, QuestKind};
use dengmi_core::command::{Choice, Key};
use dengmi_core::mock::ClientLevel;
use dengmi_core::text::FoldedHash;
use dengmi_core::{Decimal, Slug};

use crate::dice::Dice;

/// What somebody types who does not know.
pub(crate) fn guess() -> FoldedHash {
    FoldedHash::of("我猜的")
}

fn place(option: u8, shown: &[u8]) -> u8 {
    shown.iter().position(|&at| at == option).unwrap_or(0) as u8
}

/// The right choice; `shown` holds for each option shown its position in key order.
pub(crate) fn right_choice(key: &Key, shown: &[u8]) -> Choice {
    match key {
        Key::One(option) => Choice::One(place(*option, shown)),
        Key::Many(bits) => {
            let right = (0..32u8).filter(|option| bits >> option & 1 == 1);
            Choice::Many(right.fold(0, |seen, option| seen | 1 << place(option, shown)))
        }
        Key::Bool(truth) => Choice::Bool(*truth),
        Key::Number { value, .. } => Choice::Number(*value),
        Key::Text(accepted) => Choice::Text(accepted.first().copied().unwrap_or_else(guess)),
        Key::Everyone => Choice::Bool(true),
    }
}

/// A choice that fits the question and is mostly wrong.
pub(crate) fn any_choice(dice: &mut Dice, key: &Key, shown: &[u8]) -> Choice {
    match key {
        Key::One(_) => Choice::One(dice.below(shown.len() as u32) as u8),
        Key::Many(_) => Choice::Many(1 + dice.below((1 << shown.len().min(31)) - 1)),
        Key::Bool(truth) => Choice::Bool(!truth),
        Key::Number { .. } => {
            let number = Decimal::from_micros(i64::from(dice.below(200)) * 1_000_000);
            Choice::Number(number.unwrap_or_default())
        }
        Key::Text(_) => Choice::Text(guess()),
        Key::Everyone => Choice::Bool(false),
    }
}

/// A wrong choice that fits the question. Of a single choice the right option is left out.
pub(crate) fn wrong_choice(dice: &mut Dice, key: &Key, shown: &[u8]) -> Choice {
    match key {
        Key::One(right) if shown.len() > 1 => {
            let step = 1 + dice.below(shown.len() as u32 - 1) as u8;
            Choice::One((place(*right, shown) + step) % shown.len() as u8)
        }
        _ => any_choice(dice, key, shown),
    }
}

/// A comment that answers the question of a Moments quest, where a text can.
pub(crate) fn comment_answer(pack: &Pack, quest: &Slug) -> Option<FoldedHash> {
    let QuestKind::MomentsChallenge(challenge) = &pack.quest(quest)?.kind else { return None };
    let question = pack.questions.get(pack.current(challenge.question.as_ref()?))?;
    match &question.key {
        Key::Text(accepted) => accepted.first().copied(),
        Key::One(right) => Some(FoldedHash::of(question.options.get(usize::from(*right))?.zh())),
        Key::Number { value, .. } => Some(FoldedHash::of(&value.to_string())),
        Key::Bool(right) => Some(FoldedHash::of(if *right { "对" } else { "错" })),
        Key::Many(_) | Key::Everyone => None,
    }
}

/// Answers by which a questionnaire finds a level: from the boldest on, one question after the other
/// is answered more carefully. `None` where that way passes the level by.
pub(crate) fn questionnaire(questions: &Assessment, level: ClientLevel) -> Option<Vec<u8>> {
    // Of each question the options with most points first.
    let by_points = questions.questions.iter().map(|question| {
        let mut options: Vec<u8> = (0..question.options.len() as u8).collect();
        options.sort_by_key(|&option| {
            let option = &question.options[usize::from(option)];
            std::cmp::Reverse((option.at_most.unwrap_or(ClientLevel::C5), option.points))
        });
        options
    });
    let by_points: Vec<Vec<u8>> = by_points.collect();
    let mut careful = vec![0; by_points.len()];
    let longest = by_points.iter().map(Vec::len).max().unwrap_or(0);
    for step in 0..longest {
        for question in 0..careful.len() {
            careful[question] = step.min(by_points[question].len() - 1);
            let choices = by_points.iter().zip(&careful).map(|(options, place)| options[*place]);
            let choices: Vec<u8> = choices.collect();
            if questions.level(&choices) == Some(level) {
                return Some(choices);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_of_a_questionnaire_can_be_found() {
        let [pack, _] = crate::workload::packs().expect("the workload's content is sound");
        let (_, questions) = pack.assessments.first_key_value().expect("it has a questionnaire");
        for level in ClientLevel::ALL {
            let choices = questionnaire(questions, level).expect("there is a way");
            assert_eq!(questions.level(&choices), Some(level));
        }
    }
}
