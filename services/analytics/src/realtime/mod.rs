//! What happens right now: the last 30 minutes by minute, once or as a stream.

mod hub;
mod metrics;
mod numbers;
mod stream;

use bz_http::{Routes, routes};

use crate::app::AppState;

pub(crate) use hub::{Hub, job};

bz_auth::permissions! {
    /// See numbers.
    MetricsRead = "metrics:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(metrics::get_realtime_metrics))
        .routes(routes!(stream::get_realtime_stream))
}
