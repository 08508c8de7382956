//! What the handlers of analytics share, and the list of its routes.

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::platform;
use bz_service::Core;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    config::AnalyticsConfig,
    dashboards,
    sources::{self, Sources},
    tracking,
};

/// What every handler gets.
#[derive(Clone)]
pub struct AppState {
    /// What every service has.
    pub core: Core,
    /// What data sources need.
    pub(crate) sources: Sources,
}

impl AppState {
    /// The state of a service that starts.
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(crate) fn new(core: Core, config: AnalyticsConfig) -> anyhow::Result<Self> {
        Ok(Self {
            sources: Sources::new(&core, config.egress)?,
            core,
        })
    }
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let info = bz_http::openapi::base(
        &platform::ANALYTICS,
        "Events that count once, and dashboards over them.",
    );
    OpenApiRouter::with_openapi(info)
        .merge(tracking::routes())
        .merge(dashboards::routes())
        .merge(sources::routes())
}
