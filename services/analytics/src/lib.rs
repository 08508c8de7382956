//! Analytics: events that count once, counts by quarter of an hour, dashboards over them.

mod app;
pub mod catalogue;
mod dashboards;
mod jobs;
mod metrics;
pub mod query;
mod realtime;
mod settings;
pub mod tracking;
pub mod version;

pub use dashboards::OverviewChange;
pub use tracking::TrackedEvent;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use bz_http::client::Sibling;
use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service};
use utoipa::openapi::OpenApi;

use crate::{
    app::AppState,
    jobs::feeds,
    realtime::Hub,
    tracking::Tracking,
};

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
        let faults = catalogue::Catalogue::builtin().faults();
        anyhow::ensure!(
            faults.is_empty(),
            "the catalogue of metrics: {}",
            faults.join("; ")
        );
        tracking::make_partitions(&core).await?;
        let (tracking, hub) = (Arc::<Tracking>::default(), Hub::new(core.redis.clone()));
        let public = app::routes()
            .split_for_parts()
            .0
            .layer(DefaultBodyLimit::max(BATCH_BYTES))
            .with_state(AppState {
                engine: query::Engine::new(core.clone()),
                core: core.clone(),
                tracking: Arc::clone(&tracking),
                hub: hub.clone(),
            });
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
        Ok(app)
    }
}
