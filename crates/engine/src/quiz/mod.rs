//! Quiz rounds. Reads [`AnswerRequest`], [`BatchCommands`] and [`Posted`]; writes [`Happened`] and
//! [`TakeBack`]; owns [`Round`] and [`Sheets`].
//!
//! Where the quest tells right and wrong only after the close, nothing that depends on the key
//! happens before it: the receipt is the same, no fact, no point, no standing moves.

mod correct;
mod grade;
mod layout;
mod notes;
mod round;
mod sheet;
mod stats;

use bevy_ecs::prelude::*;
use dengmi_content::model::QuestKind;
use dengmi_content::model::quest::{LateJoiners, QuizSeries, Reveal};
use dengmi_core::command::Answer;
use dengmi_core::outcome::Mark;
use dengmi_core::{
    CommunityId, Fact, FactKind, MemberId, Receipt, Reject, RoundId, RunId, Timestamp, mutant,
};
use smallvec::SmallVec;

use crate::column::Column;
use crate::kernel::{
    BatchCommands, Builder, Happened, Now, Outcomes, Phase, Section, Setup, Touched,
};
use crate::ledger::{Books, Posted};
use crate::numbered::Numbered;
use crate::people::Member;
use crate::runs::{Run, RunPlan, Runs};
use crate::stream::{Reader, Writer};

use grade::late_share;
pub(crate) use grade::{Marked, credit, unshuffle};
use layout::Orders;
pub use layout::{Layout, layout};
pub(crate) use round::{
    Item, Round, Stage, archive_round, close_rounds_of, forget_rounds_of, item, open_round,
    plan_rounds, revealed, settle_round, settles_last,
};
use sheet::Sheet;
pub(crate) use sheet::Sheets;

/// Answers of one member to one round; what they are stands in the command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerRequest {
    pub(crate) index: u32,
    pub(crate) member: MemberId,
    pub(crate) round: RoundId,
}

/// Most answers of one command.
const ANSWERS_MAX: usize = 50;

/// Rounds that have opened and are not forgotten yet.
pub(crate) type RoundIndex = Numbered<Round>;

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<RoundIndex>()
        .message::<AnswerRequest>()
        .systems(Phase::Quiz, (correct::serve_quiz, take_answers).chain())
        .paying(Phase::Notes, note_awards, note_awards)
        .section(Section { name: "quiz", version: 2, save: round::save, restore: round::restore });
}

/// The rules of a run's quiz, if it is one.
pub(crate) fn series(kind: &QuestKind) -> Option<&QuizSeries> {
    match kind {
        QuestKind::QuizSeries(series) => Some(series),
        _ => None,
    }
}

#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn take_answers(
    setup: Res<Setup>,
    now: Res<Now>,
    members: Res<Column<Member>>,
    runs: Runs,
    index: Res<RoundIndex>,
    mut rounds: Query<(&Round, &mut Sheets)>,
    requests: Reader<AnswerRequest>,
    commands: Res<BatchCommands>,
    mut facts: Writer<Happened>,
    mut outcomes: ResMut<Outcomes>,
    mut touched: ResMut<Touched>,
) {
    for requests in requests.all().chunk_by(|a, b| a.round == b.round) {
        let id = requests[0].round;
        let found = index.entity(id.seq).ok_or(Reject::UnknownRound);
        let mut place = found.and_then(|entity| {
            let (round, sheets) = rounds.get_mut(entity).map_err(|_| Reject::UnknownRound)?;
            let (_, run, plan) = runs.get(round.run).ok_or(Reject::UnknownRun)?;
            let rules = series(&plan.quest.kind).ok_or(Reject::WrongKind)?;
            let (questions, options) = (rules.shuffle_questions, rules.shuffle_options);
            let orders = Orders::of(&setup.seed, id, questions, options);
            Ok((Place { run, plan, round, rules, orders, seen: None, now: now.at }, sheets))
        });
        for request in requests {
            let mut serve = || {
                let (place, sheets) = place.as_mut().map_err(|reject| *reject)?;
                let answers = commands.answers(request.index);
                let (member, taken) = place.serve(request, answers, &members, sheets)?;
                touched.member(request.member.seq);
                if !taken.marked.is_empty() {
                    let (run, community) = (place.run.seq, member.community);
                    let tell = Tell { request, run, community, now: now.at };
                    let day = place.run.calendar.day_of(now.at);
                    for marked in &taken.marked {
                        facts.write(tell.answered(setup.branch, day, marked));
                    }
                }
                Ok(taken.receipt)
            };
            let result = serve();
            outcomes.set(request.index, result);
        }
    }
}

/// A round in which answers are taken, and what they are taken by.
struct Place<'a> {
    run: &'a Run,
    plan: &'a RunPlan,
    round: &'a Round,
    rules: &'a QuizSeries,
    orders: Orders,
    /// What the last member saw, and who sees the same.
    seen: Option<(MemberId, Layout)>,
    now: Timestamp,
}

