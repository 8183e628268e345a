//! The sequencer: one writer for every branch, which stamps, applies and commits, and only then
//! answers and publishes.
//!
//! ```text
//! submit --> Inbox --> Writer (owns the Engine) --> Flight --> Journal
//!                        |  applies the next batch      |
//!                        |  while a group is in flight  v
//!                        +--- views as of each group --> publish, tell, answer
//! ```
//!
//! Nothing is seen before it is durable. A failed commit drops the writer's memory; snapshot and
//! journal give it back.

mod branch;
mod capture;
pub mod clock;
mod config;
mod error;
mod flight;
mod host;
mod inbox;
pub mod keys;
mod order;
mod pace;
mod packs;
mod recover;
mod repeat;
pub mod replay;
mod views;
mod writer;

pub use branch::BranchState;
pub use clock::{Clock, ClockFault, FastClock, ManualClock, SystemClock};
pub use config::HostConfig;
pub use error::HostError;
pub use host::{BranchViews, Host, OpenProgress};
pub use inbox::{SubmitError, Submitted};
pub use keys::{KeyFault, KeyLimits, KeyWindow};
pub use packs::{Content, Packs};
pub use views::{Published, Standing, Views};
