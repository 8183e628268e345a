//! `GET /v1/rounds/{id}`: the questions of a round.
//!
//! What is right is in types of its own ([`Revealed`]), which are made after the close only: a
//! question that is open has no place to put it. Members see questions and options in the order
//! that was drawn for them. Operators see questions in the content file's order and, until the
//! close, options sorted by text, because the key order tells which one is right.

use axum::extract::State;
use dengmi_core::command::Key;
use dengmi_core::view::{QuestionView, RoundView};
use dengmi_core::{Decimal, Digest, MemberId, RoundId};
use serde::Serialize;
use utoipa::ToSchema;

use super::list_rounds::Summary;
use crate::app::App;
use crate::backend::{Backend, Language, QuestionKind, QuestionText, Sheet};
use crate::extract::{Admitted, Param};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, bits, notices};

/// A round with its questions.
#[derive(Serialize, ToSchema)]
#[schema(as = Round)]
pub(crate) struct Detail {
    /// The round.
    #[serde(flatten)]
    summary: Summary,
    /// Questions the calling member has answered; members only, while the round is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Vec<u8>>,
    /// The questions, as the caller sees them.
    #[serde(flatten)]
    questions: Questions,
}

/// The questions of a round, before or after the close.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Questions {
    /// Before.
    Open {
        /// In the caller's order.
        items: Vec<Question>,
    },
    /// After.
    Revealed {
        /// In the caller's order.
        items: Vec<Revealed>,
    },
}

/// A question as it is asked.
#[derive(Serialize, ToSchema)]
pub(crate) struct Question {
    /// Position as the caller sees it, from 0; answers name it.
    position: u8,
    /// How it is answered.
    kind: Kind,
    /// The question.
    stem: String,
    /// Options as the caller sees them, position 0 first.
    options: Vec<String>,
    /// Unit beside a typed number.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// Where the answer is found.
    source: String,
    /// Notices that go with it.
    notices: Vec<Notice>,
}

/// How a question is answered.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuestionKind)]
pub(crate) enum Kind {
    /// One option.
    Single,
    /// Several options.
    Multi,
    /// True or false.
    TrueFalse,
    /// A number.
    Number,
    /// Typed text.
    Text,
}

impl From<QuestionKind> for Kind {
    fn from(kind: QuestionKind) -> Self {
        match kind {
            QuestionKind::Single => Self::Single,
            QuestionKind::Multi => Self::Multi,
            QuestionKind::TrueFalse => Self::TrueFalse,
            QuestionKind::Number => Self::Number,
            QuestionKind::Text => Self::Text,
        }
    }
}

/// A question after the close.
#[derive(Serialize, ToSchema)]
#[schema(as = RevealedQuestion)]
pub(crate) struct Revealed {
    /// The question.
    #[serde(flatten)]
    question: Question,
    /// What is right, corrections included; missing when it is no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ShownKey>,
    /// Read after a right answer.
    feedback_right: String,
    /// Read after a wrong answer.
    feedback_wrong: String,
    /// How the question did; operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<Statistics>,
}

/// What is right, by positions as the caller sees them.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = Key)]
pub(crate) enum ShownKey {
    /// One option.
    One {
        /// Its position.
        option: u8,
    },
    /// Several options.
    Many {
        /// Their positions.
        options: Vec<u8>,
    },
    /// A truth value.
    Bool {
        /// The right one.
        value: bool,
    },
    /// A number.
    Number {
        /// The right one.
        #[schema(value_type = String, example = "0.34")]
        value: Decimal,
        /// Largest difference that is still right.
        #[schema(value_type = String, example = "0.01")]
        tolerance: Decimal,
    },
    /// Typed text; the feedback says which.
    Text,
    /// Everybody who answered is right.
    Everyone,
}

/// How a question did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// The question's id in the content.
    #[schema(example = "funds-basics/fees")]
    question: String,
    /// Answers that counted.
    answers: u32,
    /// Of these, fully right.
    right: u32,
    /// Item discrimination in thousandths, from -1,000 to 1,000; missing below 10 answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    discrimination: Option<i16>,
}

#[utoipa::path(
    get, path = "/v1/rounds/{id}", operation_id = "getRound", tag = "rounds",
    summary = "Read a quiz round",
    params(("id" = String, Path, example = "q1-31")),
    responses((status = 200, description = "The round and its questions.", body = Detail)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<RoundId>,
) -> Answer<Detail> {
    let backend = &*app.backend;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let round = reach::find_round(&catalog, id).ok_or_else(Problem::not_found)?;
    let run = reach::find_run(&catalog, round.run).ok_or_else(Problem::not_found)?;
    let member = call.principal()?.member();
    let sheet = match member {
        Some(member) => Some(backend.sheet(member, id).ok_or_else(Problem::not_found)?),
        None => None,
    };
    let page = Page { backend, round, content: run.content, sheet, language: call.language };
    let questions = page.questions()?;
    let answered = member.filter(|_| !round.closed).map(|member| page.answered(member));
    Ok(Reply::ok(Detail { summary: Summary::from(round), answered, questions }))
}

