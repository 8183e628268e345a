//! What was expected against what was said: laws that hold for any journal first, because they say
//! most plainly what is broken; then everything that was worked out; the chain of digests last.

use dengmi_core::course::{CourseAction, CourseEvent, PupilStage};
use dengmi_core::mock::MockAction;
use dengmi_core::unit::POINTS_MAX;
use dengmi_core::view::EventKind;
use dengmi_core::{Account, Action, Batch, Cause, EntryKind, LedgerEntry, Outcome, Reject};

use super::{Auditor, Invariant, Tick, Told};

type Verdict = Result<(), (Invariant, String)>;

fn broken(invariant: Invariant, what: String) -> Verdict {
    Err((invariant, what))
}

/// What a command is about.
fn of_action(action: &Action) -> Invariant {
    match action {
        Action::AddManager
        | Action::OpenCommunity { .. }
        | Action::Join { .. }
        | Action::Move { .. }
        | Action::Leave { .. }
        | Action::Tag { .. }
        | Action::Consent { .. }
        | Action::ShowOnBoards { .. } => Invariant::Groups,
        Action::Erase { .. } => Invariant::Erasure,
        Action::Launch { .. } | Action::Stop { .. } | Action::AdoptContent { .. } => {
            Invariant::Runs
        }
        Action::CheckIn { .. } | Action::MakeUp { .. } | Action::RepairStreak { .. } => {
            Invariant::Streaks
        }
        Action::Answer { .. } | Action::GrantTime { .. } | Action::CorrectKey { .. } => {
            Invariant::Quiz
        }
        Action::Publish { .. } => Invariant::Posts,
        Action::React { .. } => Invariant::Reactions,
        Action::Redeem { .. } | Action::Reverse { .. } => Invariant::DoubleEntry,
        Action::Course(
            CourseAction::AnswerInvitation { .. }
            | CourseAction::Reinvite { .. }
            | CourseAction::Arrive { .. }
            | CourseAction::Wish { .. },
        ) => Invariant::Graduates,
        Action::Course(CourseAction::Mock { what, .. }) => match what {
            MockAction::Assess { .. } | MockAction::ConfirmLevel | MockAction::ReadSheet { .. } => {
                Invariant::Suitability
            }
            _ => Invariant::Portfolio,
        },
        Action::Course(_) => Invariant::Cohorts,
    }
}

/// What a refusal is about, where it says more than the command.
fn of_reject(reject: Reject) -> Option<Invariant> {
    matches!(reject, Reject::AboveLevel | Reject::NoMarketingConsent)
        .then_some(Invariant::Suitability)
}

fn of_event(kind: &EventKind) -> Invariant {
    match kind {
        EventKind::ContentAdopted(_) | EventKind::RunLaunched(_) => Invariant::Runs,
        EventKind::CommunityOpened(_) => Invariant::Groups,
        EventKind::RunEnded(_)
        | EventKind::RoundOpened(_)
        | EventKind::RoundClosed(_)
        | EventKind::PostClosed(_) => Invariant::Liveness,
        EventKind::RoundRegraded(_) => Invariant::Quiz,
        EventKind::PostPublished(_) => Invariant::Posts,
        EventKind::BoardClosed(..) => Invariant::Standings,
        EventKind::LimitReached { .. } => Invariant::Limits,
        EventKind::Course(CourseEvent::Pupil { stage, .. }) if *stage > PupilStage::Graduated => {
            Invariant::Graduates
        }
        EventKind::Course(CourseEvent::Invited { .. }) => Invariant::Graduates,
        EventKind::Course(CourseEvent::Priced { .. }) => Invariant::Portfolio,
        EventKind::Course(_) => Invariant::Cohorts,
    }
}

fn of_cause(cause: &Cause) -> Invariant {
    match cause {
        Cause::CheckIn(..) => Invariant::Streaks,
        Cause::Answer { .. } | Cause::Round { .. } => Invariant::Quiz,
        Cause::Like(..) | Cause::Comment(..) => Invariant::Reactions,
        Cause::Order(_) | Cause::Entry(_) | Cause::Expired(_) => Invariant::DoubleEntry,
    }
}

impl Auditor {
    pub(super) fn judge(&mut self, batch: &Batch, told: &Told<'_>) -> Verdict {
        self.numbers(batch, told)?;
        for entry in told.entries {
            self.entry_laws(entry)?;
        }
        self.sums()?;
        for closed in told.closed {
            if !self.said.closed.insert(closed.key) {
                return broken(Invariant::Standings, format!("{:?} is closed twice", closed.key));
            }
        }
        for event in told.events {
            if let EventKind::Course(course) = &event.kind
                && let Some(found) = self.said.cohorts.hear(course)
            {
                return Err(found);
            }
        }
        self.mock_laws(batch, told.outcomes)?;
        let mut expected = self.expect(batch, told);
        if let Some(found) = expected.unlawful.take() {
            return Err(found);
        }
        self.erased(told)?;
        self.outcomes(batch, told, &expected)?;
        self.entries(told, &expected)?;
        self.standings(told, &expected)?;
        self.events(told, &expected)?;
        self.graduates()?;
        self.chain(batch, told)
    }

