//! What the CRM's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_http::egress::{Egress, EgressLimits};
use bz_kernel::{TenantId, platform};
use bz_service::Core;
use moka::sync::Cache;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    automations, companies,
    config::CrmConfig,
    contacts, leads,
    records::{access::Narrowings, custom::Definition},
    search::{self, Meaning},
    todos,
    webhooks::{self, Webhooks},
};

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service has.
    pub core: Core,
    /// What was read of tenants' settings a moment ago.
    pub known: Known,
    /// Where the vectors of the search come from.
    pub meaning: Meaning,
    /// Seals the secrets of webhooks, and calls their addresses.
    pub webhooks: Webhooks,
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
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(crate) fn new(core: Core, config: CrmConfig) -> anyhow::Result<Self> {
        let egress = Egress::new(config.egress, EgressLimits::default())?;
        Ok(Self {
            webhooks: Webhooks::new(egress, &core.secret, core.sources.rng.clone()),
            meaning: Meaning::new(&core, config.embedding_model)?,
            core,
            known: Known::new(),
        })
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
        .merge(search::routes())
        .merge(webhooks::routes())
        .merge(automations::routes())
}
