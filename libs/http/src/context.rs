//! What is known of the request in hand: its id, its trace, its deadline. Problems, the client to siblings and the
//! outbox read it; the stack of layers sets it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tracing::{Instrument, Span};

pub use crate::deadline::Deadline;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// Header with the milliseconds that are left for a request.
pub const DEADLINE_HEADER: &str = "x-request-deadline-ms";
/// Header with the request's id.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
/// Header with the trace (W3C Trace Context).
pub const TRACEPARENT_HEADER: &str = "traceparent";

/// The request in hand.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Its id: the client's when it sent a proper one, else ours.
    pub request_id: String,
    /// Its path.
    pub path: String,
    /// The trace it belongs to, with this request as the parent of what it causes.
    pub traceparent: String,
    /// When the answer is of no use any more.
    pub deadline: Deadline,
}

impl RequestContext {
    /// The time that is left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline
            .moment()
            .saturating_duration_since(Instant::now())
    }
}

/// The request in hand, if the caller runs within one.
#[must_use]
pub fn current() -> Option<RequestContext> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The trace of the request in hand.
#[must_use]
pub fn traceparent() -> Option<String> {
    CURRENT.try_with(|context| context.traceparent.clone()).ok()
}

/// Gives the request in hand this much time from now, where the service's limit is too short for what a handler waits
/// for. Neither shortens a request nor goes beyond the time that the client asked for.
pub fn extend_deadline(limit: Duration) {
    // Outside of a request nothing waits.
    let _outside = CURRENT.try_with(|context| context.deadline.extend(limit));
}

/// Runs a future within a request.
pub async fn scope<F: Future>(context: RequestContext, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}

/// The future within the request and the span in hand now. For a task that is spawned to go on with a request's work:
/// tasks inherit neither.
pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let context = current();
    let future = future.instrument(Span::current());
    async move {
        match context {
            Some(context) => scope(context, future).await,
            None => future.await,
        }
    }
}

/// Connects a request's span to the trace in its headers, and answers the `traceparent` that names the span in turn.
pub type SpanParent = fn(&Span, &HeaderMap) -> Option<String>;

static SPAN_PARENT: OnceLock<SpanParent> = OnceLock::new();

/// Installs the function that connects spans to incoming traces. Called once, when traces are exported.
pub fn set_span_parent(connect: SpanParent) {
    // A second telemetry set-up in one process keeps the first function, which does the same.
    let _already_set = SPAN_PARENT.set(connect);
}

/// Connects a span to the trace that `headers` name, when traces are exported. Answers the `traceparent` by which what
/// the span causes refers to it.
pub fn connect_span(span: &Span, headers: &HeaderMap) -> Option<String> {
    SPAN_PARENT.get().and_then(|connect| connect(span, headers))
}

/// A `traceparent` for this request within the client's trace, or within a new one.
pub(crate) fn trace_of(headers: &HeaderMap, fresh: u128, span: u64) -> String {
    let incoming = headers
        .get(TRACEPARENT_HEADER)
        .and_then(|value| value.to_str().ok())
        .and_then(parse);
    let (trace, flags) = incoming.unwrap_or((fresh, 1));
    format!("00-{trace:032x}-{:016x}-{flags:02x}", span.max(1))
}

/// Trace id and flags of a `traceparent` (W3C Trace Context, section 3.2). Strict: anything odd starts a new trace.
fn parse(text: &str) -> Option<(u128, u8)> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let shaped =
        hex(version, 2) && version != "ff" && hex(trace, 32) && hex(span, 16) && hex(flags, 2);
    if !shaped || (version == "00" && parts.next().is_some()) || span.bytes().all(|b| b == b'0') {
        return None;
    }
    let trace = u128::from_str_radix(trace, 16)
        .ok()
        .filter(|trace| *trace != 0)?;
    Some((trace, u8::from_str_radix(flags, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_good_trace_is_continued_and_a_bad_one_is_replaced() {
        let with = |value: &str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(TRACEPARENT_HEADER),
                http::HeaderValue::from_str(value).unwrap(),
            )]);
            trace_of(&headers, 7, 9)
        };
        assert_eq!(
            with(GOOD),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000009-01"
        );
        let upper = GOOD.to_uppercase();
        let long = format!("{GOOD}-x");
        for bad in [
            "",
            "00",
            "ff-x",
            upper.as_str(),
            long.as_str(),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        ] {
            assert_eq!(
                with(bad),
                "00-00000000000000000000000000000007-0000000000000009-01",
                "{bad}"
            );
        }
    }
}
