//! What can be asked: for people who begin, and for programs.

mod capabilities;
mod suggestions;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(suggestions::list_suggestions))
        .routes(routes!(capabilities::get_capabilities))
}
