//! What members answer in a round, kept as bytes: there is a sheet for everybody who answers, and
//! three answers of one command take eleven, where the types have room for typed texts.

use bevy_ecs::prelude::*;
use dengmi_content::model::quest::QuizSeries;
use dengmi_core::command::Choice;
use dengmi_core::text::FoldedHash;
use dengmi_core::{Decimal, Ppm};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::ANSWERS_MAX;
use super::grade::{self, Given, Marked};
use super::round::Round;
use crate::roster::Roster;
use crate::short::Short;

/// The sheets of a round.
#[derive(Component, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sheets(pub(crate) Roster<Sheet>);

/// Everything one member answered in a round, in order: what is left of their credit, then for each
/// command how many answers, the seconds since the opening, and each answer's question and choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sheet(SmallVec<[u8; 16]>);

/// A member's marks by question; `None` where none was given.
pub(crate) type Marks = SmallVec<[Option<Marked>; 8]>;

/// Choices below this number are options by position; the others say what follows.
const OPTIONS: u8 = 200;
const FALSE: u8 = 200;
const TRUE: u8 = 201;
const MANY: u8 = 202;
const NUMBER: u8 = 203;
const TEXT: u8 = 204;
const HIGH_OPTION: u8 = 205;

/// Bytes of the longest command: how many answers, the seconds, and for each answer a question, a
/// kind and at most sixteen bytes of a text's hash.
const COMMAND_MAX: usize = 5 + ANSWERS_MAX * 18;

impl Sheet {
    /// Of who has `late` left of their credit for joining late.
    pub(crate) fn new(late: Ppm) -> Self {
        let mut bytes = SmallVec::new();
        match late {
            Ppm::ONE => bytes.push(0),
            Ppm(less) => {
                bytes.push(1);
                bytes.extend_from_slice(&less.to_le_bytes());
            }
        }
        Self(bytes)
    }

    /// Adds the answers of one command; they have one time.
    pub(crate) fn write(&mut self, given: &[Given]) {
        let Some(first) = given.first() else { return };
        let count = u8::try_from(given.len()).expect("a command has at most 50 answers");
        let mut short = Short::<COMMAND_MAX>::default();
        short.push(count);
        short.all(first.elapsed_s.to_le_bytes());
        for &Given { question, choice, .. } in given {
            match choice {
                Choice::One(option) if option < OPTIONS => short.all([question, option]),
                Choice::One(option) => short.all([question, HIGH_OPTION, option]),
                Choice::Bool(is) => short.all([question, if is { TRUE } else { FALSE }]),
                Choice::Many(options) => {
                    short.all([question, MANY]);
                    short.all(options.to_le_bytes());
                }
                Choice::Number(number) => {
                    short.all([question, NUMBER]);
                    short.all(number.micros().to_le_bytes());
                }
                Choice::Text(FoldedHash(hash)) => {
                    short.all([question, TEXT]);
                    short.all(hash);
                }
            }
        }
        // A sheet is mostly written once: it takes the room it needs and no more.
        let written = short.written();
        self.0.reserve_exact(written.len());
        self.0.extend_from_slice(written);
    }

    /// The share of credit left, and what was given.
    #[inline]
    fn read(&self) -> (Ppm, Reading<'_>) {
        let mut rest = self.0.as_slice();
        let late = match first(&mut rest) {
            Some([0]) => Ppm::ONE,
            _ => Ppm(first(&mut rest).map_or(0, u32::from_le_bytes)),
        };
        (late, Reading { rest, left: 0, elapsed_s: 0 })
    }

    fn given(&self) -> Reading<'_> {
        self.read().1
    }

    /// Whether every byte belongs to an answer to one of `questions`: a damaged snapshot may say
    /// otherwise.
    pub(super) fn is_sound(&self, questions: usize) -> bool {
        let (late, mut reading) = self.read();
        let mut again = Self::new(late);
        let mut command: SmallVec<[Given; 3]> = SmallVec::new();
        while let Some(given) = reading.next() {
            let too_many = command.len() >= ANSWERS_MAX;
            if usize::from(given.question) >= questions || too_many {
                return false;
            }
            command.push(given);
            if reading.left == 0 {
                again.write(&command);
                command.clear();
            }
        }
        again == *self
    }

    pub(crate) fn attempts(&self, question: u8) -> u8 {
        self.given().filter(|given| given.question == question).count() as u8
    }

    /// Bit n: content question n was answered.
    pub(crate) fn bits(&self) -> u64 {
        self.given().fold(0, |bits, given| bits | 1 << given.question)
    }

    /// How many questions were answered.
    pub(crate) fn answered(&self) -> u8 {
        self.bits().count_ones() as u8
    }

    /// What the answers to each question are worth under the key in force; `None` where there are
    /// none.
    pub(crate) fn marks(&self, round: &Round, rules: &QuizSeries) -> Marks {
        let questions = round.questions.len();
        let mut marks: Marks = SmallVec::from_buf([None; 8]);
        marks.resize(questions, None);
        let (late, given) = self.read();
        let mut again = 0u64;
        for given in given {
            let mark = &mut marks[usize::from(given.question)];
            match mark {
                Some(_) => again |= 1 << given.question,
                None => *mark = Some(grade::mark(&given, late, round, rules)),
            }
        }
        // One attempt is worth what it is worth; of several the quest says which count.
        while again != 0 {
            let question = again.trailing_zeros() as u8;
            again &= again - 1;
            let attempts = self.given().filter(|given| given.question == question);
            let marked = attempts.map(|given| grade::mark(&given, late, round, rules));
            marks[usize::from(question)] = grade::settle(marked, rules.attempts.counts);
        }
        marks
    }
}

