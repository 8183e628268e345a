//! What a reader saved of a cohort's market, as the interface answered it.

use dengmi_core::mock::Quote;
use dengmi_core::{Day, Digest, Slug};
use dengmi_engine::market::Path;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{CliError, Result};

/// Reads a saved answer; what else stands in it is left alone.
///
/// # Errors
/// It is not such an answer.
pub(super) fn read<T: DeserializeOwned>(text: &str, file: &std::path::Path) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        CliError::user(message, "save the answer of the interface as it is")
    })
}

/// `GET /v1/cohorts/{id}/market`.
#[derive(Deserialize)]
pub(super) struct Market {
    pub(super) course: Slug,
    pub(super) first: Day,
    pub(super) market: Slug,
    pub(super) scenario: Slug,
    pub(super) content: Digest,
    pub(super) commitment: Digest,
    #[serde(default)]
    pub(super) secret: Option<Digest>,
}

/// `GET /v1/cohorts/{id}/market/{asset}`.
#[derive(Deserialize)]
pub(super) struct History {
    asset: Slug,
    days: Vec<Row>,
    #[serde(default)]
    without_script: Vec<Row>,
}

/// One market day of it. Numbers are texts with four places.
#[derive(Deserialize)]
struct Row {
    day: i32,
    nav: String,
    #[serde(default)]
    wan_fen_yield: Option<String>,
    #[serde(default)]
    yearly_percent: Option<String>,
    gated: bool,
}

/// A number in 1/10,000 with four places.
fn four_places(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let number = number.unsigned_abs();
    format!("{sign}{}.{:04}", number / 10_000, number % 10_000)
}

impl Row {
    fn agrees(&self, quote: &Quote) -> bool {
        let told = |text: &Option<String>, number| {
            text.as_ref().is_none_or(|text| *text == four_places(number))
        };
        self.nav == four_places(quote.published())
            && told(&self.wan_fen_yield, quote.wan_fen_yield)
            && told(&self.yearly_percent, (quote.yearly + 50).div_euclid(100))
            && self.gated == quote.gated
    }
}

impl History {
    /// The asset.
    pub(super) fn asset(&self) -> &Slug {
        &self.asset
    }

    /// How many prices there are, and those that are not the path's.
    pub(super) fn against(&self, path: &Path) -> (usize, Vec<String>) {
        let mut wrong = Vec::new();
        let mut check = |row: &Row, quote: Option<Quote>, which: &str| {
            if !quote.is_some_and(|quote| row.agrees(&quote)) {
                wrong.push(format!("{}{which} {} {}", self.asset, row.day, row.nav));
            }
        };
        for row in &self.days {
            check(row, path.quote(&self.asset, row.day), "");
        }
        for row in &self.without_script {
            check(row, path.counterfactual(&self.asset, row.day), " 无剧本 without script");
        }
        (self.days.len() + self.without_script.len(), wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_held_against_every_number_it_tells() {
        let quote =
            Quote { nav: 101_004_999, wan_fen_yield: 3_315, yearly: 1_210_049, gated: false };
        let row = |json: &str| serde_json::from_str::<Row>(json).unwrap().agrees(&quote);
        assert!(row(r#"{"day":1,"date":"2026-11-20","nav":"1.0100","gated":false}"#));
        assert!(row(
            r#"{"day":1,"nav":"1.0100","wan_fen_yield":"0.3315","yearly_percent":"1.2100","gated":false}"#
        ));
        for wrong in [
            r#"{"day":1,"nav":"1.0101","gated":false}"#,
            r#"{"day":1,"nav":"1.0100","gated":true}"#,
            r#"{"day":1,"nav":"1.0100","wan_fen_yield":"0.3316","gated":false}"#,
            r#"{"day":1,"nav":"1.0100","yearly_percent":"1.2101","gated":false}"#,
        ] {
            assert!(!row(wrong), "{wrong}");
        }
    }
}
