//! The chat widget that other pages embed: one script without dependencies, and what it is told.

mod config;
mod script;

use bz_http::{Routes, routes};

use crate::app::AppState;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(script::get_widget_script))
        .routes(routes!(config::get_widget_config))
}
