//! The audit log: who did what, written in the transaction of the deed.

mod store;

use bz_auth::Caller;
use bz_kernel::{Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use serde_json::Value;
use uuid::Uuid;

use crate::origin::Origin;

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// A user.
    User(UserId),
    /// A user, in whose name another one acts.
    Impersonated {
        /// In whose name.
        user: UserId,
        /// Who acts.
        by: UserId,
    },
    /// A service account.
    ServiceAccount(Uuid),
    /// Somebody who is not known: a login that failed.
    Anonymous,
    /// The service itself.
    System,
}

impl Actor {
    /// The user behind a request, and who acts in their name.
    pub(crate) fn of(caller: &Caller) -> Self {
        match &caller.claims.act {
            Some(actor) => Self::Impersonated {
                user: caller.user,
                by: actor.sub,
            },
            None if caller.claims.is_service_account() => {
                Self::ServiceAccount(caller.user.as_uuid())
            }
            None => Self::User(caller.user),
        }
    }
}

/// Something that is being done in the transaction at hand. No secrets, no passwords, no tokens; addresses only where
/// the entry is about them.
pub(crate) struct Entry<'a> {
    /// Who does it.
    pub(crate) actor: Actor,
    /// What: `session.started`, `role.updated`.
    pub(crate) action: &'static str,
    /// To what: its kind and its id.
    pub(crate) target: Option<(&'static str, Uuid)>,
    /// Whether it was done; false for an attempt that was refused.
    pub(crate) success: bool,
    /// What changed, as an object.
    pub(crate) changes: Value,
    /// Where the request comes from.
    pub(crate) origin: &'a Origin,
}

/// Writes an entry in the transaction of the deed: both are stored, or neither. The last statement before the commit,
/// because entries of one tenant wait for each other.
///
/// # Errors
/// Any [`DbError`].
pub(crate) async fn record(
    tx: &mut TenantTx,
    sources: &Sources,
    entry: Entry<'_>,
) -> Result<(), DbError> {
    store::insert(tx, sources.id(), sources.now(), &entry).await
}
