//! Content: the RON types operators write, the loader and its checks, and a page for every code a
//! check can give. Texts come in, a [`Pack`] or diagnostics come out; nothing here opens a file.

#![deny(clippy::float_arithmetic)]

mod checks;
mod codes;
mod content;
mod courses;
pub mod diagnostic;
mod formula;
mod load;
pub mod model;
mod nearest;
pub mod pack;
mod parse;
mod render;
mod scan;
mod source;
mod templates;

pub use codes::{codes, explain, title};
pub use diagnostic::{Diagnostic, Said, Severity, SourceFile};
pub use load::{CheckOptions, load};
pub use nearest::nearest;
pub use pack::{Pack, PackCourse, PackQuestion};
pub use render::render;
