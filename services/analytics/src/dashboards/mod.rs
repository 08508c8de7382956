//! Dashboards: tiles that are answered together, and the overview that needs none.

mod answers;
mod board;
pub(crate) mod boards;
mod change;
pub(crate) mod check;
pub(crate) mod create;
pub(crate) mod data;
mod delete;
mod duplicate;
mod get;
mod list;
mod overview;
pub(crate) mod period;
mod put;
mod store;
mod tile;

use bz_http::{Routes, routes};

use crate::app::AppState;

pub use answers::answer_tiles;
pub use board::{Dashboard, DashboardId, DashboardSummary, MadeOf, WantedDashboard};
pub use change::OverviewChange;
pub use tile::{ChartKind, GRID_COLUMNS, Layout, NumbersQuery, Tile, TileQuery, View};

bz_auth::permissions! {
    /// See dashboards.
    DashboardsRead = "dashboards:read",
    /// Make, change, share and delete dashboards.
    DashboardsWrite = "dashboards:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(overview::get_overview))
        .routes(routes!(create::create_dashboard, list::list_dashboards))
        .routes(routes!(
            get::get_dashboard,
            put::put_dashboard,
            delete::delete_dashboard
        ))
        .routes(routes!(duplicate::duplicate_dashboard))
        .routes(routes!(data::get_dashboard_data))
}
