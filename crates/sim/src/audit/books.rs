//! The ledger: what is awarded, taken back, spent and expires, entry by entry.

use std::collections::{BTreeMap, BTreeSet};

use dengmi_core::unit::POINTS_MAX;
use dengmi_core::{
    Account, Action, Calendar, Cause, Day, EntryKind, LedgerEntry, MemberId, Points, Receipt,
    Reject, Timestamp,
};

use super::days::{day_of, expires};
use super::rules::{Award, Counted, cause};
use super::{Answered, Auditor, Edge, Tick};

/// An award to be taken back.
pub(super) struct Back {
    pub(super) member: u32,
    pub(super) entry: u64,
    pub(super) points: i64,
    pub(super) origin: Cause,
    /// The limits that get the points back.
    pub(super) refund: Option<Counted>,
}

/// A booked entry and what its points first went back to.
pub(super) struct Booked {
    pub(super) entry: LedgerEntry,
    pub(super) origin: Cause,
}

#[derive(Default)]
pub(super) struct Books {
    last_entry: u64,
    /// Points of each member by the day they expire on.
    wallets: BTreeMap<u32, BTreeMap<Day, i64>>,
    reversed: BTreeSet<u64>,
    orders: BTreeSet<u64>,
}

/// Points that never expire.
const NEVER: Day = Day(i32::MAX);

impl Books {
    pub(super) fn balance(&self, member: u32) -> i64 {
        self.wallets.get(&member).map_or(0, |wallet| wallet.values().sum())
    }

    /// What the member holds that has not expired by `today`.
    fn spendable(&self, member: u32, today: Day) -> i64 {
        self.wallets.get(&member).map_or(0, |wallet| {
            wallet.iter().filter(|(expires, _)| **expires > today).map(|(_, points)| points).sum()
        })
    }

    fn take(&mut self, member: u32, mut points: i64, latest_first: bool) {
        let wallet = self.wallets.entry(member).or_default();
        while points > 0 {
            let bucket = if latest_first { wallet.last_entry() } else { wallet.first_entry() };
            let Some(mut bucket) = bucket else { return };
            let taken = points.min(*bucket.get());
            *bucket.get_mut() -= taken;
            points -= taken;
            if *bucket.get() == 0 {
                bucket.remove();
            }
        }
    }
}

/// One batch's bookings.
struct Desk {
    at: Timestamp,
    today: Day,
    branch: dengmi_core::BranchId,
}

impl Desk {
    fn plain(
        &self,
        kind: EntryKind,
        from: Account,
        to: Account,
        points: i64,
        cause: Cause,
    ) -> LedgerEntry {
        LedgerEntry {
            id: 0,
            at: self.at,
            day: self.today,
            kind,
            from,
            to,
            points: Points(points),
            rule: None,
            cause,
        }
    }

    fn account(&self, member: u32) -> Account {
        Account::Member(MemberId::new(self.branch, member))
    }
}

impl Auditor {
    fn post(&mut self, tick: &mut Tick<'_>, entry: LedgerEntry, origin: Cause) -> LedgerEntry {
        self.books.last_entry += 1;
        let entry = LedgerEntry { id: self.books.last_entry, ..entry };
        tick.booked.push(Booked { entry, origin });
        entry
    }

    /// Books what has expired before anything else touches the wallet.
    fn expire(&mut self, tick: &mut Tick<'_>, desk: &Desk, member: u32) {
        let Some(wallet) = self.books.wallets.get_mut(&member) else { return };
        let stay = wallet.split_off(&desk.today.plus(1));
        let gone = std::mem::replace(wallet, stay);
        for (month, points) in gone {
            self.seen.mark(Edge::Expired);
            let cause = Cause::Expired(month);
            let (from, to) = (desk.account(member), Account::Expiry);
            self.post(tick, desk.plain(EntryKind::Expiry, from, to, points, cause), cause);
        }
    }

