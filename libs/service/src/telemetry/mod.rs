//! Logs, traces and metrics: set up once per process, also when five services share it.

mod export;
mod lines;
mod process;

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};
use url::Url;

use crate::config::Env;

/// How logs look and where traces go.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// JSON lines or text for people.
    pub format: LogFormat,
    /// Filter in the syntax of `tracing_subscriber::filter::Targets`.
    pub level: String,
    /// OTLP collector (HTTP, protobuf); traces are exported only when set.
    pub otlp_endpoint: Option<Url>,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Coloured text.
    Pretty,
}

impl std::str::FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            _ => Err("write json or pretty"),
        }
    }
}

impl TelemetryConfig {
    /// Reads the variables.
    pub fn read(env: &mut Env) -> Option<Self> {
        let format = env
            .parsed("LOG_FORMAT", "json or pretty", "Form of the log lines.")
            .or("json");
        let level = env
            .text(
                "LOG_LEVEL",
                "Log filter: a level, or levels by target such as `info,bz_http=debug`.",
            )
            .check(|level| {
                level
                    .parse::<Targets>()
                    .map(drop)
                    .map_err(|error| error.to_string())
            })
            .or("info");
        let otlp_endpoint = env
            .url(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "OpenTelemetry collector (OTLP over HTTP). No export when unset.",
            )
            .optional();
        Some(Self {
            format: format?,
            level: level?,
            otlp_endpoint: otlp_endpoint?,
        })
    }
}

/// The process's telemetry. Cheap to clone; [`Telemetry::shutdown`] flushes it at exit.
#[derive(Clone)]
pub struct Telemetry {
    metrics: PrometheusHandle,
    filter: Option<reload::Handle<Targets, Registry>>,
    traces: Option<SdkTracerProvider>,
}

/// Telemetry was already set up, or the exporter cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("telemetry cannot be set up")]
pub struct TelemetryError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The text is no log filter.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFilter(String);

/// Seconds; from a cached read to the edge's limit.
const BUCKETS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

impl Telemetry {
    /// Installs the process-wide log subscriber, trace exporter and metrics recorder. Call once, inside the runtime.
    ///
    /// # Errors
    /// [`TelemetryError`] when something else installed its own before.
    pub fn install(
        config: &TelemetryConfig,
        service: &'static str,
    ) -> Result<Self, TelemetryError> {
        let failed = |error| TelemetryError(error);
        let traces = match &config.otlp_endpoint {
            Some(endpoint) => Some(export::provider(endpoint, service).map_err(failed)?),
            None => None,
        };
        if traces.is_some() {
            bz_http::context::set_span_parent(export::join_trace);
        }
        let filter = config
            .level
            .parse::<Targets>()
            .map_err(|error| failed(error.into()))?;
        let (filter, handle) = reload::Layer::new(filter);
        tracing_subscriber::registry()
            .with(filter)
            .with(traces.as_ref().map(export::layer))
            .with(lines(config.format))
            .try_init()
            .map_err(|error| failed(error.into()))?;
        let metrics = recorder()
            .map_err(failed)?
            .install_recorder()
            .map_err(|error| failed(error.into()))?;
        process::describe();
        log_panics();
        tokio::spawn(upkeep(metrics.clone()));
        Ok(Self {
            metrics,
            filter: Some(handle),
            traces,
        })
    }

    /// Telemetry that installs nothing: for tests, whose process belongs to the test harness.
    #[must_use]
    pub fn detached() -> Self {
        Self {
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            filter: None,
            traces: None,
        }
    }

    /// The text of `/metrics`, with the process's own numbers read now.
    #[must_use]
    pub fn render_metrics(&self) -> String {
        process::record();
        self.metrics.render()
    }

    /// Changes the log filter of the running process.
    ///
    /// # Errors
    /// [`InvalidFilter`] says what is wrong with the text.
    pub fn set_filter(&self, text: &str) -> Result<(), InvalidFilter> {
        let filter = text
            .trim()
            .parse::<Targets>()
            .map_err(|error| InvalidFilter(error.to_string()))?;
        let Some(handle) = &self.filter else {
            return Ok(());
        };
        handle
            .reload(filter)
            .map_err(|error| InvalidFilter(error.to_string()))
    }

    /// Sends the spans that wait. The last thing before exit.
    pub async fn shutdown(self) {
        let Some(provider) = self.traces else { return };
        // The exporter blocks its caller, and its requests need this runtime.
        let flushed =
            std::thread::spawn(move || provider.shutdown_with_timeout(Duration::from_secs(3)));
        while !flushed.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A panic is a log line like any other; what it says is not shown to clients.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(
            panic.location = location,
            panic.message = panic.payload_as_str(),
            "panicked"
        );
    }));
}

fn lines(format: LogFormat) -> Box<dyn Layer<Layered> + Send + Sync> {
    match format {
        LogFormat::Json => fmt::layer()
            .event_format(lines::JsonLines)
            .fmt_fields(lines::JsonMembers)
            .boxed(),
        LogFormat::Pretty => fmt::layer().compact().with_target(false).boxed(),
    }
}

/// The registry under the line layer.
type Layered = tracing_subscriber::layer::Layered<
    Option<export::TraceLayer>,
    tracing_subscriber::layer::Layered<reload::Layer<Targets, Registry>, Registry>,
>;

fn recorder() -> Result<PrometheusBuilder, Box<dyn std::error::Error + Send + Sync>> {
    Ok(PrometheusBuilder::new().set_buckets(&BUCKETS)?)
}

/// Histogram samples are folded also when nobody scrapes; they would grow without bound else.
async fn upkeep(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        metrics.run_upkeep();
    }
}
