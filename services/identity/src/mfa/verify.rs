use axum::{extract::State, response::Response};
use bz_auth::claims::TWO_FACTORS;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Method, challenge, expired,
    factor::{self, Outcome},
    invalid,
    store::{self, Challenge},
    too_many,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    credential::Credential,
    origin::Origin,
    problems::PublicProblems,
    sessions::{
        TokenAnswer,
        issue::{self, Barred, Grant, NewSession},
    },
    tenants::policy,
    users::store::Account,
};

/// Attempts at one challenge.
const MOST_ATTEMPTS: i32 = 5;
/// The longest code that is looked at.
const MOST_CODE_BYTES: usize = 64;
/// Methods of a session that began with a password and a code (RFC 8176).
pub(crate) const WITH_CODE: &[&str] = &["pwd", "otp", "mfa"];

/// The second factor of a login.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// The token that the login answered.
    mfa_token: String,
    /// What kind of code it is.
    method: Method,
    /// The code.
    #[schema(example = "123456", max_length = 64)]
    code: String,
}

impl Validate for VerifyRequest {
    fn validate(&self, errors: &mut Errors) {
        check_code(&self.code, errors);
    }
}

/// Names what is wrong with a code before it is looked at.
pub(crate) fn check_code(code: &str, errors: &mut Errors) {
    if code.is_empty() || code.len() > MOST_CODE_BYTES {
        errors.add("/code", "length", "must have 1 to 64 bytes");
    }
}

/// Give the second factor of a login.
///
/// A challenge takes five attempts and lasts five minutes; a user has ten wrong codes an hour over all challenges. Each
/// code is good once.
#[utoipa::path(
    post, path = "/auth/mfa/verify", tag = "mfa", security(()),
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "Tokens of a new session", body = TokenAnswer),
        (status = 429, description = "Too many wrong codes", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        PublicProblems,
    ),
)]
pub(crate) async fn verify_mfa(
    State(app): State<AppState>,
    origin: Origin,
    Json(request): Json<VerifyRequest>,
) -> Result<Response, Problem> {
    let token = Credential::parse(challenge::PREFIX, &request.mfa_token).ok_or_else(expired)?;
    let scope = TenantScope::new(token.tenant, None);
    let answer = async |tx: &mut TenantTx| answer(tx, &app, &token, &request, &origin).await;
    // A refusal is an outcome too: the attempt must be counted.
    let outcome = app
        .core
        .db
        .run::<_, DbError>("identity.mfa.verify", &scope, answer)
        .await?;
    let (account, grant) = outcome.map_err(Refused::problem)?;
    Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::OK))
}

/// Why a second factor was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such challenge any more.
    Expired,
    /// The code is wrong, or was used before.
    Wrong,
    /// The user had too many wrong codes.
    TooMany,
    /// The code was right, but the tenant lets nobody in from there.
    Network,
}

impl Refused {
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Expired => expired(),
            Self::Wrong => invalid(),
            Self::TooMany => too_many(600),
            Self::Network => policy::ip_not_allowed(),
        }
    }
}

/// Checks the second factor that a challenge waits for, and ends the challenge when it is right. The transaction must be
/// committed whatever the outcome.
pub(crate) async fn settle(
    tx: &mut TenantTx,
    app: &AppState,
    token: &Credential,
    method: Method,
    code: &str,
) -> Result<Result<Challenge, Refused>, DbError> {
    let waiting = store::lock_challenge(tx, token.id).await?;
    let Some(waiting) = waiting.filter(|waiting| token.matches(&waiting.secret_hash)) else {
        return Ok(Err(Refused::Expired));
    };
    if !is_open(&waiting, app.core.sources.now()) {
        return Ok(Err(Refused::Expired));
    }
    store::count_attempt(tx, token.id).await?;
    match factor::prove(tx, app, waiting.user_id.into(), method, code).await? {
        Outcome::Proven => {}
        Outcome::Wrong => return Ok(Err(Refused::Wrong)),
        Outcome::TooMany => return Ok(Err(Refused::TooMany)),
    }
    store::remove_challenge(tx, token.id).await?;
    Ok(Ok(waiting))
}

/// Whether a challenge takes another attempt.
pub(crate) fn is_open(waiting: &Challenge, now: DateTime<Utc>) -> bool {
    waiting.attempts < MOST_ATTEMPTS && waiting.expires_at > now
}

async fn answer(
    tx: &mut TenantTx,
    app: &AppState,
    token: &Credential,
    request: &VerifyRequest,
    origin: &Origin,
) -> Result<Result<(Account, Grant), Refused>, DbError> {
    let waiting = match settle(tx, app, token, request.method, &request.code).await? {
        Ok(waiting) => waiting,
        Err(refused) => return Ok(Err(refused)),
    };
    let user = UserId::from_uuid(waiting.user_id);
    let session = NewSession {
        acr: TWO_FACTORS,
        amr: WITH_CODE,
        device_name: waiting.device_name.as_deref(),
        remember: waiting.remember,
        ..NewSession::with_password(user, origin)
    };
    let (account, grant) = match issue::enter(tx, app, &session).await? {
        Ok(entered) => entered,
        Err(Barred::Inactive | Barred::Unverified) => return Ok(Err(Refused::Expired)),
        Err(Barred::Network) => return Ok(Err(Refused::Network)),
    };
    let entry = Entry {
        actor: Actor::User(user),
        action: "session.started",
        target: Some(("session", grant.token.session.as_uuid())),
        success: true,
        changes: json!({ "amr": grant.amr, "method": request.method }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await?;
    Ok(Ok((account, grant)))
}
