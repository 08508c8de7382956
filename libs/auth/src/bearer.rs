//! The token in a request's headers, and what is answered when it is not good.

use std::sync::Arc;

use bz_http::{ClientIp, Problem};
use bz_kernel::{ExposeSecret, SecretString};
use http::{HeaderMap, HeaderValue, header, request::Parts};

use crate::{AuthError, Claims, Verifier};

/// Verifies the bearer token (RFC 6750 section 2.1) of a request.
pub(crate) async fn authenticate(
    parts: &Parts,
    verifier: &Verifier,
) -> Result<(Arc<Claims>, SecretString), Problem> {
    let verified = async {
        let token = bearer(&parts.headers)?;
        let ip = parts.extensions.get::<ClientIp>().map(|client| client.0);
        let claims = verifier.verify_from(token, ip).await?;
        Ok((claims, SecretString::from(token)))
    };
    verified.await.map_err(problem)
}

/// Verifies that the bearer token of a request is or was a good one.
pub(crate) async fn authenticate_past(
    parts: &Parts,
    verifier: &Verifier,
) -> Result<(Arc<Claims>, SecretString), Problem> {
    let verified = async {
        let token = bearer(&parts.headers)?;
        Ok((
            verifier.verify_past(token).await?,
            SecretString::from(token),
        ))
    };
    verified.await.map_err(problem)
}

/// Verifies a token that came with an earlier request.
pub(crate) async fn verified(
    verifier: &Verifier,
    token: &SecretString,
) -> Result<Arc<Claims>, Problem> {
    let claims = verifier.verify_from(token.expose_secret(), None).await;
    claims.map_err(problem)
}

fn bearer(headers: &HeaderMap) -> Result<&str, AuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Invalid("two Authorization headers"));
    }
    let text = value
        .to_str()
        .map_err(|_| AuthError::Invalid("unreadable Authorization header"))?;
    let (scheme, token) = text.split_once(' ').ok_or(AuthError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(AuthError::Missing)
    }
}

fn problem(error: AuthError) -> Problem {
    tracing::debug!(reason = %error, "request without a valid token");
    let (challenge, detail) = match error {
        AuthError::KeysUnavailable => return Problem::unavailable(error),
        AuthError::Missing => (
            "Bearer",
            "Send an access token: Authorization: Bearer <token>.",
        ),
        AuthError::Expired => (INVALID, "The access token has expired. Refresh it."),
        AuthError::Revoked => (
            INVALID,
            "The access token was revoked. Refresh it, or log in again.",
        ),
        AuthError::Invalid(_) => (INVALID, "The access token is not valid. Log in again."),
    };
    Problem::unauthenticated().detail(detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}

/// RFC 6750 section 3.1.
const INVALID: &str = r#"Bearer error="invalid_token""#;

/// 403: the token is good, but not for this.
pub(crate) fn forbidden(permission: &str) -> Problem {
    let challenge = format!(r#"Bearer error="insufficient_scope", scope="{permission}""#);
    let problem = Problem::forbidden().detail(format!("This needs the permission {permission}."));
    match HeaderValue::try_from(challenge) {
        Ok(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}

/// 403: the token is good, but it is not the user who acts.
pub(crate) fn impersonation_forbidden() -> Problem {
    Problem::new(
        http::StatusCode::FORBIDDEN,
        "impersonation_forbidden",
        "Nobody may do this in another user's name",
    )
    .detail("Log in as yourself.")
}

/// 403 `step_up_required`: it is known who it is, but a second factor is missing (RFC 9470 section 3).
#[must_use]
pub fn step_up_required() -> Problem {
    const CHALLENGE: &str = r#"Bearer error="insufficient_user_authentication", acr_values="aal2""#;
    Problem::new(
        http::StatusCode::FORBIDDEN,
        "step_up_required",
        "This needs a second factor",
    )
    .detail(
        "Set a second factor up under /auth/mfa, or give it to POST /auth/reauthenticate; then refresh the token.",
    )
    .header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(CHALLENGE),
    )
}

/// 401: the token is good, but the login is too long ago for this (RFC 9470 section 3).
pub(crate) fn reauthentication_required(max_age: u64) -> Problem {
    let challenge =
        format!(r#"Bearer error="insufficient_user_authentication", max_age={max_age}"#);
    let problem = Problem::new(
        http::StatusCode::UNAUTHORIZED,
        "reauthentication_required",
        "The login is too long ago",
    )
    .detail("Prove who you are with POST /auth/reauthenticate, and use the token that it answers.");
    match HeaderValue::try_from(challenge) {
        Ok(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}
