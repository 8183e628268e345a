//! The commands, one file each.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod cohort;
pub(crate) mod course;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod ledger;
pub(crate) mod market;
pub(crate) mod member;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod user;
pub(crate) mod verify;
pub(crate) mod vet;
