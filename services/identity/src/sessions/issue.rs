//! Starting a session and signing the tokens of one.

use bz_auth::{Claims, claims::UserGrant};
use bz_http::Problem;
use bz_kernel::{ExposeSecret, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};

use super::{
    ACCESS_TOKEN_LIFETIME, FIRST_PARTY_CLIENT, REFRESH_TOKEN_LIFETIME, SESSION_LIFETIME,
    TokenAnswer, store, token::RefreshToken,
};
use crate::{app::AppState, tenants::TenantSummary, users::User, users::store::Account};

/// A session as its next answer needs it.
pub(crate) struct Grant {
    /// The refresh token to hand out.
    pub(crate) token: RefreshToken,
    /// When the password was given.
    pub(crate) auth_time: DateTime<Utc>,
    /// When the refresh token ends.
    pub(crate) token_ends: DateTime<Utc>,
}

/// Stores a new session of a user in the tenant of the transaction.
pub(crate) async fn start(
    tx: &mut TenantTx,
    app: &AppState,
    user: UserId,
) -> Result<Grant, DbError> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let token = RefreshToken::first(tx.scope().tenant(), sources.id(), &sources.rng);
    let ends = (now + SESSION_LIFETIME, now + REFRESH_TOKEN_LIFETIME);
    store::insert(tx, user, &token, FIRST_PARTY_CLIENT, now, ends).await?;
    Ok(Grant {
        token,
        auth_time: now,
        token_ends: ends.1,
    })
}

/// When a refresh token made now ends: never after its session.
pub(crate) fn token_end(now: DateTime<Utc>, session_ends: DateTime<Utc>) -> DateTime<Utc> {
    (now + REFRESH_TOKEN_LIFETIME).min(session_ends)
}

/// Signs the tokens of a session. No transaction is open meanwhile.
pub(crate) fn answer(
    app: &AppState,
    account: &Account,
    grant: &Grant,
) -> Result<TokenAnswer, Problem> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let user_grant = UserGrant {
        user: account.user,
        tenant: account.tenant,
        home_tenant: account.tenant,
        session: grant.token.session,
        client_id: FIRST_PARTY_CLIENT.to_owned(),
        roles: vec![account.role.clone()],
        authenticated_at: grant.auth_time,
    };
    let claims = Claims::of_user(
        &app.core.issuer,
        user_grant,
        sources.id(),
        now,
        ACCESS_TOKEN_LIFETIME,
    );
    let access_token = app
        .keys
        .current()
        .sign(&claims)
        .map_err(Problem::internal)?;
    Ok(TokenAnswer {
        access_token: access_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LIFETIME.num_seconds(),
        refresh_token: grant.token.expose().expose_secret().to_owned(),
        refresh_expires_in: (grant.token_ends - now).num_seconds(),
        session_id: grant.token.session,
        user: User::from(account),
        tenant: TenantSummary::from(account),
    })
}
