//! Whom an administrator acts on.

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;

use super::{ManagedUser, store};
use crate::{
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
