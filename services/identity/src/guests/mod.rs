//! People who work in several tenants.
//!
//! A person has one home, where the password is, and is a guest elsewhere: a row in `users` with the same id, without a
//! password. The home keeps the list of these places. Both sides are written in one transaction, and whatever ends at home
//! ends for the guest in the same one.

pub(crate) mod carry;
pub(crate) mod default_home;
pub(crate) mod discover;
pub(crate) mod list;
pub(crate) mod store;
pub(crate) mod switch;

use bz_auth::Caller;
use bz_http::{Problem, Routes, routes};
use bz_kernel::{SessionId, TenantId, UserId};
use bz_tenant::{DbError, TenantTx};
use http::StatusCode;

use crate::{
    app::AppState,
    sessions::{end, store::RevokedBecause},
};

/// Ends everything that a person has, at home (but for one session, if named) and as a guest: for a new password, another
/// address, a user who is disabled or deleted. The transaction is in the person's home. Answers how many sessions ended; call
/// [`AppState::wake`] after the commit.
pub(crate) async fn end_everywhere(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    except: Option<SessionId>,
    because: RevokedBecause,
    actor: Option<UserId>,
) -> Result<usize, DbError> {
    // Home first: a switch that is going on from one of these sessions is waited for, and its new session is then seen.
    let at_home = end::end_all(tx, app, user, except, because, actor).await?;
    let as_guest =
        store::end_guest_sessions(tx, Some(user), because, app.core.sources.now()).await?;
    Ok(at_home.saturating_add(as_guest))
}

/// The operations.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_my_tenants))
        .routes(routes!(switch::switch_tenant))
        .routes(routes!(default_home::set_default_tenant))
        .routes(routes!(discover::discover_tenants))
}

/// The tenant where a caller's password is.
#[expect(
    clippy::disallowed_methods,
    reason = "a claim of a verified token, like the tenant itself"
)]
pub(crate) fn home_of(caller: &Caller) -> TenantId {
    caller
        .claims
        .htid
        .map_or(caller.tenant(), TenantId::trusted)
}

/// 403: the tenant is not there, or not the caller's. One answer for both.
pub(crate) fn not_a_member() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "not_a_member",
        "Not a tenant of yours",
    )
    .detail("There is no such tenant, or you do not belong to it.")
}
