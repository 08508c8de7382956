//! Links that show one dashboard to whoever has them, without a login: signed, with an end, revocable, and with days and
//! filters that nobody who has the link can change.

mod create;
mod html;
mod limits;
mod list;
mod page;
mod revoke;
mod show;
mod store;
mod token;

use bz_http::{Routes, routes};
use bz_kernel::{UserId, typed_id};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    dashboards::{DashboardId, View},
};

typed_id!(
    /// A link to a dashboard.
    ShareId
);

/// The routes of this resource, the public ones included.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::share_dashboard))
        .routes(routes!(list::list_shares))
        .routes(routes!(revoke::revoke_share))
        .routes(routes!(show::get_shared_dashboard))
        .routes(routes!(page::get_shared_page))
}

/// A link to a dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Share {
    /// Its id.
    pub id: ShareId,
    /// What it shows.
    pub dashboard_id: DashboardId,
    /// For whom it is; only the tenant sees this.
    pub name: String,
    /// Days, time zone, comparison and filters that it shows, always.
    pub view: View,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The page for people, below the address of this service. Whoever has it sees the dashboard.
    #[serde(default)]
    pub path: String,
    /// The same for programs.
    #[serde(default)]
    pub api_path: String,
}
