//! `GET /v1/cohorts/{id}/market/{asset}`: everything that was published of one asset.

use axum::extract::State;
use dengmi_core::mock::Quote;
use dengmi_core::{CohortId, Day, Reject, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{AssetText, Backend};
use crate::extract::{Admitted, Params};
use crate::mock::{Published, market};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// What was published of an asset, from the first day of the history on.
#[derive(Serialize, ToSchema)]
#[schema(as = PriceHistory)]
pub(crate) struct Prices {
    /// The asset.
    #[schema(value_type = String, example = "bond-short")]
    asset: Slug,
    /// Its name.
    title: String,
    /// Each market day, oldest first.
    days: Vec<Priced>,
    /// The same days without the script, once the course is over: what would have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_script: Option<Vec<Priced>>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// One market day.
#[derive(Serialize, ToSchema)]
#[schema(as = PricedDay)]
struct Priced {
    /// The market day; 0 is the first of the course, days below are the history.
    day: i32,
    /// Its date.
    #[schema(value_type = String, format = Date)]
    date: Day,
    /// What was published.
    #[serde(flatten)]
    quote: Published,
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/market/{asset}", operation_id = "getPrices",
    tag = "mock investing",
    summary = "Read the prices of an asset so far",
    params(
        ("id" = String, Path, example = "k1-2"),
        ("asset" = String, Path, description = "The asset, by its id", example = "bond-short"),
    ),
    responses((status = 200, description = "The prices.", body = Prices)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Params(id, asset): Params<CohortId, Slug>,
) -> Answer<Prices> {
    let backend = &*app.backend;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    let text = market(backend, view, call.language)?;
    let place = view.market.assets.iter().position(|known| *known == asset);
    let place = place.ok_or(Reject::UnknownAsset)?;
    let asset: &AssetText = text.assets.get(place).ok_or(Reject::UnknownAsset)?;
    let rows = |quotes: &[std::sync::Arc<[Quote]>]| -> Vec<Priced> {
        let days = (view.market.first_day..).zip(&view.market.dates).zip(quotes);
        let priced = days.filter_map(|((day, date), quotes)| {
            let quote = Published::of(quotes.get(place)?, asset);
            Some(Priced { day, date: view.first.plus(*date), quote })
        });
        priced.collect()
    };
    let without = &view.market.without_script;
    Ok(Reply::ok(Prices {
        asset: asset.id.clone(),
        title: asset.title.clone(),
        days: rows(&view.market.quotes),
        without_script: (!without.is_empty()).then(|| rows(without)),
        notices: notices(text.notices),
    }))
}
