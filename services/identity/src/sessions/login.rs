use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_http::Problem;
use bz_kernel::TenantId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    TokenAnswer,
    credentials::{Credentials, LoginForm, LoginRequest},
    end, home,
    issue::{self, Grant, NewSession},
    store::RevokedBecause,
};
use crate::{
    app::AppState,
    mfa::challenge::{self, MfaRequired},
    origin::Origin,
    passwords::Verdict,
    problems::{PublicProblems, invalid_credentials, overloaded},
    users,
    users::{Email, store::Account},
};

/// What a login answers.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the answer, which is made by its parts")]
pub(crate) enum LoginAnswer {
    /// Tokens of a new session.
    Tokens(Box<TokenAnswer>),
    /// The password was right; a second factor is needed.
    MfaRequired(MfaRequired),
}

/// Log in.
///
/// A wrong password, an unknown address, an unknown tenant and a disabled user get the same answer after the same work.
#[utoipa::path(
    post, path = "/auth/login", tag = "sessions", security(()),
    request_body(content(
        (LoginRequest = "application/json"),
        (LoginForm = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "Tokens of a new session, or what a second factor is given to", body = LoginAnswer),
        PublicProblems,
    ),
)]
pub(crate) async fn login(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    credentials: Credentials,
) -> Result<Response, Problem> {
    let (account, new_hash) = authenticate(&app, &headers, &credentials).await?;
    let started = start_session(&app, &account, new_hash, &origin).await?;
    match started.ok_or_else(invalid_credentials)? {
        Started::Session(account, grant) => {
            Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::OK))
        }
        Started::Challenge(challenge) => Ok(challenge.into_response()),
    }
}

/// The account that the credentials are right for, if it may log in; and its password hashed anew, if the hash is
/// outdated. The same for every way to log in with a password.
pub(crate) async fn authenticate(
    app: &AppState,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> Result<(Account, Option<String>), Problem> {
    let candidate = find_candidate(app, headers, credentials).await?;
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
    let new_hash = if outdated {
        rehash(app, credentials).await
    } else {
        None
    };
    Ok((account, new_hash))
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

/// What a right password starts.
enum Started {
    Session(Box<Account>, Grant),
    Challenge(MfaRequired),
}

/// Starts the session for the account as it is now: hashing takes long enough for somebody to disable it, or to change
/// its role. Storing the session locks the user weakly, so that whoever revokes their tokens waits for this.
async fn start_session(
    app: &AppState,
    account: &Account,
    new_hash: Option<String>,
    origin: &Origin,
) -> Result<Option<Started>, Problem> {
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let start = async |tx: &mut TenantTx| {
        if let (Some(old), Some(new)) = (&account.password_hash, &new_hash) {
            users::store::replace_hash(tx, account.user, old, new).await?;
        }
        let session = NewSession::with_password(account.user, origin);
        if !account.mfa.is_empty() {
            let challenge = challenge::create(tx, app, &session).await?;
            return Ok(Some(Started::Challenge(challenge)));
        }
        let grant = issue::start(tx, app, &session).await?;
        let now = users::store::find(tx, account.user).await?;
        match now.filter(Account::is_active) {
            Some(now) => Ok(Some(Started::Session(Box::new(now), grant))),
            None => {
                end::end(
                    tx,
                    app,
                    grant.token.session,
                    RevokedBecause::UserDisabled,
                    None,
                )
                .await?;
                Ok(None)
            }
        }
    };
    Ok(app
        .core
        .db
        .run::<_, DbError>("identity.sessions.start", &scope, start)
        .await?)
}

fn email_not_verified() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "email_not_verified",
        "The address is not verified",
    )
    .detail("Follow the link that was sent to the address.")
}
