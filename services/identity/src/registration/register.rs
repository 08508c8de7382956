use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_http::{IdempotencyKey, Json, Problem};
use http::{HeaderName, HeaderValue, StatusCode};

use super::{
    Applicant, RegisterRequest, RegistrationPolicy, VerificationRequired,
    enrol::{self, Enrolled},
    replay,
    verified::{self, Source},
};
use crate::{
    app::AppState,
    limits::{self, Limit},
    mail::language::Language,
    origin::Origin,
    problems::{PublicProblems, overloaded},
    sessions::{TokenAnswer, issue},
};

/// Register: a new tenant, and its owner.
///
/// Under the policy `auto_login` the answer is 201 with tokens, and 409 `email_taken` for an address that has
/// registered before. Under `verified` it is 202 in both cases. With an `Idempotency-Key` the same request may be sent
/// again: the user and the tenant are the same, the session is a new one.
#[utoipa::path(
    post, path = "/auth/register", tag = "registration", security(()),
    params(IdempotencyKey),
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "The tenant, its owner, and tokens", body = TokenAnswer),
        (status = 202, description = "The address has to be verified first", body = VerificationRequired),
        (status = 409, description = "The address is taken", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        PublicProblems,
    ),
)]
pub(crate) async fn register_user(
    State(app): State<AppState>,
    key: IdempotencyKey,
    origin: Origin,
    language: Language,
    Json(request): Json<RegisterRequest>,
) -> Result<Response, Problem> {
    let policy = app.config.registration;
    if policy == RegistrationPolicy::Disabled {
        return Err(disabled());
    }
    limits::check_ip(&app, Limit::RegistrationPerIp, &origin).await?;
    let applicant = Applicant::try_from(request)?;
    // Hashed before anything is looked up: the work does not tell whether the address is known.
    let hash = app
        .passwords
        .hash(&applicant.password)
        .await
        .map_err(overloaded)?;
    if policy == RegistrationPolicy::Verified {
        // A database that is down is told; what it finds is not.
        drop(app.core.db.system().await?);
        let key = key.as_deref().map(str::to_owned);
        let source = Source {
            key,
            origin,
            language,
        };
        verified::enrol_later(&app, applicant, hash, source);
        return Ok(verification_required());
    }
    match enrol::enrol(&app, &applicant, &hash, key.as_deref(), &origin, language).await? {
        Enrolled::LoggedIn(account, grant) => {
            app.wake();
            Ok(issue::answer(&app, &account, &grant)?.with_status(StatusCode::CREATED))
        }
        Enrolled::Unverified => Ok(verification_required()),
        Enrolled::Taken => {
            let (account, grant) = replay::replay(&app, &applicant, key.as_deref(), &origin)
                .await?
                .ok_or_else(email_taken)?;
            let mut response =
                issue::answer(&app, &account, &grant)?.with_status(StatusCode::CREATED);
            let replayed = HeaderName::from_static("idempotency-replayed");
            response
                .headers_mut()
                .insert(replayed, HeaderValue::from_static("true"));
            Ok(response)
        }
    }
}

/// The same as `POST /auth/register`, under the name that the platform's first front end knows.
#[utoipa::path(
    post, path = "/api/auth/signup", tag = "registration", security(()),
    params(IdempotencyKey),
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "The tenant, its owner, and tokens", body = TokenAnswer),
        (status = 202, description = "The address has to be verified first", body = VerificationRequired),
        (status = 409, description = "The address is taken", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        PublicProblems,
    ),
)]
pub(crate) async fn sign_up(
    state: State<AppState>,
    key: IdempotencyKey,
    origin: Origin,
    language: Language,
    request: Json<RegisterRequest>,
) -> Result<Response, Problem> {
    register_user(state, key, origin, language, request).await
}

fn verification_required() -> Response {
    (
        StatusCode::ACCEPTED,
        Json(VerificationRequired {
            status: "verification_required",
        }),
    )
        .into_response()
}

fn email_taken() -> Problem {
    Problem::conflict(
        "email_taken",
        "This address has registered before; log in instead.",
    )
}

fn disabled() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "registration_disabled",
        "Registration is closed",
    )
    .detail("Ask the operator of this installation for an account.")
}
