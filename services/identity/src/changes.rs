//! What siblings and the audit log learn of a change, written in its transaction.

use bz_auth::Caller;
use bz_events::NewEvent;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

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

/// Tells the siblings of a change (`role.updated`, with the target's id) and writes it down, with what has changed. The
/// last thing in a transaction; call [`AppState::wake`] after the commit.
pub(crate) async fn tell(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    kind: &'static str,
    target: (&'static str, Uuid),
    changes: Value,
) -> Result<(), DbError> {
    let sources = &app.core.sources;
    let event = NewEvent {
        kind,
        actor: Some(by.user()),
        data: json!({ format!("{}_id", target.0): target.1 }),
    };
    bz_events::append(tx, sources, event).await?;
    let entry = Entry {
        actor: Actor::of(by.caller),
        action: kind,
        target: Some(target),
        success: true,
        changes,
        origin: by.origin,
    };
    audit::record(tx, sources, entry).await
}
