//! The sequencer: one writer for every branch, which stamps, applies and commits, and only then
//! answers and publishes.
//!
//! ```text
//! submit --> Inbox --> Writer (owns the Engine) --> Committer --> Journal
//!                        |  applies the next batch while      |
//!                        |  the last group is committed       v
//!                        +--- views as of each group --> publish, answer, tell
//! ```
//!
//! Nothing is seen before it is durable. A failed commit drops the writer's memory; snapshot and
//! journal give it back.

mod branch;
mod capture;
pub mod clock;
mod committer;
mod config;
mod error;
mod host;
mod inbox;
pub mod keys;
mod order;
mod packs;
mod patient;
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
