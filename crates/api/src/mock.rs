//! Mock investing on the wire, and what its endpoints look up and submit.
//!
//! Money is in whole fen, units in 1/100, prices are decimals in yuan with four places.

use std::fmt;

use dengmi_core::course::{CohortStage, CohortView, CourseAction, PupilView};
use dengmi_core::mock::{Assessed, ClientLevel, MockAction, Quote};
use dengmi_core::text::{FoldedHash, clean_words};
use dengmi_core::view::Catalog;
use dengmi_core::{Action, Calendar, CohortId, Day, Slug};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{AssetText, Backend, InvestingText, Language, MarketText, Risk};
use crate::cohort::pupil;
use crate::extract::Call;
use crate::problem::Problem;
use crate::reach;
use crate::submit::{Done, submit};
use crate::wire::At;

/// A number with four places, kept in 1/10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "1.0234")]
pub(crate) struct FourPlaces(pub(crate) i64);

impl fmt::Display for FourPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 10_000, self.0.unsigned_abs() % 10_000);
        write!(f, "{sign}{whole}.{rest:04}")
    }
}

impl Serialize for FourPlaces {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was published of an asset on a market day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MockQuote)]
pub(crate) struct Published {
    /// Net asset value of a unit in yuan, at which orders are priced.
    nav: FourPlaces,
    /// Money funds: what 10,000 yuan earn on a calendar day, in yuan.
    #[serde(skip_serializing_if = "Option::is_none")]
    wan_fen_yield: Option<FourPlaces>,
    /// Deposits: the rate of those made on this day; money funds: the yield of the last seven
    /// market days. In percent a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    yearly_percent: Option<FourPlaces>,
    /// Whether redemptions are suspended.
    gated: bool,
}

impl Published {
    pub(crate) fn of(quote: &Quote, asset: &AssetText) -> Self {
        let cash = asset.kind.is_cash();
        // From 1e-8 to 1/10,000 of a percent, half up.
        let percent = FourPlaces((quote.yearly + 50).div_euclid(100));
        Self {
            nav: FourPlaces(quote.published()),
            wan_fen_yield: cash.then_some(FourPlaces(quote.wan_fen_yield)),
            yearly_percent: (cash || asset.kind.is_deposit()).then_some(percent),
            gated: quote.gated,
        }
    }
}

/// A risk level that was found.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = RiskLevelFound)]
pub(crate) struct Level {
    /// The level, C1 to C5.
    #[schema(value_type = String, example = "C3")]
    level: ClientLevel,
    /// The last day on which it holds.
    #[schema(value_type = String, format = Date)]
    until: Day,
    /// Whether it is confirmed: a level that is another than the last has to be.
    confirmed: bool,
    /// Whether it counts today.
    holds: bool,
}

impl Level {
    pub(crate) fn of(found: Assessed, today: Day) -> Self {
        let Assessed { level, until, confirmed } = found;
        Self { level, until, confirmed, holds: confirmed && today <= until }
    }
}

/// Why a product on sale is not shown to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Withheld {
    /// It is above the level of the member, or no level holds.
    AboveLevel,
    /// The member has not agreed to be told about products.
    NoMarketingConsent,
}

/// Whether a product may be shown to a member (C01, C20): teaching sheets to everybody, products on
/// sale to whom they suit and who agreed to it. The same rule as for reading a sheet.
pub(crate) fn withheld(
    real: bool,
    risk: Risk,
    level: Option<ClientLevel>,
    marketing: bool,
) -> Option<Withheld> {
    match (real, level) {
        (false, _) => None,
        (true, None) => Some(Withheld::AboveLevel),
        (true, Some(_)) if !risk.suits(level) => Some(Withheld::AboveLevel),
        (true, Some(_)) => (!marketing).then_some(Withheld::NoMarketingConsent),
    }
}

/// The level of a member that counts today.
pub(crate) fn level_today(mine: &PupilView, today: Day) -> Option<ClientLevel> {
    mine.level.filter(|found| found.confirmed && today <= found.until).map(|found| found.level)
}

/// The calendar a cohort lives by: that of its first group.
pub(crate) fn calendar(catalog: &Catalog, view: &CohortView) -> Calendar {
    let first = view.communities.first().and_then(|id| reach::find_community(catalog, *id));
    first.map_or_else(Calendar::default, |group| group.calendar)
}

/// The business day of a cohort.
pub(crate) fn today<B: Backend>(backend: &B, catalog: &Catalog, view: &CohortView) -> Day {
    calendar(catalog, view).day_of(backend.now())
}

