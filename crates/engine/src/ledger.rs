//! The points ledger: the only place where points move. Reads [`Award`], [`TakeBack`] and
//! [`BatchCommands`]; writes [`Posted`]; owns [`Wallet`] and [`Books`].
//!
//! Entries are double: what one account gives another gets. The engine keeps balances and what it
//! needs to book once; the entries themselves leave with the batch.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bevy_ecs::prelude::*;
use dengmi_core::ledger::RuleRef;
use dengmi_core::unit::POINTS_MAX;
use dengmi_core::{
    Account, Action, Calendar, Cause, CommunityId, Day, EntryKind, Fact, LedgerEntry, MemberId,
    Period, PeriodKind, Points, Receipt, Reject, mutant,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::RestoreError;
use crate::caps::Award;
use crate::column::Column;
use crate::content::Packs;
use crate::kernel::{
    BatchCommands, Builder, Happened, Now, Outcomes, Phase, Section, Setup, Touched, decode, encode,
};
use crate::people::Member;
use crate::rules::cause;
use crate::stream::{Reader, Writer};

/// A booked award.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posted {
    /// Its place among the entries of the batch.
    place: u32,
    /// The group whose limits counted it.
    pub(crate) group: CommunityId,
}

/// An award that is to be taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TakeBack {
    pub(crate) member: u32,
    pub(crate) entry: u64,
    pub(crate) points: i64,
    /// What the award went back to.
    pub(crate) origin: Cause,
    /// The limits that get the points back: for a corrected key, because the award is decided
    /// anew; not for what a member undoes, which must be no way to earn again.
    pub(crate) refund: Option<Refund>,
}

/// Whose limits counted an award.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) rule: RuleRef,
    pub(crate) day: Day,
    pub(crate) group: Option<CommunityId>,
}

/// A member's points. Buckets hold them by the month in which they expire, soonest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wallet {
    buckets: SmallVec<[Bucket; 2]>,
}

/// Points that expire when a month begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    /// First day of that month.
    expires: Day,
    points: i32,
}

/// The books: how far entries are numbered, the sums of the bank's own accounts, and what was
/// booked once and may not be booked again.
#[derive(Resource, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(crate) last_entry: u64,
    /// Balances of issue, redemption, expiry and house, and of all members together.
    sums: [i64; 5],
    reversed: BTreeSet<u64>,
    orders: BTreeSet<u64>,
    /// The entries of this batch.
    #[serde(skip)]
    pub(crate) entries: Vec<LedgerEntry>,
    /// For each reversal of this batch, by its number, the cause of what it reverses.
    #[serde(skip)]
    origins: Vec<(u64, Cause)>,
}

/// Points that never expire are kept under this day.
const NEVER: Day = Day(i32::MAX);

impl Wallet {
    #[inline]
    pub(crate) fn balance(&self) -> Points {
        Points(self.buckets.iter().map(|bucket| i64::from(bucket.points)).sum())
    }

    #[inline]
    fn put(&mut self, points: i64, expires: Day) {
        let points = i32::try_from(points).expect("an entry moves at most POINTS_MAX, which fits");
        match self.buckets.iter_mut().find(|bucket| bucket.expires == expires) {
            Some(bucket) => bucket.points += points,
            None => {
                let at = self.buckets.partition_point(|bucket| bucket.expires < expires);
                self.buckets.insert(at, Bucket { expires, points });
            }
        }
    }

    /// Takes points out, from the bucket that expires soonest when spent, from the latest when an
    /// award is taken back.
    fn take(&mut self, points: i64, latest_first: bool) {
        let mut left = points;
        while left > 0 {
            let at = if latest_first { self.buckets.len().saturating_sub(1) } else { 0 };
            let Some(bucket) = self.buckets.get_mut(at) else { break };
            let taken = left.min(i64::from(bucket.points));
            bucket.points -= taken as i32;
            left -= taken;
            if bucket.points == 0 {
                self.buckets.remove(at);
            }
        }
        debug_assert_eq!(left, 0, "buckets hold the balance");
    }

    /// Whether the buckets lie soonest first and hold what can be held: a damaged snapshot may say
    /// otherwise.
    fn is_straight(&self) -> bool {
        self.balance() <= POINTS_MAX
            && self.buckets.iter().all(|bucket| bucket.points > 0)
            && self.buckets.windows(2).all(|pair| pair[0].expires < pair[1].expires)
    }

