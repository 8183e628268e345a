//! The checks: one file for each subject, all run in one pass over what could be read.

mod answers;
mod approvals;
mod assessments;
mod communities;
mod cost;
mod courses;
mod facts;
mod fit;
mod markets;
mod moments;
mod notices;
mod phrases;
mod products;
mod questions;
mod quests;
mod quiz;
mod references;
mod renames;
mod rules;
mod scenarios;
mod streak;
#[cfg(test)]
pub(crate) mod testing;
mod words;

use crate::content::Content;
use crate::source::Report;

/// Runs every check.
pub(crate) fn run(content: &mut Content<'_>, report: &mut Report) {
    // First, because everything after it looks things up by their ids of today.
    renames::check(content, report);
    let checks = [
        references::check,
        products::check,
        facts::check,
        answers::check,
        questions::check,
        rules::check,
        fit::check,
        cost::check,
        quests::check,
        quiz::check,
        streak::check,
        phrases::check,
        moments::check,
        communities::check,
        courses::check,
        assessments::check,
        markets::check,
        scenarios::check,
        notices::check,
        approvals::check,
        words::check,
    ];
    for check in checks {
        check(content, report);
    }
}
