//! What the CRM's handlers share, and the list of its routes.

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::platform;
use bz_service::Core;
use utoipa_axum::router::OpenApiRouter;

use crate::{leads, todos};

/// What every handler gets.
#[derive(Clone)]
pub struct AppState {
    /// What every service has.
    pub core: Core,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

impl AppState {
    /// Tells the readers of the feed that there is something new. Called after the commit; a reader that misses it
    /// looks by itself soon.
    pub(crate) fn wake(&self) {
        bz_events::wake(&self.core.redis, platform::CRM.schema);
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let info = bz_http::openapi::base(&platform::CRM, "Leads with an explained score, and to-dos.");
    OpenApiRouter::with_openapi(info)
        .merge(leads::routes())
        .merge(todos::routes())
}
