//! What handlers take out of a request, each with a problem of its own when it does not fit.

use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::backend::Language;
use crate::principal::Principal;
use crate::problem::Problem;

/// An admitted request.
pub(crate) struct Call {
    /// Who calls; `None` on public routes only.
    pub(crate) principal: Option<Principal>,
    /// The session's token.
    pub(crate) token: Option<Arc<str>>,
    /// The idempotency key of a write.
    pub(crate) key: Uuid,
    /// Hash of method, path, principal and body.
    pub(crate) fingerprint: [u8; 16],
    /// The body of a write.
    pub(crate) body: Bytes,
    /// The language to answer in.
    pub(crate) language: Language,
}

impl Call {
    /// Who calls.
    pub(crate) fn principal(&self) -> Result<&Principal, Problem> {
        self.principal.as_ref().ok_or_else(Problem::unauthenticated)
    }

    /// The body.
    fn input<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.body.is_empty() {
            return Err(Problem::bad_request(
                "the body is missing; send JSON as /openapi.json describes it",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|error| Problem::json(&error))
    }
}

fn call(parts: &Parts) -> Result<&Arc<Call>, Problem> {
    // The guard puts it there; a route without the guard has none and answers nothing.
    parts.extensions.get::<Arc<Call>>().ok_or_else(Problem::internal)
}

/// The admitted request.
pub(crate) struct Admitted(pub(crate) Arc<Call>);

impl std::ops::Deref for Admitted {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        call(parts).cloned().map(Self)
    }
}

/// The JSON body, read strictly.
pub(crate) struct Input<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        call(parts)?.input().map(Self)
    }
}

/// The one path parameter. What does not parse names nothing.
pub(crate) struct Param<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Param<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// Two path parameters.
pub(crate) struct Params<T, U>(pub(crate) T, pub(crate) U);

impl<S: Send + Sync, T: FromStr, U: FromStr> FromRequestParts<S> for Params<T, U> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        match (first.parse(), second.parse()) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            _ => Err(Problem::not_found()),
        }
    }
}

/// The query string.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Self(query))
    }
}