    fn take_back(&mut self, tick: &mut Tick<'_>, desk: &Desk, back: &Back) -> Result<(), Reject> {
        if back.entry == 0 || back.entry > self.books.last_entry {
            return Err(Reject::NotReversible);
        }
        if !self.books.reversed.insert(back.entry) {
            return Err(Reject::AlreadyReversed);
        }
        self.expire(tick, desk, back.member);
        let held = self.books.balance(back.member).min(back.points);
        let cause = Cause::Entry(back.entry);
        if held > 0 {
            self.books.take(back.member, held, true);
            let (from, to) = (desk.account(back.member), Account::Issue);
            let entry = desk.plain(EntryKind::Reversal, from, to, held, cause);
            self.post(tick, entry, back.origin);
            self.seen.mark(Edge::Reversed);
        }
        if back.points > held {
            let rest = back.points - held;
            let entry =
                desk.plain(EntryKind::Reversal, Account::House, Account::Issue, rest, cause);
            self.post(tick, entry, back.origin);
            self.seen.mark(Edge::ReversedAtHouse);
        }
        Ok(())
    }

    /// Everything that the batch books before orders and operators' reversals.
    pub(super) fn book(&mut self, tick: &mut Tick<'_>, awards: Vec<Award>) {
        let desk = self.desk(tick);
        for back in std::mem::take(&mut tick.backs) {
            // What an operator has taken back is not taken twice.
            let _ = self.take_back(tick, &desk, &back);
        }
        let months = self.packs[&self.current].points.expire_after_months;
        for Award { fact, rule, points } in awards {
            let member = fact.member.seq;
            self.expire(tick, &desk, member);
            let points = points.min(POINTS_MAX.0 - self.books.balance(member));
            if points <= 0 {
                continue;
            }
            let expires = if months == 0 { NEVER } else { expires(fact.day, months) };
            *self.books.wallets.entry(member).or_default().entry(expires).or_default() += points;
            let cause = cause(&fact);
            let entry = LedgerEntry {
                day: fact.day,
                rule: Some(rule),
                ..desk.plain(EntryKind::Award, Account::Issue, desk.account(member), points, cause)
            };
            let entry = self.post(tick, entry, cause);
            let counted = Counted { rule, day: fact.day, group: fact.community.seq };
            self.note_answers(&entry, member, counted);
            self.note_reactions(&entry, member);
        }
    }

    fn desk(&self, tick: &Tick<'_>) -> Desk {
        let today = day_of(Calendar::default(), tick.at);
        Desk { at: tick.at, today, branch: self.branch }
    }

    pub(super) fn ledger_action(
        &mut self,
        tick: &mut Tick<'_>,
        action: &Action,
    ) -> Option<Answered> {
        let desk = self.desk(tick);
        let sane = |points: Points| (1..=POINTS_MAX.0).contains(&points.0);
        let (member, done) = match action {
            Action::Redeem { member, points, order } => {
                (*member, self.redeem(tick, &desk, *member, *points, *order, sane(*points)))
            }
            Action::Reverse { entry, member, points, cause } => {
                let back = Back {
                    member: member.seq,
                    entry: *entry,
                    points: points.0,
                    origin: *cause,
                    refund: None,
                };
                let known = self.people.member(member.seq).is_some();
                let done = match (known, sane(*points)) {
                    (false, _) => Err(Reject::UnknownMember),
                    (_, false) => Err(Reject::BadPoints),
                    _ => self.take_back(tick, &desk, &back),
                };
                (*member, done)
            }
            _ => return None,
        };
        let balance = Points(self.books.balance(member.seq));
        Some(done.map(|()| Receipt::Booked { balance }))
    }

    fn redeem(
        &mut self,
        tick: &mut Tick<'_>,
        desk: &Desk,
        id: MemberId,
        points: Points,
        order: u64,
        sane: bool,
    ) -> Result<(), Reject> {
        self.people.acting(id)?;
        if !sane {
            return Err(Reject::BadPoints);
        }
        if self.books.orders.contains(&order) {
            return Err(Reject::OrderBooked);
        }
        if self.books.spendable(id.seq, desk.today) < points.0 {
            return Err(Reject::NotEnoughPoints);
        }
        self.expire(tick, desk, id.seq);
        self.books.orders.insert(order);
        self.books.take(id.seq, points.0, false);
        let cause = Cause::Order(order);
        let (from, to) = (desk.account(id.seq), Account::Redemption);
        self.post(tick, desk.plain(EntryKind::Redemption, from, to, points.0, cause), cause);
        self.seen.mark(Edge::Redeemed);
        Ok(())
    }
}
