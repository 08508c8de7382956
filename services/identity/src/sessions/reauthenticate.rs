use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, Entrant};
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::{ExposeSecret, SessionId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    ACCESS_TOKEN_LIFETIME,
    issue::{self, Grant},
    proof, store, store_own,
    token::RefreshToken,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    guests::home_of,
    mfa::{
        self, Method,
        factor::{self, Outcome},
        verify::{Refused, check_code},
    },
    origin::Origin,
    passkeys::{self, assertion::Assertion},
    problems::{PublicProblems, unauthorized},
    tenants::policy,
    users::{self, store::Account},
};

/// What the audit log calls it.
const ACTION: &str = "session.reauthenticated";

/// What proves who the user is: at least one of the three, and all that are sent must be right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "password": "correct horse battery" }))]
pub(crate) struct ReauthenticateRequest {
    /// The password.
    password: Option<String>,
    /// A code of the authenticator app, or a recovery code.
    #[schema(example = "123456", max_length = 64)]
    code: Option<String>,
    /// What kind of code it is; digits are an app's when left out.
    method: Option<Method>,
    /// The answer of a passkey.
    passkey: Option<Assertion>,
}

impl Validate for ReauthenticateRequest {
    fn validate(&self, errors: &mut Errors) {
        if self.password.is_none() && self.code.is_none() && self.passkey.is_none() {
            let message = "is required, unless there is a code or a passkey";
            errors.add("/password", "required", message);
        }
        if let Some(code) = &self.code {
            check_code(code, errors);
        }
    }
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
    /// How strongly the user has proved who they are in this session: `aal1` or `aal2` (NIST SP 800-63B).
    acr: String,
}

/// Prove who you are once more: for what needs a recent login, and for what needs a second factor.
///
/// Takes the password, a code, or the answer of a passkey to `POST /auth/passkeys/login/options`. Answers an access token of
/// the same session with a new `auth_time`; after a code or a passkey the session counts as begun with two factors (`acr`
/// `aal2`). The tokens at hand stay good. Wrong passwords and codes count like those of logins.
#[utoipa::path(
    post, path = "/auth/reauthenticate", tag = "sessions",
    request_body = ReauthenticateRequest,
    responses((status = 200, description = "An access token with a new `auth_time`", body = FreshToken), PublicProblems),
)]
pub(crate) async fn reauthenticate(
    State(app): State<AppState>,
    Entrant(caller): Entrant,
    headers: HeaderMap,
    origin: Origin,
    Json(request): Json<ReauthenticateRequest>,
) -> Result<Response, Problem> {
    crate::api_keys::only_people(&caller)?;
    let session = caller.session.ok_or_else(session_revoked)?;
    let mut methods = Vec::new();
    if let Some(password) = request.password.clone() {
        let from = (&headers, &origin);
        proof::password(&app, &caller, from, &password.into(), ACTION).await?;
        methods.push("pwd");
    }
    methods.extend(second_factor(&app, &caller, &request, &origin).await?);
    let note = async |tx: &mut TenantTx| note(tx, &app, &caller, session, &methods, &origin).await;
    let (account, grant) = app
        .core
        .db
        .run::<_, Problem>("identity.sessions.reauthenticate", &caller.scope, note)
        .await?;
    answer(&app, &account, grant)
}

fn answer(app: &AppState, account: &Account, grant: Grant) -> Result<Response, Problem> {
    let token = issue::access_token(app, account, &grant)?;
    let mut response = Json(FreshToken {
        access_token: token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LIFETIME.num_seconds(),
        acr: grant.acr,
    })
    .into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// By which methods the second factors that were sent prove that the caller is there. They are those of the caller's home.
async fn second_factor(
    app: &AppState,
    caller: &Caller,
    request: &ReauthenticateRequest,
    origin: &Origin,
) -> Result<Vec<&'static str>, Problem> {
    if request.code.is_none() && request.passkey.is_none() {
        return Ok(Vec::new());
    }
    let prove = async |tx: &mut TenantTx| {
        let proven = prove(tx, app, caller, request).await?;
        if proven.is_err() {
            let entry = Entry {
                actor: Actor::of(caller),
                action: ACTION,
                target: Some(("user", caller.user.as_uuid())),
                success: false,
                changes: json!({}),
                origin,
            };
            audit::record(tx, &app.core.sources, entry).await?;
        }
        Ok(proven)
    };
    let scope = TenantScope::new(home_of(caller), Some(caller.user));
    // A refusal is an outcome too: the attempt must be counted.
    app.core
        .db
        .run::<_, DbError>("identity.mfa.step_up", &scope, prove)
        .await?
}

async fn prove(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    request: &ReauthenticateRequest,
) -> Result<Result<Vec<&'static str>, Problem>, DbError> {
    let mut methods = Vec::new();
    if let Some(code) = &request.code {
        let method = request.method.unwrap_or_else(|| Method::of_code(code));
        match factor::prove(tx, app, caller.user, method, code).await? {
            Outcome::Proven => methods.extend(["otp", "mfa"]),
            Outcome::Wrong => return Ok(Err(mfa::invalid())),
            Outcome::TooMany => return Ok(Err(Refused::TooMany.problem())),
        }
    }
    if let Some(assertion) = &request.passkey {
        match assertion.prove(tx, app, caller.user).await? {
            Some(proven) => methods.extend(proven),
            None => return Ok(Err(passkeys::not_accepted())),
        }
    }
    Ok(Ok(methods))
}

/// Notes in the session what was proven, and in the audit log; nothing comes of a session that has ended.
async fn note(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    id: SessionId,
    methods: &[&str],
    origin: &Origin,
) -> Result<(Account, Grant), Problem> {
    let (sources, now) = (&app.core.sources, app.core.sources.now());
    let is_good = |session: &store::Session| {
        session.user == caller.user && !session.revoked && session.expires_at > now
    };
    let locked = store::lock(tx, id).await?;
    locked.filter(is_good).ok_or_else(session_revoked)?;
    let account = users::store::find(tx, caller.user).await?;
    let account = account
        .filter(Account::is_active)
        .ok_or_else(session_revoked)?;
    policy::admit(&account.policy, origin)?;
    store_own::reauthenticated(tx, id, now).await?;
    store_own::add_methods(tx, Some(id), methods).await?;
    let session = store::lock(tx, id).await?.ok_or_else(session_revoked)?;
    let entry = Entry {
        actor: Actor::of(caller),
        action: ACTION,
        target: Some(("session", id.as_uuid())),
        success: true,
        changes: json!({ "methods": methods }),
        origin,
    };
    audit::record(tx, sources, entry).await?;
    let grant = Grant {
        // Not handed out: the session's own refresh token goes on.
        token: RefreshToken::first(caller.tenant(), id, &sources.rng),
        client_id: session.client_id,
        auth_time: now,
        acr: session.acr,
        amr: session.amr,
        token_ends: session.expires_at,
        token_id: sources.id(),
    };
    Ok((account, grant))
}

fn session_revoked() -> Problem {
    unauthorized("session_revoked", "The session has ended").detail("Log in again.")
}
