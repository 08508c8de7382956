//! A change, told to the siblings and written to the audit log under one name, in its transaction.

use bz_auth::Caller;
use bz_events::NewEvent;
use bz_kernel::{Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::AppState,
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

/// Who changes something, and from where.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    /// Who.
    pub(crate) caller: &'a Caller,
    /// From where.
    pub(crate) origin: &'a Origin,
}

impl<'a> By<'a> {
    /// The caller of a request that comes from `origin`.
    pub(crate) const fn new(caller: &'a Caller, origin: &'a Origin) -> Self {
        Self { caller, origin }
    }

    /// The user.
    pub(crate) const fn user(self) -> UserId {
        self.caller.user
    }
}

/// [`record`] for the usual case: the siblings learn the target's id (`role.updated`, `role_id`), the audit log what has
/// changed.
pub(crate) async fn tell(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    kind: &'static str,
    target: (&'static str, Uuid),
    changes: Value,
) -> Result<(), DbError> {
    let change = Change {
        actor: Actor::of(by.caller),
        kind,
        target,
        data: json!({ format!("{}_id", target.0): target.1 }),
        changes,
        origin: by.origin,
    };
    record(tx, &app.core.sources, change).await
}
