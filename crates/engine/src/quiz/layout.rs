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
    let questions = question_order(seed, round, member, shuffle_questions, options.len());
    let options = options.enumerate().map(|(question, options)| {
        option_order(seed, round, member, shuffle_options, question as u8, options)
    });
    Layout { questions, options: options.collect() }
}

/// The first part of [`layout`]: for each position shown, the question's position in the round.
pub(super) fn question_order(
    seed: &Seed,
    round: RoundId,
    member: MemberId,
    shuffle: bool,
    count: usize,
) -> SmallVec<[u8; 8]> {
    let count = u8::try_from(count).expect("a round has at most 50 questions");
    if shuffle && count > 1 {
        let (round, member) = (u64::from(round.seq), u64::from(member.seq));
        seed.permutation(Purpose::QuestionOrder, round, member, count).into()
    } else {
        (0..count).collect()
    }
}

/// The second part of [`layout`], for one question: an answer needs no more.
pub(super) fn option_order(
    seed: &Seed,
    round: RoundId,
    member: MemberId,
    shuffle: bool,
    question: u8,
    options: u8,
) -> SmallVec<[u8; 8]> {
    if options == 0 {
        return SmallVec::new();
    }
    let shuffler = if shuffle { u64::from(member.seq) } else { 0 };
    let address = u64::from(round.seq) << 8 | u64::from(question);
    seed.permutation(Purpose::OptionOrder, address, shuffler, options).into()
}
