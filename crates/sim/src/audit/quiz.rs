//! Rounds: who may answer until when, what an answer is worth, what a corrected key changes.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_content::PackQuestion;
use dengmi_content::model::quest::{Counts, Curve, LateJoiners, QuizSeries, Reveal};
use dengmi_content::model::question::Partial;
use dengmi_core::command::{Answer, Choice, Key};
use dengmi_core::outcome::{Mark, RegradeReport};
use dengmi_core::random::Purpose;
use dengmi_core::view::EventKind;
use dengmi_core::view::MemberStatus;
use dengmi_core::{
    Action, Cause, CommunityId, Day, Fact, FactKind, LedgerEntry, MemberId, Ppm, Receipt, Reject,
    RoundId, RunId, Timestamp,
};

use super::books::Back;
use super::days::{DAY_MS, day_of};
use super::rules::Counted;
use super::{Answered, Auditor, Edge, Tick};

const EXTRA_SECONDS_MAX: u32 = 7 * 86_400;
const ANSWERS_MAX: usize = 50;
const MILLION: u64 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Settled,
    Archived,
}

#[derive(Clone)]
pub(super) struct Item {
    pub(super) options: u8,
    partial: bool,
    key: Key,
    /// The key of the content file: it says what kind of answer the question takes.
    pub(super) first_key: Key,
}

impl Item {
    pub(super) fn of(question: &PackQuestion) -> Self {
        Self {
            options: question.option_count(),
            partial: question.partial == Partial::RightLessWrong,
            key: question.key.clone(),
            first_key: question.key.clone(),
        }
    }
}

/// One attempt at a question, in the content file's positions.
#[derive(Clone, Copy)]
struct Attempt {
    question: u8,
    choice: Choice,
    elapsed_s: u64,
    /// Millionths of the credit that is left for who joined late.
    late: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Worth {
    right: bool,
    score: u64,
}

/// An award that answers earned.
pub(super) struct Earned {
    member: u32,
    question: Option<u8>,
    entry: u64,
    points: i64,
    origin: Cause,
    counted: Counted,
}

pub(super) struct Round {
    pub(super) run: u32,
    index: u16,
    opens: Timestamp,
    closes: Timestamp,
    grace_ms: i64,
    day: Day,
    items: Vec<Item>,
    stage: Stage,
    revision: u8,
    extra: BTreeMap<u32, i64>,
    sheets: BTreeMap<u32, Vec<Attempt>>,
    pub(super) earned: Vec<Earned>,
    pub(super) scores: BTreeMap<u32, (i64, u64)>,
}

impl Round {
    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// From when on nobody can answer.
    pub(super) fn settles(&self) -> Timestamp {
        let extra = self.extra.values().copied().max().unwrap_or(0);
        self.closes.plus_ms(extra.max(self.grace_ms))
    }

    fn worth(&self, attempt: &Attempt, rules: &QuizSeries) -> Worth {
        let item = &self.items[usize::from(attempt.question)];
        let credit = credit(attempt.choice, item);
        let open_s = (self.closes.0 - self.opens.0).unsigned_abs() / 1_000;
        let left = left(rules.curve, attempt.elapsed_s, open_s);
        let score = credit * left / MILLION * attempt.late / MILLION;
        Worth { right: credit == MILLION, score }
    }

