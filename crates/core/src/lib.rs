//! The vocabulary every other crate speaks: ids, the calendar, points, random streams, text
//! folding, and what goes into and comes out of the engine.
//!
//! Nothing here reads a clock, a file or the operating system's randomness, and nothing here
//! computes with floats, so that the same inputs give the same bytes on every machine.

#![deny(clippy::float_arithmetic)]

pub mod command;
pub mod course;
pub mod fact;
pub mod id;
pub mod ledger;
pub mod mock;
pub mod mutant;
pub mod outcome;
pub mod random;
pub mod text;
pub mod time;
pub mod unit;
pub mod view;

pub use command::{Action, Actor, Batch, Command};
pub use fact::{Fact, FactKind};
pub use id::{
    BranchId, CohortId, CommunityId, Digest, Id, ManagerId, MemberId, PostId, RoundId, RunId, Slug,
};
pub use ledger::{Account, Cause, EntryKind, LedgerEntry};
pub use outcome::{Outcome, Receipt, Reject};
pub use time::{Calendar, Day, Period, PeriodKind, Timestamp};
pub use unit::{BasisPoints, Decimal, Fen, Points, Ppm};
