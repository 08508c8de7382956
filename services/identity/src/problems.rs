//! The problems that are this service's own, and how the document lists them.

use bz_http::{Problem, ProblemDocument};
use http::{HeaderValue, StatusCode, header};
use utoipa::IntoResponses;

use crate::passwords::Overloaded;

/// 401 for credentials that are not a bearer token's: a password, a refresh token.
pub(crate) fn unauthorized(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, title)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// 401: no such user, no such tenant, wrong password, not active. One answer for all, so that it tells nothing.
pub(crate) fn invalid_credentials() -> Problem {
    unauthorized("invalid_credentials", "Invalid credentials")
        .detail("The e-mail, password or tenant is wrong.")
}

/// 403: only for somebody who has shown who they are.
pub(crate) fn email_not_verified() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "email_not_verified",
        "The address is not verified",
    )
    .detail("Follow the link that was sent to the address.")
}

/// 403: nobody becomes anybody here.
pub(crate) fn registration_disabled() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "registration_disabled",
        "Registration is closed",
    )
    .detail("Ask whoever manages this installation, or the tenant.")
}

/// 503: the queue in front of the password hashing is full.
pub(crate) fn overloaded(cause: Overloaded) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "overloaded",
        "Too many logins at once",
    )
    .detail("Try again in a moment.")
    .retry_after(cause.retry_after())
    .caused_by(cause)
}

/// What an operation that takes credentials instead of a token may answer besides its result.
#[derive(Debug, IntoResponses)]
#[expect(
    dead_code,
    reason = "documents answers; problems themselves are made by bz_http::Problem"
)]
pub(crate) enum PublicProblems {
    /// The body cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] ProblemDocument),
    /// The credentials are not accepted
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(#[to_schema] ProblemDocument),
    /// The credentials are right, but this is not allowed
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] ProblemDocument),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] ProblemDocument),
    /// The media type is not understood here
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(#[to_schema] ProblemDocument),
    /// The body is not valid
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] ProblemDocument),
    /// Too many of these; wait as long as `Retry-After` says
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(#[to_schema] ProblemDocument),
    /// Cannot answer right now; try again
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemDocument),
    /// Took too long
    #[response(status = 504, content_type = "application/problem+json")]
    Deadline(#[to_schema] ProblemDocument),
}
