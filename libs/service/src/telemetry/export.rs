//! Export of traces to an OpenTelemetry collector.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, TracerProvider as _};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use url::Url;

type Base = tracing_subscriber::layer::Layered<
    tracing_subscriber::reload::Layer<
        tracing_subscriber::filter::Targets,
        tracing_subscriber::Registry,
    >,
    tracing_subscriber::Registry,
>;

/// The layer that turns tracing's spans into OpenTelemetry's.
pub(super) type TraceLayer = tracing_opentelemetry::OpenTelemetryLayer<Base, SdkTracer>;

/// Longest time one batch may take to be sent.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// A provider that sends batches to the collector, from a thread of its own.
pub(super) fn provider(
    endpoint: &Url,
    service: &'static str,
) -> Result<SdkTracerProvider, Box<dyn Error + Send + Sync>> {
    let client = RuntimeClient {
        collector: endpoint.to_string(),
        failing: AtomicBool::new(false),
        client: reqwest::Client::builder().timeout(EXPORT_TIMEOUT).build()?,
        runtime: Handle::current(),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(traces_url(endpoint))
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let resource = Resource::builder().with_service_name(service).build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}

/// Makes a request's span a child of the span that the caller named in its headers (W3C Trace Context), and answers the
/// `traceparent` that names it in turn.
pub(super) fn join_trace(span: &Span, headers: &HeaderMap) -> Option<String> {
    let caller =
        global::get_text_map_propagator(|format| format.extract(&HeaderExtractor(headers)));
    // A span that is filtered out belongs to no trace.
    span.set_parent(caller).ok()?;
    let context = span.context();
    let own = context.span().span_context().clone();
    own.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            own.trace_id(),
            own.span_id(),
            own.trace_flags().to_u8()
        )
    })
}

pub(super) fn layer(provider: &SdkTracerProvider) -> TraceLayer {
    tracing_opentelemetry::layer().with_tracer(provider.tracer("bizosaas"))
}

/// The signal's path is appended, as the OTLP exporter specification says for the general variable.
fn traces_url(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}

/// The batch processor polls from a bare thread, where reqwest finds no reactor; requests run on our runtime instead.
struct RuntimeClient {
    collector: String,
    failing: AtomicBool,
    client: reqwest::Client,
    runtime: Handle,
}

impl fmt::Debug for RuntimeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuntimeClient")
    }
}

impl HttpClient for RuntimeClient {
    fn send_bytes<'a, 'future>(
        &'a self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'a: 'future,
        Self: 'future,
    {
        let sent = self.runtime.spawn(send(self.client.clone(), request));
        Box::pin(async move {
            let answer = sent.await?;
            self.tell_change(&answer);
            answer
        })
    }
}

impl RuntimeClient {
    /// Lost traces are no fault of the service, but an operator wants to know; once.
    fn tell_change(&self, answer: &Result<http::Response<Bytes>, HttpError>) {
        let failed = !answer
            .as_ref()
            .is_ok_and(|response| response.status().is_success());
        if self.failing.swap(failed, Ordering::Relaxed) == failed {
            return;
        }
        let collector = &*self.collector;
        match answer {
            Ok(response) if failed => {
                tracing::warn!(
                    collector,
                    status = response.status().as_u16(),
                    "traces are refused"
                );
            }
            Ok(_) => tracing::info!(collector, "traces are exported again"),
            Err(error) => tracing::warn!(collector, error = %error, "traces cannot be exported"),
        }
    }
}

async fn send(
    client: reqwest::Client,
    request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, HttpError> {
    let response = client.execute(request.try_into()?).await?;
    let status = response.status();
    let mut out = http::Response::new(response.bytes().await?);
    *out.status_mut() = status;
    Ok(out)
}
