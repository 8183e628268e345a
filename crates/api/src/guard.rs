//! The door every request passes: session, role, rate, target, idempotency key, body, in this
//! order. What comes out is a [`Call`].

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::LengthLimitError;
use metrics::{Counter, Histogram};
use uuid::Uuid;

use crate::app::App;
use crate::backend::{Backend, Language};
use crate::extract::Call;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::reach;
use crate::rights::{Access, RouteInfo};

/// A route with its counters, looked up once: by route and status class, as paths and members
/// never become labels.
pub(crate) struct Route {
    info: &'static RouteInfo,
    requests: [Counter; CLASSES.len()],
    seconds: Histogram,
}

/// Classes of status, by their first digit from 2 on.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

impl Route {
    pub(crate) fn new(info: &'static RouteInfo) -> Self {
        let counter = |class| {
            metrics::counter!(
                "dengmi_http_requests_total",
                "method" => info.method, "route" => info.path, "status" => class
            )
        };
        let seconds = metrics::histogram!("dengmi_http_request_seconds", "route" => info.path);
        Self { info, requests: CLASSES.map(counter), seconds }
    }

    fn count(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(2);
        self.requests[class.min(CLASSES.len() - 1)].increment(1);
        self.seconds.record(took.as_secs_f64());
        if status.is_server_error() {
            let RouteInfo { path, method, .. } = self.info;
            tracing::warn!(route = path, method, %status, "request failed");
        }
    }
}

/// A handler at work.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler, whatever it takes out of a request.
pub(crate) type Endpoint<B> = Arc<dyn Fn(Request, App<B>) -> Answering + Send + Sync>;

/// Checks a request, hands it to the handler, counts it.
pub(crate) async fn guard<B: Backend>(
    app: App<B>,
    route: Arc<Route>,
    request: Request,
    endpoint: Endpoint<B>,
) -> Response {
    let began = std::time::Instant::now();
    let response = match admit(&app, route.info, request).await {
        Ok(request) => {
            let limit = app.limits.answer_timeout;
            match tokio::time::timeout(limit, endpoint(request, app)).await {
                Ok(response) => response,
                Err(_) => Problem::unavailable().into_response(),
            }
        }
        Err(problem) => problem.into_response(),
    };
    route.count(response.status(), began.elapsed());
    response
}

async fn admit<B: Backend>(
    app: &App<B>,
    route: &'static RouteInfo,
    request: Request,
) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    let token = bearer(&parts.headers);
    let principal = match route.access {
        Access::Public => None,
        _ => {
            let token = token.ok_or_else(Problem::unauthenticated)?;
            let found = app.backend.find_session(token).await?;
            Some(found.ok_or_else(Problem::unauthenticated)?)
        }
    };
    let token = token.filter(|_| principal.is_some()).map(Arc::from);
    if let Some(principal) = &principal {
        if !allowed(route.access, principal) {
            return Err(Problem::forbidden());
        }
        if let Some(requests) = &app.requests {
            requests.take(&principal.number())?;
        }
        let params = RawPathParams::from_request_parts(&mut parts, &())
            .await
            .map_err(|_| Problem::not_found())?;
        let named = params.iter().next().map(|(_, value)| value);
        reach::check(&*app.backend, principal, route, named)?;
    }
    let mut call = Call {
        principal,
        token,
        key: Uuid::nil(),
        fingerprint: [0; 16],
        body: Bytes::new(),
        language: language(&parts.headers),
    };
    if route.writes() {
        call.key = idempotency_key(&parts.headers)?;
        call.body = read(app, &parts.headers, body).await?;
        let principal = call.principal.as_ref().map_or(0, Principal::number);
        call.fingerprint =
            fingerprint(parts.method.as_str(), parts.uri.path(), principal, &call.body);
    }
    parts.extensions.insert(Arc::new(call));
    Ok(Request::from_parts(parts, Body::empty()))
}

