//! Analytics: events that count once, counts by quarter of an hour, dashboards over them.

mod alerts;
mod analyses;
mod app;
pub mod catalogue;
pub mod charts;
mod config;
mod dashboards;
mod jobs;
mod metrics;
pub mod query;
mod realtime;
pub mod reports;
mod schedules;
mod settings;
mod shares;
pub mod sources;
pub mod templates;
pub mod tracking;
pub mod version;
mod webhooks;

pub use analyses::{CohortsQuery, FunnelQuery, RetentionQuery};
pub use config::AnalyticsConfig;
pub use dashboards::{
    ChartKind, Dashboard, DashboardId, DashboardSummary, GRID_COLUMNS, Layout, MadeOf,
    NumbersQuery, OverviewChange, Tile, TileQuery, View, WantedDashboard, answer_tiles,
};
pub use tracking::TrackedEvent;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use bz_http::{
    client::Sibling,
    egress::{Egress, EgressLimits},
};
use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service, limiter::Limiter};
use utoipa::openapi::OpenApi;

use crate::{
    app::AppState, jobs::feeds, realtime::Hub, reports::Reports, sources::Sources,
    tracking::Tracking, webhooks::Webhooks,
};

/// The largest body of `POST /api/events`.
const BATCH_BYTES: usize = 5 * 1024 * 1024;

/// Buckets of limits that the process keeps while it counts alone.
const MOST_BUCKETS: usize = 20_000;

/// The service.
#[derive(Debug)]
pub struct Analytics;

impl Service for Analytics {
    const INFO: &'static ServiceInfo = &platform::ANALYTICS;
    type Config = AnalyticsConfig;

    fn openapi() -> OpenApi {
        let about = "Events that count once, and dashboards over them.";
        app::routes().document(bz_http::openapi::base(Self::INFO, about))
    }

    async fn build(core: Core, config: AnalyticsConfig) -> anyhow::Result<App> {
        let faults = catalogue::Catalogue::builtin().faults();
        anyhow::ensure!(
            faults.is_empty(),
            "the catalogue of metrics: {}",
            faults.join("; ")
        );
        tracking::make_partitions(&core).await?;
        let (tracking, hub) = (Arc::<Tracking>::default(), Hub::new(core.redis.clone()));
        let sources = Sources::new(&core, config.egress.clone())?;
        let egress = Egress::new(config.egress, EgressLimits::default())?;
        let state = AppState {
            engine: query::Engine::new(core.clone()),
            core: core.clone(),
            tracking: Arc::clone(&tracking),
            hub: hub.clone(),
            sources,
            reports: Reports::new(&config.mail)?,
            webhooks: Webhooks::new(egress, &core.secret, core.sources.rng.clone()),
            limiter: Arc::new(Limiter::new(MOST_BUCKETS)),
            batches_a_minute: config.batches_a_minute,
        };
        let public = app::routes()
            .into_router()
            .layer(DefaultBodyLimit::max(BATCH_BYTES))
            .with_state(state.clone());
        let mut app = App::new(public.merge(bz_events::feed_routes().with_state(core.clone())));
        app = app.with_job(realtime::job(&core, hub.clone()));
        for job in tracking::jobs(&core) {
            app = app.with_job(job);
        }
        for (name, source) in [
            ("crm-feed", &platform::CRM),
            ("identity-feed", &platform::IDENTITY),
        ] {
            let sibling = Sibling::new(source.name, core.siblings.of(source), &core.sources)?;
            app = app.with_job(feeds::follow(
                name,
                source,
                sibling,
                (core.clone(), Arc::clone(&tracking), hub.clone()),
            ));
        }
        let jobs = reports::jobs(&state)
            .chain([schedules::job(&state), alerts::job(&state)])
            .chain(bz_service::webhooks::jobs(&state))
            .chain(sources::jobs(&state));
        Ok(jobs.fold(app, App::with_job))
    }
}
