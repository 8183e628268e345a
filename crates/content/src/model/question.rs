//! `content/questions/**.ron`: banks of questions. A question's id is the file's id, `/`, its own.

use dengmi_core::{Decimal, Slug};
use serde::Deserialize;

use super::{FactField, Purpose, Text, Unit};

/// A file of questions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionFile {
    /// Always 1.
    pub schema: u16,
    /// Earlier ids of the file.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// What the bank is about.
    pub title: Text,
    /// The questions.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name inside the file; one segment.
    pub id: Slug,
    /// Earlier full ids.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// Education, or marketing where it is about a real product.
    pub purpose: Purpose,
    /// The concept it tests, such as `fees/redemption`.
    pub concept: Slug,
    /// 1 (easy) to 5.
    pub difficulty: u8,
    /// The question.
    pub stem: Text,
    /// How it is answered and what is right.
    pub body: Body,
    /// Where the answer is found.
    pub source: AnswerSource,
    /// What a member reads after answering.
    pub feedback: Feedback,
    /// Source tags of the numbers, such as `domain 1.1 (L)`.
    #[serde(default)]
    pub cites: Vec<String>,
}

/// How a question is answered, and what is right.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Body {
    /// One option is right.
    Single {
        /// The right option.
        answer: Answer<Text>,
        /// The wrong ones, 2 or 3.
        distractors: Vec<Distractor>,
    },
    /// Several options are right.
    Multi {
        /// All options, 3 to 8, at least one right and one wrong.
        options: Vec<MultiOption>,
        /// How incomplete answers count.
        partial: Partial,
    },
    /// True or false.
    TrueFalse {
        /// What is right.
        answer: TrueFalse,
    },
    /// A number is typed.
    Number {
        /// The right number.
        answer: Answer<Decimal>,
        /// Its unit, shown beside the field.
        unit: Unit,
        /// Largest difference that is still right.
        #[serde(default)]
        tolerance: Decimal,
    },
    /// Text is typed; compared without regard to width, case, spaces and punctuation.
    Typed {
        /// The right text.
        answer: Answer<String>,
        /// Other texts that are right too.
        #[serde(default)]
        also: Vec<String>,
    },
}

/// A right answer: a fact on a product page, or a plain value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum Answer<T> {
    /// A fact on a product page. When the page changes, the question is right again, or the check
    /// says so.
    ProductFact(ProductFact),
    /// A value.
    Plain(T),
}

/// A typed reference to a fact on a product page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductFact {
    /// The product.
    pub product: Slug,
    /// The fact.
    pub field: FactField,
    /// Amount in yuan that a rate is taken of.
    #[serde(default)]
    pub of_yuan: Option<Decimal>,
    /// The value when the question was written (without unit): where the page says something else
    /// today, the distractors and the feedback need a second look.
    pub expect: String,
}

/// A wrong option.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distractor {
    /// The option.
    pub text: Text,
    /// Why somebody might think so, and why not.
    #[serde(default)]
    pub feedback: Option<Text>,
}

/// An option of a multi-select question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiOption {
    /// The option.
    pub text: Text,
    /// Whether it is right.
    #[serde(default)]
    pub right: bool,
}

/// How incomplete multi-select answers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Partial {
    /// All right options and no wrong one, or nothing.
    AllOrNothing,
    /// Share of right options chosen, less the share of wrong options chosen, not below zero.
    RightLessWrong,
}

/// What is right for a true-false question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TrueFalse {
    /// A truth value.
    Plain(bool),
    /// True where a product's fact is the value that the stem claims.
    FactIs {
        /// The fact; its `expect` is today's value.
        fact: ProductFact,
        /// The value the stem claims, without unit.
        claim: String,
    },
}

/// Where the answer is found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum AnswerSource {
    /// A real product's page.
    ProductPage {
        /// The product.
        product: Slug,
        /// Version of the page the question was written for.
        version: u16,
    },
    /// A fictional teaching sheet.
    SampleSheet {
        /// The product.
        product: Slug,
        /// Version of the sheet the question was written for.
        version: u16,
    },
    /// A poster in the group or the hall.
    Poster(Text),
    /// A lesson.
    Lesson(Text),
}

/// What a member reads after answering.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// After a right answer.
    pub right: Text,
    /// After a wrong answer.
    pub wrong: Text,
}