    #[inline]
    fn expires_by(&self, today: Day) -> bool {
        self.buckets.first().is_some_and(|bucket| bucket.expires <= today)
    }

    /// Removes and returns what has expired by `today`: points and the month they expired with.
    fn expire(&mut self, today: Day) -> SmallVec<[(Day, i64); 1]> {
        let mut expired = SmallVec::new();
        while let Some(bucket) = self.buckets.first().filter(|bucket| bucket.expires <= today) {
            expired.push((bucket.expires, i64::from(bucket.points)));
            self.buckets.remove(0);
        }
        expired
    }
}

#[inline]
fn side(account: Account) -> usize {
    match account {
        Account::Issue => 0,
        Account::Redemption => 1,
        Account::Expiry => 2,
        Account::House => 3,
        Account::Member(_) => 4,
    }
}

impl Books {
    #[inline]
    fn post(&mut self, entry: LedgerEntry) {
        assert!(entry.points.0 > 0 && entry.points <= POINTS_MAX, "entries move a sane amount");
        assert_eq!(entry.id, self.last_entry + 1, "entries are numbered without a gap");
        self.last_entry = entry.id;
        self.sums[side(entry.from)] -= entry.points.0;
        self.sums[side(entry.to)] += entry.points.0;
        self.entries.push(entry);
    }

    /// The entry of an award of this batch.
    #[inline]
    pub(crate) fn entry(&self, posted: &Posted) -> &LedgerEntry {
        &self.entries[posted.place as usize]
    }

    /// What the points of an entry of this batch first went back to: for a reversal, the cause of
    /// the reversed entry.
    #[inline]
    pub(crate) fn origin<'a>(&'a self, entry: &'a LedgerEntry) -> &'a Cause {
        if entry.kind != EntryKind::Reversal {
            return &entry.cause;
        }
        let place = self.origins.binary_search_by_key(&entry.id, |(id, _)| *id);
        place.map_or(&entry.cause, |place| &self.origins[place].1)
    }

    /// Hands the entries of the batch over.
    pub(crate) fn take(&mut self) -> Vec<LedgerEntry> {
        self.origins.clear();
        std::mem::take(&mut self.entries)
    }

    /// Zero, always.
    pub(crate) fn sum(&self) -> i64 {
        self.sums.iter().sum()
    }
}

pub(crate) fn plugin(builder: &mut Builder) {
    builder
        .resource::<Books>()
        .resource::<Column<Wallet>>()
        .paid_message::<Posted>()
        .message::<TakeBack>()
        .systems(Phase::Ledger, take_back)
        .paying(Phase::Ledger, award.after(take_back), award)
        .systems(Phase::Ledger, serve.after(award))
        .section(Section { name: "ledger", version: 2, save, restore });
}

/// One batch's bookkeeping.
struct Clerk<'a> {
    setup: Setup,
    now: Now,
    today: Day,
    expire_after_months: u8,
    books: &'a mut Books,
    touched: &'a mut Touched,
    expiry: Option<(Day, Day)>,
}

impl<'a> Clerk<'a> {
    fn new(
        setup: Setup,
        now: Now,
        packs: &Packs,
        books: &'a mut Books,
        touched: &'a mut Touched,
    ) -> Self {
        Self {
            setup,
            now,
            today: Calendar::default().day_of(now.at),
            expire_after_months: packs.current().points.expire_after_months,
            books,
            touched,
            expiry: None,
        }
    }

    fn member(&self, seq: u32) -> Account {
        Account::Member(MemberId::new(self.setup.branch, seq))
    }

    /// When points earned on `day` expire: with the month that begins after whole months of life.
    #[inline]
    fn expires(&mut self, day: Day) -> Day {
        if self.expire_after_months == 0 {
            return NEVER;
        }
        match self.expiry {
            Some((known, expires)) if known == day => expires,
            _ => {
                let mut month = Period::containing(PeriodKind::Month, day);
                for _ in 0..=self.expire_after_months {
                    month = month.next();
                }
                self.expiry = Some((day, month.first));
                month.first
            }
        }
    }

    fn post(&mut self, entry: LedgerEntry) {
        if let Some((member, _)) = entry.member_change() {
            self.touched.member(member.seq);
        }
        self.books.post(entry);
    }

