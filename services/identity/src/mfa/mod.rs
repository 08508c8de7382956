//! Second factors: authenticator apps (TOTP), recovery codes, and the challenge between password and session.

pub(crate) mod challenge;
pub(crate) mod codes;
pub(crate) mod factor;
pub(crate) mod overview;
pub(crate) mod recovery_codes;
pub(crate) mod store;
pub(crate) mod totp_activate;
pub(crate) mod totp_enrol;
pub(crate) mod totp_remove;
pub(crate) mod verify;

use bz_auth::Caller;
use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    account::links::{self, Recipient},
    app::AppState,
    audit::{self, Entry},
    guests,
    mail::{self, Template},
    passkeys,
    problems::unauthorized,
    sessions::store::RevokedBecause,
    tenants::policy,
    users::store as users,
};

/// Tells a user that the ways to log in to their account are others now.
pub(crate) async fn tell(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
    method: &str,
) -> Result<(), DbError> {
    let Some(account) = users::find(tx, user).await? else {
        return Ok(());
    };
    let at = mail::moment(app.core.sources.now());
    let values = [("at", at.as_str()), ("method", method)];
    links::write(
        tx,
        app,
        Recipient::of(&account),
        Template::NewPasskeyOrMfa,
        &values,
    )
    .await
}

/// Goes on if the caller may change their second factors: whoever has an app must have given a second factor in this
/// session. A passkey counts only where the tenant asks for second factors, because elsewhere a password alone is enough.
///
/// # Errors
/// 403 `step_up_required`.
pub(crate) async fn may_change(tx: &mut TenantTx, caller: &Caller) -> Result<(), Problem> {
    let has_one = store::active_factor(tx, caller.user).await?.is_some()
        || (caller.claims.owes_second_factor && passkeys::store::has_any(tx, caller.user).await?);
    if has_one {
        caller.require_second_factor()
    } else {
        Ok(())
    }
}

/// Goes on if the user has another second factor than the one that was just removed, or the tenant does not ask for any.
///
/// # Errors
/// 403 `mfa_required_by_policy`.
async fn keep_one(tx: &mut TenantTx, user: UserId) -> Result<(), Problem> {
    let is_required = policy::store::find(tx)
        .await?
        .is_some_and(|(policy, _)| policy.mfa_required);
    if !is_required
        || store::active_factor(tx, user).await?.is_some()
        || passkeys::store::has_any(tx, user).await?
    {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "mfa_required_by_policy",
        "The tenant asks for a second factor",
    )
    .detail("Add another second factor before you remove this one."))
}

/// What follows when the caller removed one of their second factors: their other sessions end, also where they are guests, and
/// they are told.
///
/// # Errors
/// 403 `mfa_required_by_policy`.
pub(crate) async fn removed(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    what: &str,
    entry: Entry<'_>,
) -> Result<(), Problem> {
    keep_one(tx, caller.user).await?;
    let (user, because) = (caller.user, RevokedBecause::MfaChanged);
    guests::end_everywhere(tx, app, user, caller.session, because, Some(user)).await?;
    tell(tx, app, user, what).await?;
    audit::record(tx, &app.core.sources, entry).await?;
    Ok(())
}

/// Removes every second factor and passkey of a user who lost them, and tells the user.
pub(crate) async fn remove_all(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
) -> Result<(), DbError> {
    store::remove_totp(tx, user, app.core.sources.now()).await?;
    passkeys::store::remove_all(tx, user).await?;
    tell(tx, app, user, "-").await
}

/// What proves that a person is there besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    /// Six digits of an authenticator app.
    Totp,
    /// One of the codes on paper.
    RecoveryCode,
}

impl Method {
    /// What kind of code somebody typed where the two share a field: an app's has digits only.
    pub(crate) fn of_code(code: &str) -> Self {
        if code
            .chars()
            .all(|c| c.is_ascii_digit() || c.is_whitespace())
        {
            Self::Totp
        } else {
            Self::RecoveryCode
        }
    }
}

/// 401: the code is wrong, or was used before.
pub(crate) fn invalid() -> Problem {
    unauthorized("mfa_invalid", "The code is not accepted")
        .detail("Send the code that the app shows now, or an unused recovery code.")
}

/// 401: there is no such challenge any more.
fn expired() -> Problem {
    unauthorized("mfa_expired", "The login has to start again").detail(
        "The time for the second factor is over, or there were too many attempts: log in again.",
    )
}

/// 429: too many wrong codes of this user.
pub(crate) fn too_many(seconds: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many wrong codes",
    )
    .detail("Wait before the next attempt.")
    .retry_after(seconds)
}