fn allowed(access: Access, principal: &Principal) -> bool {
    match access {
        Access::Public => true,
        Access::Nobody => false,
        Access::Signed { members, operators } => match principal.role() {
            None => members,
            Some(role) => operators.contains(&role),
        },
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    // Two headers are one too many: which of them counts must not depend on who reads them.
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let plain = (16..=128).contains(&token.len())
        && token.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'=')
        });
    (scheme.eq_ignore_ascii_case("bearer") && plain).then_some(token)
}

fn language(headers: &HeaderMap) -> Language {
    let first = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .map_or("", |tags| tags.trim_start());
    if first.len() >= 2 && first.as_bytes()[..2].eq_ignore_ascii_case(b"en") {
        Language::En
    } else {
        Language::Zh
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Uuid, Problem> {
    let problem = |detail| {
        Problem::new(StatusCode::BAD_REQUEST, "idempotency-key", "缺少有效的请求编号", detail)
    };
    let value = headers.get("idempotency-key").ok_or_else(|| {
        problem("send a new UUID v7 as `Idempotency-Key` with every change, and the same one when repeating it")
    })?;
    value
        .to_str()
        .ok()
        .and_then(|text| Uuid::try_parse(text.trim_matches('"')).ok())
        .filter(|key| key.get_version_num() == 7)
        .ok_or_else(|| {
            problem("the `Idempotency-Key` must be a UUID v7: its time bounds what is kept")
        })
}

async fn read<B>(app: &App<B>, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let limit = app.limits.body_bytes;
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "请求内容过大",
            format!("the body may hold at most {limit} bytes; send less at a time"),
        )
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|n| n > limit as u64) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(app.limits.body_timeout, axum::body::to_bytes(body, limit));
    let bytes = match read.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            let mut source: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = source {
                if error.is::<LengthLimitError>() {
                    return Err(too_large());
                }
                source = error.source();
            }
            return Err(Problem::bad_request("the body ended early; send it whole"));
        }
        Err(_) => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-timeout",
                "请求超时",
                "the body took too long to arrive; send it again with the same idempotency key",
            ));
        }
    };
    if !bytes.is_empty() && !is_json(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "请求格式不对",
            "send the body as JSON, with `Content-Type: application/json`",
        ));
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or(text).trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

/// Binds an idempotency key to what was asked: the same key with anything else is refused.
fn fingerprint(method: &str, path: &str, principal: u64, body: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(method.as_bytes()).update(b" ").update(path.as_bytes()).update(b"\n");
    hasher.update(&principal.to_le_bytes()).update(body);
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_authorisation_headers_are_no_token() {
        let check = |values: &[&str], expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(bearer(&headers), expected, "{values:?}");
        };
        let good = "0123456789abcdef0123456789abcdef";
        check(&[&format!("Bearer {good}")], Some(good));
        check(&[&format!("bearer {good}")], Some(good));
        check(&[&format!("Bearer {good}"), &format!("Bearer {good}")], None);
        check(&[&format!("Basic {good}")], None);
        check(&[good], None);
        check(&["Bearer "], None);
        check(&["Bearer short"], None);
        check(&[&format!("Bearer  {good}")], None);
        check(&[&format!("Bearer {good} x")], None);
        check(&[&format!("Bearer {}", "a".repeat(129))], None);
        check(&["Bearer 0123456789abcdef\t123"], None);
        check(&[], None);
    }

    #[test]
    fn a_fingerprint_binds_every_part() {
        let base = fingerprint("POST", "/v1/a", 1, b"{}");
        assert_eq!(base, fingerprint("POST", "/v1/a", 1, b"{}"));
        for other in [
            fingerprint("PUT", "/v1/a", 1, b"{}"),
            fingerprint("POST", "/v1/b", 1, b"{}"),
            fingerprint("POST", "/v1/a", 2, b"{}"),
            fingerprint("POST", "/v1/a", 1, b"{ }"),
        ] {
            assert_ne!(base, other);
        }
    }
}