/// A round and for whom it is laid out.
struct Page<'a, B> {
    backend: &'a B,
    round: &'a RoundView,
    content: Digest,
    /// The member's order; operators have none.
    sheet: Option<Sheet>,
    language: Language,
}

impl<B: Backend> Page<'_, B> {
    /// Content positions in the caller's order.
    fn order(&self) -> Vec<u8> {
        match &self.sheet {
            Some(sheet) => sheet.questions.clone(),
            None => (0..self.round.questions.len()).map_while(|n| u8::try_from(n).ok()).collect(),
        }
    }

    /// Shown positions of the questions `member` has answered.
    fn answered(&self, member: MemberId) -> Vec<u8> {
        let bits = self
            .backend
            .member(member)
            .and_then(|card| card.answered.iter().find(|(id, _)| *id == self.round.id).copied())
            .map_or(0, |(_, bits)| bits);
        let answered =
            |&(_, content): &(u8, u8)| bits.checked_shr(content.into()).unwrap_or(0) & 1 == 1;
        (0..).zip(self.order()).filter(answered).map(|(shown, _)| shown).collect()
    }

    fn questions(&self) -> Result<Questions, Problem> {
        // "Revealed" may also mean "right after each answer": until the close only a member's own
        // receipt tells, never this page.
        let over = self.round.closed && self.round.revealed;
        let keys = if over { self.backend.keys(self.round.id) } else { None };
        let mut open = Vec::new();
        let mut revealed = Vec::new();
        for (shown, content) in (0..).zip(self.order()) {
            let view = self.round.questions.get(usize::from(content));
            let view = view.ok_or_else(Problem::internal)?;
            let text = self.backend.question(self.content, &view.question, self.language);
            let mut text = text.ok_or_else(|| {
                tracing::error!(question = %view.question, "the text of a question is missing");
                Problem::internal()
            })?;
            let order = self.option_order(content, &text, over);
            let feedback = (std::mem::take(&mut text.right), std::mem::take(&mut text.wrong));
            let question = ask(shown, text, &order);
            if over {
                let key = keys.as_ref().and_then(|keys| keys.get(usize::from(content)));
                revealed.push(Revealed {
                    question,
                    key: key.map(|key| shown_key(key, &order)),
                    feedback_right: feedback.0,
                    feedback_wrong: feedback.1,
                    statistics: self.sheet.is_none().then(|| Statistics::from(view)),
                });
            } else {
                open.push(question);
            }
        }
        Ok(if over {
            Questions::Revealed { items: revealed }
        } else {
            Questions::Open { items: open }
        })
    }

    /// Key-order positions of the options in the order the caller sees them.
    fn option_order(&self, content: u8, text: &QuestionText, over: bool) -> Vec<u8> {
        let drawn = self.sheet.as_ref().map(|sheet| sheet.options.get(usize::from(content)));
        match drawn {
            Some(order) => order.cloned().unwrap_or_default(),
            None => {
                let mut order: Vec<u8> =
                    (0..text.options.len()).map_while(|n| u8::try_from(n).ok()).collect();
                if !over {
                    order.sort_by_key(|&n| &text.options[usize::from(n)]);
                }
                order
            }
        }
    }
}

fn ask(position: u8, text: QuestionText, order: &[u8]) -> Question {
    let options = order.iter().filter_map(|&n| text.options.get(usize::from(n)).cloned()).collect();
    let kind = text.kind.into();
    let (stem, unit, source) = (text.stem, text.unit, text.source);
    Question { position, kind, stem, options, unit, source, notices: notices(text.notices) }
}

/// A key by the positions the caller sees.
fn shown_key(key: &Key, order: &[u8]) -> ShownKey {
    let shown = |content: u8| {
        let place = order.iter().position(|&n| n == content);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(content)
    };
    match key {
        Key::One(content) => ShownKey::One { option: shown(*content) },
        Key::Many(mask) => {
            let mut options: Vec<u8> = bits(*mask).into_iter().map(shown).collect();
            options.sort_unstable();
            ShownKey::Many { options }
        }
        Key::Bool(value) => ShownKey::Bool { value: *value },
        Key::Number { value, tolerance } => {
            ShownKey::Number { value: *value, tolerance: *tolerance }
        }
        Key::Text(_) => ShownKey::Text,
        Key::Everyone => ShownKey::Everyone,
    }
}

impl From<&QuestionView> for Statistics {
    fn from(view: &QuestionView) -> Self {
        Self {
            question: view.question.to_string(),
            answers: view.answers,
            right: view.right,
            discrimination: view.discrimination,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_in_the_members_order() {
        let told = |key: &Key| serde_json::to_string(&shown_key(key, &[2, 0, 1])).unwrap();
        assert_eq!(told(&Key::One(0)), r#"{"kind":"one","option":1}"#);
        assert_eq!(told(&Key::Many(0b101)), r#"{"kind":"many","options":[0,1]}"#);
        assert_eq!(told(&Key::Bool(true)), r#"{"kind":"bool","value":true}"#);
        assert_eq!(told(&Key::Text(Vec::new())), r#"{"kind":"text"}"#);
    }
}
