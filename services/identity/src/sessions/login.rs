use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_http::Problem;
use bz_kernel::{TenantId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    TokenAnswer,
    attempt::{self, Failure, Sought},
    credentials::{Credentials, LoginForm, LoginRequest},
    delivery::TokenDelivery,
    issue::{self, Grant, NewSession},
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    csrf,
    lockout::{self, Attempt, LoginName, device, device::TrustedDevice},
    mfa::challenge::{self, MfaRequired},
    origin::Origin,
    passwords::Verdict,
    problems::{PublicProblems, email_not_verified, invalid_credentials, overloaded},
    tenants::policy,
    users,
    users::store::Account,
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
/// So does an address with too many failed logins, whose password is then not compared for a while; a device from which
/// its owner has logged in before has failures of its own. With `delivery: cookie` the refresh token is put into a cookie
/// that no script reads: for pages of the configured origins, with the header `X-Requested-With`.
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
    if credentials.delivery == TokenDelivery::Cookie {
        csrf::check(&app, &headers)?;
    }
    let known = authenticate(&app, &headers, &origin, &credentials).await?;
    let started = start_session(&app, &known, &credentials, &origin).await?;
    let mut response = match started.ok_or_else(invalid_credentials)? {
        Started::Session(account, grant) => {
            issue::answer(&app, &account, &grant)?.deliver(StatusCode::OK, credentials.delivery)
        }
        Started::Challenge(challenge) => challenge.into_response(),
    };
    if !csrf::is_foreign(&app, &headers) {
        let cookie = device::cookie(&app, known.name, known.device.as_ref());
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Somebody whose password was right.
pub(crate) struct Authenticated {
    /// The account.
    pub(crate) account: Account,
    /// The password hashed anew, if its hash was outdated.
    pub(crate) new_hash: Option<String>,
    name: LoginName,
    device: Option<TrustedDevice>,
}

/// Whom the credentials are right for, if they may log in. The same for every way to log in with a password: its limits,
/// its waits, its one comparison, its one answer.
pub(crate) async fn authenticate(
    app: &AppState,
    headers: &HeaderMap,
    origin: &Origin,
    credentials: &Credentials,
) -> Result<Authenticated, Problem> {
    let asker = attempt::pass_limits(app, headers, origin, credentials).await?;
    let mut sought = attempt::seek(app, headers, credentials).await?;
    let device = TrustedDevice::of(app, headers, sought.name);
    let attempt = lockout::admit(app, sought.tenant, sought.name, device.as_ref()).await?;
    let (attempt, verdict) = compare(app, &asker, attempt, &sought, credentials).await?;
    let Verdict::Match { outdated } = verdict else {
        let failure = Failure::of_login(&sought, origin);
        return Err(attempt::refuse(app, attempt, failure).await);
    };
    let Some(candidate) = sought.candidate.take_if(|candidate| candidate.is_active) else {
        let failure = Failure::of_login(&sought, origin);
        return Err(attempt::refuse(app, attempt, failure).await);
    };
    attempt.succeeded(app).await;
    let account = account_of(app, sought.tenant, candidate.user).await?;
    // Only somebody who knows the password may learn this.
    if !app.may_log_in(&account) {
        return Err(email_not_verified());
    }
    policy::admit(&account.policy, origin)?;
    Ok(Authenticated {
        account,
        new_hash: rehash(app, outdated, credentials).await,
        name: sought.name,
        device,
    })
}

/// The account of somebody whose password was right a moment ago.
async fn account_of(app: &AppState, tenant: TenantId, user: UserId) -> Result<Account, Problem> {
    let scope = TenantScope::new(tenant, Some(user));
    let mut tx = app.core.db.read(&scope).await?;
    let account = users::store::find(&mut tx, user).await?;
    account
        .filter(Account::is_active)
        .ok_or_else(invalid_credentials)
}

/// Compares the password with the account's if the attempt is open, else with nothing. No connection is held meanwhile,
/// and there is always exactly one verification.
async fn compare(
    app: &AppState,
    asker: &str,
    attempt: Attempt,
    sought: &Sought,
    credentials: &Credentials,
) -> Result<(Attempt, Verdict), Problem> {
    let candidate = sought.candidate.as_ref().filter(|_| attempt.is_open);
    let stored = candidate.and_then(|candidate| candidate.password_hash.as_deref());
    match app
        .passwords
        .verify_for(asker, &credentials.password, stored)
        .await
    {
        Ok(verdict) => Ok((attempt, verdict)),
        Err(full) => {
            attempt.withdraw(app).await;
            Err(overloaded(full))
        }
    }
}

/// The password hashed with today's parameters, when it was not; when there is no room for that now, the next login does
/// it.
async fn rehash(app: &AppState, outdated: bool, credentials: &Credentials) -> Option<String> {
    if outdated {
        app.passwords.hash(&credentials.password).await.ok()
    } else {
        None
    }
}

/// What a right password starts.
enum Started {
    Session(Box<Account>, Grant),
    Challenge(MfaRequired),
}

async fn start_session(
    app: &AppState,
    known: &Authenticated,
    credentials: &Credentials,
    origin: &Origin,
) -> Result<Option<Started>, Problem> {
    let account = &known.account;
    let scope = TenantScope::new(account.tenant, Some(account.user));
    let session = NewSession {
        device_name: credentials.device_name.as_deref(),
        remember: credentials.remember,
        ..NewSession::with_password(account.user, origin)
    };
    let start = async |tx: &mut TenantTx| {
        if let (Some(old), Some(new)) = (&account.password_hash, &known.new_hash) {
            users::store::replace_hash(tx, account.user, old, new).await?;
        }
        if !account.mfa.is_empty() {
            let challenge = challenge::create(tx, app, &session).await?;
            return Ok(Some(Started::Challenge(challenge)));
        }
        // Where it comes from was looked at before.
        let Ok((account, grant)) = issue::enter(tx, app, &session).await? else {
            return Ok(None);
        };
        let entry = Entry {
            actor: Actor::User(account.user),
            action: "session.started",
            target: Some(("session", grant.token.session.as_uuid())),
            success: true,
            changes: json!({ "amr": grant.amr }),
            origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(Some(Started::Session(Box::new(account), grant)))
    };
    Ok(app
        .core
        .db
        .run::<_, DbError>("identity.sessions.start", &scope, start)
        .await?)
}
