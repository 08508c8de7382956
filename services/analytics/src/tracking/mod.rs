//! Ingestion: events become rows and counts in one statement, once however often they are sent; and what keeps both in
//! order afterwards.

mod body;
mod event;
mod export;
mod fold;
mod ingest;
mod known;
mod orders;
mod partitions;
mod rebuild;
mod reconcile;
mod record;
mod recount;
mod store;
mod sums;
mod tenants;
mod uniques;
pub mod zones;

use bz_http::{Routes, routes};
use bz_service::{Core, Job};

use crate::app::AppState;

pub(crate) use event::MAX_AMOUNT_MINOR;
pub use event::{RejectedEvent, TrackedEvent};
pub use fold::fold_all;
pub(crate) use fold::forget as forget_deltas;
pub(crate) use known::MAX_VALUES;
pub(crate) use partitions::make as make_partitions;
pub use partitions::tend;
pub use rebuild::rebuild;
pub use reconcile::reconcile;
pub(crate) use record::Tracking;
pub use uniques::estimate;

bz_auth::permissions! {
    /// Send events.
    EventsWrite = "events:write",
}

/// The most events that one request may carry.
pub const MAX_BATCH: usize = 5_000;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(ingest::track_events))
        .routes(routes!(export::export_events))
        .merge(orders::routes())
}

/// What works on events beside the requests.
pub(crate) fn jobs(core: &Core) -> [Job; 6] {
    [
        fold::job(core.clone()),
        partitions::job(core.clone()),
        partitions::rollups_job(core.clone()),
        reconcile::job(core.clone()),
        zones::job(core.clone()),
        orders::job(core.clone()),
    ]
}
