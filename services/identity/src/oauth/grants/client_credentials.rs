//! RFC 6749 section 4.4 for a tenant's own service accounts.

use bz_auth::{Claims, claims::ServicePrincipal};
use bz_kernel::{ExposeSecret, SecretString, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;

use crate::{
    app::AppState,
    credential::Credential,
    oauth::error::TokenError,
    service_accounts::{SECRET_PREFIX, client_id, store},
};

/// The claims of a service account's token: a principal of its tenant with a role, as a user is.
///
/// # Errors
/// `invalid_client` for all that is wrong with client and secret; `invalid_scope` when scopes are asked for: what the
/// account may do is its role.
pub(in crate::oauth) async fn claims(
    app: &AppState,
    client: &str,
    secret: &SecretString,
    scope: Option<&str>,
    lifetime: TimeDelta,
) -> Result<Claims, TokenError> {
    if scope.is_some_and(|scope| !scope.trim().is_empty()) {
        return Err(TokenError::InvalidScope);
    }
    let credential = Credential::parse(SECRET_PREFIX, secret.expose_secret());
    let credential = credential.ok_or(TokenError::InvalidClient)?;
    let scope = TenantScope::new(credential.tenant, None);
    let find = async |tx: &mut TenantTx| find(tx, app, client, &credential).await;
    let found = app
        .core
        .db
        .run::<_, DbError>("identity.service_accounts.token", &scope, find)
        .await;
    let found = found.map_err(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "a service account could not be looked up");
        TokenError::ServerError
    })?;
    let (principal, jti) = found.ok_or(TokenError::InvalidClient)?;
    let (issuer, now) = (&app.core.issuer, app.core.sources.now());
    Ok(Claims::of_service_account(
        issuer, principal, jti, now, lifetime,
    ))
}

async fn find(
    tx: &mut TenantTx,
    app: &AppState,
    client: &str,
    credential: &Credential,
) -> Result<Option<(ServicePrincipal, uuid::Uuid)>, DbError> {
    let now = app.core.sources.now();
    // Made before the role is read: a revocation from here on is later than the token.
    let jti = app.core.sources.id();
    let stored = store::secret(tx, credential.id).await?;
    let stored = stored.filter(|stored| {
        credential.matches(&stored.secret_hash)
            && stored.active
            && client == client_id(credential.tenant, stored.account)
    });
    let Some(stored) = stored else {
        return Ok(None);
    };
    if stored
        .last_used_at
        .is_none_or(|at| now - at >= TimeDelta::minutes(1))
    {
        store::secret_used(tx, credential.id, now).await?;
    }
    let principal = ServicePrincipal {
        id: UserId::from_uuid(stored.account),
        tenant: credential.tenant,
        client_id: client.to_owned(),
        role: stored.role,
    };
    Ok(Some((principal, jti)))
}