    /// Posts a reversal of what went back to `origin`.
    fn post_reversal(&mut self, entry: LedgerEntry, origin: Cause) {
        self.post(entry);
        self.books.origins.push((self.books.last_entry, origin));
    }

    fn plain(
        &self,
        kind: EntryKind,
        from: Account,
        to: Account,
        points: i64,
        cause: Cause,
    ) -> LedgerEntry {
        LedgerEntry {
            id: self.books.last_entry + 1,
            at: self.now.at,
            day: self.today,
            kind,
            from,
            to,
            points: Points(points),
            rule: None,
            cause,
        }
    }

    /// Books what has expired before anything else touches the wallet.
    #[inline]
    fn settle(&mut self, seq: u32, wallet: &mut Wallet) {
        if wallet.expires_by(self.today) {
            self.expire(seq, wallet);
        }
    }

    #[cold]
    fn expire(&mut self, seq: u32, wallet: &mut Wallet) {
        for (month, points) in wallet.expire(self.today) {
            let cause = Cause::Expired(month);
            let from = self.member(seq);
            self.post(self.plain(EntryKind::Expiry, from, Account::Expiry, points, cause));
        }
    }

    /// Books an award, as far as the wallet can hold it; its place among the entries.
    fn award(&mut self, award: &Award, fact: &Fact, wallet: &mut Wallet) -> Option<Posted> {
        self.settle(fact.member.seq, wallet);
        let points = award.points.min(POINTS_MAX.0 - wallet.balance().0);
        if points <= 0 {
            return None;
        }
        let expires = self.expires(fact.day);
        wallet.put(points, expires);
        let entry = LedgerEntry {
            id: self.books.last_entry + 1,
            at: self.now.at,
            day: fact.day,
            kind: EntryKind::Award,
            from: Account::Issue,
            to: Account::Member(fact.member),
            points: Points(points),
            rule: Some(award.reward.rule),
            cause: cause(fact),
        };
        self.touched.member(fact.member.seq);
        let place = self.books.entries.len() as u32;
        self.books.post(entry);
        Some(Posted { place, group: fact.community })
    }

    /// Takes an award back. What the member no longer has, the house bears.
    fn take_back(&mut self, taken: &TakeBack, wallet: &mut Wallet) -> Result<(), Reject> {
        let TakeBack { member: seq, entry, points, origin, refund: _ } = *taken;
        if entry == 0 || entry > self.books.last_entry {
            return Err(Reject::NotReversible);
        }
        if !self.books.reversed.insert(entry) && !mutant::planted("ledger/reversed-again") {
            return Err(Reject::AlreadyReversed);
        }
        self.settle(seq, wallet);
        let cause = Cause::Entry(entry);
        let held = points.min(wallet.balance().0).max(0);
        if held > 0 {
            if !mutant::planted("ledger/reversal-kept") {
                wallet.take(held, true);
            }
            let from = self.member(seq);
            let reversal = self.plain(EntryKind::Reversal, from, Account::Issue, held, cause);
            self.post_reversal(reversal, origin);
        }
        if points > held {
            let (from, to) = (Account::House, Account::Issue);
            let rest = self.plain(EntryKind::Reversal, from, to, points - held, cause);
            self.post_reversal(rest, origin);
        }
        Ok(())
    }

    fn redeem(
        &mut self,
        seq: u32,
        points: Points,
        order: u64,
        wallet: &mut Wallet,
    ) -> Result<(), Reject> {
        if points.0 < 1 || points > POINTS_MAX {
            return Err(Reject::BadPoints);
        }
        if self.books.orders.contains(&order) && !mutant::planted("ledger/order-again") {
            return Err(Reject::OrderBooked);
        }
        // What has expired cannot be spent, so it decides the refusal; it is booked only with an
        // order that is taken, because a refusal changes nothing.
        let mut after = wallet.clone();
        after.expire(self.today);
        if after.balance() < points {
            return Err(Reject::NotEnoughPoints);
        }
        self.settle(seq, wallet);
        self.books.orders.insert(order);
        wallet.take(points.0, mutant::planted("ledger/spends-latest"));
        let from = self.member(seq);
        let cause = Cause::Order(order);
        self.post(self.plain(EntryKind::Redemption, from, Account::Redemption, points.0, cause));
        Ok(())
    }
}

