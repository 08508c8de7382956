//! What the handlers of analytics share, and the list of its routes.

use std::sync::Arc;

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_http::Routes;
use bz_kernel::platform;
use bz_service::{Core, limiter::Limiter};

use crate::query::Engine;
use crate::{
    alerts, analyses, dashboards, metrics,
    realtime::{self, Hub},
    reports::{self, Reports},
    schedules, settings, shares,
    sources::{self, Sources},
    templates,
    tracking::{self, Tracking},
    webhooks::{self, Webhooks},
};

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service has.
    pub core: Core,
    /// Answers questions for numbers.
    pub engine: Engine,
    /// What ingestion remembers.
    pub tracking: Arc<Tracking>,
    /// Who watches.
    pub hub: Hub,
    /// What data sources need.
    pub sources: Sources,
    /// What reports need.
    pub reports: Reports,
    /// Seals the secrets of webhooks, and calls their addresses.
    pub webhooks: Webhooks,
    /// Counts what comes too often.
    pub limiter: Arc<Limiter>,
    /// Requests with events that a tenant may send a minute; 0 for any number.
    pub batches_a_minute: u32,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

impl AppState {
    /// Wakes whoever follows the feed of this service.
    pub(crate) fn wake(&self) {
        bz_events::wake(&self.core.redis, platform::ANALYTICS.schema);
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(tracking::routes())
        .merge(realtime::routes())
        .merge(dashboards::routes())
        .merge(reports::routes())
        .merge(schedules::routes())
        .merge(alerts::routes())
        .merge(webhooks::routes())
        .merge(metrics::routes())
        .merge(settings::routes())
        .merge(analyses::routes())
        .merge(templates::routes())
        .merge(shares::routes())
        .merge(sources::routes())
}