    /// Time rises; batches, entries and events are numbered without a gap.
    fn numbers(&mut self, batch: &Batch, told: &Told<'_>) -> Verdict {
        let (seq, at) = (self.seq, self.at);
        let journal = |what: String| broken(Invariant::Journal, what);
        if batch.seq != seq + 1 || batch.at <= at {
            return journal(format!("batch {} at {} follows {seq} at {at}", batch.seq, batch.at));
        }
        if told.outcomes.len() != batch.commands.len() {
            let (answers, commands) = (told.outcomes.len(), batch.commands.len());
            return journal(format!("{answers} outcomes for {commands} commands"));
        }
        for entry in told.entries {
            self.said.last_entry += 1;
            if entry.id != self.said.last_entry || entry.at != batch.at {
                return journal(format!("entry {} expected: {entry:?}", self.said.last_entry));
            }
        }
        for event in told.events {
            self.said.last_event += 1;
            if event.seq != self.said.last_event || event.at != batch.at {
                return journal(format!("event {} expected: {event:?}", self.said.last_event));
            }
        }
        Ok(())
    }

    /// What holds for every entry, whatever led to it.
    fn entry_laws(&mut self, entry: &LedgerEntry) -> Verdict {
        let member = |account| matches!(account, Account::Member(_));
        let shape = match entry.kind {
            EntryKind::Award => entry.from == Account::Issue && member(entry.to),
            EntryKind::Redemption => member(entry.from) && entry.to == Account::Redemption,
            EntryKind::Expiry => member(entry.from) && entry.to == Account::Expiry,
            EntryKind::Reversal => {
                (member(entry.from) || entry.from == Account::House) && entry.to == Account::Issue
            }
        };
        let sane = (1..=POINTS_MAX.0).contains(&entry.points.0);
        if !shape || !sane || entry.rule.is_some() != (entry.kind == EntryKind::Award) {
            return broken(Invariant::DoubleEntry, format!("no such entry can be: {entry:?}"));
        }
        let said = &mut self.said;
        *said.balances.entry(entry.from).or_default() -= entry.points.0;
        *said.balances.entry(entry.to).or_default() += entry.points.0;
        if let Account::Member(_) = entry.from {
            let balance = said.balances[&entry.from];
            if balance < 0 {
                let what = format!("{:?} has {balance} after {entry:?}", entry.from);
                return broken(Invariant::DoubleEntry, what);
            }
        }
        let once = match (entry.kind, entry.cause, entry.rule, entry.member_change()) {
            (EntryKind::Award, cause, Some(rule), Some((member, _))) => {
                said.awards.insert(entry.id, entry.points.0);
                said.granted.insert((rule, cause, member))
            }
            (EntryKind::Redemption, Cause::Order(order), ..) => said.orders.insert(order),
            (EntryKind::Expiry, Cause::Expired(_), ..) => true,
            (EntryKind::Reversal, Cause::Entry(of), ..) => {
                // Both parts of one reversal, the member's and the house's, lie side by side.
                let first = *said.reversed.entry(of).or_insert(entry.id);
                let left = said.awards.get_mut(&of).map(|left| {
                    *left -= entry.points.0;
                    *left
                });
                entry.id - first <= 1 && left.is_none_or(|left| left >= 0)
            }
            _ => return broken(Invariant::DoubleEntry, format!("no such cause: {entry:?}")),
        };
        if once {
            Ok(())
        } else {
            broken(Invariant::Once, format!("not for the first time: {entry:?}"))
        }
    }

    /// All balances together are nothing, and the bank's own lie on the right side.
    fn sums(&self) -> Verdict {
        let balances = &self.said.balances;
        let of = |account| balances.get(&account).copied().unwrap_or(0);
        let sum: i64 = balances.values().sum();
        let own = [of(Account::Redemption), of(Account::Expiry), -of(Account::House)];
        if sum != 0 || own.iter().any(|balance| *balance < 0) {
            return broken(
                Invariant::DoubleEntry,
                format!("balances do not add up: {own:?} {sum}"),
            );
        }
        Ok(())
    }

