//! The stack that every request passes, in one place.

mod edge;
mod meter;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use bz_kernel::Sources;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use tower::util::{BoxCloneSyncService, MapRequestLayer};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::Problem;
use crate::client_ip::TrustedProxies;
use crate::context::{REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use crate::idempotency::{KEY_HEADER, REPLAYED_HEADER};
use edge::{Edge, remember_route};

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
    /// Whose word about the client's address counts.
    pub trusted_proxies: TrustedProxies,
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
    let LayerConfig {
        service,
        request_timeout,
        body_limit,
        cors_allowed_origins,
        trusted_proxies,
    } = config;
    let routes = router
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(MapRequestLayer::new(remember_route))
        .layer(DefaultBodyLimit::max(body_limit));
    let worth = SizeAbove::new(COMPRESS_ABOVE_BYTES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(is_not_in_parts);
    let inner = ServiceBuilder::new()
        .option_layer(cors(&cors_allowed_origins))
        .layer(CompressionLayer::new().compress_when(worth))
        .map_request(without_trailing_slash)
        .service(routes)
        .map_response(|response: http::Response<_>| response.map(Body::new));
    let edge = Edge::new(service, request_timeout, sources);
    let layers = Arc::new((edge, inner, trusted_proxies));
    BoxCloneSyncService::new(service_fn(move |mut request| {
        let layers = Arc::clone(&layers);
        async move {
            let (edge, inner, trusted_proxies) = &*layers;
            trusted_proxies.resolve(&mut request);
            let answer = edge.pass(request, |request| inner.clone().oneshot(request));
            Ok(answer.await)
        }
    }))
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
        KEY_HEADER,
        HeaderName::from_static(REQUEST_ID_HEADER),
        HeaderName::from_static(TRACEPARENT_HEADER),
    ];
    let exposed = [
        header::ETAG,
        header::LOCATION,
        header::RETRY_AFTER,
        REPLAYED_HEADER,
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

/// A file that can be fetched in parts goes out as it is: its parts have to fit together.
fn is_not_in_parts(
    _: http::StatusCode,
    _: http::Version,
    headers: &http::HeaderMap,
    _: &http::Extensions,
) -> bool {
    !headers.contains_key(http::header::ACCEPT_RANGES)
}
