//! Analytics: events that count once, counts by quarter of an hour, dashboards over them.

mod app;
pub mod catalogue;
mod config;
mod dashboards;
mod jobs;
pub mod query;
pub mod sources;
mod tracking;
pub mod version;

pub use config::AnalyticsConfig;
pub use dashboards::OverviewChange;
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
    type Config = AnalyticsConfig;

    fn openapi() -> OpenApi {
        app::routes().into_openapi()
    }

    async fn build(core: Core, config: AnalyticsConfig) -> anyhow::Result<App> {
        let state = AppState::new(core.clone(), config)?;
        let public = app::routes()
            .split_for_parts()
            .0
            .layer(DefaultBodyLimit::max(BATCH_BYTES))
            .with_state(state.clone());
        let mut app = App::new(public.merge(bz_events::feed_routes().with_state(core.clone())));
        for (name, source) in [
            ("crm-feed", &platform::CRM),
            ("identity-feed", &platform::IDENTITY),
        ] {
            let sibling = Sibling::new(source.name, core.siblings.of(source), &core.sources)?;
            app = app.with_job(feeds::follow(name, source, sibling, core.clone()));
        }
        Ok(sources::jobs(&state).into_iter().fold(app, App::with_job))
    }
}
