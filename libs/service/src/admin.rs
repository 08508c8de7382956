//! The admin listener: `/metrics` for Prometheus and the log filter of the running process. Not for the internet.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, put};
use tower::ServiceExt;

use crate::server::Handler;
use crate::telemetry::Telemetry;

/// The handler of the admin listener.
#[derive(Clone)]
pub struct Admin(Router);

impl Admin {
    /// Serves the numbers and the filter of this telemetry.
    #[must_use]
    pub fn new(telemetry: Telemetry) -> Self {
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/log-filter", put(set_log_filter))
            .layer(DefaultBodyLimit::max(4096))
            .with_state(telemetry);
        Self(router)
    }
}

impl Handler for Admin {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        self.0
            .clone()
            .oneshot(request)
            .await
            .unwrap_or_else(|never: Infallible| match never {})
    }
}

async fn metrics(State(telemetry): State<Telemetry>) -> impl IntoResponse {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        telemetry.render_metrics(),
    )
}

/// The body is the filter: `info,bz_http=debug`.
async fn set_log_filter(State(telemetry): State<Telemetry>, filter: String) -> impl IntoResponse {
    match telemetry.set_filter(&filter) {
        Ok(()) => {
            tracing::info!(log.filter = filter.trim(), "log filter changed");
            (StatusCode::NO_CONTENT, String::new())
        }
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")),
    }
}
