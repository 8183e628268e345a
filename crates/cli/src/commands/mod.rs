//! The commands, one file each.

pub mod check;
pub mod explain;
pub mod ledger;
pub mod member;
pub mod replay;
pub mod serve;
pub mod user;
pub mod verify;
