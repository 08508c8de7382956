//! Whom an administrator acts on.

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::Value;

use super::{ManagedUser, store};
use crate::{
    app::AppState,
    changes::{self, By},
    members::{self, Member},
    roles::guard,
};

/// A user whom the caller may act on, read while nobody else changes anybody's access.
pub(super) struct Target {
    /// The user.
    pub(super) user: ManagedUser,
    /// The user's membership.
    pub(super) member: Option<Member>,
}

/// Finds the user that the caller acts on, and keeps everybody's access as it is until the end of the transaction.
///
/// # Errors
/// 404; 403 `privilege_escalation` when the user has what the caller lacks.
pub(super) async fn target(
    tx: &mut TenantTx,
    caller: &Caller,
    id: UserId,
) -> Result<Target, Problem> {
    members::store::lock_all(tx).await?;
    let user = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
    guard::may_act_on(caller, &user.rights)?;
    let member = members::store::find(tx, id).await?;
    Ok(Target { user, member })
}

/// Does something to a user in a transaction of its own, and tells it as `kind` with what `work` answers. Answers the user as
/// it was before.
///
/// # Errors
/// As [`target`], and those of the work.
pub(super) async fn act<F>(
    app: &AppState,
    by: By<'_>,
    id: UserId,
    kind: &'static str,
    work: F,
) -> Result<Target, Problem>
where
    F: AsyncFnOnce(&mut TenantTx) -> Result<Value, Problem>,
{
    let mut tx = app.core.db.tenant(&by.caller.scope).await?;
    let before = target(&mut tx, by.caller, id).await?;
    let changes = work(&mut tx).await?;
    changes::tell(&mut tx, app, by, kind, ("user", id.as_uuid()), changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(before)
}
