//! `GET /v1/cohorts/{id}/news`: the script's news so far.
//!
//! Never news of days to come; that news is a fraud, and what is said of it afterwards, only once
//! the reader has reported it or its day is over.

use axum::extract::State;
use dengmi_core::course::{CohortStage, CohortView};
use dengmi_core::{CohortId, Slug};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::backend::{Backend, NewsText};
use crate::cohort::pupil;
use crate::extract::{Admitted, Param};
use crate::mock::{day_over, market};
use crate::problem::Problem;
use crate::reach;
use crate::reply::{Answer, Reply};
use crate::wire::{Notice, notices};

/// News of a mock market.
#[derive(Serialize, ToSchema)]
#[schema(as = MockNewsList)]
pub(crate) struct Body {
    /// The news so far, oldest first.
    news: Vec<News>,
    /// Notices to be shown with it.
    notices: Vec<Notice>,
}

/// News of a day.
#[derive(Serialize, ToSchema)]
#[schema(as = MockNews)]
pub(crate) struct News {
    /// Its id; a report names it.
    #[schema(value_type = String, example = "rate-cut")]
    id: Slug,
    /// Day of the course.
    day: u8,
    /// What it says.
    text: String,
    /// Whether it is a fraud, once that is known to the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    fraud: Option<bool>,
    /// That it was scripted, and what it teaches, afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    debrief: Option<String>,
}

/// What a reader who reported these may see of the script's news.
pub(super) fn told(view: &CohortView, news: Vec<NewsText>, reported: &[Slug]) -> Vec<News> {
    let days = view.last.0 - view.first.0 + 1;
    let last_sent = i32::from(view.sent) >= days || view.stage > CohortStage::Running;
    let so_far = news.into_iter().filter(|news| news.day <= view.sent);
    so_far
        .map(|news| {
            let reported = reported.contains(&news.id);
            let over = day_over(view, news.day);
            News {
                fraud: (over || reported).then_some(news.fraud),
                debrief: (over && last_sent || reported).then_some(news.debrief),
                id: news.id,
                day: news.day,
                text: news.news,
            }
        })
        .collect()
}

#[utoipa::path(
    get, path = "/v1/cohorts/{id}/news", operation_id = "listNews", tag = "mock investing",
    summary = "Read the news of a mock market so far",
    params(("id" = String, Path, example = "k1-2")),
    responses((status = 200, description = "The news.", body = Body)),
)]
pub(crate) async fn handler<B: Backend>(
    State(app): State<App<B>>,
    call: Admitted,
    Param(id): Param<CohortId>,
) -> Answer<Body> {
    let backend = &*app.backend;
    let catalog = backend.catalog(id.branch).ok_or_else(Problem::not_found)?;
    let view = reach::find_cohort(&catalog, id).ok_or_else(Problem::not_found)?;
    let mine = call.principal()?.member().and_then(|member| pupil(backend, member, id).ok());
    let reported = mine.map(|mine| mine.mock.reported).unwrap_or_default();
    let text = market(backend, view, call.language)?;
    let news = told(view, text.news, &reported);
    Ok(Reply::ok(Body { news, notices: notices(text.notices) }))
}
