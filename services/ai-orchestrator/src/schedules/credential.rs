//! The API key with which a schedule's runs work.

use bz_auth::{AuthError, Caller, Claims, Permissions, api_key::PREFIX};
use bz_http::Problem;
use bz_kernel::{ExposeSecret, SecretString, TenantId, UserId};

use super::{ScheduleId, WantedSchedule};
use crate::app::AppState;

/// The key that was sent: in the body, or as the token of the request. None when there is neither.
///
/// # Errors
/// 422 for one that is not good, not the user's own, or good for certain addresses only.
pub(super) async fn sent(
    app: &AppState,
    caller: &Caller,
    wanted: &WantedSchedule,
) -> Result<Option<SecretString>, Problem> {
    let token = caller.token();
    let key = match &wanted.api_key {
        Some(key) => SecretString::from(key.clone()),
        None if token.expose_secret().starts_with(PREFIX) => token.clone(),
        None => return Ok(None),
    };
    match permissions(app, &key, (caller.tenant(), caller.user)).await {
        Ok(_) => Ok(Some(key)),
        Err(AuthError::KeysUnavailable) => Err(Problem::unavailable("identity cannot be asked")),
        Err(_) => Err(Problem::invalid(
            "/api_key",
            "not_accepted",
            "must be an API key of your own that is good now, and not bound to addresses: runs call from the platform's",
        )),
    }
}

/// What the key lets its user do now.
///
/// # Errors
/// [`AuthError`] when it is not good, or another user's.
pub(super) async fn permissions(
    app: &AppState,
    key: &SecretString,
    (tenant, user): (TenantId, UserId),
) -> Result<Permissions, AuthError> {
    let claims = app
        .core
        .verifier
        .verify_from(key.expose_secret(), None)
        .await?;
    let Claims {
        tid,
        sub,
        roles,
        entitlements,
        ..
    } = &*claims;
    if *tid != Some(tenant.as_uuid()) || *sub != user.to_string() {
        return Err(AuthError::Invalid("the key is another user's"));
    }
    Ok(Permissions::of_roles(roles).with(entitlements))
}

/// The key for the store.
pub(super) fn sealed(app: &AppState, id: ScheduleId, key: &SecretString) -> Vec<u8> {
    let plain = key.expose_secret().as_bytes();
    app.credentials.seal(id.as_uuid().as_bytes(), plain)
}

/// The key from the store.
pub(super) fn opened(app: &AppState, id: ScheduleId, sealed: &[u8]) -> Option<SecretString> {
    let plain = app.credentials.open(id.as_uuid().as_bytes(), sealed).ok()?;
    String::from_utf8(plain).ok().map(SecretString::from)
}
