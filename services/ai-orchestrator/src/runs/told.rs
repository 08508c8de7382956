//! What the feed of this service tells of runs.

use bz_events::NewEvent;
use bz_kernel::{CrewId, RunId, Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;

/// A run that is over.
#[derive(Debug, Serialize)]
pub(super) struct Finished {
    pub(super) run_id: RunId,
    pub(super) status: &'static str,
    /// The crew whose run it was, if it was one's.
    pub(super) crew_id: Option<CrewId>,
    /// For whom it worked.
    pub(super) created_by: UserId,
}

/// Tells `run.finished`, in the transaction that ends the run. One that is resumed and ends again is told again.
pub(super) async fn finished(
    tx: &mut TenantTx,
    sources: &Sources,
    actor: Option<UserId>,
    run: Finished,
) -> Result<(), DbError> {
    let event = NewEvent {
        kind: "run.finished",
        actor,
        data: run,
    };
    bz_events::append(tx, sources, event).await.map(drop)
}
