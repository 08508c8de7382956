//! What the CRM's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::{TenantId, platform};
use bz_service::Core;
use moka::sync::Cache;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    companies, contacts, leads,
    records::{access::Narrowings, custom::Definition},
    scoring::{self, Scoring},
    todos,
};

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service has.
    pub core: Core,
    /// What was read of tenants' settings a moment ago.
    pub known: Known,
    /// What scoring keeps in memory.
    pub scoring: Scoring,
}

/// Settings of tenants that almost every request needs. They are read again after a second, so that a change in another
/// process holds here a second later; a change in this process holds at once.
#[derive(Clone)]
pub(crate) struct Known {
    /// Whose records a role sees and changes.
    pub access: Cache<TenantId, Arc<Narrowings>>,
    /// The tenants' own fields.
    pub custom: Cache<TenantId, Arc<Vec<Definition>>>,
}

/// How long settings are taken for current.
const CURRENT: Duration = Duration::from_secs(1);
/// How many tenants' settings are kept.
const TENANTS: u64 = 10_000;

impl Known {
    fn new() -> Self {
        Self {
            access: cache(),
            custom: cache(),
        }
    }
}

fn cache<T: Clone + Send + Sync + 'static>() -> Cache<TenantId, T> {
    Cache::builder()
        .max_capacity(TENANTS)
        .time_to_live(CURRENT)
        .build()
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

impl AppState {
    /// The state of a service that starts.
    pub(crate) fn new(core: Core) -> Self {
        Self {
            core,
            known: Known::new(),
            scoring: Scoring::new(),
        }
    }

    /// Tells the readers of the feed that there is something new. Called after the commit; a reader that misses it
    /// looks by itself soon.
    pub(crate) fn wake(&self) {
        bz_events::wake(&self.core.redis, platform::CRM.schema);
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let info = bz_http::openapi::base(
        &platform::CRM,
        "Leads with an explained score, contacts, companies, deals, activities and to-dos.",
    );
    OpenApiRouter::with_openapi(info)
        .merge(leads::routes())
        .merge(contacts::routes())
        .merge(companies::routes())
        .merge(todos::routes())
        .merge(scoring::api::routes())
}
