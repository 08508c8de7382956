//! Webhooks as a service has them: the endpoints, what they do, and the jobs that deliver. Types, SQL and delivery itself
//! are those of [`bz_events::webhooks`]; a service says what it has of its own ([`HasWebhooks`]) and names its paths
//! ([`webhook_endpoints`](crate::webhook_endpoints)).

mod endpoints;
pub mod handlers;
mod jobs;
mod lists;

use bz_auth::Caller;
use bz_events::webhooks::Webhooks;
use bz_tenant::{DbError, TenantTx};
use serde_json::Value;
use uuid::Uuid;

pub use jobs::jobs;
pub use lists::{ListDeliveries, ListWebhooks};

use crate::Core;

/// The state of a service that has webhooks.
pub trait HasWebhooks: Clone + Send + Sync + 'static {
    /// What the service keeps of where a request comes from: an extractor; `()` when it writes nothing down.
    type Origin: Send + Sync;

    /// What every service has.
    fn core(&self) -> &Core;

    /// What seals the secrets, and the way out.
    fn webhooks(&self) -> &Webhooks;

    /// Wakes the sender after a commit.
    fn wake(&self);

    /// Writes down, in its transaction, what was done to a webhook. Does nothing unless the service has an audit log.
    ///
    /// # Errors
    /// Any [`DbError`]: then nothing is done.
    fn record(
        &self,
        tx: &mut TenantTx,
        change: Change<'_, Self::Origin>,
    ) -> impl Future<Output = Result<(), DbError>> + Send {
        let _unwritten = (tx, change);
        async { Ok(()) }
    }
}

/// Something that was done to a webhook.
#[derive(Debug)]
pub struct Change<'a, Origin> {
    /// Who did it, from where; nobody when the service itself did.
    pub by: Option<(&'a Caller, &'a Origin)>,
    /// What: `webhook.created` and the like.
    pub action: &'static str,
    /// The webhook.
    pub webhook: Uuid,
    /// More about it, without secrets: of an address only the host, because paths and queries of webhooks often are.
    pub details: Value,
}
