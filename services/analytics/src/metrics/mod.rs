//! Metrics: what there is to ask for, and the answers.

mod get_catalog;
mod query_metrics;

use bz_http::{Routes, routes};

use crate::app::AppState;

bz_auth::permissions! {
    /// See the catalogue of metrics and ask for numbers.
    MetricsRead = "metrics:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(query_metrics::query_metrics))
        .routes(routes!(get_catalog::get_metric_catalog))
}
