//! Acting in a user's name, to see what they see: for a short while, with a reason, written down, and told to the user.
//!
//! The token names who acts (`act`, RFC 8693 section 4.1). With it nobody administers anything, in any service
//! ([`Caller::require`](bz_auth::Caller::require)), and whatever is the user's own affair refuses it
//! ([`Caller::refuse_impersonation`](bz_auth::Caller::refuse_impersonation)).

mod start;
mod store;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};

use crate::{
    app::AppState,
    sessions::{end, store::RevokedBecause},
};

bz_auth::permissions! {
    /// Act in the name of users.
    UsersImpersonate = "users:impersonate",
}

/// The longest that somebody acts in a user's name. Access tokens of these sessions are that old at most; all others are
/// younger ([`crate::sessions::ACCESS_TOKEN_LIFETIME`]).
pub(crate) const LONGEST: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(start::impersonate_user))
}

/// Ends the sessions in which somebody acts in others' names, because they may do less now, or nothing. Call
/// [`AppState::wake`] after the commit.
pub(crate) async fn end_by(
    tx: &mut TenantTx,
    app: &AppState,
    impersonator: UserId,
    actor: Option<UserId>,
) -> Result<(), DbError> {
    for session in store::live_of(tx, impersonator, app.core.sources.now()).await? {
        end::end(tx, app, session, RevokedBecause::EndedByAdmin, actor).await?;
    }
    Ok(())
}
