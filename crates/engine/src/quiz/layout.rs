//! In which order a member sees a round: seeded by round and member, stable on every look.

use dengmi_core::random::{Purpose, Seed, Shuffler};
use dengmi_core::{MemberId, RoundId, mutant};
use smallvec::SmallVec;

/// In which order a member sees the questions of a round and the options of each: the position
/// shown gives the position in the content file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each position shown, the question's position in the round.
    pub questions: SmallVec<[u8; 8]>,
    /// For each question in the round's order: for each option shown, its position in key order.
    pub options: SmallVec<[SmallVec<[u8; 8]>; 12]>,
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
    Orders::of(seed, round, shuffle_questions, shuffle_options).layout(member, options)
}

/// The orders of one round, for whichever member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Orders {
    questions: Option<Shuffler>,
    options: Shuffler,
    /// Whether each member has options in an order of their own.
    own: bool,
}

impl Orders {
    pub(super) fn of(seed: &Seed, round: RoundId, questions: bool, own: bool) -> Self {
        let shuffler = |purpose| seed.shuffler(purpose, u64::from(round.seq));
        Self {
            questions: questions.then(|| shuffler(Purpose::QuestionOrder)),
            options: shuffler(Purpose::OptionOrder),
            own,
        }
    }

    /// For each position shown, the question's position in the round.
    fn questions(&self, member: MemberId, count: usize) -> SmallVec<[u8; 8]> {
        let count = u8::try_from(count).expect("a round has at most 50 questions");
        match &self.questions {
            Some(shuffler) => shuffler.order(u64::from(member.seq), count),
            None => (0..count).collect(),
        }
    }

    /// Who sees things in the order in which this member does: everybody where nothing is shuffled.
    pub(super) fn like(&self, member: MemberId) -> MemberId {
        let alike = self.questions.is_none() && !self.own;
        if alike { MemberId::new(member.branch, 0) } else { member }
    }

    /// What a member sees; see [`layout`].
    pub(super) fn layout(
        &self,
        member: MemberId,
        options: impl ExactSizeIterator<Item = u8>,
    ) -> Layout {
        let questions = self.questions(member, options.len());
        let options = options.enumerate();
        let options = options.map(|(question, count)| self.options(member, question as u8, count));
        Layout { questions, options: options.collect() }
    }

    /// For each option shown, its position in key order.
    fn options(&self, member: MemberId, question: u8, count: u8) -> SmallVec<[u8; 8]> {
        let by_call = mutant::planted("quiz/order-of-calls");
        let whose = if self.own { u64::from(member.seq) } else { 0 };
        let whose = if by_call { mutant::calls() } else { whose };
        self.options.order(whose << 8 | u64::from(question), count)
    }
}
