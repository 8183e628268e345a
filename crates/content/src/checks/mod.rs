//! The checks: one file for each, all run in one pass over what could be read.

mod references;
mod renames;

use crate::content::Content;
use crate::source::Report;

/// Runs every check.
pub(crate) fn run(content: &mut Content<'_>, report: &mut Report) {
    renames::check(content, report);
    references::check(content, report);
}
