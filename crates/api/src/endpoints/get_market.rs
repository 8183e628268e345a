//! `GET /v1/cohorts/{id}/market`: what is traded on a cohort's mock market, by which rules, and
//! what was published last. Prices to come have no place here.

use axum::extract::State;
use dengmi_core::{CohortId, Day, Digest, Fen, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{AssetKind, AssetText, Backend, Risk};
use crate::extract::{Admitted, Param};
use crate::mock::{Published, investing, market, next_close};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{At, Notice, notices};

/// A cohort's mock market.
#[derive(Serialize, ToSchema)]
#[schema(as = MockMarket)]
pub(crate) struct Market {
    /// The course, by id: with its first day, what decides on the market days.
    #[schema(value_type = String, example = "journey-14")]
    course: Slug,
    /// Day 1 of the course.
    #[schema(value_type = String, format = Date)]
    first: Day,
    /// The market, by id: with script and content, what the commitment is about.
    #[schema(value_type = String, example = "standard")]
    market: Slug,
    /// The script, by id.
    #[schema(value_type = String, example = "journey-14")]
    scenario: Slug,
    /// The content both are taken from.
    #[schema(value_type = String)]
    content: Digest,
    /// Its name.
    title: String,
    /// The last market day with prices; days below zero are the history before the course.
    market_day: i32,
    /// Its date.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Day>,
    /// Time of day before which an order gets the day's price.
    #[schema(example = "15:00")]
    cutoff: String,
    /// When the next prices are made; null when no more are.
    next_close: Option<At>,
    /// First day of the course on which orders are taken.
    orders_from_day: u8,
    /// A loss from which a debrief comes before the next order, in parts per million.
    debrief_loss_ppm: u32,
    /// Binds the secret that all prices come from: told before anybody enrols.
    #[schema(value_type = String)]
    commitment: Digest,
    /// The secret, once nothing depends on it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    secret: Option<Digest>,
    /// What is traded.
    assets: Vec<Asset>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// Something that is traded.
#[derive(Serialize, ToSchema)]
#[schema(as = MockAsset)]
struct Asset {
    /// Its id; orders and plans name it.
    #[schema(value_type = String, example = "bond-short")]
    id: Slug,
    /// Its name.
    title: String,
    /// What kind of product it is.
    kind: AssetKind,
    /// Its risk level.
    risk: Risk,
    /// Whether it can be bought.
    enabled: bool,
    /// The sheet to be read before the first order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "cash/money-fund")]
    sheet: Option<Slug>,
    /// Smallest purchase, in fen.
    #[schema(value_type = i64)]
    min_fen: Fen,
    /// Most that can be bought on one day, in fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    daily_limit_fen: Option<Fen>,
    /// Most that can be redeemed at once on one day, in fen; where it is missing, nothing can.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    fast_limit_fen: Option<Fen>,
    /// Market days until a purchase is confirmed.
    confirm_days: u8,
    /// Market days until it can be redeemed.
    redeemable_days: u8,
    /// Market days until the cash of a redemption arrives.
    cash_days: u8,
    /// Fee on purchase as listed, in parts per million.
    subscription_ppm: u32,
    /// Fee on purchase as charged, in parts per million.
    charged_ppm: u32,
    /// The rules in plain words.
    rules: Vec<String>,
    /// What was published last.
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<Published>,
}

impl Asset {
    fn new(text: AssetText, quote: Option<Published>) -> Self {
        Self {
            id: text.id,
            title: text.title,
            kind: text.kind,
            risk: text.risk,
            enabled: text.enabled,
            sheet: text.sheet,
            min_fen: text.min,
            daily_limit_fen: text.daily_limit,
            fast_limit_fen: text.fast_limit,
            confirm_days: text.confirm_days,
            redeemable_days: text.redeemable_days,
            cash_days: text.cash_days,
            subscription_ppm: text.subscription.0,
            charged_ppm: text.charged.0,
            rules: text.rules,
            quote,
        }
    }
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/market", operation_id = "getMarket", tag = "mock investing",
    summary = "Read a cohort's mock market",
    params(("id" = String, Path, example = "k1-2")),
    responses((status = 200, description = "The market.", body = Market)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Market> {
    let backend = &*app.backend;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    let text = market(backend, view, call.language)?;
    let terms = investing(backend, view, call.language)?;
    let last = view.market.quotes.last();
    let next_close = next_close(&catalog, view, &text);
    let assets = text.assets.into_iter().enumerate().map(|(place, asset)| {
        let quote = last.and_then(|quotes| quotes.get(place));
        let quote = quote.map(|quote| Published::of(quote, &asset));
        Asset::new(asset, quote)
    });
    Ok(Reply::ok(Market {
        course: view.course.clone(),
        first: view.first,
        market: text.market,
        scenario: text.scenario,
        content: view.terms,
        title: text.title,
        market_day: view.market.day(),
        date: view.market.dates.last().map(|days| view.first.plus(*days)),
        cutoff: text.cutoff.to_string(),
        next_close,
        orders_from_day: terms.orders_from_day,
        debrief_loss_ppm: terms.debrief_loss.0,
        commitment: view.commitment,
        secret: view.secret,
        assets: assets.collect(),
        notices: notices(text.notices),
    }))
}