    /// What a member's attempts at each question are worth together.
    fn worths(&self, sheet: &[Attempt], rules: &QuizSeries) -> Vec<Option<Worth>> {
        let of = |question: u8| {
            let own = sheet.iter().filter(|attempt| attempt.question == question);
            let all: Vec<Worth> = own.map(|attempt| self.worth(attempt, rules)).collect();
            let best = || all.iter().copied().max_by_key(|worth| (worth.score, worth.right));
            match rules.attempts.counts {
                Counts::First => all.first().copied(),
                Counts::Last => all.last().copied(),
                Counts::Highest => best(),
                Counts::Average => best().map(|best| Worth {
                    right: best.right,
                    score: all.iter().map(|worth| worth.score).sum::<u64>() / all.len() as u64,
                }),
            }
        };
        (0..self.items.len() as u8).map(of).collect()
    }
}

/// Millionths of full credit that the key alone gives.
pub(super) fn credit(choice: Choice, item: &Item) -> u64 {
    let whole = |right: bool| if right { MILLION } else { 0 };
    match (choice, &item.key) {
        (_, Key::Everyone) => MILLION,
        (Choice::One(chosen), Key::One(right)) => whole(chosen == *right),
        (Choice::Bool(chosen), Key::Bool(right)) => whole(chosen == *right),
        (Choice::Text(typed), Key::Text(accepted)) => whole(accepted.contains(&typed)),
        (Choice::Number(chosen), Key::Number { value, tolerance }) => {
            let off = i128::from(chosen.micros()) - i128::from(value.micros());
            whole(off.abs() <= i128::from(tolerance.micros()))
        }
        (Choice::Many(chosen), Key::Many(right)) if !item.partial => whole(chosen == *right),
        (Choice::Many(chosen), Key::Many(right)) => {
            let count = |which: bool| {
                let of = (0..item.options).filter(|n| (right >> n & 1 == 1) == which);
                let (all, hit) =
                    of.fold((0, 0), |(all, hit), n| (all + 1, hit + u64::from(chosen >> n & 1)));
                (hit * MILLION).checked_div(all).unwrap_or(0)
            };
            count(true).saturating_sub(count(false))
        }
        _ => 0,
    }
}

/// Millionths of credit left after some seconds of a round that is open for `open_s`.
fn left(curve: Curve, elapsed_s: u64, open_s: u64) -> u64 {
    match curve {
        Curve::Flat => MILLION,
        Curve::None => 0,
        Curve::Linear { floor } => {
            let floor = u64::from(floor.0).min(MILLION);
            let gone = elapsed_s.min(open_s) * MILLION / open_s.max(1);
            MILLION - (MILLION - floor) * gone / MILLION
        }
        Curve::HalfLife { seconds, floor } => {
            let half = u64::from(seconds).max(1);
            let from = MILLION >> (elapsed_s / half).min(63);
            let left = from - from * (elapsed_s % half) / (2 * half);
            left.max(u64::from(floor.0).min(MILLION))
        }
    }
}

/// Whether a corrected key asks for the same kind of answer, within the options.
fn key_fits(key: &Key, item: &Item) -> bool {
    match (key, &item.first_key) {
        (Key::Everyone, _) | (Key::Bool(_), Key::Bool(_)) => true,
        (Key::One(right), Key::One(_)) => *right < item.options,
        (Key::Many(bits), Key::Many(_)) => *bits != 0 && u64::from(*bits) < 1 << item.options,
        (Key::Number { tolerance, .. }, Key::Number { .. }) => tolerance.micros() >= 0,
        (Key::Text(texts), Key::Text(_)) => !texts.is_empty() && texts.len() <= 50,
        _ => false,
    }
}

/// Whether right and wrong are final, and told, as soon as an answer is taken.
fn at_once(rules: &QuizSeries) -> bool {
    rules.reveal == Reveal::AtOnce && rules.attempts.max == 1
}

impl Auditor {
    pub(super) fn open_round(&mut self, tick: &mut Tick<'_>, run_seq: u32, index: u16) {
        let Some(run) = self.runs.get(&run_seq).filter(|run| run.ended.is_none()) else { return };
        let Some(quiz) = run.quiz() else { return };
        let wanted = &quiz.rounds[usize::from(index)];
        let pack = &self.packs[&run.pack];
        let items =
            wanted.questions.iter().map(|slug| Item::of(&pack.questions[pack.current(slug)]));
        let day = run.first.plus(i32::from(wanted.day) - 1);
        let opens = run.calendar.at(day, wanted.opens);
        let minutes = i64::from(wanted.closes.minutes()) - i64::from(wanted.opens.minutes());
        let round = Round {
            run: run_seq,
            index,
            opens,
            closes: opens.plus_ms(minutes.max(0) * 60_000),
            grace_ms: i64::from(wanted.grace_seconds) * 1_000,
            day,
            items: items.collect(),
            stage: Stage::Open,
            revision: 0,
            extra: BTreeMap::new(),
            sheets: BTreeMap::new(),
            earned: Vec::new(),
            scores: BTreeMap::new(),
        };
        self.last_round += 1;
        let seq = self.last_round;
        let settles = round.settles();
        self.seen.mark(if settles <= tick.at { Edge::RoundMissed } else { Edge::RoundOpened });
        self.diary.insert((settles, super::runs::Due::Settle(seq)));
        self.rounds.insert(seq, round);
        tick.events.push((None, EventKind::RoundOpened(RoundId::new(self.branch, seq))));
    }

