//! What a caller reads when something was refused: RFC 9457 problem details with a stable code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::backend::{InviteError, SubmitError, Unavailable};

/// Media type of problem details.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:dengmi:problem:` and the code; stable for ever.
    #[serde(rename = "type")]
    #[schema(example = "urn:dengmi:problem:round-closed")]
    pub urn: String,
    /// What is wrong, for people.
    #[schema(example = "本轮答题已结束")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// What to do instead.
    #[schema(example = "the round is closed; look for the next one")]
    pub detail: String,
    /// The code alone.
    #[schema(example = "round-closed")]
    pub code: &'static str,
    /// Line of a fault in the request body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column of a fault in the request body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Seconds after which to try again; the same as the `Retry-After` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            urn: format!("urn:dengmi:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            line: None,
            column: None,
            retry_after: None,
        }
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// No session, or one that is over.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "请先登录",
            "sign in and send the token as `Authorization: Bearer <token>`",
        )
    }

    /// The role may not do this anywhere.
    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "没有权限",
            "your role may not do this; ask an operator who may",
        )
    }

    /// There is no such thing within the caller's reach; whether there is one outside is not
    /// said.
    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "没有找到",
            "no such thing, or not for you; list what there is and use one of those ids",
        )
    }

    /// The body, a query or a header does not say what it must.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "请求格式不对", detail)
    }

    /// The request is well formed and means nothing here.
    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "请求内容不对", detail)
    }

    /// Too many requests.
    pub(crate) fn too_many(seconds: u32) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "操作太频繁",
            "wait as long as `retry_after` says, in seconds, then try again",
        )
        .retry_after(seconds)
    }

    /// Our fault; the reason is in the log, not here.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "服务出错",
            "this is a fault of the service; try again with the same idempotency key",
        )
    }

    /// Storage or engine do not answer at present.
    pub(crate) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "服务暂时不可用",
            "try again a little later with the same idempotency key; nothing is done twice",
        )
        .retry_after(2)
    }

    /// A fault in the JSON body.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        // serde_json appends " at line L column C", which has fields of its own here.
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad-body",
            "请求内容不对",
            format!("{text}; see /openapi.json for what the body may hold"),
        );
        if error.is_syntax() || error.is_eof() {
            problem.status = StatusCode::BAD_REQUEST.as_u16();
        }
        problem.line = u32::try_from(error.line()).ok();
        problem.column = u32::try_from(error.column()).ok();
        problem
    }
}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        Self::unavailable()
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let (status, code, title, detail) = match error {
            SubmitError::KeyTooOld => (
                StatusCode::GONE,
                "idempotency-key-too-old",
                "请求已过期",
                "the Idempotency-Key is older than the window in which repeats are recognised; look \
                 up whether the change was made, then use a new key",
            ),
            SubmitError::KeyInFuture => (
                StatusCode::BAD_REQUEST,
                "idempotency-key-in-future",
                "设备时间不对",
                "the Idempotency-Key is from the future; correct the clock and use a new UUID v7",
            ),
            SubmitError::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "请求重复",
                "this Idempotency-Key was used for another request; use a new UUID v7",
            ),
            SubmitError::InFlight => (
                StatusCode::CONFLICT,
                "idempotency-key-in-flight",
                "请求正在处理",
                "the first request with this Idempotency-Key is being worked on; ask again shortly",
            ),
            SubmitError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "现在人很多",
                "the queue is full; try again shortly with the same idempotency key",
            ),
            SubmitError::ReadOnly => (
                StatusCode::SERVICE_UNAVAILABLE,
                "read-only",
                "暂时只能查看",
                "nothing can be stored at present; try again later with the same idempotency key",
            ),
            SubmitError::Unavailable => return Self::unavailable(),
            SubmitError::UnknownBranch => return Self::not_found(),
        };
        let problem = Self::new(status, code, title, detail);
        match error {
            SubmitError::InFlight | SubmitError::Busy => problem.retry_after(1),
            SubmitError::ReadOnly => problem.retry_after(10),
            _ => problem,
        }
    }
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        let (status, code, title, detail) = match error {
            InviteError::Invalid => (
                StatusCode::UNAUTHORIZED,
                "invite-invalid",
                "邀请链接无效",
                "the invite is not valid; open the link as it was sent, or ask for a new one",
            ),
            InviteError::Expired => (
                StatusCode::GONE,
                "invite-expired",
                "邀请链接已过期",
                "the invite has expired; ask for a new one",
            ),
            InviteError::Used => (
                StatusCode::GONE,
                "invite-used",
                "邀请链接已使用",
                "the invite was used already; ask for a new one",
            ),
        };
        Self::new(status, code, title, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Plain strings and numbers always serialise.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_faults_carry_their_place() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Body {
            #[expect(dead_code, reason = "only its presence matters")]
            days: u8,
        }
        let check = |text: &str, status: u16, line: u32| {
            let problem = Problem::json(&serde_json::from_str::<Body>(text).unwrap_err());
            assert_eq!((problem.status, problem.line), (status, Some(line)), "{text}");
            assert!(!problem.detail.contains("at line"), "{}", problem.detail);
        };
        check("{", 400, 1);
        check("{\n\"days\": 1,\n\"x\": 2}", 422, 3);
        check("{\"days\": 1e999}", 400, 1);
        check("{\"days\": 1, \"days\": 2}", 422, 1);
    }
}
