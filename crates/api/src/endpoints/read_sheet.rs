//! `POST /v1/cohorts/{id}/me/readings`: a member opens the sheet of a product, and gets its page.
//!
//! A write, because that a sheet was read before an order counts. Whether a product may be shown
//! is decided by the engine; the page comes after its answer.

use axum::extract::State;
use dengmi_core::mock::MockAction;
use dengmi_core::{CohortId, Day, Reject, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{AssetKind, Backend, ProductText, Risk};
use crate::cohort::{content_on, pupil};
use crate::extract::{Admitted, Input, Param};
use crate::mock::{Withheld, act, level_today, today, withheld};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// Which sheet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReadingInput)]
pub(crate) struct Body {
    /// The product page.
    #[schema(value_type = String, example = "cash/money-fund")]
    product: Slug,
}

/// A product page.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductPage)]
pub(crate) struct Page {
    /// Its id.
    #[schema(value_type = String, example = "cash/money-fund")]
    id: Slug,
    /// Its name.
    title: String,
    /// What kind of product it is.
    kind: AssetKind,
    /// Whether it is a product on sale; otherwise a made-up one for teaching.
    real: bool,
    /// The risk level that counts.
    risk: Risk,
    /// Where the page is found.
    place: String,
    /// Version of the page.
    page_version: u16,
    /// What it says.
    facts: Vec<Fact>,
    /// Where the figures come from.
    source: String,
    /// The day they were read.
    #[schema(value_type = String, format = Date)]
    as_of: Day,
    /// Notices shown with it.
    notices: Vec<Notice>,
}

/// A line of a page.
#[derive(Serialize, ToSchema)]
#[schema(as = ProductLine)]
struct Fact {
    /// What.
    label: String,
    /// How much.
    value: String,
}

impl From<ProductText> for Page {
    fn from(text: ProductText) -> Self {
        let facts = text.facts.into_iter();
        Self {
            id: text.id,
            title: text.title,
            kind: text.kind,
            real: text.real,
            risk: text.risk,
            place: text.place,
            page_version: text.page_version,
            facts: facts.map(|(label, value)| Fact { label, value }).collect(),
            source: text.source,
            as_of: text.as_of,
            notices: notices(text.notices),
        }
    }
}

#[utoipa::path(
    post, path = "/v1/cohorts/{id}/me/readings", operation_id = "readSheet",
    tag = "mock investing",
    summary = "Read a product sheet",
    description = "Products on sale are shown only to whom they suit and who agreed to it.",
    params(("id" = String, Path, example = "k1-2")),
    request_body = Body,
    responses(
        (status = 200, description = "The page.", body = Page),
        (status = 403, description = "Above the level, or no consent.", body = Problem),
    ),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(cohort): Param<CohortId>,
    Input(Body { product }): Input<Body>,
) -> Answer<Page> {
    let read = MockAction::ReadSheet { product: product.clone() };
    let done = act(&app, &call, cohort, read).await?;
    let backend = &*app.backend;
    let catalog = backend.catalog(cohort.branch).ok_or_else(Problem::unavailable)?;
    let view = reach::find_cohort(&catalog, cohort).ok_or_else(Problem::not_found)?;
    let content = content_on(view, view.sent.max(1)).ok_or_else(Problem::internal)?;
    let page = backend.product(content, &product, call.language).ok_or(Reject::UnknownSheet)?;
    // A repeat is answered from memory; what the member may see may have changed since.
    let member = call.principal()?.member().ok_or_else(Problem::forbidden)?;
    let mine = pupil(backend, member, cohort)?;
    let level = level_today(&mine, today(backend, &catalog, view));
    let agreed = backend.member(member).is_some_and(|card| card.marketing);
    match withheld(page.real, page.risk, level, agreed) {
        Some(Withheld::AboveLevel) => Err(Reject::AboveLevel.into()),
        Some(Withheld::NoMarketingConsent) => Err(Reject::NoMarketingConsent.into()),
        None => Ok(Reply::ok(page.into()).replayed(done.replayed)),
    }
}