    pub(super) fn settle_if_due(&mut self, tick: &mut Tick<'_>, seq: u32, due: Timestamp) {
        if self.rounds.get(&seq).is_some_and(|round| round.is_open() && due >= round.settles()) {
            self.seen.mark(Edge::RoundSettled);
            self.settle(tick, seq);
        }
    }

    /// Closes and grades a round whose run was ended.
    pub(super) fn stop_round(&mut self, tick: &mut Tick<'_>, seq: u32) {
        if let Some(round) = self.rounds.get_mut(&seq) {
            round.closes = round.closes.min(tick.at).max(round.opens);
            round.grace_ms = 0;
            round.extra.clear();
            self.settle(tick, seq);
        }
    }

    fn settle(&mut self, tick: &mut Tick<'_>, seq: u32) {
        let Some(round) = self.rounds.get_mut(&seq) else { return };
        round.stage = Stage::Settled;
        let Some(quiz) = self.runs[&round.run].quiz() else { return };
        let (run, index) = (round.run, round.index);
        let mut learned = Vec::new();
        for (&member, sheet) in &round.sheets {
            let marks = round.worths(sheet, quiz).into_iter();
            learned.push((member, marks.map(|mark| mark.map(|mark| mark.right)).collect()));
            let Some(community) = told_about(&self.people, member) else { continue };
            let teller = Teller { branch: self.branch, seq, round, member, community, at: tick.at };
            let worths = round.worths(sheet, quiz);
            if !at_once(quiz) {
                tick.facts.extend(teller.answers(&worths));
            }
            tick.facts.extend(teller.completed(&worths, 0));
        }
        let days = i64::from(quiz.correction_days);
        let archive = round.settles().plus_ms(days * DAY_MS).max(tick.at.plus_ms(1));
        self.diary.insert((archive, super::runs::Due::Archive(seq)));
        tick.events.push((None, EventKind::RoundClosed(RoundId::new(self.branch, seq))));
        self.learn_from(run, index, &learned);
        // A round is paid when it closes, before anything else of the batch.
        let awards = self.reward(tick);
        tick.events.append(&mut tick.limit_events);
        self.book(tick, awards);
    }

    pub(super) fn archive(&mut self, tick: &mut Tick<'_>, seq: u32) {
        self.close_round_board(tick, seq);
        if let Some(round) = self.rounds.get_mut(&seq) {
            round.stage = Stage::Archived;
            round.sheets.clear();
            round.earned.clear();
            round.scores.clear();
            self.seen.mark(Edge::RoundArchived);
        }
    }

    pub(super) fn quiz_action(&mut self, tick: &mut Tick<'_>, action: &Action) -> Option<Answered> {
        Some(match action {
            Action::GrantTime { member, round, seconds } => {
                self.grant_time(*member, *round, *seconds)
            }
            Action::CorrectKey { round, question, key, dry_run } => {
                self.correct(tick, *round, *question, key, *dry_run)
            }
            _ => return None,
        })
    }

