//! The audit log: who did what, written in the transaction of the deed and chained by hashes, so that a change or a gap
//! shows. The exact form is in `docs/security.md`.

pub(crate) mod anchor;
mod entry;
mod export;
mod filter;
mod list;
mod store;
mod verify;

use bz_auth::Caller;
use bz_http::{Routes, routes};
use bz_kernel::{Sources, UserId};
use bz_tenant::{DbError, TenantTx};
use serde_json::Value;
use uuid::Uuid;

use crate::{app::AppState, origin::Origin};

bz_auth::permissions! {
    /// Read, verify and export the audit log.
    AuditManage = "audit:manage",
}

/// The routes of the audit log.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_audit_log))
        .routes(routes!(verify::verify_audit_log))
        .routes(routes!(export::export_audit_log))
}

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
    /// What changed, as an object. Numbers are whole ones: fractions are written differently by different JSON writers,
    /// and the text is hashed.
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
    store::append(tx, sources.id(), sources.now(), &entry).await
}
