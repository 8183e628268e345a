//! The description of the interface and the page that shows it, without any internet.

use std::sync::{Arc, OnceLock};

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa_swagger_ui::Config;

use crate::endpoints::Described;
use crate::problem::{PROBLEM_JSON, Problem};
use crate::rights;

/// Scripts and styles of the page come from here; the user interface sets style attributes and
/// shows its icons as data.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "灯谜 Dengmi",
        description = "Quizzes, check-ins, courses with mock investing, and standings of a bank's \
                       customer communities. Every change needs an `Idempotency-Key` (UUID v7); \
                       refusals are problem details (RFC 9457) that say what to do instead.",
    ),
    components(schemas(Problem)),
    security(("session" = [])),
)]
struct General;

/// The OpenAPI 3.1 description of every endpoint.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut described = General::openapi();
    described.merge(Described::openapi());
    if let Some(components) = described.components.as_mut() {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a session"))
            .build();
        components.add_security_scheme("session", SecurityScheme::Http(bearer));
    }
    for (path, item) in &mut described.paths.paths {
        let operations = [
            ("GET", item.get.as_mut()),
            ("POST", item.post.as_mut()),
            ("PUT", item.put.as_mut()),
            ("DELETE", item.delete.as_mut()),
        ];
        for (method, operation) in operations {
            if let (Some(operation), Some(route)) = (operation, rights::find(method, path)) {
                complete(operation, route);
            }
        }
    }
    described
}

/// What an `Idempotency-Key` looks like.
const UUID_V7: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/// Adds what follows from a route's row: the idempotency key of a write, the refusals that any
/// route may give, no security for public ones.
fn complete(operation: &mut Operation, route: &rights::RouteInfo) {
    if route.writes() {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some("A new UUID v7 for each change, the same one when repeating it"))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).pattern(Some(UUID_V7))))
            .build();
        operation.parameters.get_or_insert_default().push(key.into());
    }
    if route.public() {
        operation.security = Some(vec![utoipa::openapi::security::SecurityRequirement::default()]);
    }
    let problem = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build()
    };
    let mut refusals = Vec::new();
    if !route.public() {
        refusals.extend([
            ("401", "No session."),
            ("403", "Not for this role."),
            ("404", "No such thing within reach."),
            ("429", "Too many requests."),
        ]);
    }
    let mut parameters = operation.parameters.iter().flatten();
    if parameters.any(|p| matches!(p, RefOr::T(p) if p.parameter_in == ParameterIn::Query)) {
        refusals.push(("400", "The query means nothing here."));
    }
    if route.writes() {
        refusals.extend([
            ("400", "Bad JSON, or no usable idempotency key."),
            ("409", "Refused in the present state, or the same key is in flight."),
            ("410", "The idempotency key is too old."),
            ("413", "The body is too large."),
            ("415", "The body is not JSON."),
            ("422", "The body means nothing here, or the key was used for another request."),
            ("503", "Busy, read-only or unavailable: repeat with the same key."),
        ]);
    }
    for (status, description) in refusals {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| problem(description).into());
    }
}

/// `GET /openapi.json`.
pub(crate) async fn description() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| openapi().to_json().unwrap_or_default());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, text.as_str()).into_response()
}

/// `GET /docs`.
pub(crate) async fn page() -> Redirect {
    Redirect::to("/docs/index.html")
}

/// `GET /docs/{*file}`.
pub(crate) async fn file(Path(file): Path<String>) -> Response {
    static CONFIG: OnceLock<Arc<Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        // The validator badge would be fetched from the internet.
        Arc::new(Config::from("/openapi.json").validator_url("none"))
    });
    match utoipa_swagger_ui::serve(&file, Arc::clone(config)) {
        Ok(Some(found)) => {
            let mut response = found.bytes.into_owned().into_response();
            let headers = response.headers_mut();
            let kind = HeaderValue::from_str(&found.content_type);
            let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
            headers.insert(header::CONTENT_TYPE, kind);
            let policy = HeaderValue::from_static(PAGE_POLICY);
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            let hour = HeaderValue::from_static("public, max-age=3600");
            headers.insert(header::CACHE_CONTROL, hour);
            response
        }
        Ok(None) => Problem::not_found().into_response(),
        Err(error) => {
            tracing::error!(%error, "the documentation page does not render");
            Problem::internal().into_response()
        }
    }
}
