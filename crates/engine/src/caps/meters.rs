//! What has been used of each cap: a table for each rule, scope and period, so that a reward finds
//! its counters without a search and a forgotten run takes its tables along.

use std::collections::BTreeMap;

use dengmi_content::model::reward::{Cap, CapPeriod, CapScope};
use dengmi_core::mutant;
use serde::{Deserialize, Serialize};

use crate::paged::{Paged, Row};

/// What a table counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Meter {
    scope: u8,
    rule: u16,
    per: u8,
    /// Zero unless it counts per run.
    run: u32,
}

impl Meter {
    pub(crate) fn of(cap: &Cap, rule: u16, run: u32) -> Self {
        let run = if cap.per == CapPeriod::Run { run } else { 0 };
        Self { scope: cap.scope as u8, rule, per: cap.per as u8, run }
    }

    /// An empty table for it.
    fn counts(self) -> Counts {
        let (members, run) = (CapScope::Member as u8, CapPeriod::Run as u8);
        match (self.scope == members, self.per == run) {
            (true, true) => Counts::InRun(Paged::default()),
            (true, false) => Counts::Members(Paged::default()),
            (false, _) => Counts::Shared(Paged::default()),
        }
    }
}

/// Points counted in the latest period in which there were any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count<P> {
    period: i32,
    points: P,
}

/// A member's count. More than a `u32` holds nobody can earn: see `POINTS_MAX`.
type Own = Count<u32>;

/// What a group or the bank has used.
type Shared = Count<i64>;

impl<P: Copy + Default + PartialEq> Row for Count<P> {
    fn is_vacant(&self) -> bool {
        *self == Self::default()
    }
}

/// What a member has used in a run, which is one period.
impl Row for u32 {
    fn is_vacant(&self) -> bool {
        *self == 0
    }
}

/// Counters by the number of who is counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Counts {
    Members(Paged<Own>),
    /// Members, in a run.
    InRun(Paged<u32>),
    /// Groups by number; the bank is number 0.
    Shared(Paged<Shared>),
}

/// The place of a meter's table; good until a run is forgotten.
pub(crate) type Table = usize;

/// All tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meters {
    places: BTreeMap<Meter, Table>,
    tables: Vec<Counts>,
}

impl Meters {
    /// The table of a meter, an empty one where there was none.
    pub(crate) fn table(&mut self, meter: Meter) -> Table {
        *self.places.entry(meter).or_insert_with(|| {
            self.tables.push(meter.counts());
            self.tables.len() - 1
        })
    }

    /// Points counted in `period`. A late event of a period that is over counts in today's.
    #[inline]
    pub(crate) fn used(&self, table: Table, number: u32, period: i32) -> i64 {
        let (counted, points) = match &self.tables[table] {
            Counts::Members(rows) => {
                let own = rows.row(number);
                (own.period, i64::from(own.points))
            }
            Counts::InRun(rows) => return i64::from(rows.row(number)),
            Counts::Shared(rows) => {
                let shared = rows.row(number);
                (shared.period, shared.points)
            }
        };
        let late_is_free = mutant::planted("caps/late-is-free");
        let over = if late_is_free { counted.ne(&period) } else { counted < period };
        if over { 0 } else { points }
    }

    /// Counts more, and gives what is counted then.
    #[inline]
    pub(crate) fn add(&mut self, table: Table, number: u32, period: i32, points: i64) -> i64 {
        match &mut self.tables[table] {
            Counts::Members(rows) => {
                let own = rows.at(number);
                if own.is_vacant() || own.period < period {
                    *own = Count { period, points: 0 };
                }
                own.points = own.points.saturating_add(u32::try_from(points).unwrap_or(u32::MAX));
                i64::from(own.points)
            }
            Counts::InRun(rows) => {
                let own = rows.at(number);
                *own = own.saturating_add(u32::try_from(points).unwrap_or(u32::MAX));
                i64::from(*own)
            }
            Counts::Shared(rows) => {
                let shared = rows.at(number);
                if shared.is_vacant() || shared.period < period {
                    *shared = Count { period, points: 0 };
                }
                shared.points += points;
                shared.points
            }
        }
    }

    /// Counts less, where `period` is still the one that counts.
    pub(crate) fn give_back(&mut self, table: Table, number: u32, period: i32, points: i64) {
        match &mut self.tables[table] {
            Counts::Members(rows) => {
                if let Some(own) = rows.get_mut(number).filter(|own| own.period == period) {
                    let points = u32::try_from(points).unwrap_or(u32::MAX);
                    own.points = own.points.saturating_sub(points);
                }
            }
            Counts::InRun(rows) => {
                if let Some(own) = rows.get_mut(number) {
                    *own = own.saturating_sub(u32::try_from(points).unwrap_or(u32::MAX));
                }
            }
            Counts::Shared(rows) => {
                if let Some(shared) = rows.get_mut(number).filter(|own| own.period == period) {
                    shared.points = (shared.points - points).max(0);
                }
            }
        }
    }

    /// Drops the tables of a run.
    pub(crate) fn forget_run(&mut self, run: u32) {
        let tables = std::mem::take(&mut self.tables);
        let mut tables: Vec<Option<Counts>> = tables.into_iter().map(Some).collect();
        self.places.retain(|meter, place| {
            let counts = tables[*place].take().filter(|_| meter.run != run || run == 0);
            *place = self.tables.len();
            let kept = counts.is_some();
            self.tables.extend(counts);
            kept
        });
    }

    /// Whether nobody is counted who is not there: a damaged snapshot may say otherwise.
    pub(crate) fn count_within(&self, members: u32, groups: u32) -> bool {
        self.tables.iter().all(|counts| match counts {
            Counts::Members(rows) => {
                rows.by_member().all(|(member, _)| (1..=members).contains(&member))
            }
            Counts::InRun(rows) => {
                rows.by_member().all(|(member, _)| (1..=members).contains(&member))
            }
            Counts::Shared(rows) => {
                rows.by_member().all(|(number, count)| number <= groups && count.points >= 0)
            }
        })
    }
}

/// Saved by meter, without tables that count nobody: how they came about leaves no trace.
impl Serialize for Meters {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let used = |counts: &&Counts| match counts {
            Counts::Members(rows) => rows.by_member().next().is_some(),
            Counts::InRun(rows) => rows.by_member().next().is_some(),
            Counts::Shared(rows) => rows.by_member().next().is_some(),
        };
        let tables = self.places.iter().map(|(meter, place)| (meter, &self.tables[*place]));
        let tables: Vec<_> = tables.filter(|(_, counts)| used(counts)).collect();
        serializer.collect_seq(tables)
    }
}

impl<'de> Deserialize<'de> for Meters {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Vec::<(Meter, Counts)>::deserialize(deserializer)?;
        let mut meters = Self::default();
        for (meter, counts) in saved {
            let of = |counts: &Counts| std::mem::discriminant(counts);
            if of(&counts) != of(&meter.counts())
                || meters.places.insert(meter, meters.tables.len()).is_some()
            {
                return Err(serde::de::Error::custom("a limit is counted twice or as another"));
            }
            meters.tables.push(counts);
        }
        Ok(meters)
    }
}
