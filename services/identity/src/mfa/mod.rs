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

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    account::links::{self, Recipient},
    app::AppState,
    mail::{self, Template},
    passkeys,
    problems::unauthorized,
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
fn invalid() -> Problem {
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
fn too_many(seconds: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many wrong codes",
    )
    .detail("Wait before the next attempt.")
    .retry_after(seconds)
}
