//! Content: the RON types operators write, the loader and its checks, and a page for every code a
//! check can give. Texts come in, a [`Pack`] or diagnostics come out; nothing here opens a file.

pub mod diagnostic;
pub mod model;
pub mod pack;

pub use diagnostic::{Diagnostic, Severity, SourceFile};
pub use pack::{Pack, PackQuestion};
