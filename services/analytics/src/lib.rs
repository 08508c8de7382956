//! Analytics: events that count once, counts by quarter of an hour, dashboards over them.

mod analyses;
mod app;
pub mod catalogue;
pub mod charts;
mod dashboards;
mod jobs;
pub mod query;
mod shares;
pub mod sources;
pub mod templates;
mod tracking;
pub mod version;

pub use analyses::{CohortsQuery, FunnelQuery, RetentionQuery};
pub use dashboards::{
    ChartKind, Dashboard, DashboardId, DashboardSummary, GRID_COLUMNS, Layout, MadeOf,
    NumbersQuery, OverviewChange, Tile, TileQuery, View, WantedDashboard, answer_tiles,
};
pub use tracking::TrackedEvent;

use axum::extract::DefaultBodyLimit;
use bz_http::client::Sibling;
use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service};
use utoipa::openapi::OpenApi;

use crate::{app::AppState, jobs::feeds};

/// The largest body of `POST /api/events`.
const BATCH_BYTES: usize = 5 * 1024 * 1024;

/// The service.
#[derive(Debug)]
pub struct Analytics;

impl Service for Analytics {
    const INFO: &'static ServiceInfo = &platform::ANALYTICS;
    type Config = ();

    fn openapi() -> OpenApi {
        app::routes().into_openapi()
    }

    async fn build(core: Core, (): ()) -> anyhow::Result<App> {
        let public = app::routes()
            .split_for_parts()
            .0
            .layer(DefaultBodyLimit::max(BATCH_BYTES))
            .with_state(AppState { core: core.clone() });
        let mut app = App::new(public.merge(bz_events::feed_routes().with_state(core.clone())));
        for (name, source) in [
            ("crm-feed", &platform::CRM),
            ("identity-feed", &platform::IDENTITY),
        ] {
            let sibling = Sibling::new(source.name, core.siblings.of(source), &core.sources)?;
            app = app.with_job(feeds::follow(name, source, sibling, core.clone()));
        }
        Ok(app)
    }
}
