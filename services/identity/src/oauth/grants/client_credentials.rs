//! RFC 6749 section 4.4 for a tenant's own service accounts.

use bz_auth::{Claims, claims::ServicePrincipal};
use bz_kernel::{ExposeSecret, SecretString, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;

use crate::{
    app::AppState,
    credential::Credential,
    oauth::{
        assertion::{self, Signer},
        client_auth::Claimed,
        error::TokenError,
    },
    service_accounts::{SECRET_PREFIX, client_id, parse_client_id, store},
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
    let db = &app.core.db;
    let found = db
        .run::<_, DbError>("identity.service_accounts.token", &scope, find)
        .await?;
    let (principal, jti) = found.ok_or(TokenError::InvalidClient)?;
    let (issuer, now) = (&app.core.issuer, app.core.sources.now());
    Ok(Claims::of_service_account(
        issuer, principal, jti, now, lifetime,
    ))
}

/// The same for an account that shows who it is by a signature (RFC 7523).
///
/// # Errors
/// As [`claims`].
pub(in crate::oauth) async fn claims_by_key(
    app: &AppState,
    claimed: &Claimed<'_>,
    scope: Option<&str>,
    lifetime: TimeDelta,
) -> Result<Claims, TokenError> {
    if scope.is_some_and(|scope| !scope.trim().is_empty()) {
        return Err(TokenError::InvalidScope);
    }
    let (tenant, id) = parse_client_id(&claimed.client_id).ok_or(TokenError::InvalidClient)?;
    // Made before the role is read, as above.
    let jti = app.core.sources.id();
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let signing = store::signing(&mut tx, id).await?;
    drop(tx);
    let Some((role, keys)) = signing else {
        return Err(TokenError::InvalidClient);
    };
    let signer = Signer {
        tenant,
        id,
        client_id: &claimed.client_id,
        keys: &keys,
    };
    assertion::accept(app, &signer, claimed.text).await?;
    let principal = ServicePrincipal {
        id: UserId::from_uuid(id),
        tenant,
        client_id: claimed.client_id.clone(),
        role,
    };
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
