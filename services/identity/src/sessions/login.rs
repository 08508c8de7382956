use axum::{extract::State, response::Response};
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::{
    TokenAnswer,
    credentials::{Credentials, LoginForm, LoginRequest},
    home,
    issue::{self, Grant, NewSession},
};
use crate::{
    app::AppState,
    origin::Origin,
    passwords::Verdict,
    problems::{PublicProblems, email_not_verified, invalid_credentials, overloaded},
    tenants::policy,
    users,
    users::{Email, store::Account},
};

/// Log in.
///
/// A wrong password, an unknown address, an unknown tenant and a disabled user get the same answer after the same work.
#[utoipa::path(
    post, path = "/auth/login", tag = "sessions", security(()),
    request_body(content(
        (LoginRequest = "application/json"),
        (LoginForm = "application/x-www-form-urlencoded"),
    )),
    responses((status = 200, description = "Tokens of a new session", body = TokenAnswer), PublicProblems),
)]
pub(crate) async fn login(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    credentials: Credentials,
) -> Result<Response, Problem> {
    let candidate = find_candidate(&app, &headers, &credentials).await?;
    let stored = candidate
        .as_ref()
        .and_then(|account| account.password_hash.as_deref());
    // No connection is held while hashing, and there is always exactly one verification.
    let verdict = app
        .passwords
        .verify(&credentials.password, stored)
        .await
        .map_err(overloaded)?;
    let (Some(account), Verdict::Match { outdated }) = (candidate, verdict) else {
        return Err(invalid_credentials());
    };
    if !account.is_active() {
        return Err(invalid_credentials());
    }
    // Only somebody who knows the password may learn this.
    if app.config.registration.needs_verified_email() && account.email_verified_at.is_none() {
        return Err(email_not_verified());
    }
    policy::admit(&account.policy, &origin)?;
    let new_hash = if outdated {
        rehash(&app, &credentials).await
    } else {
        None
    };
    let grant = start_session(&app, &account, new_hash, &origin).await?;
    Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::OK))
}

/// The account that the credentials are about, if there is one. The database does the same whether or not the tenant
/// and the address exist.
#[expect(clippy::disallowed_methods, reason = "the nil tenant has no rows")]
async fn find_candidate(
    app: &AppState,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> Result<Option<Account>, Problem> {
    let Ok(email) = Email::parse(&credentials.address) else {
        return Ok(None);
    };
    let tenant = home::resolve(app, headers, credentials.tenant.as_deref(), &email).await?;
    let scope = TenantScope::new(tenant.unwrap_or(TenantId::trusted(Uuid::nil())), None);
    let mut tx = app.core.db.read(&scope).await?;
    Ok(users::store::find_by_email(&mut tx, &email).await?)
}

/// The password hashed with today's parameters; when there is no room for that now, the next login does it.
async fn rehash(app: &AppState, credentials: &Credentials) -> Option<String> {
    app.passwords.hash(&credentials.password).await.ok()
}

async fn start_session(
    app: &AppState,
    account: &Account,
    new_hash: Option<String>,
    origin: &Origin,
) -> Result<Grant, Problem> {
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let start = async |tx: &mut TenantTx| {
        if let (Some(old), Some(new)) = (&account.password_hash, &new_hash) {
            users::store::replace_hash(tx, account.user, old, new).await?;
        }
        issue::start(tx, app, &NewSession::with_password(account.user, origin)).await
    };
    Ok(app
        .core
        .db
        .run::<_, DbError>("identity.sessions.start", &scope, start)
        .await?)
}
