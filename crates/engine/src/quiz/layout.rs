//! In which order a member sees a round: seeded by round and member, stable on every look.

use dengmi_core::random::{Purpose, Seed};
use dengmi_core::{MemberId, RoundId};
use smallvec::SmallVec;

/// In which order a member sees the questions of a round and the options of each: the position
/// shown gives the position in the content file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each position shown, the question's position in the round.
    pub questions: SmallVec<[u8; 8]>,
    /// For each question in the round's order: for each option shown, its position in key order.
    pub options: SmallVec<[SmallVec<[u8; 8]>; 8]>,
}

/// The layout of `round` for `member`. `options` holds the number of options of each question. A
/// pure function, so that readers need not ask the engine.
///
/// Without shuffled options everybody sees the same order, but never the key order, in which the
/// right one comes first.
pub fn layout(
    seed: &Seed,
    round: RoundId,
    member: MemberId,
    shuffle_questions: bool,
    shuffle_options: bool,
    options: impl ExactSizeIterator<Item = u8>,
) -> Layout {
    let round_part = u64::from(round.seq);
    let member_part = u64::from(member.seq);
    let count = u8::try_from(options.len()).expect("a round has at most 50 questions");
    let questions = if shuffle_questions && count > 1 {
        seed.permutation(Purpose::QuestionOrder, round_part, member_part, count).into()
    } else {
        (0..count).collect()
    };
    let shuffler = if shuffle_options { member_part } else { 0 };
    let options = options
        .enumerate()
        .map(|(question, options)| match options {
            0 => SmallVec::new(),
            options => {
                let address = round_part << 8 | question as u64;
                seed.permutation(Purpose::OptionOrder, address, shuffler, options).into()
            }
        })
        .collect();
    Layout { questions, options }
}
