//! The outermost layer: everything that is said and measured about a request, in one pass.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use bz_kernel::{Sources, error_chain};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, header};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, error, info, info_span};
use uuid::Uuid;

use super::meter::Meter;
use crate::context::{self, DEADLINE_HEADER, REQUEST_ID_HEADER, RequestContext};
use crate::deadline::Deadline;
use crate::problem::{Cause, ProblemCode};
use crate::{Problem, etag};

/// The route of a request that matched none.
const UNMATCHED: &str = "unmatched";

/// Where the route that a request matched is left for the edge, which also tells of requests that never come back:
/// those that panic or take too long.
type RouteSlot = Arc<OnceLock<MatchedPath>>;

/// Leaves the route in its slot. Runs behind the routing.
pub(super) fn remember_route(request: Request) -> Request {
    let extensions = request.extensions();
    if let (Some(slot), Some(route)) = (extensions.get::<RouteSlot>(), extensions.get()) {
        slot.get_or_init(|| MatchedPath::clone(route));
    }
    request
}

/// The outermost layer.
pub(super) struct Edge {
    request_timeout: Duration,
    meter: Meter,
    sources: Sources,
}

/// What is left to say of a request once it was answered.
struct Seen {
    method: Method,
    path: String,
    request_id: String,
    route: RouteSlot,
    /// Whether the span goes to a collector of traces.
    is_exported: bool,
    started: Instant,
}

impl Seen {
    fn route(&self) -> &str {
        self.route.get().map_or(UNMATCHED, MatchedPath::as_str)
    }
}

impl Edge {
    pub(super) fn new(service: &'static str, request_timeout: Duration, sources: Sources) -> Self {
        Self {
            request_timeout,
            meter: Meter::new(service),
            sources,
        }
    }

    /// Answers a request, whatever the layers inside do with it.
    pub(super) async fn pass<F>(
        &self,
        mut request: Request,
        inner: impl FnOnce(Request) -> F,
    ) -> Response
    where
        F: Future<Output = Result<Response, Infallible>>,
    {
        let started = Instant::now();
        let mut context = self.context_of(request.uri().path(), request.headers(), started);
        let span = info_span!(
            "request",
            otel.name = %request.method(),
            otel.kind = "server",
            request_id = %context.request_id,
            trace_id = Empty,
            tenant.id = Empty,
            user.id = Empty,
        );
        let exported = context::connect_span(&span, request.headers());
        let is_exported = exported.is_some();
        if let Some(exported) = exported {
            context.traceparent = exported;
        }
        span.record("trace_id", context.traceparent.get(3..35));
        let seen = Seen {
            method: request.method().clone(),
            path: context.path.clone(),
            request_id: context.request_id.clone(),
            route: RouteSlot::default(),
            is_exported,
            started,
        };
        let known = etag::none_match(&seen.method, request.headers());
        request.extensions_mut().insert(Arc::clone(&seen.route));
        let deadline = context.deadline.clone();
        let answer = async {
            let answer = AssertUnwindSafe(inner(request)).catch_unwind();
            let response = match deadline.bound(answer).await {
                Some(Ok(Ok(response))) => response,
                Some(Ok(Err(never))) => match never {},
                Some(Err(panic)) => Problem::internal(panic_text(&*panic)).into_response(),
                None => Problem::deadline_exceeded().into_response(),
            };
            self.finish(etag::or_not_modified(response, known.as_ref()), &seen)
        };
        context::scope(context, answer.instrument(span)).await
    }

    fn context_of(&self, path: &str, headers: &HeaderMap, started: Instant) -> RequestContext {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let sent = text(REQUEST_ID_HEADER).filter(|id| proper_id(id));
        let request_id = sent.map_or_else(|| self.sources.id::<Uuid>().to_string(), str::to_owned);
        let asked = text(DEADLINE_HEADER).and_then(|left| left.parse().ok());
        let random = self.sources.rng.bytes::<24>();
        let (trace, span) = random.split_at(16);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, b| n << 8 | u128::from(*b));
        RequestContext {
            request_id,
            path: path.to_owned(),
            traceparent: context::trace_of(headers, number(trace), number(span) as u64),
            deadline: Deadline::new(
                started,
                self.request_timeout,
                asked.map(Duration::from_millis),
            ),
        }
    }

    fn finish(&self, mut response: Response, seen: &Seen) -> Response {
        let elapsed = seen.started.elapsed();
        let status = response.status().as_u16();
        self.meter
            .record(&seen.method, seen.route(), status, elapsed);
        tell(&mut response, seen, elapsed);

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
}

/// The one line that the log gets about a request, with the cause when it failed on our side.
fn tell(response: &mut Response, seen: &Seen, elapsed: Duration) {
    let status = response.status().as_u16();
    let extensions = response.extensions_mut();
    let cause = extensions.remove::<Cause>();
    let code = extensions.remove::<ProblemCode>();
    let code = code.as_ref().map_or("", |code| &code.0);
    let (method, path, route) = (seen.method.as_str(), seen.path.as_str(), seen.route());
    let duration_ms = elapsed.as_secs_f64() * 1000.0;
    // Reads that succeed are many; metrics count them. What changes or fails is what an operator looks for.
    let is_quiet = seen.method == Method::GET && status < 400;
    if seen.is_exported || !is_quiet {
        // What OpenTelemetry calls a server's span: the method and the route's template.
        Span::current().record(
            "otel.name",
            tracing::field::display(format_args!("{method} {route}")),
        );
    }
    if status >= 500 {
        let cause = cause.map_or_else(String::new, |cause| error_chain(&*cause.0));
        // The span has the id too, but a log of errors only has no spans.
        let request_id = seen.request_id.as_str();
        error!(
            request_id,
            method, path, route, status, duration_ms, code, cause, "request failed"
        );
    } else if is_quiet {
        debug!(method, path, route, status, duration_ms, "request");
    } else {
        info!(method, path, route, status, duration_ms, code, "request");
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
