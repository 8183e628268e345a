//! The HTTP interface: routes, wire structs, rights, the event stream, and the server.
//!
//! It speaks to the host through [`Backend`] only, which it declares itself.

pub mod backend;
pub mod principal;

pub use backend::Backend;
pub use principal::{Principal, Role, Scope};