impl Place<'_> {
    fn serve<'m>(
        &mut self,
        request: &AnswerRequest,
        answers: &[Answer],
        members: &'m Column<Member>,
        sheets: &mut Sheets,
    ) -> Result<(&'m Member, Taken), Reject> {
        let Self { run, plan, round, rules, .. } = *self;
        let member = members.acting(request.member)?;
        if !run.invites(plan, member.community, member.kind) {
            return Err(Reject::NotInvited);
        }
        round.takes(request.member.seq, self.now)?;
        let joined_late = member.joined_at > round.opens;
        if joined_late && rules.late_joiners == LateJoiners::NextRound {
            return Err(Reject::JoinedTooLate);
        }
        let late = match rules.late_joiners {
            LateJoiners::Prorated => late_share(round.opens, round.closes, member.joined_at),
            LateJoiners::Open | LateJoiners::NextRound => dengmi_core::Ppm::ONE,
        };
        Ok((member, self.take(sheets, request, answers, late)?))
    }
}

struct Tell<'a> {
    request: &'a AnswerRequest,
    run: u32,
    community: u32,
    now: Timestamp,
}

impl Tell<'_> {
    fn answered(
        &self,
        branch: dengmi_core::BranchId,
        day: dengmi_core::Day,
        marked: &(u8, Marked),
    ) -> Happened {
        let (question, Marked { right, score }) = *marked;
        Happened(Fact {
            member: self.request.member,
            community: CommunityId::new(branch, self.community),
            run: RunId::new(branch, self.run),
            day,
            at: self.now,
            kind: FactKind::Answered {
                round: self.request.round,
                question,
                right,
                score,
                revision: 0,
            },
        })
    }
}

struct Taken {
    receipt: Receipt,
    /// Content questions with their marks that are final, and may be told now.
    marked: SmallVec<[(u8, Marked); 3]>,
}

impl Place<'_> {
    /// Checks all answers of a command, then writes them: one wrong answer refuses them all.
    fn take(
        &mut self,
        sheets: &mut Sheets,
        request: &AnswerRequest,
        answers: &[Answer],
        late: dengmi_core::Ppm,
    ) -> Result<Taken, Reject> {
        let Self { round, rules, orders, now, .. } = *self;
        let like = orders.like(request.member);
        if self.seen.as_ref().is_none_or(|(seer, _)| *seer != like) {
            let options = round.questions.iter().map(|item| item.options);
            self.seen = Some((like, orders.layout(like, options)));
        }
        let Some((_, seen)) = &self.seen else { return Err(Reject::BadAnswers) };
        if answers.is_empty() || answers.len() > ANSWERS_MAX {
            return Err(Reject::BadAnswers);
        }
        let sheet = sheets.0.get(request.member.seq);
        let mut asked = 0u64;
        let mut fresh: SmallVec<[grade::Given; 8]> = SmallVec::new();
        for answer in answers {
            let question =
                *seen.questions.get(usize::from(answer.question)).ok_or(Reject::UnknownQuestion)?;
            if asked >> question & 1 == 1 {
                return Err(Reject::BadAnswers);
            }
            asked |= 1 << question;
            if sheet.is_some_and(|sheet| sheet.attempts(question) >= rules.attempts.max) {
                return Err(Reject::NoAttempts);
            }
            let item = &round.questions[usize::from(question)];
            let order = &seen.options[usize::from(question)];
            let choice = grade::unshuffle(answer.choice, order, item)?;
            let elapsed_ms = (now.0.min(round.closes.0) - round.opens.0).max(0);
            fresh.push(grade::Given {
                question,
                choice,
                elapsed_s: u32::try_from(elapsed_ms / 1_000).unwrap_or(u32::MAX),
            });
        }
        let first = sheet.is_none();
        let (_, sheet) = sheets.0.entry(request.member.seq, || Sheet::new(late));
        sheet.write(&fresh);
        let answered = if first { asked.count_ones() as u8 } else { sheet.answered() };
        if rules.reveal == Reveal::AtClose && !mutant::planted("quiz/key-shown") {
            let receipt = Receipt::Taken { round: request.round, answered };
            return Ok(Taken { receipt, marked: SmallVec::new() });
        }
        let mut marked: SmallVec<[(u8, Marked); 3]> = fresh
            .iter()
            .map(|given| (given.question, grade::mark(given, late, round, rules)))
            .collect();
        let marks = answers.iter().zip(&marked).map(|(answer, (_, mark))| Mark {
            question: answer.question,
            right: mark.right,
            score: mark.score,
        });
        let receipt = Receipt::Graded { round: request.round, answered, marks: marks.collect() };
        if !tells_at_once(rules) {
            marked.clear();
        }
        Ok(Taken { receipt, marked })
    }
}

/// With several attempts the counted one is known only at the close.
pub(crate) fn tells_at_once(rules: &QuizSeries) -> bool {
    rules.reveal == Reveal::AtOnce && rules.attempts.max == 1
}

/// Remembers which entries the answers of rounds earned, so that a correction can take them back.
pub(crate) fn note_awards(
    index: Res<RoundIndex>,
    mut rounds: Query<&mut Round>,
    books: Res<Books>,
    posted: Reader<Posted>,
) {
    let round_of = |posted: &Posted| books.entry(posted).cause.round();
    let mut rest = posted.all();
    while let Some(first) = rest.first() {
        let here = round_of(first);
        let len = rest.iter().position(|posted| round_of(posted) != here).unwrap_or(rest.len());
        let (posted, after) = rest.split_at(len);
        rest = after;
        let entity = here.and_then(|round| index.entity(round.seq));
        if let Some(mut round) = entity.and_then(|entity| rounds.get_mut(entity).ok()) {
            posted.iter().for_each(|one| round.awards.push(books.entry(one), one.group));
        }
    }
}

#[cfg(test)]
mod tests;
