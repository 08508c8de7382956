//! Where numbers come from that are no events: files, other systems, the platform's own services. What they tell becomes
//! facts by day, orders and deals.

mod api;
pub(crate) mod crm_deals;
pub mod deals;
pub mod facts;
mod imports;
pub mod orders;
mod read;
mod resource;
mod runs;
mod store;

use std::{sync::Arc, time::Duration};

use bz_http::Routes;
use bz_http::egress::{Egress, EgressLimits, EgressPolicy};
use bz_kernel::Sealer;
use bz_service::{Core, Job};
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::app::AppState;

bz_auth::permissions! {
    /// See data sources and how their loads went.
    DataSourcesRead = "data_sources:read",
    /// Set up, change, test and delete data sources.
    DataSourcesManage = "data_sources:manage",
    /// Bring files of numbers, and ask sources now.
    ImportsWrite = "imports:write",
}

/// The most of an answer of a source's address, in bytes.
const MOST_ANSWER: usize = 64 << 20;
/// The longest that an address may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);

/// One load of one source. What a load brings replaces what earlier loads of the source brought of the same thing; parts
/// of the same load are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// The source.
    pub source_id: Uuid,
    /// The load: new for every one.
    pub load_id: Uuid,
    /// When it is loaded.
    pub at: DateTime<Utc>,
}

/// What handlers and the worker need.
#[derive(Clone)]
pub(crate) struct Sources {
    /// The way out.
    pub egress: Egress,
    /// Seals the headers that are sent along.
    pub sealer: Sealer,
    /// Tells the worker of this process that there is something to do.
    pub hint: Arc<Notify>,
    /// Spreadsheets that are unpacked at once: each is in memory as a whole.
    pub workbooks: Arc<Semaphore>,
}

impl Sources {
    /// Of a service that starts.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(crate) fn new(core: &Core, policy: EgressPolicy) -> anyhow::Result<Self> {
        let limits = EgressLimits {
            total: LONGEST_ANSWER,
            answer: MOST_ANSWER,
            ..EgressLimits::default()
        };
        Ok(Self {
            egress: Egress::new(policy, limits)?,
            sealer: Sealer::new(&core.secret, "data-sources", core.sources.rng.clone()),
            hint: Arc::default(),
            workbooks: Arc::new(Semaphore::new(1)),
        })
    }
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    api::routes().merge(imports::routes())
}

/// The jobs that load what is due.
pub(crate) fn jobs(app: &AppState) -> [Job; 2] {
    runs::worker::jobs(app)
}