    fn grant_time(&mut self, member: MemberId, id: RoundId, seconds: u32) -> Answered {
        if seconds == 0 || seconds > EXTRA_SECONDS_MAX {
            return Err(Reject::BadSeconds);
        }
        self.people.member(member.seq).ok_or(Reject::UnknownMember)?;
        let round = self.rounds.get_mut(&id.seq).ok_or(Reject::UnknownRound)?;
        if !round.is_open() {
            return Err(Reject::RoundClosed);
        }
        let extra = round.extra.entry(member.seq).or_default();
        *extra = (*extra).max(i64::from(seconds) * 1_000);
        self.diary.insert((round.settles(), super::runs::Due::Settle(id.seq)));
        self.seen.mark(Edge::RoundExtended);
        Ok(Receipt::Ok)
    }

    /// A command of answers: all of them are taken, or none.
    pub(super) fn take_answers(
        &mut self,
        tick: &mut Tick<'_>,
        id: MemberId,
        round_id: RoundId,
        answers: &[Answer],
    ) -> Answered {
        let round = self.rounds.get_mut(&round_id.seq).ok_or(Reject::UnknownRound)?;
        let run = self.runs.get(&round.run).ok_or(Reject::UnknownRun)?;
        let quiz = run.quiz().ok_or(Reject::WrongKind)?;
        let member = self.people.acting(id)?;
        if !run.invites(member) {
            return Err(Reject::NotInvited);
        }
        let extra = round.extra.get(&id.seq).copied().unwrap_or(0);
        if tick.at < round.opens {
            return Err(Reject::RoundNotOpen);
        }
        if !round.is_open() || tick.at >= round.closes.plus_ms(extra.max(round.grace_ms)) {
            return Err(Reject::RoundClosed);
        }
        let joined_late = member.joined_at > round.opens;
        let mut late = MILLION;
        match quiz.late_joiners {
            LateJoiners::NextRound if joined_late => return Err(Reject::JoinedTooLate),
            LateJoiners::Prorated if joined_late => {
                let whole = (round.closes.0 - round.opens.0).max(1);
                let ahead = (round.closes.0 - member.joined_at.0).clamp(0, whole);
                late = (ahead.unsigned_abs() * MILLION).div_ceil(whole.unsigned_abs());
                self.seen.mark(Edge::AnswerProrated);
            }
            _ => {}
        }
        if answers.is_empty() || answers.len() > ANSWERS_MAX {
            return Err(Reject::BadAnswers);
        }
        let round_no = u64::from(round_id.seq);
        let count = round.items.len() as u8;
        let order: Vec<u8> = if quiz.shuffle_questions {
            let shuffler = self.seed.shuffler(Purpose::QuestionOrder, round_no);
            shuffler.order(u64::from(id.seq), count).to_vec()
        } else {
            (0..count).collect()
        };
        let options = self.seed.shuffler(Purpose::OptionOrder, round_no);
        let given = round.sheets.get(&id.seq).map_or(&[][..], Vec::as_slice);
        let elapsed_s = (tick.at.min(round.closes).0 - round.opens.0).max(0).unsigned_abs() / 1_000;
        let mut asked = BTreeSet::new();
        let mut fresh = Vec::new();
        for answer in answers {
            let shown = usize::from(answer.question);
            let question = *order.get(shown).ok_or(Reject::UnknownQuestion)?;
            if !asked.insert(question) {
                return Err(Reject::BadAnswers);
            }
            let tries = given.iter().filter(|attempt| attempt.question == question).count();
            if tries >= usize::from(quiz.attempts.max) {
                return Err(Reject::NoAttempts);
            }
            if tries > 0 {
                self.seen.mark(Edge::AnswerAgain);
            }
            let item = &round.items[usize::from(question)];
            let whose = if quiz.shuffle_options { u64::from(id.seq) } else { 0 };
            let shown = options.order(whose << 8 | u64::from(question), item.options);
            let choice = in_key_order(answer.choice, &shown, &item.first_key)?;
            fresh.push(Attempt { question, choice, elapsed_s, late });
        }
        if tick.at >= round.closes {
            self.seen.mark(Edge::AnswerInGrace);
        }
        round.sheets.entry(id.seq).or_default().extend(&fresh);
        let given = &round.sheets[&id.seq];
        let answered = given.iter().map(|attempt| attempt.question).collect::<BTreeSet<_>>().len();
        let answered = answered as u8;
        let worths: Vec<Worth> = fresh.iter().map(|attempt| round.worth(attempt, quiz)).collect();
        if at_once(quiz) {
            let day = day_of(run.calendar, tick.at);
            for (attempt, worth) in fresh.iter().zip(&worths) {
                tick.facts.push(Fact {
                    member: id,
                    community: CommunityId::new(self.branch, member.community),
                    run: RunId::new(self.branch, round.run),
                    day,
                    at: tick.at,
                    kind: answered_fact(round_id, attempt.question, *worth, 0),
                });
            }
        }
        Ok(match quiz.reveal {
            Reveal::AtClose => Receipt::Taken { round: round_id, answered },
            Reveal::AtOnce => {
                let marks = answers.iter().zip(&worths).map(|(answer, worth)| Mark {
                    question: answer.question,
                    right: worth.right,
                    score: Ppm(worth.score as u32),
                });
                Receipt::Graded { round: round_id, answered, marks: marks.collect() }
            }
        })
    }