/// Attempts read from a sheet, up to its end or where the bytes are none.
struct Reading<'a> {
    rest: &'a [u8],
    /// Answers of the command that are still to come, and its time.
    left: u8,
    elapsed_s: u32,
}

impl Iterator for Reading<'_> {
    type Item = Given;

    #[inline]
    fn next(&mut self) -> Option<Given> {
        let bytes = &mut self.rest;
        if self.left == 0 {
            let [count, a, b, c, d] = first(bytes)?;
            (self.left, self.elapsed_s) = (count, u32::from_le_bytes([a, b, c, d]));
        }
        self.left = self.left.checked_sub(1)?;
        let [question, kind] = first(bytes)?;
        let choice = match kind {
            option @ 0..OPTIONS => Choice::One(option),
            FALSE => Choice::Bool(false),
            TRUE => Choice::Bool(true),
            MANY => Choice::Many(u32::from_le_bytes(first(bytes)?)),
            NUMBER => Choice::Number(Decimal::from_micros(i64::from_le_bytes(first(bytes)?))?),
            TEXT => Choice::Text(FoldedHash(first(bytes)?)),
            HIGH_OPTION => Choice::One(u8::from_le_bytes(first(bytes)?)),
            _ => return None,
        };
        Some(Given { question, choice, elapsed_s: self.elapsed_s })
    }
}

/// Splits off the first bytes.
#[inline]
fn first<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(elapsed_s: u32, answers: &[(u8, Choice)]) -> Vec<Given> {
        let one = |&(question, choice)| Given { question, choice, elapsed_s };
        answers.iter().map(one).collect()
    }

    fn commands() -> [Vec<Given>; 3] {
        let number = Decimal::from_micros(-3_650_000).unwrap();
        [
            given(7, &[(0, Choice::One(3)), (1, Choice::One(OPTIONS)), (2, Choice::Bool(true))]),
            given(u32::MAX, &[(3, Choice::Many(0x8000_0001)), (4, Choice::Number(number))]),
            given(8, &[(5, Choice::Text(FoldedHash::of("复利"))), (0, Choice::Bool(false))]),
        ]
    }

    #[test]
    fn attempts_are_kept_as_bytes_and_read_back() {
        for late in [Ppm::ONE, Ppm(250_000), Ppm(0)] {
            let mut sheet = Sheet::new(late);
            commands().iter().for_each(|command| sheet.write(command));
            let (read, attempts) = sheet.read();
            assert_eq!((read, attempts.collect::<Vec<_>>()), (late, commands().concat()));
            assert_eq!((sheet.answered(), sheet.attempts(0), sheet.attempts(6)), (6, 2, 0));
            assert!(sheet.is_sound(6) && !sheet.is_sound(5));
        }
    }

    #[test]
    fn damaged_sheets_are_found_out() {
        let mut sheet = Sheet::new(Ppm::ONE);
        commands().iter().for_each(|command| sheet.write(command));
        let whole: Vec<usize> = commands()
            .iter()
            .scan(Sheet::new(Ppm::ONE), |sheet, command| {
                sheet.write(command);
                Some(sheet.0.len())
            })
            .collect();
        for end in 0..sheet.0.len() {
            let cut = Sheet(SmallVec::from_slice(&sheet.0[..end]));
            assert_eq!(cut.is_sound(6), end == 1 || whole.contains(&end), "{end}");
        }
        // A kind of choice that is none, no answers, and whole credit written at length.
        for bytes in [&[0, 1, 0, 0, 0, 0, 0, 206][..], &[0, 0, 0, 0, 0, 0], &[1, 64, 66, 15, 0]] {
            assert!(!Sheet(SmallVec::from_slice(bytes)).is_sound(6), "{bytes:?}");
        }
    }

    /// As many texts as one command may have, and one more than can be written again.
    #[test]
    fn a_command_of_too_many_answers_is_damage() {
        let texts = |count: usize| {
            let one = [[0, TEXT].as_slice(), &[7; 16]].concat();
            let head = [0, u8::try_from(count).unwrap(), 0, 0, 0, 0];
            Sheet(SmallVec::from_vec([head.as_slice(), &one.repeat(count)].concat()))
        };
        assert!(texts(ANSWERS_MAX).is_sound(1));
        assert!(!texts(ANSWERS_MAX + 1).is_sound(1) && !texts(255).is_sound(1));
    }

    #[test]
    fn a_usual_sheet_needs_no_memory_of_its_own() {
        let mut sheet = Sheet::new(Ppm::ONE);
        sheet.write(&given(
            40_000,
            &[(0, Choice::One(3)), (1, Choice::One(0)), (2, Choice::One(1))],
        ));
        assert!(!sheet.0.spilled());
        assert_eq!(size_of::<Sheet>(), 24);
    }
}
