//! Asking the interface over the host in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use dengmi_api::{Interface, Limits, router};
use dengmi_core::{Action, Outcome, Reject};
use tower::ServiceExt as _;
use uuid::Uuid;

use super::{Fake, NOW};

/// An answer, read whole.
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The interface over a fake host.
pub struct Api {
    pub fake: Arc<Fake>,
    router: Interface,
}

/// A fresh idempotency key.
pub fn key() -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0u8; 16];
    bytes[..6].copy_from_slice(&NOW.0.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    bytes[8] = 0x80;
    Uuid::from_bytes(bytes)
}

impl Default for Api {
    fn default() -> Self {
        Self::with(Limits { requests_per_second: None, ..Limits::default() })
    }
}

impl Api {
    pub fn with(limits: Limits) -> Self {
        Self::both(Fake::default(), limits)
    }

    /// The interface over this host.
    pub fn over(fake: Fake) -> Self {
        Self::both(fake, Limits { requests_per_second: None, ..Limits::default() })
    }

    fn both(fake: Fake, limits: Limits) -> Self {
        let fake = Arc::new(fake);
        let router = router(Arc::clone(&fake), limits);
        Self { fake, router }
    }

    pub async fn raw(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Got {
        let response = self.raw(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, token: &str, path: &str) -> Got {
        self.send(request("GET", path, token, None, "")).await
    }

    /// A write under a fresh key.
    pub async fn write(&self, method: &str, token: &str, path: &str, body: &str) -> Got {
        self.send(request(method, path, token, Some(key()), body)).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &str) -> Got {
        self.write("POST", token, path, body).await
    }

    pub fn refuse_next(&self, reject: Reject) {
        *self.fake.next.lock().unwrap() = Some(Ok(Outcome::Rejected(reject)));
    }

    pub fn last_action(&self) -> Action {
        let submitted = self.fake.submitted.lock().unwrap();
        submitted.last().expect("a command was submitted").command.action.clone()
    }
}

/// A request; no token when it is empty.
pub fn request(
    method: &str,
    path: &str,
    token: &str,
    key: Option<Uuid>,
    body: &str,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key.to_string());
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}