    fn correct(
        &mut self,
        tick: &mut Tick<'_>,
        id: RoundId,
        question: u8,
        key: &Key,
        dry_run: bool,
    ) -> Answered {
        let round = self.rounds.get_mut(&id.seq).ok_or(Reject::UnknownRound)?;
        if round.stage == Stage::Archived {
            return Err(Reject::CorrectionOver);
        }
        let place = usize::from(question);
        let item = round.items.get(place).ok_or(Reject::UnknownQuestion)?;
        if !key_fits(key, item) {
            return Err(Reject::WrongKey);
        }
        if item.key == *key {
            return Err(Reject::SameKey);
        }
        let revision = round.revision.checked_add(1).ok_or(Reject::CorrectionOver)?;
        let quiz = self.runs[&round.run].quiz().ok_or(Reject::WrongKind)?;
        let settled = round.stage == Stage::Settled;
        let told = settled || at_once(quiz);
        let before: BTreeMap<u32, Vec<Option<Worth>>> =
            round.sheets.iter().map(|(seq, sheet)| (*seq, round.worths(sheet, quiz))).collect();
        let old_key = std::mem::replace(&mut round.items[place].key, key.clone());
        let mut report = RegradeReport { dry_run, ..RegradeReport::default() };
        let (mut facts, mut backs, mut regraded) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (&seq, sheet) in &round.sheets {
            let after = round.worths(sheet, quiz);
            let Some((was, now)) = before[&seq][place].zip(after[place]) else { continue };
            report.answers += 1;
            match (was.right, now.right) {
                (false, true) => report.now_right += 1,
                (true, false) => report.now_wrong += 1,
                _ if was.score == now.score => continue,
                _ => report.score_changed += 1,
            }
            let Some(community) = told_about(&self.people, seq).filter(|_| told) else { continue };
            regraded.insert(seq);
            let own = round.earned.iter().filter(|earned| {
                earned.member == seq && earned.question.is_none_or(|of| of == question)
            });
            backs.extend(own.map(|earned| Back {
                member: seq,
                entry: earned.entry,
                points: earned.points,
                origin: earned.origin,
                refund: Some(earned.counted),
            }));
            let at = tick.at;
            let teller =
                Teller { branch: self.branch, seq: id.seq, round, member: seq, community, at };
            facts.push(teller.answer(question, now, revision));
            if settled {
                facts.extend(teller.completed(&after, revision));
            }
        }
        if dry_run {
            round.items[place].key = old_key;
            self.seen.mark(Edge::KeyTried);
            return Ok(Receipt::Regraded(report));
        }
        round.revision = revision;
        let gone: BTreeSet<u64> = backs.iter().map(|back| back.entry).collect();
        round.earned.retain(|earned| !gone.contains(&earned.entry));
        if !backs.is_empty() {
            self.seen.mark(Edge::AwardRegraded);
        }
        self.seen.mark(if settled { Edge::KeyCorrectedAfter } else { Edge::KeyCorrectedBefore });
        // What this very batch had told and not yet rewarded is replaced.
        tick.facts.retain(|fact| {
            let about = match fact.kind {
                FactKind::Answered { round, question: of, .. } => round == id && of == question,
                FactKind::RoundCompleted { round, .. } => round == id,
                _ => false,
            };
            !(about && regraded.contains(&fact.member.seq))
        });
        tick.facts.extend(facts);
        tick.backs.extend(backs);
        tick.events.push((None, EventKind::RoundRegraded(id)));
        Ok(Receipt::Regraded(report))
    }

