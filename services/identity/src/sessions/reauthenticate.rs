use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::{ExposeSecret, SecretString, SessionId, TenantId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    ACCESS_TOKEN_LIFETIME,
    issue::{self, Grant},
    store, store_own,
    token::RefreshToken,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    passwords::Verdict,
    problems::{PublicProblems, invalid_credentials, overloaded, unauthorized},
    users::{self, store::Account},
};

/// What proves who the user is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReauthenticateRequest {
    /// The password.
    password: String,
}

impl Validate for ReauthenticateRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// An access token of the same session.
#[derive(Serialize, ToSchema)]
pub(crate) struct FreshToken {
    /// For the `Authorization` header.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
}

/// Prove who you are once more, for what needs a recent login.
///
/// Answers an access token of the same session with a new `auth_time`; the tokens at hand stay good.
#[utoipa::path(
    post, path = "/auth/reauthenticate", tag = "sessions",
    request_body = ReauthenticateRequest,
    responses((status = 200, description = "An access token with a new `auth_time`", body = FreshToken), PublicProblems),
)]
pub(crate) async fn reauthenticate(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Json(request): Json<ReauthenticateRequest>,
) -> Result<Response, Problem> {
    crate::api_keys::only_people(&caller)?;
    let session = caller.session.ok_or_else(session_revoked)?;
    let stored = stored_hash(&app, &caller).await?;
    let password = SecretString::from(request.password);
    let verdict = app.passwords.verify(&password, stored.as_deref());
    let matches = matches!(verdict.await.map_err(overloaded)?, Verdict::Match { .. });
    let note = async |tx: &mut TenantTx| note(tx, &app, &caller, session, matches, &origin).await;
    let noted = app
        .core
        .db
        .run::<_, DbError>("identity.sessions.reauthenticate", &caller.scope, note)
        .await?;
    if !matches {
        return Err(invalid_credentials());
    }
    let (account, grant) = noted.ok_or_else(session_revoked)?;
    let token = issue::access_token(&app, &account, &grant)?;
    let mut response = Json(FreshToken {
        access_token: token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LIFETIME.num_seconds(),
    })
    .into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The hash of the caller's password, which is kept in their home tenant.
#[expect(
    clippy::disallowed_methods,
    reason = "the home tenant of a verified token"
)]
async fn stored_hash(app: &AppState, caller: &Caller) -> Result<Option<String>, DbError> {
    let home = caller
        .claims
        .htid
        .map_or(caller.tenant(), TenantId::trusted);
    let scope = TenantScope::new(home, Some(caller.user));
    let mut tx = app.core.db.read(&scope).await?;
    let account = users::store::find(&mut tx, caller.user).await?;
    Ok(account.and_then(|account| account.password_hash))
}

/// Writes down the attempt, and in the session that it succeeded; nothing comes of a session that has ended.
async fn note(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    id: SessionId,
    matches: bool,
    origin: &Origin,
) -> Result<Option<(Account, Grant)>, DbError> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let session = store::lock(tx, id).await?;
    let session = session.filter(|session| {
        session.user == caller.user && !session.revoked && session.expires_at > now
    });
    let account = users::store::find(tx, caller.user).await?;
    let account = account.filter(Account::is_active);
    let (Some(session), Some(account)) = (session, account) else {
        return Ok(None);
    };
    let mut amr = session.amr;
    if matches {
        if !amr.iter().any(|method| method == "pwd") {
            amr.push("pwd".to_owned());
        }
        store_own::reauthenticated(tx, id, now, &amr).await?;
    }
    let entry = Entry {
        actor: Actor::of(caller),
        action: "session.reauthenticated",
        target: Some(("session", id.as_uuid())),
        success: matches,
        changes: json!({}),
        origin,
    };
    audit::record(tx, sources, entry).await?;
    let grant = Grant {
        // Not handed out: the session's own refresh token goes on.
        token: RefreshToken::first(caller.tenant(), id, &sources.rng),
        client_id: session.client_id,
        auth_time: now,
        acr: session.acr,
        amr,
        token_ends: session.expires_at,
        token_id: sources.id(),
    };
    Ok(Some((account, grant)))
}

fn session_revoked() -> Problem {
    unauthorized("session_revoked", "The session has ended").detail("Log in again.")
}
