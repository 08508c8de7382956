//! What a request meets first: health and documentation, then the service's own routes once they are there.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::IntoResponse;
use bz_http::Problem;
use bz_http::layers::Stack;
use http::{HeaderValue, Method, Request, Response, header};
use tower::ServiceExt;

use crate::app::WarmUp;
use crate::docs::Docs;
use crate::health::Health;
use crate::server::Handler;

/// The outermost handler of a service. Health and documentation pass none of the layers: they are answered also while
/// everything else is in trouble, and are neither logged nor counted.
pub struct Front {
    health: Arc<Health>,
    docs: Docs,
    routes: OnceLock<Stack>,
}

impl Front {
    /// A front without routes: it answers 503 to everything but health and documentation.
    #[must_use]
    pub fn new(health: Arc<Health>, docs: Docs) -> Self {
        Self {
            health,
            docs,
            routes: OnceLock::new(),
        }
    }

    /// Opens the routes. Only the first call counts.
    pub fn install(&self, routes: Stack, warm_up: Option<WarmUp>) {
        if self.routes.set(routes).is_ok() {
            self.health.set_built(warm_up);
        }
    }
}

impl Handler for Front {
    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        let own = self
            .health
            .answer(path)
            .or_else(|| self.docs.answer(path, request.headers()));
        match (own, request.method()) {
            (Some(answer), &Method::GET | &Method::HEAD) => return answer,
            // The routes' own layers answer preflights.
            (None, _) | (_, &Method::OPTIONS) => {}
            (Some(_), _) => return only_read(),
        }
        match self.routes.get() {
            Some(routes) => routes
                .clone()
                .oneshot(request)
                .await
                .unwrap_or_else(|never| match never {}),
            None => starting(),
        }
    }
}

fn only_read() -> Response<Body> {
    let readable = HeaderValue::from_static("GET,HEAD");
    Problem::method_not_allowed()
        .header(header::ALLOW, readable)
        .into_response()
}

fn starting() -> Response<Body> {
    Problem::not_ready("The service is starting or its database is not usable; see /health.")
        .into_response()
}