/// The market of a cohort.
pub(crate) fn market<B: Backend>(
    backend: &B,
    view: &CohortView,
    language: Language,
) -> Result<MarketText, Problem> {
    backend.market(view.terms, &view.course, view.first, language).ok_or_else(|| missing(view))
}

/// How a cohort invests.
pub(crate) fn investing<B: Backend>(
    backend: &B,
    view: &CohortView,
    language: Language,
) -> Result<InvestingText, Problem> {
    let newest = view.content.last().map(|(_, digest)| *digest);
    newest
        .and_then(|content| backend.investing(content, &view.course, language))
        .ok_or_else(|| missing(view))
}

fn missing(view: &CohortView) -> Problem {
    tracing::error!(cohort = %view.id, "the terms of mock investing are missing");
    Problem::internal()
}

/// When the next prices are made; `None` where no more are.
pub(crate) fn next_close(catalog: &Catalog, view: &CohortView, market: &MarketText) -> Option<At> {
    if view.stage > CohortStage::Running {
        return None;
    }
    let mut to_come = (0..).zip(&market.days).skip(view.market.closed.into());
    let (day, _) = to_come.find(|(_, passes)| **passes > 0)?;
    Some(At(calendar(catalog, view).at(view.first.plus(day), market.cutoff)))
}

/// Whether a day of the course is over for its members: the next lesson is sent, or the course is
/// over.
pub(crate) fn day_over(view: &CohortView, day: u8) -> bool {
    view.sent > day || view.stage > CohortStage::Running
}

/// The name of the band a score falls into.
pub(crate) fn band(investing: &InvestingText, total: u16) -> Option<String> {
    let band = investing.bands.iter().rev().find(|(from, _)| *from <= total);
    band.map(|(_, title)| title.clone())
}

/// The id of an asset by its place in the market.
pub(crate) fn asset_id(view: &CohortView, place: u8) -> Result<Slug, Problem> {
    view.market.assets.get(usize::from(place)).cloned().ok_or_else(|| missing(view))
}

/// Has the caller do something on their own mock account.
pub(crate) async fn act<B: Backend>(
    app: &App<B>,
    call: &Call,
    cohort: CohortId,
    what: MockAction,
) -> Result<Done, Problem> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let action = Action::Course(CourseAction::Mock { member, cohort, what });
    submit(app, call, cohort.branch, action).await
}

/// The same with words of the caller's own. They are kept before the command that has their hash is
/// submitted, so that no acknowledged text is without its words, and dropped again where it was
/// refused.
pub(crate) async fn act_with_words<B: Backend>(
    app: &App<B>,
    call: &Call,
    cohort: CohortId,
    words: &str,
    what: impl FnOnce(FoldedHash) -> MockAction,
) -> Result<Done, Problem> {
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let words = clean_words(words).map_err(|error| Problem::unprocessable(error.to_string()))?;
    let hash = FoldedHash::of(&words);
    let new = app.backend.keep_words(member, hash, &words).await?;
    let result = act(app, call, cohort, what(hash)).await;
    // An answer of 500 and above leaves open what became of the command.
    if let Err(problem) = &result
        && problem.status < 500
        && new
    {
        let written = pupil(&*app.backend, member, cohort);
        let known = written.is_ok_and(|mine| mine.mock.texts.iter().any(|text| text.text == hash));
        if !known {
            app.backend.drop_words(member, hash).await?;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_places() {
        for (number, text) in [
            (0, "0.0000"),
            (10_234, "1.0234"),
            (-5, "-0.0005"),
            (i64::MIN, "-922337203685477.5808"),
        ] {
            assert_eq!(FourPlaces(number).to_string(), text);
        }
    }

    #[test]
    fn products_on_sale_are_withheld_as_the_engine_does() {
        use ClientLevel::{C1, C3};
        use Withheld::{AboveLevel, NoMarketingConsent};
        for (real, risk, level, marketing, expected) in [
            (false, Risk::R5, None, false, None),
            (true, Risk::R1, None, true, Some(AboveLevel)),
            (true, Risk::R1, Some(C1), true, None),
            (true, Risk::R2, Some(C1), true, Some(AboveLevel)),
            (true, Risk::R4, Some(C3), false, Some(AboveLevel)),
            (true, Risk::R3, Some(C3), false, Some(NoMarketingConsent)),
            (true, Risk::R3, Some(C3), true, None),
        ] {
            assert_eq!(
                withheld(real, risk, level, marketing),
                expected,
                "{real} {risk:?} {level:?}"
            );
        }
    }
}