/// Takes back what corrected keys and undone reactions earned.
fn take_back(
    setup: Res<Setup>,
    now: Res<Now>,
    packs: Res<Packs>,
    mut wallets: ResMut<Column<Wallet>>,
    mut books: ResMut<Books>,
    back: Reader<TakeBack>,
    mut touched: ResMut<Touched>,
) {
    let mut clerk = Clerk::new(*setup, *now, &packs, &mut books, &mut touched);
    for taken in back.read() {
        if let Some(wallet) = wallets.get_mut(taken.member) {
            // An operator may have reversed the entry before; then there is nothing left to take.
            let _ = clerk.take_back(taken, wallet);
        }
    }
}

/// Books awards.
#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn award(
    setup: Res<Setup>,
    now: Res<Now>,
    packs: Res<Packs>,
    wallets: ResMut<Column<Wallet>>,
    mut books: ResMut<Books>,
    facts: Reader<Happened>,
    awards: Reader<Award>,
    mut posted: Writer<Posted>,
    mut touched: ResMut<Touched>,
) {
    let mut clerk = Clerk::new(*setup, *now, &packs, &mut books, &mut touched);
    let wallets = wallets.into_inner();
    clerk.books.entries.reserve(awards.all().len());
    for award in awards.read() {
        let Happened(fact) = &facts.all()[award.reward.fact as usize];
        let Some(wallet) = wallets.get_mut(fact.member.seq) else { continue };
        if let Some(place) = clerk.award(award, fact, wallet) {
            posted.write(place);
        }
    }
    debug_assert_eq!(books.sum(), 0, "double entry");
}

/// Books what members spend and operators take back.
#[expect(clippy::too_many_arguments, reason = "a system names everything it reads and writes")]
fn serve(
    setup: Res<Setup>,
    now: Res<Now>,
    packs: Res<Packs>,
    members: Res<Column<Member>>,
    mut wallets: ResMut<Column<Wallet>>,
    mut books: ResMut<Books>,
    commands: Res<BatchCommands>,
    mut outcomes: ResMut<Outcomes>,
    mut touched: ResMut<Touched>,
) {
    let mut clerk = Clerk::new(*setup, *now, &packs, &mut books, &mut touched);
    for (index, command) in commands.requests() {
        let member = match command.action {
            Action::Redeem { member, .. } | Action::Reverse { member, .. } => member,
            _ => continue,
        };
        let wallet = wallets.get_mut(member.seq);
        let result = wallet.ok_or(Reject::UnknownMember).and_then(|wallet| {
            match command.action {
                Action::Redeem { points, order, .. } => {
                    members.acting(member)?;
                    clerk.redeem(member.seq, points, order, wallet)?;
                }
                Action::Reverse { entry, points, cause, .. } => {
                    if points.0 < 1 || points > POINTS_MAX {
                        return Err(Reject::BadPoints);
                    }
                    let points = points.0;
                    let taken =
                        TakeBack { member: member.seq, entry, points, origin: cause, refund: None };
                    clerk.take_back(&taken, wallet)?;
                }
                _ => {}
            }
            Ok(Receipt::Booked { balance: wallet.balance() })
        });
        outcomes.set(index, result);
    }
    debug_assert_eq!(books.sum(), 0, "double entry");
}

#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    books: Books,
    wallets: Cow<'a, [Wallet]>,
}

fn save(world: &mut World) -> Vec<u8> {
    let wallets = Cow::Borrowed(world.resource::<Column<Wallet>>().all());
    encode(&Saved { books: world.resource::<Books>().clone(), wallets })
}

fn restore(world: &mut World, _version: u16, bytes: &[u8]) -> Result<(), RestoreError> {
    let saved: Saved = decode("ledger", bytes)?;
    let members = world.resource::<Column<Member>>().len();
    let held =
        saved.wallets.iter().try_fold(0i64, |sum, wallet| sum.checked_add(wallet.balance().0));
    let sums = saved.books.sums.iter().try_fold(0i64, |sum, side| sum.checked_add(*side));
    if saved.wallets.len() != members
        || !saved.wallets.iter().all(Wallet::is_straight)
        || sums != Some(0)
        || held != Some(saved.books.sums[4])
    {
        return Err(RestoreError::Unreadable(
            "section `ledger`: the books do not balance".to_owned(),
        ));
    }
    world.insert_resource(Column::restored(saved.wallets.into_owned()));
    world.insert_resource(saved.books);
    Ok(())
}

#[cfg(test)]
mod tests;
