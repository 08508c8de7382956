//! The stack that every request passes, in one place.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use bz_kernel::Sources;
use futures_util::FutureExt;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::{Instrument, debug, error, info, info_span};
use uuid::Uuid;

use crate::Problem;
use crate::context::{self, DEADLINE_HEADER, REQUEST_ID_HEADER, RequestContext};
use crate::problem::{Cause, ProblemCode};

/// A service's routes inside their layers.
pub type Stack = BoxCloneSyncService<Request, Response, Infallible>;

/// What can be set about the stack.
#[derive(Debug, Clone)]
pub struct LayerConfig {
    /// Name of the service, on its metrics.
    pub service: &'static str,
    /// Longest time a request may take. The client may ask for less.
    pub request_timeout: Duration,
    /// Largest body, in bytes. A route may set its own.
    pub body_limit: usize,
    /// Origins that browsers may call from; `*` for any, empty for none.
    pub cors_allowed_origins: Vec<String>,
}

/// Smaller answers are not worth compressing.
const COMPRESS_ABOVE_BYTES: u64 = 1024;

/// Puts the routes inside their layers. From the outside in:
///
/// 1. the edge: request id, trace, deadline, panics, access log, metrics, and what every answer carries;
/// 2. CORS, so that also an error can be read by an allowed origin;
/// 3. compression;
/// 4. the slash at the end of a path, dropped before routing and without a redirect, which would lose bodies;
/// 5. the routes with their body limit and with problems for unknown paths and methods.
#[must_use]
pub fn stack(router: Router, config: LayerConfig, sources: Sources) -> Stack {
    let routes = router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn(remember_route))
        .layer(DefaultBodyLimit::max(config.body_limit));
    let worth = SizeAbove::new(COMPRESS_ABOVE_BYTES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES);
    let inner = ServiceBuilder::new()
        .option_layer(cors(&config.cors_allowed_origins))
        .layer(CompressionLayer::new().compress_when(worth))
        .map_request(without_trailing_slash)
        .service(routes)
        .map_response(|response: http::Response<_>| response.map(Body::new));
    let edge = Arc::new(Edge { config, sources });
    BoxCloneSyncService::new(service_fn(move |request| {
        let (edge, inner) = (Arc::clone(&edge), inner.clone());
        async move { Ok(edge.pass(request, |request| inner.oneshot(request)).await) }
    }))
}

/// The route a request matched, kept for the metrics.
#[derive(Clone)]
struct Route(MatchedPath);

async fn remember_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(Route(route));
    }
    response
}

fn without_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let kept = path.trim_end_matches('/');
        let kept = if kept.is_empty() { "/" } else { kept };
        let target = match request.uri().query() {
            Some(query) => format!("{kept}?{query}"),
            None => kept.to_owned(),
        };
        if let Ok(target) = PathAndQuery::try_from(target) {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(target);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

fn cors(origins: &[String]) -> Option<CorsLayer> {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else if origins.is_empty() {
        return None;
    } else {
        AllowOrigin::list(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        )
    };
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    let headers = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static(REQUEST_ID_HEADER),
    ];
    let exposed = [
        header::ETAG,
        header::LOCATION,
        header::RETRY_AFTER,
        HeaderName::from_static(REQUEST_ID_HEADER),
    ];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods(methods)
            .allow_headers(headers)
            .expose_headers(exposed)
            .max_age(Duration::from_secs(3600)),
    )
}

/// The outermost layer.
struct Edge {
    config: LayerConfig,
    sources: Sources,
}

/// What is left to say of a request once it was answered.
struct Seen {
    method: Method,
    path: String,
    request_id: String,
    started: Instant,
}

impl Edge {
    async fn pass<F>(&self, request: Request, inner: impl FnOnce(Request) -> F) -> Response
    where
        F: Future<Output = Result<Response, Infallible>>,
    {
        let started = Instant::now();
        let context = self.context_of(request.uri().path(), request.headers(), started);
        let span = info_span!(
            "request",
            otel.name = %request.method(),
            otel.kind = "server",
            request_id = %context.request_id,
            trace_id = context.traceparent.get(3..35),
        );
        context::connect_span(&span, request.headers());
        let seen = Seen {
            method: request.method().clone(),
            path: context.path.clone(),
            request_id: context.request_id.clone(),
            started,
        };
        let limit = context.remaining();
        let answer = async {
            let answer = AssertUnwindSafe(inner(request)).catch_unwind();
            let response = match tokio::time::timeout(limit, answer).await {
                Ok(Ok(Ok(response))) => response,
                Ok(Ok(Err(never))) => match never {},
                Ok(Err(panic)) => Problem::internal(panic_text(&*panic)).into_response(),
                Err(_) => Problem::deadline_exceeded().into_response(),
            };
            self.finish(response, &seen)
        };
        context::scope(context, answer.instrument(span)).await
    }

    fn context_of(&self, path: &str, headers: &HeaderMap, started: Instant) -> RequestContext {
        let sent = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|id| id.to_str().ok())
            .filter(|id| proper_id(id));
        let request_id = sent.map_or_else(|| self.sources.id::<Uuid>().to_string(), str::to_owned);
        let asked = headers
            .get(DEADLINE_HEADER)
            .and_then(|left| left.to_str().ok())
            .and_then(|left| left.parse().ok());
        let timeout = asked.map_or(self.config.request_timeout, |left| {
            Duration::from_millis(left).min(self.config.request_timeout)
        });
        let [trace, span] = [
            self.sources.rng.bytes::<16>(),
            self.sources.rng.bytes::<16>(),
        ]
        .map(u128::from_le_bytes);
        RequestContext {
            request_id,
            path: path.to_owned(),
            traceparent: context::trace_of(headers, trace, span as u64),
            deadline: started + timeout,
        }
    }

    fn finish(&self, mut response: Response, seen: &Seen) -> Response {
        let elapsed = seen.started.elapsed();
        let status = response.status();
        let extensions = response.extensions_mut();
        let (route, cause) = (extensions.remove::<Route>(), extensions.remove::<Cause>());
        let code = extensions
            .remove::<ProblemCode>()
            .map(|code| code.0)
            .unwrap_or_default();
        let route = route.as_ref().map_or("unmatched", |route| route.0.as_str());
        self.count(seen, route, status.as_u16(), elapsed);

        let (method, path, status) = (seen.method.as_str(), seen.path.as_str(), status.as_u16());
        let duration_ms = elapsed.as_secs_f64() * 1000.0;
        if status >= 500 {
            let cause = cause.map_or_else(String::new, |cause| chain(&*cause.0));
            error!(
                method,
                path,
                route,
                status,
                duration_ms,
                code = &*code,
                cause,
                "request failed"
            );
        } else if seen.method == Method::GET && status < 400 {
            // Reads that succeed are many; metrics count them. What changes or fails is what an operator looks for.
            debug!(method, path, route, status, duration_ms, "request");
        } else {
            info!(
                method,
                path,
                route,
                status,
                duration_ms,
                code = &*code,
                "request"
            );
        }

        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&seen.request_id) {
            headers.insert(REQUEST_ID_HEADER, id);
        }
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }

    fn count(&self, seen: &Seen, route: &str, status: u16, elapsed: Duration) {
        metrics::histogram!(
            "http_request_duration_seconds",
            "service" => self.config.service,
            "method" => method_label(&seen.method),
            "route" => route.to_owned(),
            "status" => status.to_string(),
        )
        .record(elapsed);
    }
}

/// A client may invent methods; metrics may not grow with them.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn proper_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// An error with everything that caused it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
