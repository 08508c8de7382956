//! What the CRM's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_http::Routes;
use bz_http::egress::{Egress, EgressLimits};
use bz_kernel::{TenantId, platform};
use bz_service::{Core, limiter::Limiter};
use moka::sync::Cache;
use tokio::sync::Notify;

use crate::{
    activities,
    assignment::{self, AssignmentRule},
    audit, automations, companies,
    config::CrmConfig,
    contacts, custom_fields, deals, exports, forms, imports, jobs, leads, merges, notes, pipelines,
    privacy, record_access,
    records::{access::Narrowings, custom::Definition},
    scoring::{self, Scoring},
    search::{self, Meaning},
    tags, teams, todos, views,
    webhooks::{self, Webhooks},
};

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service has.
    pub core: Core,
    /// What was read of tenants' settings a moment ago.
    pub known: Known,
    /// Wakes the worker of this process when there is a job.
    pub jobs: Arc<Notify>,
    /// How often forms may be submitted.
    pub limiter: Arc<Limiter>,
    /// Where the vectors of the search come from.
    pub meaning: Meaning,
    /// Seals the secrets of webhooks, and calls their addresses.
    pub webhooks: Webhooks,
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
    /// The rules that give new leads an owner.
    pub rules: Cache<TenantId, Arc<Vec<AssignmentRule>>>,
}

/// How long settings are taken for current.
const CURRENT: Duration = Duration::from_secs(1);
/// Buckets that one process keeps while it counts submissions alone.
const MOST_BUCKETS: usize = 50_000;
/// How many tenants' settings are kept.
const TENANTS: u64 = 10_000;

impl Known {
    fn new() -> Self {
        Self {
            access: cache(),
            custom: cache(),
            rules: cache(),
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
            jobs: Arc::default(),
            scoring: Scoring::new(),
            limiter: Arc::new(Limiter::new(MOST_BUCKETS)),
        })
    }

    /// Tells this process's worker that there is a job. Called after the commit; a worker that misses it looks by itself
    /// soon.
    pub(crate) fn hurry(&self) {
        self.jobs.notify_one();
    }

    /// Tells the readers of the feed that there is something new. Called after the commit; a reader that misses it
    /// looks by itself soon.
    pub(crate) fn wake(&self) {
        bz_events::wake(&self.core.redis, platform::CRM.schema);
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(leads::routes())
        .merge(contacts::routes())
        .merge(companies::routes())
        .merge(pipelines::routes())
        .merge(deals::routes())
        .merge(activities::routes())
        .merge(notes::routes())
        .merge(merges::routes())
        .merge(assignment::routes())
        .merge(forms::routes())
        .merge(privacy::routes())
        .merge(todos::routes())
        .merge(custom_fields::routes())
        .merge(tags::routes())
        .merge(views::routes())
        .merge(teams::routes())
        .merge(record_access::routes())
        .merge(audit::routes())
        .merge(jobs::routes())
        .merge(imports::routes())
        .merge(exports::routes())
        .merge(search::routes())
        .merge(webhooks::routes())
        .merge(automations::routes())
        .merge(scoring::api::routes())
}
