//! What can be asked: for people who begin, and for programs.

mod capabilities;
mod suggestions;

use bz_http::{Routes, routes};

use crate::app::AppState;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(suggestions::list_suggestions))
        .routes(routes!(capabilities::get_capabilities))
}
