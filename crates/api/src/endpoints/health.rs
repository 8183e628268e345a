//! `GET /livez`, `/readyz` and `/metrics`: for the machines that run this one.

/// `GET /livez`.
pub(crate) mod livez {
    use axum::extract::State;
    use axum::http::header;
    use axum::response::IntoResponse;

    use crate::app::App;
    use crate::backend::Backend;

    #[utoipa::path(
        get, path = "/livez", operation_id = "livez", tag = "operation",
        summary = "Is the process alive",
        responses((status = 200, description = "It answers.", body = String, content_type = "text/plain")),
        security(()),
    )]
    pub(crate) async fn handler<B: Backend>(State(app): State<App<B>>) -> impl IntoResponse {
        ([(header::CONTENT_TYPE, "text/plain")], format!("alive {}\n", app.backend.now()))
    }
}

/// `GET /readyz`.
pub(crate) mod readyz {
    use axum::extract::State;
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;

    use crate::app::App;
    use crate::backend::Backend;

    #[utoipa::path(
        get, path = "/readyz", operation_id = "readyz", tag = "operation",
        summary = "Does every branch take writes",
        responses(
            (status = 200, description = "All is well.", body = String, content_type = "text/plain"),
            (status = 503, description = "What is not, one reason a line.", body = String, content_type = "text/plain"),
        ),
        security(()),
    )]
    pub(crate) async fn handler<B: Backend>(State(app): State<App<B>>) -> impl IntoResponse {
        let readiness = app.backend.readiness();
        let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        if readiness.ready {
            (StatusCode::OK, plain, "ready\n".to_owned())
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, plain, readiness.reasons.join("\n") + "\n")
        }
    }
}

/// `GET /metrics`.
pub(crate) mod metrics {
    use axum::extract::State;
    use axum::http::header;
    use axum::response::IntoResponse;

    use crate::app::App;
    use crate::backend::Backend;

    #[utoipa::path(
        get, path = "/metrics", operation_id = "metrics", tag = "operation",
        summary = "Metrics in the Prometheus text format",
        responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain")),
        security(()),
    )]
    pub(crate) async fn handler<B: Backend>(State(app): State<App<B>>) -> impl IntoResponse {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.backend.metrics())
    }
}
