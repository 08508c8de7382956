//! A change, told to the siblings and written to the audit log under one name.

use bz_events::NewEvent;
use bz_kernel::{Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    audit::{self, Actor, Entry},
    origin::Origin,
};

/// What was changed in the transaction at hand.
pub(crate) struct Change<'a> {
    /// Who did it.
    pub(crate) actor: Actor,
    /// What: the kind of the event, and the action of the audit log.
    pub(crate) kind: &'static str,
    /// To what.
    pub(crate) target: (&'static str, Uuid),
    /// What the siblings learn: ids and states, no names and no addresses.
    pub(crate) data: Value,
    /// What the audit log keeps besides.
    pub(crate) changes: Value,
    /// Where the request comes from.
    pub(crate) origin: &'a Origin,
}

/// Writes both. The last statements before the commit; call [`AppState::wake`](crate::app::AppState::wake) after it.
pub(crate) async fn record(
    tx: &mut TenantTx,
    sources: &Sources,
    change: Change<'_>,
) -> Result<(), DbError> {
    let event = NewEvent {
        kind: change.kind,
        actor: person(change.actor),
        data: change.data,
    };
    bz_events::append(tx, sources, event).await?;
    let entry = Entry {
        actor: change.actor,
        action: change.kind,
        target: Some(change.target),
        success: true,
        changes: change.changes,
        origin: change.origin,
    };
    audit::record(tx, sources, entry).await
}

const fn person(actor: Actor) -> Option<UserId> {
    match actor {
        Actor::User(user) | Actor::Impersonated { user, .. } => Some(user),
        Actor::ServiceAccount(_) | Actor::Anonymous | Actor::System => None,
    }
}
