//! How long requests take, by route.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::Method;
use metrics::Histogram;

/// The request histograms of one service. A histogram is asked of the recorder once and kept: making its labels costs
/// more than recording a value.
pub(super) struct Meter {
    service: &'static str,
    histograms: RwLock<HashMap<Outcome, HashMap<String, Histogram>>>,
}

/// The labels besides the route.
type Outcome = (&'static str, u16);

impl Meter {
    pub(super) fn new(service: &'static str) -> Self {
        Self {
            service,
            histograms: RwLock::default(),
        }
    }

    /// Counts one request. The route is a template out of the router's table, so that the series stay few.
    pub(super) fn record(&self, method: &Method, route: &str, status: u16, elapsed: Duration) {
        let outcome = (label(method), status);
        {
            let known = self
                .histograms
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(histogram) = known.get(&outcome).and_then(|routes| routes.get(route)) {
                return histogram.record(elapsed);
            }
        }
        let histogram = self.register(outcome, route);
        histogram.record(elapsed);
        self.histograms
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(outcome)
            .or_default()
            .insert(route.to_owned(), histogram);
    }

    fn register(&self, (method, status): Outcome, route: &str) -> Histogram {
        metrics::histogram!(
            "http_request_duration_seconds",
            "service" => self.service,
            "method" => method,
            "route" => route.to_owned(),
            "status" => status.to_string(),
        )
    }
}

/// A client may invent methods; metrics may not grow with them.
fn label(method: &Method) -> &'static str {
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
