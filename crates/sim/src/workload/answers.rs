//! Answers to rounds and corrected keys, drawn: right, wrong, and impossible ones.

use dengmi_content::model::QuestKind;
use dengmi_core::command::{Answer, Choice, Key};
use dengmi_core::text::FoldedHash;
use dengmi_core::view::{QuestionView, RoundView, RunView};
use dengmi_core::{Action, Decimal, MemberId, RoundId};
use dengmi_engine::{Layout, layout};

use super::Workload;
use super::draw::any_id;
use crate::answering::{any_choice, right_choice};
use crate::dice::Dice;

impl Workload {
    /// A round, mostly an open one.
    pub(super) fn round(&mut self) -> Option<RoundId> {
        let closed_too = self.dice.percent(4);
        let rounds = self.catalog.rounds.iter().filter(|round| closed_too || !round.closed);
        let known: Vec<RoundId> = rounds.map(|round| round.id).collect();
        // With nothing open there is little to answer; sometimes a round that nobody knows.
        let any = !known.is_empty() || self.dice.percent(2);
        any.then(|| any_id(&mut self.dice, self.config.branch, &known))
    }

    /// A member of a group that takes part, mostly.
    fn invited(&mut self, run: &RunView) -> Option<MemberId> {
        let group = *self.dice.pick(&run.communities)?;
        let group = self.catalog.communities.iter().find(|view| view.id == group)?;
        self.dice.pick(&group.members).copied()
    }

    pub(super) fn answer(&mut self) -> Option<Action> {
        let round = self.round()?;
        let view = self.catalog.rounds.iter().find(|view| view.id == round).cloned();
        let run = view
            .as_ref()
            .and_then(|view| self.catalog.runs.iter().find(|run| run.id == view.run).cloned());
        let (Some(view), Some(run)) = (view, run) else {
            // A round that nobody knows: any answer will do.
            let answers = vec![Answer { question: 0, choice: Choice::One(0) }];
            let member = MemberId::new(self.config.branch, 1);
            return Some(Action::Answer { member, round, answers });
        };
        let branch = self.config.branch;
        let invited = self.invited(&run);
        let member = any_id(&mut self.dice, branch, invited.as_slice());
        let seen = self.layout(&view, &run, member)?;
        let first = self.dice.below(view.questions.len() as u32) as u8;
        let last = match self.dice.percent(60) {
            true => view.questions.len() as u8,
            false => first + 1,
        };
        let begin = if last == first + 1 { first } else { 0 };
        let mut answers = Vec::new();
        for question in begin..last {
            let place = usize::from(*seen.questions.get(usize::from(question))?);
            let key = self.key_of(&view.questions[place], &run)?;
            let choice = choice(&mut self.dice, &key, &seen.options[place]);
            answers.push(Answer { question, choice });
        }
        match self.dice.below(40) {
            0 => answers.clear(),
            1 => answers.push(answers[0]),
            2 => answers[0].question = 60,
            3 => answers = vec![answers[0]; 51],
            _ => {}
        }
        Some(Action::Answer { member, round, answers })
    }

    fn layout(&self, view: &RoundView, run: &RunView, member: MemberId) -> Option<Layout> {
        let QuestKind::QuizSeries(series) = self.quest_of(run)? else { return None };
        let options = view.questions.iter().map(|question| question.options);
        let (questions, shuffled) = (series.shuffle_questions, series.shuffle_options);
        Some(layout(&self.config.seed, view.id, member, questions, shuffled, options))
    }

    fn key_of(&self, view: &QuestionView, run: &RunView) -> Option<Key> {
        let pack = self.packs.get(&run.content)?;
        Some(pack.questions.get(pack.current(&view.question))?.key.clone())
    }

    pub(super) fn correct_key(&mut self) -> Option<Action> {
        let late = self.dice.percent(60);
        // The latest are still in their correction window.
        let recent = self.catalog.rounds.iter().rev().take(8);
        let rounds = recent.filter(|round| late == round.closed);
        let known: Vec<RoundId> = rounds.map(|round| round.id).collect();
        if known.is_empty() {
            return None;
        }
        let round = any_id(&mut self.dice, self.config.branch, &known);
        let dry_run = self.dice.percent(35);
        let view = self.catalog.rounds.iter().find(|view| view.id == round).cloned();
        let Some(view) = view else {
            return Some(Action::CorrectKey { round, question: 0, key: Key::Everyone, dry_run });
        };
        let question = self.dice.below(view.questions.len() as u32 + 1) as u8;
        let run = self.catalog.runs.iter().find(|run| run.id == view.run);
        let item = view.questions.get(usize::from(question));
        let old = run.zip(item).and_then(|(run, item)| self.key_of(item, run));
        let options = item.map_or(1, |item| item.options);
        let key = match (self.dice.below(10), old) {
            (0, _) | (_, None) => Key::Everyone,
            (1, Some(old)) => old,
            (2, Some(Key::Bool(_))) => Key::One(0),
            (2, Some(_)) => Key::Bool(true),
            (3, Some(Key::One(_))) => Key::One(options),
            (_, Some(old)) => another_key(&mut self.dice, old, options),
        };
        Some(Action::CorrectKey { round, question, key, dry_run })
    }
}

/// A key of the same kind.
fn another_key(dice: &mut Dice, old: Key, options: u8) -> Key {
    let number = |n: u32| Decimal::from_micros(i64::from(n) * 1_000_000).unwrap_or_default();
    match old {
        Key::One(_) => Key::One(dice.below(u32::from(options)) as u8),
        Key::Many(_) => Key::Many(dice.below(1 << options)),
        Key::Bool(_) => Key::Bool(dice.percent(50)),
        Key::Number { .. } => {
            let value = number(*dice.pick(&[100, 101, 12_000, 7]).unwrap_or(&7));
            Key::Number { value, tolerance: number(dice.below(3)) }
        }
        Key::Text(mut accepted) => {
            accepted.push(FoldedHash::of("我猜的"));
            Key::Text(accepted)
        }
        Key::Everyone => Key::Everyone,
    }
}

/// A choice as the member sees the question: right in most cases, impossible in a few.
fn choice(dice: &mut Dice, key: &Key, shown: &[u8]) -> Choice {
    if dice.percent(2) {
        return *dice
            .pick(&[Choice::One(9), Choice::Many(0), Choice::Many(u32::MAX), Choice::Bool(true)])
            .unwrap_or(&Choice::One(9));
    }
    if dice.percent(60) { right_choice(key, shown) } else { any_choice(dice, key, shown) }
}