    fn outcomes(&mut self, batch: &Batch, told: &Told<'_>, expected: &Tick<'_>) -> Verdict {
        let all = batch.commands.iter().zip(told.outcomes).zip(&expected.answers);
        for (index, ((command, said), wanted)) in all.enumerate() {
            self.seen.outcome(said);
            let wanted = match wanted {
                Some(Ok(receipt)) => Outcome::Done(receipt.clone()),
                Some(Err(reject)) => Outcome::Rejected(*reject),
                None => return broken(of_action(&command.action), format!("{command:?}")),
            };
            if *said != wanted {
                let about = [&wanted, said].into_iter().find_map(|outcome| match outcome {
                    Outcome::Rejected(reject) => of_reject(*reject),
                    Outcome::Done(_) => None,
                });
                let what = format!("command {index} {command:?}: {said:?}, expected {wanted:?}");
                return broken(about.unwrap_or_else(|| of_action(&command.action)), what);
            }
        }
        Ok(())
    }

    fn entries(&self, told: &Told<'_>, expected: &Tick<'_>) -> Verdict {
        let mut wanted = expected.booked.iter().map(|booked| &booked.entry);
        let mut said = told.entries.iter();
        loop {
            let (said, wanted) = (said.next(), wanted.next());
            if said == wanted {
                if said.is_none() {
                    return Ok(());
                }
                continue;
            }
            // A limit that let through more than it had left says so.
            let by_limit = said.is_some_and(|said| {
                expected.cuts.iter().any(|cut| {
                    said.rule == Some(cut.rule)
                        && said.cause == cut.cause
                        && said.to == Account::Member(cut.member)
                })
            });
            // Then what does not belong there at all; then what is missing.
            let intruder = said.filter(|said| {
                let same = |entry: &LedgerEntry| {
                    (entry.kind, entry.rule, entry.cause) == (said.kind, said.rule, said.cause)
                };
                !expected.booked.iter().any(|booked| same(&booked.entry))
            });
            let origin = expected.booked.iter().find(|booked| Some(&booked.entry) == wanted);
            let about = match (intruder, origin) {
                (Some(said), _) => of_cause(&said.cause),
                (None, Some(booked)) => of_cause(&booked.origin),
                (None, None) => said.map_or(Invariant::DoubleEntry, |said| of_cause(&said.cause)),
            };
            let invariant = if by_limit { Invariant::Limits } else { about };
            return broken(invariant, format!("entry {said:?}, expected {wanted:?}"));
        }
    }

    /// Nothing is awarded to members whose data was erased, and no standing names them.
    fn erased(&self, told: &Told<'_>) -> Verdict {
        let rows = told.closed.iter().flat_map(|closed| &closed.rows);
        let paid = told.entries.iter().filter(|entry| entry.kind == EntryKind::Award);
        let paid = paid.filter_map(|entry| Some(entry.member_change()?.0));
        for member in rows.map(|row| row.member).chain(paid) {
            if !self.people.listed(member.seq) {
                return broken(Invariant::Erasure, format!("{member} was erased"));
            }
        }
        Ok(())
    }

    fn standings(&self, told: &Told<'_>, expected: &Tick<'_>) -> Verdict {
        for (said, wanted) in told.closed.iter().zip(&expected.closed) {
            if said != wanted {
                let what = format!("standing {said:?}, expected {wanted:?}");
                return broken(Invariant::Standings, what);
            }
        }
        let (said, wanted) = (told.closed.len(), expected.closed.len());
        if said == wanted {
            return Ok(());
        }
        let which = expected.closed.iter().chain(told.closed).nth(said.min(wanted));
        let what = format!("{said} standings closed, expected {wanted}; first: {which:?}");
        broken(Invariant::Standings, what)
    }

    fn events(&self, told: &Told<'_>, expected: &Tick<'_>) -> Verdict {
        let mut wanted = expected.events.iter();
        let mut said = told.events.iter().map(|event| (event.community, &event.kind));
        loop {
            let (said, wanted) = (said.next(), wanted.next().map(|(group, kind)| (*group, kind)));
            match (said, wanted) {
                (None, None) => return Ok(()),
                _ if said == wanted => {}
                _ => {
                    // What is missing says more than what came in its place.
                    let about = wanted.or(said).map(|(_, kind)| of_event(kind));
                    let what = format!("event {said:?}, expected {wanted:?}");
                    return broken(about.unwrap_or(Invariant::Journal), what);
                }
            }
        }
    }

    /// The chain over everything that was ever said.
    fn chain(&mut self, batch: &Batch, told: &Told<'_>) -> Verdict {
        let said = (batch.seq, batch.at, told.outcomes, told.entries, told.events, told.closed);
        let bytes = postcard::to_stdvec(&said).unwrap_or_default();
        self.chain = self.chain.chain(&bytes);
        if self.chain != told.digest {
            let what = format!("digest {}, expected {}", told.digest.short(), self.chain.short());
            return broken(Invariant::Journal, what);
        }
        Ok(())
    }
}
