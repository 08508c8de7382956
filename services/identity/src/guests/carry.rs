//! A session in another tenant that goes on from one the user has.

use bz_auth::{Caller, step_up_required};
use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};

use super::store::{self, Held};
use crate::{
    app::AppState,
    origin::Origin,
    problems::unauthorized,
    sessions::{
        BRIEF_REFRESH_TOKEN_LIFETIME,
        issue::{self, Grant, NewSession},
    },
    tenants::policy::{self, Policy},
};

/// The caller's session, held until the transaction ends.
///
/// # Errors
/// 401 `session_revoked` when it has ended, or the token has none.
pub(crate) async fn hold(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
) -> Result<Held, Problem> {
    let ended = || unauthorized("session_revoked", "The session was ended").detail("Log in again.");
    let session = caller.session.ok_or_else(ended)?;
    let now = app.core.sources.now();
    store::hold_session(tx, caller.tenant(), session, caller.user, now)
        .await?
        .ok_or_else(ended)
}

/// Goes on if the tenant's policy lets a session like this one in.
///
/// # Errors
/// 403 `step_up_required` or `ip_not_allowed`.
pub(crate) fn admit(policy: &Policy, held: &Held, origin: &Origin) -> Result<(), Problem> {
    policy::admit(policy, origin)?;
    if policy.is_met_by(&held.acr) {
        Ok(())
    } else {
        Err(step_up_required())
    }
}

/// Starts a session of the caller in the tenant of the transaction: a new one, which knows when and how the user proved who
/// they are, and which lasts no longer than the one that it goes on from.
pub(crate) async fn start(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    held: &Held,
    origin: &Origin,
) -> Result<Grant, DbError> {
    let amr: Vec<&str> = held.amr.iter().map(String::as_str).collect();
    let session = NewSession {
        user: caller.user,
        client_id: &held.client_id,
        acr: &held.acr,
        amr: &amr,
        device_name: held.device_name.as_deref(),
        remember: held.refresh_lifetime > BRIEF_REFRESH_TOKEN_LIFETIME,
        origin,
    };
    let mut grant = issue::start(tx, app, &session).await?;
    let ends = store::carry(tx, grant.token.session, held).await?;
    grant.auth_time = held.auth_time;
    grant.token_ends = grant.token_ends.min(ends);
    Ok(grant)
}