    /// Notes what answers earned, so that a corrected key can take it back.
    pub(super) fn note_answers(&mut self, entry: &LedgerEntry, member: u32, counted: Counted) {
        let (round, question) = match entry.cause {
            Cause::Answer { round, question, .. } => (round, Some(question)),
            Cause::Round { round, .. } => (round, None),
            _ => return,
        };
        if let Some(round) = self.rounds.get_mut(&round.seq) {
            round.earned.push(Earned {
                member,
                question,
                entry: entry.id,
                points: entry.points.0,
                origin: entry.cause,
                counted,
            });
        }
    }
}

/// The group of a member about whom facts are told: nobody is told of who was erased.
fn told_about(people: &super::people::People, seq: u32) -> Option<u32> {
    let member = people.member(seq)?;
    (member.status != MemberStatus::Erased).then_some(member.community)
}

fn answered_fact(round: RoundId, question: u8, worth: Worth, revision: u8) -> FactKind {
    let Worth { right, score } = worth;
    FactKind::Answered { round, question, right, score: Ppm(score as u32), revision }
}

/// Positions as shown become positions in key order.
pub(super) fn in_key_order(
    choice: Choice,
    shown: &[u8],
    first_key: &Key,
) -> Result<Choice, Reject> {
    let place = |at: u32| shown.get(at as usize).copied().ok_or(Reject::WrongChoice);
    match (choice, first_key) {
        (Choice::One(at), Key::One(_)) => place(u32::from(at)).map(Choice::One),
        (Choice::Many(0), Key::Many(_)) => Err(Reject::WrongChoice),
        (Choice::Many(bits), Key::Many(_)) => {
            let chosen = (0..32).filter(|at| bits >> at & 1 == 1).map(place);
            let bits: Result<u32, Reject> = chosen.map(|place| place.map(|place| 1 << place)).sum();
            bits.map(Choice::Many)
        }
        (Choice::Bool(_), Key::Bool(_))
        | (Choice::Number(_), Key::Number { .. })
        | (Choice::Text(_), Key::Text(_)) => Ok(choice),
        _ => Err(Reject::WrongChoice),
    }
}

/// Makes the facts of one member in one round.
struct Teller<'a> {
    branch: dengmi_core::BranchId,
    seq: u32,
    round: &'a Round,
    member: u32,
    community: u32,
    at: Timestamp,
}

impl Teller<'_> {
    fn fact(&self, kind: FactKind) -> Fact {
        Fact {
            member: MemberId::new(self.branch, self.member),
            community: CommunityId::new(self.branch, self.community),
            run: RunId::new(self.branch, self.round.run),
            day: self.round.day,
            at: self.at,
            kind,
        }
    }

    fn id(&self) -> RoundId {
        RoundId::new(self.branch, self.seq)
    }

    fn answer(&self, question: u8, worth: Worth, revision: u8) -> Fact {
        self.fact(answered_fact(self.id(), question, worth, revision))
    }

    fn answers(&self, worths: &[Option<Worth>]) -> Vec<Fact> {
        let given = (0..).zip(worths).filter_map(|(question, worth)| Some((question, (*worth)?)));
        given.map(|(question, worth)| self.answer(question, worth, 0)).collect()
    }

    fn completed(&self, worths: &[Option<Worth>], revision: u8) -> Option<Fact> {
        let all: Option<Vec<Worth>> = worths.iter().copied().collect();
        let right = all?.iter().filter(|worth| worth.right).count() as u8;
        let (round, questions) = (self.id(), worths.len() as u8);
        Some(self.fact(FactKind::RoundCompleted { round, right, questions, revision }))
    }
}
