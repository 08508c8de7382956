//! Dashboards: numbers per day and against the period before, read from the rollup and never from the raw events.

mod change;
mod overview;
mod period;
mod store;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

pub use change::OverviewChange;

bz_auth::permissions! {
    /// See dashboards.
    DashboardsRead = "dashboards:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(overview::get_overview))
}
