//! Answers of handlers.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::Problem;
use crate::router::HEADERS_MAX;

/// What handlers return.
pub(crate) type Answer<T> = Result<Reply<T>, Problem>;

/// A good answer: private, never stored by anyone.
pub(crate) struct Reply<T> {
    status: StatusCode,
    body: Option<T>,
    replayed: bool,
}

/// An answer without a body.
pub(crate) type Empty = Reply<()>;

impl<T> Reply<T> {
    /// 200 with a body.
    pub(crate) fn ok(body: T) -> Self {
        Self { status: StatusCode::OK, body: Some(body), replayed: false }
    }

    /// 201 with a body.
    pub(crate) fn created(body: T) -> Self {
        Self { status: StatusCode::CREATED, body: Some(body), replayed: false }
    }

    /// Says whether the answer repeats an earlier one.
    pub(crate) fn replayed(mut self, replayed: bool) -> Self {
        self.replayed = replayed;
        self
    }
}

impl Empty {
    /// 204.
    pub(crate) fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, replayed: false }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            None => self.status.into_response(),
            Some(body) => match serde_json::to_vec(&body) {
                Ok(bytes) => json(self.status, bytes),
                Err(error) => {
                    tracing::error!(%error, "an answer does not serialise");
                    return Problem::internal().into_response();
                }
            },
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.replayed {
            headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

/// An answer that is JSON already, with room for the headers that follow.
pub(crate) fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(HEADERS_MAX);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.headers_mut() = headers;
    response
}
