//! All routes together, with what applies to every answer.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use tokio::sync::watch;
use tower::util::MapResponse;

use crate::app::{App, Limits};
use crate::backend::Backend;
use crate::problem::Problem;
use crate::{docs, endpoints};

/// The interface as a service: its routes, and what is done to every answer. As a layer of the
/// routes it would be boxed and cloned for each request.
pub type Interface = MapResponse<Router, fn(Response) -> Response>;

/// The whole interface over a host. Event streams live as long as their readers; a server that
/// must end them uses [`crate::serve`].
pub fn router<B: Backend>(backend: Arc<B>, limits: Limits) -> Interface {
    // A sender that is gone leaves the value at "not stopping".
    let (_, stopping) = watch::channel(false);
    stoppable_router(backend, limits, stopping)
}

/// The same, with event streams that end when `stopping` turns true.
pub(crate) fn stoppable_router<B: Backend>(
    backend: Arc<B>,
    limits: Limits,
    stopping: watch::Receiver<bool>,
) -> Interface {
    let app = App::new(backend, limits, stopping);
    let routes = endpoints::routes(&app)
        .route("/openapi.json", get(docs::description))
        .route("/docs", get(docs::page))
        .route("/docs/{*file}", get(docs::file))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(app);
    MapResponse::new(routes, protect)
}

async fn unknown_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-route",
        "没有这个地址",
        "no such address; /openapi.json lists those there are",
    )
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "请求方式不对",
        "this address takes other methods; the `Allow` header and /openapi.json list them",
    )
}

/// Headers that an answer has room for from the start: those below and what handlers add.
pub(crate) const HEADERS_MAX: usize = 12;

/// Headers that every answer has. Set here where nothing stricter or more exact is there yet.
fn protect(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    headers.reserve(HEADERS.len());
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
