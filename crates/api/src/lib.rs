//! The HTTP interface: routes, wire structs, rights, the event stream, and the server.
//!
//! It speaks to the host through [`Backend`] only, which it declares itself. A request passes the
//! guard (session, role, rate, target, idempotency key, body), then its handler, one file each in
//! `endpoints/`. Who may do what is data, in [`rights`].

pub mod backend;
pub mod board_key;
pub mod principal;
pub mod problem;
pub mod rights;
pub mod wire;

mod app;
mod board_rows;
mod cohort;
mod community;
mod docs;
mod endpoints;
mod extract;
mod guard;
mod item;
mod mock;
mod people;
mod reach;
mod refusal;
mod reply;
mod router;
mod run;
mod server;
mod streak;
mod subject;
mod submit;

pub use app::Limits;
pub use backend::Backend;
pub use docs::openapi;
pub use principal::{Principal, Role, Scope};
pub use rights::{RouteInfo, routes};
pub use router::{Interface, router};
pub use server::{serve, serve_hello};
