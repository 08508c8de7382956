//! Alerts: somebody is told when a number is not as it should be. Each piece of time is judged once, when it is over and
//! its numbers are complete; an incomplete one never fires.

mod buckets;
mod create;
mod delete;
mod firing;
mod get;
mod judge;
mod list;
mod patch;
mod resource;
mod state;
mod store;
mod work;

use bz_http::{Routes, routes};

use crate::app::AppState;

pub(crate) use firing::{FiringAlert, firing};
pub(crate) use work::job;

bz_auth::permissions! {
    /// See alerts and how they stand.
    AlertsRead = "alerts:read",
    /// Set up alerts.
    AlertsWrite = "alerts:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_alert, list::list_alerts))
        .routes(routes!(
            get::get_alert,
            patch::patch_alert,
            delete::delete_alert
        ))
}
